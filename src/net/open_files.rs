//! The limit of open files: every connection is one.
//!
//! When it is reached, the generator has failed, not the target: the run is told to stop, no connection is opened any more,
//! and some files that were held in reserve are closed, so that what was measured can still be written.

use std::fs::File;
use std::io;
use std::sync::Mutex;

use tokio::sync::watch;

use crate::units::sync::lock;

/// Files held in reserve for the summary, exports and reports, and what they are written with.
const RESERVED_FILES: usize = 48;

/// The open files of this process.
#[derive(Debug)]
pub struct OpenFiles {
    reserved: Mutex<Vec<File>>,
    exhausted: watch::Sender<bool>,
}

impl OpenFiles {
    /// Raises the limit as far as the kernel lets this process, as Go's runtime does, and holds some files in reserve.
    pub fn reserve() -> Self {
        raise_limit();
        let reserved = (0..RESERVED_FILES).map_while(|_| File::open("/dev/null").ok()).collect();
        Self { reserved: Mutex::new(reserved), exhausted: watch::Sender::new(false) }
    }

    /// No reserve, for a network that opens no connection.
    pub fn none() -> Self {
        Self { reserved: Mutex::default(), exhausted: watch::Sender::new(false) }
    }

    /// Notes why a connection could not be opened: the limit may have been reached.
    pub fn note_error(&self, error: &io::Error) {
        if matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE)) && !self.exhausted.send_replace(true) {
            lock(&self.reserved).clear();
        }
    }

    /// Fails once the limit was reached: the files that were held in reserve are not for connections.
    ///
    /// # Errors
    /// `EMFILE`.
    pub fn check(&self) -> io::Result<()> {
        if *self.exhausted.borrow() { Err(io::Error::from_raw_os_error(libc::EMFILE)) } else { Ok(()) }
    }

    /// Resolves once the limit was reached; never otherwise.
    pub async fn exhausted(&self) {
        if self.exhausted.subscribe().wait_for(|exhausted| *exhausted).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// How many files this process may have open; 0 if the kernel doesn't say.
pub fn limit() -> u64 {
    read_limit().map_or(0, |limit| limit.rlim_cur)
}

fn read_limit() -> Option<libc::rlimit> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the kernel writes one `rlimit` where it is told to.
    (unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) } == 0).then_some(limit)
}

fn raise_limit() {
    if let Some(limit) = read_limit()
        && limit.rlim_cur < limit.rlim_max
    {
        let most = libc::rlimit { rlim_cur: limit.rlim_max, ..limit };
        // SAFETY: the kernel reads one `rlimit`. Where it refuses, the old limit stays.
        unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &most) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn after_the_last_file_no_connection_is_opened_and_some_files_are_free() {
        let files = OpenFiles::reserve();
        assert_eq!(files.reserved.lock().unwrap().len(), RESERVED_FILES);
        files.note_error(&io::Error::from_raw_os_error(libc::ECONNREFUSED));
        assert!(files.check().is_ok());
        files.note_error(&io::Error::from_raw_os_error(libc::EMFILE));
        files.exhausted().await;
        assert_eq!(files.check().unwrap_err().raw_os_error(), Some(libc::EMFILE));
        assert!(files.reserved.lock().unwrap().is_empty());
    }
}
