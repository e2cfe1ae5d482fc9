//! What scripts import, use or set that is not offered here, found without running any of them: for `check`.
//!
//! A finding is something that can't work. What may be on purpose (a name that is asked for, a file that is read in a `try`,
//! an option the text doesn't spell out) is none.

mod offered;
mod options;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::js::transpile::{self, DefaultExport, FileUsage, ImportUsage, NameOwner, Named, Place, UsedName};
use crate::source::specifier::{file_path, file_url};
use crate::source::vendor::LOCK_FILE;
use crate::source::{FileSet, Module, Resolved};
use crate::units::nearest::nearest;
use crate::units::redact::redact_reference;

pub use offered::Offered;

/// Folders that hold no scripts of one's own.
const SKIPPED: [&str; 1] = ["node_modules"];

/// What every object has.
const OBJECT_MEMBERS: [&str; 12] = [
    "__defineGetter__",
    "__defineSetter__",
    "__lookupGetter__",
    "__lookupSetter__",
    "__proto__",
    "constructor",
    "hasOwnProperty",
    "isPrototypeOf",
    "propertyIsEnumerable",
    "toLocaleString",
    "toString",
    "valueOf",
];

/// The start of the names of k6's extensions.
const EXTENSIONS: &str = "k6/x/";

/// Modules that refuse their work without a permission, and the value of `--allow` that gives it.
const PERMITTED: [(&str, &str); 2] = [("k6/x/exec", "exec"), ("k6/x/file", "file")];

/// What is wrong at one place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ScriptFinding {
    /// The file.
    pub file: PathBuf,
    /// The place in it.
    pub place: Place,
    /// What is not offered, and what would be right.
    pub text: String,
    /// Only a remark: it works where there is a network, or a permission.
    pub is_remark: bool,
}

/// What was found.
#[derive(Debug, Default)]
pub struct ScriptCheck {
    /// The scripts, sorted.
    pub scripts: BTreeSet<PathBuf>,
    /// Every file that was read, the scripts included.
    pub files: BTreeSet<PathBuf>,
    /// Sorted by place.
    pub findings: BTreeSet<ScriptFinding>,
}

/// Without `.` and `..`.
pub fn clean(path: &Path) -> PathBuf {
    file_path(&file_url(&path.to_string_lossy())).map_or_else(|| path.to_owned(), PathBuf::from)
}

/// The scripts a path stands for: a file itself, or those below a folder. Modules below it that scripts import are
/// reached through these.
///
/// # Errors
/// A path that can't be read, with the reason.
pub fn scripts_below(path: &Path) -> Result<Vec<PathBuf>, (PathBuf, std::io::Error)> {
    if !path.is_dir() {
        return match std::fs::metadata(path) {
            Ok(_) => Ok(vec![path.to_owned()]),
            Err(error) => Err((path.to_owned(), error)),
        };
    }
    let mut usages = BTreeMap::new();
    let mut todo = vec![path.to_owned()];
    while let Some(folder) = todo.pop() {
        let entries = std::fs::read_dir(&folder).map_err(|error| (folder.clone(), error))?;
        for entry in entries {
            let entry = entry.map_err(|error| (folder.clone(), error))?;
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            // A link to a folder above would never end.
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_folder && !name.starts_with('.') && !SKIPPED.contains(&&*name) && !path.join(LOCK_FILE).exists() {
                todo.push(path);
            } else if path.is_file()
                && [".js", ".ts", ".mjs"].iter().any(|end| name.ends_with(end))
                && !name.ends_with(".d.ts")
            {
                let Ok(bytes) = std::fs::read(&path) else { continue };
                let module = Module::new(&file_url(&path.to_string_lossy()), &bytes.into());
                // A file that can't be read as code is looked at only where a script imports it, or by its name.
                if let Ok(usage) = transpile::usage(&module) {
                    usages.insert(path, usage);
                }
            }
        }
    }
    let imported: BTreeSet<String> = usages
        .iter()
        .filter(|(_, usage)| is_script(usage))
        .flat_map(|(path, usage)| {
            let url = file_url(&path.to_string_lossy());
            usage.imports.iter().filter_map(move |import| {
                match crate::source::specifier::resolve(&import.specifier, &url) {
                    Ok(Resolved::Url(url)) => file_path(&url),
                    _ => None,
                }
            })
        })
        .collect();
    let is_own = |path: &Path, usage: &FileUsage| {
        is_script(usage) && (usage.has_options || !imported.contains(&*path.to_string_lossy()))
    };
    Ok(usages.into_iter().filter(|(path, usage)| is_own(path, usage)).map(|(path, _)| path).collect())
}

/// Whether k6 could run a file: it exports a function to iterate, or options; and it is not made for something else.
fn is_script(usage: &FileUsage) -> bool {
    let is_k6s = |import: &ImportUsage| import.specifier == "k6" || import.specifier.starts_with("k6/");
    let is_bare = |import: &ImportUsage| !import.specifier.starts_with(['.', '/']) && !import.specifier.contains("://");
    let has_k6 = usage.imports.iter().any(is_k6s);
    match usage.default {
        DefaultExport::Function => has_k6 || usage.has_options || !usage.imports.iter().any(is_bare),
        DefaultExport::Unknown => has_k6 || usage.has_options,
        // Scenarios may name the functions.
        DefaultExport::None => has_k6 && usage.has_options,
        DefaultExport::Data => false,
    }
}

impl ScriptCheck {
    /// Looks at a script, and at everything it imports.
    pub fn look_at(&mut self, script: &Path, files: &FileSet, offered: &Offered) {
        if !self.scripts.insert(script.to_owned()) {
            return;
        }
        let url = file_url(&script.to_string_lossy());
        let mut todo = vec![(url.clone(), true)];
        while let Some((url, is_script)) = todo.pop() {
            let Some(path) = file_path(&url).map(PathBuf::from) else { continue };
            let is_new = self.files.insert(path.clone());
            if !is_new && !is_script {
                continue;
            }
            let module = match files.module(&path.to_string_lossy(), &url) {
                Ok(module) => module,
                Err(text) => {
                    self.find(&path, Place { line: 1, column: 1 }, text);
                    continue;
                }
            };
            match transpile::usage(&module) {
                Ok(usage) => {
                    if is_script {
                        let exported = exported_names(&module);
                        options::findings(&usage.options, exported.as_deref())
                            .into_iter()
                            .for_each(|(place, text)| self.find(&path, place, text));
                    }
                    let mut look = FileLook { check: self, path: &path, url: &url, files, offered };
                    todo.extend(look.file(&usage).into_iter().map(|url| (url, false)));
                }
                Err((place, why)) => self.find(&path, place, format!("this is no JavaScript: {why}")),
            }
        }
    }

    /// Whether there is something that can't work.
    pub fn has_findings(&self) -> bool {
        self.findings.iter().any(|finding| !finding.is_remark)
    }

    fn find(&mut self, file: &Path, place: Place, text: String) {
        self.findings.insert(ScriptFinding { file: file.to_owned(), place, text, is_remark: false });
    }
}

/// The names that a module exports, where its text tells them all.
fn exported_names(module: &Module) -> Option<Vec<String>> {
    let transpiled = transpile::transpile(module).ok()?;
    if transpiled.format != transpile::ModuleFormat::Module {
        return None;
    }
    let exported = transpile::exports(&transpiled.text);
    // What is passed on from elsewhere is not followed.
    exported.stars.is_empty().then_some(exported.names)
}

/// One file under the eye.
struct FileLook<'c> {
    check: &'c mut ScriptCheck,
    path: &'c Path,
    url: &'c str,
    files: &'c FileSet,
    offered: &'c Offered,
}

impl FileLook<'_> {
    /// Looks at a file; the files it imports.
    fn file(&mut self, usage: &FileUsage) -> Vec<String> {
        let mut imported = Vec::new();
        for import in &usage.imports {
            imported.extend(self.import(import));
        }
        for opened in &usage.opened {
            // As `open` resolves; the file may be large, so it is not read.
            let path = self.path.with_file_name("").join(&opened.name);
            if !opened.name.contains("://") && !path.exists() {
                self.find(opened.place, format!("there is no file `{}` ({})", opened.name, clean(&path).display()));
            }
        }
        // What a script hands to a page runs there.
        let drives_browser = usage.imports.iter().any(|import| import.specifier == "k6/browser");
        for global in
            usage.globals.iter().filter(|_| !drives_browser).filter(|global| self.offered.is_absent(&global.name))
        {
            self.find(
                global.place,
                format!("there is no global `{}`: scripts run in neither a browser nor Node", global.name),
            );
        }
        imported
    }

    fn find(&mut self, place: Place, text: String) {
        self.check.find(self.path, place, text);
    }

    fn remark(&mut self, place: Place, text: String) {
        self.check.findings.insert(ScriptFinding { file: self.path.to_owned(), place, text, is_remark: true });
    }

    /// Looks at an import; the file it leads to, if it leads to one that is there.
    fn import(&mut self, import: &ImportUsage) -> Option<String> {
        match self.files.resolve(&import.specifier, self.url) {
            Ok(Resolved::Builtin(name)) => {
                self.builtin(&name, import);
                None
            }
            Ok(Resolved::Url(url)) if url.starts_with("file://") => {
                match self.files.module(&import.specifier, &url) {
                    Ok(_) if url.ends_with(".json") && !import.is_conditional => {
                        let name = &import.specifier;
                        let text = format!("`{name}` is no JavaScript, `JSON.parse(open('{name}'))` reads it");
                        self.find(import.place, text);
                        return None;
                    }
                    Ok(module) => {
                        self.names_of_file(&module, import);
                        return Some(url);
                    }
                    Err(_) if import.is_conditional => {}
                    Err(_) => {
                        let path = file_path(&url).unwrap_or(url);
                        self.find(import.place, format!("there is no file `{}` ({path})", import.specifier));
                    }
                }
                None
            }
            Ok(Resolved::Url(_)) => {
                let text = format!("`{}` needs the network: it is not looked at", redact_reference(&import.specifier));
                self.remark(import.place, text);
                None
            }
            Err(_) if import.is_conditional => None,
            Err(text) => {
                let hint = "scripts import modules of k6, files by their path (`./lib.js`) and https addresses";
                self.find(import.place, format!("{text} {hint}; packages of npm have to be bundled"));
                None
            }
        }
    }

    fn builtin(&mut self, name: &str, import: &ImportUsage) {
        let Some(module) = self.offered.module(name) else {
            let text = match crate::js::modules::TABLE.removal(name) {
                Some(text) => text.to_owned(),
                None if name == "k6/browser" => {
                    "the module `k6/browser` is not offered: this build leaves it out".to_owned()
                }
                None if name.starts_with(EXTENSIONS) => {
                    let here: Vec<&str> =
                        self.offered.specifiers().filter(|known| known.starts_with(EXTENSIONS)).collect();
                    let here = if here.is_empty() { "none".to_owned() } else { here.join(", ") };
                    let text = format!("the module `{name}` is not offered: of k6's extensions, this build has {here}");
                    with_near(text, name, self.offered.specifiers())
                }
                None => with_near(format!("there is no module `{name}`"), name, self.offered.specifiers()),
            };
            self.find(import.place, text);
            return;
        };
        if let Some((_, flag)) = PERMITTED.iter().find(|(module, _)| *module == name) {
            self.remark(import.place, format!("`{name}` does its work only in runs with `--allow {flag}`"));
        }
        let [exports, members] = module;
        for used in &import.used {
            let UsedName { name: used_name, inner, written, owner, place } = used;
            if let (Some(inner), Some(known)) = (inner, self.offered.inner(name, used_name)) {
                self.inner(&format!("`{name}`: `{used_name}`"), written, inner, known);
            }
            // Whatever is no import by name is an object.
            if *owner != NameOwner::Exports && OBJECT_MEMBERS.contains(&used_name.as_str()) {
                continue;
            }
            let known: Vec<&BTreeSet<String>> = match owner {
                NameOwner::Exports => vec![exports],
                NameOwner::Default => vec![members],
                NameOwner::Either => vec![exports, members],
            };
            if used_name == "default" || known.iter().any(|names| names.contains(used_name)) {
                continue;
            }
            let text = format!("`{name}` has no `{used_name}` (`{written}`)");
            self.find(*place, with_near(text, used_name, known.into_iter().flatten().map(String::as_str)));
        }
    }

    /// A member of an object that a module exports.
    fn inner(&mut self, owner: &str, written: &str, inner: &Named, known: &[&str]) {
        if !known.contains(&&*inner.name) && !OBJECT_MEMBERS.contains(&&*inner.name) {
            let text = format!("{owner} has no `{}` (`{written}.{}`)", inner.name, inner.name);
            self.find(inner.place, with_near(text, &inner.name, known.iter().copied()));
        }
    }

    /// The names that are imported from a file of one's own have to be there.
    fn names_of_file(&mut self, module: &Module, import: &ImportUsage) {
        if import.imported.is_empty() {
            return;
        }
        let Some(exported) = exported_names(module) else { return };
        for one in &import.imported {
            if !exported.contains(&one.name) {
                let text = format!("`{}` exports no `{}`", import.specifier, one.name);
                self.find(one.place, with_near(text, &one.name, exported.iter().map(String::as_str)));
            }
        }
    }
}

/// The text, and what may have been meant.
fn with_near<'k>(text: String, name: &str, known: impl Iterator<Item = &'k str>) -> String {
    match nearest(name, known) {
        Some(near) => format!("{text}, did you mean `{near}`?"),
        None => text,
    }
}
