//! Checks before any load, all at the same time: what was seen, and how to mend it.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::Value;

use super::collect::{postgres, redis};
use super::criteria_check::{self, Scripts};
use super::file::{HostResource, HttpCheck, Procedure, ServiceCheck};
use super::journal::{CheckState, PreflightResult};
use super::plan::PlannedRun;
use super::settings::ProcedureSettings;
use super::web::plain_address;
use super::{host, upload, web};
use crate::units::number;

/// How long a service may take to answer.
const CHECK_TIMEOUT: Duration = Duration::from_secs(10);

type Checking<'a> = Pin<Box<dyn Future<Output = PreflightResult> + 'a>>;

/// Runs all checks; results will be in `folder`.
pub async fn check(
    procedure: &Procedure,
    planned: &[PlannedRun],
    settings: &ProcedureSettings,
    scripts: &Scripts,
    folder: &Path,
) -> Vec<PreflightResult> {
    let preflight = &procedure.preflight;
    let mut checks: Vec<Checking<'_>> = Vec::new();
    for resource in &preflight.host {
        checks.push(Box::pin(async { check_resource(resource, &settings.cwd) }));
    }
    for http in &preflight.http {
        checks.push(Box::pin(async {
            let seen = check_http(http).await;
            let hint = match &seen {
                Err(HttpCheckError::Other(_)) => {
                    format!("see in the application's log why, or change the check `{}` in `preflight`", http.name)
                }
                _ => format!("start the application at {}, or correct the address", plain_address(&http.url)),
            };
            result(http.name.clone(), http.required, seen.map_err(HttpCheckError::words), &hint)
        }));
    }
    if let Some(service) = &preflight.redis {
        checks.push(Box::pin(async {
            let pinged = within(redis::ping(&service.url)).await;
            checked("Redis", service, pinged)
        }));
    }
    if let Some(service) = &preflight.postgres {
        checks.push(Box::pin(async {
            let asked = within(postgres::ping(&service.url)).await;
            checked("PostgreSQL", service, asked)
        }));
    }
    if let Some(service) = &preflight.prometheus {
        checks.push(Box::pin(async {
            let asked = check_prometheus(&service.url).await;
            checked("Prometheus", service, asked)
        }));
    }
    if let Some(target) = procedure.archive.as_ref().and_then(|archive| archive.upload.as_ref()) {
        checks.push(Box::pin(async {
            let seen = within(upload::reach(target, &settings.process_env, &settings.cwd)).await;
            let hint = "the archive can be uploaded later, with `volley procedure upload`";
            result(format!("store at {}", target.url), false, seen, hint)
        }));
    }
    let mut checks = join_all(checks).await;
    checks.extend(of_file(procedure, planned, scripts, folder));
    checks
}

/// The checks that need nothing but this machine and what is known of the scripts.
pub fn of_file(
    procedure: &Procedure,
    planned: &[PlannedRun],
    scripts: &Scripts,
    folder: &Path,
) -> Vec<PreflightResult> {
    let script = |run: &PlannedRun| {
        let seen = scripts.get(&run.name)?.as_ref();
        let seen = seen.map(|script| format!("{}, {}", run.script.display(), script.words())).map_err(Clone::clone);
        let hint = format!("mend the script; `volley inspect {}` evaluates it without any load", run.script.display());
        Some(result(format!("script of {}", run.name), true, seen, &hint))
    };
    let mut checks: Vec<PreflightResult> = planned.iter().filter_map(script).collect();
    checks.extend(criteria_check::check_runs(procedure));
    checks.push(check_results_space(procedure, planned, scripts, folder));
    checks
}

/// Requests per second of a VU that thinks now and then, for an estimate.
const VU_REQUESTS_PER_SECOND: f64 = 10.0;
/// What the samples of a request take, compressed.
const REQUEST_BYTES: f64 = 300.0;
/// What a run's other files take.
const RUN_BYTES: f64 = 2e6;

/// How many bytes of results the runs may leave behind. Nobody knows how many requests a script makes, so this is a
/// guess; what limits the samples limits it.
fn expected_bytes(procedure: &Procedure, planned: &[PlannedRun], scripts: &Scripts) -> f64 {
    let wanted: Vec<&PlannedRun> = planned.iter().filter(|run| run.is_wanted).collect();
    let bytes = |run: &&PlannedRun| {
        let script = scripts.get(&run.name).and_then(|script| script.as_ref().ok());
        let vus = run.vus.or_else(|| script?.max_vus).unwrap_or(1) as f64;
        let duration = run.duration.or_else(|| script?.duration).unwrap_or_default();
        RUN_BYTES + vus * duration.as_secs_f64() * VU_REQUESTS_PER_SECOND * REQUEST_BYTES
    };
    let share = procedure.samples.share(wanted.len());
    let limited = |run: &&PlannedRun| match share {
        Some(share) => bytes(run).min(share as f64 + RUN_BYTES),
        None => RUN_BYTES,
    };
    wanted.iter().map(limited).sum()
}

fn check_results_space(
    procedure: &Procedure,
    planned: &[PlannedRun],
    scripts: &Scripts,
    folder: &Path,
) -> PreflightResult {
    let expected = expected_bytes(procedure, planned, scripts);
    // The folder itself may not exist yet.
    let free = folder.ancestors().find(|folder| folder.exists()).and_then(host::free_disk);
    let (state, text) = match free {
        None => (CheckState::Warning, "the system does not say".to_owned()),
        Some(free) => {
            let state = if (free as f64) < expected { CheckState::Failed } else { CheckState::Ok };
            let (free, expected) = (number::bytes(free as f64), number::bytes(expected));
            (state, format!("{free} free, the results may take about {expected}"))
        }
    };
    let hint = (state == CheckState::Failed).then(|| {
        "free disk space, or write fewer samples: `samples: { limit: '500MB' }` or `samples: false`".to_owned()
    });
    PreflightResult { name: "disk space for results".to_owned(), state, text, hint, is_resource: true }
}

/// A service that answers, or not.
fn checked(what: &str, service: &ServiceCheck, seen: Result<String, String>) -> PreflightResult {
    let name = format!("{what} at {}", plain_address(&service.url));
    let hint = match what {
        "PostgreSQL" => format!("start {name} and let this user connect, or remove it from the procedure file"),
        "Prometheus" => format!("start {name} with targets that it can scrape, or remove it from the procedure file"),
        _ => format!("start {name}, or remove it from the procedure file"),
    };
    result(name, service.required, seen, &hint)
}

fn result(name: String, required: bool, seen: Result<String, String>, hint: &str) -> PreflightResult {
    match seen {
        Ok(text) => PreflightResult { name, state: CheckState::Ok, text, hint: None, is_resource: false },
        Err(text) => {
            let state = if required { CheckState::Failed } else { CheckState::Warning };
            PreflightResult { name, state, text, hint: Some(hint.to_owned()), is_resource: false }
        }
    }
}

async fn within(asking: impl Future<Output = Result<String, String>>) -> Result<String, String> {
    let patient = tokio::time::timeout(CHECK_TIMEOUT, asking).await;
    patient.unwrap_or_else(|_| Err(format!("no answer within {} s", CHECK_TIMEOUT.as_secs())))
}

fn check_resource(resource: &HostResource, cwd: &Path) -> PreflightResult {
    let (seen, name) = match resource.what {
        "memory" => (host::available_memory(), "memory available"),
        "cores" => (std::thread::available_parallelism().ok().map(|cores| cores.get() as u64), "processor cores"),
        _ => (host::free_disk(cwd), "disk space free"),
    };
    let words = |amount: u64| match resource.what {
        "cores" => amount.to_string(),
        _ => number::bytes(amount as f64),
    };
    let Some(seen) = seen else {
        let text = "the system does not say".to_owned();
        return PreflightResult {
            name: name.to_owned(),
            state: CheckState::Warning,
            text,
            hint: None,
            is_resource: true,
        };
    };
    let (state, text, hint) = match (resource.minimum, resource.recommended) {
        (Some(least), _) if seen < least => {
            (CheckState::Failed, format!("{} (needed: {})", words(seen), words(least)), true)
        }
        (_, Some(better)) if seen < better => {
            (CheckState::Warning, format!("{} (recommended: {})", words(seen), words(better)), true)
        }
        _ => (CheckState::Ok, words(seen), false),
    };
    let hint = hint.then(|| match resource.what {
        "memory" => "free memory on this machine, or make the load on a larger one".to_owned(),
        "cores" => "make the load on a machine with more cores".to_owned(),
        _ => "free disk space on this machine, or make the load on a larger one".to_owned(),
    });
    PreflightResult { name: name.to_owned(), state, text, hint, is_resource: true }
}

/// Why an HTTP check failed.
enum HttpCheckError {
    /// Nobody answered.
    Silent(String),
    /// The answer was not the expected one.
    Other(String),
}

impl HttpCheckError {
    fn words(self) -> String {
        let (Self::Silent(text) | Self::Other(text)) = self;
        text
    }
}

async fn check_http(check: &HttpCheck) -> Result<String, HttpCheckError> {
    let client = web::client().map_err(HttpCheckError::Other)?;
    let sent = client.get(&check.url).send().await;
    let answer = sent.map_err(|error| HttpCheckError::Silent(web::words(&error)))?;
    judge_answer(check, answer).await.map_err(HttpCheckError::Other)
}

async fn judge_answer(check: &HttpCheck, answer: reqwest::Response) -> Result<String, String> {
    let status = answer.status().as_u16();
    if status != check.status {
        return Err(format!("status {status} instead of {}", check.status));
    }
    if let Some(header) = &check.header
        && !answer.headers().contains_key(header.as_str())
    {
        return Err(format!("there is no header `{header}`"));
    }
    if check.json.is_none() && check.not_empty.is_none() {
        return Ok(format!("status {status}"));
    }
    let body: Value = answer.json().await.map_err(|_| "the body is not JSON".to_owned())?;
    if let Some((path, wanted)) = &check.json {
        match web::at(&body, path) {
            Some(seen) if seen == wanted => (),
            Some(seen) => return Err(format!("`{path}` is {seen} instead of {wanted}")),
            None => return Err(format!("there is no `{path}`")),
        }
    }
    if let Some(path) = &check.not_empty {
        match web::at(&body, path) {
            Some(Value::Array(list)) if !list.is_empty() => (),
            Some(Value::Array(_)) => return Err(format!("`{path}` is an empty list")),
            Some(_) => return Err(format!("`{path}` is not a list")),
            None => return Err(format!("there is no `{path}`")),
        }
    }
    Ok(format!("status {status}, the body is as expected"))
}

async fn check_prometheus(url: &str) -> Result<String, String> {
    let answer = web::prometheus(&web::client()?, url, "query", &[("query", "up".to_owned())]).await?;
    let targets = answer.pointer("/data/result").and_then(Value::as_array).map_or(0, Vec::len);
    let is_up = |target: &&Value| target.pointer("/value/1").and_then(Value::as_str) == Some("1");
    let up =
        answer.pointer("/data/result").and_then(Value::as_array).map_or(0, |list| list.iter().filter(is_up).count());
    match up {
        0 if targets == 0 => Err("it has no targets".to_owned()),
        0 if targets == 1 => Err("its one target is not up".to_owned()),
        0 => Err(format!("none of its {targets} targets is up")),
        up => Ok(format!("{up} of {targets} targets {} up", if up == 1 { "is" } else { "are" })),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::procedure::{check, plan};

    #[test]
    fn the_space_for_results_is_estimated() {
        let settings = ProcedureSettings {
            file: "p.js".to_owned(),
            variables: Default::default(),
            js_engine: None,
            process_env: Default::default(),
            cwd: "/".into(),
            only: Vec::new(),
            skip: vec!["skipped".to_owned()],
            scale: 1.0,
            dry_run: true,
            resume: None,
        };
        let check = |samples: Value, expect: f64| {
            let file = json!({"name": "n", "criteria": ["a.http_reqs.count > 0"], "samples": samples, "runs": [
                {"name": "a", "script": "a.js", "vus": 10, "duration": "100s"},
                {"name": "b", "script": "a.js", "stages": [{"duration": "10s", "target": 1000}, {"duration": "10s", "target": 0}]},
                {"name": "skipped", "script": "a.js", "vus": 1000, "duration": "24h"},
            ]});
            let procedure = Procedure::read(Some(&file.to_string())).unwrap();
            let planned = plan::plan(&procedure, &settings).unwrap();
            assert_eq!(check::expected_bytes(&procedure, &planned, &Scripts::new()), expect, "{samples}");
        };
        // 10 VUs for 100 s and 1000 for 20 s, with ten requests a second.
        check(json!(true), 2e6 + 1000.0 * 10.0 * 300.0 + 2e6 + 20_000.0 * 10.0 * 300.0);
        check(json!({"limit": "20MB"}), 2e6 + 3e6 + 2e6 + 10e6);
        check(json!(false), 4e6);
    }

    #[test]
    fn too_little_space_fails() {
        let file = json!({"name": "n", "criteria": ["a.http_reqs.count > 0"], "samples": {"limit": "900000000TB"},
            "runs": [{"name": "a", "script": "a.js", "vus": 1_000_000, "duration": "1h"}]});
        let procedure = Procedure::read(Some(&file.to_string())).unwrap();
        let run = PlannedRun {
            name: "a".to_owned(),
            script: "a.js".into(),
            words: String::new(),
            selection: Vec::new(),
            flags: Vec::new(),
            env: Vec::new(),
            tags: Vec::new(),
            vus: Some(1_000_000),
            duration: Some(Duration::from_secs(1_000_000_000)),
            cool_down: Duration::ZERO,
            is_wanted: true,
        };
        let seen = check_results_space(&procedure, &[run], &Scripts::new(), Path::new("/tmp/not/there/yet"));
        assert_eq!(seen.state, CheckState::Failed, "{seen:?}");
        assert!(seen.hint.unwrap().contains("`samples: false`"));
    }
}
