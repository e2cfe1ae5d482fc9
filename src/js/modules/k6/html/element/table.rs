//! Rows and cells of tables.

use super::Element;
use crate::js::modules::k6::html::document::NodeId;
use crate::js::value::Value;

fn first(element: &Element, name: &str) -> Value {
    element.maybe(element.document.elements(element.node).find(|node| element.document.name(*node) == name))
}

pub(super) fn caption(element: &Element) -> Value {
    first(element, "caption")
}

pub(super) fn head(element: &Element) -> Value {
    first(element, "thead")
}

pub(super) fn foot(element: &Element) -> Value {
    first(element, "tfoot")
}

pub(super) fn bodies(element: &Element) -> Value {
    element.list(element.named("tbody"))
}

pub(super) fn rows(element: &Element) -> Value {
    element.list(element.named("tr"))
}

fn is_cell(element: &Element, node: NodeId) -> bool {
    matches!(element.document.name(node), "td" | "th")
}

pub(super) fn cells(element: &Element) -> Value {
    element.list(element.document.elements(element.node).filter(|node| is_cell(element, *node)))
}

/// The place of the element in a list, -1 if it is not there.
fn place(element: &Element, mut list: impl Iterator<Item = NodeId>) -> Value {
    Value::Number(list.position(|node| node == element.node).map_or(-1.0, |place| place as f64))
}

pub(super) fn cell_index(element: &Element) -> Value {
    let siblings = element.document.parent(element.node).into_iter().flat_map(|row| element.document.elements(row));
    place(element, siblings.filter(|node| is_cell(element, *node)))
}

pub(super) fn row_index(element: &Element) -> Value {
    let document = &*element.document;
    let table = element.around("table");
    let rows = table.into_iter().flat_map(|table| document.descendants(table));
    place(element, rows.filter(|node| document.name(*node) == "tr"))
}

pub(super) fn section_row_index(element: &Element) -> Value {
    let document = &*element.document;
    let section = document.parent(element.node);
    let rows = section.into_iter().flat_map(|section| document.elements(section));
    place(element, rows.filter(|node| document.name(*node) == "tr"))
}
