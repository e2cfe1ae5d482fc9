//! What messages look like and which methods there are: descriptors made into flat tables, once for all VUs.
//!
//! Messages, enums and fields refer to each other by index, so that coding a message touches no reference count. Reading
//! `.proto` files and linking descriptors is the business of `load`.

use protox::prost_reflect::{
    Cardinality, FieldDescriptor, Kind as ReflectKind, MessageDescriptor, MethodDescriptor, Syntax,
};
use rustc_hash::FxHashMap;

use super::editions::FieldTraits;
use super::link::Linked;

/// The messages, enums and methods of one set of files.
#[derive(Debug, Default)]
pub struct Schema {
    pub messages: Vec<MessageSchema>,
    pub enums: Vec<Enum>,
    /// In the order of the files and in them.
    pub methods: Vec<MethodSchema>,
    names: FxHashMap<Box<str>, u32>,
    paths: FxHashMap<Box<str>, usize>,
}

/// One kind of message.
#[derive(Debug)]
pub struct MessageSchema {
    /// With its package, without a dot before it.
    pub full_name: Box<str>,
    /// In the order of the file.
    pub fields: Vec<FieldSchema>,
    /// Places of fields by both their names.
    names: FxHashMap<Box<str>, u32>,
    /// Numbers with places, sorted.
    numbers: Vec<(u32, u32)>,
    /// The full names of its `oneof`s.
    pub oneofs: Vec<Box<str>>,
    /// Has a JSON form of its own.
    pub well_known: Option<WellKnown>,
}

/// One field of a message.
#[derive(Debug)]
pub struct FieldSchema {
    pub number: u32,
    /// As in the file, for messages about it.
    pub name: Box<str>,
    /// As in JSON.
    pub json_name: Box<str>,
    pub kind: FieldKind,
    pub shape: Multiplicity,
    pub presence: Presence,
    /// Must be there, in proto2.
    pub is_required: bool,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    Double,
    Float,
    Int32,
    Int64,
    Uint32,
    Uint64,
    Sint32,
    Sint64,
    Fixed32,
    Fixed64,
    Sfixed32,
    Sfixed64,
    Bool,
    String,
    Bytes,
    /// With its place among the messages.
    Message(u32),
    /// A message between two tags, in proto2.
    Group(u32),
    /// With its place among the enums.
    Enum(u32),
}

impl FieldKind {
    /// The word of the language.
    pub fn word(self) -> &'static str {
        match self {
            Self::Double => "double",
            Self::Float => "float",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
            Self::Sint32 => "sint32",
            Self::Sint64 => "sint64",
            Self::Fixed32 => "fixed32",
            Self::Fixed64 => "fixed64",
            Self::Sfixed32 => "sfixed32",
            Self::Sfixed64 => "sfixed64",
            Self::Bool => "bool",
            Self::String => "string",
            Self::Bytes => "bytes",
            Self::Message(_) => "message",
            Self::Group(_) => "group",
            Self::Enum(_) => "enum",
        }
    }

    /// How its values are written.
    pub fn wire(self) -> WireType {
        match self {
            Self::Double | Self::Fixed64 | Self::Sfixed64 => WireType::I64,
            Self::Float | Self::Fixed32 | Self::Sfixed32 => WireType::I32,
            Self::String | Self::Bytes | Self::Message(_) => WireType::Len,
            Self::Group(_) => WireType::StartGroup,
            _ => WireType::Varint,
        }
    }
}

/// The wire types of the protocol buffers encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireType {
    Varint = 0,
    I64 = 1,
    Len = 2,
    StartGroup = 3,
    I32 = 5,
}

/// How many values a field has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Multiplicity {
    One,
    List {
        /// Written as one piece.
        is_packed: bool,
    },
    Map {
        /// What its keys are.
        key: FieldKind,
    },
}

/// What a field is while it is not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Its default: an unset field looks the same as one that is set to it.
    Default,
    /// Nothing: `null` in JSON.
    Null,
    /// Not there: it is one of these, or optional.
    Absent {
        /// The number of the `oneof` in the message.
        oneof: u32,
    },
}

/// One kind of enum.
#[derive(Debug)]
pub struct Enum {
    /// Names with numbers, in the order of the file.
    pub values: Vec<(Box<str>, i32)>,
    /// The places of names and of numbers; of several with one number the first.
    names: FxHashMap<Box<str>, u32>,
    numbers: FxHashMap<i32, u32>,
    /// `google.protobuf.NullValue`, which is `null` in JSON.
    pub is_null: bool,
}

impl Enum {
    fn new(values: Vec<(Box<str>, i32)>, is_null: bool) -> Self {
        let (mut names, mut numbers) = (FxHashMap::default(), FxHashMap::default());
        for ((name, number), at) in values.iter().zip(0..) {
            names.entry(name.clone()).or_insert(at);
            numbers.entry(*number).or_insert(at);
        }
        Self { values, names, numbers, is_null }
    }

    /// The name of a number; the first, where there are several.
    pub fn name(&self, number: i32) -> Option<&str> {
        self.numbers.get(&number).map(|at| &*self.values[*at as usize].0)
    }

    /// The number of a name.
    pub fn number(&self, name: &str) -> Option<i32> {
        self.names.get(name).map(|at| self.values[*at as usize].1)
    }
}

/// Messages that are something else in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WellKnown {
    Any,
    Duration,
    FieldMask,
    ListValue,
    Struct,
    Timestamp,
    Value,
    /// The value in it alone.
    Wrapper,
}

impl WellKnown {
    fn named(name: &str) -> Option<Self> {
        match name.strip_prefix("google.protobuf.")? {
            "Any" => Some(Self::Any),
            "Duration" => Some(Self::Duration),
            "FieldMask" => Some(Self::FieldMask),
            "ListValue" => Some(Self::ListValue),
            "Struct" => Some(Self::Struct),
            "Timestamp" => Some(Self::Timestamp),
            "Value" => Some(Self::Value),
            "BoolValue" | "BytesValue" | "DoubleValue" | "FloatValue" | "Int32Value" | "Int64Value" | "StringValue"
            | "UInt32Value" | "UInt64Value" => Some(Self::Wrapper),
            _ => None,
        }
    }
}

/// One method of a service.
#[derive(Debug)]
pub struct MethodSchema {
    /// `/package.Service/Method`
    pub path: Box<str>,
    pub package: Box<str>,
    pub service: Box<str>,
    pub name: Box<str>,
    /// The index of the request's message.
    pub input: u32,
    /// The index of the response's message.
    pub output: u32,
    pub is_client_stream: bool,
    pub is_server_stream: bool,
}

impl Schema {
    /// The tables of everything in the files.
    pub fn new(Linked { pool, traits }: &Linked) -> Self {
        let names: FxHashMap<Box<str>, u32> =
            pool.all_messages().zip(0..).map(|(message, at)| (message.full_name().into(), at)).collect();
        let enum_names: FxHashMap<String, u32> =
            pool.all_enums().zip(0..).map(|(known, at)| (known.full_name().to_owned(), at)).collect();
        let place = |message: &MessageDescriptor| names.get(message.full_name()).copied().unwrap_or_default();
        let kind = |field: &FieldDescriptor| match field.kind() {
            ReflectKind::Double => FieldKind::Double,
            ReflectKind::Float => FieldKind::Float,
            ReflectKind::Int32 => FieldKind::Int32,
            ReflectKind::Int64 => FieldKind::Int64,
            ReflectKind::Uint32 => FieldKind::Uint32,
            ReflectKind::Uint64 => FieldKind::Uint64,
            ReflectKind::Sint32 => FieldKind::Sint32,
            ReflectKind::Sint64 => FieldKind::Sint64,
            ReflectKind::Fixed32 => FieldKind::Fixed32,
            ReflectKind::Fixed64 => FieldKind::Fixed64,
            ReflectKind::Sfixed32 => FieldKind::Sfixed32,
            ReflectKind::Sfixed64 => FieldKind::Sfixed64,
            ReflectKind::Bool => FieldKind::Bool,
            ReflectKind::String => FieldKind::String,
            ReflectKind::Bytes => FieldKind::Bytes,
            ReflectKind::Message(message) if field.is_group() => FieldKind::Group(place(&message)),
            ReflectKind::Message(message) => FieldKind::Message(place(&message)),
            ReflectKind::Enum(known) => FieldKind::Enum(enum_names.get(known.full_name()).copied().unwrap_or_default()),
        };
        let messages = pool.all_messages().map(|message| table(&message, kind, traits)).collect();
        let enums = pool.all_enums().map(|known| {
            // The descriptor sorts them; the first of the file is the default.
            let values = known.enum_descriptor_proto().value.iter();
            Enum::new(
                values.map(|value| (value.name().into(), value.number())).collect(),
                known.full_name() == "google.protobuf.NullValue",
            )
        });
        let method = |method: MethodDescriptor| {
            let service = method.parent_service();
            MethodSchema {
                path: format!("/{}/{}", service.full_name(), method.name()).into(),
                package: service.package_name().into(),
                service: service.name().into(),
                name: method.name().into(),
                input: place(&method.input()),
                output: place(&method.output()),
                is_client_stream: method.is_client_streaming(),
                is_server_stream: method.is_server_streaming(),
            }
        };
        let methods: Vec<MethodSchema> =
            pool.services().flat_map(|service| service.methods().map(method).collect::<Vec<_>>()).collect();
        let paths = methods.iter().enumerate().map(|(at, method)| (method.path.clone(), at)).collect();
        Self { messages, enums: enums.collect(), methods, names, paths }
    }

    /// The message at a place.
    pub fn message(&self, at: u32) -> &MessageSchema {
        &self.messages[at as usize]
    }

    /// The enum at a place.
    pub fn enumeration(&self, at: u32) -> &Enum {
        &self.enums[at as usize]
    }

    /// The place of the method at a path.
    pub fn method(&self, path: &str) -> Option<usize> {
        self.paths.get(path).copied()
    }

    /// The place of a message.
    pub fn find(&self, full_name: &str) -> Option<u32> {
        self.names.get(full_name).copied()
    }
}

impl MessageSchema {
    /// The field of a name, in JSON or in the file.
    pub fn field(&self, name: &str) -> Option<(usize, &FieldSchema)> {
        let at = *self.names.get(name)? as usize;
        Some((at, &self.fields[at]))
    }

    /// The field of a number, with its place.
    pub fn numbered(&self, number: u32) -> Option<(usize, &FieldSchema)> {
        let at = match self.numbers.get(number.wrapping_sub(1) as usize) {
            // Most messages number their fields from one on.
            Some((known, at)) if *known == number => *at,
            _ => self.numbers[self.numbers.binary_search_by_key(&number, |(known, _)| *known).ok()?].1,
        };
        Some((at as usize, &self.fields[at as usize]))
    }
}

fn table(
    message: &MessageDescriptor,
    kind: impl Fn(&FieldDescriptor) -> FieldKind,
    traits: &FieldTraits,
) -> MessageSchema {
    let is_proto2 = message.parent_file().syntax() == Syntax::Proto2;
    let oneofs: Vec<Box<str>> = message.oneofs().map(|oneof| oneof.full_name().into()).collect();
    let field = |field: FieldDescriptor| {
        let traits = if traits.is_empty() { None } else { traits.get(field.full_name()) };
        let traits = traits.copied().unwrap_or_default();
        let entry = match field.kind() {
            ReflectKind::Message(entry) if field.is_map() => Some(entry),
            _ => None,
        };
        let (kind, shape) = match entry {
            Some(entry) => {
                (kind(&entry.map_entry_value_field()), Multiplicity::Map { key: kind(&entry.map_entry_key_field()) })
            }
            None if field.is_list() => (kind(&field), Multiplicity::List { is_packed: field.is_packed() }),
            None => (kind(&field), Multiplicity::One),
        };
        let kind = match kind {
            FieldKind::Message(at) if traits.is_delimited && !field.is_map() => FieldKind::Group(at),
            kind => kind,
        };
        // The last step of its path is its place.
        let oneof = field.containing_oneof().and_then(|oneof| oneof.path().last().copied());
        let presence = match oneof {
            Some(oneof) => Presence::Absent { oneof: oneof as u32 },
            None if shape == Multiplicity::One
                && (is_proto2 && !traits.is_implicit
                    || matches!(kind, FieldKind::Message(_) | FieldKind::Group(_))) =>
            {
                Presence::Null
            }
            None => Presence::Default,
        };
        FieldSchema {
            number: field.number(),
            name: field.name().into(),
            json_name: field.json_name().into(),
            kind,
            shape,
            presence,
            is_required: field.cardinality() == Cardinality::Required,
        }
    };
    let fields: Vec<FieldSchema> = message.fields().map(field).collect();
    let mut names = FxHashMap::default();
    for (field, at) in fields.iter().zip(0..) {
        names.insert(field.name.clone(), at);
    }
    // The name in JSON wins over another field's own name.
    for (field, at) in fields.iter().zip(0..) {
        names.insert(field.json_name.clone(), at);
    }
    let mut numbers: Vec<(u32, u32)> = fields.iter().zip(0..).map(|(field, at)| (field.number, at)).collect();
    numbers.sort_unstable();
    MessageSchema {
        full_name: message.full_name().into(),
        fields,
        names,
        numbers,
        oneofs,
        well_known: WellKnown::named(message.full_name()),
    }
}
