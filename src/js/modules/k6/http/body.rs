//! Request bodies: text, bytes, forms, multipart.

use std::fmt::Write;

use bytes::Bytes;
use percent_encoding::utf8_percent_encode;

use super::go;
use crate::js::runtime::VuContext;
use crate::js::value::{Args, Throw, Value};
use crate::net::http::Body;
use crate::units::percent::COMPONENT;

/// A body as it goes out, before compression.
pub(super) struct Encoded {
    /// What is sent; `None` for no body at all.
    pub body: Option<Body>,
    /// What a response shows as its request's body.
    pub shown: Option<Body>,
    /// The type k6 gives it unless the script did.
    pub content_type: Option<String>,
}

/// Encodes a script's body; `warn` is told what a form can't hold.
///
/// # Errors
/// k6's words for a value that can't be a body.
pub(super) fn encode(body: Value, warn: &mut dyn FnMut(String)) -> Result<Encoded, String> {
    let (body, content_type) = match body {
        Value::Undefined | Value::Null => {
            return Ok(Encoded { body: None, shown: None, content_type: None });
        }
        Value::String(text) => (Body::Bytes(text.into()), None),
        Value::Bytes(bytes) => (Body::Bytes(bytes), None),
        Value::Map(fields) if go::kind_of(&fields).is_none() => form(fields, warn),
        other => return Err(format!("unknown request body type {}", go::type_of(&other))),
    };
    // An empty body goes out in chunks, as k6 sends it.
    let body = if body.is_empty() { Body::EmptyChunked } else { body };
    Ok(Encoded { body: Some(body.clone()), shown: Some(body), content_type })
}

/// One field of a form.
enum FormField {
    Text(String),
    List(Vec<String>),
    File { data: Bytes, name: String, kind: String },
}

fn form(fields: Vec<(String, Value)>, warn: &mut dyn FnMut(String)) -> (Body, Option<String>) {
    let has_files = fields.iter().any(|(_, value)| matches!(value, Value::Map(map) if is_file(map)));
    let fields = fields.into_iter().map(|(name, value)| (name, field(value, has_files, warn))).collect();
    if has_files {
        let boundary = boundary();
        let body = multipart(fields, &boundary);
        return (body, Some(format!("multipart/form-data; boundary={boundary}")));
    }
    (Body::Bytes(url_encoded(fields).into()), Some("application/x-www-form-urlencoded".to_owned()))
}

/// Fields as a query or a form's body: sorted by name, lists repeat it.
pub(in crate::js::modules::k6) fn form_text(fields: Vec<(String, Value)>) -> String {
    url_encoded(fields.into_iter().map(|(name, value)| (name, field(value, false, &mut drop))).collect())
}

/// `(fields)` -> their text.
pub(super) fn form_text_of(_vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    match args.take(0) {
        Value::Map(fields) => Ok(form_text(fields).into()),
        _ => Ok("".into()),
    }
}

/// A field of a form. Lists repeat a name where the form has no files; with files they are as nested as objects are.
fn field(value: Value, has_files: bool, warn: &mut dyn FnMut(String)) -> FormField {
    match value {
        Value::List(list) if !has_files => FormField::List(list.iter().map(|item| field_text(item, warn)).collect()),
        Value::Map(map) if is_file(&map) => file(map),
        other => FormField::Text(field_text(&other, warn)),
    }
}

/// One value of a form as text: nothing is empty, and so is what is nested.
fn field_text(value: &Value, warn: &mut dyn FnMut(String)) -> String {
    match value {
        Value::Undefined | Value::Null => String::new(),
        Value::Map(map) if is_file(map) => {
            let values: Vec<_> = map.iter().map(|(_, value)| go::text_of(value)).collect();
            format!("{{{}}}", values.join(" "))
        }
        Value::List(_) | Value::Map(_) => {
            warn(format!(
                "cannot urlencode a nested {} value in a request form body; encoding it as an empty value, use \
                 JSON.stringify() to send structured data",
                go::type_of(value)
            ));
            String::new()
        }
        other => go::text_of(other),
    }
}

/// True for what `http.file` made: nothing else has exactly these keys.
fn is_file(map: &[(String, Value)]) -> bool {
    matches!(map, [(a, _), (b, Value::String(_)), (c, Value::String(_))]
        if a == "data" && b == "filename" && c == "content_type")
}

fn file(map: Vec<(String, Value)>) -> FormField {
    let mut values = map.into_iter().map(|(_, value)| value);
    let data = match values.next() {
        Some(Value::Bytes(bytes)) => bytes,
        Some(Value::String(text)) => text.into(),
        _ => Bytes::new(),
    };
    let mut text = || match values.next() {
        Some(Value::String(text)) => text,
        _ => String::new(),
    };
    FormField::File { data, name: text(), kind: text() }
}

/// `(data, filename, contentType)` -> a file for a form.
pub(super) fn make_file(_vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let data = args.take(0);
    if !matches!(data, Value::String(_) | Value::Bytes(_)) {
        let kind = go::type_of(&data);
        return Err(Throw::go(format!("invalid type {kind}, expected string or ArrayBuffer")));
    }
    let text = |value: &Value, default: String| match value {
        Value::Undefined => default,
        value => go::string_of(value),
    };
    let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_nanos();
    let filename = text(args.get(1), nanos.to_string());
    let content_type = text(args.get(2), "application/octet-stream".to_owned());
    Ok(Value::Map(vec![
        // An ArrayBuffer stays the one it is: the JavaScript half puts it here.
        ("data".to_owned(), if matches!(data, Value::Bytes(_)) { Value::Null } else { data }),
        ("filename".to_owned(), filename.into()),
        ("content_type".to_owned(), content_type.into()),
    ]))
}

/// `application/x-www-form-urlencoded`, sorted by name, as Go's `url.Values` writes it.
fn url_encoded(mut fields: Vec<(String, FormField)>) -> String {
    fields.sort_by(|a, b| a.0.cmp(&b.0));
    let mut out = String::new();
    for (name, field) in fields {
        let values = match field {
            FormField::Text(text) => vec![text],
            FormField::List(list) => list,
            FormField::File { .. } => continue,
        };
        for value in values {
            if !out.is_empty() {
                out.push('&');
            }
            query_escape(&name, &mut out);
            out.push('=');
            query_escape(&value, &mut out);
        }
    }
    out
}

/// Go's `url.QueryEscape`.
fn query_escape(text: &str, out: &mut String) {
    for piece in utf8_percent_encode(text, &COMPONENT) {
        out.push_str(if piece == "%20" { "+" } else { piece });
    }
}

/// The parts one after the other. Files are links of a chain of their own: whatever their size, they are not copied.
fn multipart(fields: Vec<(String, FormField)>, boundary: &str) -> Body {
    let mut chain = Vec::new();
    let mut text = String::new();
    for (name, field) in fields {
        let _ = write!(text, "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"");
        match field {
            FormField::File { data, name: file, kind } => {
                let file = file.replace('\\', "\\\\").replace('"', "\\\"");
                let _ = write!(text, "; filename=\"{file}\"\r\nContent-Type: {kind}\r\n\r\n");
                chain.push(std::mem::take(&mut text).into());
                chain.push(data);
            }
            FormField::Text(value) => {
                let _ = write!(text, "\r\n\r\n{value}");
            }
            // A form with files has none, see `field`.
            FormField::List(list) => {
                let _ = write!(text, "\r\n\r\n{}", list.join(" "));
            }
        }
        text.push_str("\r\n");
    }
    let _ = write!(text, "--{boundary}--\r\n");
    chain.push(text.into());
    Body::Chain(chain.into())
}

/// Sixty random hexadecimal digits.
fn boundary() -> String {
    use std::hash::{BuildHasher, RandomState};
    let random = || RandomState::new().hash_one(0u8);
    format!("{:016x}{:016x}{:016x}{:012x}", random(), random(), random(), random() & 0xFFFF_FFFF_FFFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_sorted_and_escaped() {
        let field = |name: &str, value: &str| (name.to_owned(), FormField::Text(value.to_owned()));
        let list = ("l".to_owned(), FormField::List(vec!["1".to_owned(), "2".to_owned()]));
        let text = url_encoded(vec![field("b", "two words"), field("a", "é&="), list]);
        assert_eq!(text, "a=%C3%A9%26%3D&b=two+words&l=1&l=2");
    }

    #[test]
    fn files_are_not_copied_into_a_form() {
        let data = Bytes::from_static(b"the file");
        let file = FormField::File { data: data.clone(), name: "a\"b.txt".to_owned(), kind: "text/plain".to_owned() };
        let fields = vec![("t".to_owned(), FormField::Text("x".to_owned())), ("f".to_owned(), file)];
        let body = multipart(fields, "B");
        assert_eq!(
            body.joined(),
            "--B\r\nContent-Disposition: form-data; name=\"t\"\r\n\r\nx\r\n--B\r\nContent-Disposition: form-data; \
             name=\"f\"; filename=\"a\\\"b.txt\"\r\nContent-Type: text/plain\r\n\r\nthe file\r\n--B--\r\n"
        );
        assert_eq!(body.pieces()[1].as_ptr(), data.as_ptr());
    }
}
