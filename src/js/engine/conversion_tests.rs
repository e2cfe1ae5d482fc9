//! What values become on their way between JavaScript and Rust, on every engine of the build.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;

use super::direct::{EventSource, Local, Scope};
use super::{Compiled, Engine, ExportKind, Host, ModuleCode, PromiseOutcome, Realm, StopHook};
use crate::js::engine::RegExpLiteral;
use crate::js::runtime::coroutine;
use crate::js::value::{Args, Exception, Handle, JsonPart, Pending, Resource, Throw, Value};
use crate::source::SharedBytes;

const MAIN: &str = "file:///main.js";

/// Offers a module `test` with `see(value)`, which writes down what arrives, and `give(name)`, which answers with a value of
/// [`given`].
struct Seeing {
    source: String,
    compiled: Compiled,
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

    fn json_place(&self, _text: &[u8]) -> Option<String> {
        None
    }

    fn explained_place(&self, _place: &str, _message: &str) -> Option<String> {
        None
    }

    fn explain_type_error(&self, _function: &str, _place: &str, _message: &str) -> Option<String> {
        None
    }

    fn function_extents(&self, _address: &str) -> Vec<std::ops::Range<usize>> {
        Vec::new()
    }

    fn text_part(&self, _address: &str, _part: std::ops::Range<usize>) -> Option<String> {
        None
    }

    fn regexp_literals(&self, _address: &str) -> Vec<RegExpLiteral> {
        Vec::new()
    }

    fn load(&self, address: &str) -> Result<ModuleCode, Throw> {
        match address {
            MAIN => Ok(ModuleCode::Source { text: self.source.as_str().into(), compiled: self.compiled.clone() }),
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

    fn direct(&self, _specifier: &str, _name: &str) -> Option<usize> {
        None
    }

    fn call_direct(&self, _function: usize, _scope: &mut dyn Scope) -> Result<Local, Throw> {
        Err(Throw::go("there are no direct functions"))
    }

    fn add_pending(&self, _promise: u32, _future: Pending) {}
    fn add_source(&self, _number: u32, _source: Rc<dyn EventSource>) {}

    fn on_stop(&self, _hook: StopHook) {}

    fn is_stopped(&self) -> bool {
        false
    }

    fn job_ended(&self) {}

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
        "false" => Value::Bool(false),
        "zero" => Value::Number(0.0),
        "nan" => Value::Number(f64::NAN),
        "infinity" => Value::Number(f64::INFINITY),
        "largest" => Value::Number(f64::MAX),
        "smallest" => Value::Number(5e-324),
        "least integer" => Value::Number(f64::from(i32::MIN)),
        "above integers" => Value::Number(2_147_483_648.0),
        "text" => text("a\u{0}ä\u{1F600}"),
        "no text" => text(""),
        "bytes" => Value::Bytes(Bytes::from_static(&[1, 2, 255])),
        "no bytes" => Value::Bytes(Bytes::new()),
        "file" => Value::Shared(Arc::new(SharedBytes::new(Bytes::from_static(&[7, 8])))),
        "large file" => Value::Shared(Arc::new(SharedBytes::new(vec![9; 200_000].into()))),
        "nested" => Value::List(vec![
            Value::Map(vec![
                ("bytes".to_owned(), Value::Bytes(Bytes::from_static(&[1]))),
                ("resource".to_owned(), Value::Resource(resource())),
                ("json".to_owned(), Value::Json(Bytes::from_static(b"[null, -0, 1e3]"))),
            ]),
            Value::Opaque("symbol"),
            Value::List(vec![Value::Undefined, Value::Null, Value::Bool(false)]),
        ]),
        "long list" => Value::List((0..2000).map(|n| Value::Number(f64::from(n))).collect()),
        "names" => {
            Value::Map(["", "0", "__proto__", "ä", "toString"].map(|name| (name.to_owned(), Value::Null)).into())
        }
        "promise" => Value::Pending(Box::pin(std::future::pending())),
        "long json" => Value::Json(format!("[{}0]", "\"\\u00e4\", ".repeat(20_000)).into()),
        "no long json" => Value::Json(format!("[{}", "\"x\", ".repeat(40_000)).into()),
        "list" => Value::List(vec![Value::Number(1.0), text("x"), Value::List(Vec::new())]),
        "map" => Value::Map(vec![("b".to_owned(), Value::Null), ("a".to_owned(), Value::Map(Vec::new()))]),
        "many" => Value::Map((0..40).map(|n| (format!("k{n}"), Value::Number(f64::from(n)))).collect()),
        "record" => record(&["b", "a", "0"], Value::Record(&["ä"], vec![Value::Text("ü")])),
        "other record" => record(&["b", "a", "c"], Value::Record(&[], Vec::new())),
        "record with a name twice" => record(&["b", "b", "a"], Value::Text("")),
        "json" => Value::Json(Bytes::from_static(br#"{"a":[1,{"b":"\ud83d\ude00"}]}"#)),
        "no json" => Value::Json(Bytes::from_static(b"{")),
        "json part" => json_part(r#" [{"a":1, "b" :"x","c":1.5},{"a":2, "b" :"y","c":2},{"b":3}] rest"#),
        "wrong json part" => json_part("[1,] rest"),
        "json part before something wrong" => json_part("[1] other"),
        "resource" => Value::Resource(resource()),
        "opaque" => Value::Opaque("symbol"),
        "type error" => return Err(Throw::type_error("refused")),
        "host error" => return Err(Throw::Host { message: "only a text".to_owned() }),
        other => return Err(Throw::go(format!("nothing is called {other}"))),
    })
}

/// An object of two texts and another value.
fn record(names: &'static [&'static str], last: Value) -> Value {
    Value::Record(names, vec![Value::Text("x\u{0}\u{1F600}"), Value::String("y".to_owned()), last])
}

/// A value in front of the one word that may follow.
fn json_part(text: &'static str) -> Value {
    Value::JsonPart(JsonPart { text: Bytes::from_static(text.as_bytes()), may_follow: |rest| rest == b" rest" })
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
        Value::Text(_)
        | Value::Record(..)
        | Value::Shared(_)
        | Value::Json(_)
        | Value::JsonPart(_)
        | Value::Pending(_)
        | Value::Callback(_)
        | Value::Handle(_) => "not from JavaScript".to_owned(),
    }
}

/// What each engine's module sees, or throws.
fn seen_by(engine: Engine, expression: &str) -> Vec<String> {
    run(engine, source_of(expression), |_| ())
}

/// A module that evaluates an expression.
fn source_of(expression: &str) -> String {
    format!(
        "import {{ see, give }} from 'test';
        const native = Symbol.for('volley.native');
        try {{ {expression}; }} catch (error) {{ see(`threw ${{error}}`); }}"
    )
}

/// What a module sees that is evaluated before `and_then` is called.
fn run(engine: Engine, source: String, and_then: impl FnOnce(&dyn Realm) + 'static) -> Vec<String> {
    let description = source.clone();
    let host = Rc::new(Seeing { source, compiled: Arc::default(), seen: RefCell::default() });
    let realm: Rc<dyn Realm> = engine.realm(host.clone()).expect("an engine starts").into();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime starts");
    let evaluated = runtime.block_on(async move {
        let evaluate = move || realm.evaluate(MAIN).map(|_| and_then(&*realm));
        coroutine::run(evaluate).expect("there is a stack").await
    });
    assert!(evaluated.is_ok(), "{description}: {evaluated:?}");
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
        ("Infinity", "inf"),
        ("2 ** 31", "2147483648.0"),
        ("-(2 ** 31)", "-2147483648.0"),
        ("Number.MAX_VALUE", "1.7976931348623157e308"),
        ("Number.MIN_VALUE", "5e-324"),
        ("0n", "0.0"),
        ("-9007199254740993n", "-9007199254740992.0"),
        ("2n ** 2000n", "inf"),
        ("''", "\"\""),
        ("'x'.repeat(300) + '\\ud83d\\ude00'.repeat(2)", &format!("{:?}", "x".repeat(300) + "😀😀")),
        ("'\\ude00\\ud83d'", "\"\u{FFFD}\u{FFFD}\""),
        ("Symbol('s')", "opaque symbol"),
        ("Symbol.iterator", "opaque symbol"),
        ("async () => 1", "opaque func(sobek.FunctionCall) sobek.Value"),
        ("function* () {}", "opaque func(sobek.FunctionCall) sobek.Value"),
        ("Object.assign(() => 1, { a: 1 })", "opaque func(sobek.FunctionCall) sobek.Value"),
        ("Math.max", "opaque func(sobek.FunctionCall) sobek.Value"),
        ("[() => 1, Symbol('s')]", "[opaque func(sobek.FunctionCall) sobek.Value, opaque symbol]"),
        ("() => 1", "opaque func(sobek.FunctionCall) sobek.Value"),
        ("class {}", "opaque func(sobek.FunctionCall) sobek.Value"),
        ("new Uint8Array([1, 2]).buffer", "bytes [1, 2]"),
        ("new Uint8Array([1, 2, 3, 4]).subarray(1, 3)", "bytes [2, 3]"),
        ("new Uint16Array([258])", "bytes [2, 1]"),
        ("new ArrayBuffer(0)", "bytes []"),
        ("new Float64Array([1])", "bytes [0, 0, 0, 0, 0, 0, 240, 63]"),
        ("new Uint8ClampedArray([300])", "bytes [255]"),
        ("new BigInt64Array([1n])", "bytes [1, 0, 0, 0, 0, 0, 0, 0]"),
        ("new Uint8Array(0)", "bytes []"),
        ("[new Uint8Array([1]), { a: new ArrayBuffer(1) }]", "[bytes [1], {a: bytes [0]}]"),
        ("new DataView(new ArrayBuffer(4))", "{}"),
        ("new DataView(new ArrayBuffer(4), 1, 2)", "{}"),
        ("Object.assign(new DataView(new ArrayBuffer(4)), { a: 1 })", "{a: 1.0}"),
        ("[1, 'x', [null], undefined]", "[1.0, \"x\", [null], undefined]"),
        ("[1, , 3]", "[1.0, undefined, 3.0]"),
        ("({ b: 1, a: { c: [] }, [Symbol('s')]: 1 })", "{b: 1.0, a: {c: []}}"),
        ("Object.defineProperty({ a: 1 }, 'hidden', { value: 2 })", "{a: 1.0}"),
        ("Object.create({ inherited: 1 })", "{}"),
        ("new Map([[1, 2]])", "{}"),
        ("new Set([1])", "{}"),
        ("new Date(0)", "{}"),
        ("[new Date(0), { at: new Date(NaN) }]", "[{}, {at: {}}]"),
        ("/x/g", "{}"),
        ("new Error('bad')", "{}"),
        ("Object.assign(new TypeError('bad'), { code: 7 })", "{code: 7.0}"),
        ("Promise.resolve(1)", "{}"),
        ("new Number(1)", "{}"),
        ("new class A { a = 1; get b() { return 2; } #c = 3; }", "{a: 1.0}"),
        ("({ 2: 'c', 1: 'b', a: 0 })", "{1: \"b\", 2: \"c\", a: 0.0}"),
        ("({ '': 1, 'ä': { 'b c': [] } })", "{: 1.0, ä: {b c: []}}"),
        ("Object.create(null)", "{}"),
        ("Object.assign([1], { a: 2 })", "[1.0]"),
        ("new Proxy([1, 2], {})", "{0: 1.0, 1: 2.0}"),
        ("(function () { return arguments; })(1)", "{0: 1.0}"),
        ("new Array(3)", "[undefined, undefined, undefined]"),
        ("globalThis.missing", "undefined"),
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
        ("give('false')", "false"),
        ("Object.is(give('zero'), 0)", "true"),
        ("give('nan')", "NaN"),
        ("give('infinity')", "inf"),
        ("give('largest') === Number.MAX_VALUE", "true"),
        ("give('smallest') === Number.MIN_VALUE", "true"),
        ("give('least integer')", "-2147483648.0"),
        ("give('above integers')", "2147483648.0"),
        ("give('no text')", "\"\""),
        ("give('no bytes').byteLength", "0.0"),
        ("give('file')", "bytes [7, 8]"),
        ("[give('file') instanceof ArrayBuffer, give('file') === give('file')]", "[true, false]"),
        ("new Uint8Array(give('large file')).subarray(199998)", "bytes [9, 9]"),
        (
            "(a => (a[1] = 0, [a.subarray(0, 3), new Uint8Array(give('large file')).subarray(0, 3)]))\
             (new Uint8Array(give('large file')))",
            "[bytes [9, 0, 9], bytes [9, 9, 9]]",
        ),
        (
            "give('nested')",
            "[{bytes: bytes [1], resource: resource Some(\"a thing\"), json: [null, -0.0, 1000.0]}, undefined, \
             [undefined, null, false]]",
        ),
        ("[give('long list').length, give('long list')[1999]]", "[2000.0, 1999.0]"),
        ("Object.keys(give('names'))", "[\"0\", \"\", \"__proto__\", \"ä\", \"toString\"]"),
        ("Object.getPrototypeOf(give('map')) === Object.prototype", "true"),
        ("give('promise') instanceof Promise", "true"),
        ("[give('long json').length, give('long json')[19999]]", "[20001.0, \"ä\"]"),
        ("give('text') === 'a\\0\u{e4}\\u{1F600}'", "true"),
        ("give('bytes') instanceof ArrayBuffer", "true"),
        ("[...new Uint8Array(give('bytes'))]", "[1.0, 2.0, 255.0]"),
        ("[Array.isArray(give('list')), give('list')]", "[true, [1.0, \"x\", []]]"),
        ("JSON.stringify(give('map'))", "\"{\\\"b\\\":null,\\\"a\\\":{}}\""),
        ("Object.keys(give('many')).length", "40.0"),
        (
            "(one => JSON.stringify([one, give('record')]) === JSON.stringify([one, { b: 'x\\0\\u{1F600}', a: 'y', 0: { ä: 'ü' } }]))\
             (give('record'))",
            "true",
        ),
        (
            "(one => (delete one.b, one.d = 1, [Object.keys(one), Object.keys(give('record')), Object.keys(give('other record'))]))\
             (give('record'))",
            "[[\"0\", \"a\", \"d\"], [\"0\", \"b\", \"a\"], [\"b\", \"a\", \"c\"]]",
        ),
        ("give('other record')", "{b: \"x\\0😀\", a: \"y\", c: {}}"),
        ("give('record with a name twice')", "{b: \"y\", a: \"\"}"),
        ("Object.getPrototypeOf(give('record')) === Object.prototype", "true"),
        ("give('json').a[1].b.charCodeAt(0)", "55357.0"),
        ("give('json part')", "[{a: 1.0, b: \"x\", c: 1.5}, {a: 2.0, b: \"y\", c: 2.0}, {b: 3.0}]"),
        ("[give('wrong json part'), give('json part before something wrong')]", "[undefined, undefined]"),
        (
            "(text => JSON.stringify(JSON.parse(text)) === text)(JSON.stringify(Array.from({ length: 99 }, (_, at) => \
             Object.fromEntries(Array.from({ length: at }, (_, nth) => ['name' + (at % 3 ? nth : 7 * nth), nth])))))",
            "true",
        ),
        (
            "JSON.parse('[{\"a\":1,\"b\":2},{\"a\" :3,\"b\": 4},{\"b\":5,\"a\":6},{\"a\\\\u0062\":7,\"ab\":8}]')",
            "[{a: 1.0, b: 2.0}, {a: 3.0, b: 4.0}, {b: 5.0, a: 6.0}, {ab: 8.0}]",
        ),
        ("(map => (delete map.b, map.c = 1, [map, give('map')]))(give('map'))", "[{a: {}, c: 1.0}, {b: null, a: {}}]"),
        ("typeof give('resource')", "\"object\""),
        ("typeof give('opaque')", "\"undefined\""),
        ("give('type error')", "\"threw TypeError: refused\""),
        ("give('host error')", "\"threw only a text\""),
        ("give('nothing known')", "\"threw Error: nothing is called nothing known\""),
    ] {
        check(&format!("see({expression})"), expect);
    }
    for (name, engine) in Engine::TABLE {
        for text in ["no json", "no long json"] {
            let seen = seen_by(*engine, &format!("give('{text}')"));
            assert!(seen[0].starts_with("\"threw SyntaxError"), "{text} on {name}: {seen:?}");
        }
    }
}

/// A module with what handles are tried on.
const EXPORTS: &str = "export const object = { a: [1] }, nothing = null, text = 'x';
    export const done = Promise.resolve(object), bad = Promise.reject(new TypeError('bad'));
    export const waits = new Promise(() => {});
    export const same = (a, b) => a === b, fails = () => { throw new RangeError('no') };
    export default async function (value) { return value; }";

/// Checks something on every engine, in a realm in which [`EXPORTS`] were evaluated.
fn with_exports(check: impl FnOnce(&dyn Realm) + Copy + 'static) {
    for (_, engine) in Engine::TABLE {
        run(*engine, EXPORTS.to_owned(), check);
    }
}

fn shown(outcome: PromiseOutcome) -> String {
    match outcome {
        PromiseOutcome::Value(value) => show(&value),
        PromiseOutcome::Rejected(Exception { text, .. }) => format!("rejected {text}"),
        PromiseOutcome::Pending => "pending".to_owned(),
    }
}

#[test]
fn a_handle_stays_the_same_value() {
    with_exports(|realm| {
        let export = |name: &str| realm.export(MAIN, name).expect("it is exported");
        let call = |function, args: &[Handle]| realm.call(function, args.iter().copied().map(Value::Handle).collect());
        let (object, same) = (export("object"), export("same"));
        let truth = |handle: Handle| shown(realm.outcome(handle));
        assert_eq!(truth(call(same, &[object, export("object")]).unwrap()), "true");
        let made = realm.retain(Value::Map(Vec::new())).unwrap();
        assert_eq!(truth(call(same, &[made, made]).unwrap()), "true");
        assert_eq!(truth(call(same, &[made, object]).unwrap()), "false");
        assert_eq!(truth(object), "{a: [1.0]}");
        // What is released leaves its place to the next.
        realm.release(made);
        assert_eq!(realm.retain(Value::Null).unwrap(), made);
        assert_eq!(truth(made), "null");
        assert!(realm.retain(Value::Json("{".into())).is_err());
    });
}

#[test]
fn what_becomes_of_promises() {
    with_exports(|realm| {
        let outcome = |name: &str| shown(realm.outcome(realm.export(MAIN, name).expect("it is exported")));
        assert_eq!(
            ["object", "done", "bad", "waits", "nothing"].map(outcome),
            ["{a: [1.0]}", "{a: [1.0]}", "rejected TypeError: bad", "pending", "null"]
        );
        // Who looks at a rejection has dealt with it.
        assert_eq!(realm.take_rejections().len(), 0);
        let fulfilled = |name: &str| {
            let handle = realm.fulfilled(realm.export(MAIN, name).expect("it is exported"));
            handle.map(|handle| shown(realm.outcome(handle))).map_err(|exception| exception.text)
        };
        assert_eq!(fulfilled("done").as_deref(), Ok("{a: [1.0]}"));
        assert_eq!(fulfilled("text").as_deref(), Ok("\"x\""));
        assert_eq!(fulfilled("waits").as_deref(), Ok("undefined"));
        assert_eq!(fulfilled("bad"), Err("TypeError: bad".to_owned()));
        let later = realm.call(realm.export(MAIN, "default").unwrap(), vec![Value::Number(1.0)]).unwrap();
        assert!(realm.run_jobs().is_ok());
        assert_eq!(shown(realm.outcome(later)), "1.0");
    });
}

#[test]
fn what_a_module_exports() {
    with_exports(|realm| {
        let mut exports = realm.exports(MAIN).expect("it was evaluated");
        exports.sort_by(|(a, _), (b, _)| a.cmp(b));
        let kinds: Vec<_> = exports.iter().map(|(name, kind)| (name.as_str(), *kind)).collect();
        assert_eq!(
            kinds,
            [
                ("bad", ExportKind::Value),
                ("default", ExportKind::Function),
                ("done", ExportKind::Value),
                ("fails", ExportKind::Function),
                ("nothing", ExportKind::Nothing),
                ("object", ExportKind::Value),
                ("same", ExportKind::Function),
                ("text", ExportKind::Value),
                ("waits", ExportKind::Value),
            ]
        );
        assert_eq!(shown(realm.outcome(realm.export(MAIN, "missing").unwrap())), "undefined");
        assert!(realm.exports("file:///other.js").is_err());
        let thrown = realm.call(realm.export(MAIN, "fails").unwrap(), Vec::new());
        assert!(matches!(thrown, Err(Throw::Exception(exception)) if exception.text == "RangeError: no"));
    });
}

/// A module that sees names of all kinds: cut out of a longer text, numbers, none, one of its own, symbols and private ones.
const NAMES: &str = "
    const text = 'a name that is cut out of a longer text, which makes a text of its own';
    const names = [text.slice(2, 40), `${text}!`.slice(1), '\u{43a}\u{43b}\u{44e}\u{447}', 'n' + see.length, '1e3', '-0', '', OWN];
    const object = { [Symbol.for('both')]: 1, [Symbol('one')]: 2 };
    for (const name of names) object[name] = name;
    class Private { #hidden = 7; get() { return this.#hidden; } static has(it) { return #hidden in it; } }
    const kept = new WeakMap([[object, 'by object']]);
    try {
        kept.set(Symbol.iterator, 'by symbol');
    } catch {
        kept.get = (key) => key === object ? 'by object' : 'by symbol';
    }
    see(Object.keys(object).map((name) => name.length));
    see(Object.keys(object).at(-1));
    see(JSON.stringify(JSON.parse(JSON.stringify(object))) === JSON.stringify(object));
    see([new Private().get(), Private.has(new Private()), Private.has(object)]);
    see([kept.get(Symbol.iterator), kept.get(object), object[Symbol.for('both')], Object.getOwnPropertySymbols(object).length])";

/// A module of functions of all kinds, with constants that become names.
const CODE: &str = "
    const counter = () => { let count = 0; return { next: () => ++count, ['a constant that is a name']: 40n }; };
    function* generated(...given) { for (const one of given) yield one * 2; }
    class Base { static made = 0; #own = 'own'; constructor() { Base.made += 1; } get own() { return this.#own; } }
    class Derived extends Base { method() { return `${super.own} ${new.target}`; } }
    const tail = (n, sum = 0) => n === 0 ? sum : tail(n - 1, sum + n);
    const one = counter(), other = counter();
    const constants = {};
    for (const name of ['first constant', 'second constant', '17', 'first constant']) constants[name] = (constants[name] ?? 0) + 1;
    see([one.next(), one.next(), other.next(), one['a constant that is a name'] + 2n]);
    see([...generated(1, 2, 3)]);
    see([new Derived().method(), Base.made, Derived.name, tail(50), /(?<year>\\d+)-x/.exec('in 2026-x').groups.year]);
    see(JSON.stringify(constants));
    see(`${generated}`.length > 20 && [counter, Base, Derived].every((made) => made instanceof Function));
    Promise.resolve('later').then(async (text) => { await null; see(text); })";

/// What realms of one thread see that are made one after the other: each beside the one before, which goes before the next one
/// is made, so that what is shared outlives who brought it.
fn seen_in_turns(engine: Engine, hosts: Vec<Rc<Seeing>>) -> Vec<String> {
    let each = hosts.clone();
    let work = move || {
        let mut before: Option<Box<dyn Realm>> = None;
        for host in each {
            let realm = engine.realm(host).expect("an engine starts");
            assert!(realm.evaluate(MAIN).is_ok() && realm.run_jobs().is_ok());
            realm.share();
            drop(before.replace(realm));
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime starts");
    runtime.block_on(async { coroutine::run(work).expect("there is a stack").await });
    hosts.iter().map(|host| host.seen.borrow().join(" | ")).collect()
}

#[test]
fn realms_of_a_thread_share_names() {
    for (name, engine) in Engine::TABLE {
        let all = ["first", "second", "third", "second"];
        let host = |own: &str| {
            let source = source_of(&NAMES.replace("OWN", &format!("'{own}'")));
            Rc::new(Seeing { source, compiled: Arc::default(), seen: RefCell::default() })
        };
        let seen = seen_in_turns(*engine, all.iter().map(|own| host(own)).collect());
        let expect = all.map(|own| {
            let len = own.len();
            format!(
                "[38.0, 70.0, 4.0, 2.0, 3.0, 2.0, 0.0, {len}.0] | {own:?} | true | [7.0, true, false] | \
                 [\"by symbol\", \"by object\", 1.0, 2.0]"
            )
        });
        assert_eq!(seen, expect, "{name}");
    }
}

#[test]
fn realms_of_a_thread_share_code() {
    for (name, engine) in Engine::TABLE {
        for (more, expect) in [("", ""), ("; see(((parts, one) => parts.raw[0] + one)`a\\n${1}b`)", " | \"a\\\\n1\"")] {
            let source = source_of(&format!("{CODE}{more}"));
            let compiled = Compiled::default();
            let host = || Seeing { source: source.clone(), compiled: compiled.clone(), seen: RefCell::default() };
            let seen = seen_in_turns(*engine, (0..5).map(|_| Rc::new(host())).collect());
            let expect = format!(
                "[1.0, 2.0, 1.0, 42.0] | [2.0, 4.0, 6.0] | [\"own undefined\", 1.0, \"Derived\", 1275.0, \"2026\"] | \
                 \"{{\\\"17\\\":1,\\\"first constant\\\":2,\\\"second constant\\\":1}}\" | true{expect} | \"later\""
            );
            assert_eq!(seen, vec![expect; 5], "{name}{more}");
        }
    }
}
