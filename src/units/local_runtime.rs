//! Threads with a runtime whose tasks stay on them.

use std::io;
use std::sync::mpsc;
use std::thread;

use tokio::runtime::{Builder, LocalOptions, LocalRuntime};

/// Starts a thread of this name that does `work` with the runtime of `builder`, on which `tokio::task::spawn_local` works everywhere.
///
/// # Errors
/// When the system refuses the thread or what the runtime takes.
pub fn start(name: String, mut builder: Builder, work: impl FnOnce(LocalRuntime) + Send + 'static) -> io::Result<()> {
    let (built_tx, built_rx) = mpsc::sync_channel(1);
    // Such a runtime does not leave the thread that it is built on.
    thread::Builder::new().name(name).spawn(move || match builder.build_local(LocalOptions::default()) {
        Ok(runtime) => {
            _ = built_tx.send(Ok(()));
            work(runtime);
        }
        Err(error) => _ = built_tx.send(Err(error)),
    })?;
    built_rx.recv().map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_are_of_the_thread() {
        let (found_tx, found_rx) = mpsc::channel();
        let started = start("local".to_owned(), Builder::new_current_thread(), move |runtime| {
            let task = async { tokio::task::spawn_local(async { thread::current().name().map(str::to_owned) }).await };
            found_tx.send(runtime.block_on(task).unwrap()).unwrap();
        });
        assert_eq!(found_rx.recv().unwrap().as_deref(), Some("local"));
        started.unwrap();
    }
}
