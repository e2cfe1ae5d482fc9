//! PostgreSQL over time: connections by state; of the run: statements, counters and sizes of tables. Read-only, with a
//! timeout, over one connection that does not count itself; what it asks is left out of what is told.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

use serde_json::{Value, json};
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use super::super::web::innermost;
use super::{SeriesCollector, SeriesPoint};

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
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.map_err(|error| innermost(&error))?;
    // Ends with the client; its error is the next query's.
    tokio::spawn(async move { _ = connection.await });
    let settings = "SET default_transaction_read_only = on; SET statement_timeout = '2s'";
    client.batch_execute(settings).await.map_err(|error| innermost(&error))?;
    Ok(client)
}

async fn rows(client: &Client, query: &str) -> Result<Vec<Vec<String>>, String> {
    let messages = client.simple_query(query).await.map_err(|error| innermost(&error))?;
    let rows = messages.into_iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => {
            Some((0..row.len()).map(|column| row.get(column).unwrap_or_default().to_owned()).collect())
        }
        _ => None,
    });
    Ok(rows.collect())
}

/// Asks again and again.
pub(super) struct PostgresCollector {
    url: String,
    client: Option<Client>,
    /// What was counted before the run.
    before: Option<ServerCounters>,
    /// How often we asked since then: the server counts that too.
    asked: f64,
}

/// What a server counts from its start on.
#[derive(Default)]
struct ServerCounters {
    counters: BTreeMap<String, f64>,
    /// Calls and milliseconds, by statement.
    statements: BTreeMap<String, (f64, f64)>,
}

impl PostgresCollector {
    pub(super) fn new(url: &str) -> Self {
        Self { url: url.to_owned(), client: None, before: None, asked: 0.0 }
    }

    async fn ask(&mut self, query: &str) -> Result<Vec<Vec<String>>, String> {
        if self.client.as_ref().is_none_or(Client::is_closed) {
            self.client = Some(connect(&self.url).await?);
            self.asked += 1.0;
        }
        self.asked += 1.0;
        let Some(client) = &self.client else { return Err("no connection".to_owned()) };
        rows(client, query).await
    }

    async fn counters(&mut self) -> Result<BTreeMap<String, f64>, String> {
        let row = self.ask(COUNTERS).await?.into_iter().next().unwrap_or_default();
        let figures = row.iter().map(|text| text.parse::<f64>().unwrap_or(0.0));
        Ok(COUNTED.iter().map(|name| (*name).to_owned()).zip(figures).collect())
    }
}

const CONNECTIONS: &str = "SELECT coalesce(state, 'other'), count(*) FROM pg_stat_activity \
                           WHERE datname = current_database() AND pid <> pg_backend_pid() GROUP BY 1";
/// What [`COUNTERS`] asks for.
const COUNTED: [&str; 7] =
    ["commits", "rollbacks", "blocks_read", "blocks_hit", "rows_returned", "rows_changed", "deadlocks"];
const COUNTERS: &str = "SELECT xact_commit, xact_rollback, blks_read, blks_hit, tup_returned, \
                        tup_inserted + tup_updated + tup_deleted, deadlocks \
                        FROM pg_stat_database WHERE datname = current_database()";
// Other statements, such as those that set passwords, stand there with their values. Our own look at the server itself.
const STATEMENTS: &str = "SELECT left(query, 300), sum(calls), sum(total_exec_time) FROM pg_stat_statements \
                          WHERE query ~* '^\\s*(select|insert|update|delete|with)\\y' \
                          AND query !~* '\\y(pg_stat_\\w+|pg_class|pg_total_relation_size)\\y' \
                          AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) \
                          GROUP BY 1 ORDER BY 3 DESC LIMIT 2000";
/// So many statements are told.
const TOLD: usize = 10;

/// What was added to a counter; one that is smaller than before was set back meanwhile.
fn added(before: f64, after: f64) -> f64 {
    if after < before { after } else { after - before }
}

/// What statements cost between two counts, the most expensive first.
fn over_run(before: &BTreeMap<String, (f64, f64)>, after: &BTreeMap<String, (f64, f64)>) -> Value {
    let costs = after.iter().filter_map(|(query, (calls, ms))| {
        let (old_calls, old_ms) = before.get(query).copied().unwrap_or_default();
        let (calls, ms) = match *calls < old_calls {
            true => (*calls, *ms),
            false => (calls - old_calls, (ms - old_ms).max(0.0)),
        };
        (calls > 0.0).then_some((query, calls, ms))
    });
    let mut costs: Vec<_> = costs.collect();
    costs.sort_by(|a, b| b.2.total_cmp(&a.2));
    let told = |(query, calls, ms): &(&String, f64, f64)| json!({"query": query, "calls": calls, "total_ms": ms, "mean_ms": ms / calls});
    costs.iter().take(TOLD).map(told).collect()
}
const TABLES: &str = "SELECT c.relname, pg_total_relation_size(c.oid) FROM pg_class c \
                      JOIN pg_namespace n ON n.oid = c.relnamespace \
                      WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema') \
                      ORDER BY 2 DESC LIMIT 20";

impl SeriesCollector for PostgresCollector {
    fn sample(&mut self) -> Pin<Box<dyn Future<Output = Result<Vec<SeriesPoint>, String>> + Send + '_>> {
        Box::pin(async {
            let mut states: BTreeMap<String, f64> =
                [("active", 0.0), ("idle", 0.0)].map(|(k, v)| (k.to_owned(), v)).into();
            for row in self.ask(CONNECTIONS).await? {
                let count = row.get(1).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
                *states.entry(row.first().cloned().unwrap_or_default()).or_default() += count;
            }
            let panel = "Database connections";
            let mut points = vec![SeriesPoint::new("db_connections", panel, "default", states.values().sum())];
            points.extend(states.into_iter().map(|(state, count)| {
                let state = state.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
                SeriesPoint::new(format!("db_connections_{state}"), panel, "default", count)
            }));
            Ok(points)
        })
    }

    fn state(&mut self) -> Pin<Box<dyn Future<Output = Result<Value, String>> + Send + '_>> {
        Box::pin(async {
            let tables = self.ask(TABLES).await?;
            let tables: Vec<Value> = tables.iter().map(|row| json!({"table": row[0], "bytes": row[1]})).collect();
            let counters = self.counters().await?;
            // The extension is not always there, which is no trouble.
            let (statements, lack) = match self.ask(STATEMENTS).await {
                Ok(rows) => {
                    let figure = |text: &String| text.parse::<f64>().unwrap_or(0.0);
                    let rows = rows.iter().map(|row| (row[0].clone(), (figure(&row[1]), figure(&row[2]))));
                    (rows.collect(), None)
                }
                Err(why) => (BTreeMap::new(), Some(why)),
            };
            let asked = std::mem::take(&mut self.asked);
            let now = ServerCounters { counters, statements };
            let Some(before) = self.before.replace(now) else { return Ok(json!({"tables": tables})) };
            let now = self.before.as_ref().map(|now| (&now.counters, &now.statements));
            let Some((counters, statements)) = now else { return Ok(json!({"tables": tables})) };
            let counters = counters.iter().map(|(name, value)| {
                let added = added(before.counters.get(name).copied().unwrap_or(0.0), *value);
                let own = if name == "commits" { asked } else { 0.0 };
                (name.clone(), Value::from((added - own).max(0.0)))
            });
            let counters: serde_json::Map<_, _> = counters.collect();
            let statements = match lack {
                None => over_run(&before.statements, statements),
                Some(why) => json!({"not_available": why}),
            };
            Ok(json!({"tables": tables, "counters": counters, "statements": statements}))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_told_as_the_run_cost_them() {
        let counts = |list: &[(&str, f64, f64)]| -> BTreeMap<String, (f64, f64)> {
            list.iter().map(|(query, calls, ms)| ((*query).to_owned(), (*calls, *ms))).collect()
        };
        let before = counts(&[("old", 1e6, 1e7), ("busy", 100.0, 50.0), ("reset", 90.0, 90.0)]);
        let after = counts(&[("old", 1e6, 1e7), ("busy", 110.0, 70.0), ("reset", 3.0, 6.0), ("new", 4.0, 30.0)]);
        let expected = json!([
            {"query": "new", "calls": 4.0, "total_ms": 30.0, "mean_ms": 7.5},
            {"query": "busy", "calls": 10.0, "total_ms": 20.0, "mean_ms": 2.0},
            {"query": "reset", "calls": 3.0, "total_ms": 6.0, "mean_ms": 2.0},
        ]);
        assert_eq!(over_run(&before, &after), expected);
        assert_eq!((added(5.0, 8.0), added(8.0, 3.0)), (3.0, 3.0));
    }
}
