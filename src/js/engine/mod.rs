//! The seam between the k6 API and the engines that run JavaScript. Only this folder knows an engine.
//!
//! A [`Realm`] is one VU's world: globals, modules, jobs. Rust asks it for four things: evaluate a module, call a
//! function, settle a promise, run jobs. It asks its [`Host`] for modules and native functions.

use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use self::direct::{EventSource, Local, Scope};
use super::value::{Args, Exception, Handle, Pending, Throw, Value};

#[cfg(feature = "boa")]
mod boa;
#[cfg(test)]
mod conversion_tests;
pub mod direct;
#[cfg(feature = "boa")]
mod function_form;
mod lazy;
mod loading;
pub mod native_stack;
#[cfg(feature = "quickjs")]
mod quickjs;
mod realm;
mod stack;

/// The engines there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// QuickJS-ng: fast, reference counted, small. The default.
    #[cfg(feature = "quickjs")]
    QuickJs,
    /// Boa: pure Rust, memory safe.
    #[cfg(feature = "boa")]
    Boa,
}

impl Engine {
    /// The engines of this build, by the word `--js-engine` takes; the first is the default.
    pub const TABLE: &[(&str, Self)] = &[
        #[cfg(feature = "quickjs")]
        ("quickjs", Self::QuickJs),
        #[cfg(feature = "boa")]
        ("boa", Self::Boa),
    ];

    /// The engine of a run that names none.
    pub const DEFAULT: Self = Self::TABLE[0].1;

    /// The engine of this name.
    ///
    /// # Errors
    /// One line with the names there are.
    pub fn named(name: &str) -> Result<Self, String> {
        Self::TABLE.iter().find(|(known, _)| *known == name).map(|(_, engine)| *engine).ok_or_else(|| {
            let names: Vec<_> = Self::TABLE.iter().map(|(name, _)| format!("`{name}`")).collect();
            format!("unknown JavaScript engine `{name}`, this build has {}", names.join(" and "))
        })
    }

    /// True where a script's own work, rather than what it asks for, takes most of the time.
    pub const fn is_slow(self) -> bool {
        match self {
            #[cfg(feature = "quickjs")]
            Self::QuickJs => false,
            #[cfg(feature = "boa")]
            Self::Boa => true,
        }
    }

    /// For an engine whose parser refuses forms of the language: those are to be written as others, and this property is to
    /// be read of what a `catch` gets. `None` for one that takes them all.
    pub const fn plain_forms(self) -> Option<&'static str> {
        match self {
            #[cfg(feature = "quickjs")]
            Self::QuickJs => None,
            #[cfg(feature = "boa")]
            Self::Boa => Some(boa::ON_CATCH),
        }
    }

    /// A new, empty world.
    ///
    /// # Errors
    /// When the engine can't get memory.
    pub fn realm(self, host: Rc<dyn Host>) -> Result<Box<dyn Realm>, Throw> {
        match self {
            #[cfg(feature = "quickjs")]
            Self::QuickJs => Ok(Box::new(quickjs::QuickJs::new(host)?)),
            #[cfg(feature = "boa")]
            Self::Boa => Ok(Box::new(boa::Boa::new(host)?)),
        }
    }
}

/// The registered symbol of the property that makes an object stand for a native thing.
const NATIVE: &std::ffi::CStr = c"volley.native";

/// The module engines themselves give js-stdlib:
/// - `evaluate(name)`: the value of a part of js-stdlib, made anew;
/// - `once(name, ...given)`: what a part that is a function returned when it was first asked for;
/// - `load(address)`: the namespace of a module, the value of a script, synchronously: what `require` is made of;
/// - `flatness(value)`: the [`Flatness`] of an object, -1 for what is none; it runs no JavaScript;
/// - `copyProperties(target, source, ...values)`: gives a plain object the own properties of another that it has not, as they are
///   there, but each that is `undefined` takes the next value;
/// - `rebind(specifier, name, value)`: replaces what a module of js-stdlib exports, wherever it is imported;
/// - `asNative(name, length, function)`: a method that looks like one of the language and calls `function(this, ...args)`;
/// - `bind(specifier, op, name, length, ...data)`: a function of this name and length that calls a direct function of a module
///   (see [`direct`]), which has up to four values besides;
/// - `call(function, this, ...args)`: calls a function, whatever a script has made of `Function.prototype.call`;
/// - `primordials`: the language's own functions by the names of [`PRIMORDIALS`], as they were before any script ran.
const ENGINE: &str = "native:engine";

/// What an object's own enumerable properties hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Flatness {
    /// Nobody knows before it is read, and who reads is seen: it is a proxy or has getters, or is no plain object.
    #[default]
    Watched = -1,
    /// Objects, or what is no text and no number.
    Nested = 0,
    /// Texts, numbers, booleans, `null` and `undefined`.
    Primitives = 1,
    /// Texts.
    Texts = 2,
}

/// What js-stdlib takes of the language before a script can replace it: what it is called there, and its owner's path and
/// name. An owner without a name is the global object.
const PRIMORDIALS: [(&str, &str, &str); 58] = [
    ("ArrayBuffer", "", "ArrayBuffer"),
    ("ArrayBufferIsView", "ArrayBuffer", "isView"),
    ("ArrayBufferPrototypeSlice", "ArrayBuffer.prototype", "slice"),
    ("ArrayIsArray", "Array", "isArray"),
    ("BigInt", "", "BigInt"),
    ("DataView", "", "DataView"),
    ("Date", "", "Date"),
    ("DatePrototypeGetTime", "Date.prototype", "getTime"),
    ("DatePrototypeToISOString", "Date.prototype", "toISOString"),
    ("Error", "", "Error"),
    ("Function", "", "Function"),
    ("FunctionPrototypeToString", "Function.prototype", "toString"),
    ("JSONParse", "JSON", "parse"),
    ("JSONStringify", "JSON", "stringify"),
    ("Map", "", "Map"),
    ("MapPrototypeForEach", "Map.prototype", "forEach"),
    ("Math", "", "Math"),
    ("Number", "", "Number"),
    ("Object", "", "Object"),
    ("ObjectDefineProperty", "Object", "defineProperty"),
    ("ObjectFreeze", "Object", "freeze"),
    ("ObjectGetOwnPropertyDescriptor", "Object", "getOwnPropertyDescriptor"),
    ("ObjectGetOwnPropertyNames", "Object", "getOwnPropertyNames"),
    ("ObjectGetPrototypeOf", "Object", "getPrototypeOf"),
    ("ObjectKeys", "Object", "keys"),
    ("ObjectPrototype", "Object", "prototype"),
    ("ObjectPrototypeToString", "Object.prototype", "toString"),
    ("ObjectSetPrototypeOf", "Object", "setPrototypeOf"),
    ("Promise", "", "Promise"),
    ("PromisePrototype", "Promise", "prototype"),
    ("PromisePrototypeThen", "Promise.prototype", "then"),
    ("PromiseResolve", "Promise", "resolve"),
    ("Proxy", "", "Proxy"),
    ("RangeError", "", "RangeError"),
    ("ReflectApply", "Reflect", "apply"),
    ("ReflectConstruct", "Reflect", "construct"),
    ("RegExp", "", "RegExp"),
    ("RegExpPrototypeExec", "RegExp.prototype", "exec"),
    ("Set", "", "Set"),
    ("SetPrototypeAdd", "Set.prototype", "add"),
    ("SetPrototypeDelete", "Set.prototype", "delete"),
    ("SetPrototypeForEach", "Set.prototype", "forEach"),
    ("SetPrototypeHas", "Set.prototype", "has"),
    ("String", "", "String"),
    ("StringPrototypeIndexOf", "String.prototype", "indexOf"),
    ("StringPrototypeSlice", "String.prototype", "slice"),
    ("StringPrototypeToLowerCase", "String.prototype", "toLowerCase"),
    ("StringPrototypeToUpperCase", "String.prototype", "toUpperCase"),
    ("Symbol", "", "Symbol"),
    ("SymbolFor", "Symbol", "for"),
    ("SymbolToStringTag", "Symbol", "toStringTag"),
    ("SyntaxError", "", "SyntaxError"),
    ("TypeError", "", "TypeError"),
    ("Uint8Array", "", "Uint8Array"),
    ("Uint8ClampedArray", "", "Uint8ClampedArray"),
    ("WeakMap", "", "WeakMap"),
    ("WeakMapPrototypeGet", "WeakMap.prototype", "get"),
    ("WeakMapPrototypeSet", "WeakMap.prototype", "set"),
];

/// The native half of the global scope, which the parts that make globals are called with.
const GLOBALS: &str = "native:volley/globals";

/// What CommonJS exports, among the exports of the module that stands for it.
const COMMONJS: &str = "module.exports";

/// What `import()` rejects with.
const NO_DYNAMIC_IMPORT: &str = "dynamic modules not enabled in the host program";

/// A thrown value as text: `text` is what it converts to, `None` where that throws. A log line is never empty.
fn thrown_text(text: Option<String>, is_error: bool, is_object: bool) -> String {
    match text {
        Some(text) if !text.is_empty() => text,
        _ if is_error => "Error".to_owned(),
        _ if is_object => "[object Object]".to_owned(),
        _ => "\"\"".to_owned(),
    }
}

/// A thrown symbol as text.
fn symbol_text(description: Option<&String>) -> String {
    format!("Symbol({})", description.map_or("", String::as_str))
}

/// What engines have and k6 does not: libraries choose their ways by what they find.
const ABSENT: [&str; 24] = [
    "queueMicrotask",
    "performance",
    "navigator",
    "WeakRef",
    "FinalizationRegistry",
    "SharedArrayBuffer",
    "Atomics",
    "Iterator",
    "DOMException",
    "gc",
    "print",
    "structuredClone",
    "atob",
    "btoa",
    "Intl",
    "Temporal",
    "InternalError",
    "AsyncDisposableStack",
    "DisposableStack",
    "SuppressedError",
    "Float16Array",
    "ShadowRealm",
    "URL",
    "URLSearchParams",
];

/// What objects have in engines, and in k6 not, by the path of the object.
const ABSENT_MEMBERS: [(&str, &[&str]); 14] = [
    ("Object", &["groupBy"]),
    ("Object.prototype", &["__defineGetter__", "__defineSetter__", "__lookupGetter__", "__lookupSetter__"]),
    ("Array", &["fromAsync"]),
    (
        "ArrayBuffer.prototype",
        &[
            "resizable",
            "maxByteLength",
            "resize",
            "transfer",
            "transferToFixedLength",
            "transferToImmutable",
            "detached",
            "immutable",
            "sliceToImmutable",
        ],
    ),
    ("DataView.prototype", &["getFloat16", "setFloat16"]),
    ("Date.prototype", &["getYear", "setYear"]),
    ("Map", &["groupBy"]),
    ("Map.prototype", &["getOrInsert", "getOrInsertComputed"]),
    ("WeakMap.prototype", &["getOrInsert", "getOrInsertComputed"]),
    ("Math", &["f16round", "sumPrecise"]),
    ("Promise", &["withResolvers", "try"]),
    ("RegExp", &["escape"]),
    (
        "String.prototype",
        &[
            "anchor",
            "big",
            "blink",
            "bold",
            "fixed",
            "fontcolor",
            "fontsize",
            "italics",
            "link",
            "small",
            "strike",
            "sub",
            "sup",
            "isWellFormed",
            "toWellFormed",
        ],
    ),
    (
        "Iterator.prototype",
        &[
            "map", "filter", "take", "drop", "flatMap", "reduce", "toArray", "forEach", "some", "every", "find",
            "concat",
        ],
    ),
];

/// One thing of the global scope, as engines make it without running JavaScript: what a script doesn't use costs it next
/// to nothing.
#[derive(Clone, Copy, Debug)]
pub enum Global {
    /// What a native function of the global scope returns now.
    Value(&'static str),
    /// Read by calling a native function.
    Getter(&'static str),
    /// As before, and assigning calls it too: it throws.
    Refused(&'static str),
    /// What a part of js-stdlib makes when it is first asked for; of parts shared by several globals, a member.
    Lazy(&'static str, Option<&'static str>),
    /// The global object itself.
    Itself,
}

/// Code in the form an engine compiled it to. Only an engine makes it, as an engine trusts what it reads.
#[cfg_attr(not(feature = "quickjs"), expect(dead_code, reason = "Boa keeps no compiled code"))]
pub struct Bytecode {
    bytes: Box<[u8]>,
    /// No other code of this process has it, nor had it; not 0.
    id: u64,
}

#[cfg_attr(not(feature = "quickjs"), expect(dead_code, reason = "Boa keeps no compiled code"))]
impl Bytecode {
    fn new(bytes: Box<[u8]>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self { bytes, id: NEXT.fetch_add(1, Relaxed) }
    }
}

/// What an engine compiled, once for the whole process.
pub type Compiled = Arc<std::sync::OnceLock<Bytecode>>;

/// What a module is made of.
pub enum ModuleCode {
    /// An ES module.
    Source {
        /// The text.
        text: Arc<str>,
        /// What an engine compiled it to, once it has.
        compiled: Compiled,
    },
    /// A script whose value is used: CommonJS as a function.
    Script {
        /// The text.
        text: Arc<str>,
        /// As above.
        compiled: Compiled,
    },
    /// Native functions: their names, and the place of each in the host's table.
    Native(Vec<(&'static str, usize)>),
}

/// A regular expression as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegExpLiteral {
    /// What stands between the slashes.
    pub pattern: String,
    /// What stands behind them.
    pub flags: String,
    /// Counted from 1.
    pub line: u32,
    /// Counted from 1, in UTF-16 units.
    pub column: u32,
}

/// What an engine does when its VU has to stop; called on any thread.
pub type StopHook = Box<dyn Fn() + Send + Sync>;

/// What a realm asks of the VU it belongs to.
pub trait Host {
    /// The address a specifier means in the module `referrer`.
    ///
    /// # Errors
    /// What the script sees when there is no such module.
    fn resolve(&self, specifier: &str, referrer: &str) -> Result<String, Throw>;
    /// What `import.meta.resolve(specifier)` answers in the module `referrer`; nothing is read.
    ///
    /// # Errors
    /// What the script sees when it means nothing.
    fn import_meta_resolve(&self, specifier: &str, referrer: &str) -> Result<String, Throw>;
    /// Called when modules could not be linked, so that none of them ran.
    fn link_failed(&self);
    /// True if the module at `address` may be running while it is required: it must not be evaluated now.
    fn is_running(&self, address: &str) -> bool;
    /// The position in the source file for `URL:LINE:COLUMN` of the prepared one; `None` if it is the same.
    fn original_position(&self, place: &str) -> Option<String>;
    /// What a `TypeError` in `function` at `place`, `URL:LINE:COLUMN` of the engine, is about: a message that names it.
    fn explain_type_error(&self, function: &str, place: &str, message: &str) -> Option<String>;
    /// Where a text that is no JSON breaks off, `URL:LINE:COLUMN`; `None` if it is not that of a file.
    fn json_place(&self, text: &[u8]) -> Option<String>;
    /// Where in its file such a message is about, `URL:LINE:COLUMN`; `None` if on the line of `place`.
    fn explained_place(&self, place: &str, message: &str) -> Option<String>;
    /// Where functions, methods and classes are in the text of the module at `address`, in bytes.
    fn function_extents(&self, address: &str) -> Vec<Range<usize>>;
    /// A part of that text; `None` if there is none.
    fn text_part(&self, address: &str, part: Range<usize>) -> Option<String>;
    /// The regular expressions in the text of the module at `address`.
    fn regexp_literals(&self, address: &str) -> Vec<RegExpLiteral>;
    /// The module at an address `resolve` gave.
    ///
    /// # Errors
    /// What the script sees when it can't be read.
    fn load(&self, address: &str) -> Result<ModuleCode, Throw>;
    /// Calls a native function.
    ///
    /// # Errors
    /// What it throws.
    fn call(&self, function: usize, args: Args) -> Result<Value, Throw>;
    /// The place of a direct function of a module; `None` where there is none.
    fn direct(&self, specifier: &str, name: &str) -> Option<usize>;
    /// Calls a direct function.
    ///
    /// # Errors
    /// What it throws.
    fn call_direct(&self, function: usize, scope: &mut dyn Scope) -> Result<Local, Throw>;
    /// A promise job has ended, whichever way; another one may begin.
    fn job_ended(&self);
    /// Polls the future whose result settles `promise`, or is what a callback of that number is called with.
    fn add_pending(&self, promise: u32, future: Pending);
    /// As [`Self::add_pending`], for the next event of a source.
    fn add_source(&self, number: u32, source: Rc<dyn EventSource>);
    /// `hook` is called from another thread whenever the VU has to stop: for engines that don't ask while JavaScript runs.
    fn on_stop(&self, hook: StopHook);
    /// True if the VU has to stop.
    fn is_stopped(&self) -> bool;
    /// Called regularly by long-running JavaScript: gives other VUs a turn; false stops the script.
    fn may_continue(&self) -> bool;
}

/// Notes memory, in bytes, that a value about to be handed to a script refers to. For an engine whose garbage collector counts
/// only its own objects.
pub fn note_external_bytes(bytes: usize) {
    #[cfg(feature = "boa")]
    boa::weigh(bytes);
    #[cfg(not(feature = "boa"))]
    let _ = bytes;
}

/// What was noted of the VU that runs on this thread; see [`set_given`].
pub fn given() -> usize {
    #[cfg(feature = "boa")]
    return boa::given();
    #[cfg(not(feature = "boa"))]
    0
}

/// Another VU runs on this thread, of which this was noted.
pub fn set_given(bytes: usize) {
    #[cfg(feature = "boa")]
    boa::set_given(bytes);
    #[cfg(not(feature = "boa"))]
    let _ = bytes;
}

/// Something is about to arrive for the VU that runs on this thread: such an engine collects what garbage there is before.
pub fn make_room() {
    #[cfg(feature = "boa")]
    boa::make_room();
}

/// What an engine has to remember of a stack that is left in the middle of its JavaScript.
#[must_use]
pub struct LeftStack {
    #[cfg(feature = "boa")]
    boa: boa::Suspended,
}

impl LeftStack {
    /// The running stack is about to be left, maybe for that of another VU.
    pub fn leave() -> Self {
        Self {
            #[cfg(feature = "boa")]
            boa: boa::suspends(),
        }
    }

    /// It goes on.
    pub fn go_on(self) {
        #[cfg(feature = "boa")]
        boa::goes_on(self.boa);
    }
}

/// What became of the value behind a handle.
#[derive(Debug)]
pub enum PromiseOutcome {
    /// Not a promise, or a fulfilled one: a copy of the value.
    Value(Value),
    /// A rejected promise: the reason.
    Rejected(Exception),
    /// A pending promise.
    Pending,
}

/// What a module exports under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportKind {
    /// Something that can be called.
    Function,
    /// `null` or `undefined`.
    Nothing,
    /// Any other value.
    Value,
}

/// One VU's JavaScript world. Everything runs on a VU's own stack, because native functions may wait.
pub trait Realm {
    /// Loads, links and evaluates the module at `address`; returns the promise of its evaluation.
    ///
    /// # Errors
    /// What the module threw before its first `await`, or why it can't be had.
    fn evaluate(&self, address: &str) -> Result<Handle, Throw>;
    /// What an engine needs of js-stdlib before any script runs.
    ///
    /// # Errors
    /// When the engine can't get memory.
    fn prepare(&self) -> Result<(), Throw> {
        Ok(())
    }
    /// Puts something into the global scope; in the place of what has the name.
    ///
    /// # Errors
    /// When the engine can't get memory.
    fn define_global(&self, name: &'static str, global: Global, enumerable: bool) -> Result<(), Throw>;
    /// What a part of the global scope makes, or a member of it that all who ask share.
    ///
    /// # Errors
    /// What the part throws.
    fn part(&self, name: &str, member: Option<&str>) -> Result<Handle, Throw>;
    /// What an evaluated module exports, by name.
    ///
    /// # Errors
    /// When the module was not evaluated, or reading an export throws.
    fn exports(&self, address: &str) -> Result<Vec<(String, ExportKind)>, Throw>;
    /// One export of an evaluated module.
    ///
    /// # Errors
    /// When the module was not evaluated, or reading the export throws.
    fn export(&self, address: &str, name: &str) -> Result<Handle, Throw>;
    /// Calls a function with `this` undefined and retains what it returns.
    ///
    /// # Errors
    /// What it throws.
    fn call(&self, function: Handle, args: Vec<Value>) -> Result<Handle, Throw>;
    /// Retains a copy of a value of Rust's.
    ///
    /// # Errors
    /// When it is JSON text that isn't JSON.
    fn retain(&self, value: Value) -> Result<Handle, Throw>;
    /// What became of the value behind a handle, which stays valid.
    fn outcome(&self, handle: Handle) -> PromiseOutcome;
    /// Retains what a promise was fulfilled with; `undefined` while it is pending, the value itself if it is no promise.
    ///
    /// # Errors
    /// Why the promise was rejected.
    fn fulfilled(&self, handle: Handle) -> Result<Handle, Exception>;
    /// Drops the value behind a handle, which is invalid from here on.
    fn release(&self, handle: Handle);
    /// Settles a promise that a native function gave out, or calls the function it was given ([`Value::Callback`]).
    ///
    /// # Errors
    /// What that function throws; [`Throw::Stop`] when the VU has to stop.
    fn settle(&self, promise: u32, result: Result<Value, Throw>) -> Result<(), Throw>;
    /// Runs promise jobs until there are none.
    ///
    /// # Errors
    /// [`Throw::Stop`] when the VU has to stop.
    fn run_jobs(&self) -> Result<(), Throw>;
    /// Unhandled rejections since the last call.
    fn take_rejections(&self) -> Vec<Exception>;
    /// Lets the realms that this thread makes from now on use names, code and texts that are in this one, and gives back what this
    /// one has room for and does not use, where the engine can: to be called once its init code has run.
    fn share(&self);
}
