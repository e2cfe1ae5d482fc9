//! What scripts find here: the names of every module and which global names are missing, asked of the engine itself.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;

use crate::exit_code::ExitCode;
use crate::failure::{ExitWith, Failure};
use crate::js::engine::Engine;
use crate::js::modules;
use crate::options::{Layers, Permissions};
use crate::run::{DataModule, ScriptRequest};
use crate::source::{FileSet, MainScript, MapDisk, Module, Secrets};
use crate::ui::log::ProcessLog;

/// Global names of browsers and Node that scripts are tempted to use. Those that are there after all are no finding.
const TEMPTING: [&str; 22] = [
    "Blob",
    "Buffer",
    "FormData",
    "Headers",
    "Intl",
    "Request",
    "Response",
    "URL",
    "URLSearchParams",
    "XMLHttpRequest",
    "__dirname",
    "__filename",
    "document",
    "fetch",
    "localStorage",
    "performance",
    "process",
    "queueMicrotask",
    "setImmediate",
    "structuredClone",
    "window",
    "WebSocket",
];

/// What objects that a module exports have, where that can't be asked before a test runs.
const INNER: [(&str, &str, &[&str]); 4] = [
    (
        "k6/execution",
        "instance",
        &["currentTestRunDuration", "iterationsCompleted", "iterationsInterrupted", "vusActive", "vusInitialized"],
    ),
    (
        "k6/execution",
        "scenario",
        &["executor", "iterationInInstance", "iterationInTest", "name", "progress", "startTime"],
    ),
    ("k6/execution", "test", &["abort", "fail", "options"]),
    (
        "k6/execution",
        "vu",
        &["idInInstance", "idInTest", "iterationInInstance", "iterationInScenario", "metrics", "tags"],
    ),
];

/// What scripts find here.
#[derive(Debug, Deserialize)]
pub struct Offered {
    /// By specifier: what a module exports, and the properties of its default export.
    pub(super) modules: BTreeMap<String, [BTreeSet<String>; 2]>,
    /// Names of [`TEMPTING`] that are not there.
    absent: BTreeSet<String>,
}

impl Offered {
    /// Asks an engine.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn ask(engine: Engine, log: &ProcessLog) -> Result<Self, Failure> {
        const URL: &str = "file:///offered.js";
        let names = modules::TABLE.modules.iter().map(|module| module.specifier);
        let names: Vec<&str> = names.filter(|name| !name.starts_with("volley/")).collect();
        let bytes = Bytes::from(question(&names));
        let files = FileSet::new(MapDisk::default(), FileSet::offline());
        files.remember(URL, bytes.clone());
        let module = DataModule::open(ScriptRequest {
            argument: URL.to_owned(),
            main: MainScript {
                module: Module::new(URL, &bytes),
                open_base: "file:///".to_owned(),
                files: files.into(),
                archive: None,
            },
            layers: Layers::default(),
            env: BTreeMap::new(),
            freeze_env: false,
            has_global: true,
            secrets: Arc::new(Secrets::open(&[], Path::new("/"), &|_| None, |_| ())?),
            engine,
            permissions: Permissions::default(),
            strict: false,
            log: log.clone(),
        })?;
        serde_json::from_str(module.default_export().unwrap_or_default()).exit(ExitCode::Panic)
    }

    /// The specifiers of all modules.
    pub fn specifiers(&self) -> impl Iterator<Item = &str> {
        self.modules.keys().map(String::as_str)
    }

    /// What a module exports, and the properties of its default export; `None` if there is no such module.
    pub fn module(&self, specifier: &str) -> Option<&[BTreeSet<String>; 2]> {
        self.modules.get(specifier)
    }

    /// What an object has that a module exports, where it is known: `vu` of `k6/execution`.
    pub fn inner(&self, specifier: &str, name: &str) -> Option<&'static [&'static str]> {
        let found = INNER.iter().find(|(module, object, _)| *module == specifier && *object == name)?;
        Some(found.2)
    }

    /// Whether a global name is one that is not there.
    pub fn is_absent(&self, global: &str) -> bool {
        self.absent.contains(global)
    }
}

/// A module that exports the names of all modules.
fn question(names: &[&str]) -> String {
    let mut text = String::new();
    let mut entries = String::new();
    for (at, name) in names.iter().enumerate() {
        text += &format!("import * as s{at} from '{name}'; import d{at} from '{name}';\n");
        entries += &format!("'{name}': [Object.keys(s{at}), own(d{at})], ");
    }
    let tempting = TEMPTING.map(|name| format!("'{name}'")).join(", ");
    text + &format!(
        "const own = (value) => {{
          const names = [];
          // A driver of k6/x/sql is a symbol.
          if (typeof value === 'symbol') return names;
          for (let at = value; at && at !== Object.prototype && at !== Function.prototype; at = Object.getPrototypeOf(at)) {{
            names.push(...Object.getOwnPropertyNames(at));
          }}
          return names;
        }};
        export default {{
          modules: {{ {entries} }},
          absent: [{tempting}].filter((name) => !(name in globalThis)),
        }};"
    )
}
