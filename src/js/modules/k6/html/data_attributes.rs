//! `data-*` attributes as jQuery reads them: `data-item-count="3"` is the number `itemCount`.

use super::document::{Document, NodeId};
use crate::js::modules::k6::number_text;
use crate::js::value::Value;

const PREFIX: &str = "data-";

/// One, by its name with humps or dashes.
pub fn one(document: &Document, node: NodeId, name: &str) -> Value {
    document.attribute(node, &attribute_name(name)).map_or(Value::Undefined, convert)
}

/// All of them; undefined where there is none.
pub fn all(document: &Document, node: NodeId) -> Value {
    let attributes = document.tag(node).map_or(&[][..], |tag| &tag.attributes);
    let found = attributes.iter().filter_map(|attribute| {
        let name = attribute.name.local.strip_prefix(PREFIX)?;
        Some((property_name(name), convert(&attribute.value)))
    });
    let found: Vec<_> = found.collect();
    if found.is_empty() { Value::Undefined } else { Value::Map(found) }
}

/// `itemCount` -> `data-item-count`
fn attribute_name(property: &str) -> String {
    let mut name = PREFIX.to_owned();
    for letter in property.chars() {
        if letter.is_uppercase() {
            name.push('-');
            name.extend(letter.to_lowercase());
        } else {
            name.push(letter);
        }
    }
    name
}

/// `item-count` -> `itemCount`
fn property_name(attribute: &str) -> String {
    let mut parts = attribute.split('-');
    let mut name = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut letters = part.chars();
        name.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        name.push_str(letters.as_str());
    }
    name
}

fn convert(text: &str) -> Value {
    match text {
        "" | "null" | "undefined" => return Value::Undefined,
        "true" => return true.into(),
        "false" => return false.into(),
        _ => {}
    }
    if text.starts_with(['{', '[']) && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() {
        return Value::Json(text.to_owned().into());
    }
    match text.parse::<f64>() {
        // Only what is written as the number itself would be written is a number: `007` and `1.50` are texts.
        Ok(number) if !number.is_infinite() && number_text(number) == text => number.into(),
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_what_they_spell() {
        let check = |text: &str, expect: &str| assert_eq!(format!("{:?}", convert(text)), expect, "{text}");
        check("12", "12");
        check("-3.5", "-3.5");
        check("1.50", "\"1.50\"");
        check("007", "\"007\"");
        check("1E2", "\"1E2\"");
        check("+1", "\"+1\"");
        check("true", "true");
        check("null", "undefined");
        check("", "undefined");
        check("{\"a\":1}", "JSON of 7 bytes");
        check("{oops", "\"{oops\"");
        check("word", "\"word\"");
    }

    #[test]
    fn names_have_humps_or_dashes() {
        let check = |property: &str, attribute: &str| {
            assert_eq!(attribute_name(property), format!("data-{attribute}"));
            assert_eq!(property_name(attribute), property);
        };
        check("a", "a");
        check("itemCount", "item-count");
        check("aB1C", "a-b1-c");
        assert_eq!(attribute_name("item-count"), "data-item-count");
    }
}
