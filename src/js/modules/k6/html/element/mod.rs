//! One node as a script sees it: what all nodes answer, and what only elements of a certain name do ([`members`]).
//!
//! Everything is a method, and what is not there is `undefined`.

use std::rc::Rc;

use super::document::{Document, NodeData, NodeId, ROOT, Tag};
use super::render;
use super::selection::Selection;
use super::selector::{Match, Selector};
use crate::js::value::{Args, Throw, Value};

mod control;
mod link;
mod members;
mod table;

pub use members::names;

/// One node of a document.
#[derive(Clone)]
pub struct Element {
    /// What it is a node of.
    pub document: Rc<Document>,
    /// Its place there.
    pub node: NodeId,
}

/// The namespaces of elements that are not HTML are named, too.
const NAMESPACE: &str = "http://www.w3.org/1999/xhtml";

impl Element {
    /// A node.
    pub fn new(document: &Rc<Document>, node: NodeId) -> Self {
        Self { document: document.clone(), node }
    }

    /// Another node of the same document.
    fn other(&self, node: NodeId) -> Value {
        Value::Resource(Rc::new(Self::new(&self.document, node)))
    }

    fn maybe(&self, node: Option<NodeId>) -> Value {
        node.map_or(Value::Undefined, |node| self.other(node))
    }

    fn list(&self, nodes: impl IntoIterator<Item = NodeId>) -> Value {
        Value::List(nodes.into_iter().map(|node| self.other(node)).collect())
    }

    fn attribute(&self, name: &str) -> Option<&str> {
        self.document.attribute(self.node, name)
    }

    /// An attribute, empty where it is missing.
    fn text_of(&self, name: &str) -> &str {
        self.attribute(name).unwrap_or_default()
    }

    fn has(&self, name: &str) -> bool {
        self.attribute(name).is_some()
    }

    /// What is below it and matches a selector.
    fn select(&self, selector: &str) -> Vec<NodeId> {
        Match::new(&self.document).below(&Selector::parse(selector), self.node).collect()
    }

    /// What is below it and has this name.
    fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = NodeId> + 'a {
        self.document.descendants(self.node).filter(move |node| self.document.name(*node) == name)
    }

    /// The nearest element around it with this name.
    fn around(&self, name: &str) -> Option<NodeId> {
        self.document.ancestors(self.node).find(|node| self.document.name(*node) == name)
    }

    /// The word by which its prototype is known: the name of an element, the kind of another node.
    pub fn name(&self) -> &str {
        match self.document.data(self.node) {
            NodeData::Document => "#document",
            NodeData::Doctype(doctype) => &doctype.name,
            NodeData::Text(_) => "#text",
            NodeData::Comment(_) => "#comment",
            NodeData::Element(tag) => &tag.name,
        }
    }

    /// The number that the DOM gives its kind.
    fn node_type(&self) -> u8 {
        match self.document.data(self.node) {
            NodeData::Element(_) => 1,
            NodeData::Text(_) => 3,
            NodeData::Comment(_) => 8,
            NodeData::Document => 9,
            NodeData::Doctype(_) => 10,
        }
    }

    fn has_document_of(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.document, &other.document)
    }

    fn elements_among(&self, nodes: impl IntoIterator<Item = NodeId>) -> impl Iterator<Item = NodeId> {
        nodes.into_iter().filter(|node| self.document.is_element(*node))
    }

    /// The attributes by name.
    fn attributes(&self) -> Vec<(String, Value)> {
        let attributes = self.document.tag(self.node).map_or(&[][..], |tag| &tag.attributes);
        let named = |attribute: &html5ever::Attribute| {
            let name = attribute.name.local.to_string();
            let fields =
                vec![("name".to_owned(), name.clone().into()), ("value".to_owned(), (&*attribute.value).into())];
            (name, Value::Map(fields))
        };
        attributes.iter().map(named).collect()
    }

    /// True if both are the same, with everything in them.
    fn equals(&self, other: &Self) -> bool {
        // The depth tells trees with the same nodes apart.
        let shape = |element: &Self| {
            let document = &*element.document;
            let nodes = std::iter::once(element.node).chain(document.descendants(element.node));
            let own = document.ancestors(element.node).count();
            nodes.map(|node| (document.ancestors(node).count() - own, node)).collect::<Vec<_>>()
        };
        let (a, b) = (shape(self), shape(other));
        a.len() == b.len()
            && a.iter().zip(&b).all(|((depth_a, a), (depth_b, b))| {
                depth_a == depth_b
                    && match (self.document.data(*a), other.document.data(*b)) {
                        (NodeData::Document, NodeData::Document) => true,
                        (NodeData::Text(a), NodeData::Text(b)) | (NodeData::Comment(a), NodeData::Comment(b)) => a == b,
                        (NodeData::Doctype(a), NodeData::Doctype(b)) => a.name == b.name,
                        (NodeData::Element(a), NodeData::Element(b)) => {
                            a.name == b.name
                                && a.namespace == b.namespace
                                && a.attributes.len() == b.attributes.len()
                                && a.attributes.iter().all(|attribute| b.attributes.contains(attribute))
                        }
                        _ => false,
                    }
            })
    }
}

/// A method of all nodes. The arguments of a script begin at 2, behind the node and the name.
type NodeMethod = fn(&Element, Args) -> Value;

/// The methods of every node.
const COMMON: &[(&str, NodeMethod)] = &[
    ("attributes", |this, _| Value::Map(this.attributes())),
    ("childElementCount", |this, _| Value::Number(this.document.elements(this.node).count() as f64)),
    ("childNodes", |this, _| this.list(this.document.children(this.node))),
    ("children", |this, _| this.list(this.document.elements(this.node))),
    ("classList", |this, _| Value::List(this.text_of("class").split_whitespace().map(Value::from).collect())),
    ("className", |this, _| optional(this.attribute("class"))),
    ("contains", |this, args| {
        let is_inside =
            |other: Rc<Element>| this.has_document_of(&other) && this.document.contains(this.node, other.node);
        args.resource::<Element>(2).is_ok_and(is_inside).into()
    }),
    ("firstChild", |this, _| this.maybe(this.document.first_child(this.node))),
    ("firstElementChild", |this, _| this.maybe(this.document.elements(this.node).next())),
    ("getAttribute", |this, args| optional(this.attribute(&text(args)))),
    ("getAttributeNode", |this, args| {
        let wanted = text(args);
        let found = this.attributes().into_iter().find(|(name, _)| *name == wanted);
        found.map_or(Value::Undefined, |(_, attribute)| attribute)
    }),
    ("getElementsByClassName", |this, args| this.list(this.select(&format!(".{}", text(args))))),
    ("getElementsByTagName", |this, args| this.list(this.select(&text(args)))),
    ("hasAttribute", |this, args| this.has(&text(args)).into()),
    ("hasAttributes", |this, _| this.document.tag(this.node).is_some_and(|tag| !tag.attributes.is_empty()).into()),
    ("hasChildNodes", |this, _| this.document.first_child(this.node).is_some().into()),
    ("id", |this, _| this.text_of("id").into()),
    ("innerHTML", |this, _| render::inner(&this.document, this.node).into()),
    ("isDefaultNamespace", |this, _| this.document.tag(this.node).is_none_or(Tag::is_html).into()),
    ("isEqualNode", |this, args| args.resource::<Element>(2).is_ok_and(|other| this.equals(&other)).into()),
    ("isSameNode", |this, args| {
        let is_same = |other: Rc<Element>| this.has_document_of(&other) && other.node == this.node;
        args.resource::<Element>(2).is_ok_and(is_same).into()
    }),
    ("lang", |this, _| optional(this.attribute("lang"))),
    ("lastChild", |this, _| this.maybe(this.document.last_child(this.node))),
    ("lastElementChild", |this, _| this.maybe(this.document.elements(this.node).last())),
    ("matches", |this, args| Match::new(&this.document).matches(&Selector::parse(&text(args)), this.node).into()),
    ("namespaceURI", |this, _| this.document.tag(this.node).map_or(NAMESPACE, |tag| &*tag.namespace).into()),
    ("nextElementSibling", |this, _| this.maybe(this.elements_among(this.document.after(this.node)).next())),
    ("nextSibling", |this, _| this.maybe(this.document.next(this.node))),
    ("nodeName", |this, _| this.name().into()),
    ("nodeType", |this, _| Value::Number(f64::from(this.node_type()))),
    ("nodeValue", |this, _| match this.document.data(this.node) {
        NodeData::Text(text) | NodeData::Comment(text) => (&**text).into(),
        _ => Value::Undefined,
    }),
    ("ownerDocument", |this, _| this.other(ROOT)),
    ("parentElement", |this, _| this.maybe(this.elements_among(this.document.parent(this.node)).next())),
    ("parentNode", |this, _| this.maybe(this.document.parent(this.node))),
    ("previousElementSibling", |this, _| this.maybe(this.elements_among(this.document.before(this.node)).next())),
    ("previousSibling", |this, _| this.maybe(this.document.previous(this.node))),
    ("querySelector", |this, args| this.maybe(this.select(&text(args)).first().copied())),
    ("querySelectorAll", |this, args| this.list(this.select(&text(args)))),
    ("selection", |this, _| Value::Resource(Rc::new(Selection::of(this.document.clone(), this.node)))),
    ("textContent", |this, _| this.document.text(this.node).into()),
    ("toString", |this, _| match this.document.is_element(this.node) {
        true => "[object html.Node]".into(),
        false => format!("[object {}]", this.name()).into(),
    }),
];

/// The names of the methods of every node.
pub fn common_names() -> impl Iterator<Item = &'static str> {
    COMMON.iter().map(|(name, _)| *name)
}

/// Calls a method; the element is the first of `args`.
///
/// # Errors
/// When there is no such method.
pub fn call(element: &Element, name: &str, args: Args) -> Result<Value, Throw> {
    if let Some(value) = members::call(element, name) {
        return Ok(value);
    }
    match COMMON.iter().find(|(known, _)| *known == name) {
        Some((_, method)) => Ok(method(element, args)),
        None => Err(Throw::type_error(format!("elements have no method `{name}`"))),
    }
}

fn optional(text: Option<&str>) -> Value {
    text.map_or(Value::Undefined, Value::from)
}

/// The first argument as a text.
fn text(mut args: Args) -> String {
    super::methods::text(args.take(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_method_is_there_once() {
        let names: Vec<_> = common_names().collect();
        assert!(names.is_sorted_by(|one, other| one < other), "{names:?}");
    }
}
