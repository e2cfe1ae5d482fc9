//! Checks before any load, all at the same time: what was seen, and how to mend it.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::Value;

use super::collect::{postgres, redis};
use super::file::{HttpCheck, Procedure, Resource};
use super::journal::{Check, CheckState};
use super::plan::Planned;
use super::{Settings, child, host, plain_address, upload, web};
use crate::units::number;

/// How long a service may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

type Checking<'a> = Pin<Box<dyn Future<Output = Check> + 'a>>;

/// Runs all checks.
pub async fn check(procedure: &Procedure, planned: &[Planned], settings: &Settings) -> Vec<Check> {
    let preflight = &procedure.preflight;
    let mut checks: Vec<Checking<'_>> = Vec::new();
    for resource in &preflight.host {
        checks.push(Box::pin(async { check_resource(resource, &settings.cwd) }));
    }
    for http in &preflight.http {
        checks.push(Box::pin(async {
            result(http.name.clone(), http.required, check_http(http).await, "is the application running there")
        }));
    }
    if let Some(service) = &preflight.redis {
        checks.push(Box::pin(async {
            let pinged = within(redis::ping(&service.url)).await;
            result(
                named("Redis", &service.url),
                service.required,
                pinged,
                "start a Redis server there, or leave it out",
            )
        }));
    }
    if let Some(service) = &preflight.postgres {
        checks.push(Box::pin(async {
            let asked = within(postgres::ping(&service.url)).await;
            result(
                named("PostgreSQL", &service.url),
                service.required,
                asked,
                "is it running, and may this user connect",
            )
        }));
    }
    if let Some(service) = &preflight.prometheus {
        checks.push(Box::pin(async {
            let asked = check_prometheus(&service.url).await;
            result(named("Prometheus", &service.url), service.required, asked, "is it running, and does it scrape")
        }));
    }
    if let Some(target) = procedure.archive.as_ref().and_then(|archive| archive.upload.as_ref()) {
        checks.push(Box::pin(async {
            let seen = within(upload::reach(target, &settings.process_env, &settings.cwd)).await;
            let hint = "the archive can be uploaded later, with `volley procedure upload`";
            result(format!("store at {}", target.url), false, seen, hint)
        }));
    }
    if preflight.scripts {
        for run in planned.iter().filter(|run| run.is_wanted) {
            checks.push(Box::pin(async {
                let seen = check_script(run, settings).await;
                let name = format!("script of {}", run.name);
                result(name, true, seen, "`volley inspect --execution-requirements` shows what the script asks for")
            }));
        }
    }
    join_all(checks).await
}

fn named(what: &str, url: &str) -> String {
    format!("{what} at {}", plain_address(url))
}

fn result(name: String, required: bool, seen: Result<String, String>, hint: &str) -> Check {
    match seen {
        Ok(text) => Check { name, state: CheckState::Ok, text, hint: None, is_resource: false },
        Err(text) => {
            let state = if required { CheckState::Failed } else { CheckState::Warning };
            Check { name, state, text, hint: Some(hint.to_owned()), is_resource: false }
        }
    }
}

async fn within(asking: impl Future<Output = Result<String, String>>) -> Result<String, String> {
    let patient = tokio::time::timeout(PATIENCE, asking).await;
    patient.unwrap_or_else(|_| Err(format!("no answer within {} s", PATIENCE.as_secs())))
}

fn check_resource(resource: &Resource, cwd: &Path) -> Check {
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
        let text = "the system does not tell".to_owned();
        return Check { name: name.to_owned(), state: CheckState::Warning, text, hint: None, is_resource: true };
    };
    let (state, text, hint) = match (resource.minimum, resource.recommended) {
        (Some(least), _) if seen < least => {
            (CheckState::Failed, format!("{}, at least {} are needed", words(seen), words(least)), true)
        }
        (_, Some(better)) if seen < better => {
            (CheckState::Warning, format!("{}, {} are recommended", words(seen), words(better)), true)
        }
        _ => (CheckState::Ok, words(seen), false),
    };
    let hint = hint.then(|| "free some, or run the load from a larger machine".to_owned());
    Check { name: name.to_owned(), state, text, hint, is_resource: true }
}

async fn check_http(check: &HttpCheck) -> Result<String, String> {
    let answer = web::client()?.get(&check.url).send().await.map_err(|error| web::words(&error))?;
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
    let body: Value = answer.json().await.map_err(|_| "the body is no JSON".to_owned())?;
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
            Some(_) => return Err(format!("`{path}` is no list")),
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
        0 => Err(format!("none of its {targets} targets is up")),
        up => Ok(format!("{up} of {targets} targets are up")),
    }
}

/// Evaluates a script and its thresholds, in a child: nothing of it happens here.
async fn check_script(run: &Planned, settings: &Settings) -> Result<String, String> {
    let mut command = child::command(settings).map_err(|failure| failure.message)?;
    command.args(["inspect", "--execution-requirements", "--include-system-env-vars", "--log-format", "raw"]);
    command.arg(&run.script).envs(run.env.iter().map(|(key, value)| (key, value)));
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
    let count = options["thresholds"]
        .as_object()
        .map_or(0, |map| map.values().map(|list| list.as_array().map_or(1, Vec::len)).sum::<usize>());
    Ok(format!("{}, {count} threshold{}", run.script.display(), if count == 1 { "" } else { "s" }))
}
