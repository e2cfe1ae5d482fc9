//! The time series in the document: one list per figure, one place per interval, `null` where nothing was seen.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::tree::Tree;
use crate::metrics::endpoint::EndpointInterval;
use crate::metrics::sketch::QuantileSketch;
use crate::metrics::timeline::{Cell, Timeline, TimelineSeries};
use crate::metrics::{MetricType, record::Stamp};

/// The percentiles of a distribution.
const PERCENTILES: [(&str, f64); 4] = [("med", 50.0), ("p(90)", 90.0), ("p(95)", 95.0), ("p(99)", 99.0)];

/// All series of a run of this length in seconds; with `sketches`, they can be merged with those of other instances.
pub(super) fn build(timeline: &Timeline, seconds: f64, has_sketches: bool) -> Tree {
    let width = timeline.width() as f64 / 1e9;
    // The last interval is as long as the run was in it.
    let points = timeline.points().max((seconds / width).ceil() as usize).min(timeline.points() + 1);
    let Stamp(start) = timeline.start();
    // A chart has to know that the counts of a shortened last interval are lower than those of the others.
    let last = if points > timeline.points() { Some(0.0) } else { timeline.last_partial() };
    Tree::map([
        ("start_ms", Tree::from((start / 1_000_000) as f64)),
        ("interval_seconds", width.into()),
        ("points", (points as u64).into()),
        ("last_partial_seconds", last.map_or(Tree::Null, |seconds| brief(seconds).into())),
        ("series", Tree::map(timeline.series().iter().map(|one| (&*one.name, series(one, points, has_sketches))))),
    ])
}

fn series(series: &TimelineSeries, points: usize, has_sketches: bool) -> Tree {
    let cell = |at: usize| series.cells.get(at).and_then(Option::as_ref);
    let list = |figure: &dyn Fn(&Cell) -> Option<f64>| -> Tree {
        (0..points).map(|at| cell(at).and_then(figure).map_or(Tree::Null, |value| brief(value).into())).collect()
    };
    let mut entries: Vec<(&str, Tree)> =
        vec![("type", Tree::from(series.kind.word())), ("contains", Tree::from(series.contains.word()))];
    match series.kind {
        MetricType::Counter => entries.push(("sum", list(&|cell| as_counter(cell)))),
        MetricType::Rate => {
            entries.push(("passes", list(&|cell| as_rate(cell).map(|(passes, _)| passes as f64))));
            entries.push(("fails", list(&|cell| as_rate(cell).map(|(_, fails)| fails as f64))));
        }
        MetricType::Gauge => {
            entries.push(("value", list(&|cell| as_gauge(cell).map(|(last, _)| last))));
            entries.push(("max", list(&|cell| as_gauge(cell).map(|(_, max)| max))));
        }
        MetricType::Trend => {
            let of = |figure: &dyn Fn(&QuantileSketch) -> f64| {
                list(&|cell| as_trend(cell).filter(|(digest, _)| digest.count() > 0).map(|(digest, _)| figure(digest)))
            };
            entries.push(("count", list(&|cell| as_trend(cell).map(|(digest, _)| digest.count() as f64))));
            if series.cells.iter().flatten().any(|cell| as_trend(cell).is_some_and(|(_, unanswered)| unanswered > 0)) {
                entries.push(("unanswered", list(&|cell| as_trend(cell).map(|(_, unanswered)| unanswered as f64))));
            }
            entries.push(("avg", of(&QuantileSketch::avg)));
            entries.extend(PERCENTILES.map(|(name, percent)| (name, of(&|digest| digest.percentile(percent)))));
            entries.push(("max", of(&QuantileSketch::max)));
            if has_sketches {
                let sketches =
                    series.cells.iter().map(|cell| cell.as_ref().and_then(as_trend).map(|(sketch, _)| sketch));
                entries.push(("sketches", sketches.map(sketch).collect()));
            }
        }
    }
    Tree::map(entries)
}

fn sketch(sketch: Option<&QuantileSketch>) -> Tree {
    sketch.map_or(Tree::Null, |sketch| Tree::Text(STANDARD.encode(sketch.encode())))
}

/// The series of an endpoint: `interval_seconds`, `points`, and one list per figure; and `sketches` as above.
pub(super) fn endpoint(points: &[Option<EndpointInterval>], width: u64, seconds: f64, has_sketches: bool) -> Tree {
    let width = width as f64 / 1e9;
    let count = points.len().max((seconds / width).ceil() as usize).min(points.len() + 1);
    let list = |figure: &dyn Fn(&EndpointInterval) -> Option<f64>| -> Tree {
        let cell = |at: usize| points.get(at).and_then(Option::as_ref);
        (0..count).map(|at| cell(at).and_then(figure).map_or(Tree::Null, |value| brief(value).into())).collect()
    };
    let percentile = |percent| {
        move |point: &EndpointInterval| {
            Some(&point.duration).filter(|digest| digest.count() > 0).map(|digest| digest.percentile(percent))
        }
    };
    let mut entries = vec![
        ("interval_seconds", Tree::from(width)),
        ("points", (count as u64).into()),
        ("requests", list(&|point| Some(point.requests() as f64))),
        ("failed", list(&|point| Some(f64::from(point.failed)))),
        ("unanswered", list(&|point| Some(f64::from(point.unanswered)))),
    ];
    entries.extend(PERCENTILES.map(|(name, percent)| (name, list(&percentile(percent)))));
    if has_sketches {
        let sketches = points.iter().map(|point| sketch(point.as_ref().map(|point| &*point.duration)));
        entries.push(("sketches", sketches.collect()));
    }
    Tree::map(entries)
}

fn as_counter(cell: &Cell) -> Option<f64> {
    match cell {
        Cell::Counter(sum) => Some(*sum),
        _ => None,
    }
}

fn as_rate(cell: &Cell) -> Option<(u64, u64)> {
    match cell {
        Cell::Rate(passes, fails) => Some((*passes, *fails)),
        _ => None,
    }
}

fn as_trend(cell: &Cell) -> Option<(&QuantileSketch, u64)> {
    match cell {
        Cell::Trend(digest, unanswered) => Some((digest, *unanswered)),
        _ => None,
    }
}

fn as_gauge(cell: &Cell) -> Option<(f64, f64)> {
    match cell {
        Cell::Gauge(last, _, max) => Some((*last, *max)),
        _ => None,
    }
}

/// Whole numbers as they are, others with six digits: a chart shows no more, and a page is a quarter as long.
fn brief(value: f64) -> f64 {
    if value.fract() == 0.0 || !value.is_finite() {
        return value;
    }
    format!("{value:.5e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_brief() {
        let check = |value: f64, expect: f64| assert_eq!(brief(value), expect);
        check(123_456_789.0, 123_456_789.0);
        check(1.0 / 3.0, 0.333333);
        check(12_345.678_9, 12_345.7);
        check(-0.000_012_345_678, -0.000_012_345_7);
        assert!(brief(f64::INFINITY).is_infinite());
    }
}
