//! Imported keys.

use bytes::Bytes;

use super::aes;
use super::algorithm::{Algorithm, AlgorithmIdentifier, bytes_of};
use super::elliptic::{Curve, EcPublicKey, Secret};
use super::error::CryptoError;
use super::jwk::{self, Jwk};
use super::key::{self, CryptoKey, Material};
use super::rsa;
use super::{CryptoOutcome, Job};
use crate::js::value::Value;

/// The format in which a key is imported or exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFormat {
    Raw,
    Jwk,
    Spki,
    Pkcs8,
}

impl KeyFormat {
    const TABLE: [(&'static str, Self); 4] =
        [("raw", Self::Raw), ("jwk", Self::Jwk), ("spki", Self::Spki), ("pkcs8", Self::Pkcs8)];

    /// By name.
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn named(name: &str) -> Result<Self, CryptoError> {
        let found = Self::TABLE.iter().find(|(known, _)| *known == name).map(|(_, format)| *format);
        found.ok_or_else(|| CryptoError::implementation(format!("unsupported format {name}")))
    }

    /// The refusal of keys that don't come in this form.
    pub fn unsupported(self) -> CryptoError {
        let name = Self::TABLE.iter().find(|(_, known)| *known == self).map_or("", |(name, _)| name);
        CryptoError::unsupported(format!("unsupported key format {name}"))
    }
}

/// A key to be imported.
enum KeyData {
    Bytes(KeyFormat, Bytes),
    Jwk(Jwk),
}

/// Plans `importKey(format, data, algorithm, extractable, usages)`.
///
/// # Errors
/// When the format is not the algorithm's, or the data is no key of it.
pub fn plan(
    format: KeyFormat,
    data: Value,
    given: AlgorithmIdentifier,
    is_extractable: bool,
    usages: Value,
) -> Result<Job, CryptoError> {
    let form = match format {
        KeyFormat::Jwk => KeyData::Jwk(Jwk::read(data)?),
        format => KeyData::Bytes(format, bytes_of(data)?),
    };
    match given.algorithm {
        Algorithm::AesKw => Err(CryptoError::unsupported("unsupported algorithm AES-KW")),
        Algorithm::Ecdsa | Algorithm::Ecdh => elliptic(form, given, is_extractable, usages),
        Algorithm::RsaPkcs1 | Algorithm::RsaPss | Algorithm::RsaOaep => rsa_key(form, given, is_extractable, usages),
        _ => {
            let key = secret(form, given, is_extractable, usages)?;
            Ok(Job::short(move || Ok(CryptoOutcome::Key(key))))
        }
    }
}

/// AES, HMAC, PBKDF2.
fn secret(
    form: KeyData,
    mut given: AlgorithmIdentifier,
    is_extractable: bool,
    usages: Value,
) -> Result<CryptoKey, CryptoError> {
    let algorithm = given.algorithm;
    let allowed = match algorithm {
        Algorithm::Hmac => &["sign", "verify"][..],
        Algorithm::Pbkdf2 => &["deriveKey", "deriveBits"],
        _ => aes::USAGES,
    };
    let hash = if algorithm == Algorithm::Hmac { Some(given.hash()?) } else { None };
    let usages = key::usages(usages, allowed)?;
    let bytes = match form {
        KeyData::Bytes(KeyFormat::Raw, bytes) => bytes,
        KeyData::Jwk(jwk) if algorithm != Algorithm::Pbkdf2 => {
            jwk.check("oct", is_extractable, &usages)?;
            let bytes = jwk.bytes("k")?;
            jwk.check_algorithm(&match hash {
                Some(hash) => jwk::mac_algorithm(hash),
                None => jwk::aes_algorithm(algorithm, bytes.len()),
            })?;
            bytes.into()
        }
        KeyData::Jwk(_) => return Err(KeyFormat::Jwk.unsupported()),
        KeyData::Bytes(format, _) => return Err(format.unsupported()),
    };
    match algorithm {
        Algorithm::Pbkdf2 if is_extractable => {
            return Err(CryptoError::syntax("a key for PBKDF2 can't be extractable"));
        }
        Algorithm::Pbkdf2 => {}
        Algorithm::Hmac => {
            let length = given.number("length")?;
            let is_wrong = |length: u32| (length.div_ceil(8) as usize) != bytes.len();
            if bytes.is_empty() || length.is_some_and(is_wrong) {
                return Err(CryptoError::data(format!("invalid key length {} bytes", bytes.len())));
            }
        }
        _ if !matches!(bytes.len(), 16 | 24 | 32) => {
            return Err(CryptoError::data(format!("invalid key length {} bytes", bytes.len())));
        }
        _ => {}
    }
    let (usages, material) = (key::some(usages)?, Material::Secret(bytes));
    Ok(CryptoKey { algorithm, hash, material, is_extractable, usages })
}

/// ECDSA, ECDH.
fn elliptic(
    form: KeyData,
    mut given: AlgorithmIdentifier,
    is_extractable: bool,
    usages: Value,
) -> Result<Job, CryptoError> {
    let algorithm = given.algorithm;
    let curve = Curve::named(&given.needed_text("namedCurve")?)?;
    let is_private = is_private(&form);
    let usages = usages_of(usages, is_private)?;
    if let KeyData::Jwk(jwk) = &form {
        jwk.check("EC", is_extractable, &usages)?;
    }
    let run = move || {
        let material = match form {
            KeyData::Jwk(jwk) => Some(jwk.elliptic(algorithm)?),
            KeyData::Bytes(KeyFormat::Pkcs8, der) => {
                Secret::from_pkcs8(curve, &der).map(|secret| Material::EcPrivate(Box::new(secret)))
            }
            KeyData::Bytes(format, bytes) => {
                let point = if format == KeyFormat::Raw {
                    EcPublicKey::from_raw(curve, &bytes)
                } else {
                    EcPublicKey::from_spki(curve, &bytes)
                };
                point.map(|point| Material::EcPublic(Box::new(point)))
            }
        };
        let material = material.ok_or_else(|| CryptoError::data(format!("the data is no key of {}", curve.name())))?;
        Ok(CryptoOutcome::Key(CryptoKey { algorithm, hash: None, material, is_extractable, usages }))
    };
    Ok(Job { takes_long: curve != Curve::P256, run: Box::new(run) })
}

/// The three of RSA.
fn rsa_key(
    form: KeyData,
    mut given: AlgorithmIdentifier,
    is_extractable: bool,
    usages: Value,
) -> Result<Job, CryptoError> {
    let algorithm = given.algorithm;
    let hash = given.hash()?;
    if let KeyData::Bytes(KeyFormat::Raw, _) = form {
        return Err(KeyFormat::Raw.unsupported());
    }
    let is_private = is_private(&form);
    let usages = usages_of(usages, is_private)?;
    if let KeyData::Jwk(jwk) = &form {
        jwk.check("RSA", is_extractable, &usages)?;
        jwk.check_algorithm(&jwk::rsa_algorithm(algorithm, hash))?;
    }
    Ok(Job::long(move || {
        let material = match form {
            KeyData::Jwk(jwk) => Some(jwk.rsa()?),
            KeyData::Bytes(KeyFormat::Pkcs8, der) => {
                rsa::RsaPrivateKey::from_pkcs8(&der).map(|key| Material::RsaPrivate(Box::new(key)))
            }
            KeyData::Bytes(_, der) => rsa::public_from_spki(&der).map(|key| Material::RsaPublic(Box::new(key))),
        };
        let material = material.ok_or_else(|| CryptoError::data("the data is no RSA key"))?;
        Ok(CryptoOutcome::Key(CryptoKey { algorithm, hash: Some(hash), material, is_extractable, usages }))
    }))
}

fn is_private(form: &KeyData) -> bool {
    match form {
        KeyData::Bytes(format, _) => *format == KeyFormat::Pkcs8,
        KeyData::Jwk(jwk) => jwk.has("d"),
    }
}

/// The usages of one key of a pair; a private one needs some. As in k6 they may be those of another kind of key: what
/// a key can't do is refused where it is tried.
fn usages_of(usages: Value, is_private: bool) -> Result<Vec<&'static str>, CryptoError> {
    let usages = key::usages(usages, &key::USAGES)?;
    if is_private { key::some(usages) } else { Ok(usages) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_has_one_of_four_names() {
        assert_eq!(KeyFormat::named("pkcs8"), Ok(KeyFormat::Pkcs8));
        assert_eq!(KeyFormat::named("foo"), Err(CryptoError::implementation("unsupported format foo")));
        assert_eq!(KeyFormat::Spki.unsupported(), CryptoError::unsupported("unsupported key format spki"));
    }
}
