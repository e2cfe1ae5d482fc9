//! The four hashes of WebCrypto, and what is made of them: digests and keyed digests.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Digest;

/// A hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

/// Runs an expression with `$digest` standing for the type of the hash.
macro_rules! with_hash {
    ($hash:expr, $digest:ident => $run:expr) => {
        match $hash {
            $crate::js::modules::volley::webcrypto::hash::Hash::Sha1 => {
                type $digest = sha1::Sha1;
                $run
            }
            $crate::js::modules::volley::webcrypto::hash::Hash::Sha256 => {
                type $digest = sha2::Sha256;
                $run
            }
            $crate::js::modules::volley::webcrypto::hash::Hash::Sha384 => {
                type $digest = sha2::Sha384;
                $run
            }
            $crate::js::modules::volley::webcrypto::hash::Hash::Sha512 => {
                type $digest = sha2::Sha512;
                $run
            }
        }
    };
}
pub(super) use with_hash;

impl Hash {
    /// The number in its name: 1, 256, 384, 512. Names of JWK algorithms end in it.
    pub fn number(self) -> u32 {
        match self {
            Self::Sha1 => 1,
            Self::Sha256 => 256,
            Self::Sha384 => 384,
            Self::Sha512 => 512,
        }
    }

    /// The block size in bits: the default length of a key for HMAC.
    pub fn block_bits(self) -> u32 {
        match self {
            Self::Sha1 | Self::Sha256 => 512,
            Self::Sha384 | Self::Sha512 => 1024,
        }
    }

    /// The digest of `data`.
    pub fn digest(self, data: &[u8]) -> Vec<u8> {
        with_hash!(self, D => D::digest(data).to_vec())
    }

    /// The keyed digest of `data`.
    pub fn keyed(self, key: &[u8], data: &[u8]) -> Vec<u8> {
        with_hash!(self, D => {
            let mac = Hmac::<D>::new_from_slice(key);
            let mut mac = mac.unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"));
            mac.update(data);
            mac.finalize().into_bytes().to_vec()
        })
    }

    /// True if `code` is the keyed digest of `data`.
    pub fn is_keyed(self, key: &[u8], data: &[u8], code: &[u8]) -> bool {
        with_hash!(self, D => {
            let mac = Hmac::<D>::new_from_slice(key);
            let mut mac = mac.unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"));
            mac.update(data);
            mac.verify_slice(code).is_ok()
        })
    }

    /// `len` bytes of PBKDF2 (RFC 8018).
    pub fn stretched(self, password: &[u8], salt: &[u8], iterations: u32, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        with_hash!(self, D => pbkdf2::pbkdf2_hmac::<D>(password, salt, iterations, &mut bytes));
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::hex;
    use super::*;

    #[test]
    fn digests_are_those_of_fips_180() {
        let check = |hash: Hash, expect: &str| assert_eq!(hex(&hash.digest(b"abc")), expect);
        check(Hash::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d");
        check(Hash::Sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        check(
            Hash::Sha384,
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
        );
        check(
            Hash::Sha512,
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd\
             454d4423643ce80e2a9ac94fa54ca49f",
        );
    }

    #[test]
    fn keyed_digests_are_those_of_rfc_4231() {
        let check = |key: &[u8], data: &str, expect: &str| {
            assert_eq!(hex(&Hash::Sha256.keyed(key, data.as_bytes())), expect);
            assert!(Hash::Sha256.is_keyed(key, data.as_bytes(), &Hash::Sha256.keyed(key, data.as_bytes())));
        };
        let jefe = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        check(b"Jefe", "what do ya want for nothing?", jefe);
        let long = "Test Using Larger Than Block-Size Key - Hash Key First";
        check(&[0xaa; 131], long, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
        assert!(!Hash::Sha256.is_keyed(b"k", b"d", &[0; 31]));
    }

    #[test]
    fn stretched_passwords_are_those_of_rfc_6070() {
        let check = |iterations: u32, len: usize, expect: &str| {
            assert_eq!(hex(&Hash::Sha1.stretched(b"password", b"salt", iterations, len)), expect);
        };
        check(1, 20, "0c60c80f961f0e71f3a9b524af6012062fe037a6");
        check(4096, 20, "4b007901b765489abead49d926f721d065a429c1");
        check(2, 8, "ea6c014dc72d6f8c");
    }
}
