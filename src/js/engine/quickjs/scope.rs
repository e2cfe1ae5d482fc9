//! The global scope, the parts of js-stdlib it is made of, and the module engines give js-stdlib, on QuickJS.

use std::ffi::{CStr, CString, c_int};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use rquickjs::qjs::{self, JSContext, JSModuleDef, JSValue};

use super::super::{ENGINE, GLOBALS, Global, ModuleCode};
use super::{
    EXCEPTION, NULL, State, UNDEFINED, call_native, compile, is_exception, load_now, native_function, panic_text,
    property, state, string, take_exception, throw_js,
};
use crate::js::value::Throw;

/// A function QuickJS calls with its arguments and the data it was made with.
type Function = unsafe fn(*mut JSContext, &mut [JSValue], *mut JSValue) -> JSValue;

/// What [`ENGINE`] exports.
const EXPORTS: [(&CStr, Function); 5] =
    [(c"evaluate", evaluate), (c"once", once), (c"load", load), (c"rebind", rebind), (c"call", call)];
/// And the one that is no function.
const PRIMORDIALS: &CStr = c"primordials";
/// All functions there are, by the number QuickJS hands back to [`enter`].
const FUNCTIONS: [Function; 8] =
    [EXPORTS[0].1, EXPORTS[1].1, EXPORTS[2].1, EXPORTS[3].1, EXPORTS[4].1, make, replace, itself];
const MAKE: c_int = 5;
const REPLACE: c_int = 6;
const ITSELF: c_int = 7;

/// The one door from QuickJS to [`FUNCTIONS`]; a panic of ours does not go back through it.
unsafe extern "C" fn enter(
    ctx: *mut JSContext,
    _this: JSValue,
    argc: c_int,
    argv: *mut JSValue,
    function: c_int,
    data: *mut JSValue,
) -> JSValue {
    // SAFETY: `argv` has `argc` values, and `data` what the function was made with.
    unsafe {
        let args: &mut [JSValue] = if argc > 0 { std::slice::from_raw_parts_mut(argv, argc as usize) } else { &mut [] };
        let call = AssertUnwindSafe(|| FUNCTIONS[function as usize](ctx, args, data));
        catch_unwind(call).unwrap_or_else(|panic| {
            throw_js(ctx, state(ctx), Throw::go(format!("internal error: {}", panic_text(&*panic))))
        })
    }
}

/// A function of the table, as a value.
unsafe fn function(ctx: *mut JSContext, function: c_int, data: &mut [JSValue]) -> JSValue {
    // SAFETY: QuickJS duplicates the data.
    unsafe { qjs::JS_NewCFunctionData(ctx, Some(enter), 0, function, data.len() as c_int, data.as_mut_ptr()) }
}

/// The first argument as a text.
unsafe fn first(ctx: *mut JSContext, args: &[JSValue]) -> String {
    // SAFETY: the context and the arguments are alive.
    args.first().and_then(|arg| unsafe { string(ctx, *arg) }).unwrap_or_default()
}

/// Puts something into the global scope.
///
/// # Safety
/// `ctx` must be a live context made by `QuickJs::new`.
pub unsafe fn define(ctx: *mut JSContext, name: &'static str, global: Global, enumerable: bool) -> Result<(), Throw> {
    // SAFETY: the context is alive; what is defined is handed over, what is borrowed is freed.
    unsafe {
        let state = state(ctx);
        let place = |op: &str| place(state, op);
        let flags = flags(enumerable);
        let accessor = flags & !(qjs::JS_PROP_WRITABLE as c_int);
        let c_name = CString::new(name).map_err(|_| Throw::type_error("a name with a NUL in it"))?;
        let scope = qjs::JS_GetGlobalObject(ctx);
        let atom = qjs::JS_NewAtomLen(ctx, name.as_ptr().cast(), name.len() as _);
        let done = match global {
            Global::Value(op) => {
                let value = call_native(ctx, UNDEFINED, 0, ptr::null_mut(), place(op) as c_int);
                if is_exception(value) { -1 } else { qjs::JS_DefinePropertyValue(ctx, scope, atom, value, flags) }
            }
            Global::Getter(op) => {
                let getter = native_function(ctx, &c_name, place(op));
                qjs::JS_DefinePropertyGetSet(ctx, scope, atom, getter, UNDEFINED, accessor)
            }
            Global::Refused(op) => {
                let [getter, setter] = [(); 2].map(|()| native_function(ctx, &c_name, place(op)));
                qjs::JS_DefinePropertyGetSet(ctx, scope, atom, getter, setter, 0)
            }
            Global::Part(part, member) => {
                let texts = [name, part, member.unwrap_or_default()];
                let [name, part, member] =
                    texts.map(|text| qjs::JS_NewStringLen(ctx, text.as_ptr().cast(), text.len() as _));
                let kind = qjs::JS_MKVAL(qjs::JS_TAG_BOOL, i32::from(enumerable));
                let getter = function(ctx, MAKE, &mut [name, part, member, kind]);
                let setter = function(ctx, REPLACE, &mut [name, kind]);
                for text in [name, part, member] {
                    qjs::JS_FreeValue(ctx, text);
                }
                qjs::JS_DefinePropertyGetSet(ctx, scope, atom, getter, setter, accessor)
            }
            Global::Itself => {
                let getter = function(ctx, ITSELF, &mut []);
                qjs::JS_DefinePropertyGetSet(ctx, scope, atom, getter, UNDEFINED, accessor)
            }
        };
        qjs::JS_FreeAtom(ctx, atom);
        qjs::JS_FreeValue(ctx, scope);
        if done < 0 { Err(take_exception(ctx)) } else { Ok(()) }
    }
}

/// How a plain property of the global object is.
fn flags(enumerable: bool) -> c_int {
    let shown = if enumerable { qjs::JS_PROP_ENUMERABLE } else { 0 };
    (qjs::JS_PROP_CONFIGURABLE | qjs::JS_PROP_WRITABLE | shown) as c_int
}

/// The place of a native function of the global scope.
fn place(state: &State, op: &str) -> usize {
    match state.host.load(GLOBALS) {
        Ok(ModuleCode::Native(functions)) => functions.iter().find(|(name, _)| *name == op).map(|(_, at)| *at),
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
            Ok(ModuleCode::Script { text, compiled }) => {
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
unsafe fn make(ctx: *mut JSContext, _args: &mut [JSValue], data: *mut JSValue) -> JSValue {
    // SAFETY: `data` is what `define` gave: three texts and a truth value.
    unsafe {
        let [name, part_name, member, enumerable] = *data.cast::<[JSValue; 4]>();
        let (part_name, member) = (string(ctx, part_name).unwrap_or_default(), string(ctx, member).unwrap_or_default());
        let value = part(ctx, state(ctx), &part_name, Some(&*member).filter(|member| !member.is_empty()));
        if !is_exception(value) {
            put(ctx, name, enumerable, qjs::JS_DupValue(ctx, value));
        }
        value
    }
}

/// The setter of such a global.
unsafe fn replace(ctx: *mut JSContext, args: &mut [JSValue], data: *mut JSValue) -> JSValue {
    // SAFETY: `data` is what `define` gave: a text and a truth value.
    unsafe {
        let [name, enumerable] = *data.cast::<[JSValue; 2]>();
        let value = args.first().copied().unwrap_or(UNDEFINED);
        put(ctx, name, enumerable, qjs::JS_DupValue(ctx, value));
    }
    UNDEFINED
}

/// Makes a plain property of the global object.
unsafe fn put(ctx: *mut JSContext, name: JSValue, enumerable: JSValue, value: JSValue) {
    // SAFETY: the value is handed over.
    unsafe {
        let scope = qjs::JS_GetGlobalObject(ctx);
        let atom = qjs::JS_ValueToAtom(ctx, name);
        qjs::JS_DefinePropertyValue(ctx, scope, atom, value, flags(qjs::JS_ToBool(ctx, enumerable) > 0));
        qjs::JS_FreeAtom(ctx, atom);
        qjs::JS_FreeValue(ctx, scope);
    }
}

/// The global object.
unsafe fn itself(ctx: *mut JSContext, _args: &mut [JSValue], _data: *mut JSValue) -> JSValue {
    // SAFETY: the context is alive.
    unsafe { qjs::JS_GetGlobalObject(ctx) }
}

/// `evaluate(name)`
unsafe fn evaluate(ctx: *mut JSContext, args: &mut [JSValue], _data: *mut JSValue) -> JSValue {
    // SAFETY: the context is alive.
    unsafe { part_value(ctx, state(ctx), &first(ctx, args)) }
}

/// `once(name, ...given)`
unsafe fn once(ctx: *mut JSContext, args: &mut [JSValue], _data: *mut JSValue) -> JSValue {
    // SAFETY: the context is alive.
    unsafe {
        let name = first(ctx, args);
        shared(ctx, state(ctx), &name, args.get_mut(1..).unwrap_or_default())
    }
}

/// `load(address)`
unsafe fn load(ctx: *mut JSContext, args: &mut [JSValue], _data: *mut JSValue) -> JSValue {
    // SAFETY: the context is alive.
    unsafe { load_now(ctx, state(ctx), &first(ctx, args)) }
}

/// `rebind(specifier, name, value)`
unsafe fn rebind(ctx: *mut JSContext, args: &mut [JSValue], _data: *mut JSValue) -> JSValue {
    let &mut [specifier, name, value] = args else { return UNDEFINED };
    // SAFETY: a module lives as long as its context, and takes over a reference of its own.
    unsafe {
        let (specifier, name) = (string(ctx, specifier), string(ctx, name));
        let module = specifier.and_then(|specifier| state(ctx).modules.borrow().get(&specifier).copied());
        if let (Some(module), Some(Ok(name))) = (module, name.map(CString::new)) {
            // A script may give the module's object whatever properties it likes: those nobody imports.
            qjs::JS_SetModuleExport(ctx, module, name.as_ptr(), qjs::JS_DupValue(ctx, value));
        }
    }
    UNDEFINED
}

/// `call(function, this, ...args)`
unsafe fn call(ctx: *mut JSContext, args: &mut [JSValue], _data: *mut JSValue) -> JSValue {
    let [function, this, args @ ..] = args else { return UNDEFINED };
    // SAFETY: the arguments are borrowed by the call.
    unsafe { qjs::JS_Call(ctx, *function, *this, args.len() as c_int, args.as_mut_ptr()) }
}

/// What js-stdlib takes of the language: an object nobody else sees, without a prototype.
///
/// # Safety
/// As for [`define`], with nothing of the context run yet.
pub unsafe fn primordials(ctx: *mut JSContext) -> JSValue {
    // SAFETY: values are freed or handed over exactly once.
    unsafe {
        let object = qjs::JS_NewObjectProto(ctx, NULL);
        for (name, path, member) in super::super::PRIMORDIALS {
            let mut owner = qjs::JS_GetGlobalObject(ctx);
            for step in path.split('.').filter(|step| !step.is_empty()) {
                let inner = property(ctx, owner, step);
                qjs::JS_FreeValue(ctx, owner);
                owner = inner;
            }
            super::define(ctx, object, name, property(ctx, owner, member));
            qjs::JS_FreeValue(ctx, owner);
        }
        object
    }
}

/// The module [`ENGINE`].
///
/// # Safety
/// As for [`define`].
pub unsafe fn engine_module(ctx: *mut JSContext) -> Result<*mut JSModuleDef, Throw> {
    unsafe extern "C" fn init(ctx: *mut JSContext, module: *mut JSModuleDef) -> c_int {
        for (at, (name, _)) in EXPORTS.iter().enumerate() {
            // SAFETY: QuickJS calls this once, when the module is evaluated; the export is handed over.
            let done = unsafe {
                let function = function(ctx, at as c_int, &mut []);
                qjs::JS_SetModuleExport(ctx, module, name.as_ptr(), function)
            };
            if done < 0 {
                return done;
            }
        }
        // SAFETY: as above.
        unsafe {
            let primordials = qjs::JS_DupValue(ctx, state(ctx).primordials.get());
            qjs::JS_SetModuleExport(ctx, module, PRIMORDIALS.as_ptr(), primordials)
        }
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
        qjs::JS_AddModuleExport(ctx, module, PRIMORDIALS.as_ptr());
        Ok(module)
    }
}
