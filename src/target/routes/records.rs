//! `/assets`, `/items`, `/mitigations`: list and search, one record, create, change, delete; `/search` over everything.

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
use super::super::collection::Kind;
use super::super::problem::Problem;
use super::super::store::{Filter, Store};
use super::{LONGEST_PAGE, also_as_data, cached, json_answer, json_body, page, whole, written};

/// The query as typed; all of it text, so that a wrong value gets our own sentence.
#[derive(Deserialize)]
pub(super) struct ListQuery {
    page: Option<String>,
    limit: Option<String>,
    search: Option<String>,
    q: Option<String>,
}

impl ListQuery {
    fn check(self) -> Result<Filter, Problem> {
        Ok(Filter {
            page: page(self.page)?,
            limit: whole("limit", self.limit, 20, LONGEST_PAGE)?,
            search: self.search.or(self.q).unwrap_or_default(),
            status: None,
        })
    }
}

type Typed = Result<Query<ListQuery>, QueryRejection>;

fn checked(typed: Typed) -> Result<Filter, Problem> {
    let Query(query) = typed.map_err(|error| Problem::bad_request(error.body_text()))?;
    query.check()
}

/// The addresses of a kind of records.
pub(super) fn routes(kind: Kind) -> Router<Arc<App>> {
    let change = move |State(app): State<Arc<App>>, Path(id): Path<String>, body: Bytes| change(kind, app, id, body);
    Router::new()
        .route(
            &format!("/{}", kind.plural()),
            get(move |State(app): State<Arc<App>>, typed: Typed| list(kind, app, typed))
                .post(move |State(app): State<Arc<App>>, body: Bytes| create(kind, app, body)),
        )
        .route(
            &format!("/{}/{{id}}", kind.plural()),
            get(move |State(app): State<Arc<App>>, Path(id): Path<String>| show(kind, app, id))
                .patch(change)
                .put(change)
                .delete(move |State(app): State<Arc<App>>, Path(id): Path<String>| delete(kind, app, id)),
        )
}

/// A page of what was found, in the shape of `/risks`.
fn paged<'a>(found: impl Iterator<Item = &'a Value>, filter: &Filter) -> Value {
    let skip = (filter.page - 1).saturating_mul(filter.limit);
    let (mut data, mut total) = (Vec::new(), 0_usize);
    for record in found {
        if total >= skip && data.len() < filter.limit {
            data.push(record.clone());
        }
        total += 1;
    }
    json!({ "data": data, "total": total, "page": filter.page, "limit": filter.limit, "length": total })
}

async fn list(kind: Kind, app: Arc<App>, typed: Typed) -> Result<Response, Problem> {
    let filter = checked(typed)?;
    let key = format!("{}:{}:{}:{}", kind.plural(), filter.page, filter.limit, filter.search);
    cached(&app, key, |store| Ok(paged(store.records(kind).search(&filter.search), &filter))).await
}

async fn show(kind: Kind, app: Arc<App>, id: String) -> Result<Response, Problem> {
    let found = |store: &Store| {
        let record = store.records(kind).get(&id).cloned();
        record.map(also_as_data).ok_or_else(|| absent(kind, &id))
    };
    cached(&app, format!("{}:{id}", kind.word()), found).await
}

async fn create(kind: Kind, app: Arc<App>, body: Bytes) -> Result<Response, Problem> {
    let body = json_body(&body)?;
    let made = written(&app, |store| store.records_mut(kind).create(body).map_err(Problem::bad_request)).await?;
    Ok(json_answer(StatusCode::CREATED, &also_as_data(made)))
}

async fn change(kind: Kind, app: Arc<App>, id: String, body: Bytes) -> Result<Response, Problem> {
    let body = json_body(&body)?;
    let changed = written(&app, |store| {
        let changed = store.records_mut(kind).patch(&id, body).map_err(Problem::bad_request)?;
        changed.ok_or_else(|| absent(kind, &id))
    });
    Ok(json_answer(StatusCode::OK, &also_as_data(changed.await?)))
}

async fn delete(kind: Kind, app: Arc<App>, id: String) -> Result<Response, Problem> {
    let gone = |store: &mut Store| {
        if store.records_mut(kind).delete(&id) { Ok(()) } else { Err(absent(kind, &id)) }
    };
    written(&app, gone).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn absent(kind: Kind, id: &str) -> Problem {
    Problem::not_found(format!("there is no {} `{}`", kind.word(), id.escape_debug()))
}

/// What is done about a risk.
pub(super) async fn of_risk(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Response, Problem> {
    cached(&app, format!("mitigations of {id}"), |store| {
        if store.get(&id).is_none() {
            return Err(Problem::not_found(format!("there is no risk `{}`", id.escape_debug())));
        }
        let data: Vec<&Value> =
            store.records(Kind::Mitigation).all().filter(|one| one["risk_id"] == id.as_str()).collect();
        Ok(json!({ "data": data, "total": data.len() }))
    })
    .await
}

/// Risks, assets, items and mitigations that hold a text, each with its `type`.
pub(super) async fn search(State(app): State<Arc<App>>, typed: Typed) -> Result<Response, Problem> {
    let filter = checked(typed)?;
    let key = format!("search:{}:{}:{}", filter.page, filter.limit, filter.search);
    cached(&app, key, |store| {
        let typed = |mut record: Value, kind: &str| {
            record["type"] = kind.into();
            record
        };
        let mut found: Vec<Value> = store.search(&filter.search).map(|risk| typed(json!(risk), "risk")).collect();
        for kind in Kind::ALL {
            found.extend(store.records(kind).search(&filter.search).map(|one| typed(one.clone(), kind.word())));
        }
        Ok(paged(found.iter(), &filter))
    })
    .await
}
