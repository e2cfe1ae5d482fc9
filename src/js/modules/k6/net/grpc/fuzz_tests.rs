//! What must hold whatever a server sends and a script writes: messages. Entered here with broken examples, and by the
//! target of `tests/fuzz` with what libFuzzer thinks of.

use std::sync::{Arc, LazyLock};

use super::Types;
use super::decode::decode;
use super::encode::encode;
use crate::js::value::Value;

const PROTO: &str = include_str!("../../../../../../tests/js/k6/net/grpc/data/test.proto");

/// A zero byte and the bytes of a message, or its JSON: what can be shown can be sent, and is shown the same again.
pub fn message(data: &[u8]) {
    static TYPES: LazyLock<Types> = LazyLock::new(|| {
        let Ok(schema) = super::load::schema_of(PROTO) else { panic!("the file is right") };
        Types(vec![Arc::new(schema)])
    });
    let types = &*TYPES;
    let Some((schema, at)) = types.find("test.v1.Everything") else { panic!("the message is there") };
    let wire = match data.split_first() {
        Some((0, wire)) => wire.to_vec(),
        _ => match encode(types, schema, at, &String::from_utf8_lossy(data)) {
            Ok(wire) => wire,
            Err(_) => return,
        },
    };
    let Ok(shown) = decode(types, schema, at, &wire) else { return };
    let json = to_json(&shown);
    match encode(types, schema, at, &json) {
        Ok(again) => {
            let again = decode(types, schema, at, &again).map(|value| to_json(&value));
            assert_eq!(again.as_deref(), Ok(&*json));
        }
        // What nobody described is shown, but can't be sent.
        Err(text) => assert!(
            text.contains("unable to resolve") || text.contains("@type") || text.contains("invalid path"),
            "{text}: {json}"
        ),
    }
}

/// An answer of a reflection service, and what it describes: tables, or a refusal. Any message may follow.
pub fn descriptors(data: &[u8]) {
    let files = match super::services::descriptors_of(data) {
        Ok(files) if !files.is_empty() => files,
        // Or a descriptor by itself.
        _ => vec![bytes::Bytes::copy_from_slice(data)],
    };
    let Ok(schema) = super::load::Schemas::default().descriptors(files) else { return };
    let types = Types(vec![schema]);
    for (at, message) in (0..).zip(&types.0[0].messages).take(20) {
        _ = decode(&types, &types.0[0], at, data);
        if let Some(field) = message.fields.first() {
            _ = encode(&types, &types.0[0], at, &format!("{{{}:1}}", quoted(&field.json_name)));
        }
    }
}

/// A `.proto` file: tables, or one error.
pub fn proto(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    _ = super::load::schema_of(&text);
}

pub(super) fn to_json(value: &Value) -> String {
    match value {
        Value::Map(map) => {
            let entries = map.iter().map(|(key, value)| format!("{}:{}", quoted(key), to_json(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
        }
        Value::List(list) => format!("[{}]", list.iter().map(to_json).collect::<Vec<_>>().join(",")),
        Value::String(text) => quoted(text),
        Value::Number(number) => format!("{number:?}"),
        other => format!("{other:?}"),
    }
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::http::fuzz_tests::break_each;

    struct Text;

    impl protox::file::FileResolver for Text {
        fn open_file(&self, name: &str) -> Result<protox::file::File, protox::Error> {
            match name {
                "test.proto" => protox::file::File::from_source(name, PROTO),
                _ => protox::file::GoogleFileResolver::new().open_file(name),
            }
        }
    }

    #[test]
    fn any_message_is_shown_and_sent_or_refused() {
        // As much stack as a VU has when its script has used what it may.
        let check = || {
            break_each(
                &[
                    b"\0\x08\x01\x12\x03abc\x19\0\0\0\0\0\0\xf0\x3f\x8a\x01\x04\x0a\x02hi\x92\x01\x03\x01\x02\x03",
                    b"\0\xa2\x01\x07\x0a\x03ann\x10\x1e\xaa\x01\x0a\x08\x05\x12\x06\x0a\x04five\xca\x01\x04\x08\x01\x10\x02",
                    b"\0\xea\x01\x10\x0a\x0ex/test.v1.Text\x82\x02\x04\x1a\x02hi\x92\x02\0\x8a\x02\x02\x08\x05",
                    br#"{"aDouble":1.5,"aFloat":"NaN","anInt64":"-9","someBytes":"AAH_","colour":5,"inner":{"name":"a","inner":{}}}"#,
                    br#"{"ages":{"ann":30},"byId":{"-5":{"name":"f"}},"right":{"name":"r"},"maybe":0,"at":"2024-02-29T12:34:56.7Z"}"#,
                    br#"{"shape":{"a":[1,"two",null,{"b":true}]},"any":{"@type":"x/test.v1.Text","text":"i"},"mask":"fooBar,baz"}"#,
                    br#"{"lasts":"-1.5s","wrapped":"","value":[null],"big":"5","nothing":{},"colours":["RED",77]}"#,
                ],
                message,
            );
        };
        std::thread::Builder::new().stack_size(3 << 20).spawn(check).unwrap().join().unwrap();
    }

    #[test]
    fn any_descriptors_are_understood_or_refused() {
        let mut compiler = protox::Compiler::with_file_resolver(Text);
        compiler.open_file("test.proto").unwrap();
        let whole: Vec<Vec<u8>> =
            compiler.file_descriptor_set().file.iter().map(prost::Message::encode_to_vec).collect();
        let mut answer = Vec::new();
        for file in &whole {
            super::super::wire::put_bytes(&mut answer, 1, file);
        }
        let mut response = Vec::new();
        super::super::wire::put_bytes(&mut response, 4, &answer);
        break_each(
            &[
                &response,
                &whole[0],
                b"\x22\x04\x0a\x02\x0a\x00",
                b"b\x04\x0a\x02J\0",
                b"2\x04\x0a\x02.\x04",
                b"2\x04\x0a\x02Se\"\x02\x0a\0",
                b"\x0a\x01a\x62\x08editions",
                b"\x0a\x01a\x22\x0d\x0a\x01M\x12\x08\x0a\x01f\x18\x01\x20\x01\x28\x05\x42\x05\x92\x03\x02\x08\x02\x62\x08editions\x70\xe8\x07",
            ],
            descriptors,
        );
    }

    #[test]
    fn a_syntax_nobody_knows_is_named() {
        let file = bytes::Bytes::from_static(b"\x0a\x07a.proto\x62\x06proto4");
        let refused = super::super::load::Schemas::default().descriptors(vec![file]).unwrap_err();
        let expect = r#"the file "a.proto" has the syntax "proto4"; known are "proto2", "proto3" and "editions""#;
        assert_eq!(refused, expect);
        let file = bytes::Bytes::from_static(b"\x0a\x07a.proto\x62\x08editions");
        let refused = super::super::load::Schemas::default().descriptors(vec![file]).unwrap_err();
        let expect = r#"the file "a.proto" has the edition 0; known are 1000 (2023) and 1001 (2024)"#;
        assert_eq!(refused, expect);
        // A file that imports itself publicly.
        let file = bytes::Bytes::from_static(b"\x0a\x01a\x1a\x01a\x50\0");
        let refused = super::super::load::Schemas::default().descriptors(vec![file]).unwrap_err();
        assert_eq!(refused, "the file \"a\" imports itself, maybe over others");
        // A service that is called `.x`.
        let file = bytes::Bytes::from_static(b"\x0a\x01a\x32\x04\x0a\x02.x");
        let refused = super::super::load::Schemas::default().descriptors(vec![file]).unwrap_err();
        assert_eq!(refused, r#"the file "a" has a name that is none: ".x""#);
    }

    #[test]
    fn any_proto_is_understood_or_refused() {
        break_each(
            &[
                b"syntax = \"proto3\"; package a.b; import \"google/protobuf/any.proto\"; message M { repeated int32 x = 1; oneof o { M m = 2; string s = 3; } map<string, M> n = 4; }",
                b"syntax = \"proto2\"; message M { required group G = 1 { optional bytes b = 2 [default = \"\\x00\"]; } extensions 5 to max; enum E { A = 0; B = -1; } reserved 7, 9 to 11; }",
                b"service S { rpc A (stream M) returns (stream M) { option deprecated = true; } } message M {} // \xff",
            ],
            proto,
        );
    }
}
