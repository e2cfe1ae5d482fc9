//! `k6/execution`: where the script is, and the ways to end the run.

use std::sync::atomic::Ordering::Relaxed;
use std::time::UNIX_EPOCH;

use super::super::Op;
use super::tag_text;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::js::runtime::{LifecycleStage, VuContext};
use crate::js::value::{Args, Throw, Value};

/// The native half.
pub const OPS: &[(&str, Op)] = &[
    ("instance", instance),
    ("scenario", scenario),
    ("vu", vu),
    ("tags", tags),
    ("setTag", set_tag),
    ("deleteTag", delete_tag),
    ("metadata", metadata),
    ("setMetadata", set_metadata),
    ("deleteMetadata", delete_metadata),
    ("options", options),
    ("abort", abort),
    ("fail", fail),
];

fn unavailable(what: &str) -> Throw {
    Throw::go(format!("getting {what} is not supported"))
}

/// `(name)` -> one number about this process.
fn instance(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    if matches!(
        vu.stage.get(),
        LifecycleStage::Init { first: true } | LifecycleStage::Teardown | LifecycleStage::Summary
    ) {
        return Err(unavailable("instance information in the init context"));
    }
    let state = &vu.script.state;
    let number = match args.string(0).as_str() {
        "currentTestRunDuration" => state.elapsed().as_secs_f64() * 1000.0,
        "iterationsCompleted" => state.complete.load(Relaxed) as f64,
        "iterationsInterrupted" => state.interrupted.load(Relaxed) as f64,
        "vusActive" => state.active_vus.load(Relaxed) as f64,
        "vusInitialized" => state.initialised_vus.load(Relaxed) as f64,
        _ => return Ok(Value::Undefined),
    };
    Ok(Value::Number(number))
}

/// `(name)` -> one fact about the scenario.
fn scenario(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let scenario = vu.scenario.borrow();
    let Some(facts) = scenario.as_ref().filter(|_| vu.stage.get() == LifecycleStage::Iterations) else {
        return Err(unavailable("scenario information outside of the VU context"));
    };
    Ok(match args.string(0).as_str() {
        "name" => Value::from(&*facts.name),
        "executor" => Value::from(facts.executor),
        "startTime" => {
            let since = facts.progress.started_at().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
            Value::Number(since.map_or(0.0, |since| since.as_millis() as f64))
        }
        "progress" => Value::Number(facts.progress.share()),
        "iterationInInstance" => Value::Number(vu.scenario_iteration.get().0 as f64),
        "iterationInTest" => Value::Number(vu.scenario_iteration.get().1 as f64),
        _ => Value::Undefined,
    })
}

fn in_vu(vu: &VuContext) -> Result<(), Throw> {
    if vu.is_init() { Err(unavailable("VU information in the init context")) } else { Ok(()) }
}

/// `(name)` -> one number about this VU.
fn vu(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    in_vu(vu)?;
    let number = match args.string(0).as_str() {
        "idInInstance" => vu.id,
        "idInTest" => vu.id_in_test,
        "iterationInInstance" => vu.iterations.get().saturating_sub(1),
        "iterationInScenario" => vu.iterations_in_scenario.get().saturating_sub(1),
        _ => return Ok(Value::Undefined),
    };
    Ok(Value::Number(number as f64))
}

fn tags(vu: &VuContext, _args: Args) -> Result<Value, Throw> {
    in_vu(vu)?;
    Ok(Value::Map(vu.tags().iter().map(|(key, value)| (key.to_owned(), value.into())).collect()))
}

fn wrong_kind(kind: &str, key: &str) -> Throw {
    Throw::type_error(format!(
        "invalid value for metric {kind} '{key}': only String, Boolean and Number types are accepted as a metric {kind} \
         {}",
        if kind == "tag" { "values" } else { "value" }
    ))
}

fn set_tag(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    in_vu(vu)?;
    let key = args.string(0);
    let text = tag_text(args.get(1)).ok_or_else(|| wrong_kind("tag", &key))?;
    vu.set_tags(vu.tags_with(&[(&key, &text)]));
    Ok(Value::Undefined)
}

fn delete_tag(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    in_vu(vu)?;
    vu.set_tags(vu.script.interner.without(&vu.tags(), &args.string(0)));
    Ok(Value::Undefined)
}

fn metadata(vu: &VuContext, _args: Args) -> Result<Value, Throw> {
    in_vu(vu)?;
    let pairs = vu.metadata().unwrap_or_default();
    Ok(Value::Map(pairs.iter().map(|(key, value)| (key.to_string(), Value::from(&**value))).collect()))
}

fn set_metadata(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    in_vu(vu)?;
    let key = args.string(0);
    let text = tag_text(args.get(1)).ok_or_else(|| wrong_kind("metadata", &key))?;
    vu.change_metadata(&key, Some(text));
    Ok(Value::Undefined)
}

fn delete_metadata(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    in_vu(vu)?;
    vu.change_metadata(&args.string(0), None);
    Ok(Value::Undefined)
}

fn options(vu: &VuContext, _args: Args) -> Result<Value, Throw> {
    match vu.script.options.get() {
        Some(json) if !vu.is_init() => Ok(Value::Json(json.clone().into())),
        _ => Err(unavailable("test options in the init context")),
    }
}

/// `(message, stack)`: ends the whole run. The stack shows where it was called.
fn abort(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let mut message = match args.take(0) {
        Value::String(message) => format!("test aborted: {message}"),
        _ => "test aborted".to_owned(),
    };
    let stack = args.string(1);
    let mut frames = stack.lines().filter_map(|line| line.strip_prefix("\tat "));
    let first = frames.next();
    if let (Some(place), LifecycleStage::Init { .. } | LifecycleStage::Iterations | LifecycleStage::Summary) =
        (first, vu.stage.get())
    {
        message = format!("{message} at {place}");
    }
    let mut code = ExitCode::ScriptAborted;
    // As in k6, the code is lost on the way out of a module that another one imports.
    let outermost = frames.next_back().or(first);
    if vu.is_init() && outermost.is_some_and(|frame| !frame.contains(&format!("{}:", vu.script.address))) {
        code = ExitCode::Other;
    }
    vu.abort_run(Failure::new(code, message));
    Err(Throw::Stop)
}

/// `(message)`: the run continues and ends with 110.
fn fail(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    if vu.is_init() {
        return Err(Throw::go("execution.test.fail() called outside of VU context"));
    }
    let message = match args.take(0) {
        Value::String(message) => format!("test marked as failed: {message}"),
        _ => "test marked as failed".to_owned(),
    };
    vu.script.state.marked_as_failed.store(true, Relaxed);
    vu.script.log.error(message);
    Ok(Value::Undefined)
}
