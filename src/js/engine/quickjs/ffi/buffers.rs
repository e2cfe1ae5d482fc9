//! ArrayBuffers, and native things that JavaScript holds.
//!
//! A file that all VUs share is mapped privately, so that it costs nothing until a script writes. QuickJS knows only an
//! address and a function that frees it: mappings are known by their address, one table per worker.

use std::cell::RefCell;
use std::ffi::c_void;

use bytes::Bytes;
use rquickjs::qjs::{self, JSRuntime, JSValue};
use rustc_hash::FxHashMap;

use super::{AsRaw, Borrowed, Context, Owned, Thrown};
use crate::js::value::Resource;
use crate::source::PrivateMapping;

/// Mappings begin at a multiple of this, and hardly anything else does: most questions need no table.
const PAGE: usize = 4096;

thread_local! {
    static MAPPED: RefCell<FxHashMap<usize, PrivateMapping>> = RefCell::default();
}

/// The bytes of the buffer at this address, if it is a mapped one: the file's own as long as no script wrote there.
fn mapped_bytes(data: *const u8) -> Option<Bytes> {
    if !data.addr().is_multiple_of(PAGE) {
        return None;
    }
    MAPPED.with_borrow(|mapped| mapped.get(&data.addr()).map(PrivateMapping::bytes))
}

fn take_mapping(memory: *const c_void) -> Option<PrivateMapping> {
    if !memory.addr().is_multiple_of(PAGE) {
        return None;
    }
    MAPPED.try_with(|mapped| mapped.borrow_mut().remove(&memory.addr())).ok().flatten()
}

unsafe extern "C" fn free_mapping(_rt: *mut JSRuntime, _opaque: *mut c_void, memory: *mut c_void) {
    drop(take_mapping(memory));
}

pub(super) unsafe extern "C" fn drop_resource(_rt: *mut JSRuntime, value: JSValue) {
    // SAFETY: QuickJS finalizes a value that is still alive.
    let resource = unsafe { qjs::JS_GetOpaque(value, qjs::JS_GetClassID(value)) }.cast::<Resource>();
    if !resource.is_null() {
        // SAFETY: only objects made by `Context::resource` have this finalizer; their pointer is a box, dropped here once.
        drop(unsafe { Box::from_raw(resource) });
    }
}

impl Context {
    /// An ArrayBuffer with a copy of the bytes.
    pub fn array_buffer(self, bytes: &[u8]) -> Result<Owned, Thrown> {
        // SAFETY: QuickJS copies that many bytes before it returns.
        self.owned(unsafe { qjs::JS_NewArrayBufferCopy(self.ptr(), bytes.as_ptr(), bytes.len() as _) })
    }

    /// An ArrayBuffer of `len` bytes over a mapping.
    pub fn mapped_buffer(self, private: PrivateMapping, len: usize) -> Result<Owned, Thrown> {
        let address = private.address();
        MAPPED.with_borrow_mut(|mapped| mapped.insert(address.addr(), private));
        let (free, no_data) = (Some(free_mapping as _), std::ptr::null_mut());
        // SAFETY: the mapping is as long as the file, and lives until QuickJS calls `free_mapping`, once.
        let buffer = self.owned(unsafe { qjs::JS_NewArrayBuffer(self.ptr(), address, len as _, free, no_data, false) });
        if buffer.is_err() {
            // Without memory for the object QuickJS does not free what it would have been over.
            drop(take_mapping(address.cast()));
        }
        buffer
    }

    /// The bytes of an ArrayBuffer, or those a typed array shows. A DataView is an object like any other, as in k6.
    pub fn buffer_bytes(self, value: Borrowed<'_>) -> Option<Bytes> {
        // SAFETY: the value is alive.
        if unsafe { qjs::JS_IsArrayBuffer(value.raw) } {
            return Some(self.bytes_of(value, None));
        }
        // SAFETY: the value is alive.
        if unsafe { qjs::JS_GetTypedArrayType(value.raw) } < 0 {
            return None;
        }
        let (mut offset, mut shown, mut per_element) = (0, 0, 0);
        // SAFETY: the value is a typed array; the numbers are written before the call returns.
        let buffer = self.owned(unsafe {
            qjs::JS_GetTypedArrayBuffer(self.ptr(), value.raw, &mut offset, &mut shown, &mut per_element)
        });
        let Some(buffer) = self.ok(buffer) else { return Some(Bytes::new()) };
        Some(self.bytes_of(buffer.borrow(), Some((offset as usize, shown as usize))))
    }

    /// A copy of an ArrayBuffer's bytes, or of those from an offset on.
    fn bytes_of(self, buffer: Borrowed<'_>, part: Option<(usize, usize)>) -> Bytes {
        let mut len = 0;
        // SAFETY: the value is an ArrayBuffer; the length is written before the call returns.
        let data = unsafe { qjs::JS_GetArrayBuffer(self.ptr(), &mut len, buffer.raw) };
        if data.is_null() {
            drop(self.take_exception());
            return Bytes::new();
        }
        let len = len as usize;
        // A view says how long it was when it was made; a buffer that has shrunk since shows less.
        let (offset, shown) = part.map_or((0, len), |(offset, shown)| {
            let offset = offset.min(len);
            (offset, shown.min(len - offset))
        });
        if let Some(shared) = mapped_bytes(data) {
            return shared.slice(offset..offset + shown);
        }
        // SAFETY: that many bytes are valid until JavaScript runs again, and are copied before that.
        Bytes::copy_from_slice(&unsafe { std::slice::from_raw_parts(data, len) }[offset..offset + shown])
    }

    /// An object that stands for a native thing, which is dropped with it.
    pub fn resource(self, resource: Resource) -> Result<Owned, Thrown> {
        // SAFETY: the class was registered when the runtime was made.
        let object = self.owned(unsafe { qjs::JS_NewObjectClass(self.ptr(), self.resource_class()) })?;
        // SAFETY: the object is alive and of our class, whose finalizer drops the box.
        unsafe { qjs::JS_SetOpaque(object.raw, Box::into_raw(Box::new(resource)).cast()) };
        Ok(object)
    }

    /// The native thing an object stands for.
    pub fn resource_of<'v>(&self, object: Borrowed<'v>) -> Option<&'v Resource> {
        // SAFETY: the value is alive. Null comes back for other classes; where it does not, it is a box that the object
        // owns and that does not change as long as the object lives.
        unsafe { qjs::JS_GetOpaque(object.raw(), self.resource_class()).cast::<Resource>().as_ref() }
    }
}
