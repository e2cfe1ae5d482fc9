//! Standard output and standard error of this process, behind one lock.
//!
//! Text, log lines and the block of progress bars share the terminal: text is written above the bars. A
//! reader that has gone away is no error: what is written then is dropped.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, MutexGuard};

use console::Term;

use super::fold::fold;
use crate::units::sync::lock;

/// The terminal. Cheap to clone; may be used from any thread.
#[derive(Clone)]
pub struct Terminal {
    state: Arc<Mutex<TerminalState>>,
    capabilities: Capabilities,
}

/// What the streams can do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Whether standard output is a terminal.
    pub stdout_is_tty: bool,
    /// Whether standard error is a terminal.
    pub stderr_is_tty: bool,
    /// Whether colours are unwanted: `--no-color`, `K6_NO_COLOR`, `NO_COLOR`.
    pub no_color: bool,
    /// Whether the terminal says, in `COLORFGBG`, that its background is light: yellow and cyan are lost there.
    pub is_light: bool,
}

/// Whether `foreground;background`, as terminals that say it do, has a light background: white, or one of the bright colours.
fn is_light(colors: &str) -> bool {
    let background = colors.rsplit(';').next().and_then(|number| number.parse::<u8>().ok());
    background.is_some_and(|number| number == 7 || (9..=15).contains(&number))
}

struct TerminalState {
    stdout: Box<dyn Write + Send>,
    stderr: Box<dyn Write + Send>,
    /// The bars below all text; on terminals only.
    block: String,
}

#[derive(Clone, Copy)]
enum StdStream {
    Out,
    Err,
}

impl Terminal {
    /// The streams of this process. A dumb terminal is treated as none.
    pub fn of_process(no_color: bool) -> Self {
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let capabilities = Capabilities {
            stdout_is_tty: !is_dumb && io::stdout().is_terminal(),
            stderr_is_tty: !is_dumb && io::stderr().is_terminal(),
            no_color,
            is_light: std::env::var_os("COLORFGBG").is_some_and(|colors| is_light(&colors.to_string_lossy())),
        };
        Self::new(Box::new(io::stdout()), Box::new(io::stderr()), capabilities)
    }

    /// Any two streams.
    pub fn new(stdout: Box<dyn Write + Send>, stderr: Box<dyn Write + Send>, capabilities: Capabilities) -> Self {
        Self { state: Arc::new(Mutex::new(TerminalState { stdout, stderr, block: String::new() })), capabilities }
    }

    /// Whether standard output is a terminal.
    pub fn stdout_is_tty(&self) -> bool {
        self.capabilities.stdout_is_tty
    }

    /// Whether standard error is a terminal.
    pub fn stderr_is_tty(&self) -> bool {
        self.capabilities.stderr_is_tty
    }

    /// Whether text on standard output may have colours.
    pub fn stdout_colors(&self) -> bool {
        self.capabilities.stdout_is_tty && !self.capabilities.no_color
    }

    /// Whether text on standard error may have colours.
    pub fn stderr_colors(&self) -> bool {
        self.capabilities.stderr_is_tty && !self.capabilities.no_color
    }

    /// How many characters a line may have; 80 where that can't be told. Asked anew each time, windows change.
    pub fn width(&self) -> usize {
        Term::stdout().size_checked().map_or(80, |(_, columns)| usize::from(columns))
    }

    /// How many lines it has; 24 where that can't be told.
    pub fn height(&self) -> usize {
        Term::stdout().size_checked().map_or(24, |(lines, _)| usize::from(lines))
    }

    /// Text with lines that a terminal on standard output shows without breaking words; as it is where there is none.
    pub fn fit(&self, text: String) -> String {
        if !self.capabilities.stdout_is_tty {
            return text;
        }
        fold(&self.suited(&text), self.width())
    }

    /// Text of ours in colours that the background lets be read.
    fn suited<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if !self.capabilities.is_light || !text.contains("\x1b[3") {
            return Cow::Borrowed(text);
        }
        Cow::Owned(text.replace("\x1b[33m", "\x1b[35m").replace("\x1b[36m", "\x1b[34m"))
    }

    /// Writes text to standard output, as it is.
    pub fn print(&self, text: &str) {
        // A reader that has gone away is no error.
        _ = self.write(StdStream::Out, self.suited(text).as_bytes());
    }

    /// Writes text to standard error, as it is.
    pub fn print_error(&self, text: &str) {
        _ = self.write(StdStream::Err, self.suited(text).as_bytes());
    }

    /// Replaces the bars below all text; empty takes them away. Without a terminal nothing happens.
    pub fn set_block(&self, block: String) {
        if self.capabilities.stdout_is_tty {
            let mut state = self.lock();
            let was_shown = !state.block.is_empty();
            state.block = self.suited(&block).into_owned();
            // Taken away or drawn anew; either way from where the cursor waits above the old block.
            let text = if state.block.is_empty() && was_shown { "\r\x1b[J".to_owned() } else { state.drawn_block() };
            _ = state.stdout.write_all(text.as_bytes()).and_then(|()| state.stdout.flush());
        }
    }

    /// Standard output as a writer, for outputs and summaries; errors are the writer's to see.
    pub fn stdout_writer(&self) -> impl Write + Send + use<> {
        StreamWriter(self.clone(), StdStream::Out)
    }

    /// Standard error as a writer.
    pub fn stderr_writer(&self) -> impl Write + Send + use<> {
        StreamWriter(self.clone(), StdStream::Err)
    }

    fn lock(&self) -> MutexGuard<'_, TerminalState> {
        lock(&self.state)
    }

    fn write(&self, stream: StdStream, text: &[u8]) -> io::Result<()> {
        let mut state = self.lock();
        let (to, is_tty) = match stream {
            StdStream::Out => (&mut state.stdout, self.capabilities.stdout_is_tty),
            StdStream::Err => (&mut state.stderr, self.capabilities.stderr_is_tty),
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
        if is_tty && !state.block.is_empty() {
            let block = state.drawn_block();
            _ = state.stdout.write_all(block.as_bytes()).and_then(|()| state.stdout.flush());
        }
        written
    }
}

impl TerminalState {
    /// The block, after which the cursor goes back to where it began, so that text can take its place.
    fn drawn_block(&self) -> String {
        if self.block.is_empty() {
            return String::new();
        }
        let lines = self.block.matches('\n').count();
        format!("{}\r\x1b[J\x1b[{lines}A", self.block.replace('\n', "\x1b[K\n"))
    }
}

struct StreamWriter(Terminal, StdStream);

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

    pub(crate) fn terminal(capabilities: Capabilities) -> (Terminal, Sheet, Sheet) {
        let (out, err) = (Sheet::default(), Sheet::default());
        (Terminal::new(Box::new(out.clone()), Box::new(err.clone()), capabilities), out, err)
    }

    #[test]
    fn text_stays_above_the_block() {
        let (terminal, out, _) = terminal(Capabilities { stdout_is_tty: true, ..Capabilities::default() });
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
    fn colours_go_with_the_background() {
        for (colors, light) in
            [("0;15", true), ("0;default;7", true), ("15;0", false), ("7;8", false), ("", false), ("x", false)]
        {
            assert_eq!(is_light(colors), light, "{colors}");
        }
        let text = "\x1b[33mWARN\x1b[0m \x1b[36mx\x1b[0m \x1b[31my\x1b[0m";
        let check = |is_light, expect: &str| {
            let (terminal, out, err) = terminal(Capabilities { is_light, ..Capabilities::default() });
            terminal.print(text);
            terminal.print_error(text);
            assert_eq!((out.read().as_str(), err.read().as_str()), (expect, expect));
            terminal.stdout_writer().write_all(text.as_bytes()).unwrap();
            assert_eq!(out.read(), text);
        };
        check(false, text);
        check(true, "\x1b[35mWARN\x1b[0m \x1b[34mx\x1b[0m \x1b[31my\x1b[0m");
    }

    #[test]
    fn elsewhere_text_is_written_as_it_is() {
        let (terminal, out, err) = terminal(Capabilities::default());
        terminal.set_block("bar\n".to_owned());
        terminal.print("text\n");
        terminal.print_error("log\n");
        terminal.stdout_writer().write_all(b"raw").unwrap();
        assert_eq!((out.read().as_str(), err.read().as_str()), ("text\nraw", "log\n"));
    }

    #[test]
    fn a_reader_that_went_away_is_no_panic() {
        let terminal = Terminal::new(Box::new(Gone), Box::new(Gone), Capabilities::default());
        terminal.print("text\n");
        assert_eq!(terminal.stdout_writer().write_all(b"x").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
