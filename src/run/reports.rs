//! What a run writes beside k6's summary: our JSON, JUnit, the report page, and the page while the run goes on.
//!
//! All of it is made from one document ([`crate::summary::document`]), and that from the one ledger.

use std::io::Write;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

#[cfg(feature = "browser")]
use base64::Engine as _;
#[cfg(feature = "browser")]
use base64::engine::general_purpose::STANDARD;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::{RunRequest, TestRun};
use crate::execution::RunState;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::js::engine::Engine;
use crate::log::Level;
use crate::metrics::{Ledger, Results};
use crate::options::{ExecutorConfig, Segment};
use crate::report::server::{AtEnd, DocumentSource};
use crate::report::{self, Dashboard, DashboardSettings};
use crate::summary::document::{self, MergeFacts, RunEnd, RunFacts};
use crate::summary::markdown::{self, MarkdownFacts};
use crate::summary::pages::FailedAction;
use crate::summary::{Mode, RenderOptions, junit, writing};
use crate::units::sync::lock;

/// So many pictures of pages are in a report page; the others are named.
#[cfg(feature = "browser")]
const MAX_PICTURES: usize = 6;
/// A larger one is only named.
#[cfg(feature = "browser")]
const MAX_PICTURE_BYTES: usize = 1 << 20;

/// What was asked for by flags.
#[derive(Clone, Debug, Default)]
pub struct Reports {
    /// `--summary-json`
    pub json: Option<String>,
    /// `--summary-junit`
    pub junit: Option<String>,
    /// `--report`
    pub html: Option<String>,
    /// `--summary-markdown`
    pub markdown: Option<String>,
    /// `--summary-endpoints`
    pub endpoints: bool,
}

/// What is written, once outputs and variables are read too.
#[derive(Debug, Default)]
pub(super) struct ReportPlan {
    json: Option<String>,
    junit: Option<String>,
    markdown: Option<String>,
    /// Pages to write at the end.
    html: Vec<String>,
    dashboard: Option<DashboardSettings>,
    /// Other instances take part: the document is what is handed over.
    is_part: bool,
    /// Full mode shows a table of endpoints.
    pub has_endpoint_table: bool,
}

/// The name of the dashboard among the outputs.
const DASHBOARD: &str = "web-dashboard";

/// The argument of an output, if it is the dashboard.
pub(super) fn dashboard_argument(output: &str) -> Option<Option<&str>> {
    match output.split_once('=') {
        Some((name, argument)) => (name == DASHBOARD).then_some(Some(argument)),
        None => (output == DASHBOARD).then_some(None),
    }
}

impl ReportPlan {
    /// Reads what is wanted and tries whether it can be written.
    ///
    /// # Errors
    /// Settings that can't be meant, files that can't be written: a run whose result is lost is not begun.
    pub fn read(request: &RunRequest) -> Result<Self, Failure> {
        let Reports { json, junit, html, markdown, endpoints } = request.reports.clone();
        let env = |name: &str| request.process_env.get(name).cloned();
        let dashboard = match request.outputs.iter().find_map(|output| dashboard_argument(output)) {
            None => {
                if let Some(path) = env("K6_WEB_DASHBOARD_EXPORT").filter(|path| !path.is_empty()) {
                    let text = format!("`K6_WEB_DASHBOARD_EXPORT={path}` has no effect without the web dashboard");
                    let hint = "set `K6_WEB_DASHBOARD=true` too, or write `--report` for the page alone";
                    request.script.log.logger().log(Level::Warning, text, vec![("hint", hint.into())]);
                }
                None
            }
            Some(argument) => Some(DashboardSettings::read(argument, &env).map_err(|error| {
                Failure::new(ExitCode::Other, format!("could not create the '{DASHBOARD}' output: {error}"))
            })?),
        };
        let export = dashboard.as_ref().and_then(|dashboard| dashboard.export.clone());
        let is_full = request.summary_mode == Mode::Full;
        let has_endpoint_table = is_full && (endpoints || request.terminal.stdout_is_tty());
        if endpoints && !is_full {
            let text = "`--summary-endpoints` is a part of the full summary: add `--summary-mode=full`";
            return Err(Failure::new(ExitCode::InvalidConfig, text));
        }
        let html = html.into_iter().chain(export).collect();
        let is_part = request.joined.is_some();
        let wanted = Self { json, junit, markdown, html, dashboard, is_part, has_endpoint_table };
        for path in wanted.json.iter().chain(&wanted.junit).chain(&wanted.markdown).chain(&wanted.html) {
            writing::ensure_writable(&request.cwd.join(path)).map_err(|error| {
                Failure::new(ExitCode::Other, format!("could not write '{path}': {}", writing::plain(&error)))
            })?;
        }
        Ok(wanted)
    }

    /// Where our own summary goes, if it was asked for.
    pub fn json_file(&self) -> Option<&str> {
        self.json.as_deref()
    }

    /// Whether the ledger has to keep endpoints, errors and the time series.
    pub fn needs_breakdown(&self) -> bool {
        self.has_document() || self.has_endpoint_table || self.markdown.is_some()
    }

    /// Whether sections of groups and scenarios are wanted.
    pub fn needs_sections(&self) -> bool {
        self.has_document()
    }

    fn has_document(&self) -> bool {
        self.is_part || self.json.is_some() || !self.html.is_empty() || self.dashboard.is_some()
    }
}

impl TestRun {
    /// How long the scenarios are planned to take, without their graceful stop; `None` for no end.
    pub(super) fn duration(&self) -> Option<Duration> {
        let ends = self.scenarios.iter().map(|planned| match &planned.scenario.executor {
            ExecutorConfig::ExternallyControlled { duration: None, .. } => None,
            executor => Some(planned.scenario.start_time + executor.duration()),
        });
        ends.reduce(|one, other| Some(one?.max(other?))).flatten()
    }

    /// Whether the duration is only a limit, as all scenarios count iterations.
    pub(super) fn has_limit_only(&self) -> bool {
        self.scenarios.iter().all(|planned| planned.scenario.executor.counts_iterations())
    }

    pub(super) fn facts(&self, end: Option<RunEnd>) -> RunFacts {
        let scenarios = self.scenarios.iter().map(|planned| {
            let scenario = &planned.scenario;
            [scenario.name.clone(), scenario.executor.word().to_owned(), scenario.describe(&self.share)]
        });
        RunFacts {
            script: self.request.script.argument.clone(),
            engine: engine_name(self.request.script.engine).to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            k6_version: super::K6_VERSION.to_owned(),
            started: self.started,
            planned: self.plan.max_duration().as_secs_f64(),
            duration: self.duration().map(|duration| duration.as_secs_f64()),
            has_limit_only: self.has_limit_only(),
            active_vus: self.state.active_vus.load(Relaxed),
            max_vus: self.plan.max_vus(),
            scenarios: scenarios.collect(),
            segment: String::new(),
            test: String::new(),
            incomplete: None,
            judges: !self.request.no_thresholds,
            failed_actions: if end.is_some() { self.failed_actions() } else { Vec::new() },
            end,
        }
    }

    /// Actions on pages that failed, with the first few pictures.
    fn failed_actions(&self) -> Vec<FailedAction> {
        #[cfg(not(feature = "browser"))]
        return Vec::new();
        #[cfg(feature = "browser")]
        {
            let mut shown = 0;
            let action = |picture: crate::js::modules::k6::browser::PagePicture| {
                let file = (shown < MAX_PICTURES).then(|| std::fs::read(&picture.path).ok()).flatten();
                let file = file.filter(|bytes| bytes.len() <= MAX_PICTURE_BYTES);
                shown += usize::from(file.is_some());
                let image = file.map(|bytes| format!("data:image/png;base64,{}", STANDARD.encode(bytes)));
                FailedAction { message: picture.message, path: picture.path, image }
            };
            crate::js::modules::k6::browser::pictures(&self.script).into_iter().map(action).collect()
        }
    }

    /// The same at the end, with what parts of one test are recognized by.
    pub(super) fn facts_of_part(&self, end: Option<RunEnd>) -> RunFacts {
        let mut facts = self.facts(end);
        if self.reports.has_document() {
            facts.segment = self.options.execution_segment.unwrap_or(Segment::FULL).to_string();
            facts.test = self.test_hash();
        }
        facts
    }

    /// Makes the document of the moment it is called at.
    pub(super) fn live_document(self: &Arc<Self>) -> DocumentSource {
        let live = LiveDocument {
            run: Arc::downgrade(self),
            ledger: self.ledger.clone(),
            options: self.render_options(),
            facts: self.facts(None),
            state: self.state.clone(),
        };
        Arc::new(move || live.document())
    }

    /// Opens the dashboard, where one is wanted.
    ///
    /// # Errors
    /// When it can't listen on its address.
    pub(super) fn open_dashboard(self: &Arc<Self>) -> Result<Option<Dashboard>, Failure> {
        let Some(settings) = &self.reports.dashboard else { return Ok(None) };
        // The process that observes the run has a page of its own.
        if self.request.is_observed {
            return Ok(None);
        }
        match Dashboard::start(settings, &self.request.script.argument, self.live_document(), AtEnd::Stays) {
            Ok(dashboard) => {
                if let Some(at) = dashboard.as_ref().and_then(|dashboard| dashboard.open_address) {
                    self.log.warn(format!(
                        "the web dashboard listens on {at}, beyond this machine: whoever reaches it can read the run's \
                         numbers; `host=127.0.0.1` keeps it here"
                    ));
                }
                Ok(dashboard)
            }
            Err(error) if settings.port.may_be_taken() => {
                let fields = vec![("error", writing::plain(&error).into())];
                self.log.log(Level::Warning, "the web dashboard can't listen, the run goes on without it", fields);
                Ok(None)
            }
            Err(error) => {
                let port = settings.port.number().unwrap_or_default();
                let why = writing::plain(&error);
                let text = format!("could not start the '{DASHBOARD}' output: port {port}: {why}");
                Err(Failure::new(ExitCode::Other, text))
            }
        }
    }

    /// Writes everything that was asked for, and shows the dashboard the last document; whether our own summary was written.
    pub(super) fn write_reports(
        &self,
        results: &Results,
        facts: &RunFacts,
        merge: Option<&MergeFacts>,
        dashboard: Option<&Dashboard>,
    ) -> bool {
        let options = self.render_options();
        let build = |has_histograms: bool| match merge {
            Some(merge) => document::build_merged(results, &options, facts, merge, has_histograms),
            None => document::build(results, &options, facts, has_histograms),
        };
        let has_json = self.reports.json.as_ref().is_some_and(|path| {
            let text = build(true).for_file(1);
            self.write(path, text.as_bytes())
        });
        if let Some(path) = &self.reports.junit {
            self.write(path, junit::render(results, facts).as_bytes());
        }
        if let Some(path) = &self.reports.markdown {
            self.write_markdown(path, results, &options, facts, merge);
        }
        if self.reports.html.is_empty() && dashboard.is_none() {
            return has_json;
        }
        let document = build(false).for_script();
        if let Some(dashboard) = dashboard {
            dashboard.finish(&document);
        }
        let page = report::page(&document, &self.request.script.argument, report::PageMode::File);
        for path in &self.reports.html {
            let packed = path.ends_with(".gz").then(|| gzip(page.as_bytes())).flatten();
            self.write(path, packed.as_deref().unwrap_or(page.as_bytes()));
        }
        has_json
    }

    /// The summary of a job on GitHub may have other parts: ours stands behind them.
    fn write_markdown(
        &self,
        path: &str,
        results: &Results,
        options: &RenderOptions,
        facts: &RunFacts,
        merge: Option<&MergeFacts>,
    ) {
        let breakdown = results.breakdown.as_ref();
        let (endpoints, errors) = match (merge, breakdown) {
            (Some(merge), _) => (&*merge.endpoints, &*merge.errors),
            (None, Some(breakdown)) => (&*breakdown.endpoints, &*breakdown.errors),
            (None, None) => (&[][..], &[][..]),
        };
        let complaint = merge
            .map_or_else(|| results.health.complaint(), |merge| merge.health["complaint"].as_str().map(str::to_owned));
        let page = markdown::render(
            results,
            options,
            &MarkdownFacts { run: facts, endpoints, errors, parts: merge.map(|merge| &merge.parts), complaint },
        );
        let job = self.request.process_env.get("GITHUB_STEP_SUMMARY").map(String::as_str);
        let before = job.filter(|job| *job == path).and_then(|job| std::fs::read(job).ok()).unwrap_or_default();
        self.write(path, &[&before, page.as_bytes()].concat());
    }

    /// What all parts of one test have in common: its files, wherever they are, and its options but for those in which
    /// parts may differ.
    pub(super) fn test_hash(&self) -> String {
        let files = self.request.script.main.files.all();
        let mut hashes: Vec<_> = files.iter().map(|(_, content)| Sha256::digest(content)).collect();
        hashes.sort_unstable();
        // An archive has defaults filled in.
        let mut options = self.options.with_defaults().to_script_json();
        let own = ["executionSegment", "executionSegmentSequence", "tags", "consoleOutput", "localIPs", "paused"];
        options.retain(|key, _| !own.contains(&key.as_str()));
        let mut hash = Sha256::new().chain_update(serde_json::Value::Object(options).to_string());
        hashes.iter().for_each(|file| hash.update(file));
        HEXLOWER.encode(&hash.finalize())
    }

    /// A file that can't be written is an error line; what the run came to is not changed by it. Whether it was written.
    pub(super) fn write(&self, path: &str, content: &[u8]) -> bool {
        let written = writing::write_file(&self.request.cwd.join(path), content);
        if let Err(error) = &written {
            let fields = vec![("error", writing::plain(error).into())];
            self.log.log(Level::Error, format!("could not write '{path}'"), fields);
        }
        written.is_ok()
    }
}

fn engine_name(engine: Engine) -> &'static str {
    Engine::TABLE.iter().find(|(_, known)| *known == engine).map_or("", |(name, _)| name)
}

fn gzip(content: &[u8]) -> Option<Vec<u8>> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    // Writing to memory does not fail.
    packer.write_all(content).ok()?;
    packer.finish().ok()
}

/// What the dashboard's documents are made from while the run goes on.
struct LiveDocument {
    /// Of several instances, one shows what all do.
    run: Weak<TestRun>,
    ledger: Arc<Mutex<Ledger>>,
    options: RenderOptions,
    facts: RunFacts,
    state: Arc<RunState>,
}

impl LiveDocument {
    fn document(&self) -> String {
        if let Some(of_all) = self.run.upgrade().and_then(|run| run.document_so_far()) {
            return of_all;
        }
        let results = {
            let mut ledger = lock(&self.ledger);
            let duration = self.state.elapsed();
            ledger.sort();
            ledger.snapshot(duration)
        };
        let facts = RunFacts { active_vus: self.state.active_vus.load(Relaxed), ..self.facts.clone() };
        document::build(&results, &self.options, &facts, false).for_script()
    }
}
