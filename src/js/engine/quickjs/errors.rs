//! What is thrown, in both directions, on QuickJS.

use super::ffi::{Borrowed, Closure, Context, NativeCall, Owned, PropertyFlags, Thrown};
use super::realm::put;
use crate::js::engine::RegExpLiteral;
use crate::js::engine::{stack, symbol_text, thrown_text};
use crate::js::value::{Exception, Throw};

/// Throws what a native function refuses.
pub fn throw(context: Context, throw: Throw) -> Thrown {
    let is_stop = matches!(throw, Throw::Stop);
    let error = error_value(context, throw);
    if is_stop { context.throw_uncatchable(error) } else { context.throw(error) }
}

/// What JavaScript sees of what a native function refuses.
pub fn error_value(context: Context, throw: Throw) -> Owned {
    let (class, message) = match throw {
        Throw::Error { class, message } => (class, message),
        Throw::Exception(exception) => ("Error", exception.text),
        // Only a call that keeps it can throw it on.
        Throw::Script => ("Error", "an exception was lost".to_owned()),
        Throw::Host { message } => ("", message),
        Throw::Stop => ("Error", "interrupted".to_owned()),
    };
    let made = if class.is_empty() { host_error(context, &message) } else { new_error(context, class, &message) };
    // There is no memory for an error: what says so is thrown instead.
    made.unwrap_or_else(|Thrown| context.take_exception())
}

/// A new error of this class.
fn new_error(context: Context, class: &'static str, message: &str) -> Result<Owned, Thrown> {
    let known = &context.state().extras.go_error;
    let is_go_error = class == "GoError";
    let constructor = match known.get().filter(|_| is_go_error) {
        Some(constructor) => context.own(constructor),
        None => {
            let found = context.get(&context.global(), class)?;
            if is_go_error && context.is_function(&found) {
                let _ = known.set(context.own(&found));
            }
            found
        }
    };
    let text = context.string(message)?;
    if context.is_function(&constructor) {
        return context.construct(&constructor, &[text.borrow()]);
    }
    let error = context.error()?;
    put(context, &error, "message", text)?;
    Ok(error)
}

/// What promises of native functions reject with: no `Error`, but it prints as its message, which `error()` gives too.
fn host_error(context: Context, message: &str) -> Result<Owned, Thrown> {
    let object = context.object()?;
    let message = context.string(message)?;
    let function = context.closure::<MessageText, 1>((c"", 0, 0), [message.borrow()])?;
    context.define(&object, "error", context.own(&function), PropertyFlags::HIDDEN)?;
    context.define(&object, "toString", function, PropertyFlags::HIDDEN)?;
    Ok(object)
}

struct MessageText;

impl Closure<1> for MessageText {
    fn call(call: &NativeCall<'_>, [message]: &[Borrowed<'_>; 1]) -> Result<Owned, Thrown> {
        Ok(call.context.own(*message))
    }
}

/// Takes the pending exception out of the context, for Rust.
pub fn caught(context: Context) -> Throw {
    let value = context.take_exception();
    if value.borrow().is_uncatchable() { Throw::Stop } else { Throw::Exception(describe(context, &value)) }
}

/// A thrown value as text, whatever it is.
fn text_of(context: Context, value: &Owned) -> String {
    if value.borrow().is_symbol() {
        let description = context.ok(context.get(value, "description"));
        let description = description.filter(|description| !description.borrow().is_undefined());
        return symbol_text(description.map(|description| context.text_or_empty(&description)).as_ref());
    }
    let text = context.ok(context.text(value));
    thrown_text(text, value.borrow().is_error(), value.borrow().is_object())
}

/// What is told about a thrown value.
pub fn describe(context: Context, value: &Owned) -> Exception {
    let text = text_of(context, value);
    if !value.borrow().is_error() {
        return Exception::of_text(text);
    }
    let frames = frames(context, value);
    let message = context.ok(context.get(value, "message")).filter(|message| message.borrow().is_string());
    let message = message.map(|message| context.text_or_empty(&message)).unwrap_or_default();
    let hint = if message.is_empty() { Default::default() } else { Exception::hint_in(&text, &message) };
    // An error whose stack is its text has none to be shown.
    if !frames.is_empty() && (frames == text || frames == message) {
        return Exception { text, stack: String::new(), hint };
    }
    // A stack made by js-stdlib's formatter begins with the error itself and is complete.
    let stack = stack::write(&text, frames.lines().filter_map(stack::parse_line), |_| None);
    Exception { text, stack, hint }
}

/// The `stack` of an error, where it is a text.
fn frames(context: Context, error: &Owned) -> String {
    let stack = context.ok(context.get(error, "stack"));
    stack.filter(|stack| stack.borrow().is_string()).map(|stack| context.text_or_empty(&stack)).unwrap_or_default()
}

/// A regular expression that can't be read is a syntax error without a place: it is found by making each that stands in the
/// text of the module at `address`, and the pending exception gets its place.
pub fn place_regexp(context: Context, address: &str) {
    let error = context.take_exception();
    if error.borrow().is_error() && !frames(context, &error).contains("\tat ") {
        // Without memory for it the error stays without a place.
        context.ok(add_place(context, &error, address));
    }
    context.throw(error);
}

fn add_place(context: Context, error: &Owned, address: &str) -> Result<(), Thrown> {
    let host = &context.state().host;
    let constructor = context.get(&context.global(), "RegExp")?;
    let is_bad = |literal: &RegExpLiteral| {
        let made = context.string(&literal.pattern).and_then(|pattern| {
            let flags = context.string(&literal.flags)?;
            context.construct(&constructor, &[pattern.borrow(), flags.borrow()])
        });
        context.ok(made).is_none()
    };
    let Some(bad) = host.regexp_literals(address).into_iter().find(is_bad) else { return Ok(()) };
    let place = format!("{address}:{}:{}", bad.line, bad.column);
    let place = host.original_position(&place).unwrap_or(place);
    let text = context.text_or_empty(error);
    let stack = context.string(&format!("{text}\n\tat {place}\n"))?;
    context.define(error, "stack", stack, PropertyFlags::HIDDEN)
}
