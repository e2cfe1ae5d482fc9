//! `-o csv[=file]`: every sample as a line, with a column for each system tag that is on.
//!
//! Settings come from the argument, the environment (`K6_CSV_...`) and the configuration file, in this order.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashMap;

use super::file::TextFile;
use super::time::Rfc3339;
use super::{Output, OutputContext};
use crate::exit_code::ExitCode;
use crate::failure::{ExitWith, Failure};
use crate::metrics::{MetricId, Record, Stamp, TagSet};
use crate::units::Span;
use crate::units::number;

/// Makes the output; it opens its file when it starts.
///
/// # Errors
/// k6's message for settings that are unknown or malformed.
pub fn new(argument: Option<&str>, context: &OutputContext) -> Result<Box<dyn Output>, Failure> {
    let settings = CsvSettings::gather(argument, context).exit(ExitCode::Other)?;
    let path = (settings.name != "-").then(|| context.path(&settings.name));
    // `vu` and `iter` are metadata, not tags.
    let columns = context.system_tags.names().filter(|name| !matches!(*name, "vu" | "iter")).collect();
    let (clock, context) = (Rfc3339::local(), context.clone());
    let (names, tails) = (Vec::new(), FxHashMap::default());
    Ok(Box::new(CsvOutput { settings, path, columns, clock, context, file: None, names, tails }))
}

/// The most tag sets whose text is cached; then the cache is emptied.
const MAX_CACHED_TAG_SETS: usize = 8192;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TimeFormat {
    Unix,
    UnixMilli,
    UnixMicro,
    UnixNano,
    Rfc3339,
    Rfc3339Nano,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct CsvSettings {
    name: String,
    period: Duration,
    time: TimeFormat,
}

impl CsvSettings {
    fn gather(argument: Option<&str>, context: &OutputContext) -> Result<Self, String> {
        let mut settings = Self { name: "file.csv".to_owned(), period: Duration::from_secs(1), time: TimeFormat::Unix };
        // The same setting in an argument, in the configuration file and in the environment.
        const KEYS: [(&str, &str, &str); 3] = [
            ("fileName", "file_name", "K6_CSV_FILENAME"),
            ("saveInterval", "save_interval", "K6_CSV_SAVE_INTERVAL"),
            ("timeFormat", "time_format", "K6_CSV_TIME_FORMAT"),
        ];
        for (key, in_file, _) in KEYS {
            context.collector("csv", in_file).map_or(Ok(()), |value| settings.set(key, &value))?;
        }
        for (key, _, variable) in KEYS {
            (context.env)(variable)
                .filter(|value| !value.is_empty())
                .map_or(Ok(()), |value| settings.set(key, &value))?;
        }
        let argument = argument.unwrap_or_default();
        if !argument.is_empty() && !argument.contains('=') {
            settings.set("fileName", argument)?;
            return Ok(settings);
        }
        for item in argument.split(',').filter(|item| !item.is_empty()) {
            let (key, value) =
                item.split_once('=').ok_or_else(|| format!("couldn't parse \"{item}\" as argument for csv output"))?;
            settings.set(key, value)?;
        }
        Ok(settings)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "fileName" => self.name = value.to_owned(),
            "saveInterval" => self.period = Span::parse(value)?.to_duration().max(Duration::from_millis(1)),
            "timeFormat" => {
                self.time = match value {
                    "unix" => TimeFormat::Unix,
                    "unix_milli" => TimeFormat::UnixMilli,
                    "unix_micro" => TimeFormat::UnixMicro,
                    "unix_nano" => TimeFormat::UnixNano,
                    "rfc3339" => TimeFormat::Rfc3339,
                    "rfc3339_nano" => TimeFormat::Rfc3339Nano,
                    _ => return Err(format!("{value} does not belong to TimeFormat values")),
                };
            }
            _ => return Err(format!("unknown key \"{key}\" as argument for csv output")),
        }
        Ok(())
    }
}

/// The output.
struct CsvOutput {
    settings: CsvSettings,
    path: Option<PathBuf>,
    columns: Vec<&'static str>,
    clock: Rfc3339,
    context: OutputContext,
    file: Option<TextFile>,
    names: Vec<Option<Arc<str>>>,
    /// What a tag set adds to a line, by its address; the set is kept, so that the address stays its own.
    tails: FxHashMap<usize, (Arc<TagSet>, Arc<str>)>,
}

impl Output for CsvOutput {
    fn description(&self) -> String {
        if self.path.is_none() { "csv (stdout)".to_owned() } else { format!("csv ({})", self.settings.name) }
    }

    fn period(&self) -> Duration {
        self.settings.period
    }

    fn start(&mut self) -> Result<(), Failure> {
        let mut file = match &self.path {
            None => TextFile::stdout(self.context.stdout.clone()),
            Some(path) => TextFile::create(path).map_err(|error| {
                Failure::new(ExitCode::Other, format!("could not open '{}': {error}", path.display()))
            })?,
        };
        file.buffer.push_str("metric_name,timestamp,metric_value,");
        self.columns.iter().for_each(|column| file.buffer.extend([column, ","]));
        file.buffer.push_str("extra_tags,metadata\n");
        self.file = Some(file);
        Ok(())
    }

    fn add(&mut self, batch: &[Record]) -> Result<(), String> {
        let Some(mut file) = self.file.take() else { return Ok(()) };
        batch.iter().for_each(|record| self.lines(record, &mut file.buffer));
        let written = file.write_if_full();
        self.file = Some(file);
        written.map_err(|error| error.to_string())
    }

    fn flush(&mut self) -> Result<(), String> {
        self.file.as_mut().map_or(Ok(()), TextFile::write).map_err(|error| error.to_string())
    }

    fn stop(&mut self) -> Result<(), String> {
        self.file.as_mut().map_or(Ok(()), TextFile::close).map_err(|error| error.to_string())
    }

    fn unwritten(&self) -> u64 {
        self.file.as_ref().map_or(0, TextFile::unwritten)
    }

    fn is_stdout(&self) -> bool {
        self.path.is_none()
    }
}

impl CsvOutput {
    /// One line per sample; what follows the value is the same for all of them.
    fn lines(&mut self, record: &Record, to: &mut String) {
        let mut time = String::new();
        self.time(record.time(), &mut time);
        let tail = self.tail(record.tags());
        let metadata = record.metadata().into_iter().flat_map(|metadata| metadata.iter());
        let metadata = joined(metadata.map(|(key, value)| (&**key, &**value)));
        record.each_sample(|metric, value| {
            to.push_str(&self.name(metric));
            to.push(',');
            to.push_str(&time);
            to.push(',');
            if value.is_finite() {
                number::write_six_decimals(value, to);
            } else {
                to.push_str(infinite(value));
            }
            to.push_str(&tail);
            quote(&metadata, to);
            to.push('\n');
        });
    }

    /// The columns of the tags and the column of all others, up to the comma before the metadata.
    fn tail(&mut self, tags: &Arc<TagSet>) -> Arc<str> {
        let address = Arc::as_ptr(tags) as usize;
        if let Some((_, tail)) = self.tails.get(&address) {
            return tail.clone();
        }
        let mut tail = String::new();
        for column in &self.columns {
            tail.push(',');
            quote(tags.get(column).unwrap_or_default(), &mut tail);
        }
        tail.push(',');
        quote(&joined(tags.iter().filter(|(key, _)| !self.columns.contains(key))), &mut tail);
        tail.push(',');
        if self.tails.len() >= MAX_CACHED_TAG_SETS {
            self.tails.clear();
        }
        let tail: Arc<str> = tail.into();
        self.tails.insert(address, (tags.clone(), tail.clone()));
        tail
    }

    fn name(&mut self, metric: MetricId) -> Arc<str> {
        let place = usize::from(metric.0);
        if place >= self.names.len() {
            self.names.resize(place + 1, None);
        }
        let registry = &self.context.registry;
        let find = || registry.get(metric).map_or_else(|| "".into(), |metric| metric.name);
        self.names[place].get_or_insert_with(find).clone()
    }

    fn time(&mut self, stamp: Stamp, to: &mut String) {
        let unix = |scale: u64| number::js((stamp.0 / scale) as f64);
        match self.settings.time {
            TimeFormat::Unix => to.push_str(&unix(1_000_000_000)),
            TimeFormat::UnixMilli => to.push_str(&unix(1_000_000)),
            TimeFormat::UnixMicro => to.push_str(&unix(1_000)),
            TimeFormat::UnixNano => to.push_str(&stamp.0.to_string()),
            TimeFormat::Rfc3339 => self.clock.write_seconds(stamp, to),
            TimeFormat::Rfc3339Nano => self.clock.write_nanos(stamp, to),
        }
    }
}

/// An infinite number as Go prints it.
fn infinite(value: f64) -> &'static str {
    if value > 0.0 { "+Inf" } else { "-Inf" }
}

fn joined<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = String::new();
    for (key, value) in pairs {
        text.extend([if text.is_empty() { "" } else { "&" }, key, "=", value]);
    }
    text
}

/// A field, in quotes where it would be misread without them.
fn quote(field: &str, to: &mut String) {
    let is_plain = !field.contains([',', '"', '\n', '\r']) && !field.starts_with(char::is_whitespace) && field != "\\.";
    if is_plain {
        to.push_str(field);
    } else {
        to.extend(["\"", &field.replace('"', "\"\""), "\""]);
    }
}
