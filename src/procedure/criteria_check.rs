//! What criteria may be about, known before any load: built-in metrics, what the scripts declare, sub-metrics of their
//! thresholds, series of the collectors. What nobody will measure is told before anything runs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::Value;

use super::child;
use super::collect::{Collect, SERIES};
use super::expression::{CriterionExpression, FigureRef};
use super::file::Procedure;
use super::journal::{CheckState, PreflightResult};
use super::plan::PlannedRun;
use super::settings::ProcedureSettings;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::metrics::builtin;
use crate::metrics::submetric::MetricSelector;
use crate::units::Span;
use crate::units::nearest::nearest;

/// What a script says of itself.
#[derive(Debug, Default)]
pub struct ScriptFacts {
    /// The metrics it declares, by name, with their types.
    metrics: BTreeMap<String, String>,
    /// The metrics and sub-metrics its thresholds are about.
    judged: Vec<String>,
    /// How many thresholds there are.
    thresholds: usize,
    /// The most VUs its own options ask for.
    pub max_vus: Option<u64>,
    /// How long its own options take.
    pub duration: Option<Duration>,
}

/// The scripts of the wanted runs, by run; an error is why one can't be evaluated.
pub type Scripts = BTreeMap<String, Result<ScriptFacts, String>>;

/// Evaluates the scripts of all wanted runs, unless the file does not want that.
pub async fn scripts(procedure: &Procedure, planned: &[PlannedRun], settings: &ProcedureSettings) -> Scripts {
    if !procedure.preflight.scripts {
        return Scripts::new();
    }
    let wanted = planned.iter().filter(|run| run.is_wanted);
    let looked = wanted.map(async |run| (run.name.clone(), look(run, settings).await));
    join_all(looked).await.into_iter().collect()
}

/// Evaluates a script and its thresholds, in a child: nothing of it happens here.
async fn look(run: &PlannedRun, settings: &ProcedureSettings) -> Result<ScriptFacts, String> {
    let mut command = child::command(settings).map_err(|failure| failure.message)?;
    command.args(["inspect", "--execution-requirements", "--declared-metrics", "--include-system-env-vars"]);
    command.args(["--log-format", "raw"]);
    if let Some(engine) = &settings.js_engine {
        command.arg("--js-engine").arg(engine);
    }
    command.args(&run.selection).arg(&run.script).envs(run.env.iter().map(|(key, value)| (key, value)));
    // Spawned on this thread, waited for on another: the child lives as long as the thread that spawned it.
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let child = command.spawn().map_err(|error| error.to_string())?;
    let output = tokio::task::spawn_blocking(|| child.wait_with_output()).await.map_err(|error| error.to_string())?;
    let output = output.map_err(|error| error.to_string())?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(text.lines().find(|line| !line.trim().is_empty()).unwrap_or("it can't be evaluated").to_owned());
    }
    let options: Value = serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
    Ok(ScriptFacts::read(&options))
}

impl ScriptFacts {
    fn read(options: &Value) -> Self {
        let metrics = options["metrics"].as_array().into_iter().flatten();
        let metrics =
            metrics.filter_map(|one| Some((one["name"].as_str()?.to_owned(), one["type"].as_str()?.to_owned())));
        let thresholds = options["thresholds"].as_object();
        let count = |list: &Value| list.as_array().map_or(1, Vec::len);
        Self {
            metrics: metrics.collect(),
            judged: thresholds.into_iter().flatten().map(|(name, _)| name.clone()).collect(),
            thresholds: thresholds.into_iter().flatten().map(|(_, list)| count(list)).sum(),
            max_vus: options["maxVUs"].as_u64(),
            duration: options["totalDuration"].as_str().and_then(|text| Some(Span::parse(text).ok()?.to_duration())),
        }
    }

    /// How many thresholds it has, in words.
    pub fn words(&self) -> String {
        format!("{} threshold{}", self.thresholds, if self.thresholds == 1 { "" } else { "s" })
    }

    /// The type of a metric.
    fn kind(&self, name: &str) -> Option<&str> {
        let built_in = builtin::TABLE.iter().find(|(known, ..)| *known == name).map(|(_, kind, _)| kind.word());
        built_in.or_else(|| self.metrics.get(name).map(String::as_str))
    }

    /// The sub-metrics there will be.
    fn submetrics(&self) -> impl Iterator<Item = String> {
        let judged = self.judged.iter().filter_map(|name| MetricSelector::parse(name).ok());
        let judged = judged.filter(|one| one.filter.is_some()).map(|one| one.name.to_string());
        judged.chain(["http_req_duration{expected_response:true}".to_owned()])
    }
}

/// The figures that a series has.
const SERIES_STATS: [&str; 5] = ["min", "avg", "max", "value", "count"];

/// The figures that metrics of a type have.
fn stats(kind: &str) -> &'static [&'static str] {
    match kind {
        "counter" => &["count", "rate"],
        "gauge" => &["value", "min", "max"],
        "rate" => &["rate", "passes", "fails", "count"],
        _ => &["avg", "min", "med", "max", "p(90)", "p(95)", "p(99)", "p(99.9)", "count", "sum"],
    }
}

/// Everything that criteria ask for and nobody will measure.
///
/// # Errors
/// All of it in one line, each with its place.
pub fn check_criteria(procedure: &Procedure, scripts: &Scripts, file: &str) -> Result<(), Failure> {
    let names: Vec<&str> = procedure.runs.iter().map(|run| run.name.as_str()).collect();
    let mut wrong = Vec::new();
    for (place, criterion) in procedure.criteria.iter().enumerate() {
        let Ok(read) = CriterionExpression::parse(&criterion.text, &names) else { continue };
        for figure in read.figures() {
            let Some(Ok(script)) = scripts.get(&figure.run) else { continue };
            if let Err(why) = check_figure(figure, script, &procedure.collect) {
                wrong.push(format!("`criteria[{place}]`: {why}"));
            }
        }
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(Failure::new(ExitCode::InvalidConfig, format!("{file}: {}", wrong.join("; ")))),
    }
}

fn check_figure(figure: &FigureRef, script: &ScriptFacts, collect: &Collect) -> Result<(), String> {
    let (run, metric, stat) = (&figure.run, &figure.metric, figure.stat.as_str());
    let base = metric.split('{').next().unwrap_or(metric);
    let has = |kind: &str, stats: &[&str]| match stats.contains(&stat) {
        true => Ok(()),
        false => Err(format!("`{metric}` of `{run}` is a {kind} and has no `{stat}`; it has {}", stats.join(", "))),
    };
    if let Some(kind) = script.kind(base) {
        if metric.contains('{') {
            check_submetric(figure, base, script)?;
        }
        return has(kind, stats(kind));
    }
    let queries = collect.prometheus.iter().flat_map(|(_, queries)| queries.keys());
    if queries.clone().any(|name| name == base) {
        return has("series", &SERIES_STATS);
    }
    let is_collected = |by: &str| match by {
        "host" => collect.host,
        "redis" => collect.redis.is_some(),
        _ => collect.postgres.is_some(),
    };
    // PostgreSQL's connections have states that only it knows.
    let series = SERIES.iter().find(|(name, _)| *name == metric);
    let series = series.or(metric.starts_with("db_connections_").then_some(&("db_connections", "postgres")));
    if let Some((_, by)) = series {
        if !is_collected(by) {
            let what = match *by {
                "host" => "this machine (`collect.host` is false)".to_owned(),
                by => format!("{by}, and there is no `collect.{by}`"),
            };
            return Err(format!("`{metric}` of `{run}` is a series of {what}"));
        }
        return has("series", &SERIES_STATS);
    }
    let built_in = builtin::TABLE.iter().map(|(name, ..)| *name);
    let collected = SERIES.iter().filter(|(_, by)| is_collected(by)).map(|(name, _)| *name);
    let declared = script.metrics.keys().chain(queries).map(String::as_str);
    let known: Vec<&str> = declared.chain(collected).chain(built_in).collect();
    let near = nearest(base, known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    let mut own: Vec<&str> = script.metrics.keys().map(String::as_str).collect();
    own.truncate(20);
    let own = if own.is_empty() { "no metric".to_owned() } else { own.join(", ") };
    let text = format!(
        "there is no metric or series `{base}` of `{run}`: it is not built in, its script declares {own}, and no \
         collector samples it{near}"
    );
    Err(text)
}

/// Sub-metrics are made by thresholds only.
fn check_submetric(figure: &FigureRef, base: &str, script: &ScriptFacts) -> Result<(), String> {
    let (run, metric) = (&figure.run, &figure.metric);
    let wanted = MetricSelector::parse(metric)?;
    let of_base: Vec<String> =
        script.submetrics().filter(|name| name.split('{').next().is_some_and(|parent| parent == base)).collect();
    if of_base.iter().any(|name| *name == *wanted.name) {
        return Ok(());
    }
    let tags = |name: &str| {
        let read = MetricSelector::parse(name).ok().and_then(|one| one.filter);
        read.map(|filter| filter.tags.iter().map(|(key, _)| key.to_string()).collect::<BTreeSet<_>>())
            .unwrap_or_default()
    };
    let known: BTreeSet<String> = of_base.iter().flat_map(|name| tags(name)).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let odd = tags(metric).into_iter().find(|key| !known.contains(&key.as_str()));
    let names: Vec<&str> = of_base.iter().map(String::as_str).collect();
    let near = match (
        odd.as_deref().and_then(|odd| nearest(odd, known.iter().copied())),
        nearest(metric, names.iter().copied()),
    ) {
        (Some(near), _) => format!(" (did you mean the tag `{near}`?)"),
        (None, Some(near)) => format!(" (did you mean `{near}`?)"),
        (None, None) => String::new(),
    };
    let has = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    Err(format!(
        "`{metric}` of `{run}` is not measured: sub-metrics are made by the thresholds of its script, and those of \
         `{base}` are {has}{near} `thresholds: {{ '{metric}': [] }}` in its options makes this one"
    ))
}

/// What is wrong with the file as a whole and ends nothing: runs that no criterion is about.
pub fn check_runs(procedure: &Procedure) -> Vec<PreflightResult> {
    let names: Vec<&str> = procedure.runs.iter().map(|run| run.name.as_str()).collect();
    let read: Vec<CriterionExpression> = procedure
        .criteria
        .iter()
        .filter_map(|criterion| CriterionExpression::parse(&criterion.text, &names).ok())
        .collect();
    let judged: BTreeSet<&str> =
        read.iter().flat_map(CriterionExpression::figures).map(|figure| figure.run.as_str()).collect();
    let forgotten = names.iter().filter(|name| !judged.contains(*name));
    let check = |name: &&str| PreflightResult {
        name: "criteria".to_owned(),
        state: CheckState::Warning,
        text: format!("no criterion judges the run `{name}`"),
        hint: Some(format!("add a criterion on `{name}` to `criteria`, or remove the run from the procedure file")),
        is_resource: false,
    };
    forgotten.map(check).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn script() -> ScriptFacts {
        ScriptFacts::read(&json!({
            "metrics": [{"name": "cache_hits", "type": "rate"}, {"name": "orders", "type": "counter"},
                {"name": "wait", "type": "trend"}, {"name": "level", "type": "gauge"}],
            "thresholds": {"http_req_duration{name:list}": ["p(95)<500"], "orders{ shop:a, kind:b }": [],
                "checks": ["rate>0.9"]},
            "totalDuration": "1m30s", "maxVUs": 7,
        }))
    }

    fn procedure(criterion: &str, collect: &Value) -> Procedure {
        let file = json!({"name": "n", "runs": [{"name": "a", "script": "a.js"}, {"name": "b", "script": "a.js"}],
            "criteria": [criterion], "collect": collect});
        Procedure::read(Some(&file.to_string())).unwrap()
    }

    #[test]
    fn what_scripts_and_collectors_measure_is_known() {
        let all = json!({"redis": {"url": "redis://x"}, "postgres": {"url": "postgres://x"},
            "prometheus": {"url": "http://x", "queries": {"goroutines": "go_goroutines"}}});
        let scripts = Scripts::from([("a".to_owned(), Ok(script()))]);
        let check = |criterion: &str| check_criteria(&procedure(criterion, &all), &scripts, "p.js").unwrap();
        check("a.http_req_duration.p95 < 100");
        check("a.http_req_duration{name:list}.p99.9 < 100");
        check("a.http_req_duration{expected_response:true}.med < 100");
        check("a.orders{shop:a, kind:b}.count > 1");
        check("a.cache_hits.rate > 75%");
        check("a.cache_hits.count / a.orders.rate > 1");
        check("a.wait.sum > 1");
        check("a.level.last > 1");
        check("a.redis_memory.max < 1000000");
        check("a.host_cpu.avg < 0.9");
        check("a.db_connections_idle_in_transaction.max < 2");
        check("a.goroutines.max < 200");
        check("a.goroutines{pod=x}.max < 200");
        // Nothing is known of what was not evaluated.
        check("b.anything.p95 < 1");
        assert_eq!((script().duration, script().max_vus), (Some(Duration::from_secs(90)), Some(7)));
        assert_eq!(script().words(), "2 thresholds");
    }

    #[test]
    fn what_nobody_measures_is_told() {
        let scripts = Scripts::from([("a".to_owned(), Ok(script()))]);
        let check = |criterion: &str, expect: &str| {
            let procedure = procedure(criterion, &json!({"host": false}));
            let failure = check_criteria(&procedure, &scripts, "p.js").expect_err(criterion);
            assert_eq!(failure.code, ExitCode::InvalidConfig);
            assert!(failure.message.starts_with("p.js: `criteria[0]`: "), "{}", failure.message);
            assert!(failure.message.contains(expect), "{criterion}: {}", failure.message);
            assert!(!failure.message.contains('\n'), "{}", failure.message);
        };
        check("a.http_req_duraton.p95 < 1", "did you mean `http_req_duration`?");
        check("a.cache_hit.rate > 0.5", "its script declares cache_hits, level, orders, wait, and no collector");
        check("a.nothing_like_this.rate > 0.5", "there is no metric or series `nothing_like_this` of `a`");
        check("a.http_req_duration{name:lst}.p95 < 1", "did you mean `http_req_duration{name:list}`?");
        check("a.http_req_duration{nmae:list}.p95 < 1", "did you mean the tag `name`?");
        check("a.http_reqs{name:list}.count > 1", "those of `http_reqs` are none");
        check("a.http_req_duration{name}.p95 < 1", "tag expression is malformed");
        check("a.nothing{name:list}.count > 1", "there is no metric or series `nothing`");
        check(
            "a.cache_hits.p95 > 1",
            "`cache_hits` of `a` is a rate and has no `p(95)`; it has rate, passes, fails, count",
        );
        check("a.http_reqs.max > 1", "`http_reqs` of `a` is a counter and has no `max`; it has count, rate");
        check("a.level.rate > 1", "`level` of `a` is a gauge and has no `rate`");
        check("a.http_req_duration.rate > 1", "is a trend and has no `rate`");
        check("a.redis_memory.max < 1", "`redis_memory` of `a` is a series of redis, and there is no `collect.redis`");
        check("a.db_connections.max < 1", "there is no `collect.postgres`");
        check("a.host_cpu.avg < 1", "is a series of this machine (`collect.host` is false)");
        check("1 > a.cache_hits.rate + a.ordres.count", "did you mean `orders`?");
    }

    #[test]
    fn series_have_few_figures() {
        let scripts = Scripts::from([("a".to_owned(), Ok(script()))]);
        let procedure = procedure("a.host_cpu.p95 < 1", &json!({}));
        let why = check_criteria(&procedure, &scripts, "p.js").unwrap_err().message;
        assert!(
            why.contains("`host_cpu` of `a` is a series and has no `p(95)`; it has min, avg, max, value, count"),
            "{why}"
        );
    }

    #[test]
    fn a_run_that_nobody_judges_is_told() {
        let checks = check_runs(&procedure("a.http_reqs.count > 0", &json!({})));
        assert_eq!(checks.len(), 1);
        assert_eq!(checks[0].text, "no criterion judges the run `b`");
        assert!(check_runs(&procedure("a.http_reqs.count > b.http_reqs.count", &json!({}))).is_empty());
    }
}
