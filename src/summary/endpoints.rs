//! The table of endpoints as lines: figures in columns, then method and name.

use super::document::failed_share;
use crate::metrics::Results;
use crate::metrics::endpoint::Endpoint;
use crate::units::figure::{self, Unit};

/// The figures of a line, by column.
const COLUMNS: [&str; 7] = ["requests", "rate", "failed", "avg", "p(95)", "p(99)", "max"];

/// A line of titles, then one per endpoint, the slowest 95th percentile first; each as figures and name.
pub(super) fn lines(results: &Results) -> Vec<(String, String)> {
    let mut endpoints: Vec<&Endpoint> = results.breakdown.iter().flat_map(|breakdown| &breakdown.endpoints).collect();
    if endpoints.is_empty() {
        return Vec::new();
    }
    endpoints.sort_by(|a, b| b.duration.percentile(95.0).total_cmp(&a.duration.percentile(95.0)));
    let seconds = results.duration.as_secs_f64();
    let titles = (COLUMNS.map(str::to_owned), String::new());
    let rows = endpoints.into_iter().map(|endpoint| {
        let name = format!("{} {}", endpoint.method, endpoint.name);
        (figures(endpoint, seconds), name.trim().to_owned())
    });
    let rows: Vec<_> = std::iter::once(titles).chain(rows).collect();
    let mut widths = [0; COLUMNS.len()];
    for (cells, _) in &rows {
        cells.iter().zip(&mut widths).for_each(|(cell, wide)| *wide = (*wide).max(cell.chars().count()));
    }
    let line = |(cells, name): ([String; COLUMNS.len()], String)| {
        let padded: Vec<_> = cells.iter().zip(widths).map(|(cell, wide)| format!("{cell:>wide$}")).collect();
        (padded.join("  "), name)
    };
    rows.into_iter().map(line).collect()
}

fn figures(endpoint: &Endpoint, seconds: f64) -> [String; COLUMNS.len()] {
    let trend = &endpoint.duration;
    let requests = endpoint.requests() as f64;
    let rate = if seconds > 0.0 { requests / seconds } else { 0.0 };
    let time = |value: f64| if trend.count() == 0 { "–".to_owned() } else { figure::text(value, Unit::Time) };
    [
        figure::text(requests, Unit::Count),
        figure::text(rate, Unit::PerSecond("")),
        failed_share(&endpoint.failed),
        time(trend.avg()),
        time(trend.percentile(95.0)),
        time(trend.percentile(99.0)),
        time(trend.max()),
    ]
}
