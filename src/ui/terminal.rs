//! Standard output and standard error of this process, in one hand.
//!
//! Text, log lines and the block of progress bars share one screen; whoever writes text writes above the bars. A
//! reader that has gone away is no error: what is written then is dropped.

use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, MutexGuard};

use console::Term;

use crate::units::sync::lock;

/// The terminal. Cheap to clone; may be used from any thread.
#[derive(Clone)]
pub struct Terminal {
    screen: Arc<Mutex<Screen>>,
    facts: Facts,
}

/// What the streams are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Whether standard output is a terminal.
    pub stdout_is_tty: bool,
    /// Whether standard error is a terminal.
    pub stderr_is_tty: bool,
    /// Whether colours are unwanted: `--no-color`, `K6_NO_COLOR`, `NO_COLOR`.
    pub no_color: bool,
}

struct Screen {
    stdout: Box<dyn Write + Send>,
    stderr: Box<dyn Write + Send>,
    /// The bars below all text; on terminals only.
    block: String,
}

#[derive(Clone, Copy)]
enum Stream {
    Out,
    Err,
}

impl Terminal {
    /// The streams of this process. A dumb terminal is treated as none.
    pub fn of_process(no_color: bool) -> Self {
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let facts = Facts {
            stdout_is_tty: !is_dumb && io::stdout().is_terminal(),
            stderr_is_tty: !is_dumb && io::stderr().is_terminal(),
            no_color,
        };
        Self::new(Box::new(io::stdout()), Box::new(io::stderr()), facts)
    }

    /// Any two streams.
    pub fn new(stdout: Box<dyn Write + Send>, stderr: Box<dyn Write + Send>, facts: Facts) -> Self {
        Self { screen: Arc::new(Mutex::new(Screen { stdout, stderr, block: String::new() })), facts }
    }

    /// Whether standard output is a terminal.
    pub fn stdout_is_tty(&self) -> bool {
        self.facts.stdout_is_tty
    }

    /// Whether standard error is a terminal.
    pub fn stderr_is_tty(&self) -> bool {
        self.facts.stderr_is_tty
    }

    /// Whether text on standard output may have colours.
    pub fn stdout_colors(&self) -> bool {
        self.facts.stdout_is_tty && !self.facts.no_color
    }

    /// Whether text on standard error may have colours.
    pub fn stderr_colors(&self) -> bool {
        self.facts.stderr_is_tty && !self.facts.no_color
    }

    /// How many characters a line may have; 80 where that can't be told. Asked anew each time, windows change.
    pub fn width(&self) -> usize {
        Term::stdout().size_checked().map_or(80, |(_, columns)| usize::from(columns))
    }

    /// Writes text to standard output, as it is.
    pub fn print(&self, text: &str) {
        // A reader that went away does not want to hear more.
        _ = self.write(Stream::Out, text.as_bytes());
    }

    /// Writes text to standard error, as it is.
    pub fn print_error(&self, text: &str) {
        _ = self.write(Stream::Err, text.as_bytes());
    }

    /// Replaces the bars below all text; empty takes them away. Without a terminal nothing happens.
    pub fn set_block(&self, block: String) {
        if self.facts.stdout_is_tty {
            let mut screen = self.lock();
            let was_shown = !screen.block.is_empty();
            screen.block = block;
            // Taken away or drawn anew; either way from where the cursor waits above the old block.
            let text = if screen.block.is_empty() && was_shown { "\r\x1b[J".to_owned() } else { screen.drawn_block() };
            _ = screen.stdout.write_all(text.as_bytes()).and_then(|()| screen.stdout.flush());
        }
    }

    /// Standard output as a writer, for outputs and summaries; errors are the writer's to see.
    pub fn stdout_writer(&self) -> impl Write + Send + use<> {
        StreamWriter(self.clone(), Stream::Out)
    }

    /// Standard error as a writer.
    pub fn stderr_writer(&self) -> impl Write + Send + use<> {
        StreamWriter(self.clone(), Stream::Err)
    }

    fn lock(&self) -> MutexGuard<'_, Screen> {
        lock(&self.screen)
    }

    fn write(&self, stream: Stream, text: &[u8]) -> io::Result<()> {
        let mut screen = self.lock();
        let (to, is_tty) = match stream {
            Stream::Out => (&mut screen.stdout, self.facts.stdout_is_tty),
            Stream::Err => (&mut screen.stderr, self.facts.stderr_is_tty),
        };
        let written = if is_tty {
            // Each line takes with it what an older block left of it.
            let mut lines = Vec::with_capacity(text.len() + 16);
            for byte in text {
                lines.extend_from_slice(if *byte == b'\n' { b"\x1b[0K\n" } else { std::slice::from_ref(byte) });
            }
            to.write_all(&lines)
        } else {
            to.write_all(text)
        };
        let written = written.and_then(|()| to.flush());
        if is_tty && !screen.block.is_empty() {
            let block = screen.drawn_block();
            _ = screen.stdout.write_all(block.as_bytes()).and_then(|()| screen.stdout.flush());
        }
        written
    }
}

impl Screen {
    /// The block, after which the cursor goes back to where it began, so that text can take its place.
    fn drawn_block(&self) -> String {
        if self.block.is_empty() {
            return String::new();
        }
        let lines = self.block.matches('\n').count();
        format!("{}\r\x1b[J\x1b[{lines}A", self.block.replace('\n', "\x1b[K\n"))
    }
}

struct StreamWriter(Terminal, Stream);

impl Write for StreamWriter {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.write(self.1, text).map(|()| text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A stream that a test can read.
    #[derive(Clone, Default)]
    pub(crate) struct Sheet(Arc<Mutex<Vec<u8>>>);

    impl Sheet {
        pub(crate) fn read(&self) -> String {
            String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
        }
    }

    impl Write for Sheet {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(text)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Gone;

    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    pub(crate) fn terminal(facts: Facts) -> (Terminal, Sheet, Sheet) {
        let (out, err) = (Sheet::default(), Sheet::default());
        (Terminal::new(Box::new(out.clone()), Box::new(err.clone()), facts), out, err)
    }

    #[test]
    fn text_stays_above_the_block() {
        let (terminal, out, _) = terminal(Facts { stdout_is_tty: true, ..Facts::default() });
        terminal.set_block("bar\n".to_owned());
        assert_eq!(out.read(), "bar\x1b[K\n\r\x1b[J\x1b[1A");
        terminal.print("text\n");
        assert_eq!(out.read(), "text\x1b[0K\nbar\x1b[K\n\r\x1b[J\x1b[1A");
        terminal.set_block(String::new());
        assert_eq!(out.read(), "\r\x1b[J");
        terminal.print("end\n");
        assert_eq!(out.read(), "end\x1b[0K\n");
    }

    #[test]
    fn elsewhere_text_is_written_as_it_is() {
        let (terminal, out, err) = terminal(Facts::default());
        terminal.set_block("bar\n".to_owned());
        terminal.print("text\n");
        terminal.print_error("log\n");
        terminal.stdout_writer().write_all(b"raw").unwrap();
        assert_eq!((out.read().as_str(), err.read().as_str()), ("text\nraw", "log\n"));
    }

    #[test]
    fn a_reader_that_went_away_is_no_panic() {
        let terminal = Terminal::new(Box::new(Gone), Box::new(Gone), Facts::default());
        terminal.print("text\n");
        assert_eq!(terminal.stdout_writer().write_all(b"x").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
