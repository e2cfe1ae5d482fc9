//! `/risks`: list and search, one record, create, change, replace, delete, create many.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::App;
use super::super::problem::Problem;
use super::super::store::{Draft, Filter, Status};
use super::{also_as_data, cached, json_answer, json_body, page, whole, written};

/// The most records one bulk request holds.
const LONGEST_BULK: usize = 1_000;

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
    fn check(self) -> Result<Filter, Problem> {
        let status = self.status.filter(|word| !word.is_empty());
        Ok(Filter {
            page: page(self.page)?,
            limit: whole("limit", self.limit, 20, super::LONGEST_PAGE)?,
            search: self.search.or(self.q).unwrap_or_default(),
            status: status.map(|word| Status::parse(&word)).transpose().map_err(Problem::bad_request)?,
        })
    }
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query.map_err(|error| Problem::bad_request(error.body_text()))?;
    let filter = query.check()?;
    let key = format!("list:{}:{}:{:?}:{}", filter.page, filter.limit, filter.status, filter.search);
    cached(&app, key, |store| {
        let (data, total) = store.list(&filter);
        // `length` is what the procedure's preflight reads with `jq '.length'`.
        Ok(json!({ "data": data, "total": total, "page": filter.page, "limit": filter.limit, "length": total }))
    })
    .await
}

pub(super) async fn show(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Response, Problem> {
    let found = |store: &super::Store| store.get(&id).map(|risk| also_as_data(json!(risk))).ok_or_else(|| absent(&id));
    cached(&app, format!("risk:{id}"), found).await
}

pub(super) async fn create(State(app): State<Arc<App>>, body: Bytes) -> Result<Response, Problem> {
    let draft = Draft::read(json_body(&body)?).map_err(Problem::bad_request)?;
    let risk = written(&app, |store| store.create(draft).map_err(Problem::bad_request)).await?;
    Ok(json_answer(StatusCode::CREATED, &also_as_data(json!(risk))))
}

/// All or nothing: one wrong record, and none is created.
pub(super) async fn create_many(State(app): State<Arc<App>>, body: Bytes) -> Result<Response, Problem> {
    let list = match json_body(&body)? {
        Value::Array(list) => list,
        Value::Object(mut fields) => match fields.remove("risks") {
            Some(Value::Array(list)) => list,
            _ => return Err(Problem::bad_request("expected a list, or an object with a list `risks`")),
        },
        _ => return Err(Problem::bad_request("expected a list, or an object with a list `risks`")),
    };
    if list.is_empty() || list.len() > LONGEST_BULK {
        return Err(Problem::bad_request(format!("expected 1 to {LONGEST_BULK} risks, not {}", list.len())));
    }
    let draft = |(place, value)| {
        let draft = Draft::read(value).and_then(|draft| draft.complete());
        draft.map_err(|reason| Problem::bad_request(format!("risk {}: {reason}", place + 1)))
    };
    let drafts = list.into_iter().enumerate().map(draft).collect::<Result<Vec<Draft>, _>>()?;
    let ids = written(&app, |store| {
        let mut ids = Vec::with_capacity(drafts.len());
        for draft in drafts {
            ids.push(store.create(draft).map_err(Problem::bad_request)?.id().to_owned());
        }
        Ok(ids)
    })
    .await?;
    Ok(json_answer(StatusCode::CREATED, &json!({ "created": ids.len(), "ids": ids })))
}

pub(super) async fn patch(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, Problem> {
    let draft = Draft::read(json_body(&body)?).map_err(Problem::bad_request)?;
    let risk = written(&app, |store| store.patch(&id, draft).ok_or_else(|| absent(&id))).await?;
    Ok(json_answer(StatusCode::OK, &also_as_data(json!(risk))))
}

pub(super) async fn replace(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, Problem> {
    let draft = Draft::read(json_body(&body)?).map_err(Problem::bad_request)?;
    let replace =
        |store: &mut super::Store| store.replace(&id, draft).ok_or_else(|| absent(&id))?.map_err(Problem::bad_request);
    Ok(json_answer(StatusCode::OK, &also_as_data(json!(written(&app, replace).await?))))
}

pub(super) async fn delete(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Response, Problem> {
    written(&app, |store| if store.delete(&id) { Ok(()) } else { Err(absent(&id)) }).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn absent(id: &str) -> Problem {
    Problem::not_found(format!("there is no risk `{}`", id.escape_debug()))
}
