//! What is imported and isn't there: names that files don't export, modules that don't exist, and what may have been meant.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::synthetic::{BROWSER, MISSING};
use super::{Loader, OURS, lock, quoted};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::js::loader::imports::Imports;
use crate::js::transpile::{self, Exported, MissingImport, ModuleFormat};
use crate::source::Resolved;
use crate::units::nearest::nearest;
use crate::units::redact::redact_reference;

impl Loader {
    /// All names that the ES module at `url` exports; `None` where it passes on what can't be listed.
    pub(super) fn names(&self, specifier: &str, url: &str) -> Option<Vec<String>> {
        let mut names: BTreeSet<String> = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut todo = vec![(specifier.to_owned(), url.to_owned())];
        while let Some((specifier, file)) = todo.pop() {
            if !seen.insert(file.clone()) {
                continue;
            }
            if !matches!(self.format(&specifier, &file), Ok(ModuleFormat::Module)) {
                return None;
            }
            let exported = self.exported(&specifier, &file)?;
            let own = exported.names.iter().filter(|name| file == url || *name != "default");
            names.extend(own.cloned());
            for star in &exported.stars {
                match self.files.resolve(star, &file).ok()? {
                    Resolved::Url(next) => todo.push((star.clone(), next)),
                    Resolved::Builtin(name) => {
                        let passed_on = transpile::module_names(self.builtins.find(&name)?.source);
                        names.extend(passed_on.into_iter().filter(|name| name != "default"));
                    }
                }
            }
        }
        Some(names.into_iter().collect())
    }

    /// What the text of an ES module exports.
    fn exported(&self, specifier: &str, url: &str) -> Option<Arc<Exported>> {
        if let Some(exported) = lock(&self.exported).get(url) {
            return Some(exported.clone());
        }
        let known = lock(&self.transpiled).get(url).map(|prepared| prepared.text.clone());
        let text = match known {
            Some(text) => text,
            None => transpile::transpile(&self.files.module(specifier, url).ok()?).ok()?.text,
        };
        let exported = Arc::new(transpile::exports(&text));
        lock(&self.exported).insert(url.to_owned(), exported.clone());
        Some(exported)
    }

    /// Names that are missing: near misses are remembered, and an import that is an error becomes one, behind all others.
    pub(super) fn report_missing(&self, missing: &[MissingImport], address: &str) -> String {
        for one in missing {
            let (name, module) = (&one.name, redact_reference(&one.specifier));
            let meant = match nearest(name, one.known.iter().map(String::as_str)) {
                Some(near) => format!(", did you mean {near:?}?"),
                None if one.is_undefined
                    && is_module(&module, name)
                    && one.known.iter().any(|known| known == "default") =>
                {
                    format!(": it is the module itself, `import {name} from '{module}'`")
                }
                None if one.is_undefined => match self.exporter(name) {
                    Some(other) => format!(": {other:?} has it"),
                    // As in k6: another version may have it.
                    None => continue,
                },
                None if one.known.is_empty() => ": it exports nothing".to_owned(),
                None => format!(": it has {}", listed(&one.known)),
            };
            lock(&self.near_misses)
                .push(format!("{module:?} has no export named {name:?}{meant} ({address}:{})", one.line));
        }
        let Some(first) = missing.iter().find(|one| !one.is_undefined) else { return String::new() };
        let message = format!(
            "The requested module {:?} does not provide an export named {:?}",
            redact_reference(&first.specifier),
            first.name
        );
        let stack = format!("SyntaxError: {message}\n\tat {address}:{}:{}\n", first.line, first.column);
        let given = serde_json::json!([message, stack]).to_string();
        format!("import {};", quoted(&format!("{MISSING}{given}")))
    }

    /// The module of ours that exports this.
    fn exporter(&self, name: &str) -> Option<&'static str> {
        let offered = self.builtins.modules.iter().filter(|module| !module.specifier.starts_with(OURS));
        let having = offered.filter(|module| transpile::module_names(module.source).iter().any(|known| known == name));
        // What has left the experiments is there under both names.
        let best = having.map(|module| module.specifier).min_by_key(|specifier| specifier.contains("/experimental/"));
        best.filter(|_| name != "default")
    }

    /// Sentences about names that are missing, since the last call.
    pub fn take_near_misses(&self) -> Vec<String> {
        std::mem::take(&mut *lock(&self.near_misses))
    }

    /// The error of a run whose script imports names under `k6/` that don't exist; `None` if it does not. k6 names all of
    /// them, wherever they are imported.
    pub fn unknown(&self, main: &str) -> Option<Failure> {
        let mut unknown: BTreeSet<String> = lock(&self.unknown).iter().cloned().collect();
        if unknown.is_empty() {
            return None;
        }
        if let Ok(imports) = Imports::of(&self.files, main) {
            unknown.extend(imports.modules.iter().filter(|name| self.builtins.is_unknown(name)).cloned());
        }
        unknown.extend(lock(&self.unavailable).iter().cloned());
        unknown.remove(BROWSER);
        let known =
            || self.builtins.modules.iter().map(|module| module.specifier).filter(|name| !name.starts_with(OURS));
        let near = unknown.iter().find_map(|name| Some((name, nearest(name, known())?)));
        let unknown: Vec<String> = unknown.iter().cloned().collect();
        let failure = Failure::new(ExitCode::ScriptException, unknown_modules(&unknown));
        Some(match near {
            Some((name, near)) => failure.hint(format!("there is no {name:?}, did you mean {near:?}?")),
            None => failure,
        })
    }
}

/// True if a module is what people call by this name: `http` of `k6/http`.
fn is_module(specifier: &str, name: &str) -> bool {
    specifier.rsplit('/').next() == Some(name)
}

/// Names for a sentence.
fn listed(names: &[String]) -> String {
    const MOST: usize = 15;
    let more = names.len().saturating_sub(MOST);
    let list = names.iter().take(MOST).map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
    if more == 0 { list } else { format!("{list} and {more} more") }
}

/// k6's line about names under `k6/` that don't exist.
pub(super) fn unknown_modules(names: &[String]) -> String {
    format!(
        "unknown modules [{}] were tried to be loaded, but couldn't - this likely means automatic extension \
         resolution is required or a custom k6 binary with the required extensions",
        names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
    )
}
