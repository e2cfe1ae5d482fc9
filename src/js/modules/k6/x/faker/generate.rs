//! What a list of words is not enough for: numbers, people, places, things.

use std::sync::LazyLock;

use super::super::super::http::go;
use super::table::Table;
use super::{Faker, money, times, web, words};
use crate::js::value::Value;

/// Makes a value; fails with what is wrong with what was given.
pub(super) type Generate = fn(&mut Faker, &mut [Given]) -> Result<Value, String>;

/// What a script gives for a parameter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Given {
    /// Nothing.
    #[default]
    Nothing,
    /// A text, or whatever it is as a text.
    One(String),
    /// An array.
    Many(Vec<String>),
}

impl Given {
    /// What a script gave: a list of texts, one text, or nothing.
    pub(super) fn of(value: Value) -> Self {
        match value {
            Value::Undefined | Value::Null => Self::Nothing,
            Value::String(text) => Self::One(text),
            Value::List(list) => Self::Many(list.into_iter().map(text_of).collect()),
            other => Self::One(go::string_of(&other)),
        }
    }

    /// A default as the tables write it: `[6]` is a list.
    pub(super) fn default(text: &str) -> Self {
        match text.strip_prefix('[').and_then(|list| list.strip_suffix(']')) {
            Some(list) => Self::Many(list.split(';').map(str::to_owned).collect()),
            None => Self::One(text.to_owned()),
        }
    }

    pub(super) fn text(&self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::One(text) => text.clone(),
            Self::Many(list) => list.join(","),
        }
    }

    /// Takes the texts of an array out.
    pub(super) fn list(&mut self) -> Vec<String> {
        match std::mem::take(self) {
            Self::Nothing => Vec::new(),
            Self::One(text) => text.split(',').map(str::to_owned).collect(),
            Self::Many(list) => list,
        }
    }

    pub(super) fn float(&self) -> Result<f64, String> {
        let text = self.text();
        text.trim().parse().map_err(|_| format!("strconv.ParseFloat: parsing {text:?}: invalid syntax"))
    }

    /// A whole number; a fraction is none.
    pub(super) fn whole(&self) -> Result<i64, String> {
        whole(&self.text())
    }

    /// A whole number of things that are to be made.
    pub(super) fn count(&self, most: i64) -> Result<usize, String> {
        let count = self.whole()?;
        match (1..=most).contains(&count) {
            true => Ok(count as usize),
            false => Err(format!("must be between 1 and {most}, got {count}")),
        }
    }

    pub(super) fn flag(&self) -> Result<bool, String> {
        match self.text().as_str() {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
            text => Err(format!("strconv.ParseBool: parsing {text:?}: invalid syntax")),
        }
    }
}

fn text_of(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => go::string_of(&other),
    }
}

fn whole(text: &str) -> Result<i64, String> {
    let text = text.trim();
    if let Ok(number) = text.parse::<i64>() {
        return Ok(number);
    }
    // JavaScript writes large numbers with an exponent.
    match text.parse::<f64>() {
        Ok(number) if number.fract() == 0.0 && number.is_finite() => Ok(number as i64),
        _ => Err(format!("strconv.ParseInt: parsing {text:?}: invalid syntax")),
    }
}

/// At most so many things are made by one call.
const MAX_COUNT: i64 = 100_000;

pub(super) fn number(value: i64) -> Result<Value, String> {
    Ok(Value::Number(value as f64))
}

/// The function of this name that is written in Rust.
pub(super) fn code(name: &str) -> Option<Generate> {
    numbers(name)
        .or_else(|| things(name))
        .or_else(|| words::code(name))
        .or_else(|| money::code(name))
        .or_else(|| web::code(name))
        .or_else(|| times::code(name))
}

fn numbers(name: &str) -> Option<Generate> {
    Some(match name {
        "boolean" => |faker, _| Ok(Value::Bool(faker.random.below(2) == 1)),
        "float32" => |faker, _| Ok(Value::Number(f64::from(faker.random.float(0.0, f64::from(f32::MAX)) as f32))),
        "float64" => |faker, _| Ok(Value::Number(faker.random.float(0.0, f64::MAX))),
        "float32Range" => |faker, given| {
            let (least, most) = (given[0].float()?, given[1].float()?);
            Ok(Value::Number(f64::from(faker.random.float(least, most) as f32)))
        },
        "float64Range" | "latitudeRange" | "longitudeRange" => {
            |faker, given| Ok(Value::Number(faker.random.float(given[0].float()?, given[1].float()?)))
        }
        "latitude" => |faker, _| Ok(Value::Number(rounded(faker.random.float(-90.0, 90.0), 1e6))),
        "longitude" => |faker, _| Ok(Value::Number(rounded(faker.random.float(-180.0, 180.0), 1e6))),
        "hexUint8" => |faker, _| Ok(hex(faker, 1)),
        "hexUint16" => |faker, _| Ok(hex(faker, 2)),
        "hexUint32" => |faker, _| Ok(hex(faker, 4)),
        "hexUint64" => |faker, _| Ok(hex(faker, 8)),
        "hexUint128" => |faker, _| Ok(hex(faker, 16)),
        "hexUint256" => |faker, _| Ok(hex(faker, 32)),
        "int8" => |faker, _| number(faker.random.between(i64::from(i8::MIN), i64::from(i8::MAX))),
        "int16" => |faker, _| number(faker.random.between(i64::from(i16::MIN), i64::from(i16::MAX))),
        "int32" => |faker, _| number(faker.random.between(i64::from(i32::MIN), i64::from(i32::MAX))),
        "int64" => |faker, _| number(faker.random.between(i64::MIN, i64::MAX)),
        "uint8" => |faker, _| number(faker.random.between(0, i64::from(u8::MAX))),
        "uint16" => |faker, _| number(faker.random.between(0, i64::from(u16::MAX))),
        "uint32" => |faker, _| number(faker.random.between(0, i64::from(u32::MAX))),
        "uint64" => |faker, _| Ok(Value::Number(faker.random.bits() as f64)),
        "intRange" | "number" => |faker, given| number(faker.random.between(given[0].whole()?, given[1].whole()?)),
        "uintRange" => |faker, given| {
            let (least, most) = (given[0].whole()?, given[1].whole()?);
            match least.min(most) < 0 {
                true => Err(format!("strconv.ParseUint: parsing \"{}\": invalid syntax", least.min(most))),
                false => number(faker.random.between(least, most)),
            }
        },
        "randomInt" | "randomUint" => |faker, given| {
            let list = given[0].list();
            match list.get(faker.random.below(list.len())) {
                Some(one) => number(whole(one)?),
                None => number(0),
            }
        },
        "shuffleInts" => |faker, given| {
            let list: Result<Vec<i64>, String> = given[0].list().iter().map(|one| whole(one)).collect();
            let mut list = list?;
            faker.random.shuffle(&mut list);
            Ok(Value::List(list.into_iter().map(|number| Value::Number(number as f64)).collect()))
        },
        "dice" => |faker, given| {
            let sides: Result<Vec<i64>, String> = given[1].list().iter().map(|one| whole(one)).collect();
            let sides = sides?;
            let count = given[0].count(MAX_COUNT)?;
            let side = |at: usize| sides.get(at).or(sides.last()).copied().filter(|side| *side > 0).unwrap_or(6);
            Ok(Value::List((0..count).map(|at| Value::Number(faker.random.between(1, side(at)) as f64)).collect()))
        },
        _ => return None,
    })
}

pub(super) fn rounded(value: f64, step: f64) -> f64 {
    (value * step).round() / step
}

/// So many bytes as `0x…`.
fn hex(faker: &mut Faker, bytes: usize) -> Value {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(2 + 2 * bytes);
    text.push_str("0x");
    for _ in 0..bytes {
        let byte = faker.random.below(256);
        text.extend([byte >> 4, byte & 15].map(|digit| char::from(DIGITS[digit])));
    }
    text.into()
}

fn things(name: &str) -> Option<Generate> {
    Some(match name {
        "address" => |faker, _| Ok(address(faker)),
        "appVersion" => |faker, _| {
            let mut part = || faker.random.between(1, 20);
            Ok(format!("{}.{}.{}", part() % 5 + 1, part(), part()).into())
        },
        "beerAlcohol" => |faker, _| Ok(format!("{:.1}%", faker.random.float(2.0, 10.0)).into()),
        "beerBlg" => |faker, _| Ok(format!("{:.1}°Blg", faker.random.float(5.0, 20.0)).into()),
        "beerIbu" => |faker, _| Ok(format!("{} IBU", faker.random.between(10, 100)).into()),
        "carYear" => |faker, _| number(faker.random.between(1990, times::this_year())),
        "hexColor" => |faker, _| Ok(format!("#{:06x}", faker.random.below(1 << 24)).into()),
        "rgbColor" => {
            |faker, _| Ok(Value::List((0..3).map(|_| Value::Number(faker.random.below(256) as f64)).collect()))
        }
        "niceColors" => |faker, _| {
            const PALETTES: [[&str; 5]; 8] = [
                ["#264653", "#2a9d8f", "#e9c46a", "#f4a261", "#e76f51"],
                ["#003049", "#d62828", "#f77f00", "#fcbf49", "#eae2b7"],
                ["#606c38", "#283618", "#fefae0", "#dda15e", "#bc6c25"],
                ["#cdb4db", "#ffc8dd", "#ffafcc", "#bde0fe", "#a2d2ff"],
                ["#0d1b2a", "#1b263b", "#415a77", "#778da9", "#e0e1dd"],
                ["#f94144", "#f3722c", "#f9c74f", "#90be6d", "#577590"],
                ["#5f0f40", "#9a031e", "#fb8b24", "#e36414", "#0f4c5c"],
                ["#22223b", "#4a4e69", "#9a8c98", "#c9ada7", "#f2e9e4"],
            ];
            let palette = PALETTES[faker.random.below(PALETTES.len())];
            Ok(Value::List(palette.into_iter().map(Value::Text).collect()))
        },
        "email" => |faker, _| Ok(email(faker).into()),
        "phoneFormatted" => |faker, _| {
            const FORMS: [&str; 8] = [
                "###-###-####",
                "(###)###-####",
                "1-###-###-####",
                "###.###.####",
                "1-###-###-####x###",
                "###-###-####x####",
                "(###)###-####x##",
                "1.###.###.####",
            ];
            let form = faker.random.pick(&FORMS);
            Ok(words::numerified(faker, form).into())
        },
        "teams" => teams,
        "product" => |faker, _| Ok(product(faker)),
        "productDescription" => |faker, _| Ok(product_description(faker).into()),
        "productUpc" => |faker, _| {
            let digits: String = (0..11).map(|_| faker.random.digit()).collect();
            let sum =
                |start: usize| digits.bytes().skip(start).step_by(2).map(|digit| u32::from(digit - b'0')).sum::<u32>();
            let check = (10 - (3 * sum(0) + sum(1)) % 10) % 10;
            Ok(format!("{digits}{check}").into())
        },
        _ => return None,
    })
}

fn address(faker: &mut Faker) -> Value {
    const NAMES: &[&str] = &["address", "street", "city", "state", "zip", "country", "latitude", "longitude"];
    static PARTS: LazyLock<[usize; 5]> = LazyLock::new(|| Table::named(["street", "city", "state", "zip", "country"]));
    let [street, city, state, zip, country] = PARTS.map(|part| faker.text(part));
    let (latitude, longitude) = (faker.random.float(-90.0, 90.0), faker.random.float(-180.0, 180.0));
    let whole = [&*street, ", ", &*city, ", ", &*state, " ", &*zip].concat();
    let texts = [whole.into(), street.into(), city.into(), state.into(), zip.into(), country.into()];
    let numbers = [rounded(latitude, 1e6).into(), rounded(longitude, 1e6).into()];
    Value::Record(NAMES, texts.into_iter().chain(numbers).collect())
}

fn email(faker: &mut Faker) -> String {
    static PARTS: LazyLock<[usize; 3]> = LazyLock::new(|| Table::named(["firstName", "lastName", "domainName"]));
    let [first, last, domain] = PARTS.map(|part| faker.text(part));
    let mut text = [&*first, &*last, "@", &*domain].concat();
    if text.is_ascii() {
        text.make_ascii_lowercase();
        return text;
    }
    text.to_lowercase()
}

fn product_description(faker: &mut Faker) -> String {
    static PARTS: LazyLock<[usize; 5]> = LazyLock::new(|| {
        Table::named(["descriptiveAdjective", "productFeature", "productCategory", "productMaterial", "adverbManner"])
    });
    let [adjective, feature, category, material, adverb] = PARTS.map(|part| faker.text(part));
    let parts = [
        "A ",
        &*adjective,
        " choice among ",
        &*category,
        ": ",
        &*feature,
        ", ",
        &*adverb,
        " made of ",
        &*material,
        ".",
    ];
    parts.concat()
}

fn product(faker: &mut Faker) -> Value {
    const NAMES: &[&str] = &["name", "description", "categories", "price", "features", "color", "material", "upc"];
    static PARTS: LazyLock<[usize; 7]> = LazyLock::new(|| {
        Table::named([
            "productCategory",
            "productFeature",
            "productName",
            "productDescription",
            "safeColor",
            "productMaterial",
            "productUpc",
        ])
    });
    let [category, feature, name, description, color, material, upc] = *PARTS;
    let mut several = |place: usize, most: i64| {
        let count = faker.random.between(1, most);
        let mut list = Vec::with_capacity(count as usize);
        for _ in 0..count {
            let one = faker.text(place);
            if !list.contains(&one) {
                list.push(one);
            }
        }
        Value::List(list.into_iter().map(Value::from).collect())
    };
    let (categories, features) = (several(category, 3), several(feature, 5));
    let (name, description) = (faker.value(name), faker.value(description));
    let price = rounded(faker.random.float(3.0, 100.0), 100.0).into();
    let [color, material, upc] = [color, material, upc].map(|part| faker.value(part));
    Value::Record(NAMES, vec![name, description, categories, price, features, color, material, upc])
}

/// People dealt out to teams, as evenly as their number allows.
fn teams(faker: &mut Faker, given: &mut [Given]) -> Result<Value, String> {
    let (mut people, names) = (given[0].list(), given[1].list());
    faker.random.shuffle(&mut people);
    let mut teams: Vec<(String, Vec<Value>)> = names.into_iter().map(|name| (name, Vec::new())).collect();
    if teams.is_empty() {
        return Ok(Value::Map(Vec::new()));
    }
    let count = teams.len();
    for (at, person) in people.into_iter().enumerate() {
        teams[at % count].1.push(person.into());
    }
    Ok(Value::Map(teams.into_iter().map(|(name, people)| (name, Value::List(people))).collect()))
}
