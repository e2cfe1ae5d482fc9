//! From options to a run that is ready to start: threads, network, ledger, VUs, scenarios.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use super::evaluate::{ScriptContext, resolve_options};
use super::generator_health::{self, GeneratorHealth};
use super::reports::ReportPlan;
use super::scenarios::PlannedScenario;
use super::{RunRequest, TestRun, joined, network, single_iteration, thresholds};
use crate::execution::Pool;
use crate::exit_code::ExitCode;
use crate::failure::{ExitWith, Failure};
use crate::js::engine::Engine;
#[cfg(feature = "browser")]
use crate::js::modules;
use crate::js::runtime::worker::WorkerThreads;
use crate::js::{Exports, HttpDefaults, Script, VuSet};
use crate::metrics::ledger::LedgerOptions;
use crate::metrics::{Ledger, Recorder, threshold};
use crate::net::Net;
use crate::net::http::DumpLevel;
use crate::options::{Options, Plan, ResolvedOptions, Share, derive};
use crate::output::USER_AGENT;
use crate::summary;
use crate::ui::progress::ProgressMode;

impl TestRun {
    /// Checks the options and makes everything the run needs.
    pub(super) fn prepare(request: RunRequest, context: ScriptContext, exports: Exports) -> Result<Self, Failure> {
        let mut resolved = resolve_options(&request.script, &exports)?;
        if request.single_iteration {
            single_iteration::reduce(&mut resolved);
        }
        let declared = resolved.declared_thresholds();
        let ResolvedOptions { configured, excluded_thresholds, options, scenarios: checked, share, plan, .. } =
            resolved;
        derive::check_exports(&checked, &exports.functions)?;
        hold_if_paused(&request, &context, &options);
        if let Some(path) = &options.console_output {
            request.script.log.console_to(&request.cwd.join(path))?;
        }
        let reports = ReportPlan::read(&request)?;
        let scheduling_delay =
            if request.script.strict { None } else { generator_health::declare(&declared, &context.registry) };
        let archive = joined::archive(&request, &configured);
        let watched = thresholds::bind(&request, &options, &excluded_thresholds, &context.registry)?;
        let threads = Threads::for_vus(plan.max_vus(), request.script.engine);
        let net = start_network(&request, &options, &plan, &threads)?;
        let script = Arc::new(context.script(&request.script, &options, net));
        #[cfg(feature = "browser")]
        modules::k6::browser::configure(&script, &request.process_env);
        let consolidated = options.with_defaults().to_script_json();
        _ = script.options.set(serde_json::Value::Object(consolidated).to_string());
        let exported = configured.with_defaults().to_exported_json();
        _ = script.exported_options.set(serde_json::Value::Object(exported).to_string());
        let for_all = if request.joined.is_some() { watched.clone() } else { Vec::new() };
        let ledger = open_ledger(&request, &context, &script, watched, &reports);
        let recorded = ledger.clone();
        let workers = WorkerThreads::start(threads.workers, move || Recorder::new(recorded.clone()));
        let workers = Arc::new(workers.exit(ExitCode::Other)?);
        let health = GeneratorHealth::start(&workers, &script.net, threads.network, scheduling_delay);
        let vus = VuSet::new(script.clone(), workers.clone(), id_in_test(&share));
        let log = request.script.log.logger();
        let pool = Arc::new(Pool::new(vus.clone(), plan.max_vus() - plan.max_planned_vus(), log.clone()));
        let scenarios = checked
            .into_iter()
            .filter(|scenario| scenario.has_work(&share))
            .map(|scenario| PlannedScenario::new(scenario, &share, &script))
            .collect();
        Ok(Self {
            next_vu: Arc::new(AtomicU64::new(plan.max_planned_vus() + 1)),
            started: jiff::Timestamp::now(),
            state: context.state,
            request,
            options,
            scenarios,
            plan,
            share,
            exports,
            script,
            workers,
            vus,
            pool,
            ledger,
            log,
            watched: for_all,
            archive,
            reports,
            health,
        })
    }
}

/// A test with the option `paused` waits for the REST API before it starts.
fn hold_if_paused(request: &RunRequest, context: &ScriptContext, options: &Options) {
    if options.paused == Some(true) && !request.single_iteration {
        context.state.set_paused(true);
    }
}

fn start_network(request: &RunRequest, options: &Options, plan: &Plan, threads: &Threads) -> Result<Arc<Net>, Failure> {
    let config = network::config(options, &request.process_env, plan.max_vus())?;
    if !crate::net::tls::has_version(&config.tls) {
        let text = "`tlsVersion` allows only versions of TLS that can't be spoken: every TLS handshake will fail";
        request.script.log.logger().warn(text);
    }
    Net::start(config, threads.network, &request.script.log.logger())
}

fn open_ledger(
    request: &RunRequest,
    context: &ScriptContext,
    script: &Script,
    watched: Vec<threshold::MetricThresholds>,
    reports: &ReportPlan,
) -> Arc<Mutex<Ledger>> {
    let options = LedgerOptions {
        watched,
        system_tags: script.system_tags,
        sections: request.summary_mode == summary::Mode::Full || reports.needs_sections(),
        breakdown: (reports.needs_breakdown() || request.progress == ProgressMode::Full).then_some(context.epoch),
    };
    Arc::new(Mutex::new(Ledger::new(context.registry.clone(), options, request.script.log.logger())))
}

/// Maps a VU's number in this process to its number in the whole test.
fn id_in_test(share: &Share) -> Box<dyn Fn(u64) -> u64 + Send + Sync> {
    let share = share.clone();
    Box::new(move |id| share.global(id - 1).map_or(id, |global| global + 1))
}

/// The threads of a run. Fewer threads wake each other less often: half the cores run scripts, a quarter moves bytes, and
/// no thread is started that would have no VU. An engine whose JavaScript is the bottleneck has a worker on every core.
struct Threads {
    workers: usize,
    network: usize,
}

impl Threads {
    fn for_vus(vus: u64, engine: Engine) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let max = usize::try_from(vus.max(1)).unwrap_or(usize::MAX);
        let workers = if engine.is_slow() { cores } else { cores.div_ceil(2) };
        Self { workers: workers.min(max), network: cores.div_ceil(4).min(max) }
    }
}

/// What requests do unless the script says otherwise.
pub(super) fn default_http(options: &Options) -> HttpDefaults {
    let whole = |value: Option<i64>, default: i64| value.unwrap_or(default).max(0) as usize;
    HttpDefaults {
        user_agent: options.user_agent.clone().unwrap_or_else(|| USER_AGENT.to_owned()),
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
    }
}
