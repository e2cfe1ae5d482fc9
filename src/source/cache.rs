//! Remote modules on disk, for when the network is not there: the bytes by their SHA-256, and a lock entry for each URL.
//!
//! Nothing is fetched here, and nothing is ever taken that does not match its entry. Entries are files of their own, so
//! several processes may share a folder.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::units::redact::redact;

/// A folder of remote modules.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
}

/// What is known of a URL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockEntry {
    /// As the script writes it, without user, password and tokens.
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
    pub fn entry(&self, url: &str) -> Option<LockEntry> {
        let url = redact(url);
        let text = std::fs::read(self.lock(&url)).ok()?;
        serde_json::from_slice(&text).ok().filter(|entry: &LockEntry| entry.url == url)
    }

    /// The bytes of a URL, if they are what its entry says, and the entry.
    pub fn find(&self, url: &str) -> Option<(Bytes, LockEntry)> {
        let entry = self.entry(url)?;
        let bytes = std::fs::read(self.folder.join(&entry.sha256)).ok()?;
        (sha256(&bytes) == entry.sha256).then(|| (bytes.into(), entry))
    }

    /// Keeps the bytes of a URL; the entry that was there before.
    ///
    /// # Errors
    /// The file system's.
    pub fn keep(&self, url: &str, bytes: &[u8], now: &str) -> io::Result<Option<LockEntry>> {
        let before = self.entry(url);
        let hash = sha256(bytes);
        if before.as_ref().is_some_and(|entry| entry.sha256 == hash) && self.find(url).is_some() {
            self.close(&[self.folder.join(&hash), self.lock(&redact(url))]);
            return Ok(before);
        }
        let mut folders = std::fs::DirBuilder::new();
        // What others may not fetch they may not read.
        std::os::unix::fs::DirBuilderExt::mode(&mut folders, 0o700);
        folders.recursive(true).create(&self.folder)?;
        // The bytes come first: an entry never names what isn't there.
        self.write(&self.folder.join(&hash), bytes)?;
        let shown = redact(url).into_owned();
        if shown != url {
            // Earlier versions named everything.
            _ = std::fs::remove_file(self.lock(url));
        }
        let lock = self.lock(&shown);
        let entry = LockEntry { url: shown, sha256: hash, fetched: now.to_owned() };
        self.write(&lock, serde_json::to_string_pretty(&entry)?.as_bytes())?;
        Ok(before)
    }

    fn lock(&self, url: &str) -> PathBuf {
        self.folder.join(format!("{}.lock", sha256(url.as_bytes())))
    }

    /// Files are whole or not there.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let part = path.with_extension(format!("part-{}", std::process::id()));
        let mut options = std::fs::File::options();
        options.write(true).create(true).truncate(true);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&part)?.write_all(bytes)?;
        std::fs::rename(&part, path)
    }

    /// Files of earlier versions could be read by others.
    fn close(&self, paths: &[PathBuf]) {
        use std::os::unix::fs::PermissionsExt;
        for path in paths {
            if std::fs::metadata(path).is_ok_and(|known| known.permissions().mode() & 0o077 != 0) {
                _ = std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600));
            }
        }
    }
}

/// The SHA-256 of some bytes, in hexadecimal digits.
pub(super) fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
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

    #[test]
    fn secrets_are_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().join("a/modules"));
        let url = "https://ann:s3cret@h.test/x.js?token=t0ken";
        std::fs::create_dir_all(folder.path().join("a/modules")).unwrap();
        // As earlier versions did.
        let old = folder.path().join("a/modules").join(format!("{}.lock", sha256(url.as_bytes())));
        std::fs::write(&old, url).unwrap();
        cache.keep(url, b"one", "2026-01-01T00:00:00Z").unwrap();
        assert_eq!(&*cache.find(url).unwrap().0, b"one");
        // A new token leads to the same copy.
        assert_eq!(&*cache.find(&url.replace("t0ken", "new")).unwrap().0, b"one");
        assert!(!old.exists());
        for entry in std::fs::read_dir(folder.path().join("a/modules")).unwrap() {
            let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            assert!(!text.contains("s3cret") && !text.contains("t0ken"), "{text}");
        }
    }
    #[test]
    fn what_is_kept_is_for_its_owner() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let modules = folder.path().join("a/modules");
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let cache = Cache::new(&modules);
        let check = || {
            for entry in std::fs::read_dir(&modules).unwrap() {
                assert_eq!(mode(&entry.unwrap().path()), 0o600);
            }
        };
        cache.keep("https://h.test/x.js", b"one", "2026-01-01T00:00:00Z").unwrap();
        assert_eq!((mode(&modules), mode(&folder.path().join("a"))), (0o700, 0o700));
        check();
        for entry in std::fs::read_dir(&modules).unwrap() {
            std::fs::set_permissions(entry.unwrap().path(), std::fs::Permissions::from_mode(0o644)).unwrap();
        }
        cache.keep("https://h.test/x.js", b"one", "2026-01-02T00:00:00Z").unwrap();
        check();
    }
}
