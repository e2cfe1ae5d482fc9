//! JSON Web Keys (RFC 7517, 7518): what a script gives, checked, and what it gets.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::algorithm::Algorithm;
use super::elliptic::{Curve, EcPublicKey, Secret};
use super::error::CryptoError;
use super::hash::Hash;
use super::key::{CryptoKey, Material};
use super::rsa;
use crate::js::value::Value;

/// A JSON Web Key as a script gave it.
#[derive(Default)]
pub struct Jwk {
    texts: Vec<(String, String)>,
    /// `ext`
    may_leave: Option<bool>,
    /// `key_ops`
    usages: Option<Vec<String>>,
    /// `oth`
    has_more_primes: bool,
}

impl Jwk {
    /// The object of an argument.
    ///
    /// # Errors
    /// When it is something else.
    pub fn read(value: Value) -> Result<Self, CryptoError> {
        let Value::Map(members) = value else { return Err(CryptoError::data("a JWK is an object")) };
        let mut jwk = Self::default();
        for (name, value) in members {
            match (name.as_str(), value) {
                (_, Value::String(text)) => jwk.texts.push((name, text)),
                ("ext", Value::Bool(may_leave)) => jwk.may_leave = Some(may_leave),
                ("key_ops", Value::List(list)) => {
                    let text = |item| if let Value::String(text) = item { Some(text) } else { None };
                    jwk.usages = Some(list.into_iter().filter_map(text).collect());
                }
                ("oth", value) => jwk.has_more_primes = !matches!(value, Value::Undefined | Value::Null),
                _ => {}
            }
        }
        Ok(jwk)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.texts.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str())
    }

    /// True if it has this member.
    pub fn has(&self, name: &str) -> bool {
        self.text(name).is_some()
    }

    /// Checks what a key says about itself against what it is imported for.
    ///
    /// # Errors
    /// When it is for something else.
    pub fn check(&self, kind: &str, is_extractable: bool, usages: &[&str]) -> Result<(), CryptoError> {
        if self.text("kty") != Some(kind) {
            return Err(CryptoError::data(format!("invalid key type, `kty` has to be {kind:?}")));
        }
        if self.may_leave == Some(false) && is_extractable {
            return Err(CryptoError::data("the key is not extractable, says its `ext`"));
        }
        if let Some(own) = &self.usages
            && let Some(usage) = usages.iter().find(|usage| !own.iter().any(|known| known == *usage))
        {
            return Err(CryptoError::data(format!("the key is not for {usage:?}, say its `key_ops`")));
        }
        Ok(())
    }

    /// Checks the `alg` of a key that has one.
    ///
    /// # Errors
    /// When it is another.
    pub fn check_algorithm(&self, expected: &str) -> Result<(), CryptoError> {
        match self.text("alg") {
            Some(given) if given != expected => {
                Err(CryptoError::data(format!("the key is for {given:?}, not {expected:?}, says its `alg`")))
            }
            _ => Ok(()),
        }
    }

    /// The bytes of a member.
    ///
    /// # Errors
    /// When it is missing or no Base64.
    pub fn bytes(&self, name: &str) -> Result<Vec<u8>, CryptoError> {
        let text = self.text(name).ok_or_else(|| CryptoError::data(format!("the JWK has no `{name}`")))?;
        let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('='));
        bytes.map_err(|_| CryptoError::data(format!("`{name}` of the JWK is no Base64 for URLs")))
    }

    /// The number in a member, padded to this many bytes: leading zeros may be missing.
    fn number(&self, name: &str, len: usize) -> Result<Vec<u8>, CryptoError> {
        let bytes = self.bytes(name)?;
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        let digits = &bytes[zeros..];
        if digits.len() > len {
            return Err(CryptoError::data(format!("`{name}` of the JWK is longer than {len} bytes")));
        }
        let mut number = vec![0; len - digits.len()];
        number.extend_from_slice(digits);
        Ok(number)
    }

    /// The key of a curve, private where the key has a `d`. The curve is the one the key names: as in k6 it wins over what
    /// the algorithm says. As in k6, too, a public key of ECDSA may be a point off its curve; it verifies nothing.
    ///
    /// # Errors
    /// When it is of an unknown curve, or no key.
    pub fn elliptic(&self, algorithm: Algorithm) -> Result<Material, CryptoError> {
        let curve = self.text("crv").and_then(|name| Curve::named(name).ok());
        let curve = curve.ok_or_else(|| CryptoError::data("invalid curve, `crv` has to be P-256, P-384 or P-521"))?;
        let mut raw = vec![4];
        for name in ["x", "y"] {
            raw.extend(self.number(name, curve.len())?);
        }
        let Some(point) = EcPublicKey::from_raw(curve, &raw) else {
            if algorithm == Algorithm::Ecdsa && !self.has("d") {
                return Ok(Material::EcOffCurve { curve, raw });
            }
            return Err(CryptoError::data("the point is not on the curve"));
        };
        if !self.has("d") {
            return Ok(Material::EcPublic(Box::new(point)));
        }
        let d = self.number("d", curve.len())?;
        let secret = Secret::from_bytes(curve, &d).filter(|secret| secret.point().to_raw() == raw);
        secret
            .map(|secret| Material::EcPrivate(Box::new(secret)))
            .ok_or_else(|| CryptoError::data("invalid private key"))
    }

    /// The RSA key, private where the key has a `d`.
    ///
    /// # Errors
    /// When its numbers are no key.
    pub fn rsa(&self) -> Result<Material, CryptoError> {
        let (n, e) = (self.bytes("n")?, self.bytes("e")?);
        if !self.has("d") {
            let key = rsa::public_from_parts(&n, &e).ok_or_else(|| CryptoError::data("invalid public key"))?;
            return Ok(Material::RsaPublic(Box::new(key)));
        }
        if self.has_more_primes {
            return Err(CryptoError::unsupported("RSA keys with more than two primes are not supported"));
        }
        let d = self.bytes("d")?;
        let primes = if self.has("p") || self.has("q") { Some((self.bytes("p")?, self.bytes("q")?)) } else { None };
        let primes = primes.as_ref().map(|(p, q)| (&p[..], &q[..]));
        let key = rsa::RsaPrivateKey::from_parts(&n, &e, &d, primes)
            .ok_or_else(|| CryptoError::data("invalid private key"))?;
        Ok(Material::RsaPrivate(Box::new(key)))
    }
}

/// The `alg` of a key of HMAC.
pub fn mac_algorithm(hash: Hash) -> String {
    format!("HS{}", hash.number())
}

/// The `alg` of a key of AES.
pub fn aes_algorithm(algorithm: Algorithm, bytes: usize) -> String {
    format!("A{}{}", bytes * 8, algorithm.name().trim_start_matches("AES-"))
}

/// The `alg` of an RSA key.
pub fn rsa_algorithm(algorithm: Algorithm, hash: Hash) -> String {
    let number = hash.number();
    match algorithm {
        Algorithm::RsaPss => format!("PS{number}"),
        Algorithm::RsaOaep if hash == Hash::Sha1 => "RSA-OAEP".to_owned(),
        Algorithm::RsaOaep => format!("RSA-OAEP-{number}"),
        _ => format!("RS{number}"),
    }
}

/// The JSON Web Key of a key: members and their texts, and for secret keys what k6 says besides.
pub fn export(key: &CryptoKey) -> Option<Value> {
    let mut members = Vec::new();
    let mut put = |name: &str, value: Value| members.push((name.to_owned(), value));
    let text = |bytes: &[u8]| Value::from(URL_SAFE_NO_PAD.encode(bytes));
    match &key.material {
        Material::Secret(bytes) => {
            put("kty", "oct".into());
            put("k", text(bytes));
            put(
                "alg",
                match key.hash {
                    Some(hash) => mac_algorithm(hash),
                    None => aes_algorithm(key.algorithm, bytes.len()),
                }
                .into(),
            );
            put("ext", key.is_extractable.into());
            put("key_ops", Value::List(key.usages.iter().map(|usage| Value::from(*usage)).collect()));
        }
        Material::EcPrivate(secret) => {
            point(secret.curve(), &secret.point().to_raw(), &mut put);
            put("d", text(&secret.to_bytes()));
        }
        Material::EcPublic(public) => point(public.curve(), &public.to_raw(), &mut put),
        Material::EcOffCurve { curve, raw } => point(*curve, raw, &mut put),
        Material::RsaPrivate(private) => {
            let ((n, e), parts) = (rsa::numbers(private.public()), private.parts()?);
            put("kty", "RSA".into());
            let numbers = [("n", n), ("e", e), ("d", parts.d), ("p", parts.p), ("q", parts.q)];
            for (name, number) in numbers.iter().chain(&[("dp", parts.dp), ("dq", parts.dq), ("qi", parts.qi)]) {
                put(name, text(number));
            }
        }
        Material::RsaPublic(public) => {
            let (n, e) = rsa::numbers(public);
            put("kty", "RSA".into());
            put("n", text(&n));
            put("e", text(&e));
        }
    }
    Some(Value::Map(members))
}

fn point(curve: Curve, raw: &[u8], put: &mut impl FnMut(&str, Value)) {
    let (x, y) = raw[1..].split_at(curve.len());
    put("kty", "EC".into());
    put("crv", curve.name().into());
    put("x", URL_SAFE_NO_PAD.encode(x).into());
    put("y", URL_SAFE_NO_PAD.encode(y).into());
}
