//! The global scope, native functions, and the module engines give js-stdlib, on QuickJS.

use std::cell::RefCell;
use std::ffi::{CString, c_int};

use super::ffi::{
    Borrowed, Closure, Context, LateGroup, ModuleRef, NativeCall, NativeFunction, NativeModule, Owned, PropertyFlags,
    Thrown, ValueKind,
};
use super::realm::put;
use super::{convert, errors};
use crate::js::engine::direct::{self, Passed};
use crate::js::engine::{ENGINE, Flatness, Global, PRIMORDIALS, lazy, loading};
use crate::js::value::{Args, Throw, Value};

// Native functions -------------------------------------------------------------------------------------------------

/// A function of the host's table, by its place there.
struct HostFunction;

impl NativeFunction for HostFunction {
    fn call(call: &NativeCall<'_>) -> Result<Owned, Thrown> {
        call_native(call.context, call.magic as usize, call.args)
    }
}

fn call_native(context: Context, place: usize, args: &[Borrowed<'_>]) -> Result<Owned, Thrown> {
    let given = args.iter().map(|arg| convert::to_rust(context, *arg)).collect::<Result<Args, _>>()?;
    let state = context.state();
    match state.host.call(place, given) {
        Ok(Value::Callback(future)) => {
            let function = args.last().map_or_else(|| context.undefined(), |function| context.own(*function));
            state.add_callback(function, future);
            Ok(context.undefined())
        }
        Ok(value) => convert::to_js(context, value),
        Err(throw) => Err(errors::throw(context, throw)),
    }
}

/// A native function, by its place in the host's table.
pub fn native_function(context: Context, name: &str, place: usize) -> Result<Owned, Thrown> {
    context.function::<HostFunction>(&CString::new(name).unwrap_or_default(), place as c_int)
}

// The global scope -------------------------------------------------------------------------------------------------

/// Puts something into the global scope.
pub fn define(context: Context, name: &'static str, global: Global, enumerable: bool) -> Result<(), Thrown> {
    let state = context.state();
    let place = |op: &str| state.global_function(op).map_err(|throw| errors::throw(context, throw));
    let flags = PropertyFlags::with_enumerable(enumerable);
    let (accessor, scope) = (flags.not_writable(), context.global());
    let (functions, flags) = match global {
        Global::Value(op) => {
            let value = call_native(context, place(op)?, &[])?;
            return context.define(&scope, name, value, flags);
        }
        Global::Getter(op) => ((native_function(context, name, place(op)?)?, None), accessor),
        Global::Refused(op) => {
            let place = place(op)?;
            let [getter, setter] = [native_function(context, name, place)?, native_function(context, name, place)?];
            ((getter, Some(setter)), PropertyFlags::FIXED)
        }
        Global::Lazy(part, member) => {
            return context.define_late_global(name, LazyGlobal { part, member }.place(), flags);
        }
        Global::Itself => ((context.closure::<Itself, 0>((c"", 0, 0), [])?, None), accessor),
    };
    context.define_accessor(&scope, name, functions, flags)
}

/// A global that is a part of js-stdlib. A realm knows its place among all of the thread, and has nothing else of it until it is
/// asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
struct LazyGlobal {
    part: &'static str,
    member: Option<&'static str>,
}

thread_local! {
    static LAZY_GLOBALS: RefCell<Vec<LazyGlobal>> = const { RefCell::new(Vec::new()) };
}

impl LazyGlobal {
    fn place(self) -> u16 {
        LAZY_GLOBALS.with_borrow_mut(|all| {
            let place = all.iter().position(|one| *one == self).unwrap_or_else(|| {
                all.push(self);
                all.len() - 1
            });
            place as u16
        })
    }
}

/// What such a global is, by its place.
///
/// # Errors
/// What making it throws; it is made the next time then.
pub fn late_value(mut context: Context, place: u16) -> Result<Owned, Thrown> {
    let global = LAZY_GLOBALS.with_borrow(|all| all[usize::from(place)]);
    lazy::part(&mut context, global.part, global.member)
}

/// The global object.
struct Itself;

impl Closure<0> for Itself {
    fn call(call: &NativeCall<'_>, _data: &[Borrowed<'_>; 0]) -> Result<Owned, Thrown> {
        Ok(call.context.global())
    }
}

// The engine's module ----------------------------------------------------------------------------------------------

/// A function of [`ENGINE`].
type ExportedFunction = fn(&NativeCall<'_>) -> Result<Owned, Thrown>;

/// What [`ENGINE`] exports; a function is made with its place here.
const EXPORTS: [(&str, ExportedFunction); 9] = [
    ("evaluate", evaluate),
    ("once", once),
    ("load", load),
    ("rebind", rebind),
    ("asNative", as_native),
    ("bind", bind),
    ("call", call),
    ("flatness", flatness),
    ("copyProperties", copy_properties),
];
/// And the one that is no function.
const PRIMORDIALS_EXPORT: &str = "primordials";

struct EngineExport;

impl Closure<0> for EngineExport {
    fn call(call: &NativeCall<'_>, _data: &[Borrowed<'_>; 0]) -> Result<Owned, Thrown> {
        EXPORTS[call.magic as usize].1(call)
    }
}

impl NativeModule for EngineExport {
    fn export(context: Context, _address: &str, place: usize) -> Result<Owned, Thrown> {
        if place < EXPORTS.len() {
            return context.closure::<Self, 0>((c"", 0, place as c_int), []);
        }
        Ok(context.state().primordials.get().cloned().unwrap_or_else(|| context.undefined()))
    }
}

/// The module [`ENGINE`].
pub fn engine_module(context: Context) -> Result<ModuleRef, Thrown> {
    let names = EXPORTS.iter().map(|(name, _)| *name).chain([PRIMORDIALS_EXPORT]);
    context.native_module::<EngineExport>(ENGINE, names)
}

/// `evaluate(name)`
fn evaluate(call: &NativeCall<'_>) -> Result<Owned, Thrown> {
    lazy::value(&mut { call.context }, &call.text(0))
}

/// `once(name, ...given)`
fn once(call: &NativeCall<'_>) -> Result<Owned, Thrown> {
    let given = call.args.get(1..).unwrap_or_default();
    lazy::once(&mut { call.context }, &call.text(0), |context, function| {
        Context::call(*context, function, Borrowed::UNDEFINED, given)
    })
}

/// `load(address)`
fn load(call: &NativeCall<'_>) -> Result<Owned, Thrown> {
    loading::require(&mut { call.context }, &call.text(0))
}

/// `rebind(specifier, name, value)`
fn rebind(call: &NativeCall<'_>) -> Result<Owned, Thrown> {
    let (context, [specifier, name]) = (call.context, [0, 1].map(|at| call.text(at)));
    if let (Some(module), [_, _, value, ..]) = (context.state().module(&specifier), call.args) {
        // A script may put other properties on the module's object; they are not exports.
        let _ = context.set_export(module, &name, context.own(*value));
    }
    Ok(context.undefined())
}

/// `asNative(name, length, function)`
fn as_native(call: &NativeCall<'_>) -> Result<Owned, Thrown> {
    let (name, length) =
        (CString::new(call.text(0)).unwrap_or_default(), call.context.to_number(call.arg(1))? as c_int);
    call.context.closure::<Method, 1>((&name, length, 0), [call.arg(2)])
}

/// A method of js-stdlib that looks like one of the language.
struct Method;

impl Closure<1> for Method {
    fn call(call: &NativeCall<'_>, [function]: &[Borrowed<'_>; 1]) -> Result<Owned, Thrown> {
        let args: smallvec::SmallVec<[Borrowed<'_>; 4]> =
            std::iter::once(call.this).chain(call.args.iter().copied()).collect();
        call.context.call(*function, Borrowed::UNDEFINED, &args)
    }
}

/// `bind(specifier, op, name, length, ...data)`
fn bind(call: &NativeCall<'_>) -> Result<Owned, Thrown> {
    let (context, specifier, op) = (call.context, call.text(0), call.text(1));
    let Some(place) = context.state().host.direct(&specifier, &op) else {
        return Err(errors::throw(context, Throw::type_error(format!("`{specifier}` has no `{op}`"))));
    };
    let (name, length) = (CString::new(call.text(2)).unwrap_or_default(), context.to_number(call.arg(3))? as c_int);
    let facts = (&*name, length, place as c_int);
    // What it is made with weighs on every VU.
    match call.args.len() {
        ..=8 => context.closure::<Direct, 4>(facts, [4, 5, 6, 7].map(|at| call.arg(at))),
        _ => context.closure::<Direct, 6>(facts, [4, 5, 6, 7, 8, 9].map(|at| call.arg(at))),
    }
}

/// A direct function of the host's, with what it was made with.
struct Direct;

impl<const DATA: usize> Closure<DATA> for Direct {
    fn call(call: &NativeCall<'_>, data: &[Borrowed<'_>; DATA]) -> Result<Owned, Thrown> {
        let mut context = call.context;
        let passed = Passed { args: call.args, this: Some(&call.this), data: &data[..] };
        direct::call(&mut context, call.magic as usize, passed)
    }
}

/// `call(function, this, ...args)`
fn call(call: &NativeCall<'_>) -> Result<Owned, Thrown> {
    match call.args {
        [function, this, args @ ..] => call.context.call(*function, *this, args),
        _ => Ok(call.context.undefined()),
    }
}

/// `flatness(value)`
fn flatness(call: &NativeCall<'_>) -> Result<Owned, Thrown> {
    let (context, value) = (call.context, call.arg(0));
    let is_special = !value.is_object()
        || value.is_plain_array()
        || value.is_proxy()
        || context.is_function(value)
        || context.resource_of(value).is_some()
        || context.buffer_bytes(value).is_some();
    let flatness = if is_special {
        Flatness::Watched
    } else {
        context.fold_data(value, Flatness::Texts, |flatness, item| match item.kind() {
            ValueKind::Object | ValueKind::Symbol | ValueKind::BigInt => Flatness::Nested,
            ValueKind::String => flatness,
            _ if flatness == Flatness::Texts => Flatness::Primitives,
            _ => flatness,
        })?
    };
    Ok(context.number(f64::from(flatness as i8)))
}

/// `copyProperties(target, source, ...values)`
fn copy_properties(call: &NativeCall<'_>) -> Result<Owned, Thrown> {
    let values = call.args.get(2..).unwrap_or_default();
    call.context.copy_properties(call.arg(0), call.arg(1), values)?;
    Ok(call.context.undefined())
}

/// What js-stdlib takes of the language: an object no script sees, without a prototype.
pub fn primordials(context: Context) -> Result<Owned, Thrown> {
    let object = context.bare_object()?;
    put_primordials(context, &object, None)?;
    // What is not there yet is made when js-stdlib asks for it, or when a script comes to see it: before it can replace it.
    for (name, path, member) in PRIMORDIALS {
        if let Some(group) = late_group(path, member) {
            context.define_late(&object, name, group)?;
        }
    }
    Ok(object)
}

/// The group that makes such a member.
fn late_group(path: &str, member: &str) -> Option<LateGroup> {
    LateGroup::of(path.split('.').find(|step| !step.is_empty()).unwrap_or(member))
}

/// Puts those of this group into an object, or those that are there from the start.
pub fn put_primordials(context: Context, object: &Owned, group: Option<LateGroup>) -> Result<(), Thrown> {
    for (name, path, member) in PRIMORDIALS {
        if late_group(path, member) != group {
            continue;
        }
        let mut owner = context.global();
        for step in path.split('.').filter(|step| !step.is_empty()) {
            owner = context.get_or_undefined(&owner, step)?;
        }
        put(context, object, name, context.get_or_undefined(&owner, member)?)?;
    }
    Ok(())
}
