//! How modules and scripts come into a realm, on QuickJS.

use super::ffi::{Borrowed, Closure, CodeKind, Context, ModuleRef, NativeCall, NativeModule, Owned, Thrown};
use super::{errors, realm, scope, source_texts};
use crate::js::engine::{Bytecode, Compiled, ENGINE, ModuleCode, NO_DYNAMIC_IMPORT, loading};
use crate::js::value::Throw;

/// The address a specifier means in the module `referrer`, asked for while modules are linked.
pub fn resolve(context: Context, specifier: &str, referrer: &str) -> Result<String, Thrown> {
    let state = context.state();
    if !state.is_linking() {
        return Err(errors::throw(context, Throw::Host { message: NO_DYNAMIC_IMPORT.to_owned() }));
    }
    state.host.resolve(specifier, referrer).map_err(|throw| errors::throw(context, throw))
}

/// Makes the module at `address`, from bytecode where the process has it already.
pub fn load(context: Context, address: &str) -> Result<ModuleRef, Thrown> {
    let module = if address == ENGINE { scope::engine_module(context)? } else { load_code(context, address)? };
    context.state().add_module(address, module);
    Ok(module)
}

fn load_code(context: Context, address: &str) -> Result<ModuleRef, Thrown> {
    let no_module = || errors::throw(context, loading::no_module(address));
    match context.state().host.load(address) {
        Err(throw) => Err(errors::throw(context, throw)),
        Ok(ModuleCode::Native(functions)) => {
            context.native_module::<HostFunctions>(address, functions.into_iter().map(|(name, _)| name))
        }
        Ok(ModuleCode::Script { .. }) => Err(no_module()),
        Ok(ModuleCode::Source { text, compiled }) => {
            // The context has a reference of its own to a module that was declared.
            let compiled = compile(context, address, &text, &compiled, CodeKind::Module)?;
            let module = ModuleRef::of(&compiled).ok_or_else(no_module)?;
            add_meta(context, module, address)?;
            Ok(module)
        }
    }
}

/// The value of a script.
pub fn run_script(context: Context, address: &str, text: &str, compiled: &Compiled) -> Result<Owned, Thrown> {
    let script = compile(context, address, text, compiled, CodeKind::Script)?;
    context.evaluate(script)
}

/// The code at `address`, from bytecode where the process has it already.
fn compile(context: Context, address: &str, text: &str, compiled: &Compiled, kind: CodeKind) -> Result<Owned, Thrown> {
    // Compiling a module asks for what it imports.
    let state = context.state();
    if let Some(bytecode) = compiled.get() {
        return state.while_linking(|| context.read_bytecode(bytecode));
    }
    let code = state.while_linking(|| context.compile(address, text, kind));
    match &code {
        Ok(code) => {
            // js-stdlib has no source and no positions to show.
            let is_ours = !address.contains("://");
            if let Some(bytecode) = context.write_bytecode(code, is_ours) {
                let extents = if is_ours { Vec::new() } else { state.host.function_extents(address) };
                let _ = compiled.set(Bytecode::new(source_texts::mark(&bytecode, text, &extents)));
            }
        }
        Err(Thrown) => errors::place_regexp(context, address),
    }
    code
}

/// `import.meta.resolve(specifier)`, the only thing k6 has there.
fn add_meta(context: Context, module: ModuleRef, address: &str) -> Result<(), Thrown> {
    if !address.contains("://") {
        return Ok(());
    }
    let meta = context.import_meta(module)?;
    let base = context.string(address)?;
    let function = context.closure::<MetaResolve, 1>((c"", 1, 0), [base.borrow()])?;
    realm::put(context, &meta, "resolve", function)
}

struct MetaResolve;

impl Closure<1> for MetaResolve {
    fn call(call: &NativeCall<'_>, [base]: &[Borrowed<'_>; 1]) -> Result<Owned, Thrown> {
        let context = call.context;
        let base = context.text_or_empty(*base);
        match context.state().host.import_meta_resolve(&call.text(0), &base) {
            Ok(address) => context.string(&address),
            Err(throw) => Err(errors::throw(context, throw)),
        }
    }
}

/// A module whose exports are native functions.
struct HostFunctions;

impl NativeModule for HostFunctions {
    fn export(context: Context, address: &str, place: usize) -> Result<Owned, Thrown> {
        let function = match context.state().host.load(address) {
            Ok(ModuleCode::Native(functions)) => functions.get(place).copied(),
            Ok(_) => None,
            Err(throw) => return Err(errors::throw(context, throw)),
        };
        match function {
            Some((name, place)) => scope::native_function(context, name, place),
            None => Err(errors::throw(context, Throw::type_error(format!("{address} has no such function")))),
        }
    }
}
