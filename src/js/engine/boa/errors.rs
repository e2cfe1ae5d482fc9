//! What is thrown, in both directions, on Boa.

use boa_engine::error::RuntimeLimitError;
use boa_engine::object::builtins::JsFunction;
use boa_engine::object::{FunctionObjectBuilder, JsObject};
use boa_engine::property::PropertyDescriptor;
use boa_engine::{Context, JsError, JsNativeError, JsResult, JsString, JsValue, JsVariant, NativeFunction, js_string};

use super::realm::state;
use super::{ON_CATCH, language, nesting};
use crate::js::engine::native_stack;
use crate::js::engine::{stack, symbol_text, thrown_text};
use crate::js::value::{Exception, Throw};

/// What JavaScript gets thrown.
pub fn thrown(throw: Throw, context: &mut Context) -> JsError {
    match throw {
        // The one kind of error that scripts can't catch.
        Throw::Stop => RuntimeLimitError::LoopIteration.into(),
        other => JsError::from_opaque(error_value(other, context)),
    }
}

/// What JavaScript sees of what a native function refuses.
pub fn error_value(throw: Throw, context: &mut Context) -> JsValue {
    let (class, message) = match throw {
        Throw::Error { class, message } => (class, message),
        Throw::Exception(exception) => ("Error", exception.text),
        // Only a call that keeps it can throw it on.
        Throw::Script => ("Error", "an exception was lost".to_owned()),
        Throw::Stop => ("Error", "interrupted".to_owned()),
        Throw::Host { message } => return host_error(message, context),
    };
    let message = JsString::from(message);
    let global = context.global_object();
    let constructor = global.get(JsString::from(class), context).ok();
    let made = constructor
        .and_then(|constructor| constructor.as_constructor())
        .and_then(|constructor| constructor.construct(&[message.clone().into()], None, context).ok());
    match made {
        Some(error) => error.into(),
        None => JsNativeError::error().with_message(message.to_std_string_lossy()).into_opaque(context).into(),
    }
}

/// What promises of native functions reject with: no `Error`, but it prints as its message.
fn host_error(message: String, context: &mut Context) -> JsValue {
    let object = JsObject::with_object_proto(context.intrinsics());
    let text = NativeFunction::from_copy_closure_with_captures(
        |_this, _args, text: &JsString, _context| Ok(text.clone().into()),
        JsString::from(message),
    );
    let function: JsFunction = text.to_js_function(context.realm());
    for name in [js_string!("error"), js_string!("toString")] {
        let descriptor =
            PropertyDescriptor::builder().value(function.clone()).writable(true).enumerable(false).configurable(true);
        // A fresh ordinary object takes any property.
        let _ = object.define_property_or_throw(name, descriptor, context);
    }
    object.into()
}

/// What Rust sees of what was thrown.
pub fn caught(error: JsError, context: &mut Context) -> Throw {
    if error.as_engine().is_some() {
        return if state(context).host.may_continue() {
            Throw::Exception(Exception::of_text(format!("RangeError: {TOO_DEEP}")))
        } else {
            Throw::Stop
        };
    }
    match error.into_opaque(context) {
        Ok(value) => Throw::Exception(describe(&value, context)),
        Err(error) => Throw::Exception(Exception::of_text(error.to_string())),
    }
}

/// What is told about a thrown value.
pub fn describe(value: &JsValue, context: &mut Context) -> Exception {
    let object = value.as_object().filter(|object| object.is::<boa_engine::builtins::error::Error>());
    if let Some(error) = &object {
        explain(error, context);
    }
    let text = match value.variant() {
        JsVariant::Symbol(symbol) => symbol_text(symbol.description().map(|text| text.to_std_string_lossy()).as_ref()),
        _ => {
            let text = value.to_string(context).map(|text| text.to_std_string_lossy()).ok();
            thrown_text(text, object.is_some(), value.is_object())
        }
    };
    let Some(object) = object else {
        return Exception::of_text(text);
    };
    let mut own_text = |name: &str| {
        let value = object.get(JsString::from(name), context).ok().and_then(|value| value.as_string());
        value.map(|value| value.to_std_string_lossy()).unwrap_or_default()
    };
    let (message, own_stack) = (own_text("message"), own_text("stack"));
    let hint = if message.is_empty() { Default::default() } else { Exception::hint_in(&text, &message) };
    // An error whose stack is its text has none to be shown.
    let has_none = !own_stack.is_empty() && (own_stack == text || own_stack == message);
    let stack = if has_none { String::new() } else { stack_of(&object, &text, context) };
    Exception { text, stack, hint }
}

/// Boa doesn't say what was no function, or had no property: the text at the error's place does.
pub fn explain(error: &JsObject, context: &mut Context) {
    const VAGUE: [&str; 6] = [
        "not a callable function",
        "not a constructor",
        "cannot convert 'null' or 'undefined' to object",
        "Cannot destructure ",
        "value with type `",
        "right-hand side of 'in",
    ];
    let message = error.get(js_string!("message"), context).ok().and_then(|message| message.as_string());
    let Some(message) = message.map(|message| message.to_std_string_lossy()) else { return };
    if !VAGUE.iter().any(|vague| message.starts_with(vague)) {
        return;
    }
    let frames = raw_frames(error, context);
    let Some(first) = frames.lines().find_map(stack::parse_line) else { return };
    if let Some(better) = state(context).host.explain_type_error(first.function, first.place, &message) {
        let descriptor = PropertyDescriptor::builder().value(JsString::from(better)).writable(true);
        let descriptor = descriptor.enumerable(false).configurable(true);
        // A script may have frozen it: then it stays vague.
        let _ = error.define_property_or_throw(js_string!("message"), descriptor, context);
    }
}

/// What Boa says about where an error comes from.
fn raw_frames(error: &JsObject, context: &mut Context) -> String {
    let getter = state(context).extras.frames.borrow().clone();
    let frames = getter.and_then(|getter| getter.call(&error.clone().into(), &[], context).ok());
    frames.and_then(|frames| frames.as_string()).map(|frames| frames.to_std_string_lossy()).unwrap_or_default()
}

/// The stack of an error as k6 writes it.
pub fn stack_of(error: &JsObject, text: &str, context: &mut Context) -> String {
    let state = state(context);
    // A syntax error has been given its place; others are asked the way Boa would ask them.
    let getter = state.extras.frames.borrow().clone();
    let frames = match getter {
        Some(getter) if !error.has_own_property(js_string!("stack"), context).unwrap_or_default() => {
            getter.call(&error.clone().into(), &[], context).unwrap_or_default()
        }
        _ => error.get(js_string!("stack"), context).unwrap_or_default(),
    };
    let frames = frames.as_string().map(|frames| frames.to_std_string_lossy()).unwrap_or_default();
    let frames = || frames.lines().filter_map(stack::parse_line);
    let first = frames().next().map(|frame| frame.place.to_owned());
    let message = text.split_once(": ").map_or("", |(_, message)| message);
    let explained = first.as_ref().and_then(|place| state.host.explained_place(place, message));
    let mut is_first = true;
    stack::write(text, frames(), |place| {
        let explained = explained.clone().filter(|_| std::mem::take(&mut is_first));
        explained.or_else(|| state.host.original_position(place))
    })
}

/// `Error.isError`, which Boa has behind a feature of its own.
///
/// # Errors
/// When the engine refuses the property.
pub fn add_is_error(context: &mut Context) -> JsResult<()> {
    let constructor = context.intrinsics().constructors().error().constructor();
    let is_error = NativeFunction::from_fn_ptr(|_this, args, _context| {
        let object = args.first().and_then(JsValue::as_object);
        Ok(object.is_some_and(|object| object.is::<boa_engine::builtins::error::Error>()).into())
    });
    language::method(&constructor, "isError", 1, is_error, context)
}

/// `error.stack` as k6 writes it.
pub fn replace_stack(context: &mut Context) -> JsResult<()> {
    let prototype = context.intrinsics().constructors().error().prototype();
    let constructor = context.intrinsics().constructors().object().constructor();
    let describe = constructor.get(js_string!("getOwnPropertyDescriptor"), context)?;
    let Some(describe) = describe.as_callable() else { return Ok(()) };
    let args = [prototype.clone().into(), js_string!("stack").into()];
    let Some(old) = describe.call(&JsValue::undefined(), &args, context)?.as_object() else { return Ok(()) };
    *state(context).extras.frames.borrow_mut() = old.get(js_string!("get"), context)?.as_object();
    let set = old.get(js_string!("set"), context)?;
    let stack = NativeFunction::from_fn_ptr(|this, _args, context| {
        let Some(object) = this.as_object() else { return Ok(JsValue::undefined()) };
        let text = this.to_string(context).map(|text| text.to_std_string_lossy()).unwrap_or_default();
        Ok(JsString::from(stack_of(&object, &text, context)).into())
    });
    let stack = FunctionObjectBuilder::new(context.realm(), stack).name(js_string!("get stack")).build();
    let new = PropertyDescriptor::builder().get(stack).set(set).enumerable(false).configurable(true);
    prototype.define_property_or_throw(js_string!("stack"), new, context)?;
    let explained = NativeFunction::from_fn_ptr(|this, _args, context| {
        if let Some(error) = this.as_object() {
            explain(&error, context);
        }
        Ok(JsValue::undefined())
    });
    let explained = FunctionObjectBuilder::new(context.realm(), explained).build();
    let hook = PropertyDescriptor::builder().get(explained).enumerable(false).configurable(true);
    let prototype = context.intrinsics().constructors().type_error().prototype();
    prototype.define_property_or_throw(js_string!(ON_CATCH), hook, context)?;
    Ok(())
}

/// A syntax error with its place where stacks have it, and with its file.
pub fn placed(error: JsError, address: &str, context: &mut Context) -> JsError {
    let Some((text, line, column)) = error.as_native().and_then(|native| parse_place(native.message())) else {
        return error;
    };
    let stack = JsString::from(format!("\tat {address}:{line}:{column}"));
    let object = JsNativeError::syntax().with_message(text.to_owned()).into_opaque(context);
    // A fresh ordinary object takes any property.
    let _ = object.create_data_property(js_string!("stack"), stack, context);
    JsError::from_opaque(object.into())
}

/// Takes `what is wrong at line 2, col 3` apart.
fn parse_place(message: &str) -> Option<(&str, u32, u32)> {
    let (text, place) = message.rsplit_once(" at line ")?;
    let (line, column) = place.split_once(", col ")?;
    Some((text, line.parse().ok()?, column.parse().ok()?))
}

/// Whether the stack is enough for a text to be parsed and compiled.
pub fn ensure_parsable(text: &str) -> JsResult<()> {
    if nesting::stack_needed(text) > native_stack::stack_left() { Err(too_deep()) } else { Ok(()) }
}

/// What is thrown where the stack ends.
pub fn too_deep() -> JsError {
    JsNativeError::range().with_message(TOO_DEEP).into()
}

/// What it says.
pub const TOO_DEEP: &str = "Maximum call stack size exceeded";
