//! Errors of engines that don't say what they are about, explained from the text at their place.

use super::{Loader, MAX_EXPLAINED, ModuleText, lock};
use crate::js::transpile::{self, ErrorPlace, Explanation, SyntaxFault};

/// Takes `URL:LINE:COLUMN` apart; an engine that does not know the line says `URL` or `URL:?`.
fn parse_place(place: &str) -> (&str, Option<(u32, u32)>) {
    let parse = || {
        let (rest, column) = place.rsplit_once(':')?;
        let (url, line) = rest.rsplit_once(':')?;
        Some((url, (line.parse().ok()?, column.parse().ok()?)))
    };
    match parse() {
        Some((url, at)) => (url, Some(at)),
        None => (place.trim_end_matches(":?"), None),
    }
}

impl Loader {
    pub(super) fn explain_type_error(&self, function: &str, place: &str, message: &str) -> Option<String> {
        // Where there is no line, the function says more.
        let key = (format!("{function} {place}"), message.to_owned());
        if let Some(known) = lock(&self.explained).get(&key) {
            return known.clone();
        }
        let (url, at) = parse_place(place);
        let ModuleText { mut text, before, .. } = lock(&self.texts).get(url).cloned()?;
        let mut engines = at;
        if let (Some(before), Some((line, column))) = (&before, at) {
            let place = before.positions.origin(line, column);
            (text, engines) = (before.text.clone(), Some((place.line, place.column)));
        }
        let found = transpile::explain(&text, ErrorPlace { at: engines, function }, message, &|module, name| {
            self.is_export(module, name)
        });
        if let Some(Explanation { message, place: Some((line, column)) }) = &found
            && before.is_none()
            && at.is_none_or(|(known, _)| known != *line)
        {
            let there = format!("{url}:{line}:{column}");
            let there = self.file_place(&there).unwrap_or(there);
            let mut places = lock(&self.explained_places);
            if places.len() >= MAX_EXPLAINED {
                places.clear();
            }
            places.insert((place.to_owned(), message.clone()), there);
        }
        let found = found.map(|found| found.message);
        let mut explained = lock(&self.explained);
        if explained.len() >= MAX_EXPLAINED {
            explained.clear();
        }
        explained.insert(key, found.clone());
        found
    }

    /// The syntax error in the file at `url`, or in the first of those read that has one, with its address: not all engines say
    /// which it is. TypeScript has been parsed before.
    pub fn syntax_fault(&self, url: Option<&str>) -> Option<(String, SyntaxFault)> {
        let fault = |url: &String| Some((url.clone(), transpile::syntax_fault(&self.files.text(url)?)?));
        if let Some(url) = url.map(str::to_owned).or_else(|| lock(&self.redeclared).clone()) {
            return fault(&url).filter(|(url, _)| !url.ends_with(".ts"));
        }
        let mut read: Vec<String> = lock(&self.formats).keys().filter(|url| !url.ends_with(".ts")).cloned().collect();
        read.sort();
        read.iter().find_map(fault)
    }

    /// The place in the file a person wrote of `URL:LINE:COLUMN`; `None` if it is the same.
    pub(super) fn file_place(&self, place: &str) -> Option<String> {
        let positions = lock(&self.positions);
        if positions.is_empty() {
            return None;
        }
        let (url, at) = parse_place(place);
        let (line, column) = at?;
        let place = positions.get(url)?.origin(line, column);
        Some(format!("{}:{}:{}", place.file.as_deref().unwrap_or(url), place.line, place.column))
    }

    /// True if a module of ours exports this.
    pub(super) fn is_export(&self, module: &str, name: &str) -> bool {
        let names = self.builtins.find(module).map(|module| transpile::module_names(module.source));
        names.is_some_and(|names| names.iter().any(|known| known == name))
    }
}
