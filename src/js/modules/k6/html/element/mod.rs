//! One node as a script sees it: what all nodes answer, and what only elements of a certain name do ([`members`]).
//!
//! Everything is a method, and what is not there is `undefined`.

use std::rc::Rc;

use super::document::{Data, Document, NodeId, ROOT};
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

/// The methods of every node, in the words of [`call`].
pub const COMMON: &[&str] = &[
    "attributes",
    "childElementCount",
    "childNodes",
    "children",
    "classList",
    "className",
    "contains",
    "firstChild",
    "firstElementChild",
    "getAttribute",
    "getAttributeNode",
    "getElementsByClassName",
    "getElementsByTagName",
    "hasAttribute",
    "hasAttributes",
    "hasChildNodes",
    "id",
    "innerHTML",
    "isDefaultNamespace",
    "isEqualNode",
    "isSameNode",
    "lang",
    "lastChild",
    "lastElementChild",
    "matches",
    "namespaceURI",
    "nextElementSibling",
    "nextSibling",
    "nodeName",
    "nodeType",
    "nodeValue",
    "ownerDocument",
    "parentElement",
    "parentNode",
    "previousElementSibling",
    "previousSibling",
    "querySelector",
    "querySelectorAll",
    "selection",
    "textContent",
    "toString",
];

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
            Data::Document => "#document",
            Data::Doctype { name, .. } => name,
            Data::Text(_) => "#text",
            Data::Comment(_) => "#comment",
            Data::Element(tag) => &tag.name,
        }
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
                        (Data::Document, Data::Document) => true,
                        (Data::Text(a), Data::Text(b)) | (Data::Comment(a), Data::Comment(b)) => a == b,
                        (Data::Doctype { name: a, .. }, Data::Doctype { name: b, .. }) => a == b,
                        (Data::Element(a), Data::Element(b)) => {
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

/// Calls a method; the element is the first of `args`.
///
/// # Errors
/// When there is no such method.
pub fn call(element: &Element, name: &str, mut args: Args) -> Result<Value, Throw> {
    if let Some(value) = members::call(element, name) {
        return Ok(value);
    }
    let document = &*element.document;
    let node = element.node;
    let is_element = |node: &NodeId| document.is_element(*node);
    Ok(match name {
        "attributes" => Value::Map(element.attributes()),
        "childElementCount" => Value::Number(document.elements(node).count() as f64),
        "childNodes" => element.list(document.children(node)),
        "children" => element.list(document.elements(node)),
        "classList" => Value::List(element.text_of("class").split_whitespace().map(Value::from).collect()),
        "className" => element.attribute("class").map_or(Value::Undefined, Value::from),
        "contains" => match args.resource::<Element>(2) {
            Ok(other) => (Rc::ptr_eq(&other.document, &element.document) && document.contains(node, other.node)).into(),
            Err(_) => false.into(),
        },
        "firstChild" => element.maybe(document.first_child(node)),
        "firstElementChild" => element.maybe(document.elements(node).next()),
        "getAttribute" => element.attribute(&super::text(args.take(2))).map_or(Value::Undefined, Value::from),
        "getAttributeNode" => {
            let wanted = super::text(args.take(2));
            let found = element.attributes().into_iter().find(|(name, _)| *name == wanted);
            found.map_or(Value::Undefined, |(_, attribute)| attribute)
        }
        "getElementsByClassName" => element.list(element.select(&format!(".{}", super::text(args.take(2))))),
        "getElementsByTagName" | "querySelectorAll" => element.list(element.select(&super::text(args.take(2)))),
        "querySelector" => element.maybe(element.select(&super::text(args.take(2))).first().copied()),
        "hasAttribute" => element.has(&super::text(args.take(2))).into(),
        "hasAttributes" => document.tag(node).is_some_and(|tag| !tag.attributes.is_empty()).into(),
        "hasChildNodes" => document.first_child(node).is_some().into(),
        "id" => element.text_of("id").into(),
        "innerHTML" => render::inner(document, node).into(),
        "isDefaultNamespace" => document.tag(node).is_none_or(super::document::Tag::is_html).into(),
        "isEqualNode" => args.resource::<Element>(2).is_ok_and(|other| element.equals(&other)).into(),
        "isSameNode" => {
            let same = |other: Rc<Element>| Rc::ptr_eq(&other.document, &element.document) && other.node == node;
            args.resource::<Element>(2).is_ok_and(same).into()
        }
        "lang" => element.attribute("lang").map_or(Value::Undefined, Value::from),
        "lastChild" => element.maybe(document.last_child(node)),
        "lastElementChild" => element.maybe(document.elements(node).last()),
        "matches" => Match::new(document).matches(&Selector::parse(&super::text(args.take(2))), node).into(),
        "namespaceURI" => match document.tag(node) {
            Some(tag) => (&*tag.namespace).into(),
            None => NAMESPACE.into(),
        },
        "nextElementSibling" => element.maybe(document.after(node).find(is_element)),
        "nextSibling" => element.maybe(document.next(node)),
        "nodeName" => element.name().into(),
        "nodeType" => Value::Number(match document.data(node) {
            Data::Element(_) => 1.0,
            Data::Text(_) => 3.0,
            Data::Comment(_) => 8.0,
            Data::Document => 9.0,
            Data::Doctype { .. } => 10.0,
        }),
        "nodeValue" => match document.data(node) {
            Data::Text(text) | Data::Comment(text) => (&**text).into(),
            _ => Value::Undefined,
        },
        "ownerDocument" => element.other(ROOT),
        "parentElement" => element.maybe(document.parent(node).filter(is_element)),
        "parentNode" => element.maybe(document.parent(node)),
        "previousElementSibling" => element.maybe(document.before(node).find(is_element)),
        "previousSibling" => element.maybe(document.previous(node)),
        "selection" => Value::Resource(Rc::new(Selection::of(element.document.clone(), node))),
        "textContent" => document.text(node).into(),
        "toString" if is_element(&node) => "[object html.Node]".into(),
        "toString" => format!("[object {}]", element.name()).into(),
        other => return Err(Throw::type_error(format!("elements have no method `{other}`"))),
    })
}
