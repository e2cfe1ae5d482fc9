//! Chromium as a process: found, started, watched and ended, with everything it leaves behind.
//!
//! A shell stands between us and Chromium. It reads from a pipe that we hold: when that ends, whether we close it or are killed,
//! it kills Chromium and removes the profile. So nothing outlives the run, whatever ends it.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{oneshot, watch};

use crate::units::scheduling::{self, started_as_usual};
use crate::units::sync::lock;

/// Names a browser has in `PATH`.
const NAMES: [&str; 7] = [
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
    "google-chrome-beta",
    "chrome",
    "headless_shell",
];
/// How long the end of a browser is waited for.
const END_TIMEOUT: Duration = Duration::from_secs(5);
/// So many of its last lines are kept, for the error when it ends too soon.
const MAX_LINES: usize = 8;
/// What Chromium says when it can be talked to.
const LISTENING: &str = "DevTools listening on ";

/// Starts the browser, waits until its own input ends, and clears up. In a process group of its own, which it ends with itself.
const GUARD: &str = r#"
dir=$1
shift
TMPDIR=$dir XDG_CONFIG_HOME=$dir/.config XDG_CACHE_HOME=$dir/.cache "$@" </dev/null >/dev/null &
browser=$!
exec 2>/dev/null
trap '' TERM
read -r line
kill -9 $browser
kill -TERM 0
wait
rm -rf -- "$dir" || { sleep 0.2; rm -rf -- "$dir"; }
kill -9 0
"#;

/// How a browser is started.
#[derive(Clone, Debug, Default)]
pub struct BrowserLaunch {
    /// The program.
    pub executable: PathBuf,
    /// Its flags, without the folder of the profile.
    pub arguments: Vec<String>,
    /// Where the folder of its profile is made.
    pub temporary: PathBuf,
}

/// A browser that runs. Dropping it ends it.
#[derive(Debug)]
pub struct BrowserProcess {
    /// Where it is talked to.
    pub url: String,
    lifeline: Mutex<Option<ChildStdin>>,
    ended: watch::Receiver<bool>,
}

/// The browser among the folders of `path`, which is as the variable `PATH`.
pub fn find(path: &str) -> Option<PathBuf> {
    let in_folders =
        |name: &str| path.split(':').map(|folder| Path::new(folder).join(name)).find(|path| path.is_file());
    NAMES.iter().find_map(|name| in_folders(name))
}

impl BrowserProcess {
    /// Starts it and waits until it can be talked to.
    ///
    /// # Errors
    /// Why it can't be started, with its own last words.
    pub async fn start(launch: &BrowserLaunch, timeout: Duration) -> Result<Self, String> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let profile = launch.temporary.join(format!("volley-browser-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&profile).map_err(|error| format!("making {}: {error}", profile.display()))?;
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", GUARD, "sh"])
            .arg(&profile)
            .arg(&launch.executable)
            .args(&launch.arguments)
            .arg(format!("--user-data-dir={}", profile.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // A Ctrl+C at the terminal is for us.
            .process_group(0);
        let mut child = started_as_usual(|| command.spawn()).map_err(|error| {
            _ = std::fs::remove_dir_all(&profile);
            format!("starting {}: {error}", launch.executable.display())
        })?;
        let lifeline = Mutex::new(child.stdin.take());
        let (url_tx, url_rx) = oneshot::channel();
        let (ended_tx, ended) = watch::channel(false);
        let watching = std::thread::Builder::new().name("volley-browser".to_owned()).spawn(move || {
            scheduling::as_usual();
            watch_child(child, url_tx);
            ended_tx.send_replace(true);
        });
        watching.map_err(|error| format!("starting a thread for the browser: {error}"))?;
        // From here on dropping it ends the browser.
        let mut process = Self { url: String::new(), lifeline, ended };
        match tokio::time::timeout(timeout, url_rx).await {
            Ok(Ok(Ok(url))) => process.url = url,
            Ok(Ok(Err(lines))) => {
                process.close().await;
                return Err(format!("{} has ended: {lines}", launch.executable.display()));
            }
            Ok(Err(_)) | Err(_) => {
                process.close().await;
                return Err("context deadline exceeded".to_owned());
            }
        }
        Ok(process)
    }

    /// Ends the browser, and waits until nothing of it is left.
    pub async fn close(&self) {
        drop(lock(&self.lifeline).take());
        let mut ended = self.ended.clone();
        _ = tokio::time::timeout(END_TIMEOUT, ended.wait_for(|ended| *ended)).await;
    }
}

/// Reads what the browser says until it has ended, and waits for the guard.
fn watch_child(mut child: Child, url_tx: oneshot::Sender<Result<String, String>>) {
    let mut url_tx = Some(url_tx);
    let mut last: VecDeque<String> = VecDeque::new();
    let lines = child.stderr.take().map(|stderr| BufReader::new(stderr).split(b'\n'));
    for line in lines.into_iter().flatten().map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line).trim().to_owned();
        if let Some(url) = line.strip_prefix(LISTENING)
            && let Some(url_tx) = url_tx.take()
        {
            _ = url_tx.send(Ok(url.to_owned()));
        }
        if url_tx.is_some() && !line.is_empty() {
            last.push_back(line);
            if last.len() > MAX_LINES {
                last.pop_front();
            }
        }
    }
    if let Some(url_tx) = url_tx.take() {
        let lines = last.make_contiguous().join("; ");
        _ = url_tx.send(Err(if lines.is_empty() { "it said nothing".to_owned() } else { lines }));
    }
    // The guard waits for the end of the lifeline, whoever closes it.
    _ = child.wait();
}

/// The flags of a browser that is driven: those that leave out what would disturb, and those for running unseen.
pub fn default_arguments(headless: bool) -> Vec<String> {
    const DISABLED: [&str; 14] = [
        "background-networking",
        "background-timer-throttling",
        "backgrounding-occluded-windows",
        "renderer-backgrounding",
        "breakpad",
        "component-extensions-with-background-pages",
        "default-apps",
        "dev-shm-usage",
        "extensions",
        "hang-monitor",
        "ipc-flooding-protection",
        "popup-blocking",
        "prompt-on-repost",
        // Frames of other sites stay in the process of their page, and so within reach.
        "site-isolation-trials",
    ];
    const OTHERS: [&str; 12] = [
        "enable-automation",
        "no-startup-window",
        "remote-debugging-port=0",
        "window-size=800,600",
        "no-first-run",
        "no-default-browser-check",
        "no-service-autorun",
        "password-store=basic",
        "use-mock-keychain",
        "force-color-profile=srgb",
        "metrics-recording-only",
        "enable-features=NetworkService,NetworkServiceInProcess",
    ];
    const HEADLESS: [&str; 4] = [
        "headless",
        "hide-scrollbars",
        "mute-audio",
        "blink-settings=primaryHoverType=2,availableHoverTypes=2,primaryPointerType=4,availablePointerTypes=4",
    ];
    let features = "disable-features=ImprovedCookieControls,LazyFrameLoading,GlobalMediaControls,\
                    DestroyProfileOnBrowserClose,MediaRouter,AcceptCHFrame,IsolateOrigins,site-per-process";
    let mut flags: Vec<String> = DISABLED.iter().map(|name| format!("disable-{name}")).collect();
    flags.extend(OTHERS.iter().map(|&flag| flag.to_owned()));
    flags.push(features.to_owned());
    if headless {
        flags.extend(HEADLESS.iter().map(|&flag| flag.to_owned()));
    }
    flags
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }

    fn launch(folder: &Path, script: &str) -> BrowserLaunch {
        let executable = folder.join("browser");
        std::fs::write(&executable, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&executable, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let temporary = folder.join("tmp");
        std::fs::create_dir_all(&temporary).unwrap();
        BrowserLaunch { executable, arguments: vec!["--one".to_owned()], temporary }
    }

    #[test]
    fn nothing_is_left_of_a_browser() {
        let folder = tempfile::tempdir().unwrap();
        let script = "echo $$ > \"$0.pid\"; touch \"$TMPDIR/file\"; mkdir \"$XDG_CONFIG_HOME\" \"$XDG_CACHE_HOME\"\necho 'DevTools listening on ws://x/y' >&2; sleep 60";
        let launch = launch(folder.path(), script);
        runtime().block_on(async {
            let process = BrowserProcess::start(&launch, Duration::from_secs(20)).await.unwrap();
            assert_eq!(process.url, "ws://x/y");
            assert_eq!(std::fs::read_dir(&launch.temporary).unwrap().count(), 1);
            process.close().await;
        });
        assert_eq!(std::fs::read_dir(&launch.temporary).unwrap().count(), 0);
        let pid = std::fs::read_to_string(folder.path().join("browser.pid")).unwrap();
        assert!(!Path::new("/proc").join(pid.trim()).exists());
    }

    #[test]
    fn a_browser_that_ends_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let launch = launch(folder.path(), "echo 'no display' >&2; exit 1");
        let error = runtime().block_on(BrowserProcess::start(&launch, Duration::from_secs(20))).unwrap_err();
        assert!(error.ends_with("has ended: no display"), "{error}");
        assert_eq!(std::fs::read_dir(&launch.temporary).unwrap().count(), 0);
    }
}
