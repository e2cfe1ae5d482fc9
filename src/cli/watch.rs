//! `run --watch`: one iteration now, and another whenever the script changes or anything it imported or opened.
//!
//! Folders are watched, not files: editors save by putting another file in place. Ctrl+C ends it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use notify::{RecursiveMode, Watcher};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::commands::CommandContext;
use super::report;
use super::run::RunSettings;
use crate::exit_code::ExitCode;
use crate::failure::{ExitWith, Failure};
use crate::run::{self, Linger};
use crate::source::FileSet;
use crate::source::specifier::{file_path, file_url};
use crate::summary::Mode;
use crate::units::redact::redact;

/// Saving takes more than one step; changes that follow each other this closely are one.
const SETTLE_TIME: Duration = Duration::from_millis(150);

/// Runs again and again until it is interrupted.
pub(super) fn run(mut settings: RunSettings, context: &CommandContext) -> Result<ExitCode, Failure> {
    let (terminal, logger) = (&context.terminal, context.log.logger());
    settings.announce(&logger);
    settings.warnings.clear();
    let dropped = [
        (!settings.outputs.is_empty(), "outputs are not written"),
        (settings.global.address.take().is_some(), "the REST API is not opened"),
        (settings.linger != Linger::Off, "the program does not linger"),
        (settings.script.runtime.summary_export.take().is_some(), "no summary is exported"),
    ];
    for (_, what) in dropped.iter().filter(|(is_asked, _)| *is_asked) {
        logger.warn(format!("{what} while watching"));
    }
    settings.outputs.clear();
    settings.linger = Linger::Off;
    settings.script.runtime.summary_mode = Mode::Disabled;
    settings.script.runtime.no_thresholds = true;
    settings.global.quiet = true;

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().exit(ExitCode::Other)?;
    let mut signals = runtime.block_on(async { EndSignals::listen() })?;
    let argument = settings.script.argument.clone();
    let main = context.cwd.join(argument.strip_prefix("file://").unwrap_or(&argument));
    // In the spelling the files of a run have.
    let main = local(&file_url(&main.to_string_lossy())).unwrap_or(main);
    let mut files = BTreeSet::from([main.clone()]);
    let mut run_number = 0;
    loop {
        // Watched before it is read: a change in between is seen.
        let mut changes = Changes::of(&files)?;
        run_number += 1;
        terminal.print(&format!("--- run {run_number}: {}\n", redact(&argument)));
        let result = settings.clone().load(context).and_then(|request| {
            let read: Arc<FileSet> = request.script.main.files.clone();
            let result = run::execute(request);
            files = read.all().into_iter().filter_map(|(url, _)| local(&url)).collect();
            files.insert(main.clone());
            result
        });
        if let Err(failure) = &result {
            if failure.code == ExitCode::ExternalAbort {
                return Err(failure.clone());
            }
            report(failure, &logger);
        }
        // What was read this time may lie elsewhere.
        changes.also(&files)?;
        let many = if files.len() == 1 { "" } else { "s" };
        terminal.print(&format!("--- watching {} file{many}; Ctrl+C ends\n", files.len()));
        let is_broken = result.is_err();
        let again = runtime.block_on(async {
            tokio::select! {
                () = changes.next(&files, is_broken) => true,
                () = signals.next() => false,
            }
        });
        if !again {
            return Ok(ExitCode::Success);
        }
    }
}

fn local(url: &str) -> Option<PathBuf> {
    file_path(url).map(PathBuf::from)
}

/// What ends the watch. A run has signals of its own while it lasts.
struct EndSignals {
    interrupt: Signal,
    terminate: Signal,
}

impl EndSignals {
    fn listen() -> Result<Self, Failure> {
        let listen = |kind: SignalKind| signal(kind).exit(ExitCode::Other);
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Changes in the folders of the files.
struct Changes {
    watcher: notify::RecommendedWatcher,
    rx: UnboundedReceiver<PathBuf>,
    folders: BTreeSet<PathBuf>,
}

impl Changes {
    fn of(files: &BTreeSet<PathBuf>) -> Result<Self, Failure> {
        let (tx, rx) = unbounded_channel();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Reading a file is an event as well.
            if let Ok(event) = event
                && !matches!(event.kind, notify::EventKind::Access(_))
            {
                event.paths.into_iter().for_each(|path| _ = tx.send(path));
            }
        })
        .map_err(|error| unwatchable(&error))?;
        let mut changes = Self { watcher, rx, folders: BTreeSet::new() };
        changes.also(files)?;
        Ok(changes)
    }

    /// Watches the folders of these files too.
    fn also(&mut self, files: &BTreeSet<PathBuf>) -> Result<(), Failure> {
        for folder in files.iter().filter_map(|file| file.parent()) {
            if self.folders.insert(folder.to_owned()) && folder.is_dir() {
                self.watcher.watch(folder, RecursiveMode::NonRecursive).map_err(|error| unwatchable(&error))?;
            }
        }
        Ok(())
    }

    /// Waits until one of the files has changed and saving is over. After a run that failed any file in the folders
    /// counts: one that is missing has no name here yet.
    async fn next(&mut self, files: &BTreeSet<PathBuf>, any: bool) {
        if any {
            // What the run itself wrote, such as a log, is no change made by the user.
            tokio::time::sleep(SETTLE_TIME).await;
            let mut is_known = false;
            while let Ok(path) = self.rx.try_recv() {
                is_known |= files.contains(&path);
            }
            if is_known {
                return;
            }
        }
        while let Some(path) = self.rx.recv().await {
            if !any && !files.contains(&path) {
                continue;
            }
            while let Ok(Some(_)) = tokio::time::timeout(SETTLE_TIME, self.rx.recv()).await {}
            return;
        }
        // The watcher is ours, so its channel stays open.
        std::future::pending::<()>().await;
    }
}

fn unwatchable(error: &notify::Error) -> Failure {
    Failure::new(ExitCode::Other, format!("the script's folder can't be watched: {error}"))
}
