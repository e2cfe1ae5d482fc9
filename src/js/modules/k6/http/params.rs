//! Names in the params of requests that mean nothing: k6 ignores them, and so does this, with a warning where one was meant.

use std::collections::BTreeSet;
use std::sync::Mutex;

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
