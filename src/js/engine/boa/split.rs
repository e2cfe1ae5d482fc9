//! A text cut at a separator, in a time that grows with the text and not with its square.

use boa_engine::object::FunctionObjectBuilder;
use boa_engine::object::builtins::JsArray;
use boa_engine::property::PropertyDescriptor;
use boa_engine::string::{JsStr, JsStrVariant};
use boa_engine::{Context, JsResult, JsString, JsValue, NativeFunction, js_string};

/// `text.split(separator)`, natively: Boa's own takes a time that grows with the square of the text. Anything else goes
/// the old way.
pub fn replace(context: &mut Context) -> JsResult<()> {
    let prototype = context.intrinsics().constructors().string().prototype();
    let old = prototype.get(js_string!("split"), context)?;
    let split = NativeFunction::from_copy_closure_with_captures(
        |this, args, old, context| {
            if let (Some(text), [separator]) = (this.as_string(), args)
                && let Some(separator) = separator.as_string()
                && let Some(pieces) = pieces(&text, &separator)
            {
                return Ok(JsArray::from_iter(pieces.into_iter().map(JsValue::from), context).into());
            }
            match old.as_callable() {
                Some(old) => old.call(this, args, context),
                None => Ok(JsValue::undefined()),
            }
        },
        old,
    );
    let function = FunctionObjectBuilder::new(context.realm(), split).name(js_string!("split")).length(2).build();
    prototype.define_property_or_throw(
        js_string!("split"),
        PropertyDescriptor::builder().value(function).writable(true).enumerable(false).configurable(true),
        context,
    )?;
    Ok(())
}

/// The pieces of `text` between `separator`s; `None` for an empty separator, which cuts between characters, and for one with
/// characters that a text of one byte each can't hold.
fn pieces(text: &JsString, separator: &JsString) -> Option<Vec<JsString>> {
    let (text, separator) = (text.as_str(), separator.as_str());
    match (text.variant(), separator.variant()) {
        (_, JsStrVariant::Latin1([]) | JsStrVariant::Utf16([])) => None,
        (JsStrVariant::Latin1(text), JsStrVariant::Latin1(separator)) => {
            Some(cut(text, separator).map(|piece| JsString::from(JsStr::latin1(piece))).collect())
        }
        (JsStrVariant::Utf16(text), JsStrVariant::Utf16(separator)) => {
            Some(cut(text, separator).map(|piece| JsString::from(JsStr::utf16(piece))).collect())
        }
        (JsStrVariant::Utf16(text), JsStrVariant::Latin1(separator)) => {
            let separator: Vec<u16> = separator.iter().copied().map(u16::from).collect();
            Some(cut(text, &separator).map(|piece| JsString::from(JsStr::utf16(piece))).collect())
        }
        (JsStrVariant::Latin1(_), JsStrVariant::Utf16(_)) => None,
    }
}

fn cut<'t, T: Copy + PartialEq>(text: &'t [T], separator: &[T]) -> impl Iterator<Item = &'t [T]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let found = text.windows(separator.len()).position(|window| window == separator);
        rest = found.map(|at| &text[at + separator.len()..]);
        Some(&text[..found.unwrap_or(text.len())])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, separator: &str, expect: Option<&[&str]>) {
        let found = pieces(&JsString::from(text), &JsString::from(separator));
        let found = found.map(|pieces| pieces.iter().map(JsString::to_std_string_lossy).collect::<Vec<_>>());
        assert_eq!(found, expect.map(|pieces| pieces.iter().map(|piece| (*piece).to_owned()).collect()));
    }

    #[test]
    fn cuts_as_ecmascript_says() {
        check("a,b,c", ",", Some(&["a", "b", "c"]));
        check(",a,", ",", Some(&["", "a", ""]));
        check("", ",", Some(&[""]));
        check("abc", "x", Some(&["abc"]));
        check("abc", "abcd", Some(&["abc"]));
        check("aaa", "aa", Some(&["", "a"]));
        check("ä\nö\n", "\n", Some(&["ä", "ö", ""]));
        check("日本\n語", "\n", Some(&["日本", "語"]));
        check("日本語", "本", Some(&["日", "語"]));
        check("abc", "", None);
        check("abc", "本", None);
    }
}
