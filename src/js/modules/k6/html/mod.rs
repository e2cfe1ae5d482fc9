//! `k6/html`: HTML parsed once, and looked at through selections and elements.
//!
//! JavaScript holds two kinds of native things, [`Selection`] and [`Element`], and calls their methods by name through
//! one function: what a VU holds of this module is small, however many methods there are.

use std::rc::Rc;

use super::Op;
use crate::js::runtime::VuContext;
use crate::js::value::{Args, Throw, Value};

mod data_attributes;
mod document;
mod element;
mod form;
#[cfg(any(test, fuzzing))]
pub mod fuzz_tests;
mod parse;
mod render;
mod selection;
mod selector;
#[cfg(test)]
mod tests;

pub use document::Document;
use document::Pace;
use element::Element;
use selection::{Selection, Step, Wanted};
use selector::Selector;

/// The native half.
pub const OPS: &[(&str, Op)] = &[("parse", parse_text), ("callNode", call)];

/// The methods of a selection, in the words of [`select`]; JavaScript adds those that call back.
const SELECTION: &[&str] = &[
    "add",
    "attr",
    "children",
    "closest",
    "contents",
    "data",
    "end",
    "eq",
    "filter",
    "find",
    "first",
    "get",
    "has",
    "html",
    "index",
    "is",
    "last",
    "next",
    "nextAll",
    "nextUntil",
    "not",
    "parent",
    "parents",
    "parentsUntil",
    "prev",
    "prevAll",
    "prevUntil",
    "serialize",
    "serializeArray",
    "serializeObject",
    "siblings",
    "single",
    "size",
    "slice",
    "text",
    "toArray",
    "val",
];

/// Parses a text that came from `url`.
///
/// # Errors
/// A `GoError` for a text no parser should follow; [`Throw::Stop`] when the VU has to stop.
pub fn document(vu: &VuContext, text: &str, url: &str) -> Result<Rc<Document>, Throw> {
    parse::parse(text, url, Pace::of(vu)).map(Rc::new).map_err(|fault| match fault {
        parse::Fault::Refused(text) => Throw::go(text),
        parse::Fault::Stopped => Throw::Stop,
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
/// More words say what JavaScript's prototypes need: `volley.kind` whether the thing is an element with methods of its own
/// (its name), another one (an empty text) or a selection (undefined); `volley.members` the methods of a kind;
/// `volley.url` where a selection's document is from; `volley.keep` takes the places of some nodes, and whether they are
/// to stay or to go.
pub fn call(_vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let method = args.string(1);
    if method == "volley.members" {
        let all = |names: &[&'static str]| names.iter().map(|name| Value::from(*name)).collect();
        return Ok(Value::List(match args.take(2) {
            Value::Undefined => all(SELECTION),
            Value::String(name) if name.is_empty() => all(element::COMMON),
            Value::String(name) => element::names(&name).map(Value::from).collect(),
            _ => Vec::new(),
        }));
    }
    if let Ok(element) = args.resource::<Element>(0) {
        if method == "volley.kind" {
            let name = element.document.name(element.node);
            return Ok(if element::names(name).next().is_some() { name.into() } else { "".into() });
        }
        return whole_answer(&element.document, element::call(&element, &method, args));
    }
    let selection = args.resource::<Selection>(0)?;
    match &*method {
        "volley.kind" => Ok(Value::Undefined),
        "volley.url" => Ok((&*selection.document.url).into()),
        _ => whole_answer(&selection.document, select(&selection, &method, args)),
    }
}

/// An answer, unless the walk that led to it ended early.
fn whole_answer(document: &Document, answer: Result<Value, Throw>) -> Result<Value, Throw> {
    if document.is_abandoned() { Err(Throw::Stop) } else { answer }
}

/// Calls a method of a selection.
fn select(this: &Rc<Selection>, method: &str, mut args: Args) -> Result<Value, Throw> {
    let document = &*this.document;
    let first = this.nodes.first().copied();
    let derive = |nodes| Ok(selection(this.derive(nodes)));
    let step = |step: Step, args: &mut Args| {
        let nodes = this.step(step, None);
        derive(filtered(this, nodes, args.take(2)))
    };
    let steps_until = |step: Step, args: &mut Args| {
        let until = match args.take(2) {
            Value::Undefined | Value::Null => None,
            value => {
                let refusal = no_selector(&value);
                Some(maybe_wanted(this, value, false).ok_or(refusal)?)
            }
        };
        let nodes = this.step(step, until.as_ref());
        derive(filtered(this, nodes, args.take(3)))
    };
    match method {
        "add" => derive(this.add(&wanted(this, args.take(2))?)),
        "attr" => {
            let name = args.string(2);
            Ok(first.and_then(|node| document.attribute(node, &name)).map_or(Value::Undefined, Value::from))
        }
        "children" => step(Step::Children, &mut args),
        "closest" => derive(this.closest(&wanted(this, args.take(2))?)),
        "contents" => derive(this.step(Step::Contents, None)),
        "data" => Ok(match (first, args.take(2)) {
            (None, _) => Value::Undefined,
            (Some(node), Value::Undefined) => data_attributes::all(document, node),
            (Some(node), name) => data_attributes::one(document, node, &text(name)),
        }),
        "end" => Ok(Value::Resource(this.end())),
        "eq" => derive(place(this, args.number(2)).map(|at| this.nodes[at]).into_iter().collect()),
        "filter" => {
            let Some(wanted) = maybe_wanted(this, args.take(2), false) else {
                return Err(Throw::go("the argument to filter() must be a function, a selector or a selection"));
            };
            derive(this.winnow(&this.nodes, &wanted, true))
        }
        "find" => derive(this.find(&wanted(this, args.take(2))?)),
        "first" => derive(first.into_iter().collect()),
        "get" => Ok(match args.get(2) {
            Value::Undefined => Value::List(this.nodes.iter().map(|node| element(this, *node)).collect()),
            // From the end it counts one short, as k6 does.
            _ => match place(this, args.number(2)).filter(|at| *at > 0 || args.number(2) > -1.0) {
                Some(at) => element(this, this.nodes[at]),
                None => Value::Undefined,
            },
        }),
        "has" => derive(this.has(&wanted(this, args.take(2))?)),
        "html" => Ok(first.map_or_else(String::new, |node| render::inner(document, node)).into()),
        "index" => {
            let wanted = match args.take(2) {
                Value::Undefined => None,
                value => Some(wanted(this, value)?),
            };
            Ok(Value::Number(this.index(wanted.as_ref())))
        }
        "is" => {
            let Some(wanted) = maybe_wanted(this, args.take(2), false) else {
                return Err(Throw::go("the argument to is() must be a function, a selector or a selection"));
            };
            Ok(this.is(&wanted).into())
        }
        "volley.keep" => {
            let Value::List(places) = args.take(2) else { return derive(Vec::new()) };
            let places: rustc_hash::FxHashSet<usize> = places
                .iter()
                .filter_map(|place| match place {
                    Value::Number(place) => Some(*place as usize),
                    _ => None,
                })
                .collect();
            let nodes = this.nodes.iter().enumerate().filter(|(at, _)| places.contains(at) == args.bool(3));
            derive(nodes.map(|(_, node)| *node).collect())
        }
        "last" => derive(this.nodes.last().copied().into_iter().collect()),
        "next" => step(Step::Next, &mut args),
        "nextAll" => step(Step::NextAll, &mut args),
        "nextUntil" => steps_until(Step::NextAll, &mut args),
        "not" => derive(this.winnow(&this.nodes, &wanted(this, args.take(2))?, false)),
        "parent" => step(Step::Parent, &mut args),
        "parents" => step(Step::Parents, &mut args),
        "parentsUntil" => steps_until(Step::Parents, &mut args),
        "prev" => step(Step::Previous, &mut args),
        "prevAll" => step(Step::PreviousAll, &mut args),
        "prevUntil" => steps_until(Step::PreviousAll, &mut args),
        "serialize" => {
            let fields = form::object(this).into_iter().map(|(name, value)| (name, value.into()));
            Ok(super::http::form_text(fields.collect()).into())
        }
        "serializeArray" => {
            let entry = |(name, value): (String, form::Control)| {
                Value::Map(vec![("name".to_owned(), name.into()), ("value".to_owned(), value.into())])
            };
            Ok(Value::List(form::entries(this).into_iter().map(entry).collect()))
        }
        "serializeObject" => {
            Ok(Value::Map(form::object(this).into_iter().map(|(name, value)| (name, value.into())).collect()))
        }
        "siblings" => step(Step::Siblings, &mut args),
        "single" => {
            let selector = Selector::parse(&text(args.take(2)));
            derive(this.find_one(&selector).into_iter().collect())
        }
        "size" => Ok(Value::Number(this.nodes.len() as f64)),
        "slice" => {
            let count = this.nodes.len() as f64;
            let bound = |number: f64, missing: f64| {
                let number = if number.is_nan() { missing } else { number.trunc() };
                (if number < 0.0 { count + number } else { number }).clamp(0.0, count) as usize
            };
            let (start, end) = (bound(args.number(2), 0.0), bound(args.number(3), count));
            derive(this.nodes.get(start..end).unwrap_or_default().to_vec())
        }
        "text" => Ok(this.text().into()),
        "toArray" => Ok(Value::List(this.nodes.iter().map(|node| selection(this.derive(vec![*node]))).collect())),
        "val" => Ok(first.and_then(|node| form::value(document, node)).map_or(Value::Undefined, Value::from)),
        other => Err(Throw::type_error(format!("selections have no method `{other}`"))),
    }
}

/// A text as k6 takes it: nothing is an empty one.
fn text(value: Value) -> String {
    match value {
        Value::Undefined | Value::Null => String::new(),
        Value::String(text) => text,
        other => super::http::go::string_of(&other),
    }
}

fn selection(selection: Selection) -> Value {
    Value::Resource(Rc::new(selection))
}

fn element(this: &Selection, node: document::NodeId) -> Value {
    Value::Resource(Rc::new(Element::new(&this.document, node)))
}

/// A place counted from the start, or from the end where it is negative.
fn place(this: &Selection, number: f64) -> Option<usize> {
    let number = if number.is_nan() { 0.0 } else { number.trunc() };
    let at = if number < 0.0 { this.nodes.len() as f64 + number } else { number };
    (at >= 0.0 && at < this.nodes.len() as f64).then_some(at as usize)
}

/// Those of `nodes` that match what a script gave as a filter.
fn filtered(this: &Selection, nodes: Vec<document::NodeId>, filter: Value) -> Vec<document::NodeId> {
    match filter {
        Value::Undefined => nodes,
        filter => {
            let selector = Selector::parse(&text(filter));
            this.winnow(&nodes, &Wanted::Matching(selector), true)
        }
    }
}

/// What a script asks for: a selector, a selection, or, where that is allowed, an element. Nodes of another document are
/// none of this one's.
fn maybe_wanted(this: &Selection, value: Value, may_be_element: bool) -> Option<Wanted> {
    let resource = match value {
        Value::String(text) => return Some(Wanted::Matching(Selector::parse(&text))),
        Value::Resource(resource) => resource,
        _ => return None,
    };
    let (document, nodes) = match resource.downcast::<Selection>() {
        Ok(other) => (other.document.clone(), other.nodes.clone()),
        Err(_) if !may_be_element => return None,
        Err(resource) => {
            let element = resource.downcast::<Element>().ok()?;
            (element.document.clone(), vec![element.node])
        }
    };
    Some(Wanted::These(if Rc::ptr_eq(&document, &this.document) { nodes } else { Vec::new() }))
}

fn wanted(this: &Selection, value: Value) -> Result<Wanted, Throw> {
    let refusal = no_selector(&value);
    maybe_wanted(this, value, true).ok_or(refusal)
}

fn no_selector(value: &Value) -> Throw {
    let kind = super::http::go::type_of(value);
    Throw::go(format!("invalid argument, cannot use a '{kind}' as a selector"))
}
