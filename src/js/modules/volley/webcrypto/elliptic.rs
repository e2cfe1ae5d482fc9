//! The three curves of NIST: keys in all their forms, ECDSA signatures and ECDH secrets.
//!
//! The signatures of JSON Web Tokens, P-256 with SHA-256 and P-384 with SHA-384, are made by ring: some ten times faster.

use std::sync::OnceLock;

use getrandom::SysRng;
use p256::ecdsa::signature::hazmat::{PrehashVerifier, RandomizedPrehashSigner};
use p256::elliptic_curve::{Generate, ecdh};
use p256::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey};
use ring::rand::SystemRandom;
use ring::signature::{self, EcdsaKeyPair, UnparsedPublicKey};

use super::error::CryptoError;
use super::hash::Hash;

/// A curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    const TABLE: [(&'static str, Self); 3] = [("P-256", Self::P256), ("P-384", Self::P384), ("P-521", Self::P521)];

    /// By its name, spelled exactly so.
    ///
    /// # Errors
    /// When k6 does not know it.
    pub fn named(name: &str) -> Result<Self, CryptoError> {
        let found = Self::TABLE.iter().find(|(known, _)| *known == name).map(|(_, curve)| *curve);
        found.ok_or_else(|| CryptoError::unsupported(format!("elliptic curve {name} is not supported")))
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::TABLE[self as usize].0
    }

    /// True if ring signs with this curve and hash.
    fn is_swift(self, hash: Hash) -> bool {
        matches!((self, hash), (Self::P256, Hash::Sha256) | (Self::P384, Hash::Sha384))
    }

    /// True if signing and verifying takes no longer than a switch to another thread.
    pub fn is_short(self, hash: Hash) -> bool {
        self == Self::P256 && self.is_swift(hash)
    }

    /// Bytes of a coordinate, and of a secret.
    pub fn len(self) -> usize {
        [32, 48, 66][self as usize]
    }
}

/// A private key.
pub struct Secret {
    number: SecretScalar,
    /// For ring, where it signs with this curve; made for the first signature.
    swift: OnceLock<Option<EcdsaKeyPair>>,
}

/// The secret number of a curve.
enum SecretScalar {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    P521(p521::ecdsa::SigningKey),
}

/// A public key.
#[derive(Clone, Copy)]
pub enum EcPublicKey {
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    P521(p521::ecdsa::VerifyingKey),
}

/// Makes a key of the curve by the same expression; `$key` stands for its type.
macro_rules! make {
    ($curve:expr, $kind:ident, $type:ident, $key:ident => $make:expr) => {
        match $curve {
            Curve::P256 => {
                type $key = p256::ecdsa::$type;
                $make.map($kind::P256)
            }
            Curve::P384 => {
                type $key = p384::ecdsa::$type;
                $make.map($kind::P384)
            }
            Curve::P521 => {
                type $key = p521::ecdsa::$type;
                $make.map($kind::P521)
            }
        }
    };
}

/// The same expression for the key of any curve.
macro_rules! each {
    ($kind:ident, $value:expr, $key:ident => $run:expr) => {
        match $value {
            $kind::P256($key) => $run,
            $kind::P384($key) => $run,
            $kind::P521($key) => $run,
        }
    };
}

impl Secret {
    fn of(number: SecretScalar) -> Self {
        Self { number, swift: OnceLock::new() }
    }

    /// A new one; `None` when the system has no random numbers.
    pub fn generate(curve: Curve) -> Option<Self> {
        make!(curve, SecretScalar, SigningKey, Key => Key::try_generate_from_rng(&mut SysRng).ok()).map(Self::of)
    }

    /// From the number itself, as long as a coordinate.
    pub fn from_bytes(curve: Curve, bytes: &[u8]) -> Option<Self> {
        make!(curve, SecretScalar, SigningKey, Key => Key::from_slice(bytes).ok()).map(Self::of)
    }

    /// From PKCS #8; `None` where it is no key of this curve.
    pub fn from_pkcs8(curve: Curve, der: &[u8]) -> Option<Self> {
        make!(curve, SecretScalar, SigningKey, Key => Key::from_pkcs8_der(der).ok()).map(Self::of)
    }

    /// Its curve.
    pub fn curve(&self) -> Curve {
        match self.number {
            SecretScalar::P256(_) => Curve::P256,
            SecretScalar::P384(_) => Curve::P384,
            SecretScalar::P521(_) => Curve::P521,
        }
    }

    /// The number itself.
    pub fn to_bytes(&self) -> Vec<u8> {
        each!(SecretScalar, &self.number, key => key.to_bytes().to_vec())
    }

    /// As PKCS #8.
    pub fn to_pkcs8(&self) -> Option<Vec<u8>> {
        each!(SecretScalar, &self.number, key => key.to_pkcs8_der().ok().map(|der| der.as_bytes().to_vec()))
    }

    /// The public half.
    pub fn point(&self) -> EcPublicKey {
        match &self.number {
            SecretScalar::P256(key) => EcPublicKey::P256(*key.verifying_key()),
            SecretScalar::P384(key) => EcPublicKey::P384(*key.verifying_key()),
            SecretScalar::P521(key) => EcPublicKey::P521(*key.verifying_key()),
        }
    }

    /// A signature of the data: r and s one after the other, different each time.
    pub fn sign(&self, hash: Hash, data: &[u8]) -> Option<Vec<u8>> {
        if self.curve().is_swift(hash) {
            let swift = self.swift.get_or_init(|| self.for_ring());
            if let Some(signature) = swift.as_ref().and_then(|key| key.sign(&SystemRandom::new(), data).ok()) {
                return Some(signature.as_ref().to_vec());
            }
        }
        macro_rules! signed {
            ($curve:ident, $key:expr) => {{
                let signature: $curve::ecdsa::Signature =
                    $key.sign_prehash_with_rng(&mut SysRng, &hash.digest(data)).ok()?;
                signature.to_bytes().to_vec()
            }};
        }
        Some(match &self.number {
            SecretScalar::P256(key) => signed!(p256, key),
            SecretScalar::P384(key) => signed!(p384, key),
            SecretScalar::P521(key) => signed!(p521, key),
        })
    }

    fn for_ring(&self) -> Option<EcdsaKeyPair> {
        let algorithm = match self.curve() {
            Curve::P256 => &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
            _ => &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
        };
        let (secret, point) = (self.to_bytes(), self.point().to_raw());
        EcdsaKeyPair::from_private_key_and_public_key(algorithm, &secret, &point, &SystemRandom::new()).ok()
    }

    /// The secret it shares with `point`; `None` where that is on another curve.
    pub fn shared(&self, point: &EcPublicKey) -> Option<Vec<u8>> {
        macro_rules! agreed {
            ($key:expr, $point:expr) => {
                ecdh::diffie_hellman($key.as_nonzero_scalar(), $point.as_affine()).raw_secret_bytes().to_vec()
            };
        }
        Some(match (&self.number, point) {
            (SecretScalar::P256(key), EcPublicKey::P256(point)) => agreed!(key, point),
            (SecretScalar::P384(key), EcPublicKey::P384(point)) => agreed!(key, point),
            (SecretScalar::P521(key), EcPublicKey::P521(point)) => agreed!(key, point),
            _ => return None,
        })
    }
}

impl EcPublicKey {
    /// From its two coordinates after a 4.
    pub fn from_raw(curve: Curve, bytes: &[u8]) -> Option<Self> {
        if bytes.first() != Some(&4) {
            return None;
        }
        make!(curve, Self, VerifyingKey, Key => Key::from_sec1_bytes(bytes).ok())
    }

    /// From a SubjectPublicKeyInfo; `None` where it is no key of this curve.
    pub fn from_spki(curve: Curve, der: &[u8]) -> Option<Self> {
        make!(curve, Self, VerifyingKey, Key => Key::from_public_key_der(der).ok())
    }

    /// Its curve.
    pub fn curve(&self) -> Curve {
        match self {
            Self::P256(_) => Curve::P256,
            Self::P384(_) => Curve::P384,
            Self::P521(_) => Curve::P521,
        }
    }

    /// Its two coordinates after a 4.
    pub fn to_raw(self) -> Vec<u8> {
        each!(Self, self, key => key.to_sec1_point(false).as_bytes().to_vec())
    }

    /// As a SubjectPublicKeyInfo.
    pub fn to_spki(self) -> Option<Vec<u8>> {
        each!(Self, self, key => key.to_public_key_der().ok().map(|der| der.as_bytes().to_vec()))
    }

    /// True if `signature`, r and s, is one of this data.
    pub fn verifies(&self, hash: Hash, data: &[u8], signature: &[u8]) -> bool {
        macro_rules! verified {
            ($curve:ident, $key:expr) => {
                $curve::ecdsa::Signature::from_slice(signature)
                    .is_ok_and(|signature| $key.verify_prehash(&hash.digest(data), &signature).is_ok())
            };
        }
        match (self, hash) {
            (Self::P256(_), Hash::Sha256) => self.ring_verifies(&signature::ECDSA_P256_SHA256_FIXED, data, signature),
            (Self::P384(_), Hash::Sha384) => self.ring_verifies(&signature::ECDSA_P384_SHA384_FIXED, data, signature),
            (Self::P256(key), _) => verified!(p256, key),
            (Self::P384(key), _) => verified!(p384, key),
            (Self::P521(key), _) => verified!(p521, key),
        }
    }

    fn ring_verifies(
        self,
        algorithm: &'static dyn signature::VerificationAlgorithm,
        data: &[u8],
        signature: &[u8],
    ) -> bool {
        UnparsedPublicKey::new(algorithm, self.to_raw()).verify(data, signature).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{hex, unhex};
    use super::*;

    const CURVES: [Curve; 3] = [Curve::P256, Curve::P384, Curve::P521];

    #[test]
    fn signatures_of_rfc_6979_are_good() {
        // A.2.5 and A.2.7: the key, and the signature of "sample".
        let check = |curve: Curve, secret: &str, hash: Hash, signature: &str| {
            let point = Secret::from_bytes(curve, &unhex(secret)).unwrap().point();
            assert!(point.verifies(hash, b"sample", &unhex(signature)), "{curve:?} {hash:?}");
            assert!(!point.verifies(hash, b"simple", &unhex(signature)));
            assert!(!point.verifies(hash, b"sample", &unhex(signature)[1..]));
        };
        let short = "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721";
        check(
            Curve::P256,
            short,
            Hash::Sha256,
            "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716\
             F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
        );
        check(
            Curve::P256,
            short,
            Hash::Sha1,
            "61340C88C3AAEBEB4F6D667F672CA9759A6CCAA9FA8811313039EE4A35471D32\
             6D7F147DAC089441BB2E2FE8F7A3FA264B9C475098FDCF6E00D7C996E1B8B7EB",
        );
        check(
            Curve::P521,
            "00FAD06DAA62BA3B25D2FB40133DA757205DE67F5BB0018FEE8C86E1B68C7E75CAA896EB32F1F47C70855836A6D16FCC\
             1466F6D8FBEC67DB89EC0C08B0E996B83538",
            Hash::Sha512,
            "00C328FAFCBD79DD77850370C46325D987CB525569FB63C5D3BC53950E6D4C5F174E25A1EE9017B5D450606ADD152B53\
             4931D7D4E8455CC91F9B15BF05EC36E377FA\
             00617CCE7CF5064806C467F678D3B4080D6F1CC50AF26CA209417308281B68AF282623EAA63E5B5C0723D8B8C37FF077\
             7B1A20F8CCB1DCCC43997F1EE0E44DA4A67A",
        );
    }

    #[test]
    fn a_digest_of_any_hash_is_signed_with_any_curve() {
        for curve in CURVES {
            let secret = Secret::generate(curve).unwrap();
            for hash in [Hash::Sha1, Hash::Sha256, Hash::Sha384, Hash::Sha512] {
                let (one, other) = (secret.sign(hash, b"text").unwrap(), secret.sign(hash, b"text").unwrap());
                assert_eq!(one.len(), 2 * curve.len());
                assert_ne!(one, other);
                assert!(secret.point().verifies(hash, b"text", &one), "{curve:?} {hash:?}");
                assert!(!secret.point().verifies(hash, b"test", &one), "{curve:?} {hash:?}");
            }
        }
    }

    #[test]
    fn a_shared_secret_is_that_of_rfc_5903() {
        // 8.1: both sides of the exchange with the random group of 256 bits.
        let i = unhex("C88F01F510D9AC3F70A292DAA2316DE544E9AAB8AFE84049C62A9C57862D1433");
        let r = unhex("C6EF9C5D78AE012A011164ACB397CE2088685D8F06BF9BE0B283AB46476BEE53");
        let (i, r) = (Secret::from_bytes(Curve::P256, &i).unwrap(), Secret::from_bytes(Curve::P256, &r).unwrap());
        let shared = "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de";
        assert_eq!(hex(&i.shared(&r.point()).unwrap()), shared);
        assert_eq!(hex(&r.shared(&i.point()).unwrap()), shared);
        assert!(i.shared(&Secret::generate(Curve::P384).unwrap().point()).is_none());
    }

    #[test]
    fn keys_come_back_from_all_their_forms() {
        for curve in CURVES {
            let secret = Secret::generate(curve).unwrap();
            let point = secret.point();
            let bytes = secret.to_bytes();
            assert_eq!(Secret::from_bytes(curve, &bytes).unwrap().to_bytes(), bytes);
            assert_eq!(Secret::from_pkcs8(curve, &secret.to_pkcs8().unwrap()).unwrap().to_bytes(), bytes);
            let raw = point.to_raw();
            assert_eq!(raw.len(), 1 + 2 * curve.len());
            assert_eq!(EcPublicKey::from_raw(curve, &raw).unwrap().to_raw(), raw);
            assert_eq!(EcPublicKey::from_spki(curve, &point.to_spki().unwrap()).unwrap().to_raw(), raw);
            let other = CURVES[(curve as usize + 1) % 3];
            assert!(Secret::from_pkcs8(other, &secret.to_pkcs8().unwrap()).is_none());
            assert!(EcPublicKey::from_spki(other, &point.to_spki().unwrap()).is_none());
            assert!(EcPublicKey::from_raw(other, &raw).is_none());
            let mut beside = raw.clone();
            beside[curve.len()] ^= 1;
            assert!(EcPublicKey::from_raw(curve, &beside).is_none());
            assert!(Secret::from_bytes(curve, &vec![0; curve.len()]).is_none());
        }
    }
}
