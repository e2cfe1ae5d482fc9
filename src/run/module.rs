//! A module that is data rather than a test, such as a procedure: evaluated once in a VU of its own, and kept, so that
//! its function `data.record` can be called. It runs no load and has no network.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::ScriptRequest;
use super::evaluate::ScriptContext;
use crate::exit_code::ExitCode;
use crate::failure::{ExitWith, Failure};
use crate::js::runtime::Stop;
use crate::js::runtime::worker::WorkerThreads;
use crate::js::value::Value;
use crate::js::{JsVu, VuSet};
use crate::net::Net;
use crate::options::Options;

/// How long the function may take for one record.
const RECORD_TIMEOUT: Duration = Duration::from_secs(10);

/// A record as JSON.
type RecordResult = Result<Option<String>, Failure>;

/// A module, evaluated.
pub struct DataModule {
    json: Option<String>,
    numbers: mpsc::UnboundedSender<(u64, oneshot::Sender<RecordResult>)>,
    stop: Arc<Stop>,
    /// The VU lives as long as its worker.
    _workers: WorkerThreads,
}

impl DataModule {
    /// Evaluates a module.
    ///
    /// # Errors
    /// What the module threw, or why it can't be had.
    pub fn open(request: ScriptRequest) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().exit(ExitCode::Other)?;
        let context = ScriptContext::new(&request);
        let workers = context.single_worker(&request)?;
        let script = Arc::new(context.script(&request, &Options::default(), Net::idle()));
        let (numbers, mut numbers_rx) = mpsc::unbounded_channel::<(u64, oneshot::Sender<RecordResult>)>();
        let (export_tx, export_rx) = oneshot::channel();
        let (stop_tx, stop_rx) = oneshot::channel();
        let evaluating = VuSet::with_own_vu(
            &workers,
            &script,
            |stop| _ = stop_tx.send(stop),
            |vu| async move {
                _ = export_tx.send(of_default(&vu, "exportProcedure", Vec::new()).await);
                while let Some((number, record_tx)) = numbers_rx.recv().await {
                    let args = vec![Value::Number(number as f64)];
                    _ = record_tx.send(of_default(&vu, "exportRecord", args).await);
                }
                Ok(())
            },
        );
        let evaluated = runtime.block_on(async {
            let mut evaluating = std::pin::pin!(evaluating);
            let ended = |ended: Result<(), Failure>| ended.err().unwrap_or_else(gone);
            tokio::select! {
                early = &mut evaluating => Err(ended(early)),
                export = export_rx => match (export, stop_rx.await) {
                    (Ok(json), Ok(stop)) => Ok((json?, stop)),
                    // It was not evaluated; the other future knows why.
                    _ => Err(ended(evaluating.await)),
                },
            }
        });
        let (json, stop) = evaluated?;
        Ok(Self { json, numbers, stop, _workers: workers })
    }

    /// The default export as JSON; `None` if there is none.
    pub fn default_export(&self) -> Option<&str> {
        self.json.as_deref()
    }

    /// What the default export's `data.record` makes of a number, as JSON; `None` for `undefined`.
    ///
    /// # Errors
    /// What the function threw; one that does not come back is stopped.
    pub async fn record(&self, number: u64) -> RecordResult {
        let (tx, rx) = oneshot::channel();
        _ = self.numbers.send((number, tx));
        match tokio::time::timeout(RECORD_TIMEOUT, rx).await {
            Ok(record) => record.unwrap_or_else(|_| Err(gone())),
            Err(_) => {
                self.stop.raise();
                let text = format!("the function did not come back within {} s", RECORD_TIMEOUT.as_secs());
                Err(Failure::new(ExitCode::ScriptException, text))
            }
        }
    }
}

/// The JSON that a function of `volley/procedure` makes of the default export; nothing if there is none, or if it makes
/// nothing of it.
async fn of_default(vu: &JsVu, function: &'static str, more: Vec<Value>) -> RecordResult {
    match vu.call_with_export("volley/procedure", function, "default", more).await? {
        Some(Value::String(json)) => Ok(Some(json)),
        _ => Ok(None),
    }
}

fn gone() -> Failure {
    Failure::new(ExitCode::Panic, "the module is gone")
}
