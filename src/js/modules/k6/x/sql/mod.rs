//! `k6/x/sql`: databases, whose methods wait. What travels is `net::postgres`' business; here arguments become text, and rows values.

use std::cell::{Cell, OnceCell};
use std::rc::Rc;
use std::time::Duration;

use super::super::super::Op;
use super::super::http::go;
use crate::js::loader::Loader;
use crate::js::runtime::VuContext;
use crate::js::value::{Args, Throw, Value, text_of};
use crate::metrics::record::millis;
use crate::metrics::{Contains, MetricId, MetricType};
use crate::net::remote::Remote;
use crate::net::sql::{
    MysqlDsn, PoolLimits, PostgresDsn, SqlAnswer, SqlArgument, SqlOutcome, SqlPool, SqlSource, SqlValue, SqliteDsn,
};
use crate::units::duration::Span;

mod go_time;
pub mod mysql_tls;

/// The native half.
pub const OPS: &[(&str, Op)] = &[
    ("declare", declare),
    ("open", open),
    ("run", run),
    ("close", close),
    ("timePart", go_time::time_part),
    ("text", text),
];

/// As many unused connections are kept where a script doesn't say.
const DEFAULT_MAX_IDLE: usize = 2;

/// What statements are timed in, known once the module was imported.
#[derive(Default)]
struct SqlMetrics(Cell<Option<MetricId>>);

/// What a script's database stands for.
struct JsSql {
    source: SqlSource,
    limits: PoolLimits,
    /// Its connections, once a statement was sent.
    remote: OnceCell<Remote<Rc<SqlPool>>>,
    is_closed: Cell<bool>,
}

/// Declares what statements are timed in.
fn declare(vu: &VuContext, _args: Args) -> Result<Value, Throw> {
    let metric = super::declare(vu, "sql_duration", MetricType::Trend, Contains::Time)?;
    vu.module_state::<SqlMetrics>().0.set(Some(metric));
    Ok(Value::Undefined)
}

/// `(what the driver is as text, or nothing, data source name, options)` -> a database that is not connected yet.
fn open(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let Value::String(symbol) = args.take(0) else {
        return Err(Throw::go("unsupported database: invalid driver parameter type"));
    };
    let name = symbol.strip_prefix("Symbol(").and_then(|rest| rest.strip_suffix(')')).unwrap_or(&symbol);
    let dsn = args.string(1);
    let source = match name {
        "postgres" => PostgresDsn::parse(&dsn).map(SqlSource::Postgres),
        "mysql" => mysql_tls::custom(vu, |custom| MysqlDsn::parse(&dsn, custom)).map(SqlSource::Mysql),
        "sqlite3" => SqliteDsn::parse(&dsn).map(SqlSource::Sqlite),
        _ => {
            let offered = ["mysql", "postgres", "sqlite3"].map(|name| format!("k6/x/sql/driver/{name}")).join(", ");
            Err(format!("unsupported database: {name}; drivers that are offered: {offered}"))
        }
    };
    let source = source.map_err(Throw::go)?;
    let limits = limits(vu, args.take(2)).map_err(Throw::go)?;
    Ok(Value::Resource(Rc::new(JsSql { source, limits, remote: OnceCell::new(), is_closed: Cell::new(false) })))
}

fn limits(vu: &VuContext, given: Value) -> Result<PoolLimits, String> {
    let mut limits = PoolLimits { max_open: None, max_idle: DEFAULT_MAX_IDLE, max_lifetime: None, max_idle_time: None };
    let fields = match given {
        Value::Map(fields) => fields,
        Value::Undefined | Value::Null => Vec::new(),
        other => return Err(format!("invalid options type: {}; expected object", go::type_of(&other))),
    };
    for (name, value) in fields.into_iter().filter(|(_, value)| !matches!(value, Value::Undefined | Value::Null)) {
        match name.as_str() {
            "max_open_conns" => limits.max_open = Some(count(&name, &value)?).filter(|count| *count > 0),
            "max_idle_conns" => limits.max_idle = count(&name, &value)?,
            "conn_max_lifetime" => limits.max_lifetime = span(&value)?,
            "conn_max_idle_time" => limits.max_idle_time = span(&value)?,
            _ if !Loader::of(&vu.script).files.is_sealed() => {
                let known = "conn_max_idle_time, conn_max_lifetime, max_idle_conns, max_open_conns";
                vu.script.log.warn(format!("k6/x/sql: open() knows no option {name:?}, only {known}"));
            }
            _ => {}
        }
    }
    if let Some(max_open) = limits.max_open {
        limits.max_idle = limits.max_idle.min(max_open);
    }
    Ok(limits)
}

fn count(name: &str, value: &Value) -> Result<usize, String> {
    match value {
        // Fewer than none is none, as in Go.
        Value::Number(number) if number.is_finite() => Ok(number.max(0.0) as usize),
        other => Err(format!("invalid options: {name} is {}; expected a number", go::type_of(other))),
    }
}

/// Go's words for a duration; zero or less is no limit.
fn span(value: &Value) -> Result<Option<Duration>, String> {
    let span = Span::parse_go(&go::string_of(value))?;
    Ok((span > Span::ZERO).then(|| span.to_duration()))
}

/// `(database, "query" or "exec", statement, arguments, time-out)` -> names and rows, or how many rows were affected and
/// the number that one was given.
fn run(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let database = args.resource::<JsSql>(0)?;
    if vu.is_init() {
        return Err(Throw::go("statements in the init context are not supported: use setup() or the VU function"));
    }
    let operation = args.string(1);
    let sql = args.string(2);
    let given = match args.take(3) {
        Value::List(given) => given,
        _ => Vec::new(),
    };
    let timeout = match args.take(4) {
        Value::Undefined => None,
        text => Some(Span::parse_go(&go::string_of(&text)).map_err(Throw::go)?.to_duration()),
    };
    let values = given.into_iter().enumerate().map(|(at, value)| argument(at + 1, value));
    let values = values.collect::<Result<Vec<SqlArgument>, _>>().map_err(Throw::go)?;
    if database.is_closed.get() {
        return Err(Throw::go("sql: database is closed"));
    }
    let remote = database.remote.get_or_init(|| {
        let (source, limits) = (database.source.clone(), database.limits);
        Remote::new(&vu.client, move |connections| SqlPool::new(connections, source, limits))
    });
    let sent = remote.call(move |pool| async move { pool.statement(&sql, &values, timeout).await });
    // The thread has ended: the run is over.
    let SqlOutcome { answer, began, ended } = vu.wait(sent)?.ok_or(Throw::Stop)?;
    if let Some(metric) = vu.module_state::<SqlMetrics>().0.get() {
        let took = millis(ended.saturating_duration_since(began).as_nanos() as u64);
        let status = super::status(answer.is_ok());
        let tags = [("driver", database.source.driver()), ("operation", operation.as_str()), ("status", status)];
        super::sample(vu, metric, took, ended, &tags);
    }
    let answer = answer.map_err(Throw::go)?;
    Ok(match operation.as_str() {
        "query" => rows(answer),
        _ => {
            let id = answer.last_insert_id.map_or(Value::Null, |id| Value::Number(id as f64));
            Value::List(vec![Value::Number(answer.affected as f64), id])
        }
    })
}

/// A value for the statement.
fn argument(place: usize, value: Value) -> Result<SqlArgument, String> {
    /// Under which sql.js gives the text of a Date.
    const MOMENT: &str = "volley.date";
    let unsupported = |kind: &str| format!("sql: converting argument ${place} type: unsupported type {kind}");
    Ok(match value {
        Value::Undefined | Value::Null => SqlArgument::Null,
        Value::Bool(value) => SqlArgument::Bool(value),
        Value::Number(number) if number.fract() == 0.0 && number.abs() < 2_f64.powi(63) => {
            SqlArgument::Int(number as i64)
        }
        Value::Number(number) => SqlArgument::Double(number),
        Value::String(text) => SqlArgument::Text(text),
        Value::Bytes(bytes) => SqlArgument::Bytes(bytes),
        Value::List(_) => return Err(unsupported("[]interface {}, a slice of interface")),
        Value::Map(fields) => match fields.as_slice() {
            [(name, Value::String(moment))] if name == MOMENT => SqlArgument::Moment(moment.clone()),
            _ => return Err(unsupported("map[string]interface {}, a map")),
        },
        other => return Err(unsupported(&go::type_of(&other))),
    })
}

fn rows(answer: SqlAnswer) -> Value {
    let value = |value: SqlValue| match value {
        SqlValue::Null => Value::Null,
        SqlValue::Bool(value) => Value::Bool(value),
        SqlValue::Number(number) => Value::Number(number),
        SqlValue::Text(text) => Value::String(text),
        SqlValue::Bytes(bytes) => Value::Bytes(bytes),
        SqlValue::Time(time) => go_time::parts(time),
    };
    let names = answer.columns.into_iter().map(Value::String).collect();
    let rows = answer.rows.into_iter().map(|row| Value::List(row.into_iter().map(value).collect())).collect();
    Value::List(vec![Value::List(names), Value::List(rows)])
}

/// `(database)`: closes its connections.
fn close(vu: &VuContext, args: Args) -> Result<Value, Throw> {
    let database = args.resource::<JsSql>(0)?;
    database.is_closed.set(true);
    if let Some(remote) = database.remote.get() {
        vu.wait(remote.call(|pool| async move { pool.close() }))?;
    }
    Ok(Value::Undefined)
}

/// `(bytes)` -> what they say.
fn text(_vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    Ok(match args.take(0) {
        Value::Bytes(bytes) => text_of(&bytes).into(),
        other => other,
    })
}
