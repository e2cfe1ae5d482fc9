//! Archives: a script with everything it reads, its options and variables, in one uncompressed tar file.
//!
//! The layout is k6's, so either program runs what the other has packed.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tar::{EntryType, Header};

use super::specifier::{file_path, file_url};

/// The facts of `metadata.json`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ArchiveMetadata {
    /// As configured; takes the script's layer.
    pub options: Value,
    /// The main script's URL.
    pub filename: String,
    /// The URL of the directory the archive was made in.
    pub pwd: String,
    /// Variables; a run's own win.
    pub env: BTreeMap<String, String>,
    /// `extended` or `base`.
    pub compatibility_mode: String,
}

/// An archive in memory.
#[derive(Clone, Debug)]
pub struct Archive {
    /// What `metadata.json` says.
    pub metadata: ArchiveMetadata,
    /// The main script.
    pub main: Bytes,
    /// Everything else, by its path in the tar file.
    entries: BTreeMap<String, Bytes>,
}

/// True if the bytes begin with the header of a tar file's entry.
pub fn is_tar(bytes: &[u8]) -> bool {
    let mut archive = tar::Archive::new(bytes);
    archive.entries().is_ok_and(|mut entries| entries.next().is_some_and(|entry| entry.is_ok()))
}

impl Archive {
    /// Reads a tar file.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence.
    pub fn read(bytes: &Bytes) -> Result<Self, String> {
        let mut entries = read_tar(bytes)?;
        let metadata = entries.remove("metadata.json").ok_or("the archive has no metadata.json")?;
        let metadata: Value =
            serde_json::from_slice(&metadata).map_err(|error| format!("metadata.json of the archive: {error}"))?;
        let text = |key: &str| metadata[key].as_str().unwrap_or_default().to_owned();
        let env = metadata["env"].as_object().into_iter().flatten();
        let metadata = ArchiveMetadata {
            options: metadata["options"].clone(),
            filename: text("filename"),
            pwd: text("pwd"),
            env: env.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect(),
            compatibility_mode: text("compatibilityMode"),
        };
        if metadata.filename.is_empty() {
            return Err("metadata.json of the archive names no main script".to_owned());
        }
        let main = entries.remove("data").ok_or("the archive has no main script")?;
        Ok(Self { metadata, main, entries })
    }

    /// Local files by absolute path.
    pub fn local_files(&self) -> impl Iterator<Item = (String, Bytes)> {
        let entries = self.entries.iter();
        entries.filter_map(|(name, bytes)| Some((format!("/{}", name.strip_prefix("file/")?), bytes.clone())))
    }

    /// Remote files by URL.
    pub fn remote_files(&self) -> impl Iterator<Item = (String, Bytes)> {
        let entries = self.entries.iter();
        entries.filter_map(|(name, bytes)| Some((format!("https://{}", name.strip_prefix("https/")?), bytes.clone())))
    }
}

fn read_tar(bytes: &Bytes) -> Result<BTreeMap<String, Bytes>, String> {
    let broken = || "the archive is broken: a header can't be read".to_owned();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut entries = BTreeMap::new();
    let mut links = Vec::new();
    let mut tar = tar::Archive::new(&bytes[..]);
    for entry in tar.entries().map_err(|_| broken())? {
        let entry = entry.map_err(|_| broken())?;
        let name = text(&entry.path_bytes());
        let kind = entry.header().entry_type();
        if kind.is_hard_link() {
            links.push((name, text(&entry.link_name_bytes().ok_or_else(broken)?)));
        } else if kind.is_file() {
            // The archive is in memory once; files are pieces of it.
            let begin = usize::try_from(entry.raw_file_position()).map_err(|_| broken())?;
            let size = usize::try_from(entry.size()).map_err(|_| broken())?;
            let end = begin.checked_add(size).filter(|end| *end <= bytes.len()).ok_or_else(broken)?;
            entries.insert(name, bytes.slice(begin..end));
        }
    }
    for (name, target) in links {
        let bytes: Bytes = entries.get(&target).cloned().ok_or_else(broken)?;
        entries.insert(name, bytes);
    }
    Ok(entries)
}

/// What goes into an archive besides files.
#[derive(Clone, Debug)]
pub struct ArchiveContents {
    /// [`crate::options::Options::to_archive_json`].
    pub options: Map<String, Value>,
    /// The main script's URL.
    pub filename: String,
    /// The URL of the current directory.
    pub pwd: String,
    /// Variables; `None` leaves them out.
    pub env: Option<BTreeMap<String, String>>,
    /// `extended` or `base`.
    pub compatibility_mode: String,
    /// Unix seconds; the time of every entry.
    pub time: u64,
}

impl ArchiveContents {
    /// Packs the script and `files` (by URL, the main script among them). Home directories become those of `nobody`.
    ///
    /// # Errors
    /// What a tar file can't hold.
    pub fn pack(&self, files: &[(String, Bytes)]) -> io::Result<Vec<u8>> {
        let filename = nobody(&self.filename);
        let metadata = json!({
            "type": "js",
            "options": self.options,
            "filename": filename,
            "pwd": nobody(&self.pwd),
            "env": self.env,
            "compatibilityMode": self.compatibility_mode,
            "k6version": "2.3.0",
            "goos": std::env::consts::OS,
            "dependencies": {"k6": "*"},
        });
        let metadata = serde_json::to_string_pretty(&metadata).unwrap_or_default();
        let mut tar = Tar { builder: tar::Builder::new(Vec::new()), time: self.time };
        tar.file("metadata.json", metadata.as_bytes())?;
        let main = files.iter().find(|(url, _)| *url == self.filename);
        tar.file("data", main.map_or(&[], |(_, bytes)| bytes))?;
        let entries: BTreeMap<String, (&str, &Bytes)> =
            files.iter().filter_map(|(url, bytes)| Some((entry_name(&nobody(url))?, (url.as_str(), bytes)))).collect();
        let folders: BTreeSet<&str> =
            entries.keys().flat_map(|name| name.match_indices('/').map(|(at, _)| &name[..=at])).collect();
        for folder in folders {
            tar.folder(folder)?;
        }
        for (name, (url, bytes)) in &entries {
            if *url == self.filename {
                tar.link(name, "data")?;
            } else {
                tar.file(name, bytes)?;
            }
        }
        tar.builder.into_inner()
    }
}

/// The entry of a URL: `file/…` or `https/…`.
fn entry_name(url: &str) -> Option<String> {
    match file_path(url) {
        Some(path) => Some(format!("file{path}")),
        None => Some(format!("https/{}", url.strip_prefix("https://")?)),
    }
}

/// The URL with the name of a home directory's owner taken out.
fn nobody(url: &str) -> String {
    let Some(path) = file_path(url) else { return url.to_owned() };
    for homes in ["/home/", "/Users/", "/Documents and Settings/"] {
        if let Some(rest) = path.strip_prefix(homes) {
            let tail = rest.find('/').map_or("", |at| &rest[at..]);
            return file_url(&format!("{homes}nobody{tail}"));
        }
    }
    url.to_owned()
}

struct Tar {
    builder: tar::Builder<Vec<u8>>,
    time: u64,
}

impl Tar {
    fn file(&mut self, name: &str, body: &[u8]) -> io::Result<()> {
        self.entry(name, "", EntryType::Regular, 0o644, body)
    }

    fn folder(&mut self, name: &str) -> io::Result<()> {
        self.entry(name, "", EntryType::Directory, 0o755, &[])
    }

    fn link(&mut self, name: &str, target: &str) -> io::Result<()> {
        self.entry(name, target, EntryType::Link, 0o644, &[])
    }

    /// An entry; a name a header has no room for comes before it, in the form k6 writes.
    fn entry(&mut self, name: &str, target: &str, kind: EntryType, mode: u32, body: &[u8]) -> io::Result<()> {
        let mut header = Header::new_ustar();
        let fields = header.as_old_mut();
        let short = name.len().min(fields.name.len());
        if short < name.len() || !name.is_ascii() {
            self.builder.append_pax_extensions([("path", name.as_bytes())])?;
        }
        fields.name[..short].copy_from_slice(&name.as_bytes()[..short]);
        fields.linkname[..target.len()].copy_from_slice(target.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(self.time);
        header.set_size(body.len() as u64);
        header.set_cksum();
        self.builder.append(&header, body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_read_again() {
        let long = format!("file:///home/alice/{}/x.js", "d".repeat(120));
        let accented = file_url(&format!("/home/alice/{}/žluť.js", "d".repeat(95)));
        let files = [
            ("file:///home/alice/main.js".to_owned(), Bytes::from_static(b"main")),
            (accented.clone(), Bytes::from_static(b"letters")),
            (long.clone(), Bytes::from_static(b"deep")),
            ("https://h.test/lib.js".to_owned(), Bytes::from_static(b"lib")),
        ];
        let contents = ArchiveContents {
            options: Map::from_iter([("vus".to_owned(), json!(3))]),
            filename: files[0].0.clone(),
            pwd: "file:///home/alice".to_owned(),
            env: Some([("A".to_owned(), "b".to_owned())].into()),
            compatibility_mode: "extended".to_owned(),
            time: 1_700_000_000,
        };
        let tar = Bytes::from(contents.pack(&files).unwrap());
        assert!(is_tar(&tar));
        let archive = Archive::read(&tar).unwrap();
        assert_eq!(archive.metadata.filename, "file:///home/nobody/main.js");
        assert_eq!(archive.metadata.pwd, "file:///home/nobody");
        assert_eq!(archive.metadata.env["A"], "b");
        assert_eq!(archive.metadata.options, json!({"vus": 3}));
        assert_eq!(archive.main, "main");
        let local: BTreeMap<_, _> = archive.local_files().collect();
        assert_eq!(local["/home/nobody/main.js"], "main");
        assert_eq!(local[&file_path(&long.replace("alice", "nobody")).unwrap()], "deep");
        assert_eq!(local[&file_path(&accented.replace("alice", "nobody")).unwrap()], "letters");
        assert_eq!(archive.remote_files().collect::<Vec<_>>(), [("https://h.test/lib.js".to_owned(), "lib".into())]);
    }

    #[test]
    fn other_bytes_are_no_archive() {
        assert!(!is_tar(b"export default function () {}"));
        assert!(!is_tar(&[0; 2048]));
        assert!(!is_tar(&[b'a'; 2048]));
    }
}
