//! Whether an element is what a selector asks for.

use std::cell::RefCell;

use html5ever::LocalName;
use rustc_hash::FxHashMap;

use super::{Combinator, Complex, Compound, Selector, Simple, Test};
use crate::js::modules::k6::html::document::{Document, NodeData, NodeId};

/// Matches elements of one document. It remembers places among siblings, so that long lists stay cheap.
pub struct Match<'a> {
    document: &'a Document,
    places: RefCell<FxHashMap<NodeId, SiblingPosition>>,
}

/// The position of an element among its siblings, counted from one.
#[derive(Clone, Copy, Default)]
struct SiblingPosition {
    child: i64,
    child_from_end: i64,
    of_type: i64,
    of_type_from_end: i64,
}

impl<'a> Match<'a> {
    /// For this document.
    pub fn new(document: &'a Document) -> Self {
        Self { document, places: RefCell::default() }
    }

    /// True if the selector matches this node; only elements are matched.
    pub fn matches(&self, selector: &Selector, node: NodeId) -> bool {
        selector.0.iter().any(|complex| self.complex(complex, node))
    }

    /// All elements below `context` that match, in the order of the text.
    pub fn below<'s>(&'s self, selector: &'s Selector, context: NodeId) -> impl Iterator<Item = NodeId> + 's {
        self.document.descendants(context).filter(|node| self.matches(selector, *node))
    }

    fn complex(&self, complex: &Complex, node: NodeId) -> bool {
        self.compound(&complex.last, node) && self.before(&complex.before, node)
    }

    /// True if what has to stand before `node` does.
    fn before(&self, before: &[(Combinator, Compound)], node: NodeId) -> bool {
        let Some(((combinator, compound), rest)) = before.split_first() else { return true };
        let fits = |other: NodeId| self.compound(compound, other) && self.before(rest, other);
        let document = self.document;
        match combinator {
            Combinator::Descendant => document.ancestors(node).any(fits),
            Combinator::Child => document.parent(node).is_some_and(fits),
            Combinator::NextSibling => {
                // Comments and text stand between elements without separating them.
                let passed = |other: &NodeId| matches!(document.data(*other), NodeData::Text(_) | NodeData::Comment(_));
                document.before(node).find(|other| !passed(other)).is_some_and(fits)
            }
            Combinator::LaterSibling => document.before(node).any(fits),
        }
    }

    fn compound(&self, compound: &Compound, node: NodeId) -> bool {
        self.document.is_element(node) && compound.0.iter().all(|simple| self.simple(simple, node))
    }

    fn simple(&self, simple: &Simple, node: NodeId) -> bool {
        let document = self.document;
        let has = |name: &str| document.attribute(node, name).is_some();
        match simple {
            Simple::Name(name) => document.name(node) == name,
            Simple::Id(id) => document.attribute(node, "id") == Some(id),
            Simple::Class(class) => document.attribute(node, "class").is_some_and(|list| has_word(list, class, false)),
            Simple::Attribute { name, test, ignore_case } => passes(document.attribute(node, name), test, *ignore_case),
            Simple::Not(inner) => !self.matches(inner, node),
            Simple::Has(inner) => self.below(inner, node).next().is_some(),
            Simple::HasChild(inner) => document.children(node).any(|child| self.matches(inner, child)),
            Simple::Contains { text, own } => self.text(node, *own).to_lowercase().contains(text),
            Simple::Matches { pattern, own } => pattern.is_match(&self.text(node, *own)),
            Simple::Nth { a, b, from_end, of_type } => {
                let place = self.place(node);
                let number = match (from_end, of_type) {
                    (false, false) => place.child,
                    (true, false) => place.child_from_end,
                    (false, true) => place.of_type,
                    (true, true) => place.of_type_from_end,
                };
                is_nth(number, *a, *b)
            }
            Simple::Only { of_type } => {
                let place = self.place(node);
                match of_type {
                    false => place.child == 1 && place.child_from_end == 1,
                    true => place.of_type == 1 && place.of_type_from_end == 1,
                }
            }
            Simple::Input => matches!(document.name(node), "input" | "select" | "textarea" | "button"),
            Simple::Empty => document.children(node).all(|child| match document.data(child) {
                NodeData::Element(_) => false,
                NodeData::Text(text) => text.trim().is_empty(),
                _ => true,
            }),
            Simple::Root => {
                document.parent(node).is_some_and(|parent| matches!(document.data(parent), NodeData::Document))
            }
            Simple::Link => matches!(document.name(node), "a" | "area" | "link") && has("href"),
            Simple::Lang(wanted) => {
                let speaks = |node: NodeId| {
                    document.attribute(node, "lang").is_some_and(|lang| {
                        lang.strip_prefix(&**wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
                    })
                };
                speaks(node) || document.ancestors(node).any(speaks)
            }
            Simple::Enabled => match document.name(node) {
                "a" | "area" | "link" => has("href"),
                "optgroup" | "menuitem" | "fieldset" => !has("disabled"),
                "button" | "input" | "select" | "textarea" | "option" => !has("disabled") && !self.in_disabled(node),
                _ => false,
            },
            Simple::Disabled => match document.name(node) {
                "optgroup" | "menuitem" | "fieldset" => has("disabled"),
                "button" | "input" | "select" | "textarea" | "option" => has("disabled") || self.in_disabled(node),
                _ => false,
            },
            Simple::Checked => match document.name(node) {
                "input" | "menuitem" => {
                    has("checked")
                        && document.attribute(node, "type").is_some_and(|kind| {
                            kind.eq_ignore_ascii_case("checkbox") || kind.eq_ignore_ascii_case("radio")
                        })
                }
                "option" => has("selected"),
                _ => false,
            },
            Simple::Never => false,
        }
    }

    fn text(&self, node: NodeId, own: bool) -> String {
        if own { self.document.own_text(node) } else { self.document.text(node) }
    }

    /// True inside a disabled `<fieldset>`, but for its first legend.
    fn in_disabled(&self, node: NodeId) -> bool {
        let document = self.document;
        std::iter::once(node).chain(document.ancestors(node)).any(|inside| {
            document.parent(inside).is_some_and(|parent| {
                document.name(parent) == "fieldset"
                    && document.attribute(parent, "disabled").is_some()
                    && (document.name(inside) != "legend"
                        || document.before(inside).any(|sibling| document.name(sibling) == "legend"))
            })
        })
    }

    fn place(&self, node: NodeId) -> SiblingPosition {
        if let Some(place) = self.places.borrow().get(&node) {
            return *place;
        }
        let Some(parent) = self.document.parent(node) else { return SiblingPosition::default() };
        let siblings: Vec<NodeId> = self.document.elements(parent).collect();
        let mut places = self.places.borrow_mut();
        let mut by_name: FxHashMap<&LocalName, i64> = FxHashMap::default();
        for (at, sibling) in siblings.iter().enumerate() {
            let Some(tag) = self.document.tag(*sibling) else { continue };
            let of_type = by_name.entry(&tag.name).or_default();
            *of_type += 1;
            let child = at as i64 + 1;
            let child_from_end = siblings.len() as i64 - at as i64;
            places.insert(*sibling, SiblingPosition { child, child_from_end, of_type: *of_type, of_type_from_end: 0 });
        }
        for sibling in &siblings {
            let Some(tag) = self.document.tag(*sibling) else { continue };
            if let Some(place) = places.get_mut(sibling) {
                place.of_type_from_end = by_name[&tag.name] - place.of_type + 1;
            }
        }
        places.get(&node).copied().unwrap_or_default()
    }
}

/// True if `number` is a·n+b for some n that is not negative.
fn is_nth(number: i64, a: i64, b: i64) -> bool {
    let Some(rest) = number.checked_sub(b) else { return false };
    if a == 0 { rest == 0 } else { rest.checked_rem(a) == Some(0) && rest / a >= 0 }
}

fn has_word(list: &str, word: &str, ignore_case: bool) -> bool {
    list.split([' ', '\t', '\r', '\n', '\u{c}']).any(|known| !known.is_empty() && same(known, word, ignore_case))
}

fn same(a: &str, b: &str, ignore_case: bool) -> bool {
    a == b || (ignore_case && a.to_lowercase() == b.to_lowercase())
}

fn passes(value: Option<&str>, test: &Test, ignore_case: bool) -> bool {
    let Some(value) = value else { return matches!(test, Test::Differs(_)) };
    let part = |wanted: &str, is_part: fn(&str, &str) -> bool| {
        // A blank attribute has no parts.
        !value.trim().is_empty()
            && if ignore_case { is_part(&value.to_lowercase(), &wanted.to_lowercase()) } else { is_part(value, wanted) }
    };
    match test {
        Test::Exists => true,
        Test::Equals(wanted) => same(value, wanted, ignore_case),
        Test::Differs(wanted) => !same(value, wanted, ignore_case),
        Test::Word(wanted) => has_word(value, wanted, ignore_case),
        Test::Dash(wanted) => {
            same(value, wanted, ignore_case)
                || (value.as_bytes().get(wanted.len()) == Some(&b'-')
                    && value.get(..wanted.len()).is_some_and(|start| same(start, wanted, ignore_case)))
        }
        Test::Prefix(wanted) => part(wanted, |value, wanted| value.starts_with(wanted)),
        Test::Suffix(wanted) => part(wanted, |value, wanted| value.ends_with(wanted)),
        Test::Substring(wanted) => part(wanted, |value, wanted| value.contains(wanted)),
        Test::Pattern(pattern) => pattern.is_match(value),
    }
}
