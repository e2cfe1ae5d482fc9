//! `/health` and `/metrics`: how the target is, and what it saw.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::super::App;

use crate::units::sync::read;

pub(super) async fn health(State(app): State<Arc<App>>) -> Response {
    // A cache that is away makes the target slow, not ill: the status stays `ok`, the cache's own says what is wrong.
    let health = json!({
        "status": "ok",
        "version": env!("CARGO_PKG_VERSION"),
        "uptime_seconds": app.started.elapsed().as_secs(),
        "risks": read(&app.store).len(),
        "cache": app.cache.health().await,
    });
    super::json_answer(StatusCode::OK, &health)
}

pub(super) async fn metrics(State(app): State<Arc<App>>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], app.metrics.render()).into_response()
}
