//! `/stats`, `/stats/risk-matrix`, `/stats/trends`: figures over the whole register.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::super::App;
use super::super::problem::Problem;
use super::cached;

pub(super) async fn totals(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let cache = app.cache.word();
    cached(&app, "stats".to_owned(), |store| {
        let mut stats = store.stats();
        stats.insert("cache_status".to_owned(), cache.into());
        Ok(stats.into())
    })
    .await
}

pub(super) async fn matrix(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    cached(&app, "matrix".to_owned(), |store| Ok(store.matrix())).await
}

pub(super) async fn trends(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    cached(&app, "trends".to_owned(), |store| Ok(store.trends())).await
}
