//! The global scope: `__ENV`, `__VU`, `__ITER`, `open`, `require`.

use std::cell::RefCell;
use std::sync::Arc;

use super::super::Op;
use super::async_context;
use crate::js::engine::{Global, Realm};
use crate::js::loader::Loader;
use crate::js::modules::k6::{tag_text, timers};
use crate::js::runtime::{LifecycleStage, VuContext};
use crate::js::value::{Args, Throw, Value, text_of};

/// The native half.
pub const OPS: &[(&str, Op)] = &[
    ("env", env),
    ("getEnv", get_env),
    ("setEnv", set_env),
    ("deleteEnv", delete_env),
    ("vuId", vu_id),
    ("iteration", iteration),
    ("isFrozen", |vu, _| Ok(vu.script.freeze_env.into())),
    ("open", open),
    ("here", here),
    ("isFirstPass", |vu, _| Ok((vu.stage.get() == LifecycleStage::Init { first: true }).into())),
    ("explain", explain),
    ("explainedPlace", explained_place),
    ("refuseModule", |_, _| Err(mixing("module"))),
    ("refuseExports", |_, _| Err(mixing("exports"))),
    ("origin", origin),
    ("encodeText", super::text::encode_text),
    ("makeDecoder", super::text::make_decoder),
    ("decodeText", super::text::decode_text),
    ("webcrypto", super::webcrypto::webcrypto),
    ("write", super::console::write),
    ("startTimer", timers::start),
    ("stopTimer", timers::stop),
    ("propagatesContext", async_context::propagates),
    ("captureContext", async_context::capture),
    ("swapContext", async_context::swap),
    ("resumeContext", async_context::resume),
    ("prepareContext", async_context::prepare),
];

/// The global scope besides the language, in the order `Object.keys(globalThis)` shows it: what it is called, how it is
/// made, and whether it is enumerable.
const SCOPE: &[(&str, Global, bool)] = &[
    ("GoError", Global::Lazy("volley/go_error", None), false),
    ENVIRONMENT,
    ("__VU", Global::Value("vuId"), true),
    ("console", Global::Lazy("volley/console", None), true),
    ("require", Global::Lazy("volley/require", None), true),
    ("open", Global::Lazy("volley/open", None), true),
    // A module of either kind has its own, which knows where it is.
    ("module", Global::Refused("refuseModule"), false),
    ("exports", Global::Refused("refuseExports"), false),
    ("setTimeout", Global::Lazy(TIMERS, Some("setTimeout")), true),
    ("setInterval", Global::Lazy(TIMERS, Some("setInterval")), true),
    ("clearTimeout", Global::Lazy(TIMERS, Some("clearTimeout")), true),
    ("clearInterval", Global::Lazy(TIMERS, Some("clearInterval")), true),
    ("crypto", Global::Lazy("volley/webcrypto", None), true),
    ("TextDecoder", Global::Lazy("volley/text", Some("TextDecoder")), true),
    ("TextEncoder", Global::Lazy("volley/text", Some("TextEncoder")), true),
];
const ENVIRONMENT: (&str, Global, bool) = ("__ENV", Global::Lazy("volley/environment", None), true);
/// The lazy script that keeps the functions of timers.
pub const TIMERS: &str = "volley/timers";
/// The lazy script of the feature `async-metric-context`.
const ASYNC_CONTEXT: &str = "volley/async_context";

/// Makes the global scope of a VU: the first thing that happens in its realm.
///
/// # Errors
/// When the engine can't get memory.
pub fn define(realm: &dyn Realm, vu: &VuContext) -> Result<(), Throw> {
    realm.prepare()?;
    for (name, global, enumerable) in SCOPE {
        realm.define_global(name, *global, *enumerable)?;
    }
    if vu.script.has_global {
        realm.define_global("global", Global::Itself, true)?;
    }
    if vu.script.async_metric_context {
        realm.release(realm.part(ASYNC_CONTEXT, Some("bind"))?);
    }
    Ok(())
}

/// Iterations begin: from now on a frozen `__ENV` shows the scenario's variables.
///
/// # Errors
/// As above.
pub fn activate(realm: &dyn Realm, vu: &VuContext) -> Result<(), Throw> {
    if vu.script.freeze_env {
        let (name, global, enumerable) = ENVIRONMENT;
        realm.define_global(name, global, enumerable)?;
    }
    realm.define_global("__ITER", Global::Getter("iteration"), true)
}

/// The module whose top level is running; empty before the first.
#[derive(Default)]
struct Here(RefCell<String>);

/// `(url)` -> the module that was running: from now on it is `url`. Without one nothing changes.
fn here(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let here = vu.module_state::<Here>();
    let before = match args.take(0) {
        Value::String(url) => here.0.replace(url),
        _ => here.0.borrow().clone(),
    };
    Ok(Value::String(before))
}

/// `(place, message)` -> a better message for a `TypeError`, or nothing.
fn explain(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let (place, message) = (args.string(0), args.string(1));
    Ok(vu.script.loader.explain("", &place, &message).map_or(Value::Undefined, Value::String))
}

/// `(place, message)` -> where such a better message is about, if that is another line than the engine's.
fn explained_place(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let (place, message) = (args.string(0), args.string(1));
    Ok(vu.script.loader.explained_place(&place, &message).map_or(Value::Undefined, Value::String))
}

/// An ES module used a variable of CommonJS.
fn mixing(name: &str) -> Throw {
    Throw::go(format!(
        "you are trying to access identifier {name:?}, this likely is due to mixing ECMAScript Modules (ESM) and CommonJS \
         syntax. This isn't supported in the JavaScript standard, please use only one or the other"
    ))
}

/// `(place)` -> the place in the original source file.
fn origin(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let place = args.string(0);
    Ok(Value::String(vu.script.loader.origin(&place).unwrap_or(place)))
}

pub(super) fn init_only(function: &str) -> Throw {
    Throw::go(format!(
        "the \"{function}\" function is only available in the init stage (i.e. the global scope), see \
         https://grafana.com/docs/k6/latest/using-k6/test-lifecycle/ for more information"
    ))
}

fn env(vu: &VuContext, _args: Args) -> Result<Value, Throw> {
    Ok(Value::Map(vu.env.borrow().iter().map(|(key, value)| (key.clone(), Value::from(&**value))).collect()))
}

fn get_env(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    Ok(vu.env.borrow().get(&args.string(0)).map_or(Value::Undefined, |value| Value::from(&**value)))
}

fn set_env(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let (key, value) = (args.string(0), args.string(1));
    Arc::make_mut(&mut *vu.env.borrow_mut()).insert(key, value);
    Ok(Value::Undefined)
}

fn delete_env(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    Arc::make_mut(&mut *vu.env.borrow_mut()).remove(&args.string(0));
    Ok(Value::Undefined)
}

fn vu_id(vu: &VuContext, _args: Args) -> Result<Value, Throw> {
    Ok(Value::Number(vu.id as f64))
}

fn iteration(vu: &VuContext, _args: Args) -> Result<Value, Throw> {
    match vu.stage.get() {
        LifecycleStage::Iterations => Ok(Value::Number(vu.iterations.get().saturating_sub(1) as f64)),
        _ => Ok(Value::Undefined),
    }
}

/// `(path, mode, stack)` -> the file, as text or bytes. The stack shows the caller; only the first pass has one.
fn open(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    if !vu.is_init() {
        return Err(init_only("open"));
    }
    let path = match args.take(0) {
        Value::Undefined | Value::Null => String::new(),
        other => tag_text(&other).unwrap_or_else(|| "[object Object]".to_owned()),
    };
    let (here, loader) = (vu.module_state::<Here>(), Loader::of(&vu.script));
    let here = here.0.borrow();
    if let Value::String(stack) = args.get(2)
        && let Some(place) = stack.lines().find_map(place_in)
        && let Some(warning) = loader.open_warning(&path, &here, place)
    {
        vu.script.log.warn(warning);
    }
    if matches!(args.get(1), Value::String(mode) if mode == "b") {
        return loader.open_shared(&path, &here).map(Value::Shared);
    }
    let bytes = loader.open(&path, &here)?;
    Ok(Value::String(text_of(&bytes)))
}

/// The place in a line of a stack: `\tat name (file:///x.js:1:2)`.
fn place_in(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("\tat ")?;
    Some(rest.strip_suffix(')').and_then(|rest| rest.rsplit_once(" (")).map_or(rest, |(_, place)| place))
}
