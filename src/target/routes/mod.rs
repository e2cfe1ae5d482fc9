//! Every address the target answers, on one page.

mod account;
mod export;
mod grpc;
mod pages;
mod plain;
mod records;
mod risks;
mod service;
mod stats;
mod websocket;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::Value;

use super::api_error::ApiError;
use super::record_table::RecordKind;
use super::store::RiskRegister;
use super::{App, metrics};
use crate::units::sync;

/// `/api/v1/...` wants a token; the rest is open.
pub(super) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/health", get(service::health))
        .route("/api/health", get(service::health))
        .route("/metrics", get(service::metrics))
        .route("/api/v1/auth/login", post(account::login))
        .route("/api/auth/login", post(account::login))
        .route("/volley.demo.v1.Register/GetRisk", post(grpc::get_risk))
        .route("/volley.demo.v1.Register/ListRisks", post(grpc::list_risks))
        .route("/grpc.health.v1.Health/Check", post(grpc::health))
        .nest("/api/v1", register().route_layer(middleware::from_fn_with_state(app.clone(), token)))
        .nest("/api", register())
        .route("/app/{name}", get(pages::page))
        .fallback(async || ApiError::not_found("there is nothing at this address"))
        .method_not_allowed_fallback(async || ApiError::method_not_allowed())
        .layer(middleware::from_fn_with_state(app.clone(), metrics::observe))
        // Added after the layer, so that these cost nothing but the protocol: speed tests hit them.
        .route("/plain", get(plain::text))
        .route("/json", get(plain::json))
        .route("/ws/echo", get(websocket::echo))
        .with_state(app)
}

fn register() -> Router<Arc<App>> {
    Router::new()
        .route("/risks/bulk", post(risks::create_many))
        .route("/risks/search", get(records::risks))
        .route("/risks/export", get(export::risks))
        .route("/stats", get(stats::totals))
        .route("/stats/risk-matrix", get(stats::matrix))
        .route("/stats/trends", get(stats::trends))
        .route("/dashboard", get(stats::dashboard))
        .route("/search", get(records::search))
        .route("/export", get(export::risks))
        .route("/users/me", get(account::me))
        .route("/risks/{id}/mitigations", get(records::of_risk))
        .merge(records::routes(RecordKind::Risk))
        .merge(records::routes(RecordKind::Asset))
        .merge(records::routes(RecordKind::Item))
        .merge(records::routes(RecordKind::Mitigation))
}

async fn token(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    if let Err(error) = app.session.check(request.headers()) {
        return error.into_response();
    }
    next.run(request).await
}

/// Answers a read: from the cache, or after the time the "database" takes.
async fn cached<F>(app: &App, key: String, compute: F) -> Result<Response, ApiError>
where
    F: FnOnce(&RiskRegister) -> Result<Value, ApiError>,
{
    let generation = app.cache.generation();
    if let Some(body) = app.cache.get(generation, &key).await {
        app.metrics.cache_hits.fetch_add(1, Ordering::Relaxed);
        return Ok(read_answer(body, "HIT"));
    }
    app.metrics.cache_misses.fetch_add(1, Ordering::Relaxed);
    database_pause(app).await;
    let value = compute(&sync::read(&app.store))?;
    // A text is sent as it is; everything else is JSON.
    let body = Bytes::from(value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    app.cache.put(generation, key, body.clone()).await;
    Ok(read_answer(body, "MISS"))
}

/// Does a write, which takes its time and ends what the cache knows.
async fn written<T, F>(app: &App, write: F) -> Result<T, ApiError>
where
    F: FnOnce(&mut RiskRegister) -> Result<T, ApiError>,
{
    database_pause(app).await;
    let result = write(&mut sync::write(&app.store))?;
    app.cache.invalidate();
    Ok(result)
}

async fn database_pause(app: &App) {
    if !app.db_latency.is_zero() {
        tokio::time::sleep(app.db_latency).await;
    }
}

fn read_answer(body: Bytes, cache: &'static str) -> Response {
    let headers = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    let mut response = (headers, body).into_response();
    response.headers_mut().insert("x-cache", HeaderValue::from_static(cache));
    response
}

fn json_answer(status: StatusCode, value: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

/// A request body that must be JSON, whatever its content type says: scripts often send none.
fn json_body(body: &[u8]) -> Result<Value, ApiError> {
    serde_json::from_slice(body).map_err(|error| ApiError::bad_request(format!("the body is not JSON: {error}")))
}

/// The most records one page holds.
const MAX_PAGE_SIZE: usize = 100;

fn whole(name: &str, typed: Option<String>, default: usize, most: usize) -> Result<usize, ApiError> {
    let Some(typed) = typed.filter(|typed| !typed.is_empty()) else { return Ok(default) };
    match typed.parse() {
        Ok(number) if (1..=most).contains(&number) => Ok(number),
        _ if most == usize::MAX => Err(ApiError::bad_request(format!("`{name}` must be a whole number from 1"))),
        _ => Err(ApiError::bad_request(format!("`{name}` must be a whole number from 1 to {most}"))),
    }
}

/// The page asked for. Some clients count from 0: their first page is ours.
fn page(typed: Option<String>) -> Result<usize, ApiError> {
    whole("page", typed.filter(|typed| typed != "0"), 1, usize::MAX)
}

/// A single record, also under `data`: some clients look there, some do not.
fn also_as_data(record: Value) -> Value {
    let data = record.clone();
    match record {
        Value::Object(mut fields) if !fields.contains_key("data") => {
            fields.insert("data".to_owned(), data);
            Value::Object(fields)
        }
        other => other,
    }
}
