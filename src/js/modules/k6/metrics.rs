//! `k6/metrics`: the script's own counters, gauges, rates and trends.

use std::sync::atomic::{AtomicBool, Ordering};

use super::super::{DirectOp, Op};
use super::tag_pairs;
use crate::js::engine::direct::{Local, Look, Scope, leave_to};
use crate::js::runtime::VuContext;
use crate::js::value::{Args, Throw, Value};
use crate::metrics::{Contains, MetricId, MetricType};

/// The native half.
pub const OPS: &[(&str, Op)] =
    &[("declare", declare), ("add", add), ("reject", reject), ("setWasUsed", set_was_used), ("isStrict", is_strict)];

/// The direct ones.
pub const DIRECT_OPS: &[(&str, DirectOp)] = &[("add", add_direct)];

/// `(kind, name, isTime)` -> the metric's place.
fn declare(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    if !vu.is_init() {
        return Err(Throw::go("metrics must be declared in the init context"));
    }
    let kind = match args.number(0) as u8 {
        0 => MetricType::Counter,
        1 => MetricType::Gauge,
        2 => MetricType::Rate,
        _ => MetricType::Trend,
    };
    let contains = if args.bool(2) { Contains::Time } else { Contains::Default };
    let id = vu.script.registry.declare(&args.string(1), kind, contains).map_err(Throw::go)?;
    Ok(Value::Number(f64::from(id.0)))
}

/// `(metric, value, tags)`; the value is a number and not NaN.
fn add(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    if vu.is_init() {
        return Err(Throw::go("Adding to metrics in the init context is not supported"));
    }
    record(vu, MetricId(args.number(0) as u16), args.number(1), args.take(2))?;
    Ok(Value::Bool(true))
}

/// `add(value, tags)` of a metric, made with a function for what is neither number nor boolean or has tags that are no plain ones,
/// and with the metric's place.
fn add_direct(vu: &VuContext, scope: &mut dyn Scope) -> Result<Local, Throw> {
    let (value, tags, place) = (scope.arg(0), scope.arg(1), scope.data(1));
    let value = match scope.look(value) {
        Look::Number(number) if !number.is_nan() => number,
        Look::Bool(value) => f64::from(u8::from(value)),
        _ => return leave_to(scope, 0),
    };
    let (Look::Number(place), Some(tags), false) = (scope.look(place), scope.plain(tags), vu.is_init()) else {
        return leave_to(scope, 0);
    };
    record(vu, MetricId(place as u16), value, tags)?;
    scope.make(Value::Bool(true))
}

/// Writes a sample of a metric down.
fn record(vu: &VuContext, metric: MetricId, value: f64, tags: Value) -> Result<(), Throw> {
    let tags = match tags {
        Value::Undefined | Value::Null => vu.tags(),
        tags => {
            let pairs = tag_pairs(tags).map_err(|throw| match throw {
                Throw::Error { class, message } => {
                    let name = vu.script.registry.get(metric).map(|metric| metric.name).unwrap_or_default();
                    let message = format!("cannot add tags for the '{name}' custom metric: {message}");
                    Throw::Error { class, message }
                }
                other => other,
            })?;
            let pairs: Vec<_> = pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
            vu.tags_with(&pairs)
        }
    };
    vu.sample(metric, value, tags);
    Ok(())
}

/// `(text)`: a value that is no number: a warning, or an exception with the option `throw`.
fn reject(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    if vu.is_init() {
        return Err(Throw::go("Adding to metrics in the init context is not supported"));
    }
    let text = args.string(0);
    if vu.script.throw {
        return Err(Throw::go(text));
    }
    vu.script.log.warn(text);
    Ok(Value::Bool(false))
}

/// The warning that gauges have no `set` in k6 was given in this run.
#[derive(Default)]
struct SetWasUsed(AtomicBool);

/// `(metric)`: a gauge's `set` was called, which k6 does not have; warns once in a run.
fn set_was_used(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    if !vu.is_init() && !vu.script.module_state::<SetWasUsed>().0.swap(true, Ordering::Relaxed) {
        let name = args.string(0);
        let text =
            format!("`set` of the gauge '{name}' is taken as `add`: k6 has no `set`, a script for both says `add`");
        vu.script.log.warn(text);
    }
    Ok(Value::Undefined)
}

/// Whether scripts find what k6 has and nothing else.
fn is_strict(vu: &VuContext, _: Args) -> Result<Value, Throw> {
    Ok(Value::Bool(vu.script.is_strict))
}
