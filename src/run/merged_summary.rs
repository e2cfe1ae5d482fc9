//! A script's `handleSummary` over a merge of instances: the script is evaluated once, and nothing else of it runs.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::ScriptRequest;
use super::evaluate::ScriptContext;
use super::wrap_up::{DEFAULT_TIMEOUT, Returned, returned};
use crate::exit_code::ExitCode;
use crate::failure::{ExitWith, Failure};
use crate::js::VuSet;
use crate::metrics::Results;
use crate::net::Net;
use crate::options::Options;
use crate::summary::writing::SummaryEntry;
use crate::summary::{RenderOptions, data, export};

/// What came of the script's `handleSummary`.
pub enum MergedSummary {
    /// It leaves the summary to us.
    Ours,
    /// It wants this written.
    Entries(Vec<SummaryEntry>),
    /// It threw, did not come back, or returned what can't be written.
    Failed(Failure),
}

/// Runs the script's `handleSummary` over a merge.
///
/// # Errors
/// The script can't be evaluated, or has no `handleSummary`.
pub fn handle_merged_summary(
    request: &ScriptRequest,
    results: &Results,
    options: &RenderOptions,
    facts: &data::SummaryFacts,
) -> Result<MergedSummary, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().exit(ExitCode::Other)?;
    let context = ScriptContext::new(request);
    let data = data::build(results, options, facts).for_script();
    let aliases = (!request.strict).then(|| export::aliases(results, options).for_script());
    runtime.block_on(async {
        let exports = context.evaluate(request).await?;
        if !exports.has("handleSummary") {
            let text = format!("`{}` exports no function `handleSummary`", request.argument);
            return Err(Failure::new(ExitCode::InvalidConfig, text));
        }
        let workers = context.single_worker(request)?;
        let script = Arc::new(context.script(request, &Options::default(), Net::idle()));
        let (stop_tx, mut stop_rx) = oneshot::channel();
        let work = VuSet::with_own_vu(
            &workers,
            &script,
            |stop| _ = stop_tx.send(stop),
            |vu| async move { vu.summarize(data, aliases).await.map(returned) },
        );
        let returned = tokio::time::timeout(DEFAULT_TIMEOUT, work).await.unwrap_or_else(|_| {
            if let Ok(stop) = stop_rx.try_recv() {
                stop.raise();
            }
            let text = format!("handleSummary() did not come back within {} s", DEFAULT_TIMEOUT.as_secs());
            Err(Failure::new(ExitCode::GenericTimeout, text))
        });
        Ok(match returned {
            Ok(Returned::Nothing) => MergedSummary::Ours,
            Ok(Returned::Entries(entries)) => MergedSummary::Entries(entries),
            Ok(Returned::Wrong(why)) => {
                let text = format!("failed to handle the end-of-test summary: {why}");
                MergedSummary::Failed(Failure::new(ExitCode::ScriptException, text))
            }
            Err(failure) => MergedSummary::Failed(failure),
        })
    })
}
