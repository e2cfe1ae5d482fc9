//! The runs of a procedure beside its baseline, and what makes two runs comparable at all: rates need the same load, and
//! times need requests that were answered alike. A dead target is quick, and more users make more requests.

use serde::Serialize;

use super::metric_roles::MetricRoles;
use super::results::{ProcedureResults, RunResult};
use crate::units::figure::{self, Unit};

/// One figure of one run beside the same of the baseline.
#[derive(Clone, Debug, Serialize)]
pub struct Compared {
    /// The run.
    pub run: String,
    /// Metric and figure.
    pub figure: String,
    /// In the baseline, in words.
    pub baseline_text: String,
    /// In the run, in words.
    pub value_text: String,
    /// How they differ, in words: `-12.3 %, better`, or why that can't be said.
    pub difference: String,
    /// `better`, `worse`, `same`, or empty where neither is.
    pub direction: &'static str,
}

/// The figures of request durations that are compared with the baseline's.
const DURATIONS: [&str; 6] = ["med", "p(90)", "p(95)", "p(99)", "max", "avg"];

/// Times that differ by fewer milliseconds than this are neither better nor worse.
pub const NOISE_MS: f64 = 0.5;
/// Nor are shares that differ by less than this.
pub const NOISE_SHARE: f64 = 0.001;
/// Nor rates that differ by less than this part.
const NOISE_RATE: f64 = 0.01;
/// What would be shown as no difference is none: less than this part.
const SHOWN: f64 = 0.0005;

/// Which way is better.
#[derive(Clone, Copy, PartialEq)]
enum Better {
    Less,
    More,
    Neither,
}

/// What is compared with the baseline: metric, figure, and which way is better.
fn compared_figures(run: &RunResult, roles: &MetricRoles) -> Vec<(String, &'static str, Better)> {
    let mut list = Vec::new();
    let mut add = |metric: &str, stat: &'static str, better| list.push((metric.to_owned(), stat, better));
    DURATIONS.iter().for_each(|stat| add("http_req_duration", stat, Better::Less));
    add("http_reqs", "rate", Better::More);
    roles.failed.iter().for_each(|metric| add(metric, "rate", Better::Less));
    add("checks", "rate", Better::More);
    if let Some(metric) = run.cache_hit_metric(roles) {
        add(metric, "rate", Better::More);
    }
    add("data_received", "rate", Better::Neither);
    add("data_sent", "rate", Better::Neither);
    list
}

/// How much load a run made, as far as its results tell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunLoad {
    /// The plan in words, without its duration, and what wrote it: plans of different writers can't be compared.
    pub plan: Option<(&'static str, String)>,
    /// The most VUs there were.
    pub max_vus: Option<f64>,
}

impl RunLoad {
    /// A longer run of the same users is the same load, a longer stage is another.
    pub fn without_duration(plan: &str) -> &str {
        match plan.split_once(" for ") {
            Some((load, rest)) if !rest.contains(" over ") => load,
            _ => plan,
        }
    }

    /// Whether the two differ, as far as both tell.
    pub fn is_other(&self, other: &Self) -> bool {
        let has_other_plan = match (&self.plan, &other.plan) {
            (Some((writer, plan)), Some((other_writer, other_plan))) => writer == other_writer && plan != other_plan,
            _ => false,
        };
        has_other_plan || self.max_vus.zip(other.max_vus).is_some_and(|(one, two)| one != two)
    }

    fn of(run: &RunResult) -> Self {
        let (script, plan) = (&run.entry.script, Self::without_duration(&run.entry.plan));
        Self { plan: Some(("procedure", format!("{script} {plan}"))), max_vus: run.value("vus_max", "max") }
    }
}

/// The side of a comparison in which too many requests failed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FailedSide {
    /// What part failed.
    pub share: f64,
    /// It is the earlier one.
    pub is_before: bool,
}

/// Failed requests end early or late for reasons of their own; where most of them failed, times say nothing.
const MOSTLY: f64 = 0.5;

/// Why times can't be compared: most requests failed on one side, or their shares differ by more than a limit.
pub fn too_many_failed(before: f64, after: f64, limit: f64) -> Option<FailedSide> {
    let share = before.max(after);
    let is_incomparable = share > MOSTLY || (after - before).abs() > limit;
    is_incomparable.then_some(FailedSide { share, is_before: before > after })
}

/// All runs beside the baseline.
pub fn comparison(results: &ProcedureResults) -> Vec<Compared> {
    let Some(baseline) = results.baseline() else { return Vec::new() };
    let roles = &results.journal.metrics;
    let mut rows = Vec::new();
    for run in results.runs.iter().filter(|run| run.entry.name != baseline.entry.name) {
        let failed =
            too_many_failed(baseline.failed_share(roles), run.failed_share(roles), results.journal.limits.failed);
        let has_other_load = RunLoad::of(run).is_other(&RunLoad::of(baseline));
        for (metric, stat, better) in compared_figures(run, roles) {
            let Some((old, new)) = baseline.judged_value(&metric, stat).zip(run.judged_value(&metric, stat)) else {
                continue;
            };
            let unit = run.unit(&metric, stat);
            let (difference, direction) = compared(old, new, unit, better, failed, has_other_load);
            rows.push(Compared {
                run: run.entry.name.clone(),
                figure: format!("{metric}.{stat}"),
                baseline_text: figure::text_beside(old, new, unit),
                value_text: figure::text_beside(new, old, unit),
                difference,
                direction,
            });
        }
    }
    rows
}

/// The difference in words, and which way it is.
fn compared(
    old: f64,
    new: f64,
    unit: Unit,
    better: Better,
    failed: Option<FailedSide>,
    has_other_load: bool,
) -> (String, &'static str) {
    let is_judged_rate = better != Better::Neither && matches!(unit, Unit::PerSecond(_));
    if let Some(failed) = failed.filter(|_| unit == Unit::Time || is_judged_rate) {
        let place = if failed.is_before { " in the baseline" } else { "" };
        let share = figure::text_beside(failed.share, 1.0, Unit::Share);
        return (format!("not comparable: {share} of requests failed{place}"), "");
    }
    if new == old || (old != 0.0 && ((new - old) / old).abs() < SHOWN) {
        return ("same".to_owned(), "same");
    }
    let absolute = || figure::difference(old, new, unit);
    let difference = match unit {
        Unit::Share => absolute(),
        _ => figure::relative_difference(old, new).unwrap_or_else(absolute),
    };
    if has_other_load && is_judged_rate {
        return (format!("{difference}, at another load"), "");
    }
    let noise = match unit {
        Unit::Time => NOISE_MS,
        Unit::Share => NOISE_SHARE,
        _ => old.abs() * NOISE_RATE,
    };
    let direction = match better {
        Better::Neither => "",
        _ if (new - old).abs() < noise => "",
        Better::Less if new < old => "better",
        Better::More if new > old => "better",
        _ => "worse",
    };
    match direction {
        "" => (difference, ""),
        word => (format!("{difference}, {word}"), word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_say_what_is_better_only_where_that_is_true() {
        let check = |old: f64, new: f64, unit, better, expect: &str| {
            assert_eq!(compared(old, new, unit, better, None, false).0, expect, "{old} {new}");
        };
        check(10.0, 8.0, Unit::Time, Better::Less, "-20 %, better");
        check(10.0, 12.0, Unit::Time, Better::Less, "+20 %, worse");
        check(0.2, 0.4, Unit::Time, Better::Less, "+100 %");
        check(0.0, 0.522, Unit::Share, Better::Less, "+52.2 points, worse");
        check(0.02, 0.01, Unit::Share, Better::Less, "-1 point, better");
        check(0.9, 0.99, Unit::Share, Better::More, "+9 points, better");
        check(0.5, 0.5005, Unit::Share, Better::More, "+0.05 points");
        check(1.0, 1.0, Unit::Share, Better::More, "same");
        check(100.0, 150.0, Unit::PerSecond("requests"), Better::More, "+50 %, better");
        check(0.0, 150.0, Unit::PerSecond("requests"), Better::More, "+150 requests/s, better");
        check(100.0, 2_000.0, Unit::BytesPerSecond, Better::Neither, "+1,900 %");
    }

    #[test]
    fn another_load_makes_no_better_rate() {
        let check = |unit, better, expect: (&str, &str)| {
            let (text, direction) = compared(10.0, 200.0, unit, better, None, true);
            assert_eq!((text.as_str(), direction), expect);
        };
        check(Unit::PerSecond("requests"), Better::More, ("+1,900 %, at another load", ""));
        check(Unit::BytesPerSecond, Better::Neither, ("+1,900 %", ""));
        check(Unit::Time, Better::Less, ("+1,900 %, worse", "worse"));
    }

    #[test]
    fn times_of_failed_requests_are_not_comparable() {
        let check = |before: f64, after: f64, unit, better, expect: (&str, &str)| {
            let (text, direction) = compared(10.0, 2.0, unit, better, too_many_failed(before, after, 0.05), false);
            assert_eq!((text.as_str(), direction), expect, "{before} {after}");
        };
        let rate = Unit::PerSecond("requests");
        check(0.0, 0.522, Unit::Time, Better::Less, ("not comparable: 52.2 % of requests failed", ""));
        check(1.0, 0.0, Unit::Time, Better::Less, ("not comparable: 100 % of requests failed in the baseline", ""));
        check(0.9, 0.9, Unit::Time, Better::Less, ("not comparable: 90 % of requests failed", ""));
        check(0.1, 0.12, Unit::Time, Better::Less, ("-80 %, better", "better"));
        check(0.0, 0.522, rate, Better::More, ("not comparable: 52.2 % of requests failed", ""));
        check(0.0, 0.522, Unit::BytesPerSecond, Better::Neither, ("-80 %", ""));
        check(0.0, 0.522, Unit::Share, Better::Less, ("-800 points, better", "better"));
    }

    #[test]
    fn loads_are_told_apart() {
        let check = |one: &str, two: &str, vus: (Option<f64>, Option<f64>), expect: bool| {
            let load = |plan: &str, max_vus| RunLoad {
                plan: Some(("procedure", RunLoad::without_duration(plan).to_owned())),
                max_vus,
            };
            assert_eq!(load(one, vus.0).is_other(&load(two, vus.1)), expect, "{one} {two}");
        };
        check("5 VUs for 5m", "5 VUs for 10m", (Some(5.0), Some(5.0)), false);
        check("5 VUs for 5m", "100 VUs for 5m", (None, None), true);
        check("as the script says", "as the script says", (Some(5.0), Some(10.0)), true);
        check("as the script says", "as the script says", (Some(5.0), None), false);
        check("2m to 5 VUs, 1m to 0", "2m to 5 VUs, 9m to 0", (Some(5.0), Some(5.0)), true);
        check("5 looping VUs for 6s (gracefulStop: 30s)", "5 looping VUs for 9s", (None, None), false);
        let ramp = "Up to 20 looping VUs for 3m0s over 4 stages";
        check(ramp, "Up to 20 looping VUs for 1m0s over 2 stages", (None, None), true);
        let (plan, vus) = (RunLoad { plan: Some(("a", "x".to_owned())), max_vus: None }, RunLoad::default());
        assert!(!plan.is_other(&vus) && !plan.is_other(&RunLoad { plan: Some(("b", "y".to_owned())), max_vus: None }));
    }
}
