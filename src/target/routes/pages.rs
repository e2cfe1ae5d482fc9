//! `/app/...`: a few pages over the API, for tests that drive a browser.

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::super::api_error::ApiError;

const HTML: &str = "text/html; charset=utf-8";

/// Name, content type and text of everything below `/app/`.
const PAGES: [(&str, &str, &str); 6] = [
    ("login", HTML, include_str!("../pages/login.html")),
    ("risks", HTML, include_str!("../pages/risks.html")),
    ("import", HTML, include_str!("../pages/import.html")),
    ("order", HTML, include_str!("../pages/order.html")),
    ("payment", HTML, include_str!("../pages/payment.html")),
    ("style.css", "text/css", include_str!("../pages/style.css")),
];

pub(super) async fn page(Path(name): Path<String>) -> Result<Response, ApiError> {
    let (_, kind, text) =
        PAGES.iter().find(|(known, ..)| *known == name).ok_or_else(|| ApiError::not_found("there is no such page"))?;
    Ok(([(header::CONTENT_TYPE, *kind)], *text).into_response())
}
