//! The one small language Rust and JavaScript speak with each other: values, and what is thrown.
//!
//! Values are copied at the border; nothing here refers into an engine's heap except [`Value::Handle`], an opaque
//! ticket for something only the engine understands.

use std::any::Any;
use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use smallvec::SmallVec;

use crate::source::SharedBytes;

/// A value on its way between Rust and JavaScript.
pub enum Value {
    /// `undefined`, and whatever has no other form here.
    Undefined,
    /// `null`
    Null,
    /// A boolean.
    Bool(bool),
    /// A number; a bigint arrives as the nearest number.
    Number(f64),
    /// A string; lone surrogates arrive as U+FFFD.
    String(String),
    /// A string that is written in the program, to JavaScript, which gives all of them as [`Value::String`].
    #[cfg_attr(not(feature = "x-faker"), allow(dead_code, reason = "only made-up values are such strings"))]
    Text(&'static str),
    /// An ArrayBuffer, or the bytes a typed array shows; goes back as an ArrayBuffer.
    Bytes(Bytes),
    /// A file all VUs share, to JavaScript as an ArrayBuffer that costs nothing until it is written to, where the engine
    /// can do that; comes back as [`Value::Bytes`].
    Shared(Arc<SharedBytes>),
    /// An array.
    List(Vec<Value>),
    /// Own enumerable string-keyed properties, in order.
    Map(Vec<(String, Value)>),
    /// An object to JavaScript, whose property names are written in the program: a value for each of them, in order.
    Record(&'static [&'static str], Vec<Value>),
    /// JSON text, parsed by the fastest means the engine has.
    Json(Bytes),
    /// The value a text begins with; `undefined` where it is wrong, or what is behind it.
    JsonPart(JsonPart),
    /// Something of Rust's that JavaScript may hold and hand back; dropped when JavaScript lets go of it.
    Resource(Resource),
    /// A promise to JavaScript, settled with the future's result.
    Pending(Pending),
    /// `undefined` to JavaScript; the function that is the last argument of the native call is called once with the future's
    /// result, by the event loop; the members of a list are arguments of their own. For events that come again and again: it
    /// takes half of what a promise does. An error of the future ends the turn.
    Callback(Pending),
    /// A value the engine keeps for Rust.
    Handle(Handle),
    /// Something that has no meaning in Rust: the Go-like name of its type (`func(...)`, `symbol`).
    Opaque(&'static str),
}

/// A value in the middle of JSON text, which is read and checked in one go.
pub struct JsonPart {
    /// From the value to the end of the text.
    pub text: Bytes,
    /// Whether the text may go on like this behind the value.
    pub may_follow: fn(&[u8]) -> bool,
}

/// A native thing that JavaScript may hold.
pub type Resource = Rc<dyn Any>;

/// What a promise waits for.
pub type Pending = LocalBoxFuture<'static, Result<Value, Throw>>;

/// A ticket for a value inside an engine; valid for the realm that gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handle(pub u32);

/// Bytes as a script sees them as text: each byte that is not part of UTF-8 is one U+FFFD, as in Go.
pub fn text_of(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.utf8_chunks().fold(String::with_capacity(bytes.len()), |mut text, chunk| {
            text.push_str(chunk.valid());
            text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
            text
        }),
    }
}

/// What a native function throws, or what JavaScript threw at Rust.
#[derive(Clone, Debug)]
pub enum Throw {
    /// A new error of this class: `GoError` for what k6's native functions refuse, or a standard class.
    Error {
        /// The constructor's name.
        class: &'static str,
        /// Its message.
        message: String,
    },
    /// What promises of native functions reject with: not an `Error`, only a text.
    Host {
        /// The text.
        message: String,
    },
    /// A JavaScript exception, as it left the engine.
    Exception(Exception),
    /// What JavaScript threw at a native function that had called it: the engine keeps it, and throws it on.
    Script,
    /// The VU has to stop: no `catch` or `finally` of the script sees it.
    Stop,
}

/// A JavaScript exception, seen from outside.
#[derive(Clone, Debug, Default)]
pub struct Exception {
    /// `String(value)`.
    pub text: String,
    /// The cleaned stack, first line included, one frame a line; empty where there is none.
    pub stack: String,
    /// What the message of an error says beyond its text; empty where that is all.
    pub hint: String,
}

impl Exception {
    /// An exception of which only the text is known.
    pub fn of_text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// What an error's message says beyond its text: why something failed, where k6 only says that it did.
    pub fn hint_in(text: &str, message: &str) -> String {
        message.strip_prefix(text).and_then(|rest| rest.strip_prefix(": ")).unwrap_or_default().to_owned()
    }

    /// What a log shows: the stack where there is one, else the text.
    pub fn report(&self) -> &str {
        if self.stack.is_empty() { &self.text } else { &self.stack }
    }
}

impl Throw {
    /// A `GoError`, the class of k6's own errors.
    pub fn go(message: impl Into<String>) -> Self {
        Self::Error { class: "GoError", message: message.into() }
    }

    /// A `TypeError`.
    pub fn type_error(message: impl Into<String>) -> Self {
        Self::Error { class: "TypeError", message: message.into() }
    }

    /// What a log shows of it.
    pub fn report(&self) -> String {
        match self {
            Self::Error { class, message } if message.is_empty() => (*class).to_owned(),
            Self::Error { class, message } => format!("{class}: {message}"),
            Self::Host { message } => message.clone(),
            Self::Exception(exception) => exception.report().to_owned(),
            Self::Script => "an exception of the script".to_owned(),
            Self::Stop => "the VU was stopped".to_owned(),
        }
    }
}

/// The arguments of a native function. Missing ones are `undefined`; further ones are ignored.
pub struct Args(SmallVec<[Value; 6]>);

impl FromIterator<Value> for Args {
    fn from_iter<T: IntoIterator<Item = Value>>(values: T) -> Self {
        Self(values.into_iter().collect())
    }
}

impl Args {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes the argument at `at`.
    pub fn take(&mut self, at: usize) -> Value {
        self.0.get_mut(at).map_or(Value::Undefined, |value| std::mem::replace(value, Value::Undefined))
    }

    /// Looks at the argument at `at`.
    pub fn get(&self, at: usize) -> &Value {
        self.0.get(at).unwrap_or(&Value::Undefined)
    }

    /// A number; NaN where it is none.
    pub fn number(&self, at: usize) -> f64 {
        match self.get(at) {
            Value::Number(number) => *number,
            Value::Bool(value) => f64::from(u8::from(*value)),
            Value::Null => 0.0,
            Value::String(text) => text.trim().parse().unwrap_or(f64::NAN),
            _ => f64::NAN,
        }
    }

    /// A string; the JavaScript halves see to it that one arrives.
    pub fn string(&mut self, at: usize) -> String {
        match self.take(at) {
            Value::String(text) => text,
            _ => String::new(),
        }
    }

    /// True or false; missing is false.
    pub fn bool(&self, at: usize) -> bool {
        matches!(self.get(at), Value::Bool(true))
    }

    /// The native thing JavaScript holds at `at`.
    ///
    /// # Errors
    /// A `TypeError` where it is something else: someone called a method on the wrong object.
    pub fn resource<T: 'static>(&self, at: usize) -> Result<Rc<T>, Throw> {
        match self.get(at) {
            Value::Resource(resource) => resource.clone().downcast().ok(),
            _ => None,
        }
        .ok_or_else(|| Throw::type_error("this method was called on an object of another kind"))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<Cow<'static, str>> for Value {
    fn from(text: Cow<'static, str>) -> Self {
        match text {
            Cow::Borrowed(text) => Self::Text(text),
            Cow::Owned(text) => Self::String(text),
        }
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Undefined => f.write_str("undefined"),
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::String(text) => write!(f, "{text:?}"),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Shared(shared) => write!(f, "{shared:?}"),
            Self::List(list) => f.debug_list().entries(list).finish(),
            Self::Map(map) => f.debug_map().entries(map.iter().map(|(key, value)| (key, value))).finish(),
            Self::Record(names, values) => f.debug_map().entries(names.iter().zip(values)).finish(),
            Self::Json(json) => write!(f, "JSON of {} bytes", json.len()),
            Self::JsonPart(part) => write!(f, "JSON in {} bytes", part.text.len()),
            Self::Resource(_) => f.write_str("resource"),
            Self::Pending(_) => f.write_str("pending"),
            Self::Callback(_) => f.write_str("callback"),
            Self::Handle(handle) => write!(f, "handle {}", handle.0),
            Self::Opaque(kind) => f.write_str(kind),
        }
    }
}
