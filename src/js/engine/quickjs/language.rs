//! What of the language is ours on QuickJS: regular expressions that take a time that grows with the text, the texts of
//! dates, the order of words.
//!
//! QuickJS makes the functions of such a table when they are first touched, so they cost a VU that doesn't nothing.

use std::ffi::{CStr, c_char, c_int};
use std::panic::{AssertUnwindSafe, catch_unwind};

use rquickjs::qjs::{self, JSContext, JSValue};

use super::{
    EXCEPTION, NULL, State, UNDEFINED, define, is_exception, number_to_js, panic_text, property, state, throw_js,
};
use crate::js::language::regexp::{self, Captures, Flags, MatchError, Program};
use crate::js::language::{collation, dates};
use crate::js::value::Throw;

/// A method, called with `this` and its arguments.
type Method = unsafe fn(*mut JSContext, JSValue, &[JSValue]) -> JSValue;

/// All methods, by the number QuickJS hands back to [`enter`].
const METHODS: [Method; 7] = [exec, locale_compare, full, time, locale, locale_date, locale_time];

/// Where methods belong, as `length` says how many arguments they name.
struct Table(&'static str, &'static [qjs::JSCFunctionListEntry]);
// SAFETY: the pointers are to texts and functions of the program.
unsafe impl Sync for Table {}

static TABLES: [Table; 3] = [
    Table("RegExp", &[entry(c"exec", 1, 0)]),
    Table("String", &[entry(c"localeCompare", 1, 1)]),
    Table(
        "Date",
        &[
            entry(c"toString", 0, 2),
            entry(c"toTimeString", 0, 3),
            entry(c"toLocaleString", 0, 4),
            entry(c"toLocaleDateString", 0, 5),
            entry(c"toLocaleTimeString", 0, 6),
        ],
    ),
];

const fn entry(name: &'static CStr, length: u8, method: i16) -> qjs::JSCFunctionListEntry {
    qjs::JSCFunctionListEntry {
        name: name.as_ptr().cast::<c_char>(),
        prop_flags: (qjs::JS_PROP_WRITABLE | qjs::JS_PROP_CONFIGURABLE) as u8,
        def_type: qjs::JS_DEF_CFUNC as u8,
        magic: method,
        u: qjs::JSCFunctionListEntry__bindgen_ty_1 {
            func: qjs::JSCFunctionListEntry__bindgen_ty_1__bindgen_ty_1 {
                length,
                cproto: qjs::JSCFunctionEnum_JS_CFUNC_generic_magic as u8,
                cfunc: qjs::JSCFunctionType { generic_magic: Some(enter) },
            },
        },
    }
}

/// What is kept of the engine's own for these methods: scripts may replace what they see of it.
pub struct Own {
    /// `RegExp.prototype.exec`
    exec: JSValue,
    /// The name `lastIndex`.
    last_index: qjs::JSAtom,
    /// `Date.prototype.getTime`
    time: JSValue,
    /// The getters of a RegExp: `source`, and the flags that matter, in the order of [`FLAGS`].
    getters: [JSValue; 9],
}

/// The members of a RegExp that are looked at.
const FLAGS: [&str; 9] =
    ["source", "global", "sticky", "ignoreCase", "multiline", "dotAll", "unicode", "hasIndices", "unicodeSets"];

impl Own {
    /// Nothing yet.
    pub const NONE: Self = Self { exec: UNDEFINED, last_index: 0, time: UNDEFINED, getters: [UNDEFINED; 9] };

    /// Lets go of everything.
    ///
    /// # Safety
    /// `ctx` must be alive, and nothing here used again.
    pub unsafe fn free(&self, ctx: *mut JSContext) {
        // SAFETY: each was duplicated or made in `install`.
        unsafe {
            for value in [self.exec, self.time].into_iter().chain(self.getters) {
                qjs::JS_FreeValue(ctx, value);
            }
            qjs::JS_FreeAtom(ctx, self.last_index);
        }
    }
}

/// Puts the methods in the place of the engine's.
///
/// # Safety
/// `ctx` must be a live context, with nothing of it run yet.
pub unsafe fn install(ctx: *mut JSContext) -> Own {
    // SAFETY: values are freed or handed over exactly once; the tables live as long as the program.
    unsafe {
        let global = qjs::JS_GetGlobalObject(ctx);
        let mut own = Own::NONE;
        for Table(class, methods) in &TABLES {
            let constructor = property(ctx, global, class);
            let prototype = property(ctx, constructor, "prototype");
            match *class {
                "RegExp" => {
                    own.exec = property(ctx, prototype, "exec");
                    own.last_index = qjs::JS_NewAtom(ctx, c"lastIndex".as_ptr());
                    own.getters = FLAGS.map(|name| getter(ctx, prototype, name));
                }
                "Date" => own.time = property(ctx, prototype, "getTime"),
                _ => {}
            }
            for method in *methods {
                let atom = qjs::JS_NewAtom(ctx, method.name);
                qjs::JS_DeleteProperty(ctx, prototype, atom, 0);
                qjs::JS_FreeAtom(ctx, atom);
            }
            qjs::JS_SetPropertyFunctionList(ctx, prototype, methods.as_ptr(), methods.len() as c_int);
            qjs::JS_FreeValue(ctx, prototype);
            qjs::JS_FreeValue(ctx, constructor);
        }
        qjs::JS_FreeValue(ctx, global);
        own
    }
}

/// The getter of an accessor.
unsafe fn getter(ctx: *mut JSContext, object: JSValue, name: &str) -> JSValue {
    // SAFETY: the descriptor's fields are ours; all but the getter are freed.
    unsafe {
        let atom = qjs::JS_NewAtomLen(ctx, name.as_ptr().cast(), name.len() as _);
        let mut found = qjs::JSPropertyDescriptor { flags: 0, value: UNDEFINED, getter: UNDEFINED, setter: UNDEFINED };
        qjs::JS_GetOwnProperty(ctx, &mut found, object, atom);
        qjs::JS_FreeAtom(ctx, atom);
        qjs::JS_FreeValue(ctx, found.value);
        qjs::JS_FreeValue(ctx, found.setter);
        found.getter
    }
}

/// The one door from QuickJS to [`METHODS`]; a panic of ours does not go back through it.
unsafe extern "C" fn enter(
    ctx: *mut JSContext,
    this: JSValue,
    argc: c_int,
    argv: *mut JSValue,
    method: c_int,
) -> JSValue {
    // SAFETY: `argv` has `argc` values.
    unsafe {
        let args: &[JSValue] = if argc > 0 { std::slice::from_raw_parts(argv, argc as usize) } else { &[] };
        let call = AssertUnwindSafe(|| METHODS[method as usize](ctx, this, args));
        catch_unwind(call).unwrap_or_else(|panic| {
            throw_js(ctx, state(ctx), Throw::go(format!("internal error: {}", panic_text(&*panic))))
        })
    }
}

// Dates and words --------------------------------------------------------------------------------------------------

/// A date as text.
unsafe fn date(ctx: *mut JSContext, this: JSValue, form: dates::Form) -> JSValue {
    // SAFETY: the getter of the time throws for what is no date.
    unsafe {
        let time = qjs::JS_Call(ctx, state(ctx).own.borrow().time, this, 0, std::ptr::null_mut());
        if is_exception(time) {
            return time;
        }
        let mut ms = f64::NAN;
        qjs::JS_ToFloat64(ctx, &mut ms, time);
        let text = dates::print(ms, form);
        qjs::JS_NewStringLen(ctx, text.as_ptr().cast(), text.len() as _)
    }
}

unsafe fn full(ctx: *mut JSContext, this: JSValue, _args: &[JSValue]) -> JSValue {
    // SAFETY: the context and the value are alive.
    unsafe { date(ctx, this, dates::Form::Full) }
}

unsafe fn time(ctx: *mut JSContext, this: JSValue, _args: &[JSValue]) -> JSValue {
    // SAFETY: the context and the value are alive.
    unsafe { date(ctx, this, dates::Form::Time) }
}

unsafe fn locale(ctx: *mut JSContext, this: JSValue, _args: &[JSValue]) -> JSValue {
    // SAFETY: the context and the value are alive.
    unsafe { date(ctx, this, dates::Form::Locale) }
}

unsafe fn locale_date(ctx: *mut JSContext, this: JSValue, _args: &[JSValue]) -> JSValue {
    // SAFETY: the context and the value are alive.
    unsafe { date(ctx, this, dates::Form::LocaleDate) }
}

unsafe fn locale_time(ctx: *mut JSContext, this: JSValue, _args: &[JSValue]) -> JSValue {
    // SAFETY: the context and the value are alive.
    unsafe { date(ctx, this, dates::Form::LocaleTime) }
}

/// `a.localeCompare(b)`
unsafe fn locale_compare(ctx: *mut JSContext, this: JSValue, args: &[JSValue]) -> JSValue {
    // SAFETY: both texts are freed after they were compared.
    unsafe {
        if qjs::JS_IsNull(this) || qjs::JS_IsUndefined(this) {
            return throw_js(ctx, state(ctx), Throw::type_error("null or undefined has no localeCompare"));
        }
        let (mut a_len, mut b_len) = (0, 0);
        let a = qjs::JS_ToCStringLen2(ctx, &mut a_len, this, false);
        if a.is_null() {
            return EXCEPTION;
        }
        let b = qjs::JS_ToCStringLen2(ctx, &mut b_len, args.first().copied().unwrap_or(UNDEFINED), false);
        if b.is_null() {
            qjs::JS_FreeCString(ctx, a);
            return EXCEPTION;
        }
        let bytes = |text: *const c_char, len| std::slice::from_raw_parts(text.cast::<u8>(), len as usize);
        let order = collation::compare_utf8(bytes(a, a_len), bytes(b, b_len));
        qjs::JS_FreeCString(ctx, a);
        qjs::JS_FreeCString(ctx, b);
        qjs::JS_MKVAL(qjs::JS_TAG_INT, order as i32)
    }
}

// Regular expressions ----------------------------------------------------------------------------------------------

/// Steps of QuickJS' matcher between two of its questions whether to go on.
const SLICE: u64 = 10_000;
/// Steps it may take for each character of a text; more than that is more than a sound pattern takes.
const STEPS_PER_UNIT: u64 = 32;

/// `pattern.exec(text)`: QuickJS' own, until it takes too long.
unsafe fn exec(ctx: *mut JSContext, this: JSValue, args: &[JSValue]) -> JSValue {
    // SAFETY: values are freed or handed over exactly once.
    unsafe {
        let state = state(ctx);
        let (own_exec, last_index) = {
            let own = state.own.borrow();
            (own.exec, own.last_index)
        };
        let first = args.first().copied().unwrap_or(UNDEFINED);
        if !qjs::JS_IsRegExp(this) {
            let mut first = first;
            return qjs::JS_Call(ctx, own_exec, this, 1, &mut first);
        }
        let mut text = qjs::JS_ToString(ctx, first);
        if is_exception(text) {
            return text;
        }
        let last_index = qjs::JS_GetProperty(ctx, this, last_index);
        let is_plain = qjs::JS_VALUE_GET_NORM_TAG(last_index) == qjs::JS_TAG_INT;
        qjs::JS_FreeValue(ctx, last_index);
        let mut len = 0;
        // A place that is no number is made one by a script's own code, which is not what is measured.
        if is_plain && qjs::JS_GetLength(ctx, text, &mut len) >= 0 {
            state.regexp_slices.set(Some((len.max(0) as u64 * STEPS_PER_UNIT / SLICE) as u32 + 1));
        }
        let result = qjs::JS_Call(ctx, own_exec, this, 1, &mut text);
        let took_too_long = state.regexp_slices.replace(None) == Some(0);
        let result = if took_too_long && is_exception(result) {
            qjs::JS_FreeValue(ctx, qjs::JS_GetException(ctx));
            match program(ctx, state, this) {
                Some((program, flags)) if program.is_linear => linear(ctx, state, this, text, &program, &flags),
                _ => qjs::JS_Call(ctx, own_exec, this, 1, &mut text),
            }
        } else {
            result
        };
        qjs::JS_FreeValue(ctx, text);
        result
    }
}

/// Which of [`FLAGS`] a RegExp has.
type Given = [bool; 9];

/// The program of a RegExp, and its flags.
unsafe fn program(ctx: *mut JSContext, state: &State, this: JSValue) -> Option<(std::rc::Rc<Program>, Given)> {
    // SAFETY: what the getters return is freed.
    unsafe {
        let getters = state.own.borrow().getters;
        let call = |at: usize| qjs::JS_Call(ctx, getters[at], this, 0, std::ptr::null_mut());
        let mut given = [false; 9];
        for (at, given) in given.iter_mut().enumerate().skip(1) {
            *given = qjs::JS_ToBool(ctx, call(at)) > 0;
        }
        let [_, _, _, ignore_case, multiline, dot_all, unicode, _, has_sets] = given;
        if has_sets {
            return None;
        }
        let source = call(0);
        let units = utf16(ctx, source);
        qjs::JS_FreeValue(ctx, source);
        let program = regexp::program(&units?, Flags { ignore_case, multiline, dot_all, unicode })?;
        Some((program, given))
    }
}

/// A text as UTF-16.
unsafe fn utf16(ctx: *mut JSContext, text: JSValue) -> Option<Vec<u16>> {
    // SAFETY: the units are freed after they were copied.
    unsafe {
        let mut len = 0;
        let units = qjs::JS_ToCStringLenUTF16(ctx, &mut len, text);
        if units.is_null() {
            qjs::JS_FreeValue(ctx, qjs::JS_GetException(ctx));
            return None;
        }
        let copy = std::slice::from_raw_parts(units, len as usize).to_vec();
        qjs::JS_FreeCStringUTF16(ctx, units);
        Some(copy)
    }
}

/// `pattern.exec(text)` by our own matcher.
unsafe fn linear(
    ctx: *mut JSContext,
    state: &State,
    this: JSValue,
    text: JSValue,
    program: &Program,
    given: &Given,
) -> JSValue {
    let [_, is_global, is_sticky, _, _, _, _, has_indices, _] = *given;
    // SAFETY: values are freed or handed over exactly once.
    unsafe {
        let Some(units) = utf16(ctx, text) else { return EXCEPTION };
        let keeps_place = is_global || is_sticky;
        let mut start = 0.0;
        if keeps_place {
            let value = property(ctx, this, "lastIndex");
            qjs::JS_ToFloat64(ctx, &mut start, value);
            qjs::JS_FreeValue(ctx, value);
        }
        let set_place =
            |place: usize| qjs::JS_SetPropertyStr(ctx, this, c"lastIndex".as_ptr(), number_to_js(place as f64)) >= 0;
        let start = start.max(0.0);
        let found = if start > units.len() as f64 {
            Ok(None)
        } else {
            regexp::find(program, &units[..], start as usize, is_sticky, &mut || state.host.may_continue())
        };
        match found {
            Ok(Some(groups)) => {
                let end = groups.first().copied().flatten().map_or(0, |(_, end)| end);
                if keeps_place && !set_place(end) {
                    return EXCEPTION;
                }
                result(ctx, text, &units, program, (&groups, has_indices))
            }
            Ok(None) => {
                if keeps_place && !set_place(0) {
                    return EXCEPTION;
                }
                NULL
            }
            Err(MatchError::Stopped) => throw_js(ctx, state, Throw::Stop),
            Err(MatchError::TooLarge) => {
                let message = "the regular expression needs too much memory for this text".to_owned();
                throw_js(ctx, state, Throw::Error { class: "RangeError", message })
            }
        }
    }
}

/// What `exec` returns for a match.
unsafe fn result(
    ctx: *mut JSContext,
    text: JSValue,
    units: &[u16],
    program: &Program,
    (groups, has_indices): (&Captures, bool),
) -> JSValue {
    // SAFETY: every value is handed over to the object it becomes part of.
    unsafe {
        let piece = |group: &Option<(usize, usize)>| match group {
            Some((from, to)) => qjs::JS_NewStringUTF16(ctx, units[*from..].as_ptr(), (to - from) as _),
            None => UNDEFINED,
        };
        let pair = |group: &Option<(usize, usize)>| match group {
            Some((from, to)) => {
                let pair = qjs::JS_NewArray(ctx);
                push(ctx, pair, 0, number_to_js(*from as f64));
                push(ctx, pair, 1, number_to_js(*to as f64));
                pair
            }
            None => UNDEFINED,
        };
        let index = groups.first().copied().flatten().map_or(0, |(from, _)| from);
        let list = list(ctx, groups, piece);
        define(ctx, list, "index", number_to_js(index as f64));
        define(ctx, list, "input", qjs::JS_DupValue(ctx, text));
        define(ctx, list, "groups", named(ctx, program, groups, piece));
        if has_indices {
            let indices = self::list(ctx, groups, pair);
            define(ctx, indices, "groups", named(ctx, program, groups, pair));
            define(ctx, list, "indices", indices);
        }
        list
    }
}

unsafe fn push(ctx: *mut JSContext, list: JSValue, at: u32, value: JSValue) {
    // SAFETY: the value is handed over.
    unsafe { qjs::JS_DefinePropertyValueUint32(ctx, list, at, value, qjs::JS_PROP_C_W_E as c_int) };
}

/// A list with something made of each group.
unsafe fn list(ctx: *mut JSContext, groups: &Captures, make: impl Fn(&Option<(usize, usize)>) -> JSValue) -> JSValue {
    // SAFETY: each value is handed over.
    unsafe {
        let list = qjs::JS_NewArray(ctx);
        for (at, group) in groups.iter().enumerate() {
            push(ctx, list, at as u32, make(group));
        }
        list
    }
}

/// An object with something made of each group that has a name; `undefined` where none has.
unsafe fn named(
    ctx: *mut JSContext,
    program: &Program,
    groups: &Captures,
    make: impl Fn(&Option<(usize, usize)>) -> JSValue,
) -> JSValue {
    if program.names.is_empty() {
        return UNDEFINED;
    }
    // SAFETY: each value is handed over.
    unsafe {
        let object = qjs::JS_NewObjectProto(ctx, NULL);
        for (name, number) in &program.names {
            define(ctx, object, name, make(&groups[*number as usize]));
        }
        object
    }
}
