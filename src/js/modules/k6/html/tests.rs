//! Documents from texts and back, also from texts nobody should send.

use super::document::{NodeData, ROOT, Yielder};
use super::parse::{HtmlError, parse, parse_bounded};
use super::render::inner;

fn body(text: &str) -> String {
    let document = parse(text, "", Yielder::default()).unwrap();
    let body = document.descendants(ROOT).find(|node| document.name(*node) == "body").unwrap();
    inner(&document, body)
}

#[test]
fn broken_markup_is_repaired_and_written_as_go_writes_it() {
    let check = |text: &str, expect: &str| assert_eq!(body(text), expect, "{text}");
    check("<p>one<p>two", "<p>one</p><p>two</p>");
    check("<b><i>x</b>y</i>z", "<b><i>x</i></b><i>y</i>z");
    check("<table><tr><td>1<b>out</table>", "<table><tbody><tr><td>1<b>out</b></td></tr></tbody></table>");
    check("<table>stray<tr>", "stray<table><tbody><tr></tr></tbody></table>");
    check("<table>a<!--c-->b", "ab<table><!--c--></table>");
    check("<br><img src=x>", "<br/><img src=\"x\"/>");
    check("a &amp; b &lt; c' \"q\" &nbsp;", "a &amp; b &lt; c&#39; &#34;q&#34; \u{a0}");
    check("<p title='<\"&'>", "<p title=\"&lt;&#34;&amp;\"></p>");
    check("<pre>\n\nx</pre>", "<pre>\n\nx</pre>");
    check("x<script>a < b && 'c'</script>", "x<script>a < b && 'c'</script>");
    check("x<noscript><b>n</b></noscript>", "x<noscript><b>n</b></noscript>");
    check("<select><b>x<option>y", "<select>x<option>y</option></select>");
    check("x<template><b>t</b></template>", "x<template><b>t</b></template>");
    check(
        "<svg viewbox=1><foreignobject xlink:href=y>",
        "<svg viewBox=\"1\"><foreignObject xlink:href=\"y\"></foreignObject></svg>",
    );
    check("<p><!-- > a --><!--->--></p>", "<p><!-- > a --><!---->--&gt;</p>");
    check("<body a=1><body b=2 a=3>x", "x");
    check("a\u{0}b<p\u{0}>", "ab<p\u{fffd}></p\u{fffd}>");
    check("\u{feff}<title>x</title>", "\u{feff}<title>x</title>");
    check("<plaintext></p>x", "<plaintext></p>x");
}

#[test]
fn the_declaration_is_kept() {
    let check =
        |text: &str, expect: &str| assert_eq!(inner(&parse(text, "", Yielder::default()).unwrap(), ROOT), expect);
    let empty = "<html><head></head><body></body></html>";
    check("<!DOCTYPE html>", &format!("<!DOCTYPE html>{empty}"));
    check("<!DOCTYPE html PUBLIC \"p\" 's\"'>", &format!("<!DOCTYPE html PUBLIC \"p\" 's\"'>{empty}"));
    check("<!DOCTYPE html SYSTEM 's'><!-- c -->", &format!("<!DOCTYPE html SYSTEM \"s\"><!-- c -->{empty}"));
    check("", empty);
}

#[test]
fn text_is_one_node_however_it_was_cut() {
    // Longer than the pieces the parser reads, and of letters that are no single bytes.
    let text = "ž".repeat(10_000);
    let document = parse(&format!("<p>{text}&amp;{text}</p>"), "", Yielder::default()).unwrap();
    let texts: Vec<_> =
        document.descendants(ROOT).filter(|node| matches!(document.data(*node), NodeData::Text(_))).collect();
    assert_eq!(texts.len(), 1);
    assert_eq!(document.text(ROOT), format!("{text}&{text}"));
}

#[test]
fn elements_are_nested_as_deep_as_go_allows() {
    let nested = |depth: usize| format!("{}x{}", "<div>".repeat(depth), "</div>".repeat(depth));
    // Around them are `html` and `body`.
    assert!(parse(&nested(510), "", Yielder::default()).is_ok());
    let refused = |text: &str| parse(text, "", Yielder::default()).map(|_| ()).unwrap_err();
    assert_eq!(refused(&nested(511)), HtmlError::Refused("html: open stack of elements exceeds 512 nodes"));
    assert_eq!(refused(&nested(1_000_000)), HtmlError::Refused("html: open stack of elements exceeds 512 nodes"));
}

#[test]
fn hostile_texts_end_soon() {
    let many = |piece: &str| piece.repeat(500_000 / piece.len());
    let texts = [
        many("<div>"),
        many("<b>"),
        many("<a href=x>"),
        many("<p><b class=a><b class=b></p>"),
        many("<table><td>"),
        many("<table><b>x"),
        many("</p>"),
        many("<li>"),
        many("<!--"),
        many("<"),
        many("&"),
        many("&#x"),
        many("\u{0}"),
        many("<svg><p>"),
        many("<select><option>"),
        many("<template>"),
        many("<form><input>"),
        many("<i></b>"),
        many("<font size=1></font>x"),
        many("<body a=1>"),
        format!("<p {}>", many("a b c=d ")),
        format!("<p {}>", (0..200_000).map(|at| format!("a{at} ")).collect::<String>()),
        format!("<p {}", (0..200_000).map(|at| format!("a{at}=\"\" ")).collect::<String>()),
        (0..100_000).map(|at| format!("<html a{at}>")).collect(),
        (0..100_000).map(|at| format!("<b a{at}>")).collect(),
        (0..100_000).map(|at| format!("<div><b a{at}></div>")).collect(),
        format!("<title>{}", many("x<")),
        format!("<script>{}", many("<!--<script>")),
        format!("<img src=\"data:{}\">", many("AAAA")),
    ];
    for text in texts {
        // Where the work grew with the square of the length, this would not end before everybody has left.
        if let Ok(document) = parse(&text, "", Yielder::default()) {
            assert!(document.text(ROOT).len() <= text.len() + 1, "{text:.40}");
        }
    }
}

#[test]
fn what_is_opened_again_and_again_is_bounded() {
    // Each paragraph opens hundreds of elements that an earlier one did not close.
    let open: String = (0..400).map(|at| format!("<b a{at}>")).collect();
    let text = format!("<p>{open}{}", "<p>x".repeat(200));
    let bounded = |max: usize| parse_bounded(&text, "", Yielder::default(), max).map(|document| document.len());
    assert_eq!(bounded(50_000), Err(HtmlError::Refused("html: the document has more than 5000000 nodes")));
    let nodes = bounded(usize::MAX).unwrap();
    assert!(nodes > 400 * 200, "{nodes}");
    assert_eq!(bounded(nodes), Ok(nodes));
    let count = |text: &str| parse(text, "", Yielder::default()).unwrap().descendants(ROOT).count();
    assert_eq!(
        count(&"<p><b><i><a href=x><font>".repeat(10_000)),
        count(&"<p><b><i><a href=x><font>".repeat(9_999)) + 18
    );
}

#[test]
fn elements_that_share_their_tags_stay_apart() {
    let check = |text: &str, expect: &str| {
        let document = parse(text, "", Yielder::default()).unwrap();
        assert_eq!(inner(&document, ROOT), format!("<html><head></head>{expect}</html>"));
    };
    check("<p a=1></p><p a=2></p><p a=1>", "<body><p a=\"1\"></p><p a=\"2\"></p><p a=\"1\"></p></body>");
    check("<body a=1><p><body b=2>", "<body a=\"1\" b=\"2\"><p></p></body>");
    check("<svg><a b=1></a></svg><a b=1>", "<body><svg><a b=\"1\"></a></svg><a b=\"1\"></a></body>");
    let long = |end: char| format!("{}{end}", "x".repeat(100));
    let (one, two) = (long('1'), long('2'));
    check(&format!("<p a={one}></p><p a={two}></p>"), &format!("<body><p a=\"{one}\"></p><p a=\"{two}\"></p></body>"));
}

#[test]
fn any_text_is_parsed_and_written_again() {
    let pieces = [
        "<p>",
        "</p>",
        "<b>",
        "</b>",
        "<i a=1>",
        "<table>",
        "<tr>",
        "<td>",
        "</table>",
        "<select>",
        "<option>",
        "<svg>",
        "<math>",
        "<mi>",
        "<template>",
        "</template>",
        "<form>",
        "<script>",
        "</script>",
        "<!--",
        "-->",
        "<!DOCTYPE x>",
        "&amp;",
        "&",
        "<",
        ">",
        "\"",
        "'",
        "=",
        "x",
        "\u{0}",
        "ž",
        "\r\n",
        "<a href='",
        "<plaintext>",
        "<frameset>",
        "<br/>",
        "</br>",
        "<body>",
        "<html c>",
        "<title>",
        "<textarea>",
        "\n",
        "<caption>",
        "<col>",
        "<annotation-xml encoding=text/html>",
        "<desc>",
    ];
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    for round in 0..1500 {
        let mut text = String::new();
        for _ in 0..(round % 60) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            text.push_str(pieces[(state % pieces.len() as u64) as usize]);
        }
        let document = parse(&text, "", Yielder::default()).unwrap();
        _ = inner(&document, ROOT);
        // Every node is reached once, from its parent, and its siblings agree about their order.
        for node in document.descendants(ROOT) {
            let parent = document.parent(node).unwrap();
            assert!(document.children(parent).any(|child| child == node), "{text}");
            assert_eq!(
                document.next(node).map(|next| document.previous(next)),
                document.next(node).map(|_| Some(node))
            );
        }
    }
}
