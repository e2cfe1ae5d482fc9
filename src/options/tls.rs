//! TLS as options name it: versions, cipher suites, client certificates.
//!
//! Names and PEM texts only; keys are decoded where connections are made.

use serde_json::{Value, json};

use super::Compat;
use super::value::{OptionValue, array, invalid, list, string, unknown_field, wrong_kind};
use crate::failure::Failure;

/// A version of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// TLS 1.0.
    Tls10,
    /// TLS 1.1.
    Tls11,
    /// TLS 1.2.
    Tls12,
    /// TLS 1.3.
    Tls13,
}

impl TlsVersion {
    const NAMES: [(&'static str, Self); 4] =
        [("tls1.0", Self::Tls10), ("tls1.1", Self::Tls11), ("tls1.2", Self::Tls12), ("tls1.3", Self::Tls13)];

    /// The name in options and in `response.tls_version`.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize].0
    }

    fn parse(text: &str) -> Result<Option<Self>, String> {
        match Self::NAMES.iter().find(|(name, _)| *name == text) {
            Some((_, version)) => Ok(Some(*version)),
            None if text.is_empty() => Ok(None),
            None => Err(format!("unknown TLS version '{text}'")),
        }
    }
}

/// The range of versions allowed; `None` leaves an end open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TlsVersions {
    /// The lowest.
    pub min: Option<TlsVersion>,
    /// The highest.
    pub max: Option<TlsVersion>,
}

impl OptionValue for TlsVersions {
    const GO_TYPE: &'static str = "lib.TLSVersions";

    fn from_json(value: &Value, key: &str, _notes: &mut Compat) -> Result<Self, Failure> {
        if let Value::String(text) = value {
            let version = TlsVersion::parse(text).map_err(invalid)?;
            return Ok(Self { min: version, max: version });
        }
        let object = value.as_object().ok_or_else(|| wrong_kind(value, key, Self::GO_TYPE))?;
        let mut versions = Self::default();
        for (name, item) in object.iter().filter(|(_, item)| !item.is_null()) {
            let version = TlsVersion::parse(string(item, key, "string")?).map_err(invalid)?;
            match name.to_ascii_lowercase().as_str() {
                "min" => versions.min = version,
                "max" => versions.max = version,
                _ => return Err(unknown_field(name, ["min", "max"])),
            }
        }
        Ok(versions)
    }

    fn from_env(_text: &str, _notes: &mut Compat) -> Result<Option<Self>, String> {
        Ok(None)
    }

    fn to_json(&self) -> Value {
        let name = |version: Option<TlsVersion>| version.map_or("", TlsVersion::name);
        json!({"min": name(self.min), "max": name(self.max)})
    }
}

/// A cipher suite: its name in k6's options and its number on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CipherSuite {
    /// The name, also the value of `response.tls_cipher_suite`.
    pub name: &'static str,
    /// The IANA number.
    pub id: u16,
}

const SUITES: [CipherSuite; 25] = {
    const fn suite(name: &'static str, id: u16) -> CipherSuite {
        CipherSuite { name, id }
    }
    [
        suite("TLS_RSA_WITH_RC4_128_SHA", 0x0005),
        suite("TLS_RSA_WITH_3DES_EDE_CBC_SHA", 0x000a),
        suite("TLS_RSA_WITH_AES_128_CBC_SHA", 0x002f),
        suite("TLS_RSA_WITH_AES_256_CBC_SHA", 0x0035),
        suite("TLS_RSA_WITH_AES_128_CBC_SHA256", 0x003c),
        suite("TLS_RSA_WITH_AES_128_GCM_SHA256", 0x009c),
        suite("TLS_RSA_WITH_AES_256_GCM_SHA384", 0x009d),
        suite("TLS_ECDHE_ECDSA_WITH_RC4_128_SHA", 0xc007),
        suite("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", 0xc009),
        suite("TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", 0xc00a),
        suite("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", 0xc023),
        suite("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", 0xc02b),
        suite("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", 0xc02c),
        suite("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305", 0xcca9),
        suite("TLS_ECDHE_RSA_WITH_RC4_128_SHA", 0xc011),
        suite("TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", 0xc012),
        suite("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", 0xc013),
        suite("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", 0xc014),
        suite("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", 0xc027),
        suite("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", 0xc02f),
        suite("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", 0xc030),
        suite("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", 0xcca8),
        suite("TLS_AES_128_GCM_SHA256", 0x1301),
        suite("TLS_AES_256_GCM_SHA384", 0x1302),
        suite("TLS_CHACHA20_POLY1305_SHA256", 0x1303),
    ]
};

impl CipherSuite {
    /// Finds a suite by its exact name.
    ///
    /// # Errors
    /// `unknown cipher suite 'foo'`.
    pub fn named(name: &str) -> Result<Self, String> {
        let found = SUITES.into_iter().find(|suite| suite.name == name);
        found.ok_or_else(|| format!("unknown cipher suite '{name}'"))
    }

    /// Finds a suite by its number.
    pub fn numbered(id: u16) -> Option<Self> {
        SUITES.into_iter().find(|suite| suite.id == id)
    }
}

impl OptionValue for Vec<CipherSuite> {
    const GO_TYPE: &'static str = "lib.TLSCipherSuites";

    fn from_json(value: &Value, key: &str, _notes: &mut Compat) -> Result<Self, Failure> {
        let read = |item| CipherSuite::named(string(item, key, "string")?).map_err(invalid);
        array(value, key, "[]string")?.iter().map(read).collect()
    }

    /// k6 takes numbers only; names are taken as well.
    fn from_env(text: &str, _notes: &mut Compat) -> Result<Option<Self>, String> {
        if text.is_empty() {
            return Ok(None);
        }
        let read = |item: &str| match item.parse::<u16>() {
            Ok(id) => CipherSuite::numbered(id).ok_or_else(|| format!("unknown cipher suite '{item}'")),
            Err(_) => CipherSuite::named(item),
        };
        list(text).map(read).collect::<Result<_, _>>().map(Some)
    }

    fn to_json(&self) -> Value {
        self.iter().map(|suite| Value::from(suite.name)).collect()
    }
}

/// A client certificate, and the hosts it is for (all, where none is named).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsAuth {
    /// PEM text.
    pub cert: String,
    /// PEM text.
    pub key: String,
    /// Opens an encrypted key.
    pub password: Option<String>,
    /// Deprecated: host patterns it is used for.
    pub domains: Option<Vec<String>>,
}

impl TlsAuth {
    fn read(value: &Value, key: &str, compat: &mut Compat) -> Result<Self, Failure> {
        let object = value.as_object().ok_or_else(|| wrong_kind(value, key, "lib.TLSAuth"))?;
        let mut auth = Self { cert: String::new(), key: String::new(), password: None, domains: None };
        for (name, item) in object.iter().filter(|(_, item)| !item.is_null()) {
            match name.to_ascii_lowercase().as_str() {
                "cert" => auth.cert = string(item, key, "string")?.to_owned(),
                "key" => auth.key = string(item, key, "string")?.to_owned(),
                "password" => auth.password = Some(String::from_json(item, key, compat)?),
                "domains" => auth.domains = Some(Vec::from_json(item, key, compat)?),
                _ => (),
            }
        }
        for (text, what) in [(&auth.cert, "certificate"), (&auth.key, "key")] {
            if !text.contains("-----BEGIN ") {
                return Err(invalid(format!("tls: failed to find any PEM data in {what} input")));
            }
        }
        if auth.key.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") {
            return Err(invalid("encrypted pkcs8 formatted key is not supported"));
        }
        if auth.domains.is_some() {
            compat.warn("tlsAuth.domains option could be removed in the next releases, it's recommended to leave it empty and let k6 \
                 automatically detect from the provided certificate. It follows the Go's NameToCertificate deprecation - \
                 https://pkg.go.dev/crypto/tls@go1.17#Config.",
            );
        }
        Ok(auth)
    }
}

impl OptionValue for Vec<TlsAuth> {
    const GO_TYPE: &'static str = "[]*lib.TLSAuth";

    fn from_json(value: &Value, key: &str, compat: &mut Compat) -> Result<Self, Failure> {
        array(value, key, Self::GO_TYPE)?.iter().map(|item| TlsAuth::read(item, key, compat)).collect()
    }

    fn from_env(_text: &str, _notes: &mut Compat) -> Result<Option<Self>, String> {
        Err("certificates can't be given this way; set `tlsAuth` in the script or the config file".to_owned())
    }

    fn to_json(&self) -> Value {
        self.iter()
            .map(|auth| json!({"cert": auth.cert, "key": auth.key, "password": auth.password, "domains": auth.domains}))
            .collect()
    }
}
