//! A program in a process group of its own: it and all it starts can be ended together.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus};
use std::sync::Mutex;
use std::time::Duration;

use super::sync::lock;

/// How long a wait for its end sleeps first, and at most.
const POLL_FIRST: Duration = Duration::from_micros(50);
const POLL_MAX: Duration = Duration::from_millis(5);

/// A running program. Dropping it neither ends nor awaits it.
#[derive(Debug)]
pub struct ProcessGroup(Mutex<GroupState>);

#[derive(Debug)]
struct GroupState {
    leader: Child,
    /// It was waited for: its id may be that of another process by now.
    has_ended: bool,
}

impl ProcessGroup {
    /// Starts a program.
    ///
    /// # Errors
    /// What the system says.
    pub fn spawn(command: &mut Command) -> io::Result<Self> {
        let leader = command.process_group(0).spawn()?;
        Ok(Self(Mutex::new(GroupState { leader, has_ended: false })))
    }

    /// The id of the program's process.
    pub fn id(&self) -> u32 {
        lock(&self.0).leader.id()
    }

    /// Its outputs, where they are pipes and nobody has taken them.
    pub fn take_outputs(&self) -> (Option<ChildStdout>, Option<ChildStderr>) {
        let mut state = lock(&self.0);
        (state.leader.stdout.take(), state.leader.stderr.take())
    }

    /// Waits until the program itself has ended. What takes long should have been awaited before, by reading its outputs.
    ///
    /// # Errors
    /// What the system says.
    pub fn wait(&self) -> io::Result<ExitStatus> {
        let mut pause = POLL_FIRST;
        loop {
            let mut state = lock(&self.0);
            if let Some(status) = state.leader.try_wait()? {
                state.has_ended = true;
                return Ok(status);
            }
            drop(state);
            std::thread::sleep(pause);
            pause = (pause * 2).min(POLL_MAX);
        }
    }

    /// Ends the program and all it has started, unless it has ended by itself.
    pub fn kill(&self) {
        let state = lock(&self.0);
        if let (false, Ok(id)) = (state.has_ended, i32::try_from(state.leader.id())) {
            // SAFETY: `kill` only takes numbers. The program was not waited for yet, and the lock sees to it that nobody does
            // so meanwhile: the id is still its own.
            _ = unsafe { libc::kill(-id, libc::SIGKILL) };
        }
    }
}
