//! Two answers that cost nothing but HTTP, for measuring load generators: 5 bytes, and about 2.9 KB of JSON.

use std::sync::LazyLock;

use axum::body::Bytes;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// Written once per process; `load_tests/speed/run.py` serves the same document from nginx.
static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| {
    let data: Vec<Value> = (1..=20)
        .map(|number| {
            json!({
                "id": number,
                "title": format!("Risk number {number}"),
                "description": "A short text about what could happen, and to whom.",
                "impact": number % 5 + 1,
                "probability": number % 3 + 1,
                "status": "open",
            })
        })
        .collect();
    Bytes::from(json!({ "data": data, "total": 20, "page": 1, "limit": 20 }).to_string())
});

pub(super) async fn text() -> &'static str {
    "hello"
}

pub(super) async fn json() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.clone()).into_response()
}
