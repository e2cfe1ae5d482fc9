//! Objects that are made with all their members at once. QuickJS gives each object that is built member by member a shape
//! of its own, until the last member shows that there is one already; like objects take theirs from the first here.

use std::cell::RefCell;
use std::ffi::c_int;
use std::ptr;

use rquickjs::qjs::{self, JSAtom, JSContext, JSValue};

use smallvec::SmallVec;

use super::{AsRaw, Atom, Borrowed, Context, Owned, PropertyFlags, Thrown};

unsafe extern "C" {
    /// Of our build of QuickJS (`vendor/rquickjs-sys`): an object with the members of `like`. Takes the values over, except
    /// where it returns `undefined`: `like` has not just these.
    fn JS_NewObjectLike(ctx: *mut JSContext, like: JSValue, count: c_int, values: *const JSValue) -> JSValue;
    /// Of our build: the members of `object` from the place `at` on get these values, which are taken over except where it returns
    /// false: `object` is not made like that.
    fn JS_RefillObject(ctx: *mut JSContext, object: JSValue, at: c_int, count: c_int, values: *const JSValue) -> bool;
    /// Of our build: gives `target` the properties that `source` has besides. Takes nothing over.
    fn JS_CopyProperties(
        ctx: *mut JSContext,
        target: JSValue,
        source: JSValue,
        count: c_int,
        values: *const JSValue,
    ) -> c_int;
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

/// The forms of objects that Rust hands to a script again and again, such as the headers of a response.
#[derive(Default)]
pub struct KnownForms(RefCell<KnownFormList>);

#[derive(Default)]
struct KnownFormList {
    forms: Vec<KnownForm>,
    /// How often there was none.
    misses: usize,
    /// Of records, whose names the program has: as many as it has lists of them.
    records: Vec<(&'static [&'static str], Owned)>,
}

/// Names, and an object with members of these names that no script sees.
struct KnownForm {
    names: Box<[Box<str>]>,
    like: Owned,
}

/// So many forms are known of a realm.
const MAX_KNOWN: usize = 8;
/// Of objects that are not known, one in so many takes the place of another: where all differ, making forms is in vain.
const REPLACE_EVERY: usize = 16;
/// Objects of more members are not known.
pub const MAX_KNOWN_MEMBERS: usize = 16;

impl KnownForms {
    /// The object that members of these names make.
    fn like(&self, context: Context, members: &[(String, Owned)]) -> Result<Option<Owned>, Thrown> {
        let list = &mut *self.0.borrow_mut();
        let is_it = |form: &KnownForm| {
            form.names.len() == members.len() && form.names.iter().zip(members).all(|(name, member)| **name == member.0)
        };
        if let Some(known) = list.forms.iter().find(|form| is_it(form)) {
            return Ok(Some(known.like.clone()));
        }
        list.misses += 1;
        let is_full = list.forms.len() == MAX_KNOWN;
        if is_full && !list.misses.is_multiple_of(REPLACE_EVERY) {
            return Ok(None);
        }
        let like = context.like(members.iter().map(|(name, _)| name.as_str()))?;
        let names = members.iter().map(|(name, _)| name.as_str().into()).collect();
        let form = KnownForm { names, like: like.clone() };
        if is_full {
            list.forms[list.misses / REPLACE_EVERY % MAX_KNOWN] = form;
        } else {
            list.forms.push(form);
        }
        Ok(Some(like))
    }

    /// The object that members of these names make.
    fn record(&self, context: Context, names: &'static [&'static str]) -> Result<Owned, Thrown> {
        let records = &mut self.0.borrow_mut().records;
        if let Some((_, like)) = records.iter().find(|(known, _)| ptr::eq(*known, names)) {
            return Ok(like.clone());
        }
        let like = context.like(names.iter().copied())?;
        records.push((names, like.clone()));
        Ok(like)
    }
}

impl Context {
    /// An array of these.
    ///
    /// # Errors
    /// There is no memory.
    pub fn array_of(self, items: SmallVec<[Owned; MAX_KNOWN_MEMBERS]>) -> Result<Owned, Thrown> {
        let items: SmallVec<[JSValue; MAX_KNOWN_MEMBERS]> = items.into_iter().map(Owned::into_raw).collect();
        // SAFETY: the context is alive, there are that many values, and their references are handed over.
        self.owned(unsafe { qjs::JS_NewArrayFrom(self.ptr(), items.len() as c_int, items.as_ptr()) })
    }

    /// Gives a plain object the own properties of another that it has not, as they are there, but each that is `undefined` takes
    /// the next of `values`.
    ///
    /// # Errors
    /// There is no memory, or one of the two is no plain object.
    pub fn copy_properties(
        self,
        target: impl AsRaw,
        source: impl AsRaw,
        values: &[Borrowed<'_>],
    ) -> Result<(), Thrown> {
        let (len, values) = (values.len() as c_int, values.as_ptr().cast());
        // SAFETY: all are alive; values have the layout of raw ones.
        Self::done(unsafe { JS_CopyProperties(self.ptr(), target.raw(), source.raw(), len, values) }).map(drop)
    }

    /// An object whose members are of these names.
    fn like<'n>(self, names: impl Iterator<Item = &'n str>) -> Result<Owned, Thrown> {
        let like = self.object()?;
        for name in names {
            self.define(&like, name, self.undefined(), PropertyFlags::PLAIN)?;
        }
        Ok(like)
    }

    /// An object with members of these names.
    ///
    /// # Errors
    /// There is no memory.
    pub fn record(
        self,
        forms: &KnownForms,
        names: &'static [&'static str],
        values: impl Iterator<Item = Owned>,
    ) -> Result<Owned, Thrown> {
        let like = forms.record(self, names)?;
        let mut raw = SmallVec::new();
        values.for_each(|value| raw.push(value.into_raw()));
        self.object_like(Some(like), names.iter().copied(), raw)
    }

    /// Gives an object that was made as a [record](Self::record) of these names other values: for those from the place `at` on.
    ///
    /// # Errors
    /// There is no memory.
    pub fn refill(
        self,
        record: &Owned,
        names: &'static [&'static str],
        at: usize,
        values: impl Iterator<Item = Owned>,
    ) -> Result<(), Thrown> {
        // Collected, they would be moved with all the room for more.
        let mut list = SmallVec::<[JSValue; MAX_KNOWN_MEMBERS]>::new();
        list.extend(values.map(Owned::into_raw));
        let count = list.len() as c_int;
        // SAFETY: the context and the object are alive, there are that many values, and their references are handed over.
        if unsafe { JS_RefillObject(self.ptr(), record.raw, at as c_int, count, list.as_ptr()) } {
            return Ok(());
        }
        let values: SmallVec<[Owned; MAX_KNOWN_MEMBERS]> = list.into_iter().map(|raw| Owned::new(raw, self)).collect();
        names[at..].iter().zip(values).try_for_each(|(name, value)| self.set(record, *name, value))
    }

    /// An object with these members, at most [`MAX_KNOWN_MEMBERS`].
    ///
    /// # Errors
    /// There is no memory.
    pub fn object_of(self, forms: &KnownForms, members: &[(String, Owned)]) -> Result<Owned, Thrown> {
        let like = forms.like(self, members)?;
        let values = members.iter().map(|(_, value)| value.clone().into_raw()).collect();
        self.object_like(like, members.iter().map(|(name, _)| name.as_str()), values)
    }

    /// An object like that one, whose members are of these names.
    fn object_like<'n>(
        self,
        like: Option<Owned>,
        names: impl Iterator<Item = &'n str>,
        values: SmallVec<[JSValue; MAX_KNOWN_MEMBERS]>,
    ) -> Result<Owned, Thrown> {
        if let Some(like) = like {
            let count = values.len() as c_int;
            // SAFETY: the context and `like` are alive, there are that many values, and their references are handed over.
            let made = unsafe { JS_NewObjectLike(self.ptr(), like.raw, count, values.as_ptr()) };
            // SAFETY: only looks at the tag.
            if !unsafe { qjs::JS_IsUndefined(made) } {
                return self.owned(made);
            }
        }
        // None is known, or a name is there twice.
        let values: SmallVec<[Owned; MAX_KNOWN_MEMBERS]> =
            values.into_iter().map(|raw| Owned::new(raw, self)).collect();
        let object = self.object()?;
        for (name, value) in names.zip(values) {
            self.define(&object, name, value, PropertyFlags::PLAIN)?;
        }
        Ok(object)
    }
}
