//! The global scope, the parts of js-stdlib it is made of, and the module engines give js-stdlib, on QuickJS.

use std::ffi::{CString, c_int};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use rquickjs::qjs::{self, JSContext, JSModuleDef, JSValue};

use super::super::{Code, ENGINE, GLOBALS, Global};
use super::{
    EXCEPTION, State, UNDEFINED, call_native, compile, is_exception, load_now, native_function, panic_text, property,
    state, string, take_exception, throw_js,
};
use crate::js::value::Throw;

/// A native function with data, as QuickJS calls it.
type Function = unsafe extern "C" fn(*mut JSContext, JSValue, c_int, *mut JSValue, c_int, *mut JSValue) -> JSValue;

/// What [`ENGINE`] exports.
const EXPORTS: [(&std::ffi::CStr, Function); 4] =
    [(c"evaluate", evaluate), (c"once", once), (c"load", load), (c"rebind", rebind)];

/// Puts something into the global scope.
///
/// # Safety
/// `ctx` must be a live context made by `QuickJs::new`.
pub unsafe fn define(ctx: *mut JSContext, name: &'static str, global: Global, enumerable: bool) -> Result<(), Throw> {
    // SAFETY: the context is alive; what is defined is handed over, what is borrowed is freed.
    unsafe {
        let state = state(ctx);
        let place = |op: &str| place(state, op);
        let mut flags = (qjs::JS_PROP_CONFIGURABLE | qjs::JS_PROP_WRITABLE) as c_int;
        if enumerable {
            flags |= qjs::JS_PROP_ENUMERABLE as c_int;
        }
        let scope = qjs::JS_GetGlobalObject(ctx);
        let atom = qjs::JS_NewAtomLen(ctx, name.as_ptr().cast(), name.len() as _);
        let c_name = CString::new(name).map_err(|_| Throw::type_error("a name with a NUL in it"))?;
        let function = |function: Function, data: &[JSValue]| {
            let mut data = data.to_vec();
            qjs::JS_NewCFunctionData(ctx, Some(function), 0, 0, data.len() as c_int, data.as_mut_ptr())
        };
        let done = match global {
            Global::Function(op) => {
                qjs::JS_DefinePropertyValue(ctx, scope, atom, native_function(ctx, &c_name, place(op)), flags)
            }
            Global::Value(op) => {
                let value = call_native(ctx, UNDEFINED, 0, ptr::null_mut(), place(op) as c_int);
                if is_exception(value) { -1 } else { qjs::JS_DefinePropertyValue(ctx, scope, atom, value, flags) }
            }
            Global::Getter(op) => {
                let getter = native_function(ctx, &c_name, place(op));
                qjs::JS_DefinePropertyGetSet(
                    ctx,
                    scope,
                    atom,
                    getter,
                    UNDEFINED,
                    flags & !(qjs::JS_PROP_WRITABLE as c_int),
                )
            }
            Global::Refused(op) => {
                let (getter, setter) =
                    (native_function(ctx, &c_name, place(op)), native_function(ctx, &c_name, place(op)));
                qjs::JS_DefinePropertyGetSet(ctx, scope, atom, getter, setter, 0)
            }
            Global::Part(part, member) => {
                let texts = [name, part, member.unwrap_or_default()];
                let [name, part, member] =
                    texts.map(|text| qjs::JS_NewStringLen(ctx, text.as_ptr().cast(), text.len() as _));
                let kind = qjs::JS_MKVAL(qjs::JS_TAG_BOOL, i32::from(enumerable));
                let (getter, setter) = (function(make, &[name, part, member, kind]), function(replace, &[name, kind]));
                for text in [name, part, member] {
                    qjs::JS_FreeValue(ctx, text);
                }
                qjs::JS_DefinePropertyGetSet(
                    ctx,
                    scope,
                    atom,
                    getter,
                    setter,
                    flags & !(qjs::JS_PROP_WRITABLE as c_int),
                )
            }
            Global::Itself => {
                let getter = function(itself, &[]);
                qjs::JS_DefinePropertyGetSet(
                    ctx,
                    scope,
                    atom,
                    getter,
                    UNDEFINED,
                    flags & !(qjs::JS_PROP_WRITABLE as c_int),
                )
            }
        };
        qjs::JS_FreeAtom(ctx, atom);
        qjs::JS_FreeValue(ctx, scope);
        if done < 0 { Err(take_exception(ctx)) } else { Ok(()) }
    }
}

/// The place of a native function of the global scope.
fn place(state: &State, op: &str) -> usize {
    match state.host.load(GLOBALS) {
        Ok(Code::Native(functions)) => functions.iter().find(|(name, _)| *name == op).map(|(_, at)| *at),
        _ => None,
    }
    .unwrap_or_else(|| panic!("`{GLOBALS}` has no `{op}`"))
}

/// What a part makes; of one that is shared, a member. An exception stays in the context.
///
/// # Safety
/// As for [`define`].
pub unsafe fn part(ctx: *mut JSContext, state: &State, name: &str, member: Option<&str>) -> JSValue {
    // SAFETY: values are freed or handed over exactly once.
    unsafe {
        let [natives, engine] = [GLOBALS, ENGINE].map(|address| load_now(ctx, state, address));
        let mut given = [natives, engine];
        let value = match member {
            None => call_part(ctx, state, name, &mut given),
            Some(member) => {
                let shared = shared(ctx, state, name, &mut given);
                let value = if is_exception(shared) { EXCEPTION } else { property(ctx, shared, member) };
                qjs::JS_FreeValue(ctx, shared);
                value
            }
        };
        qjs::JS_FreeValue(ctx, natives);
        qjs::JS_FreeValue(ctx, engine);
        value
    }
}

/// The value of a part's expression.
unsafe fn part_value(ctx: *mut JSContext, state: &State, name: &str) -> JSValue {
    let address = format!("part:{name}");
    // SAFETY: what was compiled is consumed by its evaluation.
    unsafe {
        match state.host.load(&address) {
            Ok(Code::Script { text, compiled }) => {
                let script = compile(ctx, &address, &text, &compiled, qjs::JS_EVAL_TYPE_GLOBAL);
                if is_exception(script) { script } else { qjs::JS_EvalFunction(ctx, script) }
            }
            Ok(_) => throw_js(ctx, state, Throw::type_error(format!("{address} is no part"))),
            Err(throw) => throw_js(ctx, state, throw),
        }
    }
}

/// Calls the function a part is.
unsafe fn call_part(ctx: *mut JSContext, state: &State, name: &str, given: &mut [JSValue]) -> JSValue {
    // SAFETY: the arguments are borrowed, the function is freed.
    unsafe {
        let function = part_value(ctx, state, name);
        if is_exception(function) {
            return function;
        }
        let result = qjs::JS_Call(ctx, function, UNDEFINED, given.len() as c_int, given.as_mut_ptr());
        qjs::JS_FreeValue(ctx, function);
        result
    }
}

/// What a part returned when it was first called in this realm.
unsafe fn shared(ctx: *mut JSContext, state: &State, name: &str, given: &mut [JSValue]) -> JSValue {
    // SAFETY: the table owns one reference, the caller gets another.
    unsafe {
        let known = state.parts.borrow().get(name).copied();
        if let Some(known) = known {
            return qjs::JS_DupValue(ctx, known);
        }
        let made = call_part(ctx, state, name, given);
        if !is_exception(made) {
            state.parts.borrow_mut().insert(name.to_owned(), qjs::JS_DupValue(ctx, made));
        }
        made
    }
}

/// The getter of a global that is a part: makes it, and puts the value in its own place.
unsafe extern "C" fn make(
    ctx: *mut JSContext,
    _this: JSValue,
    _argc: c_int,
    _argv: *mut JSValue,
    _magic: c_int,
    data: *mut JSValue,
) -> JSValue {
    // SAFETY: `data` is what `define` gave: three texts and a truth value.
    unsafe {
        let [name, part_name, member, enumerable] = *data.cast::<[JSValue; 4]>();
        let (part_name, member) = (string(ctx, part_name).unwrap_or_default(), string(ctx, member).unwrap_or_default());
        let value =
            guarded(ctx, || part(ctx, state(ctx), &part_name, Some(&*member).filter(|member| !member.is_empty())));
        if !is_exception(value) {
            put(ctx, name, enumerable, qjs::JS_DupValue(ctx, value));
        }
        value
    }
}

/// The setter of such a global.
unsafe extern "C" fn replace(
    ctx: *mut JSContext,
    _this: JSValue,
    argc: c_int,
    argv: *mut JSValue,
    _magic: c_int,
    data: *mut JSValue,
) -> JSValue {
    // SAFETY: `data` is what `define` gave; `argv` has `argc` values.
    unsafe {
        let [name, enumerable] = *data.cast::<[JSValue; 2]>();
        let value = if argc > 0 { *argv } else { UNDEFINED };
        put(ctx, name, enumerable, qjs::JS_DupValue(ctx, value));
        UNDEFINED
    }
}

/// Makes a plain property of the global object.
unsafe fn put(ctx: *mut JSContext, name: JSValue, enumerable: JSValue, value: JSValue) {
    // SAFETY: the value is handed over.
    unsafe {
        let mut flags = (qjs::JS_PROP_CONFIGURABLE | qjs::JS_PROP_WRITABLE) as c_int;
        if qjs::JS_ToBool(ctx, enumerable) > 0 {
            flags |= qjs::JS_PROP_ENUMERABLE as c_int;
        }
        let scope = qjs::JS_GetGlobalObject(ctx);
        let atom = qjs::JS_ValueToAtom(ctx, name);
        qjs::JS_DefinePropertyValue(ctx, scope, atom, value, flags);
        qjs::JS_FreeAtom(ctx, atom);
        qjs::JS_FreeValue(ctx, scope);
    }
}

unsafe extern "C" fn itself(
    ctx: *mut JSContext,
    _this: JSValue,
    _argc: c_int,
    _argv: *mut JSValue,
    _magic: c_int,
    _data: *mut JSValue,
) -> JSValue {
    // SAFETY: the context is alive.
    unsafe { qjs::JS_GetGlobalObject(ctx) }
}

/// `evaluate(name)`
unsafe extern "C" fn evaluate(
    ctx: *mut JSContext,
    _this: JSValue,
    argc: c_int,
    argv: *mut JSValue,
    _magic: c_int,
    _data: *mut JSValue,
) -> JSValue {
    // SAFETY: `argv` has `argc` values.
    unsafe {
        let name = if argc > 0 { string(ctx, *argv).unwrap_or_default() } else { String::new() };
        guarded(ctx, || part_value(ctx, state(ctx), &name))
    }
}

/// `once(name, ...given)`
unsafe extern "C" fn once(
    ctx: *mut JSContext,
    _this: JSValue,
    argc: c_int,
    argv: *mut JSValue,
    _magic: c_int,
    _data: *mut JSValue,
) -> JSValue {
    // SAFETY: `argv` has `argc` values.
    unsafe {
        let argv: &mut [JSValue] = if argc > 0 { std::slice::from_raw_parts_mut(argv, argc as usize) } else { &mut [] };
        let Some((name, given)) = argv.split_first_mut() else { return UNDEFINED };
        let name = string(ctx, *name).unwrap_or_default();
        guarded(ctx, || shared(ctx, state(ctx), &name, given))
    }
}

/// `load(address)`
unsafe extern "C" fn load(
    ctx: *mut JSContext,
    _this: JSValue,
    argc: c_int,
    argv: *mut JSValue,
    _magic: c_int,
    _data: *mut JSValue,
) -> JSValue {
    // SAFETY: `argv` has `argc` values.
    unsafe {
        let address = if argc > 0 { string(ctx, *argv).unwrap_or_default() } else { String::new() };
        guarded(ctx, || load_now(ctx, state(ctx), &address))
    }
}

/// `rebind(specifier, name, value)`
unsafe extern "C" fn rebind(
    ctx: *mut JSContext,
    _this: JSValue,
    argc: c_int,
    argv: *mut JSValue,
    _magic: c_int,
    _data: *mut JSValue,
) -> JSValue {
    // SAFETY: `argv` has `argc` values; a module lives as long as its context, and takes over a reference of its own.
    unsafe {
        if argc != 3 {
            return UNDEFINED;
        }
        let [specifier, name, value] = *argv.cast::<[JSValue; 3]>();
        let (specifier, name) = (string(ctx, specifier), string(ctx, name));
        let module = specifier.and_then(|specifier| state(ctx).modules.borrow().get(&specifier).copied());
        if let (Some(module), Some(Ok(name))) = (module, name.map(CString::new)) {
            // A script may give the module's object whatever properties it likes: those nobody imports.
            qjs::JS_SetModuleExport(ctx, module, name.as_ptr(), qjs::JS_DupValue(ctx, value));
        }
        UNDEFINED
    }
}

/// A panic of ours does not go through QuickJS.
unsafe fn guarded(ctx: *mut JSContext, work: impl FnOnce() -> JSValue) -> JSValue {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        // SAFETY: the context is alive.
        unsafe { throw_js(ctx, state(ctx), Throw::go(format!("internal error: {}", panic_text(&*panic)))) }
    })
}

/// The module [`ENGINE`].
///
/// # Safety
/// As for [`define`].
pub unsafe fn engine_module(ctx: *mut JSContext) -> Result<*mut JSModuleDef, Throw> {
    unsafe extern "C" fn init(ctx: *mut JSContext, module: *mut JSModuleDef) -> c_int {
        for (name, function) in EXPORTS {
            // SAFETY: QuickJS calls this once, when the module is evaluated; the export is handed over.
            let done = unsafe {
                let function = qjs::JS_NewCFunctionData(ctx, Some(function), 0, 0, 0, ptr::null_mut());
                qjs::JS_SetModuleExport(ctx, module, name.as_ptr(), function)
            };
            if done < 0 {
                return done;
            }
        }
        0
    }
    let address = CString::new(ENGINE).map_err(|_| Throw::type_error("a module address with a NUL in it"))?;
    // SAFETY: the names live until the calls return; QuickJS copies them into atoms.
    unsafe {
        let module = qjs::JS_NewCModule(ctx, address.as_ptr(), Some(init));
        if module.is_null() {
            return Err(take_exception(ctx));
        }
        for (name, _) in EXPORTS {
            qjs::JS_AddModuleExport(ctx, module, name.as_ptr());
        }
        Ok(module)
    }
}
