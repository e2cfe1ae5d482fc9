//! Asks a run how it goes, over a socket that is the run's standard input: nobody else can reach it, and it ends with the run.

use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::run::{ASK_DOCUMENT, ASK_MOMENT, Moment};
use crate::units::sync::lock;

/// How often a run is asked while somebody watches.
const ASK_EVERY: Duration = Duration::from_millis(500);
/// How often it is asked for a line a minute: asking takes a little of the run's time.
const ASK_SELDOM: Duration = Duration::from_secs(10);
/// A document is asked for as long as somebody wanted one so lately, and is shown no longer than that.
const WANTED_FOR: Duration = Duration::from_secs(5);
/// Where the known document was asked for longer ago than this, a newer one is waited for.
const MAX_DOCUMENT_AGE: Duration = Duration::from_secs(1);
/// How long that is waited for. A run that is busy may take longer; then the known one has to do, if it is not much older.
const DOCUMENT_TIMEOUT: Duration = Duration::from_millis(500);

/// What is known of the run that goes on. Cheap to clone.
#[derive(Clone, Default)]
pub struct Observer(Arc<ObserverState>);

#[derive(Default)]
struct ObserverState {
    seen: Mutex<Seen>,
    /// Wakes who asks the run: a document is wanted now.
    wanted: Condvar,
    /// Wakes who waits for a document: there is one, or there will be none.
    answered: Condvar,
}

#[derive(Default)]
struct Seen {
    moment: Option<Moment>,
    /// The latest document, and when it was asked for.
    document: Option<(Arc<str>, Instant)>,
    /// When somebody last wanted a document.
    wanted: Option<Instant>,
    /// A run is asked.
    is_connected: bool,
    /// There is a screen or a page that shows every moment.
    is_watched: bool,
    /// Counts runs: what an earlier one says late is not of this one.
    run: u64,
}

impl Observer {
    /// From now on somebody sees every moment.
    pub fn watch(&self) {
        self.see(|seen| seen.is_watched = true);
    }

    /// Begins to ask a run whose standard input will be the descriptor.
    ///
    /// # Errors
    /// As the system says.
    pub fn connect(&self) -> io::Result<OwnedFd> {
        let (ours, theirs) = UnixStream::pair()?;
        let run = self.see(|seen| {
            let (wanted, is_watched, run) = (seen.wanted, seen.is_watched, seen.run + 1);
            *seen = Seen { wanted, is_watched, run, is_connected: true, ..Seen::default() };
            seen.run
        });
        let observer = self.clone();
        std::thread::Builder::new().name("volley-observer".to_owned()).spawn(move || {
            // A run that ended, or never looked at its standard input, has nothing to say.
            _ = observer.ask(ours, run);
            observer.see(|seen| {
                if seen.run == run {
                    (seen.moment, seen.document, seen.is_connected) = (None, None, false);
                }
            });
            observer.0.answered.notify_all();
        })?;
        Ok(theirs.into())
    }

    fn ask(&self, stream: UnixStream, run: u64) -> io::Result<()> {
        let mut answers = BufReader::new(stream.try_clone()?);
        let mut stream = stream;
        let mut answer = |question: &str| -> io::Result<String> {
            stream.write_all(format!("{question}\n").as_bytes())?;
            let mut line = String::new();
            match answers.read_line(&mut line)? {
                0 => Err(io::ErrorKind::UnexpectedEof.into()),
                _ => Ok(line),
            }
        };
        loop {
            let moment = serde_json::from_str::<Moment>(&answer(ASK_MOMENT)?).ok();
            let wants = self.see(|seen| {
                if seen.run == run {
                    seen.moment = moment;
                }
                seen.wanted.is_some_and(|wanted| wanted.elapsed() < WANTED_FOR)
            });
            if wants {
                let asked = Instant::now();
                let document = answer(ASK_DOCUMENT)?;
                self.see(|seen| {
                    if seen.run == run {
                        seen.document = Some((document.trim_end().into(), asked));
                    }
                });
                self.0.answered.notify_all();
            }
            self.pause(run);
        }
    }

    /// Waits until it is time to ask again, or a document is wanted.
    fn pause(&self, run: u64) {
        let seen = self.lock();
        let pause = if seen.is_watched { ASK_EVERY } else { ASK_SELDOM };
        let waits = |seen: &mut Seen| seen.run == run && !seen.lacks_document();
        drop(self.0.wanted.wait_timeout_while(seen, pause, waits).unwrap_or_else(PoisonError::into_inner));
    }

    /// How the run is, if one goes on.
    pub fn moment(&self) -> Option<Moment> {
        self.see(|seen| seen.moment.clone())
    }

    /// The document of the run at this moment, if one goes on. Where nobody has looked lately it is waited for, so that what
    /// is shown first is neither old nor missing.
    pub fn document(&self) -> Option<Arc<str>> {
        let mut seen = self.lock();
        seen.wanted = Some(Instant::now());
        self.0.wanted.notify_all();
        let waits = |seen: &mut Seen| seen.is_connected && !seen.has_document(MAX_DOCUMENT_AGE);
        let answered = &self.0.answered;
        let (seen, _) =
            answered.wait_timeout_while(seen, DOCUMENT_TIMEOUT, waits).unwrap_or_else(PoisonError::into_inner);
        seen.document.as_ref().filter(|_| seen.has_document(WANTED_FOR)).map(|(text, _)| text.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        lock(&self.0.seen)
    }

    fn see<T>(&self, what: impl FnOnce(&mut Seen) -> T) -> T {
        what(&mut self.lock())
    }
}

impl Seen {
    /// There is a document that is no older than this.
    fn has_document(&self, age: Duration) -> bool {
        self.document.as_ref().is_some_and(|(_, asked)| asked.elapsed() < age)
    }

    /// Somebody waits for a document.
    fn lacks_document(&self) -> bool {
        !self.has_document(MAX_DOCUMENT_AGE) && self.wanted.is_some_and(|wanted| wanted.elapsed() < DOCUMENT_TIMEOUT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_run_says_is_known_until_it_ends() {
        let observer = Observer::default();
        observer.watch();
        let theirs = UnixStream::from(observer.connect().unwrap());
        assert_eq!((observer.moment(), observer.document()), (None, None));
        let mut lines = BufReader::new(theirs.try_clone().unwrap()).lines().map_while(Result::ok);
        let mut theirs = theirs;
        assert_eq!(lines.next().as_deref(), Some(ASK_MOMENT));
        let moment = Moment { stage: "running".to_owned(), active_vus: 7, ..Moment::default() };
        writeln!(theirs, "{}", serde_json::to_string(&moment).unwrap()).unwrap();
        // Somebody asked for a document.
        assert_eq!(lines.next().as_deref(), Some(ASK_DOCUMENT));
        writeln!(theirs, "{{}}").unwrap();
        assert_eq!(lines.next().as_deref(), Some(ASK_MOMENT));
        assert_eq!((observer.moment(), observer.document().as_deref()), (Some(moment), Some("{}")));
        // Nobody looked for a while: who looks now sees this moment, not that one.
        observer.see(|seen| seen.document.as_mut().unwrap().1 -= WANTED_FOR);
        let looking = std::thread::scope(|scope| {
            let looks = scope.spawn(|| observer.document());
            let mut has_answered = false;
            while !has_answered {
                writeln!(theirs, "{{}}").unwrap();
                has_answered = lines.next().as_deref() == Some(ASK_DOCUMENT);
            }
            writeln!(theirs, "{{\"now\":1}}").unwrap();
            looks.join().unwrap()
        });
        assert_eq!(looking.as_deref(), Some("{\"now\":1}"));
        drop(lines);
        drop(theirs);
        while observer.document().is_some() {
            std::thread::yield_now();
        }
        assert_eq!(observer.moment(), None);
    }
}
