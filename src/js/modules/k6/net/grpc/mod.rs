//! `k6/net/grpc`: clients, calls and streams.
//!
//! What travels and how long it takes is `net::grpc`'s business. Here requests become bytes, answers become values, and
//! both get their k6 names.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use super::super::super::{DirectOp, Op};
use crate::execution::precise_timer;
use crate::js::loader::Loader;
use crate::js::modules::cpu_pool;
use crate::js::runtime::VuContext;
use crate::js::value::{Args, Throw, Value};
use crate::metrics::{Contains, MetricId, MetricType};
use crate::net::grpc::{Channel, ChannelConfig, GrpcCode, Security};

mod call;
mod debug;
mod decode;
mod editions;
mod encode;
#[cfg(any(test, fuzzing))]
pub mod fuzz_tests;
mod imports;
mod json;
mod link;
mod literal;
mod load;
mod params;
mod sample;
mod schema;
mod services;
mod stream;
#[cfg(test)]
mod tests;
mod well_known;
mod wire;

use load::Schemas;
use params::ConnectParams;
use schema::Schema;
pub use stream::close_streams;

/// The native half.
pub const OPS: &[(&str, Op)] = &[
    ("constants", constants),
    ("client", client),
    ("load", load),
    ("loadProtoset", load_protoset),
    ("connect", connect),
    ("healthCheck", health_check),
    ("close", close),
    ("openStream", stream::open),
    ("nextEvent", stream::next),
    ("writeStream", stream::write),
    ("endStream", stream::end),
    ("warn", super::super::warn),
];

/// The direct ones.
pub const DIRECT_OPS: &[(&str, DirectOp)] = &[("invoke", call::invoke), ("asyncInvoke", call::invoke_async)];

/// The states of a service's health, with k6's spelling.
const HEALTH: [(&str, u32); 4] = [
    ("HealthCheckUnknown", 0),
    ("HealthCheckServing", 1),
    ("HealthCheckNotServing", 2),
    ("HealthCheckServiceUnkown", 3),
];

/// What streams are counted in: streams, messages sent, messages received; known once the module was imported.
#[derive(Default)]
struct StreamMetrics(Cell<Option<[MetricId; 3]>>);

/// What all clients of a VU need before they do anything: the constants of the module. Declares its metrics.
fn constants(vu: &VuContext, _args: Args) -> Result<Value, Throw> {
    if vu.is_init() {
        let declare =
            |name: &str| vu.script.registry.declare(name, MetricType::Counter, Contains::Default).map_err(Throw::go);
        let metrics =
            [declare("grpc_streams")?, declare("grpc_streams_msgs_sent")?, declare("grpc_streams_msgs_received")?];
        vu.module_state::<StreamMetrics>().0.set(Some(metrics));
    }
    let statuses = GrpcCode::NAMES.iter().zip(0u32..).map(|(name, code)| (format!("Status{name}"), code));
    let health = HEALTH.iter().map(|(name, state)| ((*name).to_owned(), *state));
    Ok(Value::Map(statuses.chain(health).map(|(name, code)| (name, Value::Number(f64::from(code)))).collect()))
}

/// What a script's `Client` stands for.
#[derive(Default)]
struct GrpcClient {
    types: RefCell<Rc<Types>>,
    /// The open channel, and the address it was opened with.
    line: RefCell<Option<(Rc<Channel>, Rc<str>)>>,
}

/// A method a client may call.
struct ClientMethod {
    schema: Arc<Schema>,
    /// Its place in the schema.
    at: usize,
}

impl ClientMethod {
    fn method(&self) -> &schema::MethodSchema {
        &self.schema.methods[self.at]
    }
}

/// Everything a client knows of messages and methods; what came later comes first.
#[derive(Clone, Debug, Default)]
struct Types(Vec<Arc<Schema>>);

impl Types {
    /// The message of this name.
    fn find(&self, full_name: &str) -> Option<(&Schema, u32)> {
        self.0.iter().rev().find_map(|schema| Some((&**schema, schema.find(full_name)?)))
    }

    /// The method at this path.
    fn method(&self, path: &str) -> Option<ClientMethod> {
        self.0.iter().rev().find_map(|schema| Some(ClientMethod { at: schema.method(path)?, schema: schema.clone() }))
    }
}

/// What k6 says when there is no connection.
const NOT_CONNECTED: &str = "no gRPC connection, you must call connect first";

impl GrpcClient {
    /// Learns a schema.
    fn learn(&self, schema: &Arc<Schema>) {
        let mut types = self.types.borrow_mut();
        if !types.0.iter().any(|known| Arc::ptr_eq(known, schema)) {
            Rc::make_mut(&mut types).0.push(schema.clone());
        }
    }

    /// The open channel and its address.
    fn line(&self) -> Result<(Rc<Channel>, Rc<str>), String> {
        self.line.borrow().clone().ok_or_else(|| NOT_CONNECTED.to_owned())
    }

    /// The method of this name, with or without a slash before it.
    fn method(&self, name: &str) -> Result<ClientMethod, String> {
        if name.is_empty() {
            return Err("method to invoke cannot be empty".to_owned());
        }
        let path = if name.starts_with('/') { Cow::Borrowed(name) } else { Cow::Owned(format!("/{name}")) };
        let known = self.types.borrow().method(&path);
        known.ok_or_else(|| format!("method {} not found in file descriptors", crate::units::quote::go_quote(&path)))
    }
}

fn client(_vu: &VuContext, _args: Args) -> Result<Value, Throw> {
    Ok(Value::Resource(Rc::new(GrpcClient::default())))
}

/// `(client, folders, files)` -> the methods in the files.
fn load(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    if !vu.is_init() {
        return Err(Throw::go("load must be called in the init context"));
    }
    let client = args.resource::<GrpcClient>(0)?;
    let texts = |value: Value| match value {
        Value::List(list) => list
            .into_iter()
            .filter_map(|item| match item {
                Value::String(text) => Some(text.strip_prefix("file://").map(str::to_owned).unwrap_or(text)),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    };
    let (folders, files) = (texts(args.take(1)), texts(args.take(2)));
    let schema =
        vu.script.module_state::<Schemas>().files(&Loader::of(&vu.script), folders, files).map_err(Throw::go)?;
    Ok(learnt(&client, &schema))
}

/// `(client, path)` -> the methods in the set.
fn load_protoset(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    if !vu.is_init() {
        return Err(Throw::go("load must be called in the init context"));
    }
    let client = args.resource::<GrpcClient>(0)?;
    let schema =
        vu.script.module_state::<Schemas>().set(&Loader::of(&vu.script), &args.string(1)).map_err(Throw::go)?;
    Ok(learnt(&client, &schema))
}

/// The client knows a schema; what it knows now.
fn learnt(client: &GrpcClient, schema: &Arc<Schema>) -> Value {
    client.learn(schema);
    let methods = schema.methods.iter().map(|method| {
        let text = |text: &str| Value::from(text);
        let fields = [
            ("package", text(&method.package)),
            ("service", text(&method.service)),
            ("full_method", text(&method.path)),
            ("name", text(&method.name)),
            ("is_client_stream", method.is_client_stream.into()),
            ("is_server_stream", method.is_server_stream.into()),
        ];
        Value::Map(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    });
    Value::List(methods.collect())
}

/// `(client, address, params)` -> `true`.
fn connect(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    if vu.is_init() {
        return Err(Throw::go("connecting to a gRPC server in the init context is not supported"));
    }
    let client = args.resource::<GrpcClient>(0)?;
    let address = args.string(1);
    let params = ConnectParams::read(args.take(2));
    let params = params.map_err(|text| Throw::go(format!("invalid grpc.connect() parameters: {text}")))?;
    let security = if params.is_plaintext { Security::Plain } else { Security::Tls(params.tls) };
    let agent = format!("{} grpc-volley/{}", vu.script.http.user_agent, env!("CARGO_PKG_VERSION"));
    let mut target = ChannelConfig::new(&address, security, agent.trim_start().to_owned());
    if let Some(authority) = params.authority.filter(|authority| !authority.is_empty()) {
        target.authority = authority;
    }
    if params.max_receive > 0 {
        target.max_receive = params.max_receive;
    }
    if params.max_send > 0 {
        target.max_send = params.max_send;
    }
    let began = std::time::Instant::now();
    let opening = Channel::open(&vu.client, target, params.timeout);
    let channel = Rc::new(vu.wait(opening)?.map_err(Throw::go)?);
    client.line.replace(Some((channel.clone(), address.into())));
    if params.reflects {
        let left = params.timeout.saturating_sub(began.elapsed());
        let (files, made) = vu.wait(async move {
            let mut made = Vec::new();
            let files = tokio::select! {
                files = services::reflect(&channel, params.reflect_metadata, &mut made) => files,
                () = precise_timer::sleep(left) => Err("context deadline exceeded".to_owned()),
            };
            (files, made)
        })?;
        for call in made {
            sample::duration(vu, &sample::CallTags::of_vu(vu), &call);
        }
        // A server may describe as much as it likes: that is read where no VU runs.
        let (files, schemas) = (files.map_err(Throw::go)?, vu.script.module_state::<Schemas>());
        let left = params.timeout.saturating_sub(began.elapsed());
        let schema = vu.wait(async move {
            tokio::select! {
                schema = cpu_pool::run(move || schemas.descriptors(files)) => schema,
                () = precise_timer::sleep(left) => Some(Err("context deadline exceeded".to_owned())),
            }
        })?;
        let schema = schema.unwrap_or_else(|| Err("the descriptors can't be read".to_owned()));
        client.learn(&schema.map_err(|text| Throw::go(format!("can't convert method info: {text}")))?);
    }
    Ok(Value::Bool(true))
}

/// `(client, service)` -> `{status}`.
fn health_check(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let client = args.resource::<GrpcClient>(0)?;
    let (channel, _) = client.line().map_err(Throw::go)?;
    let (made, answer) = vu.wait(services::check_health(&channel, args.string(1)))?;
    sample::duration(vu, &sample::CallTags::of_vu(vu), &made);
    let status = answer.map_err(Throw::go)?;
    Ok(Value::Map(vec![("status".to_owned(), Value::Number(f64::from(status)))]))
}

/// `(client)`: what is under way ends as canceled.
fn close(_vu: &VuContext, args: Args) -> Result<Value, Throw> {
    args.resource::<GrpcClient>(0)?.line.replace(None);
    Ok(Value::Undefined)
}
