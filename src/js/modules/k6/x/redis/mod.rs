//! `k6/x/redis`: clients of Redis, whose methods return promises. What travels is `net::redis`' business; here arguments become
//! words, and answers values.

use std::cell::{Cell, OnceCell};
use std::rc::Rc;

use super::super::super::Op;
use crate::js::loader::Loader;
use crate::js::runtime::VuContext;
use crate::js::value::{Args, Throw, Value};
use crate::metrics::record::millis;
use crate::metrics::{Contains, MetricId, MetricType};
use crate::net::redis::{RedisClient, RedisConfig, RedisOutcome};
use crate::net::remote::Remote;

mod commands;
mod options;
#[cfg(test)]
mod tests;

use commands::{METHODS, Prepared};

/// The native half.
pub const OPS: &[(&str, Op)] =
    &[("client", client), ("command", command), ("methods", methods), ("isConnected", is_connected), ("warn", warn)];

/// What commands are timed in, known once the module was imported.
#[derive(Default)]
struct RedisMetrics(Cell<Option<MetricId>>);

/// What a script's `Client` stands for.
struct JsRedis {
    config: RedisConfig,
    /// Its connections, once a command was sent.
    remote: OnceCell<Remote<Rc<RedisClient>>>,
    /// The last command reached the server.
    is_connected: Cell<bool>,
}

/// The names of the methods. Declares what they are timed in.
fn methods(vu: &VuContext, _args: Args) -> Result<Value, Throw> {
    let metric = super::declare(vu, "redis_duration", MetricType::Trend, Contains::Time)?;
    vu.module_state::<RedisMetrics>().0.set(Some(metric));
    Ok(Value::List(METHODS.iter().map(|method| method.name.into()).collect()))
}

/// `(how many arguments, the first)` -> a client that is not connected yet.
fn client(_vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    if args.number(0) != 1.0 {
        return Err(Throw::go("must specify one argument"));
    }
    let config = options::read(args.take(1)).map_err(Throw::go)?;
    Ok(Value::Resource(Rc::new(JsRedis { config, remote: OnceCell::new(), is_connected: Cell::new(false) })))
}

/// `(client)` -> whether its last command reached the server.
fn is_connected(_vu: &VuContext, args: Args) -> Result<Value, Throw> {
    Ok(Value::Bool(args.resource::<JsRedis>(0)?.is_connected.get()))
}

/// `(client, place of the method, arguments)` -> a promise.
fn command(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let client = args.resource::<JsRedis>(0)?;
    let method = &METHODS[(args.number(1) as usize).min(METHODS.len() - 1)];
    let given = match args.take(2) {
        Value::List(given) => given,
        _ => Vec::new(),
    };
    let prepared = match vu.is_init() {
        true => Err("connecting to a redis server in the init context is not supported".to_owned()),
        false => commands::prepare(method, &given),
    };
    let outcome = match prepared {
        Ok(prepared) => Ok((client.send(vu, &prepared), prepared)),
        Err(message) => Err(Throw::Host { message }),
    };
    let (vu, metric) = (vu.rc(), vu.module_state::<RedisMetrics>().0.get());
    Ok(super::pending(async move {
        let (sent, prepared) = outcome?;
        // The thread has ended: the run is over.
        let Some(RedisOutcome { answer, began, ended }) = sent.await else { return Err(Throw::Stop) };
        client.is_connected.set(answer.as_ref().map_or_else(|text| commands::is_of_server(text), |_| true));
        if let Some(metric) = metric {
            let took = millis(ended.saturating_duration_since(began).as_nanos() as u64);
            let status = super::status(answer.is_ok());
            super::sample(&vu, metric, took, ended, &[("command", &prepared.verb), ("status", status)]);
        }
        let answer = answer.map_err(|message| Throw::Host { message })?;
        commands::show(method.reply, answer).map_err(|message| Throw::Host { message })
    }))
}

impl JsRedis {
    fn send(&self, vu: &VuContext, prepared: &Prepared) -> impl Future<Output = Option<RedisOutcome>> + use<> {
        let remote = self.remote.get_or_init(|| {
            let config = self.config.clone();
            Remote::new(&vu.client, move |connections| RedisClient::new(connections, config))
        });
        let (words, key, reads) = (prepared.words.clone(), prepared.key.clone(), prepared.reads);
        remote.call(move |client| async move { client.command(words, key, reads).await })
    }
}

/// k6's sentence about the former name, once.
fn warn(vu: &VuContext, _args: Args) -> Result<Value, Throw> {
    if !Loader::of(&vu.script).files.is_sealed() {
        vu.script.log.warn(
            "k6/experimental/redis has been removed from k6 and still works here. Please migrate to the new version by changing \
             your import to 'k6/x/redis'. Read more here: https://grafana.com/docs/k6/latest/javascript-api/k6-x-redis",
        );
    }
    Ok(Value::Undefined)
}
