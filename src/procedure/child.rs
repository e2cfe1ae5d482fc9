//! One run as a child of the procedure: this very program, with its files beside each other and its words in a log.
//!
//! The child has a process group of its own, so that Ctrl+C reaches it once, from here. It does not outlive us.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::observer::Observer;
use super::plan::PlannedRun;
use super::run_files::RunFiles;
use super::settings::ProcedureSettings;
use crate::exit_code::ExitCode;
use crate::failure::{ExitWith as _, Failure};
use crate::output::json::LIMIT;

/// What every variable of the dashboard begins with; runs do not get them, as the page is the procedure's.
pub const DASHBOARD_PREFIX: &str = "K6_WEB_DASHBOARD";
/// How often a child is looked at.
const POLL_EVERY: Duration = Duration::from_millis(20);

/// Ctrl+C and a polite end, which end the run that goes on instead of the process.
pub struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
    /// One was seen.
    pub seen: bool,
}

impl Interrupts {
    /// From now on.
    ///
    /// # Errors
    /// As the system says.
    pub fn listen() -> Result<Self, Failure> {
        let interrupt = signal(SignalKind::interrupt()).exit(ExitCode::Other)?;
        let terminate = signal(SignalKind::terminate()).exit(ExitCode::Other)?;
        Ok(Self { interrupt, terminate, seen: false })
    }

    /// Waits for the next.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        self.seen = true;
    }
}

/// How a run ended.
pub struct RunExit {
    /// Its exit code; nothing when a signal ended it.
    pub code: Option<i32>,
    /// We were asked to end it.
    pub was_interrupted: bool,
}

/// This program.
///
/// # Errors
/// When the system can't tell.
pub fn program() -> Result<PathBuf, Failure> {
    std::env::current_exe()
        .map_err(|error| Failure::new(ExitCode::Other, format!("the path of this program is unknown: {error}")))
}

/// An input that has ended: a machine may be without `/dev/null`.
fn no_input() -> Result<Stdio, Failure> {
    let (reader, _) = std::io::pipe()
        .map_err(|error| Failure::new(ExitCode::Other, format!("there is no pipe for the input of a run: {error}")))?;
    Ok(reader.into())
}

/// A command of this program that dies with it.
///
/// # Errors
/// As [`program`], or when the system has no pipe.
pub fn command(settings: &ProcedureSettings) -> Result<Command, Failure> {
    let mut command = Command::new(program()?);
    command.current_dir(&settings.cwd).stdin(no_input()?).process_group(0);
    let parent = std::process::id();
    // SAFETY: between fork and exec only async-signal-safe calls are made, prctl and getppid, and nothing is allocated: errors
    // are numbers.
    unsafe {
        command.pre_exec(move || {
            if libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) != 0 {
                return Err(std::io::Error::last_os_error());
            }
            // The parent may have gone before the line above.
            if libc::getppid() as u32 != parent {
                return Err(std::io::Error::from_raw_os_error(libc::ESRCH));
            }
            Ok(())
        });
    }
    Ok(command)
}

/// Runs to the end, with samples of at most `limit` bytes, or without samples.
///
/// # Errors
/// When the child can't be started.
pub async fn run(
    planned: &PlannedRun,
    folder: &Path,
    limit: Option<u64>,
    settings: &ProcedureSettings,
    interrupts: &mut Interrupts,
    observer: &Observer,
) -> Result<RunExit, Failure> {
    let files = RunFiles::of(folder, &planned.name);
    // Older versions did not pack samples.
    let unpacked = files.samples.with_extension("");
    for old in [&unpacked, &files.samples, &files.summary, &files.document, &files.log] {
        // What an earlier try left behind is not of this run.
        _ = std::fs::remove_file(old);
    }
    let cannot = |error: std::io::Error| {
        Failure::new(ExitCode::Other, format!("run `{}` can't be started: {error}", planned.name))
    };
    let log = File::create(&files.log).map_err(cannot)?;
    let mut command = command(settings)?;
    command.args(["run", "--quiet", "--no-color", "--observed"]);
    if let Some(limit) = limit {
        command.arg("-o").arg(format!("json={}", files.samples.display()));
        command.env(LIMIT, limit.to_string());
    }
    command.arg("--summary-export").arg(&files.summary).arg("--summary-json").arg(&files.document);
    for (key, value) in &planned.tags {
        command.arg("--tag").arg(format!("{key}={value}"));
    }
    if let Some(engine) = &settings.js_engine {
        command.arg("--js-engine").arg(engine);
    }
    // There is one page, and it is the procedure's.
    for name in settings.process_env.keys().filter(|name| name.starts_with(DASHBOARD_PREFIX)) {
        command.env_remove(name);
    }
    // Through the environment: arguments are seen by everybody on the machine.
    command.envs(planned.env.iter().map(|(key, value)| (key, value)));
    command.args(&planned.selection).args(&planned.flags).arg(&planned.script);
    command.stdout(log.try_clone().map_err(cannot)?).stderr(log);
    command.stdin(Stdio::from(observer.connect().map_err(cannot)?));
    let mut child = command.spawn().map_err(cannot)?;
    // With it goes our copy of the run's end of the socket.
    drop(command);
    let mut was_interrupted = false;
    loop {
        if let Some(status) = child.try_wait().map_err(cannot)? {
            return Ok(RunExit { code: status.code(), was_interrupted });
        }
        tokio::select! {
            () = tokio::time::sleep(POLL_EVERY) => {}
            () = interrupts.next() => {
                // The first ends the run in good order, the second at once; the child knows which is which.
                was_interrupted = true;
                interrupt(&child);
            }
        }
    }
}

fn interrupt(child: &Child) {
    if let Ok(id) = i32::try_from(child.id()) {
        // SAFETY: `kill` only takes numbers, and the child was not waited for yet, so the id is still its own.
        _ = unsafe { libc::kill(id, libc::SIGINT) };
    }
}
