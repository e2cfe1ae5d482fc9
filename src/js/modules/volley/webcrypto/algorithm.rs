//! The algorithms by name, what each can do, and the parameters that a script gave for one.

use bytes::Bytes;

use super::error::CryptoError;
use super::hash::Hash;
use crate::js::value::{Resource, Value};

/// An algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    Sha(Hash),
    AesCbc,
    AesCtr,
    AesGcm,
    AesKw,
    Hmac,
    Ecdsa,
    Ecdh,
    RsaPkcs1,
    RsaPss,
    RsaOaep,
    Pbkdf2,
}

use Algorithm::*;

impl Algorithm {
    const TABLE: [(&'static str, Self); 15] = [
        ("SHA-1", Sha(Hash::Sha1)),
        ("SHA-256", Sha(Hash::Sha256)),
        ("SHA-384", Sha(Hash::Sha384)),
        ("SHA-512", Sha(Hash::Sha512)),
        ("AES-CBC", AesCbc),
        ("AES-CTR", AesCtr),
        ("AES-GCM", AesGcm),
        ("AES-KW", AesKw),
        ("HMAC", Hmac),
        ("ECDSA", Ecdsa),
        ("ECDH", Ecdh),
        ("RSASSA-PKCS1-v1_5", RsaPkcs1),
        ("RSA-PSS", RsaPss),
        ("RSA-OAEP", RsaOaep),
        ("PBKDF2", Pbkdf2),
    ];

    /// By name, in letters of any case.
    pub fn named(name: &str) -> Option<Self> {
        Self::TABLE.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, algorithm)| *algorithm)
    }

    /// Its name as the standard spells it.
    pub fn name(self) -> &'static str {
        Self::TABLE.iter().find(|(_, known)| *known == self).map_or("", |(name, _)| name)
    }

    /// True if k6 does `operation` with it. Importing a key for AES-KW has its own refusal.
    fn does(self, operation: &str) -> bool {
        match operation {
            "digest" => matches!(self, Sha(_)),
            "generateKey" => !matches!(self, Sha(_) | Pbkdf2),
            "importKey" => !matches!(self, Sha(_)),
            "getKeyLength" => matches!(self, AesCbc | AesCtr | AesGcm | AesKw),
            "sign" | "verify" => matches!(self, Hmac | Ecdsa | RsaPkcs1 | RsaPss),
            "encrypt" | "decrypt" => matches!(self, AesCbc | AesCtr | AesGcm | RsaOaep),
            "deriveBits" => matches!(self, Ecdh | Pbkdf2),
            "deriveKey" => matches!(self, Pbkdf2),
            _ => false,
        }
    }

    /// The refusal to do `operation` with the algorithm called `name`.
    fn unsupported(name: &str, operation: &str) -> CryptoError {
        CryptoError::unsupported(format!(
            "algorithm {name:?} doesn't support (in implementation) operation {operation:?}"
        ))
    }

    /// Refuses where k6 does not do `operation` with it.
    pub fn check(self, operation: &str) -> Result<(), CryptoError> {
        if self.does(operation) { Ok(()) } else { Err(Self::unsupported(self.name(), operation)) }
    }
}

/// An algorithm as a script gave it: by its name, or as an object with a name and parameters.
pub struct AlgorithmIdentifier {
    /// Which one.
    pub algorithm: Algorithm,
    members: Vec<(String, Value)>,
}

impl AlgorithmIdentifier {
    /// Reads an argument that names an algorithm for `operation`.
    ///
    /// # Errors
    /// When it names none, or none that does this.
    pub fn read(value: Value, operation: &str) -> Result<Self, CryptoError> {
        let (name, members) = match value {
            Value::String(name) => (name, Vec::new()),
            Value::Map(mut members) => {
                let at = members.iter().position(|(name, _)| name == "name");
                match at.map(|at| members.swap_remove(at).1) {
                    Some(Value::String(name)) => (name, members),
                    _ => (String::new(), members),
                }
            }
            _ => return Err(CryptoError::syntax("algorithm cannot be interpreted as a string or an object")),
        };
        let algorithm = Algorithm::named(&name).ok_or_else(|| Algorithm::unsupported(&name, operation))?;
        algorithm.check(operation)?;
        Ok(Self { algorithm, members })
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        let at = self.members.iter().position(|(known, _)| known == name)?;
        Some(self.members.swap_remove(at).1).filter(|value| !matches!(value, Value::Undefined | Value::Null))
    }

    fn missing(&self, name: &str) -> CryptoError {
        CryptoError::syntax(format!("{} needs `{name}`", self.algorithm.name()))
    }

    /// The hash under `hash`, by name or as an object with a name.
    pub fn hash(&mut self) -> Result<Hash, CryptoError> {
        let value = self.take("hash").ok_or_else(|| self.missing("hash"))?;
        match Self::read(value, "digest")?.algorithm {
            Sha(hash) => Ok(hash),
            other => Err(Algorithm::unsupported(other.name(), "digest")),
        }
    }

    /// Bytes that may be missing.
    pub fn bytes(&mut self, name: &str) -> Result<Option<Bytes>, CryptoError> {
        self.take(name).map(bytes_of).transpose()
    }

    /// Bytes that have to be there.
    pub fn needed_bytes(&mut self, name: &str) -> Result<Bytes, CryptoError> {
        self.bytes(name)?.ok_or_else(|| self.missing(name))
    }

    /// A whole number that may be missing; JavaScript made a number of what the script gave.
    pub fn number(&mut self, name: &str) -> Result<Option<u32>, CryptoError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Number(number)) if (0.0..=f64::from(u32::MAX)).contains(&number.trunc()) => {
                Ok(Some(number.trunc() as u32))
            }
            Some(_) => Err(CryptoError::operation(format!(
                "{}: `{name}` is not a number from 0 to 2^32-1",
                self.algorithm.name()
            ))),
        }
    }

    /// A whole number that has to be there.
    pub fn needed_number(&mut self, name: &str) -> Result<u32, CryptoError> {
        self.number(name)?.ok_or_else(|| self.missing(name))
    }

    /// A text that has to be there.
    pub fn needed_text(&mut self, name: &str) -> Result<String, CryptoError> {
        match self.take(name) {
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(CryptoError::syntax(format!("{}: `{name}` is not a string", self.algorithm.name()))),
            None => Err(self.missing(name)),
        }
    }

    /// Something of Rust's that has to be there.
    pub fn needed_resource(&mut self, name: &str) -> Result<Resource, CryptoError> {
        match self.take(name) {
            Some(Value::Resource(resource)) => Ok(resource),
            _ => Err(CryptoError::kind(format!("{}: `{name}` is not a CryptoKey", self.algorithm.name()))),
        }
    }
}

/// The data of an argument. JavaScript hands over whole buffers, and this text for a DataView.
pub fn bytes_of(value: Value) -> Result<Bytes, CryptoError> {
    match value {
        Value::Bytes(bytes) => Ok(bytes),
        Value::Shared(shared) => Ok(shared.bytes().clone()),
        Value::List(list) if list.is_empty() => {
            Err(CryptoError::operation("data is neither an ArrayBuffer, nor a TypedArray nor DataView"))
        }
        _ => Err(CryptoError { name: "", message: "data must be an ArrayBuffer, TypedArray, or DataView".to_owned() }),
    }
}
