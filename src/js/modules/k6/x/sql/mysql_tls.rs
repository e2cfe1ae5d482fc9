//! `k6/x/sql/driver/mysql`: certificates that a script gives its connections.

use std::cell::RefCell;

use super::super::super::super::Op;
use super::super::super::http::go;
use crate::js::loader::Loader;
use crate::js::runtime::VuContext;
use crate::js::value::{Args, Throw, Value, text_of};
use crate::net::sql::MysqlTls;
use crate::net::tls::ConnectionTls;

/// The native half.
pub const OPS: &[(&str, Op)] = &[("loadTLS", load_tls)];

/// What `tls=custom` stands for in this VU.
#[derive(Default)]
struct CustomTls(RefCell<Option<MysqlTls>>);

/// Does something with what `tls=custom` stands for.
pub(super) fn custom<T>(vu: &VuContext, work: impl FnOnce(Option<&MysqlTls>) -> T) -> T {
    let custom = vu.existing_module_state::<CustomTls>();
    work(custom.as_ref().and_then(|custom| custom.0.borrow().clone()).as_ref())
}

/// `(options)`: reads the files and keeps what is in them.
fn load_tls(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let Value::Map(fields) = args.take(0) else {
        return Err(Throw::go(
            "loadTLS() needs an object: {enableTLS, caCertFile, clientCertFile, clientKeyFile, ...}",
        ));
    };
    let (mut tls, mut is_on, mut files) = (MysqlTls::default(), false, [const { None }; 3]);
    for (name, value) in fields {
        let is_true = matches!(value, Value::Bool(true));
        match name.as_str() {
            "enableTLS" => is_on = is_true,
            "insecureSkipTLSverify" => tls.skips_verification = is_true,
            "minVersion" => match go::string_of(&value).as_str() {
                "" | "tls1.0" | "tls1.1" | "tls1.2" => {}
                "tls1.3" => tls.is_1_3 = true,
                other => return Err(Throw::go(format!("unsupported TLS version: {other}"))),
            },
            "caCertFile" => files[0] = Some(go::string_of(&value)),
            "clientCertFile" => files[1] = Some(go::string_of(&value)),
            "clientKeyFile" => files[2] = Some(go::string_of(&value)),
            _ => {}
        }
    }
    if !is_on {
        return Ok(Value::Undefined);
    }
    let [Some(authority), Some(certificate), Some(key)] = files else {
        return Err(Throw::go("loadTLS() needs caCertFile, clientCertFile and clientKeyFile"));
    };
    let read = |path: &str| {
        let (path, found) = Loader::of(&vu.script).open_beside_main(path);
        found.map(|bytes| text_of(&bytes)).map_err(|_| Throw::go(format!("open {path}: no such file or directory")))
    };
    tls.certificates = ConnectionTls {
        certificate: read(&certificate)?,
        key: read(&key)?,
        password: None,
        authorities: vec![read(&authority)?],
    };
    vu.module_state::<CustomTls>().0.replace(Some(tls));
    Ok(Value::Undefined)
}
