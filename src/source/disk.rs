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
}
