//! Numbers per endpoint (the `name` of a request and its method), and what went wrong, grouped by code and text.
//!
//! Both lists are bounded: what comes after the limit is counted together as `(other)`, which is said once.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::builtin;
use super::registry::{Contains, Metric};
use super::sink::RateSink;
use super::tags::{Routes, TagSet};
use super::trend::Trend;

/// So many endpoints have numbers of their own.
pub const MOST_ENDPOINTS: usize = 1_000;
/// So many different errors have numbers of their own.
const MOST_PROBLEMS: usize = 200;
/// What the rest is counted as.
pub const OTHER: &str = "(other)";

/// One endpoint.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The tag `name` of its requests: the URL unless the script says otherwise.
    pub name: Arc<str>,
    /// The method; empty where that system tag is off.
    pub method: Arc<str>,
    /// `http` or `grpc`.
    pub protocol: &'static str,
    /// `http_req_failed` of its requests.
    pub failed: RateSink,
    /// `http_req_duration` or `grpc_req_duration` of its requests, in milliseconds.
    pub duration: Trend,
}

/// Requests that went wrong in one way.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The tag `error_code`; empty for an answer that nobody expected but that is no error by itself.
    pub code: Arc<str>,
    /// The tag `error`, or the status in words.
    pub text: Arc<str>,
    /// How many requests.
    pub count: u64,
    /// The first of them, by method and name.
    pub example: Arc<str>,
}

/// Both lists while a run goes on.
#[derive(Clone, Debug, Default)]
pub(super) struct Endpoints {
    list: Vec<Endpoint>,
    at: FxHashMap<(Arc<str>, Arc<str>), u32>,
    problems: Vec<Problem>,
    problem_at: FxHashMap<(Arc<str>, Arc<str>), u32>,
}

/// The place of a tag set that belongs to nothing here.
const NOWHERE: u32 = u32::MAX;

impl Endpoints {
    /// Adds a sample; true if that filled the list of endpoints for the first time.
    pub(super) fn add(&mut self, metric: &Metric, value: f64, tags: &TagSet, routes: &Routes) -> bool {
        let mut is_full = false;
        match metric.id {
            builtin::HTTP_REQ_DURATION | builtin::GRPC_REQ_DURATION => {
                let protocol = if metric.id == builtin::HTTP_REQ_DURATION { "http" } else { "grpc" };
                let at = *routes.endpoint.get_or_init(|| self.place(tags, protocol, &mut is_full));
                self.list[at as usize].duration.add(value);
            }
            builtin::HTTP_REQ_FAILED => {
                let at = *routes.endpoint.get_or_init(|| self.place(tags, "http", &mut is_full));
                let failed = &mut self.list[at as usize].failed;
                *(if value != 0.0 { &mut failed.passes } else { &mut failed.fails }) += 1;
            }
            builtin::HTTP_REQS => {
                let at = *routes.problem.get_or_init(|| self.problem(tags));
                if at != NOWHERE {
                    self.problems[at as usize].count += value as u64;
                }
            }
            _ => (),
        }
        is_full
    }

    pub(super) fn settle(&mut self) {
        self.list.iter_mut().for_each(|endpoint| endpoint.duration.settle());
    }

    /// All endpoints, in order of first appearance.
    pub(super) fn list(&self) -> &[Endpoint] {
        &self.list
    }

    /// All problems, the most frequent first.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let mut problems = self.problems.clone();
        problems.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| (&a.code, &a.text).cmp(&(&b.code, &b.text))));
        problems
    }

    fn place(&mut self, tags: &TagSet, protocol: &'static str, is_full: &mut bool) -> u32 {
        let name: Arc<str> = tags.get("name").or_else(|| tags.get("url")).unwrap_or_default().into();
        let method: Arc<str> = tags.get("method").unwrap_or_default().into();
        let mut key = (name, method);
        if let Some(known) = self.at.get(&key) {
            return *known;
        }
        if self.list.len() >= MOST_ENDPOINTS {
            key = (OTHER.into(), "".into());
            if let Some(known) = self.at.get(&key) {
                return *known;
            }
            *is_full = true;
        }
        let (name, method) = key.clone();
        let (failed, duration) = (RateSink::default(), Trend::new(Contains::Time));
        self.list.push(Endpoint { name, method, protocol, failed, duration });
        let at = (self.list.len() - 1) as u32;
        self.at.insert(key, at);
        at
    }

    fn problem(&mut self, tags: &TagSet) -> u32 {
        let code = tags.get("error_code").unwrap_or_default();
        let status = tags.get("status").unwrap_or_default();
        let is_unexpected = tags.get("expected_response") == Some("false");
        let text = match tags.get("error") {
            Some(text) => text.to_owned(),
            None if !code.is_empty() || is_unexpected => format!("status {status}"),
            None => return NOWHERE,
        };
        let mut key: (Arc<str>, Arc<str>) = (code.into(), text.into());
        if !self.problem_at.contains_key(&key) && self.problems.len() >= MOST_PROBLEMS {
            key = ("".into(), OTHER.into());
        }
        if let Some(known) = self.problem_at.get(&key) {
            return *known;
        }
        let name = tags.get("name").or_else(|| tags.get("url")).unwrap_or_default();
        let example = format!("{} {name}", tags.get("method").unwrap_or_default()).trim().into();
        self.problems.push(Problem { code: key.0.clone(), text: key.1.clone(), count: 0, example });
        let at = (self.problems.len() - 1) as u32;
        self.problem_at.insert(key, at);
        at
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use super::*;
    use crate::log::Logger;
    use crate::metrics::record::Epoch;
    use crate::metrics::{HttpTimings, Interner, Ledger, LedgerOptions, Record, Registry, Stamp};

    #[test]
    fn what_comes_after_the_limit_is_counted_together() {
        let said: Arc<Mutex<Vec<String>>> = Arc::default();
        let hear = said.clone();
        let logger = Logger::new(move |entry| hear.lock().unwrap_or_else(PoisonError::into_inner).push(entry.message));
        let options = LedgerOptions { detail: Some(Epoch::now()), ..LedgerOptions::default() };
        let mut ledger = Ledger::new(Arc::new(Registry::new()), options, logger);
        let interner = Interner::default();
        for place in 0..1_500 {
            let name = format!("http://x/{place}");
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
        let detail = ledger.snapshot(std::time::Duration::ZERO).detail.unwrap();
        assert_eq!(detail.endpoints.len(), MOST_ENDPOINTS + 1);
        let last = detail.endpoints.last().unwrap();
        assert_eq!((&*last.name, last.duration.count(), last.failed.passes), (OTHER, 1_000, 500));
        assert_eq!(*said.lock().unwrap(), ["more than 1000 endpoints: further ones are counted together"]);
        assert!(detail.problems.is_empty());
    }

    #[test]
    fn errors_are_grouped_by_code_and_text() {
        let options = LedgerOptions { detail: Some(Epoch::now()), ..LedgerOptions::default() };
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
        let problems = ledger.snapshot(std::time::Duration::ZERO).detail.unwrap().problems;
        let shown: Vec<_> = problems.iter().map(|one| format!("{} {} {}", one.count, one.code, one.text)).collect();
        assert_eq!(shown, ["4 1404 status 404", "3 1212 dial: connection refused", "1  status 204"]);
        assert_eq!(&*problems[0].example, "GET n");
    }
}
