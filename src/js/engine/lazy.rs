//! Parts of js-stdlib: evaluated when they are first needed, so that what a script doesn't use costs it next to nothing.

use super::realm::EngineContext;
use super::{ENGINE, GLOBALS, ModuleCode};
use crate::js::value::Throw;

/// What a part makes; of one that is shared, a member.
///
/// # Errors
/// What the part throws.
pub fn part<C: EngineContext>(context: &mut C, name: &str, member: Option<&str>) -> Result<C::Value, C::Error> {
    let given = [context.native_namespace(GLOBALS)?, context.native_namespace(ENGINE)?];
    let call = |context: &mut C, function: &C::Value| context.call(function, &given);
    let Some(member) = member else {
        let function = value(context, name)?;
        return call(context, &function);
    };
    let shared = once(context, name, call)?;
    context.get(&shared, member)
}

/// The value of a part's expression, made anew.
///
/// # Errors
/// What it throws, or that there is no such part.
pub fn value<C: EngineContext>(context: &mut C, name: &str) -> Result<C::Value, C::Error> {
    let address = format!("lazy:{name}");
    let host = context.state().host.clone();
    match host.load(&address) {
        Ok(ModuleCode::Script { text, compiled }) => context.run_part(&address, &text, &compiled),
        Ok(_) => Err(context.throw(Throw::type_error(format!("{address} is no lazy script")))),
        Err(throw) => Err(context.throw(throw)),
    }
}

/// What a part that is a function returned when it was first called in this realm.
///
/// # Errors
/// What it throws.
pub fn once<C: EngineContext>(
    context: &mut C,
    name: &str,
    call: impl FnOnce(&mut C, &C::Value) -> Result<C::Value, C::Error>,
) -> Result<C::Value, C::Error> {
    if let Some(known) = context.state().part(name) {
        return Ok(known);
    }
    let function = value(context, name)?;
    let made = call(context, &function)?;
    context.state().add_part(name, made.clone());
    Ok(made)
}
