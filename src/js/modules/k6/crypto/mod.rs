//! `k6/crypto`: hashes by the name of their function, plain or keyed (HMAC), at once or piece by piece.

use std::cell::RefCell;
use std::rc::Rc;

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Digest;

use super::super::Op;
use super::bytes::bytes_of;
use super::encoding::Spelling;
use crate::js::runtime::VuContext;
use crate::js::value::{Args, Throw, Value};

#[cfg(any(test, fuzzing))]
pub mod fuzz_tests;
pub mod x509;

/// The native half.
pub const OPS: &[(&str, Op)] = &[
    ("hash", hash),
    ("keyed", keyed),
    ("hasher", hasher),
    ("hashers", hashers),
    ("update", update),
    ("digest", digest),
    ("hex", hex),
    ("random", random),
];

/// More random bytes than this at once are refused as a typing error.
const MAX_RANDOM_LEN: f64 = (1_u32 << 30) as f64;

/// A hash that is being computed.
trait Hasher {
    fn update(&mut self, data: &[u8]);
    /// The digest of the data so far; more may follow.
    fn digest(&self) -> Vec<u8>;
}

struct UnkeyedHasher<D>(D);

impl<D: Digest + Clone> Hasher for UnkeyedHasher<D> {
    fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }
    fn digest(&self) -> Vec<u8> {
        self.0.clone().finalize().to_vec()
    }
}

struct Keyed<M>(M);

impl<M: Mac + Clone> Hasher for Keyed<M> {
    fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }
    fn digest(&self) -> Vec<u8> {
        self.0.clone().finalize().into_bytes().to_vec()
    }
}

/// Makes a hash, keyed where there is a key.
type Make = fn(Option<&[u8]>) -> Box<dyn Hasher>;

macro_rules! make {
    ($digest:ty) => {
        |key| match key {
            None => Box::new(UnkeyedHasher(<$digest>::new())),
            Some(key) => Box::new(Keyed(
                Hmac::<$digest>::new_from_slice(key).unwrap_or_else(|_| unreachable!("HMAC takes keys of any length")),
            )),
        }
    };
}

/// The hashes there are.
const HASHES: [(&str, Make); 9] = [
    ("md4", make!(md4::Md4)),
    ("md5", make!(md5::Md5)),
    ("ripemd160", make!(ripemd::Ripemd160)),
    ("sha1", make!(sha1::Sha1)),
    ("sha256", make!(sha2::Sha256)),
    ("sha384", make!(sha2::Sha384)),
    ("sha512", make!(sha2::Sha512)),
    ("sha512_224", make!(sha2::Sha512_224)),
    ("sha512_256", make!(sha2::Sha512_256)),
];

fn make(name: &str, key: Option<&[u8]>) -> Result<Box<dyn Hasher>, Throw> {
    match HASHES.iter().find(|(known, _)| *known == name) {
        Some((_, make)) => Ok(make(key)),
        None => Err(Throw::go(format!("invalid algorithm: {name}"))),
    }
}

/// A hash as JavaScript holds it.
struct HasherHandle(RefCell<Box<dyn Hasher>>);

/// The names of the hashes.
fn hashers(_vu: &VuContext, _args: Args) -> Result<Value, Throw> {
    Ok(Value::List(HASHES.iter().map(|(name, _)| Value::from(*name)).collect()))
}

/// `(name, data, encoding)` -> a digest
fn hash(_vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let name = args.string(0);
    let data = bytes_of(args.take(1)).map_err(|text| Throw::go(format!("{name} failed: {text}")))?;
    let mut hash = make(&name, None)?;
    hash.update(&data);
    written(&hash.digest(), &args.string(2))
}

/// `(name, key, data, encoding)` -> a keyed digest
fn keyed(_vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let name = args.string(0);
    let key = bytes_of(args.take(1)).map_err(Throw::go)?;
    let mut hash = make(&name, Some(&key))?;
    hash.update(&bytes_of(args.take(2)).map_err(Throw::go)?);
    written(&hash.digest(), &args.string(3))
}

/// `(name, key, has key)` -> a hash to be updated
fn hasher(_vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let name = args.string(0);
    let key = if args.bool(2) { Some(bytes_of(args.take(1)).map_err(Throw::go)?) } else { None };
    let hash = make(&name, key.as_deref())?;
    Ok(Value::Resource(Rc::new(HasherHandle(RefCell::new(hash)))))
}

/// `(hash, data)`
fn update(_vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let hash = args.resource::<HasherHandle>(0)?;
    let data = bytes_of(args.take(1)).map_err(Throw::go)?;
    hash.0.borrow_mut().update(&data);
    Ok(Value::Undefined)
}

/// `(hash, encoding)` -> the digest so far
fn digest(_vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let hash = args.resource::<HasherHandle>(0)?;
    let bytes = hash.0.borrow().digest();
    written(&bytes, &args.string(1))
}

/// A digest as a script wants it.
fn written(bytes: &[u8], encoding: &str) -> Result<Value, Throw> {
    Ok(match encoding {
        "hex" => HEXLOWER.encode(bytes).into(),
        "base64" => Spelling::named("std").encode(bytes).into(),
        "base64url" => Spelling::named("url").encode(bytes).into(),
        "base64rawurl" => Spelling::named("rawurl").encode(bytes).into(),
        "binary" => Value::Bytes(bytes.to_vec().into()),
        other => return Err(Throw::go(format!("invalid output encoding: {other}"))),
    })
}

/// `(data)` -> hexadecimal
fn hex(_vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    Ok(HEXLOWER.encode(&bytes_of(args.take(0)).map_err(Throw::go)?).into())
}

/// `(size)` -> random bytes
fn random(_vu: &VuContext, args: Args) -> Result<Value, Throw> {
    let size = args.number(0).trunc();
    if !(1.0..=MAX_RANDOM_LEN).contains(&size) {
        return Err(Throw::go("invalid size"));
    }
    let mut bytes = vec![0; size as usize];
    getrandom::fill(&mut bytes).map_err(|error| Throw::go(error.to_string()))?;
    Ok(Value::Bytes(bytes.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_the_standards() {
        let check = |name: &str, text: &str, expect: &str| {
            let mut hash = make(name, None).unwrap();
            for piece in text.as_bytes().chunks(2) {
                hash.update(piece);
            }
            assert_eq!(HEXLOWER.encode(&hash.digest()), expect, "{name}");
        };
        check("md4", "abc", "a448017aaf21d8525fc10ae87aa6729d");
        check("md5", "abc", "900150983cd24fb0d6963f7d28e17f72");
        check("ripemd160", "abc", "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc");
        check("sha1", "abc", "a9993e364706816aba3e25717850c26c9cd0d89d");
        check("sha256", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        check("sha512_224", "abc", "4634270f707b6a54daae7530460842e20e37ed265ceee9a43e8924aa");
    }

    #[test]
    fn a_key_of_any_length_is_taken() {
        // RFC 2202, the first case and the one with a key longer than a block.
        let check = |key: &[u8], data: &str, expect: &str| {
            let mut hash = make("md5", Some(key)).unwrap();
            hash.update(data.as_bytes());
            assert_eq!(HEXLOWER.encode(&hash.digest()), expect);
        };
        check(&[0x0b; 16], "Hi There", "9294727a3638bb1c13f48ef8158bfc9d");
        let long = "Test Using Larger Than Block-Size Key - Hash Key First";
        check(&[0xaa; 80], long, "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd");
        assert!(make("nope", None).is_err());
    }
}
