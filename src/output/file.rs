//! Where an output's text goes: a file, a gzip file, or standard output.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::SharedWriter;
use crate::fifo::WriteEnd;
use crate::units::sync::lock;

/// This much text is gathered before it is written.
const FULL: usize = 64 * 1024;

/// How often a gzip file is flushed, so at most what a kill of the process takes from it.
const GZIP_FLUSH_INTERVAL: Duration = Duration::from_millis(200);

/// What passes bytes on and counts them.
struct Counted {
    file: WriteEnd,
    bytes: u64,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A text that grows at its end.
pub struct TextFile {
    /// What is not written yet; append here.
    pub waiting: String,
    /// Of what is waiting, this many bytes were written before a write failed.
    written: usize,
    target: Target,
}

enum Target {
    Plain(Counted),
    Gzip(Box<Gzip>),
    Stdout(SharedWriter),
    Closed,
}

/// A gzip file that can be read up to its last flush, whatever happens to the process.
struct Gzip {
    encoder: GzEncoder<Counted>,
    flushed: Instant,
    /// Samples given to the encoder since it was flushed.
    unflushed: u64,
}

impl Gzip {
    fn write(&mut self, text: &str) -> io::Result<()> {
        self.unflushed += samples(text);
        self.encoder.write_all(text.as_bytes())?;
        if self.unflushed > 0 && self.flushed.elapsed() >= GZIP_FLUSH_INTERVAL {
            self.encoder.flush()?;
            self.flushed = Instant::now();
            self.unflushed = 0;
        }
        Ok(())
    }
}

/// How many lines of a text are samples; others declare a metric or name columns.
fn samples(text: &str) -> u64 {
    let is_sample = |line: &&str| !line.starts_with("{\"type\":\"Metric\"") && !line.starts_with("metric_name,");
    text.lines().filter(is_sample).count() as u64
}

impl TextFile {
    /// Creates or truncates a file; a name ending in `.gz` makes it gzip.
    ///
    /// # Errors
    /// As the file system says.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = WriteEnd::open(path, OpenOptions::new().write(true).create(true).truncate(true))?;
        let file = Counted { file, bytes: 0 };
        let is_gzip = path.extension().is_some_and(|extension| extension == "gz");
        let target = if is_gzip {
            let encoder = GzEncoder::new(file, Compression::default());
            Target::Gzip(Box::new(Gzip { encoder, flushed: Instant::now(), unflushed: 0 }))
        } else {
            Target::Plain(file)
        };
        Ok(Self { waiting: String::with_capacity(FULL + FULL / 4), written: 0, target })
    }

    /// Writes to standard output.
    pub fn stdout(stdout: SharedWriter) -> Self {
        Self { waiting: String::new(), written: 0, target: Target::Stdout(stdout) }
    }

    /// How many bytes went into the file so far.
    pub fn size(&self) -> u64 {
        match &self.target {
            Target::Plain(file) => file.bytes,
            Target::Gzip(gzip) => gzip.encoder.get_ref().bytes,
            Target::Stdout(_) | Target::Closed => 0,
        }
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
            Target::Plain(file) => write_lines(file, text).map_err(|(error, written)| {
                self.written = written;
                error
            })?,
            Target::Gzip(gzip) => {
                // Counted by the encoder from here on, whether it can pass it on or not.
                self.written = text.len();
                gzip.write(&self.waiting)?;
                self.written = 0;
            }
            Target::Stdout(stdout) => {
                let mut stdout = lock(stdout);
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
        match &mut self.target {
            Target::Plain(file) => file.file.file().sync_data().or_else(ignore_unsupported)?,
            Target::Gzip(gzip) => gzip.encoder.try_finish()?,
            Target::Stdout(_) | Target::Closed => (),
        }
        self.target = Target::Closed;
        Ok(())
    }

    /// The samples that were taken and are not in the file, after an error.
    pub fn unwritten(&self) -> u64 {
        let unflushed = if let Target::Gzip(gzip) = &self.target { gzip.unflushed } else { 0 };
        unflushed + samples(self.waiting.get(self.written..).unwrap_or_default())
    }
}

/// Writes all of a text; when the disk is full, the file ends with the last line that is whole. An error comes with
/// how many bytes of whole lines were written before it.
fn write_lines(file: &mut Counted, text: &[u8]) -> Result<(), (io::Error, usize)> {
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
        if let Ok(known) = file.file.file().metadata() {
            _ = file.file.file().set_len(known.len().saturating_sub(cut as u64));
        }
        return Err((error, done - cut));
    }
    Ok(())
}

/// A pipe or a device can't be synchronised, which is no reason to call its content incomplete.
fn ignore_unsupported(error: io::Error) -> io::Result<()> {
    if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) { Ok(()) } else { Err(error) }
}
