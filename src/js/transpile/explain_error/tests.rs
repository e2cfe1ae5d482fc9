//! What errors are said to be about, by the text and the place.

use super::quote::MAX_QUOTE;
use super::*;

#[track_caller]
fn check(text: &str, place: (u32, u32), message: &str, expect: Option<&str>) {
    let is_export = |module: &str, name: &str| module == "k6" && name == "check";
    let found =
        explain(text, ErrorPlace { at: Some(place), function: "" }, message, &is_export).map(|found| found.message);
    assert_eq!(found.as_deref(), expect, "{text}");
}

#[test]
fn calls_name_what_is_called() {
    let not = "not a function";
    check("a.b.c();", (1, 5), not, Some("a.b.c is not a function"));
    check("a.b().c();", (1, 3), not, Some("a.b is not a function"));
    check("a.b().c();", (1, 7), not, Some("a.b().c is not a function"));
    check("x = 1;\nf(1);", (2, 1), not, Some("f is not a function"));
    check("f(1);", (1, 2), "not a callable function", Some("f is not a function"));
    check("a['k-k'].foo(1)", (1, 10), not, Some("a['k-k'].foo is not a function"));
    check("void 0,(0,_c0.exports.a)(1)", (1, 23), not, Some("a is not a function"));
    check("new a.B(1)", (1, 5), not, Some("a.B is not a constructor"));
    check("new a.B(1)", (1, 1), "not a constructor", Some("a.B is not a constructor"));
    check("TypeError('not a function')", (1, 1), not, None);
    check("a.tag`x`", (1, 3), not, Some("a.tag is not a function"));
}

#[test]
fn a_call_goes_by_the_place_of_its_arguments() {
    let not = "not a function";
    check("f(x);", (1, 3), not, Some("f is not a function"));
    check("a.f(x.y);", (1, 5), not, Some("a.f is not a function"));
    check("a.f('s', x);", (1, 3), not, Some("a.f is not a function"));
    check("a.f(1 + g());", (1, 9), not, Some("g or a.f is not a function"));
    check("const g = () => 1;\na.f(g());", (2, 5), not, Some("a.f is not a function"));
    check("function g() {}\na.f(g());", (2, 5), not, Some("a.f is not a function"));
    check("let g = () => 1;\na.f(g());", (2, 5), not, Some("g or a.f is not a function"));
    check("console.log(user.nme());", (1, 18), not, Some("user.nme is not a function"));
    check(
        "const console = {};\nconsole.log(user.nme());",
        (2, 18),
        not,
        Some("user.nme or console.log is not a function"),
    );
    check("import { check } from 'k6';\ncheck(r.f());", (2, 9), not, Some("r.f is not a function"));
    check("import { group } from 'k6';\ngroup(r.f());", (2, 9), not, Some("r.f or group is not a function"));
    check("(async () => g(1))(x.y());", (1, 22), not, Some("x.y is not a function"));
    check("a.f(new Date(), 1);", (1, 9), not, Some("a.f is not a function"));
}

#[test]
fn properties_name_what_has_none() {
    let read = "cannot read property 'c' of null";
    check("a.b.c;", (1, 1), read, Some("cannot read property 'c' of null: a.b is null"));
    check("f(a.b.c, x.y.d)", (1, 3), read, Some("cannot read property 'c' of null: a.b is null"));
    check("f(a.c, b.c)", (1, 3), read, Some("cannot read property 'c' of null: a or b is null"));
    check("a?.c", (1, 1), read, None);
    check("const a = {};\nf(a.c.c)", (2, 3), read, Some("cannot read property 'c' of null: a.c is null"));
    check("console.c(a.c)", (1, 11), read, Some("cannot read property 'c' of null: a is null"));
    check("console.c(a.c)", (1, 1), read, None);
    let set = "cannot set property 'c' of undefined";
    check("a.b['c'] = 1;", (1, 1), set, Some("cannot set property 'c' of undefined: a.b is undefined"));
    let of = "cannot read property 'name' of undefined";
    let told = "cannot read property 'name' of undefined: user is undefined";
    check("function f(user) {\n  return user.name;\n}", (1, 1), of, Some(told));
    check("x();\nconst f = (user) => {\n  const n = user.name;\n};", (2, 11), of, Some(told));
    check("const f = (user) => {\n  g();\n  return user.name;\n};", (2, 3), of, Some(told));
}

#[test]
fn parts_around_a_place_are_meant_where_it_has_none() {
    let boa = "cannot convert 'null' or 'undefined' to object";
    let read = "cannot read property 'c' of undefined or null: a.b is undefined or null";
    check("function f() {\n  a.b.c;\n}", (2, 7), boa, Some(read));
    check("function f() {\n  a.b.c(1);\n}", (1, 14), boa, Some(read));
    check("function f() {\n  x.y(a.b.c(1));\n}", (2, 6), boa, Some(read));
    check("a.b.c;", (1, 1), boa, None);
    let set = "cannot set property 'c' of undefined or null: a.b is undefined or null";
    check("function f() {\n  a.b.c = 1;\n}", (2, 3), boa, Some(set));
    let through = "a.b is not iterable: it is undefined or null";
    check("function f() {\n  console.log([...a.b]);\n}", (2, 14), boa, Some(through));
    check("function f() {\n  for (const x of a.b) g(x);\n}", (1, 14), boa, Some(through));
    let argument = explain(
        "const f = ({ x }) => x;\nf();",
        ErrorPlace { at: None, function: "f" },
        "Cannot destructure 'undefined' value",
        &|_, _| false,
    );
    assert_eq!(argument.unwrap().message, "cannot destructure the argument { x }: it is undefined or null");
    let top = explain("const u = g();\nu.c(1);", ErrorPlace { at: None, function: "" }, boa, &|_, _| false).unwrap();
    assert_eq!(top.message, "cannot read property 'c' of undefined or null: u is undefined or null");
    assert_eq!(top.place, Some((2, 3)));
}

#[test]
fn what_is_taken_apart_is_named() {
    let apart = "Cannot convert undefined or null to object";
    check("const { x } = a.b;", (1, 1), apart, Some("cannot destructure a.b: it is undefined or null"));
    check("const { x } = a.b, { y } = c;", (1, 1), apart, Some("cannot destructure a.b or c: it is undefined or null"));
    check("f(({ x }) => x)", (1, 3), apart, Some("cannot destructure the argument { x }: it is undefined or null"));
    check("delete a.b.c;", (1, 1), apart, None);
    let through = "cannot read property 'Symbol.iterator' of undefined";
    check("x;\nfor (const x of a.b) f(x);", (1, 1), through, Some("a.b is not iterable: it is undefined"));
    check("f(...a.b);", (1, 1), through, Some("a.b is not iterable: it is undefined"));
    check("for (const x of n) f(x);", (1, 1), "value is not iterable", Some("n is not iterable"));
}

#[test]
fn operands_are_named() {
    let expect = Some("cannot use 'in' with a.b: it is not an object");
    check("f('x' in a.b);", (1, 10), "invalid 'in' operand", expect);
    let boa = "right-hand side of 'in' should be an object, got `undefined`";
    check("f('x' in a.b);", (1, 2), boa, expect);
}

#[test]
fn quotes_are_short() {
    let text = format!("f({}).g();", "x, ".repeat(200));
    check(&text, (1, text.len() as u32 - 3), "not a function", Some("f(...).g is not a function"));
    let text = format!("{}c();", "abcdefgh.".repeat(20));
    let found =
        explain(&text, ErrorPlace { at: Some((1, text.len() as u32 - 3)), function: "" }, "not a function", &|_, _| {
            false
        })
        .unwrap()
        .message;
    assert!(found.starts_with("...") && found.len() <= MAX_QUOTE + " is not a function".len(), "{found}");
}

#[test]
fn parts_of_what_is_taken_apart_are_named() {
    let check = |text: &str, expect: &str| {
        let quickjs = "Cannot convert undefined or null to object";
        let place = ErrorPlace { at: Some((1, 1)), function: "" };
        let found = explain(text, place, quickjs, &|_, _| false).map(|found| found.message);
        let expect = format!("cannot destructure {expect}");
        assert_eq!(found, Some(expect.clone()), "{text}");
        // Boa says so of lists, too, and whether it is `null`.
        if text.contains('[') || expect.contains(", or ") {
            return;
        }
        let text = format!("function f() {{ {text} }}");
        let place = ErrorPlace { at: Some((1, 14)), function: "f" };
        for of in ["Cannot destructure 'null' value", "Cannot destructure 'undefined' value"] {
            let found = explain(&text, place, of, &|_, _| false).map(|found| found.message);
            let is_other = expect.ends_with("is null") && of.contains("undefined")
                || expect.ends_with("is undefined") && of.contains("null");
            assert_eq!(found, (!is_other).then(|| expect.clone()), "{text}");
        }
    };
    check("const { a: { b } } = x;", "x or x.a: it is undefined or null");
    check("const x = {}, { a: { b } } = x;", "x.a: it is undefined or null");
    check("const { a: { b: { c } } } = { a: v };", "a of { a: v } or a.b of { a: v }: it is undefined or null");
    check("const { q: { z } = {} } = { q: null };", "q of { q: null }: it is null");
    check(
        "const { q: { z } = {} } = x.y, n = 1;",
        "x.y: it is undefined or null, or cannot destructure x.y.q: it is null",
    );
    check("const { q: { z: { w } } = {} } = {};", "q.z of {}: it is undefined");
    check("const { 'k-k': [{ b }] } = x, n = {};", "x or x['k-k'][0]: it is undefined or null");
    check("const [, { b }] = [{}, n];", "[1] of [{}, n]: it is undefined or null");
}

#[test]
fn a_place_without_a_line_is_in_its_function() {
    let text = "const a = ({ x }) => x;\nfunction b({ y }) {}\nc(({ z }) => z);\nconst { t } = u;";
    let check = |function: &str, expect: &str| {
        let place = ErrorPlace { at: None, function };
        let found = explain(text, place, "Cannot destructure 'undefined' value", &|_, _| false);
        let expect = format!("cannot destructure {expect}: it is undefined or null");
        assert_eq!(found.map(|found| found.message), Some(expect), "{function}");
    };
    check("a", "the argument { x }");
    check("b", "the argument { y }");
    check("", "the argument { z } or u");
}

#[test]
fn what_was_read_before_is_named_once() {
    let boa = "cannot convert 'null' or 'undefined' to object";
    let check = |text: &str, expect: &str| {
        let text = format!("import * as H from './h.js';\nfunction f(o) {{ {text} }}");
        let place = ErrorPlace { at: Some((2, 15)), function: "f" };
        let found = explain(&text, place, boa, &|_, _| false).map(|found| found.message);
        assert_eq!(found.as_deref(), Some(expect), "{text}");
    };
    let c = "cannot read property 'd' of undefined or null: o.c is undefined or null";
    check("H.one?.two; const p = {}; p.a?.b; p.c.d?.e;", &c.replace("o.c", "p.c"));
    check(
        "o.a?.b; o.c.d?.e;",
        &format!("cannot read property 'a' of undefined or null: o is undefined or null, or {c}"),
    );
}
