//! A module that is data rather than a test: evaluated once in a VU of its own, kept, and asked for what its function
//! makes. It runs no load and has no network.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::{Common, Request};
use crate::exit_code::ExitCode;
use crate::failure::{ExitWith, Failure};
use crate::js::runtime::Stop;
use crate::js::runtime::worker::WorkerThreads;
use crate::js::value::Value;
use crate::js::{JsVu, VuSet};
use crate::metrics::ledger::LedgerOptions;
use crate::metrics::{Ledger, Recorder};
use crate::net::Net;
use crate::options::Options;

/// How long the function may take for one record.
const PATIENCE: Duration = Duration::from_secs(10);

type Answer = Result<Option<String>, Failure>;

/// A module, evaluated.
pub struct Module {
    json: Option<String>,
    questions: mpsc::UnboundedSender<(u64, oneshot::Sender<Answer>)>,
    stop: Arc<Stop>,
    /// The VU lives as long as its worker.
    _workers: WorkerThreads,
}

impl Module {
    /// Evaluates a module.
    ///
    /// # Errors
    /// What the module threw, or why it can't be had.
    pub fn open(request: Request) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().exit(ExitCode::Other)?;
        let common = Common::new(&request);
        let ledger = Ledger::new(common.registry.clone(), LedgerOptions::default(), request.log.logger());
        let ledger = Arc::new(Mutex::new(ledger));
        let workers = WorkerThreads::start(1, move || Recorder::new(ledger.clone())).exit(ExitCode::Other)?;
        let script = Arc::new(common.script(&request, &Options::default(), Net::idle()));
        let (questions, mut asked) = mpsc::unbounded_channel::<(u64, oneshot::Sender<Answer>)>();
        let (tell, told) = oneshot::channel();
        let (tell_stop, stop) = oneshot::channel();
        let evaluating = VuSet::with_own_vu(
            &workers,
            &script,
            |stop| _ = tell_stop.send(stop),
            |vu| async move {
                _ = tell.send(of_default(&vu, "exportProcedure", Vec::new()).await);
                while let Some((number, answer)) = asked.recv().await {
                    let args = vec![Value::Number(number as f64)];
                    _ = answer.send(of_default(&vu, "exportRecord", args).await);
                }
                Ok(())
            },
        );
        let evaluated = runtime.block_on(async {
            let mut evaluating = std::pin::pin!(evaluating);
            let ended = |ended: Result<(), Failure>| ended.err().unwrap_or_else(gone);
            tokio::select! {
                early = &mut evaluating => Err(ended(early)),
                told = told => match (told, stop.await) {
                    (Ok(json), Ok(stop)) => Ok((json?, stop)),
                    // It was not evaluated; why, says the other.
                    _ => Err(ended(evaluating.await)),
                },
            }
        });
        let (json, stop) = evaluated?;
        Ok(Self { json, questions, stop, _workers: workers })
    }

    /// The default export as JSON; nothing if there is none.
    pub fn default_export(&self) -> Option<&str> {
        self.json.as_deref()
    }

    /// What the default export's `data.record` makes of a number, as JSON; nothing for `undefined`.
    ///
    /// # Errors
    /// What the function threw; one that does not come back is stopped.
    pub async fn record(&self, number: u64) -> Answer {
        let (answer, answered) = oneshot::channel();
        _ = self.questions.send((number, answer));
        match tokio::time::timeout(PATIENCE, answered).await {
            Ok(answer) => answer.unwrap_or_else(|_| Err(gone())),
            Err(_) => {
                self.stop.raise();
                let text = format!("the function did not come back within {} s", PATIENCE.as_secs());
                Err(Failure::new(ExitCode::ScriptException, text))
            }
        }
    }
}

/// The JSON that a function of `volley/procedure` makes of the default export; nothing if there is none, or if it makes
/// nothing of it.
async fn of_default(vu: &JsVu, function: &'static str, more: Vec<Value>) -> Answer {
    match vu.call_with_export("volley/procedure", function, "default", more).await? {
        Some(Value::String(json)) => Ok(Some(json)),
        _ => Ok(None),
    }
}

fn gone() -> Failure {
    Failure::new(ExitCode::Panic, "the module is gone")
}
