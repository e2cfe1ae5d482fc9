//! The module `k6`: checks, groups, sleep.

use std::time::Duration;

use super::volley::async_context;
use super::{DirectOp, Op};
use crate::execution::precise_timer;
use crate::js::engine::direct::{Local, Look, Scope, leave_to};
use crate::js::runtime::VuContext;
use crate::js::value::{Args, Throw, Value};
use crate::metrics::system_tags::SystemTag;
use crate::metrics::{Record, Stamp, builtin};

#[cfg(feature = "browser")]
pub mod browser;
pub mod bytes;
pub mod crypto;
pub mod data;
pub mod encoding;
pub mod execution;
pub mod experimental;
mod groups;
pub mod html;
pub mod http;
pub mod metrics;
pub mod net;
mod random;
pub mod secrets;
pub mod timers;
pub mod websockets;
pub mod ws;
pub mod x;

pub use groups::leave_all as leave_all_groups;

/// The native half.
pub const OPS: &[(&str, Op)] = &[
    ("enterGroup", groups::enter),
    ("leaveGroup", groups::leave),
    ("openGroup", groups::open),
    ("closeGroup", groups::close),
    ("endGroup", groups::end),
    ("propagatesContext", async_context::propagates),
    ("recordCheck", record_check),
    ("checkStage", check_stage),
    ("sleepFor", sleep_for),
    ("seed", random::seed),
    ("random", random::random),
];

/// The direct ones.
pub const DIRECT_OPS: &[(&str, DirectOp)] = &[("check", check), ("group", groups::group)];

/// `(text)`: a warning in the log, for the native half of any module.
pub fn warn(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    vu.script.log.warn(args.string(0));
    Ok(Value::Undefined)
}

/// `(isGroup)`: refuses `group()`, or else `check()`, in init code; else the time all checks of one call share.
fn check_stage(vu: &VuContext, args: Args) -> Result<Value, Throw> {
    refuse_init(vu, if args.bool(0) { "group()" } else { "check()" })?;
    Ok(Value::Number(vu.now().0 as f64))
}

fn refuse_init(vu: &VuContext, name: &str) -> Result<(), Throw> {
    if vu.is_init() {
        return Err(Throw::go(format!("Using {name} in the init context is not supported")));
    }
    Ok(())
}

/// `check(value, sets, tags)`, made with a function for sets that are no objects, the language's `Function`, a function that refuses
/// a test that is no plain function, and the name `constructor`.
fn check(vu: &VuContext, scope: &mut dyn Scope) -> Result<Local, Throw> {
    refuse_init(vu, "check()")?;
    let time = vu.now();
    let (value, sets, tags) = (scope.arg(0), scope.arg(1), scope.arg(2));
    if scope.look(sets) != Look::Object {
        return leave_to(scope, 0);
    }
    let (function, refuse, constructor) = (scope.data(1), scope.data(2), scope.data(3));
    let mut all = true;
    for key in scope.names(sets)? {
        let name = scope.text(key);
        if name.contains("::") {
            return Err(Throw::go(NO_SEPARATOR));
        }
        let mut test = scope.get(sets, key)?;
        if scope.look(test) == Look::Function {
            let made_by = scope.get(test, constructor)?;
            if !scope.is_same(made_by, function) {
                scope.call(refuse, &[test])?;
            }
            match scope.call(test, &[value]) {
                Ok(result) => test = result,
                Err(Throw::Stop) => return Err(Throw::Stop),
                Err(throw) => {
                    let tags = scope.copy(tags)?;
                    write_check(vu, &name, false, tags, time)?;
                    return Err(throw);
                }
            }
        }
        let passed = scope.is_true(test);
        let tags = scope.copy(tags)?;
        write_check(vu, &name, passed, tags, time)?;
        all = all && passed;
    }
    scope.make(Value::Bool(all))
}

/// What names of groups and checks must not have.
const NO_SEPARATOR: &str = "group and check names may not contain '::'";

/// `(name, passed, tags)`
fn record_check(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let passed = args.bool(1);
    let name = args.string(0);
    write_check(vu, &name, passed, args.take(2), Stamp(args.number(3) as u64))?;
    Ok(Value::Undefined)
}

fn write_check(vu: &VuContext, name: &str, passed: bool, tags: Value, time: Stamp) -> Result<(), Throw> {
    let user = tag_pairs(tags)?;
    let mut pairs: Vec<(&str, &str)> = user.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    if vu.script.system_tags.has(SystemTag::Check) {
        pairs.push(("check", name));
    }
    let tags = vu.tags_with(&pairs);
    let (metric, value) = (builtin::CHECKS, f64::from(u8::from(passed)));
    vu.record(Record::Sample { time, metric, value, tags, metadata: vu.metadata() });
    Ok(())
}

/// A script's tags as text.
///
/// # Errors
/// k6's words when a value is neither text, number nor boolean.
pub fn tag_pairs(tags: Value) -> Result<Vec<(String, String)>, Throw> {
    let pairs = match tags {
        Value::Map(map) => map,
        // A string is an object of its characters, as far as tags go.
        Value::String(text) => text.chars().enumerate().map(|(at, c)| (at.to_string(), c.to_string().into())).collect(),
        _ => return Ok(Vec::new()),
    };
    pairs
        .into_iter()
        .map(|(key, value)| match tag_text(&value) {
            Some(text) => Ok((key, text)),
            None => Err(Throw::go(format!(
                "invalid value for metric tag '{key}': only String, Boolean and Number types are accepted as a metric \
                 tag values"
            ))),
        })
        .collect()
}

/// The text of a value that may be a tag.
pub fn tag_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(number) => Some(number_text(*number)),
        _ => None,
    }
}

/// A number as JavaScript writes it.
pub fn number_text(number: f64) -> String {
    if number == 0.0 {
        // Also -0, as JavaScript does.
        return "0".to_owned();
    }
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    if (1e-6..1e21).contains(&number.abs()) {
        return format!("{number}");
    }
    let text = format!("{number:e}");
    match text.split_once('e') {
        Some((digits, exponent)) if !exponent.starts_with('-') => format!("{digits}e+{exponent}"),
        _ => text,
    }
}

fn sleep_for(vu: &VuContext, args: Args) -> Result<Value, Throw> {
    let seconds = args.number(0);
    if seconds > 0.0 {
        // No run lasts longer; the bound keeps the conversion from overflowing.
        let time = Duration::from_secs_f64(seconds.min(1e9));
        vu.pause(precise_timer::sleep(time))?;
    }
    Ok(Value::Undefined)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_numbers_as_javascript_does() {
        let check = |number: f64, expect: &str| assert_eq!(number_text(number), expect);
        check(1.0, "1");
        check(-0.0, "0");
        check(1.5, "1.5");
        check(1e21, "1e+21");
        check(1.5e-7, "1.5e-7");
        check(123456789012345680000.0, "123456789012345680000");
        check(0.000001, "0.000001");
        check(f64::NAN, "NaN");
        check(f64::NEG_INFINITY, "-Infinity");
    }
}
