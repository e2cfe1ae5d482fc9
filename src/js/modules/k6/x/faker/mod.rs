//! `k6/x/faker`: made-up values of 28 categories. The functions, their words and what they are made of are text tables; what
//! takes more than words is written in `generate`.

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

use super::super::super::Op;
use crate::js::runtime::VuContext;
use crate::js::value::{Args, Throw, Value};

mod generate;
mod money;
mod random;
mod table;
#[cfg(test)]
mod tests;
mod times;
mod web;
mod words;

use generate::Given;
use random::Random;
use table::{EntryKind, Table, TextPart};

/// The native half.
pub const OPS: &[(&str, Op)] = &[("faker", faker), ("fake", fake), ("categories", categories), ("members", members)];

/// The variable that seeds the faker a script has without asking.
const SEED: &str = "XK6_FAKER_SEED";

/// What makes values.
struct Faker {
    table: &'static Table,
    random: Random,
}

/// What a script's `Faker` stands for.
struct JsFaker(RefCell<Faker>);

/// `(seed)` -> a faker; without a seed, or with 0, its values are never the same.
fn faker(vu: &VuContext, args: Args) -> Result<Value, Throw> {
    let seed = match args.get(0) {
        Value::Undefined => vu.env.borrow().get(SEED).and_then(|text| text.parse::<i64>().ok()).unwrap_or(0),
        _ => args.number(0) as i64,
    };
    let seed = if seed == 0 { crate::net::random::random() } else { seed.cast_unsigned() };
    Ok(Value::Resource(Rc::new(JsFaker(RefCell::new(Faker::new(seed))))))
}

/// The names of the categories.
fn categories(_vu: &VuContext, _args: Args) -> Result<Value, Throw> {
    Ok(Value::List(Table::get().categories().into_iter().map(Value::from).collect()))
}

/// `(category)` -> its functions and their places.
fn members(_vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let members = Table::get().members(&args.string(0));
    Ok(Value::Map(members.into_iter().map(|(name, at)| (name.to_owned(), Value::Number(at as f64))).collect()))
}

/// `(faker, place, what is given)` -> a value.
fn fake(_vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let faker = args.resource::<JsFaker>(0)?;
    let place = args.number(1) as usize;
    let given = match args.take(2) {
        Value::List(list) => list.into_iter().map(Given::of).collect(),
        _ => Vec::new(),
    };
    faker.0.borrow_mut().call(place, given)
}

impl Faker {
    fn new(seed: u64) -> Self {
        Self { table: Table::get(), random: Random::new(seed) }
    }

    /// What the function at this place gives.
    fn call(&mut self, place: usize, mut given: Vec<Given>) -> Result<Value, Throw> {
        let table = self.table;
        let function = table.functions.get(place).ok_or_else(|| Throw::type_error("there is no such function"))?;
        match &function.kind {
            EntryKind::Code(code) => {
                given.resize(function.params.len(), Given::Nothing);
                for (given, param) in given.iter_mut().zip(&function.params) {
                    match (&given, param.default) {
                        (Given::Nothing, Some(default)) => *given = Given::default(default),
                        (Given::Nothing, None) if !param.is_optional => {
                            return Err(Throw::type_error(format!("missing parameter: {}", param.name)));
                        }
                        _ => {}
                    }
                }
                code(self, &mut given).map_err(Throw::go)
            }
            _ => Ok(self.value(place)),
        }
    }

    /// As [`Faker::call`] without anything given: what can be made of nothing.
    fn value(&mut self, place: usize) -> Value {
        /// Hardly a text is longer.
        const USUAL: usize = 48;
        let table = self.table;
        match &table.functions[place].kind {
            EntryKind::Pick(list) => Value::Text(self.random.pick(list)),
            EntryKind::Make(parts) => match parts[..] {
                [TextPart::Text(plain)] => Value::Text(plain),
                _ => {
                    let mut text = String::with_capacity(USUAL);
                    self.append(place, &mut text);
                    Value::String(text)
                }
            },
            EntryKind::Any(places) => {
                let place = places[self.random.below(places.len())];
                self.text(place).into()
            }
            EntryKind::Object { names, places } => {
                Value::Record(names, places.iter().map(|place| self.value(*place)).collect())
            }
            EntryKind::Code(_) => self.call(place, Vec::new()).unwrap_or(Value::Undefined),
        }
    }

    /// As [`Faker::value`], as text.
    fn text(&mut self, place: usize) -> Cow<'static, str> {
        match self.value(place) {
            Value::Text(text) => Cow::Borrowed(text),
            Value::String(text) => Cow::Owned(text),
            Value::Number(number) => Cow::Owned(crate::js::modules::k6::number_text(number)),
            _ => Cow::Borrowed(""),
        }
    }

    /// Appends what [`Faker::text`] would give.
    fn append(&mut self, place: usize, text: &mut String) {
        let table = self.table;
        match &table.functions[place].kind {
            EntryKind::Pick(list) => text.push_str(self.random.pick(list)),
            EntryKind::Make(parts) => {
                for part in parts {
                    match part {
                        TextPart::Text(plain) => text.push_str(plain),
                        TextPart::Digit => text.push(self.random.digit()),
                        TextPart::Letter => text.push(self.random.letter()),
                        TextPart::Function(place) => self.append(*place, text),
                    }
                }
            }
            EntryKind::Any(places) => {
                let place = places[self.random.below(places.len())];
                self.append(place, text);
            }
            EntryKind::Object { .. } | EntryKind::Code(_) => text.push_str(&self.text(place)),
        }
    }
}
