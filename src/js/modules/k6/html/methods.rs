//! The methods of selections, in one table. JavaScript adds those that call back.

use std::rc::Rc;

use rustc_hash::FxHashSet;

use super::document::NodeId;
use super::element::Element;
use super::form::{self, ControlValue};
use super::selection::{Axis, NodeFilter, Selection};
use super::selector::Selector;
use super::{data_attributes, render};
use crate::js::modules::k6::http;
use crate::js::value::{Args, Throw, Value};

/// A method. The arguments of a script begin at 2, behind the selection and the name.
type SelectionMethod = fn(&Rc<Selection>, Args) -> Result<Value, Throw>;

/// What begins with `volley.` is js-stdlib's own.
const OWN: &str = "volley.";

const METHODS: &[(&str, SelectionMethod)] = &[
    ("add", |this, mut args| derive(this, this.add(&required_filter(this, args.take(2))?))),
    ("attr", attr),
    ("children", |this, args| walk(this, Axis::Children, args)),
    ("closest", |this, mut args| derive(this, this.closest(&required_filter(this, args.take(2))?))),
    ("contents", |this, _| derive(this, this.walk(Axis::Contents, None))),
    ("data", data),
    ("end", |this, _| Ok(Value::Resource(this.end()))),
    ("eq", |this, args| derive(this, index(this, args.number(2)).map(|at| this.nodes[at]))),
    ("filter", filter),
    ("find", |this, mut args| derive(this, this.find(&required_filter(this, args.take(2))?))),
    ("first", |this, _| derive(this, this.nodes.first().copied())),
    ("get", get),
    ("has", |this, mut args| derive(this, this.has(&required_filter(this, args.take(2))?))),
    ("html", html),
    ("index", index_of),
    ("is", is),
    ("last", |this, _| derive(this, this.nodes.last().copied())),
    ("next", |this, args| walk(this, Axis::Next, args)),
    ("nextAll", |this, args| walk(this, Axis::NextAll, args)),
    ("nextUntil", |this, args| walk_until(this, Axis::NextAll, args)),
    ("not", not),
    ("parent", |this, args| walk(this, Axis::Parent, args)),
    ("parents", |this, args| walk(this, Axis::Parents, args)),
    ("parentsUntil", |this, args| walk_until(this, Axis::Parents, args)),
    ("prev", |this, args| walk(this, Axis::Previous, args)),
    ("prevAll", |this, args| walk(this, Axis::PreviousAll, args)),
    ("prevUntil", |this, args| walk_until(this, Axis::PreviousAll, args)),
    ("serialize", serialize),
    ("serializeArray", serialize_array),
    ("serializeObject", |this, _| Ok(Value::Map(form_values(this)))),
    ("siblings", |this, args| walk(this, Axis::Siblings, args)),
    ("single", |this, mut args| derive(this, this.find_one(&Selector::parse(&text(args.take(2)))))),
    ("size", |this, _| Ok(Value::Number(this.nodes.len() as f64))),
    ("slice", slice),
    ("text", |this, _| Ok(this.text().into())),
    ("toArray", to_array),
    ("val", val),
    ("volley.keep", keep),
];

/// The names of the methods that scripts see.
pub fn names() -> impl Iterator<Item = &'static str> {
    METHODS.iter().map(|(name, _)| *name).filter(|name| !name.starts_with(OWN))
}

/// Calls the method of this name.
///
/// # Errors
/// When there is no such method, or what it says about its arguments.
pub fn call(this: &Rc<Selection>, name: &str, args: Args) -> Result<Value, Throw> {
    match METHODS.iter().find(|(known, _)| *known == name) {
        Some((_, method)) => method(this, args),
        None => Err(Throw::type_error(format!("selections have no method `{name}`"))),
    }
}

fn attr(this: &Rc<Selection>, mut args: Args) -> Result<Value, Throw> {
    let name = args.string(2);
    let value = this.nodes.first().and_then(|node| this.document.attribute(*node, &name));
    Ok(value.map_or(Value::Undefined, Value::from))
}

/// `(name)` -> what the `data-` attribute of this name says; without a name all of them.
fn data(this: &Rc<Selection>, mut args: Args) -> Result<Value, Throw> {
    Ok(match (this.nodes.first(), args.take(2)) {
        (None, _) => Value::Undefined,
        (Some(node), Value::Undefined) => data_attributes::all(&this.document, *node),
        (Some(node), name) => data_attributes::one(&this.document, *node, &text(name)),
    })
}

fn filter(this: &Rc<Selection>, mut args: Args) -> Result<Value, Throw> {
    let Some(wanted) = node_filter(this, args.take(2), false) else {
        return Err(Throw::go("the argument to filter() must be a function, a selector or a selection"));
    };
    derive(this, this.winnow(&this.nodes, &wanted, true))
}

/// `(index)` -> the element there; without an index all of them.
fn get(this: &Rc<Selection>, args: Args) -> Result<Value, Throw> {
    Ok(match args.get(2) {
        Value::Undefined => Value::List(this.nodes.iter().map(|node| element(this, *node)).collect()),
        // From the end it counts one short, as k6 does.
        _ => match index(this, args.number(2)).filter(|at| *at > 0 || args.number(2) > -1.0) {
            Some(at) => element(this, this.nodes[at]),
            None => Value::Undefined,
        },
    })
}

fn html(this: &Rc<Selection>, _args: Args) -> Result<Value, Throw> {
    Ok(this.nodes.first().map_or_else(String::new, |node| render::inner(&this.document, *node)).into())
}

fn index_of(this: &Rc<Selection>, mut args: Args) -> Result<Value, Throw> {
    let wanted = match args.take(2) {
        Value::Undefined => None,
        value => Some(required_filter(this, value)?),
    };
    Ok(Value::Number(this.index(wanted.as_ref())))
}

fn is(this: &Rc<Selection>, mut args: Args) -> Result<Value, Throw> {
    let Some(wanted) = node_filter(this, args.take(2), false) else {
        return Err(Throw::go("the argument to is() must be a function, a selector or a selection"));
    };
    Ok(this.is(&wanted).into())
}

fn not(this: &Rc<Selection>, mut args: Args) -> Result<Value, Throw> {
    derive(this, this.winnow(&this.nodes, &required_filter(this, args.take(2))?, false))
}

/// `(indices, whether these stay)` -> the nodes at these places, or all others.
fn keep(this: &Rc<Selection>, mut args: Args) -> Result<Value, Throw> {
    let Value::List(indices) = args.take(2) else { return derive(this, []) };
    let number = |index: &Value| match index {
        Value::Number(index) => Some(*index as usize),
        _ => None,
    };
    let indices: FxHashSet<usize> = indices.iter().filter_map(number).collect();
    let nodes = this.nodes.iter().enumerate().filter(|(at, _)| indices.contains(at) == args.bool(3));
    derive(this, nodes.map(|(_, node)| *node))
}

fn serialize(this: &Rc<Selection>, _args: Args) -> Result<Value, Throw> {
    Ok(http::form_text(form_values(this)).into())
}

fn serialize_array(this: &Rc<Selection>, _args: Args) -> Result<Value, Throw> {
    let entry = |(name, value): (String, ControlValue)| {
        Value::Map(vec![("name".to_owned(), name.into()), ("value".to_owned(), value.into())])
    };
    Ok(Value::List(form::entries(this).into_iter().map(entry).collect()))
}

/// `(start, end)`, negative from the end, end excluded.
fn slice(this: &Rc<Selection>, args: Args) -> Result<Value, Throw> {
    let count = this.nodes.len() as f64;
    let bound = |number: f64, missing: f64| {
        let number = if number.is_nan() { missing } else { number.trunc() };
        (if number < 0.0 { count + number } else { number }).clamp(0.0, count) as usize
    };
    let (start, end) = (bound(args.number(2), 0.0), bound(args.number(3), count));
    derive(this, this.nodes.get(start..end).unwrap_or_default().to_vec())
}

fn to_array(this: &Rc<Selection>, _args: Args) -> Result<Value, Throw> {
    this.nodes.iter().map(|node| derive(this, [*node])).collect::<Result<_, _>>().map(Value::List)
}

fn val(this: &Rc<Selection>, _args: Args) -> Result<Value, Throw> {
    let value = this.nodes.first().and_then(|node| form::value(&this.document, *node));
    Ok(value.map_or(Value::Undefined, Value::from))
}

/// `(selector)`: the nodes one step along the axis, those that match.
fn walk(this: &Rc<Selection>, axis: Axis, mut args: Args) -> Result<Value, Throw> {
    derive(this, matching(this, this.walk(axis, None), args.take(2)))
}

/// `(until, selector)`: the nodes along the axis up to a certain one, those that match.
fn walk_until(this: &Rc<Selection>, axis: Axis, mut args: Args) -> Result<Value, Throw> {
    let until = match args.take(2) {
        Value::Undefined | Value::Null => None,
        value => {
            let refusal = no_selector(&value);
            Some(node_filter(this, value, false).ok_or(refusal)?)
        }
    };
    derive(this, matching(this, this.walk(axis, until.as_ref()), args.take(3)))
}

/// A selection made from another one, for JavaScript.
fn derive(this: &Rc<Selection>, nodes: impl IntoIterator<Item = NodeId>) -> Result<Value, Throw> {
    Ok(Value::Resource(Rc::new(this.derive(nodes.into_iter().collect()))))
}

fn element(this: &Selection, node: NodeId) -> Value {
    Value::Resource(Rc::new(Element::new(&this.document, node)))
}

/// The values of a form's controls by name.
fn form_values(this: &Selection) -> Vec<(String, Value)> {
    form::object(this).into_iter().map(|(name, value)| (name, value.into())).collect()
}

/// An index counted from the start, or from the end where it is negative.
fn index(this: &Selection, number: f64) -> Option<usize> {
    let number = if number.is_nan() { 0.0 } else { number.trunc() };
    let at = if number < 0.0 { this.nodes.len() as f64 + number } else { number };
    (at >= 0.0 && at < this.nodes.len() as f64).then_some(at as usize)
}

/// Those of `nodes` that match the selector a script gave, if it gave one.
fn matching(this: &Selection, nodes: Vec<NodeId>, selector: Value) -> Vec<NodeId> {
    match selector {
        Value::Undefined => nodes,
        selector => this.winnow(&nodes, &NodeFilter::Matching(Selector::parse(&text(selector))), true),
    }
}

/// A text as k6 takes it: nothing is an empty one.
pub(super) fn text(value: Value) -> String {
    match value {
        Value::Undefined | Value::Null => String::new(),
        Value::String(text) => text,
        other => http::go::string_of(&other),
    }
}

/// What a script asks for: a selector, a selection, or, where that is allowed, an element. Nodes of another document are
/// none of this one's.
fn node_filter(this: &Selection, value: Value, may_be_element: bool) -> Option<NodeFilter> {
    let resource = match value {
        Value::String(text) => return Some(NodeFilter::Matching(Selector::parse(&text))),
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
    Some(NodeFilter::OneOf(if Rc::ptr_eq(&document, &this.document) { nodes } else { Vec::new() }))
}

fn required_filter(this: &Selection, value: Value) -> Result<NodeFilter, Throw> {
    let refusal = no_selector(&value);
    node_filter(this, value, true).ok_or(refusal)
}

fn no_selector(value: &Value) -> Throw {
    let kind = http::go::type_of(value);
    Throw::go(format!("invalid argument, cannot use a '{kind}' as a selector"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_see_each_method_once_and_none_of_ours() {
        let names: Vec<_> = names().collect();
        assert!(names.is_sorted_by(|one, other| one < other), "{names:?}");
        assert!(names.iter().all(|name| name.chars().all(|letter| letter.is_ascii_alphabetic())));
    }
}
