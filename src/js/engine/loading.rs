//! How modules are loaded, linked and evaluated: a script's, and those that are required while others run.

use super::realm::{EngineContext, PromiseState, forget_reason, forget_rejection};
use super::{COMMONJS, ENGINE, ModuleCode};
use crate::js::value::Throw;

/// Why the module at `address` can't be required: it would have to run later.
fn awaits(address: &str) -> Throw {
    Throw::go(format!("{address} awaits something at its top level, so it can't be required: import it"))
}

/// Why the module at `address` can't be required: it imports what requires it, and that has not ended.
fn is_imported(address: &str) -> Throw {
    Throw::go(format!("{address} can't be required by a module it imports"))
}

/// Why what is at `address` can't be imported.
pub fn no_module(address: &str) -> Throw {
    Throw::go(format!("{address} is no ES module"))
}

/// Loads, links and evaluates the module at `address`: the promise of its evaluation.
///
/// # Errors
/// What the module threw before its first `await`, or why it can't be had.
pub fn evaluate<C: EngineContext>(context: &mut C, address: &str) -> Result<C::Value, C::Error> {
    let state = context.state();
    let before = state.module_addresses();
    let module = forget_on_error(context, &before, |context| load(context, address))?;
    let linked = forget_on_error(context, &before, |context| {
        context.load_imports(&module)?;
        context.link(&module)
    });
    linked.inspect_err(|_| state.host.link_failed())?;
    let evaluated = context.evaluate_module(&module);
    if evaluated.is_err() && C::LINKS_WHEN_EVALUATED {
        state.host.link_failed();
    }
    let promise = evaluated?;
    if let Some(PromiseState::Rejected(reason)) = context.promise_state(&promise) {
        forget_rejection(context, &promise);
        return Err(context.throw_value(reason));
    }
    Ok(promise)
}

/// The module at `address`, loaded if it was not yet.
fn load<C: EngineContext>(context: &mut C, address: &str) -> Result<C::Module, C::Error> {
    match context.state().module(address) {
        Some(module) => Ok(module),
        None => context.load_module(address),
    }
}

/// Forgets all modules that were not there before if one can't be loaded or linked: an engine may free them.
fn forget_on_error<C: EngineContext, T>(
    context: &mut C,
    before: &[String],
    load: impl FnOnce(&mut C) -> Result<T, C::Error>,
) -> Result<T, C::Error> {
    let result = load(context);
    if result.is_err() {
        context.forget_other_modules(before);
    }
    result
}

/// Evaluates what is at `address` at once: the namespace of a module, the value of a script.
///
/// # Errors
/// What it throws, or why it can't be required.
pub fn require<C: EngineContext>(context: &mut C, address: &str) -> Result<C::Value, C::Error> {
    let state = context.state();
    let known = state.module(address);
    if known.is_none() && address != ENGINE {
        match state.host.load(address) {
            Err(throw) => return Err(context.throw(throw)),
            Ok(ModuleCode::Script { text, compiled }) => return context.run_script(address, &text, &compiled),
            Ok(_) => {}
        }
    }
    if let Some(module) = &known
        && state.host.is_running(address)
    {
        return context.namespace(module);
    }
    let before = state.module_addresses();
    let module = forget_on_error(context, &before, |context| {
        let module = load(context, address)?;
        context.load_imports(&module)?;
        Ok(module)
    })?;
    if state.host.is_running(address) {
        return Err(context.throw(is_imported(address)));
    }
    forget_on_error(context, &before, |context| context.link(&module))?;
    let promise = context.evaluate_module(&module)?;
    match context.promise_state(&promise) {
        Some(PromiseState::Rejected(reason)) => {
            forget_rejection(context, &promise);
            forget_reason(context, &reason);
            Err(context.throw_value(reason))
        }
        Some(PromiseState::Pending) => Err(context.throw(awaits(address))),
        _ => context.namespace(&module),
    }
}

/// What the evaluated module at `address` exports: its namespace, or what the CommonJS file it stands for exports.
///
/// # Errors
/// When the module was not evaluated.
pub fn exported<C: EngineContext>(context: &mut C, address: &str) -> Result<C::Value, Throw> {
    let module = context.state().module(address);
    let module = module.ok_or_else(|| Throw::go(format!("the module {address:?} was not evaluated")))?;
    let namespace = context.namespace(&module).map_err(|error| context.caught(error))?;
    let found = match context.has(&namespace, COMMONJS) {
        Ok(true) => context.get(&namespace, COMMONJS),
        Ok(false) => return Ok(namespace),
        Err(error) => Err(error),
    };
    Ok(match found {
        Ok(value) if context.is_object(&value) => value,
        Ok(_) => namespace,
        Err(error) => {
            drop(context.caught(error));
            namespace
        }
    })
}
