//! `k6/x/exec`: programs of this machine, where `--allow exec` says that they may be run.

use std::io::Read;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use super::super::super::Op;
use super::super::http::go;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::js::runtime::VuContext;
use crate::js::value::{Args, Throw, Value, text_of};
use crate::units::errno::errno_text;
use crate::units::process_group::ProcessGroup;
use crate::units::quote::go_quote;

/// The native half.
pub const OPS: &[(&str, Op)] = &[("declare", declare), ("command", command)];

const METRIC: &str = "exec_duration";
/// A program that writes more than this is ended.
const MAX_OUTPUT: u64 = 64 << 20;

/// Declares what programs are timed in.
fn declare(vu: &VuContext, _args: Args) -> Result<Value, Throw> {
    super::declare_trend(vu, METRIC)?;
    Ok(Value::Undefined)
}

/// What a script wants to have run.
struct Wanted {
    name: String,
    args: Vec<String>,
    dir: Option<String>,
    env: Vec<(String, String)>,
    continues: bool,
    includes_output: bool,
    combines: bool,
}

/// What came of it.
struct Ended {
    /// What the script is told, where it did not end well.
    failed: Option<String>,
    status: Option<(u32, ExitStatus)>,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    began: Instant,
    ended: Instant,
}

/// A program that is started on one thread and may be given up on another.
#[derive(Default)]
struct Running {
    group: OnceLock<ProcessGroup>,
    is_unwanted: AtomicBool,
}

impl Running {
    fn kill(&self) {
        self.is_unwanted.store(true, Ordering::SeqCst);
        if let Some(group) = self.group.get() {
            group.kill();
        }
    }
}

/// Ends the program when nobody waits for it any more.
struct KillOnDrop(Arc<Running>);

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        self.0.kill();
    }
}

/// `(name, arguments, options)` -> `{stdout}`, or `{failed}` and, where the options ask for it, what it had written.
fn command(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    if !vu.script.permissions.exec {
        return Err(super::not_allowed("k6/x/exec", "running programs of this machine", "exec"));
    }
    let wanted = wanted(args.string(0), args.take(1), args.take(2)).map_err(Throw::go)?;
    let shown = std::iter::once(&wanted.name).chain(&wanted.args).map(String::as_str).collect::<Vec<_>>().join(" ");
    let (name, continues, includes) = (wanted.name.clone(), wanted.continues, wanted.includes_output);
    let running = Arc::<Running>::default();
    let guard = KillOnDrop(running.clone());
    // A thread of its own waits: what is measured is the program, not how busy this thread is.
    let ended = vu.wait(async move {
        let guard = guard;
        let ended = tokio::task::spawn_blocking(move || execute(&wanted, &running)).await;
        drop(guard);
        ended
    })?;
    let Ok(ended) = ended else { return Err(Throw::Stop) };
    let status = super::status(ended.failed.is_none());
    super::timed(vu, METRIC, ended.began, ended.ended, &[("command", &name), ("status", status)])?;
    let mut fields = vec![("stdout".to_owned(), Value::String(text_of(&ended.stdout)))];
    let Some(failed) = ended.failed else { return Ok(Value::Map(fields)) };
    if !continues {
        let text = format!("{failed} on command: {shown}");
        if vu.is_init() {
            return Err(Throw::go(text));
        }
        vu.abort_run(Failure::new(ExitCode::ScriptAborted, text));
        return Err(Throw::Stop);
    }
    if !includes {
        return Err(Throw::go(failed));
    }
    fields.push(("failed".to_owned(), failed.into()));
    fields.push(("stderr".to_owned(), Value::String(text_of(&ended.stderr))));
    if let Some((id, status)) = ended.status {
        fields.push(("pid".to_owned(), Value::Number(f64::from(id))));
        fields.push(("code".to_owned(), Value::Number(f64::from(status.code().unwrap_or(-1)))));
        fields.push(("state".to_owned(), status_text(status).unwrap_or_else(|| "exit status 0".to_owned()).into()));
    }
    Ok(Value::Map(fields))
}

fn wanted(name: String, args: Value, options: Value) -> Result<Wanted, String> {
    let texts = |what: &str, value: Value| match value {
        Value::Undefined | Value::Null => Ok(Vec::new()),
        Value::List(list) => Ok(list.iter().map(go::string_of).collect()),
        other => Err(format!("{what} must be an array of strings, not {}", go::type_of(&other))),
    };
    let mut wanted = Wanted {
        name,
        args: texts("the arguments of a command", args)?,
        dir: None,
        env: Vec::new(),
        continues: false,
        includes_output: false,
        combines: false,
    };
    let fields = match options {
        Value::Undefined | Value::Null => Vec::new(),
        Value::Map(fields) => fields,
        other => return Err(format!("the options of a command must be an object, not {}", go::type_of(&other))),
    };
    for (name, value) in fields {
        let is_true = matches!(value, Value::Bool(true));
        match name.as_str() {
            "dir" => wanted.dir = Some(go::string_of(&value)).filter(|dir| !dir.is_empty()),
            "env" => {
                let pairs = texts("env", value)?;
                let pair = |text: String| text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
                wanted.env = pairs.into_iter().filter_map(pair).collect();
            }
            "continue_on_error" => wanted.continues = is_true,
            "include_stdout_on_error" => wanted.includes_output = is_true,
            "combine_output" => wanted.combines = is_true,
            _ => {
                let known = "combine_output, continue_on_error, dir, env and include_stdout_on_error";
                return Err(format!("a command has no option {}, only {known}", go_quote(&name)));
            }
        }
    }
    Ok(wanted)
}

/// Runs it to its end, on a thread that may wait.
fn execute(wanted: &Wanted, running: &Running) -> Ended {
    let began = Instant::now();
    let mut output = [Vec::new(), Vec::new()];
    let result = outcome(wanted, running, &mut output);
    let (failed, status) = match result {
        Ok((id, status)) => (status_text(status), Some((id, status))),
        Err(text) => (Some(text), None),
    };
    let [stdout, stderr] = output;
    Ended { failed, status, stdout, stderr, began, ended: Instant::now() }
}

fn outcome(wanted: &Wanted, running: &Running, output: &mut [Vec<u8>; 2]) -> Result<(u32, ExitStatus), String> {
    let plain = |error: std::io::Error| errno_text(&error);
    let mut command = Command::new(&wanted.name);
    command.args(&wanted.args).envs(wanted.env.iter().map(|(name, value)| (name, value))).stdin(Stdio::null());
    if let Some(dir) = &wanted.dir {
        // Or the system says the same of a program that is not there.
        if let Err(error) = std::fs::metadata(dir) {
            return Err(format!("chdir {dir}: {}", errno_text(&error)));
        }
        command.current_dir(dir);
    }
    let mut combined = None;
    if wanted.combines {
        let (reader, writer) = std::io::pipe().map_err(plain)?;
        command.stdout(writer.try_clone().map_err(plain)?).stderr(writer);
        combined = Some(reader);
    } else {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
    }
    let spawned = ProcessGroup::spawn(&mut command).map_err(|error| not_started(&wanted.name, &error))?;
    // Our ends of the pipes go with it.
    drop(command);
    let group = running.group.get_or_init(|| spawned);
    if running.is_unwanted.load(Ordering::SeqCst) {
        group.kill();
    }
    let (stdout, stderr) = group.take_outputs();
    let [out, err] = output;
    let is_whole = std::thread::scope(|scope| {
        let stderr = scope.spawn(move || stderr.is_none_or(|pipe| read(pipe, err, group)));
        let first = match (combined, stdout) {
            (Some(pipe), _) => read(pipe, out, group),
            (None, Some(pipe)) => read(pipe, out, group),
            (None, None) => true,
        };
        stderr.join().unwrap_or(false) && first
    });
    let status = group.wait().map_err(plain)?;
    if !is_whole {
        return Err(format!("the command wrote more than {} MiB and was ended", MAX_OUTPUT >> 20));
    }
    Ok((group.id(), status))
}

/// Reads to the end; false when that was too much, and the program was ended.
fn read(pipe: impl Read, into: &mut Vec<u8>, group: &ProcessGroup) -> bool {
    _ = pipe.take(MAX_OUTPUT + 1).read_to_end(into);
    let is_whole = into.len() as u64 <= MAX_OUTPUT;
    if !is_whole {
        group.kill();
    }
    is_whole
}

fn not_started(name: &str, error: &std::io::Error) -> String {
    let is_missing = error.kind() == std::io::ErrorKind::NotFound;
    if is_missing && !Path::new(name).to_string_lossy().contains('/') {
        return format!("exec: {}: executable file not found in $PATH", go_quote(name));
    }
    format!("fork/exec {name}: {}", errno_text(error))
}

/// How it ended, in Go's words; `None` if it ended well.
fn status_text(status: ExitStatus) -> Option<String> {
    if status.success() {
        return None;
    }
    let Some(signal) = status.signal() else { return Some(format!("exit status {}", status.code().unwrap_or(-1))) };
    let name = match signal {
        libc::SIGHUP => "hangup",
        libc::SIGINT => "interrupt",
        libc::SIGQUIT => "quit",
        libc::SIGILL => "illegal instruction",
        libc::SIGABRT => "aborted",
        libc::SIGBUS => "bus error",
        libc::SIGFPE => "floating point exception",
        libc::SIGKILL => "killed",
        libc::SIGSEGV => "segmentation fault",
        libc::SIGPIPE => "broken pipe",
        libc::SIGALRM => "alarm clock",
        libc::SIGTERM => "terminated",
        other => return Some(format!("signal: signal {other}")),
    };
    let dumped = if status.core_dumped() { " (core dumped)" } else { "" };
    Some(format!("signal: {name}{dumped}"))
}
