//! The failure a run ends with: the first one counts.

use std::sync::atomic::Ordering::Relaxed;

use crate::execution::RunState;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::metrics::ThresholdVerdict;

/// The first failure of a stage.
#[derive(Debug, Default)]
pub(super) struct FirstFailure(Option<Failure>);

impl FirstFailure {
    /// Keeps the failure of a stage unless there was one before; whether the stage went well.
    pub fn note(&mut self, result: Result<(), Failure>) -> bool {
        let is_ok = result.is_ok();
        if let Err(failure) = result {
            self.0.get_or_insert(failure);
        }
        is_ok
    }

    /// Whether no stage failed.
    pub fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// How the process ends: what stopped the run counts first, then what a stage failed with, then the script's own
    /// word, then the thresholds.
    pub fn ending(self, state: &RunState, verdict: &ThresholdVerdict) -> Result<(), Failure> {
        let marked = || {
            let is_marked = state.marked_as_failed.load(Relaxed);
            is_marked.then(|| Failure::new(ExitCode::MarkedAsFailed, "test run was marked as failed"))
        };
        let stopped = state.aborted().map(|abort| abort.failure);
        stopped.or(self.0).or_else(marked).or_else(|| verdict.failure()).map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_failure_decides() {
        let failure = |code, text: &str| Failure::new(code, text);
        let check = |stages: &[&str], aborted: Option<&str>, is_marked: bool, expect: Option<&str>| {
            let state = RunState::default();
            if let Some(text) = aborted {
                state.abort(failure(ExitCode::ScriptAborted, text));
            }
            state.marked_as_failed.store(is_marked, Relaxed);
            let mut first = FirstFailure::default();
            assert!(first.note(Ok(())));
            for text in stages {
                assert!(!first.note(Err(failure(ExitCode::ScriptException, text))));
            }
            let ended = first.ending(&state, &ThresholdVerdict::default());
            assert_eq!(ended.err().map(|failure| failure.message).as_deref(), expect);
        };
        check(&[], None, false, None);
        check(&["setup", "teardown"], None, true, Some("setup"));
        check(&["setup"], Some("abort"), false, Some("abort"));
        check(&[], None, true, Some("test run was marked as failed"));
    }
}
