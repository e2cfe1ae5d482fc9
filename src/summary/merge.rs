//! One result of several: the parts of a test that ran beside each other, added up as if one instance had run it all.
//!
//! Counts, sums, least and greatest values are exact; percentiles are those that one instance would have found for the same values.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::RenderOptions;
use super::document::{MergeFacts, RunEnd, RunFacts};
use super::pages;
use super::part::{Part, rate};
use crate::exit_code::ExitCode;
use crate::metrics::builtin;
use crate::metrics::endpoint::{Endpoint, EndpointAxis, ErrorGroup, merged};
use crate::metrics::groups::{CheckResult, GroupResult};
use crate::metrics::record::Stamp;
use crate::metrics::sink::{RateSink, Sink};
use crate::metrics::threshold::Threshold;
use crate::metrics::timeline::Timeline;
use crate::metrics::{MetricResult, MetricValues, Results, Section, TrendStat};
use crate::options::Segment;
use crate::units::number::TimeUnit;

/// Several parts as one.
#[derive(Clone, Debug)]
pub struct Merge {
    /// The numbers; the thresholds are judged on them.
    pub results: Results,
    /// Facts about the whole test.
    pub facts: RunFacts,
    /// What else a document of it has.
    pub merge: MergeFacts,
    /// How the parts are rendered.
    pub options: RenderOptions,
    /// What the reader has to know: what is missing.
    pub notes: Vec<String>,
}

/// Adds up at least one part. `is_partial` accepts that something is missing or counted twice.
///
/// # Errors
/// One line: the parts are not those of one test, or not all of it.
pub fn merge(parts: &[Part], is_partial: bool) -> Result<Merge, String> {
    let first = parts.first().ok_or("there is nothing to merge")?;
    if let Some(other) = parts.iter().find(|part| part.test != first.test) {
        let (file, first) = (&other.file, &first.file);
        return Err(format!("`{file}` is of another test than `{first}`: a file or an option of the script differs"));
    }
    let problems = problems(parts);
    if !problems.is_empty() && !is_partial {
        return Err(format!("{}; `--partial` merges them all the same", problems.join("; ")));
    }
    let mut results = add_up(parts);
    let timeline = timeline(parts);
    if let Some(timeline) = &timeline {
        cap_vus(&mut results, timeline);
    }
    judge(&mut results, parts)?;
    let incomplete = (!problems.is_empty()).then(|| problems.join("; "));
    let notes = incomplete.iter().map(|text| format!("the result is incomplete: {text}")).collect();
    let crossed: Vec<&str> = results
        .metrics
        .iter()
        .filter(|metric| metric.thresholds.iter().any(|threshold| !threshold.ok))
        .map(|metric| &*metric.name)
        .collect();
    let end = match crossed.is_empty() {
        true => RunEnd { code: 0, reason: None },
        false => RunEnd {
            code: ExitCode::ThresholdsCrossed as u8,
            reason: Some(format!("thresholds on metrics '{}' have been crossed", crossed.join(", "))),
        },
    };
    let facts = facts(parts, results.duration, incomplete, end);
    let (endpoints, endpoint_width) = endpoints(parts);
    let merge = MergeFacts {
        endpoints,
        endpoint_width,
        timeline,
        errors: errors(parts),
        health: health(parts),
        parts: list(parts),
    };
    Ok(Merge { results, facts, merge, options: render_options(first), notes })
}

/// Adds to a part what its instance measured after the part was written down.
pub fn append(part: &mut Part, later: &Results) {
    let results = &mut part.results;
    add_metrics(&mut results.metrics, &later.metrics, results.duration);
    add_group(&mut results.root, &later.root);
    // A document lists them by name, whatever their group.
    for check in &later.checks {
        match results.checks.iter_mut().find(|known| known.name == check.name) {
            Some(known) => (known.passes, known.fails) = (known.passes + check.passes, known.fails + check.fails),
            None => results.checks.push(check.clone()),
        }
    }
}

/// What is missing, counted twice, or did not end as it should.
fn problems(parts: &[Part]) -> Vec<String> {
    let mut sorted: Vec<&Part> = parts.iter().collect();
    sorted.sort_by_key(|part| (part.segment.from(), part.segment.to()));
    let (mut problems, mut at) = (Vec::new(), Segment::FULL.from());
    for part in sorted {
        if part.segment.from() > at {
            problems.push(format!("the segment {at}:{} is missing", part.segment.from()));
        } else if part.segment.from() < at {
            problems.push(format!("`{}` ran the segment {}, which others ran too", part.file, part.segment));
        }
        at = at.max(part.segment.to());
    }
    if at < Segment::FULL.to() {
        problems.push(format!("the segment {at}:1 is missing"));
    }
    for part in parts {
        problems.extend(part.incomplete.iter().map(|text| format!("`{}` is incomplete: {text}", part.file)));
        // Thresholds are judged on the whole.
        if !matches!(part.exit_code, 0 | 99) {
            let why = part.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            problems.push(format!("`{}` ended with exit code {}{why}", part.file, part.exit_code));
        }
    }
    problems
}

fn add_up(parts: &[Part]) -> Results {
    // The last value of a gauge is that of the part that ended last.
    let mut by_end: Vec<&Part> = parts.iter().collect();
    by_end.sort_by_key(|part| part.started.as_nanosecond() + part.results.duration.as_nanos() as i128);
    let duration = parts.iter().map(|part| part.results.duration).max().unwrap_or_default();
    let mut whole = Results {
        duration,
        metrics: Vec::new(),
        root: GroupResult { name: "".into(), path: "".into(), groups: Vec::new(), checks: Vec::new() },
        checks: Vec::new(),
        groups: Vec::new(),
        scenarios: Vec::new(),
        health: Default::default(),
        breakdown: None,
    };
    for Part { results, .. } in by_end {
        add_metrics(&mut whole.metrics, &results.metrics, duration);
        add_group(&mut whole.root, &results.root);
        add_checks(&mut whole.checks, &results.checks);
        add_sections(&mut whole.groups, &results.groups, duration);
        add_sections(&mut whole.scenarios, &results.scenarios, duration);
    }
    whole.scenarios.sort_by(|a, b| a.name.cmp(&b.name));
    whole
}

fn add_metrics(whole: &mut Vec<MetricResult>, more: &[MetricResult], duration: Duration) {
    for metric in more {
        match whole.iter_mut().find(|known| known.name == metric.name) {
            Some(known) => add_metric(known, metric),
            None => whole.push(metric.clone()),
        }
    }
    whole.sort_by(|a, b| (&a.parent, &a.name).cmp(&(&b.parent, &b.name)));
    for metric in whole {
        match &mut metric.values {
            MetricValues::Counter { count, rate } => {
                *rate = if duration.is_zero() { 0.0 } else { *count / duration.as_secs_f64() };
            }
            MetricValues::Trend(trend) => trend.sort(),
            MetricValues::Gauge { .. } | MetricValues::Rate { .. } => {}
        }
    }
}

fn add_metric(whole: &mut MetricResult, more: &MetricResult) {
    // A part in which everything was answered has no times of answered requests beside all.
    if whole.answered.is_some() || more.answered.is_some() {
        let of = |metric: &MetricResult| match (&metric.answered, &metric.values) {
            (Some(answered), _) => Some(answered.clone()),
            (None, MetricValues::Trend(all)) => Some((**all).clone()),
            _ => None,
        };
        if let (Some(mut answered), Some(also)) = (of(whole), of(more)) {
            answered.merge(&also);
            whole.answered = Some(answered);
        }
    }
    match (&mut whole.values, &more.values) {
        (MetricValues::Counter { count, .. }, MetricValues::Counter { count: also, .. }) => *count += also,
        (MetricValues::Gauge { value, min, max }, MetricValues::Gauge { value: last, min: low, max: high })
            if builtin::counts_vus(&whole.name) =>
        {
            (*value, *min, *max) = (*value + last, *min + low, *max + high);
        }
        (MetricValues::Gauge { value, min, max }, MetricValues::Gauge { value: last, min: low, max: high }) => {
            // Where it is not known when that was, the part counts that ended last.
            let is_later = whole.last.zip(more.last).is_none_or(|(at, later)| later >= at);
            (*value, *min, *max) = (if is_later { *last } else { *value }, min.min(*low), max.max(*high));
            whole.last = if is_later { more.last } else { whole.last };
        }
        (MetricValues::Rate { passes, fails, .. }, MetricValues::Rate { passes: held, fails: failed, .. }) => {
            whole.values = rate(RateSink { passes: *passes + held, fails: *fails + failed });
        }
        (MetricValues::Trend(trend), MetricValues::Trend(also)) => trend.merge(also),
        // Parts of one test declare their metrics alike.
        _ => {}
    }
}

/// The parts may have had their peaks at different times: there were never more VUs at once than the run over time shows.
fn cap_vus(results: &mut Results, timeline: &Timeline) {
    for metric in &mut results.metrics {
        if let MetricValues::Gauge { max, .. } = &mut metric.values
            && builtin::counts_vus(&metric.name)
            && let Some(peak) = timeline.peak(&metric.name)
        {
            *max = max.min(peak);
        }
    }
}

fn add_checks(whole: &mut Vec<CheckResult>, more: &[CheckResult]) {
    for check in more {
        match whole.iter_mut().find(|known| known.path == check.path) {
            Some(known) => (known.passes, known.fails) = (known.passes + check.passes, known.fails + check.fails),
            None => whole.push(check.clone()),
        }
    }
}

fn add_group(whole: &mut GroupResult, more: &GroupResult) {
    add_checks(&mut whole.checks, &more.checks);
    for group in &more.groups {
        match whole.groups.iter_mut().find(|known| known.path == group.path) {
            Some(known) => add_group(known, group),
            None => whole.groups.push(group.clone()),
        }
    }
}

fn add_sections(whole: &mut Vec<Section>, more: &[Section], duration: Duration) {
    for section in more {
        let at = whole.iter().position(|known| known.name == section.name).unwrap_or(whole.len());
        if at == whole.len() {
            whole.push(Section { name: section.name.clone(), ..Section::default() });
        }
        let known = &mut whole[at];
        add_metrics(&mut known.metrics, &section.metrics, duration);
        add_checks(&mut known.checks, &section.checks);
        add_sections(&mut known.groups, &section.groups, duration);
    }
}

/// What was in the windows of the `at`-th threshold of a metric, of all parts, in the order of time.
///
/// # Errors
/// The file that doesn't say.
fn slices(parts: &[Part], of_parts: &[Vec<Threshold>], at: usize) -> Result<Vec<(u64, Sink)>, String> {
    let mut whole: BTreeMap<u64, Sink> = BTreeMap::new();
    for (part, thresholds) in parts.iter().zip(of_parts) {
        // A part that has no sample of the metric had nothing to judge.
        let Some(threshold) = thresholds.get(at) else { continue };
        for (number, sink) in threshold.slices().ok_or_else(|| part.file.clone())? {
            match whole.entry(*number) {
                Entry::Vacant(place) => _ = place.insert(sink.clone()),
                Entry::Occupied(mut known) => known.get_mut().merge(sink),
            }
        }
    }
    Ok(whole.into_iter().collect())
}

/// Judges the thresholds of the test on the whole.
///
/// # Errors
/// A threshold that compares with a saved run; one that judges windows, of which a part doesn't say what was in them.
fn judge(results: &mut Results, parts: &[Part]) -> Result<(), String> {
    let duration = results.duration;
    for metric in &mut results.metrics {
        let name = &metric.name;
        let of = |part: &Part| part.results.metric(name).map(|metric| metric.thresholds.clone()).unwrap_or_default();
        let of_parts: Vec<Vec<Threshold>> = parts.iter().map(of).collect();
        metric.thresholds = of_parts.iter().max_by_key(|thresholds| thresholds.len()).cloned().unwrap_or_default();
        let sink = Sink::of_values(&metric.values);
        for (at, threshold) in metric.thresholds.iter_mut().enumerate() {
            let typed = threshold.def.expression.trim().to_owned();
            match threshold.wanted() {
                (_, None, _) => {
                    return Err(format!(
                        "the threshold `{typed}` on `{name}` compares with a saved run, a merge can't"
                    ));
                }
                (_, _, Some(_)) => {
                    let slices = slices(parts, &of_parts, at).map_err(|file| {
                        format!(
                            "the threshold `{typed}` on `{name}` judges windows, and `{file}` doesn't hold what was in each: it \
                             is of an earlier version, or has more than an hour of windows of 10 s"
                        )
                    })?;
                    let end = slices.last().map_or(0, |(at, _)| *at);
                    threshold.restore_slices(metric.values.kind(), metric.contains, slices);
                    threshold.judge_windows(Stamp(end), true);
                }
                _ => _ = threshold.judge(&sink, duration),
            }
        }
    }
    Ok(())
}

fn facts(parts: &[Part], duration: Duration, incomplete: Option<String>, end: RunEnd) -> RunFacts {
    let number = |part: &Part, key: &str| part.document["run"][key].as_f64();
    let greatest = |key: &str| parts.iter().filter_map(|part| number(part, key)).fold(0.0, f64::max);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    // What differs from part to part is listed once each.
    let distinct = |of: &dyn Fn(&Part) -> String| {
        let mut all: Vec<String> = Vec::new();
        for word in parts.iter().map(of).filter(|word| !word.is_empty()) {
            if !all.contains(&word) {
                all.push(word);
            }
        }
        all.join(", ")
    };
    let mut scenarios: Vec<[String; 3]> = Vec::new();
    for scenario in parts.iter().flat_map(|part| part.document["run"]["scenarios"].as_array().into_iter().flatten()) {
        let [name, executor, plan] = ["name", "executor", "plan"].map(|key| text(&scenario[key]));
        match scenarios.iter_mut().find(|known| known[0] == name) {
            Some(known) => known[2] = format!("{} + {plan}", known[2]),
            None => scenarios.push([name, executor, plan]),
        }
    }
    let from = parts.iter().map(|part| part.segment.from()).min().unwrap_or(Segment::FULL.from());
    let to = parts.iter().map(|part| part.segment.to()).max().unwrap_or(Segment::FULL.to());
    let durations: Option<Vec<f64>> = parts.iter().map(|part| number(part, "duration_seconds")).collect();
    RunFacts {
        script: distinct(&|part| text(&part.document["run"]["script"])),
        engine: distinct(&|part| text(&part.document["generator"]["engine"])),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        k6_version: distinct(&|part| text(&part.document["generator"]["k6_version"])),
        started: parts.iter().map(|part| part.started).min().unwrap_or(Timestamp::UNIX_EPOCH),
        planned: greatest("planned_seconds").max(if incomplete.is_some() { duration.as_secs_f64() } else { 0.0 }),
        duration: durations.map(|all| all.into_iter().fold(0.0, f64::max)),
        has_limit_only: parts.iter().all(|part| part.document["run"]["has_limit_only"] == true),
        active_vus: 0,
        max_vus: parts.iter().filter_map(|part| part.document["run"]["max_vus"].as_u64()).sum(),
        scenarios,
        segment: format!("{from}:{to}"),
        test: parts.first().map(|part| part.test.clone()).unwrap_or_default(),
        incomplete,
        judges: parts.iter().any(|part| part.judges),
        failed_actions: parts.iter().flat_map(|part| pages::failed_actions(&part.document)).collect(),
        end: Some(end),
    }
}

fn render_options(part: &Part) -> RenderOptions {
    let run = &part.document["run"];
    let stats = run["trend_stats"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let stats: Vec<TrendStat> = stats.filter_map(|name| TrendStat::parse(name).ok()).collect();
    let unit = run["time_unit"].as_str().unwrap_or_default().to_owned();
    RenderOptions {
        trend_stats: if stats.is_empty() { TrendStat::defaults() } else { stats },
        time_unit: TimeUnit::parse(&unit).unwrap_or_default(),
        time_unit_name: unit,
        ..RenderOptions::default()
    }
}

/// The run over time, where all parts hold it.
fn timeline(parts: &[Part]) -> Option<Timeline> {
    let mut all = parts.iter().map(|part| part.timeline.clone());
    let mut whole = all.next()??;
    for more in all {
        whole.merge(more?);
    }
    Some(whole)
}

/// All endpoints, and how long an interval of their series is, in nanoseconds.
fn endpoints(parts: &[Part]) -> (Vec<Endpoint>, u64) {
    let mut whole: Vec<Endpoint> = Vec::new();
    let key = |endpoint: &Endpoint| (endpoint.name.clone(), endpoint.method.clone(), endpoint.protocol);
    let axes: Vec<EndpointAxis> = parts.iter().filter_map(|part| part.endpoint_axis.clone()).collect();
    let axis = EndpointAxis::common(&axes);
    let all = parts.iter().flat_map(|part| part.endpoints.iter().map(move |endpoint| (part, endpoint.clone())));
    for (part, mut more) in all {
        more.points = match (more.points.take(), &part.endpoint_axis, &axis) {
            (Some(points), Some(own), Some(axis)) => Some(own.moved(points, axis)),
            _ => None,
        };
        match whole.iter_mut().find(|known| key(known) == key(&more)) {
            Some(known) => {
                known.failed.passes += more.failed.passes;
                known.failed.fails += more.failed.fails;
                known.duration.merge(&more.duration);
                known.unanswered += more.unanswered;
                known.names = known.names.max(more.names);
                known.points = match (known.points.take(), more.points) {
                    (Some(points), Some(also)) => Some(merged(points, also)),
                    // Half of the requests would look like all of them.
                    _ => None,
                };
            }
            None => whole.push(more),
        }
    }
    whole.iter_mut().for_each(|endpoint| endpoint.duration.sort());
    (whole, axis.map_or(0, |axis| axis.width))
}

fn errors(parts: &[Part]) -> Vec<ErrorGroup> {
    let mut whole: Vec<ErrorGroup> = Vec::new();
    for more in parts.iter().flat_map(|part| &part.errors) {
        match whole.iter_mut().find(|known| (&known.code, &known.text) == (&more.code, &more.text)) {
            Some(known) => known.count += more.count,
            None => whole.push(more.clone()),
        }
    }
    whole.sort_by_key(|group| std::cmp::Reverse(group.count));
    whole
}

/// The health of the generator that was latest, with what is wrong with any of them.
fn health(parts: &[Part]) -> Value {
    let lag = |part: &&Part| part.document["health"]["lag_ms"]["p(90)"].as_f64().unwrap_or_default();
    let worst = parts.iter().max_by(|a, b| lag(a).total_cmp(&lag(b)));
    let mut health = worst.map(|part| part.document["health"].clone()).unwrap_or_default();
    let complaints = parts.iter().filter_map(|part| {
        let complaint = part.document["health"]["complaint"].as_str()?;
        Some(format!("{}: {complaint}", part.file))
    });
    let complaints: Vec<String> = complaints.collect();
    if let Value::Object(health) = &mut health {
        let complaint = if complaints.is_empty() { Value::Null } else { complaints.join("; ").into() };
        health.insert("complaint".to_owned(), complaint);
    }
    health
}

fn list(parts: &[Part]) -> Value {
    let part = |part: &Part| {
        json!({
            "file": part.file, "segment": part.segment.to_string(), "started": part.started.to_string(),
            "seconds": part.results.duration.as_secs_f64(), "exit_code": part.exit_code, "reason": part.reason,
            "script": part.document["run"]["script"], "max_vus": part.document["run"]["max_vus"],
            "health": part.document["health"], "parts": part.document["parts"],
        })
    };
    parts.iter().map(part).collect()
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
