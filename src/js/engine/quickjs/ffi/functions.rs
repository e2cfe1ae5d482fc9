//! HostFunctions of ours that QuickJS calls. A panic of ours does not go back through QuickJS: it becomes an exception.

use std::any::Any;
use std::ffi::{CStr, c_char, c_int};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;

use rquickjs::qjs::{self, JSContext, JSValue};

use super::super::errors;
use super::{AsRaw, Borrowed, Context, EXCEPTION, Owned, Thrown};
use crate::js::value::Throw;

/// What a function was called with.
pub struct NativeCall<'a> {
    /// The realm.
    pub context: Context,
    /// `this`
    pub this: Borrowed<'a>,
    /// All arguments there are.
    pub args: &'a [Borrowed<'a>],
    /// The number it was made with.
    pub magic: c_int,
}

impl<'a> NativeCall<'a> {
    /// # Safety
    /// The context must be one of [`JsRuntime`](super::JsRuntime), and `argv` must point to `argc` values that live as long as `'a`.
    unsafe fn new(context: *mut JSContext, this: JSValue, argc: c_int, argv: *const JSValue, magic: c_int) -> Self {
        // SAFETY: QuickJS passes a context, which is never null.
        let context = Context(unsafe { NonNull::new_unchecked(context) });
        let args = match usize::try_from(argc) {
            Ok(len) if len > 0 => {
                // SAFETY: as the caller says; a `Borrowed` has the layout of a raw value.
                unsafe { std::slice::from_raw_parts(argv.cast::<Borrowed<'a>>(), len) }
            }
            _ => &[],
        };
        Self { context, this: Borrowed::new(this), args, magic }
    }

    /// The argument at `at`; `undefined` where there is none.
    pub fn arg(&self, at: usize) -> Borrowed<'a> {
        self.args.get(at).copied().unwrap_or(Borrowed::UNDEFINED)
    }

    /// The text of the argument at `at`; empty where it has none.
    pub fn text(&self, at: usize) -> String {
        self.args.get(at).map(|arg| self.context.text_or_empty(*arg)).unwrap_or_default()
    }
}

/// A function that has nothing but its number.
pub trait NativeFunction {
    /// Calls it.
    ///
    /// # Errors
    /// What it has thrown.
    fn call(call: &NativeCall<'_>) -> Result<Owned, Thrown>;
}

/// A function that is made with values.
pub trait Closure<const N: usize> {
    /// Calls it with what it was made with.
    ///
    /// # Errors
    /// What it has thrown.
    fn call(call: &NativeCall<'_>, data: &[Borrowed<'_>; N]) -> Result<Owned, Thrown>;
}

unsafe extern "C" fn enter<F: NativeFunction>(
    context: *mut JSContext,
    this: JSValue,
    argc: c_int,
    argv: *mut JSValue,
    magic: c_int,
) -> JSValue {
    // SAFETY: QuickJS keeps all of it alive until this returns.
    let call = unsafe { NativeCall::new(context, this, argc, argv, magic) };
    leave(call.context, || F::call(&call))
}

unsafe extern "C" fn enter_closure<F: Closure<N>, const N: usize>(
    context: *mut JSContext,
    this: JSValue,
    argc: c_int,
    argv: *mut JSValue,
    magic: c_int,
    data: *mut JSValue,
) -> JSValue {
    // SAFETY: QuickJS keeps all of it alive until this returns.
    let call = unsafe { NativeCall::new(context, this, argc, argv, magic) };
    // SAFETY: the only function that takes this one, `Context::closure`, stores exactly `N` values.
    let data = unsafe { &*data.cast::<[Borrowed<'_>; N]>() };
    leave(call.context, || F::call(&call, data))
}

/// What QuickJS gets of the result of `call`.
pub(super) fn leave(context: Context, call: impl FnOnce() -> Result<Owned, Thrown>) -> JSValue {
    guard(context, call).map_or(EXCEPTION, Owned::into_raw)
}

/// Makes an exception of a panic.
pub(super) fn guard<T>(context: Context, call: impl FnOnce() -> Result<T, Thrown>) -> Result<T, Thrown> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| {
        Err(errors::throw(context, Throw::go(format!("internal error: {}", panic_text(&*panic)))))
    })
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref().copied()).unwrap_or("panic")
}

impl Context {
    /// A function that gets a number when it is called.
    pub fn function<F: NativeFunction>(self, name: &CStr, magic: c_int) -> Result<Owned, Thrown> {
        let kind = qjs::JSCFunctionEnum_JS_CFUNC_generic_magic;
        let function = qjs::JSCFunctionType { generic_magic: Some(enter::<F>) };
        // SAFETY: the union holds the kind of function that `kind` says, and is read back as that.
        self.owned(unsafe { qjs::JS_NewCFunction2(self.ptr(), function.generic, name.as_ptr(), 0, kind, magic) })
    }

    /// A function that gets a number and values when it is called.
    pub fn closure<F: Closure<N>, const N: usize>(
        self,
        (name, length, magic): (&CStr, c_int, c_int),
        data: [Borrowed<'_>; N],
    ) -> Result<Owned, Thrown> {
        let (function, mut data) = (Some(enter_closure::<F, N> as _), data.map(AsRaw::raw));
        // SAFETY: QuickJS takes references of its own to all of the values; the name is copied.
        self.owned(unsafe {
            qjs::JS_NewCFunctionData2(self.ptr(), function, name.as_ptr(), length, magic, N as c_int, data.as_mut_ptr())
        })
    }

    /// Puts methods in the place of those the object has. QuickJS makes their functions when they are first touched.
    pub fn replace_methods(self, object: impl AsRaw, methods: &'static [MethodEntry]) -> Result<(), Thrown> {
        for method in methods {
            // SAFETY: the names of methods are C strings of the program.
            let name = unsafe { CStr::from_ptr(method.0.name) };
            self.delete(object, &*name.to_string_lossy())?;
        }
        let (entries, len) = (methods.as_ptr().cast(), methods.len() as c_int);
        // SAFETY: the object is alive; the entries live as long as the program and have the layout QuickJS wants.
        Self::done(unsafe { qjs::JS_SetPropertyFunctionList(self.ptr(), object.raw(), entries, len) }).map(drop)
    }
}

/// A method, as [`Context::replace_methods`] takes it.
#[repr(transparent)]
pub struct MethodEntry(qjs::JSCFunctionListEntry);

// SAFETY: the pointers are to texts and functions of the program.
unsafe impl Sync for MethodEntry {}

/// A method of this name and length; `magic` is what it is called with.
pub const fn entry<F: NativeFunction>(name: &'static CStr, length: u8, magic: i16) -> MethodEntry {
    MethodEntry(qjs::JSCFunctionListEntry {
        name: name.as_ptr().cast::<c_char>(),
        prop_flags: (qjs::JS_PROP_WRITABLE | qjs::JS_PROP_CONFIGURABLE) as u8,
        def_type: qjs::JS_DEF_CFUNC as u8,
        magic,
        u: qjs::JSCFunctionListEntry__bindgen_ty_1 {
            func: qjs::JSCFunctionListEntry__bindgen_ty_1__bindgen_ty_1 {
                length,
                cproto: qjs::JSCFunctionEnum_JS_CFUNC_generic_magic as u8,
                cfunc: qjs::JSCFunctionType { generic_magic: Some(enter::<F>) },
            },
        },
    })
}
