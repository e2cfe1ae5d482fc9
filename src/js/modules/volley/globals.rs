//! The global scope: `__ENV`, `__VU`, `__ITER`, `open`, `require`.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use super::super::Op;
use crate::js::coroutine;
use crate::js::modules::k6::{tag_text, timers};
use crate::js::value::{Args, Throw, Value, text_of};
use crate::js::vu::{Stage, Vu};

/// The native half.
pub const OPS: &[(&str, Op)] = &[
    ("env", env),
    ("getEnv", get_env),
    ("setEnv", set_env),
    ("deleteEnv", delete_env),
    ("vuId", vu_id),
    ("iteration", iteration),
    ("settings", settings),
    ("open", open),
    ("here", here),
    ("refuseModule", |_, _| Err(mixing("module"))),
    ("refuseExports", |_, _| Err(mixing("exports"))),
    ("origin", origin),
    ("part", part),
    ("encodeText", super::text::encode_text),
    ("makeDecoder", super::text::make_decoder),
    ("decodeText", super::text::decode_text),
    ("webcrypto", super::webcrypto::webcrypto),
    ("write", super::console::write),
    ("startTimer", timers::start),
    ("stopTimer", timers::stop),
];

/// `(name)` -> the text of a part of js-stdlib.
fn part(_vu: &Vu, mut args: Args) -> Result<Value, Throw> {
    // A parser descends deep, and what it parses is parsed once.
    coroutine::goes_deep();
    let name = args.string(0);
    super::super::part(&name)
        .map(|text| Value::from(&*text))
        .ok_or_else(|| Throw::type_error(format!("js-stdlib has no part {name:?}")))
}

/// The module that is being evaluated; empty before the first. Held while that one requires others.
#[derive(Default)]
pub(super) struct Here(RefCell<String>, pub(super) Cell<i32>);

/// `(url)`: from now on this module is being evaluated, unless another one is only being required.
fn here(vu: &Vu, mut args: Args) -> Result<Value, Throw> {
    let here = vu.room::<Here>();
    if here.1.get() == 0 {
        here.0.replace(args.string(0));
    }
    Ok(Value::Undefined)
}

/// An ES module used a variable of CommonJS.
fn mixing(name: &str) -> Throw {
    Throw::go(format!(
        "you are trying to access identifier {name:?}, this likely is due to mixing ECMAScript Modules (ESM) and CommonJS \
         syntax. This isn't supported in the JavaScript standard, please use only one or the other"
    ))
}

/// `(place)` -> the place in the file a person wrote.
fn origin(vu: &Vu, mut args: Args) -> Result<Value, Throw> {
    let place = args.string(0);
    Ok(Value::String(vu.script.loader.origin(&place).unwrap_or(place)))
}

pub(super) fn init_only(function: &str) -> Throw {
    Throw::go(format!(
        "the \"{function}\" function is only available in the init stage (i.e. the global scope), see \
         https://grafana.com/docs/k6/latest/using-k6/test-lifecycle/ for more information"
    ))
}

fn env(vu: &Vu, _args: Args) -> Result<Value, Throw> {
    Ok(Value::Map(vu.env.borrow().iter().map(|(key, value)| (key.clone(), Value::from(&**value))).collect()))
}

fn get_env(vu: &Vu, mut args: Args) -> Result<Value, Throw> {
    Ok(vu.env.borrow().get(&args.string(0)).map_or(Value::Undefined, |value| Value::from(&**value)))
}

fn set_env(vu: &Vu, mut args: Args) -> Result<Value, Throw> {
    let (key, value) = (args.string(0), args.string(1));
    Arc::make_mut(&mut *vu.env.borrow_mut()).insert(key, value);
    Ok(Value::Undefined)
}

fn delete_env(vu: &Vu, mut args: Args) -> Result<Value, Throw> {
    Arc::make_mut(&mut *vu.env.borrow_mut()).remove(&args.string(0));
    Ok(Value::Undefined)
}

fn vu_id(vu: &Vu, _args: Args) -> Result<Value, Throw> {
    Ok(Value::Number(vu.id as f64))
}

fn iteration(vu: &Vu, _args: Args) -> Result<Value, Throw> {
    match vu.stage.get() {
        Stage::Iterations => Ok(Value::Number(vu.iterations.get().saturating_sub(1) as f64)),
        _ => Ok(Value::Undefined),
    }
}

/// What the run wants the global scope to be like.
fn settings(vu: &Vu, _args: Args) -> Result<Value, Throw> {
    Ok(Value::Map(vec![
        ("freezeEnv".to_owned(), vu.script.freeze_env.into()),
        ("hasGlobal".to_owned(), vu.script.has_global.into()),
    ]))
}

/// `(path, mode)` -> the file, as text or bytes.
fn open(vu: &Vu, mut args: Args) -> Result<Value, Throw> {
    if !vu.is_init() {
        return Err(init_only("open"));
    }
    let path = match args.take(0) {
        Value::Undefined | Value::Null => String::new(),
        other => tag_text(&other).unwrap_or_else(|| "[object Object]".to_owned()),
    };
    let here = vu.room::<Here>();
    if matches!(args.get(1), Value::String(mode) if mode == "b") {
        return vu.script.loader.open_shared(&path, &here.0.borrow()).map(Value::Shared);
    }
    let bytes = vu.script.loader.open(&path, &here.0.borrow())?;
    Ok(Value::String(text_of(&bytes)))
}
