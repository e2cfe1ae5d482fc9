//! Watch mode's run of one iteration: which requests it sends, what is answered, which checks hold.
//!
//! The scenario that starts first gives the function, the environment and the tags. Rates, VUs and thresholds say
//! nothing about one iteration, so they are left out.

use std::sync::Arc;
use std::time::Duration;

use crate::failure::Failure;
use crate::metrics::record::millis;
use crate::metrics::{Record, Registry, TagSet, builtin};
use crate::options::{ExecutorConfig, Plan, ResolvedOptions, Share};
use crate::output::Output;
use crate::ui::Terminal;

/// How long the iteration may take.
const ITERATION_TIMEOUT: Duration = Duration::from_secs(600);

/// Leaves one iteration of one VU.
pub(super) fn reduce(settled: &mut ResolvedOptions) {
    settled.scenarios.truncate(1);
    for scenario in &mut settled.scenarios {
        scenario.start_time = Duration::ZERO;
        scenario.graceful_stop = Duration::ZERO;
        scenario.executor = ExecutorConfig::PerVuIterations { vus: 1, iterations: 1, max_duration: ITERATION_TIMEOUT };
    }
    settled.share = Share::full();
    settled.plan = Plan::new(&settled.scenarios, &settled.share);
}

/// Prints a line for each request and each check.
pub(super) struct Printer {
    registry: Arc<Registry>,
    terminal: Terminal,
}

impl Printer {
    pub fn new(registry: Arc<Registry>, terminal: Terminal) -> Self {
        Self { registry, terminal }
    }

    fn line(&self, record: &Record) -> Option<String> {
        let tags = record.tags();
        let tag = |name: &str| tags.get(name).unwrap_or_default();
        let text = match record {
            Record::Http { timings, .. } => {
                // A grouped address shows the group's name, as metrics do.
                let address = if tag("name").is_empty() { tag("url") } else { tag("name") };
                let outcome = if tag("error").is_empty() { tag("status") } else { tag("error") };
                format!("  {} {address} -> {outcome} in {:.2} ms", tag("method"), millis(timings.duration()))
            }
            Record::Sample { metric, value, .. } if *metric == builtin::CHECKS => {
                format!("  {} {}", if *value == 0.0 { '✗' } else { '✓' }, tag("check"))
            }
            // Built-in metrics beside these are sums of what was shown.
            Record::Sample { metric, value, .. } if !builtin::is_one(*metric) => {
                format!("  {} {value}", self.registry.get(*metric)?.name)
            }
            _ => return None,
        };
        Some(format!("{text}{}\n", place(tags)))
    }
}

/// The group it happened in, where it was in one.
fn place(tags: &TagSet) -> String {
    let group = tags.get("group").unwrap_or_default();
    if group.is_empty() { String::new() } else { format!("  ({})", group.trim_start_matches("::")) }
}

impl Output for Printer {
    fn description(&self) -> String {
        "the terminal".to_owned()
    }

    fn period(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn start(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    fn add(&mut self, batch: &[Record]) -> Result<(), String> {
        let text: String = batch.iter().filter_map(|record| self.line(record)).collect();
        self.terminal.print(&text);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), String> {
        Ok(())
    }

    fn stop(&mut self) -> Result<(), String> {
        Ok(())
    }
}
