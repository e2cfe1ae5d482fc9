//! Objects that are made with all their members at once. QuickJS gives each object that is built member by member a shape
//! of its own, until the last member shows that there is one already; like objects take theirs from the first here.

use std::ffi::c_int;

use rquickjs::qjs::{self, JSAtom, JSContext, JSValue};

use super::{Atom, Context, Owned, PropertyFlags, Thrown};

unsafe extern "C" {
    /// Of our build of QuickJS (`vendor/rquickjs-sys`): an object with the members of `like`. Takes the values over, except
    /// where it returns `undefined`: `like` has not just these.
    fn JS_NewObjectLike(ctx: *mut JSContext, like: JSValue, count: c_int, values: *const JSValue) -> JSValue;
}

/// An object with more members gets them one by one.
const MAX_MEMBERS: usize = 64;
/// So many different lists of names are remembered.
const MAX_FORMS: usize = 8;

/// A name that its giver keeps alive.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MemberName(JSAtom);

impl From<&Atom> for MemberName {
    fn from(atom: &Atom) -> Self {
        Self(atom.raw)
    }
}

/// Members of objects that are not made yet: those of an object that is begun later are on top.
pub struct PendingMembers {
    context: Context,
    names: Vec<MemberName>,
    /// References of our own.
    values: Vec<JSValue>,
    forms: Vec<ObjectForm>,
    /// Where the form of the last object is.
    last: usize,
}

/// An object that was made, and the names of its members. Nobody else has changed it.
struct ObjectForm {
    names: Vec<MemberName>,
    object: Owned,
}

/// An object that is being made.
pub struct OpenObject {
    /// Where its members begin that are not in it yet.
    from: usize,
    /// Made, once it has many members.
    object: Option<Owned>,
}

impl PendingMembers {
    /// No members.
    pub const fn new(context: Context) -> Self {
        Self { context, names: Vec::new(), values: Vec::new(), forms: Vec::new(), last: 0 }
    }

    /// Begins an object.
    pub fn open(&self) -> OpenObject {
        OpenObject { from: self.names.len(), object: None }
    }

    /// Adds a member to the object that was begun last; a name may be there already. The name must stay alive until the object
    /// is closed.
    ///
    /// # Errors
    /// There is no memory.
    pub fn put(&mut self, open: &mut OpenObject, name: MemberName, value: Owned) -> Result<(), Thrown> {
        if let Some(object) = &open.object {
            return self.define(object, name, value);
        }
        self.names.push(name);
        self.values.push(value.into_raw());
        if self.names.len() - open.from > MAX_MEMBERS {
            open.object = Some(self.one_by_one(open.from)?);
        }
        Ok(())
    }

    /// The object that was begun last.
    ///
    /// # Errors
    /// There is no memory.
    pub fn close(&mut self, open: OpenObject) -> Result<Owned, Thrown> {
        let names = &self.names[open.from..];
        if let Some(object) = open.object {
            return Ok(object);
        }
        if names.is_empty() {
            return self.context.object();
        }
        let is_it = |form: &ObjectForm| form.names == names;
        let known = match self.forms.get(self.last) {
            Some(form) if is_it(form) => Some(self.last),
            _ => self.forms.iter().position(is_it),
        };
        let Some(known) = known else {
            let names = names.to_vec();
            let object = self.one_by_one(open.from)?;
            self.last = (self.last + 1) % MAX_FORMS;
            let form = ObjectForm { names, object: object.clone() };
            match self.forms.get_mut(self.last) {
                Some(old) => *old = form,
                None => {
                    self.last = self.forms.len();
                    self.forms.push(form);
                }
            }
            return Ok(object);
        };
        self.last = known;
        let (like, values) = (&self.forms[known].object, &self.values[open.from..]);
        // SAFETY: the context and `like` are alive, there are that many values, and their references are handed over.
        let made = unsafe { JS_NewObjectLike(self.context.ptr(), like.raw, values.len() as c_int, values.as_ptr()) };
        // SAFETY: only looks at the tag.
        if unsafe { qjs::JS_IsUndefined(made) } {
            // A name was there twice.
            return self.one_by_one(open.from);
        }
        self.names.truncate(open.from);
        self.values.truncate(open.from);
        self.context.owned(made)
    }

    /// An object with the members from this place on, which are taken.
    fn one_by_one(&mut self, from: usize) -> Result<Owned, Thrown> {
        let values: Vec<Owned> = self.values.drain(from..).map(|raw| Owned::new(raw, self.context)).collect();
        let names: Vec<MemberName> = self.names.drain(from..).collect();
        let object = self.context.object()?;
        names.into_iter().zip(values).try_for_each(|(name, value)| self.define(&object, name, value))?;
        Ok(object)
    }

    fn define(&self, object: &Owned, name: MemberName, value: Owned) -> Result<(), Thrown> {
        // SAFETY: object and name are alive, and the value's reference is handed over.
        Context::done(unsafe {
            qjs::JS_DefinePropertyValue(
                self.context.ptr(),
                object.raw,
                name.0,
                value.into_raw(),
                PropertyFlags::PLAIN.0,
            )
        })
        .map(drop)
    }
}

impl Drop for PendingMembers {
    fn drop(&mut self) {
        self.values.drain(..).for_each(|raw| drop(Owned::new(raw, self.context)));
    }
}
