//! `POST /auth/login`: credentials as JSON or as a form, for a token. `/users/me`: whose token it is.

use std::sync::Arc;

use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use axum::{Form, body};
use serde_json::{Value, json};

use super::super::App;
use super::super::api_error::ApiError;
use super::super::auth::LoginRequest;
use super::super::config::Account;

/// LoginRequest are short; a longer body is a mistake.
const MAX_BODY_BYTES: usize = 64 * 1024;

pub(super) async fn login(State(app): State<Arc<App>>, request: Request) -> Result<Response, ApiError> {
    let credentials = read(request).await?;
    let (token, account) = app.session.login(&credentials)?;
    let answer = json!({ "token": token, "access_token": token, "token_type": "Bearer", "user": user(account) });
    Ok(super::json_answer(StatusCode::OK, &super::also_as_data(answer)))
}

/// Whoever asks; below `/api`, where no token is needed, somebody without one is the first account.
pub(super) async fn me(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, ApiError> {
    let account = match (headers.contains_key(header::AUTHORIZATION), app.session.first()) {
        (false, Some(account)) => account,
        _ => app.session.check(&headers)?,
    };
    Ok(super::json_answer(StatusCode::OK, &super::also_as_data(user(account))))
}

fn user(account: &Account) -> Value {
    let name = account.email().split('@').next().unwrap_or_default();
    json!({ "id": format!("user-{name}"), "email": account.email(), "name": name, "role": "admin" })
}

async fn read(request: Request) -> Result<LoginRequest, ApiError> {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    if content_type.starts_with("application/x-www-form-urlencoded") {
        let form = Form::<LoginRequest>::from_request(request, &()).await;
        return form.map(|Form(form)| form).map_err(|error| ApiError::bad_request(error.body_text()));
    }
    let bytes = body::to_bytes(request.into_body(), MAX_BODY_BYTES).await;
    let bytes = bytes.map_err(|error| ApiError::bad_request(format!("the body can't be read: {error}")))?;
    serde_json::from_value(super::json_body(&bytes)?)
        .map_err(|error| ApiError::bad_request(format!("expected `email` and `password` as strings: {error}")))
}
