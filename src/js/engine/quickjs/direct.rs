//! What native functions see of the values of a script themselves, on QuickJS.

use super::convert::to_rust;
use super::ffi::{Borrowed, Context, Owned, PropertyFlags, Thrown, ValueKind, ascii};
use crate::js::engine::direct::{DirectContext, Look, PassedValue};
use crate::js::value::{Resource, Value};

/// How deep objects may be nested that are copied without anybody's seeing it.
const MAX_LEVELS: usize = 3;

impl DirectContext for Context {
    fn look(&self, value: &Owned) -> Look {
        match value.borrow().kind() {
            ValueKind::Undefined => Look::Undefined,
            ValueKind::Null => Look::Null,
            ValueKind::Bool(value) => Look::Bool(value),
            ValueKind::Number(number) => Look::Number(number),
            ValueKind::String => Look::Text,
            ValueKind::Symbol | ValueKind::BigInt => Look::Other,
            ValueKind::Object if self.is_function(value) => Look::Function,
            ValueKind::Object => Look::Object,
        }
    }

    fn text_of(&self, value: &Owned) -> String {
        if value.borrow().is_string() { self.text_or_empty(value) } else { String::new() }
    }

    fn read_text(&self, value: &Owned, read: &mut dyn FnMut(&str)) {
        match ascii(&value) {
            Some(text) => read(text),
            None => read(&self.text_of(value)),
        }
    }

    fn string_of(&mut self, text: &str) -> Result<Owned, Thrown> {
        self.string(text)
    }

    fn resource_of(&self, value: &Owned) -> Option<Resource> {
        Self::resource_of(self, value.borrow()).cloned()
    }

    fn is_same(&self, one: &Owned, other: &Owned) -> bool {
        Self::is_same(*self, one, other)
    }

    fn is_true(&self, value: &Owned) -> bool {
        self.to_bool(value)
    }

    fn plain(&mut self, value: &Owned) -> Option<Value> {
        plain(*self, value.borrow(), 0)
    }

    fn json_of(&mut self, _value: &Owned) -> Option<String> {
        None
    }

    fn items_of(&mut self, list: &Owned) -> Option<Vec<Owned>> {
        if !list.borrow().is_plain_array() {
            return None;
        }
        let context = *self;
        let length = context.ok(context.length(list))?;
        let mut items = Vec::new();
        let seen = context.each_datum(list, |name, item| {
            let is_next = name.parse() == Ok(items.len());
            items.push(context.own(item));
            is_next
        });
        (context.ok(seen)? && items.len() as i64 == length).then_some(items)
    }

    fn list_of(&mut self, items: &[Owned]) -> Result<Owned, Thrown> {
        let list = self.array()?;
        for (at, item) in items.iter().enumerate() {
            self.define_index(&list, at as u32, item.clone())?;
        }
        Ok(list)
    }

    fn names(&mut self, object: &Owned) -> Result<Vec<Owned>, Thrown> {
        self.names_of(object)
    }

    fn member(&mut self, object: &Owned, key: &Owned) -> Result<Owned, Thrown> {
        self.get(object, &self.atom_of(key)?)
    }

    fn own_member(&mut self, object: &Owned, key: &Owned) -> Result<Option<Owned>, Thrown> {
        self.own_value(object, &self.atom_of(key)?)
    }

    fn put_member(&mut self, object: &Owned, key: &Owned, value: &Owned) -> Result<(), Thrown> {
        self.define(object, &self.atom_of(key)?, value.clone(), PropertyFlags::PLAIN)
    }

    fn record_of(
        &mut self,
        names: &'static [&'static str],
        values: impl ExactSizeIterator<Item = Owned>,
    ) -> Result<Owned, Thrown> {
        self.record(&self.state().extras.forms, names, values)
    }

    fn refill_record(
        &mut self,
        record: &Owned,
        names: &'static [&'static str],
        at: usize,
        values: impl Iterator<Item = Owned>,
    ) -> Result<(), Thrown> {
        self.refill(record, names, at, values)
    }

    fn construct_of(&mut self, constructor: &Owned, args: &[Owned]) -> Result<Owned, Thrown> {
        let args: smallvec::SmallVec<[Borrowed<'_>; 4]> = args.iter().map(Owned::borrow).collect();
        self.construct(constructor, &args)
    }

    fn is_uncatchable(&self, Thrown: &Thrown) -> bool {
        let value = self.take_exception();
        let is_uncatchable = value.borrow().is_uncatchable();
        // As it was: what it is stands in the value.
        let Thrown = self.throw(value);
        is_uncatchable
    }
}

impl PassedValue<Context> for Owned {
    fn lend(&self) -> Option<&Owned> {
        Some(self)
    }

    fn own(&self, _context: &Context) -> Owned {
        self.clone()
    }
}

impl PassedValue<Context> for Borrowed<'_> {
    fn lend(&self) -> Option<&Owned> {
        None
    }

    fn own(&self, context: &Context) -> Owned {
        (*context).own(*self)
    }
}

fn plain(context: Context, value: Borrowed<'_>, depth: usize) -> Option<Value> {
    Some(match value.kind() {
        ValueKind::Symbol | ValueKind::BigInt => return None,
        ValueKind::Object => return plain_object(context, value, depth),
        _ => context.ok(to_rust(context, value))?,
    })
}

fn plain_object(context: Context, object: Borrowed<'_>, depth: usize) -> Option<Value> {
    if depth >= MAX_LEVELS
        || object.is_proxy()
        || object.is_plain_array()
        || context.is_function(object)
        || context.resource_of(object).is_some()
        || context.buffer_bytes(object).is_some()
    {
        return None;
    }
    let native = context.state().extras.native.get()?;
    if !context.ok(context.get(object, native))?.borrow().is_undefined() {
        return None;
    }
    let mut map = Vec::new();
    let seen = context.each_datum(object, |name, item| {
        let item = plain(context, item, depth + 1);
        item.map(|item| map.push((name, item))).is_some()
    });
    context.ok(seen)?.then_some(Value::Map(map))
}
