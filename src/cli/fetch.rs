//! Downloads remote modules over https, with the system's trust store; a cache serves them without the network.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;

use crate::log::Logger;
use crate::source::Cache;
use crate::source::files::{Fetch, unmarked};
use crate::units::redact::redact;
use crate::units::web_client;

/// How long a download may take.
const DOWNLOAD_TIMEOUT: Duration = Duration::from_secs(60);

/// Why a download failed.
enum FetchError {
    /// The server answered, but not with them.
    Refused(String),
    /// There was no answer.
    Unreachable(String),
}

/// Where remote modules are kept: `VOLLEY_CACHE`, else a folder of the user's cache.
fn cache() -> Option<Cache> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set("VOLLEY_CACHE").or_else(|| {
        let cache = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")))?;
        Some(cache.join("volley/modules"))
    });
    folder.map(Cache::new)
}

/// Fetches with GET, follows redirects, accepts only 200. Without a network, the cached bytes are used.
pub(super) fn over_https(log: Logger) -> Fetch {
    let cache = cache();
    Box::new(move |marked| {
        let url = unmarked(marked);
        let asked = marked.to_owned();
        let shown = redact(url);
        // The caller may be on a thread that polls a runtime, which must not block on another one.
        let fetching = std::thread::spawn(move || fetch(&asked));
        let broken = || Err(FetchError::Unreachable("the download broke down".to_owned()));
        match (fetching.join().unwrap_or_else(|_| broken()), &cache) {
            (Ok(bytes), Some(cache)) => {
                store(cache, url, &bytes, &log);
                Ok(bytes)
            }
            (Ok(bytes), None) => Ok(bytes),
            (Err(FetchError::Unreachable(cause)), Some(cache)) => match cache.find(url) {
                Some((bytes, entry)) => {
                    let (fetched, hash) = (entry.fetched, entry.sha256);
                    log.warn(format!(
                        "{shown} can't be reached ({cause}): running the copy of {fetched}, sha256 {hash}"
                    ));
                    Ok(bytes)
                }
                None => Err(cause),
            },
            (Err(FetchError::Unreachable(cause) | FetchError::Refused(cause)), _) => Err(cause),
        }
    })
}

fn store(cache: &Cache, url: &str, bytes: &[u8], log: &Logger) {
    let shown = redact(url);
    match cache.keep(url, bytes, &jiff::Timestamp::now().round(jiff::Unit::Second).unwrap_or_default().to_string()) {
        Ok(Some(before)) => {
            if cache.entry(url).is_some_and(|entry| entry.sha256 != before.sha256) {
                log.warn(format!("{shown} has changed since {}: sha256 was {}", before.fetched, before.sha256));
            }
        }
        Ok(None) => {}
        Err(error) => log.warn(format!("{shown} can't be kept for use without the network: {error}")),
    }
}

fn fetch(url: &str) -> Result<Bytes, FetchError> {
    let unreachable = |error: &reqwest::Error| FetchError::Unreachable(innermost_cause(error));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| FetchError::Unreachable(error.to_string()))?;
    runtime.block_on(async {
        let client = web_client::builder().timeout(DOWNLOAD_TIMEOUT).build().map_err(|error| unreachable(&error))?;
        let answer = client.get(url).send().await.map_err(|error| unreachable(&error))?;
        match answer.status().as_u16() {
            200 => answer.bytes().await.map_err(|error| unreachable(&error)),
            404 => Err(FetchError::Refused(format!("not found: {url}"))),
            status => Err(FetchError::Refused(format!("wrong status code ({status}) for: {url}"))),
        }
    })
}

/// The text of the innermost cause, which is the most specific.
fn innermost_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
