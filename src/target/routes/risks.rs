//! `/risks/bulk`: many risks at once.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::super::App;
use super::super::api_error::ApiError;
use super::super::store::RiskDraft;
use super::{json_answer, json_body, written};

/// The most risks one request holds.
const MAX_BULK_RISKS: usize = 1_000;

/// All or nothing: one wrong record, and none is created.
pub(super) async fn create_many(State(app): State<Arc<App>>, body: Bytes) -> Result<Response, ApiError> {
    let list = match json_body(&body)? {
        Value::Array(list) => list,
        Value::Object(mut fields) => match fields.remove("risks") {
            Some(Value::Array(list)) => list,
            _ => return Err(ApiError::bad_request("expected a list, or an object with a list `risks`")),
        },
        _ => return Err(ApiError::bad_request("expected a list, or an object with a list `risks`")),
    };
    if list.is_empty() || list.len() > MAX_BULK_RISKS {
        return Err(ApiError::bad_request(format!("expected 1 to {MAX_BULK_RISKS} risks, not {}", list.len())));
    }
    let draft = |(place, value)| {
        let draft = RiskDraft::read(value).and_then(|draft| draft.complete());
        draft.map_err(|reason| ApiError::bad_request(format!("risk {}: {reason}", place + 1)))
    };
    let drafts = list.into_iter().enumerate().map(draft).collect::<Result<Vec<RiskDraft>, _>>()?;
    let ids = written(&app, |store| {
        let mut ids = Vec::with_capacity(drafts.len());
        for draft in drafts {
            ids.push(store.create(draft).map_err(ApiError::bad_request)?.id().to_owned());
        }
        Ok(ids)
    })
    .await?;
    Ok(json_answer(StatusCode::CREATED, &json!({ "created": ids.len(), "ids": ids })))
}
