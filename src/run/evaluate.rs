//! Evaluates a script without running a test: what it exports, which options and metrics it declares, which files it
//! reads. A run begins with it; `inspect` and `archive` end with it.

use std::sync::{Arc, Mutex};

use super::prepare::default_http;
use super::{ScriptRequest, generator_health, network};
use crate::execution::RunState;
use crate::exit_code::ExitCode;
use crate::failure::{ExitWith, Failure};
use crate::js::modules;
use crate::js::runtime::module_state::SharedModuleState;
use crate::js::runtime::worker::WorkerThreads;
use crate::js::{Exports, Loader, Script, VuSet};
use crate::log::{Level, LogField, Logger};
use crate::metrics::ledger::LedgerOptions;
use crate::metrics::record::Epoch;
use crate::metrics::{Interner, Ledger, Metric, Recorder, Registry, builtin, threshold};
use crate::net::Net;
use crate::options::{Compat, Options, ResolvedOptions, derive};
use crate::source::FileSet;
use crate::units::nearest::nearest;

/// A script that was evaluated once, for commands that run no test.
pub struct EvaluatedScript {
    request: ScriptRequest,
    exports: Exports,
    files: Arc<FileSet>,
    registry: Arc<Registry>,
}

/// Evaluates a script once and looks at what it exports.
///
/// # Errors
/// What can't be loaded, or was thrown; the code of the innermost place that knows.
pub fn evaluate(request: ScriptRequest) -> Result<EvaluatedScript, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().exit(ExitCode::Other)?;
    let context = ScriptContext::new(&request);
    let exports = runtime.block_on(context.evaluate(&request))?;
    Ok(EvaluatedScript { request, exports, files: context.files, registry: context.registry })
}

impl EvaluatedScript {
    /// The script's own options, with the scenarios that were selected; warnings about the selection are logged.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn own_options(&self) -> Result<Options, Failure> {
        let own = own_options(&self.request, &self.exports, &mut Compat::new(self.request.strict))?;
        let mut warnings = Vec::new();
        let options = self.request.layers.selection.of_script(own, &mut warnings);
        warnings.into_iter().for_each(|line| self.request.log.logger().warn(line));
        options
    }

    /// Checks the thresholds, those of scenarios that do not run as well.
    ///
    /// # Errors
    /// The first that is wrong, code 104.
    pub fn check_thresholds(&self, resolved: &ResolvedOptions) -> Result<(), Failure> {
        let (declared, strict) = (resolved.declared_thresholds(), self.request.strict);
        if !strict {
            generator_health::declare(&declared, &self.registry);
        }
        threshold::check(&declared, &self.registry, strict, &Logger::silent()).map(|_| ())
    }

    /// Checks that there can be TLS connections as `options` ask for them.
    ///
    /// # Errors
    /// When no TLS version and cipher suite satisfy all of them.
    pub fn check_tls(&self, options: &Options) -> Result<(), Failure> {
        network::check_tls(options)
    }

    /// All options, merged and checked.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn resolve_options(&self) -> Result<ResolvedOptions, Failure> {
        let resolved = resolve_options(&self.request, &self.exports)?;
        derive::check_exports(&resolved.scenarios, &self.exports.functions)?;
        Ok(resolved)
    }

    /// The metrics that the script declares.
    pub fn declared_metrics(&self) -> Vec<Metric> {
        let mut metrics = self.registry.all();
        metrics.retain(|metric| !builtin::is_one(metric.id));
        metrics
    }

    /// The main script's URL.
    pub fn script_url(&self) -> &str {
        &self.request.main.module.url
    }

    /// Every file that was read, by its URL.
    pub fn files(&self) -> Vec<(String, bytes::Bytes)> {
        self.files.all()
    }
}

/// What every evaluation of one script shares: it is there before any option is known.
pub(super) struct ScriptContext {
    pub files: Arc<FileSet>,
    pub registry: Arc<Registry>,
    pub state: Arc<RunState>,
    pub epoch: Epoch,
    loader: Arc<Loader>,
    interner: Arc<Interner>,
    module_state: Arc<SharedModuleState>,
}

impl ScriptContext {
    pub fn new(request: &ScriptRequest) -> Self {
        let files = Arc::clone(&request.main.files);
        let loader = Loader::new(files.clone(), &request.main.open_base, request.engine, &modules::TABLE)
            .with_async_context(request.propagates_context());
        let loader = Arc::new(loader);
        Self {
            files,
            loader,
            registry: Arc::new(Registry::new()),
            interner: Arc::default(),
            state: Arc::default(),
            module_state: Arc::default(),
            epoch: Epoch::now(),
        }
    }

    /// Evaluates the script in a VU of its own, with default options, to see what it exports. No other files can be read
    /// afterwards.
    pub async fn evaluate(&self, request: &ScriptRequest) -> Result<Exports, Failure> {
        let workers = self.single_worker(request)?;
        let script = Arc::new(self.script(request, &Options::default(), Net::idle()));
        let exports = VuSet::with_own_vu(&workers, &script, |_| (), |vu| async move { vu.exports().await });
        let url = &request.main.module.url;
        let context = || format!("could not initialize '{}': could not load JS test '{url}'", request.argument);
        let exports = exports.await.map_err(|failure| {
            let is_from_outside = matches!(failure.code, ExitCode::ExternalAbort | ExitCode::StoppedByApi);
            if failure.is_exception || is_from_outside { failure } else { failure.context(context()) }
        })?;
        self.files.seal();
        if exports.functions.is_empty() {
            let failure = Failure::new(ExitCode::Other, "no exported functions in script").context(context());
            let is_object = exports.values.iter().any(|name| name == "default");
            return Err(failure.hint(match is_object {
                true => {
                    "`export default` is for the function that runs again and again, `export const options` for options"
                }
                false => "the script has to `export default function () { ... }`",
            }));
        }
        if let Some(name) = exports.values.iter().find(|name| matches!(name.as_str(), "setup" | "teardown")) {
            return Err(Failure::new(ExitCode::Other, format!("exported '{name}' must be a function")));
        }
        Ok(exports)
    }

    /// A worker for code that belongs to no run: what it measures is dropped.
    pub fn single_worker(&self, request: &ScriptRequest) -> Result<WorkerThreads, Failure> {
        let ledger = Ledger::new(self.registry.clone(), LedgerOptions::default(), request.log.logger());
        let ledger = Arc::new(Mutex::new(ledger));
        WorkerThreads::start(1, move || Recorder::new(ledger.clone())).exit(ExitCode::Other)
    }

    /// The script as VUs see it, with these options.
    pub fn script(&self, request: &ScriptRequest, options: &Options, net: Arc<Net>) -> Script {
        let tags: Vec<_> = options.tags.iter().flatten().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let system_tags = options.system_tags.unwrap_or_default();
        Script {
            engine: request.engine,
            loader: self.loader.clone(),
            modules: &modules::TABLE,
            module_state: self.module_state.clone(),
            address: request.main.module.url.to_string(),
            env: Arc::new(request.env.clone()),
            freeze_env: request.freeze_env,
            async_metric_context: request.propagates_context(),
            has_global: request.has_global,
            registry: self.registry.clone(),
            run_tags: self.interner.set(tags),
            interner: self.interner.clone(),
            system_tags,
            log: request.log.logger(),
            epoch: self.epoch,
            state: self.state.clone(),
            net,
            secrets: request.secrets.clone(),
            http: default_http(options),
            rate_limit: options
                .rps
                .filter(|rps| *rps > 0)
                .map(|rps| crate::js::runtime::script::RateLimit::new(rps as u64)),
            min_iteration_duration: options.min_iteration_duration.unwrap_or_default().to_duration(),
            throw: options.throw.unwrap_or_default(),
            permissions: request.permissions,
            is_strict: request.strict,
            options: Default::default(),
            exported_options: Default::default(),
            setup_data: Default::default(),
        }
    }
}

/// Reads what the script exports and merges it with the other layers; warnings are logged, whatever comes of it.
pub(super) fn resolve_options(request: &ScriptRequest, exports: &Exports) -> Result<ResolvedOptions, Failure> {
    let mut notes = Compat::new(request.strict);
    let script = own_options(request, exports, &mut notes);
    let resolved = script.and_then(|script| request.layers.resolve(script, &mut notes.warnings));
    if let Ok(resolved) = &resolved {
        notes.warnings.extend(misspelt_exports(exports, resolved));
        notes.warnings.extend(kept_options(request, exports));
    }
    notes.warnings.iter().for_each(|line| request.log.logger().warn(line));
    resolved
}

/// Options that the script keeps to itself: a variable of that name at its top whose first key is one of theirs.
fn kept_options(request: &ScriptRequest, exports: &Exports) -> Option<String> {
    const FIRST: [&str; 7] = ["vus", "duration", "iterations", "stages", "scenarios", "thresholds", "setupTimeout"];
    if exports.options.is_some() || request.main.archive.is_some() {
        return None;
    }
    let text = &request.main.module.text;
    let mut found = ["const options", "let options", "var options"]
        .into_iter()
        .flat_map(|begin| text.match_indices(begin).filter(|(at, _)| *at == 0 || text[..*at].ends_with('\n')));
    found.find_map(|(at, begin)| {
        let value = text[at + begin.len()..].trim_start().strip_prefix('=')?.trim_start().strip_prefix('{')?;
        let first = value.trim_start().split(|c: char| !c.is_alphanumeric()).next()?;
        let place = format!("{}:{}", request.main.module.url, text[..at].matches('\n').count() + 1);
        let sentence = format!("the script has `options` and does not export them: `export {begin}` ({place})");
        FIRST.contains(&first).then_some(sentence)
    })
}

/// Exports that mean nothing and whose names are much like one that does.
fn misspelt_exports(exports: &Exports, resolved: &ResolvedOptions) -> Vec<String> {
    const KNOWN: [&str; 4] = ["options", "setup", "teardown", "handleSummary"];
    let all = || exports.functions.iter().chain(&exports.values);
    let is_exported = |name: &str| all().any(|known| known == name);
    let is_used = |name: &str| resolved.scenarios.iter().any(|scenario| scenario.exec == name);
    let odd = all().filter(|name| !KNOWN.contains(&name.as_str()) && *name != "default" && !is_used(name));
    let meant = odd.filter_map(|name| {
        let near = nearest(name, KNOWN).filter(|near| !is_exported(near))?;
        Some(format!("the script exports `{name}`, which nothing uses; did you mean `{near}`?"))
    });
    meant.collect()
}

/// The options of the script, or of the archive it came in.
fn own_options(request: &ScriptRequest, exports: &Exports, notes: &mut Compat) -> Result<Options, Failure> {
    Ok(match (&request.main.archive, &exports.options) {
        (Some(archive), _) => Options::from_json(&archive.options, notes)?.options,
        (None, Some(json)) => {
            let mut value: serde_json::Value = serde_json::from_str(json).exit(ExitCode::InvalidConfig)?;
            // As Go writes objects: what is passed through, and the first thing that is wrong, go by name.
            value.sort_all_objects();
            let url = &request.main.module.url;
            let decoded = Options::from_json(&value, notes).map_err(|failure| {
                failure.context(format!("could not initialize '{}': could not load JS test '{url}'", request.argument))
            })?;
            if let Some((message, error, hint)) = decoded.warning() {
                let mut fields: Vec<LogField> = vec![("error", error.into())];
                fields.extend(hint.map(|hint| ("hint", hint.into())));
                request.log.logger().log(Level::Warning, message, fields);
            }
            decoded.options
        }
        (None, None) => Options::default(),
    })
}
