//! What of the language is ours on Boa: regular expressions that take a time that grows with the text, dates as k6 reads
//! and prints them, the order of words.

use std::rc::Rc;

use boa_engine::object::builtins::{JsArray, JsDate, JsRegExp};
use boa_engine::object::{FunctionObjectBuilder, JsObject};
use boa_engine::property::PropertyDescriptor;
use boa_engine::string::JsStrVariant;
use boa_engine::{
    Context, JsNativeError, JsResult, JsString, JsValue, NativeFunction, js_string, object::builtins::JsFunction,
};

use super::convert::{property_key, put};
use super::errors;
use super::realm::state;
use crate::js::language::regexp::{self, Captures, Flags, MatchError, Program};
use crate::js::language::{collation, date_text, dates};
use crate::js::value::Throw;

/// Puts ours in the place of the engine's.
///
/// # Errors
/// When the engine refuses a property.
pub fn install(context: &mut Context) -> JsResult<()> {
    let constructors = context.intrinsics().constructors();
    let (regexp, string, date) =
        (constructors.regexp().prototype(), constructors.string().prototype(), constructors.date().clone());
    let own_exec = regexp.get(js_string!("exec"), context)?;
    let exec = NativeFunction::from_copy_closure_with_captures(
        |this, args, own: &JsValue, context| match linear(this, args, context)? {
            Some(result) => Ok(result),
            None => call(own, this, args, context),
        },
        own_exec,
    );
    method(&regexp, "exec", 1, exec, context)?;
    method(&string, "localeCompare", 1, NativeFunction::from_fn_ptr(locale_compare), context)?;
    let prototype = date.prototype();
    for (name, print) in [
        ("toString", NativeFunction::from_copy_closure(|this, _, context| print(this, dates::Form::Full, context))),
        ("toTimeString", NativeFunction::from_copy_closure(|this, _, context| print(this, dates::Form::Time, context))),
        (
            "toLocaleString",
            NativeFunction::from_copy_closure(|this, _, context| print(this, dates::Form::Locale, context)),
        ),
        (
            "toLocaleDateString",
            NativeFunction::from_copy_closure(|this, _, context| print(this, dates::Form::LocaleDate, context)),
        ),
        (
            "toLocaleTimeString",
            NativeFunction::from_copy_closure(|this, _, context| print(this, dates::Form::LocaleTime, context)),
        ),
    ] {
        method(&prototype, name, 0, print, context)?;
    }
    replace_date(&date.constructor(), &prototype, context)
}

fn call(function: &JsValue, this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    match function.as_callable() {
        Some(function) => function.call(this, args, context),
        None => Ok(JsValue::undefined()),
    }
}

fn hidden(value: impl Into<JsValue>) -> PropertyDescriptor {
    PropertyDescriptor::builder().value(value).writable(true).enumerable(false).configurable(true).build()
}

/// Puts a method into an object.
///
/// # Errors
/// When the engine refuses the property.
pub fn method(
    owner: &JsObject,
    name: &'static str,
    length: usize,
    native: NativeFunction,
    context: &mut Context,
) -> JsResult<()> {
    let builder = FunctionObjectBuilder::new(context.realm(), native);
    let function = builder.name(property_key(name)).length(length).build();
    owner.define_property_or_throw(property_key(name), hidden(function), context).map(|_| ())
}

// Dates and words --------------------------------------------------------------------------------------------------

/// A date as text.
fn print(this: &JsValue, form: dates::Form, context: &mut Context) -> JsResult<JsValue> {
    let date =
        JsDate::from_object(this.as_object().ok_or_else(|| JsNativeError::typ().with_message("this is no Date"))?)?;
    let ms = date.get_time(context)?.as_number().unwrap_or(f64::NAN);
    Ok(JsString::from(dates::print(ms, form)).into())
}

/// `Date` with our way to read texts; all else is done by the engine's, whose prototype it shares.
fn replace_date(own: &JsObject, prototype: &JsObject, context: &mut Context) -> JsResult<()> {
    let native = NativeFunction::from_copy_closure_with_captures(
        |new_target, args, own: &JsObject, context| {
            let Some(target) = new_target.as_object() else {
                let now = own.get(js_string!("now"), context)?;
                let ms = call(&now, &JsValue::undefined(), &[], context)?.as_number().unwrap_or(f64::NAN);
                return Ok(JsString::from(dates::print(ms, dates::Form::Full)).into());
            };
            let read;
            let args = match args {
                [given] if given.as_object().is_none_or(|object| JsDate::from_object(object).is_err()) => {
                    let value = given.to_primitive(context, boa_engine::value::PreferredType::Default)?;
                    read = [match value.as_string() {
                        Some(text) => parse_text(&text),
                        None => value,
                    }];
                    &read[..]
                }
                args => args,
            };
            own.construct(args, Some(&target), context).map(JsValue::from)
        },
        own.clone(),
    );
    let builder = FunctionObjectBuilder::new(context.realm(), native);
    let date: JsFunction = builder.name(js_string!("Date")).length(7).constructor(true).build();
    let parse = NativeFunction::from_copy_closure(|_this, args, context| {
        let text = args.first().cloned().unwrap_or_default().to_string(context)?;
        Ok(parse_text(&text))
    });
    for name in ["now", "UTC"] {
        let value = own.get(property_key(name), context)?;
        date.define_property_or_throw(property_key(name), hidden(value), context)?;
    }
    method(&date, "parse", 1, parse, context)?;
    let fixed =
        PropertyDescriptor::builder().value(prototype.clone()).writable(false).enumerable(false).configurable(false);
    date.define_property_or_throw(js_string!("prototype"), fixed, context)?;
    prototype.define_property_or_throw(js_string!("constructor"), hidden(date.clone()), context)?;
    let global = context.global_object();
    global.define_property_or_throw(js_string!("Date"), hidden(date), context)?;
    Ok(())
}

fn parse_text(text: &JsString) -> JsValue {
    date_text::parse(&text.to_std_string_lossy()).unwrap_or(f64::NAN).into()
}

/// `a.localeCompare(b)`
fn locale_compare(this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    if this.is_null_or_undefined() {
        return Err(JsNativeError::typ().with_message("null or undefined has no localeCompare").into());
    }
    let (a, b) = (this.to_string(context)?, args.first().cloned().unwrap_or_default().to_string(context)?);
    let order = match (a.as_str().variant(), b.as_str().variant()) {
        (JsStrVariant::Latin1(a), JsStrVariant::Latin1(b)) => collation::compare_latin1(a, b),
        (JsStrVariant::Utf16(a), JsStrVariant::Utf16(b)) => collation::compare_utf16(a, b),
        _ => collation::compare_utf16(&a.to_vec(), &b.to_vec()),
    };
    Ok(JsValue::from(order as i32))
}

// Regular expressions ----------------------------------------------------------------------------------------------

/// Shorter texts are done with in no time, whatever the pattern.
const SHORT: usize = 20;

/// `pattern.exec(text)` by our own matcher; `None` where the engine's own does as well.
fn linear(this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<Option<JsValue>> {
    let (Some(object), Some(text)) = (this.as_object(), args.first().and_then(JsValue::as_string)) else {
        return Ok(None);
    };
    if text.len() < SHORT {
        return Ok(None);
    }
    let Ok(pattern) = JsRegExp::from_object(object.clone()) else { return Ok(None) };
    let flags = Flags {
        ignore_case: pattern.ignore_case(context)?,
        multiline: pattern.multiline(context)?,
        dot_all: pattern.dot_all(context)?,
        unicode: pattern.unicode(context)?,
    };
    // A pattern with half a character in it stays with the engine.
    let Ok(source) = pattern.source(context) else { return Ok(None) };
    // Boa shows every slash with a backslash of its own before it, also one that had its own already.
    let source: Vec<u16> = source.replace("\\/", "/").encode_utf16().collect();
    let Some(program) = regexp::program(&source, flags) else { return Ok(None) };
    if program.is_harmless(text.len()) {
        return Ok(None);
    }
    let is_sticky = pattern.sticky(context)?;
    let keeps_place = pattern.global(context)? || is_sticky;
    let has_indices = pattern.has_indices(context)?;
    let last_index = object.get(js_string!("lastIndex"), context)?.to_length(context)?;
    let start = if keeps_place { last_index } else { 0 };
    let set_place = |place: usize, context: &mut Context| {
        if keeps_place { object.set(js_string!("lastIndex"), place as u64, true, context).map(drop) } else { Ok(()) }
    };
    let Some(groups) = search(&program, &text, start, is_sticky, context)? else {
        set_place(0, context)?;
        return Ok(Some(JsValue::null()));
    };
    set_place(groups.first().copied().flatten().map_or(0, |(_, end)| end), context)?;
    result(&text, &program, &groups, has_indices, context).map(Some)
}

/// The first match from a place on.
fn search(
    program: &Rc<Program>,
    text: &JsString,
    start: u64,
    is_sticky: bool,
    context: &mut Context,
) -> JsResult<Option<Captures>> {
    if start > text.len() as u64 {
        return Ok(None);
    }
    let start = start as usize;
    let host = state(context).host.clone();
    let go_on = &mut || host.may_continue();
    let found = match text.as_str().variant() {
        JsStrVariant::Latin1(text) => regexp::find(program, text, start, is_sticky, go_on),
        JsStrVariant::Utf16(text) => regexp::find(program, text, start, is_sticky, go_on),
    };
    found.map_err(|error| match error {
        MatchError::Stopped => errors::thrown(Throw::Stop, context),
        MatchError::TooLarge => {
            JsNativeError::range().with_message("the regular expression needs too much memory for this text").into()
        }
    })
}

/// What `exec` returns for a match.
fn result(
    text: &JsString,
    program: &Program,
    groups: &Captures,
    has_indices: bool,
    context: &mut Context,
) -> JsResult<JsValue> {
    let piece = |group: &Option<(usize, usize)>, _: &mut Context| match group {
        Some((from, to)) => text.get_expect(*from..*to).into(),
        None => JsValue::undefined(),
    };
    let pair = |group: &Option<(usize, usize)>, context: &mut Context| match group {
        Some((from, to)) => {
            JsArray::from_iter([JsValue::from(*from as u64), JsValue::from(*to as u64)], context).into()
        }
        None => JsValue::undefined(),
    };
    let index = groups.first().copied().flatten().map_or(0, |(from, _)| from);
    let pieces: Vec<JsValue> = groups.iter().map(|group| piece(group, context)).collect();
    let list = JsArray::from_iter(pieces, context);
    let names = named(program, groups, piece, context);
    put(&list, property_key("index"), (index as u64).into());
    put(&list, property_key("input"), text.clone().into());
    put(&list, property_key("groups"), names);
    if has_indices {
        let pairs: Vec<JsValue> = groups.iter().map(|group| pair(group, context)).collect();
        let indices = JsArray::from_iter(pairs, context);
        let names = named(program, groups, pair, context);
        put(&indices, property_key("groups"), names);
        put(&list, property_key("indices"), indices.into());
    }
    Ok(list.into())
}

/// An object with something made of each group that has a name; `undefined` where none has.
fn named(
    program: &Program,
    groups: &Captures,
    make: impl Fn(&Option<(usize, usize)>, &mut Context) -> JsValue,
    context: &mut Context,
) -> JsValue {
    if program.names.is_empty() {
        return JsValue::undefined();
    }
    let object = JsObject::with_null_proto();
    for (name, number) in &program.names {
        let value = make(&groups[*number as usize], context);
        put(&object, property_key(name), value);
    }
    object.into()
}
