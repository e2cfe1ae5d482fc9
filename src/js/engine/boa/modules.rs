//! How modules and scripts come into a realm, on Boa.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use boa_engine::builtins::promise::PromiseState;
use boa_engine::module::{ModuleLoader, ModuleRequest, Referrer, SyntheticModule, SyntheticModuleInitializer};
use boa_engine::object::builtins::{JsArray, JsFunction};
use boa_engine::object::{FunctionObjectBuilder, JsObject};
use boa_engine::{
    Context, Finalize, JsError, JsNativeError, JsResult, JsString, JsValue, Module, NativeFunction, Script, Source,
    Trace, js_string,
};

use super::convert::property_key;
use super::realm::{BoaState, state};
use super::{errors, scope};
use crate::js::engine::function_form::{FunctionForm, Import};
use crate::js::engine::realm::forget_rejection;
use crate::js::engine::{ENGINE, ModuleCode, NO_DYNAMIC_IMPORT, loading};
use crate::js::value::Throw;

/// What Boa asks for modules.
pub struct Modules(pub Rc<BoaState>);

impl ModuleLoader for Modules {
    async fn load_imported_module(
        self: Rc<Self>,
        referrer: Referrer,
        request: ModuleRequest,
        context: &RefCell<&mut Context>,
    ) -> JsResult<Module> {
        let base = referrer.path().map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
        let specifier = request.specifier().to_std_string_lossy();
        let context = &mut *context.borrow_mut();
        if !self.0.is_linking() {
            return Err(errors::thrown(Throw::Host { message: NO_DYNAMIC_IMPORT.to_owned() }, context));
        }
        let address = match self.0.host.resolve(&specifier, &base) {
            Ok(address) => address,
            Err(throw) => return Err(errors::thrown(throw, context)),
        };
        match self.0.module(&address) {
            Some(module) => Ok(module),
            None => load(&address, context),
        }
    }

    fn init_import_meta(self: Rc<Self>, import_meta: &JsObject, module: &Module, context: &mut Context) {
        let base = module.path().map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
        let resolve = NativeFunction::from_copy_closure_with_captures(
            |_this, args, base: &JsString, context| {
                let name = args.first().cloned().unwrap_or_default().to_string(context)?.to_std_string_lossy();
                match state(context).host.import_meta_resolve(&name, &base.to_std_string_lossy()) {
                    Ok(address) => Ok(JsString::from(address).into()),
                    Err(throw) => Err(errors::thrown(throw, context)),
                }
            },
            JsString::from(base),
        );
        let resolve = resolve.to_js_function(context.realm());
        // A fresh ordinary object takes any property.
        let _ = import_meta.create_data_property(js_string!("resolve"), resolve, context);
    }
}

/// Makes the module at `address`.
///
/// # Errors
/// Why it can't be had.
pub fn load(address: &str, context: &mut Context) -> JsResult<Module> {
    let module = if address == ENGINE { scope::engine_module(context) } else { load_code(address, context)? };
    state(context).add_module(address, module.clone());
    Ok(module)
}

fn load_code(address: &str, context: &mut Context) -> JsResult<Module> {
    match state(context).host.load(address) {
        Err(throw) => Err(errors::thrown(throw, context)),
        Ok(ModuleCode::Native(functions)) => Ok(native_module(address, functions, context)),
        Ok(ModuleCode::Script { .. }) => Err(errors::thrown(loading::no_module(address), context)),
        Ok(ModuleCode::Source { text, .. }) => {
            let is_ours = !address.contains("://");
            if let Some(form) = is_ours.then(|| FunctionForm::of(address, &text)).flatten() {
                return Ok(function_module(address, form, context));
            }
            errors::ensure_parsable(&text)?;
            let source = Source::from_bytes(text.as_bytes()).with_path(Path::new(address));
            Module::parse(source, None, context).map_err(|error| errors::placed(error, address, context))
        }
    }
}

/// The value of a script.
///
/// # Errors
/// What it throws.
pub fn run_script(address: &str, text: &str, context: &mut Context) -> JsResult<JsValue> {
    errors::ensure_parsable(text)?;
    let source = Source::from_bytes(text.as_bytes()).with_path(Path::new(address));
    let script = Script::parse(source, None, context).map_err(|error| errors::placed(error, address, context))?;
    script.evaluate(context)
}

/// Finds and loads everything a module imports. Jobs that wait meanwhile go on waiting.
///
/// # Errors
/// Why it can't be had.
pub fn load_imports(module: &Module, context: &mut Context) -> JsResult<()> {
    let state = state(context);
    let jobs = &state.extras.jobs;
    let waiting = jobs.take();
    let (loaded, ran) = state.while_linking(|| (module.load(context), context.run_jobs()));
    let late = jobs.replace(waiting);
    jobs.borrow_mut().extend(late);
    ran?;
    if let PromiseState::Rejected(reason) = loaded.state() {
        forget_rejection(context, &loaded.into());
        return Err(JsError::from_opaque(reason));
    }
    Ok(())
}

/// Names and numbers, nothing the collector has to trace.
#[derive(Trace, Finalize)]
struct NativeExports(#[unsafe_ignore_trace] Vec<(&'static str, usize)>);

/// Texts, nothing the collector has to trace.
#[derive(Trace, Finalize)]
struct FunctionModule {
    #[unsafe_ignore_trace]
    form: Arc<FunctionForm>,
    address: String,
}

/// A module whose exports are native functions.
fn native_module(address: &str, functions: Vec<(&'static str, usize)>, context: &mut Context) -> Module {
    let keys: Vec<JsString> = functions.iter().map(|(name, _)| property_key(name)).collect();
    let steps = SyntheticModuleInitializer::from_copy_closure_with_captures(
        |module, NativeExports(functions), context| {
            for (name, _) in functions {
                module.set_export(&property_key(name), native_value(name, functions, context))?;
            }
            Ok(())
        },
        NativeExports(functions),
    );
    Module::synthetic(&keys, steps, Some(address.into()), None, context)
}

/// One export of a native half, made anew; `undefined` where there is none.
pub fn native_value(name: &str, functions: &[(&'static str, usize)], context: &mut Context) -> JsValue {
    match functions.iter().find(|(known, _)| *known == name) {
        Some((_, place)) => native_function(*place, name, context).into(),
        None => JsValue::undefined(),
    }
}

/// A native function, by its place in the host's table.
pub fn native_function(place: usize, name: &str, context: &mut Context) -> JsFunction {
    let native =
        NativeFunction::from_copy_closure(move |_this, args, context| scope::call_native(place, args, context));
    FunctionObjectBuilder::new(context.realm(), native).name(property_key(name)).build()
}

/// A module of js-stdlib, evaluated as a function: what makes it costs nothing once it is made.
fn function_module(address: &str, form: Arc<FunctionForm>, context: &mut Context) -> Module {
    let names: Vec<JsString> = form.exports.iter().map(|export| property_key(&export.name)).collect();
    let steps = SyntheticModuleInitializer::from_copy_closure_with_captures(
        run_function_module,
        FunctionModule { form, address: address.to_owned() },
    );
    Module::synthetic(&names, steps, Some(address.into()), None, context)
}

fn run_function_module(module: &SyntheticModule, captures: &FunctionModule, context: &mut Context) -> JsResult<()> {
    let FunctionModule { form, address } = captures;
    let mut values = Vec::with_capacity(form.imports.len());
    for import in &form.imports {
        values.push(imported(import, context)?);
    }
    let parameters = form.imports.iter().map(|import| JsValue::from(JsString::from(import.local.as_str())));
    let source: Vec<_> = parameters.chain([JsString::from(form.body.as_str()).into()]).collect();
    let constructor = context.intrinsics().constructors().function().constructor();
    let function = constructor.construct(&source, None, context)?;
    let exports = function.call(&JsValue::undefined(), &values, context)?;
    let exports = exports.as_object().map(|list| JsArray::from_object(list.clone())).transpose()?;
    let exports = exports.ok_or_else(|| JsNativeError::typ().with_message("js-stdlib exports nothing"))?;
    for export in &form.exports {
        let name = property_key(&export.name);
        let mut value = exports.get(export.at as u64, context)?;
        if let (true, Some(object)) = (export.is_member, value.as_object()) {
            value = object.get(name.clone(), context)?;
        }
        module.set_export(&name, value)?;
    }
    let pointer = std::ptr::from_ref(module);
    state(context).extras.rebindable.borrow_mut().insert(address.clone(), pointer);
    Ok(())
}

/// What an import of js-stdlib brings. Of native halves only what is named is made.
fn imported(import: &Import, context: &mut Context) -> JsResult<JsValue> {
    if import.specifier == ENGINE {
        return match &import.name {
            Some(name) => Ok(scope::engine_value(name, context)),
            None => scope::native_namespace(ENGINE, context),
        };
    }
    let state = state(context);
    let code = match state.host.load(&import.specifier) {
        Ok(code) => code,
        Err(throw) => return Err(errors::thrown(throw, context)),
    };
    match (code, &import.name) {
        (ModuleCode::Native(functions), Some(name)) => Ok(native_value(name, &functions, context)),
        (ModuleCode::Script { .. }, _) => Err(errors::thrown(loading::no_module(&import.specifier), context)),
        (ModuleCode::Native(_), None) => scope::native_namespace(&import.specifier, context),
        (ModuleCode::Source { .. }, name) => {
            let module = match state.module(&import.specifier) {
                Some(module) => module,
                None => load(&import.specifier, context)?,
            };
            load_imports(&module, context)?;
            module.link(context)?;
            let evaluated = module.evaluate(context)?;
            if let PromiseState::Rejected(reason) = evaluated.state() {
                return Err(JsError::from_opaque(reason));
            }
            let namespace = module.namespace(context);
            match name {
                Some(name) => namespace.get(property_key(name), context),
                None => Ok(namespace.into()),
            }
        }
    }
}
