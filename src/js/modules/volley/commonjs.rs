//! The native half of `require`: which module a specifier means.

use super::super::Op;
use super::globals::init_only;
use crate::js::loader::Loader;
use crate::js::modules::k6::tag_text;
use crate::js::runtime::VuContext;
use crate::js::value::{Args, Throw, Value};

/// The native half.
pub const OPS: &[(&str, Op)] = &[("findRequired", find_required)];

/// `(specifier, base)` -> `{kind, address}` of what `require` in the module `base` asks for; without one it is the
/// main module.
fn find_required(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    if !vu.is_init() {
        return Err(init_only("require"));
    }
    let specifier = match args.take(0) {
        Value::Undefined | Value::Null => String::new(),
        other => tag_text(&other).unwrap_or_else(|| "[object Object]".to_owned()),
    };
    let base = args.string(1);
    let base = if base.is_empty() { vu.script.address.clone() } else { base };
    let (kind, address) = Loader::of(&vu.script).required(&specifier, &base)?;
    vu.requirer.replace(base);
    Ok(Value::Map(vec![("kind".to_owned(), kind.into()), ("address".to_owned(), Value::String(address))]))
}
