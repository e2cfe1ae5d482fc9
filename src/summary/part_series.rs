//! The run over time and the series of endpoints, read back from a document so that they can be added up.
//!
//! Documents of earlier versions don't hold the distributions of intervals: then there is nothing to add up.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::part::{count, field, list, number, text};
use crate::metrics::endpoint::{Endpoint, EndpointAxis, EndpointInterval};
use crate::metrics::sketch::QuantileSketch;
use crate::metrics::timeline::{Cell, MAX_INTERVALS, Timeline, TimelineSeries};
use crate::metrics::{Contains, MetricType, record::Stamp};

/// The run over time; `None` where the document doesn't hold all of it.
pub(super) fn timeline(document: &Value) -> Result<Option<Timeline>, String> {
    let Some(whole) = document.get("timeline").filter(|whole| whole.is_object()) else { return Ok(None) };
    let start = Stamp((number(whole, "start_ms")? * 1e6) as u64);
    let width = nanoseconds(whole)?;
    let points = count(whole, "points")?;
    if points as usize > MAX_INTERVALS + 1 {
        return Err(format!("timeline: there are {points} intervals, at most {MAX_INTERVALS} are written"));
    }
    let mut all = Vec::new();
    for (name, one) in field(whole, "series")?.as_object().into_iter().flatten() {
        let Some(series) = series(name, one).map_err(|why| format!("timeline of `{name}`: {why}"))? else {
            return Ok(None);
        };
        all.push(series);
    }
    let partial = whole["last_partial_seconds"].as_f64().map(|seconds| (seconds * 1e9) as u64);
    let latest = partial.map_or(points * width, |partial| (points.saturating_sub(1)) * width + partial);
    Ok(Some(Timeline::restore(start, width, points as usize, latest, all)))
}

fn nanoseconds(value: &Value) -> Result<u64, String> {
    match number(value, "interval_seconds")? {
        seconds if seconds > 0.0 && seconds < 1e9 => Ok((seconds * 1e9).round() as u64),
        seconds => Err(format!("`interval_seconds` can't be {seconds}")),
    }
}

fn series(name: &str, value: &Value) -> Result<Option<TimelineSeries>, String> {
    let (word, meaning) = (text(value, "type")?, text(value, "contains")?);
    let kind = MetricType::ALL.into_iter().find(|kind| kind.word() == word);
    let kind = kind.ok_or_else(|| format!("`{word}` is no type of metric"))?;
    let contains =
        [Contains::Default, Contains::Time, Contains::Data].into_iter().find(|known| known.word() == meaning);
    let contains = contains.ok_or_else(|| format!("`{meaning}` is nothing a metric contains"))?;
    let number = |key: &str, at: usize| value.get(key).and_then(|list| list.get(at)).and_then(Value::as_f64);
    let both = |first: &str, second: &str, at: usize| Some((number(first, at)?, number(second, at)?));
    let length = |key: &str| list(value, key).map(<[Value]>::len);
    let cells: Vec<Option<Cell>> = match kind {
        MetricType::Counter => (0..length("sum")?).map(|at| number("sum", at).map(Cell::Counter)).collect(),
        MetricType::Rate => (0..length("passes")?)
            .map(|at| both("passes", "fails", at).map(|(passes, fails)| Cell::Rate(passes as u64, fails as u64)))
            .collect(),
        MetricType::Gauge => (0..length("value")?)
            .map(|at| both("value", "max", at).map(|(value, max)| Cell::Gauge(value, Stamp(0), max)))
            .collect(),
        MetricType::Trend => {
            if value.get("sketches").is_none() {
                return Ok(None);
            }
            let sketches = sketches(value)?;
            let cell = |(at, sketch): (usize, Option<QuantileSketch>)| {
                let unanswered = number("unanswered", at).unwrap_or_default() as u64;
                sketch.map(|sketch| Cell::Trend(Arc::new(sketch), unanswered))
            };
            sketches.into_iter().enumerate().map(cell).collect()
        }
    };
    Ok(Some(TimelineSeries { name: name.into(), kind, contains, cells }))
}

fn sketches(value: &Value) -> Result<Vec<Option<QuantileSketch>>, String> {
    let read = |item: &Value| match item {
        Value::Null => Ok(None),
        item => item
            .as_str()
            .and_then(|text| STANDARD.decode(text).ok())
            .and_then(|bytes| QuantileSketch::decode(&bytes))
            .map(Some)
            .ok_or_else(|| "a sketch can't be read".to_owned()),
    };
    list(value, "sketches")?.iter().map(read).collect()
}

/// The series of an endpoint, if it has one that can be added up.
pub(super) fn endpoint_points(endpoint: &Value) -> Result<Option<Vec<Option<EndpointInterval>>>, String> {
    let Some(series) = endpoint.get("series").filter(|series| series.get("sketches").is_some()) else {
        return Ok(None);
    };
    let number = |key: &str, at: usize| series[key].get(at).and_then(Value::as_u64).unwrap_or_default();
    let interval = |(at, sketch): (usize, Option<QuantileSketch>)| {
        let duration = Arc::new(sketch?);
        let count = |key: &str| u32::try_from(number(key, at)).unwrap_or(u32::MAX);
        Some(EndpointInterval { failed: count("failed"), unanswered: count("unanswered"), duration })
    };
    Ok(Some(sketches(series)?.into_iter().enumerate().map(interval).collect()))
}

/// The axis of the series of all endpoints, if there is any.
pub(super) fn endpoint_axis(
    document: &Value,
    timeline: Option<&Timeline>,
    endpoints: &[Endpoint],
) -> Option<EndpointAxis> {
    let points = endpoints.iter().filter_map(|endpoint| endpoint.points.as_ref()).map(Vec::len).max()?;
    let all = document["endpoints"].as_array().into_iter().flatten();
    let width = all.filter_map(|endpoint| nanoseconds(endpoint.get("series")?).ok()).max()?;
    Some(EndpointAxis { start: timeline?.start(), width, points })
}
