//! Where modules come from: js-stdlib by bare specifier, the user's files by URL. Shared by all VUs of a run, so each
//! file is read, prepared and compiled once.
//!
//! A script of plain ES modules is handed to the engine as it is. The first CommonJS file in its graph, or a graph that
//! can't be linked, makes the loader *careful*: everything is loaded once more, with imports looked at and bridged.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use rustc_hash::FxHashMap;

use super::dialect::{self, Exported, Kind, Positions, Prepared, RegExpLiteral, Target};
use super::engine::{Compiled, Engine, ModuleCode};
use super::modules;
use super::value::Throw;
use crate::source::files::Absence;
use crate::source::{Files, Resolved, Shared, specifier};

mod made;
mod missing;

use made::{ABSENT, BROWSER, COMMONJS, HERE, MADE, MISSING, REQUIRE, STAR, is_absent};

/// Sources by address, each with its bytecode once there is one.
type Texts<K> = Mutex<FxHashMap<K, Text>>;

/// A text an engine can run.
#[derive(Clone)]
struct Text {
    text: Arc<str>,
    compiled: Compiled,
    is_script: bool,
}

impl From<Text> for ModuleCode {
    fn from(Text { text, compiled, is_script }: Text) -> Self {
        if is_script { Self::Script { text, compiled } } else { Self::Source { text, compiled } }
    }
}

/// Specifiers of native halves: `native:k6/http`.
const NATIVE: &str = "native:";
/// Modules only js-stdlib itself may import.
const OURS: &str = "volley/";

/// So many errors are remembered with what they are about.
const MAX_EXPLAINED: usize = 1_000;

/// Finds and reads modules.
pub struct Loader {
    /// The user's files.
    pub files: Arc<Files>,
    /// The directory `open()` in the main script starts from, as a URL.
    open_base: String,
    /// The main script: the first file that was loaded.
    main: OnceLock<String>,
    texts: Texts<String>,
    kinds: Mutex<FxHashMap<String, Kind>>,
    /// Files as they were prepared, while the first pass lasts: it may begin again.
    prepared: Mutex<FxHashMap<String, Prepared>>,
    positions: Mutex<FxHashMap<String, Positions>>,
    /// Which file asks for which.
    edges: Mutex<FxHashMap<String, Vec<String>>>,
    /// Imports are looked at before a module is handed out.
    is_careful: AtomicBool,
    /// Something was found that needs care.
    is_suspect: AtomicBool,
    /// What a URL was asked for as, and by whom.
    specifiers: Mutex<FxHashMap<String, (String, String)>>,
    unknown: Mutex<Vec<String>>,
    /// Modules that were imported and are not offered.
    absent: Mutex<BTreeSet<String>>,
    /// Names that are missing and have a neighbour that is much like them, each as a sentence.
    near_misses: Mutex<Vec<String>>,
    /// What ES modules export.
    exported: Mutex<FxHashMap<String, Arc<Exported>>>,
    /// What errors are about, by their places and texts.
    explained: Mutex<FxHashMap<(String, String), Option<String>>>,
    /// The engine the modules are for.
    engine: Engine,
    unreadable: Mutex<Option<Unreadable>>,
    /// The modules of ours the script asked for.
    builtins: Mutex<BTreeSet<String>>,
    /// Source maps that are named and can't be read.
    missing_maps: Mutex<Vec<String>>,
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
    pub fn new(files: Arc<Files>, open_base: &str, engine: Engine) -> Self {
        let open_base = open_base.to_owned();
        Self {
            files,
            open_base,
            main: OnceLock::new(),
            texts: Mutex::default(),
            kinds: Mutex::default(),
            prepared: Mutex::default(),
            positions: Mutex::default(),
            edges: Mutex::default(),
            is_careful: AtomicBool::new(false),
            is_suspect: AtomicBool::new(false),
            specifiers: Mutex::default(),
            unknown: Mutex::default(),
            absent: Mutex::default(),
            near_misses: Mutex::default(),
            exported: Mutex::default(),
            explained: Mutex::default(),
            engine,
            unreadable: Mutex::default(),
            builtins: Mutex::default(),
            missing_maps: Mutex::default(),
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

    /// The bytes of a file that a native function reads for the script; relative names start beside the main script.
    ///
    /// # Errors
    /// As [`Loader::open`], as text.
    pub fn read(&self, path: &str) -> Result<bytes::Bytes, String> {
        self.files.open(path, &self.open_base)
    }

    /// The absolute path that `path` means beside the main script, whichever module asks, and the bytes there.
    pub fn open_beside_main(&self, path: &str) -> (String, Result<bytes::Bytes, Absence>) {
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
        let is_known = lock(&self.kinds).contains_key(file);
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
        match self.kind(url, url) {
            Ok(Kind::CommonJs) => {
                self.is_careful.store(true, Ordering::Release);
                format!("{COMMONJS}{url}")
            }
            _ => url.to_owned(),
        }
    }

    /// The address a specifier means in the module `referrer`.
    ///
    /// # Errors
    /// k6's words when it means nothing.
    pub fn resolve(&self, specifier: &str, referrer: &str) -> Result<String, Throw> {
        let from_stdlib = !referrer.contains("://") || referrer.starts_with(MADE);
        if [HERE, REQUIRE, ABSENT, MISSING].iter().any(|made| specifier.starts_with(made)) {
            return Ok(specifier.to_owned());
        }
        if let Some(name) = specifier.strip_prefix(STAR) {
            self.meet(name)?;
            return Ok(specifier.to_owned());
        }
        if from_stdlib && (specifier.starts_with(NATIVE) || specifier.starts_with(OURS)) {
            return Ok(specifier.to_owned());
        }
        match self.files.resolve(specifier, referrer).map_err(Throw::go)? {
            Resolved::Url(url) => {
                self.asked(specifier, &url, referrer);
                if self.kind(specifier, &url)? == Kind::Module {
                    return Ok(url);
                }
                if !self.is_careful.load(Ordering::Acquire) {
                    self.suspect();
                    return Err(Throw::go(format!("{url} is a CommonJS module")));
                }
                Ok(format!("{COMMONJS}{url}"))
            }
            Resolved::Builtin(name) if is_absent(&name) => Ok(self.stand_in(&name)),
            Resolved::Builtin(name) => {
                self.builtin(&name)?;
                if !from_stdlib {
                    self.meet(&name)?;
                }
                Ok(name)
            }
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
        // What runs already was linked; whatever comes now meets CommonJS.
        self.is_careful.store(true, Ordering::Release);
        match self.files.resolve(specifier, base).map_err(Throw::go)? {
            Resolved::Builtin(name) if is_absent(&name) => Ok(("absent", self.stand_in(&name))),
            Resolved::Builtin(name) => {
                self.builtin(&name)?;
                self.meet(&name)?;
                Ok(("builtin", name))
            }
            Resolved::Url(url) => {
                self.asked(specifier, &url, base);
                let kind = self.kind(specifier, &url)?;
                Ok((if kind == Kind::CommonJs { "commonjs" } else { "module" }, url))
            }
        }
    }

    /// What `import.meta.resolve(specifier)` answers in the module `referrer`.
    ///
    /// # Errors
    /// k6's words when it means nothing.
    pub fn locate(&self, specifier: &str, referrer: &str) -> Result<String, Throw> {
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

    /// Writes down who asked for a file, and as what.
    fn asked(&self, specifier: &str, url: &str, referrer: &str) {
        let referrer = referrer.strip_prefix(COMMONJS).unwrap_or(referrer);
        let (specifier, known) = (specifier.to_owned(), url.to_owned());
        lock(&self.specifiers).entry(known).or_insert_with(|| (specifier, referrer.to_owned()));
        let mut edges = lock(&self.edges);
        let asked = edges.entry(referrer.to_owned()).or_default();
        if !asked.iter().any(|known| known == url) {
            asked.push(url.to_owned());
        }
    }

    /// True if the file `from` is `to`, or asks for it over any number of others.
    pub fn reaches(&self, from: &str, to: &str) -> bool {
        let edges = lock(&self.edges);
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

    fn builtin(&self, name: &str) -> Result<(), Throw> {
        if let Some((_, text)) = modules::REMOVED.iter().find(|(removed, _)| *removed == name) {
            return Err(Throw::go(*text));
        }
        if modules::find(name).is_none() {
            let mut unknown = lock(&self.unknown);
            if !unknown.iter().any(|known| known == name) {
                unknown.push(name.to_owned());
                unknown.sort();
            }
        }
        Ok(())
    }

    /// The address of what stands for a module that is not offered.
    fn stand_in(&self, name: &str) -> String {
        lock(&self.absent).insert(name.to_owned());
        format!("{ABSENT}{name}")
    }

    /// Remembers a module of ours; after the first pass there are no new ones.
    fn meet(&self, name: &str) -> Result<(), Throw> {
        let mut builtins = lock(&self.builtins);
        if self.files.is_sealed() && !builtins.contains(name) {
            return Err(Throw::go(format!(
                "the module {name:?} was not previously resolved during initialization (__VU==0)"
            )));
        }
        builtins.insert(name.to_owned());
        Ok(())
    }

    // Care -------------------------------------------------------------------------------------------------------

    /// Something can't be linked as it is.
    pub fn suspect(&self) {
        self.is_suspect.store(true, Ordering::Release);
    }

    /// True if everything should be loaded once more, now with care: nothing of the script has run.
    pub fn begins_again(&self) -> bool {
        let begins = self.is_suspect.load(Ordering::Acquire) && !self.is_careful.swap(true, Ordering::AcqRel);
        if begins {
            lock(&self.texts).clear();
            lock(&self.unknown).clear();
            lock(&self.near_misses).clear();
            *lock(&self.unreadable) = None;
        }
        begins
    }

    /// The first pass is over: what was only looked at again while it lasted is let go.
    pub fn settle(&self) {
        lock(&self.prepared).clear();
    }

    // Texts ------------------------------------------------------------------------------------------------------

    /// What the file at `url` is; it is read and prepared if nobody has done so.
    fn kind(&self, specifier: &str, url: &str) -> Result<Kind, Throw> {
        if let Some(kind) = lock(&self.kinds).get(url) {
            return Ok(*kind);
        }
        let module = self.files.module(specifier, url).map_err(|text| {
            let asked = lock(&self.specifiers).get(url).cloned();
            if let Some((specifier, referrer)) = asked {
                let unreadable = Unreadable { text: text.clone(), place: self.place_of(&specifier, &referrer) };
                *lock(&self.unreadable) = Some(unreadable);
            }
            Throw::go(text)
        })?;
        let mut prepared =
            dialect::prepare(&module).map_err(|message| Throw::Error { class: "SyntaxError", message })?;
        if let Some(on_catch) = self.engine.plain_forms() {
            prepared.plain_forms(on_catch);
        }
        self.follow_source_map(url, &mut prepared);
        let kind = prepared.kind;
        lock(&self.prepared).insert(url.to_owned(), prepared);
        lock(&self.kinds).insert(url.to_owned(), kind);
        Ok(kind)
    }

    fn follow_source_map(&self, url: &str, prepared: &mut Prepared) {
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

    /// The module at an address.
    ///
    /// # Errors
    /// k6's words when it can't be read, or when it appears only after the first pass.
    pub fn load(&self, address: &str) -> Result<ModuleCode, Throw> {
        if let Some(specifier) = address.strip_prefix(NATIVE) {
            return modules::native(specifier).map(ModuleCode::Native).ok_or_else(|| no_module(address));
        }
        static STDLIB: OnceLock<Texts<&'static str>> = OnceLock::new();
        let stdlib = || lock(STDLIB.get_or_init(Mutex::default));
        if let Some(module) = modules::find(address) {
            let mut stdlib = stdlib();
            let text = stdlib.entry(module.specifier).or_insert_with(|| new_text(modules::squeeze(module.source)));
            return Ok(text.clone().into());
        }
        if let Some((address, text)) = modules::part(address) {
            let mut stdlib = stdlib();
            let text =
                stdlib.entry(address).or_insert_with(|| Text { is_script: true, ..new_text(modules::squeeze(text)) });
            return Ok(text.clone().into());
        }
        if let Some(text) = lock(&self.texts).get(address) {
            return Ok(text.clone().into());
        }
        if address.starts_with(MADE) {
            return Ok(self.keep(address, new_text(made::text(address).into())));
        }
        if !address.contains("://") {
            return Err(no_module(address));
        }
        self.main.get_or_init(|| address.to_owned());
        let asked = lock(&self.specifiers).get(address).cloned();
        let specifier = asked.as_ref().map_or(address, |(specifier, _)| specifier);
        let kind = self.kind(specifier, address)?;
        let prepared = lock(&self.prepared).get(address).cloned();
        // The first pass is over, and this file was known to it, but not loaded.
        let Some(mut prepared) = prepared else {
            lock(&self.kinds).remove(address);
            return self.load(address);
        };
        let is_careful = self.is_careful.load(Ordering::Acquire);
        let mut tail = String::new();
        if kind == Kind::Module && (is_careful || wants_bridge(&prepared.text)) {
            let missing = prepared.bridge(&mut |specifier| self.target(specifier, address, is_careful));
            tail += &self.tell_missing(&missing, address);
        }
        if !prepared.positions.is_empty() {
            lock(&self.positions).insert(address.to_owned(), prepared.positions);
        }
        let mut text = new_text(prepared.text);
        if kind == Kind::CommonJs {
            text.is_script = true;
            return Ok(self.keep(address, text));
        }
        // Imports that come last move nothing, and all others come before them.
        if dialect::wants_require(&text.text) {
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
        Ok(self.keep(address, text))
    }

    fn keep(&self, address: &str, text: Text) -> ModuleCode {
        lock(&self.texts).insert(address.to_owned(), text.clone());
        text.into()
    }

    /// What an import in the module at `referrer` leads to. With care, also what files export.
    fn target(&self, specifier: &str, referrer: &str, is_careful: bool) -> Target {
        match self.files.resolve(specifier, referrer) {
            Ok(Resolved::Builtin(name)) if is_absent(&name) => Target::Absent(self.stand_in(&name)),
            Ok(Resolved::Builtin(name)) => match modules::find(&name) {
                Some(module) => {
                    let (names, star) = (dialect::module_names(module.source), format!("{STAR}{name}"));
                    Target::Builtin { names, star }
                }
                None => Target::Module,
            },
            Ok(Resolved::Url(url)) if is_careful => match self.kind(specifier, &url) {
                Ok(Kind::CommonJs) => Target::CommonJs(
                    self.files.text(&url).map(|text| dialect::commonjs_names(&text)).unwrap_or_default(),
                ),
                Ok(Kind::Module) => self.names(specifier, &url).map_or(Target::Module, Target::File),
                Err(_) => Target::Module,
            },
            _ => Target::Module,
        }
    }

    // Places -----------------------------------------------------------------------------------------------------

    /// The place in the file a person wrote of `URL:LINE:COLUMN`; `None` if it is the same.
    pub fn origin(&self, place: &str) -> Option<String> {
        let positions = lock(&self.positions);
        if positions.is_empty() {
            return None;
        }
        let (rest, column) = place.rsplit_once(':')?;
        let (url, line) = rest.rsplit_once(':')?;
        let place = positions.get(url)?.origin(line.parse().ok()?, column.parse().ok()?);
        Some(format!("{}:{}:{}", place.file.as_deref().unwrap_or(url), place.line, place.column))
    }

    /// What a `TypeError` at `place`, `URL:LINE:COLUMN` of the engine, is about: its message with the name of what is
    /// missing. `None` where the text does not tell.
    pub fn explain(&self, place: &str, message: &str) -> Option<String> {
        let key = (place.to_owned(), message.to_owned());
        if let Some(known) = lock(&self.explained).get(&key) {
            return known.clone();
        }
        let (rest, column) = place.rsplit_once(':')?;
        let (url, line) = rest.rsplit_once(':')?;
        let text = lock(&self.texts).get(url).map(|text| text.text.clone())?;
        let found = dialect::explain(&text, line.parse().ok()?, column.parse().ok()?, message);
        let mut explained = lock(&self.explained);
        if explained.len() >= MAX_EXPLAINED {
            explained.clear();
        }
        explained.insert(key, found.clone());
        found
    }

    /// The regular expressions in the text an engine was given for `address`.
    pub fn regexp_literals(&self, address: &str) -> Vec<RegExpLiteral> {
        let text = lock(&self.texts).get(address).map(|text| text.text.clone());
        text.map(|text| dialect::regexp_literals(&text)).unwrap_or_default()
    }

    /// Where a module names another one: engines don't say.
    fn place_of(&self, specifier: &str, referrer: &str) -> String {
        let quoted = ['"', '\'', '`'].map(|quote| format!("{quote}{specifier}{quote}"));
        let names = |line: &str| quoted.iter().any(|name| line.contains(name));
        let line = self.files.text(referrer).and_then(|text| text.lines().position(names));
        line.map_or_else(|| referrer.to_owned(), |line| format!("{referrer}:{}", line + 1))
    }

    /// The last module that could not be read.
    pub fn unreadable(&self) -> Option<Unreadable> {
        lock(&self.unreadable).clone()
    }
}

/// True if a module may ask for what engines can't link by themselves: the namespace of a module of ours, or a module that
/// is not offered.
fn wants_bridge(text: &str) -> bool {
    text.contains("k6/x/") || text.contains(BROWSER) || text.contains("k6") && dialect::wants_namespace(text)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn new_text(text: Arc<str>) -> Text {
    Text { text, compiled: Compiled::default(), is_script: false }
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

fn no_module(address: &str) -> Throw {
    Throw::go(missing::unknown_modules(&[address.to_owned()]))
}
