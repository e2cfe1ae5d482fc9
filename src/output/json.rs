//! `-o json[=file]`: every sample as a line of JSON, each metric declared right before its first sample.
//!
//! A name ending in `.gz` makes the file gzip; without a name, or with `-`, lines go to standard output. `VOLLEY_JSON_LIMIT`
//! bounds the file in bytes: from half of it on samples are thinned.

use std::path::PathBuf;
use std::time::Duration;

use super::declare::metric_line;
use super::file::TextFile;
use super::time::Rfc3339;
use super::{Output, OutputContext};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::metrics::{MetricId, Record, SampleMetadata, Stamp};
use crate::units::number;
use crate::units::quote::json_quote;

/// Makes the output; it opens its file when it starts.
///
/// # Errors
/// None; a file that can't be written shows at the start.
pub fn new(argument: Option<&str>, context: &OutputContext) -> Result<Box<dyn Output>, Failure> {
    let name = argument.filter(|name| !name.is_empty() && *name != "-").map(str::to_owned);
    Ok(Box::new(JsonOutput {
        path: name.as_deref().map(|name| context.path(name)),
        name,
        context: context.clone(),
        lines: None,
    }))
}

/// The output.
struct JsonOutput {
    name: Option<String>,
    path: Option<PathBuf>,
    context: OutputContext,
    lines: Option<JsonLines>,
}

impl Output for JsonOutput {
    fn description(&self) -> String {
        self.name.as_ref().map_or("json(stdout)".to_owned(), |name| format!("json ({name})"))
    }

    fn period(&self) -> Duration {
        Duration::from_millis(200)
    }

    fn start(&mut self) -> Result<(), Failure> {
        let limit = (self.context.env)(LIMIT).filter(|text| !text.is_empty()).map(|text| {
            let wrong = || format!("`{LIMIT}={text}`: expected a number of bytes");
            text.parse::<u64>().map_err(|_| Failure::new(ExitCode::InvalidConfig, wrong()))
        });
        let limit = limit.transpose()?;
        let file = match &self.path {
            None => TextFile::stdout(self.context.stdout.clone()),
            Some(path) => TextFile::create(path).map_err(|error| {
                Failure::new(ExitCode::Other, format!("could not open '{}': {error}", path.display()))
            })?,
        };
        let mut lines = JsonLines::new(file, self.context.clone());
        lines.thinning = self.path.is_some().then_some(limit).flatten().map(Thinning::new);
        self.lines = Some(lines);
        Ok(())
    }

    fn add(&mut self, batch: &[Record]) -> Result<(), String> {
        let Some(lines) = &mut self.lines else { return Ok(()) };
        let mut failed = None;
        for record in batch {
            lines.add(record);
            // One batch can be a large part of a small limit. After an error the rest still counts as taken.
            if failed.is_none() {
                failed = lines.file.write_if_full().err();
                lines.thin();
            }
        }
        failed.map_or(Ok(()), |error| Err(error.to_string()))
    }

    fn flush(&mut self) -> Result<(), String> {
        self.lines.as_mut().map_or(Ok(()), |lines| lines.file.write()).map_err(|error| error.to_string())
    }

    fn stop(&mut self) -> Result<(), String> {
        let Some(lines) = &mut self.lines else { return Ok(()) };
        if let Some(thinning) = lines.thinning.as_ref().filter(|thinning| thinning.kept < thinning.all) {
            let (name, limit) = (self.name.as_deref().unwrap_or_default(), number::bytes(thinning.limit as f64));
            self.context.logger.warn(thinned_message(thinning.kept, thinning.all, name, &limit));
        }
        lines.file.close().map_err(|error| error.to_string())
    }

    fn unwritten(&self) -> u64 {
        self.lines.as_ref().map_or(0, |lines| lines.file.unwritten())
    }

    fn is_stdout(&self) -> bool {
        self.path.is_none()
    }
}

/// The environment variable that limits the size of the file, in bytes.
pub const LIMIT: &str = "VOLLEY_JSON_LIMIT";

/// Keeps a file within its limit: once half of it is used, the samples of every other moment are left out, after another [`MAX_HALVINGS`]th of that half three of four, and so on: each part lasts twice as long as the one before, so that
/// a run thousands of times as long as the first half is still seen to its end. All samples of one moment, such as those of
/// a request, stay together.
struct Thinning {
    limit: u64,
    /// One of two to the power of this many moments is kept.
    halvings: u32,
    kept: u64,
    all: u64,
}

/// How many times the share that is kept is halved.
const MAX_HALVINGS: u64 = 16;
/// More halvings than there are moments: nothing more is kept.
const KEEP_NOTHING: u32 = 63;

impl Thinning {
    fn new(limit: u64) -> Self {
        Self { limit, halvings: 0, kept: 0, all: 0 }
    }

    /// Adapts to the size of the file, in bytes.
    fn adapt(&mut self, size: u64) {
        let half = self.limit / 2;
        self.halvings = match size.checked_sub(half) {
            None => 0,
            Some(more) if more >= half => KEEP_NOTHING,
            Some(more) => 1 + (more / (half / MAX_HALVINGS).max(1)) as u32,
        };
    }

    fn keeps(&self, time: Stamp) -> bool {
        // Scattered: moments of a constant rate would all be even, or all odd.
        let scattered =
            time.0.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_right(32).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 1;
        scattered & ((1 << self.halvings) - 1) == 0
    }
}

/// The warning about a file that was thinned; [`thinned`] reads it.
fn thinned_message(kept: u64, all: u64, name: &str, limit: &str) -> String {
    format!("samples were thinned: {kept} of {all} are in '{name}', which may have {limit}; totals are of all samples")
}

/// The number of samples written, and of all, if this log line is the warning about a thinned file.
pub fn thinned(line: &str) -> Option<(u64, u64)> {
    let (kept, rest) = line.split_once("samples were thinned: ")?.1.split_once(" of ")?;
    Some((kept.parse().ok()?, rest.split(' ').next()?.parse().ok()?))
}

/// The lines, and the cached parts of them.
struct JsonLines {
    file: TextFile,
    context: OutputContext,
    clock: Rfc3339,
    /// By metric: the start of its lines, up to the time.
    starts: Vec<Option<Box<str>>>,
    /// The time of the current record, as text.
    time: String,
    last: Option<Stamp>,
    warned: bool,
    thinning: Option<Thinning>,
}

impl JsonLines {
    fn new(file: TextFile, context: OutputContext) -> Self {
        let (clock, starts, time) = (Rfc3339::local(), Vec::new(), String::new());
        Self { file, context, clock, starts, time, last: None, warned: false, thinning: None }
    }

    fn add(&mut self, record: &Record) {
        let time = record.time();
        if let Some(thinning) = &mut self.thinning {
            let mut count = 0;
            record.each_sample(|_, _| count += 1);
            thinning.all += count;
            if !thinning.keeps(time) {
                return;
            }
            thinning.kept += count;
        }
        if self.last != Some(time) {
            self.time.clear();
            self.clock.write_nanos(time, &mut self.time);
            self.last = Some(time);
        }
        let (tags, metadata) = (record.tags().json(), record.metadata());
        record.each_sample(|metric, value| self.point(metric, value, tags, metadata));
    }

    /// Adapts the thinning to the size of the file.
    fn thin(&mut self) {
        if let Some(thinning) = &mut self.thinning {
            thinning.adapt(self.file.size());
        }
    }

    fn point(&mut self, metric: MetricId, value: f64, tags: &str, metadata: Option<&SampleMetadata>) {
        if !value.is_finite() {
            if !self.warned {
                self.warned = true;
                self.context
                    .logger
                    .warn("JSON knows no infinite numbers, such samples are left out of the json output");
            }
            return;
        }
        let place = usize::from(metric.0);
        if self.starts.get(place).is_none_or(Option::is_none) {
            self.declare(metric);
        }
        let Some(Some(start)) = self.starts.get(place) else { return };
        let line = &mut self.file.buffer;
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
        let Some(metric) = self.context.registry.get(id) else { return };
        let place = usize::from(id.0);
        if place >= self.starts.len() {
            self.starts.resize(place + 1, None);
        }
        self.file.buffer.push_str(&metric_line(&metric, &self.context));
        let start = format!("{{\"metric\":\"{}\",\"type\":\"Point\",\"data\":{{\"time\":\"", metric.name);
        self.starts[place] = Some(start.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_never_gets_larger_than_its_limit() {
        let check = |limit: u64, moments: u64| {
            let mut thinning = Thinning::new(limit);
            let (mut size, mut kept) = (0, 0);
            for moment in 0..moments {
                // Six samples of a request, of 50 bytes each.
                if thinning.keeps(Stamp(1_700_000_000_000_000_000 + moment * 1_000_000)) {
                    size += 300;
                    kept += 1;
                }
                thinning.adapt(size);
            }
            assert!(size <= limit + 300, "{size} of {limit}");
            kept
        };
        assert_eq!(check(1_000_000, 1_000), 1_000);
        let kept = check(1_000_000, 100_000);
        assert!((2_000..3_334).contains(&kept), "{kept}");
        check(1_000, 1_000_000);
    }

    #[test]
    fn that_a_file_was_thinned_is_read_from_a_log() {
        let line = format!("time=\"x\" level=warning msg=\"{}\"", thinned_message(12, 3456, "a.json.gz", "2 GB"));
        assert_eq!(thinned(&line), Some((12, 3456)));
        assert_eq!(thinned("level=info msg=\"samples were taken\""), None);
    }
}
