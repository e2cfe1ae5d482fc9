//! Files of an edition (2023 and later): the libraries know proto2 and proto3 only, so such a file becomes a proto2 file with
//! what its features say written out at each field. What can't be said in proto2 is told beside it, as [`Traits`].
//!
//! Features and their defaults: <https://protobuf.dev/editions/features/>.

use bytes::Bytes;
use prost::Message;
use protox::prost_reflect::prost_types::field_descriptor_proto::Label;
use protox::prost_reflect::prost_types::uninterpreted_option::NamePart;
use protox::prost_reflect::prost_types::{
    self, DescriptorProto, FieldDescriptorProto, FileDescriptorProto, UninterpretedOption,
};
use rustc_hash::FxHashMap;

use super::imports::string_end;

/// Numbers of editions in descriptors.
const EDITION_2023: i32 = 1000;
const EDITION_2024: i32 = 1001;

/// What `default` is called while a file is parsed as proto3, which knows no defaults.
const DEFAULT: &str = "defau__";

/// What features say about fields; unset is as around.
#[derive(Clone, Copy, PartialEq, Message)]
struct Features {
    /// 1 explicit, 2 implicit, 3 required as in proto2.
    #[prost(int32, optional, tag = "1")]
    presence: Option<i32>,
    /// 1 packed, 2 one by one.
    #[prost(int32, optional, tag = "3")]
    repeated: Option<i32>,
    /// 1 with its length before it, 2 between two tags.
    #[prost(int32, optional, tag = "5")]
    message: Option<i32>,
}

impl Features {
    /// Sets the feature of this name; false where the name or the value is none.
    fn set(&mut self, name: &str, value: &str) -> bool {
        let mut rest = None;
        let (feature, values) = match name {
            "field_presence" => (&mut self.presence, &["EXPLICIT", "IMPLICIT", "LEGACY_REQUIRED"][..]),
            "repeated_field_encoding" => (&mut self.repeated, &["PACKED", "EXPANDED"][..]),
            "message_encoding" => (&mut self.message, &["LENGTH_PREFIXED", "DELIMITED"][..]),
            // These say nothing about how messages are written.
            "enum_type" => (&mut rest, &["OPEN", "CLOSED"][..]),
            "utf8_validation" => (&mut rest, &["VERIFY", "NONE"][..]),
            "json_format" => (&mut rest, &["ALLOW", "LEGACY_BEST_EFFORT"][..]),
            _ => return false,
        };
        let found = (1..).zip(values).find(|(_, known)| **known == value);
        *feature = found.map(|(number, _)| number);
        found.is_some()
    }

    /// These, and where they say nothing, those of what is around.
    fn within(self, around: Self) -> Self {
        Self {
            presence: self.presence.or(around.presence),
            repeated: self.repeated.or(around.repeated),
            message: self.message.or(around.message),
        }
    }
}

/// As much of a descriptor as tells its features.
#[derive(Clone, PartialEq, Message)]
struct FileFeatures {
    #[prost(message, repeated, tag = "4")]
    messages: Vec<MessageFeatures>,
    #[prost(message, repeated, tag = "7")]
    extensions: Vec<FieldFeatures>,
    #[prost(message, optional, tag = "8")]
    options: Option<FileFeatureOptions>,
    #[prost(int32, tag = "14")]
    edition: i32,
}

#[derive(Clone, PartialEq, Message)]
struct MessageFeatures {
    #[prost(message, repeated, tag = "2")]
    fields: Vec<FieldFeatures>,
    #[prost(message, repeated, tag = "3")]
    messages: Vec<MessageFeatures>,
    #[prost(message, repeated, tag = "6")]
    extensions: Vec<FieldFeatures>,
    #[prost(message, optional, tag = "7")]
    options: Option<MessageFeatureOptions>,
    #[prost(message, repeated, tag = "8")]
    oneofs: Vec<OneofFeatures>,
}

#[derive(Clone, PartialEq, Message)]
struct FieldFeatures {
    #[prost(message, optional, tag = "8")]
    options: Option<FieldFeatureOptions>,
}

#[derive(Clone, PartialEq, Message)]
struct OneofFeatures {
    #[prost(message, optional, tag = "2")]
    options: Option<OneofFeatureOptions>,
}

#[derive(Clone, PartialEq, Message)]
struct FileFeatureOptions {
    #[prost(message, optional, tag = "50")]
    features: Option<Features>,
}

#[derive(Clone, PartialEq, Message)]
struct MessageFeatureOptions {
    #[prost(message, optional, tag = "12")]
    features: Option<Features>,
}

#[derive(Clone, PartialEq, Message)]
struct FieldFeatureOptions {
    #[prost(message, optional, tag = "21")]
    features: Option<Features>,
}

#[derive(Clone, PartialEq, Message)]
struct OneofFeatureOptions {
    #[prost(message, optional, tag = "1")]
    features: Option<Features>,
}

/// What proto2 can't say about a field, or not before the types are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traits {
    /// Its not being set can't be told from its being zero.
    pub is_implicit: bool,
    /// A message is written between two tags.
    pub is_delimited: bool,
}

/// The traits of fields by their full names; those of all others are the usual ones.
pub type FieldTraits = FxHashMap<String, Traits>;

/// Makes a proto2 file of a file of an edition; `bytes` is what it was read from. Others stay as they are.
///
/// # Errors
/// An edition nobody knows.
pub fn translate_bytes(file: &mut FileDescriptorProto, bytes: &Bytes, traits: &mut FieldTraits) -> Result<(), String> {
    if file.syntax() != "editions" {
        return Ok(());
    }
    let told = FileFeatures::decode(bytes.clone()).map_err(|error| error.to_string())?;
    if !matches!(told.edition, EDITION_2023 | EDITION_2024) {
        let (name, edition) = (file.name(), told.edition);
        return Err(format!(
            "the file {name:?} has the edition {edition}; known are {EDITION_2023} (2023) and {EDITION_2024} (2024)"
        ));
    }
    translate(file, &told, traits);
    Ok(())
}

/// As [`translate_bytes`], for a file that was [`opened`] as proto3 and parsed.
///
/// # Errors
/// What editions have no more, with the path to it in the descriptor.
pub fn translate_parsed(file: &mut FileDescriptorProto, traits: &mut FieldTraits) -> Result<(), (Vec<i32>, String)> {
    if let Some(path) = find_optional(&file.message_type, &mut vec![4]) {
        let text = "label 'optional' is not allowed in editions; use option features.field_presence instead";
        return Err((path, text.to_owned()));
    }
    let told = FileFeatures {
        messages: file.message_type.iter_mut().map(take_scope).collect(),
        extensions: file.extension.iter_mut().map(take_field).collect(),
        options: file
            .options
            .as_mut()
            .map(|options| FileFeatureOptions { features: take(&mut options.uninterpreted_option) }),
        edition: EDITION_2023,
    };
    for known in &mut file.enum_type {
        take_enum(known);
    }
    for service in &mut file.service {
        service.options.as_mut().and_then(|options| take(&mut options.uninterpreted_option));
        for method in &mut service.method {
            method.options.as_mut().and_then(|options| take(&mut options.uninterpreted_option));
        }
    }
    translate(file, &told, traits);
    Ok(())
}

/// Where a field is `optional`, as a path in the descriptor.
fn find_optional(messages: &[DescriptorProto], path: &mut Vec<i32>) -> Option<Vec<i32>> {
    for (message, at) in messages.iter().zip(0..) {
        path.push(at);
        if let Some(at) = message.field.iter().position(FieldDescriptorProto::proto3_optional) {
            path.extend([2, at as i32, 4]);
            return Some(path.clone());
        }
        path.push(3);
        if let Some(found) = find_optional(&message.nested_type, path) {
            return Some(found);
        }
        path.truncate(path.len() - 2);
    }
    None
}

fn take_scope(message: &mut DescriptorProto) -> MessageFeatures {
    message.enum_type.iter_mut().for_each(take_enum);
    for range in &mut message.extension_range {
        range.options.as_mut().and_then(|options| take(&mut options.uninterpreted_option));
    }
    let oneof = |oneof: &mut prost_types::OneofDescriptorProto| OneofFeatures {
        options: oneof
            .options
            .as_mut()
            .map(|options| OneofFeatureOptions { features: take(&mut options.uninterpreted_option) }),
    };
    MessageFeatures {
        fields: message.field.iter_mut().map(take_field).collect(),
        messages: message.nested_type.iter_mut().map(take_scope).collect(),
        extensions: message.extension.iter_mut().map(take_field).collect(),
        options: message
            .options
            .as_mut()
            .map(|options| MessageFeatureOptions { features: take(&mut options.uninterpreted_option) }),
        oneofs: message.oneof_decl.iter_mut().map(oneof).collect(),
    }
}

fn take_field(field: &mut FieldDescriptorProto) -> FieldFeatures {
    let options = field.options.as_mut().map(|options| {
        options.uninterpreted_option.retain(|option| !matches!(&*option.name, [part] if part.name_part == DEFAULT));
        FieldFeatureOptions { features: take(&mut options.uninterpreted_option) }
    });
    FieldFeatures { options }
}

fn take_enum(known: &mut prost_types::EnumDescriptorProto) {
    known.options.as_mut().and_then(|options| take(&mut options.uninterpreted_option));
    for value in &mut known.value {
        value.options.as_mut().and_then(|options| take(&mut options.uninterpreted_option));
    }
}

/// Takes features out of the options of a parsed file. Those of other languages (`features.(pb.go)`) are theirs; what nobody
/// knows stays, and is an error of the linker.
fn take(options: &mut Vec<UninterpretedOption>) -> Option<Features> {
    let mut found: Option<Features> = None;
    options.retain(|option| {
        let [NamePart { name_part, is_extension: false }, rest @ ..] = &*option.name else { return true };
        if name_part != "features" {
            return true;
        }
        let features = found.get_or_insert_default();
        match (rest, &option.identifier_value, &option.aggregate_value) {
            ([feature], Some(value), _) if !feature.is_extension => !features.set(&feature.name_part, value),
            // `features = { field_presence: IMPLICIT }`
            ([], _, Some(pairs)) => {
                let words = ProtoTokens { source: pairs, at: 0 }.map(|token| &pairs[token]);
                let words: Vec<&str> = words.filter(|word| !matches!(*word, ":" | "," | ";")).collect();
                !words.chunks(2).all(|pair| matches!(pair, [name, value] if features.set(name, value)))
            }
            _ => !rest.iter().any(|part| part.is_extension),
        }
    });
    found
}

fn translate(file: &mut FileDescriptorProto, told: &FileFeatures, traits: &mut FieldTraits) {
    let defaults = Features { presence: Some(1), repeated: Some(1), message: Some(1) };
    let features = told.options.as_ref().and_then(|options| options.features).unwrap_or_default().within(defaults);
    file.syntax = None;
    let package = file.package().to_owned();
    for (message, told) in file.message_type.iter_mut().zip(&told.messages) {
        translate_message(message, told, features, &package, traits);
    }
    for (field, told) in file.extension.iter_mut().zip(&told.extensions) {
        translate_field(field, told, features);
    }
}

fn translate_message(
    message: &mut DescriptorProto,
    told: &MessageFeatures,
    around: Features,
    parent: &str,
    traits: &mut FieldTraits,
) {
    let features = told.options.as_ref().and_then(|options| options.features).unwrap_or_default().within(around);
    let dot = if parent.is_empty() { "" } else { "." };
    let name = format!("{parent}{dot}{}", message.name());
    for (field, told_field) in message.field.iter_mut().zip(&told.fields) {
        let oneof = field.oneof_index.and_then(|at| told.oneofs.get(usize::try_from(at).ok()?));
        let oneof = oneof.and_then(|oneof| oneof.options.as_ref()?.features).unwrap_or_default();
        let seen = translate_field(field, told_field, oneof.within(features));
        if seen != Traits::default() {
            traits.insert(format!("{name}.{}", field.name()), seen);
        }
    }
    for (field, told) in message.extension.iter_mut().zip(&told.extensions) {
        translate_field(field, told, features);
    }
    for (nested, told) in message.nested_type.iter_mut().zip(&told.messages) {
        let is_map_entry = nested.options.as_ref().is_some_and(|options| options.map_entry());
        if !is_map_entry {
            translate_message(nested, told, features, &name, traits);
        }
    }
}

/// Writes out what features say about a field; the rest is the answer. Whether its type is a message or an enum is not known
/// yet in a file that was parsed.
fn translate_field(field: &mut FieldDescriptorProto, told: &FieldFeatures, around: Features) -> Traits {
    let own = told.options.as_ref().and_then(|options| options.features).unwrap_or_default();
    let features = own.within(around);
    let is_repeated = field.label() == Label::Repeated;
    if is_repeated {
        // Means nothing where values can't be packed.
        field.options.get_or_insert_default().packed = Some(features.repeated != Some(2));
    }
    let has_choice = !is_repeated && field.oneof_index.is_none() && field.extendee.is_none();
    if has_choice && features.presence == Some(3) {
        field.label = Some(Label::Required.into());
    }
    Traits { is_implicit: has_choice && features.presence == Some(2), is_delimited: features.message == Some(2) }
}

/// A file that says `edition`, as proto3 of the same length line by line: the parser knows no editions. `None` for others.
///
/// # Errors
/// The place of an edition nobody knows, and what is wrong with it.
pub fn opened(source: &str) -> Result<Option<String>, (usize, String)> {
    let mut tokens = ProtoTokens { source, at: 0 };
    let (Some(word), Some(equals), Some(value)) = (tokens.next(), tokens.next(), tokens.next()) else {
        return Ok(None);
    };
    if &source[word.clone()] != "edition" || &source[equals] != "=" || !source[value.clone()].starts_with(['"', '\'']) {
        return Ok(None);
    }
    let edition = source[value.clone()].trim_matches(['"', '\'']);
    if edition != "2023" {
        let text = format!("edition value {edition:?} not recognized; should be one of [\"2023\"]");
        return Err((value.start, text));
    }
    let mut out = source.to_owned();
    // Defaults of fields get a name of the same length, so that all columns stay.
    let mut last = "";
    let mut before_last = (0..0, "");
    for token in tokens {
        let text = &source[token.clone()];
        if text == "=" && last == "default" && matches!(before_last.1, "[" | ",") {
            out.replace_range(before_last.0.clone(), DEFAULT);
        }
        before_last = (token, last);
        last = text;
    }
    let length = value.end - word.start;
    out.replace_range(word.start..value.end, &format!("{:<length$}", "syntax=\"proto3\""));
    Ok(Some(out))
}

/// The tokens of a file: words, strings and signs, without comments and blanks.
struct ProtoTokens<'a> {
    source: &'a str,
    at: usize,
}

impl Iterator for ProtoTokens<'_> {
    type Item = std::ops::Range<usize>;

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.source.as_bytes();
        loop {
            let (start, rest) = (self.at, bytes.get(self.at..)?);
            match *rest.first()? {
                byte if byte.is_ascii_whitespace() => self.at += 1,
                b'/' if rest.starts_with(b"//") => {
                    self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                }
                b'/' if rest.starts_with(b"/*") => {
                    self.at += memchr::memmem::find(&rest[2..], b"*/").map_or(rest.len(), |end| end + 4);
                }
                b'"' | b'\'' => {
                    self.at = (string_end(bytes, start) + 1).min(bytes.len());
                    return Some(start..self.at);
                }
                _ => {
                    let is_word = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_' || !byte.is_ascii();
                    self.at += rest.iter().take_while(is_word).count().max(1);
                    return Some(start..self.at);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::super::load::{Schemas, schema_of};
    use super::super::schema::{FieldKind, FieldSchema, Multiplicity, Presence, Schema};

    const PROTO: &str = r#"
// The edition = "2024" in a comment is none.
edition = "2023";
package e;
import "google/protobuf/go_features.proto";
option features.(pb.go).api_level = API_OPAQUE;
option features.enum_type = CLOSED;
enum Colour { option features.enum_type = OPEN; NONE = 0; RED = 1; }
message M {
  int32 explicit = 1 [default = 5];
  int32 implicit = 2 [features.field_presence = IMPLICIT];
  M must = 3 [features.field_presence = LEGACY_REQUIRED];
  repeated int32 packed = 4;
  repeated Colour loose = 5 [features.repeated_field_encoding = EXPANDED];
  M delimited = 6 [features = { message_encoding: DELIMITED }];
  repeated M group = 7 [deprecated = true, features.message_encoding = DELIMITED];
  map<string, M> map = 8 [features.message_encoding = DELIMITED];
  oneof o { int32 a = 9; }
  repeated string texts = 10;
  message Inner {
    option features = { field_presence: IMPLICIT, repeated_field_encoding: EXPANDED };
    Colour colour = 1;
    Inner inner = 2;
    string back = 3 [features.field_presence = EXPLICIT];
    repeated bool bools = 4;
  }
}
service S { rpc Do (M) returns (M); }
"#;

    fn field<'a>(schema: &'a Schema, message: &str, name: &str) -> &'a FieldSchema {
        schema.message(schema.find(message).unwrap()).field(name).unwrap().1
    }

    fn check(schema: &Schema) {
        let check = |message: &str, name: &str, shape: Multiplicity, presence: Presence| {
            let field = field(schema, message, name);
            assert_eq!((field.shape, field.presence), (shape, presence), "{name}");
        };
        let list = |is_packed| Multiplicity::List { is_packed };
        check("e.M", "explicit", Multiplicity::One, Presence::Null);
        check("e.M", "implicit", Multiplicity::One, Presence::Default);
        check("e.M", "must", Multiplicity::One, Presence::Null);
        check("e.M", "packed", list(true), Presence::Default);
        check("e.M", "loose", list(false), Presence::Default);
        check("e.M", "delimited", Multiplicity::One, Presence::Null);
        check("e.M", "group", list(false), Presence::Default);
        check("e.M", "a", Multiplicity::One, Presence::Absent { oneof: 0 });
        check("e.M", "texts", list(false), Presence::Default);
        check("e.M.Inner", "colour", Multiplicity::One, Presence::Default);
        check("e.M.Inner", "inner", Multiplicity::One, Presence::Null);
        check("e.M.Inner", "back", Multiplicity::One, Presence::Null);
        check("e.M.Inner", "bools", list(false), Presence::Default);
        for (name, is_group, is_required) in
            [("must", false, true), ("delimited", true, false), ("group", true, false), ("map", false, false)]
        {
            let field = field(schema, "e.M", name);
            assert_eq!(
                (matches!(field.kind, FieldKind::Group(_)), field.is_required),
                (is_group, is_required),
                "{name}"
            );
        }
    }

    #[test]
    fn features_are_heeded_in_files() {
        check(&schema_of(PROTO).unwrap());
    }

    /// A field of bytes.
    fn put(number: u32, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        super::super::wire::put_bytes(&mut out, number, bytes);
        out
    }

    #[test]
    fn features_are_heeded_in_descriptors() {
        // As the compiler writes them: what the parser made of the same file, with features as fields of options.
        let parsed = protox::file::File::from_source("e.proto", &super::opened(PROTO).unwrap().unwrap()).unwrap();
        let mut file: super::FileDescriptorProto = parsed.into();
        file.dependency.clear();
        file.options = None;
        file.enum_type[0].options = None;
        let message = &mut file.message_type[0];
        for field in &mut message.field {
            field.options = None;
            // Without a type name it is a message or an enum for the linker to find out.
            if let Some(name) = field.type_name.clone() {
                field.r#type = Some(if name == "Colour" { 14 } else { 11 });
            }
        }
        message.nested_type[1].options = None;
        message.nested_type[1].field.iter_mut().for_each(|field| field.options = None);
        file.syntax = Some("editions".to_owned());
        let mut bytes = file.encode_to_vec();
        // Fields of messages that come twice are put together, those of lists are not: so the message is written anew.
        let message = file.message_type.remove(0);
        let with = |field: &super::FieldDescriptorProto, features: &[u8]| {
            put(
                2,
                &[field.encode_to_vec(), if features.is_empty() { vec![] } else { put(8, &put(21, features)) }]
                    .concat(),
            )
        };
        let nested = |message: &super::DescriptorProto, options: Vec<u8>, features: &dyn Fn(&str) -> &'static [u8]| {
            let mut whole = put(1, message.name().as_bytes());
            for field in &message.field {
                whole.extend(with(field, features(field.name())));
            }
            whole.extend(message.oneof_decl.iter().flat_map(|oneof| put(8, &oneof.encode_to_vec())));
            whole.extend(options);
            whole
        };
        let inner = nested(&message.nested_type[1], put(7, &put(12, b"\x08\x02\x18\x02")), &|name| match name {
            "back" => b"\x08\x01",
            _ => b"",
        });
        let entry = put(3, &message.nested_type[0].encode_to_vec());
        let outer = nested(&message, [entry, put(3, &inner)].concat(), &|name| match name {
            "implicit" => b"\x08\x02",
            "must" => b"\x08\x03",
            "loose" => b"\x18\x02",
            "delimited" | "group" | "map" => b"\x28\x02",
            _ => b"",
        });
        bytes.clear();
        bytes.extend(file.encode_to_vec());
        bytes.extend(put(4, &outer));
        bytes.extend(b"\x70\xe8\x07");
        check(&Schemas::default().descriptors(vec![bytes.into()]).unwrap());
    }

    #[test]
    fn what_editions_do_not_have_is_named_with_its_place() {
        let check = |text: &str, expect: &str| assert_eq!(schema_of(text).unwrap_err(), format!("one.proto:{expect}"));
        check("edition = \"2042\";", "1:11: edition value \"2042\" not recognized; should be one of [\"2023\"]");
        check(
            "edition = \"2023\";\nmessage M {\n  message N { optional int32 x = 1; }\n}",
            "3:15: label 'optional' is not allowed in editions; use option features.field_presence instead",
        );
        check(
            "edition = \"2023\"; message M {\nrequired int32 x = 1; }",
            "2:1: required fields are not allowed in editions",
        );
        check("edition = \"2023\"; message M { N x = 1; }", "1:31: name 'N' is not defined");
        let never =
            schema_of("edition = \"2023\"; message M { int32 x = 1 [features.field_presence = NEVER]; }").unwrap_err();
        assert!(never.starts_with("one.proto:1:44: ") && never.contains("NEVER"), "{never}");
        check("import \"no.proto\";", "1:1: import 'no.proto' not found");
        assert!(
            schema_of("import \"one.proto\";").unwrap_err().contains("import cycle detected: one.proto -> one.proto")
        );
    }
}
