//! New keys.

use super::aes;
use super::algorithm::{Algorithm, Given};
use super::elliptic::{Curve, Secret};
use super::key::{self, CryptoKey, Material};
use super::refusal::Refusal;
use super::rsa;
use super::{Answer, Job, random};
use crate::js::value::Value;

/// More bits than this are a typing error.
const LONGEST_MAC: u32 = 1 << 24;

/// Plans `generateKey(algorithm, extractable, usages)`.
///
/// # Errors
/// When a parameter or a usage is not the algorithm's.
pub fn plan(mut given: Given, is_extractable: bool, usages: Value) -> Result<Job, Refusal> {
    let algorithm = given.algorithm;
    match algorithm {
        Algorithm::Hmac => {
            let usages = key::usages(usages, &["sign", "verify"])?;
            let hash = given.hash()?;
            let bits = given.number("length")?.unwrap_or_else(|| hash.block_bits());
            if bits == 0 || bits > LONGEST_MAC {
                return Err(Refusal::operation("invalid key length"));
            }
            let (usages, hash) = (key::some(usages)?, Some(hash));
            Ok(Job::short(move || {
                let material = Material::Secret(random(bits.div_ceil(8) as usize)?.into());
                Ok(Answer::Key(CryptoKey { algorithm, hash, material, is_extractable, usages }))
            }))
        }
        Algorithm::Ecdsa | Algorithm::Ecdh => {
            let (private, public): (&[&str], &[&str]) = match algorithm {
                Algorithm::Ecdsa => (&["sign"], &["verify"]),
                _ => (&["deriveKey", "deriveBits"], &[]),
            };
            let usages = key::usages(usages, &[private, public].concat())?;
            let curve = Curve::named(&given.needed_text("namedCurve")?)?;
            let (private, public) = split(usages, private, public)?;
            let run = move || {
                let secret = Secret::generate(curve).ok_or_else(|| Refusal::operation("no key could be made"))?;
                let point = Material::EcPublic(Box::new(secret.point()));
                let secret = Material::EcPrivate(Box::new(secret));
                let key = |material, is_extractable, usages| CryptoKey {
                    algorithm,
                    hash: None,
                    material,
                    is_extractable,
                    usages,
                };
                Ok(Answer::Pair(key(secret, is_extractable, private), key(point, true, public)))
            };
            Ok(Job { takes_long: curve != Curve::P256, run: Box::new(run) })
        }
        Algorithm::RsaPkcs1 | Algorithm::RsaPss | Algorithm::RsaOaep => {
            let (private, public): (&[&str], &[&str]) = match algorithm {
                Algorithm::RsaOaep => (&["decrypt", "unwrapKey"], &["encrypt", "wrapKey"]),
                _ => (&["sign"], &["verify"]),
            };
            let usages = key::usages(usages, &[private, public].concat())?;
            let bits = given.needed_number("modulusLength")?;
            let exponent = given.needed_bytes("publicExponent")?;
            let hash = Some(given.hash()?);
            if !rsa::is_exponent(&exponent) {
                return Err(Refusal::operation("publicExponent has to be an odd number from 3 to 2^33"));
            }
            if !rsa::SIZES.contains(&bits) {
                let (least, most) = (rsa::SIZES.start(), rsa::SIZES.end());
                return Err(Refusal::operation(format!("modulusLength has to be from {least} to {most}")));
            }
            // As there is no wrapping of keys, no key is for it.
            let (private, public) = split(usages, &private[..1], &public[..1])?;
            Ok(Job::long(move || {
                let secret = rsa::Private::generate(bits, &exponent)
                    .ok_or_else(|| Refusal::operation("no key could be made"))?;
                let open = Material::RsaPublic(Box::new(secret.public().clone()));
                let secret = Material::RsaPrivate(Box::new(secret));
                let key =
                    |material, is_extractable, usages| CryptoKey { algorithm, hash, material, is_extractable, usages };
                Ok(Answer::Pair(key(secret, is_extractable, private), key(open, true, public)))
            }))
        }
        _ => {
            let allowed: &[&str] = match algorithm {
                Algorithm::AesKw => &["wrapKey", "unwrapKey"],
                _ => aes::USAGES,
            };
            let usages = key::usages(usages, allowed)?;
            let bits = given.needed_number("length")?;
            if !aes::is_key_length(bits) {
                return Err(Refusal::operation("invalid key length"));
            }
            let usages = key::some(usages)?;
            Ok(Job::short(move || {
                let material = Material::Secret(random(bits as usize / 8)?.into());
                Ok(Answer::Key(CryptoKey { algorithm, hash: None, material, is_extractable, usages }))
            }))
        }
    }
}

type Usages = Vec<&'static str>;

/// The usages of the two keys of a pair.
fn split(usages: Usages, private: &[&str], public: &[&str]) -> Result<(Usages, Usages), Refusal> {
    let of = |own: &[&str]| usages.iter().copied().filter(|usage| own.contains(usage)).collect();
    Ok((key::some(of(private))?, of(public)))
}
