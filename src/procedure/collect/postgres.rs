//! PostgreSQL over time: connections by state; before and after: statements and sizes of tables. Read-only, with a
//! timeout, over one connection that does not count itself.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

use serde_json::{Value, json};
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use super::{Point, Source};

/// Asks for the version.
///
/// # Errors
/// What PostgreSQL, or the way to it, says.
pub async fn ping(url: &str) -> Result<String, String> {
    let client = connect(url).await?;
    let rows = rows(&client, "SHOW server_version").await?;
    Ok(format!("version {}", rows.first().and_then(|row| row.first()).map_or("unknown", String::as_str)))
}

async fn connect(url: &str) -> Result<Client, String> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.map_err(|error| words(&error))?;
    // Ends with the client; its error is the next query's.
    tokio::spawn(async move { _ = connection.await });
    let settings = "SET default_transaction_read_only = on; SET statement_timeout = '2s'";
    client.batch_execute(settings).await.map_err(|error| words(&error))?;
    Ok(client)
}

/// The innermost cause says most. It does not contain the password.
fn words(error: &tokio_postgres::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

async fn rows(client: &Client, query: &str) -> Result<Vec<Vec<String>>, String> {
    let messages = client.simple_query(query).await.map_err(|error| words(&error))?;
    let rows = messages.into_iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => {
            Some((0..row.len()).map(|column| row.get(column).unwrap_or_default().to_owned()).collect())
        }
        _ => None,
    });
    Ok(rows.collect())
}

/// Asks again and again.
pub(super) struct Meter {
    url: String,
    client: Option<Client>,
}

impl Meter {
    pub(super) fn new(url: &str) -> Self {
        Self { url: url.to_owned(), client: None }
    }

    async fn ask(&mut self, query: &str) -> Result<Vec<Vec<String>>, String> {
        if self.client.as_ref().is_none_or(Client::is_closed) {
            self.client = Some(connect(&self.url).await?);
        }
        let Some(client) = &self.client else { return Err("no connection".to_owned()) };
        rows(client, query).await
    }
}

const CONNECTIONS: &str = "SELECT coalesce(state, 'other'), count(*) FROM pg_stat_activity \
                           WHERE datname = current_database() AND pid <> pg_backend_pid() GROUP BY 1";
// Other statements, such as those that set passwords, stand there with their values.
const STATEMENTS: &str = "SELECT left(query, 300), calls, mean_exec_time FROM pg_stat_statements \
                          WHERE query ~* '^\\s*(select|insert|update|delete|with)\\y' ORDER BY total_exec_time DESC LIMIT 10";
const TABLES: &str = "SELECT c.relname, pg_total_relation_size(c.oid) FROM pg_class c \
                      JOIN pg_namespace n ON n.oid = c.relnamespace \
                      WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema') \
                      ORDER BY 2 DESC LIMIT 20";

impl Source for Meter {
    fn sample(&mut self) -> Pin<Box<dyn Future<Output = Result<Vec<Point>, String>> + Send + '_>> {
        Box::pin(async {
            let mut states: BTreeMap<String, f64> =
                [("active", 0.0), ("idle", 0.0)].map(|(k, v)| (k.to_owned(), v)).into();
            for row in self.ask(CONNECTIONS).await? {
                let count = row.get(1).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
                *states.entry(row.first().cloned().unwrap_or_default()).or_default() += count;
            }
            let panel = "Database connections";
            let mut points = vec![Point::new("db_connections", panel, "default", states.values().sum())];
            points.extend(states.into_iter().map(|(state, count)| {
                let state = state.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
                Point::new(format!("db_connections_{state}"), panel, "default", count)
            }));
            Ok(points)
        })
    }

    fn state(&mut self) -> Pin<Box<dyn Future<Output = Result<Value, String>> + Send + '_>> {
        Box::pin(async {
            let tables = self.ask(TABLES).await?;
            let tables: Vec<Value> = tables.iter().map(|row| json!({"table": row[0], "bytes": row[1]})).collect();
            // The extension is not always there, which is no trouble.
            let statements = match self.ask(STATEMENTS).await {
                Ok(rows) => {
                    rows.iter().map(|row| json!({"query": row[0], "calls": row[1], "mean_ms": row[2]})).collect()
                }
                Err(why) => json!({"not_available": why}),
            };
            Ok(json!({"tables": tables, "statements": statements}))
        })
    }
}
