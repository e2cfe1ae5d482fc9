//! A parsed document: nodes in one list, linked by their places in it. It never changes once it is parsed, so all
//! selections and elements of a response share one.
//!
//! The parser is html5ever; the tree is what Go's parser makes of the same text (the contents of a `<template>` are its
//! children, and there is a limit to how deep elements may be nested).

use std::cell::Cell;
use std::rc::{Rc, Weak};

use html5ever::tendril::StrTendril;
use html5ever::{Attribute, LocalName, Namespace, ns};

use crate::js::engine::Host;
use crate::js::runtime::VuContext;

/// The place of a node in its document.
pub type NodeId = u32;

/// The document itself.
pub const ROOT: NodeId = 0;

const NONE: NodeId = NodeId::MAX;

/// Yields to the other VUs of the thread during a walk through a document, however large that is and whatever a
/// selector needs.
#[derive(Default)]
pub struct Yielder {
    vu: Weak<VuContext>,
    steps: Cell<u32>,
    is_stopped: Cell<bool>,
}

/// The walk asks whether to continue after this many steps.
const STEPS: u32 = 1024;

impl Yielder {
    /// Yields on behalf of a VU.
    pub fn of(vu: &VuContext) -> Self {
        Self { vu: Rc::downgrade(&vu.rc()), ..Self::default() }
    }

    /// Asks now; false when the VU has to stop.
    pub fn may_continue(&self) -> bool {
        if self.vu.upgrade().is_some_and(|vu| !vu.may_continue()) {
            self.is_stopped.set(true);
        }
        !self.is_stopped.get()
    }

    /// One step; `None` when the VU has to stop.
    pub(super) fn step(&self) -> Option<()> {
        let steps = self.steps.get().wrapping_add(1);
        self.steps.set(steps);
        if steps.is_multiple_of(STEPS) {
            self.may_continue();
        }
        (!self.is_stopped.get()).then_some(())
    }
}

/// A document.
pub struct Document {
    nodes: NodeList,
    yielder: Rc<Yielder>,
    /// Where it was loaded from; what its links are relative to. Empty for text of the script's own.
    pub url: Box<str>,
}

struct DomNode {
    parent: NodeId,
    previous: NodeId,
    next: NodeId,
    first: NodeId,
    last: NodeId,
    /// How deep it is in the tree; right while parsing.
    depth: u32,
    data: NodeData,
}

/// Nodes by their numbers, in blocks: a list that grows never has a second copy of itself.
#[derive(Default)]
struct NodeList(Vec<Vec<DomNode>>);

impl NodeList {
    /// Nodes in a block.
    const BLOCK: usize = 4096;

    fn len(&self) -> usize {
        self.0.last().map_or(0, |last| (self.0.len() - 1) * Self::BLOCK + last.len())
    }

    fn get(&self, id: NodeId) -> &DomNode {
        &self.0[id as usize / Self::BLOCK][id as usize % Self::BLOCK]
    }

    fn get_mut(&mut self, id: NodeId) -> &mut DomNode {
        &mut self.0[id as usize / Self::BLOCK][id as usize % Self::BLOCK]
    }

    fn push(&mut self, node: DomNode) {
        match self.0.last_mut() {
            Some(last) if last.len() < Self::BLOCK => last.push(node),
            Some(_) => {
                let mut block = Vec::with_capacity(Self::BLOCK);
                block.push(node);
                self.0.push(block);
            }
            // Most documents are small.
            None => self.0.push(vec![node]),
        }
    }
}

/// What a node is.
pub enum NodeData {
    /// The root.
    Document,
    /// `<!DOCTYPE name PUBLIC "public" "system">`
    Doctype(Box<Doctype>),
    /// Text.
    Text(StrTendril),
    /// A comment.
    Comment(StrTendril),
    /// An element. Those with the same name and attributes share them.
    Element(Rc<Tag>),
}

/// A declaration of what a document is.
pub struct Doctype {
    /// What is declared.
    pub name: StrTendril,
    /// The public identifier, often empty.
    pub public: StrTendril,
    /// The system identifier, often empty.
    pub system: StrTendril,
}

/// The name and the attributes of an element.
#[derive(Clone, PartialEq)]
pub struct Tag {
    /// HTML, SVG or MathML.
    pub namespace: Namespace,
    /// In lower case, except in SVG.
    pub name: LocalName,
    /// In the order of the text, each name once.
    pub attributes: Vec<Attribute>,
}

impl Tag {
    /// The value of an attribute.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|attribute| &*attribute.name.local == name).map(|attribute| &*attribute.value)
    }

    /// True for an element of HTML.
    pub fn is_html(&self) -> bool {
        self.namespace == ns!(html)
    }
}

impl Document {
    /// A document without content.
    pub fn empty(url: &str, yielder: Rc<Yielder>) -> Self {
        let mut document = Self { nodes: NodeList::default(), yielder, url: url.into() };
        document.add(NodeData::Document);
        document
    }

    /// True when the VU had to stop in the middle of a walk, which ended early then: what it found counts for nothing.
    pub fn is_abandoned(&self) -> bool {
        self.yielder.is_stopped.get()
    }

    /// The walk that starts at `first` and continues with `next`.
    fn walk<'a>(
        &'a self,
        first: Option<NodeId>,
        next: impl Fn(NodeId) -> Option<NodeId> + 'a,
    ) -> impl Iterator<Item = NodeId> + 'a {
        std::iter::successors(first, move |node| {
            self.yielder.step()?;
            next(*node)
        })
    }

    fn node(&self, id: NodeId) -> &DomNode {
        self.nodes.get(id)
    }

    fn node_mut(&mut self, id: NodeId) -> &mut DomNode {
        self.nodes.get_mut(id)
    }

    /// What a node is.
    pub fn data(&self, id: NodeId) -> &NodeData {
        &self.node(id).data
    }

    /// What a node is, to be changed while parsing.
    pub(super) fn data_mut(&mut self, id: NodeId) -> &mut NodeData {
        &mut self.node_mut(id).data
    }

    /// Name and attributes of a node, if it is an element.
    pub fn tag(&self, id: NodeId) -> Option<&Tag> {
        match self.data(id) {
            NodeData::Element(tag) => Some(tag),
            _ => None,
        }
    }

    /// The name of an element; empty for other nodes.
    pub fn name(&self, id: NodeId) -> &str {
        self.tag(id).map_or("", |tag| &*tag.name)
    }

    /// True if a node is an element.
    pub fn is_element(&self, id: NodeId) -> bool {
        matches!(self.data(id), NodeData::Element(_))
    }

    /// An attribute of an element.
    pub fn attribute(&self, id: NodeId, name: &str) -> Option<&str> {
        self.tag(id)?.get(name)
    }

    /// The parent; the document itself has none.
    pub fn parent(&self, id: NodeId) -> Option<NodeId> {
        some(self.node(id).parent)
    }

    /// The first child.
    pub fn first_child(&self, id: NodeId) -> Option<NodeId> {
        some(self.node(id).first)
    }

    /// The last child.
    pub fn last_child(&self, id: NodeId) -> Option<NodeId> {
        some(self.node(id).last)
    }

    /// The sibling before.
    pub fn previous(&self, id: NodeId) -> Option<NodeId> {
        some(self.node(id).previous)
    }

    /// The sibling after.
    pub fn next(&self, id: NodeId) -> Option<NodeId> {
        some(self.node(id).next)
    }

    /// All children, in order.
    pub fn children(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        self.walk(self.first_child(id), |child| self.next(child))
    }

    /// The children that are elements.
    pub fn elements(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        self.children(id).filter(|child| self.is_element(*child))
    }

    /// The parent, its parent, and so on up to the document.
    pub fn ancestors(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        self.walk(self.parent(id), |node| self.parent(node))
    }

    /// The siblings after a node, nearest first.
    pub fn after(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        self.walk(self.next(id), |node| self.next(node))
    }

    /// The siblings before a node, nearest first.
    pub fn before(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        self.walk(self.previous(id), |node| self.previous(node))
    }

    /// Everything below a node, in the order of the text. Without recursion: no depth can overflow a stack.
    pub fn descendants(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        self.walk(self.first_child(id), move |node| {
            self.first_child(node).or_else(|| {
                let mut at = node;
                loop {
                    if at == id {
                        return None;
                    }
                    match self.next(at) {
                        Some(next) => return Some(next),
                        None => at = self.parent(at)?,
                    }
                }
            })
        })
    }

    /// True if `node` is below `container`.
    pub fn contains(&self, container: NodeId, node: NodeId) -> bool {
        self.ancestors(node).any(|ancestor| ancestor == container)
    }

    /// All text of a node and below it, end to end.
    pub fn text(&self, id: NodeId) -> String {
        let mut text = String::new();
        self.push_text(id, &mut text);
        text
    }

    /// Appends all text of a node and below it.
    pub fn push_text(&self, id: NodeId, out: &mut String) {
        if let NodeData::Text(text) = self.data(id) {
            out.push_str(text);
        }
        for node in self.descendants(id) {
            if let NodeData::Text(text) = self.data(node) {
                out.push_str(text);
            }
        }
    }

    /// The text directly inside an element.
    pub fn own_text(&self, id: NodeId) -> String {
        self.children(id).fold(String::new(), |mut own, child| {
            if let NodeData::Text(text) = self.data(child) {
                own.push_str(text);
            }
            own
        })
    }

    /// The first element below the document with this `id`.
    pub fn by_id(&self, id: &str) -> Option<NodeId> {
        self.descendants(ROOT).find(|node| self.attribute(*node, "id") == Some(id))
    }

    // Building ---------------------------------------------------------------------------------------------------

    /// A new node that hangs nowhere yet.
    pub(super) fn add(&mut self, data: NodeData) -> NodeId {
        let id = self.nodes.len() as NodeId;
        let (parent, previous, next, first, last) = (NONE, NONE, NONE, NONE, NONE);
        self.nodes.push(DomNode { parent, previous, next, first, last, depth: 0, data });
        id
    }

    /// How many nodes there are, loose ones included.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Notes how deep a child of `parent` is, and says so. What is below the child is not looked at.
    pub(super) fn sink(&mut self, parent: NodeId, child: NodeId) -> u32 {
        let depth = self.node(parent).depth + 1;
        self.node_mut(child).depth = depth;
        depth
    }

    /// Makes a loose node the last child of `parent`.
    pub(super) fn append(&mut self, parent: NodeId, child: NodeId) {
        let last = self.node(parent).last;
        let node = self.node_mut(child);
        (node.parent, node.previous, node.next) = (parent, last, NONE);
        match some(last) {
            Some(last) => self.node_mut(last).next = child,
            None => self.node_mut(parent).first = child,
        }
        self.node_mut(parent).last = child;
    }

    /// Puts a loose node before `sibling`.
    pub(super) fn insert_before(&mut self, sibling: NodeId, new: NodeId) {
        let DomNode { parent, previous, .. } = *self.node(sibling);
        let node = self.node_mut(new);
        (node.parent, node.previous, node.next) = (parent, previous, sibling);
        self.node_mut(sibling).previous = new;
        match (some(previous), some(parent)) {
            (Some(previous), _) => self.node_mut(previous).next = new,
            (None, Some(parent)) => self.node_mut(parent).first = new,
            (None, None) => {}
        }
    }

    /// Takes a node out of its place.
    pub(super) fn detach(&mut self, id: NodeId) {
        let DomNode { parent, previous, next, .. } = *self.node(id);
        match some(previous) {
            Some(previous) => self.node_mut(previous).next = next,
            None if parent != NONE => self.node_mut(parent).first = next,
            None => {}
        }
        match some(next) {
            Some(next) => self.node_mut(next).previous = previous,
            None if parent != NONE => self.node_mut(parent).last = previous,
            None => {}
        }
        let node = self.node_mut(id);
        (node.parent, node.previous, node.next) = (NONE, NONE, NONE);
    }
}

fn some(id: NodeId) -> Option<NodeId> {
    (id != NONE).then_some(id)
}
