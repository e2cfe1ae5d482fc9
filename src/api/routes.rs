//! Every address of the API, on one page.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{StatusCode, Uri, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use serde::Deserialize;
use serde_json::Value;

use super::{RunControl, documents, process};
use crate::failure::Failure;
use crate::net::origin::OriginCheck;

type ControlState = State<Arc<dyn RunControl>>;

/// The largest body in bytes. Setup data may be large; more than this is a mistake.
const MAX_BODY_BYTES: usize = 64 << 20;

/// Content types as k6 gives them: clients that look at them find what they know.
pub(super) const STATUS: &str = "application/json; charset=utf-8";
const SETUP: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

pub(super) fn router(run: Arc<dyn RunControl>, check: OriginCheck) -> Router {
    Router::new()
        .route("/v1/status", get(status).patch(change))
        .route("/v1/metrics", get(metrics))
        .route("/v1/metrics/{name}", get(metric))
        .route("/v1/groups", get(groups))
        .route("/v1/groups/{id}", get(group))
        .route("/v1/setup", get(setup).put(put_setup).post(set_up))
        .route("/v1/teardown", post(tear_down))
        .route("/v1", any(not_found))
        .route("/v1/{*rest}", any(not_found))
        .route("/debug/{*rest}", any(profiles))
        .route("/metrics", get(async || answer(TEXT, process::metrics())))
        .fallback(async || answer(TEXT, "ok".to_owned()))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(from_fn_with_state(Arc::new(check), guard))
        .with_state(run)
}

/// Requests of foreign web pages are refused before anything else looks at them.
async fn guard(State(check): State<Arc<OriginCheck>>, request: Request, next: Next) -> Response {
    match check.refusal(request.method(), request.headers(), request.uri().authority()) {
        Some(why) => problem(StatusCode::FORBIDDEN, "Forbidden", &why),
        None => next.run(request).await,
    }
}

fn answer(kind: &'static str, text: String) -> Response {
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

fn document(kind: &'static str, document: &Value) -> Response {
    answer(kind, document.to_string())
}

fn problem(status: StatusCode, title: &str, detail: &str) -> Response {
    (status, document(STATUS, &documents::error(status.as_u16(), title, detail))).into_response()
}

fn missing(what: &str) -> Response {
    problem(StatusCode::NOT_FOUND, "Not Found", &format!("No {what} with that ID was found"))
}

fn broken(title: &str, failure: &Failure) -> Response {
    problem(StatusCode::INTERNAL_SERVER_ERROR, title, &failure.message)
}

async fn not_found() -> Response {
    (StatusCode::NOT_FOUND, answer(TEXT, "404 page not found\n".to_owned())).into_response()
}

async fn profiles(uri: Uri) -> Response {
    if !uri.path().starts_with("/debug/pprof") {
        return not_found().await;
    }
    answer(TEXT, "profiles in Go's form are not offered; use a profiler of the system, such as perf\n".to_owned())
}

async fn status(State(run): ControlState) -> Response {
    document(STATUS, &documents::status(&run.condition()))
}

/// What a client may change; kinds and ids may be left out.
#[derive(Debug, Default, Deserialize)]
struct Change {
    #[serde(default)]
    data: ChangeData,
}

#[derive(Debug, Default, Deserialize)]
struct ChangeData {
    #[serde(default)]
    attributes: StatusPatch,
}

#[derive(Debug, Default, Deserialize)]
struct StatusPatch {
    paused: Option<bool>,
    stopped: Option<bool>,
    vus: Option<i64>,
    #[serde(rename = "vus-max")]
    vus_max: Option<i64>,
}

async fn change(State(run): ControlState, body: Bytes) -> Response {
    let wanted = match serde_json::from_slice::<Change>(&body) {
        Ok(change) => change.data.attributes,
        Err(error) => return problem(StatusCode::BAD_REQUEST, "Invalid data", &error.to_string()),
    };
    // A run that stops has no use for the rest: clients that stop a paused run send `paused: false` with it.
    let result = if wanted.stopped == Some(true) {
        run.stop();
        Ok(())
    } else {
        let paused = wanted.paused.map_or(Ok(()), |paused| run.pause(paused));
        paused.and_then(|()| match (wanted.vus, wanted.vus_max) {
            (None, None) => Ok(()),
            (vus, vus_max) => run.scale(vus, vus_max),
        })
    };
    match result {
        Ok(()) => document(STATUS, &documents::status(&run.condition())),
        Err(error) => problem(StatusCode::INTERNAL_SERVER_ERROR, error.title, &error.detail),
    }
}

async fn metrics(State(run): ControlState) -> Response {
    document(TEXT, &documents::metrics(&run.results()))
}

async fn metric(State(run): ControlState, Path(name): Path<String>) -> Response {
    let results = run.results();
    results.metric(&name).map_or_else(|| missing("metric"), |metric| document(TEXT, &documents::metric(metric)))
}

async fn groups(State(run): ControlState) -> Response {
    document(TEXT, &documents::groups(&run.results().root))
}

async fn group(State(run): ControlState, Path(id): Path<String>) -> Response {
    let found = documents::group(&run.results().root, &id);
    found.map_or_else(|| missing("group"), |group| document(TEXT, &group))
}

async fn setup(State(run): ControlState) -> Response {
    document(SETUP, &documents::setup(run.setup_data().as_deref()))
}

async fn put_setup(State(run): ControlState, body: Bytes) -> Response {
    let wrong = |error: &dyn std::fmt::Display| {
        problem(StatusCode::BAD_REQUEST, "Error parsing request body", &error.to_string())
    };
    let data = match std::str::from_utf8(&body).map(str::trim) {
        Err(error) => return wrong(&error),
        Ok("") => None,
        Ok(text) => match serde_json::from_str::<serde::de::IgnoredAny>(text) {
            Ok(_) => Some(text.into()),
            Err(error) => return wrong(&error),
        },
    };
    run.put_setup_data(data);
    setup(State(run)).await
}

async fn set_up(State(run): ControlState) -> Response {
    match run.clone().set_up().await {
        Ok(()) => setup(State(run)).await,
        Err(failure) => broken("Error executing setup", &failure),
    }
}

async fn tear_down(State(run): ControlState) -> Response {
    match run.tear_down().await {
        Ok(()) => Response::new(Body::empty()),
        Err(failure) => broken("Error executing teardown", &failure),
    }
}
