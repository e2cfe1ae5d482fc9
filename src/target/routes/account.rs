//! `POST /auth/login`: credentials as JSON or as a form, for a token.

use std::sync::Arc;

use axum::extract::{FromRequest, Request, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use axum::{Form, body};
use serde_json::json;

use super::super::App;
use super::super::auth::Credentials;
use super::super::problem::Problem;

/// Credentials are short; a longer body is a mistake.
const LONGEST_BODY: usize = 64 * 1024;

pub(super) async fn login(State(app): State<Arc<App>>, request: Request) -> Result<Response, Problem> {
    let credentials = read(request).await?;
    let token = app.session.login(&credentials)?;
    Ok(super::json_answer(StatusCode::OK, &json!({ "token": token, "token_type": "Bearer" })))
}

async fn read(request: Request) -> Result<Credentials, Problem> {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    if content_type.starts_with("application/x-www-form-urlencoded") {
        let form = Form::<Credentials>::from_request(request, &()).await;
        return form.map(|Form(form)| form).map_err(|error| Problem::bad_request(error.body_text()));
    }
    let bytes = body::to_bytes(request.into_body(), LONGEST_BODY).await;
    let bytes = bytes.map_err(|error| Problem::bad_request(format!("the body can't be read: {error}")))?;
    serde_json::from_value(super::json_body(&bytes)?)
        .map_err(|error| Problem::bad_request(format!("expected `email` and `password` as strings: {error}")))
}
