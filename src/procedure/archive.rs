//! A results folder as one `.tar.gz` with a manifest of sizes and SHA-256 sums, which comes first. Files are streamed:
//! samples of a long run do not fit into memory.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

use super::journal::Journal;
use crate::exit_code::ExitCode;
use crate::failure::Failure;

const MANIFEST: &str = "manifest.json";

#[derive(Serialize, Deserialize)]
struct Manifest {
    format: String,
    version: u64,
    files: BTreeMap<String, FileDigest>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct FileDigest {
    size: u64,
    sha256: String,
}

fn sum(mut from: impl Read) -> io::Result<FileDigest> {
    let mut context = Context::new(&SHA256);
    let mut buffer = vec![0; 1 << 16];
    let mut size = 0;
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        size += read as u64;
        context.update(&buffer[..read]);
    }
    let sha256 = HEXLOWER.encode(context.finish().as_ref());
    Ok(FileDigest { size, sha256 })
}

/// Where the archive of a folder is, or will be: `<environment>_<date>.tar.gz`.
pub fn path(place: &Path, journal: &Journal) -> PathBuf {
    place.join(format!("{}.tar.gz", name(journal)))
}

fn name(journal: &Journal) -> String {
    if let Some(stamp) = &journal.stamp {
        return format!("{}_{stamp}", journal.environment);
    }
    let date: String = journal.started.chars().filter(char::is_ascii_digit).take(14).collect();
    let (day, time) = date.split_at(date.len().min(8));
    format!("{}_{day}_{time}", journal.environment)
}

/// Packs a folder into `place`.
///
/// # Errors
/// As the file system says.
pub fn write(folder: &Path, place: &Path, journal: &Journal) -> Result<PathBuf, Failure> {
    let (name, path) = (name(journal), path(place, journal));
    let temporary = place.join(format!("{name}.tar.gz.{}.tmp", std::process::id()));
    let written = pack(folder, &temporary, &name).and_then(|()| fs::rename(&temporary, &path));
    written.map_err(|error| {
        // Nothing is left behind; if even that fails, the first error is the one to tell.
        _ = fs::remove_file(&temporary);
        Failure::new(ExitCode::Other, format!("could not write '{}': {error}", path.display()))
    })?;
    Ok(path)
}

fn pack(folder: &Path, to: &Path, top: &str) -> io::Result<()> {
    fs::create_dir_all(to.parent().unwrap_or(folder))?;
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_file() && !name.ends_with(".tmp") && !name.ends_with(".tar.gz") {
            files.insert(name, sum(BufReader::new(File::open(entry.path())?))?);
        }
    }
    let manifest = Manifest { format: "volley-archive".to_owned(), version: 1, files };
    let text = serde_json::to_vec_pretty(&manifest)?;
    let packer = flate2::write::GzEncoder::new(File::create(to)?, flate2::Compression::default());
    let mut tar = tar::Builder::new(packer);
    let mut header = tar::Header::new_gnu();
    header.set_size(text.len() as u64);
    header.set_mode(0o644);
    header.set_mtime(
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs()),
    );
    tar.append_data(&mut header, format!("{top}/{MANIFEST}"), &*text)?;
    for name in manifest.files.keys() {
        tar.append_file(format!("{top}/{name}"), &mut File::open(folder.join(name))?)?;
    }
    let mut file = tar.into_inner()?.finish()?;
    file.flush()?;
    file.sync_all()
}

/// Every file of an archive, by its name in the folder, given to `take` one after the other.
fn each(path: &Path, mut take: impl FnMut(&str, &mut dyn Read) -> io::Result<()>) -> io::Result<()> {
    let unpacker = flate2::read::GzDecoder::new(BufReader::new(File::open(path)?));
    let mut tar = tar::Archive::new(unpacker);
    for entry in tar.entries()? {
        let mut entry = entry?;
        let name = entry.path()?.components().next_back().map(|name| name.as_os_str().to_string_lossy().into_owned());
        if entry.header().entry_type().is_file() {
            take(&name.unwrap_or_default(), &mut entry)?;
        }
    }
    // What follows the last entry belongs to the sum of the packed file.
    io::copy(&mut tar.into_inner(), &mut io::sink()).map(drop)
}

/// Checks an archive; how many files it has.
///
/// # Errors
/// The first file that is missing, differs, or is too much; a file that is no archive of ours.
pub fn verify(path: &Path) -> Result<usize, Failure> {
    let wrong = |why: String| Failure::new(ExitCode::Other, format!("{}: {why}", path.display()));
    let mut manifest: Option<Manifest> = None;
    let mut seen: BTreeMap<String, FileDigest> = BTreeMap::new();
    let read = each(path, |name, content| {
        if name == MANIFEST && manifest.is_none() {
            manifest = Some(serde_json::from_reader(content)?);
        } else {
            seen.insert(name.to_owned(), sum(content)?);
        }
        Ok(())
    });
    read.map_err(|error| wrong(format!("it can't be read: {error}")))?;
    let manifest = manifest.ok_or_else(|| wrong(format!("there is no `{MANIFEST}` in it")))?;
    for (name, expected) in &manifest.files {
        match seen.get(name) {
            None => return Err(wrong(format!("`{name}` is missing"))),
            Some(sum) if sum != expected => return Err(wrong(format!("`{name}` differs from the manifest"))),
            Some(_) => (),
        }
    }
    if let Some(name) = seen.keys().find(|name| !manifest.files.contains_key(*name)) {
        return Err(wrong(format!("`{name}` is not in the manifest")));
    }
    Ok(seen.len())
}

/// One file of an archive.
///
/// # Errors
/// As the file system says; nothing if there is no such file.
pub fn read_one(path: &Path, wanted: &str) -> io::Result<Option<Vec<u8>>> {
    let mut found = None;
    each(path, |name, content| {
        if name == wanted {
            let mut bytes = Vec::new();
            content.read_to_end(&mut bytes)?;
            found = Some(bytes);
        }
        Ok(())
    })?;
    Ok(found)
}
