//! Names in the params of requests that mean nothing: k6 ignores them, and so does this, with a warning where one was meant.

use std::collections::BTreeSet;
use std::sync::Mutex;

use crate::js::engine::direct::{Local, Look, Scope};
use crate::js::runtime::VuContext;
use crate::js::value::{Args, Throw, Value};
use crate::units::nearest::nearest;
use crate::units::sync::lock;

/// What params may have.
const PARAMS: [&str; 12] = [
    "headers",
    "cookies",
    "tags",
    "jar",
    "auth",
    "timeout",
    "redirects",
    "responseType",
    "responseCallback",
    "compression",
    "throw",
    "protocol",
];

/// The params of a request where they can be read without anybody's seeing it, and mean what they are; `None` where js-stdlib has to
/// look at them, as it does at all that is rare.
pub(super) fn readable(scope: &mut dyn Scope, params: Local) -> Option<Value> {
    if scope.look(params) != Look::Object {
        return (scope.look(params) != Look::Function).then_some(Value::Undefined);
    }
    let Value::Map(members) = scope.plain(params)? else { return None };
    members.iter().all(|(name, value)| is_readable(name, value)).then_some(Value::Map(members))
}

fn is_readable(name: &str, value: &Value) -> bool {
    match (name, value) {
        ("headers", Value::Map(map)) => map.iter().all(|(_, value)| matches!(value, Value::String(_))),
        ("tags", Value::Map(map)) => !map.iter().any(|(_, value)| matches!(value, Value::Map(_))),
        ("headers" | "tags", Value::Undefined) => true,
        ("responseType" | "compression", value) => matches!(value, Value::String(_)),
        ("auth" | "timeout" | "redirects" | "throw", value) => {
            matches!(value, Value::String(_) | Value::Number(_) | Value::Bool(_))
        }
        _ => false,
    }
}

/// So many warnings are enough.
const MAX_TOLD: usize = 100;

/// The warnings of all VUs.
#[derive(Default)]
struct Told(Mutex<BTreeSet<String>>);

/// `(name, stack)`: warns of a name that was given where `stack` says, once per place.
pub(super) fn warn_of_param(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let (name, stack) = (args.string(0), args.string(1));
    let meant = match nearest(&name, PARAMS) {
        Some(near) => Some(format!(", did you mean `{near}`?")),
        None => is_header(&name).then(|| format!(": headers are in `headers: {{ '{name}': ... }}`")),
    };
    if let Some(meant) = meant {
        let place = stack.lines().find_map(place_in);
        let place = place.map_or_else(String::new, |place| format!(" ({place})"));
        let warning = format!("the params of a request have no `{name}`{meant}{place}");
        let told = vu.script.module_state::<Told>();
        let mut told = lock(&told.0);
        if told.len() < MAX_TOLD && told.insert(warning.clone()) {
            vu.script.log.warn(warning);
        }
    }
    Ok(Value::Undefined)
}

/// True for what is a header by its name.
fn is_header(name: &str) -> bool {
    const SHORT: [&str; 4] = ["accept", "authorization", "origin", "referer"];
    name.contains('-') || SHORT.iter().any(|short| short.eq_ignore_ascii_case(name))
}

/// The place in a line of a stack, `\tat name (file:///x.js:1:2)`, without its column.
fn place_in(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("\tat ")?;
    let place = rest.strip_suffix(')').and_then(|rest| rest.rsplit_once(" (")).map_or(rest, |(_, place)| place);
    Some(place.rsplit_once(':').map_or(place, |(place, _)| place))
}
