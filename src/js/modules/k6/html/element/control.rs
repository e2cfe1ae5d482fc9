//! Controls of forms, and what belongs to them: forms, labels, options.

use super::{Element, link, render};
use crate::js::modules::k6::html::document::NodeId;
use crate::js::modules::k6::html::form as values;
use crate::js::value::Value;

pub(super) fn nothing(_element: &Element) -> Value {
    Value::Undefined
}

/// All text inside.
pub(super) fn text(element: &Element) -> Value {
    element.document.text(element.node).into()
}

// The form -------------------------------------------------------------------------------------------------------

/// The form a control belongs to: the one it names, or the one around it.
fn owner(element: &Element) -> Option<Element> {
    let document = &element.document;
    let node = match element.attribute("form") {
        Some(id) => document.by_id(id).filter(|node| document.name(*node) == "form"),
        None => element.around("form"),
    };
    node.map(|node| Element::new(document, node))
}

pub(super) fn form(element: &Element) -> Value {
    element.maybe(owner(element).map(|form| form.node))
}

/// The form of what is around the element.
fn form_of(element: &Element, around: &str) -> Value {
    let around = element.around(around).map(|node| Element::new(&element.document, node));
    element.maybe(around.and_then(|around| owner(&around)).map(|form| form.node))
}

/// An option is its select's.
pub(super) fn form_of_option(element: &Element) -> Value {
    form_of(element, "select")
}

/// A legend is its fieldset's.
pub(super) fn form_of_legend(element: &Element) -> Value {
    form_of(element, "fieldset")
}

/// What a button says itself, or else its form.
fn own_or_form(element: &Element, own: &str, of_form: &str) -> String {
    match element.attribute(own) {
        Some(value) => value.to_owned(),
        None => owner(element).map(|form| form.text_of(of_form).to_owned()).unwrap_or_default(),
    }
}

pub(super) fn form_action(element: &Element) -> Value {
    if element.has("formaction") {
        return link::resolved(element, "formaction").into();
    }
    match owner(element).filter(|form| form.has("action")) {
        Some(form) => link::resolved(&form, "action").into(),
        None => (&*element.document.url).into(),
    }
}

pub(super) fn form_encoding(element: &Element) -> Value {
    match &*own_or_form(element, "formenctype", "enctype") {
        known @ ("multipart/form-data" | "text/plain") => known.into(),
        _ => "application/x-www-form-urlencoded".into(),
    }
}

pub(super) fn form_method(element: &Element) -> Value {
    match &*own_or_form(element, "formmethod", "method").to_ascii_lowercase() {
        "post" => "post".into(),
        _ => "get".into(),
    }
}

pub(super) fn form_no_validate(element: &Element) -> Value {
    (element.has("formnovalidate") || owner(element).is_some_and(|form| form.has("novalidate"))).into()
}

pub(super) fn form_target(element: &Element) -> Value {
    own_or_form(element, "formtarget", "target").into()
}

pub(super) fn method(element: &Element) -> Value {
    if element.attribute("method") == Some("post") { "post".into() } else { "get".into() }
}

fn controls(element: &Element) -> impl Iterator<Item = NodeId> {
    let is_control = |node: &NodeId| {
        matches!(
            element.document.name(*node),
            "button" | "fieldset" | "input" | "keygen" | "object" | "output" | "select" | "textarea"
        )
    };
    element.document.descendants(element.node).filter(is_control)
}

pub(super) fn elements(element: &Element) -> Value {
    element.list(controls(element))
}

pub(super) fn length(element: &Element) -> Value {
    Value::Number(controls(element).count() as f64)
}

// Labels ---------------------------------------------------------------------------------------------------------

pub(super) fn labels(element: &Element) -> Value {
    let document = &*element.document;
    let id = element.attribute("id").filter(|id| !id.is_empty());
    let labels = document.descendants(super::ROOT).filter(|node| {
        document.name(*node) == "label"
            && (document.contains(*node, element.node) || (id.is_some() && document.attribute(*node, "for") == id))
    });
    element.list(labels)
}

/// What a label is for: the control it names. As in k6, one inside of it is not looked for.
fn target(element: &Element) -> Option<Element> {
    let document = &element.document;
    let node = element.attribute("for").and_then(|id| document.by_id(id));
    node.map(|node| Element::new(document, node))
}

pub(super) fn labelled(element: &Element) -> Value {
    element.maybe(target(element).map(|control| control.node))
}

pub(super) fn form_of_labelled(element: &Element) -> Value {
    element.maybe(target(element).and_then(|control| owner(&control)).map(|form| form.node))
}

// Options --------------------------------------------------------------------------------------------------------

fn option_nodes(element: &Element) -> impl Iterator<Item = NodeId> {
    values::options(&element.document, element.node)
}

fn chosen(element: &Element) -> impl Iterator<Item = NodeId> {
    option_nodes(element).filter(|node| element.document.attribute(*node, "selected").is_some())
}

pub(super) fn options(element: &Element) -> Value {
    element.list(option_nodes(element))
}

pub(super) fn option_count(element: &Element) -> Value {
    Value::Number(option_nodes(element).count() as f64)
}

pub(super) fn selected_options(element: &Element) -> Value {
    element.list(chosen(element))
}

pub(super) fn selected_index(element: &Element) -> Value {
    let first = chosen(element).next();
    Value::Number(
        first.and_then(|first| option_nodes(element).position(|node| node == first)).map_or(-1.0, |at| at as f64),
    )
}

/// How many rows a list box shows, by default.
pub(super) fn select_size(element: &Element) -> Value {
    let default = if element.has("multiple") { 4 } else { 1 };
    let size = element.attribute("size").and_then(|size| size.parse::<i64>().ok()).unwrap_or(default);
    Value::Number(size as f64)
}

pub(super) fn select_type(element: &Element) -> Value {
    if element.has("multiple") { "select-multiple".into() } else { "select".into() }
}

pub(super) fn select_value(element: &Element) -> Value {
    chosen(element).next().map(|node| values::option(&element.document, node)).unwrap_or_default().into()
}

/// The value of a button: its attribute, or its text.
pub(super) fn button_value(element: &Element) -> Value {
    element.attribute("value").map_or_else(|| render::inner(&element.document, element.node).into(), Value::from)
}

pub(super) fn option_value(element: &Element) -> Value {
    values::option(&element.document, element.node).into()
}

pub(super) fn option_label(element: &Element) -> Value {
    element.attribute("label").map_or_else(|| text(element), Value::from)
}

/// An option is disabled by itself or with its group.
pub(super) fn option_disabled(element: &Element) -> Value {
    let document = &*element.document;
    let in_disabled_group = || {
        let parent = document.parent(element.node);
        parent.is_some_and(|parent| {
            document.name(parent) == "optgroup" && document.attribute(parent, "disabled").is_some()
        })
    };
    (element.has("disabled") || in_disabled_group()).into()
}

pub(super) fn option_index(element: &Element) -> Value {
    let list = element.around("select").or_else(|| element.around("datalist"));
    let mut options = list.into_iter().flat_map(|list| values::options(&element.document, list));
    Value::Number(options.position(|node| node == element.node).map_or(-1.0, |at| at as f64))
}

/// The `<datalist>` an input names.
pub(super) fn data_list(element: &Element) -> Value {
    let document = &*element.document;
    let named = element.attribute("list").and_then(|id| document.by_id(id));
    element.maybe(named.filter(|node| document.name(*node) == "datalist"))
}

// Others ---------------------------------------------------------------------------------------------------------

pub(super) fn style_type(element: &Element) -> Value {
    element.attribute("type").filter(|kind| !kind.is_empty()).unwrap_or("text/css").into()
}

pub(super) fn text_length(element: &Element) -> Value {
    Value::Number(element.text_of("value").len() as f64)
}

pub(super) fn text_tracks(element: &Element) -> Value {
    element.list(element.named("track"))
}

pub(super) fn areas(element: &Element) -> Value {
    element.list(element.named("area"))
}

/// The images that use this map, which they know by its id.
pub(super) fn images(element: &Element) -> Value {
    let document = &*element.document;
    let name = format!("#{}", element.text_of("id"));
    let uses = |node: &NodeId| document.name(*node) == "img" && document.attribute(*node, "usemap") == Some(&name);
    element.list(document.descendants(super::ROOT).filter(uses))
}

fn progress_of(element: &Element, attribute: &str) -> Option<f64> {
    element.attribute(attribute).and_then(|text| text.trim().parse::<f64>().ok()).filter(|number| number.is_finite())
}

fn most(element: &Element) -> f64 {
    progress_of(element, "max").filter(|max| *max > 0.0).unwrap_or(1.0)
}

/// The part that is done, between 0 and 1.
fn done(element: &Element) -> Option<f64> {
    progress_of(element, "value").map(|value| (value / most(element)).clamp(0.0, 1.0))
}

pub(super) fn progress_max(element: &Element) -> Value {
    Value::Number(most(element))
}

pub(super) fn progress_value(element: &Element) -> Value {
    Value::Number(done(element).unwrap_or(0.0))
}

/// As the value, but -1 where it is unknown.
pub(super) fn progress_position(element: &Element) -> Value {
    Value::Number(done(element).unwrap_or(-1.0))
}
