//! How remote modules are had: over https, with the system's trust.

use std::time::Duration;

use bytes::Bytes;

use crate::source::files::Fetch;

/// How long a server may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Fetches with GET, follows redirects, takes nothing but 200.
pub(super) fn over_https() -> Fetch {
    Box::new(|url| {
        let url = url.to_owned();
        // The caller may be on a thread that polls a runtime, where waiting for another one is not allowed.
        let fetching = std::thread::spawn(move || fetch(&url));
        fetching.join().unwrap_or_else(|_| Err("the download broke down".to_owned()))
    })
}

fn fetch(url: &str) -> Result<Bytes, String> {
    // Whoever came first has installed the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let client = reqwest::Client::builder().timeout(PATIENCE).build().map_err(|error| words(&error))?;
        let answer = client.get(url).send().await.map_err(|error| words(&error))?;
        match answer.status().as_u16() {
            200 => answer.bytes().await.map_err(|error| words(&error)),
            404 => Err(format!("not found: {url}")),
            status => Err(format!("wrong status code ({status}) for: {url}")),
        }
    })
}

/// The innermost cause says most.
fn words(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
