//! Open files: every connection is one, and the kernel lets a process have only so many.
//!
//! When none is left, it is the generator that failed, not the target: whoever conducts the run is told, nobody dials any
//! more, and some files that were held back are let go of, so that what was measured can still be written.

use std::fs::File;
use std::io;
use std::sync::Mutex;

use tokio::sync::watch;

use crate::units::sync::lock;

/// So many are held back: for the summary, exports and reports, and what they are written with.
const RESERVED_FILES: usize = 48;

/// The files of this process.
#[derive(Debug)]
pub struct OpenFiles {
    reserved: Mutex<Vec<File>>,
    exhausted: watch::Sender<bool>,
}

impl OpenFiles {
    /// Raises the limit as far as the kernel lets this process, as Go's runtime does, and holds some files back.
    pub fn reserve() -> Self {
        raise_limit();
        let reserved = (0..RESERVED_FILES).map_while(|_| File::open("/dev/null").ok()).collect();
        Self { reserved: Mutex::new(reserved), exhausted: watch::Sender::new(false) }
    }

    /// For a network that opens no connection.
    pub fn none() -> Self {
        Self { reserved: Mutex::default(), exhausted: watch::Sender::new(false) }
    }

    /// Looks at why a connection could not be made.
    pub fn note_error(&self, error: &io::Error) {
        if matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE)) && !self.exhausted.send_replace(true) {
            lock(&self.reserved).clear();
        }
    }

    /// An error once there was no file left: what was let go of is not for connections.
    ///
    /// # Errors
    /// What the kernel said then.
    pub fn check(&self) -> io::Result<()> {
        if *self.exhausted.borrow() { Err(io::Error::from_raw_os_error(libc::EMFILE)) } else { Ok(()) }
    }

    /// Resolves when there was no file left; never otherwise.
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
    async fn after_the_last_file_nobody_dials_and_some_are_free() {
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
