//! What must hold for whatever a server sends as HTML, and for selectors. Entered here with broken examples, and by the targets of
//! `tests/fuzz` with what libFuzzer thinks of.

use super::document::{ROOT, Yielder};
use super::selector::{Match, Selector};
use super::{data_attributes, parse, render};

/// A selector, a zero byte, and a page: there is a document that can be walked and written, or a refusal; what was written
/// is a page again.
pub fn page(data: &[u8]) {
    let at = memchr::memchr(0, data).unwrap_or(data.len());
    let (selector, html) = (String::from_utf8_lossy(&data[..at]), data.get(at + 1..).unwrap_or_default());
    let Ok(document) = parse::parse(&String::from_utf8_lossy(html), "http://h.test/a/b?c", Yielder::default()) else {
        return;
    };
    let selector = Selector::parse(&selector);
    let matcher = Match::new(&document);
    let found: Vec<_> = matcher.below(&selector, ROOT).take(1000).collect();
    for node in found.iter().take(20) {
        assert!(document.is_element(*node) && matcher.matches(&selector, *node));
        _ = (document.text(*node), document.own_text(*node), data_attributes::all(&document, *node));
        assert!(document.ancestors(*node).last() == Some(ROOT));
    }
    let written = render::inner(&document, ROOT);
    assert!(parse::parse(&written, "", Yielder::default()).is_ok() || written.len() > 4096, "{written:?}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::http::fuzz_tests::break_each;

    #[test]
    fn any_page_is_a_document() {
        // As much stack as a VU has when its script has used what it may.
        let check = || {
            break_each(
                &[
                    b"a[href^=\"/x\"], div > p:nth-child(2n+1):not(.b)\0<!DOCTYPE html><div><p class=a>1<p>2<a href=/x data-n='{\"a\":1}'>x</a></div>",
                    b"table tr:first-child td ~ td:contains('b')\0<table><tr><td>a<td>b</table>text<select><option selected>1",
                    b":matches(^a+$):has(#i), *|*:lang(en)\0<svg><circle/></svg><math><mi>x</math><template><b id=i>aaa</template>",
                    b":input:empty\0<form><input value='&amp;&#x41;&notit;'><textarea>\n<plaintext></form><!-- -- > -->",
                    b"b\0<p><b><i></p><b></i><p></b><a><a><table><b><td></b></table><script>if (a</b) '<!--<script>'</script>",
                ],
                page,
            );
        };
        std::thread::Builder::new().stack_size(3 << 20).spawn(check).unwrap().join().unwrap();
    }
}
