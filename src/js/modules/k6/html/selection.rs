//! A selection: some nodes of one document, in an order, each once. Walking gives new selections; nothing changes one.

use std::rc::Rc;

use rustc_hash::FxHashSet;

use super::document::{Document, NodeId, ROOT};
use super::selector::{Match, Selector};

/// Some nodes.
pub struct Selection {
    /// What they are nodes of.
    pub document: Rc<Document>,
    /// The nodes.
    pub nodes: Vec<NodeId>,
    /// What it was made from, for `end()`.
    previous: Option<Rc<Selection>>,
}

/// Which nodes are meant: those a selector matches, or certain ones.
pub enum NodeFilter {
    /// By selector.
    Matching(Selector),
    /// Those in the list; nodes of another document are none.
    OneOf(Vec<NodeId>),
}

/// A direction from a node to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// The element around it.
    Parent,
    /// All elements around it, nearest first.
    Parents,
    /// The elements in it.
    Children,
    /// All nodes in it.
    Contents,
    /// The element after it.
    Next,
    /// All elements after it.
    NextAll,
    /// The element before it.
    Previous,
    /// All elements before it, nearest first.
    PreviousAll,
    /// All its siblings.
    Siblings,
}

impl Selection {
    /// The document itself.
    pub fn whole(document: Rc<Document>) -> Self {
        Self { document, nodes: vec![ROOT], previous: None }
    }

    /// One node.
    pub fn of(document: Rc<Document>, node: NodeId) -> Self {
        Self { document, nodes: vec![node], previous: None }
    }

    /// A selection made from this one.
    pub fn derive(self: &Rc<Self>, nodes: Vec<NodeId>) -> Self {
        Self { document: self.document.clone(), nodes, previous: Some(self.clone()) }
    }

    /// What this one was made from; nothing, if it was made from nothing.
    pub fn end(&self) -> Rc<Self> {
        self.previous
            .clone()
            .unwrap_or_else(|| Rc::new(Self { document: self.document.clone(), nodes: Vec::new(), previous: None }))
    }

    fn matcher(&self) -> Match<'_> {
        Match::new(&self.document)
    }

    /// The nodes below these.
    pub fn find(&self, wanted: &NodeFilter) -> Vec<NodeId> {
        let mut found = Ordered::default();
        match wanted {
            NodeFilter::Matching(selector) => {
                let matcher = self.matcher();
                for node in &self.nodes {
                    found.extend(matcher.below(selector, *node));
                }
            }
            NodeFilter::OneOf(nodes) => {
                let own: FxHashSet<NodeId> = self.nodes.iter().copied().collect();
                let is_below = |node: &NodeId| self.document.ancestors(*node).any(|ancestor| own.contains(&ancestor));
                found.extend(nodes.iter().copied().filter(is_below));
            }
        }
        found.nodes
    }

    /// The first node below these.
    pub fn find_one(&self, selector: &Selector) -> Option<NodeId> {
        let matcher = self.matcher();
        self.nodes.iter().find_map(|node| matcher.below(selector, *node).next())
    }

    /// Those of `nodes` that are wanted, or those that aren't.
    pub fn winnow(&self, nodes: &[NodeId], wanted: &NodeFilter, keep: bool) -> Vec<NodeId> {
        let is_wanted = self.test(wanted);
        nodes.iter().copied().filter(|node| is_wanted(*node) == keep).collect()
    }

    /// True if one of these is wanted.
    pub fn is(&self, wanted: &NodeFilter) -> bool {
        let is_wanted = self.test(wanted);
        self.nodes.iter().any(|node| is_wanted(*node))
    }

    fn test<'a>(&'a self, wanted: &'a NodeFilter) -> impl Fn(NodeId) -> bool + 'a {
        let matcher = self.matcher();
        let these: FxHashSet<NodeId> = match wanted {
            NodeFilter::Matching(_) => FxHashSet::default(),
            NodeFilter::OneOf(nodes) => nodes.iter().copied().collect(),
        };
        move |node| match wanted {
            NodeFilter::Matching(selector) => matcher.matches(selector, node),
            NodeFilter::OneOf(_) => these.contains(&node),
        }
    }

    /// Those that have a wanted node below them.
    pub fn has(&self, wanted: &NodeFilter) -> Vec<NodeId> {
        let around: FxHashSet<NodeId> = match wanted {
            NodeFilter::Matching(selector) => self.around(self.matcher().below(selector, ROOT)),
            NodeFilter::OneOf(nodes) => self.around(nodes.iter().copied()),
        };
        self.nodes.iter().copied().filter(|node| around.contains(node)).collect()
    }

    /// Everything that is around one of `nodes`.
    fn around(&self, nodes: impl Iterator<Item = NodeId>) -> FxHashSet<NodeId> {
        let mut around = FxHashSet::default();
        for node in nodes {
            for ancestor in self.document.ancestors(node) {
                if !around.insert(ancestor) {
                    break;
                }
            }
        }
        around
    }

    /// For each, itself or the nearest node around it that is wanted.
    pub fn closest(&self, wanted: &NodeFilter) -> Vec<NodeId> {
        let is_wanted = self.test(wanted);
        let mut found = Ordered::default();
        for node in &self.nodes {
            let mut line = std::iter::once(*node).chain(self.document.ancestors(*node));
            found.extend(line.find(|node| is_wanted(*node)));
        }
        found.nodes
    }

    /// These, and the wanted ones behind them.
    pub fn add(&self, wanted: &NodeFilter) -> Vec<NodeId> {
        let mut all = Ordered::default();
        all.extend(self.nodes.iter().copied());
        match wanted {
            NodeFilter::Matching(selector) => all.extend(self.matcher().below(selector, ROOT)),
            NodeFilter::OneOf(nodes) => all.extend(nodes.iter().copied()),
        }
        all.nodes
    }

    /// The nodes along the axis from these, up to a wanted node where one is given.
    pub fn walk(&self, axis: Axis, until: Option<&NodeFilter>) -> Vec<NodeId> {
        let document = &*self.document;
        let never = NodeFilter::OneOf(Vec::new());
        let is_end = self.test(until.unwrap_or(&never));
        let mut found = Ordered::default();
        for node in &self.nodes {
            let node = *node;
            let is_element = |node: &NodeId| document.is_element(*node);
            let goes_on = |node: &NodeId| !is_end(*node);
            match axis {
                Axis::Parent => found.extend(document.parent(node).filter(is_element)),
                Axis::Parents => found.extend(document.ancestors(node).take_while(goes_on).filter(is_element)),
                Axis::Children => found.extend(document.elements(node)),
                Axis::Contents => found.extend(document.children(node)),
                Axis::Next => found.extend(document.after(node).find(is_element)),
                Axis::NextAll => found.extend(document.after(node).filter(is_element).take_while(goes_on)),
                Axis::Previous => found.extend(document.before(node).find(is_element)),
                Axis::PreviousAll => found.extend(document.before(node).filter(is_element).take_while(goes_on)),
                Axis::Siblings => {
                    let parent = document.parent(node);
                    found.extend(
                        parent.into_iter().flat_map(|parent| document.elements(parent)).filter(|other| *other != node),
                    );
                }
            }
        }
        found.nodes
    }

    /// The place of the first node among its siblings, or of a wanted node among these, as `index()` counts; else -1.
    pub fn index(&self, wanted: Option<&NodeFilter>) -> f64 {
        let Some(first) = self.nodes.first() else { return -1.0 };
        let place = match wanted {
            None => return self.document.before(*first).filter(|node| self.document.is_element(*node)).count() as f64,
            Some(NodeFilter::Matching(selector)) => {
                self.matcher().below(selector, ROOT).position(|node| node == *first)
            }
            Some(NodeFilter::OneOf(nodes)) => {
                nodes.first().and_then(|wanted| self.nodes.iter().position(|node| node == wanted))
            }
        };
        place.map_or(-1.0, |place| place as f64)
    }

    /// All text of these, end to end.
    pub fn text(&self) -> String {
        self.nodes.iter().fold(String::new(), |mut text, node| {
            self.document.push_text(*node, &mut text);
            text
        })
    }

    /// The controls of forms among these; of other nodes those that are controls themselves.
    pub fn controls(&self) -> Vec<NodeId> {
        let is_control =
            |node: &NodeId| matches!(self.document.name(*node), "input" | "select" | "textarea" | "keygen");
        if !self.nodes.iter().any(|node| self.document.name(*node) == "form") {
            return self.nodes.iter().copied().filter(is_control).collect();
        }
        let mut controls = Ordered::default();
        for node in &self.nodes {
            controls.extend(self.document.descendants(*node).filter(is_control));
        }
        controls.nodes
    }
}

impl Drop for Selection {
    /// One after the other: a script that walks in a loop makes a chain no stack could follow.
    fn drop(&mut self) {
        let mut next = self.previous.take();
        while let Some(mut selection) = next.and_then(Rc::into_inner) {
            next = selection.previous.take();
        }
    }
}

/// Nodes in the order in which they were found first.
#[derive(Default)]
struct Ordered {
    nodes: Vec<NodeId>,
    known: FxHashSet<NodeId>,
}

impl Ordered {
    fn extend(&mut self, nodes: impl IntoIterator<Item = NodeId>) {
        for node in nodes {
            if self.known.insert(node) {
                self.nodes.push(node);
            }
        }
    }
}
