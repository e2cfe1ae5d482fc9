//! New keys.

use super::aes;
use super::algorithm::{Algorithm, AlgorithmIdentifier};
use super::elliptic::{Curve, Secret};
use super::error::CryptoError;
use super::key::{self, CryptoKey, Material};
use super::rsa;
use super::{CryptoOutcome, Job, random};
use crate::js::value::Value;

/// More bits than this are refused as a typing error.
const MAX_MAC_KEY_BITS: u32 = 1 << 24;

/// Plans `generateKey(algorithm, extractable, usages)`.
///
/// # Errors
/// When a parameter or a usage is not the algorithm's.
pub fn plan(mut given: AlgorithmIdentifier, is_extractable: bool, usages: Value) -> Result<Job, CryptoError> {
    let algorithm = given.algorithm;
    match algorithm {
        Algorithm::Hmac => {
            let hash = given.hash()?;
            let usages = key::usages(usages, &["sign", "verify"])?;
            let bits = given.number("length")?.unwrap_or_else(|| hash.block_bits());
            if bits == 0 || bits > MAX_MAC_KEY_BITS {
                return Err(CryptoError::operation("invalid key length"));
            }
            let (usages, hash) = (key::some(usages)?, Some(hash));
            Ok(Job::short(move || {
                let material = Material::Secret(random(bits.div_ceil(8) as usize)?.into());
                Ok(CryptoOutcome::Key(CryptoKey { algorithm, hash, material, is_extractable, usages }))
            }))
        }
        Algorithm::Ecdsa | Algorithm::Ecdh => {
            let (private, public): (&[&str], &[&str]) = match algorithm {
                Algorithm::Ecdsa => (&["sign"], &["verify"]),
                _ => (&["deriveKey", "deriveBits"], &[]),
            };
            let curve = Curve::named(&given.needed_text("namedCurve")?)?;
            let usages = key::some(key::usages(usages, &[private, public].concat())?)?;
            let (private, public) = (those(&usages, private), those(&usages, public));
            let run = move || {
                let secret = Secret::generate(curve).ok_or_else(|| CryptoError::operation("no key could be made"))?;
                let point = Material::EcPublic(Box::new(secret.point()));
                let secret = Material::EcPrivate(Box::new(secret));
                let key = |material, is_extractable, usages| CryptoKey {
                    algorithm,
                    hash: None,
                    material,
                    is_extractable,
                    usages,
                };
                Ok(CryptoOutcome::Pair(key(secret, is_extractable, private), key(point, true, public)))
            };
            Ok(Job { takes_long: curve != Curve::P256, run: Box::new(run) })
        }
        Algorithm::RsaPkcs1 | Algorithm::RsaPss | Algorithm::RsaOaep => {
            let (private, public): (&[&str], &[&str]) = match algorithm {
                Algorithm::RsaOaep => (&["decrypt", "unwrapKey"], &["encrypt", "wrapKey"]),
                _ => (&["sign"], &["verify"]),
            };
            let bits = given.needed_number("modulusLength")?;
            let exponent = given.needed_bytes("publicExponent")?;
            let hash = Some(given.hash()?);
            let usages = key::some(key::usages(usages, &[private, public].concat())?)?;
            if !rsa::is_exponent(&exponent) {
                return Err(CryptoError::operation("publicExponent has to be an odd number from 3 to 2^33"));
            }
            if !rsa::SIZES.contains(&bits) {
                let (least, most) = (rsa::SIZES.start(), rsa::SIZES.end());
                return Err(CryptoError::operation(format!("modulusLength has to be from {least} to {most}")));
            }
            // Keys can't be wrapped here, so no usage allows it.
            let (private, public) = (those(&usages, &private[..1]), those(&usages, &public[..1]));
            Ok(Job::long(move || {
                let secret = rsa::RsaPrivateKey::generate(bits, &exponent)
                    .ok_or_else(|| CryptoError::operation("no key could be made"))?;
                let open = Material::RsaPublic(Box::new(secret.public().clone()));
                let secret = Material::RsaPrivate(Box::new(secret));
                let key =
                    |material, is_extractable, usages| CryptoKey { algorithm, hash, material, is_extractable, usages };
                Ok(CryptoOutcome::Pair(key(secret, is_extractable, private), key(open, true, public)))
            }))
        }
        _ => {
            let allowed: &[&str] = match algorithm {
                Algorithm::AesKw => &["wrapKey", "unwrapKey"],
                _ => aes::USAGES,
            };
            let bits = given.needed_number("length")?;
            let usages = key::usages(usages, allowed)?;
            if !aes::is_key_length(bits) {
                return Err(CryptoError::operation("invalid key length"));
            }
            let usages = key::some(usages)?;
            Ok(Job::short(move || {
                let material = Material::Secret(random(bits as usize / 8)?.into());
                Ok(CryptoOutcome::Key(CryptoKey { algorithm, hash: None, material, is_extractable, usages }))
            }))
        }
    }
}

/// Those of the usages that are for one key of a pair; there may be none.
fn those(usages: &[&'static str], own: &[&str]) -> Vec<&'static str> {
    usages.iter().copied().filter(|usage| own.contains(usage)).collect()
}
