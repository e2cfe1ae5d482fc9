//! A CryptoKey: its material, its usages, and what a script sees of it.

use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;

use super::algorithm::Algorithm;
use super::elliptic::{Curve, EcPublicKey, Secret};
use super::error::CryptoError;
use super::hash::Hash;
use super::rsa;
use crate::js::value::{Resource, Value};

/// The usages of keys, as the standard names them.
pub const USAGES: [&str; 8] =
    ["encrypt", "decrypt", "sign", "verify", "deriveKey", "deriveBits", "wrapKey", "unwrapKey"];

/// What a key is made of.
pub enum Material {
    /// Bytes: AES, HMAC, PBKDF2.
    Secret(Bytes),
    /// The number of a curve.
    EcPrivate(Box<Secret>),
    /// The point of a curve.
    EcPublic(Box<EcPublicKey>),
    /// Two coordinates that are no point of the curve, after a 4.
    EcOffCurve { curve: Curve, raw: Vec<u8> },
    /// An RSA private key.
    RsaPrivate(Box<rsa::RsaPrivateKey>),
    /// An RSA public key.
    RsaPublic(Box<rsa::PublicKey>),
}

/// A key. Threads that compute share it with the script.
pub struct CryptoKey {
    /// Its algorithm.
    pub algorithm: Algorithm,
    /// Its hash: HMAC and RSA.
    pub hash: Option<Hash>,
    /// What it is made of.
    pub material: Material,
    /// True if it may be exported.
    pub is_extractable: bool,
    /// What it may be used for.
    pub usages: Vec<&'static str>,
}

/// The usages that a script gave, in its order, each once.
///
/// # Errors
/// When one is not a usage, or none of `allowed`.
pub fn usages(value: Value, allowed: &[&str]) -> Result<Vec<&'static str>, CryptoError> {
    let Value::List(list) = value else { return Err(CryptoError::syntax("usages are not an array")) };
    let mut usages = Vec::with_capacity(list.len());
    for item in list {
        let known = match &item {
            Value::String(name) => USAGES.iter().find(|usage| *usage == name && allowed.contains(usage)),
            _ => None,
        };
        let usage = *known.ok_or_else(|| CryptoError::syntax("invalid key usage"))?;
        if !usages.contains(&usage) {
            usages.push(usage);
        }
    }
    Ok(usages)
}

/// Refuses a secret or private key, or a pair of keys, that has no usages.
pub fn some(usages: Vec<&'static str>) -> Result<Vec<&'static str>, CryptoError> {
    if usages.is_empty() {
        return Err(CryptoError::syntax("usages cannot not be empty for a secret or private CryptoKey"));
    }
    Ok(usages)
}

/// A key as JavaScript holds it.
struct KeyHandle(Arc<CryptoKey>);

/// The key behind an argument.
///
/// # Errors
/// When it is something else.
pub fn key_of(value: Value) -> Result<Arc<CryptoKey>, CryptoError> {
    match value {
        Value::Resource(resource) => key_behind(resource),
        _ => Err(CryptoError::kind("the argument is not a CryptoKey")),
    }
}

/// The key behind a native resource.
///
/// # Errors
/// When it is something else.
pub fn key_behind(resource: Resource) -> Result<Arc<CryptoKey>, CryptoError> {
    let held = resource.downcast::<KeyHandle>().map_err(|_| CryptoError::kind("the argument is not a CryptoKey"))?;
    Ok(held.0.clone())
}

impl CryptoKey {
    /// `secret`, `private` or `public`.
    pub fn kind(&self) -> &'static str {
        match self.material {
            Material::Secret(_) => "secret",
            Material::EcPrivate(_) | Material::RsaPrivate(_) => "private",
            Material::EcPublic(_) | Material::EcOffCurve { .. } | Material::RsaPublic(_) => "public",
        }
    }

    /// Refuses another algorithm, or an operation that is not among its usages.
    ///
    /// # Errors
    /// Says which.
    pub fn check(&self, algorithm: Algorithm, usage: &str) -> Result<(), CryptoError> {
        if self.algorithm != algorithm {
            let (own, given) = (self.algorithm.name(), algorithm.name());
            return Err(CryptoError::access(format!("the key is of algorithm {own}, not {given}")));
        }
        if !self.usages.contains(&usage) {
            return Err(CryptoError::access(format!("key does not contain the '{usage}' usage")));
        }
        Ok(())
    }

    /// The bytes of a secret key; empty for others.
    pub fn secret(&self) -> &Bytes {
        static NONE: Bytes = Bytes::new();
        match &self.material {
            Material::Secret(bytes) => bytes,
            _ => &NONE,
        }
    }

    /// What a script sees of its algorithm.
    fn facts(&self) -> Value {
        let mut facts = vec![("name".to_owned(), Value::from(self.algorithm.name()))];
        let mut tell = |name: &str, value: Value| facts.push((name.to_owned(), value));
        let curve = match &self.material {
            Material::EcPrivate(secret) => Some(secret.curve()),
            Material::EcPublic(point) => Some(point.curve()),
            Material::EcOffCurve { curve, .. } => Some(*curve),
            _ => None,
        };
        if let Some(curve) = curve {
            tell("namedCurve", curve.name().into());
        }
        let public = match &self.material {
            Material::RsaPrivate(key) => Some(key.public()),
            Material::RsaPublic(key) => Some(&**key),
            _ => None,
        };
        if let Some(public) = public {
            tell("modulusLength", f64::from(rsa::bits(public)).into());
            tell("publicExponent", Value::Bytes(rsa::numbers(public).1.into()));
        }
        if let Some(hash) = self.hash {
            let name = Algorithm::Sha(hash).name().into();
            tell("hash", Value::Map(vec![("name".to_owned(), name)]));
        }
        if let (Material::Secret(bytes), false) = (&self.material, self.algorithm == Algorithm::Pbkdf2) {
            tell("length", (bytes.len() as f64 * 8.0).into());
        }
        Value::Map(facts)
    }

    /// For JavaScript, which puts the facts on what it holds of the key.
    pub fn into_value(self) -> Value {
        let usages = self.usages.iter().map(|usage| Value::from(*usage)).collect();
        Value::Map(vec![
            ("type".to_owned(), self.kind().into()),
            ("extractable".to_owned(), self.is_extractable.into()),
            ("algorithm".to_owned(), self.facts()),
            ("usages".to_owned(), Value::List(usages)),
            ("native".to_owned(), Value::Resource(Rc::new(KeyHandle(Arc::new(self))))),
        ])
    }
}
