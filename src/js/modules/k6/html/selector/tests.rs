//! Selectors against one document, by the texts of what they find.

use super::*;
use crate::js::modules::k6::html::document::{ROOT, Yielder};
use crate::js::modules::k6::html::parse::parse;

const PAGE: &str = r#"<html lang="en-US"><body>
<ul id="list" class="a b"><li class="x">one</li><li>two <b>bold</b></li><li></li><!--c-->text<li lang="cs">four</li></ul>
<p class="x" data-n="A" title="  ">para</p><p class="-y é">last</p>
<form><fieldset disabled><legend><input name="in-legend"></legend><input name="in-fieldset"></fieldset>
<input name="free" type="CHECKBOX" checked><select><option selected>o1</option><option disabled>o2</option></select>
<a href="/x">link</a><a>anchor</a></form></body></html>"#;

/// What a selector finds: the name of a control, else its text, else its tag.
fn found(selector: &str) -> String {
    let document = parse(PAGE, "", Yielder::default()).unwrap();
    let matcher = Match::new(&document);
    let selector = Selector::parse(selector);
    let shown = matcher.below(&selector, ROOT).map(|node| match document.attribute(node, "name") {
        Some(name) => name.to_owned(),
        None if document.text(node).trim().is_empty() => document.name(node).to_owned(),
        None => document.text(node).trim().to_owned(),
    });
    shown.collect::<Vec<_>>().join("|")
}

#[test]
fn simple_selectors_find_elements() {
    let check = |selector: &str, expect: &str| assert_eq!(found(selector), expect, "{selector}");
    check("li", "one|two bold|li|four");
    check("LI.x", "one");
    check(".x", "one|para");
    check("#list > li:first-child", "one");
    check("li, p.x", "one|two bold|li|four|para");
    check("*|*.x", "one|para");
    check("ul *", "one|two bold|bold|li|four");
    check(r"p.\2d y", "last");
    check(".-y", "last");
    check("p.é", "last");
    check(r"p.\e9", "last");
    check(" p /* comment */ . x", "");
    check("ul/**/li.x", "one");
}

#[test]
fn attributes_are_tested() {
    let check = |selector: &str, expect: &str| assert_eq!(found(selector), expect, "{selector}");
    check("p[data-n]", "para");
    check("p[DATA-N=A]", "para");
    check("p[data-n=a]", "");
    check("p[data-n=a i]", "para");
    check("p[data-n!=A]", "last");
    check("[class~=b] > .x", "one");
    check("li[lang|=cs]", "four");
    check("p[title^='']", "");
    check("p[class*=-]", "");
    check("p[class*='-']", "last");
    check("a[href#=^/x$]", "link");
    check("p[data-n=1]", "");
    check("p[data-n='A'", "");
}

#[test]
fn combinators_look_left() {
    let check = |selector: &str, expect: &str| assert_eq!(found(selector), expect, "{selector}");
    check("li + li", "two bold|li|four");
    check("li.x ~ li", "two bold|li|four");
    check("ul + p", "para");
    check("body > li", "");
    check("ul b", "bold");
    check("ul >b", "");
    check("li>b", "bold");
}

#[test]
fn pseudo_classes_are_k6s() {
    let check = |selector: &str, expect: &str| assert_eq!(found(selector), expect, "{selector}");
    check("li:nth-child(2n+1)", "one|li");
    check("li:nth-child( odd )", "one|li");
    check("li:nth-child(-n + 2)", "one|two bold");
    check("li:nth-last-child(1)", "four");
    check("p:nth-of-type(2)", "last");
    check("p:last-of-type", "last");
    check("b:only-child", "bold");
    check("li:empty", "li");
    check("li:contains(TWO)", "two bold");
    check("li:contains('bold')", "two bold");
    check("li:containsOwn(bold)", "");
    check("li:matches(^t.o\\b)", "two bold");
    check("li:matches(o(n|u)[er])", "one|four");
    check("li:matchesOwn(^bold)", "");
    check("ul:has(b) > li.x", "one");
    check("li:haschild(b)", "two bold");
    check("li:not(.x, :empty)", "two bold|four");
    check("a:link", "link");
    check("p:lang(en)", "para|last");
    check("li:lang(cs)", "four");
    check("input:disabled", "in-fieldset");
    check("input:enabled", "in-legend|free");
    check("option:disabled", "o2");
    check(":checked", "free|o1");
    check("form :input", "in-legend|in-fieldset|free|o1o2");
    check("a:hover", "");
    check("p:root", "");
    check("html:root > body > ul > .x", "one");
}

#[test]
fn what_is_no_selector_matches_nothing() {
    let nested = ":not(".repeat(100) + "p" + &")".repeat(100);
    for selector in [
        "",
        " ",
        "p[",
        "..a",
        ">",
        "> p",
        "p >",
        "p:nosuch",
        "#",
        ".",
        "p:nth-child(",
        "p:nth-child()",
        "p:nth-child(x)",
        "!!",
        "p::before",
        "p:before",
        "p:first",
        "p,",
        ",p",
        "p:not()",
        "p:contains()",
        "p:matches([)",
        "p:has(> b)",
        "p[a='b]",
        "p[a=\"\n\"]",
        "p\\",
        "é[",
        "p[é",
        "p[aé=b]",
        "p:éé",
        "p:matches(é",
        "\u{0}",
        "p)",
        "(p)",
        &nested,
    ] {
        assert_eq!(found(selector), "", "{selector}");
    }
}

#[test]
fn any_text_is_read_without_a_crash() {
    // A generator of its own: the same texts in every run.
    let pieces = [
        "p",
        ".",
        "#",
        "[",
        "]",
        "(",
        ")",
        ":",
        "not",
        "has",
        "nth-child",
        "contains",
        "matches",
        "\"",
        "'",
        "\\",
        "\\e9 ",
        "é",
        "=",
        "~=",
        "#=",
        "2n",
        "+",
        "-",
        ">",
        "~",
        ",",
        " ",
        "*",
        "|",
        "/*",
        "*/",
        "\n",
        "\u{0}",
        "1",
        "\\\n",
    ];
    let document = parse(PAGE, "", Yielder::default()).unwrap();
    let matcher = Match::new(&document);
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    for _ in 0..4000 {
        let mut text = String::new();
        for _ in 0..12 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            text.push_str(pieces[(state % pieces.len() as u64) as usize]);
            _ = matcher.below(&Selector::parse(&text), ROOT).count();
        }
    }
}
