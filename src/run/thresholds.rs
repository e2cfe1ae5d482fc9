//! Thresholds: bound to the metrics of the script before the run, judged while it goes on.

use super::{RunRequest, TestRun};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::log::Logger;
use crate::metrics::threshold::Threshold;
use crate::metrics::{Baseline, Registry, threshold};
use crate::options::{Options, Thresholds};
use crate::summary::{Mode, writing};

/// Reads the thresholds and binds them to the metrics the script declared; those in `excluded` only have to be right.
pub(super) fn bind(
    request: &RunRequest,
    options: &Options,
    excluded: &Thresholds,
    registry: &Registry,
) -> Result<Vec<threshold::MetricThresholds>, Failure> {
    let log = request.script.log.logger();
    // A file that can't be read is an error, whatever the script compares with it.
    let baseline = request.baseline.as_deref().map(|name| read_baseline(request, name)).transpose()?;
    let unused = || {
        if let Some(name) = &request.baseline {
            log.warn(format!("no threshold compares with the baseline '{name}': `p(95)<=baseline*1.1` would"));
        }
    };
    let Some(thresholds) = &options.thresholds else {
        unused();
        return Ok(Vec::new());
    };
    if request.no_thresholds {
        // Where no summary would show them, k6 does not look at them at all.
        let is_shown = request.summary_mode != Mode::Disabled || request.address.is_some();
        let log = if is_shown { log } else { Logger::silent() };
        return Ok(threshold::names_only(&thresholds.0, registry, &log));
    }
    if !excluded.0.is_empty() {
        let all = [&thresholds.0[..], &excluded.0].concat();
        threshold::check(&all, registry, request.script.strict, &Logger::silent())?;
    }
    let mut watched = threshold::check(&thresholds.0, registry, request.script.strict, &log)?;
    if request.reports.json.is_some() || request.joined.is_some() {
        // Other instances may have run the rest of the test.
        watched.iter_mut().flat_map(|one| &mut one.thresholds).for_each(Threshold::keep_slices);
    }
    if !threshold::compare(&mut watched, baseline.as_ref())? {
        unused();
    }
    Ok(watched)
}

fn read_baseline(request: &RunRequest, name: &str) -> Result<Baseline, Failure> {
    let text = std::fs::read_to_string(request.cwd.join(name)).map_err(|error| {
        let why = writing::plain(&error);
        Failure::new(ExitCode::InvalidConfig, format!("the baseline '{name}' can't be read: {why}"))
    })?;
    Baseline::parse(name, &text)
}

impl TestRun {
    /// Judges the thresholds; a crossed one with `abortOnFail` stops the run.
    pub(super) fn judge_thresholds(&self) {
        if self.request.no_thresholds {
            return;
        }
        let verdict = self.ledger().evaluate(self.state.elapsed(), false);
        // What all instances have measured counts.
        if self.request.joined.is_some() {
            return;
        }
        if verdict.abort
            && let Some(failure) = verdict.failure()
        {
            self.state.abort(failure);
        }
    }
}
