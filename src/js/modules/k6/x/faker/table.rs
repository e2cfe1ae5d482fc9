//! The functions there are, as the text tables list them. They are read once for the whole process.

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use super::generate::{self, Generate};

/// One function.
#[derive(Debug)]
pub(super) struct Function {
    pub category: &'static str,
    pub name: &'static str,
    pub params: Vec<Param>,
    pub kind: EntryKind,
}

/// What a function may be given.
#[derive(Debug)]
pub(super) struct Param {
    pub name: &'static str,
    /// What is taken where nothing is given.
    pub default: Option<&'static str>,
    pub is_optional: bool,
}

/// How a value is made.
#[derive(Debug)]
pub(super) enum EntryKind {
    /// One of several.
    Pick(Vec<&'static str>),
    /// A text of parts.
    Make(Vec<TextPart>),
    /// What one of these functions gives.
    Any(Vec<usize>),
    /// An object: what its fields are called, and the functions behind them, which are called in this order.
    Object { names: Vec<&'static str>, places: Vec<usize> },
    /// Rust.
    Code(Generate),
}

/// A part of a text.
#[derive(Debug)]
pub(super) enum TextPart {
    Text(&'static str),
    Digit,
    Letter,
    /// What the function at this place gives.
    Function(usize),
}

/// All functions.
#[derive(Debug)]
pub(super) struct Table {
    pub functions: Vec<Function>,
    places: FxHashMap<&'static str, usize>,
}

/// The category of what only other functions use.
const INTERNAL: &str = "_";
/// The category that has every function.
const ALL: &str = "zen";

impl Table {
    /// The table of this process.
    pub(super) fn get() -> &'static Self {
        static TABLE: OnceLock<Table> = OnceLock::new();
        TABLE.get_or_init(|| Self::read([include_str!("tables_a.txt"), include_str!("tables_b.txt")]))
    }

    fn read(texts: [&'static str; 2]) -> Self {
        let lines =
            || texts.iter().flat_map(|text| text.lines()).filter(|line| !line.starts_with('#') && !line.is_empty());
        let mut heads = Vec::new();
        let mut places = FxHashMap::default();
        for line in lines() {
            let open = line.find(['(', ' ']).unwrap_or(line.len());
            let (path, rest) = line.split_at(open);
            let (category, name) = path.split_once('.').unwrap_or(("", path));
            let (params, rest) = match rest.strip_prefix('(') {
                Some(rest) => rest.split_once(") ").unwrap_or((rest, "")),
                None => ("", rest.trim_start()),
            };
            places.insert(if category == INTERNAL { path } else { name }, heads.len());
            heads.push((category, name, params, rest));
        }
        let place = |name: &str| *places.get(name).unwrap_or_else(|| unreachable!("a table names `{name}`"));
        let functions = heads.into_iter().map(|(category, name, params, rest)| Function {
            category,
            name,
            params: params.split(',').filter(|param| !param.is_empty()).map(param).collect(),
            kind: match rest.split_once(' ').unwrap_or((rest, "")) {
                ("pick", list) => EntryKind::Pick(list.split('|').collect()),
                ("make", text) => EntryKind::Make(parts(text, place)),
                ("any", names) => EntryKind::Any(names.split('|').map(place).collect()),
                ("object", fields) => {
                    let fields = fields.split('|').filter_map(|field| field.split_once('='));
                    let (names, places) = fields.map(|(field, name)| (field, place(name))).unzip();
                    EntryKind::Object { names, places }
                }
                _ => EntryKind::Code(generate::code(name).unwrap_or_else(|| unreachable!("`{name}` is not written"))),
            },
        });
        Self { functions: functions.collect(), places }
    }

    /// The place of a function that scripts or other functions name.
    #[cfg(test)]
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    /// The places of functions that Rust names, to be looked up once.
    pub(super) fn named<const COUNT: usize>(names: [&str; COUNT]) -> [usize; COUNT] {
        let places = &Self::get().places;
        names.map(|name| *places.get(name).unwrap_or_else(|| unreachable!("Rust names `{name}`")))
    }

    /// The names of the categories, sorted.
    pub(super) fn categories(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.functions.iter().map(|function| function.category).collect();
        names.push(ALL);
        names.sort_unstable();
        names.dedup();
        names.retain(|name| *name != INTERNAL);
        names
    }

    /// The functions of a category, sorted, and their places.
    pub(super) fn members(&self, category: &str) -> Vec<(&'static str, usize)> {
        let all = self.functions.iter().enumerate().filter(|(_, function)| match category {
            ALL => function.category != INTERNAL,
            category => function.category == category && category != INTERNAL,
        });
        let mut all: Vec<_> = all.map(|(at, function)| (function.name, at)).collect();
        all.sort_unstable();
        all
    }
}

fn param(text: &'static str) -> Param {
    match text.split_once('=') {
        Some((name, default)) => Param { name, default: Some(default), is_optional: true },
        None => Param { name: text.trim_end_matches('?'), default: None, is_optional: text.ends_with('?') },
    }
}

fn parts(text: &'static str, place: impl Fn(&str) -> usize) -> Vec<TextPart> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let plain = rest.find(['{', '#', '?']).unwrap_or(rest.len());
        if plain > 0 {
            parts.push(TextPart::Text(&rest[..plain]));
        }
        rest = &rest[plain..];
        let length = match rest.as_bytes().first() {
            None => 0,
            Some(b'#') => {
                parts.push(TextPart::Digit);
                1
            }
            Some(b'?') => {
                parts.push(TextPart::Letter);
                1
            }
            Some(_) => {
                let end = rest.find('}').unwrap_or(rest.len() - 1);
                parts.push(TextPart::Function(place(&rest[1..end])));
                end + 1
            }
        };
        rest = &rest[length..];
    }
    parts
}
