//! Runs the program as its users do: arguments in; exit code, streams and files out.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A run that takes longer hangs; every test is far below.
const PATIENCE: Duration = Duration::from_secs(90);

/// What a process left behind.
#[derive(Debug)]
pub struct Outcome {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Variables of the machine that would change what a run does.
fn is_foreign(name: &str) -> bool {
    [
        "K6_",
        "VOLLEY_",
        "NO_COLOR",
        "http_proxy",
        "https_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "no_proxy",
        "NO_PROXY",
        "SSLKEYLOGFILE",
    ]
    .iter()
    .any(|prefix| name.starts_with(prefix))
}

/// The program under one of its names, in a folder, away from the machine's own settings.
pub fn command(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(is_foreign) {
            command.env_remove(name);
        }
    }
    command.env("XDG_CONFIG_HOME", folder.join("no-config")).env("XDG_CACHE_HOME", folder.join("no-cache"));
    command
}

/// `volley`, in a folder.
pub fn volley(folder: &Path) -> Command {
    command(Path::new(env!("CARGO_BIN_EXE_volley")), folder)
}

/// Runs to the end.
pub fn run(command: &mut Command) -> Outcome {
    Running::start(command).end()
}

/// A process whose streams are read while it runs.
pub struct Running {
    child: Child,
    stdout: JoinHandle<String>,
    stderr: JoinHandle<String>,
    seen: Receiver<String>,
}

impl Running {
    pub fn start(command: &mut Command) -> Self {
        let mut child = command.spawn().expect("the program starts");
        let (tell, seen) = channel();
        let stdout = read(child.stdout.take().expect("stdout is piped"), tell.clone());
        let stderr = read(child.stderr.take().expect("stderr is piped"), tell);
        Self { child, stdout, stderr, seen }
    }

    /// Waits for a line that contains this text.
    pub fn wait_for(&self, text: &str) {
        let (begun, mut said) = (Instant::now(), String::new());
        let silence = loop {
            match self.seen.recv_timeout(PATIENCE.saturating_sub(begun.elapsed())) {
                Ok(line) if line.contains(text) => return,
                Ok(line) => said.push_str(&line),
                Err(silence) => break silence,
            }
            said.push('\n');
        };
        panic!("`{text}` was never said ({silence}), but:\n{said}");
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends SIGINT, as Ctrl+C does.
    pub fn interrupt(&self) {
        self.signal(libc::SIGINT);
    }

    /// Sends SIGKILL, which nobody can refuse.
    pub fn kill(&self) {
        self.signal(libc::SIGKILL);
    }

    /// Sends a signal.
    pub fn signal(&self, signal: i32) {
        let id = i32::try_from(self.child.id()).expect("a process id fits");
        // SAFETY: `kill` only takes numbers; the child was not waited for yet, so the id is still its own.
        assert_eq!(unsafe { libc::kill(id, signal) }, 0);
    }

    /// Waits for the end.
    pub fn end(mut self) -> Outcome {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                break status;
            }
            if begun.elapsed() > PATIENCE {
                self.child.kill().expect("a child can be killed");
                let (stdout, stderr) = (self.stdout.join(), self.stderr.join());
                panic!("the program did not end\n{}\n{}", stdout.unwrap_or_default(), stderr.unwrap_or_default());
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let stdout = self.stdout.join().expect("stdout was read");
        let stderr = self.stderr.join().expect("stderr was read");
        Outcome { code: status.code().unwrap_or(-1), stdout, stderr }
    }
}

/// Reads a stream to its end and tells its lines.
fn read(stream: impl Read + Send + 'static, tell: Sender<String>) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = String::new();
        for line in BufReader::new(stream).split(b'\n') {
            let line = String::from_utf8_lossy(&line.expect("a stream can be read")).into_owned();
            text.push_str(&line);
            text.push('\n');
            // Nobody may be waiting for lines any more.
            _ = tell.send(line);
        }
        text
    })
}

/// The engines of this build; the first is the default.
pub fn engines() -> impl Iterator<Item = &'static str> {
    volley::Engine::TABLE.iter().map(|(name, _)| *name)
}

/// The engine a test takes that needs only one.
pub fn engine() -> &'static str {
    volley::Engine::TABLE[0].0
}
