//! `k6/html`: HTML parsed once, and looked at through selections and elements.
//!
//! JavaScript holds two kinds of native things, [`Selection`] and [`Element`], and calls their methods by name through
//! one function: what a VU holds of this module is small, however many methods there are.

use std::rc::Rc;

use super::Op;
use crate::js::engine;
use crate::js::runtime::VuContext;
use crate::js::value::{Args, Throw, Value};

mod data_attributes;
mod document;
mod element;
mod form;
#[cfg(any(test, fuzzing))]
pub mod fuzz_tests;
mod methods;
mod parse;
mod render;
mod selection;
mod selector;
#[cfg(test)]
mod tests;

pub use document::Document;
use document::Yielder;
use element::Element;
use selection::Selection;

/// The native half.
pub const OPS: &[(&str, Op)] = &[("parse", parse_text), ("callNode", call)];

/// Parses a text that came from `url`.
///
/// # Errors
/// A `GoError` for a text no parser should follow; [`Throw::Stop`] when the VU has to stop.
pub fn document(vu: &VuContext, text: &str, url: &str) -> Result<Rc<Document>, Throw> {
    // The document's own text, and some nodes.
    engine::note_external_bytes(2 * text.len());
    parse::parse(text, url, Yielder::of(vu)).map(Rc::new).map_err(|error| match error {
        parse::HtmlError::Refused(text) => Throw::go(text),
        parse::HtmlError::Stopped => Throw::Stop,
    })
}

/// A selection of the whole document, for JavaScript.
pub fn whole(document: Rc<Document>) -> Value {
    Value::Resource(Rc::new(Selection::whole(document)))
}

/// `(text)` -> a selection of the document it makes.
fn parse_text(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    document(vu, &args.string(0), "").map(whole)
}

/// `(selection or element, method, ...)` -> what the method returns.
///
/// Four more names are for js-stdlib: `volley.kind` says whether the thing is an element with methods of its own (its name),
/// another one (an empty text) or a selection (undefined); `volley.members` lists the methods of a kind; `volley.url` is
/// where a selection's document is from; `volley.keep` takes the indices of some nodes, and whether those stay or go.
pub fn call(_vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let method = args.string(1);
    if method == "volley.members" {
        return Ok(Value::List(match args.take(2) {
            Value::Undefined => methods::names().map(Value::from).collect(),
            Value::String(name) if name.is_empty() => element::common_names().map(Value::from).collect(),
            Value::String(name) => element::names(&name).map(Value::from).collect(),
            _ => Vec::new(),
        }));
    }
    if let Ok(element) = args.resource::<Element>(0) {
        if method == "volley.kind" {
            let name = element.document.name(element.node);
            return Ok(if element::names(name).next().is_some() { name.into() } else { "".into() });
        }
        return unless_abandoned(&element.document, element::call(&element, &method, args));
    }
    let selection = args.resource::<Selection>(0)?;
    match &*method {
        "volley.kind" => Ok(Value::Undefined),
        "volley.url" => Ok((&*selection.document.url).into()),
        _ => unless_abandoned(&selection.document, methods::call(&selection, &method, args)),
    }
}

/// The result, unless the walk that led to it ended early.
fn unless_abandoned(document: &Document, result: Result<Value, Throw>) -> Result<Value, Throw> {
    if document.is_abandoned() { Err(Throw::Stop) } else { result }
}
