//! Where modules come from: js-stdlib by bare specifier, the user's files by URL. Shared by all VUs of a run, so each
//! file is read, and each module compiled, once.

use std::sync::{Arc, Mutex, OnceLock};

use rustc_hash::FxHashMap;

use super::engine::Code;
use super::modules;
use super::value::Throw;
use crate::source::{Files, Resolved, Shared, resolve};

type Compiled = Arc<OnceLock<Box<[u8]>>>;
/// Sources by address, each with its bytecode once there is one.
type Texts<K> = Mutex<FxHashMap<K, (Arc<str>, Compiled)>>;

/// Specifiers of native halves: `native:k6/http`.
const NATIVE: &str = "native:";
/// Modules only js-stdlib itself may import.
const OURS: &str = "volley/";

/// Modules of one line, which the user's modules import behind everything else: they tell whose turn it is.
const HERE: &str = "volley:here?";

/// Finds and reads modules.
pub struct Loader {
    /// The user's files.
    pub files: Arc<Files>,
    /// The directory `open()` in the main script starts from, as a URL.
    open_base: String,
    /// The main script: the first file that was loaded.
    main: OnceLock<String>,
    texts: Texts<String>,
    /// What a URL was asked for as, and by whom.
    specifiers: Mutex<FxHashMap<String, (String, String)>>,
    unknown: Mutex<Vec<String>>,
    unreadable: Mutex<Option<Unreadable>>,
    builtins: Mutex<std::collections::BTreeSet<String>>,
}

/// A module that could not be read.
#[derive(Clone, Debug)]
pub struct Unreadable {
    /// k6's words.
    pub text: String,
    /// `URL:LINE` of the import.
    pub place: String,
}

impl Loader {
    /// A loader over the files of a script.
    pub fn new(files: Arc<Files>, open_base: &str) -> Self {
        let open_base = open_base.to_owned();
        Self {
            files,
            open_base,
            main: OnceLock::new(),
            texts: Mutex::default(),
            specifiers: Mutex::default(),
            unknown: Mutex::default(),
            unreadable: Mutex::default(),
            builtins: Mutex::default(),
        }
    }

    /// The bytes `open(path)` gives while the module `here` is evaluated; empty is the main script.
    ///
    /// # Errors
    /// k6's words.
    pub fn open(&self, path: &str, here: &str) -> Result<bytes::Bytes, Throw> {
        self.files.open(path, self.base(here)).map_err(Throw::go)
    }

    /// As [`Loader::open`], but one copy for all VUs.
    ///
    /// # Errors
    /// k6's words.
    pub fn open_shared(&self, path: &str, here: &str) -> Result<Arc<Shared>, Throw> {
        self.files.open_shared(path, self.base(here)).map_err(Throw::go)
    }

    /// The directory that names in the module `here` start from.
    fn base<'a>(&'a self, here: &'a str) -> &'a str {
        match here.rfind('/') {
            Some(at) if self.main.get().is_some_and(|main| main != here) => &here[..=at],
            _ => &self.open_base,
        }
    }

    /// True if some file of the script is TypeScript by its name.
    pub fn has_typescript(&self) -> bool {
        let texts = self.texts.lock().unwrap_or_else(|poison| poison.into_inner());
        texts.keys().any(|url| url.split(['?', '#']).next().is_some_and(|path| path.ends_with(".ts")))
    }

    /// The address a specifier means in the module `referrer`.
    ///
    /// # Errors
    /// k6's words when it means nothing.
    pub fn resolve(&self, specifier: &str, referrer: &str) -> Result<String, Throw> {
        if specifier.starts_with(HERE) {
            return Ok(specifier.to_owned());
        }
        let from_stdlib = !referrer.contains("://") || referrer.starts_with(HERE);
        if from_stdlib && (specifier.starts_with(NATIVE) || specifier.starts_with(OURS)) {
            return Ok(specifier.to_owned());
        }
        match resolve(specifier, referrer).map_err(Throw::go)? {
            Resolved::Url(url) => {
                let mut specifiers = self.specifiers.lock().unwrap_or_else(|poison| poison.into_inner());
                specifiers.entry(url.clone()).or_insert_with(|| (specifier.to_owned(), referrer.to_owned()));
                Ok(url)
            }
            Resolved::Builtin(name) => {
                if let Some((_, text)) = modules::REMOVED.iter().find(|(removed, _)| *removed == name) {
                    return Err(Throw::go(*text));
                }
                if modules::find(&name).is_none() {
                    let mut unknown = self.unknown.lock().unwrap_or_else(|poison| poison.into_inner());
                    if !unknown.contains(&name) {
                        unknown.push(name.clone());
                        unknown.sort();
                    }
                }
                if !from_stdlib {
                    self.builtins.lock().unwrap_or_else(|poison| poison.into_inner()).insert(name.clone());
                }
                Ok(name)
            }
        }
    }

    /// The built-in modules the script imported, sorted.
    pub fn builtins(&self) -> Vec<String> {
        self.builtins.lock().unwrap_or_else(|poison| poison.into_inner()).iter().cloned().collect()
    }

    /// The module at an address.
    ///
    /// # Errors
    /// k6's words when it can't be read, or when it appears only after the first pass.
    pub fn load(&self, address: &str) -> Result<Code, Throw> {
        if let Some(specifier) = address.strip_prefix(NATIVE) {
            return modules::native(specifier).map(Code::Native).ok_or_else(|| no_module(address));
        }
        if let Some(module) = modules::find(address) {
            static STDLIB: OnceLock<Texts<&'static str>> = OnceLock::new();
            let mut stdlib = STDLIB.get_or_init(Mutex::default).lock().unwrap_or_else(|poison| poison.into_inner());
            let (text, compiled) = stdlib
                .entry(module.specifier)
                .or_insert_with(|| (modules::squeeze(module.source), Compiled::default()))
                .clone();
            return Ok(Code::Source { text, compiled });
        }
        let known = self.texts.lock().unwrap_or_else(|poison| poison.into_inner()).get(address).cloned();
        if let Some((text, compiled)) = known {
            return Ok(Code::Source { text, compiled });
        }
        if !address.contains("://") {
            return Err(no_module(address));
        }
        if let Some(url) = address.strip_prefix(HERE) {
            let url = serde_json::to_string(url).unwrap_or_default();
            let text = format!("import {{ here }} from 'native:volley/globals'; here({url});");
            return Ok(self.keep(address, text.into()));
        }
        self.main.get_or_init(|| address.to_owned());
        let asked = self.specifiers.lock().unwrap_or_else(|poison| poison.into_inner()).get(address).cloned();
        let specifier = asked.as_ref().map_or(address, |(specifier, _)| specifier);
        let module = self.files.module(specifier, address).map_err(|text| {
            if let Some((specifier, referrer)) = &asked {
                let unreadable = Unreadable { text: text.clone(), place: self.place_of(specifier, referrer) };
                *self.unreadable.lock().unwrap_or_else(|poison| poison.into_inner()) = Some(unreadable);
            }
            Throw::go(text)
        })?;
        // `open()` counts from the module that is being evaluated. Only where there may be several of them, and one
        // may open files, it matters which. The import comes last, so nothing moves and all others come before it.
        let is_marked = module.text.contains("open")
            || ["'./", "'../", "\"./", "\"../"].iter().any(|sign| module.text.contains(sign));
        let text = if is_marked {
            let here = serde_json::to_string(&format!("{HERE}{address}")).unwrap_or_default();
            format!("{}\nimport {here};", module.text).into()
        } else {
            module.text
        };
        Ok(self.keep(address, text))
    }

    fn keep(&self, address: &str, text: Arc<str>) -> Code {
        let compiled = Compiled::default();
        let mut texts = self.texts.lock().unwrap_or_else(|poison| poison.into_inner());
        texts.insert(address.to_owned(), (text.clone(), compiled.clone()));
        Code::Source { text, compiled }
    }

    /// Where a module names another one: engines don't say.
    fn place_of(&self, specifier: &str, referrer: &str) -> String {
        let texts = self.texts.lock().unwrap_or_else(|poison| poison.into_inner());
        let quoted = ['"', '\'', '`'].map(|quote| format!("{quote}{specifier}{quote}"));
        let names = |line: &str| quoted.iter().any(|name| line.contains(name));
        let line = texts.get(referrer).and_then(|(text, _)| text.lines().position(names));
        line.map_or_else(|| referrer.to_owned(), |line| format!("{referrer}:{}", line + 1))
    }

    /// The last module that could not be read.
    pub fn unreadable(&self) -> Option<Unreadable> {
        self.unreadable.lock().unwrap_or_else(|poison| poison.into_inner()).clone()
    }

    /// Names under `k6/` that were imported and don't exist.
    pub fn unknown(&self) -> Vec<String> {
        self.unknown.lock().unwrap_or_else(|poison| poison.into_inner()).clone()
    }
}

fn no_module(address: &str) -> Throw {
    Throw::go(unknown_modules(&[address.to_owned()]))
}

/// k6's line about names under `k6/` that don't exist.
pub fn unknown_modules(names: &[String]) -> String {
    format!(
        "unknown modules [{}] were tried to be loaded, but couldn't - this likely means automatic extension \
         resolution is required or a custom k6 binary with the required extensions",
        names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
    )
}
