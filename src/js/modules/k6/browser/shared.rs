//! The browser that all VUs of a run share: started when the first needs it, started anew when it has gone, ended with the run.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::Mutex;

use super::settings::{BrowserSettings, BrowserSource, message_log};
use crate::js::runtime::Script;
use crate::log::Logger;
use crate::net::devtools::DevtoolsConnection;
use crate::net::devtools::process::BrowserProcess;
use crate::net::{Config, Net};
use crate::units::sync::lock;

/// How long a browser may take to start, at the least.
const MIN_START_TIMEOUT: Duration = Duration::from_secs(30);

/// What all VUs share.
#[derive(Default)]
pub struct SharedBrowser {
    env: OnceLock<HashMap<String, String>>,
    settings: OnceLock<Result<BrowserSettings, String>>,
    net: OnceLock<Option<Arc<Net>>>,
    running: Mutex<Option<Arc<RunningBrowser>>>,
    /// A script of the run imports the module.
    is_imported: AtomicBool,
    pictures: std::sync::Mutex<Vec<PagePicture>>,
}

/// More pictures than this are not remembered; their files are there all the same.
const MAX_PICTURES: usize = 100;

/// A picture of a page whose action failed.
#[derive(Clone, Debug)]
pub struct PagePicture {
    /// Its file.
    pub path: String,
    /// What the action was, and why it failed.
    pub message: String,
}

/// The pictures of pages whose actions failed, in the order in which they were made.
pub fn pictures(script: &Script) -> Vec<PagePicture> {
    lock(&script.module_state::<SharedBrowser>().pictures).clone()
}

/// A browser that VUs use.
#[derive(Debug)]
pub struct RunningBrowser {
    /// The connection to it.
    pub connection: Arc<DevtoolsConnection>,
    /// Its process, unless it was there before.
    process: Option<BrowserProcess>,
}

/// What the environment of the process says about browsers, for the VUs of `script`.
pub fn configure(script: &Script, env: &HashMap<String, String>) {
    let others = ["PATH", "TMPDIR", "K6_INSTANCE_SCENARIOS"];
    let is_ours = |name: &str| name.starts_with("K6_BROWSER_") || others.contains(&name);
    let ours = env.iter().filter(|(name, _)| is_ours(name)).map(|(name, value)| (name.clone(), value.clone()));
    _ = script.module_state::<SharedBrowser>().env.set(ours.collect());
}

/// Starts the browser before any iteration, so that none of them waits for it. What goes wrong is said by the first that needs it.
pub async fn start_early(script: &Script) {
    let shared = script.module_state::<SharedBrowser>();
    if shared.is_imported.load(Ordering::Relaxed) {
        _ = shared.get(&script.log).await;
    }
}

/// Ends the browser, at the end of the run.
pub async fn close(script: &Script) {
    let shared = script.module_state::<SharedBrowser>();
    let running = shared.running.lock().await.take();
    if let Some(running) = running {
        running.connection.close();
        if let Some(process) = &running.process {
            process.close().await;
        }
    }
}

impl SharedBrowser {
    /// The script of the run imports the module.
    pub fn note_import(&self) {
        self.is_imported.store(true, Ordering::Relaxed);
    }

    /// Remembers a picture.
    pub fn add_picture(&self, picture: PagePicture) {
        let mut pictures = lock(&self.pictures);
        if pictures.len() < MAX_PICTURES {
            pictures.push(picture);
        }
    }

    /// What the environment says.
    ///
    /// # Errors
    /// In k6's words, what is wrong with it.
    pub fn settings(&self, log: &Logger) -> Result<&BrowserSettings, String> {
        let read = || {
            let settings = BrowserSettings::read(self.env.get_or_init(HashMap::new));
            if let Ok(settings) = &settings {
                settings.warnings.iter().for_each(|line| log.warn(line));
            }
            settings
        };
        self.settings.get_or_init(read).as_ref().map_err(Clone::clone)
    }

    /// A connection to the browser at `url`.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn connect(&self, url: &str, timeout: Duration, log: &Logger) -> Result<Arc<DevtoolsConnection>, String> {
        // Not the network of the test: its options about names, addresses and proxies are for its load.
        let net = self.net.get_or_init(|| Net::start(Config::default(), 1, log).ok());
        let net = net.as_ref().ok_or_else(|| "no thread could be started for it".to_owned())?;
        let messages = message_log(self.env.get_or_init(HashMap::new), log)?;
        DevtoolsConnection::open(net.client(0), url, timeout, messages).await
    }

    /// The browser of the run, started if there is none.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn get(&self, log: &Logger) -> Result<Arc<RunningBrowser>, String> {
        let settings = self.settings(log)?;
        // The limit that can be set is for pages; a browser needs its time to start.
        let timeout = settings.timeout.max(MIN_START_TIMEOUT);
        // Whoever comes meanwhile waits for the same browser.
        let mut running = self.running.lock().await;
        if let Some(known) = running.as_ref().filter(|known| known.connection.is_open()) {
            return Ok(known.clone());
        }
        drop(running.take());
        let started = Arc::new(match &settings.source {
            BrowserSource::Launched(launch) => {
                let process = BrowserProcess::start(launch, timeout)
                    .await
                    .map_err(|error| format!("launching browser: {error}"))?;
                let connection = self.connect(&process.url, timeout, log).await;
                let connection = connection.map_err(|error| format!("connecting to browser DevTools URL: {error}"))?;
                RunningBrowser { connection, process: Some(process) }
            }
            BrowserSource::Remote(url) => {
                let connection = self.connect(url, timeout, log).await;
                let connection = connection
                    .map_err(|error| format!("connecting to browser: connecting to browser DevTools URL: {error}"))?;
                RunningBrowser { connection, process: None }
            }
        });
        *running = Some(started.clone());
        Ok(started)
    }
}
