//! One run, from a script to an exit code: the stages in the order in which they happen.
//!
//! Load and evaluate the script, resolve the options, open the outputs, make the VUs, setup, scenarios, teardown,
//! judge, summarise, close. Each stage is a function below, in that order. Once anything was measured it is told,
//! whatever ends the run; the first error decides the exit code.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::stream::{StreamExt, TryStreamExt};

use crate::execution::{Crew, Pool, RunState, STOP_TIMEOUT, Status};
use crate::exit_code::ExitCode;
use crate::failure::{ExitWith, Failure};
use crate::js::engine::Engine;
use crate::js::modules::volley::shared_array::Arrays;
use crate::js::worker::Crew as Workers;
use crate::js::{Exports, HttpDefaults, Loader, Script, VuCrew};
use crate::log::{Level, Logger};
use crate::metrics::health::Thread;
use crate::metrics::ledger::LedgerOptions;
use crate::metrics::record::Epoch;
use crate::metrics::system_tags::SystemTags;
use crate::metrics::{Baseline, Interner, Ledger, Metric, MetricId, Record, Recorder, Registry, builtin, threshold};
use crate::net::Net;
use crate::net::http::DumpLevel;
use crate::options::{Layers, Notes, Options, Plan, Settled, Share, derive};
use crate::output::{self, Running};
use crate::report::Dashboard;
use crate::source::{Files, MainScript, Secrets};
use crate::summary::writing;
use crate::ui::Terminal;
use crate::ui::banner::banner;
use crate::ui::log::Log;
use crate::ui::progress::Ticker;

mod control;
mod lag;
mod lateness;
mod module;
mod network;
mod observe;
mod rehearsal;
mod reports;
mod scenarios;
mod signals;
mod usage;
mod view;
mod wrap_up;

pub use module::Module;
#[cfg(test)]
pub use observe::Pulse;
pub use observe::{ASK_DOCUMENT, ASK_MOMENT, Moment};
pub use reports::Reports;
use scenarios::Planned;

/// What a run was asked for: everything typed, read and checked as far as that goes without the script.
pub struct Request {
    /// The script as typed, for messages.
    pub argument: String,
    /// The script and its files.
    pub script: MainScript,
    /// Options around the script's own.
    pub layers: Layers,
    /// `__ENV`
    pub env: BTreeMap<String, String>,
    /// `__ENV` can't be written to.
    pub freeze_env: bool,
    /// Scripts find `global`, as in k6's extended compatibility mode.
    pub has_global: bool,
    /// The environment of the process, for proxies and the like.
    pub process_env: HashMap<String, String>,
    /// What `k6/secrets` asks.
    pub secrets: Arc<Secrets>,
    /// The JavaScript engine.
    pub engine: Engine,
    /// Refuse what k6 refuses.
    pub strict: bool,
    /// Where the REST API listens.
    pub address: Option<Address>,
    /// One iteration of one VU, shown in full, instead of what the options say.
    pub rehearsal: bool,
    /// Don't judge thresholds.
    pub no_thresholds: bool,
    /// The summary of a saved run, for thresholds that compare with it.
    pub baseline: Option<String>,
    /// What the end-of-test summary shows.
    pub summary_mode: crate::summary::Mode,
    /// Where the summary is exported to.
    pub summary_export: Option<String>,
    /// Use the new shape for exports and `handleSummary`.
    pub machine_readable: bool,
    /// What is written beside k6's summary.
    pub reports: Reports,
    /// How progress is shown.
    pub progress: crate::ui::progress::Kind,
    /// Outputs as typed: `json=x.json`.
    pub outputs: Vec<String>,
    /// Keep going after the end, until a signal or for so long.
    pub linger: Option<Option<Duration>>,
    /// No banner, description or progress.
    pub quiet: bool,
    /// The process that started this one asks over standard input how the run goes.
    pub is_observed: bool,
    /// The name this program was called by.
    pub program: &'static str,
    /// The flag `--no-color`.
    pub no_color: bool,
    /// Where relative paths begin.
    pub cwd: PathBuf,
    /// Configurations of outputs from the config file, by output.
    pub collectors: serde_json::Map<String, serde_json::Value>,
    /// Who writes to the terminal.
    pub terminal: Terminal,
    /// The log of the process: the option `consoleOutput` sends a part of it elsewhere.
    pub log: Log,
}

/// Where the REST API listens.
#[derive(Clone, Debug)]
pub struct Address {
    /// `host:port` or `:port`
    pub at: String,
    /// Whether it was a flag: then an address that can't be had ends the run.
    pub is_flag: bool,
}

/// The k6 whose behaviour this is.
pub const K6_VERSION: &str = "2.2.0";

/// How often thresholds are judged while a run goes on.
const JUDGE_EVERY: Duration = Duration::from_secs(2);
/// How often `vus` and `vus_max` are emitted.
const COUNT_VUS_EVERY: Duration = Duration::from_secs(1);

/// Runs a script to its end.
///
/// # Errors
/// What the process has to say and the code it has to end with.
pub fn execute(request: Request) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().exit(ExitCode::Other)?;
    let result = runtime.block_on(async {
        let signals = signals::Signals::listen()?;
        conduct(request, signals).await
    });
    // Whatever still waits belongs to a run that is over.
    runtime.shutdown_background();
    result
}

/// What a first look at a script found, for commands that run nothing.
pub struct FirstPass {
    request: Request,
    exports: Exports,
    files: Arc<Files>,
    registry: Arc<Registry>,
}

/// Evaluates a script once and looks at what it exports.
///
/// # Errors
/// As [`execute`], as far as that gets.
pub fn first_pass(request: Request) -> Result<FirstPass, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().exit(ExitCode::Other)?;
    let mut common = Common::new(&request);
    let exports = runtime.block_on(common.first_pass(&request))?;
    Ok(FirstPass { request, exports, files: common.files, registry: common.registry })
}

impl FirstPass {
    /// The script's own options.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn own_options(&self) -> Result<Options, Failure> {
        script_options(&self.request, &self.exports, &mut Notes::new(self.request.strict), &self.request.log.logger())
    }

    /// Checks that there can be TLS connections as `options` ask for them.
    ///
    /// # Errors
    /// What none of them could agree on.
    pub fn check_tls(&self, options: &Options) -> Result<(), Failure> {
        network::check_tls(options)
    }

    /// All options, merged and checked.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn settle(&self) -> Result<Settled, Failure> {
        let settled = settle(&self.request, &self.exports, &self.request.log.logger())?;
        derive::check_exports(&settled.scenarios, |name| self.exports.has(name))?;
        Ok(settled)
    }

    /// The metrics that the script declares.
    pub fn declared_metrics(&self) -> Vec<Metric> {
        let mut metrics = self.registry.all();
        metrics.retain(|metric| !builtin::is_one(metric.id));
        metrics
    }

    /// The main script's URL.
    pub fn script_url(&self) -> &str {
        &self.request.script.module.url
    }

    /// Every file that was read, by its URL.
    pub fn files(&self) -> Vec<(String, bytes::Bytes)> {
        self.files.all()
    }
}

/// The run with all that belongs to it, once its options are known.
struct Run {
    request: Request,
    options: Options,
    scenarios: Vec<Planned>,
    plan: Plan,
    share: Share,
    exports: Exports,
    script: Arc<Script>,
    workers: Arc<Workers>,
    crew: Arc<VuCrew>,
    pool: Arc<Pool>,
    ledger: Arc<Mutex<Ledger>>,
    /// The number of the next VU made beyond the plan.
    next_vu: Arc<AtomicU64>,
    state: Arc<RunState>,
    log: Logger,
    reports: reports::Wanted,
    meter: usage::Meter,
    lateness: Mutex<lateness::Lateness>,
    started: jiff::Timestamp,
    network_threads: usize,
    /// `volley_lag`, where a threshold names it.
    lag: Option<MetricId>,
}

async fn conduct(request: Request, mut signals: signals::Signals) -> Result<(), Failure> {
    let log = request.log.logger();
    let mut common = Common::new(&request);
    let exports = tokio::select! {
        exports = common.first_pass(&request) => exports?,
        // Code at the top of a script may go on for ever.
        failure = signals.first() => return Err(failure),
    };
    let mut settled = settle(&request, &exports, &log)?;
    if request.rehearsal {
        rehearsal::reduce(&mut settled);
    }
    let run = Arc::new(common.build(request, settled, exports)?);
    let api = run.open_api()?;
    let outputs = run.open_outputs()?;
    let mut dashboard = run.open_dashboard()?;
    run.announce(&outputs, dashboard.as_ref());
    let watch = view::Watch::new(&run);
    observe::start(&run.request, &run, &watch);
    let mut ticker = {
        let watch = watch.clone();
        let (terminal, kind) = (run.request.terminal.clone(), run.request.progress);
        Ticker::start(terminal, run.request.quiet, kind, move || watch.view())
    };
    let mut failure: Option<Failure> = None;
    let mut note = |result: Result<(), Failure>| {
        if let Err(new) = result {
            failure.get_or_insert(new);
        }
    };
    let stages = async {
        let beats = run.beats();
        let main = async {
            watch.enter(Status::InitVus);
            note(run.initialise().await);
            watch.enter(Status::InitDone);
            if run.state.is_paused() && !run.state.is_aborted() {
                watch.enter(Status::PausedBeforeRun);
                run.until_resumed().await;
            }
            if run.state.is_aborted() {
                return;
            }
            watch.enter(Status::Started);
            watch.enter(Status::Setup);
            let set_up = run.set_up().await;
            let may_run = set_up.is_ok();
            note(set_up);
            if may_run {
                watch.enter(Status::Running);
                note(run.run_scenarios().await);
                watch.enter(Status::Teardown);
                note(run.tear_down().await);
            }
            watch.enter(run.ended());
            run.linger().await;
        };
        tokio::select! {
            () = main => {}
            () = beats => {}
            () = run.watch_lag() => {}
        }
    };
    let asked_to_hurry = tokio::select! {
        () = stages => false,
        () = signals.watch(&run.state, &log) => true,
    };
    watch.enter(run.ended());
    if asked_to_hurry {
        return Err(run.state.aborted().map_or_else(signals::hurry, |abort| abort.failure));
    }
    ticker.pause();
    let ended = tokio::select! {
        ended = run.wrap_up(outputs, failure, dashboard.as_ref()) => ended,
        () = signals.second(&log) => return Err(signals::hurry()),
    };
    if let Some(api) = api {
        api.stop();
    }
    ticker.finish();
    if let Some(dashboard) = dashboard.as_mut().filter(|dashboard| dashboard.is_watched())
        && !run.state.is_aborted()
    {
        log.info(format!("the web dashboard stays at {} until its page is closed", dashboard.url));
        tokio::select! {
            () = dashboard.until_unwatched() => {}
            _ = signals.next() => {}
        }
    }
    ended
}

/// What is there before the options are.
struct Common {
    files: Arc<Files>,
    loader: Arc<Loader>,
    registry: Arc<Registry>,
    interner: Arc<Interner>,
    state: Arc<RunState>,
    arrays: Arc<Arrays>,
    epoch: Epoch,
}

impl Common {
    fn new(request: &Request) -> Self {
        let files = Arc::clone(&request.script.files);
        let loader = Arc::new(Loader::new(files.clone(), &request.script.open_base, request.engine));
        Self {
            files,
            loader,
            registry: Arc::new(Registry::new()),
            interner: Arc::default(),
            state: Arc::default(),
            arrays: Arc::default(),
            epoch: Epoch::now(),
        }
    }

    /// Evaluates the script once, to see what it exports; nobody's options apply yet.
    async fn first_pass(&mut self, request: &Request) -> Result<Exports, Failure> {
        let ledger = Ledger::new(self.registry.clone(), LedgerOptions::default(), request.log.logger());
        let ledger = Arc::new(Mutex::new(ledger));
        let workers = Workers::start(1, move || Recorder::new(ledger.clone())).exit(ExitCode::Other)?;
        let net = Net::idle();
        let script = Arc::new(self.script(request, &Options::default(), net));
        let exports = VuCrew::with_own_vu(&workers, &script, |_| (), |vu| async move { vu.exports().await });
        let url = &request.script.module.url;
        let context = || format!("could not initialize '{}': could not load JS test '{url}'", request.argument);
        let exports = exports.await.map_err(|failure| {
            let is_from_outside = matches!(failure.code, ExitCode::ExternalAbort | ExitCode::StoppedByApi);
            if failure.is_exception || is_from_outside { failure } else { failure.context(context()) }
        })?;
        self.files.seal();
        if exports.functions.is_empty() {
            return Err(Failure::new(ExitCode::Other, "no exported functions in script").context(context()));
        }
        if let Some(name) = exports.values.iter().find(|name| matches!(name.as_str(), "setup" | "teardown")) {
            return Err(Failure::new(ExitCode::Other, format!("exported '{name}' must be a function")));
        }
        Ok(exports)
    }

    fn script(&self, request: &Request, options: &Options, net: Arc<Net>) -> Script {
        let whole = |value: Option<i64>, default: i64| value.unwrap_or(default).max(0) as usize;
        let tags: Vec<_> = options.tags.iter().flatten().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let system_tags = match &options.system_tags {
            Some(tags) => SystemTags::parse(tags.iter()),
            None => SystemTags::default(),
        };
        Script {
            engine: request.engine,
            loader: self.loader.clone(),
            address: request.script.module.url.to_string(),
            env: Arc::new(request.env.clone()),
            freeze_env: request.freeze_env,
            has_global: request.has_global,
            registry: self.registry.clone(),
            run_tags: self.interner.set(tags),
            interner: self.interner.clone(),
            system_tags,
            log: request.log.logger(),
            epoch: self.epoch,
            state: self.state.clone(),
            net,
            arrays: self.arrays.clone(),
            secrets: request.secrets.clone(),
            schemas: Default::default(),
            http: HttpDefaults {
                user_agent: options.user_agent.clone().unwrap_or_else(default_user_agent),
                dumping: match options.http_debug.as_deref() {
                    None | Some("") => DumpLevel::Off,
                    Some("full") => DumpLevel::Full,
                    Some(_) => DumpLevel::Heads,
                },
                max_redirects: (whole(options.max_redirects, 10) as u32, options.max_redirects.is_some()),
                discard_bodies: options.discard_response_bodies.unwrap_or_default(),
                keep_cookies: options.no_cookies_reset.unwrap_or_default(),
                close_after_iteration: options.no_vu_connection_reuse.unwrap_or_default(),
                batch: whole(options.batch, 20).max(1),
                batch_per_host: whole(options.batch_per_host, 6),
            },
            rate_limit: options.rps.filter(|rps| *rps > 0).map(|rps| crate::js::script::RateLimit::new(rps as u64)),
            min_iteration_duration: options.min_iteration_duration.unwrap_or_default().to_duration(),
            throw: options.throw.unwrap_or_default(),
            is_strict: request.strict,
            told_of_set: Default::default(),
            options: Default::default(),
            exported_options: Default::default(),
            setup_data: Default::default(),
        }
    }

    /// Checks the options and makes everything the run needs.
    fn build(self, request: Request, settled: Settled, exports: Exports) -> Result<Run, Failure> {
        let log = request.log.logger();
        let Settled { configured, options, scenarios: checked, share, plan, .. } = settled;
        derive::check_exports(&checked, |name| exports.has(name))?;
        if options.paused == Some(true) && !request.rehearsal {
            self.state.set_paused(true);
            if request.address.is_none() {
                log.warn(
                    "the test starts paused, and without a REST API nothing can resume it; give it an `--address`",
                );
            }
        }
        if let Some(path) = &options.console_output {
            request.log.console_to(&request.cwd.join(path))?;
        }
        let reports = reports::Wanted::read(&request)?;
        let thresholds = options.thresholds.as_ref().map_or(&[][..], |thresholds| &thresholds.0);
        let lag = if request.strict { None } else { lag::declare(thresholds, &self.registry) };
        let watched = watch(&request, &options, &self.registry, &log)?;
        let network_threads = threads(plan.max_vus(), request.engine).1;
        let network = network::config(&options, &request.process_env, plan.max_vus())?;
        if !crate::net::tls::speaks_any(&network.tls) {
            log.warn("`tlsVersion` allows only versions of TLS that can't be spoken: every TLS handshake will fail");
        }
        let net = Net::start(network, network_threads)?;
        let lateness = Mutex::new(lateness::Lateness::watch(&net, network_threads));
        let script = Arc::new(self.script(&request, &options, net));
        let consolidated = options.with_defaults().to_script_json();
        let _ = script.options.set(serde_json::Value::Object(consolidated).to_string());
        let exported = configured.with_defaults().to_exported_json();
        let _ = script.exported_options.set(serde_json::Value::Object(exported).to_string());
        let ledger = Ledger::new(
            self.registry.clone(),
            LedgerOptions {
                watched,
                system_tags: script.system_tags,
                sections: request.summary_mode == crate::summary::Mode::Full || reports.needs_sections(),
                detail: reports.needs_detail().then_some(self.epoch),
            },
            log.clone(),
        );
        let ledger = Arc::new(Mutex::new(ledger));
        let (recorded, threads) = (ledger.clone(), threads(plan.max_vus(), request.engine).0);
        let workers = Workers::start(threads, move || Recorder::new(recorded.clone()));
        let workers = Arc::new(workers.exit(ExitCode::Other)?);
        let striped = share.clone();
        let id_in_test = Box::new(move |id: u64| striped.global(id - 1).map_or(id, |global| global + 1));
        let crew = VuCrew::new(script.clone(), workers.clone(), id_in_test);
        let pool = Arc::new(Pool::new(crew.clone(), plan.max_vus() - plan.max_planned_vus(), log.clone()));
        let scenarios = checked
            .into_iter()
            .filter(|scenario| scenario.has_work(&share))
            .map(|scenario| Planned::new(scenario, &share, &script))
            .collect();
        let state = self.state;
        let (started, meter) = (jiff::Timestamp::now(), usage::Meter::start());
        let next_vu = Arc::new(AtomicU64::new(plan.max_planned_vus() + 1));
        Ok(Run {
            request,
            options,
            scenarios,
            plan,
            share,
            exports,
            script,
            workers,
            crew,
            pool,
            ledger,
            next_vu,
            state,
            log,
            reports,
            meter,
            lateness,
            started,
            network_threads,
            lag,
        })
    }
}

/// Script workers and network threads for so many VUs. Fewer threads wake each other less often: half the cores run
/// scripts, a quarter moves bytes, and nobody gets a thread that has no VU. An engine whose JavaScript is the bottleneck
/// has a worker on every core.
fn threads(vus: u64, engine: Engine) -> (usize, usize) {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let most = usize::try_from(vus.max(1)).unwrap_or(usize::MAX);
    let workers = if engine.is_slow() { cores } else { cores.div_ceil(2) };
    (workers.min(most), cores.div_ceil(4).min(most))
}

/// The `User-Agent` of requests that set none.
pub fn default_user_agent() -> String {
    output::USER_AGENT.to_owned()
}

/// Reads what the script exports and merges it with what was said elsewhere.
fn settle(request: &Request, exports: &Exports, log: &Logger) -> Result<Settled, Failure> {
    let mut notes = Notes::new(request.strict);
    let script = script_options(request, exports, &mut notes, log)?;
    let settled = request.layers.settle(script)?;
    for line in notes.warnings.iter().chain(&settled.warnings) {
        log.warn(line);
    }
    Ok(settled)
}

/// The options of the script, or of the archive it came in.
fn script_options(request: &Request, exports: &Exports, notes: &mut Notes, log: &Logger) -> Result<Options, Failure> {
    Ok(match (&request.script.archive, &exports.options) {
        (Some(archive), _) => Options::from_json(&archive.options, notes)?.options,
        (None, Some(json)) => {
            let mut value: serde_json::Value = serde_json::from_str(json).exit(ExitCode::InvalidConfig)?;
            // As Go writes objects: what is passed through, and the first thing that is wrong, go by name.
            value.sort_all_objects();
            let url = &request.script.module.url;
            let decoded = Options::from_json(&value, notes).map_err(|failure| {
                failure.context(format!("could not initialize '{}': could not load JS test '{url}'", request.argument))
            })?;
            if let Some((message, error)) = decoded.warning() {
                log.log(Level::Warning, message, vec![("error", error.into())]);
            }
            decoded.options
        }
        (None, None) => Options::default(),
    })
}

/// Reads the thresholds and fits them to the metrics the script declared.
fn watch(
    request: &Request,
    options: &Options,
    registry: &Registry,
    log: &Logger,
) -> Result<Vec<threshold::Watched>, Failure> {
    let Some(thresholds) = &options.thresholds else { return Ok(Vec::new()) };
    if request.no_thresholds {
        // Where no summary would show them, k6 does not look at them at all.
        let is_shown = request.summary_mode != crate::summary::Mode::Disabled || request.address.is_some();
        let silent = Logger::silent();
        return Ok(threshold::names_only(&thresholds.0, registry, if is_shown { log } else { &silent }));
    }
    let mut watched = threshold::check(&thresholds.0, registry, request.strict, log)?;
    let baseline = request.baseline.as_deref().map(|name| {
        let path = request.cwd.join(name);
        let text = std::fs::read_to_string(path).map_err(|error| {
            let why = writing::plain(&error);
            Failure::new(ExitCode::InvalidConfig, format!("the baseline '{name}' can't be read: {why}"))
        })?;
        Baseline::parse(name, &text)
    });
    threshold::compare(&mut watched, baseline.transpose()?.as_ref())?;
    Ok(watched)
}

impl Run {
    fn ledger(&self) -> std::sync::MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens everything that will be written, so that what can't be written is known before the test.
    fn open_outputs(&self) -> Result<Vec<Running>, Failure> {
        if self.request.rehearsal {
            let (registry, terminal) = (self.script.registry.clone(), self.request.terminal.clone());
            let shown = Box::new(rehearsal::Shown::new(registry, terminal));
            return Ok(vec![output::run(shown, &mut self.ledger(), self.log.clone())?]);
        }
        if let Some(name) = &self.request.summary_export {
            let writes_it = |asked: &&String| asked.split_once('=').is_some_and(|(_, path)| path == name);
            if let Some(asked) = self.request.outputs.iter().find(writes_it) {
                self.log
                    .warn(format!("`-o {asked}` and `--summary-export` write one file: only the summary will be left"));
            }
            // k6 tells only at the end, and ends well: what was measured is worth more than its copy. So this is said
            // early, but is no warning.
            if let Err(error) = writing::ensure_writable(&self.request.cwd.join(name)) {
                let why = writing::plain(&error);
                self.log.log(Level::Info, format!("the summary can't be exported to '{name}': {why}"), Vec::new());
            }
        }
        let thresholds = self.options.thresholds.as_ref().map(|thresholds| thresholds.0.clone()).unwrap_or_default();
        let parts = self.ledger().parts().map(|(metric, part)| (metric, part.clone())).collect();
        let env = self.request.process_env.clone();
        let means = output::Means {
            registry: self.script.registry.clone(),
            thresholds: thresholds.into(),
            parts,
            system_tags: self.script.system_tags,
            folder: self.request.cwd.clone(),
            stdout: Arc::new(Mutex::new(self.request.terminal.stdout_writer())),
            variables: env.keys().cloned().collect(),
            env: Arc::new(move |name| env.get(name).cloned()),
            features: self.request.layers.features.clone().into(),
            strict: self.request.strict,
            collectors: self.request.collectors.clone().into(),
            logger: self.log.clone(),
        };
        let mut running = Vec::new();
        for asked in self.request.outputs.iter().filter(|asked| reports::dashboard_argument(asked).is_none()) {
            let made = output::make(asked, &means)?;
            running.push(output::run(made, &mut self.ledger(), self.log.clone())?);
        }
        Ok(running)
    }

    /// Says what is about to run.
    fn announce(&self, outputs: &[Running], dashboard: Option<&Dashboard>) {
        let (terminal, about) = (&self.request.terminal, view::description(self, outputs, dashboard));
        if self.request.quiet {
            self.log.debug(about.render(false));
        } else {
            terminal.print(&banner(terminal.stdout_colors()));
            terminal.print(&about.render(terminal.stdout_colors()));
        }
    }

    /// What goes on beside the stages: VU counts and thresholds.
    async fn beats(&self) {
        let every = |period| {
            let mut beat = tokio::time::interval_at(tokio::time::Instant::now() + period, period);
            beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            beat
        };
        let (mut count, mut judge) = (every(COUNT_VUS_EVERY), every(JUDGE_EVERY));
        let mut has_files = true;
        loop {
            tokio::select! {
                _ = count.tick() => self.count_vus(),
                _ = judge.tick() => self.judge(),
                // From here on requests would fail for a reason of ours, and be counted against the target.
                () = self.script.net.out_of_files(), if has_files => {
                    has_files = false;
                    self.state.abort_with(ExitCode::Other, format!(
                        "the run was stopped: this process may have {} files open, and every connection is one; raise the \
                         limit (`ulimit -n`, or `LimitNOFILE` of a service), or spread the VUs over several machines",
                        crate::net::open_files::limit(),
                    ));
                }
            }
        }
    }

    /// Where a run is that has gone through all its stages.
    fn ended(&self) -> Status {
        if self.state.is_aborted() {
            Status::Interrupted
        } else if self.state.marked_as_failed.load(Relaxed) {
            Status::MarkedAsFailed
        } else {
            Status::Ended
        }
    }

    fn count_vus(&self) {
        // A run that waits to be started measures nothing.
        if self.state.status() == Status::PausedBeforeRun {
            return;
        }
        let (time, tags) = (self.script.epoch.stamp(Instant::now()), &self.script.run_tags);
        let sample = |metric, value: u64| Record::Sample {
            time,
            metric,
            value: value as f64,
            tags: tags.clone(),
            metadata: None,
        };
        let mut batch = vec![
            sample(builtin::VUS, self.state.active_vus.load(Relaxed)),
            sample(builtin::VUS_MAX, self.state.initialised_vus.load(Relaxed)),
        ];
        self.ledger().take(&mut batch);
        self.look_at_generator();
    }

    /// Writes down how the generator itself does.
    fn look_at_generator(&self) {
        let mut lateness = self.lateness.lock().unwrap_or_else(PoisonError::into_inner);
        let mut ledger = self.ledger();
        lateness.take().for_each(|late| ledger.lagged(Thread::Network, late));
        ledger.used(self.meter.read());
    }

    fn judge(&self) {
        if self.request.no_thresholds {
            return;
        }
        let verdict = self.ledger().evaluate(self.state.elapsed(), false);
        if verdict.abort
            && let Some(failure) = verdict.failure()
        {
            self.state.abort(failure);
        }
    }

    /// Makes all planned VUs; each runs the script's init code.
    async fn initialise(&self) -> Result<(), Failure> {
        let planned = self.plan.max_planned_vus();
        let made = futures_util::stream::iter(1..=planned)
            .map(|id| async move {
                self.crew.initialise(id).await.map_err(|failure| {
                    let hint = format!("error while initializing VU #{id}");
                    Failure { hint: Some(hint), ..failure }
                })?;
                self.pool.put(id);
                Ok::<_, Failure>(())
            })
            .buffered(self.workers.len())
            .try_for_each(|()| async { Ok(()) });
        let result = tokio::select! {
            result = made => result,
            () = self.state.until_aborted() => Ok(()),
        };
        if let Err(failure) = &result {
            self.state.abort(failure.clone());
        }
        result
    }

    /// Runs `setup()` once and keeps what it returns.
    async fn set_up(&self) -> Result<(), Failure> {
        if !self.exports.has("setup") || self.options.no_setup.unwrap_or_default() {
            return Ok(());
        }
        let data = self.run_setup().await?;
        *self.script.setup_data.lock().unwrap_or_else(PoisonError::into_inner) = data;
        Ok(())
    }

    async fn run_setup(&self) -> Result<Option<Arc<str>>, Failure> {
        let limit = self.options.setup_timeout.map_or(DEFAULT_STAGE_TIMEOUT, crate::units::Span::to_duration);
        let work = |vu: std::rc::Rc<crate::js::Lifecycle>| async move { vu.setup().await };
        let data = self.stage("setup()", limit, ExitCode::SetupTimeout, "setupTimeout", true, work).await?;
        Ok(data.map(Into::into))
    }

    /// Runs one of the stages that have a VU of their own; when its time is over, the VU is stopped.
    async fn stage<T, F>(
        &self,
        name: &str,
        limit: Duration,
        code: ExitCode,
        option: &str,
        stops_with_run: bool,
        work: impl FnOnce(std::rc::Rc<crate::js::Lifecycle>) -> F + Send + 'static,
    ) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Failure>> + 'static,
    {
        let (tell, mut told) = tokio::sync::watch::channel(None);
        let stage = VuCrew::with_own_vu(
            &self.workers,
            &self.script,
            move |stop| {
                tell.send_replace(Some(stop));
            },
            work,
        );
        tokio::pin!(stage);
        let aborted = async {
            if stops_with_run {
                self.state.until_aborted().await;
            } else {
                std::future::pending::<()>().await;
            }
        };
        let overdue = tokio::select! {
            result = &mut stage => return result,
            () = tokio::time::sleep(limit) => true,
            () = aborted => false,
        };
        if let Ok(stop) = told.wait_for(Option::is_some).await
            && let Some(stop) = &*stop
        {
            stop.raise();
        }
        // It ends at its next chance; its own error is only that it was stopped.
        let _ = tokio::time::timeout(STOP_TIMEOUT, stage).await;
        if overdue {
            let text = format!("{name} execution timed out after {:.0} seconds", limit.as_secs_f64().trunc());
            let hint = format!("You can increase the time limit via the {option} option");
            return Err(Failure::new(code, text).hint(hint));
        }
        Err(self.state.aborted().map_or_else(signals::hurry, |abort| abort.failure))
    }

    /// Runs all scenarios at their start times.
    async fn run_scenarios(&self) -> Result<(), Failure> {
        let running = self.scenarios.iter().map(|planned| planned.run(self));
        let results = futures_util::future::join_all(running).await;
        results.into_iter().find(Result::is_err).unwrap_or(Ok(()))
    }

    /// Runs `teardown()` once, also when the run was stopped.
    async fn tear_down(&self) -> Result<(), Failure> {
        if !self.exports.has("teardown") || self.options.no_teardown.unwrap_or_default() {
            return Ok(());
        }
        self.run_teardown().await
    }

    async fn run_teardown(&self) -> Result<(), Failure> {
        let limit = self.options.teardown_timeout.map_or(DEFAULT_STAGE_TIMEOUT, crate::units::Span::to_duration);
        self.stage("teardown()", limit, ExitCode::TeardownTimeout, "teardownTimeout", false, |vu| async move {
            vu.teardown().await
        })
        .await
    }

    /// Waits after the test, where that was asked for.
    async fn linger(&self) {
        let Some(limit) = self.request.linger else { return };
        // A test that ended itself, or was ended by a threshold, is over like any other.
        if self.state.is_signalled() {
            return;
        }
        match limit {
            Some(limit) => {
                tokio::select! {
                    () = tokio::time::sleep(limit) => {}
                    () = self.state.linger_until_signal() => {}
                }
            }
            None => {
                if !self.request.quiet {
                    self.request.terminal.print(&format!(
                        "The test is done, but --linger was enabled, so {} is waiting for Ctrl+C to continue...",
                        self.request.program
                    ));
                }
                self.state.linger_until_signal().await;
            }
        }
    }
}

/// How long setup and teardown may take unless options say otherwise.
const DEFAULT_STAGE_TIMEOUT: Duration = Duration::from_secs(60);
