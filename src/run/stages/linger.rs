//! Waits after the test, where that was asked for.

use crate::run::{Linger, TestRun};

impl TestRun {
    /// Ends at a signal, or when its time is over.
    pub(super) async fn linger(&self) {
        // A test that a signal has ended already does not wait for another one.
        if self.request.linger == Linger::Off || self.state.is_signalled() {
            return;
        }
        if let Linger::For(span) = self.request.linger {
            tokio::select! {
                () = tokio::time::sleep(span.to_duration()) => {}
                () = self.state.linger_until_signal() => {}
            }
            return;
        }
        if !self.request.quiet {
            self.request.terminal.print(&format!(
                "The test is done, but --linger was enabled, so {} is waiting for Ctrl+C to continue...",
                self.request.program
            ));
        }
        self.state.linger_until_signal().await;
    }
}
