//! A VU's world on any engine: what both halves have in common. An engine implements [`EngineContext`] and
//! [`EngineRealm`], and is a [`Realm`] then.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::direct::{self, DirectContext, EventSource, Kept};
use super::{Compiled, ExportKind, GLOBALS, Global, Host, ModuleCode, PromiseOutcome, Realm, lazy, loading};
use crate::js::value::{Exception, Handle, Pending, Throw, Value};

/// Objects nested deeper than this on their way to Rust are taken for cyclic.
pub const MAX_DEPTH: usize = 64;

/// After this many items of a long value, other VUs get a turn.
const TURN_ITEMS: usize = 512;

/// What became of a promise.
pub enum PromiseState<V> {
    /// It is not settled.
    Pending,
    /// It was fulfilled with this.
    Fulfilled(V),
    /// It was rejected for this reason.
    Rejected(V),
}

/// What an engine does in a realm. Operations that throw return `Error`: nothing but the engine understands it.
pub trait EngineContext: Sized {
    /// A value, and one reference to it.
    type Value: Clone;
    /// A module.
    type Module: Clone;
    /// The functions that settle a promise.
    type Resolvers;
    /// What was thrown.
    type Error;
    /// What else the engine keeps for a realm.
    type Extras;
    /// True for an engine that links a module when it evaluates it, and not before.
    const LINKS_WHEN_EVALUATED: bool;

    /// The state of the realm this is the context of.
    fn state(&self) -> Rc<RealmState<Self>>;

    /// `undefined`
    fn undefined(&self) -> Self::Value;
    /// A copy of a value of Rust's.
    ///
    /// # Errors
    /// When it is JSON text that isn't JSON, or there is no memory.
    fn to_js(&mut self, value: Value) -> Result<Self::Value, Self::Error>;
    /// A copy of a value for Rust.
    ///
    /// # Errors
    /// What a getter throws, or that it is nested too deeply.
    fn to_rust(&mut self, value: &Self::Value) -> Result<Value, Self::Error>;
    /// What kind of value it is.
    fn kind(&self, value: &Self::Value) -> ExportKind;
    /// True for objects, functions included.
    fn is_object(&self, value: &Self::Value) -> bool;
    /// True if both are the same object.
    fn is_same_object(&self, one: &Self::Value, other: &Self::Value) -> bool;

    /// Throws what a native function refuses.
    fn throw(&mut self, throw: Throw) -> Self::Error;
    /// Throws a value.
    fn throw_value(&mut self, value: Self::Value) -> Self::Error;
    /// What JavaScript sees of what a native function refuses.
    fn error_value(&mut self, throw: Throw) -> Self::Value;
    /// What was thrown; `None` if it was no value.
    fn catch(&mut self, error: Self::Error) -> Option<Self::Value>;
    /// What Rust sees of what was thrown.
    fn caught(&mut self, error: Self::Error) -> Throw;
    /// What is told about a thrown value.
    fn describe(&mut self, value: &Self::Value) -> Exception;

    /// Calls a function with `this` undefined.
    ///
    /// # Errors
    /// What it throws.
    fn call(&mut self, function: &Self::Value, args: &[Self::Value]) -> Result<Self::Value, Self::Error>;
    /// As [`Self::call`], from outside of JavaScript.
    ///
    /// # Errors
    /// What it throws.
    fn call_entry(&mut self, function: &Self::Value, args: &[Self::Value]) -> Result<Self::Value, Self::Error> {
        let result = self.call(function, args);
        if result.is_err() {
            self.entry_failed();
        }
        result
    }
    /// What was called from outside of JavaScript has failed: what comes next has nothing to do with it.
    fn entry_failed(&mut self) {}
    /// A property; `undefined` where the value is no object, or has none.
    ///
    /// # Errors
    /// What a getter throws.
    fn get(&mut self, object: &Self::Value, name: &str) -> Result<Self::Value, Self::Error>;
    /// True if an object has a property.
    ///
    /// # Errors
    /// What a proxy throws.
    fn has(&mut self, object: &Self::Value, name: &str) -> Result<bool, Self::Error>;
    /// The own enumerable properties of an object that have a string for a name.
    ///
    /// # Errors
    /// What a getter throws.
    fn entries(&mut self, object: &Self::Value) -> Result<Vec<(String, Self::Value)>, Self::Error>;

    /// What became of a promise; `None` for what is none.
    fn promise_state(&mut self, value: &Self::Value) -> Option<PromiseState<Self::Value>>;
    /// Resolves or rejects a promise.
    fn settle_promise(&mut self, resolvers: Self::Resolvers, result: Result<Self::Value, Self::Value>);

    /// Makes the module at `address`, and nothing of what it imports.
    ///
    /// # Errors
    /// Why it can't be had.
    fn load_module(&mut self, address: &str) -> Result<Self::Module, Self::Error>;
    /// Finds and loads everything a module imports.
    ///
    /// # Errors
    /// Why it can't be had.
    fn load_imports(&mut self, module: &Self::Module) -> Result<(), Self::Error>;
    /// Links a module, unless [`Self::LINKS_WHEN_EVALUATED`].
    ///
    /// # Errors
    /// What is imported and not exported.
    fn link(&mut self, module: &Self::Module) -> Result<(), Self::Error>;
    /// Evaluates a linked module: a promise.
    ///
    /// # Errors
    /// Why it could not begin.
    fn evaluate_module(&mut self, module: &Self::Module) -> Result<Self::Value, Self::Error>;
    /// The object with everything a module exports.
    ///
    /// # Errors
    /// When there is no memory.
    fn namespace(&mut self, module: &Self::Module) -> Result<Self::Value, Self::Error>;
    /// Forgets all modules but those at these addresses: what came with one that could not be linked.
    fn forget_other_modules(&mut self, known: &[String]) {
        self.state().forget_other_modules(known);
    }
    /// The value of a script.
    ///
    /// # Errors
    /// What it throws.
    fn run_script(&mut self, address: &str, text: &str, compiled: &Compiled) -> Result<Self::Value, Self::Error>;
    /// The value of the expression a part of js-stdlib is.
    ///
    /// # Errors
    /// What it throws.
    fn run_part(&mut self, address: &str, text: &str, compiled: &Compiled) -> Result<Self::Value, Self::Error>;
    /// What a part of js-stdlib uses as the native half at `address`.
    ///
    /// # Errors
    /// When there is no memory.
    fn native_namespace(&mut self, address: &'static str) -> Result<Self::Value, Self::Error>;

    /// Puts something into the global scope.
    ///
    /// # Errors
    /// What a native function throws that is asked for a value.
    fn define_global(&mut self, name: &'static str, global: Global, enumerable: bool) -> Result<(), Self::Error>;
}

/// A realm of an engine, and how Rust gets into it.
pub trait EngineRealm {
    /// The context of the realm.
    type Context: DirectContext;
    /// A part of js-stdlib that has to be there before any script runs.
    const PRELUDE: Option<&'static str> = None;

    /// Gives `run` the context, for JavaScript on the stack that the VU has now.
    fn enter<R>(&self, run: impl FnOnce(&mut Self::Context) -> R) -> R;
    /// The state of the realm.
    fn state(&self) -> Rc<RealmState<Self::Context>>;
    /// Runs promise jobs until there are none.
    ///
    /// # Errors
    /// [`Throw::Stop`] when the VU has to stop.
    fn run_pending_jobs(&self) -> Result<(), Throw>;
    /// As [`Realm::share`].
    fn share(&self) {}
}

/// What waits for the result of a native future.
enum Awaited<C: EngineContext> {
    /// A promise.
    Promise(C::Resolvers),
    /// A function that is called with it.
    Callback(C::Value),
    /// A source that hands it over, and what follows.
    Events(Rc<Listening<C>>),
}

/// A source of events, what it hands them over with, and what it has kept of one.
struct Listening<C: EngineContext> {
    source: Rc<dyn EventSource>,
    with: Box<[C::Value]>,
    kept: Kept<C>,
}

/// What is kept for a realm.
pub struct RealmState<C: EngineContext> {
    handles: RefCell<Handles<C::Value>>,
    /// Promises that native functions gave out, and callbacks they took.
    promises: RefCell<FxHashMap<u32, Awaited<C>>>,
    next_promise: Cell<u32>,
    /// Promises rejected without a handler.
    rejections: RefCell<Vec<C::Value>>,
    modules: RefCell<FxHashMap<String, C::Module>>,
    /// Above 0 while modules are linked; a module asked for at another time is asked for by `import()`.
    linking: Cell<u32>,
    /// What parts returned that are called once, by name.
    parts: RefCell<FxHashMap<String, C::Value>>,
    /// What js-stdlib takes of the language.
    pub primordials: OnceCell<C::Value>,
    /// What only this engine keeps.
    pub extras: C::Extras,
    /// The VU.
    pub host: Rc<dyn Host>,
}

/// Values that Rust has handles to.
struct Handles<V> {
    slots: Vec<Option<V>>,
    free: Vec<u32>,
}

impl<C: EngineContext> RealmState<C> {
    /// The state of a new realm.
    pub fn new(host: Rc<dyn Host>, extras: C::Extras) -> Rc<Self> {
        Rc::new(Self {
            handles: RefCell::new(Handles { slots: Vec::new(), free: Vec::new() }),
            promises: RefCell::default(),
            next_promise: Cell::new(0),
            rejections: RefCell::default(),
            modules: RefCell::default(),
            linking: Cell::new(0),
            parts: RefCell::default(),
            primordials: OnceCell::new(),
            extras,
            host,
        })
    }

    /// Keeps a value until it is released.
    pub fn retain(&self, value: C::Value) -> Handle {
        let Handles { slots, free } = &mut *self.handles.borrow_mut();
        if let Some(at) = free.pop() {
            slots[at as usize] = Some(value);
            return Handle(at);
        }
        slots.push(Some(value));
        Handle((slots.len() - 1) as u32)
    }

    /// The value behind a handle; `None` if it was released.
    pub fn value_of(&self, handle: Handle) -> Option<C::Value> {
        self.handles.borrow().slots.get(handle.0 as usize).cloned().flatten()
    }

    /// The value behind a handle, which is not one any more. What dropping it sets off may ask for handles.
    fn release(&self, handle: Handle) -> Option<C::Value> {
        let Handles { slots, free } = &mut *self.handles.borrow_mut();
        let value = slots.get_mut(handle.0 as usize)?.take()?;
        free.push(handle.0);
        Some(value)
    }

    /// Settles a promise with what comes of `future`.
    pub fn add_promise(&self, resolvers: C::Resolvers, future: Pending) {
        let id = self.add_awaited(Awaited::Promise(resolvers));
        self.host.add_pending(id, future);
    }

    /// Calls a function with what comes of `future`.
    pub fn add_callback(&self, function: C::Value, future: Pending) {
        let id = self.add_awaited(Awaited::Callback(function));
        self.host.add_pending(id, future);
    }

    /// Hands over one event of `source` after the other, with these values.
    pub fn add_events(&self, with: Box<[C::Value]>, source: Rc<dyn EventSource>) {
        if !source.is_over() {
            let listening = Listening { source: source.clone(), with, kept: RefCell::default() };
            let id = self.add_awaited(Awaited::Events(Rc::new(listening)));
            self.host.add_source(id, source);
        }
    }

    fn add_awaited(&self, awaited: Awaited<C>) -> u32 {
        let id = self.next_promise.get();
        self.next_promise.set(id.wrapping_add(1));
        self.promises.borrow_mut().insert(id, awaited);
        id
    }

    /// A promise was rejected without a handler.
    pub fn add_rejection(&self, promise: C::Value) {
        self.rejections.borrow_mut().push(promise);
    }

    /// Forgets the rejections that are meant: they have been dealt with.
    pub fn forget_rejections(&self, mut is_meant: impl FnMut(&C::Value) -> bool) {
        let known = self.rejections.take();
        let (gone, left): (Vec<_>, Vec<_>) = known.into_iter().partition(|promise| is_meant(promise));
        self.rejections.borrow_mut().extend(left);
        drop(gone);
    }

    /// The module at an address that was loaded.
    pub fn module(&self, address: &str) -> Option<C::Module> {
        self.modules.borrow().get(address).cloned()
    }

    /// Notes a module that was loaded.
    pub fn add_module(&self, address: &str, module: C::Module) {
        self.modules.borrow_mut().insert(address.to_owned(), module);
    }

    /// The addresses of all modules that were loaded.
    pub fn module_addresses(&self) -> Vec<String> {
        self.modules.borrow().keys().cloned().collect()
    }

    /// Forgets all modules but those at these addresses.
    pub fn forget_other_modules(&self, known: &[String]) {
        self.modules.borrow_mut().retain(|address, _| known.contains(address));
    }

    /// Modules may be asked for while `run` runs.
    pub fn while_linking<R>(&self, run: impl FnOnce() -> R) -> R {
        self.linking.set(self.linking.get() + 1);
        let result = run();
        self.linking.set(self.linking.get() - 1);
        result
    }

    /// True while modules may be asked for.
    pub fn is_linking(&self) -> bool {
        self.linking.get() > 0
    }

    /// What a part returned when it was first called.
    pub fn part(&self, name: &str) -> Option<C::Value> {
        self.parts.borrow().get(name).cloned()
    }

    /// Notes what a part returned.
    pub fn add_part(&self, name: &str, value: C::Value) {
        self.parts.borrow_mut().insert(name.to_owned(), value);
    }

    /// The place of a native function of the global scope in the host's table.
    ///
    /// # Errors
    /// When there is none.
    pub fn global_function(&self, name: &str) -> Result<usize, Throw> {
        match self.host.load(GLOBALS) {
            Ok(ModuleCode::Native(functions)) => functions.iter().find(|(known, _)| *known == name).map(|(_, at)| *at),
            _ => None,
        }
        .ok_or_else(|| Throw::type_error(format!("`{GLOBALS}` has no `{name}`")))
    }
}

/// True behind the item at this place of a long value: others get a turn.
pub const fn is_turn_over(at: usize) -> bool {
    at % TURN_ITEMS == TURN_ITEMS - 1
}

/// Forgets that a promise was rejected: Rust deals with it.
pub fn forget_rejection<C: EngineContext>(context: &C, promise: &C::Value) {
    context.state().forget_rejections(|known| context.is_same_object(known, promise));
}

/// As [`forget_rejection`], for all promises that were rejected with `reason`: the modules that a module imports have
/// promises of their own.
pub fn forget_reason<C: EngineContext>(context: &mut C, reason: &C::Value) {
    context.state().forget_rejections(|known| match context.promise_state(known) {
        Some(PromiseState::Rejected(other)) => context.is_same_object(reason, &other),
        _ => false,
    });
}

/// A copy of a value for Rust; `undefined` where that throws.
fn copy<C: EngineContext>(context: &mut C, value: &C::Value) -> Value {
    context.to_rust(value).unwrap_or_else(|error| {
        drop(context.caught(error));
        Value::Undefined
    })
}

impl<E: EngineRealm> Realm for E {
    fn evaluate(&self, address: &str) -> Result<Handle, Throw> {
        self.enter(|context| {
            let promise = loading::evaluate(context, address).map_err(|error| context.caught(error))?;
            Ok(context.state().retain(promise))
        })
    }

    fn prepare(&self) -> Result<(), Throw> {
        match E::PRELUDE {
            Some(name) => self.part(name, None).map(|handle| self.release(handle)),
            None => Ok(()),
        }
    }

    fn define_global(&self, name: &'static str, global: Global, enumerable: bool) -> Result<(), Throw> {
        self.enter(|context| context.define_global(name, global, enumerable).map_err(|error| context.caught(error)))
    }

    fn part(&self, name: &str, member: Option<&str>) -> Result<Handle, Throw> {
        self.enter(|context| {
            let value = lazy::part(context, name, member).map_err(|error| context.caught(error))?;
            Ok(context.state().retain(value))
        })
    }

    fn exports(&self, address: &str) -> Result<Vec<(String, ExportKind)>, Throw> {
        self.enter(|context| {
            let exported = loading::exported(context, address)?;
            let entries = context.entries(&exported).map_err(|error| context.caught(error))?;
            Ok(entries.into_iter().map(|(name, value)| (name, context.kind(&value))).collect())
        })
    }

    fn export(&self, address: &str, name: &str) -> Result<Handle, Throw> {
        self.enter(|context| {
            let exported = loading::exported(context, address)?;
            let value = context.get(&exported, name).map_err(|error| context.caught(error))?;
            Ok(context.state().retain(value))
        })
    }

    fn call(&self, function: Handle, args: Vec<Value>) -> Result<Handle, Throw> {
        self.enter(|context| {
            let function = context.state().value_of(function).unwrap_or_else(|| context.undefined());
            let mut list = smallvec::SmallVec::<[_; 4]>::new();
            for arg in args {
                list.push(context.to_js(arg).map_err(|error| context.caught(error))?);
            }
            let result = context.call_entry(&function, &list).map_err(|error| context.caught(error))?;
            Ok(context.state().retain(result))
        })
    }

    fn retain(&self, value: Value) -> Result<Handle, Throw> {
        self.enter(|context| {
            let value = context.to_js(value).map_err(|error| context.caught(error))?;
            Ok(context.state().retain(value))
        })
    }

    fn outcome(&self, handle: Handle) -> PromiseOutcome {
        self.enter(|context| {
            let value = context.state().value_of(handle).unwrap_or_else(|| context.undefined());
            match context.promise_state(&value) {
                None => PromiseOutcome::Value(copy(context, &value)),
                Some(PromiseState::Pending) => PromiseOutcome::Pending,
                Some(PromiseState::Fulfilled(value)) => PromiseOutcome::Value(copy(context, &value)),
                Some(PromiseState::Rejected(reason)) => {
                    forget_rejection(context, &value);
                    PromiseOutcome::Rejected(context.describe(&reason))
                }
            }
        })
    }

    fn fulfilled(&self, handle: Handle) -> Result<Handle, Exception> {
        self.enter(|context| {
            let value = context.state().value_of(handle).unwrap_or_else(|| context.undefined());
            let value = match context.promise_state(&value) {
                None => value,
                Some(PromiseState::Pending) => context.undefined(),
                Some(PromiseState::Fulfilled(value)) => value,
                Some(PromiseState::Rejected(reason)) => {
                    forget_rejection(context, &value);
                    return Err(context.describe(&reason));
                }
            };
            Ok(context.state().retain(value))
        })
    }

    fn release(&self, handle: Handle) {
        let value = EngineRealm::state(self).release(handle);
        drop(value);
    }

    fn settle(&self, promise: u32, result: Result<Value, Throw>) -> Result<(), Throw> {
        let state = EngineRealm::state(self);
        let events = match state.promises.borrow().get(&promise) {
            Some(Awaited::Events(listening)) => Some(listening.clone()),
            _ => None,
        };
        if let Some(listening) = events {
            result?;
            self.enter(|context| hand_over(context, &*state.host, &listening))?;
            match listening.source.is_over() {
                false => state.host.add_source(promise, listening.source.clone()),
                true => drop(state.promises.borrow_mut().remove(&promise)),
            }
            return Ok(());
        }
        let awaited = state.promises.borrow_mut().remove(&promise);
        let resolvers = match awaited {
            Some(Awaited::Promise(resolvers)) => resolvers,
            Some(Awaited::Callback(function)) => return self.enter(|context| call_back(context, &function, result)),
            Some(Awaited::Events(..)) | None => return Ok(()),
        };
        self.enter(|context| {
            let result = match result {
                Ok(value) => match context.to_js(value) {
                    Ok(value) => Ok(value),
                    Err(error) => match context.catch(error) {
                        Some(thrown) => Err(thrown),
                        None => return,
                    },
                },
                Err(throw) => Err(context.error_value(throw)),
            };
            context.settle_promise(resolvers, result);
        });
        Ok(())
    }

    fn run_jobs(&self) -> Result<(), Throw> {
        self.run_pending_jobs()
    }

    fn share(&self) {
        EngineRealm::share(self);
    }

    fn take_rejections(&self) -> Vec<Exception> {
        let rejections = EngineRealm::state(self).rejections.take();
        if rejections.is_empty() {
            return Vec::new();
        }
        self.enter(|context| {
            let mut list = Vec::with_capacity(rejections.len());
            for promise in rejections {
                if let Some(PromiseState::Rejected(reason)) = context.promise_state(&promise) {
                    list.push(context.describe(&reason));
                }
            }
            list
        })
    }
}

/// Hands over an event that has come.
fn hand_over<C: DirectContext>(context: &mut C, host: &dyn Host, listening: &Listening<C>) -> Result<(), Throw> {
    let Listening { source, with, kept } = listening;
    let handed = direct::deliver(context, &**source, with, kept).map_err(|error| {
        context.entry_failed();
        context.caught(error)
    });
    host.job_ended();
    handed
}

/// Calls a function of the script with what a native future came to; the members of a list are arguments of their own.
fn call_back<C: EngineContext>(
    context: &mut C,
    function: &C::Value,
    result: Result<Value, Throw>,
) -> Result<(), Throw> {
    let list = match result? {
        Value::List(list) => list,
        value => vec![value],
    };
    let mut args = smallvec::SmallVec::<[_; 6]>::new();
    for arg in list {
        args.push(context.to_js(arg).map_err(|error| context.caught(error))?);
    }
    let called = context.call_entry(function, &args).map_err(|error| context.caught(error));
    context.state().host.job_ended();
    called.map(drop)
}
