//! The global scope, native functions, and the module engines give js-stdlib, on Boa.

use boa_engine::module::SyntheticModuleInitializer;
use boa_engine::object::FunctionObjectBuilder;
use boa_engine::object::JsObject;
use boa_engine::object::builtins::JsProxyBuilder;
use boa_engine::property::{PropertyDescriptor, PropertyKey};
use boa_engine::{Context, JsNativeError, JsResult, JsString, JsValue, Module, NativeFunction, js_string};

use super::convert::{self, plain_object, property_key, put};
use super::errors;
use super::limits::MIN_STACK;
use super::modules::{native_function, native_value};
use super::realm::state;
use crate::js::engine::direct::{self, Passed};
use crate::js::engine::native_stack;
use crate::js::engine::realm::EngineContext as _;
use crate::js::engine::{ENGINE, Flatness, Global, ModuleCode, PRIMORDIALS, lazy, loading};
use crate::js::value::{Args, Throw, Value};

// Native functions -------------------------------------------------------------------------------------------------

/// Calls a function of the host's table, by its place there.
///
/// # Errors
/// What it throws.
pub fn call_native(place: usize, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    if native_stack::stack_left() < MIN_STACK {
        return Err(errors::too_deep());
    }
    let given = args.iter().map(|arg| convert::to_rust(arg, context)).collect::<JsResult<Args>>()?;
    let state = state(context);
    match state.host.call(place, given) {
        Ok(Value::Callback(future)) => {
            let function = args.last().cloned().unwrap_or_default();
            state.add_callback(function, future);
            Ok(JsValue::undefined())
        }
        Ok(value) => convert::to_js(value, context),
        Err(throw) => {
            if let Throw::Stop = throw {
                state.extras.stopped.set(true);
            }
            Err(errors::thrown(throw, context))
        }
    }
}

// The global scope -------------------------------------------------------------------------------------------------

/// Puts something into the global scope.
///
/// # Errors
/// What a native function throws that is asked for a value.
pub fn define(name: &'static str, global: Global, enumerable: bool, context: &mut Context) -> JsResult<()> {
    let scope = context.global_object();
    let place = |op: &str, context: &mut Context| {
        state(context).global_function(op).map_err(|throw| errors::thrown(throw, context))
    };
    let accessor = || PropertyDescriptor::builder().enumerable(enumerable).configurable(true);
    let descriptor = match global {
        Global::Value(op) => {
            let place = place(op, context)?;
            plain(call_native(place, &[], context)?, enumerable)
        }
        Global::Getter(op) => {
            let place = place(op, context)?;
            accessor().get(native_function(place, name, context)).build()
        }
        Global::Refused(op) => {
            let place = place(op, context)?;
            let function = native_function(place, name, context);
            accessor().get(function.clone()).set(function).configurable(false).build()
        }
        Global::Lazy(part_name, member) => {
            // It stays an accessor: a getter that put a plain property in its own place would be called again all the
            // same, because Boa remembers what kind of property it found.
            let make = NativeFunction::from_copy_closure(move |_this, _args, context| {
                let known = state(context).extras.made.borrow().get(name).cloned();
                if let Some(known) = known {
                    return Ok(known);
                }
                let value = lazy::part(context, part_name, member)?;
                state(context).extras.made.borrow_mut().insert(name, value.clone());
                Ok(value)
            });
            let set = NativeFunction::from_copy_closure(move |_this, args, context| {
                let value = args.first().cloned().unwrap_or_default();
                state(context).extras.made.borrow_mut().insert(name, value);
                Ok(JsValue::undefined())
            });
            state(context).extras.made.borrow_mut().remove(name);
            let [make, set] = [make, set].map(|native| FunctionObjectBuilder::new(context.realm(), native).build());
            accessor().get(make).set(set).build()
        }
        Global::Itself => {
            let itself = NativeFunction::from_fn_ptr(|_this, _args, context| Ok(context.global_object().into()));
            accessor().get(FunctionObjectBuilder::new(context.realm(), itself).build()).build()
        }
    };
    scope.define_property_or_throw(property_key(name), descriptor, context).map(|_| ())
}

fn plain(value: JsValue, enumerable: bool) -> PropertyDescriptor {
    PropertyDescriptor::builder().value(value).writable(true).enumerable(enumerable).configurable(true).build()
}

/// The value of the expression a part of js-stdlib is.
///
/// # Errors
/// What it throws.
pub fn run_part(text: &str, context: &mut Context) -> JsResult<JsValue> {
    // A parser descends deep, and what it parses is parsed once.
    native_stack::goes_deep();
    let constructor = context.intrinsics().constructors().function().constructor();
    let function = constructor.construct(&[JsString::from(format!("return {text}")).into()], None, context)?;
    function.call(&JsValue::undefined(), &[], context)
}

// The engine's module ----------------------------------------------------------------------------------------------

/// A function as Boa calls it.
type BoaFunction = fn(&JsValue, &[JsValue], &mut Context) -> JsResult<JsValue>;
/// What [`ENGINE`] exports.
const EXPORTS: [(&str, BoaFunction); 9] = [
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

/// One export of [`ENGINE`], made anew; `undefined` where there is none.
pub fn engine_value(name: &str, context: &mut Context) -> JsValue {
    if name == PRIMORDIALS_EXPORT {
        return state(context).primordials.get().cloned().unwrap_or_default();
    }
    match EXPORTS.iter().find(|(known, _)| *known == name) {
        Some((name, function)) => {
            let native = NativeFunction::from_fn_ptr(*function);
            FunctionObjectBuilder::new(context.realm(), native).name(property_key(name)).build().into()
        }
        None => JsValue::undefined(),
    }
}

/// The module [`ENGINE`], for modules that stay modules.
pub fn engine_module(context: &mut Context) -> Module {
    let names = || EXPORTS.iter().map(|(name, _)| *name).chain([PRIMORDIALS_EXPORT]);
    let keys: Vec<JsString> = names().map(property_key).collect();
    let steps = SyntheticModuleInitializer::from_copy_closure(move |module, context| {
        for name in names() {
            module.set_export(&property_key(name), engine_value(name, context))?;
        }
        Ok(())
    });
    Module::synthetic(&keys, steps, Some(ENGINE.into()), None, context)
}

/// A native half as one object whose functions are made when they are asked for: few of them ever are.
///
/// # Errors
/// When the engine can't make a proxy.
pub fn native_namespace(specifier: &str, context: &mut Context) -> JsResult<JsValue> {
    fn get(_this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
        let [target, name, ..] = args else { return Ok(JsValue::undefined()) };
        let Some(target) = target.as_object() else { return Ok(JsValue::undefined()) };
        let specifier = target.get(js_string!("specifier"), context)?.to_string(context)?.to_std_string_lossy();
        let name = name.to_string(context)?.to_std_string_lossy();
        if specifier == ENGINE {
            return Ok(engine_value(&name, context));
        }
        let Ok(ModuleCode::Native(functions)) = state(context).host.load(&specifier) else {
            return Ok(JsValue::undefined());
        };
        Ok(native_value(&name, &functions, context))
    }
    let target = plain_object(context);
    put(&target, property_key("specifier"), property_key(specifier).into());
    Ok(JsProxyBuilder::new(target).get(get).build(context)?.into())
}

/// The first argument as a text.
fn first(args: &[JsValue], context: &mut Context) -> JsResult<String> {
    Ok(args.first().cloned().unwrap_or_default().to_string(context)?.to_std_string_lossy())
}

/// `evaluate(name)`
fn evaluate(_this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let name = first(args, context)?;
    lazy::value(context, &name)
}

/// `once(name, ...given)`
fn once(_this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let name = first(args, context)?;
    lazy::once(context, &name, |context, function| context.call(function, args.get(1..).unwrap_or_default()))
}

/// `load(address)`
fn load(_this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let address = first(args, context)?;
    // A parser descends deep, and what it parses is parsed once.
    native_stack::goes_deep();
    loading::require(context, &address)
}

/// `rebind(specifier, name, value)`
fn rebind(_this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let [specifier, name, value] = args else { return Ok(JsValue::undefined()) };
    let (specifier, name) = (specifier.to_string(context)?.to_std_string_lossy(), name.to_string(context)?);
    let module = state(context).extras.rebindable.borrow().get(&specifier).copied();
    if let Some(module) = module {
        // SAFETY: it is part of a module that `modules` keeps alive, in a box of the collector, which moves nothing.
        let module = unsafe { &*module };
        // A script may put other properties on the module's object; they are not exports.
        let _ = module.set_export(&name, value.clone());
    }
    Ok(JsValue::undefined())
}

/// `asNative(name, length, function)`
fn as_native(_this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let [name, length, function, ..] = args else { return Ok(JsValue::undefined()) };
    let (name, length) = (name.to_string(context)?, length.to_length(context)? as usize);
    let method = NativeFunction::from_copy_closure_with_captures(
        |this, args, function: &JsValue, context| {
            let args: Vec<JsValue> = std::iter::once(this.clone()).chain(args.iter().cloned()).collect();
            context.call(function, &args)
        },
        function.clone(),
    );
    Ok(FunctionObjectBuilder::new(context.realm(), method).name(name).length(length).build().into())
}

/// `bind(specifier, op, name, length, ...data)`
fn bind(_this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let [specifier, op, name, length, data @ ..] = args else { return Ok(JsValue::undefined()) };
    let (specifier, op) = (specifier.to_string(context)?, op.to_string(context)?);
    let (specifier, op) = (specifier.to_std_string_lossy(), op.to_std_string_lossy());
    let Some(place) = state(context).host.direct(&specifier, &op) else {
        return Err(errors::thrown(Throw::type_error(format!("`{specifier}` has no `{op}`")), context));
    };
    let (name, length) = (name.to_string(context)?, length.to_length(context)? as usize);
    let bound = NativeFunction::from_copy_closure_with_captures(
        move |this, args, data: &Vec<JsValue>, context| {
            if native_stack::stack_left() < MIN_STACK {
                return Err(errors::too_deep());
            }
            let passed = Passed { args, this: Some(this), data: data.as_slice() };
            let result = direct::call(context, place, passed);
            if result.as_ref().is_err_and(|error| error.as_engine().is_some()) && state(context).host.is_stopped() {
                state(context).extras.stopped.set(true);
            }
            result
        },
        data.to_vec(),
    );
    Ok(FunctionObjectBuilder::new(context.realm(), bound).name(name).length(length).build().into())
}

/// `call(function, this, ...args)`
fn call(_this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let [function, this, args @ ..] = args else { return Ok(JsValue::undefined()) };
    match function.as_callable() {
        Some(function) => function.call(this, args, context),
        None => Err(JsNativeError::typ().with_message("not a function").into()),
    }
}

/// `flatness(value)`
fn flatness(_this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    // Only an object without slots of its own kind holds nothing but properties.
    let Some(object) = args.first().and_then(JsValue::as_object).filter(JsObject::is_ordinary) else {
        return Ok((Flatness::Watched as i8).into());
    };
    let keys = object.own_property_keys(context)?;
    let object = object.borrow();
    let mut flatness = Flatness::Texts;
    for key in keys.iter().filter(|key| !matches!(key, PropertyKey::Symbol(_))) {
        let Some(property) = object.properties().get(key) else { continue };
        match property.value() {
            None => return Ok((Flatness::Watched as i8).into()),
            Some(text) if text.is_string() => {}
            Some(value) if value.is_object() || value.is_symbol() || value.is_bigint() => flatness = Flatness::Nested,
            Some(_) if flatness == Flatness::Texts => flatness = Flatness::Primitives,
            Some(_) => {}
        }
    }
    Ok((flatness as i8).into())
}

/// `copyProperties(target, source, ...values)`
fn copy_properties(_this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let [target, source, values @ ..] = args else { return Ok(JsValue::undefined()) };
    let (Some(target), Some(source)) = (target.as_object(), source.as_object()) else {
        let text = "properties are copied from one plain object to another";
        return Err(JsNativeError::typ().with_message(text).into());
    };
    let mut values = values.iter();
    for key in source.own_property_keys(context)? {
        let known = source.borrow().properties().get(&key);
        let Some(property) = known.filter(|_| target.borrow().properties().get(&key).is_none()) else { continue };
        let value = match property.value() {
            Some(value) if value.is_undefined() => values.next(),
            _ => None,
        };
        target.insert_property(
            key,
            match value {
                Some(value) => PropertyDescriptor::builder()
                    .value(value.clone())
                    .writable(property.expect_writable())
                    .enumerable(property.expect_enumerable())
                    .configurable(property.expect_configurable())
                    .build(),
                None => property,
            },
        );
    }
    Ok(JsValue::undefined())
}

/// What js-stdlib takes of the language: an object no script sees, without a prototype.
///
/// # Errors
/// When the language lacks something.
pub fn primordials(context: &mut Context) -> JsResult<JsValue> {
    let object = JsObject::with_null_proto();
    for (name, path, member) in PRIMORDIALS {
        let mut owner = context.global_object();
        for step in path.split('.').filter(|step| !step.is_empty()) {
            let inner = owner.get(property_key(step), context)?.as_object();
            owner = inner.ok_or_else(|| JsNativeError::typ().with_message(format!("there is no {path}")))?;
        }
        let value = owner.get(property_key(member), context)?;
        put(&object, property_key(name), value);
    }
    Ok(object.into())
}
