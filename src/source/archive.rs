//! Archives: a script with everything it reads, its options and variables, in one uncompressed tar file.
//!
//! The layout is k6's, so either program runs what the other has packed.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde_json::{Map, Value, json};

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

const BLOCK: usize = 512;

/// True if the bytes begin with a tar header.
pub fn is_tar(bytes: &[u8]) -> bool {
    bytes.get(..BLOCK).is_some_and(|header| header[0] != 0 && octal(&header[148..156]) == Some(checksum(header)))
}

/// The sum of a header's bytes, its own field counted as spaces.
fn checksum(header: &[u8]) -> u64 {
    let own = 148..156;
    header.iter().enumerate().map(|(at, byte)| if own.contains(&at) { 32 } else { u64::from(*byte) }).sum()
}

fn octal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?.trim_matches(['\0', ' ']);
    if text.is_empty() { Some(0) } else { u64::from_str_radix(text, 8).ok() }
}

fn text_of(field: &[u8]) -> String {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).into_owned()
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
    let mut entries = BTreeMap::new();
    let mut links = Vec::new();
    let mut long_name: Option<String> = None;
    let mut at = 0;
    while let Some(header) = bytes.get(at..at + BLOCK).filter(|header| header[0] != 0) {
        if octal(&header[148..156]) != Some(checksum(header)) {
            return Err(broken());
        }
        let size = usize::try_from(octal(&header[124..136]).ok_or_else(broken)?).map_err(|_| broken())?;
        let kind = header[156];
        let (name, prefix) = (text_of(&header[..100]), text_of(&header[345..500]));
        let name = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        let link = text_of(&header[157..257]);
        let body_at = at + BLOCK;
        let body_end = body_at.checked_add(size).filter(|end| *end <= bytes.len()).ok_or_else(broken)?;
        at = body_end.next_multiple_of(BLOCK);
        match kind {
            b'0' | 0 => {
                entries.insert(long_name.take().unwrap_or(name), bytes.slice(body_at..body_end));
            }
            b'1' => links.push((long_name.take().unwrap_or(name), link)),
            // Names too long for a header come in an entry before it.
            b'L' => long_name = Some(text_of(&bytes[body_at..body_end])),
            b'x' => long_name = pax_path(&bytes[body_at..body_end]).or(long_name),
            _ => long_name = None,
        }
    }
    for (name, target) in links {
        let bytes: Bytes = entries.get(&target).cloned().ok_or_else(broken)?;
        entries.insert(name, bytes);
    }
    Ok(entries)
}

/// The `path` among pax records, each `<length> <key>=<value>\n`.
fn pax_path(records: &[u8]) -> Option<String> {
    let mut rest = std::str::from_utf8(records).ok()?;
    while let Some((length, _)) = rest.split_once(' ') {
        let record = rest.get(..length.parse().ok()?)?;
        if let Some((_, path)) = record.trim_end_matches('\n').split_once(" path=") {
            return Some(path.to_owned());
        }
        rest = &rest[record.len()..];
    }
    None
}

/// What goes into an archive besides files.
#[derive(Clone, Debug)]
pub struct Contents {
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

impl Contents {
    /// Packs the script and `files` (by URL, the main script among them). Home directories become those of `nobody`.
    pub fn pack(&self, files: &[(String, Bytes)]) -> Vec<u8> {
        let filename = nobody(&self.filename);
        let metadata = json!({
            "type": "js",
            "options": self.options,
            "filename": filename,
            "pwd": nobody(&self.pwd),
            "env": self.env,
            "compatibilityMode": self.compatibility_mode,
            "k6version": "2.2.0",
            "goos": std::env::consts::OS,
            "dependencies": {"k6": "*"},
        });
        let metadata = serde_json::to_string_pretty(&metadata).unwrap_or_default();
        let mut tar = Tar { bytes: Vec::new(), time: self.time };
        tar.file("metadata.json", metadata.as_bytes());
        let main = files.iter().find(|(url, _)| *url == self.filename);
        tar.file("data", main.map_or(&[], |(_, bytes)| bytes));
        let entries: BTreeMap<String, (&str, &Bytes)> =
            files.iter().filter_map(|(url, bytes)| Some((entry_name(&nobody(url))?, (url.as_str(), bytes)))).collect();
        let folders: BTreeSet<&str> =
            entries.keys().flat_map(|name| name.match_indices('/').map(|(at, _)| &name[..=at])).collect();
        for folder in folders {
            tar.folder(folder);
        }
        for (name, (url, bytes)) in &entries {
            if *url == self.filename {
                tar.link(name, "data");
            } else {
                tar.file(name, bytes);
            }
        }
        tar.finish()
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
    bytes: Vec<u8>,
    time: u64,
}

impl Tar {
    fn file(&mut self, name: &str, body: &[u8]) {
        self.header(name, "", b'0', 0o644, body.len());
        self.body(body);
    }

    fn folder(&mut self, name: &str) {
        self.header(name, "", b'5', 0o755, 0);
    }

    fn link(&mut self, name: &str, target: &str) {
        self.header(name, target, b'1', 0o644, 0);
    }

    fn body(&mut self, body: &[u8]) {
        self.bytes.extend_from_slice(body);
        self.bytes.resize(self.bytes.len().next_multiple_of(BLOCK), 0);
    }

    fn header(&mut self, name: &str, target: &str, kind: u8, mode: u32, size: usize) {
        let mut short = name.as_bytes();
        if short.len() > 100 || !name.is_ascii() {
            let record = pax_record("path", name);
            self.header("PaxHeaders.0/entry", "", b'x', 0o644, record.len());
            self.body(record.as_bytes());
            short = &short[..short.len().min(100)];
        }
        let mut header = [0u8; BLOCK];
        let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, short);
        put(100, format!("{mode:07o}\0").as_bytes());
        put(108, b"0000000\0");
        put(116, b"0000000\0");
        put(124, format!("{size:011o}\0").as_bytes());
        put(136, format!("{:011o}\0", self.time).as_bytes());
        put(156, &[kind]);
        put(157, target.as_bytes());
        put(257, b"ustar\x0000");
        let sum = checksum(&header);
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        self.bytes.extend_from_slice(&header);
    }

    fn finish(mut self) -> Vec<u8> {
        self.bytes.extend_from_slice(&[0; 2 * BLOCK]);
        self.bytes
    }
}

/// A pax record states its own length, which includes the digits of that length.
fn pax_record(key: &str, value: &str) -> String {
    let rest = format!(" {key}={value}\n");
    let mut length = rest.len();
    while length != rest.len() + length.to_string().len() {
        length = rest.len() + length.to_string().len();
    }
    format!("{length}{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_read_again() {
        let long = format!("file:///home/alice/{}/x.js", "d".repeat(120));
        let files = [
            ("file:///home/alice/main.js".to_owned(), Bytes::from_static(b"main")),
            (long.clone(), Bytes::from_static(b"deep")),
            ("https://h.test/lib.js".to_owned(), Bytes::from_static(b"lib")),
        ];
        let contents = Contents {
            options: Map::from_iter([("vus".to_owned(), json!(3))]),
            filename: files[0].0.clone(),
            pwd: "file:///home/alice".to_owned(),
            env: Some([("A".to_owned(), "b".to_owned())].into()),
            compatibility_mode: "extended".to_owned(),
            time: 1_700_000_000,
        };
        let tar = Bytes::from(contents.pack(&files));
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
        assert_eq!(archive.remote_files().collect::<Vec<_>>(), [("https://h.test/lib.js".to_owned(), "lib".into())]);
    }

    #[test]
    fn other_bytes_are_no_archive() {
        assert!(!is_tar(b"export default function () {}"));
        assert!(!is_tar(&[0; 2048]));
        assert!(!is_tar(&[b'a'; 2048]));
    }
}
