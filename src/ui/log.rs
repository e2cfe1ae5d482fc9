//! Log entries become lines: text, JSON or bare messages, on a stream, in a file, or on their way to Loki.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Terminal;
use super::loki::{Loki, LokiConfig, LokiLine};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::fifo::WriteEnd;
use crate::log::{Level, LogEntry, LogValue, Logger};
use crate::units::quote::{go_quote, json_quote};
use crate::units::sync::lock;

/// Where log lines go, as `--log-output` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Destination {
    /// Standard error.
    #[default]
    Stderr,
    /// Standard output.
    Stdout,
    /// Nowhere.
    None,
    /// To the end of a file.
    File {
        /// Its path, as typed.
        path: PathBuf,
        /// The lowest level that is written; `None` for what the whole log shows.
        level: Option<Level>,
    },
    /// To a server, in batches.
    Loki(LokiConfig),
}

impl Destination {
    /// Reads `stderr`, `stdout`, `none`, `file=<path>[,level=<level>]` or `loki[=<url>][,<key>=<value>…]`.
    ///
    /// # Errors
    /// k6's words for what is none of these.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let wrong = |message: String| Failure::new(ExitCode::Other, message);
        match text {
            "" | "stderr" => return Ok(Self::Stderr),
            "stdout" => return Ok(Self::Stdout),
            "none" => return Ok(Self::None),
            _ if text == "loki" || text.starts_with("loki=") || text.starts_with("loki,") => {
                return LokiConfig::parse(text).map(Self::Loki);
            }
            _ if text != "file" && !text.starts_with("file=") => {
                return Err(wrong(format!("unsupported log output '{text}'")));
            }
            _ => (),
        }
        let (mut path, mut level) = (PathBuf::new(), None);
        for item in text.split(',') {
            match item.split_once('=').unwrap_or((item, "")) {
                ("file", "") => {
                    return Err(wrong("error while parsing logfile configuration key `file` with no value".to_owned()));
                }
                ("file", value) => path = value.into(),
                ("level", value) => {
                    level = Some(parse_level(value).ok_or_else(|| wrong(format!("unknown log level {value}")))?);
                }
                (key, _) => return Err(wrong(format!("unknown logfile config key {key}"))),
            }
        }
        Ok(Self::File { path, level })
    }
}

pub(super) fn parse_level(text: &str) -> Option<Level> {
    match text.to_ascii_lowercase().as_str() {
        "trace" | "debug" => Some(Level::Debug),
        "info" => Some(Level::Info),
        "warn" | "warning" => Some(Level::Warning),
        "error" | "fatal" | "panic" => Some(Level::Error),
        _ => None,
    }
}

/// How a line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// `time="..." level=info msg="..." key=value`; in colours and shorter on a terminal.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
    /// The message alone.
    Raw,
}

impl LogFormat {
    /// Reads `--log-format`; what is unknown means text, as in k6.
    pub fn parse(text: &str) -> Self {
        match text {
            "json" => Self::Json,
            "raw" => Self::Raw,
            _ => Self::Text,
        }
    }
}

/// What a log is opened with.
#[derive(Clone, Debug, Default)]
pub struct LogOptions {
    /// Where lines go.
    pub destination: Destination,
    /// How they look.
    pub format: LogFormat,
    /// Whether debug entries are shown.
    pub verbose: bool,
    /// Whether times are written to the nanosecond instead of the second.
    pub ns_timestamps: bool,
}

/// The log of this process. Cheap to clone; may be used from any thread.
#[derive(Clone)]
pub struct ProcessLog(Arc<Mutex<LogState>>);

struct LogState {
    terminal: Terminal,
    format: LogFormat,
    level: Level,
    ns_timestamps: bool,
    target: OpenDestination,
    console: Option<WriteEnd>,
    secrets: Vec<String>,
    zone: TimeZone,
    start: SystemTime,
}

enum OpenDestination {
    Stderr,
    Stdout,
    None,
    File(WriteEnd),
    Loki(Loki),
}

impl ProcessLog {
    /// Opens the log.
    ///
    /// # Errors
    /// When its file can't be opened.
    pub fn open(options: &LogOptions, terminal: Terminal) -> Result<Self, Failure> {
        let mut level = if options.verbose { Level::Debug } else { Level::Info };
        let target = match &options.destination {
            Destination::Stderr => OpenDestination::Stderr,
            Destination::Stdout => OpenDestination::Stdout,
            Destination::None => OpenDestination::None,
            Destination::File { path, level: wanted } => {
                level = wanted.unwrap_or(level);
                OpenDestination::File(open_log_file(path)?)
            }
            Destination::Loki(config) => {
                level = config.level.unwrap_or(level);
                // What can't be pushed is logged on standard error.
                let plain = LogOptions { ns_timestamps: options.ns_timestamps, ..LogOptions::default() };
                let fallback = Self::open(&plain, terminal.clone())?.logger();
                OpenDestination::Loki(Loki::start(config.clone(), fallback)?)
            }
        };
        Ok(Self(Arc::new(Mutex::new(LogState {
            terminal,
            format: options.format,
            level,
            ns_timestamps: options.ns_timestamps,
            target,
            console: None,
            secrets: Vec::new(),
            zone: TimeZone::system(),
            start: SystemTime::now(),
        }))))
    }

    /// A handle that writes to this log.
    pub fn logger(&self) -> Logger {
        let log = self.clone();
        Logger::new(move |entry| log.write(&entry))
    }

    /// Passes on what is held back. Nothing may be logged afterwards.
    pub fn close(&self) {
        let target = std::mem::replace(&mut self.lock().target, OpenDestination::None);
        if let OpenDestination::Loki(loki) = target {
            loki.close();
        }
    }

    /// From now on, the script's console output goes to the end of this file. Called when init code is over: its output stays
    /// in the log.
    ///
    /// # Errors
    /// When the file can't be opened.
    pub fn console_to(&self, path: &Path) -> Result<(), Failure> {
        let file = WriteEnd::open(path, OpenOptions::new().append(true).create(true))
            .map_err(|error| cannot_open(path, &error))?;
        self.lock().console = Some(file);
        Ok(())
    }

    /// Hides a secret: in every line it is replaced by `***SECRET_REDACTED***`.
    pub fn hide(&self, secret: &str) {
        if !secret.is_empty() {
            self.lock().secrets.push(secret.to_owned());
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, LogState> {
        lock(&self.0)
    }

    fn write(&self, entry: &LogEntry) {
        let mut inner = self.lock();
        if entry.level < inner.level {
            return;
        }
        let is_console =
            |entry: &LogEntry| entry.fields.iter().any(|(key, value)| *key == "source" && value == "console");
        if inner.console.is_some() && is_console(entry) {
            let mut entry = entry.clone();
            entry.fields.retain(|(key, _)| *key != "source");
            let line = inner.line(&entry, false);
            let written = inner.console.as_mut().map(|file| file.write_all(line.as_bytes()));
            // What a full disk does not take is still said.
            if !matches!(written, Some(Err(_))) {
                return;
            }
        }
        let colors = match inner.target {
            OpenDestination::Stderr => inner.terminal.stderr_colors(),
            OpenDestination::Stdout => inner.terminal.stdout_colors(),
            OpenDestination::None => return,
            OpenDestination::File(_) => false,
            OpenDestination::Loki(ref loki) => {
                loki.take(LokiLine {
                    time: entry.time,
                    level: entry.level,
                    message: inner.redacted(&entry.message).into_owned(),
                    fields: inner
                        .fields(entry)
                        .into_iter()
                        .map(|(key, value)| (key.to_owned(), value.into_owned()))
                        .collect(),
                });
                return;
            }
        };
        let line = inner.line(entry, colors);
        match &mut inner.target {
            OpenDestination::Stdout => inner.terminal.print(&line),
            OpenDestination::File(file) => {
                // A disk that is full must not swallow an error.
                if file.write_all(line.as_bytes()).is_err() {
                    inner.terminal.print_error(&line);
                }
            }
            OpenDestination::Stderr | OpenDestination::None | OpenDestination::Loki(_) => {
                inner.terminal.print_error(&line)
            }
        }
    }
}

/// True if this is shown as a number where the format knows numbers.
fn is_number(entry: &LogEntry, key: &str) -> bool {
    let named = |(own, label): &(String, LogValue)| own == key && matches!(label, LogValue::Number(_));
    entry.labels.iter().any(named) && !entry.fields.iter().any(|(own, _)| *own == key)
}

impl LogState {
    /// The entry as a line, with its line end.
    fn line(&self, entry: &LogEntry, is_terminal: bool) -> String {
        let message = self.redacted(&entry.message);
        // Sorted by name; of a name given twice the last value counts.
        let fields = self.fields(entry);
        let mut line = match self.format {
            LogFormat::Raw => message.into_owned(),
            LogFormat::Json => self.json(entry, &message, fields),
            LogFormat::Text if is_terminal => self.terminal_text(entry, &message, &fields),
            LogFormat::Text => {
                let mut line = format!("time={} level={}", value(&self.time(entry.time)), entry.level.word());
                if !message.is_empty() {
                    line.push_str(&format!(" msg={}", value(&message)));
                }
                fields.iter().for_each(|(key, text)| line.push_str(&format!(" {key}={}", value(text))));
                line
            }
        };
        line.push('\n');
        line
    }

    fn fields<'a>(&self, entry: &'a LogEntry) -> BTreeMap<&'a str, Cow<'a, str>> {
        let labels = entry.labels.iter().map(|(key, label)| {
            let text = match label {
                LogValue::Text(text) => self.redacted(text),
                LogValue::Number(number) => number.to_string().into(),
            };
            (key.as_str(), text)
        });
        labels.chain(entry.fields.iter().map(|(key, value)| (*key, self.redacted(value)))).collect()
    }

    fn json<'a>(&self, entry: &LogEntry, message: &'a str, mut fields: BTreeMap<&'a str, Cow<'a, str>>) -> String {
        fields.insert("level", entry.level.word().into());
        fields.insert("msg", message.into());
        fields.insert("time", self.time(entry.time).into());
        let mut line = "{".to_owned();
        for (key, text) in fields {
            line.push_str(if line.len() > 1 { "," } else { "" });
            json_quote(key, &mut line);
            line.push(':');
            match is_number(entry, key) {
                true => line.push_str(&text),
                false => json_quote(&text, &mut line),
            }
        }
        line.push('}');
        line
    }

    fn terminal_text(&self, entry: &LogEntry, message: &str, fields: &BTreeMap<&str, Cow<'_, str>>) -> String {
        let (word, color) = match entry.level {
            Level::Debug => ("DEBU", 37),
            Level::Info => ("INFO", 36),
            Level::Warning => ("WARN", 33),
            Level::Error => ("ERRO", 31),
        };
        let since = entry.time.duration_since(self.start).unwrap_or(Duration::ZERO).as_secs();
        let message = message.strip_suffix('\n').unwrap_or(message);
        let mut line = format!("\x1b[{color}m{word}\x1b[0m[{since:04}] {message:<44} ");
        fields.iter().for_each(|(key, text)| line.push_str(&format!(" \x1b[{color}m{key}\x1b[0m={}", value(text))));
        line
    }

    /// The moment in the zone of this machine: to the second, or to the nanosecond without the zeros at its end.
    fn time(&self, time: SystemTime) -> String {
        let moment = Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(self.zone.clone());
        let format = if self.ns_timestamps { "%Y-%m-%dT%H:%M:%S%.f%:z" } else { "%Y-%m-%dT%H:%M:%S%:z" };
        let text = moment.strftime(format).to_string();
        text.strip_suffix("+00:00").map_or(text.clone(), |plain| format!("{plain}Z"))
    }

    fn redacted<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut text = Cow::Borrowed(text);
        for secret in self.secrets.iter().filter(|secret| !secret.is_empty()) {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), "***SECRET_REDACTED***").into();
            }
        }
        text
    }
}

/// The value of a field: bare if it is made of harmless characters, else in quotes.
fn value(text: &str) -> Cow<'_, str> {
    let is_bare = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._/@^+-".contains(&byte));
    if is_bare { text.into() } else { go_quote(text).into() }
}

fn open_log_file(path: &Path) -> Result<WriteEnd, Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        let message = format!("provided directory '{}' does not exist", folder.display());
        return Err(Failure::new(ExitCode::Other, message));
    }
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    WriteEnd::open(path, &options)
        .map_err(|error| Failure::new(ExitCode::Other, format!("failed to open logfile {}: {error}", path.display())))
}

fn cannot_open(path: &Path, error: &io::Error) -> Failure {
    Failure::new(ExitCode::Other, format!("could not open '{}': {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::terminal::Capabilities;
    use crate::ui::terminal::tests::{Sheet, terminal};

    fn entry(level: Level, message: &str, fields: &[(&'static str, &'static str)]) -> LogEntry {
        let fields = fields.iter().map(|(key, value)| (*key, Cow::Borrowed(*value))).collect();
        LogEntry {
            time: SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_419_692),
            level,
            message: message.to_owned(),
            fields,
            labels: Vec::new(),
        }
    }

    fn open(format: &str, facts: Capabilities) -> (ProcessLog, Sheet) {
        let (terminal, _, err) = terminal(facts);
        let options = LogOptions { format: LogFormat::parse(format), ..LogOptions::default() };
        let log = ProcessLog::open(&options, terminal).unwrap();
        log.lock().zone = TimeZone::UTC;
        log.lock().start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_419_680);
        (log, err)
    }

    #[test]
    fn numbers_are_numbers_where_the_format_has_them() {
        let label = |name: &str, label| (name.to_owned(), label);
        let labels = vec![
            label("vu", LogValue::Number(7)),
            label("mine", LogValue::Text("a b".to_owned())),
            label("source", LogValue::Text("theirs".to_owned())),
        ];
        for (format, expect) in [
            ("json", r#""mine":"a b","msg":"x","source":"http-debug","#),
            ("json", r#""vu":7}"#),
            ("text", r#"mine="a b" source=http-debug vu=7"#),
        ] {
            let (log, sheet) = open(format, Capabilities::default());
            log.write(&LogEntry { labels: labels.clone(), ..entry(Level::Info, "x", &[("source", "http-debug")]) });
            let text = sheet.read();
            assert!(text.contains(expect), "{text}");
        }
    }

    #[test]
    fn formats_lines_as_k6_does() {
        let check = |format: &str, entry: LogEntry, expect: &str| {
            let (log, sheet) = open(format, Capabilities::default());
            log.write(&entry);
            assert_eq!(sheet.read(), expect);
        };
        let time = "time=\"2026-11-23T07:41:32Z\"";
        check("", entry(Level::Info, "plain", &[]), &format!("{time} level=info msg=plain\n"));
        check(
            "what",
            entry(Level::Error, "two words\n\"x\"", &[("source", "stacktrace"), ("hint", "script exception")]),
            &format!("{time} level=error msg=\"two words\\n\\\"x\\\"\" hint=\"script exception\" source=stacktrace\n"),
        );
        check("", entry(Level::Info, "", &[("source", "console")]), &format!("{time} level=info source=console\n"));
        check(
            "",
            entry(Level::Warning, "a/b@c^d+e-f_g.h", &[]),
            &format!("{time} level=warning msg=a/b@c^d+e-f_g.h\n"),
        );
        check(
            "json",
            entry(Level::Info, "<žluť>\n", &[("source", "console"), ("error", "e")]),
            "{\"error\":\"e\",\"level\":\"info\",\"msg\":\"<žluť>\\n\",\"source\":\"console\",\"time\":\"2026-11-23T07:41:32Z\"}\n",
        );
        check("raw", entry(Level::Info, "bare", &[("source", "console")]), "bare\n");
        check("", entry(Level::Debug, "hidden", &[]), "");
    }

    #[test]
    fn times_are_as_exact_as_asked_for() {
        let check = |format: &str, nanos: u64, facts: Capabilities, expect: &str| {
            let (terminal, _, err) = terminal(facts);
            let options = LogOptions { format: LogFormat::parse(format), ns_timestamps: true, ..LogOptions::default() };
            let log = ProcessLog::open(&options, terminal).unwrap();
            log.lock().zone = TimeZone::fixed(jiff::tz::offset(0));
            log.lock().start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_419_680);
            let mut entry = entry(Level::Info, "x", &[]);
            entry.time += Duration::from_nanos(nanos);
            log.write(&entry);
            assert!(err.read().starts_with(expect), "{format} {nanos}: {}", err.read());
        };
        let (plain, json) =
            ("time=\"2026-11-23T07:41:32", "{\"level\":\"info\",\"msg\":\"x\",\"time\":\"2026-11-23T07:41:32");
        check("", 123_456_789, Capabilities::default(), &format!("{plain}.123456789Z\""));
        check("", 120_000_000, Capabilities::default(), &format!("{plain}.12Z\""));
        check("", 1, Capabilities::default(), &format!("{plain}.000000001Z\""));
        check("", 0, Capabilities::default(), &format!("{plain}Z\""));
        check("json", 500_000, Capabilities::default(), &format!("{json}.0005Z\""));
        check("json", 0, Capabilities::default(), &format!("{json}Z\""));
        check("raw", 1, Capabilities::default(), "x\n");
        let colours = Capabilities { stderr_is_tty: true, ..Capabilities::default() };
        check("", 123_456_789, colours, "\u{1b}[36mINFO\u{1b}[0m[0012] x ");
    }

    #[test]
    fn a_terminal_gets_colours() {
        let (log, sheet) = open("", Capabilities { stderr_is_tty: true, ..Capabilities::default() });
        log.write(&entry(Level::Warning, "careful", &[("source", "console")]));
        let expect = format!("\x1b[33mWARN\x1b[0m[0012] {:<44}  \x1b[33msource\x1b[0m=console\x1b[0K\n", "careful");
        assert_eq!(sheet.read(), expect);
        let (log, sheet) = open("", Capabilities { stderr_is_tty: true, no_color: true, ..Capabilities::default() });
        log.write(&entry(Level::Info, "x", &[]));
        assert!(sheet.read().contains("level=info msg=x"));
    }

    #[test]
    fn a_file_gets_what_is_grave_enough() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.txt");
        let destination = Destination::parse(&format!("file={},level=warning", path.display())).unwrap();
        let options = LogOptions { destination, format: LogFormat::Raw, verbose: true, ..LogOptions::default() };
        let (terminal, out, err) = terminal(Capabilities::default());
        let logger = ProcessLog::open(&options, terminal).unwrap().logger();
        logger.info("no");
        logger.warn("one");
        logger.error("two");
        assert_eq!(std::fs::read_to_string(path).unwrap(), "one\ntwo\n");
        assert_eq!((out.read(), err.read()), (String::new(), String::new()));
    }

    #[test]
    fn the_console_may_have_a_file_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let (log, sheet) = open("json", Capabilities::default());
        let said = |message: &str| log.write(&entry(Level::Info, message, &[("source", "console")]));
        said("in init code");
        log.console_to(&folder.path().join("console.log")).unwrap();
        said("in an iteration");
        log.write(&entry(Level::Info, "not the console", &[]));
        let written = std::fs::read_to_string(folder.path().join("console.log")).unwrap();
        assert_eq!(written, "{\"level\":\"info\",\"msg\":\"in an iteration\",\"time\":\"2026-11-23T07:41:32Z\"}\n");
        assert_eq!(sheet.read().lines().count(), 2);
    }

    #[test]
    fn secrets_are_hidden() {
        let (log, sheet) = open("raw", Capabilities::default());
        log.hide("s3cret");
        log.hide("");
        log.write(&entry(Level::Info, "token=s3cret!", &[]));
        assert_eq!(sheet.read(), "token=***SECRET_REDACTED***!\n");
    }

    #[test]
    fn reads_destinations() {
        let check = |text: &str, expect: Result<Destination, &str>| {
            assert_eq!(Destination::parse(text).map_err(|failure| failure.message), expect.map_err(str::to_owned));
        };
        check("stderr", Ok(Destination::Stderr));
        check("stdout", Ok(Destination::Stdout));
        check("none", Ok(Destination::None));
        check("file=a.log", Ok(Destination::File { path: "a.log".into(), level: None }));
        check("file=a.log,level=warn", Ok(Destination::File { path: "a.log".into(), level: Some(Level::Warning) }));
        check("syslog", Err("unsupported log output 'syslog'"));
        check("file=", Err("error while parsing logfile configuration key `file` with no value"));
        check("file=a,colour=red", Err("unknown logfile config key colour"));
        check("file=a,level=loud", Err("unknown log level loud"));
        let missing =
            LogOptions { destination: Destination::parse("file=/no/such/x.log").unwrap(), ..LogOptions::default() };
        let failure = ProcessLog::open(&missing, terminal(Capabilities::default()).0).err().unwrap();
        assert_eq!(failure.message, "provided directory '/no/such' does not exist");
    }
}
