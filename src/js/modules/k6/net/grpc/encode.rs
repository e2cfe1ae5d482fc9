//! From the JSON text of a request to the bytes of its message, by the rules of proto3's JSON and in Go's words.

use smallvec::SmallVec;

use super::Types;
use super::json::{JsonReader, TokenKind};
use super::literal::{float, integer, unpack};
use super::schema::{FieldKind, FieldSchema, MessageSchema, Multiplicity, Presence, Schema, WellKnown, WireType};
use super::well_known;
use super::wire::{put_bytes, put_number, put_tag, put_varint};

/// Messages nested deeper than this are refused.
const MAX_DEPTH: usize = 200;

/// The bytes of the message at index `at` of `schema`. The contents of an `Any` are looked up in `types`.
///
/// # Errors
/// What is wrong with the text, and where.
pub fn encode(types: &Types, schema: &Schema, at: u32, json: &str) -> Result<Vec<u8>, String> {
    let mut encoder = Encoder { reader: JsonReader::new(json), types, depth: 0, typed_depth: 0 };
    let mut out = Vec::with_capacity(json.len());
    encoder.message(schema, schema.message(at), &mut out)?;
    let rest = encoder.reader.next();
    match rest.kind {
        TokenKind::End => Ok(out),
        _ => Err(encoder.reader.unexpected(&rest)),
    }
}

struct Encoder<'a> {
    reader: JsonReader<'a>,
    types: &'a Types,
    depth: usize,
    /// The depth at which `@type` may stand among fields: the outermost braces of what is in an `Any`.
    typed_depth: usize,
}

impl Encoder<'_> {
    /// The fields of the message that comes next.
    fn message(&mut self, schema: &Schema, message: &MessageSchema, out: &mut Vec<u8>) -> Result<(), String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("proto: exceeded max recursion depth".to_owned());
        }
        match message.well_known {
            Some(well_known) => self.well_known(schema, message, well_known, out)?,
            None => self.fields(schema, message, out)?,
        }
        self.depth -= 1;
        Ok(())
    }

    fn fields(&mut self, schema: &Schema, message: &MessageSchema, out: &mut Vec<u8>) -> Result<(), String> {
        self.open()?;
        let mut seen = SmallVec::<[usize; 16]>::new();
        let mut oneofs = SmallVec::<[u32; 4]>::new();
        loop {
            let token = self.reader.next();
            let name = match &token.kind {
                TokenKind::ObjectClose => break,
                TokenKind::String(name) => name,
                _ => return Err(self.reader.unexpected(&token)),
            };
            let Some((at, field)) = message.field(name) else {
                if name == "@type" && self.depth == self.typed_depth {
                    self.reader.skip();
                    continue;
                }
                return Err(self.reader.error(&token, format!("unknown field {}", token.raw)));
            };
            if seen.contains(&at) {
                return Err(self.reader.error(&token, format!("duplicate field {}", token.raw)));
            }
            seen.push(at);
            let is_null = self.reader.peek().kind == TokenKind::Null;
            if is_null && !takes_null(schema, field) {
                self.reader.next();
                continue;
            }
            if let Presence::Absent { oneof } = field.presence {
                if oneofs.contains(&oneof) {
                    let oneof = &message.oneofs[oneof as usize];
                    let what = format!("error parsing {}, oneof {oneof} is already set", token.raw);
                    return Err(self.reader.error(&token, what));
                }
                oneofs.push(oneof);
            }
            match field.shape {
                Multiplicity::One => self.field(schema, field, field.presence == Presence::Default, out)?,
                Multiplicity::List { is_packed } => self.list(schema, field, is_packed, out)?,
                Multiplicity::Map { key } => self.map(schema, field, key, out)?,
            }
        }
        for (at, field) in message.fields.iter().enumerate() {
            if field.is_required && !seen.contains(&at) {
                return Err(format!("proto: required field {}.{} not set", message.full_name, field.name));
            }
        }
        Ok(())
    }

    fn open(&mut self) -> Result<(), String> {
        let token = self.reader.next();
        match token.kind {
            TokenKind::ObjectOpen => Ok(()),
            _ => Err(self.reader.unexpected(&token)),
        }
    }

    fn list(&mut self, schema: &Schema, field: &FieldSchema, is_packed: bool, out: &mut Vec<u8>) -> Result<(), String> {
        let token = self.reader.next();
        if token.kind != TokenKind::ArrayOpen {
            return Err(self.reader.unexpected(&token));
        }
        let mut packed = Vec::new();
        while self.reader.peek().kind != TokenKind::ArrayClose {
            if is_packed {
                self.scalar(schema, field, &mut packed)?;
            } else {
                self.field(schema, field, false, out)?;
            }
        }
        self.reader.next();
        if !packed.is_empty() {
            put_bytes(out, field.number, &packed);
        }
        Ok(())
    }

    fn map(&mut self, schema: &Schema, field: &FieldSchema, key: FieldKind, out: &mut Vec<u8>) -> Result<(), String> {
        self.open()?;
        loop {
            let token = self.reader.next();
            let name = match &token.kind {
                TokenKind::ObjectClose => return Ok(()),
                TokenKind::String(name) => name,
                _ => return Err(self.reader.unexpected(&token)),
            };
            let mut entry = Vec::new();
            put_tag(&mut entry, 1, key.wire());
            let is_key = match key {
                FieldKind::String => {
                    put_varint(&mut entry, name.len() as u64);
                    entry.extend_from_slice(name.as_bytes());
                    true
                }
                FieldKind::Bool if matches!(&**name, "true" | "false") => {
                    put_varint(&mut entry, u64::from(name == "true"));
                    true
                }
                _ => integer(key, name, &mut entry).is_some(),
            };
            if !is_key {
                let what = format!("invalid value for {} key: {}", key.word(), token.raw);
                return Err(self.reader.error(&token, what));
            }
            put_value(self, schema, field, &mut entry)?;
            put_bytes(out, field.number, &entry);
        }
    }

    /// One value with its tag. What is its default is left out, where that says the same.
    fn field(&mut self, schema: &Schema, field: &FieldSchema, may_omit: bool, out: &mut Vec<u8>) -> Result<(), String> {
        match field.kind {
            FieldKind::Message(at) => {
                let mut inner = Vec::new();
                self.message(schema, schema.message(at), &mut inner)?;
                put_bytes(out, field.number, &inner);
            }
            FieldKind::Group(at) => {
                put_tag(out, field.number, WireType::StartGroup);
                self.message(schema, schema.message(at), out)?;
                put_varint(out, u64::from(field.number) << 3 | 4);
            }
            kind => {
                let begin = out.len();
                put_tag(out, field.number, kind.wire());
                let value = out.len();
                self.scalar(schema, field, out)?;
                if may_omit && out[value..].iter().all(|byte| *byte == 0) {
                    out.truncate(begin);
                }
            }
        }
        Ok(())
    }

    /// One value that is no message, without a tag.
    fn scalar(&mut self, schema: &Schema, field: &FieldSchema, out: &mut Vec<u8>) -> Result<(), String> {
        let token = self.reader.next();
        let written = match (field.kind, &token.kind) {
            (FieldKind::Bool, TokenKind::Bool(value)) => {
                put_varint(out, u64::from(*value));
                Some(())
            }
            (FieldKind::String, TokenKind::String(text)) => {
                put_varint(out, text.len() as u64);
                out.extend_from_slice(text.as_bytes());
                Some(())
            }
            (FieldKind::Bytes, TokenKind::String(text)) => unpack(text).map(|bytes| {
                put_varint(out, bytes.len() as u64);
                out.extend_from_slice(&bytes);
            }),
            (FieldKind::Enum(at), TokenKind::String(name)) => {
                schema.enumeration(at).number(name).map(|number| put_varint(out, number as i64 as u64))
            }
            (FieldKind::Enum(_), TokenKind::Number(number)) => integer(FieldKind::Int32, number, out),
            (FieldKind::Enum(at), TokenKind::Null) if schema.enumeration(at).is_null => {
                put_varint(out, 0);
                Some(())
            }
            (FieldKind::Double, TokenKind::Number(text) | TokenKind::String(std::borrow::Cow::Borrowed(text))) => {
                float(text, matches!(token.kind, TokenKind::String(_)))
                    .map(|value| out.extend_from_slice(&value.to_le_bytes()))
            }
            (FieldKind::Float, TokenKind::Number(text) | TokenKind::String(std::borrow::Cow::Borrowed(text))) => {
                float(text, matches!(token.kind, TokenKind::String(_)))
                    .filter(|value| !value.is_finite() || (*value as f32).is_finite())
                    .map(|value| out.extend_from_slice(&(value as f32).to_le_bytes()))
            }
            (FieldKind::Double | FieldKind::Float | FieldKind::Bool | FieldKind::String | FieldKind::Bytes, _) => None,
            (kind, TokenKind::Number(text)) => integer(kind, text, out),
            (kind, TokenKind::String(text)) => integer(kind, text, out),
            _ => None,
        };
        written.ok_or_else(|| {
            let what = format!("invalid value for {} field {}: {}", field.kind.word(), field.json_name, token.raw);
            match token.kind {
                TokenKind::ObjectOpen | TokenKind::ArrayOpen | TokenKind::End => self.reader.unexpected(&token),
                _ => self.reader.error(&token, what),
            }
        })
    }

    fn well_known(
        &mut self,
        schema: &Schema,
        message: &MessageSchema,
        kind: WellKnown,
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        match kind {
            WellKnown::Any => self.any(out),
            WellKnown::Struct => self.map_of_values(out),
            WellKnown::ListValue => self.list_of_values(out),
            WellKnown::Value => self.value(out),
            WellKnown::Wrapper => match message.fields.first() {
                Some(field) => self.field(schema, field, true, out),
                None => Ok(()),
            },
            WellKnown::Timestamp | WellKnown::Duration | WellKnown::FieldMask => {
                let token = self.reader.next();
                let TokenKind::String(text) = &token.kind else { return Err(self.reader.unexpected(&token)) };
                let name = &message.full_name;
                if kind == WellKnown::FieldMask {
                    for path in text.split(',').filter(|path| !path.is_empty()) {
                        let snake = well_known::snake_case(path).ok_or_else(|| {
                            let quoted = crate::units::quote::go_quote(path);
                            self.reader.error(&token, format!("{name} contains invalid path: {quoted}"))
                        })?;
                        put_bytes(out, 1, snake.as_bytes());
                    }
                    return Ok(());
                }
                let parsed = match kind {
                    WellKnown::Timestamp => well_known::parse_timestamp(text),
                    _ => well_known::parse_duration(text),
                };
                let Some((seconds, nanos)) = parsed else {
                    return Err(self.reader.error(&token, format!("invalid {name} value {}", token.raw)));
                };
                let range = match kind {
                    WellKnown::Timestamp => well_known::TIMESTAMPS,
                    _ => well_known::DURATIONS,
                };
                if !range.contains(&seconds) {
                    return Err(self.reader.error(&token, format!("{name} value out of range: {}", token.raw)));
                }
                put_number(out, 1, seconds as u64);
                put_number(out, 2, i64::from(nanos) as u64);
                Ok(())
            }
        }
    }

    /// The fields of a `google.protobuf.Struct`.
    fn map_of_values(&mut self, out: &mut Vec<u8>) -> Result<(), String> {
        self.open()?;
        loop {
            let token = self.reader.next();
            let name = match &token.kind {
                TokenKind::ObjectClose => return Ok(()),
                TokenKind::String(name) => name,
                _ => return Err(self.reader.unexpected(&token)),
            };
            let (mut entry, mut inner) = (Vec::new(), Vec::new());
            put_bytes(&mut entry, 1, name.as_bytes());
            self.nested_value(&mut inner)?;
            put_bytes(&mut entry, 2, &inner);
            put_bytes(out, 1, &entry);
        }
    }

    fn list_of_values(&mut self, out: &mut Vec<u8>) -> Result<(), String> {
        let token = self.reader.next();
        if token.kind != TokenKind::ArrayOpen {
            return Err(self.reader.unexpected(&token));
        }
        while self.reader.peek().kind != TokenKind::ArrayClose {
            let mut inner = Vec::new();
            self.nested_value(&mut inner)?;
            put_bytes(out, 1, &inner);
        }
        self.reader.next();
        Ok(())
    }

    fn nested_value(&mut self, out: &mut Vec<u8>) -> Result<(), String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("proto: exceeded max recursion depth".to_owned());
        }
        self.value(out)?;
        self.depth -= 1;
        Ok(())
    }

    /// The one field of a `google.protobuf.Value`.
    fn value(&mut self, out: &mut Vec<u8>) -> Result<(), String> {
        let token = self.reader.peek();
        let mut inner = Vec::new();
        match token.kind {
            TokenKind::ObjectOpen => {
                self.map_of_values(&mut inner)?;
                put_bytes(out, 5, &inner);
                return Ok(());
            }
            TokenKind::ArrayOpen => {
                self.list_of_values(&mut inner)?;
                put_bytes(out, 6, &inner);
                return Ok(());
            }
            TokenKind::Null => out.extend_from_slice(&[1 << 3, 0]),
            TokenKind::Bool(value) => out.extend_from_slice(&[4 << 3, u8::from(value)]),
            TokenKind::String(ref text) => put_bytes(out, 3, text.as_bytes()),
            TokenKind::Number(text) => {
                put_tag(out, 2, WireType::I64);
                let number: f64 = text.parse().unwrap_or_default();
                out.extend_from_slice(&number.to_le_bytes());
            }
            TokenKind::ObjectClose | TokenKind::ArrayClose | TokenKind::End => {
                return Err(self.reader.unexpected(&token));
            }
        }
        self.reader.next();
        Ok(())
    }

    /// The fields of a `google.protobuf.Any`.
    fn any(&mut self, out: &mut Vec<u8>) -> Result<(), String> {
        let first = self.reader.peek();
        if first.kind != TokenKind::ObjectOpen {
            return Err(self.reader.unexpected(&first));
        }
        let whole = self.reader.skip();
        let (mut url, mut value) = (None, None);
        let mut inside = self.reader.within(&whole);
        inside.next();
        let mut is_empty = true;
        while let TokenKind::String(name) = inside.next().kind {
            is_empty = false;
            match &*name {
                "@type" => {
                    let token = inside.next();
                    let TokenKind::String(given) = token.kind else {
                        let what = format!("@type field value is not a string: {}", token.raw);
                        return Err(self.reader.error(&first, what));
                    };
                    url = Some(given.into_owned());
                }
                "value" => value = Some(inside.skip()),
                _ => _ = inside.skip(),
            }
        }
        let Some(url) = url else {
            return match is_empty {
                true => Ok(()),
                false => Err(self.reader.error(&first, "missing \"@type\" field")),
            };
        };
        let quoted = crate::units::quote::go_quote(&url);
        if url.is_empty() {
            return Err(self.reader.error(&first, "@type field contains empty value"));
        }
        let name = url.rsplit('/').next().unwrap_or_default();
        let Some((schema, at)) = self.types.find(name) else {
            return Err(self.reader.error(&first, format!("unable to resolve {quoted}: \"not found\"")));
        };
        let message = schema.message(at);
        let mut inner = Vec::new();
        // Types with a JSON form of their own are under `value`; all others have `@type` among their fields.
        let (text, typed_depth) = match message.well_known {
            Some(_) => (value.ok_or_else(|| self.reader.error(&first, "missing \"value\" field"))?, 0),
            None => (whole, self.depth + 1),
        };
        let reader = self.reader.within(&text);
        let mut nested = Encoder { reader, types: self.types, depth: self.depth, typed_depth };
        nested.message(schema, message, &mut inner)?;
        put_bytes(out, 1, url.as_bytes());
        if !inner.is_empty() {
            put_bytes(out, 2, &inner);
        }
        Ok(())
    }
}

/// The value of an entry of a map, always written.
fn put_value(
    encoder: &mut Encoder<'_>,
    schema: &Schema,
    field: &FieldSchema,
    entry: &mut Vec<u8>,
) -> Result<(), String> {
    match field.kind {
        FieldKind::Message(at) => {
            let mut inner = Vec::new();
            encoder.message(schema, schema.message(at), &mut inner)?;
            put_bytes(entry, 2, &inner);
            Ok(())
        }
        kind => {
            put_tag(entry, 2, kind.wire());
            encoder.scalar(schema, field, entry)
        }
    }
}

/// True for the fields in which `null` is a value.
fn takes_null(schema: &Schema, field: &FieldSchema) -> bool {
    field.shape == Multiplicity::One
        && match field.kind {
            FieldKind::Message(at) => schema.message(at).well_known == Some(WellKnown::Value),
            FieldKind::Enum(at) => schema.enumeration(at).is_null,
            _ => false,
        }
}
