//! From a document back to text, letter for letter as Go's renderer writes it.

use super::document::{Document, NodeData, NodeId};

/// Elements without content and end tag.
const VOID: [&str; 14] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "keygen", "link", "meta", "param", "source", "track"];
/// Elements whose text is not escaped.
const LITERAL: [&str; 8] = ["iframe", "noembed", "noframes", "noscript", "plaintext", "script", "style", "xmp"];

/// The markup inside a node.
pub fn inner(document: &Document, id: NodeId) -> String {
    let mut out = String::new();
    for child in document.children(id) {
        if !render(document, child, &mut out) {
            break;
        }
    }
    out
}

/// Writes a node. False once `<plaintext>` was met: nothing can follow it.
///
/// It recurses; a document is nested 512 elements deep at most.
fn render(document: &Document, id: NodeId, out: &mut String) -> bool {
    let tag = match document.data(id) {
        NodeData::Document => return document.children(id).all(|child| render(document, child, out)),
        NodeData::Text(text) => {
            escape(text, out);
            return true;
        }
        NodeData::Comment(text) => {
            out.push_str("<!--");
            comment(text, out);
            out.push_str("-->");
            return true;
        }
        NodeData::Doctype(doctype) => {
            out.push_str("<!DOCTYPE ");
            escape(&doctype.name, out);
            doctype_identifiers(&doctype.public, &doctype.system, out);
            out.push('>');
            return true;
        }
        NodeData::Element(tag) => tag,
    };
    out.push('<');
    out.push_str(&tag.name);
    for attribute in &tag.attributes {
        out.push(' ');
        if let Some(prefix) = &attribute.name.prefix
            && !prefix.is_empty()
        {
            out.push_str(prefix);
            out.push(':');
        }
        out.push_str(&attribute.name.local);
        out.push_str("=\"");
        escape(&attribute.value, out);
        out.push('"');
    }
    if VOID.contains(&&*tag.name) {
        out.push_str("/>");
        return true;
    }
    out.push('>');
    // A line break right after these tags is swallowed by parsers; another one protects it.
    if let Some(NodeData::Text(text)) = document.first_child(id).map(|child| document.data(child))
        && text.starts_with('\n')
        && matches!(&*tag.name, "pre" | "listing" | "textarea")
    {
        out.push('\n');
    }
    let is_literal = tag.is_html() && LITERAL.contains(&&*tag.name);
    for child in document.children(id) {
        match document.data(child) {
            NodeData::Text(text) if is_literal => out.push_str(text),
            _ if !render(document, child, out) => return false,
            _ => {}
        }
    }
    if &*tag.name == "plaintext" {
        return false;
    }
    out.push_str("</");
    out.push_str(&tag.name);
    out.push('>');
    true
}

/// Text and attribute values.
fn escape(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '\'', '<', '>', '"', '\r']) {
        out.push_str(&rest[..at]);
        out.push_str(match rest.as_bytes()[at] {
            b'&' => "&amp;",
            b'\'' => "&#39;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&#34;",
            _ => "&#13;",
        });
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
}

/// A comment keeps its angle brackets, except where they would end it.
fn comment(text: &str, out: &mut String) {
    let mut before = None;
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '>' if matches!(before, None | Some('!' | '-')) => out.push_str("&gt;"),
            letter => out.push(letter),
        }
        before = Some(letter);
    }
}

fn doctype_identifiers(public: &str, system: &str, out: &mut String) {
    let mut identifier = |word: &str, text: &str| {
        let mark = if text.contains('"') { '\'' } else { '"' };
        out.push_str(word);
        out.push(mark);
        out.push_str(text);
        out.push(mark);
    };
    match (public, system) {
        ("", "") => {}
        ("", system) => identifier(" SYSTEM ", system),
        (public, "") => identifier(" PUBLIC ", public),
        (public, system) => {
            identifier(" PUBLIC ", public);
            identifier(" ", system);
        }
    }
}
