//! A VU's realm on Boa.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use boa_engine::builtins::promise::{OperationType, Promise, ResolvingFunctions};
use boa_engine::context::{ContextBuilder, HostHooks};
use boa_engine::job::Job;
use boa_engine::module::SyntheticModule;
use boa_engine::object::JsObject;
use boa_engine::property::PropertyKey;
use boa_engine::realm::Realm as BoaRealm;
use boa_engine::{Context, Finalize, JsData, JsError, JsResult, JsString, JsSymbol, JsValue, Module, Trace, js_string};
use rustc_hash::FxHashMap;

use super::limits::ContextLimits;
use super::memory::CountedRealm;
use super::modules::Modules;
use super::promises::Jobs;
use super::{bytes_text, convert, errors, json, language, modules, names, promises, scope, split, strings};
use crate::js::engine::realm::{EngineContext, EngineRealm, PromiseState, RealmState};
use crate::js::engine::{ABSENT, ABSENT_MEMBERS, Compiled, ExportKind, Global, Host, NATIVE};
use crate::js::language::dates;
use crate::js::value::{Exception, Throw, Value};

/// Boa itself refers to these absent objects; their members are removed, to free the memory.
const HOLLOW: [&str; 5] = ["Atomics", "FinalizationRegistry", "Iterator", "SharedArrayBuffer", "WeakRef"];

/// What is kept for a realm.
pub type BoaState = RealmState<Context>;

/// One VU's Boa.
pub struct Boa {
    /// Boxed, because it must stay where it is: `limits` knows the place.
    context: RefCell<Box<Context>>,
    limits: ContextLimits,
    state: Rc<BoaState>,
    _counted: CountedRealm,
}

/// What only Boa keeps for a realm.
#[derive(Default)]
pub struct BoaExtras {
    /// The modules of js-stdlib whose exports can be replaced; each lives in its place as long as the realm has the module.
    pub rebindable: RefCell<FxHashMap<String, *const SyntheticModule>>,
    /// Jobs that wait.
    pub jobs: RefCell<VecDeque<Job>>,
    /// The property that makes an object stand for a native thing: `Symbol.for('volley.native')`.
    pub native: OnceCell<JsSymbol>,
    /// Boa's own getter of `stack`.
    pub frames: RefCell<Option<JsObject>>,
    /// A native function has stopped the VU. Boa forgets that where it happens in an async function behind an `await`.
    pub stopped: Cell<bool>,
    /// The globals that were made from parts, or that scripts have put in their places.
    pub made: RefCell<FxHashMap<&'static str, JsValue>>,
}

/// The state of a realm as Boa's context data, for native functions. What it holds counts as a root for the collector, which
/// does not look into it.
#[derive(Trace, Finalize, JsData)]
#[boa_gc(unsafe_no_drop)]
struct RealmData(#[unsafe_ignore_trace] Rc<BoaState>);

/// The state of the realm this is the context of.
pub fn state(context: &Context) -> Rc<BoaState> {
    let data = context.get_data::<RealmData>().map(|realm| realm.0.clone());
    data.unwrap_or_else(|| unreachable!("a context is made with the state of its realm"))
}

impl Boa {
    /// A new, empty realm.
    ///
    /// # Errors
    /// When Boa can't start.
    pub fn new(host: Rc<dyn Host>) -> Result<Self, Throw> {
        let state = BoaState::new(host, BoaExtras::default());
        let mut context = ContextBuilder::new()
            .host_hooks(Rc::new(BoaHostHooks(state.clone())))
            .job_executor(Rc::new(Jobs(state.clone())))
            .module_loader(Rc::new(Modules(state.clone())))
            .build()
            .map_err(|error| Throw::go(format!("Boa can't start: {error}")))?;
        let limits = ContextLimits::default();
        let stopped = limits.share();
        state.host.on_stop(Box::new(move || stopped.stop()));
        context.insert_data(RealmData(state.clone()));
        let context = RefCell::new(Box::new(context));
        let this = Self { context, limits, state, _counted: CountedRealm::new() };
        this.enter(prepare).map_err(|error| Throw::go(error.to_string()))?;
        Ok(this)
    }
}

impl Drop for Boa {
    fn drop(&mut self) {
        self.limits.forget();
        names::leave(self.context.get_mut());
    }
}

/// Makes of the engine's language what scripts of k6 find.
fn prepare(context: &mut Context) -> JsResult<()> {
    json::replace_parse(context)?;
    json::replace_raw_json(context)?;
    split::replace(context)?;
    strings::replace(context)?;
    remove_absent(context)?;
    errors::replace_stack(context)?;
    errors::add_is_error(context)?;
    let state = state(context);
    if let Some(symbol) = native_symbol(context)? {
        let _ = state.extras.native.set(symbol);
    }
    language::install(context)?;
    bytes_text::install(context)?;
    // The last thing before js-stdlib: what it finds is what it keeps.
    let _ = state.primordials.set(scope::primordials(context)?);
    Ok(())
}

/// Removes what k6 does not have.
fn remove_absent(context: &mut Context) -> JsResult<()> {
    let global = context.global_object();
    for name in HOLLOW {
        let object = global.get(JsString::from(name), context)?;
        let Some(object) = object.as_object() else { continue };
        let prototype = object.get(js_string!("prototype"), context)?;
        for owner in [Some(object), prototype.as_object()].into_iter().flatten() {
            for key in owner.own_property_keys(context)? {
                if matches!(key, PropertyKey::String(_)) {
                    owner.delete_property_or_throw(key.clone(), context).or_else(|_| JsResult::Ok(false))?;
                }
            }
        }
    }
    for (path, names) in ABSENT_MEMBERS {
        let mut owner = Some(global.clone());
        for step in path.split('.') {
            owner = match owner {
                Some(object) => object.get(JsString::from(step), context)?.as_object(),
                None => None,
            };
        }
        let Some(owner) = owner else { continue };
        for name in names {
            owner.delete_property_or_throw(JsString::from(*name), context)?;
        }
    }
    for name in ABSENT {
        global.delete_property_or_throw(JsString::from(name), context)?;
    }
    Ok(())
}

/// `Symbol.for('volley.native')`
fn native_symbol(context: &mut Context) -> JsResult<Option<JsSymbol>> {
    let symbols = context.intrinsics().constructors().symbol().constructor();
    let registry = symbols.get(js_string!("for"), context)?;
    let name = JsString::from(NATIVE.to_string_lossy().as_ref());
    let Some(registry) = registry.as_callable() else { return Ok(None) };
    Ok(registry.call(&symbols.into(), &[name.into()], context)?.as_symbol())
}

struct BoaHostHooks(Rc<BoaState>);

impl HostHooks for BoaHostHooks {
    fn local_timezone_offset_seconds(&self, unix_time_seconds: i64) -> i32 {
        dates::local_offset(unix_time_seconds)
    }

    fn ensure_can_compile_strings(
        &self,
        _realm: BoaRealm,
        parameters: &[JsString],
        body: &JsString,
        _direct: bool,
        _context: &mut Context,
    ) -> JsResult<()> {
        parameters.iter().chain([body]).try_for_each(|text| errors::ensure_parsable(&text.to_std_string_lossy()))
    }

    fn promise_rejection_tracker(&self, promise: &JsObject<Promise>, operation: OperationType, context: &mut Context) {
        promises::track_rejection(&self.0, promise, operation, context);
    }
}

impl EngineRealm for Boa {
    type Context = Context;

    fn enter<R>(&self, run: impl FnOnce(&mut Context) -> R) -> R {
        let context = &mut **self.context.borrow_mut();
        self.limits.set(context, || self.state.host.is_stopped());
        names::with(context, run)
    }

    fn state(&self) -> Rc<BoaState> {
        self.state.clone()
    }

    fn run_pending_jobs(&self) -> Result<(), Throw> {
        let BoaExtras { jobs, stopped, .. } = &self.state.extras;
        if jobs.borrow().is_empty() && !stopped.get() {
            // As after jobs; no JavaScript runs.
            self.context.borrow_mut().clear_kept_objects();
            return Ok(());
        }
        self.enter(|context| {
            let ran = context.run_jobs().map_err(|error| errors::caught(error, context));
            if self.state.extras.stopped.take() { Err(Throw::Stop) } else { ran }
        })
    }
}

impl EngineContext for Context {
    type Value = JsValue;
    type Module = Module;
    type Resolvers = ResolvingFunctions;
    type Error = JsError;
    type Extras = BoaExtras;
    const LINKS_WHEN_EVALUATED: bool = false;

    fn state(&self) -> Rc<BoaState> {
        state(self)
    }

    fn undefined(&self) -> JsValue {
        JsValue::undefined()
    }

    fn to_js(&mut self, value: Value) -> JsResult<JsValue> {
        convert::to_js(value, self)
    }

    fn to_rust(&mut self, value: &JsValue) -> JsResult<Value> {
        convert::to_rust(value, self)
    }

    fn kind(&self, value: &JsValue) -> ExportKind {
        if value.is_callable() {
            ExportKind::Function
        } else if value.is_null_or_undefined() {
            ExportKind::Nothing
        } else {
            ExportKind::Value
        }
    }

    fn is_object(&self, value: &JsValue) -> bool {
        value.is_object()
    }

    fn is_same_object(&self, one: &JsValue, other: &JsValue) -> bool {
        match (one.as_object(), other.as_object()) {
            (Some(one), Some(other)) => JsObject::equals(&one, &other),
            _ => false,
        }
    }

    fn throw(&mut self, throw: Throw) -> JsError {
        errors::thrown(throw, self)
    }

    fn throw_value(&mut self, value: JsValue) -> JsError {
        JsError::from_opaque(value)
    }

    fn error_value(&mut self, throw: Throw) -> JsValue {
        errors::error_value(throw, self)
    }

    fn catch(&mut self, error: JsError) -> Option<JsValue> {
        error.into_opaque(self).ok()
    }

    fn caught(&mut self, error: JsError) -> Throw {
        errors::caught(error, self)
    }

    fn describe(&mut self, value: &JsValue) -> Exception {
        errors::describe(value, self)
    }

    fn call(&mut self, function: &JsValue, args: &[JsValue]) -> JsResult<JsValue> {
        match function.as_callable() {
            Some(function) => function.call(&JsValue::undefined(), args, self),
            None => Err(errors::thrown(Throw::type_error("not a function"), self)),
        }
    }

    fn entry_failed(&mut self) {
        state(self).extras.stopped.set(false);
    }

    fn get(&mut self, object: &JsValue, name: &str) -> JsResult<JsValue> {
        match object.as_object() {
            Some(object) => object.get(convert::property_key(name), self),
            None => Ok(JsValue::undefined()),
        }
    }

    fn has(&mut self, object: &JsValue, name: &str) -> JsResult<bool> {
        object.as_object().map_or(Ok(false), |object| object.has_property(convert::property_key(name), self))
    }

    fn entries(&mut self, object: &JsValue) -> JsResult<Vec<(String, JsValue)>> {
        let Some(object) = object.as_object() else { return Ok(Vec::new()) };
        let keys = convert::enumerable_keys(&object, self)?;
        keys.into_iter().map(|key| Ok((key.to_std_string_lossy(), object.get(key, self)?))).collect()
    }

    fn promise_state(&mut self, value: &JsValue) -> Option<PromiseState<JsValue>> {
        promises::promise_state(value)
    }

    fn settle_promise(&mut self, resolvers: ResolvingFunctions, result: Result<JsValue, JsValue>) {
        promises::settle(&resolvers, result, self);
    }

    fn load_module(&mut self, address: &str) -> JsResult<Module> {
        modules::load(address, self)
    }

    fn load_imports(&mut self, module: &Module) -> JsResult<()> {
        modules::load_imports(module, self)
    }

    fn link(&mut self, module: &Module) -> JsResult<()> {
        module.link(self)
    }

    fn evaluate_module(&mut self, module: &Module) -> JsResult<JsValue> {
        module.evaluate(self).map(JsValue::from)
    }

    fn namespace(&mut self, module: &Module) -> JsResult<JsValue> {
        Ok(module.namespace(self).into())
    }

    fn forget_other_modules(&mut self, known: &[String]) {
        let state = state(self);
        state.extras.rebindable.borrow_mut().retain(|address, _| known.contains(address));
        state.forget_other_modules(known);
    }

    fn run_script(&mut self, address: &str, text: &str, _compiled: &Compiled) -> JsResult<JsValue> {
        modules::run_script(address, text, self)
    }

    fn run_part(&mut self, _address: &str, text: &str, _compiled: &Compiled) -> JsResult<JsValue> {
        scope::run_part(text, self)
    }

    fn native_namespace(&mut self, address: &'static str) -> JsResult<JsValue> {
        scope::native_namespace(address, self)
    }

    fn define_global(&mut self, name: &'static str, global: Global, enumerable: bool) -> JsResult<()> {
        scope::define(name, global, enumerable, self)
    }
}
