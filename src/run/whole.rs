//! The result of all instances of a test: at its end, and while it runs.

use std::io::Read as _;
use std::time::Instant;

use super::TestRun;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::join::{FoundPart, Joined, Severed};
use crate::log::Level;
use crate::metrics::record::Epoch;
use crate::metrics::threshold::Threshold;
use crate::metrics::{LedgerDelta, Results, ThresholdVerdict};
use crate::summary::document::{self, RunEnd};
use crate::summary::merge::{self, Merge};
use crate::summary::part::Part;
use crate::summary::writing;

impl TestRun {
    /// One result of all; nothing if there is none.
    pub(super) async fn merge(&self, joined: &Joined, ended: &Result<(), Failure>) -> Result<Option<Merge>, Severed> {
        let mut parts = Vec::new();
        for found in joined.parts().await? {
            let name = format!("instance {}", found.instance);
            match self.read_part(&name, &found) {
                Ok(part) => parts.extend(part),
                Err(why) => self.log.error(format!("the result of {name} can't be read: {why}")),
            }
        }
        if parts.is_empty() {
            return Ok(None);
        }
        // Where not all was heard in time, each says what was in each window, by its own clock.
        let of_parts = (!joined.heard_all_in_time()).then(|| merge::merge(&parts, true).ok()).flatten();
        let mut merged = match of_parts {
            Some(merged) => merged,
            None => {
                for metric in parts.iter_mut().flat_map(|part| &mut part.results.metrics) {
                    // What was in each window was judged while the test ran, by one clock.
                    metric.thresholds =
                        self.watched(&metric.name).filter(|threshold| !threshold.has_window()).cloned().collect();
                }
                match merge::merge(&parts, true) {
                    Ok(mut merged) => {
                        self.judge_windows(joined, &mut merged);
                        merged
                    }
                    Err(why) => {
                        self.log.error(format!("the results of all instances could not be merged: {why}"));
                        return Ok(None);
                    }
                }
            }
        };
        let crossed = merged.results.metrics.iter().filter(|one| one.thresholds.iter().any(|threshold| !threshold.ok));
        let mut crossed: Vec<_> = crossed.map(|metric| metric.name.clone()).collect();
        crossed.sort();
        let verdict = ThresholdVerdict { crossed, ..Default::default() };
        let marked = || {
            let text = "test run was marked as failed";
            joined.is_marked_as_failed().then(|| Failure::new(ExitCode::MarkedAsFailed, text))
        };
        let failure = ended.as_ref().err().cloned().or_else(marked).or_else(|| verdict.failure());
        let lacking = || {
            let why = merged.facts.incomplete.as_ref()?;
            Some(Failure::new(ExitCode::Incomplete, format!("the result is incomplete: {why}")))
        };
        let failure = failure.or_else(lacking);
        merged.facts.end = Some(failure.as_ref().into());
        merged.options = self.render_options();
        // What the process ends with is said then.
        let is_last = |note: &str| failure.as_ref().is_some_and(|failure| failure.message == note);
        for note in merged.notes.iter().filter(|note| !is_last(note)) {
            self.log.log(Level::Warning, note.as_str(), Vec::new());
        }
        Ok(Some(merged))
    }

    /// What all have measured up to a few seconds ago, as a document for a page; nothing where another instance conducts, or
    /// nothing is known yet.
    pub(super) fn document_so_far(&self) -> Option<String> {
        let joined = self.joined()?;
        let totals = joined.totals()?;
        let mut parts = Vec::new();
        for found in joined.live_parts() {
            // One that can't be read is there again, whole, in a moment.
            let mut part = self.read_part(&format!("instance {}", found.instance), &found).ok()??;
            (part.exit_code, part.reason) = (0, None);
            part.results.metrics.iter_mut().for_each(|metric| metric.thresholds.clear());
            parts.push(part);
        }
        let mut merged = merge::merge(&parts, true).ok()?;
        // Thresholds are as the conductor has judged them.
        let duration = merged.results.duration;
        let judged = joined.look(|ledger| ledger.snapshot(duration))?;
        for metric in &mut merged.results.metrics {
            metric.thresholds = judged.metric(&metric.name).map(|live| live.thresholds.clone()).unwrap_or_default();
        }
        (merged.facts.end, merged.facts.incomplete) = (None, None);
        (merged.facts.active_vus, merged.facts.max_vus) = (totals.active, totals.max_vus);
        let Merge { results, facts, merge, .. } = &merged;
        Some(document::build_merged(results, &self.render_options(), facts, merge, false).for_script())
    }

    /// What an instance left, with what it sent after that; nothing where it left nothing.
    ///
    /// # Errors
    /// It can't be read.
    fn read_part(&self, name: &str, found: &FoundPart) -> Result<Option<Part>, String> {
        let Some(packed) = &found.document else { return Ok(None) };
        let mut text = String::new();
        flate2::read::GzDecoder::new(&**packed).read_to_string(&mut text).map_err(|error| writing::plain(&error))?;
        let mut part = Part::read(name, &text)?;
        if !found.later.is_empty() {
            merge::append(&mut part, &self.results_of(&found.later));
            let seconds = found.later.len();
            part.reason = part.reason.map(|reason| format!("{reason} and of {seconds} s after that"));
        }
        Ok(Some(part))
    }

    /// What was sent second by second, added up.
    fn results_of(&self, deltas: &[LedgerDelta]) -> Results {
        use crate::join::JoinedRun as _;
        let mut ledger = self.fresh_ledger();
        let now = Epoch::now().stamp(Instant::now());
        deltas.iter().for_each(|delta| ledger.absorb(delta, now));
        let mut results = ledger.snapshot(std::time::Duration::ZERO);
        let names: Vec<&str> = deltas.iter().flat_map(|delta| &delta.metrics).map(|metric| &*metric.name).collect();
        // What is shown for its thresholds alone has no values.
        results.metrics.retain(|metric| names.contains(&&*metric.name));
        results
    }

    /// Puts the thresholds that judge windows to the others.
    fn judge_windows(&self, joined: &Joined, merged: &mut Merge) {
        let judged = joined.judged(merged.results.duration);
        for metric in &mut merged.results.metrics {
            let live = judged.as_ref().and_then(|judged| judged.metric(&metric.name));
            let mut others = std::mem::take(&mut metric.thresholds).into_iter();
            metric.thresholds = (self.watched(&metric.name).enumerate())
                .filter_map(|(at, threshold)| {
                    let live = live.and_then(|live| live.thresholds.get(at));
                    if threshold.has_window() { Some(live.unwrap_or(threshold).clone()) } else { others.next() }
                })
                .collect();
        }
    }

    /// The thresholds of a metric, for what all instances measure.
    fn watched(&self, name: &str) -> impl Iterator<Item = &Threshold> {
        let watched = self.watched.iter().filter(move |watched| &*watched.selector.name == name);
        watched.flat_map(|watched| &watched.thresholds)
    }
}

impl From<Option<&Failure>> for RunEnd {
    fn from(failure: Option<&Failure>) -> Self {
        match failure {
            None => Self { code: 0, reason: None },
            Some(failure) => Self { code: failure.code as u8, reason: Some(failure.message.clone()) },
        }
    }
}
