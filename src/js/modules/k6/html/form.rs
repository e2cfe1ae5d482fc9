//! What a form would send: the values of its controls, by k6's rules, which are stricter than a browser's.

use super::document::{Document, NodeId};
use super::render;
use super::selection::Selection;
use crate::js::value::Value;

/// The value of a control.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlValue {
    /// Of most.
    One(String),
    /// Of a `<select multiple>`.
    Many(Vec<String>),
}

impl From<ControlValue> for Value {
    fn from(control: ControlValue) -> Self {
        match control {
            ControlValue::One(text) => text.into(),
            ControlValue::Many(list) => Self::List(list.into_iter().map(Value::from).collect()),
        }
    }
}

/// The value of a control as `val()` shows it; `None` for what is no control.
pub fn value(document: &Document, node: NodeId) -> Option<ControlValue> {
    let attribute = document.attribute(node, "value");
    let one = match document.name(node) {
        "input" => match (attribute, document.attribute(node, "type")) {
            (Some(value), _) => value,
            (None, Some("radio" | "checkbox")) => "on",
            (None, _) => "",
        }
        .to_owned(),
        "button" => attribute.unwrap_or_default().to_owned(),
        "textarea" => render::inner(document, node),
        "option" => option(document, node),
        "select" => {
            let mut selected =
                options(document, node).filter(|option| document.attribute(*option, "selected").is_some());
            if document.attribute(node, "multiple").is_some() {
                return Some(ControlValue::Many(selected.map(|node| option(document, node)).collect()));
            }
            selected.next().map(|node| option(document, node)).unwrap_or_default()
        }
        _ => return None,
    };
    Some(ControlValue::One(one))
}

/// The options of a `<select>`, those of groups too.
pub fn options(document: &Document, select: NodeId) -> impl Iterator<Item = NodeId> {
    document.descendants(select).filter(|node| document.name(*node) == "option")
}

/// The value of an `<option>`.
pub fn option(document: &Document, node: NodeId) -> String {
    document.attribute(node, "value").map_or_else(|| render::inner(document, node), str::to_owned)
}

/// Names and values of the controls that count, in the order of the document.
pub fn entries(selection: &Selection) -> Vec<(String, ControlValue)> {
    let document = &*selection.document;
    let counts = |node: NodeId| {
        let is = |name: &str, value: &str| document.attribute(node, name) == Some(value);
        let kind = document.attribute(node, "type").unwrap_or_default();
        !is("disabled", "disabled")
            && match kind {
                "submit" | "button" | "reset" | "image" | "file" => false,
                "checkbox" | "radio" => is("checked", "checked"),
                _ => true,
            }
    };
    let controls = selection.controls().into_iter();
    controls
        .filter_map(|node| {
            let name = document.attribute(node, "name").filter(|name| !name.is_empty())?;
            counts(node).then(|| (name.to_owned(), value(document, node).unwrap_or(ControlValue::One(String::new()))))
        })
        .collect()
}

/// As [`entries`], but each name once, with its last value.
pub fn object(selection: &Selection) -> Vec<(String, ControlValue)> {
    let mut object: Vec<(String, ControlValue)> = Vec::new();
    let mut places = rustc_hash::FxHashMap::default();
    for (name, value) in entries(selection) {
        let at = *places.entry(name.clone()).or_insert(object.len());
        match object.get_mut(at) {
            Some((_, known)) => *known = value,
            None => object.push((name, value)),
        }
    }
    object
}
