//! `k6/secrets`: the secrets of the run's sources.

use super::super::Op;
use crate::js::runtime::VuContext;
use crate::js::value::{Args, Throw, Value};

/// The native half of `k6/secrets`.
pub const OPS: &[(&str, Op)] = &[("get", get)];

/// `(source or undefined, key)`: a promise of the value.
fn get(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let source = match args.take(0) {
        Value::String(name) => Some(name),
        _ => None,
    };
    let (key, secrets) = (args.string(1), vu.script.secrets.clone());
    Ok(Value::Pending(Box::pin(async move {
        let value = secrets.get(source.as_deref(), &key).await;
        value.map(|value| Value::from(&*value)).map_err(|message| Throw::Host { message })
    })))
}
