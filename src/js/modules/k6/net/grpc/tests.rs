//! Messages there and back: tables of JSON, bytes and what scripts see.

use std::sync::Arc;

use super::Types;
use super::decode::decode;
use super::encode::encode;
use super::fuzz_tests::to_json;
use super::load::schema_of;
use crate::js::value::Value;

const PROTO: &str = r#"
syntax = "proto3";
package t;
import "google/protobuf/any.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
enum E { NONE = 0; ONE = 1; ALIAS_OF_NONE = -1; }
message M {
  int32 i = 1;
  string some_text = 2;
  M m = 3;
  repeated sint64 list = 4;
  repeated string texts = 5;
  map<bool, E> map = 6;
  oneof o { int32 a = 7; string b = 8; M c = 9; }
  optional bool maybe = 10;
  bytes raw = 11;
  float f = 12;
  double d = 13;
  uint64 u = 14;
  E e = 15;
  google.protobuf.Any any = 16;
  google.protobuf.Duration duration = 17;
  google.protobuf.Timestamp time = 18;
  google.protobuf.FieldMask mask = 19;
  google.protobuf.Value value = 20;
  google.protobuf.BoolValue wrapped = 21;
  google.protobuf.ListValue values = 22;
  google.protobuf.NullValue nil = 23;
  map<string, M> messages = 24;
  fixed32 fix = 25;
}
"#;

const PROTO2: &str = r#"
syntax = "proto2";
package old;
message M {
  required int32 must = 1;
  optional string may = 2 [default = "x"];
  repeated int32 loose = 3;
  optional group Inner = 4 { optional int32 x = 1; }
}
"#;

fn types() -> Types {
    Types(vec![Arc::new(schema_of(PROTO).unwrap()), Arc::new(schema_of(PROTO2).unwrap())])
}

fn there(types: &Types, name: &str, json: &str) -> Result<Vec<u8>, String> {
    let (schema, at) = types.find(name).unwrap();
    encode(types, schema, at, json)
}

fn back(types: &Types, name: &str, wire: &[u8]) -> Result<Value, String> {
    let (schema, at) = types.find(name).unwrap();
    decode(types, schema, at, wire)
}

/// One field of a message that came back.
fn field(types: &Types, wire: &[u8], name: &str) -> String {
    let Ok(Value::Map(fields)) = back(types, "t.M", wire) else { panic!("it is a message") };
    fields.iter().find(|(known, _)| known == name).map_or("absent".to_owned(), |(_, value)| format!("{value:?}"))
}

#[test]
fn json_becomes_bytes() {
    let types = types();
    let check = |json: &str, expect: &[u8]| {
        assert_eq!(there(&types, "t.M", json).as_deref(), Ok(expect), "{json}");
    };
    check("{}", &[]);
    check(r#"{"i":0,"someText":"","raw":"","f":0,"e":"NONE","list":[]}"#, &[]);
    check(r#"{"i":-1}"#, &[8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1]);
    check(r#"{"some_text":"ab"}"#, &[18, 2, b'a', b'b']);
    check(r#"{"m":{"i":"1"}}"#, &[26, 2, 8, 1]);
    check(r#"{"m":{},"maybe":false}"#, &[26, 0, 80, 0]);
    check(r#"{"list":[0,-1,"2"]}"#, &[34, 3, 0, 1, 4]);
    check(r#"{"texts":["","x"]}"#, &[42, 0, 42, 1, b'x']);
    check(r#"{"map":{"true":1,"false":"NONE"}}"#, &[50, 4, 8, 1, 16, 1, 50, 4, 8, 0, 16, 0]);
    check(r#"{"a":0}"#, &[56, 0]);
    check(r#"{"a":null,"b":""}"#, &[66, 0]);
    check(r#"{"f":1.5,"d":"-Infinity"}"#, &[101, 0, 0, 192, 63, 105, 0, 0, 0, 0, 0, 0, 240, 255]);
    check(r#"{"u":"18446744073709551615"}"#, &[112, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1]);
    check(r#"{"u":1e3,"i":2.0}"#, &[112, 232, 7, 8, 2]);
    check(r#"{"fix":7}"#, &[205, 1, 7, 0, 0, 0]);
    check(r#"{"duration":"1.000000001s","time":"1970-01-01T00:00:01Z"}"#, &[138, 1, 4, 8, 1, 16, 1, 146, 1, 2, 8, 1]);
    check(r#"{"mask":"aB,c"}"#, &[154, 1, 8, 10, 3, b'a', b'_', b'b', 10, 1, b'c']);
    check(r#"{"value":null,"nil":null}"#, &[162, 1, 2, 8, 0]);
    check(r#"{"wrapped":false}"#, &[170, 1, 0]);
    check(r#"{"values":[true]}"#, &[178, 1, 4, 10, 2, 32, 1]);
    check(r#"{"any":{"i":5,"@type":"x/t.M"}}"#, &[130, 1, 11, 10, 5, b'x', b'/', b't', b'.', b'M', 18, 2, 8, 5]);
}

#[test]
fn what_is_wrong_is_said_where_it_stands() {
    let types = types();
    let check = |json: &str, expect: &str| {
        let shown = &json[..json.len().min(100)];
        assert_eq!(there(&types, "t.M", json).unwrap_err(), format!("proto: {expect}"), "{shown}");
    };
    check(r#"{"zzz":1}"#, r#"(line 1:2): unknown field "zzz""#);
    check(r#"{"é":1,"m":{"no":2}}"#, r#"(line 1:2): unknown field "é""#);
    check(r#"{"i":1,"m":{"no":2}}"#, r#"(line 1:13): unknown field "no""#);
    check(r#"{"i":"abc"}"#, r#"(line 1:6): invalid value for int32 field i: "abc""#);
    check(r#"{"i":2147483648}"#, "(line 1:6): invalid value for int32 field i: 2147483648");
    check(r#"{"u":-1}"#, "(line 1:6): invalid value for uint64 field u: -1");
    check(r#"{"f":1e39}"#, "(line 1:6): invalid value for float field f: 1e39");
    check(r#"{"someText":5}"#, "(line 1:13): invalid value for string field someText: 5");
    check(r#"{"raw":"*"}"#, r#"(line 1:8): invalid value for bytes field raw: "*""#);
    check(r#"{"e":"TWO"}"#, r#"(line 1:6): invalid value for enum field e: "TWO""#);
    check(r#"{"list":[null]}"#, "(line 1:10): invalid value for sint64 field list: null");
    check(r#"{"list":5}"#, "syntax error (line 1:9): unexpected token 5");
    check(r#"{"m":[]}"#, "syntax error (line 1:6): unexpected token [");
    check(r#""x""#, r#"syntax error (line 1:1): unexpected token "x""#);
    check(r#"{"some_text":"a","someText":"b"}"#, r#"(line 1:18): duplicate field "someText""#);
    check(r#"{"a":1,"b":"2"}"#, r#"(line 1:8): error parsing "b", oneof t.M.o is already set"#);
    check(r#"{"map":{"x":1}}"#, r#"(line 1:9): invalid value for bool key: "x""#);
    check(r#"{"duration":"1"}"#, r#"(line 1:13): invalid google.protobuf.Duration value "1""#);
    check(
        r#"{"duration":"315576000001s"}"#,
        r#"(line 1:13): google.protobuf.Duration value out of range: "315576000001s""#,
    );
    check(r#"{"time":1}"#, "syntax error (line 1:9): unexpected token 1");
    check(r#"{"mask":"a_b"}"#, r#"(line 1:9): google.protobuf.FieldMask contains invalid path: "a_b""#);
    check(r#"{"any":{"i":1}}"#, r#"(line 1:8): missing "@type" field"#);
    check(r#"{"any":{"@type":"x/no"}}"#, r#"(line 1:8): unable to resolve "x/no": "not found""#);
    check(r#"{"any":{"@type":"x/t.M","no":1}}"#, r#"(line 1:25): unknown field "no""#);
    let deep = format!("{}{}", r#"{"m":"#.repeat(1000), "}".repeat(1000));
    check(&deep, "exceeded max recursion depth");
    let deep = format!(r#"{{"value":{}{}}}"#, "[".repeat(1000), "]".repeat(1000));
    check(&deep, "exceeded max recursion depth");
    let deep = format!(r#"{{"any":{}{}}}"#, r#"{"@type":"x/t.M","any":"#.repeat(1000), "}".repeat(1000));
    check(&deep, "exceeded max recursion depth");
    assert_eq!(there(&types, "old.M", "{}").unwrap_err(), "proto: required field old.M.must not set");
}

#[test]
fn bytes_become_what_scripts_see() {
    let types = types();
    let check = |json: &str, name: &str, expect: &str| {
        let wire = there(&types, "t.M", json).unwrap();
        assert_eq!(field(&types, &wire, name), expect, "{json}");
    };
    for (name, expect) in [
        ("i", "0"),
        ("someText", "\"\""),
        ("m", "null"),
        ("list", "[]"),
        ("map", "{}"),
        ("a", "absent"),
        ("c", "absent"),
        ("maybe", "absent"),
        ("u", "\"0\""),
        ("e", "\"NONE\""),
        ("any", "null"),
        ("nil", "null"),
        ("wrapped", "null"),
    ] {
        check("{}", name, expect);
    }
    check(r#"{"f":0.1}"#, "f", "0.1");
    check(r#"{"d":"NaN"}"#, "d", "\"NaN\"");
    check(r#"{"u":"9007199254740993"}"#, "u", "\"9007199254740993\"");
    check(r#"{"e":7}"#, "e", "7");
    check(r#"{"e":-1}"#, "e", "\"ALIAS_OF_NONE\"");
    check(r#"{"raw":"-_8"}"#, "raw", "\"+/8=\"");
    check(r#"{"wrapped":false}"#, "wrapped", "false");
    check(r#"{"value":{"a":[null,1.5]}}"#, "value", r#"{"a": [null, 1.5]}"#);
    check(r#"{"any":{}}"#, "any", "{}");
    check(
        r#"{"any":{"@type":"x/google.protobuf.Duration","value":"3s"}}"#,
        "any",
        r#"{"@type": "x/google.protobuf.Duration", "value": "3s"}"#,
    );
    // The last member of a `oneof` wins, parts of a message are put together, keys of a map are there once.
    assert_eq!(field(&types, &[56, 1, 66, 1, b'x'], "a"), "absent");
    assert_eq!(field(&types, &[56, 1, 66, 1, b'x'], "b"), "\"x\"");
    let parts = field(&types, &[26, 2, 8, 1, 26, 3, 18, 1, b'y'], "m");
    assert!(parts.starts_with(r#"{"i": 1, "someText": "y", "#), "{parts}");
    assert_eq!(field(&types, &[50, 4, 8, 1, 16, 0, 50, 4, 8, 1, 16, 1], "map"), r#"{"true": "ONE"}"#);
    assert_eq!(field(&types, &[50, 0], "map"), r#"{"false": "NONE"}"#);
    // Numbers in a row and one by one; what is written as another kind is skipped.
    assert_eq!(field(&types, &[32, 1, 34, 2, 2, 3, 33, 0, 0, 0, 0, 0, 0, 0, 0], "list"), r#"["-1", "1", "-2"]"#);
    let old = back(&types, "old.M", &[0x18, 5, 0x23, 0x08, 7, 0x24, 0x98, 0x06, 1]).unwrap();
    assert_eq!(format!("{old:?}"), r#"{"must": null, "may": null, "loose": [5], "inner": {"x": 7}}"#);
}

#[test]
fn broken_messages_are_refused() {
    let types = types();
    let check = |wire: &[u8], expect: &str| assert_eq!(back(&types, "t.M", wire).unwrap_err(), expect, "{wire:?}");
    check(&[8], "proto: cannot parse invalid wire-format data");
    check(&[18, 1, 0xff], "string field contains invalid UTF-8");
    let mut deep = Vec::new();
    for _ in 0..400 {
        let mut outer = Vec::new();
        super::wire::put_bytes(&mut outer, 3, &deep);
        deep = outer;
    }
    check(&deep, "proto: exceeded maximum recursion depth");
}

#[test]
fn what_came_is_sent_as_it_was() {
    let types = types();
    let json = r#"{"i":-5,"someText":"é","m":{"m":{"list":[1,-9223372036854775808]}},"texts":["a","b"],"map":{"true":1},
        "c":{"raw":"AAEC"},"maybe":true,"f":-1.5,"d":1e300,"e":1,"any":{"@type":"x/t.M","i":3},"duration":"-3.000000001s",
        "time":"2001-02-03T04:05:06.789Z","mask":"a.bC","value":[{"x":"y"}],"wrapped":true,"messages":{"k":{"i":1}},"fix":9}"#;
    let wire = there(&types, "t.M", json).unwrap();
    let Value::Map(seen) = back(&types, "t.M", &wire).unwrap() else { panic!("it is a message") };
    // JSON can't tell a value that is not set from one that is null.
    let json = to_json(&Value::Map(seen)).replace("\"value\":null,", "");
    assert_eq!(there(&types, "t.M", &json).unwrap(), wire);
}
