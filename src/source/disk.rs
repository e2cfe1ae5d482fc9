//! The file system as far as scripts can see it: whole files, read by absolute path.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use bytes::Bytes;

/// A place files are read from.
pub trait Disk: Send + Sync {
    /// Reads a whole file; a directory is an error of the kind `IsADirectory`.
    ///
    /// # Errors
    /// As the operating system says.
    fn read(&self, path: &Path) -> io::Result<Bytes>;

    /// The names of what a directory holds, sorted; none where that can't be known.
    fn names(&self, directory: &Path) -> Vec<String>;
}

/// The disk of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn read(&self, path: &Path) -> io::Result<Bytes> {
        if path.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        std::fs::read(path).map(Bytes::from)
    }

    fn names(&self, directory: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort_unstable();
        names
    }
}

/// Files held in memory, by absolute path: of a test, or of an archive.
#[derive(Clone, Debug, Default)]
pub struct MapDisk(pub BTreeMap<String, Bytes>);

impl<P: Into<String>, B: Into<Bytes>> FromIterator<(P, B)> for MapDisk {
    fn from_iter<I: IntoIterator<Item = (P, B)>>(files: I) -> Self {
        Self(files.into_iter().map(|(path, bytes)| (path.into(), bytes.into())).collect())
    }
}

impl Disk for MapDisk {
    fn read(&self, path: &Path) -> io::Result<Bytes> {
        let path = path.to_string_lossy();
        if let Some(bytes) = self.0.get(&*path) {
            return Ok(bytes.clone());
        }
        let folder = format!("{}/", path.trim_end_matches('/'));
        let is_folder = self.0.keys().any(|file| file.starts_with(&folder));
        Err(if is_folder { io::ErrorKind::IsADirectory.into() } else { io::ErrorKind::NotFound.into() })
    }

    fn names(&self, directory: &Path) -> Vec<String> {
        let folder = format!("{}/", directory.to_string_lossy().trim_end_matches('/'));
        let inside = self.0.keys().filter_map(|file| file.strip_prefix(&folder));
        let mut names: Vec<_> = inside.map(|path| path.split('/').next().unwrap_or_default().to_owned()).collect();
        names.dedup();
        names
    }
}
