//! Paths over one text, in the manner of GJSON's description.

use super::{check_and_select, get};

const JSON: &str = r#"{
  "name": {"first": "Tom", "last": "Anderson"},
  "age": 37,
  "children": ["Sara", "Alex", "Jack"],
  "fav.movie": "Deer Hunter",
  "friends": [
    {"first": "Dale", "last": "Murphy", "age": 44, "nets": ["ig", "fb", "tw"], "ok": true},
    {"first": "Roger", "last": "Craig", "age": 68, "nets": ["fb", "tw"], "ok": false},
    {"first": "Jane", "last": "Murphy", "age": 47, "nets": ["ig", "tw"], "tags": {"x": 1}}
  ],
  "caf\u00e9": "q\"uote",
  "mixed": [1, "1", true, null, {"a": 1}, [2, [3]]],
  "text": "{\"a\":[1]}"
}"#;

/// What `path` finds in `json`, without space; `-` for nothing.
fn found(json: &str, path: &str) -> String {
    let found = get(json.as_bytes(), path);
    // Lines of texts are no text.
    if is_json(json.as_bytes()) {
        assert_eq!(check_and_select(json.as_bytes(), path), Ok(found.clone().filter(|text| is_json(text))), "{path}");
    }
    match found {
        Some(text) => match serde_json::from_slice::<serde_json::Value>(&text) {
            Ok(_) => String::from_utf8(get(&text, "@ugly").unwrap().into_owned()).unwrap(),
            Err(error) => panic!("{path} made {text:?}: {error}"),
        },
        None => "-".to_owned(),
    }
}

fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok()
}

fn check(table: &[(&str, &str)]) {
    for (path, expect) in table {
        assert_eq!(found(JSON, path), *expect, "{path}");
    }
}

#[test]
fn steps() {
    check(&[
        ("name.last", r#""Anderson""#),
        ("age", "37"),
        ("children", r#"["Sara","Alex","Jack"]"#),
        ("children.#", "3"),
        ("children.1", r#""Alex""#),
        ("children.9", "-"),
        ("children.x", "-"),
        ("age.x", "-"),
        ("missing", "-"),
        ("child*.2", r#""Jack""#),
        ("c?ildren.0", r#""Sara""#),
        ("*.first", r#""Tom""#),
        (r"fav\.movie", r#""Deer Hunter""#),
        ("café", r#""q\"uote""#),
        ("friends.#.first", r#"["Dale","Roger","Jane"]"#),
        ("friends.#.tags.x", "[1]"),
        ("friends.1.last", r#""Craig""#),
        ("friends.#.nets.#", "[3,2,2]"),
        ("friends|1|last", r#""Craig""#),
        ("friends.#.first|0", r#""Dale""#),
        ("friends.#.first.0", "[]"),
        ("mixed.3", "null"),
        ("mixed.5.1.0", "3"),
        ("", "-"),
    ]);
    assert_eq!(found(r#"{"a":1,"a":{"b":2},"":3}"#, "a.b"), "2");
    assert_eq!(found(r#"{"a":1,"a":2}"#, "a"), "1");
    assert_eq!(found("5", "a"), "-");
    assert_eq!(found(" [1, 2 ,3 ] ", "1"), "2");
}

#[test]
fn queries() {
    check(&[
        (r#"friends.#(last=="Murphy").first"#, r#""Dale""#),
        (r#"friends.#(last=="Murphy")#.first"#, r#"["Dale","Jane"]"#),
        ("friends.#(age>45)#.last", r#"["Craig","Murphy"]"#),
        (r#"friends.#(first%"D*").last"#, r#""Murphy""#),
        (r#"friends.#(first!%"D*")#.first"#, r#"["Roger","Jane"]"#),
        (r#"friends.#(nets.#(=="fb"))#.first"#, r#"["Dale","Roger"]"#),
        (r#"friends.#[last="Craig"].age"#, "68"),
        ("friends.#(tags).first", r#""Jane""#),
        ("friends.#(age>99)", "-"),
        ("friends.#(age>99)#", "[]"),
        ("friends.#(ok==true)#.age", "[44]"),
        ("friends.#(ok==~true)#.age", "[44]"),
        ("friends.#(ok==~false)#.age", "[68,47]"),
        ("friends.#(ok==~null)#.age", "[47]"),
        ("friends.#(ok==~*)#.age", "[44,68]"),
        ("friends.#(age>45)#|#", "2"),
        ("friends.#(age>45)#.first|0", r#""Roger""#),
        (r#"children.#(%"?a*")#"#, r#"["Sara","Jack"]"#),
        (r#"mixed.#(=="1")"#, "1"),
        ("friends.#(age>45", "-"),
    ]);
}

#[test]
fn modifiers() {
    check(&[
        ("children|@reverse", r#"["Jack","Alex","Sara"]"#),
        ("children.@reverse.0", r#""Jack""#),
        ("name|@reverse", r#"{"last":"Anderson","first":"Tom"}"#),
        ("name.@keys", r#"["first","last"]"#),
        ("name.@values", r#"["Tom","Anderson"]"#),
        ("children.@keys", "[null,null,null]"),
        ("age.@values", "[37]"),
        ("mixed.@flatten|#", "7"),
        (r#"mixed.@flatten:{"deep":true}|6"#, "3"),
        ("mixed.5.@flatten", "[2,3]"),
        (r#"friends.@join.first"#, r#""Jane""#),
        ("text.@fromstr.a.0", "1"),
        ("name.@tostr.@fromstr.first", r#""Tom""#),
        ("age.@tostr", r#""37""#),
        ("name.@ugly.@tostr", r#""{\"first\":\"Tom\",\"last\":\"Anderson\"}""#),
        ("name.@pretty.first", r#""Tom""#),
        ("name.@valid.last", r#""Anderson""#),
        ("@this.age", "37"),
        ("@dig:x", "[1]"),
        ("@dig:nets.0|#", "3"),
        ("@group|#", "6"),
        ("@group.1.children", r#""Alex""#),
        ("age.@group", "-"),
        ("@unknown", "-"),
        ("age|@unknown", "-"),
        ("@keys.#", "8"),
    ]);
    assert_eq!(found(r#"{"@x":4,"!b":5}"#, "@x"), "4");
    assert_eq!(found(r#"{"@x":4,"!b":5}"#, "!b"), "5");
}

#[test]
fn several_paths_and_literals() {
    check(&[
        ("{age,name.first}", r#"{"age":37,"first":"Tom"}"#),
        (r#"{"years":age,"kid":children.0}"#, r#"{"years":37,"kid":"Sara"}"#),
        ("{years:age}", r#"{"years":37}"#),
        ("[age,name.first,missing]", r#"[37,"Tom"]"#),
        ("{missing}", "{}"),
        ("{children.#}", r#"{"_":3}"#),
        ("name.{first,last}", r#"{"first":"Tom","last":"Anderson"}"#),
        ("friends.#.[first,age]|1", r#"["Roger",68]"#),
        ("friends.#.{first}|0.first", r#""Dale""#),
        ("{age}.age", "37"),
        (r#"{age,"is":!true,"list":!["a",1],"n":!-5}"#, r#"{"age":37,"is":true,"list":["a",1],"n":-5}"#),
        (r#"!"text""#, r#""text""#),
        ("!null", "null"),
        ("{name.@keys,children.@reverse:x}", r#"{"@keys":["first","last"],"@reverse:x":["Jack","Alex","Sara"]}"#),
    ]);
}

#[test]
fn lines() {
    let lines = "{\"a\":1}\n{\"a\":2}\n[3]";
    assert_eq!(found(lines, "..#"), "3");
    assert_eq!(found(lines, "..1.a"), "2");
    assert_eq!(found(lines, "..#.a"), "[1,2]");
    assert_eq!(found(lines, "..#(a=2).a"), "2");
}
