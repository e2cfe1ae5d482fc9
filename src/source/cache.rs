//! Remote modules on disk, for when the network is not there: the bytes by their SHA-256, and a lock entry for each URL.
//!
//! Nothing is fetched here, and nothing is ever taken that does not match its entry. Entries are files of their own, so
//! several processes may share a folder.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A folder of remote modules.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
}

/// What is known of a URL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// As the script writes it.
    pub url: String,
    /// Of the bytes, in hexadecimal digits.
    pub sha256: String,
    /// When they were fetched, RFC 3339.
    pub fetched: String,
}

impl Cache {
    /// A cache in this folder, which is made when something is kept.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The entry of a URL.
    pub fn entry(&self, url: &str) -> Option<Entry> {
        let text = std::fs::read(self.lock(url)).ok()?;
        serde_json::from_slice(&text).ok().filter(|entry: &Entry| entry.url == url)
    }

    /// The bytes of a URL, if they are what its entry says, and the entry.
    pub fn find(&self, url: &str) -> Option<(Bytes, Entry)> {
        let entry = self.entry(url)?;
        let bytes = std::fs::read(self.folder.join(&entry.sha256)).ok()?;
        (hash(&bytes) == entry.sha256).then(|| (bytes.into(), entry))
    }

    /// Keeps the bytes of a URL; the entry that was there before.
    ///
    /// # Errors
    /// The file system's.
    pub fn keep(&self, url: &str, bytes: &[u8], now: &str) -> io::Result<Option<Entry>> {
        let before = self.entry(url);
        let sha256 = hash(bytes);
        if before.as_ref().is_some_and(|entry| entry.sha256 == sha256) && self.find(url).is_some() {
            return Ok(before);
        }
        std::fs::create_dir_all(&self.folder)?;
        // The bytes come first: an entry never names what isn't there.
        self.write(&self.folder.join(&sha256), bytes)?;
        let entry = Entry { url: url.to_owned(), sha256, fetched: now.to_owned() };
        self.write(&self.lock(url), serde_json::to_string_pretty(&entry)?.as_bytes())?;
        Ok(before)
    }

    fn lock(&self, url: &str) -> PathBuf {
        self.folder.join(format!("{}.lock", hash(url.as_bytes())))
    }

    /// Files are whole or not there.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let part = path.with_extension(format!("part-{}", std::process::id()));
        std::fs::write(&part, bytes)?;
        std::fs::rename(&part, path)
    }
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_found_while_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().join("modules"));
        let url = "https://h.test/x.js";
        assert_eq!(cache.find(url), None);
        assert_eq!(cache.keep(url, b"one", "2026-01-01T00:00:00Z").unwrap(), None);
        let (bytes, entry) = cache.find(url).unwrap();
        assert_eq!((&*bytes, &*entry.fetched), (&b"one"[..], "2026-01-01T00:00:00Z"));
        assert_eq!(entry.sha256, "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed");
        assert_eq!(cache.keep(url, b"two", "2026-01-02T00:00:00Z").unwrap(), Some(entry));
        let entry = cache.entry(url).unwrap();
        std::fs::write(folder.path().join("modules").join(entry.sha256), "not two").unwrap();
        assert_eq!(cache.find(url), None);
    }
}
