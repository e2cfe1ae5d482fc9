//! The paths in the `import` lines of `.proto` files. The compiler takes none that begins with a slash or goes up; k6 takes
//! any path there is below an import folder, however it is written.

use std::borrow::Cow;

/// Stands for `..` where the compiler must not see it. No file is called so.
const UP: &str = "\u{1}\u{1}";

/// The text of a file with its imports in the form the compiler takes: slashes before and between names are one or none, and
/// dots are resolved. Blanks before the quotes keep all columns.
pub fn normalized(source: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut kept = 0;
    for path in paths(source) {
        let written = &source[path.clone()];
        let wanted = plain(written);
        if wanted == written {
            continue;
        }
        // The quote moves to the right, by as much as the path becomes shorter.
        out.push_str(&source[kept..path.start - 1]);
        out.push_str(&" ".repeat(written.len() - wanted.len()));
        out.push_str(&source[path.start - 1..path.start]);
        out.push_str(&wanted);
        kept = path.end;
    }
    if kept == 0 {
        return Cow::Borrowed(source);
    }
    out.push_str(&source[kept..]);
    Cow::Owned(out)
}

/// Sources shorter than this, in bytes, are parsed with their comments.
const MANY_COMMENTS: usize = 1 << 20;

/// The text of a long file without comments, for a parser that would keep a copy of each. All else stays in its line and column.
pub fn without_comments(source: &str) -> Cow<'_, str> {
    if source.len() < MANY_COMMENTS {
        return Cow::Borrowed(source);
    }
    let bytes = source.as_bytes();
    let mut out = String::new();
    let (mut kept, mut at) = (0, 0);
    while let Some(found) = memchr::memchr3(b'/', b'"', b'\'', &bytes[at..]) {
        at += found;
        let rest = &bytes[at..];
        if rest.starts_with(b"//") {
            out.push_str(&source[kept..at]);
            at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            kept = at;
        } else if rest.starts_with(b"/*") {
            // One without an end, and one in another, are errors of which the parser knows the place.
            let Some(length) = memchr::memmem::find(&rest[2..], b"*/") else { break };
            let inner = &rest[2..2 + length];
            let end = at + length + 4;
            if memchr::memmem::find(inner, b"/*").is_some() {
                at = end;
                continue;
            }
            out.push_str(&source[kept..at]);
            let last_line = memchr::memrchr(b'\n', inner).map_or(length + 4, |line| length - line - 1 + 2);
            out.extend(memchr::memchr_iter(b'\n', inner).map(|_| '\n'));
            out.extend(std::iter::repeat_n(' ', last_line));
            at = end;
            kept = at;
        } else if rest[0] == b'/' {
            at += 1;
        } else {
            at = (string_end(bytes, at) + 1).min(bytes.len());
        }
    }
    if kept == 0 {
        return Cow::Borrowed(source);
    }
    out.push_str(&source[kept..]);
    Cow::Owned(out)
}

/// The path on the disk that a name of the compiler stands for.
pub fn on_disk(name: &str) -> Cow<'_, str> {
    if name.contains(UP) { Cow::Owned(name.replace(UP, "..")) } else { Cow::Borrowed(name) }
}

/// A path without empty components and dots; never longer than it was.
fn plain(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != UP) => _ = parts.pop(),
            ".." => parts.push(UP),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Where the paths of imports stand, between their quotes.
fn paths(source: &str) -> Vec<std::ops::Range<usize>> {
    let bytes = source.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    // True after `import`, also with `public` or `weak` after it.
    let mut is_import = false;
    while let Some(&byte) = bytes.get(at) {
        let rest = &bytes[at..];
        match byte {
            b'/' if rest.starts_with(b"//") => at += memchr::memchr(b'\n', rest).unwrap_or(rest.len()),
            b'/' if rest.starts_with(b"/*") => {
                at += memchr::memmem::find(&rest[2..], b"*/").map_or(rest.len(), |end| end + 4);
            }
            b'"' | b'\'' => {
                let end = string_end(bytes, at);
                if is_import && end < bytes.len() {
                    found.push(at + 1..end);
                }
                is_import = false;
                at = end + 1;
            }
            _ if byte.is_ascii_alphabetic() || byte == b'_' => {
                let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
                let length = rest.iter().take_while(|byte| is_word(byte)).count();
                is_import = match &rest[..length] {
                    b"import" => true,
                    b"public" | b"weak" => is_import,
                    _ => false,
                };
                at += length;
            }
            _ => {
                is_import &= byte.is_ascii_whitespace();
                at += 1;
            }
        }
    }
    found
}

/// The place of the quote that ends the text beginning at `start`; the end of the source where there is none.
pub(super) fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1,
            _ if byte == bytes[start] => return at,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_of_long_files_are_left_out() {
        let long = " ".repeat(MANY_COMMENTS);
        let check = |source: &str, expect: &str| {
            assert_eq!(without_comments(source), source);
            let long = format!("{source}\n{long}");
            let got = without_comments(&long);
            assert_eq!(got.lines().next(), expect.lines().next(), "{source}");
            assert_eq!(got.strip_suffix(&*" ".repeat(MANY_COMMENTS)), Some(&*format!("{expect}\n")), "{source}");
        };
        check("a // b\nc//d // e", "a \nc");
        check("a /* b */ c", "a         c");
        check("a /* b\nxy\r\n ž */ c /**/;", "a \n\n       c     ;");
        check("\"//\" '/*' / x // \"", "\"//\" '/*' / x ");
        check("/* a /* b */ // c\nd", "/* a /* b */ \nd");
        check("\"\\\"//\" // x", "\"\\\"//\" ");
        check("/* without an end // x", "/* without an end // x");
        check("a", "a");
    }

    #[test]
    fn imports_are_written_as_the_compiler_takes_them() {
        let check = |source: &str, expect: &str| {
            let got = normalized(source);
            assert_eq!(got, expect);
            assert_eq!(got.len(), source.len());
        };
        check("import \"a/b.proto\";", "import \"a/b.proto\";");
        check("import \"/a/b.proto\";", "import  \"a/b.proto\";");
        check(
            "import public '//a.proto'; import\n'./b/../c.proto';",
            "import public   'a.proto'; import\n       'c.proto';",
        );
        check("import \"a//b.proto\"; string s = \"//x\";", "import  \"a/b.proto\"; string s = \"//x\";");
        check("import \"../a.proto\";", "import \"\u{1}\u{1}/a.proto\";");
        check("import \"b/../../a.proto\";", "import      \"\u{1}\u{1}/a.proto\";");
        check(
            "// import \"/a\";\n/* import \"/b\"; */ import weak \"/c\";",
            "// import \"/a\";\n/* import \"/b\"; */ import weak  \"c\";",
        );
        for same in [
            "string import = 1; option o = \"/x\";",
            "import \"/never",
            "importer \"/x\"",
            "/* import \"/x\"",
            "import /",
            "\"\\",
            "import",
        ] {
            check(same, same);
        }
        assert_eq!(on_disk(&plain("../../x/./y.proto")), "../../x/y.proto");
    }
}
