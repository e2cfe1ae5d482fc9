//! The observed and the wanted figure of a threshold for people: `p(95)` is `130 ms`, wanted is `< 100 ms`.
//!
//! The text on the console has k6's form instead ([`super::text`]).

use crate::metrics::MetricResult;
use crate::metrics::threshold::Threshold;
use crate::units::Span;
use crate::units::figure;

/// A threshold and its observed figure.
pub(super) struct ObservedFigure<'a> {
    /// The aggregation, as typed.
    pub figure: &'a str,
    /// What the figure was.
    pub value: String,
    /// What it must be.
    pub wanted: String,
}

impl ObservedFigure<'_> {
    /// One line: `p(95) 130 ms (wanted < 100 ms)`.
    pub fn line(&self) -> String {
        format!("{} {} (wanted {})", self.figure, self.value, self.wanted)
    }
}

/// The observed and the wanted figure of a threshold.
pub(super) fn observed<'a>(metric: &MetricResult, threshold: &'a Threshold) -> ObservedFigure<'a> {
    let source = threshold.def.expression.trim();
    let figure = source.split(['=', '>', '<', '!']).next().unwrap_or_default().trim();
    let unit = figure::unit_of(metric.values.kind().word(), metric.contains.word(), &metric.name, figure);
    let (sign, limit, window) = threshold.wanted();
    let value = limit.map_or_else(
        || figure::text(threshold.observed, unit),
        |limit| figure::text_beside(threshold.observed, limit, unit),
    );
    let limit = limit.map_or_else(|| "the baseline".to_owned(), |limit| figure::text(limit, unit));
    let window = window.map(|window| format!(" in every {}", Span::from(window))).unwrap_or_default();
    ObservedFigure { figure, value, wanted: format!("{sign} {limit}{window}") }
}
