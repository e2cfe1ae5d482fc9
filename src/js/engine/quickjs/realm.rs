//! A VU's realm on QuickJS.

use std::cell::{Cell, OnceCell};
use std::rc::Rc;

use super::ffi::{Atom, Borrowed, Context, JsRuntime, KnownForms, LateGroup, ModuleRef, Owned, PropertyFlags, Thrown};
use super::{convert, errors, json, language, limits, modules, promises, scope};
use crate::js::engine::realm::{EngineContext, EngineRealm, PromiseState, RealmState};
use crate::js::engine::{ABSENT, ABSENT_MEMBERS, Compiled, ExportKind, Global, Host, NATIVE, loading};
use crate::js::value::{Exception, Throw, Value};

/// What is kept for a realm.
pub type QuickJsState = RealmState<Context>;

/// One VU's QuickJS.
pub struct QuickJs(JsRuntime);

/// What only QuickJS keeps for a realm.
#[derive(Default)]
pub struct QuickJsExtras {
    /// `GoError`, once it was needed.
    pub go_error: OnceCell<Owned>,
    /// The property that makes an object stand for a native thing: `Symbol.for('volley.native')`.
    pub native: OnceCell<Atom>,
    /// What is kept of the language for what is ours of it.
    pub originals: language::Originals,
    /// Objects that were handed out before.
    pub forms: KnownForms,
    /// How deep JavaScript may go now.
    pub stack: Cell<limits::StackLimit>,
    /// While a regular expression is matched: how often its matcher may still ask whether to go on.
    pub regexp_slices: Cell<Option<u32>>,
}

impl QuickJs {
    /// A new, empty realm.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn new(host: Rc<dyn Host>) -> Result<Self, Throw> {
        let runtime = JsRuntime::new(QuickJsState::new(host, QuickJsExtras::default()))
            .ok_or_else(|| Throw::go("the JavaScript engine has no memory for another VU"))?;
        let context = runtime.context();
        prepare(context).map_err(|Thrown| errors::caught(context))?;
        Ok(Self(runtime))
    }
}

/// Makes of the engine's language what scripts of k6 find.
fn prepare(context: Context) -> Result<(), Thrown> {
    let state = context.state();
    let _ = state.extras.native.set(context.registered_symbol(NATIVE)?);
    remove_absent(context, None)?;
    let global = context.global();
    for name in ABSENT {
        context.delete(&global, name)?;
    }
    limits::replace_stringify(context)?;
    json::replace_parse(context)?;
    language::install(context)?;
    let _ = state.primordials.set(scope::primordials(context)?);
    Ok(())
}

/// As [`prepare`], of what is made only now: the global object has nothing else.
pub fn prepare_late(context: Context, group: LateGroup) -> Result<(), Thrown> {
    remove_absent(context, Some(group))?;
    language::install_late(context, group)?;
    scope::put_primordials(context, &context.global(), Some(group))
}

/// Removes what k6 has not of the objects of this group, or of those that are there from the start.
fn remove_absent(context: Context, group: Option<LateGroup>) -> Result<(), Thrown> {
    for (path, names) in ABSENT_MEMBERS {
        if path.split('.').next().and_then(LateGroup::of) != group {
            continue;
        }
        let mut owner = context.global();
        for step in path.split('.') {
            owner = context.get_or_undefined(&owner, step)?;
        }
        if owner.borrow().is_object() {
            for name in names {
                context.delete(&owner, *name)?;
            }
        }
    }
    Ok(())
}

/// Puts something into an object, as an assignment would.
pub fn put(context: Context, object: &Owned, name: &str, value: Owned) -> Result<(), Thrown> {
    context.define(object, name, value, PropertyFlags::PLAIN)
}

impl EngineRealm for QuickJs {
    type Context = Context;
    /// Stack traces are k6's; V8's ways to shape them are not.
    const PRELUDE: Option<&'static str> = Some("volley/stack");

    fn enter<R>(&self, run: impl FnOnce(&mut Context) -> R) -> R {
        limits::enter(&self.0);
        run(&mut self.0.context())
    }

    fn state(&self) -> Rc<QuickJsState> {
        self.0.context().state().clone()
    }

    fn run_pending_jobs(&self) -> Result<(), Throw> {
        if !self.0.has_job() {
            // As after jobs; no JavaScript runs.
            self.0.context().state().host.job_ended();
            return Ok(());
        }
        limits::enter(&self.0);
        promises::run_jobs(&self.0)
    }

    fn share(&self) {
        self.0.share();
    }
}

impl EngineContext for Context {
    type Value = Owned;
    type Module = ModuleRef;
    /// What resolves it, and what rejects it.
    type Resolvers = [Owned; 2];
    type Error = Thrown;
    type Extras = QuickJsExtras;
    const LINKS_WHEN_EVALUATED: bool = true;

    fn state(&self) -> Rc<QuickJsState> {
        Self::state(self).clone()
    }

    fn undefined(&self) -> Owned {
        Self::undefined(*self)
    }

    fn to_js(&mut self, value: Value) -> Result<Owned, Thrown> {
        convert::to_js(*self, value)
    }

    fn to_rust(&mut self, value: &Owned) -> Result<Value, Thrown> {
        convert::to_rust(*self, value.borrow())
    }

    fn kind(&self, value: &Owned) -> ExportKind {
        if self.is_function(value) {
            ExportKind::Function
        } else if value.borrow().is_nullish() {
            ExportKind::Nothing
        } else {
            ExportKind::Value
        }
    }

    fn is_object(&self, value: &Owned) -> bool {
        value.borrow().is_object()
    }

    fn is_same_object(&self, one: &Owned, other: &Owned) -> bool {
        one.borrow().is_same_object(other.borrow())
    }

    fn throw(&mut self, throw: Throw) -> Thrown {
        errors::throw(*self, throw)
    }

    fn throw_value(&mut self, value: Owned) -> Thrown {
        Self::throw(*self, value)
    }

    fn error_value(&mut self, throw: Throw) -> Owned {
        errors::error_value(*self, throw)
    }

    fn catch(&mut self, Thrown: Thrown) -> Option<Owned> {
        Some(self.take_exception())
    }

    fn caught(&mut self, Thrown: Thrown) -> Throw {
        errors::caught(*self)
    }

    fn describe(&mut self, value: &Owned) -> Exception {
        errors::describe(*self, value)
    }

    fn call(&mut self, function: &Owned, args: &[Owned]) -> Result<Owned, Thrown> {
        let args: smallvec::SmallVec<[Borrowed<'_>; 4]> = args.iter().map(Owned::borrow).collect();
        Self::call(*self, function, Borrowed::UNDEFINED, &args)
    }

    fn get(&mut self, object: &Owned, name: &str) -> Result<Owned, Thrown> {
        self.get_or_undefined(object, name)
    }

    fn has(&mut self, object: &Owned, name: &str) -> Result<bool, Thrown> {
        Self::has(*self, object, name)
    }

    fn entries(&mut self, object: &Owned) -> Result<Vec<(String, Owned)>, Thrown> {
        let mut list = Vec::new();
        self.each_property(object, |name, value| {
            list.push((name, value));
            Ok(())
        })?;
        Ok(list)
    }

    fn promise_state(&mut self, value: &Owned) -> Option<PromiseState<Owned>> {
        Self::promise_state(*self, value)
    }

    fn settle_promise(&mut self, resolvers: [Owned; 2], result: Result<Owned, Owned>) {
        promises::settle(*self, &resolvers, &result);
    }

    fn load_module(&mut self, address: &str) -> Result<ModuleRef, Thrown> {
        modules::load(*self, address)
    }

    fn load_imports(&mut self, module: &ModuleRef) -> Result<(), Thrown> {
        let context = *self;
        Self::state(self).while_linking(|| context.resolve_imports(*module))
    }

    fn link(&mut self, _module: &ModuleRef) -> Result<(), Thrown> {
        Ok(())
    }

    fn evaluate_module(&mut self, module: &ModuleRef) -> Result<Owned, Thrown> {
        Self::evaluate_module(*self, *module)
    }

    fn namespace(&mut self, module: &ModuleRef) -> Result<Owned, Thrown> {
        Self::namespace(*self, *module)
    }

    fn run_script(&mut self, address: &str, text: &str, compiled: &Compiled) -> Result<Owned, Thrown> {
        modules::run_script(*self, address, text, compiled)
    }

    fn run_part(&mut self, address: &str, text: &str, compiled: &Compiled) -> Result<Owned, Thrown> {
        modules::run_script(*self, address, text, compiled)
    }

    fn native_namespace(&mut self, address: &'static str) -> Result<Owned, Thrown> {
        loading::require(self, address)
    }

    fn define_global(&mut self, name: &'static str, global: Global, enumerable: bool) -> Result<(), Thrown> {
        scope::define(*self, name, global, enumerable)
    }
}
