//! What values become on their way between JavaScript and Rust, on every engine of the build.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;

use super::{Engine, Host, ModuleCode, Realm, StopHook};
use crate::js::coroutine;
use crate::js::dialect::RegExpLiteral;
use crate::js::value::{Args, Pending, Resource, Throw, Value};

const MAIN: &str = "file:///main.js";

/// Offers a module `test` with `see(value)`, which writes down what arrives, and `give(name)`, which answers with a value of
/// [`given`].
struct Seeing {
    source: String,
    seen: RefCell<Vec<String>>,
}

impl Host for Seeing {
    fn resolve(&self, specifier: &str, _referrer: &str) -> Result<String, Throw> {
        Ok(specifier.to_owned())
    }

    fn import_meta_resolve(&self, specifier: &str, _referrer: &str) -> Result<String, Throw> {
        Ok(specifier.to_owned())
    }

    fn link_failed(&self) {}

    fn is_running(&self, _address: &str) -> bool {
        false
    }

    fn original_position(&self, _place: &str) -> Option<String> {
        None
    }

    fn explain_type_error(&self, _place: &str, _message: &str) -> Option<String> {
        None
    }

    fn regexp_literals(&self, _address: &str) -> Vec<RegExpLiteral> {
        Vec::new()
    }

    fn load(&self, address: &str) -> Result<ModuleCode, Throw> {
        match address {
            MAIN => Ok(ModuleCode::Source { text: self.source.as_str().into(), compiled: Arc::default() }),
            "test" => Ok(ModuleCode::Native(vec![("see", 0), ("give", 1)])),
            other => Err(Throw::go(format!("no module {other}"))),
        }
    }

    fn call(&self, function: usize, mut args: Args) -> Result<Value, Throw> {
        let value = args.take(0);
        if function == 0 {
            self.seen.borrow_mut().push(show(&value));
            return Ok(Value::Undefined);
        }
        given(&show(&value))
    }

    fn add_pending(&self, _promise: u32, _future: Pending) {}

    fn on_stop(&self, _hook: StopHook) {}

    fn is_stopped(&self) -> bool {
        false
    }

    fn may_continue(&self) -> bool {
        true
    }
}

/// What `give(name)` answers.
fn given(name: &str) -> Result<Value, Throw> {
    let text = |text: &str| Value::String(text.to_owned());
    Ok(match name.trim_matches('"') {
        "undefined" => Value::Undefined,
        "null" => Value::Null,
        "true" => Value::Bool(true),
        "negative zero" => Value::Number(-0.0),
        "fraction" => Value::Number(0.5),
        "large" => Value::Number(4_294_967_296.0),
        "text" => text("a\u{0}ä\u{1F600}"),
        "bytes" => Value::Bytes(Bytes::from_static(&[1, 2, 255])),
        "list" => Value::List(vec![Value::Number(1.0), text("x"), Value::List(Vec::new())]),
        "map" => Value::Map(vec![("b".to_owned(), Value::Null), ("a".to_owned(), Value::Map(Vec::new()))]),
        "many" => Value::Map((0..40).map(|n| (format!("k{n}"), Value::Number(f64::from(n)))).collect()),
        "json" => Value::Json(Bytes::from_static(br#"{"a":[1,{"b":"\ud83d\ude00"}]}"#)),
        "no json" => Value::Json(Bytes::from_static(b"{")),
        "resource" => Value::Resource(resource()),
        "opaque" => Value::Opaque("symbol"),
        "type error" => return Err(Throw::type_error("refused")),
        "host error" => return Err(Throw::Host { message: "only a text".to_owned() }),
        other => return Err(Throw::go(format!("nothing is called {other}"))),
    })
}

fn resource() -> Resource {
    Rc::new("a thing".to_owned())
}

/// A value as this file writes it.
fn show(value: &Value) -> String {
    match value {
        Value::Undefined => "undefined".to_owned(),
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => format!("{number:?}"),
        Value::String(text) => format!("{text:?}"),
        Value::Bytes(bytes) => format!("bytes {:?}", &bytes[..]),
        Value::List(list) => format!("[{}]", list.iter().map(show).collect::<Vec<_>>().join(", ")),
        Value::Map(map) => {
            let items: Vec<_> = map.iter().map(|(name, item)| format!("{name}: {}", show(item))).collect();
            format!("{{{}}}", items.join(", "))
        }
        Value::Resource(resource) => format!("resource {:?}", resource.downcast_ref::<String>()),
        Value::Opaque(name) => format!("opaque {name}"),
        Value::Shared(_) | Value::Json(_) | Value::Pending(_) | Value::Handle(_) => "not from JavaScript".to_owned(),
    }
}

/// What each engine's module sees, or throws.
fn seen_by(engine: Engine, expression: &str) -> Vec<String> {
    let source = format!(
        "import {{ see, give }} from 'test';
        const native = Symbol.for('volley.native');
        try {{ {expression}; }} catch (error) {{ see(`threw ${{error}}`); }}"
    );
    let host = Rc::new(Seeing { source, seen: RefCell::default() });
    let realm: Rc<dyn Realm> = engine.realm(host.clone()).expect("an engine starts").into();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime starts");
    let evaluated = runtime.block_on(async move {
        coroutine::run(move || realm.evaluate(MAIN).map(|_| ())).expect("there is a stack").await
    });
    assert!(evaluated.is_ok(), "{expression}: {evaluated:?}");
    host.seen.take()
}

#[track_caller]
fn check(expression: &str, expect: &str) {
    for (name, engine) in Engine::TABLE {
        assert_eq!(seen_by(*engine, expression).join(" | "), expect, "{expression} on {name}");
    }
}

#[test]
fn what_javascript_gives_to_rust() {
    for (expression, expect) in [
        ("undefined", "undefined"),
        ("null", "null"),
        ("true", "true"),
        ("1", "1.0"),
        ("-0", "-0.0"),
        ("0.5", "0.5"),
        ("2 ** 40", "1099511627776.0"),
        ("NaN", "NaN"),
        ("-Infinity", "-inf"),
        ("12345678901234567890n", "1.2345678901234567e19"),
        ("'a\\0\u{e4}'", "\"a\\0ä\""),
        ("'\\u{1F600}'", "\"😀\""),
        ("'a\\ud800b\\udc00'", "\"a\u{FFFD}b\u{FFFD}\""),
        ("Symbol('s')", "opaque symbol"),
        ("() => 1", "opaque func(sobek.FunctionCall) sobek.Value"),
        ("class {}", "opaque func(sobek.FunctionCall) sobek.Value"),
        ("new Uint8Array([1, 2]).buffer", "bytes [1, 2]"),
        ("new Uint8Array([1, 2, 3, 4]).subarray(1, 3)", "bytes [2, 3]"),
        ("new Uint16Array([258])", "bytes [2, 1]"),
        ("new ArrayBuffer(0)", "bytes []"),
        ("new DataView(new ArrayBuffer(4))", "{}"),
        ("[1, 'x', [null], undefined]", "[1.0, \"x\", [null], undefined]"),
        ("[1, , 3]", "[1.0, undefined, 3.0]"),
        ("({ b: 1, a: { c: [] }, [Symbol('s')]: 1 })", "{b: 1.0, a: {c: []}}"),
        ("Object.defineProperty({ a: 1 }, 'hidden', { value: 2 })", "{a: 1.0}"),
        ("Object.create({ inherited: 1 })", "{}"),
        ("new Map([[1, 2]])", "{}"),
        ("new Date(0)", "{}"),
        ("({ get a() { return 7; } })", "{a: 7.0}"),
        ("new Proxy({ a: 1 }, {})", "{a: 1.0}"),
        ("give('resource')", "resource Some(\"a thing\")"),
        ("({ [native]: give('resource') })", "resource Some(\"a thing\")"),
        ("[give('resource')]", "[resource Some(\"a thing\")]"),
    ] {
        check(&format!("see({expression})"), expect);
    }
}

#[test]
fn a_getter_that_throws_is_heard_of() {
    for (name, engine) in Engine::TABLE {
        for thrown in ["new Error('bad')", "'bad'"] {
            let seen = seen_by(*engine, &format!("see([{{ get a() {{ throw {thrown}; }} }}])"));
            assert!(seen.len() == 1 && seen[0].starts_with("\"threw") && seen[0].contains("bad"), "{name}: {seen:?}");
        }
    }
}

#[test]
fn what_refers_to_itself_is_refused() {
    let refused = "\"threw TypeError: the value is nested too deeply, or refers to itself\"";
    check("const list = []; list.push(list); see(list)", refused);
    check("const object = {}; object.object = object; see({ object })", refused);
    check("let list = []; for (let n = 0; n < 60; n += 1) list = [list]; see([list].length)", "1.0");
    let deep = format!("{}{}", "[".repeat(61), "]".repeat(61));
    check("let list = []; for (let n = 0; n < 60; n += 1) list = [list]; see(list)", &deep);
}

#[test]
fn what_rust_gives_to_javascript() {
    for (expression, expect) in [
        ("give('undefined')", "undefined"),
        ("give('null')", "null"),
        ("give('true')", "true"),
        ("Object.is(give('negative zero'), -0)", "true"),
        ("give('fraction')", "0.5"),
        ("give('large')", "4294967296.0"),
        ("give('text') === 'a\\0\u{e4}\\u{1F600}'", "true"),
        ("give('bytes') instanceof ArrayBuffer", "true"),
        ("[...new Uint8Array(give('bytes'))]", "[1.0, 2.0, 255.0]"),
        ("[Array.isArray(give('list')), give('list')]", "[true, [1.0, \"x\", []]]"),
        ("JSON.stringify(give('map'))", "\"{\\\"b\\\":null,\\\"a\\\":{}}\""),
        ("Object.keys(give('many')).length", "40.0"),
        ("give('json').a[1].b.charCodeAt(0)", "55357.0"),
        ("typeof give('resource')", "\"object\""),
        ("typeof give('opaque')", "\"undefined\""),
        ("give('type error')", "\"threw TypeError: refused\""),
        ("give('host error')", "\"threw only a text\""),
        ("give('nothing known')", "\"threw Error: nothing is called nothing known\""),
    ] {
        check(&format!("see({expression})"), expect);
    }
    for (name, engine) in Engine::TABLE {
        let seen = seen_by(*engine, "give('no json')");
        assert!(seen[0].starts_with("\"threw SyntaxError"), "{name}: {seen:?}");
    }
}
