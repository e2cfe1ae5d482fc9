//! `-o json[=file]`: every sample as a line of JSON, each metric declared right before its first sample.
//!
//! A name ending in `.gz` makes the file gzip; without a name, or with `-`, lines go to standard output.

use std::path::PathBuf;
use std::time::Duration;

use super::declare::metric_line;
use super::file::TextFile;
use super::time::Rfc3339;
use super::{Means, Output};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::metrics::{Metadata, MetricId, Record, Stamp};
use crate::units::number;
use crate::units::quote::json_quote;

/// Makes the output; it opens its file when it starts.
///
/// # Errors
/// None; a file that can't be written shows at the start.
pub fn new(argument: Option<&str>, means: &Means) -> Result<Box<dyn Output>, Failure> {
    let name = argument.filter(|name| !name.is_empty() && *name != "-").map(str::to_owned);
    Ok(Box::new(Json { path: name.as_deref().map(|name| means.path(name)), name, means: means.clone(), lines: None }))
}

/// The output.
struct Json {
    name: Option<String>,
    path: Option<PathBuf>,
    means: Means,
    lines: Option<Lines>,
}

impl Output for Json {
    fn description(&self) -> String {
        self.name.as_ref().map_or("json(stdout)".to_owned(), |name| format!("json ({name})"))
    }

    fn period(&self) -> Duration {
        Duration::from_millis(200)
    }

    fn start(&mut self) -> Result<(), Failure> {
        let file = match &self.path {
            None => TextFile::stdout(self.means.stdout.clone()),
            Some(path) => TextFile::create(path).map_err(|error| {
                Failure::new(ExitCode::Other, format!("could not open '{}': {error}", path.display()))
            })?,
        };
        self.lines = Some(Lines::new(file, self.means.clone()));
        Ok(())
    }

    fn add(&mut self, batch: &[Record]) -> Result<(), String> {
        let Some(lines) = &mut self.lines else { return Ok(()) };
        batch.iter().for_each(|record| lines.add(record));
        lines.file.write_if_full().map_err(|error| error.to_string())
    }

    fn flush(&mut self) -> Result<(), String> {
        self.lines.as_mut().map_or(Ok(()), |lines| lines.file.write()).map_err(|error| error.to_string())
    }

    fn stop(&mut self) -> Result<(), String> {
        self.lines.as_mut().map_or(Ok(()), |lines| lines.file.close()).map_err(|error| error.to_string())
    }

    fn unwritten(&self) -> u64 {
        self.lines.as_ref().map_or(0, |lines| lines.file.unwritten())
    }

    fn is_stdout(&self) -> bool {
        self.path.is_none()
    }
}

/// The lines, and what was worked out for them once.
struct Lines {
    file: TextFile,
    means: Means,
    clock: Rfc3339,
    /// By metric: the start of its lines, up to the time.
    starts: Vec<Option<Box<str>>>,
    /// The time of the current record, as text.
    time: String,
    last: Option<Stamp>,
    warned: bool,
}

impl Lines {
    fn new(file: TextFile, means: Means) -> Self {
        let (clock, starts, time) = (Rfc3339::local(), Vec::new(), String::new());
        Self { file, means, clock, starts, time, last: None, warned: false }
    }

    fn add(&mut self, record: &Record) {
        let time = record.time();
        if self.last != Some(time) {
            self.time.clear();
            self.clock.write_nanos(time, &mut self.time);
            self.last = Some(time);
        }
        let (tags, metadata) = (record.tags().json(), record.metadata());
        record.each_sample(|metric, value| self.point(metric, value, tags, metadata));
    }

    fn point(&mut self, metric: MetricId, value: f64, tags: &str, metadata: Option<&Metadata>) {
        if !value.is_finite() {
            if !self.warned {
                self.warned = true;
                self.means.logger.warn("JSON knows no infinite numbers, such samples are left out of the json output");
            }
            return;
        }
        let place = usize::from(metric.0);
        if self.starts.get(place).is_none_or(Option::is_none) {
            self.declare(metric);
        }
        let Some(Some(start)) = self.starts.get(place) else { return };
        let line = &mut self.file.waiting;
        line.push_str(start);
        line.push_str(&self.time);
        line.push_str("\",\"value\":");
        number::write_js(value, line);
        line.push_str(",\"tags\":");
        line.push_str(tags);
        if let Some(metadata) = metadata.filter(|metadata| !metadata.is_empty()) {
            line.push_str(",\"metadata\":{");
            for (place, (key, value)) in metadata.iter().enumerate() {
                line.push_str(if place > 0 { "," } else { "" });
                json_quote(key, line);
                line.push(':');
                json_quote(value, line);
            }
            line.push('}');
        }
        line.push_str("}}\n");
    }

    fn declare(&mut self, id: MetricId) {
        let Some(metric) = self.means.registry.get(id) else { return };
        let place = usize::from(id.0);
        if place >= self.starts.len() {
            self.starts.resize(place + 1, None);
        }
        self.file.waiting.push_str(&metric_line(&metric, &self.means));
        let start = format!("{{\"metric\":\"{}\",\"type\":\"Point\",\"data\":{{\"time\":\"", metric.name);
        self.starts[place] = Some(start.into());
    }
}
