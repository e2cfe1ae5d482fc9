//! The own properties of an object, one after the other.

use std::ffi::c_int;
use std::ptr::NonNull;

use rquickjs::qjs::{self, JSAtom};

use super::{AsRaw, Borrowed, Context, Owned, PropertyName, Thrown, UNDEFINED};

impl Context {
    /// Calls `see` with each own enumerable property that has a string for a name.
    pub fn each_property<E: From<Thrown>>(
        self,
        object: impl AsRaw,
        mut see: impl FnMut(String, Owned) -> Result<(), E>,
    ) -> Result<(), E> {
        let names = self.own_names(object)?;
        for atom in names.atoms() {
            // SAFETY: object and name are alive.
            let value = self.owned(unsafe { qjs::JS_GetProperty(self.ptr(), object.raw(), *atom) })?;
            // SAFETY: the name is alive.
            let name = self.owned(unsafe { qjs::JS_AtomToValue(self.ptr(), *atom) })?;
            see(self.text_or_empty(&name), value)?;
        }
        Ok(())
    }

    /// Folds the values of all own enumerable properties that have a string for a name; `T::default()` where one has a getter.
    pub fn fold_data<T: Default>(
        self,
        object: impl AsRaw,
        start: T,
        fold: impl Fn(T, Borrowed<'_>) -> T,
    ) -> Result<T, Thrown> {
        let names = self.own_names(object)?;
        let mut folded = start;
        for atom in names.atoms() {
            let OwnProperty { value, getter, flags } = self.own_property(object, *atom)?;
            if !getter.borrow().is_undefined() || (flags & qjs::JS_PROP_GETSET as c_int) != 0 {
                return Ok(T::default());
            }
            folded = fold(folded, value.borrow());
        }
        Ok(folded)
    }

    /// Calls `see` with each own enumerable property that has a string for a name, and its value; false from the first one on that
    /// has a getter, or that `see` does not want.
    pub fn each_datum(
        self,
        object: impl AsRaw,
        mut see: impl FnMut(String, Borrowed<'_>) -> bool,
    ) -> Result<bool, Thrown> {
        let names = self.own_names(object)?;
        for atom in names.atoms() {
            let OwnProperty { value, getter, flags } = self.own_property(object, *atom)?;
            if !getter.borrow().is_undefined() || (flags & qjs::JS_PROP_GETSET as c_int) != 0 {
                return Ok(false);
            }
            // SAFETY: the name is alive.
            let name = self.owned(unsafe { qjs::JS_AtomToValue(self.ptr(), *atom) })?;
            if !see(self.text_or_empty(&name), value.borrow()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// `Object.keys(object)` of an object.
    pub fn names_of(self, object: impl AsRaw) -> Result<Vec<Owned>, Thrown> {
        let names = self.own_names(object)?;
        // SAFETY: the names are alive.
        names.atoms().map(|atom| self.owned(unsafe { qjs::JS_AtomToValue(self.ptr(), *atom) })).collect()
    }

    /// The value of a property of the object's own that has no getter.
    pub fn own_value(self, object: impl AsRaw, key: impl PropertyName) -> Result<Option<Owned>, Thrown> {
        key.with_atom(self, |atom| {
            let mut found =
                qjs::JSPropertyDescriptor { flags: 0, value: UNDEFINED, getter: UNDEFINED, setter: UNDEFINED };
            // SAFETY: object and name are alive; the descriptor is written to before the call returns, where there is one.
            let is_there = Self::done(unsafe { qjs::JS_GetOwnProperty(self.ptr(), &mut found, object.raw(), atom) })?;
            let [value, _getter, _setter] = [found.value, found.getter, found.setter].map(|raw| Owned::new(raw, self));
            Ok(is_there.then_some(value))
        })
    }

    /// True if both are the same value, as `===` says.
    pub fn is_same(self, one: impl AsRaw, other: impl AsRaw) -> bool {
        // SAFETY: both values are alive.
        unsafe { qjs::JS_IsStrictEqual(self.ptr(), one.raw(), other.raw()) }
    }

    /// The getter of an accessor of the object's own; `undefined` where there is none.
    pub fn own_getter(self, object: impl AsRaw, key: impl PropertyName) -> Result<Owned, Thrown> {
        Ok(key.with_atom(self, |atom| self.own_property(object, atom))?.getter)
    }

    /// What a property of the object's own is; all `undefined` where there is none. The name must be alive.
    fn own_property(self, object: impl AsRaw, atom: JSAtom) -> Result<OwnProperty, Thrown> {
        let mut found = qjs::JSPropertyDescriptor { flags: 0, value: UNDEFINED, getter: UNDEFINED, setter: UNDEFINED };
        // SAFETY: object and name are alive; the descriptor is written to before the call returns.
        Self::done(unsafe { qjs::JS_GetOwnProperty(self.ptr(), &mut found, object.raw(), atom) })?;
        let [value, getter, _setter] = [found.value, found.getter, found.setter].map(|raw| Owned::new(raw, self));
        Ok(OwnProperty { value, getter, flags: found.flags })
    }

    fn own_names(self, object: impl AsRaw) -> Result<PropertyNames, Thrown> {
        let (mut table, mut len) = (std::ptr::null_mut(), 0);
        let flags = (qjs::JS_GPN_STRING_MASK | qjs::JS_GPN_ENUM_ONLY) as c_int;
        // SAFETY: the object is alive; table and length are written before the call returns.
        Self::done(unsafe { qjs::JS_GetOwnPropertyNames(self.ptr(), &mut table, &mut len, object.raw(), flags) })?;
        Ok(PropertyNames { table, len, context: self })
    }
}

/// A property of an object's own.
struct OwnProperty {
    value: Owned,
    getter: Owned,
    flags: c_int,
}

/// The names of an object's properties.
struct PropertyNames {
    table: *mut qjs::JSPropertyEnum,
    len: u32,
    context: Context,
}

impl PropertyNames {
    fn atoms(&self) -> impl Iterator<Item = &JSAtom> {
        // An object without properties has no table.
        let len = if self.table.is_null() { 0 } else { self.len as usize };
        let table = if len == 0 { NonNull::dangling().as_ptr() } else { self.table };
        // SAFETY: that many entries are valid until the table is freed.
        unsafe { std::slice::from_raw_parts(table, len) }.iter().map(|entry| &entry.atom)
    }
}

impl Drop for PropertyNames {
    fn drop(&mut self) {
        // SAFETY: the table is freed once, with the references of its names.
        unsafe { qjs::JS_FreePropertyEnum(self.context.ptr(), self.table, self.len) };
    }
}
