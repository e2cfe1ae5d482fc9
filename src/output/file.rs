//! The text file of an output: plain, gzip, or standard output.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::SharedWriter;
use crate::fifo::WriteEnd;
use crate::units::sync::lock;

/// How much text is buffered before it is written, in bytes.
const BUFFER_BYTES: usize = 64 * 1024;

/// How often a gzip file is flushed: at most this much is lost if the process is killed.
const GZIP_FLUSH_INTERVAL: Duration = Duration::from_millis(200);

/// Counts the bytes written to a file.
struct CountingWriter {
    file: WriteEnd,
    bytes: u64,
}

impl Write for CountingWriter {
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
    /// The buffer; append here.
    pub buffer: String,
    /// How many bytes of the buffer were written before a write failed.
    written: usize,
    kind: FileKind,
}

enum FileKind {
    Plain(CountingWriter),
    GzipFile(Box<GzipFile>),
    Stdout(SharedWriter),
    Closed,
}

/// A gzip file that can be read up to its last flush, whatever happens to the process.
struct GzipFile {
    encoder: GzEncoder<CountingWriter>,
    flushed: Instant,
    /// Samples given to the encoder since it was flushed.
    unflushed: u64,
}

impl GzipFile {
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
        let file = CountingWriter { file, bytes: 0 };
        let is_gzip = path.extension().is_some_and(|extension| extension == "gz");
        let kind = if is_gzip {
            let encoder = GzEncoder::new(file, Compression::default());
            FileKind::GzipFile(Box::new(GzipFile { encoder, flushed: Instant::now(), unflushed: 0 }))
        } else {
            FileKind::Plain(file)
        };
        Ok(Self { buffer: String::with_capacity(BUFFER_BYTES + BUFFER_BYTES / 4), written: 0, kind })
    }

    /// Writes to standard output.
    pub fn stdout(stdout: SharedWriter) -> Self {
        Self { buffer: String::new(), written: 0, kind: FileKind::Stdout(stdout) }
    }

    /// How many bytes went into the file so far.
    pub fn size(&self) -> u64 {
        match &self.kind {
            FileKind::Plain(file) => file.bytes,
            FileKind::GzipFile(gzip) => gzip.encoder.get_ref().bytes,
            FileKind::Stdout(_) | FileKind::Closed => 0,
        }
    }

    /// Writes the buffer if it is full.
    ///
    /// # Errors
    /// As the file system says.
    pub fn write_if_full(&mut self) -> io::Result<()> {
        if self.buffer.len() >= BUFFER_BYTES { self.write() } else { Ok(()) }
    }

    /// Writes the buffer.
    ///
    /// # Errors
    /// As the file system says.
    pub fn write(&mut self) -> io::Result<()> {
        let text = self.buffer.as_bytes();
        match &mut self.kind {
            FileKind::Plain(file) => write_lines(file, text).map_err(|(error, written)| {
                self.written = written;
                error
            })?,
            FileKind::GzipFile(gzip) => {
                // Counted by the encoder from here on, whether it can pass it on or not.
                self.written = text.len();
                gzip.write(&self.buffer)?;
                self.written = 0;
            }
            FileKind::Stdout(stdout) => {
                let mut stdout = lock(stdout);
                stdout.write_all(text)?;
                stdout.flush()?;
            }
            FileKind::Closed => (),
        }
        self.buffer.clear();
        Ok(())
    }

    /// Writes the rest and closes the file; a gzip file gets its trailer.
    ///
    /// # Errors
    /// As the file system says.
    pub fn close(&mut self) -> io::Result<()> {
        self.write()?;
        match &mut self.kind {
            FileKind::Plain(file) => file.file.file().sync_data().or_else(ignore_unsupported)?,
            FileKind::GzipFile(gzip) => gzip.encoder.try_finish()?,
            FileKind::Stdout(_) | FileKind::Closed => (),
        }
        self.kind = FileKind::Closed;
        Ok(())
    }

    /// The samples that were taken and are not in the file, after an error.
    pub fn unwritten(&self) -> u64 {
        let unflushed = if let FileKind::GzipFile(gzip) = &self.kind { gzip.unflushed } else { 0 };
        unflushed + samples(self.buffer.get(self.written..).unwrap_or_default())
    }
}

/// Writes all of a text; when the disk is full, the file ends with the last line that is whole. An error comes with
/// how many bytes of whole lines were written before it.
fn write_lines(file: &mut CountingWriter, text: &[u8]) -> Result<(), (io::Error, usize)> {
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
        // Only a plain file has a length to set; the first error is the one to report.
        if let Ok(known) = file.file.file().metadata() {
            _ = file.file.file().set_len(known.len().saturating_sub(cut as u64));
        }
        return Err((error, done - cut));
    }
    Ok(())
}

/// A pipe or a device can't be synchronised; its content is complete all the same.
fn ignore_unsupported(error: io::Error) -> io::Result<()> {
    if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) { Ok(()) } else { Err(error) }
}
