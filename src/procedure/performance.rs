//! The figures of `baseline_metrics.json` that other tools read: a few of each run under fixed names, and whether each
//! criterion holds.

use serde_json::{Map, Value, json};

use super::metric_roles::MetricRoles;
use super::results::{ProcedureResults, RunResult};
use super::verdict::Judgement;

/// The run that most criteria are about; of several, the last.
pub fn main_run<'a>(results: &'a ProcedureResults, judgement: &Judgement) -> Option<&'a RunResult> {
    let about = |run: &RunResult| {
        let prefix = format!("{}.", run.entry.name);
        judgement.criteria.iter().filter(|one| one.expression.contains(&prefix)).count()
    };
    results.runs.iter().filter(|run| run.document.is_some()).max_by_key(|run| about(run))
}

/// What a run achieved. What was not measured is null.
pub fn metrics(run: &RunResult, roles: &MetricRoles) -> Value {
    let time = |stat: &str| run.judged_value("http_req_duration", stat);
    let percent = |share: f64| share * 100.0;
    // What a script counts as failed says more than what k6 does.
    let failed = roles.failed.iter().rev().find_map(|metric| run.value(metric, "rate"));
    json!({
        "run": run.entry.name,
        "response_times_ms": {
            "avg": time("avg"), "p50": time("med"), "p90": time("p(90)"), "p95": time("p(95)"), "p99": time("p(99)"),
            "max": time("max"),
        },
        "throughput_req_per_sec": run.value("http_reqs", "rate"),
        "cache_hit_rate_percent": run.cache_hits(roles).map(percent),
        "error_rate_percent": failed.map(percent),
        "database_connections": run.value(&roles.database_connections, "max"),
        "redis_memory_mb": run.value(&roles.cache_memory, "max").map(|bytes| bytes / 1e6),
    })
}

/// Whether a cache answered at all; null where nobody measured that.
pub fn cache_enabled(run: Option<&RunResult>, roles: &MetricRoles) -> Value {
    run.and_then(|run| run.cache_hits(roles)).map_or(Value::Null, |share| (share > 0.0).into())
}

/// Whether each criterion holds, by its name as a word; null for what was not measured.
pub fn criteria(judgement: &Judgement) -> Map<String, Value> {
    let holds = |state: &str| match state {
        "pass" => Value::Bool(true),
        "fail" => Value::Bool(false),
        _ => Value::Null,
    };
    let mut all = Map::new();
    for one in &judgement.criteria {
        let word = word(&one.name);
        let taken = |number: &usize| all.contains_key(&numbered(&word, *number));
        let number = (1..).find(|number| !taken(number)).unwrap_or(1);
        all.insert(numbered(&word, number), holds(one.state));
    }
    all
}

fn numbered(word: &str, number: usize) -> String {
    if number == 1 { word.to_owned() } else { format!("{word}_{number}") }
}

/// `stress.http_req_duration.p95 < 100` as `stress_http_req_duration_p95_less_than_100`.
fn word(text: &str) -> String {
    let mut text = text.to_lowercase();
    for (sign, words) in [
        ("<=", " at most "),
        (">=", " at least "),
        ("==", " equal to "),
        ("!=", " not "),
        ("<", " less than "),
        (">", " above "),
        ("%", " percent "),
        ("*", " times "),
        ("/", " per "),
        ("+", " plus "),
    ] {
        text = text.replace(sign, words);
    }
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()).collect();
    words.join("_")
}

#[cfg(test)]
mod tests {
    use super::word;

    #[test]
    fn criteria_have_words() {
        let check = |input: &str, expect: &str| assert_eq!(word(input), expect);
        check("fast under stress", "fast_under_stress");
        check("stress.http_req_duration.p95 < 100", "stress_http_req_duration_p95_less_than_100");
        check("stress.cache_hits.rate >= 75%", "stress_cache_hits_rate_at_least_75_percent");
        check("a.b{c:d}.max * 1.5 + 5 > 1", "a_b_c_d_max_times_1_5_plus_5_above_1");
    }
}
