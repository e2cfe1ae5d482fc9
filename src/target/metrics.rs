//! What the target saw, in Prometheus' text format: request durations by route, cache hits and misses, requests in
//! flight.
//!
//! Its own view of the time it needs, to be held against what a load generator measures from outside.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;

use super::App;

use crate::units::sync::{read, write};

/// Upper bounds of the buckets in seconds, as they are written.
const BUCKET_BOUNDS: [(&str, u64); 13] = [
    ("0.0005", 500_000),
    ("0.001", 1_000_000),
    ("0.0025", 2_500_000),
    ("0.005", 5_000_000),
    ("0.01", 10_000_000),
    ("0.025", 25_000_000),
    ("0.05", 50_000_000),
    ("0.1", 100_000_000),
    ("0.25", 250_000_000),
    ("0.5", 500_000_000),
    ("1", 1_000_000_000),
    ("2.5", 2_500_000_000),
    ("5", 5_000_000_000),
];

/// Everything `/metrics` tells.
#[derive(Default)]
pub(super) struct TargetMetrics {
    pub(super) cache_hits: AtomicU64,
    pub(super) cache_misses: AtomicU64,
    in_flight: AtomicI64,
    durations: RwLock<BTreeMap<RouteLabels, Arc<DurationHistogram>>>,
}

/// Method, route template and status: all from small fixed sets, so clients can't make up new series without end.
type RouteLabels = (&'static str, String, u16);

#[derive(Default)]
struct DurationHistogram {
    /// One count per bound, not yet cumulative, and one for everything above.
    buckets: [AtomicU64; BUCKET_BOUNDS.len() + 1],
    sum_nanos: AtomicU64,
}

/// Times a request and counts it as in flight for as long as it is.
pub(super) async fn observe(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = method_word(request.method());
    let route = request.extensions().get::<MatchedPath>().map_or("(none)", MatchedPath::as_str).to_owned();
    // A client that goes away drops this future, so the count goes down in a destructor.
    let _present = InFlight::new(&app.metrics.in_flight);
    let response = next.run(request).await;
    app.metrics.record((method, route, response.status().as_u16()), started.elapsed());
    response
}

impl TargetMetrics {
    fn record(&self, series: RouteLabels, duration: Duration) {
        let known = read(&self.durations).get(&series).cloned();
        let histogram = known.unwrap_or_else(|| write(&self.durations).entry(series).or_default().clone());
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let bucket = BUCKET_BOUNDS.iter().position(|&(_, bound)| nanos <= bound).unwrap_or(BUCKET_BOUNDS.len());
        histogram.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        histogram.sum_nanos.fetch_add(nanos, Ordering::Relaxed);
    }

    /// The whole page.
    pub(super) fn render(&self) -> String {
        let mut page = String::with_capacity(4096);
        let mut put = |line: std::fmt::Arguments<'_>| {
            // Writing to a string can't fail.
            let _ = page.write_fmt(line);
            page.push('\n');
        };
        let name = "http_request_duration_seconds";
        put(format_args!("# HELP {name} Time from a parsed request to its answer."));
        put(format_args!("# TYPE {name} histogram"));
        for ((method, route, status), histogram) in &*read(&self.durations) {
            let labels = format!("method=\"{method}\",route=\"{route}\",status=\"{status}\"");
            let mut total = 0;
            for ((bound, _), bucket) in BUCKET_BOUNDS.iter().zip(&histogram.buckets) {
                total += bucket.load(Ordering::Relaxed);
                put(format_args!("{name}_bucket{{{labels},le=\"{bound}\"}} {total}"));
            }
            total += histogram.buckets[BUCKET_BOUNDS.len()].load(Ordering::Relaxed);
            put(format_args!("{name}_bucket{{{labels},le=\"+Inf\"}} {total}"));
            let sum = Duration::from_nanos(histogram.sum_nanos.load(Ordering::Relaxed)).as_secs_f64();
            put(format_args!("{name}_sum{{{labels}}} {sum}"));
            put(format_args!("{name}_count{{{labels}}} {total}"));
        }
        let (hits, misses) = (self.cache_hits.load(Ordering::Relaxed), self.cache_misses.load(Ordering::Relaxed));
        put(format_args!("# HELP cache_hits_total Reads answered by the cache."));
        put(format_args!("# TYPE cache_hits_total counter\ncache_hits_total {hits}"));
        put(format_args!("# HELP cache_misses_total Reads that went to the database."));
        put(format_args!("# TYPE cache_misses_total counter\ncache_misses_total {misses}"));
        let in_flight = self.in_flight.load(Ordering::Relaxed);
        put(format_args!("# HELP http_requests_in_flight Requests being answered now, this one included."));
        put(format_args!("# TYPE http_requests_in_flight gauge\nhttp_requests_in_flight {in_flight}"));
        page
    }
}

struct InFlight<'a>(&'a AtomicI64);

impl<'a> InFlight<'a> {
    fn new(count: &'a AtomicI64) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn method_word(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "OTHER",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_cumulative_and_end_with_infinity() {
        let metrics = TargetMetrics::default();
        for millis in [1, 2, 40, 10_000] {
            metrics.record(("GET", "/x/{id}".to_owned(), 200), Duration::from_millis(millis));
        }
        let page = metrics.render();
        let check = |bound: &str, count: u32| {
            let labels = format!("method=\"GET\",route=\"/x/{{id}}\",status=\"200\",le=\"{bound}\"");
            let line = format!("http_request_duration_seconds_bucket{{{labels}}} {count}\n");
            assert!(page.contains(&line), "{line}{page}");
        };
        check("0.0005", 0);
        check("0.001", 1);
        check("0.0025", 2);
        check("0.05", 3);
        check("5", 3);
        check("+Inf", 4);
        assert!(page.contains("_sum{method=\"GET\",route=\"/x/{id}\",status=\"200\"} 10.043\n"), "{page}");
        assert!(page.contains("_count{method=\"GET\",route=\"/x/{id}\",status=\"200\"} 4\n"), "{page}");
    }
}
