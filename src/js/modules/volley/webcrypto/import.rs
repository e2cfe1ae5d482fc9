//! Keys from outside.

use bytes::Bytes;

use super::aes;
use super::algorithm::{Algorithm, Given, bytes_of};
use super::elliptic::{Curve, Point, Secret};
use super::jwk::{self, Jwk};
use super::key::{self, CryptoKey, Material};
use super::refusal::Refusal;
use super::rsa;
use super::{Answer, Job};
use crate::js::value::Value;

/// The form a key comes or goes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Raw,
    Jwk,
    Spki,
    Pkcs8,
}

impl Format {
    const TABLE: [(&'static str, Self); 4] =
        [("raw", Self::Raw), ("jwk", Self::Jwk), ("spki", Self::Spki), ("pkcs8", Self::Pkcs8)];

    /// By name.
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn named(name: &str) -> Result<Self, Refusal> {
        let found = Self::TABLE.iter().find(|(known, _)| *known == name).map(|(_, format)| *format);
        found.ok_or_else(|| Refusal::implementation(format!("unsupported format {name}")))
    }

    /// The refusal of keys that don't come in this form.
    pub fn unsupported(self) -> Refusal {
        let name = Self::TABLE.iter().find(|(_, known)| *known == self).map_or("", |(name, _)| name);
        Refusal::unsupported(format!("unsupported key format {name}"))
    }
}

/// A key as it came.
enum Form {
    Bytes(Format, Bytes),
    Jwk(Jwk),
}

/// Plans `importKey(format, data, algorithm, extractable, usages)`.
///
/// # Errors
/// When the format is not the algorithm's, or the data is no key of it.
pub fn plan(format: Format, data: Value, given: Given, is_extractable: bool, usages: Value) -> Result<Job, Refusal> {
    let form = match format {
        Format::Jwk => Form::Jwk(Jwk::read(data)?),
        format => Form::Bytes(format, bytes_of(data)?),
    };
    match given.algorithm {
        Algorithm::AesKw => Err(Refusal::unsupported("unsupported algorithm AES-KW")),
        Algorithm::Ecdsa | Algorithm::Ecdh => elliptic(form, given, is_extractable, usages),
        Algorithm::RsaPkcs1 | Algorithm::RsaPss | Algorithm::RsaOaep => rsa_key(form, given, is_extractable, usages),
        _ => {
            let key = secret(form, given, is_extractable, usages)?;
            Ok(Job::short(move || Ok(Answer::Key(key))))
        }
    }
}

/// AES, HMAC, PBKDF2.
fn secret(form: Form, mut given: Given, is_extractable: bool, usages: Value) -> Result<CryptoKey, Refusal> {
    let algorithm = given.algorithm;
    let allowed = match algorithm {
        Algorithm::Hmac => &["sign", "verify"][..],
        Algorithm::Pbkdf2 => &["deriveKey", "deriveBits"],
        _ => aes::USAGES,
    };
    let hash = if algorithm == Algorithm::Hmac { Some(given.hash()?) } else { None };
    let usages = key::usages(usages, allowed)?;
    let bytes = match form {
        Form::Bytes(Format::Raw, bytes) => bytes,
        Form::Jwk(jwk) if algorithm != Algorithm::Pbkdf2 => {
            jwk.check("oct", is_extractable, &usages)?;
            let bytes = jwk.bytes("k")?;
            jwk.check_algorithm(&match hash {
                Some(hash) => jwk::mac_algorithm(hash),
                None => jwk::aes_algorithm(algorithm, bytes.len()),
            })?;
            bytes.into()
        }
        Form::Jwk(_) => return Err(Format::Jwk.unsupported()),
        Form::Bytes(format, _) => return Err(format.unsupported()),
    };
    match algorithm {
        Algorithm::Pbkdf2 if is_extractable => {
            return Err(Refusal::syntax("a key for PBKDF2 can't be extractable"));
        }
        Algorithm::Pbkdf2 => {}
        Algorithm::Hmac => {
            let length = given.number("length")?;
            let is_wrong = |length: u32| (length.div_ceil(8) as usize) != bytes.len();
            if bytes.is_empty() || length.is_some_and(is_wrong) {
                return Err(Refusal::data(format!("invalid key length {} bytes", bytes.len())));
            }
        }
        _ if !matches!(bytes.len(), 16 | 24 | 32) => {
            return Err(Refusal::data(format!("invalid key length {} bytes", bytes.len())));
        }
        _ => {}
    }
    let (usages, material) = (key::some(usages)?, Material::Secret(bytes));
    Ok(CryptoKey { algorithm, hash, material, is_extractable, usages })
}

/// ECDSA, ECDH.
fn elliptic(form: Form, mut given: Given, is_extractable: bool, usages: Value) -> Result<Job, Refusal> {
    let algorithm = given.algorithm;
    let curve = Curve::named(&given.needed_text("namedCurve")?)?;
    let is_private = is_private(&form);
    let usages = usages_of(usages, is_private)?;
    if let Form::Jwk(jwk) = &form {
        jwk.check("EC", is_extractable, &usages)?;
    }
    let run = move || {
        let material = match form {
            Form::Jwk(jwk) => Some(jwk.elliptic(algorithm)?),
            Form::Bytes(Format::Pkcs8, der) => {
                Secret::from_pkcs8(curve, &der).map(|secret| Material::EcPrivate(Box::new(secret)))
            }
            Form::Bytes(format, bytes) => {
                let point = if format == Format::Raw {
                    Point::from_raw(curve, &bytes)
                } else {
                    Point::from_spki(curve, &bytes)
                };
                point.map(|point| Material::EcPublic(Box::new(point)))
            }
        };
        let material = material.ok_or_else(|| Refusal::data(format!("the data is no key of {}", curve.name())))?;
        Ok(Answer::Key(CryptoKey { algorithm, hash: None, material, is_extractable, usages }))
    };
    Ok(Job { takes_long: curve != Curve::P256, run: Box::new(run) })
}

/// The three of RSA.
fn rsa_key(form: Form, mut given: Given, is_extractable: bool, usages: Value) -> Result<Job, Refusal> {
    let algorithm = given.algorithm;
    let hash = given.hash()?;
    if let Form::Bytes(Format::Raw, _) = form {
        return Err(Format::Raw.unsupported());
    }
    let is_private = is_private(&form);
    let usages = usages_of(usages, is_private)?;
    if let Form::Jwk(jwk) = &form {
        jwk.check("RSA", is_extractable, &usages)?;
        jwk.check_algorithm(&jwk::rsa_algorithm(algorithm, hash))?;
    }
    Ok(Job::long(move || {
        let material = match form {
            Form::Jwk(jwk) => Some(jwk.rsa()?),
            Form::Bytes(Format::Pkcs8, der) => {
                rsa::Private::from_pkcs8(&der).map(|key| Material::RsaPrivate(Box::new(key)))
            }
            Form::Bytes(_, der) => rsa::public_from_spki(&der).map(|key| Material::RsaPublic(Box::new(key))),
        };
        let material = material.ok_or_else(|| Refusal::data("the data is no RSA key"))?;
        Ok(Answer::Key(CryptoKey { algorithm, hash: Some(hash), material, is_extractable, usages }))
    }))
}

fn is_private(form: &Form) -> bool {
    match form {
        Form::Bytes(format, _) => *format == Format::Pkcs8,
        Form::Jwk(jwk) => jwk.has("d"),
    }
}

/// The usages of one key of a pair; a private one needs some. As in k6 they may be those of another kind of key: what
/// a key can't do is refused where it is tried.
fn usages_of(usages: Value, is_private: bool) -> Result<Vec<&'static str>, Refusal> {
    let usages = key::usages(usages, &key::USAGES)?;
    if is_private { key::some(usages) } else { Ok(usages) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_has_one_of_four_names() {
        assert_eq!(Format::named("pkcs8"), Ok(Format::Pkcs8));
        assert_eq!(Format::named("foo"), Err(Refusal::implementation("unsupported format foo")));
        assert_eq!(Format::Spki.unsupported(), Refusal::unsupported("unsupported key format spki"));
    }
}
