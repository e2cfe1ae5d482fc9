//! Makes all planned VUs; each runs the script's init code.

use futures_util::stream::{StreamExt, TryStreamExt};

use crate::execution::VuControl;
use crate::failure::Failure;
use crate::run::TestRun;

impl TestRun {
    /// As many VUs at a time as there are workers. A VU that can't be made stops the run.
    pub(super) async fn init_vus(&self) -> Result<(), Failure> {
        let planned = self.plan.max_planned_vus();
        let made = futures_util::stream::iter(1..=planned)
            .map(|id| async move {
                self.vus.initialise(id).await.map_err(|failure| {
                    let hint = format!("error while initializing VU #{id}");
                    Failure { hint: Some(hint), ..failure }
                })?;
                self.pool.put(id);
                Ok::<_, Failure>(())
            })
            .buffered(self.workers.len())
            .try_for_each(|()| async { Ok(()) });
        let result = tokio::select! {
            result = made => result,
            () = self.state.until_aborted() => Ok(()),
        };
        if let Err(failure) = &result {
            self.state.abort(failure.clone());
        }
        result
    }
}
