//! One file of code, as text.

use std::sync::Arc;

use bytes::Bytes;

/// How a file asks to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModuleKind {
    /// JavaScript; whether it is an ES module or CommonJS is decided when it is parsed.
    JavaScript,
    /// By its name (or on stdin) it may hold types, which are stripped if it doesn't parse as JavaScript.
    TypeScript,
}

/// A file of code with its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// `file:///…` or `https://…`; the module's identity.
    pub url: Arc<str>,
    /// The code. A first line that starts with `#!` is blanked, so that all positions stay.
    pub text: Arc<str>,
    /// How it asks to be read.
    pub kind: ModuleKind,
}

impl Module {
    /// From the bytes of a file; bytes that aren't UTF-8 become U+FFFD.
    pub fn new(url: &str, bytes: &Bytes) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let path = url.split(['?', '#']).next().unwrap_or(url);
        let kind =
            if path.ends_with(".ts") || url == "file:///-" { ModuleKind::TypeScript } else { ModuleKind::JavaScript };
        Self { url: url.into(), text: blank_shebang(text).into(), kind }
    }
}

/// Replaces a `#!` line by spaces of the same width, so line and column of everything else stay true.
fn blank_shebang(text: &str) -> String {
    if !text.starts_with("#!") {
        return text.to_owned();
    }
    let end = text.find(['\n', '\r']).unwrap_or(text.len());
    let blank = " ".repeat(text[..end].chars().map(char::len_utf16).sum());
    blank + &text[end..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_become_modules() {
        let check = |url: &str, text: &'static str, expect: &str, kind: ModuleKind| {
            let module = Module::new(url, &Bytes::from_static(text.as_bytes()));
            assert_eq!((&*module.text, module.kind), (expect, kind), "{url}");
        };
        check("file:///a.js", "#!/bin/k6\nx", "         \nx", ModuleKind::JavaScript);
        check("file:///a.js", "#!", "  ", ModuleKind::JavaScript);
        check("file:///a.ts", "\u{feff}x", "x", ModuleKind::TypeScript);
        check("file:///a.mts", "x", "x", ModuleKind::JavaScript);
        check("https://h/a.ts?x", "x", "x", ModuleKind::TypeScript);
        check("file:///-", "x", "x", ModuleKind::TypeScript);
    }
}
