//! All calls of QuickJS' C API. The rest of the engine works with what is here, in safe Rust.
//!
//! [`Owned`] is one reference to a value, given back when it is dropped; [`Borrowed`] is a value somebody else owns at least
//! as long as its lifetime; [`Atom`] is an interned name. Operations are methods of [`Context`]; one that throws returns
//! [`Thrown`] and leaves the exception in the context.
//!
//! Every unsafe block relies on three facts, and states what else it needs:
//! 1. A [`Context`] is made from a pointer that QuickJS or [`JsRuntime`] holds. Whatever has a copy of it is part of the
//!    realm's state, which [`JsRuntime`] drops before the context, or lives on the stack of a call.
//! 2. The raw value of an [`Owned`] or a [`Borrowed`] is alive: the first has a reference, the second a lifetime.
//! 3. Nothing here is `Send`: QuickJS is called on the thread that made the runtime.

mod buffers;
mod functions;
mod modules;
mod objects;
mod promises;
mod properties;
mod runtime;
mod text;

use std::ffi::c_int;
use std::marker::PhantomData;
use std::ptr::NonNull;

use rquickjs::qjs::{self, JSAtom, JSContext, JSValue};

pub use self::functions::{Closure, MethodEntry, NativeCall, NativeFunction, entry};
pub use self::modules::{CodeKind, ModuleRef, NativeModule};
pub use self::objects::{KnownForms, MAX_KNOWN_MEMBERS, MemberName, OpenObject, PendingMembers};
pub use self::runtime::{JsRuntime, LateGroup};
pub use self::text::ascii;

use self::text::{c_string, terminated};

/// A realm of QuickJS: its globals and what was made in it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Context(NonNull<JSContext>);

/// One reference to a value.
pub struct Owned {
    raw: JSValue,
    context: Context,
}

/// A value whose reference is held elsewhere.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Borrowed<'a> {
    raw: JSValue,
    owner: PhantomData<&'a Owned>,
}

/// One reference to an interned name.
pub struct Atom {
    raw: JSAtom,
    context: Context,
}

/// An exception is pending in the context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thrown;

/// What kind of value it is; small ones with what they are.
pub enum ValueKind {
    /// `undefined`, and what no script sees.
    Undefined,
    /// `null`
    Null,
    /// A boolean.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A string.
    String,
    /// A symbol.
    Symbol,
    /// A bigint.
    BigInt,
    /// An object, a function included.
    Object,
}

/// Which of a property's attributes are set.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PropertyFlags(c_int);

impl PropertyFlags {
    /// Neither writable nor enumerable nor configurable.
    pub const FIXED: Self = Self(0);
    /// As an assignment makes it.
    pub const PLAIN: Self = Self(qjs::JS_PROP_C_W_E as c_int);
    /// Writable and configurable: as the language's own methods are.
    pub const HIDDEN: Self = Self((qjs::JS_PROP_CONFIGURABLE | qjs::JS_PROP_WRITABLE) as c_int);

    /// Writable and configurable.
    pub const fn with_enumerable(enumerable: bool) -> Self {
        if enumerable { Self::PLAIN } else { Self::HIDDEN }
    }

    /// For an accessor, which is never writable.
    pub const fn not_writable(self) -> Self {
        Self(self.0 & !(qjs::JS_PROP_WRITABLE as c_int))
    }
}

/// A value that may be handed to QuickJS for the time of a call.
pub trait AsRaw: Copy {
    /// The raw value, alive as long as what it was taken of.
    fn raw(self) -> JSValue;
}

impl AsRaw for &Owned {
    fn raw(self) -> JSValue {
        self.raw
    }
}

impl AsRaw for Borrowed<'_> {
    fn raw(self) -> JSValue {
        self.raw
    }
}

/// The name of a property.
pub trait PropertyName {
    /// Calls `use_atom` with the name as an atom, which is alive meanwhile.
    fn with_atom<R>(self, context: Context, use_atom: impl FnOnce(JSAtom) -> R) -> R;
}

impl PropertyName for &Atom {
    fn with_atom<R>(self, _context: Context, use_atom: impl FnOnce(JSAtom) -> R) -> R {
        use_atom(self.raw)
    }
}

impl PropertyName for &str {
    fn with_atom<R>(self, context: Context, use_atom: impl FnOnce(JSAtom) -> R) -> R {
        use_atom(context.atom(self).raw)
    }
}

const UNDEFINED: JSValue = qjs::JS_UNDEFINED;
const EXCEPTION: JSValue = qjs::JS_EXCEPTION;

/// Where the references to a value are counted, if they are: each such value begins with the count, QuickJS' `JSRefCountHeader`.
fn reference_count(raw: JSValue) -> Option<*mut c_int> {
    // SAFETY: only looks at the tag, and takes the pointer where there is one.
    unsafe { qjs::JS_VALUE_HAS_REF_COUNT(raw).then(|| qjs::JS_VALUE_GET_PTR(raw).cast()) }
}

impl Owned {
    /// Takes over a reference.
    const fn new(raw: JSValue, context: Context) -> Self {
        Self { raw, context }
    }

    /// The same value, for a call.
    pub const fn borrow(&self) -> Borrowed<'_> {
        Borrowed { raw: self.raw, owner: PhantomData }
    }

    /// Hands the reference over.
    fn into_raw(self) -> JSValue {
        std::mem::ManuallyDrop::new(self).raw
    }
}

impl Clone for Owned {
    fn clone(&self) -> Self {
        self.context.own(self.borrow())
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        let Some(count) = reference_count(self.raw) else { return };
        // SAFETY: the value is alive, as it has this reference, and no other thread has any of its references.
        unsafe {
            match *count {
                2.. => *count -= 1,
                // The last reference is this one, which is gone afterwards.
                _ => qjs::JS_FreeValue(self.context.ptr(), self.raw),
            }
        }
    }
}

impl Clone for Atom {
    fn clone(&self) -> Self {
        // SAFETY: the name is alive, as this atom holds a reference.
        Self { raw: unsafe { qjs::JS_DupAtom(self.context.ptr(), self.raw) }, context: self.context }
    }
}

impl Drop for Atom {
    fn drop(&mut self) {
        // SAFETY: the reference is this atom's own, which is gone afterwards.
        unsafe { qjs::JS_FreeAtom(self.context.ptr(), self.raw) };
    }
}

impl Borrowed<'_> {
    /// `undefined`
    pub const UNDEFINED: Self = Self { raw: UNDEFINED, owner: PhantomData };

    const fn new(raw: JSValue) -> Self {
        Self { raw, owner: PhantomData }
    }

    fn tag(self) -> c_int {
        // SAFETY: only looks at the tag.
        unsafe { qjs::JS_VALUE_GET_NORM_TAG(self.raw) }
    }

    /// What it is.
    pub fn kind(self) -> ValueKind {
        // SAFETY: the tag says which payload there is.
        unsafe {
            match self.tag() {
                qjs::JS_TAG_NULL => ValueKind::Null,
                qjs::JS_TAG_BOOL => ValueKind::Bool(qjs::JS_VALUE_GET_BOOL(self.raw)),
                qjs::JS_TAG_INT => ValueKind::Number(f64::from(qjs::JS_VALUE_GET_INT(self.raw))),
                qjs::JS_TAG_FLOAT64 => ValueKind::Number(qjs::JS_VALUE_GET_FLOAT64(self.raw)),
                qjs::JS_TAG_STRING | qjs::JS_TAG_STRING_ROPE => ValueKind::String,
                qjs::JS_TAG_OBJECT => ValueKind::Object,
                qjs::JS_TAG_SYMBOL => ValueKind::Symbol,
                qjs::JS_TAG_BIG_INT | qjs::JS_TAG_SHORT_BIG_INT => ValueKind::BigInt,
                _ => ValueKind::Undefined,
            }
        }
    }

    /// True for a number that is kept as an integer.
    pub fn is_int(self) -> bool {
        self.tag() == qjs::JS_TAG_INT
    }

    /// True for objects, functions included.
    pub fn is_object(self) -> bool {
        self.tag() == qjs::JS_TAG_OBJECT
    }

    /// True for `undefined`.
    pub fn is_undefined(self) -> bool {
        self.tag() == qjs::JS_TAG_UNDEFINED
    }

    /// True for `undefined` and `null`.
    pub fn is_nullish(self) -> bool {
        matches!(self.tag(), qjs::JS_TAG_UNDEFINED | qjs::JS_TAG_NULL)
    }

    /// True for strings.
    pub fn is_string(self) -> bool {
        matches!(self.kind(), ValueKind::String)
    }

    /// True for symbols.
    pub fn is_symbol(self) -> bool {
        self.tag() == qjs::JS_TAG_SYMBOL
    }

    /// True for objects with the internals of an `Error`.
    pub fn is_error(self) -> bool {
        // SAFETY: the value is alive.
        unsafe { qjs::JS_IsError(self.raw) }
    }

    /// True for what no script can catch.
    pub fn is_uncatchable(self) -> bool {
        // SAFETY: the value is alive.
        unsafe { qjs::JS_IsUncatchableError(self.raw) }
    }

    /// True for an array that is no proxy of one.
    pub fn is_plain_array(self) -> bool {
        // SAFETY: the value is alive.
        unsafe { qjs::JS_IsArray(self.raw) && !qjs::JS_IsProxy(self.raw) }
    }

    /// True for a proxy.
    pub fn is_proxy(self) -> bool {
        // SAFETY: the value is alive.
        unsafe { qjs::JS_IsProxy(self.raw) }
    }

    /// True for a regular expression.
    pub fn is_regexp(self) -> bool {
        // SAFETY: the value is alive.
        unsafe { qjs::JS_IsRegExp(self.raw) }
    }

    /// True if both are the same object.
    pub fn is_same_object(self, other: Borrowed<'_>) -> bool {
        // SAFETY: only compares the pointers of two objects.
        self.is_object()
            && other.is_object()
            && unsafe { qjs::JS_VALUE_GET_PTR(self.raw) == qjs::JS_VALUE_GET_PTR(other.raw) }
    }
}

// Making values ----------------------------------------------------------------------------------------------------

impl Context {
    const fn ptr(self) -> *mut JSContext {
        self.0.as_ptr()
    }

    /// What a C function returned as a new reference.
    fn owned(self, raw: JSValue) -> Result<Owned, Thrown> {
        // SAFETY: only looks at the tag.
        if unsafe { qjs::JS_IsException(raw) } { Err(Thrown) } else { Ok(Owned::new(raw, self)) }
    }

    /// What a C function returned that is below 0 when it has thrown.
    const fn done(result: c_int) -> Result<bool, Thrown> {
        if result < 0 { Err(Thrown) } else { Ok(result > 0) }
    }

    /// One more reference.
    pub fn own(self, value: impl AsRaw) -> Owned {
        let raw = value.raw();
        if let Some(count) = reference_count(raw) {
            // SAFETY: the value is alive, and no other thread has any of its references.
            unsafe { *count += 1 };
        }
        Owned::new(raw, self)
    }

    /// `undefined`
    pub const fn undefined(self) -> Owned {
        Owned::new(UNDEFINED, self)
    }

    /// `null`
    pub const fn null(self) -> Owned {
        Owned::new(qjs::JS_NULL, self)
    }

    /// A boolean.
    pub const fn bool(self, value: bool) -> Owned {
        Owned::new(if value { qjs::JS_TRUE } else { qjs::JS_FALSE }, self)
    }

    /// A number; kept as an integer where it is one.
    pub fn number(self, number: f64) -> Owned {
        let whole = number as i32;
        let raw = if f64::from(whole) == number && (whole != 0 || number.is_sign_positive()) {
            qjs::JS_MKVAL(qjs::JS_TAG_INT, whole)
        } else {
            qjs::JS_NewFloat64(number)
        };
        Owned::new(raw, self)
    }

    /// A string.
    pub fn string(self, text: &str) -> Result<Owned, Thrown> {
        self.string_of_bytes(text.as_bytes())
    }

    /// A string of UTF-16.
    pub fn string_of_utf16(self, units: &[u16]) -> Result<Owned, Thrown> {
        // SAFETY: QuickJS copies that many units before it returns.
        self.owned(unsafe { qjs::JS_NewStringUTF16(self.ptr(), units.as_ptr(), units.len() as _) })
    }

    /// The symbol `Symbol.for(name)` as a name.
    pub fn registered_symbol(self, name: &std::ffi::CStr) -> Result<Atom, Thrown> {
        // SAFETY: QuickJS copies the name before it returns.
        let symbol = self.owned(unsafe { qjs::JS_NewSymbol(self.ptr(), name.as_ptr(), true) })?;
        self.atom_of(&symbol)
    }

    /// An interned name.
    pub fn atom(self, name: &str) -> Atom {
        // SAFETY: QuickJS copies that many bytes before it returns.
        let raw = unsafe { qjs::JS_NewAtomLen(self.ptr(), name.as_ptr().cast(), name.len() as _) };
        Atom { raw, context: self }
    }

    /// The name of bytes that are UTF-8.
    pub fn atom_of_bytes(self, name: &[u8]) -> Result<Atom, Thrown> {
        // SAFETY: QuickJS copies that many bytes before it returns.
        self.checked_atom(unsafe { qjs::JS_NewAtomLen(self.ptr(), name.as_ptr().cast(), name.len() as _) })
    }

    /// The name a value is as a key.
    pub fn atom_of(self, value: impl AsRaw) -> Result<Atom, Thrown> {
        // SAFETY: the value is alive.
        self.checked_atom(unsafe { qjs::JS_ValueToAtom(self.ptr(), value.raw()) })
    }

    fn checked_atom(self, raw: JSAtom) -> Result<Atom, Thrown> {
        if raw == qjs::JS_ATOM_NULL { Err(Thrown) } else { Ok(Atom { raw, context: self }) }
    }

    /// An empty object.
    pub fn object(self) -> Result<Owned, Thrown> {
        // SAFETY: the context is alive.
        self.owned(unsafe { qjs::JS_NewObject(self.ptr()) })
    }

    /// An empty object without a prototype.
    pub fn bare_object(self) -> Result<Owned, Thrown> {
        // SAFETY: the context is alive, and `null` is a prototype.
        self.owned(unsafe { qjs::JS_NewObjectProto(self.ptr(), qjs::JS_NULL) })
    }

    /// An empty array.
    pub fn array(self) -> Result<Owned, Thrown> {
        // SAFETY: the context is alive.
        self.owned(unsafe { qjs::JS_NewArray(self.ptr()) })
    }

    /// The global object.
    pub fn global(self) -> Owned {
        // SAFETY: the context is alive; its global object always is an object.
        Owned::new(unsafe { qjs::JS_GetGlobalObject(self.ptr()) }, self)
    }

    /// An `Error` with nothing in it.
    pub fn error(self) -> Result<Owned, Thrown> {
        // SAFETY: the context is alive.
        self.owned(unsafe { qjs::JS_NewError(self.ptr()) })
    }

    // Properties ---------------------------------------------------------------------------------------------------

    /// `object[key]`; throws for what is no object where the language does.
    pub fn get(self, object: impl AsRaw, key: impl PropertyName) -> Result<Owned, Thrown> {
        // SAFETY: object and name are alive.
        self.owned(key.with_atom(self, |atom| unsafe { qjs::JS_GetProperty(self.ptr(), object.raw(), atom) }))
    }

    /// A property of an object; `undefined` where it is none, or has none.
    pub fn get_or_undefined(self, object: impl AsRaw, key: &str) -> Result<Owned, Thrown> {
        if Borrowed::new(object.raw()).is_object() { self.get(object, key) } else { Ok(self.undefined()) }
    }

    /// `object[index]`
    pub fn get_index(self, object: impl AsRaw, index: i64) -> Result<Owned, Thrown> {
        // SAFETY: the object is alive.
        self.owned(unsafe { qjs::JS_GetPropertyInt64(self.ptr(), object.raw(), index) })
    }

    /// `key in object`
    pub fn has(self, object: impl AsRaw, key: impl PropertyName) -> Result<bool, Thrown> {
        // SAFETY: object and name are alive.
        Self::done(key.with_atom(self, |atom| unsafe { qjs::JS_HasProperty(self.ptr(), object.raw(), atom) }))
    }

    /// `object[key] = value`
    pub fn set(self, object: impl AsRaw, key: impl PropertyName, value: Owned) -> Result<(), Thrown> {
        // SAFETY: object and name are alive, and the value's reference is handed over.
        let set = |atom| unsafe { qjs::JS_SetProperty(self.ptr(), object.raw(), atom, value.into_raw()) };
        Self::done(key.with_atom(self, set)).map(drop)
    }

    /// `list[index] = value`
    pub fn set_index(self, list: impl AsRaw, index: u32, value: Owned) -> Result<(), Thrown> {
        // SAFETY: the list is alive, and the value's reference is handed over.
        Self::done(unsafe { qjs::JS_SetPropertyUint32(self.ptr(), list.raw(), index, value.into_raw()) }).map(drop)
    }

    /// Removes a property that may be there.
    pub fn delete(self, object: impl AsRaw, key: impl PropertyName) -> Result<(), Thrown> {
        // SAFETY: object and name are alive.
        let delete = |atom| unsafe { qjs::JS_DeleteProperty(self.ptr(), object.raw(), atom, 0) };
        Self::done(key.with_atom(self, delete)).map(drop)
    }

    /// Defines a property with a value.
    pub fn define(
        self,
        object: impl AsRaw,
        key: impl PropertyName,
        value: Owned,
        flags: PropertyFlags,
    ) -> Result<(), Thrown> {
        // SAFETY: object and name are alive, and the value's reference is handed over.
        let define =
            |atom| unsafe { qjs::JS_DefinePropertyValue(self.ptr(), object.raw(), atom, value.into_raw(), flags.0) };
        Self::done(key.with_atom(self, define)).map(drop)
    }

    /// Defines an item of a list.
    pub fn define_index(self, list: impl AsRaw, index: u32, value: Owned) -> Result<(), Thrown> {
        let (raw, flags) = (value.into_raw(), PropertyFlags::PLAIN.0);
        // SAFETY: the list is alive, and the value's reference is handed over.
        Self::done(unsafe { qjs::JS_DefinePropertyValueUint32(self.ptr(), list.raw(), index, raw, flags) }).map(drop)
    }

    /// Defines an accessor; without a setter assigning throws, or does nothing.
    pub fn define_accessor(
        self,
        object: impl AsRaw,
        key: impl PropertyName,
        (getter, setter): (Owned, Option<Owned>),
        flags: PropertyFlags,
    ) -> Result<(), Thrown> {
        let (getter, setter) = (getter.into_raw(), setter.map_or(UNDEFINED, Owned::into_raw));
        // SAFETY: object and name are alive, and the references of both functions are handed over.
        let define =
            |atom| unsafe { qjs::JS_DefinePropertyGetSet(self.ptr(), object.raw(), atom, getter, setter, flags.0) };
        Self::done(key.with_atom(self, define)).map(drop)
    }

    /// The `length` of an object or a string.
    pub fn length(self, value: impl AsRaw) -> Result<i64, Thrown> {
        let mut length = 0;
        // SAFETY: the value is alive; the length is written before the call returns.
        Self::done(unsafe { qjs::JS_GetLength(self.ptr(), value.raw(), &mut length) }).map(|_| length)
    }

    // Calls --------------------------------------------------------------------------------------------------------

    /// `function.apply(this, args)`
    pub fn call(self, function: impl AsRaw, this: impl AsRaw, args: &[Borrowed<'_>]) -> Result<Owned, Thrown> {
        let (len, args) = (args.len() as c_int, args.as_ptr().cast_mut().cast());
        // SAFETY: all are alive; QuickJS reads the arguments, which have the layout of raw values, and does not write there.
        self.owned(unsafe { qjs::JS_Call(self.ptr(), function.raw(), this.raw(), len, args) })
    }

    /// `new constructor(...args)`
    pub fn construct(self, constructor: impl AsRaw, args: &[Borrowed<'_>]) -> Result<Owned, Thrown> {
        let (len, args) = (args.len() as c_int, args.as_ptr().cast_mut().cast());
        // SAFETY: as in `call`.
        self.owned(unsafe { qjs::JS_CallConstructor(self.ptr(), constructor.raw(), len, args) })
    }

    /// True for what can be called.
    pub fn is_function(self, value: impl AsRaw) -> bool {
        // SAFETY: the value is alive.
        unsafe { qjs::JS_IsFunction(self.ptr(), value.raw()) }
    }

    // Exceptions ---------------------------------------------------------------------------------------------------

    /// Takes the pending exception out of the context.
    pub fn take_exception(self) -> Owned {
        // SAFETY: the context is alive; the reference is handed to us.
        Owned::new(unsafe { qjs::JS_GetException(self.ptr()) }, self)
    }

    /// Throws a value.
    pub fn throw(self, error: Owned) -> Thrown {
        // SAFETY: the value's reference is handed over.
        unsafe { qjs::JS_Throw(self.ptr(), error.into_raw()) };
        Thrown
    }

    /// Throws a value that no script can catch.
    pub fn throw_uncatchable(self, error: Owned) -> Thrown {
        let raw = error.borrow().raw;
        let thrown = self.throw(error);
        // SAFETY: the value is alive: it is the pending exception.
        unsafe { qjs::JS_SetUncatchableError(self.ptr(), raw) };
        thrown
    }

    // Reading values -----------------------------------------------------------------------------------------------

    /// As [`Self::text`]; empty where the conversion throws; the exception is dropped.
    pub fn text_or_empty(self, value: impl AsRaw) -> String {
        self.ok(self.text(value)).unwrap_or_default()
    }

    /// Calls `read` with the UTF-8 of what `String(value)` gives. Lone surrogates are three bytes that are not UTF-8.
    pub fn with_text<R>(self, value: impl AsRaw, read: impl FnOnce(&[u8]) -> R) -> Result<R, Thrown> {
        let mut len = 0;
        // SAFETY: the value is alive; the length is written before the call returns.
        let text = unsafe { qjs::JS_ToCStringLen2(self.ptr(), &mut len, value.raw(), false) };
        if text.is_null() {
            return Err(Thrown);
        }
        // SAFETY: that many bytes are valid until the text is freed.
        let result = read(unsafe { std::slice::from_raw_parts(text.cast(), len as usize) });
        // SAFETY: the text is freed once, and `read` could not keep it.
        unsafe { qjs::JS_FreeCString(self.ptr(), text) };
        Ok(result)
    }

    /// A string as UTF-16.
    pub fn utf16(self, value: impl AsRaw) -> Result<Vec<u16>, Thrown> {
        let mut len = 0;
        // SAFETY: the value is alive; the length is written before the call returns.
        let units = unsafe { qjs::JS_ToCStringLenUTF16(self.ptr(), &mut len, value.raw()) };
        if units.is_null() {
            return Err(Thrown);
        }
        // SAFETY: that many units are valid until they are freed.
        let copy = unsafe { std::slice::from_raw_parts(units, len as usize) }.to_vec();
        // SAFETY: they are freed once, and were copied.
        unsafe { qjs::JS_FreeCStringUTF16(self.ptr(), units) };
        Ok(copy)
    }

    /// `String(value)`, still a value.
    pub fn to_string(self, value: impl AsRaw) -> Result<Owned, Thrown> {
        // SAFETY: the value is alive.
        self.owned(unsafe { qjs::JS_ToString(self.ptr(), value.raw()) })
    }

    /// `Number(value)`
    pub fn to_number(self, value: impl AsRaw) -> Result<f64, Thrown> {
        let mut number = f64::NAN;
        // SAFETY: the value is alive; the number is written before the call returns.
        Self::done(unsafe { qjs::JS_ToFloat64(self.ptr(), &mut number, value.raw()) }).map(|_| number)
    }

    /// `Boolean(value)`
    pub fn to_bool(self, value: impl AsRaw) -> bool {
        // SAFETY: the value is alive.
        unsafe { qjs::JS_ToBool(self.ptr(), value.raw()) > 0 }
    }

    /// Nothing where something has thrown: the exception is dropped.
    pub fn ok<T>(self, result: Result<T, Thrown>) -> Option<T> {
        result.map_err(|Thrown| drop(self.take_exception())).ok()
    }
}
