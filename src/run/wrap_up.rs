//! The end of a run: the last samples, the verdict, the summary, the exports, the exit code.

use std::rc::Rc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::TestRun;
use super::first_failure::FirstFailure;
use super::joined::Whole;
use super::stages::TimeLimit;
use crate::execution::STOP_TIMEOUT;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::js::JsVu;
use crate::js::value::Value;
use crate::log::Level;
use crate::metrics::{MetricValues, Results, TrendStat};
use crate::output::RunningOutput;
use crate::report::Dashboard;
use crate::summary::writing::{self, SummaryEntry};
use crate::summary::{Mode, RenderOptions, data, export, machine, text};
use crate::units::Span;
use crate::units::number::TimeUnit;

/// How long `handleSummary()` may take unless the options say otherwise.
pub(super) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(120);

impl TestRun {
    /// Reports what was measured, whatever ended the run; how the process ends.
    pub(super) async fn wrap_up(
        &self,
        mut outputs: Vec<RunningOutput>,
        first_failure: FirstFailure,
        dashboard: Option<&Dashboard>,
    ) -> Result<(), Failure> {
        self.flush_recorders().await;
        let duration = self.state.elapsed();
        // Those of several instances are judged on what all have measured.
        let is_judged = !self.request.no_thresholds && self.request.joined.is_none();
        let verdict = if is_judged { self.ledger().evaluate(duration, true) } else { Default::default() };
        self.health.record(&mut self.ledger());
        let results = self.ledger().snapshot(duration);
        let went_through = first_failure.is_none() && !self.state.is_aborted();
        if went_through && self.joined().is_none() {
            self.warn_without_iterations(&results);
        }
        // What stands on standard output stands there in order: the samples, then the summary.
        let to_stdout: Vec<_> = outputs.extract_if(.., |output| output.is_stdout).collect();
        self.stop_outputs(to_stdout).await;
        let ended = first_failure.ending(&self.state, &verdict);
        let whole = self.come_together(&results, &ended).await;
        match &whole {
            Whole::Merged(merged) if went_through => self.warn_without_iterations(&merged.results),
            Whole::Alone | Whole::Severed if went_through && self.joined().is_some() && self.makes_load() => {
                self.warn_without_iterations(&results);
            }
            _ => {}
        }
        let shown = match &whole {
            Whole::Merged(merged) => Some(&merged.results),
            Whole::Alone | Whole::Severed => Some(&results).filter(|_| self.makes_load()),
            Whole::HandedOver => None,
        };
        if let Some(shown) = shown.filter(|_| self.request.summary_mode != Mode::Disabled) {
            let incomplete = if let Whole::Merged(merged) = &whole { merged.facts.incomplete.as_deref() } else { None };
            self.summarise(shown, incomplete).await;
        }
        let ended = match &whole {
            Whole::Merged(merged) => {
                self.write_reports(&merged.results, &merged.facts, Some(&merged.merge), dashboard);
                self.ending_of_all(ended, merged)
            }
            Whole::Alone => {
                let facts = self.facts_of_part(Some(ended.as_ref().err().into()));
                self.write_reports(&results, &facts, None, dashboard);
                ended
            }
            Whole::Severed => self.keep_own_result(&results, ended, dashboard),
            Whole::HandedOver => self.ending_of_part(ended),
        };
        self.stop_outputs(outputs).await;
        if let (Whole::Merged(_), Some(joined)) = (&whole, self.joined()) {
            joined.finish().await;
        }
        ended
    }

    /// Says so where nobody finished an iteration: neither this process nor, in a result of all, another instance.
    fn warn_without_iterations(&self, results: &Results) {
        let iterations = results.metric("iterations").map(|metric| &metric.values);
        let of_others = matches!(iterations, Some(MetricValues::Counter { count, .. }) if *count > 0.0);
        if self.state.complete.load(Relaxed) == 0 && !(self.joined().is_some() && of_others) {
            self.log.warn("No script iterations fully finished, consider making the test duration longer");
        }
    }

    /// Lets outputs write what is on its way to them and waits until they have.
    async fn stop_outputs(&self, outputs: Vec<RunningOutput>) {
        outputs.iter().for_each(|output| output.detach(&mut self.ledger()));
        // One that waits for a slow peer must not keep a second Ctrl+C from being heard.
        _ = tokio::task::spawn_blocking(move || outputs.into_iter().for_each(RunningOutput::stop)).await;
    }

    /// Every worker hands over what it has.
    async fn flush_recorders(&self) {
        let flushed = (0..self.workers.len() as u64).map(|at| {
            let (tx, rx) = tokio::sync::oneshot::channel();
            self.workers.post(
                at,
                Box::new(|worker| {
                    Box::pin(async move {
                        worker.flush();
                        _ = tx.send(());
                    })
                }),
            );
            rx
        });
        let all = futures_util::future::join_all(flushed);
        // A worker that is busy with an endless loop has no more records.
        _ = tokio::time::timeout(STOP_TIMEOUT, all).await;
    }

    pub(super) fn render_options(&self) -> RenderOptions {
        let stats = self.options.summary_trend_stats.as_ref().map(|stats| {
            // The options were checked before the run: each of them is one.
            stats.iter().filter_map(|stat| TrendStat::parse(stat).ok()).collect()
        });
        let unit = self.options.summary_time_unit.clone().unwrap_or_default();
        RenderOptions {
            mode: self.request.summary_mode,
            trend_stats: stats.unwrap_or_else(TrendStat::defaults),
            time_unit: TimeUnit::parse(&unit).unwrap_or_default(),
            time_unit_name: unit,
            colors: self.request.terminal.stdout_colors(),
            endpoints: self.reports.has_endpoint_table,
            is_on_terminal: self.request.terminal.stdout_is_tty(),
        }
    }

    /// The text, or what `handleSummary` makes of the data; then the export.
    async fn summarise(&self, results: &Results, incomplete: Option<&str>) {
        let options = self.render_options();
        let facts = data::SummaryFacts {
            stdout_is_tty: self.request.terminal.stdout_is_tty(),
            stderr_is_tty: self.request.terminal.stderr_is_tty(),
            no_color: self.request.no_color,
            setup_data: self.script.setup_data().and_then(|json| serde_json::from_str(&json).ok()),
        };
        let own = if self.exports.values.iter().any(|name| name == "handleSummary") {
            self.summary_error("exported identifier handleSummary must be a function".to_owned());
            Some(Vec::new())
        } else if self.exports.has("handleSummary") {
            match self.handle_summary(results, &options, &facts).await {
                Ok(handled) => handled,
                Err(failure) => {
                    self.log_summary_failure(&failure);
                    // Its own time being over is no reason to print what the script meant to replace.
                    (failure.code == ExitCode::GenericTimeout).then(Vec::new)
                }
            }
        } else {
            None
        };
        let mut outputs = own.unwrap_or_else(|| {
            let mut content = text::render(results, &options);
            if let Some(why) = incomplete {
                content.push_str(&format!("\n  INCOMPLETE: {why}\n"));
            }
            let content = self.request.terminal.fit(content).into_bytes();
            vec![SummaryEntry { target: "stdout".to_owned(), content }]
        });
        if let Some(path) = &self.request.summary_export {
            let content = if self.request.machine_readable {
                machine::build(results, &options, &self.machine_facts()).for_file(4)
            } else {
                export::text(results, &options, &facts)
            };
            outputs.push(SummaryEntry { target: path.clone(), content: content.into_bytes() });
        }
        let (mut stdout, mut stderr) = (self.request.terminal.stdout_writer(), self.request.terminal.stderr_writer());
        if let Err(error) = writing::write_all(&outputs, &self.request.cwd, &mut stdout, &mut stderr) {
            self.summary_error(error);
        }
    }

    fn machine_facts(&self) -> machine::MachineFacts {
        machine::MachineFacts {
            script: self.request.script.main.module.text.to_string(),
            generated_at: jiff::Timestamp::now(),
            k6_version: crate::run::K6_VERSION.to_owned(),
        }
    }

    fn summary_error(&self, error: String) {
        let fields = vec![("error", error.into())];
        self.log.log(Level::Error, "failed to handle the end-of-test summary", fields);
    }

    fn log_summary_failure(&self, failure: &Failure) {
        if failure.is_exception {
            let fields = vec![("hint", "script exception".into()), ("source", "stacktrace".into())];
            self.log.log(Level::Error, failure.message.clone(), fields);
        } else if failure.code == ExitCode::ScriptAborted {
            self.log.error(failure.message.clone());
        } else {
            self.summary_error(failure.message.clone());
        }
    }

    /// What `handleSummary` wants written; `None` if it leaves that to us.
    async fn handle_summary(
        &self,
        results: &Results,
        options: &RenderOptions,
        facts: &data::SummaryFacts,
    ) -> Result<Option<Vec<SummaryEntry>>, Failure> {
        let data = if self.request.machine_readable {
            machine::build(results, options, &self.machine_facts()).for_script()
        } else {
            data::build(results, options, facts).for_script()
        };
        let has_aliases = !self.request.machine_readable && !self.request.script.strict;
        let aliases = has_aliases.then(|| export::aliases(results, options).for_script());
        let limit = TimeLimit {
            name: "handleSummary()",
            timeout: self.options.handle_summary_timeout.map_or(DEFAULT_TIMEOUT, Span::to_duration),
            option: "handleSummaryTimeout",
            code: ExitCode::GenericTimeout,
            stops_with_run: false,
        };
        let work = move |vu: Rc<JsVu>| async move { vu.summarize(data, aliases).await.map(returned) };
        match self.with_own_vu(limit, work).await? {
            Returned::Nothing => Ok(None),
            Returned::Entries(outputs) => Ok(Some(outputs)),
            Returned::Wrong(error) => {
                self.summary_error(error);
                Ok(Some(Vec::new()))
            }
        }
    }
}

/// What `handleSummary` returned.
pub(super) enum Returned {
    Nothing,
    Entries(Vec<SummaryEntry>),
    Wrong(String),
}

pub(super) fn returned(value: Value) -> Returned {
    let map = match value {
        // Whatever JavaScript takes for false.
        Value::Undefined | Value::Null | Value::Bool(false) => return Returned::Nothing,
        Value::Number(number) if number == 0.0 || number.is_nan() => return Returned::Nothing,
        Value::String(text) if text.is_empty() => return Returned::Nothing,
        Value::Map(map) => map,
        _ => return Returned::Wrong("handleSummary() should return a map with string keys".to_owned()),
    };
    let mut outputs = Vec::new();
    for (target, content) in map {
        let content = match content {
            Value::String(text) => text.into_bytes(),
            Value::Bytes(bytes) => bytes.to_vec(),
            other => {
                let kind = match other {
                    Value::Number(number) if number.fract() == 0.0 => "int64",
                    Value::Number(_) => "float64",
                    Value::Bool(_) => "bool",
                    Value::List(_) => "[]interface {}",
                    Value::Undefined | Value::Null => "<nil>",
                    Value::Opaque(kind) => kind,
                    _ => "map[string]interface {}",
                };
                return Returned::Wrong(format!(
                    "error handling summary object {target}: invalid type {kind}, it needs to be a string or ArrayBuffer"
                ));
            }
        };
        outputs.push(SummaryEntry { target, content });
    }
    Returned::Entries(outputs)
}
