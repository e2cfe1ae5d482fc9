//! What must hold for whatever scripts and servers write: selectors over JSON, multipart forms. Entered here with broken
//! examples, and by the targets of `tests/fuzz` with what libFuzzer thinks of.

use bytes::Bytes;

use super::{body, gjson, json_text};
use crate::js::value::Value;

/// A selector, a zero byte, and a JSON text: what is found is JSON again.
pub fn selector(data: &[u8]) {
    let end = memchr::memchr(0, data).unwrap_or(data.len());
    let (path, json) = (String::from_utf8_lossy(&data[..end]), data.get(end + 1..).unwrap_or_default());
    // Literals of many elements, taken for each element of another, multiply: a path can be slow of its own accord.
    let multiplies = path.matches('#').count() > 4 || path.matches("@dig").count() > 1;
    if multiplies || json_text::check(json).is_err() {
        return;
    }
    let found = gjson::select(json, &path);
    assert_eq!(gjson::check_and_select(json, &path), Ok(found.clone()), "{path:?}");
    if let (Some(begin), Some(found)) = (gjson::begin_of(json, &path), &found) {
        let rest = json[begin..].trim_ascii_start();
        assert!(rest.starts_with(found) && json_text::may_follow(&rest[found.len()..]), "{path:?}");
    }
    if let Some(found) = found {
        let text = String::from_utf8_lossy(&found);
        let read = serde_json::from_str::<serde::de::IgnoredAny>(&text);
        // Deeper than serde likes to go is still JSON.
        assert!(
            read.is_ok() || read.as_ref().is_err_and(|error| error.to_string().contains("recursion")),
            "{path:?} of {:?} is {text:?}: {read:?}",
            String::from_utf8_lossy(json)
        );
    }
}

/// A form of a text and a file: both are found again between the boundaries.
pub fn form(data: &[u8]) {
    let mut parts = data.splitn(4, |byte| *byte == 0).map(|part| String::from_utf8_lossy(part).into_owned());
    let mut part = || parts.next().unwrap_or_default();
    let (name, kind, text, contents) = (part(), part(), part(), part());
    let file = vec![
        ("data".to_owned(), Value::Bytes(Bytes::from(contents.clone()))),
        ("filename".to_owned(), Value::from(&*name)),
        ("content_type".to_owned(), Value::from(&*kind)),
    ];
    let fields = vec![("t".to_owned(), Value::from(&*text)), ("f".to_owned(), Value::Map(file))];
    let Ok(encoded) = body::encode(Value::Map(fields), &mut drop) else { panic!("a form is a body") };
    let kind = encoded.content_type.unwrap_or_default();
    let Some(boundary) = kind.strip_prefix("multipart/form-data; boundary=") else { panic!("{kind:?}") };
    let Some(body) = encoded.body else { panic!("a form is sent") };
    let joined = body.joined();
    assert_eq!(body.len(), joined.len());
    let begin = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"t\"\r\n\r\n{text}\r\n--{boundary}\r\n");
    let end = format!("\r\n\r\n{contents}\r\n--{boundary}--\r\n");
    assert!(joined.starts_with(begin.as_bytes()) && joined.ends_with(end.as_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::http::fuzz_tests::break_each;

    /// What a VU's stack leaves when its script has used what it may.
    const STACK: usize = 3 << 20;

    /// Runs on as little stack as a VU has.
    fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn(work).unwrap();
        thread.join().unwrap();
    }

    #[test]
    fn any_selector_finds_json_or_nothing() {
        on_a_small_stack(|| {
            break_each(
                &[
                    b"data.#(id>1)#.name\0{\"data\":[{\"id\":1,\"name\":\"a\"},{\"id\":2,\"name\":\"b\\u00e9\"}],\"n\":null}",
                    b"a.b\\.c|@reverse|0\0{\"a\":{\"b.c\":[1,2.5e3,true,\"x\"]}}",
                    b"{x:a.#,\"y\":b*.1,!\"lit\"}\0 {\"a\":[[1],[2,3]],\"bc\":[\"q\",\"\\\"\"]} ",
                    b"[a,#(b%\"x*\").c,@this.@keys]\0[{\"b\":\"xy\",\"c\":-0.5},{}]",
                    b"..#.a\0{\"a\":1}",
                    b"@flatten:{\"deep\":true}|@join|@tostr|@fromstr\0[1,[2,[3,{\"a\":1}]]]",
                    b"@pretty:{\"sortKeys\":true,\"indent\":\"  \"}|@ugly|@valid\0{\"b\":1,\"a\":[{}]}",
                    b"@group|@dig:x|#.#(x!~false)\0{\"x\":[1,2],\"y\":[{\"x\":3},4]}",
                ],
                selector,
            );
        });
    }

    #[test]
    fn deep_texts_end_in_an_answer() {
        on_a_small_stack(|| {
            for depth in [100, 9_000, 40_000] {
                let json = ["[".repeat(depth), "]".repeat(depth)].concat();
                for path in ["0", "#", "#.#", "@flatten:{\"deep\":true}", "@pretty", "@dig:x", "..0", "[0,0]", "@ugly"]
                {
                    selector(format!("{path}\0{json}").as_bytes());
                }
                let objects = ["{\"a\":".repeat(depth), "1".to_owned(), "}".repeat(depth)].concat();
                for path in [
                    "a",
                    "*",
                    "@pretty:{\"sortKeys\":true}",
                    "@keys",
                    "@dig:a",
                    &"a.".repeat(depth),
                    &"*.".repeat(depth),
                ] {
                    selector(format!("{path}\0{objects}").as_bytes());
                }
            }
            for path in [
                "[".repeat(100_000),
                "{".repeat(100_000),
                "#(".repeat(100_000),
                "@this|".repeat(100_000),
                "..".repeat(100_000),
            ] {
                selector(format!("{path}\0[[[1]]]").as_bytes());
            }
        });
    }

    #[test]
    fn any_form_is_whole() {
        break_each(
            &[b"file.bin\0text/plain\0a text\0contents", b"a\"b\\c\r\n\0x\0\0\xff\xfe", b"\0\0--\0--\r\n"],
            form,
        );
    }
}
