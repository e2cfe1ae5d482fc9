//! From text to a document, by html5ever.
//!
//! A hostile text costs no more than its length deserves: it is read in pieces, and reading ends where elements are
//! nested deeper than Go's parser allows, where a tag has more attributes than any page, or a document more nodes: what is
//! not closed (`<p><b><p><b>`) is opened again in every element that follows, so a text can ask for hundreds of nodes a letter.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::hash::{Hash as _, Hasher as _};
use std::rc::Rc;

use html5ever::tendril::{StrTendril, TendrilSink};
use html5ever::tokenizer::TokenizerOpts;
use html5ever::tree_builder::{ElemName, ElementFlags, NodeOrText, QuirksMode, Tracer, TreeSink};
use html5ever::{Attribute, LocalName, Namespace, ParseOpts, QualName};

use rustc_hash::FxHasher;

use super::document::{Doctype, Document, NodeData, NodeId, ROOT, Tag, Yielder};

/// As deep as Go's parser goes, and what it says then.
const MAX_DEPTH: u32 = 512;
const TOO_DEEP: &str = "html: open stack of elements exceeds 512 nodes";

/// More attributes than this are no page; comparing each with all others would take too long.
const MAX_ATTRIBUTES: usize = 10_000;
const TOO_MANY: &str = "html: a tag has more than 10000 attributes";

/// More nodes than this are no page. Each takes 48 bytes.
const MAX_NODES: usize = 5_000_000;
const TOO_LARGE: &str = "html: the document has more than 5000000 nodes";

/// How much is read before the limits are looked at. With what html5ever puts before it, a piece is 2 KB of memory.
const PIECE: usize = 2048 - 16;
/// How many bytes are searched for crowded tags before the VU yields.
const CHECK_EVERY: usize = 64 * 1024;

/// Parses a text, yielding to other VUs in between.
///
/// # Errors
/// When its elements are nested too deeply or have too many attributes, or the VU has to stop.
pub fn parse(text: &str, url: &str, yielder: Yielder) -> Result<Document, HtmlError> {
    parse_bounded(text, url, yielder, MAX_NODES)
}

/// As [`parse`], of at most so many nodes.
///
/// # Errors
/// As [`parse`].
pub fn parse_bounded(text: &str, url: &str, yielder: Yielder, max_nodes: usize) -> Result<Document, HtmlError> {
    match has_crowded_tag(text, &yielder) {
        None => return Err(HtmlError::Stopped),
        Some(true) => return Err(HtmlError::Refused(TOO_MANY)),
        Some(false) => {}
    }
    let yielder = Rc::new(yielder);
    let document = RefCell::new(Document::empty(url, yielder.clone()));
    let sink = DomBuilder {
        document,
        max_nodes,
        yielder: yielder.clone(),
        tags: RefCell::default(),
        error: Cell::new(None),
        named: RefCell::default(),
    };
    // A mark at the start is text to Go's parser: it opens the body.
    let tokenizer = TokenizerOpts { discard_bom: false, ..TokenizerOpts::default() };
    let options = ParseOpts { tokenizer, ..ParseOpts::default() };
    let mut parser = html5ever::parse_document(sink, options);
    let mut rest = text;
    while !rest.is_empty() {
        let (piece, more) = rest.split_at(rest.floor_char_boundary(PIECE.min(rest.len())));
        rest = more;
        parser.process(StrTendril::from(piece));
        let builder = &parser.tokenizer.sink;
        let held = HandleCount::default();
        builder.trace_handles(&held);
        // The stack is a part of what the parser holds; it can be deeper than the tree where a tag was misplaced.
        if held.0.get() > 4 * MAX_DEPTH {
            builder.sink.error.set(Some(TOO_DEEP));
        }
        if let Some(error) = builder.sink.error.get() {
            return Err(HtmlError::Refused(error));
        }
        if !yielder.may_continue() {
            return Err(HtmlError::Stopped);
        }
    }
    let sink = parser.finish();
    match sink.error.get() {
        Some(error) => Err(HtmlError::Refused(error)),
        None => Ok(sink.document.into_inner()),
    }
}

/// Why there is no document.
#[derive(Debug, PartialEq, Eq)]
pub enum HtmlError {
    /// What is wrong with the text.
    Refused(&'static str),
    /// The VU has to stop.
    Stopped,
}

/// True if a tag has more attributes than any page needs. A guess before parsing: quoted text isn't looked at.
/// `None` when the VU has to stop.
fn has_crowded_tag(text: &str, yielder: &Yielder) -> Option<bool> {
    let bytes = text.as_bytes();
    // Every attribute takes at least a blank and a letter.
    if bytes.len() < 2 * MAX_ATTRIBUTES {
        return Some(false);
    }
    let (mut at, mut asked) = (0, 0);
    while let Some(found) = memchr::memchr(b'<', &bytes[at..]) {
        at += found + 1;
        if !bytes.get(at).is_some_and(u8::is_ascii_alphabetic) {
            continue;
        }
        let (mut names, mut in_name) = (0, true);
        let mut end = at;
        while let Some(byte) = bytes.get(end) {
            if end - asked > CHECK_EVERY {
                asked = end;
                if !yielder.may_continue() {
                    return None;
                }
            }
            match byte {
                b'>' => break,
                b'"' | b'\'' => {
                    let Some(close) = memchr::memchr(*byte, &bytes[end + 1..]) else { break };
                    end += close + 1;
                    in_name = false;
                }
                b' ' | b'\t' | b'\n' | b'\r' | 0xC | b'/' => in_name = false,
                _ if in_name => {}
                _ => {
                    in_name = true;
                    names += 1;
                    if names > MAX_ATTRIBUTES {
                        return Some(true);
                    }
                }
            }
            end += 1;
        }
        // A tag that never ends is the last one.
        if end >= bytes.len() {
            return Some(false);
        }
        at = end;
    }
    Some(false)
}

/// Counts the nodes that the tree builder holds.
#[derive(Default)]
struct HandleCount(Cell<u32>);

impl Tracer for HandleCount {
    type Handle = NodeId;
    fn trace_handle(&self, _node: &NodeId) {
        self.0.set(self.0.get() + 1);
    }
}

/// Builds the document from what html5ever finds.
struct DomBuilder {
    document: RefCell<Document>,
    max_nodes: usize,
    yielder: Rc<Yielder>,
    tags: RefCell<TagCache>,
    error: Cell<Option<&'static str>>,
    /// The element that got attributes afterwards, and the names it has: `<html>` or `<body>`, again and again.
    named: RefCell<(NodeId, HashSet<QualName>)>,
}

impl DomBuilder {
    fn add(&self, data: NodeData) -> NodeId {
        let mut document = self.document.borrow_mut();
        if document.len() >= self.max_nodes {
            // What is left of the piece still makes its nodes: the parser needs them.
            self.error.set(Some(TOO_LARGE));
        }
        document.add(data)
    }

    /// The tree builder moves nodes, but rarely and not far: what is below a node is not looked at.
    fn hang(&self, parent: NodeId, child: NodeId) {
        let mut document = self.document.borrow_mut();
        if document.sink(parent, child) > MAX_DEPTH && document.is_element(child) {
            self.error.set(Some(TOO_DEEP));
        }
    }
}

/// The last tags, by their hashes: the elements of a page are much alike.
struct TagCache(Vec<Option<Rc<Tag>>>);

impl Default for TagCache {
    fn default() -> Self {
        Self(vec![None; Self::SIZE])
    }
}

impl TagCache {
    const SIZE: usize = 64;
    /// Tags with more attributes than this are rarely alike.
    const MAX_ATTRIBUTES: usize = 4;

    fn shared(&mut self, tag: Tag) -> Rc<Tag> {
        if tag.attributes.len() > Self::MAX_ATTRIBUTES {
            return Rc::new(tag);
        }
        let mut hasher = FxHasher::default();
        tag.name.hash(&mut hasher);
        for attribute in &tag.attributes {
            attribute.name.local.hash(&mut hasher);
            let value = attribute.value.as_bytes();
            value[..value.len().min(32)].hash(&mut hasher);
        }
        let slot = &mut self.0[(hasher.finish() >> 32) as usize % Self::SIZE];
        match slot {
            Some(known) if **known == tag => known.clone(),
            _ => slot.insert(Rc::new(tag)).clone(),
        }
    }
}

/// Appends to a text node; false if it is something else.
fn push_text(document: &mut Document, node: Option<NodeId>, text: &StrTendril) -> bool {
    let Some(node) = node else { return false };
    let NodeData::Text(own) = document.data_mut(node) else { return false };
    own.push_tendril(text);
    true
}

/// The name of an element, by value: the document may change while the parser looks at it.
#[derive(Debug)]
struct Name(Namespace, LocalName);

impl ElemName for Name {
    fn ns(&self) -> &Namespace {
        &self.0
    }
    fn local_name(&self) -> &LocalName {
        &self.1
    }
}

impl TreeSink for DomBuilder {
    type Handle = NodeId;
    type Output = Self;
    type ElemName<'a> = Name;

    fn finish(self) -> Self {
        self
    }

    fn parse_error(&self, _message: Cow<'static, str>) {}

    fn get_document(&self) -> NodeId {
        ROOT
    }

    fn elem_name(&self, target: &NodeId) -> Name {
        // Where many elements are open, the parser goes through them for each tag.
        self.yielder.step();
        let document = self.document.borrow();
        document.tag(*target).map_or_else(
            || Name(Namespace::default(), LocalName::default()),
            |tag| Name(tag.namespace.clone(), tag.name.clone()),
        )
    }

    fn create_element(&self, name: QualName, attributes: Vec<Attribute>, _flags: ElementFlags) -> NodeId {
        self.yielder.step();
        let tag = Tag { namespace: name.ns, name: name.local, attributes };
        let tag = self.tags.borrow_mut().shared(tag);
        self.add(NodeData::Element(tag))
    }

    fn create_comment(&self, text: StrTendril) -> NodeId {
        self.add(NodeData::Comment(text))
    }

    fn create_pi(&self, _target: StrTendril, data: StrTendril) -> NodeId {
        // HTML has none; the parser makes comments of them.
        self.add(NodeData::Comment(data))
    }

    fn append(&self, parent: &NodeId, child: NodeOrText<NodeId>) {
        let child = match child {
            NodeOrText::AppendNode(node) => node,
            NodeOrText::AppendText(text) => {
                let last = self.document.borrow().last_child(*parent);
                if push_text(&mut self.document.borrow_mut(), last, &text) {
                    return;
                }
                self.add(NodeData::Text(text))
            }
        };
        self.document.borrow_mut().append(*parent, child);
        self.hang(*parent, child);
    }

    fn append_before_sibling(&self, sibling: &NodeId, new: NodeOrText<NodeId>) {
        let new = match new {
            NodeOrText::AppendNode(node) => {
                self.document.borrow_mut().detach(node);
                node
            }
            NodeOrText::AppendText(text) => {
                let before = self.document.borrow().previous(*sibling);
                if push_text(&mut self.document.borrow_mut(), before, &text) {
                    return;
                }
                self.add(NodeData::Text(text))
            }
        };
        self.document.borrow_mut().insert_before(*sibling, new);
        let parent = self.document.borrow().parent(*sibling);
        if let Some(parent) = parent {
            self.hang(parent, new);
        }
    }

    fn append_based_on_parent_node(&self, element: &NodeId, previous: &NodeId, child: NodeOrText<NodeId>) {
        let has_parent = self.document.borrow().parent(*element).is_some();
        if has_parent {
            self.append_before_sibling(element, child);
        } else {
            self.append(previous, child);
        }
    }

    fn append_doctype_to_document(&self, name: StrTendril, public: StrTendril, system: StrTendril) {
        let doctype = self.add(NodeData::Doctype(Box::new(Doctype { name, public, system })));
        self.document.borrow_mut().append(ROOT, doctype);
    }

    fn get_template_contents(&self, target: &NodeId) -> NodeId {
        *target
    }

    fn same_node(&self, x: &NodeId, y: &NodeId) -> bool {
        x == y
    }

    fn set_quirks_mode(&self, _mode: QuirksMode) {}

    fn add_attrs_if_missing(&self, target: &NodeId, attributes: Vec<Attribute>) {
        if let NodeData::Element(tag) = self.document.borrow_mut().data_mut(*target) {
            let tag = Rc::make_mut(tag);
            let (of, names) = &mut *self.named.borrow_mut();
            if *of != *target || names.is_empty() {
                *of = *target;
                *names = tag.attributes.iter().map(|known| known.name.clone()).collect();
            }
            for attribute in attributes {
                if names.insert(attribute.name.clone()) {
                    tag.attributes.push(attribute);
                }
            }
            if tag.attributes.len() > MAX_ATTRIBUTES {
                self.error.set(Some(TOO_MANY));
            }
        }
    }

    fn remove_from_parent(&self, target: &NodeId) {
        self.document.borrow_mut().detach(*target);
    }

    fn reparent_children(&self, node: &NodeId, new_parent: &NodeId) {
        let children: Vec<NodeId> = self.document.borrow().children(*node).collect();
        for child in children {
            self.document.borrow_mut().detach(child);
            self.document.borrow_mut().append(*new_parent, child);
            self.hang(*new_parent, child);
        }
    }
}
