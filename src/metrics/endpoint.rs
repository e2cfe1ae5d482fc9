//! Numbers per endpoint (the `name` of a request and its method), and errors grouped by code and text.
//!
//! Both lists are bounded: everything after the limit is counted together as `(other)`, with one warning. Many URLs that
//! differ only in ids become one endpoint ([`super::url_pattern`]). The first endpoints are also kept over time.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::builtin;
use super::metric::{Contains, Metric};
use super::record::Stamp;
use super::sink::RateSink;
use super::sketch::QuantileSketch;
use super::tags::{Routes, TagSet};
use super::trend::Trend;
use super::url_pattern;

/// The most endpoints with numbers of their own.
pub const MAX_ENDPOINTS: usize = 1_000;
/// The most errors with numbers of their own.
const MAX_ERROR_GROUPS: usize = 200;
/// The most statuses with numbers of their own: a script can put anything into the tag.
const MAX_STATUSES: usize = 100;
/// The name under which the rest is counted.
pub const OTHER: &str = "(other)";
/// More names of one pattern than this become one endpoint.
const MAX_NAMES_PER_PATTERN: usize = 10;
/// Up to here the different names of one endpoint are counted.
pub const MAX_NAMES: usize = 1_000;
/// The most endpoints that are kept over time.
const MAX_ENDPOINT_SERIES: usize = 50;
/// The most intervals of an endpoint.
const MAX_ENDPOINT_INTERVALS: usize = 120;
/// The first width of an endpoint's interval, in nanoseconds.
const FIRST_WIDTH: u64 = 1_000_000_000;

/// One endpoint.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The tag `name` of its requests: the URL unless the script says otherwise.
    pub name: Arc<str>,
    /// The method; empty where that system tag is off.
    pub method: Arc<str>,
    /// `http` or `grpc`.
    pub protocol: &'static str,
    /// `http_req_failed` of its requests; of gRPC calls, those with another status than OK.
    pub failed: RateSink,
    /// `http_req_duration` or `grpc_req_duration` of its answered requests, in milliseconds.
    pub duration: Trend,
    /// Requests that got no answer.
    pub unanswered: u64,
    /// How many different names it stands for: 1, or more where they differ in ids; counted up to [`MAX_NAMES`].
    pub names: usize,
    /// The same over time, by interval; nothing for endpoints that came late in a long list.
    pub points: Option<Vec<Option<EndpointInterval>>>,
}

/// An endpoint in one interval.
#[derive(Clone, Debug, Default)]
pub struct EndpointInterval {
    /// Requests that failed.
    pub failed: u32,
    /// Requests that got no answer.
    pub unanswered: u32,
    /// The times of answered requests, in milliseconds.
    pub duration: Arc<QuantileSketch>,
}

impl Endpoint {
    /// All requests.
    pub fn requests(&self) -> u64 {
        self.duration.count() + self.unanswered
    }
}

impl EndpointInterval {
    /// All requests.
    pub fn requests(&self) -> u64 {
        self.duration.count() + u64::from(self.unanswered)
    }

    fn merge(&mut self, other: &Self) {
        self.failed += other.failed;
        self.unanswered += other.unanswered;
        Arc::make_mut(&mut self.duration).merge(&other.duration);
    }
}

/// Requests with the same error.
#[derive(Clone, Debug)]
pub struct ErrorGroup {
    /// The tag `error_code`; empty for an unexpected response that is not an error by itself.
    pub code: Arc<str>,
    /// The tag `error`, or the status in words.
    pub text: Arc<str>,
    /// How many requests.
    pub count: u64,
    /// The first of them, by method and name.
    pub example: Arc<str>,
}

/// The names of one pattern.
#[derive(Clone, Debug, Default)]
struct PatternNames {
    /// Their rows while each has its own.
    rows: Vec<u32>,
    /// The one row of all of them, from then on.
    folded: Option<u32>,
    /// Hashes of the names.
    names: FxHashSet<u64>,
}

/// Both lists while a run goes on.
#[derive(Clone, Debug)]
pub(super) struct Endpoints {
    start: Stamp,
    /// How long an interval is, in nanoseconds.
    width: u64,
    list: Vec<Endpoint>,
    /// Where the numbers of each row are: there, or in the row it was folded into.
    moved: Vec<u32>,
    /// How many rows were folded into others.
    gone: usize,
    /// By pattern and method.
    patterns: FxHashMap<(Arc<str>, Arc<str>), PatternNames>,
    at: FxHashMap<(Arc<str>, Arc<str>), u32>,
    errors: Vec<ErrorGroup>,
    /// Requests by the tag `status`.
    statuses: Vec<(Arc<str>, u64)>,
    error_at: FxHashMap<(Arc<str>, Arc<str>), u32>,
}

/// The place of a tag set without an error.
const NO_PLACE: u32 = u32::MAX;

impl Endpoints {
    /// Empty lists of a run that begins at this moment.
    pub(super) fn new(start: Stamp) -> Self {
        Self {
            start,
            width: FIRST_WIDTH,
            list: Vec::new(),
            moved: Vec::new(),
            gone: 0,
            patterns: FxHashMap::default(),
            at: FxHashMap::default(),
            errors: Vec::new(),
            statuses: Vec::new(),
            error_at: FxHashMap::default(),
        }
    }

    /// The run begins at this moment.
    pub(super) fn begin(&mut self, start: Stamp) {
        self.start = start;
    }

    /// Adds a sample; true if that filled the list of endpoints for the first time. `has_answer` is false for the time of a
    /// request that got none.
    pub(super) fn add(
        &mut self,
        metric: &Metric,
        value: f64,
        time: Stamp,
        tags: &TagSet,
        routes: &Routes,
        has_answer: bool,
    ) -> bool {
        let mut is_full = false;
        match metric.id {
            builtin::HTTP_REQ_DURATION | builtin::GRPC_REQ_DURATION => {
                let protocol = if metric.id == builtin::HTTP_REQ_DURATION { "http" } else { "grpc" };
                let at = *routes.endpoint.get_or_init(|| self.place(tags, protocol, &mut is_full));
                let at = self.moved[at as usize] as usize;
                let endpoint = &mut self.list[at];
                if has_answer {
                    endpoint.duration.add(value);
                } else {
                    endpoint.unanswered += 1;
                }
                if let Some(point) = self.point(at, time) {
                    if has_answer {
                        Arc::make_mut(&mut point.duration).add(value);
                    } else {
                        point.unanswered += 1;
                    }
                }
                // There is no metric for this in k6.
                if protocol == "grpc"
                    && let Some(status) = tags.get("status")
                {
                    self.count_failed(at, status != "0", time);
                }
            }
            builtin::HTTP_REQ_FAILED => {
                let at = *routes.endpoint.get_or_init(|| self.place(tags, "http", &mut is_full));
                let at = self.moved[at as usize] as usize;
                self.count_failed(at, value != 0.0, time);
            }
            builtin::HTTP_REQS => {
                let at = *routes.error.get_or_init(|| self.error(tags));
                if at != NO_PLACE {
                    self.errors[at as usize].count += value as u64;
                }
                let at = *routes.status.get_or_init(|| self.status(tags));
                if at != NO_PLACE {
                    self.statuses[at as usize].1 += value as u64;
                }
            }
            _ => (),
        }
        is_full
    }

    fn count_failed(&mut self, at: usize, has_failed: bool, time: Stamp) {
        let failed = &mut self.list[at].failed;
        *(if has_failed { &mut failed.passes } else { &mut failed.fails }) += 1;
        if has_failed && let Some(point) = self.point(at, time) {
            point.failed += 1;
        }
    }

    pub(super) fn sort(&mut self) {
        self.list.iter_mut().for_each(|endpoint| endpoint.duration.sort());
    }

    /// All endpoints, in order of first appearance.
    pub(super) fn list(&self) -> Vec<Endpoint> {
        let rows = self.list.iter().zip(&self.moved).enumerate();
        rows.filter(|(place, (_, moved))| *place == **moved as usize).map(|(_, (row, _))| row.clone()).collect()
    }

    /// How long an interval of their series is now, in nanoseconds.
    pub(super) fn width(&self) -> u64 {
        self.width
    }

    /// The interval of an endpoint at a moment; nothing where it is not kept over time.
    fn point(&mut self, at: usize, time: Stamp) -> Option<&mut EndpointInterval> {
        self.list[at].points.as_ref()?;
        let after = time.0.saturating_sub(self.start.0);
        while (after / self.width) as usize >= MAX_ENDPOINT_INTERVALS {
            self.width *= 2;
            self.list.iter_mut().filter_map(|row| row.points.as_mut()).for_each(halve);
        }
        let place = (after / self.width) as usize;
        let points = self.list[at].points.as_mut()?;
        if place >= points.len() {
            points.resize(place + 1, None);
        }
        Some(points[place].get_or_insert_default())
    }

    /// All problems, the most frequent first.
    pub(super) fn errors(&self) -> Vec<ErrorGroup> {
        let mut errors = self.errors.clone();
        errors.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| (&a.code, &a.text).cmp(&(&b.code, &b.text))));
        errors
    }

    fn place(&mut self, tags: &TagSet, protocol: &'static str, is_full: &mut bool) -> u32 {
        let name: Arc<str> = tags.get("name").or_else(|| tags.get("url")).unwrap_or_default().into();
        let method: Arc<str> = tags.get("method").unwrap_or_default().into();
        let mut key = (name, method);
        if let Some(known) = self.at.get(&key) {
            return *known;
        }
        let pattern: Option<Arc<str>> = url_pattern::pattern(&key.0).map(Into::into);
        let group = pattern.clone().map(|pattern| (pattern, key.1.clone()));
        if let Some(known) = group.as_ref().and_then(|group| self.patterns.get_mut(group)) {
            if known.names.len() < MAX_NAMES {
                known.names.insert(hash(&key.0));
            }
            if let (Some(row), Some(pattern)) = (known.folded, &pattern) {
                let endpoint = &mut self.list[row as usize];
                endpoint.names = known.names.len();
                endpoint.name = url_pattern::common(pattern, &endpoint.name, &key.0).into();
                return row;
            }
        }
        if self.list.len() - self.gone >= MAX_ENDPOINTS {
            key = (OTHER.into(), "".into());
            if let Some(known) = self.at.get(&key) {
                return *known;
            }
            *is_full = true;
        }
        let (name, method) = key.clone();
        let (failed, duration) = (RateSink::default(), Trend::new(Contains::Time));
        let kept = self.list.iter().filter(|row| row.points.is_some()).count();
        let points = (kept < MAX_ENDPOINT_SERIES).then(Vec::new);
        self.list.push(Endpoint { name, method, protocol, failed, duration, unanswered: 0, names: 1, points });
        let at = (self.list.len() - 1) as u32;
        self.moved.push(at);
        self.at.insert(key.clone(), at);
        match group.filter(|_| &*key.0 != OTHER) {
            Some(group) => self.join(group, at, &key.0),
            None => at,
        }
    }

    /// One more row whose name has this pattern; with too many of them, all become one. The row of the last name.
    fn join(&mut self, group: (Arc<str>, Arc<str>), at: u32, name: &str) -> u32 {
        let known = self.patterns.entry(group.clone()).or_default();
        known.rows.push(at);
        known.names.insert(hash(name));
        if known.rows.len() <= MAX_NAMES_PER_PATTERN {
            return at;
        }
        let (rows, names) = (std::mem::take(&mut known.rows), known.names.len());
        let first = rows[0];
        known.folded = Some(first);
        let mut whole = self.list[first as usize].clone();
        for row in &rows[1..] {
            let other = &mut self.list[*row as usize];
            whole.duration.merge(&other.duration);
            whole.unanswered += other.unanswered;
            whole.failed.passes += other.failed.passes;
            whole.failed.fails += other.failed.fails;
            whole.points = match (whole.points.take(), other.points.take()) {
                (Some(points), Some(more)) => Some(merged(points, more)),
                // Half of the samples would look like all of them.
                _ => None,
            };
            whole.name = url_pattern::common(&group.0, &whole.name, &other.name).into();
            other.duration = Trend::new(Contains::Time);
            self.moved[*row as usize] = first;
        }
        whole.names = names;
        self.gone += rows.len() - 1;
        // Their names are found by the pattern from now on.
        self.at.retain(|_, place| !rows.contains(place));
        self.list[first as usize] = whole;
        first
    }

    /// How many requests had each status, by status.
    pub(super) fn statuses(&self) -> Vec<(Arc<str>, u64)> {
        let mut statuses = self.statuses.clone();
        statuses.sort();
        statuses
    }

    fn status(&mut self, tags: &TagSet) -> u32 {
        let Some(mut status) = tags.get("status") else { return NO_PLACE };
        let at = |statuses: &[(Arc<str>, u64)], status: &str| statuses.iter().position(|(known, _)| **known == *status);
        if self.statuses.len() >= MAX_STATUSES && at(&self.statuses, status).is_none() {
            status = OTHER;
        }
        let place = at(&self.statuses, status).unwrap_or_else(|| {
            self.statuses.push((status.into(), 0));
            self.statuses.len() - 1
        });
        place as u32
    }

    fn error(&mut self, tags: &TagSet) -> u32 {
        let code = tags.get("error_code").unwrap_or_default();
        let status = tags.get("status").unwrap_or_default();
        let is_unexpected = tags.get("expected_response") == Some("false");
        let text = match tags.get("error") {
            Some(text) => text.to_owned(),
            None if !code.is_empty() || is_unexpected => format!("status {status}"),
            None => return NO_PLACE,
        };
        let mut key: (Arc<str>, Arc<str>) = (code.into(), text.into());
        if !self.error_at.contains_key(&key) && self.errors.len() >= MAX_ERROR_GROUPS {
            key = ("".into(), OTHER.into());
        }
        if let Some(known) = self.error_at.get(&key) {
            return *known;
        }
        let name = tags.get("name").or_else(|| tags.get("url")).unwrap_or_default();
        let example = format!("{} {name}", tags.get("method").unwrap_or_default()).trim().into();
        self.errors.push(ErrorGroup { code: key.0.clone(), text: key.1.clone(), count: 0, example });
        let at = (self.errors.len() - 1) as u32;
        self.error_at.insert(key, at);
        at
    }
}

fn hash(name: &str) -> u64 {
    use std::hash::BuildHasher as _;
    rustc_hash::FxBuildHasher.hash_one(name)
}

/// Two intervals become one.
fn halve(points: &mut Vec<Option<EndpointInterval>>) {
    let mut halves = std::mem::take(points).into_iter();
    while let Some(first) = halves.next() {
        points.push(both(first, halves.next().flatten()));
    }
}

/// Two series of the same intervals, as one.
pub fn merged(
    one: Vec<Option<EndpointInterval>>,
    other: Vec<Option<EndpointInterval>>,
) -> Vec<Option<EndpointInterval>> {
    let length = one.len().max(other.len());
    let (mut one, mut other) = (one.into_iter(), other.into_iter());
    (0..length).map(|_| both(one.next().flatten(), other.next().flatten())).collect()
}

/// The series of endpoints of one instance.
#[derive(Clone, Debug)]
pub struct EndpointAxis {
    /// When they begin.
    pub start: Stamp,
    /// How long an interval is, in nanoseconds.
    pub width: u64,
    /// The most intervals of any of them.
    pub points: usize,
}

impl EndpointAxis {
    /// The axis that has room for all of these.
    pub fn common(axes: &[Self]) -> Option<Self> {
        let start = axes.iter().map(|axis| axis.start).min()?;
        let mut width = axes.iter().map(|axis| axis.width).max()?;
        let end = |axis: &Self| axis.start.0 - start.0 + axis.width * axis.points as u64;
        let end = axes.iter().map(end).max()?;
        while end.div_ceil(width) as usize >= MAX_ENDPOINT_INTERVALS {
            width *= 2;
        }
        Some(Self { start, width, points: end.div_ceil(width) as usize })
    }

    /// A series of this axis, on another one, which is as fine or coarser.
    pub fn moved(&self, mut points: Vec<Option<EndpointInterval>>, to: &Self) -> Vec<Option<EndpointInterval>> {
        let mut width = self.width;
        while width < to.width {
            halve(&mut points);
            width *= 2;
        }
        let shift = (self.start.0.saturating_sub(to.start.0) + to.width / 2) / to.width;
        points.splice(0..0, std::iter::repeat_n(None, shift as usize));
        points
    }
}

fn both(one: Option<EndpointInterval>, other: Option<EndpointInterval>) -> Option<EndpointInterval> {
    match (one, other) {
        (Some(mut one), Some(other)) => {
            one.merge(&other);
            Some(one)
        }
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::log::Logger;
    use crate::metrics::record::Epoch;
    use crate::metrics::{HttpTimings, Interner, Ledger, LedgerOptions, Record, Registry, Stamp};
    use crate::units::sync::lock;

    #[test]
    fn what_comes_after_the_limit_is_counted_together() {
        let said: Arc<Mutex<Vec<String>>> = Arc::default();
        let hear = said.clone();
        let logger = Logger::new(move |entry| lock(&hear).push(entry.message));
        let options = LedgerOptions { breakdown: Some(Epoch::now()), ..LedgerOptions::default() };
        let mut ledger = Ledger::new(Arc::new(Registry::new()), options, logger);
        let interner = Interner::default();
        for place in 0..1_500 {
            // Names that a script gave stand as they are, whatever is in them.
            let name = format!("page {place}");
            let tags = interner.set([("name", name.as_str()), ("method", "GET"), ("status", "200")]);
            let timings = HttpTimings { waiting: 2_000_000, ..HttpTimings::default() };
            let record = |failed| Record::Http {
                time: Stamp(0),
                timings,
                failed: Some(failed),
                tags: tags.clone(),
                metadata: None,
            };
            ledger.fold(&[record(false), record(true)]);
        }
        let breakdown = ledger.snapshot(std::time::Duration::ZERO).breakdown.unwrap();
        assert_eq!(breakdown.endpoints.len(), MAX_ENDPOINTS + 1);
        let last = breakdown.endpoints.last().unwrap();
        assert_eq!((&*last.name, last.duration.count(), last.failed.passes), (OTHER, 1_000, 500));
        assert_eq!(*said.lock().unwrap(), ["more than 1000 endpoints: further ones are counted together"]);
        assert!(breakdown.errors.is_empty());
    }

    #[test]
    fn errors_are_grouped_by_code_and_text() {
        let options = LedgerOptions { breakdown: Some(Epoch::now()), ..LedgerOptions::default() };
        let mut ledger = Ledger::new(Arc::new(Registry::new()), options, Logger::silent());
        let interner = Interner::default();
        let mut see = |tags: &[(&str, &str)], times: usize| {
            let tags = interner.set(tags.iter().copied().chain([("method", "GET"), ("name", "n")]));
            let timings = HttpTimings::default();
            let record = Record::Http { time: Stamp(0), timings, failed: None, tags, metadata: None };
            (0..times).for_each(|_| ledger.fold(std::slice::from_ref(&record)));
        };
        see(&[("status", "200")], 5);
        see(&[("status", "404"), ("error_code", "1404")], 2);
        see(&[("status", "404"), ("error_code", "1404"), ("scenario", "other")], 2);
        see(&[("status", "0"), ("error_code", "1212"), ("error", "dial: connection refused")], 3);
        see(&[("status", "204"), ("expected_response", "false")], 1);
        let errors = ledger.snapshot(std::time::Duration::ZERO).breakdown.unwrap().errors;
        let shown: Vec<_> = errors.iter().map(|one| format!("{} {} {}", one.count, one.code, one.text)).collect();
        assert_eq!(shown, ["4 1404 status 404", "3 1212 dial: connection refused", "1  status 204"]);
        assert_eq!(&*errors[0].example, "GET n");
    }

    #[test]
    fn requests_without_an_answer_are_counted_and_have_no_times() {
        let check = |metric, seen: &[(&str, f64)], expect: (u64, u64, u64, f64)| {
            let options = LedgerOptions { breakdown: Some(Epoch::now()), ..LedgerOptions::default() };
            let mut ledger = Ledger::new(Arc::new(Registry::new()), options, Logger::silent());
            let interner = Interner::default();
            for (status, millis) in seen {
                let tags = interner.set([("name", "n"), ("method", "m"), ("status", *status)]);
                let (time, value) = (Stamp(0), *millis);
                ledger.fold(&[if metric == builtin::GRPC_REQ_DURATION {
                    Record::Sample { time, metric, value, tags, metadata: None }
                } else {
                    let timings = HttpTimings { waiting: (millis * 1e6) as u64, ..HttpTimings::default() };
                    Record::Http { time, timings, failed: Some(*status != "200"), tags, metadata: None }
                }]);
            }
            let results = ledger.snapshot(std::time::Duration::ZERO);
            let endpoints = results.breakdown.unwrap().endpoints;
            let [one] = &*endpoints else { panic!("{endpoints:?}") };
            assert_eq!((one.requests(), one.unanswered, one.failed.passes, one.duration.min()), expect, "{seen:?}");
            let point = one.points.as_ref().unwrap()[0].as_ref().unwrap();
            let of_point = (point.requests(), u64::from(point.unanswered), u64::from(point.failed));
            assert_eq!(of_point, (expect.0, expect.1, expect.2), "{seen:?}");
        };
        let http = builtin::HTTP_REQ_DURATION;
        check(http, &[("200", 5.0), ("0", 0.0), ("500", 7.0), ("0", 60_000.0)], (4, 2, 3, 5.0));
        check(http, &[("0", 0.0)], (1, 1, 1, 0.0));
        let grpc = builtin::GRPC_REQ_DURATION;
        check(grpc, &[("0", 5.0), ("14", 0.1), ("4", 1_000.0), ("5", 3.0)], (4, 2, 3, 3.0));
    }

    #[test]
    fn urls_with_ever_new_ids_are_one_endpoint() {
        let options = LedgerOptions { breakdown: Some(Epoch::now()), ..LedgerOptions::default() };
        let mut ledger = Ledger::new(Arc::new(Registry::new()), options, Logger::silent());
        let interner = Interner::default();
        let mut see = |method: &str, name: &str, status: &str| {
            let tags = interner.set([("name", name), ("method", method), ("status", status)]);
            let timings = HttpTimings { waiting: 2_000_000, ..HttpTimings::default() };
            let failed = Some(status != "200");
            ledger.fold(&[Record::Http { time: Stamp(0), timings, failed, tags, metadata: None }]);
        };
        see("GET", "http://x/items", "200");
        for id in 0..300 {
            see("GET", &format!("http://x/shop1/items/{id}"), "200");
            see("GET", &format!("http://x/shop1/items/{id}"), "404");
        }
        // A name that was seen before it became one of many.
        see("GET", "http://x/shop1/items/0", "200");
        (0..10).for_each(|id| see("PUT", &format!("http://x/shop1/items/{id}"), "200"));
        let endpoints = ledger.snapshot(std::time::Duration::ZERO).breakdown.unwrap().endpoints;
        let shown: Vec<_> = endpoints
            .iter()
            .map(|one| {
                format!("{} {} {} {} {}", one.method, one.name, one.duration.count(), one.failed.passes, one.names)
            })
            .collect();
        assert_eq!(
            shown[..3],
            [
                "GET http://x/items 1 0 1",
                "GET http://x/shop1/items/{…} 601 300 300",
                "PUT http://x/shop1/items/0 1 0 1",
            ]
        );
        assert_eq!(shown.len(), 12);
        let points = endpoints[1].points.as_ref().unwrap();
        let first = points[0].as_ref().unwrap();
        assert_eq!((first.duration.count(), first.failed), (601, 300));
    }

    #[test]
    fn the_series_of_an_endpoint_is_bounded() {
        let mut endpoints = Endpoints::new(Stamp(0));
        let registry = Registry::new();
        let (duration, failed) =
            (registry.get(builtin::HTTP_REQ_DURATION).unwrap(), registry.get(builtin::HTTP_REQ_FAILED).unwrap());
        let tags = Interner::default().set([("name", "n")]);
        let routes = Routes::default();
        for second in 0..3_600 {
            let time = Stamp(second * 1_000_000_000);
            endpoints.add(&duration, 5.0, time, &tags, &routes, second % 4 != 1);
            endpoints.add(&failed, (second % 2) as f64, time, &tags, &routes, true);
        }
        let list = endpoints.list();
        let points = list[0].points.as_ref().unwrap();
        assert_eq!((endpoints.width(), points.len()), (32_000_000_000, 113));
        let sum = |of: fn(&EndpointInterval) -> u64| points.iter().flatten().map(of).sum::<u64>();
        assert_eq!((sum(EndpointInterval::requests), sum(|point| u64::from(point.failed))), (3_600, 1_800));
        assert_eq!(
            (sum(|point| u64::from(point.unanswered)), list[0].unanswered, list[0].requests()),
            (900, 900, 3_600)
        );
        // No time of a request without an answer is among the times.
        assert_eq!((list[0].duration.count(), sum(|point| point.duration.count())), (2_700, 2_700));
    }
}
