//! RSA: keys in all their forms, PKCS #1 v1.5 and PSS signatures, OAEP encryption.
//!
//! What takes the private key is blinded with random numbers, but does not run in constant time to the last step
//! (RUSTSEC-2023-0071): a load generator's keys are test keys. What JSON Web Tokens are signed with is ring's, four times
//! faster.

use std::sync::OnceLock;

use ::rsa::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey};
use ::rsa::traits::{PrivateKeyParts, PublicKeyParts};
use ::rsa::{BoxedUint, Oaep, Pkcs1v15Sign, Pss};
use getrandom::SysRng;
use ring::rand::SystemRandom;
use ring::signature;

use super::hash::{Hash, with_hash};

use ::rsa::PrivateKey;
pub use ::rsa::PublicKey;

/// Bits of the smallest and of the largest modulus.
pub const SIZES: std::ops::RangeInclusive<u32> = 1024..=8192;

/// A private key.
pub struct RsaPrivateKey {
    key: PrivateKey,
    /// For ring, where it signs with keys like this; made for the first signature.
    swift: OnceLock<Option<ring::rsa::KeyPair>>,
}

/// The components of a private key, big-endian without leading zeros, under their names in a JWK.
pub struct RsaComponents {
    pub d: Vec<u8>,
    pub p: Vec<u8>,
    pub q: Vec<u8>,
    pub dp: Vec<u8>,
    pub dq: Vec<u8>,
    pub qi: Vec<u8>,
}

/// How a digest is signed.
#[derive(Clone, Copy, Debug)]
pub enum Scheme {
    /// RSASSA-PKCS1-v1_5
    Pkcs1,
    /// RSASSA-PSS with a salt of this many bytes.
    Pss { salt: usize },
}

fn uint(bytes: &[u8]) -> Option<BoxedUint> {
    let bytes = &bytes[bytes.iter().position(|byte| *byte != 0)?..];
    BoxedUint::from_be_slice(bytes, u32::try_from(bytes.len()).ok()?.checked_mul(8)?).ok()
}

/// True for an exponent keys are made with: odd, from 3 to 2^33.
pub fn is_exponent(bytes: &[u8]) -> bool {
    let significant = bytes.iter().skip_while(|byte| **byte == 0);
    let value = significant.fold(0_u64, |value, byte| value.saturating_mul(256).saturating_add(u64::from(*byte)));
    value % 2 == 1 && (3..1 << 33).contains(&value)
}

impl RsaPrivateKey {
    fn of(key: PrivateKey) -> Self {
        Self { key, swift: OnceLock::new() }
    }

    /// A new key; `None` where there is none of this size with this exponent.
    pub fn generate(bits: u32, exponent: &[u8]) -> Option<Self> {
        PrivateKey::new_with_exp(&mut SysRng, bits as usize, uint(exponent)?).ok().map(Self::of)
    }

    /// From PKCS #8.
    pub fn from_pkcs8(der: &[u8]) -> Option<Self> {
        PrivateKey::from_pkcs8_der(der).ok().map(Self::of)
    }

    /// From its numbers; without primes they are found.
    pub fn from_parts(n: &[u8], e: &[u8], d: &[u8], primes: Option<(&[u8], &[u8])>) -> Option<Self> {
        let primes = match primes {
            Some((p, q)) => vec![uint(p)?, uint(q)?],
            None => Vec::new(),
        };
        PrivateKey::from_components(uint(n)?, uint(e)?, uint(d)?, primes).ok().map(Self::of)
    }

    /// As PKCS #8.
    pub fn to_pkcs8(&self) -> Option<Vec<u8>> {
        self.key.to_pkcs8_der().ok().map(|der| der.as_bytes().to_vec())
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        self.key.as_public_key()
    }

    /// The numbers only a private key has.
    pub fn parts(&self) -> Option<RsaComponents> {
        let bytes = |number: &BoxedUint| number.to_be_bytes_trimmed_vartime().to_vec();
        let [p, q] = self.key.primes() else { return None };
        Some(RsaComponents {
            d: bytes(self.key.d()),
            p: bytes(p),
            q: bytes(q),
            dp: bytes(self.key.dp()?),
            dq: bytes(self.key.dq()?),
            qi: bytes(&self.key.crt_coefficient()?),
        })
    }

    /// The signature of data.
    pub fn sign(&self, scheme: Scheme, hash: Hash, data: &[u8]) -> Option<Vec<u8>> {
        if let Some(padding) = scheme.for_ring(hash) {
            let swift = self.swift.get_or_init(|| ring::rsa::KeyPair::from_pkcs8(&self.to_pkcs8()?).ok());
            if let Some(key) = swift {
                let mut signature = vec![0; key.public().modulus_len()];
                if key.sign(padding, &SystemRandom::new(), data, &mut signature).is_ok() {
                    return Some(signature);
                }
            }
        }
        let digest = hash.digest(data);
        with_hash!(hash, D => match scheme {
            Scheme::Pkcs1 => self.key.sign_with_rng(&mut SysRng, Pkcs1v15Sign::new::<D>(), &digest),
            Scheme::Pss { salt } => self.key.sign_with_rng(&mut SysRng, Pss::<D>::new_with_salt(salt), &digest),
        })
        .ok()
    }

    /// Decrypts; `None` if key, hash or label are not those it was encrypted with.
    pub fn decrypt(&self, hash: Hash, label: &[u8], data: &[u8]) -> Option<Vec<u8>> {
        with_hash!(hash, D => self.key.decrypt_blinded(&mut SysRng, Oaep::<D>::new_with_label(label), data)).ok()
    }
}

impl Scheme {
    /// What ring calls it, where it knows it: with a salt of the digest's length only.
    fn for_ring(self, hash: Hash) -> Option<&'static dyn signature::RsaEncoding> {
        Some(match (self, hash) {
            (Self::Pkcs1, Hash::Sha256) => &signature::RSA_PKCS1_SHA256,
            (Self::Pkcs1, Hash::Sha384) => &signature::RSA_PKCS1_SHA384,
            (Self::Pkcs1, Hash::Sha512) => &signature::RSA_PKCS1_SHA512,
            (Self::Pss { salt: 32 }, Hash::Sha256) => &signature::RSA_PSS_SHA256,
            (Self::Pss { salt: 48 }, Hash::Sha384) => &signature::RSA_PSS_SHA384,
            (Self::Pss { salt: 64 }, Hash::Sha512) => &signature::RSA_PSS_SHA512,
            _ => return None,
        })
    }
}

/// A public key from a SubjectPublicKeyInfo.
pub fn public_from_spki(der: &[u8]) -> Option<PublicKey> {
    PublicKey::from_public_key_der(der).ok()
}

/// A public key from its numbers.
pub fn public_from_parts(n: &[u8], e: &[u8]) -> Option<PublicKey> {
    PublicKey::new(uint(n)?, uint(e)?).ok()
}

/// A public key as a SubjectPublicKeyInfo.
pub fn to_spki(key: &PublicKey) -> Option<Vec<u8>> {
    key.to_public_key_der().ok().map(|der| der.as_bytes().to_vec())
}

/// Modulus and exponent.
pub fn numbers(key: &PublicKey) -> (Vec<u8>, Vec<u8>) {
    (key.n_bytes().to_vec(), key.e_bytes().to_vec())
}

/// Bits of the modulus.
pub fn bits(key: &PublicKey) -> u32 {
    key.n().bit_width_vartime()
}

/// True if `signature` is one of the data.
pub fn verifies(key: &PublicKey, scheme: Scheme, hash: Hash, data: &[u8], signature: &[u8]) -> bool {
    let digest = hash.digest(data);
    with_hash!(hash, D => match scheme {
        Scheme::Pkcs1 => key.verify(Pkcs1v15Sign::new::<D>(), &digest, signature),
        Scheme::Pss { salt } => key.verify(Pss::<D>::new_with_salt(salt), &digest, signature),
    })
    .is_ok()
}

/// Encrypts; `None` for more than fits into one modulus.
pub fn encrypt(key: &PublicKey, hash: Hash, label: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    with_hash!(hash, D => key.encrypt(&mut SysRng, Oaep::<D>::new_with_label(label), data)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const E: &[u8] = &[1, 0, 1];

    #[test]
    fn a_key_does_all_it_is_for_and_comes_back_from_all_its_forms() {
        let key = RsaPrivateKey::generate(1024, E).unwrap();
        let public = key.public();
        assert_eq!(bits(public), 1024);
        let salted = Scheme::Pss { salt: 20 };
        for hash in [Hash::Sha1, Hash::Sha256, Hash::Sha384] {
            for scheme in [Scheme::Pkcs1, salted] {
                let signature = key.sign(scheme, hash, b"text").unwrap();
                assert!(verifies(public, scheme, hash, b"text", &signature), "{hash:?} {scheme:?}");
                assert!(!verifies(public, scheme, hash, b"x", &signature));
                assert!(!verifies(public, scheme, hash, b"text", &signature[1..]));
            }
        }
        let signature = key.sign(salted, Hash::Sha1, b"text").unwrap();
        assert!(!verifies(public, Scheme::Pss { salt: 21 }, Hash::Sha1, b"text", &signature));
        assert!(key.sign(Scheme::Pss { salt: 200 }, Hash::Sha1, b"text").is_none());

        let locked = encrypt(public, Hash::Sha1, b"\xff", b"text").unwrap();
        assert_eq!(key.decrypt(Hash::Sha1, b"\xff", &locked).as_deref(), Some(&b"text"[..]));
        assert!(key.decrypt(Hash::Sha1, b"", &locked).is_none());
        assert!(key.decrypt(Hash::Sha256, b"\xff", &locked).is_none());
        assert!(encrypt(public, Hash::Sha1, b"", &[0; 87]).is_none());

        assert_eq!(RsaPrivateKey::from_pkcs8(&key.to_pkcs8().unwrap()).unwrap().key, key.key);
        assert_eq!(public_from_spki(&to_spki(public).unwrap()).unwrap(), *public);
        let ((n, e), parts) = (numbers(public), key.parts().unwrap());
        assert_eq!(RsaPrivateKey::from_parts(&n, &e, &parts.d, Some((&parts.p, &parts.q))).unwrap().key, key.key);
        let found = RsaPrivateKey::from_parts(&n, &e, &parts.d, None).unwrap();
        assert_eq!(numbers(found.public()), (n.clone(), e.clone()));
        assert_eq!(public_from_parts(&n, &[&[0, 0], E].concat()).unwrap(), *public);
        assert!(RsaPrivateKey::from_parts(&n, &e, &parts.d, Some((&parts.p, &parts.p))).is_none());
        assert!(public_from_parts(&[], E).is_none());
    }

    #[test]
    fn what_ring_signs_is_good() {
        let key = RsaPrivateKey::generate(2048, E).unwrap();
        for (hash, salt) in [(Hash::Sha256, 32), (Hash::Sha384, 48), (Hash::Sha512, 64)] {
            for scheme in [Scheme::Pkcs1, Scheme::Pss { salt }] {
                let signature = key.sign(scheme, hash, b"text").unwrap();
                assert!(verifies(key.public(), scheme, hash, b"text", &signature), "{hash:?} {scheme:?}");
            }
        }
        assert!(matches!(key.swift.get(), Some(Some(_))));
    }

    #[test]
    fn exponents_are_odd_and_not_too_large() {
        let check = |bytes: &[u8], expect: bool| assert_eq!(is_exponent(bytes), expect, "{bytes:?}");
        check(E, true);
        check(&[3], true);
        check(&[0, 0, 1, 0, 1], true);
        check(&[1, 0, 0], false);
        check(&[1], false);
        check(&[], false);
        check(&[0xff; 9], false);
    }
}
