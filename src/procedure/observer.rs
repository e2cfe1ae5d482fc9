//! Asks a run how it goes, over a socket that is the run's standard input: nobody else can reach it, and it ends with the run.

use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::run::{ASK_DOCUMENT, ASK_MOMENT, Moment};
use crate::units::sync::lock;

/// How often a run is asked while somebody watches.
const ASK_EVERY: Duration = Duration::from_millis(500);
/// How often it is asked for a line a minute: asking takes a little of the run's time.
const ASK_SELDOM: Duration = Duration::from_secs(10);
/// A document is asked for as long as somebody wanted one so lately.
const WANTED_FOR: Duration = Duration::from_secs(5);

/// What is known of the run that goes on. Cheap to clone.
#[derive(Clone, Default)]
pub struct Observer(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    moment: Option<Moment>,
    document: Option<Arc<str>>,
    wanted: Option<Instant>,
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
            *seen = Seen { wanted, is_watched, run, ..Seen::default() };
            seen.run
        });
        let observer = self.clone();
        std::thread::Builder::new().name("volley-observer".to_owned()).spawn(move || {
            // A run that ended, or never looked at its standard input, has nothing to say.
            _ = observer.ask(ours, run);
            observer.see(|seen| {
                if seen.run == run {
                    (seen.moment, seen.document) = (None, None);
                }
            });
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
                let document = answer(ASK_DOCUMENT)?;
                self.see(|seen| {
                    if seen.run == run {
                        seen.document = Some(document.trim_end().into());
                    }
                });
            }
            std::thread::sleep(if self.see(|seen| seen.is_watched) { ASK_EVERY } else { ASK_SELDOM });
        }
    }

    /// How the run is, if one goes on.
    pub fn moment(&self) -> Option<Moment> {
        self.see(|seen| seen.moment.clone())
    }

    /// The latest document of the run, if one goes on; asking for it sees to it that there will be a newer one.
    pub fn document(&self) -> Option<Arc<str>> {
        self.see(|seen| {
            seen.wanted = Some(Instant::now());
            seen.document.clone()
        })
    }

    fn see<T>(&self, what: impl FnOnce(&mut Seen) -> T) -> T {
        what(&mut lock(&self.0))
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
        drop(lines);
        drop(theirs);
        while observer.moment().is_some() {
            std::thread::yield_now();
        }
        assert_eq!(observer.document(), None);
    }
}
