//! `/risks`, `/assets`, `/items`, `/mitigations`: list and search, one record, create, change, replace, delete; `/search` over
//! everything.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::App;
use super::super::api_error::ApiError;
use super::super::record_table::RecordKind;
use super::super::store::{Filter, RecordDraft, RiskRegister, RiskStatus};
use super::{MAX_PAGE_SIZE, also_as_data, cached, json_answer, json_body, page, whole, written};

/// The query as typed; all of it text, so that a wrong value gets our own sentence.
#[derive(Deserialize)]
pub(super) struct ListQuery {
    page: Option<String>,
    limit: Option<String>,
    search: Option<String>,
    q: Option<String>,
    status: Option<String>,
}

impl ListQuery {
    fn check(self, kind: Option<RecordKind>) -> Result<Filter, ApiError> {
        // Only risks have one.
        let status = self.status.filter(|word| kind == Some(RecordKind::Risk) && !word.is_empty());
        Ok(Filter {
            page: page(self.page)?,
            limit: whole("limit", self.limit, 20, MAX_PAGE_SIZE)?,
            search: self.search.or(self.q).unwrap_or_default(),
            status: status.map(|word| RiskStatus::parse(&word)).transpose().map_err(ApiError::bad_request)?,
        })
    }
}

type Typed = Result<Query<ListQuery>, QueryRejection>;

fn checked(kind: Option<RecordKind>, typed: Typed) -> Result<Filter, ApiError> {
    let Query(query) = typed.map_err(|error| ApiError::bad_request(error.body_text()))?;
    query.check(kind)
}

/// The addresses of a kind of records.
pub(super) fn routes(kind: RecordKind) -> Router<Arc<App>> {
    Router::new()
        .route(
            &format!("/{}", kind.plural()),
            get(move |State(app): State<Arc<App>>, typed: Typed| list(kind, app, typed))
                .post(move |State(app): State<Arc<App>>, body: Bytes| create(kind, app, body)),
        )
        .route(
            &format!("/{}/{{id}}", kind.plural()),
            get(move |State(app): State<Arc<App>>, Path(id): Path<String>| show(kind, app, id))
                .patch(move |State(app): State<Arc<App>>, Path(id): Path<String>, body: Bytes| {
                    patch(kind, app, id, body)
                })
                .put(move |State(app): State<Arc<App>>, Path(id): Path<String>, body: Bytes| {
                    replace(kind, app, id, body)
                })
                .delete(move |State(app): State<Arc<App>>, Path(id): Path<String>| delete(kind, app, id)),
        )
}

/// A page of records as an answer.
fn paged((data, total): (Vec<Value>, usize), filter: &Filter) -> Value {
    // `length` is what the procedure's preflight reads with `jq '.length'`.
    json!({ "data": data, "total": total, "page": filter.page, "limit": filter.limit, "length": total })
}

async fn list(kind: RecordKind, app: Arc<App>, typed: Typed) -> Result<Response, ApiError> {
    let filter = checked(Some(kind), typed)?;
    let key = format!("{}:{}:{}:{:?}:{}", kind.plural(), filter.page, filter.limit, filter.status, filter.search);
    cached(&app, key, |store| Ok(paged(store.list_records(kind, &filter), &filter))).await
}

/// The list of risks under another address.
pub(super) async fn risks(State(app): State<Arc<App>>, typed: Typed) -> Result<Response, ApiError> {
    list(RecordKind::Risk, app, typed).await
}

async fn show(kind: RecordKind, app: Arc<App>, id: String) -> Result<Response, ApiError> {
    let found = |store: &RiskRegister| store.record(kind, &id).map(also_as_data).ok_or_else(|| absent(kind, &id));
    cached(&app, format!("{}:{id}", kind.word()), found).await
}

fn draft(kind: RecordKind, body: &[u8]) -> Result<RecordDraft, ApiError> {
    RecordDraft::read(kind, json_body(body)?).map_err(ApiError::bad_request)
}

async fn create(kind: RecordKind, app: Arc<App>, body: Bytes) -> Result<Response, ApiError> {
    let draft = draft(kind, &body)?;
    let made = written(&app, |store| store.create_record(draft).map_err(ApiError::bad_request)).await?;
    Ok(json_answer(StatusCode::CREATED, &also_as_data(made)))
}

async fn patch(kind: RecordKind, app: Arc<App>, id: String, body: Bytes) -> Result<Response, ApiError> {
    let draft = draft(kind, &body)?;
    changed(kind, &app, &id, |store| store.patch_record(&id, draft)).await
}

async fn replace(kind: RecordKind, app: Arc<App>, id: String, body: Bytes) -> Result<Response, ApiError> {
    let draft = draft(kind, &body)?;
    changed(kind, &app, &id, |store| store.replace_record(&id, draft)).await
}

async fn changed(
    kind: RecordKind,
    app: &App,
    id: &str,
    change: impl FnOnce(&mut RiskRegister) -> Result<Option<Value>, String>,
) -> Result<Response, ApiError> {
    let change =
        |store: &mut RiskRegister| change(store).map_err(ApiError::bad_request)?.ok_or_else(|| absent(kind, id));
    Ok(json_answer(StatusCode::OK, &also_as_data(written(app, change).await?)))
}

async fn delete(kind: RecordKind, app: Arc<App>, id: String) -> Result<Response, ApiError> {
    let gone = |store: &mut RiskRegister| if store.delete_record(kind, &id) { Ok(()) } else { Err(absent(kind, &id)) };
    written(&app, gone).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn absent(kind: RecordKind, id: &str) -> ApiError {
    ApiError::not_found(format!("there is no {} `{}`", kind.word(), id.escape_debug()))
}

/// What is done about a risk.
pub(super) async fn of_risk(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Response, ApiError> {
    cached(&app, format!("mitigations of {id}"), |store| {
        if store.get(&id).is_none() {
            return Err(absent(RecordKind::Risk, &id));
        }
        let data = store.mitigations_of(&id);
        Ok(json!({ "data": data, "total": data.len() }))
    })
    .await
}

/// Risks, assets, items and mitigations that hold a text, each with its `type`.
pub(super) async fn search(State(app): State<Arc<App>>, typed: Typed) -> Result<Response, ApiError> {
    let filter = checked(None, typed)?;
    let key = format!("search:{}:{}:{}", filter.page, filter.limit, filter.search);
    cached(&app, key, |store| Ok(paged(store.search_all(&filter), &filter))).await
}
