//! Data on its way to JSON. Unlike a JSON value it holds infinite numbers, which a script's `handleSummary` may see.

use std::fmt::Write;

use crate::units::number;
use crate::units::quote::json_quote;

/// A piece of data.
#[derive(Clone, Debug, PartialEq)]
pub enum Tree {
    /// Nothing.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A number, maybe infinite.
    Number(f64),
    /// Text.
    Text(String),
    /// Several pieces.
    List(Vec<Tree>),
    /// Named pieces, in this order.
    Map(Vec<(String, Tree)>),
    /// Any JSON value that came from elsewhere.
    Json(serde_json::Value),
}

impl Tree {
    /// Named pieces.
    pub fn map<K: Into<String>>(entries: impl IntoIterator<Item = (K, Tree)>) -> Self {
        Self::Map(entries.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }

    /// Compact JSON for `JSON.parse`; an infinite number is written as `1e999`, which parses to `Infinity`.
    pub fn for_script(&self) -> String {
        let mut text = String::new();
        self.write(&mut text, None, "1e999");
        text
    }

    /// JSON for a file, indented by this many blanks per level; JSON knows no infinite numbers, they become `null`.
    pub fn for_file(&self, indent: usize) -> String {
        let mut text = String::new();
        self.write(&mut text, Some((indent, 0)), "null");
        text
    }

    /// As a JSON value; infinite numbers become `null`.
    #[cfg(test)]
    pub fn to_value(&self) -> serde_json::Value {
        serde_json::from_str(&self.for_file(0)).unwrap_or_default()
    }

    fn write(&self, to: &mut String, layout: Option<(usize, usize)>, infinite: &str) {
        match self {
            Self::Null => to.push_str("null"),
            // Writing to a string can't fail.
            Self::Bool(value) => _ = write!(to, "{value}"),
            Self::Number(value) if value.is_nan() => to.push_str("null"),
            Self::Number(value) if value.is_infinite() => {
                to.push_str(if *value < 0.0 && infinite != "null" { "-" } else { "" });
                to.push_str(infinite);
            }
            Self::Number(value) => number::write_js(*value, to),
            Self::Text(text) => json_quote(text, to),
            Self::Json(value) => _ = write!(to, "{value}"),
            Self::List(items) => write_items(to, ('[', ']'), layout, items, |item, to, layout| {
                item.write(to, layout, infinite);
            }),
            Self::Map(entries) => write_items(to, ('{', '}'), layout, entries, |(key, value), to, layout| {
                json_quote(key, to);
                to.push_str(if layout.is_some() { ": " } else { ":" });
                value.write(to, layout, infinite);
            }),
        }
    }
}

fn write_items<T>(
    to: &mut String,
    (open, close): (char, char),
    layout: Option<(usize, usize)>,
    items: &[T],
    mut write: impl FnMut(&T, &mut String, Option<(usize, usize)>),
) {
    to.push(open);
    let inner = layout.map(|(indent, depth)| (indent, depth + 1));
    let break_line = |to: &mut String, layout: Option<(usize, usize)>| {
        if let Some((indent, depth)) = layout {
            to.push('\n');
            to.extend(std::iter::repeat_n(' ', indent * depth));
        }
    };
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            to.push(',');
        }
        break_line(to, inner);
        write(item, to, inner);
    }
    if !items.is_empty() {
        break_line(to, layout);
    }
    to.push(close);
}

impl From<&str> for Tree {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<f64> for Tree {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<u64> for Tree {
    fn from(value: u64) -> Self {
        Self::Number(value as f64)
    }
}

impl From<bool> for Tree {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl FromIterator<Tree> for Tree {
    fn from_iter<I: IntoIterator<Item = Tree>>(items: I) -> Self {
        Self::List(items.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_json() {
        let tree = Tree::map([
            ("a", Tree::from(1.5)),
            ("b", [Tree::from(true), Tree::Null, Tree::from("x\n")].into_iter().collect()),
            ("c", Tree::map::<&str>([])),
            ("d", Tree::from(f64::NEG_INFINITY)),
        ]);
        assert_eq!(tree.for_script(), r#"{"a":1.5,"b":[true,null,"x\n"],"c":{},"d":-1e999}"#);
        assert_eq!(
            tree.for_file(4),
            "{\n    \"a\": 1.5,\n    \"b\": [\n        true,\n        null,\n        \"x\\n\"\n    ],\n    \"c\": {},\n    \"d\": null\n}"
        );
        assert_eq!(tree.to_value()["b"][2], "x\n");
    }
}
