//! From the bytes of an answer to the value a script sees: every field is there, as the JSON of proto3 writes it.
//!
//! What is not set is its default; messages that are not set are `null`; members of a `oneof` and optional fields that are
//! not set are not there. Numbers of 64 bits are texts, bytes are base64.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::Types;
use super::schema::{FieldKind, FieldSchema, MessageSchema, Multiplicity, Presence, Schema, WellKnown};
use super::well_known;
use super::wire::{Raw, WireFields, unzigzag};
use crate::js::modules::cpu_pool;
use crate::js::value::Value;

/// Messages nested deeper than this are refused.
const MAX_DEPTH: usize = 200;

/// The value of the message at index `at` of `schema`. The contents of an `Any` are looked up in `types`.
///
/// # Errors
/// What is wrong with the bytes, in Go's words.
pub fn decode(types: &Types, schema: &Schema, at: u32, bytes: &[u8]) -> Result<Value, String> {
    MessageDecoder { types }.message(schema, schema.message(at), bytes, 0)
}

/// Messages of more bytes are decoded on a thread that runs no VU.
const OFF_THREAD_LEN: usize = 16 * 1024;

/// True for a message that takes long to decode.
pub fn is_long(bytes: &[u8]) -> bool {
    bytes.len() > OFF_THREAD_LEN
}

/// As [`decode`], of a long message: on the CPU pool, and as JSON, which engines parse in slices.
///
/// # Errors
/// As [`decode`].
pub fn decode_on_cpu_pool(
    types: &Types,
    schema: &Arc<Schema>,
    at: u32,
    bytes: Bytes,
) -> impl Future<Output = Result<Value, String>> + Send + use<> {
    let (types, schema) = (types.clone(), schema.clone());
    let work = cpu_pool::run(move || {
        let value = decode(&types, &schema, at, &bytes)?;
        let mut json = Vec::new();
        write_json(&value, &mut json);
        Ok(Bytes::from(json))
    });
    async move {
        let json = work.await.unwrap_or_else(|| Err("the message can't be read".to_owned()))?;
        Ok(Value::Json(json))
    }
}

/// Writes what messages are made of.
fn write_json(value: &Value, to: &mut Vec<u8>) {
    let text = |text: &str, to: &mut Vec<u8>| {
        // Writing to memory can't fail.
        _ = serde_json::to_writer(to, text);
    };
    match value {
        Value::Bool(value) => to.extend_from_slice(if *value { b"true" } else { b"false" }),
        Value::Number(number) => _ = serde_json::to_writer(to, number),
        Value::String(string) => text(string, to),
        Value::List(list) => {
            to.push(b'[');
            for (at, item) in list.iter().enumerate() {
                if at > 0 {
                    to.push(b',');
                }
                write_json(item, to);
            }
            to.push(b']');
        }
        Value::Map(map) => {
            to.push(b'{');
            for (at, (name, item)) in map.iter().enumerate() {
                if at > 0 {
                    to.push(b',');
                }
                text(name, to);
                to.push(b':');
                write_json(item, to);
            }
            to.push(b'}');
        }
        _ => to.extend_from_slice(b"null"),
    }
}

/// What is in an `Any`, as [`decode`] shows it; bytes that are no such message stay bytes.
pub fn any(types: &Types, url: &str, bytes: &[u8]) -> Value {
    let decoded = MessageDecoder { types }.unpacked(url, bytes, 0);
    decoded.or_else(|_| MessageDecoder { types: &Types::default() }.unpacked(url, bytes, 0)).unwrap_or(Value::Null)
}

struct MessageDecoder<'a> {
    types: &'a Types,
}

/// What has been read of one field.
enum FieldSlot<'a> {
    Nothing,
    Value(Value),
    /// A message, made a value when all of it is known: what comes later is merged with what came before.
    Message(Cow<'a, [u8]>),
    List(Vec<Value>),
    Map(Entries),
}

/// The entries of a map in the order they came, each key once, with its last value. A server may send any number of keys,
/// so they are looked up by a hash it does not know.
#[derive(Default)]
struct Entries {
    list: Vec<(String, Value)>,
    places: HashMap<String, usize>,
}

impl Entries {
    fn put(&mut self, name: String, value: Value) {
        match self.places.get(&name) {
            Some(at) => self.list[*at].1 = value,
            None => {
                self.places.insert(name.clone(), self.list.len());
                self.list.push((name, value));
            }
        }
    }
}

fn broken(text: &'static str) -> String {
    text.to_owned()
}

impl MessageDecoder<'_> {
    fn message(&self, schema: &Schema, message: &MessageSchema, bytes: &[u8], depth: usize) -> Result<Value, String> {
        if depth > MAX_DEPTH {
            return Err("proto: exceeded maximum recursion depth".to_owned());
        }
        match message.well_known {
            Some(well_known) => self.well_known(schema, message, well_known, bytes, depth),
            None => self.fields(schema, message, bytes, depth).map(Value::Map),
        }
    }

    fn fields(
        &self,
        schema: &Schema,
        message: &MessageSchema,
        bytes: &[u8],
        depth: usize,
    ) -> Result<Vec<(String, Value)>, String> {
        let mut slots: Vec<FieldSlot<'_>> = message.fields.iter().map(|_| FieldSlot::Nothing).collect();
        // Which member of each `oneof` is set.
        let mut set: Vec<Option<usize>> = vec![None; message.oneofs.len()];
        let mut fields = WireFields(bytes);
        while let Some((number, raw)) = fields.next().map_err(broken)? {
            let Some((at, field)) = message.numbered(number) else { continue };
            self.field(schema, field, &mut slots[at], raw, depth)?;
            if let Presence::Absent { oneof } = field.presence
                && let Some(set) = set.get_mut(oneof as usize)
                && let Some(other) = set.replace(at).filter(|other| *other != at)
            {
                // The last one that came is the one that is set.
                slots[other] = FieldSlot::Nothing;
            }
        }
        let mut map = Vec::with_capacity(slots.len());
        for (field, slot) in message.fields.iter().zip(slots) {
            let value = match slot {
                FieldSlot::Value(value) => value,
                FieldSlot::Message(bytes) => match field.kind {
                    FieldKind::Message(at) | FieldKind::Group(at) => {
                        self.message(schema, schema.message(at), &bytes, depth + 1)?
                    }
                    _ => continue,
                },
                FieldSlot::List(list) => Value::List(list),
                FieldSlot::Map(map) => Value::Map(map.list),
                FieldSlot::Nothing => match (field.presence, field.shape) {
                    (Presence::Absent { .. }, _) => continue,
                    (Presence::Null, _) => Value::Null,
                    (_, Multiplicity::List { .. }) => Value::List(Vec::new()),
                    (_, Multiplicity::Map { .. }) => Value::Map(Vec::new()),
                    (_, Multiplicity::One) => default(schema, field.kind),
                },
            };
            map.push((field.json_name.to_string(), value));
        }
        Ok(map)
    }

    /// Adds a value to a field's slot. Values of another wire type than the field's are skipped.
    fn field<'b>(
        &self,
        schema: &Schema,
        field: &FieldSchema,
        slot: &mut FieldSlot<'b>,
        raw: Raw<'b>,
        depth: usize,
    ) -> Result<(), String> {
        match (field.shape, field.kind, raw) {
            (Multiplicity::One, FieldKind::Message(_), Raw::Len(bytes))
            | (Multiplicity::One, FieldKind::Group(_), Raw::Group(bytes)) => match slot {
                FieldSlot::Message(before) => before.to_mut().extend_from_slice(bytes),
                _ => *slot = FieldSlot::Message(Cow::Borrowed(bytes)),
            },
            (Multiplicity::One, kind, raw) => {
                if let Some(value) = self.value(schema, kind, raw, depth)? {
                    *slot = FieldSlot::Value(value);
                }
            }
            (Multiplicity::List { .. }, kind, raw) => {
                if let FieldSlot::Nothing = slot {
                    *slot = FieldSlot::List(Vec::new());
                }
                let FieldSlot::List(list) = slot else { return Ok(()) };
                match raw {
                    // Numbers may come in a row, however they are declared.
                    Raw::Len(bytes)
                        if !matches!(kind, FieldKind::String | FieldKind::Bytes | FieldKind::Message(_)) =>
                    {
                        let mut row = WireFields(bytes);
                        while !row.0.is_empty() {
                            let raw = match kind.wire() {
                                super::schema::WireType::I64 => Raw::I64(row.array().map_err(broken)?),
                                super::schema::WireType::I32 => Raw::I32(row.array().map_err(broken)?),
                                _ => Raw::Varint(row.varint().map_err(broken)?),
                            };
                            list.extend(self.value(schema, kind, raw, depth)?);
                        }
                    }
                    raw => list.extend(self.value(schema, kind, raw, depth)?),
                }
            }
            (Multiplicity::Map { key }, kind, Raw::Len(bytes)) => {
                if let FieldSlot::Nothing = slot {
                    *slot = FieldSlot::Map(Entries::default());
                }
                let FieldSlot::Map(map) = slot else { return Ok(()) };
                let (name, value) = self.entry(schema, (key, kind), bytes, depth)?;
                map.put(name, value);
            }
            (Multiplicity::Map { .. }, ..) => {}
        }
        Ok(())
    }

    /// One entry of a map.
    fn entry(
        &self,
        schema: &Schema,
        (key, kind): (FieldKind, FieldKind),
        bytes: &[u8],
        depth: usize,
    ) -> Result<(String, Value), String> {
        let (mut name, mut value) = (None, None);
        let mut fields = WireFields(bytes);
        while let Some((number, raw)) = fields.next().map_err(broken)? {
            match number {
                1 => name = self.value(schema, key, raw, depth)?.or(name),
                2 => value = self.value(schema, kind, raw, depth)?.or(value),
                _ => {}
            }
        }
        let name = match name.unwrap_or_else(|| default(schema, key)) {
            Value::String(text) => text,
            Value::Bool(value) => value.to_string(),
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        };
        let value = match (value, kind) {
            (Some(value), _) => value,
            (None, FieldKind::Message(at)) => self.message(schema, schema.message(at), &[], depth + 1)?,
            (None, kind) => default(schema, kind),
        };
        Ok((name, value))
    }

    /// One value; `None` when its wire type is another kind's.
    fn value(&self, schema: &Schema, kind: FieldKind, raw: Raw<'_>, depth: usize) -> Result<Option<Value>, String> {
        let number = |number: f64| Value::Number(number);
        let text = |number: &dyn std::fmt::Display| Value::String(number.to_string());
        Ok(Some(match (kind, raw) {
            (FieldKind::Double, Raw::I64(bytes)) => float(f64::from_le_bytes(bytes)),
            (FieldKind::Float, Raw::I32(bytes)) => narrow_float(f32::from_le_bytes(bytes)),
            (FieldKind::Int32, Raw::Varint(value)) => number(f64::from(value as i32)),
            (FieldKind::Int64, Raw::Varint(value)) => text(&(value as i64)),
            (FieldKind::Uint32, Raw::Varint(value)) => number(f64::from(value as u32)),
            (FieldKind::Uint64, Raw::Varint(value)) => text(&value),
            (FieldKind::Sint32, Raw::Varint(value)) => number(unzigzag(u64::from(value as u32)) as f64),
            (FieldKind::Sint64, Raw::Varint(value)) => text(&unzigzag(value)),
            (FieldKind::Fixed32, Raw::I32(bytes)) => number(f64::from(u32::from_le_bytes(bytes))),
            (FieldKind::Fixed64, Raw::I64(bytes)) => text(&u64::from_le_bytes(bytes)),
            (FieldKind::Sfixed32, Raw::I32(bytes)) => number(f64::from(i32::from_le_bytes(bytes))),
            (FieldKind::Sfixed64, Raw::I64(bytes)) => text(&i64::from_le_bytes(bytes)),
            (FieldKind::Bool, Raw::Varint(value)) => Value::Bool(value != 0),
            (FieldKind::String, Raw::Len(bytes)) => match std::str::from_utf8(bytes) {
                Ok(text) => Value::from(text),
                Err(_) => return Err("string field contains invalid UTF-8".to_owned()),
            },
            (FieldKind::Bytes, Raw::Len(bytes)) => Value::String(STANDARD.encode(bytes)),
            (FieldKind::Message(at), Raw::Len(bytes)) | (FieldKind::Group(at), Raw::Group(bytes)) => {
                self.message(schema, schema.message(at), bytes, depth + 1)?
            }
            (FieldKind::Enum(at), Raw::Varint(value)) => enumeration(schema, at, value as i32),
            _ => return Ok(None),
        }))
    }

    fn well_known(
        &self,
        schema: &Schema,
        message: &MessageSchema,
        kind: WellKnown,
        bytes: &[u8],
        depth: usize,
    ) -> Result<Value, String> {
        match kind {
            WellKnown::Any => self.any(bytes, depth),
            WellKnown::Wrapper => {
                let mut fields = self.fields(schema, message, bytes, depth)?;
                Ok(fields.pop().map_or(Value::Null, |(_, value)| value))
            }
            WellKnown::Struct | WellKnown::ListValue => {
                let mut fields = self.fields(schema, message, bytes, depth)?;
                Ok(fields.pop().map_or(Value::Null, |(_, value)| value))
            }
            WellKnown::Value => {
                // The one that is set; `null` is one of them.
                let mut fields = self.fields(schema, message, bytes, depth)?;
                match fields.pop() {
                    Some((_, value)) => Ok(value),
                    None => Err("google.protobuf.Value: none of the oneof fields is set".to_owned()),
                }
            }
            WellKnown::Timestamp | WellKnown::Duration => {
                let (mut seconds, mut nanos) = (0, 0);
                let mut fields = WireFields(bytes);
                while let Some((number, raw)) = fields.next().map_err(broken)? {
                    match (number, raw) {
                        (1, Raw::Varint(value)) => seconds = value as i64,
                        (2, Raw::Varint(value)) => nanos = i64::from(value as i32),
                        _ => {}
                    }
                }
                let text = match kind {
                    WellKnown::Timestamp => well_known::timestamp(seconds, nanos),
                    _ => well_known::duration(seconds, nanos),
                };
                text.map(Value::String)
                    .ok_or_else(|| format!("{}: seconds or nanos out of range: {seconds}, {nanos}", message.full_name))
            }
            WellKnown::FieldMask => {
                let mut paths = Vec::new();
                let mut fields = WireFields(bytes);
                while let Some((number, raw)) = fields.next().map_err(broken)? {
                    if let (1, Raw::Len(path)) = (number, raw) {
                        let path = String::from_utf8_lossy(path);
                        let camel = well_known::camel_case(&path);
                        paths.push(
                            camel.ok_or_else(|| format!("{} contains invalid path: {path:?}", message.full_name))?,
                        );
                    }
                }
                Ok(Value::String(paths.join(",")))
            }
        }
    }

    /// The contents of an `Any`, with the type among the fields. What has no descriptor stays bytes.
    fn any(&self, bytes: &[u8], depth: usize) -> Result<Value, String> {
        let (mut url, mut inner): (&[u8], &[u8]) = (&[], &[]);
        let mut fields = WireFields(bytes);
        while let Some((number, raw)) = fields.next().map_err(broken)? {
            match (number, raw) {
                (1, Raw::Len(bytes)) => url = bytes,
                (2, Raw::Len(bytes)) => inner = bytes,
                _ => {}
            }
        }
        if url.is_empty() && inner.is_empty() {
            return Ok(Value::Map(Vec::new()));
        }
        self.unpacked(&String::from_utf8_lossy(url), inner, depth)
    }

    fn unpacked(&self, url: &str, inner: &[u8], depth: usize) -> Result<Value, String> {
        let found = self.types.find(url.rsplit('/').next().unwrap_or_default());
        let mut map = vec![("@type".to_owned(), Value::from(url))];
        match found {
            None => map.push(("value".to_owned(), Value::String(STANDARD.encode(inner)))),
            Some((schema, at)) => match self.message(schema, schema.message(at), inner, depth + 1)? {
                Value::Map(fields) if schema.message(at).well_known.is_none() => map.extend(fields),
                value => map.push(("value".to_owned(), value)),
            },
        }
        Ok(Value::Map(map))
    }
}

/// The value of what was not written.
fn default(schema: &Schema, kind: FieldKind) -> Value {
    match kind {
        FieldKind::Double
        | FieldKind::Float
        | FieldKind::Int32
        | FieldKind::Uint32
        | FieldKind::Sint32
        | FieldKind::Fixed32
        | FieldKind::Sfixed32 => Value::Number(0.0),
        FieldKind::Int64 | FieldKind::Uint64 | FieldKind::Sint64 | FieldKind::Fixed64 | FieldKind::Sfixed64 => {
            Value::from("0")
        }
        FieldKind::Bool => Value::Bool(false),
        FieldKind::String | FieldKind::Bytes => Value::from(""),
        FieldKind::Message(_) | FieldKind::Group(_) => Value::Null,
        FieldKind::Enum(at) => {
            enumeration(schema, at, schema.enumeration(at).values.first().map_or(0, |(_, first)| *first))
        }
    }
}

fn enumeration(schema: &Schema, at: u32, number: i32) -> Value {
    let known = schema.enumeration(at);
    if known.is_null {
        return Value::Null;
    }
    known.name(number).map_or(Value::Number(f64::from(number)), Value::from)
}

fn float(number: f64) -> Value {
    match number {
        number if number.is_nan() => Value::from("NaN"),
        f64::INFINITY => Value::from("Infinity"),
        f64::NEG_INFINITY => Value::from("-Infinity"),
        number => Value::Number(number),
    }
}

/// The shortest decimal number that means the same at this width: what JSON shows of it.
fn narrow_float(number: f32) -> Value {
    match number.is_finite() {
        true => Value::Number(number.to_string().parse().unwrap_or(f64::from(number))),
        false => float(f64::from(number)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_json() {
        let list = Value::List(vec![Value::Null, Value::Bool(true), Value::Number(-1.5), Value::Number(7.0)]);
        let value = Value::Map(vec![("a\"b".to_owned(), list), ("t".to_owned(), "x\n\u{e9}".into())]);
        let mut json = Vec::new();
        write_json(&value, &mut json);
        let expect = "{\"a\\\"b\":[null,true,-1.5,7.0],\"t\":\"x\\n\u{e9}\"}";
        assert_eq!(String::from_utf8(json).unwrap(), expect);
    }
}
