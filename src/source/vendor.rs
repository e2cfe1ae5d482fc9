//! Remote modules that travel with a project: a folder of files, and a lock file that says which address each is from, and its
//! SHA-256. Nothing is fetched here, and nothing is taken that is not what the lock file says.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::cache::sha256;
use crate::units::redact::redact;

/// The folder beside scripts.
pub const FOLDER: &str = "vendor";
/// The lock file in it.
pub const LOCK_FILE: &str = "volley.lock";
/// The version of the lock file's form.
const VERSION: u32 = 1;

/// A folder of remote modules.
#[derive(Clone, Debug)]
pub struct Vendor {
    folder: PathBuf,
    lock: VendorLock,
}

/// The lock file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct VendorLock {
    version: u32,
    /// By address, without user, password and tokens.
    modules: BTreeMap<String, VendorEntry>,
}

/// Where a module is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VendorEntry {
    /// Its path in the folder.
    pub file: String,
    /// Of its bytes, in hexadecimal digits.
    pub sha256: String,
}

impl Vendor {
    /// An empty one, which is to be in this folder.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, lock: VendorLock { version: VERSION, modules: BTreeMap::new() } }
    }

    /// The one of the project that `start`, a folder, belongs to: in it, or in the nearest folder above.
    ///
    /// # Errors
    /// One line about a lock file that can't be read.
    pub fn find(start: &Path) -> Result<Option<Self>, String> {
        match start.ancestors().map(|folder| folder.join(FOLDER)).find(|folder| folder.join(LOCK_FILE).exists()) {
            Some(folder) => Self::read(folder).map(Some),
            None => Ok(None),
        }
    }

    fn read(folder: PathBuf) -> Result<Self, String> {
        let path = folder.join(LOCK_FILE);
        let wrong = |what: String| format!("{}: {what}", path.display());
        let text = std::fs::read(&path).map_err(|error| wrong(error.to_string()))?;
        let lock: VendorLock = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        if lock.version != VERSION {
            return Err(wrong(format!("version {} of this file is not known, {VERSION} is", lock.version)));
        }
        if let Some((url, entry)) = lock.modules.iter().find(|(_, entry)| !is_inside(&entry.file)) {
            return Err(wrong(format!("{url} is said to be in {:?}, which is outside the folder", entry.file)));
        }
        Ok(Self { folder, lock })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The modules, by address.
    pub fn modules(&self) -> &BTreeMap<String, VendorEntry> {
        &self.lock.modules
    }

    /// The bytes of an address; `None` for one that is not here.
    ///
    /// # Errors
    /// One line about a file that is missing or is not what the lock file says.
    pub fn bytes(&self, url: &str) -> Option<Result<Bytes, String>> {
        let entry = self.lock.modules.get(&*redact(url))?;
        let path = self.folder.join(&entry.file);
        let shown = path.display();
        Some(match std::fs::read(&path) {
            Ok(bytes) if sha256(&bytes) == entry.sha256 => Ok(bytes.into()),
            Ok(bytes) => Err(format!(
                "{shown} was changed: its sha256 is {}, {LOCK_FILE} says {}; `vendor` fetches it anew",
                sha256(&bytes),
                entry.sha256
            )),
            Err(error) => Err(format!("{shown} can't be read: {error}; `vendor` fetches it anew")),
        })
    }

    /// Writes the bytes of an address into the folder; the entry it had before.
    ///
    /// # Errors
    /// The file system's.
    pub fn put(&mut self, url: &str, bytes: &[u8]) -> io::Result<Option<VendorEntry>> {
        let shown = redact(url).into_owned();
        let known = self.lock.modules.get(&shown).map(|entry| entry.file.clone());
        let file = known.unwrap_or_else(|| self.free_name(&shown));
        let path = self.folder.join(&file);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, bytes)?;
        Ok(self.lock.modules.insert(shown, VendorEntry { file, sha256: sha256(bytes) }))
    }

    /// Forgets the addresses that `keep` does not want, and removes their files.
    pub fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        let folder = &self.folder;
        self.lock.modules.retain(|url, entry| {
            let stays = keep(url);
            if !stays {
                // One that is gone already is what is wanted.
                let _ = std::fs::remove_file(folder.join(&entry.file));
            }
            stays
        });
    }

    /// Writes the lock file.
    ///
    /// # Errors
    /// The file system's.
    pub fn save(&self) -> io::Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        let text = serde_json::to_string_pretty(&self.lock)? + "\n";
        std::fs::write(self.folder.join(LOCK_FILE), text)?;
        // Other line endings would be other bytes.
        let attributes = self.folder.join(".gitattributes");
        if attributes.exists() { Ok(()) } else { std::fs::write(attributes, "* -text\n") }
    }

    /// A path for an address: its host and path, as far as they make a name.
    fn free_name(&self, url: &str) -> String {
        let address = url.split_once("://").map_or(url, |(_, address)| address);
        let (path, query) = address.split_once('?').map_or((address, None), |(path, query)| (path, Some(query)));
        let keeps = |c: char| c.is_ascii_alphanumeric() || ".-_/".contains(c);
        let path: String = path.chars().map(|c| if keeps(c) { c } else { '_' }).collect();
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let parts: Vec<String> = parts.iter().map(|part| part.trim_start_matches('.').to_owned()).collect();
        let mut name = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
        if path.ends_with('/') || !name.contains('/') {
            name.push_str("/index.js");
        }
        let is_taken = |name: &str| self.lock.modules.values().any(|entry| entry.file == name);
        if query.is_some() || is_taken(&name) {
            let mark = &sha256(url.as_bytes())[..8];
            name = match name.rsplit_once('.') {
                Some((stem, ending)) if !ending.contains('/') => format!("{stem}-{mark}.{ending}"),
                _ => format!("{name}-{mark}"),
            };
        }
        name
    }
}

/// Whether a path stays in the folder it is relative to.
fn is_inside(path: &str) -> bool {
    Path::new(path).components().all(|part| matches!(part, std::path::Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_kept_and_found_from_below() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("tests/deep");
        std::fs::create_dir_all(&below).unwrap();
        assert!(Vendor::find(&below).unwrap().is_none());
        let mut vendor = Vendor::new(folder.path().join(FOLDER));
        let url = "https://jslib.test/utils/1.0.0/index.js";
        assert_eq!(vendor.put(url, b"one").unwrap(), None);
        vendor.save().unwrap();
        let found = Vendor::find(&below).unwrap().unwrap();
        assert_eq!(found.bytes(url).unwrap().unwrap(), "one");
        assert!(found.bytes("https://jslib.test/other.js").is_none());
        let file = found.folder().join("jslib.test/utils/1.0.0/index.js");
        std::fs::write(&file, "two").unwrap();
        let error = found.bytes(url).unwrap().unwrap_err();
        assert!(error.contains("was changed: its sha256 is 3fc4ccfe") && error.contains("says 7692c3ad"), "{error}");
        std::fs::remove_file(file).unwrap();
        assert!(found.bytes(url).unwrap().unwrap_err().contains("can't be read"));
        vendor.retain(|_| false);
        assert!(vendor.modules().is_empty());
    }

    #[test]
    fn names_are_safe_and_differ() {
        let mut vendor = Vendor::new(PathBuf::from("x"));
        let check = |vendor: &Vendor, url: &str, expect: &str| assert_eq!(vendor.free_name(url), expect, "{url}");
        check(&vendor, "https://h.test/a/b.js", "h.test/a/b.js");
        check(&vendor, "https://h.test:8443/a/../../etc/x.js", "h.test_8443/a/etc/x.js");
        check(&vendor, "https://h.test", "h.test/index.js");
        check(&vendor, "https://h.test/lib/", "h.test/lib/index.js");
        check(&vendor, "https://h.test/x.js?v=2", &format!("h.test/x-{}.js", &sha256(b"https://h.test/x.js?v=2")[..8]));
        let entry = VendorEntry { file: "h.test/a/b.js".to_owned(), sha256: String::new() };
        vendor.lock.modules.insert("https://h.test//a/b.js".to_owned(), entry);
        assert_ne!(vendor.free_name("https://h.test/a/b.js"), "h.test/a/b.js");
        for url in ["https://../x", "https://h/%2e%2e/%2e%2e/x", "https://h/..\\..\\x"] {
            assert!(is_inside(&vendor.free_name(url)), "{url}");
        }
    }

    #[test]
    fn a_lock_file_that_is_wrong_is_refused() {
        let check = |text: &str, expect: &str| {
            let folder = tempfile::tempdir().unwrap();
            std::fs::create_dir(folder.path().join(FOLDER)).unwrap();
            std::fs::write(folder.path().join(FOLDER).join(LOCK_FILE), text).unwrap();
            let error = Vendor::find(folder.path()).unwrap_err();
            assert!(error.contains("vendor/volley.lock: ") && error.contains(expect), "{error}");
        };
        check("{", "EOF");
        check(r#"{"version": 2, "modules": {}}"#, "version 2 of this file is not known, 1 is");
        let entry = r#"{"version": 1, "modules": {"https://h/x.js": {"file": "../x.js", "sha256": ""}}}"#;
        check(entry, "outside the folder");
    }

    #[test]
    fn secrets_are_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let mut vendor = Vendor::new(folder.path().join(FOLDER));
        let url = "https://ann:s3cret@h.test/x.js?token=t0ken";
        vendor.put(url, b"one").unwrap();
        vendor.save().unwrap();
        let text = std::fs::read_to_string(folder.path().join(FOLDER).join(LOCK_FILE)).unwrap();
        assert!(!text.contains("s3cret") && !text.contains("t0ken"), "{text}");
        assert_eq!(vendor.bytes(url).unwrap().unwrap(), "one");
    }
}
