//! The register over gRPC, as `load_tests/examples/data/register.proto` describes it: read one risk, read many as a
//! stream, and how the target is. Open to everybody, past the cache.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, Full};
use percent_encoding::{CONTROLS, utf8_percent_encode};
use prost::Message;

use super::App;
use crate::target::store::{self, Filter};
use crate::units::sync::read;

/// Nothing went wrong.
const OK: u32 = 0;
const INVALID_ARGUMENT: u32 = 3;
const NOT_FOUND: u32 = 5;

/// Flag and length of a message.
const HEAD: usize = 5;

#[derive(Clone, PartialEq, Message)]
struct Id {
    #[prost(string, tag = "1")]
    id: String,
}

#[derive(Clone, PartialEq, Message)]
struct ListRequest {
    #[prost(uint32, tag = "1")]
    limit: u32,
    #[prost(string, tag = "2")]
    search: String,
}

#[derive(Clone, PartialEq, Message)]
struct RiskMessage {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "2")]
    title: String,
    #[prost(uint32, tag = "3")]
    score: u32,
}

impl From<&store::Risk> for RiskMessage {
    fn from(risk: &store::Risk) -> Self {
        Self { id: risk.id().to_owned(), title: risk.title().to_owned(), score: risk.score().into() }
    }
}

/// `grpc.health.v1.HealthCheckResponse`
#[derive(Clone, PartialEq, Message)]
struct HealthReply {
    #[prost(int32, tag = "1")]
    status: i32,
}

/// `volley.demo.v1.Register/GetRisk`
pub(super) async fn get_risk(State(app): State<Arc<App>>, body: Bytes) -> Response {
    super::database_pause(&app).await;
    let Some(Id { id }) = request_message(&body) else { return no_request_message() };
    let store = read(&app.store);
    match store.get(&id) {
        Some(risk) => answer(&[RiskMessage::from(risk)], OK, ""),
        None => answer::<RiskMessage>(&[], NOT_FOUND, &format!("there is no risk {id}")),
    }
}

/// `volley.demo.v1.Register/ListRisks`
pub(super) async fn list_risks(State(app): State<Arc<App>>, body: Bytes) -> Response {
    super::database_pause(&app).await;
    let Some(ListRequest { limit, search }) = request_message(&body) else { return no_request_message() };
    let filter = Filter { page: 1, limit: limit.clamp(1, 100) as usize, search: search.to_lowercase(), status: None };
    let store = read(&app.store);
    let (risks, _) = store.list(&filter);
    answer(&risks.into_iter().map(RiskMessage::from).collect::<Vec<_>>(), OK, "")
}

/// `grpc.health.v1.Health/Check`
pub(super) async fn health() -> Response {
    answer(&[HealthReply { status: 1 }], OK, "")
}

/// The one message of a body.
fn request_message<M: Message + Default>(body: &[u8]) -> Option<M> {
    let (head, message) = body.split_at_checked(HEAD)?;
    (head[0] == 0).then(|| M::decode(message).ok()).flatten()
}

fn no_request_message() -> Response {
    answer::<RiskMessage>(&[], INVALID_ARGUMENT, "the body holds no message of this method")
}

/// Messages, and behind them how it went.
fn answer<M: Message>(messages: &[M], code: u32, text: &str) -> Response {
    let mut body = Vec::new();
    for message in messages {
        body.push(0);
        body.extend_from_slice(&(message.encoded_len() as u32).to_be_bytes());
        body.extend_from_slice(&message.encode_to_vec());
    }
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from(code));
    let text = utf8_percent_encode(text, const { &CONTROLS.add(b'%') }).to_string();
    if let Ok(text) = HeaderValue::try_from(text) {
        trailers.insert("grpc-message", text);
    }
    let body = Full::new(Bytes::from(body)).with_trailers(async move { Some(Ok(trailers)) });
    ([(header::CONTENT_TYPE, "application/grpc")], Body::new(body)).into_response()
}
