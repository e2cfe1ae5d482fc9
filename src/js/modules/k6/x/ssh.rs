//! `k6/x/ssh`: commands on other machines, over one connection a VU.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::super::super::Op;
use super::super::http::go;
use crate::js::runtime::VuContext;
use crate::js::value::{Args, Throw, Value, text_of};
use crate::net::remote::Remote;
use crate::net::ssh::{SshConnect, SshProof, SshSession};
use crate::net::ssh_key::KeySource;
use crate::units::duration::Span;

/// The native half.
pub const OPS: &[(&str, Op)] = &[("declare", declare), ("connect", connect), ("run", run)];

const METRIC: &str = "ssh_duration";
const TIMEOUT: Duration = Duration::from_secs(30);
const PORT: u16 = 22;

/// A VU's connection, and where to.
#[derive(Default)]
struct VuSsh(RefCell<Option<(Rc<Remote<SshSession>>, String)>>);

/// Declares what connecting and running are timed in.
fn declare(vu: &VuContext, _args: Args) -> Result<Value, Throw> {
    super::declare_trend(vu, METRIC)?;
    Ok(Value::Undefined)
}

/// `(options)`; connects in place of the connection before.
fn connect(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    not_in_init(vu, "connect")?;
    let how = read(args.take(0)).map_err(Throw::go)?;
    let host = how.host.clone();
    let remote = Rc::new(Remote::new(&vu.client, SshSession::new));
    let work = remote.call(move |session| async move { session.connect(how).await });
    // The one before is closed also where this one fails.
    vu.module_state::<VuSsh>().0.replace(None);
    let began = Instant::now();
    let result = vu.wait(work)?.ok_or(Throw::Stop)?;
    timed(vu, "connect", &host, began, result.is_ok())?;
    result.map_err(Throw::go)?;
    vu.module_state::<VuSsh>().0.replace(Some((remote, host)));
    Ok(Value::Undefined)
}

/// `(command)` -> what it wrote.
fn run(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    not_in_init(vu, "run")?;
    let command = args.string(0);
    let open = vu.module_state::<VuSsh>().0.borrow().clone();
    let (remote, host) =
        open.ok_or_else(|| Throw::go("there is no connection: ssh.connect() comes before ssh.run()"))?;
    let began = Instant::now();
    let result = vu.wait(remote.call(move |session| async move { session.run(command).await }))?.ok_or(Throw::Stop)?;
    timed(vu, "run", &host, began, result.as_ref().is_ok_and(|output| output.failed.is_none()))?;
    let output = result.map_err(Throw::go)?;
    match output.failed {
        Some(text) => Err(Throw::go(text)),
        None => Ok(Value::String(text_of(&output.stdout))),
    }
}

fn not_in_init(vu: &VuContext, name: &str) -> Result<(), Throw> {
    match vu.is_init() {
        true => Err(Throw::go(format!("ssh.{name}() in the init context is not supported"))),
        false => Ok(()),
    }
}

fn timed(vu: &VuContext, operation: &str, host: &str, began: Instant, is_ok: bool) -> Result<(), Throw> {
    let status = super::status(is_ok);
    super::timed(vu, METRIC, began, Instant::now(), &[("host", host), ("operation", operation), ("status", status)])
}

/// What a script passes, as the original takes it: a password before a key, a key before the file of one.
fn read(options: Value) -> Result<SshConnect, String> {
    let Value::Map(fields) = options else {
        return Err("ssh.connect() takes an object with host, username and what proves it".to_owned());
    };
    let field = |name: &str| fields.iter().find(|(field, _)| field == name).map(|(_, value)| value);
    let text = |name: &str| match field(name) {
        None | Some(Value::Undefined | Value::Null) => String::new(),
        Some(value) => go::string_of(value),
    };
    let port = match text("port").as_str() {
        "" | "0" => PORT,
        text => text.parse().map_err(|_| format!("ssh.connect(): {text} is no port: they are 1 to 65535"))?,
    };
    let timeout = match field("timeout") {
        None | Some(Value::Undefined | Value::Null) => TIMEOUT,
        Some(Value::Number(millis)) if *millis > 0.0 && *millis <= 3_600_000.0 => {
            Duration::from_secs_f64(millis / 1000.0)
        }
        Some(value) => {
            let text = go::string_of(value);
            let timeout = Span::parse(&text).map(Span::to_duration).ok().filter(|time| !time.is_zero());
            timeout
                .ok_or_else(|| format!("ssh.connect(): {text} is no timeout: \"10s\", or milliseconds up to an hour"))?
        }
    };
    let (password, key, file) = (text("password"), text("private_key"), text("rsa_key"));
    let passphrase = text("passphrase");
    let proof = match (password.is_empty(), key.is_empty()) {
        (false, _) => SshProof::Password(password),
        (true, false) => SshProof::Key(KeySource { key: Ok(key), passphrase }),
        (true, true) => {
            let path = match file.as_str() {
                "" => std::env::home_dir().unwrap_or_default().join(".ssh/id_rsa"),
                file => PathBuf::from(file),
            };
            SshProof::Key(KeySource { key: Err(path), passphrase })
        }
    };
    let host = text("host");
    if host.is_empty() {
        return Err("ssh.connect(): there is no host".to_owned());
    }
    Ok(SshConnect { host, port, user: text("username"), proof, timeout })
}
