//! Opens a path for writing that may be a named pipe, without waiting for ever for a reader.
//!
//! The system's `open` waits until a pipe has a reader, and `write` until it has room. Here both waits have an end, so
//! that a pipe without a reader costs a run its copy, not its result. Everything else is opened and written as it is.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// How long a pipe may have no reader, or one that takes nothing.
pub const READER_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a pipe is tried again.
const RETRY_INTERVAL: Duration = Duration::from_millis(5);

/// A file, a device or a named pipe that is open for writing.
#[derive(Debug)]
pub struct WriteEnd {
    file: File,
    timeout: Duration,
}

/// Whether this path leads to a pipe.
pub fn is_pipe(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|known| known.file_type().is_fifo())
}

impl WriteEnd {
    /// Opens a path as `options` say; of a pipe only that it is written to counts.
    ///
    /// # Errors
    /// As the file system says; and when the pipe has no reader within [`READER_TIMEOUT`].
    pub fn open(path: &Path, options: &OpenOptions) -> io::Result<Self> {
        Self::open_within(path, options, READER_TIMEOUT)
    }

    fn open_within(path: &Path, options: &OpenOptions, timeout: Duration) -> io::Result<Self> {
        if !is_pipe(path) {
            return Ok(Self { file: options.open(path)?, timeout });
        }
        let deadline = Instant::now() + timeout;
        loop {
            match OpenOptions::new().write(true).custom_flags(libc::O_NONBLOCK).open(path) {
                // What the system says of a pipe without a reader.
                Err(error) if error.raw_os_error() == Some(libc::ENXIO) => {
                    if Instant::now() >= deadline {
                        return Err(io::Error::new(ErrorKind::TimedOut, "nobody reads this pipe"));
                    }
                    thread::sleep(RETRY_INTERVAL);
                }
                opened => return Ok(Self { file: opened?, timeout }),
            }
        }
    }

    /// Waits until the reader of a pipe has taken everything, or has had its time.
    pub fn drain(&self) {
        let deadline = Instant::now() + self.timeout;
        loop {
            let mut unread: libc::c_int = 0;
            // SAFETY: FIONREAD writes one `int`, to where `unread` lives; the descriptor is open as long as `self.file`.
            let known = unsafe { libc::ioctl(self.file.as_raw_fd(), libc::FIONREAD, &raw mut unread) };
            if known != 0 || unread == 0 || Instant::now() >= deadline {
                return;
            }
            thread::sleep(RETRY_INTERVAL);
        }
    }

    /// The file itself.
    pub fn file(&self) -> &File {
        &self.file
    }
}

impl Write for WriteEnd {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let deadline = Instant::now() + self.timeout;
        loop {
            match self.file.write(bytes) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if Instant::now() >= deadline {
                        // Later writes do not wait again.
                        self.timeout = Duration::ZERO;
                        return Err(io::Error::new(ErrorKind::TimedOut, "nothing is read from this pipe"));
                    }
                    thread::sleep(RETRY_INTERVAL);
                }
                result => return result,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn pipe(folder: &Path) -> std::path::PathBuf {
        let path = folder.join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        path
    }

    #[test]
    fn a_reader_gets_everything() {
        let folder = tempfile::tempdir().unwrap();
        let path = pipe(folder.path());
        let reader = thread::spawn({
            let path = path.clone();
            move || {
                let mut got = Vec::new();
                File::open(path).unwrap().read_to_end(&mut got).unwrap();
                got.len()
            }
        });
        // More than a pipe holds.
        WriteEnd::open(&path, OpenOptions::new().write(true)).unwrap().write_all(&vec![b'x'; 1 << 20]).unwrap();
        assert_eq!(reader.join().unwrap(), 1 << 20);
    }

    #[test]
    fn a_missing_reader_is_not_waited_for_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let path = pipe(folder.path());
        let brief = Duration::from_millis(20);
        let error = WriteEnd::open_within(&path, OpenOptions::new().write(true), brief).unwrap_err();
        assert_eq!(error.to_string(), "nobody reads this pipe");
        // This end is open for reading too, and takes nothing.
        let _reader = OpenOptions::new().read(true).write(true).open(&path).unwrap();
        let mut pipe = WriteEnd::open_within(&path, OpenOptions::new().write(true), brief).unwrap();
        assert_eq!(pipe.write_all(&vec![0; 1 << 20]).unwrap_err().to_string(), "nothing is read from this pipe");
    }
}
