//! `/stats`, `/stats/risk-matrix`, `/stats/trends`, `/dashboard`: figures over the whole register.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::super::App;
use super::super::api_error::ApiError;
use super::{also_as_data, cached};

pub(super) async fn totals(State(app): State<Arc<App>>) -> Result<Response, ApiError> {
    let cache = app.cache.word();
    cached(&app, "stats".to_owned(), |store| {
        let mut stats = store.stats();
        stats.insert("cache_status".to_owned(), cache.into());
        Ok(also_as_data(stats.into()))
    })
    .await
}

pub(super) async fn dashboard(State(app): State<Arc<App>>) -> Result<Response, ApiError> {
    let cache = app.cache.word();
    cached(&app, "dashboard".to_owned(), |store| {
        let mut page = store.dashboard();
        page.insert("cache_status".to_owned(), cache.into());
        Ok(also_as_data(page.into()))
    })
    .await
}

pub(super) async fn matrix(State(app): State<Arc<App>>) -> Result<Response, ApiError> {
    cached(&app, "matrix".to_owned(), |store| Ok(store.matrix())).await
}

pub(super) async fn trends(State(app): State<Arc<App>>) -> Result<Response, ApiError> {
    cached(&app, "trends".to_owned(), |store| Ok(store.trends())).await
}
