//! Puts summaries where they belong: the streams and files a `handleSummary` names, and export files.
//!
//! A file appears whole or not at all: it is written under another name first, then renamed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::fifo::{self, WriteEnd};

/// One entry of the object that `handleSummary` returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SummaryEntry {
    /// `stdout`, `stderr` or a path.
    pub target: String,
    /// What to write there, as it is.
    pub content: Vec<u8>,
}

/// Writes all entries, paths relative to `folder`. Entries that can be written are, whatever happens to others.
///
/// # Errors
/// k6's message, naming every entry that could not be written.
pub fn write_all(
    outputs: &[SummaryEntry],
    folder: &Path,
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> Result<(), String> {
    let mut errors = Vec::new();
    for SummaryEntry { target, content } in outputs {
        let written = match target.as_str() {
            "stdout" => write_stream(stdout, content),
            "stderr" => write_stream(stderr, content),
            _ => write_file(&folder.join(target), content)
                .map_err(|error| format!("could not open '{target}': open {target}: {}", plain(&error))),
        };
        errors.extend(written.err());
    }
    if errors.is_empty() {
        return Ok(());
    }
    Err(format!("Could not save some summary information:\n\t- {}", errors.join("\n\t- ")))
}

fn write_stream(stream: &mut dyn Write, content: &[u8]) -> Result<(), String> {
    match stream.write_all(content).and_then(|()| stream.flush()) {
        // A reader that went away does not want to hear more; that is no error.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(format!("could not write: {}", plain(&error))),
        _ => Ok(()),
    }
}

/// Writes a whole file: under a temporary name beside it, then renamed. What is no plain file is written directly, and
/// so is a file whose folder takes no other, or that is mounted by itself.
///
/// # Errors
/// As the file system says; also if a named pipe has no reader.
pub fn write_file(path: &Path, content: &[u8]) -> io::Result<()> {
    let is_there = match fs::metadata(path) {
        Ok(known) if !known.is_file() => {
            let mut to = WriteEnd::open(path, OpenOptions::new().write(true))?;
            to.write_all(content)?;
            if known.file_type().is_fifo() {
                to.drain();
            }
            return Ok(());
        }
        // A file that may not be written to is not replaced either. Whether it may is the system's to say.
        Ok(_) => OpenOptions::new().append(true).open(path).map(|_| true)?,
        Err(_) => false,
    };
    let path = behind_links(path);
    let temporary = temporary_beside(&path);
    let written = File::create(&temporary).and_then(|mut file| file.write_all(content));
    let done = written.and_then(|()| {
        if let Ok(known) = fs::metadata(&path) {
            fs::set_permissions(&temporary, known.permissions())?;
        }
        fs::rename(&temporary, &path)
    });
    if done.is_err() {
        // Nothing is left behind; if even that fails, the first error is the one to report.
        _ = fs::remove_file(&temporary);
        if is_there && !done.as_ref().is_err_and(|error| error.kind() == ErrorKind::StorageFull) {
            return OpenOptions::new().write(true).truncate(true).open(&path)?.write_all(content);
        }
    }
    done
}

/// A name beside that of a file, which no other process has, nor another write of this one.
fn temporary_beside(path: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.{}.tmp", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
    path.with_file_name(name)
}

/// Where a path leads in the end: a link keeps pointing to the file that gets the new content, also to one that is not
/// there yet.
fn behind_links(path: &Path) -> PathBuf {
    /// As many as Linux follows.
    const MAX_LINKS: usize = 40;
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let Ok(target) = fs::read_link(&path) else { break };
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    path
}

/// Whether, before a test starts, this file could be written at its end. Leaves no trace, and never touches a file of this name that
/// another process makes meanwhile: the instances of a test may share a folder.
///
/// # Errors
/// As the file system says.
pub fn ensure_writable(path: &Path) -> io::Result<()> {
    if fifo::is_pipe(path) {
        // Opening and closing it would be an end of file for its reader.
        return Ok(());
    }
    if path.exists() {
        return OpenOptions::new().append(true).open(path).map(drop);
    }
    if path.as_os_str().as_encoded_bytes().ends_with(b"/") {
        return Err(ErrorKind::IsADirectory.into());
    }
    let temporary = temporary_beside(&behind_links(path));
    File::create(&temporary)?;
    fs::remove_file(temporary)
}

/// The system's words without Rust's `(os error 2)`, in the lower case k6 shows.
pub fn plain(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "no such file or directory".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        ErrorKind::IsADirectory => "is a directory".to_owned(),
        ErrorKind::NotADirectory => "not a directory".to_owned(),
        ErrorKind::StorageFull => "no space left on device".to_owned(),
        _ => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or(&text).to_lowercase()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(target: &str, content: &str) -> SummaryEntry {
        SummaryEntry { target: target.to_owned(), content: content.as_bytes().to_vec() }
    }

    #[test]
    fn writes_what_it_can_and_names_what_it_can_not() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("old.txt"), "something longer").unwrap();
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let outputs = [
            output("stdout", "to stdout"),
            output("stderr", "to stderr\n"),
            output("old.txt", "new"),
            output("nodir/x.txt", "x"),
            output("žluť.txt", "kůň"),
        ];
        let result = write_all(&outputs, folder.path(), &mut stdout, &mut stderr);
        assert_eq!((stdout.as_slice(), stderr.as_slice()), (&b"to stdout"[..], &b"to stderr\n"[..]));
        assert_eq!(fs::read_to_string(folder.path().join("old.txt")).unwrap(), "new");
        assert_eq!(fs::read_to_string(folder.path().join("žluť.txt")).unwrap(), "kůň");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        assert_eq!(
            result.unwrap_err(),
            "Could not save some summary information:\n\t- could not open 'nodir/x.txt': open nodir/x.txt: no such file or directory"
        );
    }

    #[test]
    fn links_lead_to_the_file_that_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let (link, chain) = (folder.path().join("link"), folder.path().join("chain"));
        std::os::unix::fs::symlink("target.json", &link).unwrap();
        std::os::unix::fs::symlink(&link, &chain).unwrap();
        for (path, content) in [(&link, "new"), (&link, "old"), (&chain, "chained")] {
            write_file(path, content.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(folder.path().join("target.json")).unwrap(), content);
            assert!(fs::symlink_metadata(path).unwrap().is_symlink());
        }
        std::os::unix::fs::symlink("nowhere/x.json", folder.path().join("lost")).unwrap();
        assert_eq!(write_file(&folder.path().join("lost"), b"x").unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn tells_early_what_can_not_be_written() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("later.json", folder.path().join("link")).unwrap();
        ensure_writable(&folder.path().join("link")).unwrap();
        fs::remove_file(folder.path().join("link")).unwrap();
        ensure_writable(&folder.path().join("new.json")).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        assert_eq!(plain(&ensure_writable(&folder.path().join("no/file")).unwrap_err()), "no such file or directory");
        assert_eq!(plain(&ensure_writable(folder.path()).unwrap_err()), "is a directory");
        assert_eq!(plain(&ensure_writable(&folder.path().join("no/")).unwrap_err()), "is a directory");
    }

    #[test]
    fn many_may_ask_for_one_file_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new.json");
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..500).for_each(|_| ensure_writable(&path).unwrap()));
            }
        });
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
