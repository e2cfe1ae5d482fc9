//! Where an output's text goes: a file, a gzip file, or standard output.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::PoisonError;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::SharedWriter;

/// So much text is gathered before it is written.
const FULL: usize = 64 * 1024;

/// A text that grows at its end.
pub struct TextFile {
    /// What is not written yet; append here.
    pub waiting: String,
    target: Target,
}

enum Target {
    Plain(File),
    Gzip(GzEncoder<File>),
    Stdout(SharedWriter),
    Closed,
}

impl TextFile {
    /// Creates or truncates a file; a name ending in `.gz` makes it gzip.
    ///
    /// # Errors
    /// As the file system says.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = File::create(path)?;
        let is_gzip = path.extension().is_some_and(|extension| extension == "gz");
        let target =
            if is_gzip { Target::Gzip(GzEncoder::new(file, Compression::default())) } else { Target::Plain(file) };
        Ok(Self { waiting: String::with_capacity(FULL + FULL / 4), target })
    }

    /// Writes to standard output.
    pub fn stdout(stdout: SharedWriter) -> Self {
        Self { waiting: String::new(), target: Target::Stdout(stdout) }
    }

    /// Writes what is waiting, if it is much.
    ///
    /// # Errors
    /// As the file system says.
    pub fn write_if_full(&mut self) -> io::Result<()> {
        if self.waiting.len() >= FULL { self.write() } else { Ok(()) }
    }

    /// Writes what is waiting.
    ///
    /// # Errors
    /// As the file system says.
    pub fn write(&mut self) -> io::Result<()> {
        let text = self.waiting.as_bytes();
        match &mut self.target {
            Target::Plain(file) => write_lines(file, text)?,
            Target::Gzip(gzip) => gzip.write_all(text)?,
            Target::Stdout(stdout) => {
                let mut stdout = stdout.lock().unwrap_or_else(PoisonError::into_inner);
                stdout.write_all(text)?;
                stdout.flush()?;
            }
            Target::Closed => (),
        }
        self.waiting.clear();
        Ok(())
    }

    /// Writes the rest and closes the file; a gzip file gets its trailer.
    ///
    /// # Errors
    /// As the file system says.
    pub fn close(&mut self) -> io::Result<()> {
        self.write()?;
        match std::mem::replace(&mut self.target, Target::Closed) {
            Target::Plain(file) => file.sync_data().or_else(ignore_unsupported),
            Target::Gzip(gzip) => gzip.finish().map(drop),
            Target::Stdout(_) | Target::Closed => Ok(()),
        }
    }
}

/// Writes all of a text; when the disk is full, the file ends with the last line that is whole.
fn write_lines(file: &mut File, text: &[u8]) -> io::Result<()> {
    let mut done = 0;
    while done < text.len() {
        let error = match file.write(&text[done..]) {
            Ok(0) => io::ErrorKind::WriteZero.into(),
            Ok(more) => {
                done += more;
                continue;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => error,
        };
        let cut = text[..done].iter().rev().take_while(|byte| **byte != b'\n').count();
        // What is no plain file has no length to set; the first error is the one to tell.
        if let Ok(known) = file.metadata() {
            _ = file.set_len(known.len().saturating_sub(cut as u64));
        }
        return Err(error);
    }
    Ok(())
}

/// A pipe or a device can't be synchronised, which is no reason to call its content incomplete.
fn ignore_unsupported(error: io::Error) -> io::Result<()> {
    if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) { Ok(()) } else { Err(error) }
}
