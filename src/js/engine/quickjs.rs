//! QuickJS-ng behind the seam: one runtime and one context per VU.
//!
//! Written against the C API (`rquickjs::qjs`) rather than rquickjs' wrappers, because the border is crossed several
//! times per request: a native function is a plain C function with an index, a value is converted once, straight
//! into its final form. A runtime per VU is what lets a VU suspend in the middle of native calls: QuickJS links the
//! frames of running functions through its runtime.
//!
//! Invariant: everything below runs on the worker thread the realm was made on, inside one of its VU's coroutines.

mod json;
mod language;
mod mapped;
mod scope;
mod stringify;

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{self, NonNull};
use std::rc::Rc;

use bytes::Bytes;
use rquickjs::qjs::{self, JSContext, JSModuleDef, JSRuntime, JSValue};
use rustc_hash::FxHashMap;

use super::stack;
use super::{ExportKind, Global, Host, ModuleCode, PromiseOutcome, Realm};
use crate::js::coroutine;
use crate::js::dialect::RegExpLiteral;
use crate::js::value::{Args, Exception, Handle, Resource, Throw, Value};

/// So many bytes of stack may JavaScript use: 100,000 calls and more. Below that is room for what does not look at the limit.
const MAX_STACK_DEPTH: usize = 64 << 20;
/// Objects nested deeper than this on their way to Rust are taken for cyclic.
const MAX_DEPTH: usize = 64;

/// After so many items of a list it is asked whether others want a turn.
const TURN_ITEMS: usize = 512;

/// One VU's QuickJS.
pub struct QuickJs {
    rt: NonNull<JSRuntime>,
    ctx: NonNull<JSContext>,
    /// From `Box::into_raw`, freed in `drop`: C callbacks have the same pointer as the context's opaque one.
    state: NonNull<State>,
}

struct State {
    host: Rc<dyn Host>,
    resource_class: qjs::JSClassID,
    kept: RefCell<Slab>,
    promises: RefCell<FxHashMap<u32, [JSValue; 2]>>,
    next_promise: Cell<u32>,
    /// Promises rejected without a handler, with their reasons.
    rejections: RefCell<Vec<(JSValue, JSValue)>>,
    modules: RefCell<FxHashMap<String, *mut JSModuleDef>>,
    /// Above 0 while modules are linked; a module asked for at another time is asked for by `import()`.
    linking: Cell<u32>,
    go_error: Cell<JSValue>,
    /// What parts returned that are called once, by name.
    parts: RefCell<FxHashMap<String, JSValue>>,
    /// The property that makes an object stand for a native thing: `Symbol.for('volley.native')`.
    native: Cell<qjs::JSAtom>,
    entered: Cell<Entered>,
    /// What is kept of the language for what is ours of it.
    own: RefCell<language::Own>,
    /// What js-stdlib takes of the language.
    primordials: Cell<JSValue>,
    /// While a regular expression is matched: how often its matcher may still ask whether to go on.
    regexp_slices: Cell<Option<u32>>,
}

/// Where on its stack a VU entered QuickJS, and how far down from there JavaScript may go.
#[derive(Clone, Copy, Default)]
struct Entered {
    at: usize,
    depth: usize,
}

#[derive(Default)]
struct Slab {
    slots: Vec<JSValue>,
    free: Vec<u32>,
}

impl Slab {
    fn put(&mut self, value: JSValue) -> Handle {
        if let Some(at) = self.free.pop() {
            self.slots[at as usize] = value;
            return Handle(at);
        }
        self.slots.push(value);
        Handle((self.slots.len() - 1) as u32)
    }
}

const UNDEFINED: JSValue = qjs::JS_MKVAL(qjs::JS_TAG_UNDEFINED, 0);
const NULL: JSValue = qjs::JS_MKVAL(qjs::JS_TAG_NULL, 0);
const EXCEPTION: JSValue = qjs::JS_MKVAL(qjs::JS_TAG_EXCEPTION, 0);

impl QuickJs {
    pub(super) fn new(host: Rc<dyn Host>) -> Result<Self, Throw> {
        let no_memory = || Throw::go("the JavaScript engine has no memory for another VU");
        // SAFETY: plain constructors; null is checked. The context's and runtime's opaque pointers are set before
        // any callback can run, and the callbacks live as long as the program.
        unsafe {
            let rt = NonNull::new(new_runtime()).ok_or_else(no_memory)?;
            let ctx = NonNull::new(qjs::JS_NewContext(rt.as_ptr())).ok_or_else(no_memory)?;
            let mut resource_class = 0;
            qjs::JS_NewClassID(rt.as_ptr(), &mut resource_class);
            let class = qjs::JSClassDef {
                class_name: c"Native".as_ptr(),
                finalizer: Some(drop_resource),
                gc_mark: None,
                call: None,
                exotic: ptr::null_mut(),
            };
            qjs::JS_NewClass(rt.as_ptr(), resource_class, &class);
            let state = NonNull::from(Box::leak(Box::new(State {
                host,
                resource_class,
                kept: RefCell::default(),
                promises: RefCell::default(),
                next_promise: Cell::new(0),
                rejections: RefCell::default(),
                modules: RefCell::default(),
                linking: Cell::new(0),
                go_error: Cell::new(UNDEFINED),
                parts: RefCell::default(),
                native: Cell::new(0),
                entered: Cell::default(),
                own: RefCell::new(language::Own::NONE),
                primordials: Cell::new(UNDEFINED),
                regexp_slices: Cell::new(None),
            })));
            let opaque = state.as_ptr().cast::<c_void>();
            qjs::JS_SetContextOpaque(ctx.as_ptr(), opaque);
            qjs::JS_SetRuntimeOpaque(rt.as_ptr(), opaque);
            qjs::JS_SetInterruptHandler(rt.as_ptr(), Some(interrupt), opaque);
            qjs::JS_SetModuleLoaderFunc2(rt.as_ptr(), Some(normalize), Some(load), None, opaque);
            qjs::JS_SetHostPromiseRejectionTracker(rt.as_ptr(), Some(track_rejection), opaque);
            let symbol = qjs::JS_NewSymbol(ctx.as_ptr(), super::NATIVE.as_ptr(), true);
            state.as_ref().native.set(qjs::JS_ValueToAtom(ctx.as_ptr(), symbol));
            qjs::JS_FreeValue(ctx.as_ptr(), symbol);
            let global = qjs::JS_GetGlobalObject(ctx.as_ptr());
            for (path, names) in super::ABSENT_MEMBERS {
                let mut owner = qjs::JS_DupValue(ctx.as_ptr(), global);
                for step in path.split('.') {
                    let inner = property(ctx.as_ptr(), owner, step);
                    qjs::JS_FreeValue(ctx.as_ptr(), owner);
                    owner = inner;
                }
                for name in names {
                    delete(ctx.as_ptr(), owner, name);
                }
                qjs::JS_FreeValue(ctx.as_ptr(), owner);
            }
            for name in super::ABSENT {
                delete(ctx.as_ptr(), global, name);
            }
            qjs::JS_FreeValue(ctx.as_ptr(), global);
            stringify::replace_stringify(ctx.as_ptr());
            json::replace_parse(ctx.as_ptr());
            state.as_ref().own.replace(language::install(ctx.as_ptr()));
            state.as_ref().primordials.set(scope::primordials(ctx.as_ptr()));
            Ok(Self { rt, ctx, state })
        }
    }

    fn c(&self) -> *mut JSContext {
        self.ctx.as_ptr()
    }

    /// What callbacks have, too: cells only, so that both may look at it.
    fn state(&self) -> &State {
        // SAFETY: it lives until `drop`.
        unsafe { self.state.as_ref() }
    }

    /// Each call enters on whatever stack the VU has now; QuickJS measures its depth from here.
    fn enter(&self) {
        let depth = coroutine::stack_left().min(MAX_STACK_DEPTH);
        let here = 0u8;
        self.state().entered.set(Entered { at: ptr::from_ref(&here).addr(), depth });
        // SAFETY: the runtime is alive.
        unsafe {
            qjs::JS_UpdateStackTop(self.rt.as_ptr());
            qjs::JS_SetMaxStackSize(self.rt.as_ptr(), depth as _);
        }
    }

    fn put(&self, value: JSValue) -> Handle {
        self.state().kept.borrow_mut().put(value)
    }

    fn kept(&self, kept: Handle) -> JSValue {
        self.state().kept.borrow().slots.get(kept.0 as usize).copied().unwrap_or(UNDEFINED)
    }

    fn module(&self, address: &str) -> Result<*mut JSModuleDef, Throw> {
        let module = self.state().modules.borrow().get(address).copied();
        module.ok_or_else(|| Throw::go(format!("the module {address:?} was not evaluated")))
    }

    fn forget_rejection(&self, promise: JSValue) {
        // SAFETY: the context is alive.
        unsafe { forget_rejection(self.c(), self.state(), promise) }
    }
}

/// Promises rejected without a handler are remembered; this forgets one that Rust deals with itself.
unsafe fn forget_rejection(ctx: *mut JSContext, state: &State, promise: JSValue) {
    let mut rejections = state.rejections.borrow_mut();
    if let Some(at) = rejections.iter().position(|(known, _)| same_object(*known, promise)) {
        let (promise, reason) = rejections.swap_remove(at);
        drop(rejections);
        // SAFETY: both were duplicated when they were remembered.
        unsafe {
            qjs::JS_FreeValue(ctx, promise);
            qjs::JS_FreeValue(ctx, reason);
        }
    }
}

/// As [`forget_rejection`], for all promises that were rejected with `reason`: the modules that a module imports have
/// promises of their own.
unsafe fn forget_reason(ctx: *mut JSContext, state: &State, reason: JSValue) {
    let known = std::mem::take(&mut *state.rejections.borrow_mut());
    for (promise, other) in known {
        // SAFETY: what is known is owned by the list: it goes back, or is freed.
        unsafe {
            if qjs::JS_IsObject(reason) && qjs::JS_IsObject(other) && same_object(reason, other) {
                qjs::JS_FreeValue(ctx, promise);
                qjs::JS_FreeValue(ctx, other);
            } else {
                state.rejections.borrow_mut().push((promise, other));
            }
        }
    }
}

impl Drop for QuickJs {
    fn drop(&mut self) {
        let ctx = self.c();
        let state = self.state();
        // SAFETY: every value here is owned by us and freed once. The context and the runtime go last, and after them, when
        // nobody can call back any more, the state.
        unsafe {
            for value in std::mem::take(&mut state.kept.borrow_mut().slots) {
                qjs::JS_FreeValue(ctx, value);
            }
            for (_, [resolve, reject]) in state.promises.take() {
                qjs::JS_FreeValue(ctx, resolve);
                qjs::JS_FreeValue(ctx, reject);
            }
            for (promise, reason) in state.rejections.take() {
                qjs::JS_FreeValue(ctx, promise);
                qjs::JS_FreeValue(ctx, reason);
            }
            for (_, value) in state.parts.take() {
                qjs::JS_FreeValue(ctx, value);
            }
            qjs::JS_FreeValue(ctx, state.go_error.replace(UNDEFINED));
            qjs::JS_FreeAtom(ctx, state.native.get());
            state.own.replace(language::Own::NONE).free(ctx);
            qjs::JS_FreeValue(ctx, state.primordials.replace(UNDEFINED));
            qjs::JS_FreeContext(ctx);
            qjs::JS_FreeRuntime(self.rt.as_ptr());
            drop(Box::from_raw(self.state.as_ptr()));
        }
    }
}

/// A property; `undefined` where there is none.
unsafe fn property(ctx: *mut JSContext, object: JSValue, name: &str) -> JSValue {
    // SAFETY: the caller's context and object are alive; the atom is freed.
    unsafe {
        if !qjs::JS_IsObject(object) {
            return UNDEFINED;
        }
        let atom = qjs::JS_NewAtomLen(ctx, name.as_ptr().cast(), name.len() as _);
        let value = qjs::JS_GetProperty(ctx, object, atom);
        qjs::JS_FreeAtom(ctx, atom);
        value
    }
}

/// Removes a property that may be there.
unsafe fn delete(ctx: *mut JSContext, object: JSValue, name: &str) {
    // SAFETY: as above.
    unsafe {
        if qjs::JS_IsObject(object) {
            let atom = qjs::JS_NewAtomLen(ctx, name.as_ptr().cast(), name.len() as _);
            qjs::JS_DeleteProperty(ctx, object, atom, 0);
            qjs::JS_FreeAtom(ctx, atom);
        }
    }
}

/// A runtime that allocates from the same allocator as Rust does.
fn new_runtime() -> *mut JSRuntime {
    unsafe extern "C" fn calloc(_opaque: *mut c_void, count: qjs::size_t, size: qjs::size_t) -> *mut c_void {
        // SAFETY: any count and size are allowed; null means there is no memory.
        unsafe { libmimalloc_sys::mi_calloc(count as usize, size as usize) }
    }
    unsafe extern "C" fn malloc(_opaque: *mut c_void, size: qjs::size_t) -> *mut c_void {
        // SAFETY: as above.
        unsafe { libmimalloc_sys::mi_malloc(size as usize) }
    }
    unsafe extern "C" fn free(_opaque: *mut c_void, memory: *mut c_void) {
        // SAFETY: QuickJS frees what came from here, once.
        unsafe { libmimalloc_sys::mi_free(memory) }
    }
    unsafe extern "C" fn realloc(_opaque: *mut c_void, memory: *mut c_void, size: qjs::size_t) -> *mut c_void {
        // SAFETY: QuickJS grows what came from here. A mapped file never comes: only `resize` and `transfer` of an
        // ArrayBuffer would bring one, which are removed from every realm (`ABSENT_MEMBERS`).
        unsafe { libmimalloc_sys::mi_realloc(memory, size as usize) }
    }
    unsafe extern "C" fn usable_size(memory: *const c_void) -> qjs::size_t {
        // SAFETY: QuickJS asks about what came from here.
        unsafe { libmimalloc_sys::mi_usable_size(memory) as qjs::size_t }
    }
    let functions = qjs::JSMallocFunctions {
        js_calloc: Some(calloc),
        js_malloc: Some(malloc),
        js_free: Some(free),
        js_realloc: Some(realloc),
        js_malloc_usable_size: Some(usable_size),
    };
    // SAFETY: QuickJS copies the table.
    unsafe { qjs::JS_NewRuntime2(&functions, ptr::null_mut()) }
}

impl Realm for QuickJs {
    fn evaluate(&self, address: &str) -> Result<Handle, Throw> {
        self.enter();
        let ctx = self.c();
        // SAFETY: values are freed or handed over exactly once, as each function of the C API says.
        unsafe {
            let known = self.state().modules.borrow().get(address).copied();
            let module = match known {
                Some(module) => module,
                None => load_module(ctx, address).map_err(|throw| throw.unwrap_or_else(|| take_exception(ctx)))?,
            };
            if !link(ctx, self.state(), module) {
                self.state().host.link_failed();
                return Err(take_exception(ctx));
            }
            let value = qjs::JS_MKPTR(qjs::JS_TAG_MODULE, module.cast());
            let promise = qjs::JS_EvalFunction(ctx, qjs::JS_DupValue(ctx, value));
            if is_exception(promise) {
                self.state().host.link_failed();
                return Err(take_exception(ctx));
            }
            if qjs::JS_PromiseState(ctx, promise) == qjs::JSPromiseStateEnum_JS_PROMISE_REJECTED {
                let reason = qjs::JS_PromiseResult(ctx, promise);
                let stopped = qjs::JS_IsUncatchableError(reason);
                let exception = describe(ctx, reason);
                qjs::JS_FreeValue(ctx, reason);
                self.forget_rejection(promise);
                qjs::JS_FreeValue(ctx, promise);
                return Err(if stopped { Throw::Stop } else { Throw::Exception(exception) });
            }
            Ok(self.put(promise))
        }
    }

    fn prepare(&self) -> Result<(), Throw> {
        // Stack traces are k6's; V8's ways to shape them are not.
        self.part("volley/stack", None).map(|kept| self.release(kept))
    }

    fn define_global(&self, name: &'static str, global: Global, enumerable: bool) -> Result<(), Throw> {
        self.enter();
        // SAFETY: the context is alive.
        unsafe { scope::define(self.c(), name, global, enumerable) }
    }

    fn part(&self, name: &str, member: Option<&str>) -> Result<Handle, Throw> {
        self.enter();
        // SAFETY: the context is alive; the value is the slab's from here on.
        unsafe {
            let value = scope::part(self.c(), self.state(), name, member);
            if is_exception(value) { Err(take_exception(self.c())) } else { Ok(self.put(value)) }
        }
    }

    fn exports(&self, address: &str) -> Result<Vec<(String, ExportKind)>, Throw> {
        self.enter();
        let ctx = self.c();
        let module = self.module(address)?;
        // SAFETY: the module is alive as long as its context; values are freed once.
        unsafe {
            let namespace = exported(ctx, module);
            let mut list = Vec::new();
            let result = each_property(ctx, namespace, |name, value| {
                let export = if qjs::JS_IsFunction(ctx, value) {
                    ExportKind::Function
                } else if qjs::JS_IsNull(value) || qjs::JS_IsUndefined(value) {
                    ExportKind::Nothing
                } else {
                    ExportKind::Value
                };
                list.push((name, export));
                Ok(())
            });
            qjs::JS_FreeValue(ctx, namespace);
            result.map(|()| list)
        }
    }

    fn export(&self, address: &str, name: &str) -> Result<Handle, Throw> {
        self.enter();
        let ctx = self.c();
        let module = self.module(address)?;
        // SAFETY: as above.
        unsafe {
            let namespace = exported(ctx, module);
            let atom = qjs::JS_NewAtomLen(ctx, name.as_ptr().cast(), name.len() as _);
            let value = qjs::JS_GetProperty(ctx, namespace, atom);
            qjs::JS_FreeAtom(ctx, atom);
            qjs::JS_FreeValue(ctx, namespace);
            if is_exception(value) { Err(take_exception(ctx)) } else { Ok(self.put(value)) }
        }
    }

    fn call(&self, function: Handle, args: Vec<Value>) -> Result<Handle, Throw> {
        self.enter();
        let ctx = self.c();
        // SAFETY: arguments are converted to owned values and freed after the call, which borrows them.
        unsafe {
            let mut list = smallvec::SmallVec::<[JSValue; 4]>::new();
            for arg in args {
                list.push(to_js(ctx, self.state(), arg));
            }
            let function = qjs::JS_DupValue(ctx, self.kept(function));
            let result = qjs::JS_Call(ctx, function, UNDEFINED, list.len() as c_int, list.as_mut_ptr());
            qjs::JS_FreeValue(ctx, function);
            for arg in list {
                qjs::JS_FreeValue(ctx, arg);
            }
            if is_exception(result) { Err(take_exception(ctx)) } else { Ok(self.put(result)) }
        }
    }

    fn retain(&self, value: Value) -> Result<Handle, Throw> {
        self.enter();
        // SAFETY: what `to_js` makes is ours, and the slab's from here on.
        unsafe {
            let value = to_js(self.c(), self.state(), value);
            if is_exception(value) { Err(take_exception(self.c())) } else { Ok(self.put(value)) }
        }
    }

    fn outcome(&self, kept: Handle) -> PromiseOutcome {
        self.enter();
        let (ctx, value) = (self.c(), self.kept(kept));
        // SAFETY: the kept value stays owned by the slab; the promise's result is ours to free.
        unsafe {
            if !qjs::JS_IsPromise(value) {
                return PromiseOutcome::Value(from_js(ctx, self.state(), value, 0).unwrap_or(Value::Undefined));
            }
            match qjs::JS_PromiseState(ctx, value) {
                qjs::JSPromiseStateEnum_JS_PROMISE_PENDING => PromiseOutcome::Pending,
                qjs::JSPromiseStateEnum_JS_PROMISE_REJECTED => {
                    let reason = qjs::JS_PromiseResult(ctx, value);
                    let exception = describe(ctx, reason);
                    qjs::JS_FreeValue(ctx, reason);
                    self.forget_rejection(value);
                    PromiseOutcome::Rejected(exception)
                }
                _ => {
                    let result = qjs::JS_PromiseResult(ctx, value);
                    let copy = from_js(ctx, self.state(), result, 0).unwrap_or(Value::Undefined);
                    qjs::JS_FreeValue(ctx, result);
                    PromiseOutcome::Value(copy)
                }
            }
        }
    }

    fn fulfilled(&self, kept: Handle) -> Result<Handle, Exception> {
        self.enter();
        let (ctx, value) = (self.c(), self.kept(kept));
        // SAFETY: what is kept anew is duplicated, or the promise's result, which is ours.
        unsafe {
            if !qjs::JS_IsPromise(value) {
                return Ok(self.put(qjs::JS_DupValue(ctx, value)));
            }
            match qjs::JS_PromiseState(ctx, value) {
                qjs::JSPromiseStateEnum_JS_PROMISE_PENDING => Ok(self.put(UNDEFINED)),
                qjs::JSPromiseStateEnum_JS_PROMISE_REJECTED => match self.outcome(kept) {
                    PromiseOutcome::Rejected(exception) => Err(exception),
                    _ => Ok(self.put(UNDEFINED)),
                },
                _ => Ok(self.put(qjs::JS_PromiseResult(ctx, value))),
            }
        }
    }

    fn release(&self, kept: Handle) {
        let value = {
            let mut slab = self.state().kept.borrow_mut();
            slab.free.push(kept.0);
            std::mem::replace(&mut slab.slots[kept.0 as usize], UNDEFINED)
        };
        // SAFETY: the slab owned it.
        unsafe { qjs::JS_FreeValue(self.c(), value) }
    }

    fn settle(&self, promise: u32, result: Result<Value, Throw>) {
        self.enter();
        let Some([resolve, reject]) = self.state().promises.borrow_mut().remove(&promise) else { return };
        let ctx = self.c();
        // SAFETY: the resolving functions were kept for this moment and are freed after it.
        unsafe {
            let (function, mut value) = match result {
                Ok(value) => (resolve, to_js(ctx, self.state(), value)),
                Err(throw) => (reject, error_value(ctx, self.state(), throw)),
            };
            let done = qjs::JS_Call(ctx, function, UNDEFINED, 1, &mut value);
            qjs::JS_FreeValue(ctx, done);
            qjs::JS_FreeValue(ctx, value);
            qjs::JS_FreeValue(ctx, resolve);
            qjs::JS_FreeValue(ctx, reject);
        }
    }

    fn run_jobs(&self) -> Result<(), Throw> {
        self.enter();
        loop {
            let mut ctx = ptr::null_mut();
            // SAFETY: the runtime is alive; `ctx` is only read when a job failed.
            match unsafe { qjs::JS_ExecutePendingJob(self.rt.as_ptr(), &mut ctx) } {
                0 => return Ok(()),
                result if result < 0 => {
                    // SAFETY: a failed job leaves its exception in the context it ran in.
                    if let Throw::Stop = unsafe { take_exception(ctx) } {
                        return Err(Throw::Stop);
                    }
                }
                _ => {}
            }
        }
    }

    fn take_rejections(&self) -> Vec<Exception> {
        let ctx = self.c();
        let list = std::mem::take(&mut *self.state().rejections.borrow_mut());
        list.into_iter()
            .map(|(promise, reason)| {
                // SAFETY: both were duplicated when they were remembered.
                unsafe {
                    let exception = describe(ctx, reason);
                    qjs::JS_FreeValue(ctx, promise);
                    qjs::JS_FreeValue(ctx, reason);
                    exception
                }
            })
            .collect()
    }
}

// Callbacks ------------------------------------------------------------------------------------------------------

/// The state of the realm a callback belongs to.
///
/// # Safety
/// `ctx` must be a context made by [`QuickJs::new`].
unsafe fn state<'a>(ctx: *mut JSContext) -> &'a State {
    // SAFETY: set in `QuickJs::new`, valid until the context is freed.
    unsafe { &*qjs::JS_GetContextOpaque(ctx).cast::<State>() }
}

unsafe extern "C" fn call_native(
    ctx: *mut JSContext,
    _this: JSValue,
    argc: c_int,
    argv: *mut JSValue,
    magic: c_int,
) -> JSValue {
    // SAFETY: QuickJS calls us with its own context and `argc` values at `argv`.
    unsafe {
        let state = state(ctx);
        let argv: &[JSValue] = if argc > 0 { std::slice::from_raw_parts(argv, argc as usize) } else { &[] };
        let args: Result<Args, Throw> = argv.iter().map(|arg| from_js(ctx, state, *arg, 0)).collect::<Result<_, _>>();
        let result = args.and_then(|args| {
            catch_unwind(AssertUnwindSafe(|| state.host.call(magic as usize, args)))
                .unwrap_or_else(|panic| Err(Throw::go(format!("internal error: {}", panic_text(&*panic)))))
        });
        match result {
            Ok(value) => to_js(ctx, state, value),
            Err(throw) => throw_js(ctx, state, throw),
        }
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref().copied()).unwrap_or("panic")
}

unsafe extern "C" fn drop_resource(_rt: *mut JSRuntime, value: JSValue) {
    // SAFETY: only objects of our class reach this finalizer; their opaque pointer is a boxed `Resource`.
    unsafe {
        let class = qjs::JS_GetClassID(value);
        let resource = qjs::JS_GetOpaque(value, class).cast::<Resource>();
        if !resource.is_null() {
            drop(Box::from_raw(resource));
        }
    }
}

unsafe extern "C" fn interrupt(_rt: *mut JSRuntime, opaque: *mut c_void) -> c_int {
    // SAFETY: the opaque pointer was set in `QuickJs::new`.
    let state = unsafe { &*opaque.cast::<State>() };
    if let Some(left) = state.regexp_slices.get() {
        state.regexp_slices.set(Some(left.saturating_sub(1)));
        if left <= 1 {
            return 1;
        }
    }
    c_int::from(!state.host.may_continue())
}

unsafe extern "C" fn track_rejection(
    ctx: *mut JSContext,
    promise: JSValue,
    reason: JSValue,
    is_handled: bool,
    opaque: *mut c_void,
) {
    // SAFETY: the opaque pointer was set in `QuickJs::new`; what is remembered is duplicated.
    unsafe {
        let state = &*opaque.cast::<State>();
        let mut rejections = state.rejections.borrow_mut();
        if !is_handled {
            rejections.push((qjs::JS_DupValue(ctx, promise), qjs::JS_DupValue(ctx, reason)));
        } else if let Some(at) = rejections.iter().position(|(known, _)| same_object(*known, promise)) {
            let (promise, reason) = rejections.swap_remove(at);
            drop(rejections);
            qjs::JS_FreeValue(ctx, promise);
            qjs::JS_FreeValue(ctx, reason);
        }
    }
}

unsafe extern "C" fn normalize(
    ctx: *mut JSContext,
    base: *const c_char,
    name: *const c_char,
    _opaque: *mut c_void,
) -> *mut c_char {
    // SAFETY: both are C strings of QuickJS; the answer is allocated by QuickJS, which frees it.
    unsafe {
        let state = state(ctx);
        let (base, name) = (CStr::from_ptr(base).to_string_lossy(), CStr::from_ptr(name).to_string_lossy());
        if state.linking.get() == 0 {
            throw_js(ctx, state, Throw::Host { message: super::NO_DYNAMIC_IMPORT.to_owned() });
            return ptr::null_mut();
        }
        match state.host.resolve(&name, &base) {
            Ok(address) => qjs::js_strndup(ctx, address.as_ptr().cast(), address.len() as _),
            Err(throw) => {
                throw_js(ctx, state, throw);
                ptr::null_mut()
            }
        }
    }
}

unsafe extern "C" fn load(
    ctx: *mut JSContext,
    name: *const c_char,
    _opaque: *mut c_void,
    _attributes: JSValue,
) -> *mut JSModuleDef {
    // SAFETY: `name` is a C string of QuickJS.
    unsafe {
        let name = CStr::from_ptr(name).to_string_lossy();
        match load_module(ctx, &name) {
            Ok(module) => module,
            Err(throw) => {
                if let Some(throw) = throw {
                    throw_js(ctx, state(ctx), throw);
                }
                ptr::null_mut()
            }
        }
    }
}

/// Makes the module at `address`, from bytecode where the process has it already. Without a `Throw` the error is the
/// context's pending exception: a syntax error keeps its place.
unsafe fn load_module(ctx: *mut JSContext, address: &str) -> Result<*mut JSModuleDef, Option<Throw>> {
    // SAFETY: strings are NUL-terminated; a module value is owned by its context once declared.
    unsafe {
        let state = state(ctx);
        if address == super::ENGINE {
            let module = scope::engine_module(ctx)?;
            state.modules.borrow_mut().insert(address.to_owned(), module);
            return Ok(module);
        }
        let module = match state.host.load(address)? {
            ModuleCode::Native(functions) => native_module(ctx, address, functions)?,
            ModuleCode::Script { .. } => return Err(Some(Throw::go(format!("{address} is no ES module")))),
            ModuleCode::Source { text, compiled } => {
                let value = compile(ctx, address, &text, &compiled, qjs::JS_EVAL_TYPE_MODULE);
                if is_exception(value) {
                    return Err(None);
                }
                let module = qjs::JS_VALUE_GET_PTR(value).cast::<JSModuleDef>();
                // Declaring a module leaves one reference with us; the context holds its own.
                qjs::JS_FreeValue(ctx, value);
                add_meta(ctx, module, address);
                module
            }
        };
        state.modules.borrow_mut().insert(address.to_owned(), module);
        Ok(module)
    }
}

/// Finds and loads everything a module imports; false leaves an exception in the context.
unsafe fn link(ctx: *mut JSContext, state: &State, module: *mut JSModuleDef) -> bool {
    // SAFETY: the module is alive; its value is borrowed by the call.
    unsafe {
        let value = qjs::JS_MKPTR(qjs::JS_TAG_MODULE, module.cast());
        state.linking.set(state.linking.get() + 1);
        let result = qjs::JS_ResolveModule(ctx, value);
        state.linking.set(state.linking.get() - 1);
        result >= 0
    }
}

/// The code at `address`, from bytecode where the process has it already.
unsafe fn compile(
    ctx: *mut JSContext,
    address: &str,
    text: &str,
    compiled: &std::sync::OnceLock<Box<[u8]>>,
    kind: u32,
) -> JSValue {
    // SAFETY: the source is followed by the NUL that QuickJS' parser wants to see; bytecode is QuickJS' own.
    unsafe {
        // Compiling a module asks for what it imports.
        let linking = &state(ctx).linking;
        linking.set(linking.get() + 1);
        if let Some(bytecode) = compiled.get() {
            let flags = qjs::JS_READ_OBJ_BYTECODE as c_int;
            let value = qjs::JS_ReadObject(ctx, bytecode.as_ptr(), bytecode.len() as _, flags);
            linking.set(linking.get() - 1);
            return value;
        }
        let flags = kind | qjs::JS_EVAL_FLAG_STRICT | qjs::JS_EVAL_FLAG_COMPILE_ONLY;
        let (name, mut source) = (CString::new(address).unwrap_or_default(), text.as_bytes().to_vec());
        source.push(0);
        let value = qjs::JS_Eval(ctx, source.as_ptr().cast(), text.len() as _, name.as_ptr(), flags as c_int);
        linking.set(linking.get() - 1);
        if is_exception(value) {
            place_regexp(ctx, state(ctx), address);
            return value;
        }
        let mut len = 0;
        // js-stdlib has no source and no positions to show.
        let strip = qjs::JS_WRITE_OBJ_STRIP_SOURCE | qjs::JS_WRITE_OBJ_STRIP_DEBUG;
        let flags = if address.contains("://") { 0 } else { strip };
        let bytes = qjs::JS_WriteObject(ctx, &mut len, value, (qjs::JS_WRITE_OBJ_BYTECODE | flags) as c_int);
        if !bytes.is_null() {
            let copy: Box<[u8]> = std::slice::from_raw_parts(bytes, len as usize).into();
            qjs::js_free(ctx, bytes.cast());
            let _ = compiled.set(copy);
        }
        value
    }
}

/// A regular expression that can't be read is a syntax error without a place: it is found by making each that stands in the
/// text, and the pending exception gets its place.
unsafe fn place_regexp(ctx: *mut JSContext, state: &State, address: &str) {
    // SAFETY: the exception is taken and thrown again; all other values are freed here, or handed over.
    unsafe {
        let error = qjs::JS_GetException(ctx);
        let stack = property(ctx, error, "stack");
        let has_place = string(ctx, stack).is_some_and(|stack| stack.contains("\tat "));
        qjs::JS_FreeValue(ctx, stack);
        if qjs::JS_IsError(error) && !has_place {
            let global = qjs::JS_GetGlobalObject(ctx);
            let constructor = property(ctx, global, "RegExp");
            let is_bad = |literal: &RegExpLiteral| {
                let mut given = [&literal.pattern, &literal.flags]
                    .map(|text| qjs::JS_NewStringLen(ctx, text.as_ptr().cast(), text.len() as _));
                let made = qjs::JS_CallConstructor(ctx, constructor, 2, given.as_mut_ptr());
                for text in given {
                    qjs::JS_FreeValue(ctx, text);
                }
                let is_bad = is_exception(made);
                qjs::JS_FreeValue(ctx, if is_bad { qjs::JS_GetException(ctx) } else { made });
                is_bad
            };
            if let Some(bad) = state.host.regexp_literals(address).into_iter().find(is_bad) {
                let place = format!("{address}:{}:{}", bad.line, bad.column);
                let place = state.host.original_position(&place).unwrap_or(place);
                let text = string(ctx, error).unwrap_or_default();
                let stack = to_js(ctx, state, Value::String(format!("{text}\n\tat {place}\n")));
                let atom = qjs::JS_NewAtomLen(ctx, c"stack".as_ptr(), 5);
                let flags = qjs::JS_PROP_CONFIGURABLE | qjs::JS_PROP_WRITABLE;
                qjs::JS_DefinePropertyValue(ctx, error, atom, stack, flags as c_int);
                qjs::JS_FreeAtom(ctx, atom);
            }
            qjs::JS_FreeValue(ctx, constructor);
            qjs::JS_FreeValue(ctx, global);
        }
        qjs::JS_Throw(ctx, error);
    }
}

/// What a module exports: its namespace, or what the CommonJS file it stands for exports.
unsafe fn exported(ctx: *mut JSContext, module: *mut JSModuleDef) -> JSValue {
    // SAFETY: the module is alive; values are freed once.
    unsafe {
        let namespace = qjs::JS_GetModuleNamespace(ctx, module);
        let atom = qjs::JS_NewAtomLen(ctx, super::COMMONJS.as_ptr().cast(), super::COMMONJS.len() as _);
        let has = qjs::JS_HasProperty(ctx, namespace, atom) > 0;
        let value = if has { qjs::JS_GetProperty(ctx, namespace, atom) } else { UNDEFINED };
        qjs::JS_FreeAtom(ctx, atom);
        if qjs::JS_IsObject(value) {
            qjs::JS_FreeValue(ctx, namespace);
            return value;
        }
        if is_exception(value) {
            qjs::JS_FreeValue(ctx, qjs::JS_GetException(ctx));
        }
        namespace
    }
}

/// Evaluates what is at `address` at once: the namespace of a module, the value of a script.
unsafe fn load_now(ctx: *mut JSContext, state: &State, address: &str) -> JSValue {
    // SAFETY: values are freed or handed over exactly once, as each function of the C API says.
    unsafe {
        let throw = |throw: Option<Throw>| match throw {
            Some(throw) => throw_js(ctx, state, throw),
            None => EXCEPTION,
        };
        let known = state.modules.borrow().get(address).copied();
        if known.is_none() && address != super::ENGINE {
            match state.host.load(address) {
                Err(error) => return throw(Some(error)),
                Ok(ModuleCode::Script { text, compiled }) => {
                    let script = compile(ctx, address, &text, &compiled, qjs::JS_EVAL_TYPE_GLOBAL);
                    return if is_exception(script) { script } else { qjs::JS_EvalFunction(ctx, script) };
                }
                Ok(_) => {}
            }
        }
        let is_running = || state.host.is_running(address);
        if let Some(module) = known
            && is_running()
        {
            return qjs::JS_GetModuleNamespace(ctx, module);
        }
        let before: Vec<String> = state.modules.borrow().keys().cloned().collect();
        let module = match known.map_or_else(|| load_module(ctx, address), Ok) {
            Ok(module) => module,
            Err(error) => return throw(error),
        };
        if !link(ctx, state, module) {
            // QuickJS has let go of what can't be linked.
            state.modules.borrow_mut().retain(|address, _| before.contains(address));
            return EXCEPTION;
        }
        if is_running() {
            return throw(Some(super::is_imported(address)));
        }
        let value = qjs::JS_MKPTR(qjs::JS_TAG_MODULE, module.cast());
        let promise = qjs::JS_EvalFunction(ctx, qjs::JS_DupValue(ctx, value));
        if is_exception(promise) {
            return promise;
        }
        match qjs::JS_PromiseState(ctx, promise) {
            qjs::JSPromiseStateEnum_JS_PROMISE_REJECTED => {
                let reason = qjs::JS_PromiseResult(ctx, promise);
                forget_rejection(ctx, state, promise);
                forget_reason(ctx, state, reason);
                qjs::JS_FreeValue(ctx, promise);
                return qjs::JS_Throw(ctx, reason);
            }
            qjs::JSPromiseStateEnum_JS_PROMISE_PENDING => {
                qjs::JS_FreeValue(ctx, promise);
                return throw(Some(super::awaits(address)));
            }
            _ => {}
        }
        qjs::JS_FreeValue(ctx, promise);
        qjs::JS_GetModuleNamespace(ctx, module)
    }
}

/// `import.meta.resolve(specifier)`, the only thing k6 has there.
unsafe fn add_meta(ctx: *mut JSContext, module: *mut JSModuleDef, address: &str) {
    unsafe extern "C" fn resolve(
        ctx: *mut JSContext,
        _this: JSValue,
        argc: c_int,
        argv: *mut JSValue,
        _magic: c_int,
        data: *mut JSValue,
    ) -> JSValue {
        // SAFETY: `data` holds the module's address; `argv` has `argc` values.
        unsafe {
            let state = state(ctx);
            let base = string(ctx, *data).unwrap_or_default();
            let name = if argc > 0 { string(ctx, *argv).unwrap_or_default() } else { String::new() };
            match state.host.import_meta_resolve(&name, &base) {
                Ok(address) => to_js(ctx, state, Value::String(address)),
                Err(throw) => throw_js(ctx, state, throw),
            }
        }
    }
    if !address.contains("://") {
        return;
    }
    // SAFETY: the module is alive; the function's data and itself are handed over or freed here.
    unsafe {
        let meta = qjs::JS_GetImportMeta(ctx, module);
        let mut base = qjs::JS_NewStringLen(ctx, address.as_ptr().cast(), address.len() as _);
        let function = qjs::JS_NewCFunctionData(ctx, Some(resolve), 1, 0, 1, &mut base);
        qjs::JS_FreeValue(ctx, base);
        define(ctx, meta, "resolve", function);
        qjs::JS_FreeValue(ctx, meta);
    }
}

/// A module whose exports are native functions.
unsafe fn native_module(
    ctx: *mut JSContext,
    address: &str,
    functions: Vec<(&'static str, usize)>,
) -> Result<*mut JSModuleDef, Throw> {
    unsafe extern "C" fn init(ctx: *mut JSContext, module: *mut JSModuleDef) -> c_int {
        // SAFETY: QuickJS calls this once, when the module is evaluated; exports are handed over.
        unsafe {
            let state = state(ctx);
            let atom = qjs::JS_GetModuleName(ctx, module);
            let name = qjs::JS_AtomToValue(ctx, atom);
            let address = string(ctx, name).unwrap_or_default();
            qjs::JS_FreeValue(ctx, name);
            qjs::JS_FreeAtom(ctx, atom);
            let Ok(ModuleCode::Native(functions)) = state.host.load(&address) else { return -1 };
            for (name, index) in functions {
                let Ok(c_name) = CString::new(name) else { return -1 };
                let function = native_function(ctx, &c_name, index);
                if qjs::JS_SetModuleExport(ctx, module, c_name.as_ptr(), function) < 0 {
                    return -1;
                }
            }
            0
        }
    }
    let c_address = CString::new(address).map_err(|_| Throw::type_error("a module address with a NUL in it"))?;
    // SAFETY: the names live until the calls return; QuickJS copies them into atoms.
    unsafe {
        let module = qjs::JS_NewCModule(ctx, c_address.as_ptr(), Some(init));
        if module.is_null() {
            return Err(take_exception(ctx));
        }
        for (name, _) in functions {
            let name = CString::new(name).map_err(|_| Throw::type_error("a function name with a NUL in it"))?;
            qjs::JS_AddModuleExport(ctx, module, name.as_ptr());
        }
        Ok(module)
    }
}

unsafe fn native_function(ctx: *mut JSContext, name: &CStr, index: usize) -> JSValue {
    // SAFETY: the union holds the kind of function that the prototype given beside it names; it is read back as
    // exactly that by QuickJS.
    unsafe {
        let function = qjs::JSCFunctionType { generic_magic: Some(call_native) };
        qjs::JS_NewCFunction2(
            ctx,
            function.generic,
            name.as_ptr(),
            0,
            qjs::JSCFunctionEnum_JS_CFUNC_generic_magic,
            index as c_int,
        )
    }
}

// Values ---------------------------------------------------------------------------------------------------------

unsafe fn is_exception(value: JSValue) -> bool {
    // SAFETY: only looks at the tag.
    unsafe { qjs::JS_IsException(value) }
}

fn same_object(a: JSValue, b: JSValue) -> bool {
    // SAFETY: only looks at the pointers of two objects.
    unsafe { qjs::JS_VALUE_GET_PTR(a) == qjs::JS_VALUE_GET_PTR(b) }
}

/// The text of a value that converts to a string; `None` where the conversion throws.
unsafe fn string(ctx: *mut JSContext, value: JSValue) -> Option<String> {
    // SAFETY: the C string is freed after it was copied.
    unsafe {
        let mut len = 0;
        let text = qjs::JS_ToCStringLen2(ctx, &mut len, value, false);
        if text.is_null() {
            qjs::JS_FreeValue(ctx, qjs::JS_GetException(ctx));
            return None;
        }
        let bytes = std::slice::from_raw_parts(text.cast::<u8>(), len as usize);
        // Lone surrogates come as three bytes that are not UTF-8.
        let copy = match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => lossy(bytes),
        };
        qjs::JS_FreeCString(ctx, text);
        Some(copy)
    }
}

/// One U+FFFD per lone surrogate, as an encoder would write.
fn lossy(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes;
    loop {
        match std::str::from_utf8(rest) {
            Ok(good) => {
                text.push_str(good);
                return text;
            }
            Err(error) => {
                let (good, bad) = rest.split_at(error.valid_up_to());
                text.push_str(&String::from_utf8_lossy(good));
                text.push('\u{FFFD}');
                rest = bad.get(3..).unwrap_or_default();
            }
        }
    }
}

unsafe fn from_js(ctx: *mut JSContext, state: &State, value: JSValue, depth: usize) -> Result<Value, Throw> {
    // SAFETY: the tag says what the payload is; borrowed values stay borrowed.
    unsafe {
        Ok(match qjs::JS_VALUE_GET_NORM_TAG(value) {
            qjs::JS_TAG_NULL => Value::Null,
            qjs::JS_TAG_BOOL => Value::Bool(qjs::JS_VALUE_GET_BOOL(value)),
            qjs::JS_TAG_INT => Value::Number(f64::from(qjs::JS_VALUE_GET_INT(value))),
            qjs::JS_TAG_FLOAT64 => Value::Number(qjs::JS_VALUE_GET_FLOAT64(value)),
            qjs::JS_TAG_STRING | qjs::JS_TAG_STRING_ROPE => Value::String(string(ctx, value).unwrap_or_default()),
            qjs::JS_TAG_OBJECT => return object_from_js(ctx, state, value, depth),
            qjs::JS_TAG_SYMBOL => Value::Opaque("symbol"),
            qjs::JS_TAG_UNDEFINED => Value::Undefined,
            _ if qjs::JS_IsBigInt(value) => {
                Value::Number(string(ctx, value).and_then(|text| text.parse().ok()).unwrap_or(f64::NAN))
            }
            _ => Value::Undefined,
        })
    }
}

unsafe fn object_from_js(ctx: *mut JSContext, state: &State, value: JSValue, depth: usize) -> Result<Value, Throw> {
    // SAFETY: as in `from_js`; what C functions return as owned is freed here.
    unsafe {
        if qjs::JS_GetClassID(value) == state.resource_class {
            let resource = &*qjs::JS_GetOpaque(value, state.resource_class).cast::<Resource>();
            return Ok(Value::Resource(resource.clone()));
        }
        if depth > MAX_DEPTH {
            return Err(Throw::type_error("the value is nested too deeply, or refers to itself"));
        }
        if qjs::JS_IsArray(value) && !qjs::JS_IsProxy(value) {
            let mut len = 0;
            if qjs::JS_GetLength(ctx, value, &mut len) < 0 {
                return Err(take_exception(ctx));
            }
            let mut list = Vec::with_capacity(len.clamp(0, 1 << 16) as usize);
            for at in 0..len {
                let item = qjs::JS_GetPropertyInt64(ctx, value, at);
                if is_exception(item) {
                    return Err(take_exception(ctx));
                }
                let converted = from_js(ctx, state, item, depth + 1);
                qjs::JS_FreeValue(ctx, item);
                list.push(converted?);
            }
            return Ok(Value::List(list));
        }
        if let Some(bytes) = bytes_from_js(ctx, value) {
            return Ok(Value::Bytes(bytes));
        }
        let native = qjs::JS_GetProperty(ctx, value, state.native.get());
        if is_exception(native) {
            return Err(take_exception(ctx));
        }
        if qjs::JS_IsObject(native) {
            let resource = from_js(ctx, state, native, depth + 1);
            qjs::JS_FreeValue(ctx, native);
            return resource;
        }
        qjs::JS_FreeValue(ctx, native);
        if qjs::JS_IsFunction(ctx, value) {
            return Ok(Value::Opaque("func(sobek.FunctionCall) sobek.Value"));
        }
        let mut map = Vec::new();
        each_property(ctx, value, |name, item| {
            map.push((name, from_js(ctx, state, item, depth + 1)?));
            Ok(())
        })?;
        Ok(Value::Map(map))
    }
}

/// The bytes of an ArrayBuffer, or those a typed array shows. A DataView is an object like any other, as in k6.
unsafe fn bytes_from_js(ctx: *mut JSContext, value: JSValue) -> Option<Bytes> {
    // SAFETY: pointers are valid until JavaScript runs again, and are copied from before that.
    unsafe {
        let mut len = 0;
        if qjs::JS_IsArrayBuffer(value) {
            let data = qjs::JS_GetArrayBuffer(ctx, &mut len, value);
            if data.is_null() {
                qjs::JS_FreeValue(ctx, qjs::JS_GetException(ctx));
                return Some(Bytes::new());
            }
            return Some(match mapped::bytes(data) {
                Some(shared) => shared,
                None => Bytes::copy_from_slice(std::slice::from_raw_parts(data, len as usize)),
            });
        }
        if qjs::JS_GetTypedArrayType(value) < 0 {
            return None;
        }
        let (mut offset, mut shown, mut per_element) = (0, 0, 0);
        let buffer = qjs::JS_GetTypedArrayBuffer(ctx, value, &mut offset, &mut shown, &mut per_element);
        if is_exception(buffer) {
            qjs::JS_FreeValue(ctx, qjs::JS_GetException(ctx));
            return Some(Bytes::new());
        }
        let data = qjs::JS_GetArrayBuffer(ctx, &mut len, buffer);
        // A view says how long it was when it was made; a buffer that has shrunk since shows less.
        let offset = (offset as usize).min(len as usize);
        let shown = (shown as usize).min(len as usize - offset);
        let bytes = if data.is_null() {
            Bytes::new()
        } else if let Some(shared) = mapped::bytes(data) {
            shared.slice(offset..offset + shown)
        } else {
            Bytes::copy_from_slice(std::slice::from_raw_parts(data.add(offset), shown))
        };
        qjs::JS_FreeValue(ctx, buffer);
        Some(bytes)
    }
}

/// Calls `see` with every own enumerable string-keyed property; the value is borrowed.
unsafe fn each_property(
    ctx: *mut JSContext,
    object: JSValue,
    mut see: impl FnMut(String, JSValue) -> Result<(), Throw>,
) -> Result<(), Throw> {
    // SAFETY: the table is freed after its atoms were used.
    unsafe {
        let (mut table, mut len) = (ptr::null_mut(), 0);
        let flags = (qjs::JS_GPN_STRING_MASK | qjs::JS_GPN_ENUM_ONLY) as c_int;
        if qjs::JS_GetOwnPropertyNames(ctx, &mut table, &mut len, object, flags) < 0 {
            return Err(take_exception(ctx));
        }
        let mut result = Ok(());
        for at in 0..len as usize {
            let atom = (*table.add(at)).atom;
            let value = qjs::JS_GetProperty(ctx, object, atom);
            if is_exception(value) {
                result = Err(take_exception(ctx));
                break;
            }
            let key = qjs::JS_AtomToValue(ctx, atom);
            let name = string(ctx, key).unwrap_or_default();
            qjs::JS_FreeValue(ctx, key);
            result = see(name, value);
            qjs::JS_FreeValue(ctx, value);
            if result.is_err() {
                break;
            }
        }
        qjs::JS_FreePropertyEnum(ctx, table, len);
        result
    }
}

unsafe fn to_js(ctx: *mut JSContext, state: &State, value: Value) -> JSValue {
    // SAFETY: every branch makes one owned value.
    unsafe {
        match value {
            Value::Undefined | Value::Opaque(_) => UNDEFINED,
            Value::Null => NULL,
            Value::Bool(value) => qjs::JS_MKVAL(qjs::JS_TAG_BOOL, i32::from(value)),
            Value::Number(number) => number_to_js(number),
            Value::String(text) => qjs::JS_NewStringLen(ctx, text.as_ptr().cast(), text.len() as _),
            Value::Bytes(bytes) => bytes_to_js(ctx, &bytes),
            Value::Shared(shared) => match shared.private() {
                Some(private) => mapped::to_js(ctx, private, shared.bytes().len()),
                None => bytes_to_js(ctx, shared.bytes()),
            },
            Value::List(list) => {
                let array = qjs::JS_NewArray(ctx);
                for (at, item) in list.into_iter().enumerate() {
                    let item = to_js(ctx, state, item);
                    qjs::JS_SetPropertyUint32(ctx, array, at as u32, item);
                    // A long list takes more than a turn. Where the VU has to stop nobody looks at what is missing.
                    if at % TURN_ITEMS == TURN_ITEMS - 1 && !state.host.may_continue() {
                        break;
                    }
                }
                array
            }
            Value::Map(map) => {
                let object = qjs::JS_NewObject(ctx);
                for (at, (name, item)) in map.into_iter().enumerate() {
                    let item = to_js(ctx, state, item);
                    define(ctx, object, &name, item);
                    if at % TURN_ITEMS == TURN_ITEMS - 1 && !state.host.may_continue() {
                        break;
                    }
                }
                object
            }
            Value::Json(json) if json.len() >= json::LONG => {
                match json::parse(ctx, &json, &|| state.host.may_continue()) {
                    Ok(value) => value,
                    Err(json::Fault::Syntax) => {
                        qjs::JS_ThrowSyntaxError(ctx, c"%s".as_ptr(), c"the text is no JSON".as_ptr())
                    }
                    Err(json::Fault::Stopped) => throw_js(ctx, state, Throw::Stop),
                    Err(json::Fault::Thrown) => EXCEPTION,
                }
            }
            Value::Json(json) => {
                let len = json.len();
                let mut text = Vec::with_capacity(len + 1);
                text.extend_from_slice(&json);
                text.push(0);
                qjs::JS_ParseJSON(ctx, text.as_ptr().cast(), len as _, c"JSON".as_ptr())
            }
            Value::Resource(resource) => {
                let object = qjs::JS_NewObjectClass(ctx, state.resource_class);
                if !is_exception(object) {
                    qjs::JS_SetOpaque(object, Box::into_raw(Box::new(resource)).cast());
                }
                object
            }
            Value::Pending(future) => {
                let mut functions = [UNDEFINED; 2];
                let promise = qjs::JS_NewPromiseCapability(ctx, functions.as_mut_ptr());
                if is_exception(promise) {
                    return promise;
                }
                let id = state.next_promise.get();
                state.next_promise.set(id.wrapping_add(1));
                state.promises.borrow_mut().insert(id, functions);
                state.host.add_pending(id, future);
                promise
            }
            Value::Handle(kept) => {
                let slot = state.kept.borrow().slots.get(kept.0 as usize).copied().unwrap_or(UNDEFINED);
                qjs::JS_DupValue(ctx, slot)
            }
        }
    }
}

fn number_to_js(number: f64) -> JSValue {
    let whole = number as i32;
    if f64::from(whole) == number && (whole != 0 || number.is_sign_positive()) {
        qjs::JS_MKVAL(qjs::JS_TAG_INT, whole)
    } else {
        qjs::JS_NewFloat64(number)
    }
}

/// An ArrayBuffer with memory of its own.
unsafe fn bytes_to_js(ctx: *mut JSContext, bytes: &[u8]) -> JSValue {
    // SAFETY: QuickJS copies from the pointer before it returns.
    unsafe { qjs::JS_NewArrayBufferCopy(ctx, bytes.as_ptr(), bytes.len() as _) }
}

unsafe fn define(ctx: *mut JSContext, object: JSValue, name: &str, value: JSValue) {
    // SAFETY: the value is handed over; the atom is ours.
    unsafe {
        let atom = qjs::JS_NewAtomLen(ctx, name.as_ptr().cast(), name.len() as _);
        qjs::JS_DefinePropertyValue(ctx, object, atom, value, qjs::JS_PROP_C_W_E as c_int);
        qjs::JS_FreeAtom(ctx, atom);
    }
}

// Errors ---------------------------------------------------------------------------------------------------------

unsafe fn throw_js(ctx: *mut JSContext, state: &State, throw: Throw) -> JSValue {
    // SAFETY: `JS_Throw` takes the value over.
    unsafe {
        let stop = matches!(throw, Throw::Stop);
        let error = error_value(ctx, state, throw);
        qjs::JS_Throw(ctx, error);
        if stop {
            qjs::JS_SetUncatchableError(ctx, error);
        }
        EXCEPTION
    }
}

/// What JavaScript sees of a throw.
unsafe fn error_value(ctx: *mut JSContext, state: &State, throw: Throw) -> JSValue {
    // SAFETY: values are freed once; the constructor borrowed from the global object is freed after the call.
    unsafe {
        let (class, message) = match throw {
            Throw::Error { class, message } => (class, message),
            Throw::Exception(exception) => ("Error", exception.text),
            Throw::Host { message } => return host_error(ctx, state, message),
            Throw::Stop => ("Error", "interrupted".to_owned()),
        };
        let global = qjs::JS_GetGlobalObject(ctx);
        let constructor = if class == "GoError" && !qjs::JS_IsUndefined(state.go_error.get()) {
            qjs::JS_DupValue(ctx, state.go_error.get())
        } else {
            let Ok(name) = CString::new(class) else { return UNDEFINED };
            let found = qjs::JS_GetPropertyStr(ctx, global, name.as_ptr());
            if class == "GoError" && qjs::JS_IsFunction(ctx, found) {
                state.go_error.set(qjs::JS_DupValue(ctx, found));
            }
            found
        };
        let mut text = to_js(ctx, state, Value::String(message));
        let error = if qjs::JS_IsFunction(ctx, constructor) {
            qjs::JS_CallConstructor(ctx, constructor, 1, &mut text)
        } else {
            let error = qjs::JS_NewError(ctx);
            define(ctx, error, "message", qjs::JS_DupValue(ctx, text));
            error
        };
        qjs::JS_FreeValue(ctx, text);
        qjs::JS_FreeValue(ctx, constructor);
        qjs::JS_FreeValue(ctx, global);
        error
    }
}

/// What promises of native functions reject with: no `Error`, but it prints as its message.
unsafe fn host_error(ctx: *mut JSContext, state: &State, message: String) -> JSValue {
    unsafe extern "C" fn text(
        ctx: *mut JSContext,
        _this: JSValue,
        _argc: c_int,
        _argv: *mut JSValue,
        _magic: c_int,
        data: *mut JSValue,
    ) -> JSValue {
        // SAFETY: `data` holds the message.
        unsafe { qjs::JS_DupValue(ctx, *data) }
    }
    // SAFETY: the message is copied into the function's data; the function is handed over.
    unsafe {
        let object = qjs::JS_NewObject(ctx);
        let mut message = to_js(ctx, state, Value::String(message));
        let function = qjs::JS_NewCFunctionData(ctx, Some(text), 0, 0, 1, &mut message);
        qjs::JS_FreeValue(ctx, message);
        let atom = qjs::JS_NewAtomLen(ctx, c"toString".as_ptr(), 8);
        let flags = qjs::JS_PROP_CONFIGURABLE | qjs::JS_PROP_WRITABLE;
        qjs::JS_DefinePropertyValue(ctx, object, atom, function, flags as c_int);
        qjs::JS_FreeAtom(ctx, atom);
        object
    }
}

/// Takes the pending exception out of the context.
unsafe fn take_exception(ctx: *mut JSContext) -> Throw {
    // SAFETY: the exception is ours once taken, and freed here.
    unsafe {
        let value = qjs::JS_GetException(ctx);
        if qjs::JS_IsUncatchableError(value) {
            qjs::JS_FreeValue(ctx, value);
            return Throw::Stop;
        }
        let exception = describe(ctx, value);
        qjs::JS_FreeValue(ctx, value);
        Throw::Exception(exception)
    }
}

/// A thrown value as text, whatever it is.
unsafe fn thrown_text(ctx: *mut JSContext, value: JSValue) -> String {
    // SAFETY: the value is borrowed; what is read from it is freed.
    unsafe {
        if qjs::JS_VALUE_GET_NORM_TAG(value) == qjs::JS_TAG_SYMBOL {
            let description = qjs::JS_GetPropertyStr(ctx, value, c"description".as_ptr());
            let text = string(ctx, description).unwrap_or_default();
            let is_there = !qjs::JS_IsUndefined(description);
            qjs::JS_FreeValue(ctx, description);
            return super::symbol_text(is_there.then_some(&text));
        }
        super::thrown_text(string(ctx, value), qjs::JS_IsError(value), qjs::JS_IsObject(value))
    }
}

/// What is told about a thrown value.
unsafe fn describe(ctx: *mut JSContext, value: JSValue) -> Exception {
    // SAFETY: the value is borrowed; what is read from it is freed.
    unsafe {
        let text = thrown_text(ctx, value);
        if !qjs::JS_IsError(value) {
            return Exception { text, stack: String::new() };
        }
        let stack = qjs::JS_GetPropertyStr(ctx, value, c"stack".as_ptr());
        let frames = if qjs::JS_IsString(stack) { string(ctx, stack).unwrap_or_default() } else { String::new() };
        qjs::JS_FreeValue(ctx, stack);
        // A stack made by js-stdlib's formatter begins with the error itself and is complete.
        let stack = stack::write(&text, frames.lines().filter_map(stack::parse_line), |_| None);
        Exception { text, stack }
    }
}
