//! Scripts and modules: compiling, linking, evaluating.

use std::ffi::c_int;
use std::ptr::NonNull;

use rquickjs::qjs::{self, JSContext, JSModuleDef, JSValue};

use super::functions::guard;
use super::{AsRaw, Borrowed, Context, EXCEPTION, Owned, Thrown, c_string, terminated};
use crate::js::engine::Bytecode;

/// A module. Its context keeps it, unless it could not be linked.
#[derive(Clone, Copy)]
pub struct ModuleRef(NonNull<JSModuleDef>);

/// What a text is compiled as.
#[derive(Clone, Copy)]
pub enum CodeKind {
    /// An ES module.
    Module,
    /// A script with a value.
    Script,
}

/// A module whose exports are made by Rust when they are first asked for: each costs a VU some 150 bytes.
pub trait NativeModule {
    /// What the module at `address` exports under the name at this place among all its names.
    ///
    /// # Errors
    /// What making it has thrown.
    fn export(context: Context, address: &str, place: usize) -> Result<Owned, Thrown>;
}

unsafe extern "C" fn export<M: NativeModule>(context: *mut JSContext, module: *mut JSModuleDef, at: c_int) -> JSValue {
    // SAFETY: QuickJS passes its own context and module, which are never null.
    let (context, module) = unsafe { (Context(NonNull::new_unchecked(context)), NonNull::new_unchecked(module)) };
    let made = guard(context, || M::export(context, &context.module_address(ModuleRef(module))?, at as usize));
    made.map_or(EXCEPTION, Owned::into_raw)
}

/// Such a module is evaluated.
const unsafe extern "C" fn nothing_to_do(_context: *mut JSContext, _module: *mut JSModuleDef) -> c_int {
    0
}

impl ModuleRef {
    pub(super) const fn ptr(self) -> *mut JSModuleDef {
        self.0.as_ptr()
    }

    /// The module that was compiled; `None` if it is a script.
    pub fn of(compiled: &Owned) -> Option<Self> {
        let raw = compiled.raw();
        // SAFETY: only looks at the tag.
        let is_module = unsafe { qjs::JS_VALUE_GET_TAG(raw) } == qjs::JS_TAG_MODULE;
        // SAFETY: such a value is a pointer to a module.
        is_module.then(|| NonNull::new(unsafe { qjs::JS_VALUE_GET_PTR(raw) }.cast()).map(Self)).flatten()
    }

    fn as_value(&self) -> Borrowed<'_> {
        Borrowed::new(qjs::JS_MKPTR(qjs::JS_TAG_MODULE, self.ptr().cast()))
    }
}

unsafe extern "C" {
    /// Of our build of QuickJS (`vendor/rquickjs-sys`): reads bytecode; its functions are read once for all runtimes that share
    /// (`JsRuntime::share`). No other code may have had this number.
    fn JS_ReadCode(ctx: *mut JSContext, bytes: *const u8, len: qjs::size_t, id: u64) -> JSValue;
    /// The exports of a native module that is not linked yet are made by `make` when they are first asked for.
    fn JS_SetModuleLateExports(
        module: *mut JSModuleDef,
        make: unsafe extern "C" fn(*mut JSContext, *mut JSModuleDef, c_int) -> JSValue,
    );
}

impl Context {
    /// Compiles a text; what it imports is asked for.
    pub fn compile(self, address: &str, text: &str, kind: CodeKind) -> Result<Owned, Thrown> {
        let kind = match kind {
            CodeKind::Module => qjs::JS_EVAL_TYPE_MODULE,
            CodeKind::Script => qjs::JS_EVAL_TYPE_GLOBAL,
        };
        let flags = (kind | qjs::JS_EVAL_FLAG_STRICT | qjs::JS_EVAL_FLAG_COMPILE_ONLY) as c_int;
        let (name, len, source) = (c_string(address), text.len(), terminated(text.as_bytes().to_vec()));
        // SAFETY: behind the source is the zero that QuickJS' parser wants to see; both are copied.
        self.owned(unsafe { qjs::JS_Eval(self.ptr(), source.as_ptr().cast(), len as _, name.as_ptr(), flags) })
    }

    /// What was compiled before, in this process. Its functions are those of another realm of the thread, where they can be.
    pub fn read_bytecode(self, Bytecode { bytes, id }: &Bytecode) -> Result<Owned, Thrown> {
        // SAFETY: the bytes were written by this QuickJS, which copies from them.
        self.owned(unsafe { JS_ReadCode(self.ptr(), bytes.as_ptr(), bytes.len() as _, *id) })
    }

    /// What was compiled, as bytes; stripped of its source and its positions, or with them.
    pub fn write_bytecode(self, compiled: &Owned, is_stripped: bool) -> Option<Box<[u8]>> {
        let strip = qjs::JS_WRITE_OBJ_STRIP_SOURCE | qjs::JS_WRITE_OBJ_STRIP_DEBUG;
        let flags = (qjs::JS_WRITE_OBJ_BYTECODE | if is_stripped { strip } else { 0 }) as c_int;
        let mut len = 0;
        // SAFETY: the value is alive; the length is written before the call returns.
        let bytes = unsafe { qjs::JS_WriteObject(self.ptr(), &mut len, compiled.raw(), flags) };
        if bytes.is_null() {
            return None;
        }
        // SAFETY: that many bytes are valid until they are freed.
        let copy = unsafe { std::slice::from_raw_parts(bytes, len as usize) }.into();
        // SAFETY: they are freed once, and were copied.
        unsafe { qjs::js_free(self.ptr(), bytes.cast()) };
        Some(copy)
    }

    /// Runs what was compiled.
    pub fn evaluate(self, compiled: Owned) -> Result<Owned, Thrown> {
        // SAFETY: the value's reference is handed over.
        self.owned(unsafe { qjs::JS_EvalFunction(self.ptr(), compiled.into_raw()) })
    }

    /// Evaluates a module: a promise.
    pub fn evaluate_module(self, module: ModuleRef) -> Result<Owned, Thrown> {
        self.evaluate(self.own(module.as_value()))
    }

    /// Finds and loads everything a module imports. Where that fails QuickJS may free the module.
    pub fn resolve_imports(self, module: ModuleRef) -> Result<(), Thrown> {
        // SAFETY: the module is alive.
        Self::done(unsafe { qjs::JS_ResolveModule(self.ptr(), module.as_value().raw()) }).map(drop)
    }

    /// The object with everything a linked module exports.
    pub fn namespace(self, module: ModuleRef) -> Result<Owned, Thrown> {
        // SAFETY: the module is alive.
        self.owned(unsafe { qjs::JS_GetModuleNamespace(self.ptr(), module.ptr()) })
    }

    /// `import.meta`
    pub fn import_meta(self, module: ModuleRef) -> Result<Owned, Thrown> {
        // SAFETY: the module is alive.
        self.owned(unsafe { qjs::JS_GetImportMeta(self.ptr(), module.ptr()) })
    }

    fn module_address(self, module: ModuleRef) -> Result<String, Thrown> {
        // SAFETY: the module is alive; the reference is handed to us.
        let name = self.checked_atom(unsafe { qjs::JS_GetModuleName(self.ptr(), module.ptr()) })?;
        // SAFETY: the name is alive.
        let name = self.owned(unsafe { qjs::JS_AtomToValue(self.ptr(), name.raw) })?;
        self.text(&name)
    }

    /// A module that Rust makes; `names` is what it exports.
    pub fn native_module<'n, M: NativeModule>(
        self,
        address: &str,
        names: impl IntoIterator<Item = &'n str>,
    ) -> Result<ModuleRef, Thrown> {
        // SAFETY: QuickJS copies the address before it returns.
        let module = unsafe { qjs::JS_NewCModule(self.ptr(), c_string(address).as_ptr(), Some(nothing_to_do)) };
        let module = ModuleRef(NonNull::new(module).ok_or(Thrown)?);
        // SAFETY: the module is alive, and the function one of the program.
        unsafe { JS_SetModuleLateExports(module.ptr(), export::<M>) };
        for name in names {
            // SAFETY: the module is alive; QuickJS copies the name before it returns.
            Self::done(unsafe { qjs::JS_AddModuleExport(self.ptr(), module.ptr(), c_string(name).as_ptr()) })?;
        }
        Ok(module)
    }

    /// Sets what a native module, or a module whose exports are evaluated, exports under a name.
    pub fn set_export(self, module: ModuleRef, name: &str, value: Owned) -> Result<(), Thrown> {
        let name = c_string(name);
        // SAFETY: the module is alive, and the value's reference is handed over.
        let done = unsafe { qjs::JS_SetModuleExport(self.ptr(), module.ptr(), name.as_ptr(), value.into_raw()) };
        Self::done(done).map(drop)
    }
}
