//! Where modules come from: js-stdlib by bare specifier, the user's files by URL. All VUs of a run share it, so each file
//! is read, transpiled and compiled once.
//!
//! A script of plain ES modules is handed to the engine unchanged. The first CommonJS file in its graph, or a graph that
//! can't be linked, switches the loader to *interop mode*: everything is loaded once more, and imports are rewritten.

use std::any::Any;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use rustc_hash::FxHashMap;

use crate::js::engine::{Compiled, Engine, ModuleCode, RegExpLiteral};
use crate::js::runtime::module_table::ModuleTable;
use crate::js::runtime::{ModuleLoader, Script};
use crate::js::transpile::{
    self, AwaitRewrite, Exported, ImportTarget, ModuleFormat, Positions, TextBefore, TranspiledModule,
};
use crate::js::value::Throw;
use crate::source::files::OpenError;
use crate::source::{FileSet, Resolved, SharedBytes, specifier};
use crate::units::nearest::nearest;
use crate::units::sync::lock;

mod advice;
mod explain;
mod imports;
mod missing;
mod synthetic;

pub use advice::package_advice;
pub use imports::{Imports, read_all};
use synthetic::{
    ABSENT, BROWSER, COMMONJS, CONTEXT, EXTENSIONS, HERE, MISSING, REQUIRE, STAR, SYNTHETIC, is_extension,
};

/// Sources by address, each with its bytecode once there is one.
type ModuleTexts<K> = Mutex<FxHashMap<K, ModuleText>>;

/// A text an engine can run.
#[derive(Clone)]
struct ModuleText {
    text: Arc<str>,
    compiled: Compiled,
    is_script: bool,
    /// Where people would not recognise it.
    before: Option<Arc<TextBefore>>,
}

impl From<ModuleText> for ModuleCode {
    fn from(ModuleText { text, compiled, is_script, .. }: ModuleText) -> Self {
        if is_script { Self::Script { text, compiled } } else { Self::Source { text, compiled } }
    }
}

/// Specifiers of native halves: `native:k6/http`.
const NATIVE: &str = "native:";
/// Modules only js-stdlib itself may import.
const OURS: &str = "volley/";

/// Improved error messages that are cached; the cache is cleared when there are more.
const MAX_EXPLAINED: usize = 1_000;

/// Finds and reads modules.
pub struct Loader {
    /// The user's files.
    pub files: Arc<FileSet>,
    /// The directory `open()` in the main script starts from, as a URL.
    open_base: String,
    /// The main script: the first file that was loaded.
    main: OnceLock<String>,
    texts: ModuleTexts<String>,
    formats: Mutex<FxHashMap<String, ModuleFormat>>,
    /// The file that declares a name twice, found before an engine saw it.
    redeclared: Mutex<Option<String>>,
    /// Transpiled files, until the first pass is over: it may have to load them again.
    transpiled: Mutex<FxHashMap<String, TranspiledModule>>,
    positions: Mutex<FxHashMap<String, Positions>>,
    /// The files that each file imports.
    imports: Mutex<FxHashMap<String, Vec<String>>>,
    /// Imports are resolved and rewritten before a module is handed to the engine.
    interop_mode: AtomicBool,
    /// Something was found that only interop mode can link.
    needs_interop: AtomicBool,
    /// By URL: the specifier it was first imported by, and the importing file.
    specifiers: Mutex<FxHashMap<String, (String, String)>>,
    /// Built-in modules that were imported and do not exist, sorted.
    unknown: Mutex<Vec<String>>,
    /// Modules that were imported and exist in k6 only.
    unavailable: Mutex<BTreeSet<String>>,
    /// Warnings about imported names that are missing and resemble one that exists.
    near_misses: Mutex<Vec<String>>,
    /// What ES modules export.
    exported: Mutex<FxHashMap<String, Arc<Exported>>>,
    /// Improved error messages, by position and original message.
    explained: Mutex<FxHashMap<(String, String), Option<String>>>,
    /// Where they are, by position and improved message, if the engine says another line.
    explained_places: Mutex<FxHashMap<(String, String), String>>,
    /// What would be right, by the text and the place of an exception.
    advised: Mutex<FxHashMap<(String, String), Option<String>>>,
    /// Functions that wait keep the context of their samples: the feature `async-metric-context`.
    keeps_context: bool,
    /// The engine the modules are for.
    engine: Engine,
    unreadable: Mutex<Option<Unreadable>>,
    /// The last import that leads nowhere.
    unresolved: Mutex<Option<Unreadable>>,
    /// The built-in modules.
    builtins: &'static ModuleTable,
    /// Those the script has imported.
    used_builtins: Mutex<BTreeSet<String>>,
    /// Files whose source map can't be read.
    missing_maps: Mutex<Vec<String>>,
}

/// A module that could not be read.
#[derive(Clone, Debug)]
pub struct Unreadable {
    /// k6's words.
    pub text: String,
    /// `URL:LINE` of the import.
    pub place: String,
    /// What may have been meant.
    pub meant: Option<String>,
}

impl Loader {
    /// A loader over the files of a script.
    pub fn new(files: Arc<FileSet>, open_base: &str, engine: Engine, builtins: &'static ModuleTable) -> Self {
        let open_base = open_base.to_owned();
        Self {
            files,
            open_base,
            main: OnceLock::new(),
            texts: Mutex::default(),
            formats: Mutex::default(),
            redeclared: Mutex::default(),
            transpiled: Mutex::default(),
            positions: Mutex::default(),
            imports: Mutex::default(),
            interop_mode: AtomicBool::new(false),
            needs_interop: AtomicBool::new(false),
            specifiers: Mutex::default(),
            unknown: Mutex::default(),
            unavailable: Mutex::default(),
            near_misses: Mutex::default(),
            exported: Mutex::default(),
            explained: Mutex::default(),
            explained_places: Mutex::default(),
            advised: Mutex::default(),
            keeps_context: false,
            engine,
            unreadable: Mutex::default(),
            unresolved: Mutex::default(),
            builtins,
            used_builtins: Mutex::default(),
            missing_maps: Mutex::default(),
        }
    }

    /// The same; functions of the user's modules that wait keep the context of their samples if `on`.
    pub fn with_async_context(self, on: bool) -> Self {
        Self { keeps_context: on, ..self }
    }

    /// The loader of a run.
    pub fn of(script: &Script) -> Arc<Self> {
        let loader: Arc<dyn Any + Send + Sync> = script.loader.clone();
        loader.downcast().unwrap_or_else(|_| unreachable!("modules are loaded by a `Loader`"))
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
    pub fn open_shared(&self, path: &str, here: &str) -> Result<Arc<SharedBytes>, Throw> {
        self.files.open_shared(path, self.base(here)).map_err(Throw::go)
    }

    /// The bytes of a file that a native function reads for the script; relative names start beside the main script.
    ///
    /// # Errors
    /// As [`Loader::open`], as text.
    pub fn read(&self, path: &str) -> Result<bytes::Bytes, String> {
        self.files.open(path, &self.open_base)
    }

    /// The absolute path that `path` means beside the main script, whichever module asks, and the bytes there.
    pub fn open_beside_main(&self, path: &str) -> (String, Result<bytes::Bytes, OpenError>) {
        self.files.at(path, &self.open_base)
    }

    /// What `open(path)` is warned of while the module `here` is evaluated, when it stands at `written`, `URL:LINE:COLUMN`:
    /// k6 says that names will count from the file they stand in.
    pub fn open_warning(&self, path: &str, here: &str, written: &str) -> Option<String> {
        let file = written.rsplitn(3, ':').nth(2)?;
        let directory = |url: &str| url.rfind('/').map(|at| url[..=at].to_owned());
        let main = self.main.get()?;
        let here = if here.is_empty() { main } else { here };
        let is_relative = !path.starts_with('/') && !path.contains("://");
        // Behind a source map it is no file of the run.
        let is_known = lock(&self.formats).contains_key(file);
        if !is_relative || !is_known || directory(file) == directory(here) {
            return None;
        }
        Some(format!(
            "open() was used and is currently relative to '{}', but in the future it will be aligned with how `require` \
             and imports work and will be relative to '{file}'. This means that in the future open will open relative path \
             relative to the module/file it is written in. You can future proof this by using `import.meta.resolve()` to \
             get relative paths to the file it is written in the current k6 version.",
            self.base(here)
        ))
    }

    /// The directory that names in the module `here` start from.
    fn base<'a>(&'a self, here: &'a str) -> &'a str {
        match here.rfind('/') {
            Some(at) if self.main.get().is_some_and(|main| main != here) => &here[..=at],
            _ => &self.open_base,
        }
    }

    // Addresses --------------------------------------------------------------------------------------------------

    /// The address to evaluate for the main script at `url`.
    pub fn entry(&self, url: &str) -> String {
        self.main.get_or_init(|| url.to_owned());
        match self.format(url, url) {
            Ok(ModuleFormat::CommonJs) => {
                self.interop_mode.store(true, Ordering::Release);
                format!("{COMMONJS}{url}")
            }
            _ => url.to_owned(),
        }
    }

    /// What `require(specifier)` in the module `base` asks for: `builtin`, `commonjs` or `module`, and its address.
    ///
    /// # Errors
    /// k6's words when it means nothing, or can't be read.
    pub fn required(&self, specifier: &str, base: &str) -> Result<(&'static str, String), Throw> {
        if specifier.is_empty() {
            return Err(Throw::go("require() can't be used with an empty specifier"));
        }
        // What is running was linked before; from now on modules may be imported by CommonJS.
        self.interop_mode.store(true, Ordering::Release);
        match self.files.resolve(specifier, base).map_err(Throw::go)? {
            Resolved::Builtin(name) if self.is_unavailable(&name) => Ok(("absent", self.stand_in(&name))),
            Resolved::Builtin(name) => {
                self.check_builtin(&name)?;
                self.note_builtin(&name)?;
                Ok(("builtin", name))
            }
            Resolved::Url(url) => {
                self.note_import(specifier, &url, base);
                let format = self.format(specifier, &url)?;
                Ok((if format == ModuleFormat::CommonJs { "commonjs" } else { "module" }, url))
            }
        }
    }

    /// Records which file imported `url`, and by which specifier.
    fn note_import(&self, specifier: &str, url: &str, referrer: &str) {
        let referrer = referrer.strip_prefix(COMMONJS).unwrap_or(referrer);
        let (specifier, known) = (specifier.to_owned(), url.to_owned());
        lock(&self.specifiers).entry(known).or_insert_with(|| (specifier, referrer.to_owned()));
        let mut imports = lock(&self.imports);
        let imported = imports.entry(referrer.to_owned()).or_default();
        if !imported.iter().any(|known| known == url) {
            imported.push(url.to_owned());
        }
    }

    /// Checks a built-in module's name. An unknown one is no error yet: all of them are reported together.
    ///
    /// # Errors
    /// k6's words for a module it has removed.
    fn check_builtin(&self, name: &str) -> Result<(), Throw> {
        if let Some(text) = self.builtins.removal(name) {
            return Err(Throw::go(text));
        }
        if self.builtins.find(name).is_none() {
            let mut unknown = lock(&self.unknown);
            if !unknown.iter().any(|known| known == name) {
                unknown.push(name.to_owned());
                unknown.sort();
            }
        }
        Ok(())
    }

    /// True for a module k6 has, or can be given, and that is not offered here: importing it is no error, using it is.
    fn is_unavailable(&self, name: &str) -> bool {
        is_extension(name) && self.builtins.find(name).is_none()
    }

    /// k6's extensions that are here.
    fn extensions(&self) -> Vec<&'static str> {
        let names = self.builtins.modules.iter().map(|module| module.specifier);
        names.filter(|name| name.starts_with(EXTENSIONS)).collect()
    }

    /// A sentence about the extensions that the script imports and that are not offered; `None` if there are none.
    pub fn absent_extensions(&self) -> Option<String> {
        let absent = lock(&self.unavailable);
        let near = absent.iter().find_map(|name| nearest(name, self.extensions()));
        let meant = near.map_or_else(|| ".".to_owned(), |near| format!("; did you mean {near:?}?"));
        let absent: Vec<_> = absent.iter().filter(|name| *name != BROWSER).map(|name| format!("{name:?}")).collect();
        let (absent, offered) = (absent.join(", "), self.extensions().join(", "));
        (!absent.is_empty()).then(|| {
            format!("not offered here, and imported: {absent}; what uses them will fail{meant} Offered are: {offered}")
        })
    }

    /// The address of the module that stands in for one that exists in k6 only.
    fn stand_in(&self, name: &str) -> String {
        lock(&self.unavailable).insert(name.to_owned());
        format!("{ABSENT}{name}")
    }

    /// Records that a built-in module is used; after the first pass no new ones are allowed.
    fn note_builtin(&self, name: &str) -> Result<(), Throw> {
        let mut builtins = lock(&self.used_builtins);
        if self.files.is_sealed() && !builtins.contains(name) {
            return Err(Throw::go(format!(
                "the module {name:?} was not previously resolved during initialization (__VU==0)"
            )));
        }
        builtins.insert(name.to_owned());
        Ok(())
    }

    // Interop -------------------------------------------------------------------------------------------------------

    /// True, once, if everything has to be loaded again in interop mode: nothing of the script has run yet.
    pub fn must_reload(&self) -> bool {
        let must_reload = self.needs_interop.load(Ordering::Acquire) && !self.interop_mode.swap(true, Ordering::AcqRel);
        if must_reload {
            lock(&self.texts).clear();
            lock(&self.unknown).clear();
            lock(&self.near_misses).clear();
            *lock(&self.unreadable) = None;
        }
        must_reload
    }

    /// The first pass is over: drops transpiled files, which only a reload needs.
    pub fn drop_transpiled(&self) {
        lock(&self.transpiled).clear();
    }

    // Texts ------------------------------------------------------------------------------------------------------

    /// The text an engine was given for an address.
    fn text_of(&self, address: &str) -> Option<Arc<str>> {
        lock(&self.texts).get(address).map(|text| text.text.clone())
    }

    /// The format of the file at `url`, which is read and transpiled the first time.
    fn format(&self, specifier: &str, url: &str) -> Result<ModuleFormat, Throw> {
        if let Some(format) = lock(&self.formats).get(url) {
            return Ok(*format);
        }
        let module = self.files.module(specifier, url).map_err(|text| {
            let imported = lock(&self.specifiers).get(url).cloned();
            if let Some((specifier, referrer)) = imported {
                let (place, meant) = (self.place_of(&specifier, &referrer), self.files.meant(&specifier, url));
                let unreadable = Unreadable { text: text.clone(), place, meant };
                *lock(&self.unreadable) = Some(unreadable);
            }
            Throw::go(text)
        })?;
        let mut prepared =
            transpile::transpile(&module).map_err(|message| Throw::Error { class: "SyntaxError", message })?;
        if let Some(on_catch) = self.engine.plain_forms() {
            prepared.lower(on_catch).map_err(|message| {
                *lock(&self.redeclared) = Some(url.to_owned());
                Throw::Error { class: "SyntaxError", message }
            })?;
        }
        self.follow_source_map(url, &mut prepared);
        let format = prepared.format;
        lock(&self.transpiled).insert(url.to_owned(), prepared);
        lock(&self.formats).insert(url.to_owned(), format);
        Ok(format)
    }

    fn follow_source_map(&self, url: &str, prepared: &mut TranspiledModule) {
        let Some(address) = prepared.source_map.take() else { return };
        let read = match address.strip_prefix("data:") {
            Some(data) => data.split_once(";base64,").and_then(|(_, data)| {
                use base64::Engine as _;
                let bytes = base64::engine::general_purpose::STANDARD.decode(data).ok()?;
                Some((String::from_utf8(bytes).ok()?, url.to_owned()))
            }),
            None => {
                let address = if address.contains("://") { address } else { specifier::beside(url, &address) };
                let address = self.files.conceal(&address);
                self.files.text(&address).map(|text| (text, address))
            }
        };
        match read {
            Some((json, address)) => prepared.follow(&json, &address),
            None => lock(&self.missing_maps).push(url.to_owned()),
        }
    }

    /// The files whose source map can't be read, since the last call.
    pub fn take_missing_maps(&self) -> Vec<String> {
        std::mem::take(&mut *lock(&self.missing_maps))
    }

    fn store(&self, address: &str, text: ModuleText) -> ModuleCode {
        lock(&self.texts).insert(address.to_owned(), text.clone());
        text.into()
    }

    /// What an import in the module at `referrer` leads to; in interop mode also what the file exports.
    fn import_target(&self, specifier: &str, referrer: &str, interop: bool) -> ImportTarget {
        match self.files.resolve(specifier, referrer) {
            Ok(Resolved::Builtin(name)) if self.is_unavailable(&name) => ImportTarget::Absent(self.stand_in(&name)),
            Ok(Resolved::Builtin(name)) => match self.builtins.find(&name) {
                Some(module) => {
                    let (names, star) = (transpile::module_names(module.source), format!("{STAR}{name}"));
                    ImportTarget::Builtin { names, star }
                }
                None => ImportTarget::Module,
            },
            Ok(Resolved::Url(url)) if interop => match self.format(specifier, &url) {
                Ok(ModuleFormat::CommonJs) => ImportTarget::CommonJs(
                    self.files.text(&url).map(|text| transpile::commonjs_names(&text)).unwrap_or_default(),
                ),
                Ok(ModuleFormat::Module) => {
                    self.names(specifier, &url).map_or(ImportTarget::Module, ImportTarget::File)
                }
                Err(_) => ImportTarget::Module,
            },
            _ => ImportTarget::Module,
        }
    }

    // Places -----------------------------------------------------------------------------------------------------

    /// Where a module names another one: engines don't say.
    fn place_of(&self, specifier: &str, referrer: &str) -> String {
        let quoted = ['"', '\'', '`'].map(|quote| format!("{quote}{specifier}{quote}"));
        let is_comment = |line: &str| ["//", "/*", "* "].iter().any(|sign| line.trim_start().starts_with(sign));
        let names = |line: &str| !is_comment(line) && quoted.iter().any(|name| line.contains(name));
        let line = self.files.text(referrer).and_then(|text| text.lines().position(names));
        line.map_or_else(|| referrer.to_owned(), |line| format!("{referrer}:{}", line + 1))
    }

    /// The last module that could not be read.
    pub fn unreadable(&self) -> Option<Unreadable> {
        lock(&self.unreadable).clone()
    }

    /// True if the file at `url` is TypeScript by its text, but not by its name.
    pub fn has_types(&self, url: &str) -> bool {
        url.ends_with(".js") && self.files.text(url).is_some_and(|text| transpile::has_types(&text))
    }

    /// The last import that leads nowhere.
    pub fn unresolved(&self) -> Option<Unreadable> {
        lock(&self.unresolved).clone()
    }
}

impl ModuleLoader for Loader {
    fn resolve(&self, specifier: &str, referrer: &str) -> Result<String, Throw> {
        let from_stdlib = !referrer.contains("://") || referrer.starts_with(SYNTHETIC);
        if [HERE, REQUIRE, ABSENT, MISSING, CONTEXT].iter().any(|made| specifier.starts_with(made)) {
            return Ok(specifier.to_owned());
        }
        if let Some(name) = specifier.strip_prefix(STAR) {
            self.note_builtin(name)?;
            return Ok(specifier.to_owned());
        }
        if from_stdlib && (specifier.starts_with(NATIVE) || specifier.starts_with(OURS)) {
            return Ok(specifier.to_owned());
        }
        let resolved = self.files.resolve(specifier, referrer).map_err(|text| {
            let place = self.place_of(specifier, referrer);
            *lock(&self.unresolved) = Some(Unreadable { text: text.clone(), place, meant: None });
            Throw::go(text)
        });
        match resolved? {
            Resolved::Url(url) => {
                self.note_import(specifier, &url, referrer);
                if self.format(specifier, &url)? == ModuleFormat::Module {
                    return Ok(url);
                }
                if !self.interop_mode.load(Ordering::Acquire) {
                    self.require_interop();
                    return Err(Throw::go(format!("{url} is a CommonJS module")));
                }
                Ok(format!("{COMMONJS}{url}"))
            }
            Resolved::Builtin(name) if self.is_unavailable(&name) => Ok(self.stand_in(&name)),
            Resolved::Builtin(name) => {
                self.check_builtin(&name)?;
                if !from_stdlib {
                    self.note_builtin(&name)?;
                }
                Ok(name)
            }
        }
    }

    fn locate(&self, specifier: &str, referrer: &str) -> Result<String, Throw> {
        if specifier.is_empty() {
            return Err(Throw::go("require() can't be used with an empty specifier"));
        }
        match self.files.resolve(specifier, referrer).map_err(Throw::go)? {
            // It is the script's: it may ask there.
            Resolved::Url(url) => Ok(self.files.reveal(&url)),
            Resolved::Builtin(name) => {
                Err(Throw::go(format!("The moduleSpecifier {name:?} couldn't be recognised as something k6 supports.")))
            }
        }
    }

    fn load(&self, address: &str) -> Result<ModuleCode, Throw> {
        if let Some(specifier) = address.strip_prefix(NATIVE) {
            return self.builtins.native(specifier).map(ModuleCode::Native).ok_or_else(|| no_module(address));
        }
        static STDLIB: OnceLock<ModuleTexts<&'static str>> = OnceLock::new();
        let stdlib = || lock(STDLIB.get_or_init(Mutex::default));
        if let Some(module) = self.builtins.find(address) {
            let mut stdlib = stdlib();
            let text = stdlib.entry(module.specifier).or_insert_with(|| new_text(strip_comments(module.source)));
            return Ok(text.clone().into());
        }
        if let Some((address, text)) = self.builtins.lazy_script(address) {
            let mut stdlib = stdlib();
            let text = stdlib
                .entry(address)
                .or_insert_with(|| ModuleText { is_script: true, ..new_text(strip_comments(text)) });
            return Ok(text.clone().into());
        }
        if let Some(text) = lock(&self.texts).get(address) {
            return Ok(text.clone().into());
        }
        if address.starts_with(SYNTHETIC) {
            return Ok(self.store(address, new_text(synthetic::text(address, &self.extensions()).into())));
        }
        if !address.contains("://") {
            return Err(no_module(address));
        }
        self.main.get_or_init(|| address.to_owned());
        let asked = lock(&self.specifiers).get(address).cloned();
        let specifier = asked.as_ref().map_or(address, |(specifier, _)| specifier);
        let format = self.format(specifier, address)?;
        let prepared = lock(&self.transpiled).get(address).cloned();
        // The first pass is over, and this file was known to it, but not loaded.
        let Some(mut prepared) = prepared else {
            lock(&self.formats).remove(address);
            return self.load(address);
        };
        let interop = self.interop_mode.load(Ordering::Acquire);
        let mut tail = String::new();
        if format == ModuleFormat::Module && (interop || wants_interop(&prepared.text)) {
            let missing = prepared.rewrite_imports(&mut |specifier| self.import_target(specifier, address, interop));
            tail += &self.report_missing(&missing, address);
        }
        let rewrite = if self.keeps_context { prepared.rewrite_awaits(CONTEXT) } else { None };
        if !prepared.positions.is_empty() {
            lock(&self.positions).insert(address.to_owned(), prepared.positions);
        }
        let mut text = new_text(prepared.text);
        if let Some(AwaitRewrite { before, import }) = rewrite {
            text.before = Some(before.into());
            tail += &import;
        }
        if format == ModuleFormat::CommonJs {
            text.is_script = true;
            return Ok(self.store(address, text));
        }
        // Imports that come last move nothing, and all others come before them.
        if transpile::wants_require(&text.text) {
            tail += &format!("import {{ require }} from {};", quoted(&format!("{REQUIRE}{address}")));
        }
        // `open()` counts from the module that is being evaluated. Only where there may be several of them, and one
        // may open files, it matters which.
        let signs = ["open", "'.", "\".", "'/", "\"/", "://", "require"];
        let is_marked = signs.iter().any(|sign| text.text.contains(sign));
        if is_marked {
            tail += &format!("import {};", quoted(&format!("{HERE}{address}")));
        }
        if !tail.is_empty() {
            text.text = format!("{}\n{tail}", text.text).into();
        }
        Ok(self.store(address, text))
    }

    fn require_interop(&self) {
        self.needs_interop.store(true, Ordering::Release);
    }

    fn reaches(&self, from: &str, to: &str) -> bool {
        let edges = lock(&self.imports);
        let mut todo = vec![from];
        let mut seen = vec![from];
        while let Some(file) = todo.pop() {
            if file == to {
                return true;
            }
            for next in edges.get(file).into_iter().flatten() {
                if !seen.contains(&&**next) {
                    seen.push(next);
                    todo.push(next);
                }
            }
        }
        false
    }

    fn origin(&self, place: &str) -> Option<String> {
        self.file_place(place)
    }

    fn explain(&self, function: &str, place: &str, message: &str) -> Option<String> {
        self.explain_type_error(function, place, message)
    }

    fn json_place(&self, text: &[u8]) -> Option<String> {
        let url = self.files.having(text)?;
        let error = serde_json::from_slice::<serde::de::IgnoredAny>(text).err()?;
        Some(format!("{url}:{}:{}", error.line(), error.column()))
    }

    fn explained_place(&self, place: &str, message: &str) -> Option<String> {
        lock(&self.explained_places).get(&(place.to_owned(), message.to_owned())).cloned()
    }

    fn function_extents(&self, address: &str) -> Vec<std::ops::Range<usize>> {
        self.text_of(address).map(|text| transpile::function_extents(&text)).unwrap_or_default()
    }

    fn text_part(&self, address: &str, part: std::ops::Range<usize>) -> Option<String> {
        self.text_of(address)?.get(part).map(str::to_owned)
    }

    fn regexp_literals(&self, address: &str) -> Vec<RegExpLiteral> {
        self.text_of(address).map(|text| transpile::regexp_literals(&text)).unwrap_or_default()
    }
}

/// True if a module may ask for what engines can't link by themselves: the namespace of a module of ours, or a module that
/// is not offered.
fn wants_interop(text: &str) -> bool {
    text.contains(EXTENSIONS) || text.contains(BROWSER) || text.contains("k6") && transpile::wants_namespace(text)
}

fn new_text(text: Arc<str>) -> ModuleText {
    ModuleText { text, compiled: Compiled::default(), is_script: false, before: None }
}

/// JavaScript of ours without comment lines and indentation: engines keep the text of functions, in every VU.
fn strip_comments(text: &str) -> Arc<str> {
    let lines = text.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with("//"));
    lines.collect::<Vec<_>>().join("\n").into()
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

fn no_module(address: &str) -> Throw {
    Throw::go(missing::unknown_modules(&[address.to_owned()]))
}
