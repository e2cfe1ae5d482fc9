//! Addresses in attributes, whole and in parts, by the rules of Go's `net/url`.

use super::Element;
use crate::js::value::Value;
use crate::net::http::Url;

/// An attribute resolved against the document's address; unchanged if the document has none, empty if it is missing or no
/// address.
pub(super) fn resolved(element: &Element, attribute: &str) -> String {
    let Some(reference) = element.attribute(attribute) else { return String::new() };
    if element.document.url.is_empty() {
        return reference.to_owned();
    }
    join(&element.document.url, reference).map_or_else(String::new, |url| url.as_str().to_owned())
}

fn join(base: &str, reference: &str) -> Option<Url> {
    // What can't be the base of anything leaves absolute addresses as they are.
    match Url::parse(base) {
        Ok(base) if !base.as_str().is_empty() => base.join(reference).ok(),
        _ => Url::parse(reference).ok(),
    }
}

/// The address of a link.
fn href(element: &Element) -> Option<Url> {
    join(&element.document.url, element.text_of("href"))
}

fn part(element: &Element, read: impl FnOnce(Url) -> String) -> Value {
    href(element).map(read).unwrap_or_default().into()
}

pub(super) fn hash(element: &Element) -> Value {
    part(element, |url| match url.fragment() {
        "" => String::new(),
        fragment => format!("#{fragment}"),
    })
}

pub(super) fn host(element: &Element) -> Value {
    // The port that goes without saying is left out.
    part(element, |url| match (url.scheme(), url.port()) {
        ("http", "80") | ("https", "443") => url.host().rsplit_once(':').map_or("", |(name, _)| name).to_owned(),
        _ => url.host().to_owned(),
    })
}

pub(super) fn hostname(element: &Element) -> Value {
    part(element, |url| url.hostname().to_owned())
}

pub(super) fn port(element: &Element) -> Value {
    part(element, |url| url.port().to_owned())
}

pub(super) fn username(element: &Element) -> Value {
    part(element, |url| url.credentials().map(|(name, _)| name).unwrap_or_default())
}

pub(super) fn password(element: &Element) -> Value {
    part(element, |url| url.credentials().map(|(_, password)| password).unwrap_or_default())
}

pub(super) fn origin(element: &Element) -> Value {
    part(element, |url| match url.scheme() {
        "" => String::new(),
        "file" => "file://".to_owned(),
        scheme => format!("{scheme}://{}", url.host()),
    })
}

pub(super) fn pathname(element: &Element) -> Value {
    part(element, |url| String::from_utf8_lossy(&crate::net::http::proto::url::unescaped(url.path())).into_owned())
}

pub(super) fn protocol(element: &Element) -> Value {
    match href(element) {
        Some(url) if !url.scheme().is_empty() => url.scheme().into(),
        _ => ":".into(),
    }
}

pub(super) fn search(element: &Element) -> Value {
    part(element, |url| match url.query() {
        "" => String::new(),
        query => format!("?{query}"),
    })
}

pub(super) fn rel_list(element: &Element) -> Value {
    Value::List(element.text_of("rel").split_whitespace().map(Value::from).collect())
}

/// What `<base>` says, or where the document is from.
pub(super) fn base(element: &Element) -> Value {
    if element.has("href") { resolved(element, "href").into() } else { (&*element.document.url).into() }
}
