//! The global `crypto`: WebCrypto as far as k6 has it. JavaScript gives arguments their shape and makes objects of
//! answers; what is allowed, and all that is computed, is here.
//!
//! Not here, as in k6: wrapping of keys, HKDF, Ed25519, X25519. What takes long is computed on threads that run no VU.

use std::sync::Arc;

use bytes::Bytes;

use self::algorithm::{Algorithm, Given, bytes_of};
use self::elliptic::{Point, Secret};
use self::hash::Hash;
use self::import::Format;
use self::key::{CryptoKey, Material, key_behind, key_of};
use self::refusal::Refusal;
use crate::js::runtime::VuContext;
use crate::js::value::{Args, Throw, Value};

mod aes;
mod algorithm;
mod elliptic;
mod generate;
mod hash;
mod import;
mod jwk;
mod key;
mod refusal;
mod rsa;
pub(in crate::js::modules) mod seats;

/// So many bytes are hashed or encrypted in less time than it takes to ask another thread.
const SHORT: usize = 64 * 1024;
/// So often is a password stretched in about that time.
const FEW_ITERATIONS: u32 = 200;
/// The largest array that is filled with random numbers, in bytes.
const MOST_RANDOM: f64 = 65536.0;

/// What an operation comes to.
enum Answer {
    Bytes(Vec<u8>),
    Truth(bool),
    Key(CryptoKey),
    /// A private key and its public one.
    Pair(CryptoKey, CryptoKey),
    /// A key as JSON Web Key.
    Jwk(Arc<CryptoKey>),
}

impl Answer {
    fn into_value(self) -> Result<Value, Refusal> {
        Ok(match self {
            Self::Bytes(bytes) => Value::Bytes(bytes.into()),
            Self::Truth(truth) => Value::Bool(truth),
            Self::Key(key) => key.into_value(),
            Self::Pair(private, public) => Value::Map(vec![
                ("privateKey".to_owned(), private.into_value()),
                ("publicKey".to_owned(), public.into_value()),
            ]),
            Self::Jwk(key) => jwk::export(&key).ok_or_else(|| Refusal::operation("the key has no such form"))?,
        })
    }
}

/// An operation whose arguments are checked.
struct Job {
    takes_long: bool,
    run: Box<dyn FnOnce() -> Result<Answer, Refusal> + Send>,
}

impl Job {
    fn short(run: impl FnOnce() -> Result<Answer, Refusal> + Send + 'static) -> Self {
        Self { takes_long: false, run: Box::new(run) }
    }

    fn long(run: impl FnOnce() -> Result<Answer, Refusal> + Send + 'static) -> Self {
        Self { takes_long: true, run: Box::new(run) }
    }

    async fn settle(self) -> Result<Value, Throw> {
        let answer = if self.takes_long {
            seats::aside(self.run).await.unwrap_or_else(|| Err(Refusal::operation("the operation failed")))
        } else {
            (self.run)()
        };
        Ok(answer?.into_value()?)
    }
}

/// `(operation, ...)`: one native function for all of `crypto`, as every VU holds each.
pub(super) fn webcrypto(_vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let operation = args.string(0);
    match operation.as_str() {
        "randomUUID" => Ok(uuid()?.into()),
        "getRandomValues" => fill(&args.string(1), args.number(2)),
        "wrapKey" | "unwrapKey" => Err(Throw::go("not implemented")),
        _ => {
            let job = plan(&operation, args)?;
            Ok(Value::Pending(Box::pin(job.settle())))
        }
    }
}

/// Bytes nobody can foretell.
fn random(len: usize) -> Result<Vec<u8>, Refusal> {
    let mut bytes = vec![0; len];
    getrandom::fill(&mut bytes).map_err(|error| Refusal::operation(error.to_string()))?;
    Ok(bytes)
}

/// Random bytes for an array of this kind and so many bytes.
fn fill(kind: &str, len: f64) -> Result<Value, Throw> {
    let kinds = ["Int8", "Uint8", "Uint8Clamped", "Int16", "Uint16", "Int32", "Uint32"];
    if !kind.strip_suffix("Array").is_some_and(|kind| kinds.contains(&kind)) {
        return Err(Throw::go("TypeMismatchError: typedArray parameter isn't a TypedArray instance"));
    }
    if !(0.0..=MOST_RANDOM).contains(&len) {
        return Err(Throw::go("QuotaExceededError: typedArray parameter is too big; maximum length is 65536"));
    }
    Ok(Value::Bytes(random(len as usize)?.into()))
}

/// A random UUID (RFC 9562, version 4).
fn uuid() -> Result<String, Refusal> {
    use std::fmt::Write;
    let mut bytes = random(16)?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    Ok(bytes.iter().enumerate().fold(String::with_capacity(36), |mut text, (at, byte)| {
        let dash = if matches!(at, 4 | 6 | 8 | 10) { "-" } else { "" };
        let _ = write!(text, "{dash}{byte:02x}");
        text
    }))
}

/// Checks the arguments of an operation of `crypto.subtle`; its name stands before them.
fn plan(operation: &str, mut args: Args) -> Result<Job, Refusal> {
    match operation {
        "digest" => {
            let given = Given::read(args.take(1), operation)?;
            let data = bytes_of(args.take(2))?;
            let Algorithm::Sha(hash) = given.algorithm else { return Err(Refusal::operation("not a hash")) };
            Ok(by_size(data.len(), move || Ok(Answer::Bytes(hash.digest(&data)))))
        }
        "encrypt" | "decrypt" => {
            let given = Given::read(args.take(1), operation)?;
            let key = key_of(args.take(2))?;
            cipher(given, key, bytes_of(args.take(3))?, operation)
        }
        "sign" => {
            let given = Given::read(args.take(1), operation)?;
            let key = key_of(args.take(2))?;
            sign(given, key, bytes_of(args.take(3))?)
        }
        "verify" => {
            let given = Given::read(args.take(1), operation)?;
            let key = key_of(args.take(2))?;
            let signature = bytes_of(args.take(3))?;
            verify(given, key, signature, bytes_of(args.take(4))?)
        }
        "generateKey" => {
            let given = Given::read(args.take(1), operation)?;
            generate::plan(given, args.bool(2), args.take(3))
        }
        "importKey" => {
            let format = Format::named(&args.string(1))?;
            let given = Given::read(args.take(3), operation)?;
            import::plan(format, args.take(2), given, args.bool(4), args.take(5))
        }
        "exportKey" => {
            let format = Format::named(&args.string(1))?;
            export(format, key_of(args.take(2))?)
        }
        "deriveBits" => {
            let given = Given::read(args.take(1), operation)?;
            let key = key_of(args.take(2))?;
            derive_bits(given, key, args.number(3))
        }
        _ => {
            let given = Given::read(args.take(1), "deriveKey")?;
            let key = key_of(args.take(2))?;
            let wanted = Given::read(args.take(3), "getKeyLength")?;
            derive_key(given, key, wanted, args.bool(4), args.take(5))
        }
    }
}

fn by_size(len: usize, run: impl FnOnce() -> Result<Answer, Refusal> + Send + 'static) -> Job {
    Job { takes_long: len > SHORT, run: Box::new(run) }
}

/// `encrypt` and `decrypt`
fn cipher(mut given: Given, key: Arc<CryptoKey>, data: Bytes, operation: &str) -> Result<Job, Refusal> {
    key.check(given.algorithm, operation)?;
    let encrypts = operation == "encrypt";
    if given.algorithm != Algorithm::RsaOaep {
        let mode = aes::Mode::read(&mut given)?;
        return Ok(by_size(data.len(), move || {
            let bytes = if encrypts { mode.encrypt(key.secret(), &data) } else { mode.decrypt(key.secret(), &data) };
            bytes.map(Answer::Bytes)
        }));
    }
    let label = given.bytes("label")?.unwrap_or_default();
    let hash = hash_of(&key)?;
    Ok(Job::long(move || {
        let bytes = match &key.material {
            Material::RsaPublic(public) if encrypts => rsa::encrypt(public, hash, &label, &data),
            Material::RsaPrivate(private) if !encrypts => private.decrypt(hash, &label, &data),
            other => return Err(unfit(other, operation_name(encrypts))),
        };
        bytes.map(Answer::Bytes).ok_or_else(|| Refusal::operation(format!("{}ion failed", operation_name(encrypts))))
    }))
}

fn operation_name(encrypts: bool) -> &'static str {
    if encrypts { "encrypt" } else { "decrypt" }
}

/// A key of the right algorithm, but the other half of the pair.
fn unfit(material: &Material, operation: &str) -> Refusal {
    let is_private = matches!(material, Material::EcPrivate(_) | Material::RsaPrivate(_));
    Refusal::access(format!("a {} key can't {operation}", if is_private { "private" } else { "public" }))
}

/// The hash that belongs to a key.
fn hash_of(key: &CryptoKey) -> Result<Hash, Refusal> {
    key.hash.ok_or_else(|| Refusal::operation("the key has no hash"))
}

/// How an RSA key signs, or the hash alone for the others.
fn scheme(given: &mut Given, key: &CryptoKey) -> Result<(Hash, rsa::Scheme), Refusal> {
    Ok(match given.algorithm {
        Algorithm::Ecdsa => (given.hash()?, rsa::Scheme::Pkcs1),
        Algorithm::RsaPss => {
            let salt = given.needed_number("saltLength")? as usize;
            if salt == 0 {
                return Err(Refusal::implementation("a salt length of 0 is not supported"));
            }
            (hash_of(key)?, rsa::Scheme::Pss { salt })
        }
        _ => (hash_of(key)?, rsa::Scheme::Pkcs1),
    })
}

/// True if a signature of so many bytes takes longer than to ask another thread.
fn takes_long(key: &CryptoKey, hash: Hash, len: usize) -> bool {
    let is_short = match &key.material {
        Material::Secret(_) | Material::EcOffCurve { .. } => true,
        Material::EcPrivate(secret) => secret.curve().is_short(hash),
        Material::EcPublic(point) => point.curve().is_short(hash),
        Material::RsaPrivate(_) | Material::RsaPublic(_) => false,
    };
    len > SHORT || !is_short
}

fn sign(mut given: Given, key: Arc<CryptoKey>, data: Bytes) -> Result<Job, Refusal> {
    key.check(given.algorithm, "sign")?;
    let (hash, scheme) = scheme(&mut given, &key)?;
    let takes_long = takes_long(&key, hash, data.len());
    let run = move || {
        let signature = match &key.material {
            Material::Secret(secret) => Some(hash.keyed(secret, &data)),
            Material::EcPrivate(secret) => secret.sign(hash, &data),
            Material::RsaPrivate(private) => private.sign(scheme, hash, &data),
            other => return Err(unfit(other, "sign")),
        };
        signature.map(Answer::Bytes).ok_or_else(|| Refusal::operation("signing failed"))
    };
    Ok(Job { takes_long, run: Box::new(run) })
}

fn verify(mut given: Given, key: Arc<CryptoKey>, signature: Bytes, data: Bytes) -> Result<Job, Refusal> {
    key.check(given.algorithm, "verify")?;
    let (hash, scheme) = scheme(&mut given, &key)?;
    let takes_long = takes_long(&key, hash, data.len());
    let run = move || {
        Ok(Answer::Truth(match &key.material {
            Material::Secret(secret) => hash.is_keyed(secret, &data, &signature),
            Material::EcPublic(point) => point.verifies(hash, &data, &signature),
            Material::EcOffCurve { .. } => false,
            Material::RsaPublic(public) => rsa::verifies(public, scheme, hash, &data, &signature),
            other => return Err(unfit(other, "verify")),
        }))
    };
    Ok(Job { takes_long, run: Box::new(run) })
}

fn export(format: Format, key: Arc<CryptoKey>) -> Result<Job, Refusal> {
    if matches!(key.algorithm, Algorithm::AesKw | Algorithm::Pbkdf2) {
        return Err(Refusal::unsupported(format!("unsupported algorithm {}", key.algorithm.name())));
    }
    if !key.is_extractable {
        return Err(Refusal::access("the key is not extractable"));
    }
    if format == Format::Jwk {
        return Ok(Job::short(move || Ok(Answer::Jwk(key))));
    }
    let bytes = match (format, &key.material) {
        (Format::Raw, Material::Secret(bytes)) => Some(bytes.to_vec()),
        (Format::Raw, Material::EcPublic(point)) => Some(point.to_raw()),
        (Format::Spki, Material::EcPublic(point)) => point.to_spki(),
        (Format::Spki, Material::RsaPublic(public)) => rsa::to_spki(public),
        (Format::Pkcs8, Material::EcPrivate(secret)) => secret.to_pkcs8(),
        (Format::Pkcs8, Material::RsaPrivate(private)) => private.to_pkcs8(),
        (Format::Raw | Format::Spki, Material::EcOffCurve { .. }) => None,
        (Format::Raw, Material::RsaPrivate(_) | Material::RsaPublic(_))
        | (Format::Spki | Format::Pkcs8, Material::Secret(_)) => return Err(format.unsupported()),
        _ => return Err(Refusal::access(format!("a {} key has no such form", key.kind()))),
    };
    let bytes = bytes.ok_or_else(|| Refusal::operation("the key has no such form"))?;
    Ok(Job::short(move || Ok(Answer::Bytes(bytes))))
}

/// So many bits that make whole bytes.
fn whole_bytes(bits: f64) -> Result<usize, Refusal> {
    if bits == 0.0 || bits.is_nan() {
        return Err(Refusal::operation("length can not be 0"));
    }
    if bits % 8.0 != 0.0 {
        return Err(Refusal::operation("currently only multiples of 8 are supported for length"));
    }
    if !(8.0..=f64::from(1 << 30)).contains(&bits) {
        return Err(Refusal::operation("length is out of bounds"));
    }
    Ok(bits as usize / 8)
}

/// A password to be stretched.
struct Stretch {
    hash: Hash,
    salt: Bytes,
    iterations: u32,
}

impl Stretch {
    fn read(given: &mut Given) -> Result<Self, Refusal> {
        let (hash, salt) = (given.hash()?, given.needed_bytes("salt")?);
        match given.needed_number("iterations")? {
            0 => Err(Refusal::operation("iterations can not be 0")),
            iterations => Ok(Self { hash, salt, iterations }),
        }
    }

    /// A job that makes something of so many bytes.
    fn job(self, key: Arc<CryptoKey>, len: usize, finish: impl FnOnce(Vec<u8>) -> Answer + Send + 'static) -> Job {
        let takes_long = self.iterations > FEW_ITERATIONS || len > SHORT;
        let run = move || Ok(finish(self.hash.stretched(key.secret(), &self.salt, self.iterations, len)));
        Job { takes_long, run: Box::new(run) }
    }
}

fn derive_bits(mut given: Given, key: Arc<CryptoKey>, bits: f64) -> Result<Job, Refusal> {
    key.check(given.algorithm, "deriveBits")?;
    let len = whole_bytes(bits)?;
    if given.algorithm == Algorithm::Pbkdf2 {
        return Ok(Stretch::read(&mut given)?.job(key, len, Answer::Bytes));
    }
    let public = key_behind(given.needed_resource("public")?)?;
    let (secret, point) = agreeing(&key, &public)?;
    if secret.curve() != point.curve() {
        return Err(Refusal::access("the keys are of two curves"));
    }
    if len > point.curve().len() {
        return Err(Refusal::operation(format!("the secret has no more than {} bits", point.curve().len() * 8)));
    }
    Ok(Job::long(move || {
        let (secret, point) = agreeing(&key, &public)?;
        let mut shared = secret.shared(point).ok_or_else(|| Refusal::access("the keys are of two curves"))?;
        shared.truncate(len);
        Ok(Answer::Bytes(shared))
    }))
}

/// The two halves of an exchange.
fn agreeing<'a>(own: &'a CryptoKey, other: &'a CryptoKey) -> Result<(&'a Secret, &'a Point), Refusal> {
    if other.algorithm != Algorithm::Ecdh {
        return Err(Refusal::access("the public key is not one of ECDH"));
    }
    match (&own.material, &other.material) {
        (Material::EcPrivate(secret), Material::EcPublic(point)) => Ok((secret, point)),
        (Material::EcPrivate(_), _) => Err(Refusal::access("`public` is not a public key")),
        _ => Err(Refusal::access("the base key is not a private key")),
    }
}

/// A key for AES, stretched from a password.
fn derive_key(
    mut given: Given,
    key: Arc<CryptoKey>,
    mut wanted: Given,
    is_extractable: bool,
    usages: Value,
) -> Result<Job, Refusal> {
    key.check(given.algorithm, "deriveKey")?;
    let stretch = Stretch::read(&mut given)?;
    let algorithm = wanted.algorithm;
    if algorithm == Algorithm::AesKw {
        return Err(Refusal::unsupported("unsupported algorithm AES-KW"));
    }
    let bits = wanted.needed_number("length")?;
    if !aes::is_key_length(bits) {
        return Err(Refusal::operation("invalid key length"));
    }
    let usages = key::some(key::usages(usages, aes::USAGES)?)?;
    Ok(stretch.job(key, bits as usize / 8, move |bytes| {
        Answer::Key(CryptoKey {
            algorithm,
            hash: None,
            material: Material::Secret(bytes.into()),
            is_extractable,
            usages,
        })
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub(super) fn unhex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn a_uuid_is_one_of_version_4() {
        let text = uuid().unwrap();
        let letters: Vec<char> = text.chars().collect();
        assert_eq!(letters.len(), 36);
        assert!([8, 13, 18, 23].iter().all(|at| letters[*at] == '-'), "{text}");
        assert!(letters[14] == '4' && "89ab".contains(letters[19]), "{text}");
        assert_ne!(text, uuid().unwrap());
    }

    #[test]
    fn lengths_are_whole_bytes() {
        let check = |bits: f64, expect: Result<usize, &str>| {
            assert_eq!(whole_bytes(bits).map_err(|refusal| refusal.message), expect.map_err(str::to_owned));
        };
        check(256.0, Ok(32));
        check(0.0, Err("length can not be 0"));
        check(f64::NAN, Err("length can not be 0"));
        check(7.0, Err("currently only multiples of 8 are supported for length"));
        check(-8.0, Err("length is out of bounds"));
    }
}
