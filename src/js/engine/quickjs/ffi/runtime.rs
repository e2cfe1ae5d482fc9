//! A runtime with its one context, and what QuickJS calls on its own.

use std::cell::{OnceCell, RefCell};
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr::{self, NonNull};
use std::rc::{Rc, Weak};

use rquickjs::qjs::{self, JSClassID, JSContext, JSModuleDef, JSRuntime, JSValue};

use super::super::realm::{self, QuickJsState};
use super::super::{limits, modules, promises, scope};
use super::functions::{guard, leave};
use super::text::c_string;
use super::{AsRaw, Borrowed, Context, ModuleRef, PropertyFlags, Thrown, buffers};

/// Of our build of QuickJS (`vendor/rquickjs-sys`).
#[repr(C)]
struct JSShared {
    _opaque: [u8; 0],
}

unsafe extern "C" {
    /// A runtime that begins with what is shared. That may be null; else it must live as long as the runtime does.
    fn JS_NewRuntimeSharing(
        functions: *const qjs::JSMallocFunctions,
        opaque: *mut c_void,
        shared: *mut JSShared,
    ) -> *mut JSRuntime;
    /// Makes the names there are now ones that other runtimes of the thread may begin with. Null where it has some of others
    /// already, or there is no memory.
    fn JS_Share(rt: *mut JSRuntime) -> *mut JSShared;
    /// No runtime may be left that has it.
    fn JS_FreeShared(shared: *mut JSShared);
    /// Gives back what the runtime has room for and does not use, and puts the strings that others have in the place of its own.
    /// The first of those that share gives its own to the others.
    fn JS_Settle(rt: *mut JSRuntime, is_first: bool);
    /// Calls `hook` with each group of late intrinsics once it is made. The global object is one with what it has made.
    fn JS_SetLateIntrinsicHook(ctx: *mut JSContext, hook: unsafe extern "C" fn(*mut JSContext, c_int) -> c_int);
    /// Defines a property that is made with its group; the object must have none of this name.
    fn JS_DefineLateIntrinsic(ctx: *mut JSContext, object: JSValue, name: *const c_char, group: c_int) -> c_int;
    /// Makes a group, unless it was made.
    fn JS_NeedLateIntrinsics(ctx: *mut JSContext, group: c_int) -> c_int;
    /// Calls `hook` with the place of a late value once that is needed; it returns the value, or what it has thrown.
    fn JS_SetLateValueHook(ctx: *mut JSContext, hook: unsafe extern "C" fn(*mut JSContext, c_int) -> JSValue);
    /// Defines a property whose value the hook makes; the object must have none of this name.
    fn JS_DefineLateValue(
        ctx: *mut JSContext,
        object: JSValue,
        name: *const c_char,
        place: c_int,
        flags: c_int,
    ) -> c_int;
}

/// Objects of the language that are made together, when one of them is first needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LateGroup {
    /// `Date`
    Date,
    /// `RegExp`
    RegExp,
    /// Maps and sets.
    MapSet,
    /// Buffers and what shows their bytes.
    TypedArrays,
}

impl LateGroup {
    /// In the order of QuickJS' own numbers.
    const ALL: [Self; 4] = [Self::Date, Self::RegExp, Self::MapSet, Self::TypedArrays];

    /// What the group puts into the global scope, in this order; not what scripts don't find there (`ABSENT`).
    const fn globals(self) -> &'static [&'static str] {
        match self {
            Self::Date => &["Date"],
            Self::RegExp => &["RegExp"],
            Self::MapSet => &["Map", "Set", "WeakMap", "WeakSet"],
            Self::TypedArrays => &[
                "ArrayBuffer",
                "Uint8ClampedArray",
                "Int8Array",
                "Uint8Array",
                "Int16Array",
                "Uint16Array",
                "Int32Array",
                "Uint32Array",
                "BigInt64Array",
                "BigUint64Array",
                "Float32Array",
                "Float64Array",
                "DataView",
            ],
        }
    }

    /// The group that makes a global; `None` for one that is there from the start.
    pub fn of(global: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.globals().contains(&global))
    }
}

/// What the runtimes of a thread have in common: names (QuickJS: atoms), and code that names nothing else.
struct SharedSpace(NonNull<JSShared>);

impl Drop for SharedSpace {
    fn drop(&mut self) {
        // SAFETY: every runtime that has it holds one `Rc` of this until it is freed.
        unsafe { JS_FreeShared(self.0.as_ptr()) };
    }
}

thread_local! {
    /// What the next runtime begins with, as long as another has it.
    static SHARED: RefCell<Weak<SharedSpace>> = const { RefCell::new(Weak::new()) };
}

/// A runtime and its context; the state of the realm goes with them.
pub struct JsRuntime {
    raw: NonNull<JSRuntime>,
    context: Context,
    /// From `Box::into_raw`, freed in `drop`: the opaque pointer of runtime and context is the same.
    attached: NonNull<Attached>,
    /// Freed after the runtime.
    shared: OnceCell<Rc<SharedSpace>>,
}

/// What the opaque pointers point to.
struct Attached {
    state: Rc<QuickJsState>,
    resource_class: JSClassID,
}

impl JsRuntime {
    /// A runtime whose callbacks go to `state`; `None` where there is no memory.
    pub fn new(state: Rc<QuickJsState>) -> Option<Self> {
        let shared = SHARED.with_borrow(Weak::upgrade);
        let raw = new_runtime(shared.as_deref())?;
        let rt = raw.as_ptr();
        let Some(context) = new_context(rt) else {
            // SAFETY: nothing was made of the runtime.
            unsafe { qjs::JS_FreeRuntime(rt) };
            return None;
        };
        let mut resource_class = 0;
        let class = qjs::JSClassDef {
            class_name: c"Native".as_ptr(),
            finalizer: Some(buffers::drop_resource),
            gc_mark: None,
            call: None,
            exotic: ptr::null_mut(),
        };
        // SAFETY: the runtime is alive; the number is written, and the definition read, before the calls return.
        unsafe {
            qjs::JS_NewClassID(rt, &mut resource_class);
            qjs::JS_NewClass(rt, resource_class, &class);
        }
        let attached = NonNull::from(Box::leak(Box::new(Attached { state, resource_class })));
        let opaque = attached.as_ptr().cast();
        // SAFETY: both are alive; the callbacks are functions of the program, and what they get lives until `drop`, which
        // takes them back before.
        unsafe {
            qjs::JS_SetContextOpaque(context.as_ptr(), opaque);
            qjs::JS_SetInterruptHandler(rt, Some(interrupt), opaque);
            qjs::JS_SetModuleLoaderFunc2(rt, Some(normalize), Some(load), None, opaque);
            qjs::JS_SetHostPromiseRejectionTracker(rt, Some(track_rejection), opaque);
            JS_SetLateIntrinsicHook(context.as_ptr(), prepare_late);
            JS_SetLateValueHook(context.as_ptr(), make_late_value);
        }
        Some(Self { raw, context: Context(context), attached, shared: shared.map(OnceCell::from).unwrap_or_default() })
    }

    /// To be called once init code has run. What the runtime has room for and does not use is given back. The runtimes that this
    /// thread makes from now on begin with the names this one has now: those of the language, of the modules and of the script
    /// need no memory of their own then; nor do, once this was called for them, texts that this one has, too. What only one
    /// runtime has comes on top. Code that one of them reads ([`Context::read_bytecode`]) is there for all of them.
    pub fn share(&self) {
        if self.shared.get().is_some() {
            self.settle(false);
            return;
        }
        // So that the names of all of the language are among them, also where this one did not need it.
        for group in LateGroup::ALL {
            // SAFETY: the context is alive.
            self.context.ok(Context::done(unsafe { JS_NeedLateIntrinsics(self.context.ptr(), group as c_int) }));
        }
        // SAFETY: the runtime is alive. It never leaves its thread, as it is not `Send`.
        if let Some(shared) = NonNull::new(unsafe { JS_Share(self.raw.as_ptr()) }) {
            let shared = self.shared.get_or_init(|| Rc::new(SharedSpace(shared)));
            SHARED.set(Rc::downgrade(shared));
        }
        self.settle(true);
    }

    fn settle(&self, is_first: bool) {
        // SAFETY: the runtime is alive, and no JavaScript runs in it: `self` is nothing that JavaScript gets.
        unsafe { JS_Settle(self.raw.as_ptr(), is_first) };
    }

    /// The context.
    pub const fn context(&self) -> Context {
        self.context
    }

    /// Says where on the stack JavaScript begins, and how many bytes below that it may use.
    pub fn enter(&self, depth: usize) {
        // SAFETY: the runtime is alive.
        unsafe { qjs::JS_UpdateStackTop(self.raw.as_ptr()) };
        self.context.set_max_stack(depth);
    }

    /// Whether there is a job to run.
    pub fn has_job(&self) -> bool {
        // SAFETY: the runtime is alive.
        unsafe { qjs::JS_IsJobPending(self.raw.as_ptr()) }
    }

    /// Runs the next job: whether there was one, or the context in which it has thrown.
    pub fn run_job(&self) -> Result<bool, Context> {
        let mut context = ptr::null_mut();
        // SAFETY: the runtime is alive; the context is written before the call returns.
        let ran = unsafe { qjs::JS_ExecutePendingJob(self.raw.as_ptr(), &mut context) };
        if ran < 0 { Err(NonNull::new(context).map_or(self.context, Context)) } else { Ok(ran > 0) }
    }
}

impl Drop for JsRuntime {
    fn drop(&mut self) {
        let (rt, context) = (self.raw.as_ptr(), self.context.ptr());
        // Native things that are dropped with the runtime may still look at it.
        let host = self.context.state().host.clone();
        // SAFETY: both are alive. No callback is called from here on; the state's values are dropped while there is a context,
        // and then nothing of the realm is left outside of it.
        unsafe {
            qjs::JS_SetInterruptHandler(rt, None, ptr::null_mut());
            qjs::JS_SetModuleLoaderFunc2(rt, None, None, None, ptr::null_mut());
            qjs::JS_SetHostPromiseRejectionTracker(rt, None, ptr::null_mut());
            drop(Box::from_raw(self.attached.as_ptr()));
            qjs::JS_FreeContext(context);
            qjs::JS_FreeRuntime(rt);
        }
        drop(host);
    }
}

impl Context {
    fn attached(&self) -> &Attached {
        // SAFETY: set when the context was made, and valid until it is freed: no JavaScript runs in between.
        unsafe { &*qjs::JS_GetContextOpaque(self.ptr()).cast::<Attached>() }
    }

    /// The state of the realm.
    pub fn state(&self) -> &Rc<QuickJsState> {
        &self.attached().state
    }

    pub(super) fn resource_class(&self) -> JSClassID {
        self.attached().resource_class
    }

    /// Defines a property of an object that has none of this name. It has what [`realm::prepare_late`] puts into the global
    /// object by this name, or what the group itself does.
    pub fn define_late(self, object: impl AsRaw, name: &str, group: LateGroup) -> Result<(), Thrown> {
        // SAFETY: object and name are alive.
        Self::done(unsafe { JS_DefineLateIntrinsic(self.ptr(), object.raw(), c_string(name).as_ptr(), group as c_int) })
            .map(drop)
    }

    /// Defines a property of the global object, in the place of one of this name. Its value is made once somebody asks for it, by
    /// [`scope::late_value`] with this place.
    pub fn define_late_global(self, name: &str, place: u16, flags: PropertyFlags) -> Result<(), Thrown> {
        let global = self.global();
        self.delete(&global, name)?;
        let name = c_string(name);
        // SAFETY: the global object and the name are alive.
        Self::done(unsafe { JS_DefineLateValue(self.ptr(), global.raw(), name.as_ptr(), c_int::from(place), flags.0) })
            .map(drop)
    }

    fn runtime(self) -> *mut JSRuntime {
        // SAFETY: the context is alive.
        unsafe { qjs::JS_GetRuntime(self.ptr()) }
    }

    /// How many bytes of stack JavaScript may use below the place where it began.
    pub fn set_max_stack(self, depth: usize) {
        // SAFETY: the runtime is alive.
        unsafe { qjs::JS_SetMaxStackSize(self.runtime(), depth as _) };
    }

    /// Sets the memory size, in bytes, at which the engine collects garbage; returns the previous one.
    pub fn set_gc_threshold(self, bytes: usize) -> usize {
        let rt = self.runtime();
        // SAFETY: the runtime is alive.
        let before = unsafe { qjs::JS_GetGCThreshold(rt) };
        // SAFETY: as above.
        unsafe { qjs::JS_SetGCThreshold(rt, bytes as _) };
        before as usize
    }
}

/// A runtime that allocates from the same allocator as Rust does.
fn new_runtime(shared: Option<&SharedSpace>) -> Option<NonNull<JSRuntime>> {
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
    let shared = shared.map_or(ptr::null_mut(), |shared| shared.0.as_ptr());
    // SAFETY: QuickJS copies the table; the caller keeps what is shared.
    NonNull::new(unsafe { JS_NewRuntimeSharing(&functions, ptr::null_mut(), shared) })
}

/// A context with what scripts find of the language. What QuickJS would add beside it, k6 has not (`ABSENT`): weak references,
/// `atob` with `DOMException`, `performance`. Each VU would hold some 7 KB of it. And what a VU does not use is not made
/// ([`LateGroup`]), which would be 32 KB.
fn new_context(rt: *mut JSRuntime) -> Option<NonNull<JSContext>> {
    enum Intrinsics {
        Now(unsafe extern "C" fn(*mut JSContext) -> c_int),
        Late(LateGroup),
    }
    use Intrinsics::{Late, Now};
    const INTRINSICS: [Intrinsics; 9] = [
        Now(qjs::JS_AddIntrinsicBaseObjects),
        Late(LateGroup::Date),
        Now(qjs::JS_AddIntrinsicEval),
        Late(LateGroup::RegExp),
        Now(qjs::JS_AddIntrinsicJSON),
        Now(qjs::JS_AddIntrinsicProxy),
        Late(LateGroup::MapSet),
        Late(LateGroup::TypedArrays),
        Now(qjs::JS_AddIntrinsicPromise),
    ];
    // SAFETY: the runtime is alive.
    let context = NonNull::new(unsafe { qjs::JS_NewContextRaw(rt) })?;
    let own = Context(context);
    let add = |intrinsics: &Intrinsics| match intrinsics {
        // SAFETY: the context is alive; the base objects come first, as the others are made of them.
        Now(add) => unsafe { add(own.ptr()) == 0 },
        Late(group) => group.globals().iter().all(|name| own.define_late(&own.global(), name, *group).is_ok()),
    };
    if INTRINSICS.iter().all(add) {
        return Some(context);
    }
    // SAFETY: nothing else refers to the context.
    unsafe { qjs::JS_FreeContext(context.as_ptr()) };
    None
}

// Callbacks --------------------------------------------------------------------------------------------------------

unsafe extern "C" fn interrupt(_rt: *mut JSRuntime, opaque: *mut c_void) -> c_int {
    // SAFETY: set in `JsRuntime::new`.
    let Attached { state, .. } = unsafe { &*opaque.cast::<Attached>() };
    c_int::from(!limits::may_continue(state))
}

unsafe extern "C" fn prepare_late(context: *mut JSContext, group: c_int) -> c_int {
    // SAFETY: QuickJS passes its own context, which is never null.
    let context = Context(unsafe { NonNull::new_unchecked(context) });
    let Some(group) = LateGroup::ALL.get(group as usize) else { return 0 };
    guard(context, || realm::prepare_late(context, *group)).map_or(-1, |()| 0)
}

unsafe extern "C" fn make_late_value(context: *mut JSContext, place: c_int) -> JSValue {
    // SAFETY: QuickJS passes its own context, which is never null.
    let context = Context(unsafe { NonNull::new_unchecked(context) });
    leave(context, || scope::late_value(context, place as u16))
}

unsafe extern "C" fn track_rejection(
    context: *mut JSContext,
    promise: JSValue,
    _reason: JSValue,
    is_handled: bool,
    _opaque: *mut c_void,
) {
    // SAFETY: QuickJS passes its own context, which is never null.
    let context = Context(unsafe { NonNull::new_unchecked(context) });
    promises::track_rejection(context, Borrowed::new(promise), is_handled);
}

/// The address a specifier means, in memory of QuickJS', which frees it.
unsafe extern "C" fn normalize(
    context: *mut JSContext,
    base: *const c_char,
    name: *const c_char,
    _opaque: *mut c_void,
) -> *mut c_char {
    // SAFETY: QuickJS passes its own context, which is never null.
    let context = Context(unsafe { NonNull::new_unchecked(context) });
    // SAFETY: both are C strings of QuickJS, alive until this returns.
    let [base, name] = [base, name].map(|text| unsafe { CStr::from_ptr(text) }.to_string_lossy());
    match guard(context, || modules::resolve(context, &name, &base)) {
        // SAFETY: that many bytes are copied before the call returns.
        Ok(address) => unsafe { qjs::js_strndup(context.ptr(), address.as_ptr().cast(), address.len() as _) },
        Err(_) => ptr::null_mut(),
    }
}

unsafe extern "C" fn load(
    context: *mut JSContext,
    name: *const c_char,
    _opaque: *mut c_void,
    _attributes: JSValue,
) -> *mut JSModuleDef {
    // SAFETY: QuickJS passes its own context, which is never null.
    let context = Context(unsafe { NonNull::new_unchecked(context) });
    // SAFETY: a C string of QuickJS, alive until this returns.
    let name = unsafe { CStr::from_ptr(name) }.to_string_lossy();
    guard(context, || modules::load(context, &name)).map_or(ptr::null_mut(), ModuleRef::ptr)
}
