//! Statuses of responses: their error codes, and which are expected (`expectedStatuses`, `setResponseCallback`).

use std::cell::RefCell;
use std::rc::Rc;

use crate::js::runtime::VuContext;
use crate::js::value::{Args, Throw, Value};

/// k6's error code of a response: that of its error, or else of a status from 400 on; 0 for none.
pub(super) fn error_code(error: Option<u16>, status: u16) -> u16 {
    match error {
        Some(code) => code,
        None if status >= 400 => 1000 + status,
        None => 0,
    }
}

/// Status ranges, both ends included.
#[derive(Clone, Debug)]
pub(super) struct Expected(Rc<[(u16, u16)]>);

impl Expected {
    /// True if this status is expected; a request without a response has status 0.
    pub fn has(&self, status: u16) -> bool {
        self.0.iter().any(|(min, max)| (*min..=*max).contains(&status))
    }
}

/// What a VU expects unless a request says otherwise; `Some(None)` when it has no expectation.
#[derive(Default)]
pub(super) struct VuCallback(RefCell<Option<Option<Expected>>>);

impl VuCallback {
    /// What is expected now.
    pub fn get(&self) -> Option<Expected> {
        thread_local! {
            static DEFAULT: Expected = Expected([(200, 399)].into());
        }
        self.0.borrow_mut().get_or_insert_with(|| Some(DEFAULT.with(Clone::clone))).clone()
    }
}

/// `(args)` -> a handle.
pub(super) fn expect(_vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let Value::List(list) = args.take(0) else { return Err(Throw::go("no arguments")) };
    if list.is_empty() {
        return Err(Throw::go("no arguments"));
    }
    let ranges: Result<Vec<_>, Throw> = list.iter().enumerate().map(|(at, arg)| range(at + 1, arg)).collect();
    Ok(Value::Resource(Rc::new(Expected(ranges?.into()))))
}

/// One argument of `expectedStatuses`: a status, or both ends of a range.
fn range(number: usize, arg: &Value) -> Result<(u16, u16), Throw> {
    let whole = |value: &Value| match value {
        Value::Number(number) if number.fract() == 0.0 => Some(*number as u16),
        _ => None,
    };
    match arg {
        Value::Undefined | Value::Null => Err(Throw::type_error("Cannot convert undefined or null to object")),
        Value::Map(map) if ["min", "max"].iter().all(|name| map.iter().any(|(key, _)| key == name)) => {
            let end = |name: &str| map.iter().find(|(key, _)| key == name).and_then(|(_, value)| whole(value));
            end("min")
                .zip(end("max"))
                .ok_or_else(|| Throw::go(format!("both min and max need to be integers for argument number {number}")))
        }
        arg => whole(arg).map(|status| (status, status)).ok_or_else(|| {
            Throw::go(format!(
                "argument number {number} to expectedStatuses was neither an integer nor an object like {{min:100, \
                 max:329}}"
            ))
        }),
    }
}

/// `(handle)` or `(null)`.
pub(super) fn set_callback(vu: &VuContext, args: Args) -> Result<Value, Throw> {
    let callback = match args.get(0) {
        Value::Null => None,
        Value::Resource(_) => Some((*args.resource::<Expected>(0)?).clone()),
        _ => return Err(Throw::go("unsupported argument, expected http.expectedStatuses")),
    };
    *vu.module_state::<VuCallback>().0.borrow_mut() = Some(callback);
    Ok(Value::Undefined)
}
