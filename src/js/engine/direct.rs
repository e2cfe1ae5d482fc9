//! Native functions that work on the values of a script themselves, instead of copies: they call its functions, read members one
//! by one, and leave what is seldom to a function of js-stdlib.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::{Context, Poll};

use smallvec::SmallVec;

use super::Host;
use super::realm::EngineContext;
use crate::js::value::{Resource, Throw, Value};

/// A value of the script, for the time of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Local(u32);

/// What kind of value it is; small ones with what they are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Look {
    /// `undefined`
    Undefined,
    /// `null`
    Null,
    /// A boolean.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A string.
    Text,
    /// A symbol or a bigint.
    Other,
    /// An object that can be called.
    Function,
    /// Any other object.
    Object,
}

/// A native function that works on the values of the script themselves.
pub trait Scope {
    /// How many arguments there are.
    fn len(&self) -> usize;
    /// The argument at `at`; `undefined` where there is none.
    fn arg(&mut self, at: usize) -> Local;
    /// `this`
    fn this(&mut self) -> Local;
    /// What the function was made with, by its place.
    fn data(&mut self, at: usize) -> Local;
    /// What kind of value it is.
    fn look(&self, value: Local) -> Look;
    /// A string as text; what is none is empty.
    fn text(&self, value: Local) -> String;
    /// Calls `read` with that text, which is copied only where the engine keeps it in another way.
    fn read_text(&self, value: Local, read: &mut dyn FnMut(&str));
    /// The native thing that the object is.
    fn resource(&self, value: Local) -> Option<Resource>;
    /// True if both are the same value, as `===` says.
    fn is_same(&self, one: Local, other: Local) -> bool;
    /// As JavaScript's `Boolean(value)`.
    fn is_true(&self, value: Local) -> bool;
    /// A copy, if nobody can see that it is made: texts, numbers, booleans, `null`, `undefined`, and objects of those that are no
    /// lists, have no getters and stand for nothing native.
    fn plain(&mut self, value: Local) -> Option<Value>;
    /// `JSON.stringify(value)` of an object at which nobody can see that it is read; `None` where somebody might, where there are
    /// numbers or texts that JSON does not have, and on an engine whose own function is as quick.
    fn json(&mut self, value: Local) -> Option<String>;
    /// The items of a list that has each of them, has nothing else, and at which nobody can see that they are read.
    fn items(&mut self, list: Local) -> Option<SmallVec<[Local; 8]>>;
    /// A new list.
    ///
    /// # Errors
    /// When there is no memory.
    fn list(&mut self, items: &[Local]) -> Result<Local, Throw>;
    /// A copy.
    ///
    /// # Errors
    /// What a getter throws, or that it is nested too deeply.
    fn copy(&mut self, value: Local) -> Result<Value, Throw>;
    /// A value of Rust's as one of the script.
    ///
    /// # Errors
    /// When it is JSON text that isn't JSON, or there is no memory.
    fn make(&mut self, value: Value) -> Result<Local, Throw>;
    /// A text as a string.
    ///
    /// # Errors
    /// When there is no memory.
    fn make_text(&mut self, text: &str) -> Result<Local, Throw>;
    /// `Object.keys(object)`
    ///
    /// # Errors
    /// What a proxy throws.
    fn names(&mut self, object: Local) -> Result<SmallVec<[Local; 8]>, Throw>;
    /// `object[key]`
    ///
    /// # Errors
    /// What a getter throws.
    fn get(&mut self, object: Local, key: Local) -> Result<Local, Throw>;
    /// A property that an object made by Rust has itself.
    ///
    /// # Errors
    /// When there is no memory.
    fn own(&mut self, object: Local, key: Local) -> Result<Option<Local>, Throw>;
    /// Gives an object made by Rust a property as an assignment does.
    ///
    /// # Errors
    /// When there is no memory.
    fn put(&mut self, object: Local, key: Local, value: Local) -> Result<(), Throw>;
    /// `function(...args)`
    ///
    /// # Errors
    /// What it throws.
    fn call(&mut self, function: Local, args: &[Local]) -> Result<Local, Throw>;
    /// What JavaScript threw in the call that failed last; `None` for what no script can catch. It is not thrown any more.
    fn catch(&mut self) -> Option<Local>;
    /// A new object with members of these names.
    ///
    /// # Errors
    /// When there is no memory.
    fn record(&mut self, names: &'static [&'static str], values: &[Local]) -> Result<Local, Throw>;
    /// Gives a [record](Self::record) of these names, which no script has, other values: for those from the place `at` on.
    ///
    /// # Errors
    /// When there is no memory.
    fn refill(
        &mut self,
        record: Local,
        names: &'static [&'static str],
        at: usize,
        values: &[Local],
    ) -> Result<(), Throw>;
    /// What was [kept](Self::keep) at this place where events are handed over.
    fn kept(&mut self, at: usize) -> Option<Local>;
    /// Keeps a value for the events that follow of the same source, at one of [`KEPT`] places.
    fn keep(&mut self, at: usize, value: Local);
    /// `new constructor(...args)`
    ///
    /// # Errors
    /// What it throws.
    fn construct(&mut self, constructor: Local, args: &[Local]) -> Result<Local, Throw>;
    /// Has the event loop hand over one event of `source` after the other, each with these values of the script as its
    /// [data](Self::data). An error of a hand-over ends the turn.
    fn listen(&mut self, source: Rc<dyn EventSource>, with: &[Local]);
}

/// Where events come from of which a script hears one after the other: it takes a fraction of what promises do.
pub trait EventSource {
    /// True after the last event.
    fn is_over(&self) -> bool;
    /// Ready once the next event has come, which the source keeps. Where `is_always_asked`, it is polled whenever the VU is woken,
    /// and before it waits: the source needs no other to tell it what the script has done meanwhile.
    fn poll_next(&self, cx: &mut Context<'_>, is_always_asked: bool) -> Poll<()>;
    /// Nobody waits for the next event any more.
    fn stop_waiting(&self);
    /// Hands the event over that has come.
    ///
    /// # Errors
    /// What the script throws.
    fn deliver(&self, scope: &mut dyn Scope) -> Result<(), Throw>;
}

/// The native thing that an object is, if it is one of this type.
pub fn resource_of<T: 'static>(scope: &dyn Scope, value: Local) -> Option<Rc<T>> {
    scope.resource(value)?.downcast().ok()
}

/// Calls the function at `at` among what this one was made with, with all its arguments: what is seldom.
///
/// # Errors
/// What it throws.
pub fn leave_to(scope: &mut dyn Scope, at: usize) -> Result<Local, Throw> {
    let function = scope.data(at);
    let args: SmallVec<[Local; 6]> = (0..scope.len()).map(|at| scope.arg(at)).collect();
    scope.call(function, &args)
}

/// As [`leave_to`], with `this` before the arguments.
///
/// # Errors
/// What it throws.
pub fn leave_method_to(scope: &mut dyn Scope, at: usize) -> Result<Local, Throw> {
    let (function, this) = (scope.data(at), scope.this());
    let args: SmallVec<[Local; 6]> = std::iter::once(this).chain((0..scope.len()).map(|at| scope.arg(at))).collect();
    scope.call(function, &args)
}

/// What an engine has to know for that.
pub trait DirectContext: EngineContext<Value: PassedValue<Self>> {
    /// What kind of value it is.
    fn look(&self, value: &Self::Value) -> Look;
    /// A string as text.
    fn text_of(&self, value: &Self::Value) -> String;
    /// As [`Scope::read_text`].
    fn read_text(&self, value: &Self::Value, read: &mut dyn FnMut(&str));
    /// As [`Scope::make_text`].
    ///
    /// # Errors
    /// When there is no memory.
    fn string_of(&mut self, text: &str) -> Result<Self::Value, Self::Error>;
    /// As [`Scope::resource`].
    fn resource_of(&self, value: &Self::Value) -> Option<Resource>;
    /// As [`Scope::is_same`].
    fn is_same(&self, one: &Self::Value, other: &Self::Value) -> bool;
    /// As [`Scope::is_true`].
    fn is_true(&self, value: &Self::Value) -> bool;
    /// As [`Scope::plain`].
    fn plain(&mut self, value: &Self::Value) -> Option<Value>;
    /// As [`Scope::json`].
    fn json_of(&mut self, value: &Self::Value) -> Option<String>;
    /// As [`Scope::items`].
    fn items_of(&mut self, list: &Self::Value) -> Option<Vec<Self::Value>>;
    /// As [`Scope::list`].
    ///
    /// # Errors
    /// When there is no memory.
    fn list_of(&mut self, items: &[Self::Value]) -> Result<Self::Value, Self::Error>;
    /// As [`Scope::names`].
    ///
    /// # Errors
    /// What a proxy throws.
    fn names(&mut self, object: &Self::Value) -> Result<Vec<Self::Value>, Self::Error>;
    /// As [`Scope::get`].
    ///
    /// # Errors
    /// What a getter throws.
    fn member(&mut self, object: &Self::Value, key: &Self::Value) -> Result<Self::Value, Self::Error>;
    /// As [`Scope::own`].
    ///
    /// # Errors
    /// When there is no memory.
    fn own_member(&mut self, object: &Self::Value, key: &Self::Value) -> Result<Option<Self::Value>, Self::Error>;
    /// As [`Scope::put`].
    ///
    /// # Errors
    /// When there is no memory.
    fn put_member(&mut self, object: &Self::Value, key: &Self::Value, value: &Self::Value) -> Result<(), Self::Error>;
    /// As [`Scope::record`].
    ///
    /// # Errors
    /// When there is no memory.
    fn record_of(
        &mut self,
        names: &'static [&'static str],
        values: impl ExactSizeIterator<Item = Self::Value>,
    ) -> Result<Self::Value, Self::Error>;
    /// As [`Scope::refill`].
    ///
    /// # Errors
    /// When there is no memory.
    fn refill_record(
        &mut self,
        record: &Self::Value,
        names: &'static [&'static str],
        at: usize,
        values: impl Iterator<Item = Self::Value>,
    ) -> Result<(), Self::Error>;
    /// As [`Scope::construct`].
    ///
    /// # Errors
    /// What it throws.
    fn construct_of(&mut self, constructor: &Self::Value, args: &[Self::Value]) -> Result<Self::Value, Self::Error>;
    /// True for what no script can catch.
    fn is_uncatchable(&self, error: &Self::Error) -> bool;
}

/// A value that a function was called with, as the engine has it.
pub trait PassedValue<C: DirectContext> {
    /// The value itself, where the engine keeps it as one.
    fn lend(&self) -> Option<&C::Value>;
    /// One more reference to it.
    fn own(&self, context: &C) -> C::Value;
}

/// What a function was called with.
pub struct Passed<'a, T> {
    /// The arguments.
    pub args: &'a [T],
    /// `this`
    pub this: Option<&'a T>,
    /// What the function was made with.
    pub data: &'a [T],
}

/// The values of one call.
struct CallScope<'c, C: DirectContext, T> {
    context: &'c mut C,
    values: CallValues<'c, C, T>,
    /// What is kept for the events that follow, where one is handed over.
    kept: Option<&'c Kept<C>>,
    /// What JavaScript has thrown: a value, or what no script can catch.
    thrown: Option<Result<C::Value, C::Error>>,
}

/// How many values a source of events may keep for those that follow.
pub const KEPT: usize = 2;

/// What a source of events has kept of one for those that follow.
pub type Kept<C> = RefCell<[Option<<C as EngineContext>::Value>; KEPT]>;

/// What a call was passed, and what came up.
struct CallValues<'c, C: DirectContext, T> {
    passed: Passed<'c, T>,
    /// What came up.
    own: SmallVec<[C::Value; 12]>,
    undefined: C::Value,
}

/// Calls a function of the host's table of direct ones, by its place there.
///
/// # Errors
/// What it throws.
pub fn call<C: DirectContext, T: PassedValue<C>>(
    context: &mut C,
    place: usize,
    passed: Passed<'_, T>,
) -> Result<C::Value, C::Error> {
    let host = context.state().host.clone();
    let mut scope = CallScope::new(context, passed, None);
    match Host::call_direct(&*host, place, &mut scope) {
        Ok(local) => Ok(scope.values.take(local)),
        Err(throw) => Err(scope.error_of(throw)),
    }
}

/// Hands over the event of a source that has come; `data` is what the script gave when it began to listen.
///
/// # Errors
/// What the script throws.
pub fn deliver<C: DirectContext>(
    context: &mut C,
    source: &dyn EventSource,
    data: &[C::Value],
    kept: &Kept<C>,
) -> Result<(), C::Error> {
    let mut scope = CallScope::new(context, Passed { args: &[], this: None, data }, Some(kept));
    source.deliver(&mut scope).map_err(|throw| scope.error_of(throw))
}

/// `undefined`, which needs no place.
const UNDEFINED: Local = Local(u32::MAX);
/// Of a place among the arguments, or among what the function was made with; no call has so many values.
const OF_ARGS: u32 = 1 << 30;
const OF_DATA: u32 = 2 << 30;
const KIND: u32 = 3 << 30;

impl<C: DirectContext, T: PassedValue<C>> CallValues<'_, C, T> {
    fn add(&mut self, value: C::Value) -> Local {
        self.own.push(value);
        Local((self.own.len() - 1) as u32)
    }

    /// The place of what was passed at `at` of `list`, which is of this kind.
    fn of_passed(&mut self, context: &C, list: &[T], at: usize, kind: u32) -> Local {
        match list.get(at) {
            Some(value) if value.lend().is_some() => Local(kind | at as u32),
            Some(value) => self.add(value.own(context)),
            None => UNDEFINED,
        }
    }

    /// The value at a place.
    fn at(&self, Local(place): Local) -> &C::Value {
        let at = (place & !KIND) as usize;
        let found = match place & KIND {
            0 => self.own.get(at),
            OF_ARGS => self.passed.args.get(at).and_then(T::lend),
            OF_DATA => self.passed.data.get(at).and_then(T::lend),
            _ => None,
        };
        found.unwrap_or(&self.undefined)
    }

    /// The value at a place; no other is asked for afterwards.
    fn take(&mut self, local: Local) -> C::Value {
        match local {
            Local(at) if (at as usize) < self.own.len() => self.own.swap_remove(at as usize),
            local => self.at(local).clone(),
        }
    }

    /// Those that stand one behind the other among what came up.
    fn row(&self, locals: &[Local]) -> Option<&[C::Value]> {
        let first = locals.first().map_or(0, |Local(at)| *at as usize);
        let is_row = locals.iter().enumerate().all(|(at, local)| local.0 as usize == first + at);
        if is_row { self.own.get(first..first + locals.len()) } else { None }
    }
}

impl<'c, C: DirectContext, T: PassedValue<C>> CallScope<'c, C, T> {
    fn new(context: &'c mut C, passed: Passed<'c, T>, kept: Option<&'c Kept<C>>) -> Self {
        let undefined = context.undefined();
        Self { context, values: CallValues { passed, own: SmallVec::new(), undefined }, kept, thrown: None }
    }

    fn add(&mut self, value: C::Value) -> Local {
        self.values.add(value)
    }

    /// What is thrown where the function fails like this.
    fn error_of(&mut self, throw: Throw) -> C::Error {
        match (throw, self.thrown.take()) {
            (Throw::Script, Some(Ok(value))) => self.context.throw_value(value),
            (Throw::Stop, Some(Err(error))) => error,
            (throw, _) => self.context.throw(throw),
        }
    }

    /// Does something with the context and the values at these places, which are not copied where they stand one behind the other.
    fn with_all<R>(
        &mut self,
        locals: &[Local],
        work: impl FnOnce(&mut C, &CallValues<'c, C, T>, &[C::Value]) -> R,
    ) -> R {
        let Self { context, values, .. } = self;
        match values.row(locals) {
            Some(row) => work(context, values, row),
            None => {
                let copies: SmallVec<[C::Value; 6]> = locals.iter().map(|local| values.at(*local).clone()).collect();
                work(context, values, &copies)
            }
        }
    }

    /// Keeps what JavaScript has thrown.
    fn keep_thrown<R>(&mut self, result: Result<R, C::Error>) -> Result<R, Throw> {
        result.map_err(|error| {
            if self.context.is_uncatchable(&error) {
                self.thrown = Some(Err(error));
                return Throw::Stop;
            }
            self.thrown = self.context.catch(error).map(Ok);
            Throw::Script
        })
    }
}

impl<C: DirectContext, T: PassedValue<C>> Scope for CallScope<'_, C, T> {
    fn len(&self) -> usize {
        self.values.passed.args.len()
    }

    fn arg(&mut self, at: usize) -> Local {
        let args = self.values.passed.args;
        self.values.of_passed(self.context, args, at, OF_ARGS)
    }

    fn this(&mut self) -> Local {
        match self.values.passed.this {
            Some(this) => self.add(this.own(self.context)),
            None => UNDEFINED,
        }
    }

    fn data(&mut self, at: usize) -> Local {
        let data = self.values.passed.data;
        self.values.of_passed(self.context, data, at, OF_DATA)
    }

    fn look(&self, value: Local) -> Look {
        self.context.look(self.values.at(value))
    }

    fn text(&self, value: Local) -> String {
        self.context.text_of(self.values.at(value))
    }

    fn read_text(&self, value: Local, read: &mut dyn FnMut(&str)) {
        self.context.read_text(self.values.at(value), read);
    }

    fn resource(&self, value: Local) -> Option<Resource> {
        self.context.resource_of(self.values.at(value))
    }

    fn is_same(&self, one: Local, other: Local) -> bool {
        self.context.is_same(self.values.at(one), self.values.at(other))
    }

    fn is_true(&self, value: Local) -> bool {
        self.context.is_true(self.values.at(value))
    }

    fn plain(&mut self, value: Local) -> Option<Value> {
        self.context.plain(self.values.at(value))
    }

    fn json(&mut self, value: Local) -> Option<String> {
        self.context.json_of(self.values.at(value))
    }

    fn items(&mut self, list: Local) -> Option<SmallVec<[Local; 8]>> {
        let items = self.context.items_of(self.values.at(list))?;
        Some(items.into_iter().map(|item| self.add(item)).collect())
    }

    fn list(&mut self, items: &[Local]) -> Result<Local, Throw> {
        let list = self.with_all(items, |context, _, items| context.list_of(items));
        self.keep_thrown(list).map(|list| self.add(list))
    }

    fn copy(&mut self, value: Local) -> Result<Value, Throw> {
        let copied = self.context.to_rust(self.values.at(value));
        self.keep_thrown(copied)
    }

    fn make(&mut self, value: Value) -> Result<Local, Throw> {
        if matches!(value, Value::Undefined) {
            return Ok(UNDEFINED);
        }
        let made = self.context.to_js(value);
        self.keep_thrown(made).map(|made| self.add(made))
    }

    fn make_text(&mut self, text: &str) -> Result<Local, Throw> {
        let made = self.context.string_of(text);
        self.keep_thrown(made).map(|made| self.add(made))
    }

    fn names(&mut self, object: Local) -> Result<SmallVec<[Local; 8]>, Throw> {
        let names = self.context.names(self.values.at(object));
        Ok(self.keep_thrown(names)?.into_iter().map(|name| self.add(name)).collect())
    }

    fn get(&mut self, object: Local, key: Local) -> Result<Local, Throw> {
        let value = self.context.member(self.values.at(object), self.values.at(key));
        self.keep_thrown(value).map(|value| self.add(value))
    }

    fn own(&mut self, object: Local, key: Local) -> Result<Option<Local>, Throw> {
        let value = self.context.own_member(self.values.at(object), self.values.at(key));
        Ok(self.keep_thrown(value)?.map(|value| self.add(value)))
    }

    fn put(&mut self, object: Local, key: Local, value: Local) -> Result<(), Throw> {
        let [object, key, value] = [object, key, value].map(|local| self.values.at(local));
        let done = self.context.put_member(object, key, value);
        self.keep_thrown(done)
    }

    fn call(&mut self, function: Local, args: &[Local]) -> Result<Local, Throw> {
        let result = self.with_all(args, |context, values, args| context.call(values.at(function), args));
        self.keep_thrown(result).map(|result| self.add(result))
    }

    fn catch(&mut self) -> Option<Local> {
        match self.thrown.take()? {
            Ok(value) => Some(self.add(value)),
            error => {
                self.thrown = Some(error);
                None
            }
        }
    }

    fn record(&mut self, names: &'static [&'static str], values: &[Local]) -> Result<Local, Throw> {
        let Self { context, values: known, .. } = self;
        let record = context.record_of(names, values.iter().map(|local| known.at(*local).clone()));
        self.keep_thrown(record).map(|record| self.add(record))
    }

    fn refill(
        &mut self,
        record: Local,
        names: &'static [&'static str],
        at: usize,
        values: &[Local],
    ) -> Result<(), Throw> {
        let Self { context, values: known, .. } = self;
        let values = values.iter().map(|local| known.at(*local).clone());
        let done = context.refill_record(known.at(record), names, at, values);
        self.keep_thrown(done)
    }

    fn kept(&mut self, at: usize) -> Option<Local> {
        let kept = self.kept?.borrow()[at].clone()?;
        Some(self.add(kept))
    }

    fn keep(&mut self, at: usize, value: Local) {
        if let Some(kept) = self.kept {
            let before = kept.borrow_mut()[at].replace(self.values.at(value).clone());
            drop(before);
        }
    }

    fn construct(&mut self, constructor: Local, args: &[Local]) -> Result<Local, Throw> {
        let made = self.with_all(args, |context, values, args| context.construct_of(values.at(constructor), args));
        self.keep_thrown(made).map(|made| self.add(made))
    }

    fn listen(&mut self, source: Rc<dyn EventSource>, with: &[Local]) {
        let with = with.iter().map(|local| self.values.at(*local).clone()).collect();
        self.context.state().add_events(with, source);
    }
}
