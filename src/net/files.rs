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
const HELD_BACK: usize = 48;

/// The files of this process.
#[derive(Debug)]
pub struct Files {
    held_back: Mutex<Vec<File>>,
    used_up: watch::Sender<bool>,
}

impl Files {
    /// Raises the limit as far as the kernel lets this process, as Go's runtime does, and holds some files back.
    pub fn hold_back() -> Self {
        raise_limit();
        let held_back = (0..HELD_BACK).map_while(|_| File::open("/dev/null").ok()).collect();
        Self { held_back: Mutex::new(held_back), used_up: watch::Sender::new(false) }
    }

    /// For a network that opens no connection.
    pub fn none() -> Self {
        Self { held_back: Mutex::default(), used_up: watch::Sender::new(false) }
    }

    /// Looks at why a connection could not be made.
    pub fn saw(&self, error: &io::Error) {
        if matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE)) && !self.used_up.send_replace(true) {
            lock(&self.held_back).clear();
        }
    }

    /// An error once there was no file left: what was let go of is not for connections.
    ///
    /// # Errors
    /// What the kernel said then.
    pub fn check(&self) -> io::Result<()> {
        if *self.used_up.borrow() { Err(io::Error::from_raw_os_error(libc::EMFILE)) } else { Ok(()) }
    }

    /// Resolves when there was no file left; never otherwise.
    pub async fn used_up(&self) {
        if self.used_up.subscribe().wait_for(|used_up| *used_up).await.is_err() {
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
        let files = Files::hold_back();
        assert_eq!(files.held_back.lock().unwrap().len(), HELD_BACK);
        files.saw(&io::Error::from_raw_os_error(libc::ECONNREFUSED));
        assert!(files.check().is_ok());
        files.saw(&io::Error::from_raw_os_error(libc::EMFILE));
        files.used_up().await;
        assert_eq!(files.check().unwrap_err().raw_os_error(), Some(libc::EMFILE));
        assert!(files.held_back.lock().unwrap().is_empty());
    }
}
