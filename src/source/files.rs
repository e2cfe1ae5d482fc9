//! The files of a run, each read once and kept: for all VUs, for an archive, for watch mode.
//!
//! After the first load the set is sealed: a later VU can only open files that were read before.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;

use super::Disk;
use super::conceal::Concealed;
use super::module::Module;
use super::shared_bytes::SharedBytes;
use super::specifier::{Resolved, SCRIPT_ENDINGS, clean, file_path, file_url, not_on_disk, resolve};
use crate::units::nearest::nearest;
use crate::units::redact::{redact, redact_reference};
use crate::units::sync::lock;

/// Appended to a URL for the first request, without and with a query, as in k6.
pub const K6_MARKS: [&str; 2] = ["?_k6=1", "&_k6=1"];

/// The URL without such a mark.
pub fn unmarked(url: &str) -> &str {
    K6_MARKS.iter().find_map(|mark| url.strip_suffix(mark)).unwrap_or(url)
}

/// Fetches the bytes of an `https://` URL; the error is the cause in words.
pub type Fetch = Box<dyn Fn(&str) -> Result<Bytes, String> + Send + Sync>;

/// The files of one run, by URL. That of a remote file has no secrets: [`FileSet::conceal`].
pub struct FileSet {
    disk: Box<dyn Disk>,
    fetch: Fetch,
    seen: Mutex<BTreeMap<String, Bytes>>,
    /// What could not be fetched, and why: a graph that is loaded twice asks the network once.
    missing: Mutex<BTreeMap<String, String>>,
    /// Files that did not exist before the set was sealed: later VUs get the same answer.
    absent: Mutex<BTreeSet<String>>,
    /// Those that scripts opened as bytes, in memory that every VU can map.
    shared: Mutex<BTreeMap<String, Arc<SharedBytes>>>,
    /// What addresses don't show.
    concealed: Mutex<Concealed>,
    sealed: AtomicBool,
}

impl std::fmt::Debug for FileSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Files").field("seen", &self.all().len()).finish_non_exhaustive()
    }
}

/// Why a script can't open a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// It wasn't read before the set was sealed.
    Sealed,
    /// There is none.
    NotFound,
    /// It is a directory.
    IsDirectory,
    /// Something else, in words.
    Other(String),
}

impl From<LoadError> for OpenError {
    fn from(refusal: LoadError) -> Self {
        match refusal {
            LoadError::Sealed => Self::Sealed,
            LoadError::Disk(error) if error.kind() == io::ErrorKind::IsADirectory => Self::IsDirectory,
            LoadError::Disk(error) if error.kind() == io::ErrorKind::NotFound => Self::NotFound,
            LoadError::Disk(error) => Self::Other(words(&error)),
            LoadError::Remote(cause) => Self::Other(cause),
        }
    }
}

/// Why a file can't be loaded.
enum LoadError {
    /// It wasn't read before the set was sealed.
    Sealed,
    /// The disk says no.
    Disk(io::Error),
    /// The network says no.
    Remote(String),
}

impl FileSet {
    /// Reads from `disk`, and what is remote through `fetch`.
    pub fn new(disk: impl Disk + 'static, fetch: Fetch) -> Self {
        Self {
            disk: Box::new(disk),
            fetch,
            seen: Mutex::default(),
            missing: Mutex::default(),
            absent: Mutex::default(),
            shared: Mutex::default(),
            concealed: Mutex::default(),
            sealed: AtomicBool::new(false),
        }
    }

    /// A [`Fetch`] that refuses: for tests and for archives, which hold all they need.
    pub fn offline() -> Fetch {
        Box::new(|url| Err(format!("not found: {url}")))
    }

    /// Remembers bytes under a URL, as if they had been read.
    pub fn remember(&self, url: &str, bytes: Bytes) {
        self.seen().insert(url.to_owned(), bytes);
    }

    /// Where `specifier`, written in the module at `referrer`, leads.
    ///
    /// # Errors
    /// k6's message, without the context of the script.
    pub fn resolve(&self, specifier: &str, referrer: &str) -> Result<Resolved, String> {
        match resolve(specifier, referrer) {
            Ok(Resolved::Url(url)) => Ok(Resolved::Url(self.conceal(&url))),
            Ok(builtin) => Ok(builtin),
            Err(text) => Err(text.replace(specifier, &redact_reference(specifier))),
        }
    }

    /// The URL by which a file is known: without user, password and tokens.
    pub fn conceal(&self, url: &str) -> String {
        lock(&self.concealed).conceal(url)
    }

    /// The URL to fetch a file from.
    pub fn reveal(&self, url: &str) -> String {
        lock(&self.concealed).reveal(url)
    }

    /// The file that has this text, if one was read.
    pub fn having(&self, text: &[u8]) -> Option<String> {
        let seen = self.seen();
        let has_it = |bytes: &Bytes| bytes.len() == text.len() && !text.is_empty() && **bytes == *text;
        seen.iter().find(|(_, bytes)| has_it(bytes)).map(|(url, _)| url.clone())
    }

    /// What may have been meant by a local file that isn't there: `specifier` with another end, or spelt like a neighbour.
    pub fn meant(&self, specifier: &str, url: &str) -> Option<String> {
        let path = file_path(url)?;
        let (folder, name) = path.rsplit_once('/')?;
        let written = specifier.strip_suffix(name)?;
        let names = self.disk.names(Path::new(if folder.is_empty() { "/" } else { folder }));
        let has = |name: &str| names.iter().any(|known| known == name);
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let other_end = SCRIPT_ENDINGS
            .iter()
            .flat_map(|end| [format!("{name}.{end}"), format!("{stem}.{end}")])
            .find(|name| has(name));
        let index = || {
            let inside = self.disk.names(Path::new(&path));
            let index = SCRIPT_ENDINGS.iter().map(|end| format!("index.{end}")).find(|index| inside.contains(index))?;
            Some(format!("{name}/{index}"))
        };
        let near = || nearest(name, names.iter().map(String::as_str)).map(str::to_owned);
        other_end.or_else(index).or_else(near).map(|meant| format!("{written}{meant}"))
    }

    /// From now on only files that were read before can be read.
    pub fn seal(&self) {
        self.sealed.store(true, Ordering::Release);
    }

    /// True once the set is sealed.
    pub fn is_sealed(&self) -> bool {
        self.sealed.load(Ordering::Acquire)
    }

    /// The text at `url`, if it can be had.
    pub fn text(&self, url: &str) -> Option<String> {
        self.read(url).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Everything read so far, by URL, sorted.
    pub fn all(&self) -> Vec<(String, Bytes)> {
        self.seen().iter().map(|(url, bytes)| (url.clone(), bytes.clone())).collect()
    }

    /// The module at `url`, which was asked for as `specifier`.
    ///
    /// # Errors
    /// k6's message for what is missing, a directory, unreachable, or new after the first load.
    pub fn module(&self, specifier: &str, url: &str) -> Result<Module, String> {
        let specifier = &*redact_reference(specifier);
        let bytes = self.read(url).map_err(|refusal| match refusal {
            LoadError::Sealed => {
                format!("the module \"{specifier}\" was not previously resolved during initialization (__VU==0)")
            }
            LoadError::Disk(error) if error.kind() == io::ErrorKind::NotFound => not_on_disk(specifier),
            LoadError::Disk(error) => format!("read {}: {}", path_of(url), words(&error)),
            LoadError::Remote(cause) => format!(
                "The moduleSpecifier \"{specifier}\" couldn't be retrieved from the resolved url \"{url}\". Error : \
                 \"{cause}\""
            ),
        })?;
        Ok(Module::new(url, &bytes))
    }

    /// The bytes `open(name)` gives in code whose files are relative to the directory `base` (a URL).
    ///
    /// # Errors
    /// k6's message, without the name of the error class.
    pub fn open(&self, name: &str, base: &str) -> Result<Bytes, String> {
        self.find(name, base).map(|(_, bytes)| bytes)
    }

    /// As [`FileSet::open`], but in memory that every VU can map: however many open it, there is one copy.
    ///
    /// # Errors
    /// As [`FileSet::open`].
    pub fn open_shared(&self, name: &str, base: &str) -> Result<Arc<SharedBytes>, String> {
        let (url, bytes) = self.find(name, base)?;
        let mut all = lock(&self.shared);
        if let Some(shared) = all.get(&url) {
            return Ok(shared.clone());
        }
        let shared = Arc::new(SharedBytes::new(bytes));
        // From now on this is the one copy.
        self.remember(&url, shared.bytes().clone());
        all.insert(url, shared.clone());
        Ok(shared)
    }

    /// The absolute path that `name` means beside the directory `base` (a URL), and the bytes that are there.
    pub fn at(&self, name: &str, base: &str) -> (String, Result<Bytes, OpenError>) {
        let path = path_beside(name, base);
        let bytes = self.read(&file_url(&path)).map_err(OpenError::from);
        (path, bytes)
    }

    /// The URL and the bytes of what `open(name)` means.
    fn find(&self, name: &str, base: &str) -> Result<(String, Bytes), String> {
        if name.is_empty() {
            return Err("open() can't be used with an empty filename".to_owned());
        }
        let (path, bytes) = self.at(name, base);
        let bytes = bytes.map_err(|absence| match absence {
            OpenError::Sealed => format!(
                "open() can't be used with files that weren't previously opened during initialization (__VU==0), \
                 path: \"{path}\""
            ),
            OpenError::IsDirectory => format!("open() can't be used with directories, path: \"{path}\""),
            OpenError::NotFound => format!("stat {path}: no such file or directory"),
            OpenError::Other(cause) => format!("open {path}: {cause}"),
        })?;
        Ok((file_url(&path), bytes))
    }

    /// The bytes at `url`; the error is the disk's, or the network's in words.
    pub(super) fn bytes(&self, url: &str) -> Result<Bytes, Result<io::Error, String>> {
        self.read(url).map_err(|refusal| match refusal {
            LoadError::Disk(error) => Ok(error),
            LoadError::Remote(cause) => Err(cause),
            LoadError::Sealed => Err("the run has already begun".to_owned()),
        })
    }

    fn read(&self, url: &str) -> Result<Bytes, LoadError> {
        if let Some(bytes) = self.seen().get(url) {
            return Ok(bytes.clone());
        }
        let absent = || lock(&self.absent);
        if self.sealed.load(Ordering::Acquire) {
            let is_absent = absent().contains(url);
            return Err(if is_absent { LoadError::Disk(io::ErrorKind::NotFound.into()) } else { LoadError::Sealed });
        }
        let bytes = match file_path(url) {
            Some(path) => self.disk.read(Path::new(&path)).map_err(|error| {
                if error.kind() == io::ErrorKind::NotFound {
                    absent().insert(url.to_owned());
                }
                LoadError::Disk(error)
            })?,
            None => self.fetch_remote(url).map_err(LoadError::Remote)?,
        };
        self.remember(url, bytes.clone());
        Ok(bytes)
    }

    /// First with the mark of k6, then without it, as k6 does.
    fn fetch_remote(&self, url: &str) -> Result<Bytes, String> {
        let mut missing = lock(&self.missing);
        if let Some(cause) = missing.get(url) {
            return Err(cause.clone());
        }
        let (mark, whole) = (K6_MARKS[usize::from(url.contains('?'))], self.reveal(url));
        let fetched = (self.fetch)(&format!("{whole}{mark}")).or_else(|_| (self.fetch)(&whole));
        let fetched = fetched.map_err(|cause| redact(&cause).into_owned());
        if let Err(cause) = &fetched {
            missing.insert(url.to_owned(), cause.clone());
        }
        fetched
    }

    fn seen(&self) -> MutexGuard<'_, BTreeMap<String, Bytes>> {
        lock(&self.seen)
    }
}

/// The absolute path of a file a script names, beside the directory `base` (a URL).
fn path_beside(name: &str, base: &str) -> String {
    let name = name.strip_prefix("file://").unwrap_or(name);
    if name.starts_with('/') {
        return clean(name);
    }
    // A module from elsewhere still opens files here, at the path of its address.
    let base = file_path(base).unwrap_or_else(|| remote_path(base).to_owned());
    clean(&format!("{base}/{name}"))
}

fn path_of(url: &str) -> String {
    file_path(url).unwrap_or_else(|| url.to_owned())
}

/// The path part of a remote URL.
fn remote_path(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or("/", |at| &rest[at..])
}

/// An operating system's error in the words Go programs use.
pub(super) fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        io::ErrorKind::IsADirectory => "is a directory".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::MapDisk;

    fn files() -> FileSet {
        let disk: MapDisk =
            [("/app/main.js", "main"), ("/app/lib/x.js", "x"), ("/app/data.txt", "data")].into_iter().collect();
        FileSet::new(disk, FileSet::offline())
    }

    #[test]
    fn open_finds_files_or_says_why_not() {
        let check = |name: &str, base: &str, expect: &str| {
            let got = files().open(name, base);
            let got = got.map_or_else(|error| error, |bytes| String::from_utf8_lossy(&bytes).into_owned());
            assert_eq!(got, expect, "{name} in {base}");
        };
        check("data.txt", "file:///app/", "data");
        check("./lib/../data.txt", "file:///app/", "data");
        check("../data.txt", "file:///app/lib/", "data");
        check("/app/data.txt", "file:///", "data");
        check("file:///app/data.txt", "file:///", "data");
        check("z.txt", "https://host/lib/", "stat /lib/z.txt: no such file or directory");
        check("lib", "file:///app/", "open() can't be used with directories, path: \"/app/lib\"");
        check("", "file:///app/", "open() can't be used with an empty filename");
    }

    #[test]
    fn a_sealed_set_has_no_new_files() {
        let files = files();
        assert!(files.open("data.txt", "file:///app/").is_ok());
        assert!(files.module("./lib/x.js", "file:///app/lib/x.js").is_ok());
        let missing = || files.open("missing.txt", "file:///app/").unwrap_err();
        let first = missing();
        files.seal();
        assert_eq!(missing(), first);
        assert_eq!(first, "stat /app/missing.txt: no such file or directory");
        assert!(files.open("data.txt", "file:///app/").is_ok());
        assert_eq!(
            files.open("other.txt", "file:///app/").unwrap_err(),
            "open() can't be used with files that weren't previously opened during initialization (__VU==0), path: \
             \"/app/other.txt\""
        );
        assert_eq!(
            files.module("./y.js", "file:///app/y.js").unwrap_err(),
            "the module \"./y.js\" was not previously resolved during initialization (__VU==0)"
        );
        assert_eq!(files.all().len(), 2);
    }

    #[test]
    fn shared_files_are_there_once() {
        let large = Bytes::from(vec![7; 1 << 20]);
        let disk: MapDisk = [("/app/large", large.clone()), ("/app/small", "s".into())].into_iter().collect();
        let files = FileSet::new(disk, FileSet::offline());
        for name in ["large", "small"] {
            let opened = [0, 1].map(|_| files.open_shared(name, "file:///app/").unwrap());
            let text = files.open(name, "file:///app/").unwrap();
            assert!(opened.iter().all(|shared| shared.bytes().as_ptr() == text.as_ptr()), "{name}");
        }
        assert_eq!(files.open("large", "file:///app/").unwrap(), large);
        assert!(files.open_shared("none", "file:///app/").is_err());
    }

    #[test]
    fn remote_modules_are_asked_for_twice_at_most() {
        let fetch: Fetch = Box::new(|url| match url {
            "https://h/a.js?_k6=1" => Ok(Bytes::from_static(b"marked")),
            "https://h/b.js" => Ok(Bytes::from_static(b"plain")),
            url => Err(format!("not found: {url}")),
        });
        let files = FileSet::new(MapDisk::default(), fetch);
        let check = |specifier: &str, expect: &str| {
            let got = files.module(specifier, specifier).map(|module| module.text.to_string());
            assert_eq!(got.unwrap_or_else(|error| error), expect);
        };
        check("https://h/a.js", "marked");
        check("https://h/b.js", "plain");
        check(
            "https://h/c.js",
            "The moduleSpecifier \"https://h/c.js\" couldn't be retrieved from the resolved url \"https://h/c.js\". \
             Error : \"not found: https://h/c.js\"",
        );
    }

    #[test]
    fn modules_say_what_is_wrong() {
        let got = files().module("./lib", "file:///app/lib").unwrap_err();
        assert_eq!(got, "read /app/lib: is a directory");
        let got = files().module("./nope.js", "file:///app/nope.js").unwrap_err();
        assert!(
            got.starts_with("The moduleSpecifier \"./nope.js\" couldn't be found on local disk. Make sure"),
            "{got}"
        );
    }
}
