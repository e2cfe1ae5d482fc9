//! Boa behind the seam: one context per VU; all contexts of a worker share one garbage-collected heap.
//!
//! A VU gives its neighbours a turn whenever it calls a native function; what calls none ends when its VU has to stop
//! ([`limits`]). Neither source nor JSON goes through Boa's own
//! `JSON.parse`: ours builds values straight from the text.

mod language;
mod limits;
mod nesting;
mod scope;
mod split;
mod strings;

use std::cell::{Cell, RefCell, RefMut};
use std::collections::VecDeque;
use std::path::Path;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Waker};

use boa_engine::builtins::object::OrdinaryObject;
use boa_engine::builtins::promise::{OperationType, Promise, PromiseState, ResolvingFunctions};
use boa_engine::context::{ContextBuilder, HostHooks};
use boa_engine::error::RuntimeLimitError;
use boa_engine::job::{Job, JobExecutor};
use boa_engine::module::{ModuleLoader, ModuleRequest, Referrer, SyntheticModule, SyntheticModuleInitializer};
use boa_engine::object::builtins::{AlignedVec, JsArray, JsArrayBuffer, JsFunction, JsPromise, JsTypedArray};
use boa_engine::object::{FunctionObjectBuilder, JsObject};
use boa_engine::property::{PropertyDescriptor, PropertyKey};
use boa_engine::realm::Realm as BoaRealm;
use boa_engine::{
    Context, Finalize, JsData, JsError, JsNativeError, JsResult, JsString, JsSymbol, JsValue, JsVariant, Module,
    NativeFunction, Script, Source, Trace, js_string,
};
use bytes::Bytes;
use rustc_hash::FxHashMap;
use serde::Deserialize as _;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};

use self::limits::Limits;
use super::function_form::{FunctionForm, Import};
use super::stack;
use super::{ExportKind, Global, Host, ModuleCode, PromiseOutcome, Realm};
use crate::js::value::{Args, Exception, Handle, Resource, Throw, Value};
use crate::js::{coroutine, dates};
use crate::source::Shared as File;

/// Objects nested deeper than this on their way to Rust are taken for cyclic.
const MAX_DEPTH: usize = 64;
/// What is left of a stack when nothing may descend any further.
const LEAST_STACK: usize = 64 * 1024;

/// Read of what a `catch` gets: a `TypeError` then says what it is about.
pub const ON_CATCH: &str = "$explained";

/// Of what is absent, Boa itself keeps these objects; their members are removed, so that nobody holds them.
const HOLLOW: [&str; 5] = ["Atomics", "FinalizationRegistry", "Iterator", "SharedArrayBuffer", "WeakRef"];

/// One VU's Boa.
pub struct Boa {
    /// Boxed, because it must stay where it is: `limits` knows the place.
    context: RefCell<Box<Context>>,
    limits: Limits,
    shared: Rc<Shared>,
}

impl Drop for Boa {
    fn drop(&mut self) {
        self.limits.forget();
    }
}

struct Shared {
    host: Rc<dyn Host>,
    kept: RefCell<(Vec<JsValue>, Vec<u32>)>,
    promises: RefCell<FxHashMap<u32, ResolvingFunctions>>,
    next_promise: Cell<u32>,
    rejections: RefCell<Vec<JsObject>>,
    modules: RefCell<FxHashMap<String, Module>>,
    /// The modules of js-stdlib whose exports can be replaced; each lives in its place as long as `modules` has it.
    rebindable: RefCell<FxHashMap<String, *const SyntheticModule>>,
    jobs: RefCell<VecDeque<Job>>,
    /// True while modules are linked; a module asked for at another time is asked for by `import()`.
    linking: Cell<bool>,
    /// The property that makes an object stand for a native thing: `Symbol.for('volley.native')`.
    native: RefCell<Option<JsSymbol>>,
    /// Boa's own getter of `stack`.
    frames: RefCell<Option<JsObject>>,
    /// A native function has stopped the VU. Boa forgets that where it happens in an async function behind an `await`.
    stopped: Cell<bool>,
    /// What js-stdlib takes of the language.
    primordials: RefCell<JsValue>,
    /// The globals that were made from parts, or that scripts have put in their places.
    made: RefCell<FxHashMap<&'static str, JsValue>>,
    /// What parts returned that are called once, by name.
    parts: RefCell<FxHashMap<String, JsValue>>,
}

impl Shared {
    fn forget_rejection(&self, promise: &JsPromise) {
        let promise: JsObject = promise.clone().into();
        self.rejections.borrow_mut().retain(|known| !JsObject::equals(known, &promise));
    }

    /// Finds and loads everything a module imports. Jobs that wait meanwhile go on waiting.
    fn load_imports(&self, module: &Module, context: &mut Context) -> JsResult<()> {
        let waiting = std::mem::take(&mut *self.jobs.borrow_mut());
        let was_linking = self.linking.replace(true);
        let loaded = module.load(context);
        let ran = context.run_jobs();
        self.linking.set(was_linking);
        let late = std::mem::replace(&mut *self.jobs.borrow_mut(), waiting);
        self.jobs.borrow_mut().extend(late);
        ran?;
        if let PromiseState::Rejected(reason) = loaded.state() {
            self.forget_rejection(&loaded);
            return Err(JsError::from_opaque(reason));
        }
        Ok(())
    }
}

/// A native thing in JavaScript's hands.
#[derive(Trace, Finalize, JsData)]
#[boa_gc(unsafe_no_drop)]
struct Native(#[unsafe_ignore_trace] Resource);

impl Boa {
    pub(super) fn new(host: Rc<dyn Host>) -> Result<Self, Throw> {
        let shared = Rc::new(Shared {
            host,
            kept: RefCell::default(),
            promises: RefCell::default(),
            next_promise: Cell::new(0),
            rejections: RefCell::default(),
            modules: RefCell::default(),
            rebindable: RefCell::default(),
            jobs: RefCell::default(),
            linking: Cell::new(false),
            native: RefCell::default(),
            frames: RefCell::default(),
            stopped: Cell::new(false),
            primordials: RefCell::default(),
            made: RefCell::default(),
            parts: RefCell::default(),
        });
        let mut context = ContextBuilder::new()
            .host_hooks(Rc::new(Hooks(shared.clone())))
            .job_executor(Rc::new(Jobs(shared.clone())))
            .module_loader(Rc::new(Modules(shared.clone())))
            .build()
            .map_err(|error| Throw::go(format!("Boa can't start: {error}")))?;
        let limits = Limits::default();
        let stopped = limits.clone();
        shared.host.on_stop(Box::new(move || stopped.stop()));
        context.insert_data(Realm_(shared.clone()));
        let this = Self { context: RefCell::new(Box::new(context)), limits, shared };
        this.replace_json_parse().map_err(|error| Throw::go(error.to_string()))?;
        this.replace_split().map_err(|error| Throw::go(error.to_string()))?;
        strings::replace(&mut this.context.borrow_mut()).map_err(|error| Throw::go(error.to_string()))?;
        this.remove_what_is_absent().map_err(|error| Throw::go(error.to_string()))?;
        this.replace_stack().map_err(|error| Throw::go(error.to_string()))?;
        this.find_native_symbol().map_err(|error| Throw::go(error.to_string()))?;
        this.take_language().map_err(|error| Throw::go(error.to_string()))?;
        Ok(this)
    }

    /// The context, for JavaScript that is about to run on this VU's stack.
    fn enter(&self) -> RefMut<'_, Box<Context>> {
        let mut context = self.context.borrow_mut();
        self.limits.set(&mut context, || self.shared.host.is_stopped());
        context
    }

    fn remove_what_is_absent(&self) -> JsResult<()> {
        let context = &mut **self.enter();
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
        for (path, names) in super::ABSENT_MEMBERS {
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
        for name in super::ABSENT {
            global.delete_property_or_throw(JsString::from(name), context)?;
        }
        Ok(())
    }

    /// The last thing before js-stdlib: what it finds is what it keeps.
    fn take_language(&self) -> JsResult<()> {
        let context = &mut **self.enter();
        language::install(context)?;
        *self.shared.primordials.borrow_mut() = scope::primordials(context)?;
        Ok(())
    }

    fn find_native_symbol(&self) -> JsResult<()> {
        let context = &mut **self.enter();
        let symbols = context.intrinsics().constructors().symbol().constructor();
        let registry = symbols.get(js_string!("for"), context)?;
        let name = JsString::from(super::NATIVE.to_string_lossy().as_ref());
        if let Some(registry) = registry.as_callable() {
            let symbol = registry.call(&symbols.into(), &[name.into()], context)?;
            *self.shared.native.borrow_mut() = symbol.as_symbol();
        }
        Ok(())
    }

    /// `error.stack` as k6 writes it.
    fn replace_stack(&self) -> JsResult<()> {
        let context = &mut **self.enter();
        let prototype = context.intrinsics().constructors().error().prototype();
        let constructor = context.intrinsics().constructors().object().constructor();
        let describe = constructor.get(js_string!("getOwnPropertyDescriptor"), context)?;
        let Some(describe) = describe.as_callable() else { return Ok(()) };
        let args = [prototype.clone().into(), js_string!("stack").into()];
        let Some(old) = describe.call(&JsValue::undefined(), &args, context)?.as_object() else { return Ok(()) };
        *self.shared.frames.borrow_mut() = old.get(js_string!("get"), context)?.as_object();
        let set = old.get(js_string!("set"), context)?;
        let stack = NativeFunction::from_fn_ptr(|this, _args, context| {
            let Some(object) = this.as_object() else { return Ok(JsValue::undefined()) };
            let text = this.to_string(context).map(|text| text.to_std_string_lossy()).unwrap_or_default();
            Ok(JsString::from(stack_of(&object, &text, context)).into())
        });
        let stack = FunctionObjectBuilder::new(context.realm(), stack).name(js_string!("get stack")).build();
        let new = PropertyDescriptor::builder().get(stack).set(set).enumerable(false).configurable(true);
        prototype.define_property_or_throw(js_string!("stack"), new, context)?;
        let explained = NativeFunction::from_fn_ptr(|this, _args, context| {
            if let Some(error) = this.as_object() {
                explain(&error, context);
            }
            Ok(JsValue::undefined())
        });
        let explained = FunctionObjectBuilder::new(context.realm(), explained).build();
        let hook = PropertyDescriptor::builder().get(explained).enumerable(false).configurable(true);
        let prototype = context.intrinsics().constructors().type_error().prototype();
        prototype.define_property_or_throw(js_string!(ON_CATCH), hook, context)?;
        Ok(())
    }

    /// `text.split(separator)`, natively: Boa's own takes a time that grows with the square of the text. Anything else goes
    /// the old way.
    fn replace_split(&self) -> JsResult<()> {
        let context = &mut **self.enter();
        let prototype = context.intrinsics().constructors().string().prototype();
        let old = prototype.get(js_string!("split"), context)?;
        let split = NativeFunction::from_copy_closure_with_captures(
            |this, args, old, context| {
                if let (Some(text), [separator]) = (this.as_string(), args)
                    && let Some(separator) = separator.as_string()
                    && let Some(pieces) = split::pieces(&text, &separator)
                {
                    return Ok(JsArray::from_iter(pieces.into_iter().map(JsValue::from), context).into());
                }
                match old.as_callable() {
                    Some(old) => old.call(this, args, context),
                    None => Ok(JsValue::undefined()),
                }
            },
            old,
        );
        let function = FunctionObjectBuilder::new(context.realm(), split).name(js_string!("split")).length(2).build();
        prototype.define_property_or_throw(
            js_string!("split"),
            PropertyDescriptor::builder().value(function).writable(true).enumerable(false).configurable(true),
            context,
        )?;
        Ok(())
    }

    /// `JSON.parse` of a string, natively; anything else goes the old way.
    fn replace_json_parse(&self) -> JsResult<()> {
        let context = &mut **self.enter();
        let json = context.intrinsics().objects().json();
        let old = json.get(js_string!("parse"), context)?;
        let parse = NativeFunction::from_copy_closure_with_captures(
            |this, args, old, context| {
                if let Some(text) = args.first().and_then(JsValue::as_string) {
                    let value = parse_json(text.to_std_string_lossy().as_bytes(), context)?;
                    return match args.get(1).and_then(JsValue::as_callable) {
                        Some(reviver) => {
                            let root = plain_object(context);
                            put(&root, js_string!(), value);
                            revive(&root, js_string!().into(), &reviver, context)
                        }
                        None => Ok(value),
                    };
                }
                match old.as_callable() {
                    Some(old) => old.call(this, args, context),
                    None => Ok(JsValue::undefined()),
                }
            },
            old,
        );
        let function = FunctionObjectBuilder::new(context.realm(), parse).name(js_string!("parse")).length(2).build();
        json.define_property_or_throw(
            js_string!("parse"),
            PropertyDescriptor::builder().value(function).writable(true).enumerable(false).configurable(true),
            context,
        )?;
        Ok(())
    }

    fn put(&self, value: JsValue) -> Handle {
        let (slots, free) = &mut *self.shared.kept.borrow_mut();
        if let Some(at) = free.pop() {
            slots[at as usize] = value;
            return Handle(at);
        }
        slots.push(value);
        Handle((slots.len() - 1) as u32)
    }

    fn kept(&self, kept: Handle) -> JsValue {
        self.shared.kept.borrow().0.get(kept.0 as usize).cloned().unwrap_or_default()
    }

    fn module(&self, address: &str) -> Result<Module, Throw> {
        let module = self.shared.modules.borrow().get(address).cloned();
        module.ok_or_else(|| Throw::go(format!("the module {address:?} was not evaluated")))
    }

    fn forget_rejection(&self, promise: &JsPromise) {
        self.shared.forget_rejection(promise);
    }

    fn throw(&self, error: JsError, context: &mut Context) -> Throw {
        throw_from(error, &self.shared, context)
    }
}

/// The realm's state as Boa's context data, for native functions.
#[derive(Trace, Finalize, JsData)]
#[boa_gc(unsafe_no_drop)]
struct Realm_(#[unsafe_ignore_trace] Rc<Shared>);

fn shared(context: &Context) -> JsResult<Rc<Shared>> {
    let data = context.get_data::<Realm_>().map(|realm| realm.0.clone());
    data.ok_or_else(|| JsNativeError::typ().with_message("this context belongs to no VU").into())
}

impl Realm for Boa {
    fn evaluate(&self, address: &str) -> Result<Handle, Throw> {
        let context = &mut **self.enter();
        let known = self.shared.modules.borrow().get(address).cloned();
        let module = match known {
            Some(module) => module,
            None => load_module(&self.shared, address, context).map_err(|error| self.throw(error, context))?,
        };
        let linked = self.shared.load_imports(&module, context).and_then(|()| module.link(context));
        if let Err(error) = linked {
            self.shared.host.link_failed();
            return Err(self.throw(error, context));
        }
        let promise = module.evaluate(context).map_err(|error| self.throw(error, context))?;
        if let PromiseState::Rejected(reason) = promise.state() {
            self.forget_rejection(&promise);
            return Err(self.throw(JsError::from_opaque(reason), context));
        }
        Ok(self.put(promise.into()))
    }

    fn define_global(&self, name: &'static str, global: Global, enumerable: bool) -> Result<(), Throw> {
        let context = &mut **self.enter();
        scope::define(name, global, enumerable, context).map_err(|error| self.throw(error, context))
    }

    fn part(&self, name: &str, member: Option<&str>) -> Result<Handle, Throw> {
        let context = &mut **self.enter();
        let value = scope::part(name, member, context).map_err(|error| self.throw(error, context))?;
        Ok(self.put(value))
    }

    fn exports(&self, address: &str) -> Result<Vec<(String, ExportKind)>, Throw> {
        let module = self.module(address)?;
        let context = &mut **self.enter();
        let namespace = exported(&module, context);
        let keys = namespace.own_property_keys(context).map_err(|error| self.throw(error, context))?;
        let mut list = Vec::new();
        for key in keys {
            let PropertyKey::String(name) = &key else { continue };
            let name = name.to_std_string_lossy();
            let value = namespace.get(key, context).map_err(|error| self.throw(error, context))?;
            let export = if value.is_callable() {
                ExportKind::Function
            } else if value.is_null_or_undefined() {
                ExportKind::Nothing
            } else {
                ExportKind::Value
            };
            list.push((name, export));
        }
        Ok(list)
    }

    fn export(&self, address: &str, name: &str) -> Result<Handle, Throw> {
        let module = self.module(address)?;
        let context = &mut **self.enter();
        let namespace = exported(&module, context);
        let value = namespace.get(JsString::from(name), context).map_err(|error| self.throw(error, context))?;
        Ok(self.put(value))
    }

    fn call(&self, function: Handle, args: Vec<Value>) -> Result<Handle, Throw> {
        let function = self.kept(function);
        let context = &mut **self.enter();
        let Some(function) = function.as_callable() else {
            return Err(Throw::type_error("not a function"));
        };
        let mut list = Vec::with_capacity(args.len());
        for arg in args {
            list.push(to_js(arg, &self.shared, context).map_err(|error| self.throw(error, context))?);
        }
        let result = function.call(&JsValue::undefined(), &list, context);
        if result.is_err() {
            self.shared.stopped.set(false);
        }
        result.map(|value| self.put(value)).map_err(|error| self.throw(error, context))
    }

    fn retain(&self, value: Value) -> Result<Handle, Throw> {
        let context = &mut **self.enter();
        let value = to_js(value, &self.shared, context).map_err(|error| self.throw(error, context))?;
        Ok(self.put(value))
    }

    fn outcome(&self, kept: Handle) -> PromiseOutcome {
        let value = self.kept(kept);
        let context = &mut **self.enter();
        let Some(promise) = promise_of(&value) else {
            return PromiseOutcome::Value(from_js(&value, &self.shared, context, 0).unwrap_or(Value::Undefined));
        };
        match promise.state() {
            PromiseState::Pending => PromiseOutcome::Pending,
            PromiseState::Fulfilled(value) => {
                PromiseOutcome::Value(from_js(&value, &self.shared, context, 0).unwrap_or(Value::Undefined))
            }
            PromiseState::Rejected(reason) => {
                self.forget_rejection(&promise);
                PromiseOutcome::Rejected(describe(&reason, context))
            }
        }
    }

    fn fulfilled(&self, kept: Handle) -> Result<Handle, Exception> {
        let value = self.kept(kept);
        let Some(promise) = promise_of(&value) else { return Ok(self.put(value)) };
        match promise.state() {
            PromiseState::Pending => Ok(self.put(JsValue::undefined())),
            PromiseState::Fulfilled(value) => Ok(self.put(value)),
            PromiseState::Rejected(reason) => {
                self.forget_rejection(&promise);
                Err(describe(&reason, &mut self.enter()))
            }
        }
    }

    fn release(&self, kept: Handle) {
        let (slots, free) = &mut *self.shared.kept.borrow_mut();
        slots[kept.0 as usize] = JsValue::undefined();
        free.push(kept.0);
    }

    fn settle(&self, promise: u32, result: Result<Value, Throw>) {
        let Some(functions) = self.shared.promises.borrow_mut().remove(&promise) else { return };
        let context = &mut **self.enter();
        let (function, value) = match result {
            Ok(value) => match to_js(value, &self.shared, context) {
                Ok(value) => (functions.resolve.clone(), value),
                Err(error) => match error.into_opaque(context) {
                    Ok(value) => (functions.reject.clone(), value),
                    Err(_) => return,
                },
            },
            Err(throw) => (functions.reject.clone(), error_value(throw, context)),
        };
        // Resolving functions never throw.
        let _ = function.call(&JsValue::undefined(), &[value], context);
    }

    fn run_jobs(&self) -> Result<(), Throw> {
        let context = &mut **self.enter();
        let ran = context.run_jobs().map_err(|error| self.throw(error, context));
        if self.shared.stopped.take() { Err(Throw::Stop) } else { ran }
    }

    fn take_rejections(&self) -> Vec<Exception> {
        let list = std::mem::take(&mut *self.shared.rejections.borrow_mut());
        if list.is_empty() {
            return Vec::new();
        }
        let context = &mut **self.enter();
        list.into_iter()
            .filter_map(|promise| match JsPromise::from_object(promise).ok()?.state() {
                PromiseState::Rejected(reason) => Some(describe(&reason, context)),
                _ => None,
            })
            .collect()
    }
}

fn promise_of(value: &JsValue) -> Option<JsPromise> {
    JsPromise::from_object(value.as_object()?.clone()).ok()
}

// Hooks ----------------------------------------------------------------------------------------------------------

struct Hooks(Rc<Shared>);

impl HostHooks for Hooks {
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
        parameters.iter().chain([body]).try_for_each(|text| ensure_parsable(&text.to_std_string_lossy()))
    }

    fn promise_rejection_tracker(&self, promise: &JsObject<Promise>, operation: OperationType, context: &mut Context) {
        let promise = promise.clone().upcast();
        if matches!(operation, OperationType::Reject)
            && let Ok(known) = JsPromise::from_object(promise.clone())
            && let PromiseState::Rejected(reason) = known.state()
            && let Some(error) = reason.as_object().filter(|error| error.is::<boa_engine::builtins::error::Error>())
        {
            explain(&error, context);
        }
        let mut rejections = self.0.rejections.borrow_mut();
        match operation {
            OperationType::Reject => rejections.push(promise),
            OperationType::Handle => rejections.retain(|known| !JsObject::equals(known, &promise)),
        }
    }
}

/// Whether the stack is enough for a text to be parsed and compiled.
fn ensure_parsable(text: &str) -> JsResult<()> {
    if nesting::stack_needed(text) > coroutine::stack_left() { Err(too_deep()) } else { Ok(()) }
}

/// What is thrown where the stack ends.
fn too_deep() -> JsError {
    JsNativeError::range().with_message(TOO_DEEP).into()
}

const TOO_DEEP: &str = "Maximum call stack size exceeded";

struct Jobs(Rc<Shared>);

impl JobExecutor for Jobs {
    fn enqueue_job(self: Rc<Self>, job: Job, _context: &mut Context) {
        self.0.jobs.borrow_mut().push_back(job);
    }

    fn run_jobs(self: Rc<Self>, context: &mut Context) -> JsResult<()> {
        loop {
            let Some(job) = self.0.jobs.borrow_mut().pop_front() else { break };
            match job {
                Job::PromiseJob(job) => drop(job.call(context)?),
                Job::GenericJob(job) => drop(job.call(context)?),
                Job::AsyncJob(job) => {
                    // Only module loading comes this way, and our loader answers at once.
                    let cell = RefCell::new(&mut *context);
                    let mut future = pin!(job.call(&cell));
                    let mut waker = TaskContext::from_waker(Waker::noop());
                    if let Poll::Ready(result) = future.as_mut().poll(&mut waker) {
                        result?;
                    }
                }
                _ => {}
            }
        }
        context.clear_kept_objects();
        Ok(())
    }
}

struct Modules(Rc<Shared>);

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
        if !self.0.linking.get() {
            return Err(error_from(Throw::Host { message: super::NO_DYNAMIC_IMPORT.to_owned() }, context));
        }
        let address = match self.0.host.resolve(&specifier, &base) {
            Ok(address) => address,
            Err(throw) => return Err(error_from(throw, context)),
        };
        let known = self.0.modules.borrow().get(&address).cloned();
        match known {
            Some(module) => Ok(module),
            None => load_module(&self.0, &address, context),
        }
    }

    fn init_import_meta(self: Rc<Self>, import_meta: &JsObject, module: &Module, context: &mut Context) {
        let base = module.path().map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
        let resolve = NativeFunction::from_copy_closure_with_captures(
            |_this, args, base: &JsString, context| {
                let name = args.first().cloned().unwrap_or_default().to_string(context)?.to_std_string_lossy();
                match shared(context)?.host.import_meta_resolve(&name, &base.to_std_string_lossy()) {
                    Ok(address) => Ok(JsString::from(address).into()),
                    Err(throw) => Err(error_from(throw, context)),
                }
            },
            JsString::from(base),
        );
        let resolve = resolve.to_js_function(context.realm());
        // A fresh ordinary object takes any property.
        let _ = import_meta.create_data_property(js_string!("resolve"), resolve, context);
    }
}

fn load_module(shared: &Rc<Shared>, address: &str, context: &mut Context) -> JsResult<Module> {
    if address == super::ENGINE {
        let module = scope::engine_module(context);
        shared.modules.borrow_mut().insert(address.to_owned(), module.clone());
        return Ok(module);
    }
    let module = match shared.host.load(address) {
        Err(throw) => return Err(error_from(throw, context)),
        Ok(ModuleCode::Source { text, .. }) => {
            let is_ours = !address.contains("://");
            if let Some(form) = is_ours.then(|| FunctionForm::of(address, &text)).flatten() {
                let module = function_module(address, form, context);
                shared.modules.borrow_mut().insert(address.to_owned(), module.clone());
                return Ok(module);
            }
            ensure_parsable(&text)?;
            let source = Source::from_bytes(text.as_bytes()).with_path(Path::new(address));
            Module::parse(source, None, context).map_err(|error| placed(error, address, context))?
        }
        Ok(ModuleCode::Script { .. }) => return Err(error_from(no_module(address), context)),
        Ok(ModuleCode::Native(functions)) => native_module(address, functions, context),
    };
    shared.modules.borrow_mut().insert(address.to_owned(), module.clone());
    Ok(module)
}

fn no_module(address: &str) -> Throw {
    Throw::go(format!("{address} is no ES module"))
}

/// Evaluates what is at `address` at once: the namespace of a module, the value of a script.
fn load_now(shared: &Rc<Shared>, address: &str, context: &mut Context) -> JsResult<JsValue> {
    // A parser descends deep, and what it parses is parsed once.
    coroutine::goes_deep();
    let known = shared.modules.borrow().get(address).cloned();
    if known.is_none() {
        match shared.host.load(address) {
            Err(throw) => return Err(error_from(throw, context)),
            Ok(ModuleCode::Script { text, .. }) => {
                ensure_parsable(&text)?;
                let source = Source::from_bytes(text.as_bytes()).with_path(Path::new(address));
                let script = Script::parse(source, None, context).map_err(|error| placed(error, address, context))?;
                return script.evaluate(context);
            }
            Ok(_) => {}
        }
    }
    if let Some(module) = &known
        && shared.host.is_running(address)
    {
        return Ok(module.namespace(context).into());
    }
    let before: Vec<String> = shared.modules.borrow().keys().cloned().collect();
    let module = match known {
        Some(module) => module,
        None => load_module(shared, address, context)?,
    };
    let loaded = shared.load_imports(&module, context).and_then(|()| {
        if shared.host.is_running(address) {
            return Err(error_from(super::is_imported(address), context));
        }
        module.link(context)
    });
    if let Err(error) = loaded {
        shared.modules.borrow_mut().retain(|address, _| before.contains(address));
        shared.rebindable.borrow_mut().retain(|address, _| before.contains(address));
        return Err(error);
    }
    let promise = module.evaluate(context)?;
    match promise.state() {
        PromiseState::Rejected(reason) => {
            shared.forget_rejection(&promise);
            Err(JsError::from_opaque(reason))
        }
        PromiseState::Pending => Err(error_from(super::awaits(address), context)),
        PromiseState::Fulfilled(_) => Ok(module.namespace(context).into()),
    }
}

/// What a module exports: its namespace, or what the CommonJS file it stands for exports.
fn exported(module: &Module, context: &mut Context) -> JsObject {
    let namespace = module.namespace(context);
    let name = JsString::from(super::COMMONJS);
    let has = namespace.has_property(name.clone(), context).unwrap_or_default();
    let value = if has { namespace.get(name, context).ok().and_then(|value| value.as_object()) } else { None };
    value.unwrap_or(namespace)
}

/// A syntax error with its place where stacks have it, and with its file.
fn placed(error: JsError, address: &str, context: &mut Context) -> JsError {
    let Some((text, line, column)) = error.as_native().and_then(|native| parse_place(native.message())) else {
        return error;
    };
    let stack = JsString::from(format!("\tat {address}:{line}:{column}"));
    let object = JsNativeError::syntax().with_message(text.to_owned()).into_opaque(context);
    // A fresh ordinary object takes any property.
    let _ = object.create_data_property(js_string!("stack"), stack, context);
    JsError::from_opaque(object.into())
}

/// Takes `what is wrong at line 2, col 3` apart.
fn parse_place(message: &str) -> Option<(&str, u32, u32)> {
    let (text, place) = message.rsplit_once(" at line ")?;
    let (line, column) = place.split_once(", col ")?;
    Some((text, line.parse().ok()?, column.parse().ok()?))
}

/// A module whose exports are native functions.
fn native_module(address: &str, functions: Vec<(&'static str, usize)>, context: &mut Context) -> Module {
    let keys: Vec<JsString> = functions.iter().map(|(name, _)| property_key(name)).collect();
    // SAFETY: the closure captures names and numbers, nothing the collector has to trace.
    let steps = unsafe {
        SyntheticModuleInitializer::from_closure(move |module, context| {
            for (name, _) in &functions {
                module.set_export(&property_key(name), native_value(name, &functions, context))?;
            }
            Ok(())
        })
    };
    Module::synthetic(&keys, steps, Some(address.into()), None, context)
}

/// One export of a native half, made anew; `undefined` where there is none.
fn native_value(name: &str, functions: &[(&'static str, usize)], context: &mut Context) -> JsValue {
    match functions.iter().find(|(known, _)| *known == name) {
        Some((_, place)) => native_function(*place, name, context).into(),
        None => JsValue::undefined(),
    }
}

/// A native function, by its place in the host's table.
fn native_function(place: usize, name: &str, context: &mut Context) -> JsFunction {
    let native = NativeFunction::from_copy_closure(move |_this, args, context| call_native(place, args, context));
    FunctionObjectBuilder::new(context.realm(), native).name(property_key(name)).build()
}

/// A module of js-stdlib, evaluated as a function: what makes it costs nothing once it is made.
fn function_module(address: &str, form: Arc<FunctionForm>, context: &mut Context) -> Module {
    let names: Vec<JsString> = form.exports.iter().map(|export| property_key(&export.name)).collect();
    let own = address.to_owned();
    // SAFETY: the closure captures texts, nothing the collector has to trace.
    let steps = unsafe {
        SyntheticModuleInitializer::from_closure(move |module, context| {
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
            shared(context)?.rebindable.borrow_mut().insert(own.clone(), std::ptr::from_ref(module));
            Ok(())
        })
    };
    Module::synthetic(&names, steps, Some(address.into()), None, context)
}

/// What an import of js-stdlib brings. Of native halves only what is named is made.
fn imported(import: &Import, context: &mut Context) -> JsResult<JsValue> {
    let shared = shared(context)?;
    if import.specifier == super::ENGINE {
        return match &import.name {
            Some(name) => Ok(scope::engine_value(name, context)),
            None => scope::native_namespace(super::ENGINE, context),
        };
    }
    let code = match shared.host.load(&import.specifier) {
        Ok(code) => code,
        Err(throw) => return Err(error_from(throw, context)),
    };
    match (code, &import.name) {
        (ModuleCode::Native(functions), Some(name)) => Ok(native_value(name, &functions, context)),
        (ModuleCode::Script { .. }, _) => Err(error_from(no_module(&import.specifier), context)),
        (ModuleCode::Native(_), None) => scope::native_namespace(&import.specifier, context),
        (ModuleCode::Source { .. }, name) => {
            let known = shared.modules.borrow().get(&import.specifier).cloned();
            let module = match known {
                Some(module) => module,
                None => load_module(&shared, &import.specifier, context)?,
            };
            shared.load_imports(&module, context)?;
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

fn call_native(index: usize, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    if coroutine::stack_left() < LEAST_STACK {
        return Err(too_deep());
    }
    let shared = shared(context)?;
    let mut list = smallvec::SmallVec::<[Value; 6]>::new();
    for arg in args {
        list.push(from_js(arg, &shared, context, 0)?);
    }
    match shared.host.call(index, Args::from_iter(list)) {
        Ok(value) => to_js(value, &shared, context),
        Err(throw) => {
            if let Throw::Stop = throw {
                shared.stopped.set(true);
            }
            Err(error_from(throw, context))
        }
    }
}

// Values ---------------------------------------------------------------------------------------------------------

fn from_js(value: &JsValue, shared: &Shared, context: &mut Context, depth: usize) -> JsResult<Value> {
    Ok(match value.variant() {
        JsVariant::Undefined => Value::Undefined,
        JsVariant::Null => Value::Null,
        JsVariant::Boolean(value) => Value::Bool(value),
        JsVariant::Integer32(number) => Value::Number(f64::from(number)),
        JsVariant::Float64(number) => Value::Number(number),
        JsVariant::String(text) => Value::String(text.to_std_string_lossy()),
        JsVariant::BigInt(number) => Value::Number(number.to_f64()),
        JsVariant::Symbol(_) => Value::Opaque("symbol"),
        JsVariant::Object(object) => return object_from_js(&object, shared, context, depth),
    })
}

fn object_from_js(object: &JsObject, shared: &Shared, context: &mut Context, depth: usize) -> JsResult<Value> {
    if let Some(native) = object.downcast_ref::<Native>() {
        return Ok(Value::Resource(native.0.clone()));
    }
    if depth > MAX_DEPTH {
        let text = "the value is nested too deeply, or refers to itself";
        return Err(JsNativeError::typ().with_message(text).into());
    }
    if object.is_array() {
        let array = JsArray::from_object(object.clone())?;
        let len = array.length(context)?;
        let mut list = Vec::with_capacity(len.min(1 << 16) as usize);
        for at in 0..len {
            let item = array.get(at, context)?;
            list.push(from_js(&item, shared, context, depth + 1)?);
        }
        return Ok(Value::List(list));
    }
    if let Some(bytes) = bytes_from_js(object, context)? {
        return Ok(Value::Bytes(bytes));
    }
    let native = shared.native.borrow().clone();
    if let Some(symbol) = native
        && let Some(native) = object.get(symbol, context)?.as_object()
    {
        return object_from_js(&native, shared, context, depth + 1);
    }
    if object.is_callable() {
        return Ok(Value::Opaque("func(sobek.FunctionCall) sobek.Value"));
    }
    let mut map = Vec::new();
    for key in enumerable_keys(object, context)? {
        let name = key.to_std_string_lossy();
        let item = object.get(key, context)?;
        map.push((name, from_js(&item, shared, context, depth + 1)?));
    }
    Ok(Value::Map(map))
}

/// Own enumerable string keys, through the language's own `Object.keys`, which also asks a proxy.
fn enumerable_keys(object: &JsObject, context: &mut Context) -> JsResult<Vec<JsString>> {
    let taken = shared(context)?.primordials.borrow().as_object();
    let Some(taken) = taken else { return Ok(Vec::new()) };
    let keys = taken.get(property_key("ObjectKeys"), context)?;
    let Some(keys) = keys.as_callable() else { return Ok(Vec::new()) };
    let list = keys.call(&JsValue::undefined(), &[object.clone().into()], context)?;
    let Some(list) = list.as_object() else { return Ok(Vec::new()) };
    let list = JsArray::from_object(list.clone())?;
    let mut names = Vec::new();
    for at in 0..list.length(context)? {
        names.push(list.get(at, context)?.to_string(context)?);
    }
    Ok(names)
}

/// The bytes of an ArrayBuffer, or those a typed array shows. A DataView is an object like any other, as in k6.
fn bytes_from_js(object: &JsObject, context: &mut Context) -> JsResult<Option<Bytes>> {
    if let Ok(buffer) = JsArrayBuffer::from_object(object.clone()) {
        return Ok(Some(buffer.data().map(|data| bytes_of(&data, 0..data.len())).unwrap_or_default()));
    }
    let (buffer, offset, len) = if let Ok(array) = JsTypedArray::from_object(object.clone()) {
        (array.buffer(context)?, array.byte_offset(context)?, array.byte_length(context)?)
    } else {
        return Ok(None);
    };
    let Some(buffer) = buffer.as_object().and_then(|buffer| JsArrayBuffer::from_object(buffer.clone()).ok()) else {
        return Ok(Some(Bytes::new()));
    };
    Ok(Some(buffer.data().map(|data| bytes_of(&data, offset..offset + len)).unwrap_or_default()))
}

/// Up to this size a file is simply copied, and a string weighs no more than the objects around it.
const SMALL: usize = 64 * 1024;

/// Counts what is about to be given to a realm. Boa collects by the size of its objects and does not see that strings
/// and buffers hang on them: after so many bytes of large ones it is told.
pub(super) fn make_room(len: usize) {
    const MOST: usize = 64 << 20;
    thread_local! {
        static GIVEN: Cell<usize> = const { Cell::new(0) };
    }
    if len > SMALL && GIVEN.replace(GIVEN.get() + len) + len > MOST {
        GIVEN.set(0);
        boa_gc::force_collect();
    }
}

thread_local! {
    /// Files that were made buffers of, by the address of the buffer. An entry may outlive its buffer, so it is only a hint.
    static FILES: RefCell<FxHashMap<usize, Arc<File>>> = RefCell::default();
}

/// A part of a buffer for Rust: of the file it was made of, as long as it still is the same, else a copy.
fn bytes_of(data: &[u8], part: std::ops::Range<usize>) -> Bytes {
    let file = FILES.with_borrow(|files| files.get(&(data.as_ptr() as usize)).cloned());
    match file {
        Some(file) if **file.bytes() == *data && part.end <= data.len() => file.bytes().slice(part),
        _ => data.get(part).map(Bytes::copy_from_slice).unwrap_or_default(),
    }
}

fn to_js(value: Value, shared: &Rc<Shared>, context: &mut Context) -> JsResult<JsValue> {
    Ok(match value {
        Value::Undefined | Value::Opaque(_) => JsValue::undefined(),
        Value::Null => JsValue::null(),
        Value::Bool(value) => value.into(),
        Value::Number(number) => JsValue::from(number),
        Value::String(text) => {
            make_room(text.len());
            JsString::from(text).into()
        }
        Value::Bytes(bytes) => {
            make_room(bytes.len());
            let block = AlignedVec::from_slice(0, &bytes);
            JsArrayBuffer::from_byte_block(block, context)?.into()
        }
        Value::Shared(file) => {
            // Boa's buffers own their memory, so every VU has a copy; but on the way back there need not be another.
            let block = AlignedVec::from_slice(0, file.bytes());
            if block.len() > SMALL {
                FILES.with_borrow_mut(|files| files.insert(block.as_ptr() as usize, file));
            }
            JsArrayBuffer::from_byte_block(block, context)?.into()
        }
        Value::List(list) => {
            let mut items = Vec::with_capacity(list.len());
            for (at, item) in list.into_iter().enumerate() {
                items.push(to_js(item, shared, context)?);
                take_turns(at, shared, context)?;
            }
            JsArray::from_iter(items, context).into()
        }
        Value::Map(map) => {
            let object = if map.len() > MOST_SHARED { single_object(context) } else { plain_object(context) };
            for (at, (name, item)) in map.into_iter().enumerate() {
                let item = to_js(item, shared, context)?;
                put(&object, property_key(&name), item);
                take_turns(at, shared, context)?;
            }
            object.into()
        }
        Value::Json(json) => parse_json(&json, context)?,
        Value::Resource(resource) => JsObject::new(context.root_shape(), None, Native(resource)).upcast().into(),
        Value::Pending(future) => {
            let (promise, functions) = JsPromise::new_pending(context);
            let id = shared.next_promise.get();
            shared.next_promise.set(id.wrapping_add(1));
            shared.promises.borrow_mut().insert(id, functions);
            shared.host.add_pending(id, future);
            promise.into()
        }
        Value::Handle(kept) => shared.kept.borrow().0.get(kept.0 as usize).cloned().unwrap_or_default(),
    })
}

/// After every so many items it is asked whether to go on.
const TURN_ITEMS: usize = 512;

/// Gives others a turn behind the item at this place of a long value.
fn take_turns(at: usize, shared: &Shared, context: &mut Context) -> JsResult<()> {
    match at % TURN_ITEMS != TURN_ITEMS - 1 || shared.host.may_continue() {
        true => Ok(()),
        false => Err(error_from(Throw::Stop, context)),
    }
}

/// Objects with more properties than this are one of a kind.
const MOST_SHARED: usize = 16;

/// An empty object with a shape of its own: a shared one costs a quarter of a KB for each property.
fn single_object(context: &Context) -> JsObject {
    JsObject::from_proto_and_data(context.intrinsics().constructors().object().prototype(), OrdinaryObject)
}

/// A copy of an object of plain properties, with a shape of its own.
fn single_copy(object: &JsObject, context: &mut Context) -> JsResult<JsObject> {
    let copy = single_object(context);
    for key in object.own_property_keys(context)? {
        let value = object.get(key.clone(), context)?;
        let descriptor =
            PropertyDescriptor::builder().value(value).writable(true).enumerable(true).configurable(true).build();
        copy.insert_property(key, descriptor);
    }
    Ok(copy)
}

/// An empty object whose shape is shared with all objects that get the same properties in the same order.
fn plain_object(context: &Context) -> JsObject {
    let prototype = context.intrinsics().constructors().object().prototype();
    JsObject::new(context.root_shape(), prototype, OrdinaryObject).upcast()
}

/// Puts a plain property into an ordinary object nobody else has seen yet.
fn put(object: &JsObject, key: JsString, value: JsValue) {
    let descriptor =
        PropertyDescriptor::builder().value(value).writable(true).enumerable(true).configurable(true).build();
    object.insert_property(key, descriptor);
}

/// The string of a property's name. Names come again and again, so a worker remembers them.
fn property_key(name: &str) -> JsString {
    /// So many names are remembered; then all are forgotten.
    const MOST: usize = 4096;
    thread_local! {
        static KNOWN: RefCell<FxHashMap<Box<str>, JsString>> = RefCell::default();
    }
    KNOWN.with_borrow_mut(|known| {
        if let Some(string) = known.get(name) {
            return string.clone();
        }
        if known.len() >= MOST {
            known.clear();
        }
        let string = JsString::from(name);
        known.insert(name.into(), string.clone());
        string
    })
}

/// JSON text as a value, without a tree in between.
fn parse_json(text: &[u8], context: &mut Context) -> JsResult<JsValue> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let pace = Pace { host: shared(context)?.host.clone(), values: Cell::new(0), is_stopped: Cell::new(false) };
    let json = Json { context, pace: &pace, depth: 0 };
    let result = json.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    result.map_err(|error| match error.to_string() {
        _ if pace.is_stopped.get() => error_from(Throw::Stop, context),
        text if text.contains(TOO_DEEP) => too_deep(),
        text => JsNativeError::syntax().with_message(text).into(),
    })
}

/// Gives others a turn while a long text is parsed.
struct Pace {
    host: Rc<dyn Host>,
    values: Cell<u32>,
    is_stopped: Cell<bool>,
}

impl Pace {
    /// Counts a value.
    ///
    /// # Errors
    /// The VU has to stop.
    fn step<E: serde::de::Error>(&self) -> Result<(), E> {
        self.values.set(self.values.get().wrapping_add(1));
        if self.values.get().is_multiple_of(1024) && !self.host.may_continue() {
            self.is_stopped.set(true);
            return Err(E::custom("the VU has to stop"));
        }
        Ok(())
    }
}

/// How deep a JSON text is nested.
fn levels(text: &str) -> usize {
    let (mut depth, mut most, mut is_string, mut is_escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = is_string,
            b'"' => is_string = !is_string,
            _ if is_string => {}
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        most = most.max(depth);
    }
    most
}

/// What a reviver makes of a property and everything below it, from the inside out.
fn revive(holder: &JsObject, key: PropertyKey, reviver: &JsObject, context: &mut Context) -> JsResult<JsValue> {
    if coroutine::stack_left() < LEAST_STACK {
        return Err(too_deep());
    }
    let value = holder.get(key.clone(), context)?;
    if let Some(object) = value.as_object() {
        let keys: Vec<PropertyKey> = if object.is_array() {
            let length = JsArray::from_object(object.clone())?.length(context)?;
            (0..length).map(PropertyKey::from).collect()
        } else {
            enumerable_keys(&object, context)?.into_iter().map(PropertyKey::from).collect()
        };
        for key in keys {
            match revive(&object, key.clone(), reviver, context)? {
                // As ECMAScript says, what can't be deleted or changed stays.
                gone if gone.is_undefined() => _ = object.delete_property_or_throw(key, context).ok(),
                new => _ = object.create_data_property(key, new, context)?,
            }
        }
    }
    let name = JsValue::from(&key).to_string(context)?;
    reviver.call(&holder.clone().into(), &[name.into(), value], context)
}

/// A value of a JSON text, so deep in it.
struct Json<'a> {
    context: &'a mut Context,
    pace: &'a Pace,
    depth: usize,
}

impl Json<'_> {
    /// serde_json refuses to go deeper than 128: after so many levels what is below is read by a reader of its own.
    const LEVELS_PER_READER: usize = 100;
    /// Each of those readers reads what is left of the text again, so there is an end to them.
    const MAX_LEVELS: usize = 50_000;

    fn inner(&mut self) -> Json<'_> {
        Json { context: self.context, pace: self.pace, depth: self.depth + 1 }
    }
}

impl<'de> DeserializeSeed<'de> for Json<'_> {
    type Value = JsValue;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<JsValue, D::Error> {
        use serde::Deserializer as _;
        use serde::de::Error as _;
        if self.depth % Self::LEVELS_PER_READER != Self::LEVELS_PER_READER - 1 {
            return reader.deserialize_any(self);
        }
        let text = <&serde_json::value::RawValue>::deserialize(reader)?;
        let is_first = self.depth < Self::LEVELS_PER_READER;
        if coroutine::stack_left() < LEAST_STACK || is_first && levels(text.get()) > Self::MAX_LEVELS {
            return Err(D::Error::custom(TOO_DEEP));
        }
        let mut reader = serde_json::Deserializer::from_str(text.get());
        reader.deserialize_any(self).map_err(D::Error::custom)
    }
}

impl<'de> Visitor<'de> for Json<'_> {
    type Value = JsValue;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<JsValue, E> {
        Ok(JsValue::null())
    }

    fn visit_bool<E>(self, value: bool) -> Result<JsValue, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<JsValue, E> {
        Ok(JsValue::from(number as f64))
    }

    fn visit_u64<E>(self, number: u64) -> Result<JsValue, E> {
        Ok(JsValue::from(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<JsValue, E> {
        Ok(JsValue::from(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<JsValue, E> {
        Ok(JsString::from(text).into())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<JsValue, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(self.inner())? {
            items.push(item);
            self.pace.step::<A::Error>()?;
        }
        Ok(JsArray::from_iter(items, self.context).into())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<JsValue, A::Error> {
        let mut object = plain_object(self.context);
        let mut count = 0;
        while let Some(key) = map.next_key::<std::borrow::Cow<'_, str>>()? {
            let value = map.next_value_seed(self.inner())?;
            count += 1;
            if count == MOST_SHARED + 1 {
                object = single_copy(&object, self.context).map_err(serde::de::Error::custom)?;
            }
            put(&object, property_key(&key), value);
            self.pace.step::<A::Error>()?;
        }
        Ok(object.into())
    }
}

// Errors ---------------------------------------------------------------------------------------------------------

/// What JavaScript gets thrown.
fn error_from(throw: Throw, context: &mut Context) -> JsError {
    match throw {
        // The one kind of error that scripts can't catch.
        Throw::Stop => RuntimeLimitError::LoopIteration.into(),
        other => JsError::from_opaque(error_value(other, context)),
    }
}

fn error_value(throw: Throw, context: &mut Context) -> JsValue {
    let (class, message) = match throw {
        Throw::Error { class, message } => (class, message),
        Throw::Exception(exception) => ("Error", exception.text),
        Throw::Stop => ("Error", "interrupted".to_owned()),
        Throw::Host { message } => return host_error(message, context),
    };
    let message = JsString::from(message);
    let global = context.global_object();
    let constructor = global.get(JsString::from(class), context).ok();
    let made = constructor
        .and_then(|constructor| constructor.as_constructor())
        .and_then(|constructor| constructor.construct(&[message.clone().into()], None, context).ok());
    match made {
        Some(error) => error.into(),
        None => JsNativeError::error().with_message(message.to_std_string_lossy()).into_opaque(context).into(),
    }
}

/// What promises of native functions reject with: no `Error`, but it prints as its message.
fn host_error(message: String, context: &mut Context) -> JsValue {
    let object = JsObject::with_object_proto(context.intrinsics());
    let text = NativeFunction::from_copy_closure_with_captures(
        |_this, _args, text: &JsString, _context| Ok(text.clone().into()),
        JsString::from(message),
    );
    let function: JsFunction = text.to_js_function(context.realm());
    let descriptor = PropertyDescriptor::builder().value(function).writable(true).enumerable(false).configurable(true);
    // A fresh ordinary object takes any property.
    let _ = object.define_property_or_throw(js_string!("toString"), descriptor, context);
    object.into()
}

fn throw_from(error: JsError, shared: &Shared, context: &mut Context) -> Throw {
    if error.as_engine().is_some() {
        return if shared.host.may_continue() {
            Throw::Exception(Exception { text: format!("RangeError: {TOO_DEEP}"), stack: String::new() })
        } else {
            Throw::Stop
        };
    }
    match error.into_opaque(context) {
        Ok(value) => Throw::Exception(describe(&value, context)),
        Err(error) => Throw::Exception(Exception { text: error.to_string(), stack: String::new() }),
    }
}

/// What is told about a thrown value.
fn describe(value: &JsValue, context: &mut Context) -> Exception {
    let object = value.as_object().filter(|object| object.is::<boa_engine::builtins::error::Error>());
    if let Some(error) = &object {
        explain(error, context);
    }
    let text = match value.variant() {
        JsVariant::Symbol(symbol) => {
            super::symbol_text(symbol.description().map(|text| text.to_std_string_lossy()).as_ref())
        }
        _ => {
            let text = value.to_string(context).map(|text| text.to_std_string_lossy()).ok();
            super::thrown_text(text, object.is_some(), value.is_object())
        }
    };
    let Some(object) = object else {
        return Exception { text, stack: String::new() };
    };
    let stack = stack_of(&object, &text, context);
    Exception { text, stack }
}

/// Boa doesn't say what was no function, or had no property: the text at the error's place does.
fn explain(error: &JsObject, context: &mut Context) {
    const VAGUE: [&str; 5] = [
        "not a callable function",
        "not a constructor",
        "cannot convert 'null' or 'undefined' to object",
        "Cannot destructure 'null' value",
        "Cannot destructure 'undefined' value",
    ];
    let message = error.get(js_string!("message"), context).ok().and_then(|message| message.as_string());
    let Some(message) = message.map(|message| message.to_std_string_lossy()) else { return };
    if !VAGUE.contains(&&*message) {
        return;
    }
    let Some(shared) = context.get_data::<Realm_>().map(|realm| realm.0.clone()) else { return };
    let frames = raw_frames(error, &shared, context);
    let Some(first) = frames.lines().find_map(stack::parse_line) else { return };
    if let Some(better) = shared.host.explain_type_error(first.place, &message) {
        let descriptor = PropertyDescriptor::builder().value(JsString::from(better)).writable(true);
        let descriptor = descriptor.enumerable(false).configurable(true);
        // A script may have frozen it: then it stays vague.
        let _ = error.define_property_or_throw(js_string!("message"), descriptor, context);
    }
}

/// What Boa says about where an error comes from.
fn raw_frames(error: &JsObject, shared: &Shared, context: &mut Context) -> String {
    let getter = shared.frames.borrow().clone();
    let frames = getter.and_then(|getter| getter.call(&error.clone().into(), &[], context).ok());
    frames.and_then(|frames| frames.as_string()).map(|frames| frames.to_std_string_lossy()).unwrap_or_default()
}

/// The stack of an error as k6 writes it.
fn stack_of(error: &JsObject, text: &str, context: &mut Context) -> String {
    let shared = context.get_data::<Realm_>().map(|realm| realm.0.clone());
    // A syntax error has been given its place; others are asked the way Boa would ask them.
    let getter = shared.as_ref().and_then(|shared| shared.frames.borrow().clone());
    let frames = match getter {
        Some(getter) if !error.has_own_property(js_string!("stack"), context).unwrap_or_default() => {
            getter.call(&error.clone().into(), &[], context).unwrap_or_default()
        }
        _ => error.get(js_string!("stack"), context).unwrap_or_default(),
    };
    let frames = frames.as_string().map(|frames| frames.to_std_string_lossy()).unwrap_or_default();
    let origin = |place: &str| shared.as_ref().and_then(|shared| shared.host.original_position(place));
    stack::write(text, frames.lines().filter_map(stack::parse_line), origin)
}
