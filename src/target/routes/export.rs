//! `/export`: the whole register as JSON or, with `?format=csv`, as CSV.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;

use super::super::App;
use super::super::api_error::ApiError;
use super::cached;

#[derive(Deserialize)]
pub(super) struct ExportQuery {
    format: Option<String>,
}

pub(super) async fn risks(
    State(app): State<Arc<App>>,
    typed: Result<Query<ExportQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(query) = typed.map_err(|error| ApiError::bad_request(error.body_text()))?;
    match query.format.as_deref() {
        None | Some("" | "json") => {
            cached(&app, "export".to_owned(), |store| {
                let data: Vec<_> = store.search("").collect();
                Ok(json!({ "data": data, "total": data.len() }))
            })
            .await
        }
        Some("csv") => {
            let mut response = cached(&app, "export:csv".to_owned(), |store| Ok(store.csv().into())).await?;
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
            Ok(response)
        }
        Some(other) => {
            let why = format!("`format` must be `json` or `csv`, not `{}`", other.escape_debug());
            Err(ApiError::bad_request(why))
        }
    }
}
