//! The global `crypto`: WebCrypto as far as k6 has it. JavaScript gives arguments their shape and makes objects of
//! answers; what is allowed, and all that is computed, is here.
//!
//! Not here, as in k6: wrapping of keys, HKDF, Ed25519, X25519. What takes long is computed on threads that run no VU.

use std::sync::Arc;

use bytes::Bytes;
use data_encoding::HEXLOWER;

use self::algorithm::{Algorithm, AlgorithmIdentifier, bytes_of};
use self::elliptic::{EcPublicKey, Secret};
use self::error::CryptoError;
use self::hash::Hash;
use self::import::KeyFormat;
use self::key::{CryptoKey, Material, key_behind, key_of};
use crate::js::modules::cpu_pool;
use crate::js::runtime::VuContext;
use crate::js::value::{Args, Throw, Value};

mod aes;
mod algorithm;
mod elliptic;
mod error;
mod generate;
mod hash;
mod import;
mod jwk;
mod key;
mod rsa;

/// Hashing or encrypting up to this many bytes takes less time than a switch to another thread.
const SHORT: usize = 64 * 1024;
/// This many iterations of PBKDF2 take about as long.
const FEW_ITERATIONS: u32 = 200;
/// The largest array that is filled with random numbers, in bytes.
const MAX_RANDOM_LEN: f64 = 65536.0;

/// The result of an operation.
enum CryptoOutcome {
    Bytes(Vec<u8>),
    Bool(bool),
    Key(CryptoKey),
    /// A private key and its public one.
    Pair(CryptoKey, CryptoKey),
    /// A key as JSON Web Key.
    Jwk(Arc<CryptoKey>),
}

impl CryptoOutcome {
    fn into_value(self) -> Result<Value, CryptoError> {
        Ok(match self {
            Self::Bytes(bytes) => Value::Bytes(bytes.into()),
            Self::Bool(truth) => Value::Bool(truth),
            Self::Key(key) => key.into_value(),
            Self::Pair(private, public) => Value::Map(vec![
                ("privateKey".to_owned(), private.into_value()),
                ("publicKey".to_owned(), public.into_value()),
            ]),
            Self::Jwk(key) => jwk::export(&key).ok_or_else(|| CryptoError::operation("the key has no such form"))?,
        })
    }
}

/// An operation whose arguments are checked.
struct Job {
    takes_long: bool,
    run: Box<dyn FnOnce() -> Result<CryptoOutcome, CryptoError> + Send>,
}

impl Job {
    fn short(run: impl FnOnce() -> Result<CryptoOutcome, CryptoError> + Send + 'static) -> Self {
        Self { takes_long: false, run: Box::new(run) }
    }

    fn long(run: impl FnOnce() -> Result<CryptoOutcome, CryptoError> + Send + 'static) -> Self {
        Self { takes_long: true, run: Box::new(run) }
    }

    async fn run(self) -> Result<Value, Throw> {
        let answer = if self.takes_long {
            cpu_pool::run(self.run).await.unwrap_or_else(|| Err(CryptoError::operation("the operation failed")))
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
            Ok(Value::Pending(Box::pin(job.run())))
        }
    }
}

/// Random bytes, from the operating system.
fn random(len: usize) -> Result<Vec<u8>, CryptoError> {
    let mut bytes = vec![0; len];
    getrandom::fill(&mut bytes).map_err(|error| CryptoError::operation(error.to_string()))?;
    Ok(bytes)
}

/// Random bytes for an array of this kind and length in bytes.
fn fill(kind: &str, len: f64) -> Result<Value, Throw> {
    let kinds = ["Int8", "Uint8", "Uint8Clamped", "Int16", "Uint16", "Int32", "Uint32"];
    if !kind.strip_suffix("Array").is_some_and(|kind| kinds.contains(&kind)) {
        return Err(Throw::go("TypeMismatchError: typedArray parameter isn't a TypedArray instance"));
    }
    if !(0.0..=MAX_RANDOM_LEN).contains(&len) {
        return Err(Throw::go("QuotaExceededError: typedArray parameter is too big; maximum length is 65536"));
    }
    Ok(Value::Bytes(random(len as usize)?.into()))
}

/// A random UUID (RFC 9562, version 4).
fn uuid() -> Result<String, CryptoError> {
    let mut bytes = random(16)?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = HEXLOWER.encode(&bytes);
    Ok([&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-"))
}

/// Checks the arguments of an operation of `crypto.subtle`, which come after its name.
fn plan(operation: &str, mut args: Args) -> Result<Job, CryptoError> {
    match operation {
        "digest" => {
            let given = AlgorithmIdentifier::read(args.take(1), operation)?;
            let data = bytes_of(args.take(2))?;
            let Algorithm::Sha(hash) = given.algorithm else { return Err(CryptoError::operation("not a hash")) };
            Ok(by_size(data.len(), move || Ok(CryptoOutcome::Bytes(hash.digest(&data)))))
        }
        "encrypt" | "decrypt" => {
            let given = AlgorithmIdentifier::read(args.take(1), operation)?;
            let key = key_of(args.take(2))?;
            cipher(given, key, bytes_of(args.take(3))?, operation)
        }
        "sign" => {
            let given = AlgorithmIdentifier::read(args.take(1), operation)?;
            let key = key_of(args.take(2))?;
            sign(given, key, bytes_of(args.take(3))?)
        }
        "verify" => {
            let given = AlgorithmIdentifier::read(args.take(1), operation)?;
            let key = key_of(args.take(2))?;
            let signature = bytes_of(args.take(3))?;
            verify(given, key, signature, bytes_of(args.take(4))?)
        }
        "generateKey" => {
            let given = AlgorithmIdentifier::read(args.take(1), operation)?;
            generate::plan(given, args.bool(2), args.take(3))
        }
        "importKey" => {
            let format = KeyFormat::named(&args.string(1))?;
            let given = AlgorithmIdentifier::read(args.take(3), operation)?;
            import::plan(format, args.take(2), given, args.bool(4), args.take(5))
        }
        "exportKey" => {
            let format = KeyFormat::named(&args.string(1))?;
            export(format, key_of(args.take(2))?)
        }
        "deriveBits" => {
            let given = AlgorithmIdentifier::read(args.take(1), operation)?;
            let key = key_of(args.take(2))?;
            derive_bits(given, key, args.number(3))
        }
        _ => {
            let given = AlgorithmIdentifier::read(args.take(1), "deriveKey")?;
            let key = key_of(args.take(2))?;
            let wanted = AlgorithmIdentifier::read(args.take(3), "getKeyLength")?;
            derive_key(given, key, wanted, args.bool(4), args.take(5))
        }
    }
}

fn by_size(len: usize, run: impl FnOnce() -> Result<CryptoOutcome, CryptoError> + Send + 'static) -> Job {
    Job { takes_long: len > SHORT, run: Box::new(run) }
}

/// `encrypt` and `decrypt`
fn cipher(
    mut given: AlgorithmIdentifier,
    key: Arc<CryptoKey>,
    data: Bytes,
    operation: &str,
) -> Result<Job, CryptoError> {
    key.check(given.algorithm, operation)?;
    let encrypts = operation == "encrypt";
    if given.algorithm != Algorithm::RsaOaep {
        let mode = aes::AesMode::read(&mut given)?;
        return Ok(by_size(data.len(), move || {
            let bytes = if encrypts { mode.encrypt(key.secret(), &data) } else { mode.decrypt(key.secret(), &data) };
            bytes.map(CryptoOutcome::Bytes)
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
        bytes
            .map(CryptoOutcome::Bytes)
            .ok_or_else(|| CryptoError::operation(format!("{}ion failed", operation_name(encrypts))))
    }))
}

fn operation_name(encrypts: bool) -> &'static str {
    if encrypts { "encrypt" } else { "decrypt" }
}

/// A key of the right algorithm, but the other half of the pair.
fn unfit(material: &Material, operation: &str) -> CryptoError {
    let is_private = matches!(material, Material::EcPrivate(_) | Material::RsaPrivate(_));
    CryptoError::access(format!("a {} key can't {operation}", if is_private { "private" } else { "public" }))
}

/// The hash that belongs to a key.
fn hash_of(key: &CryptoKey) -> Result<Hash, CryptoError> {
    key.hash.ok_or_else(|| CryptoError::operation("the key has no hash"))
}

/// How an RSA key signs, or the hash alone for the others.
fn scheme(given: &mut AlgorithmIdentifier, key: &CryptoKey) -> Result<(Hash, rsa::Scheme), CryptoError> {
    Ok(match given.algorithm {
        Algorithm::Ecdsa => (given.hash()?, rsa::Scheme::Pkcs1),
        Algorithm::RsaPss => {
            let salt = given.needed_number("saltLength")? as usize;
            if salt == 0 {
                return Err(CryptoError::implementation("a salt length of 0 is not supported"));
            }
            (hash_of(key)?, rsa::Scheme::Pss { salt })
        }
        _ => (hash_of(key)?, rsa::Scheme::Pkcs1),
    })
}

/// True if a signature over this many bytes takes longer than a switch to another thread.
fn takes_long(key: &CryptoKey, hash: Hash, len: usize) -> bool {
    let is_short = match &key.material {
        Material::Secret(_) | Material::EcOffCurve { .. } => true,
        Material::EcPrivate(secret) => secret.curve().is_short(hash),
        Material::EcPublic(point) => point.curve().is_short(hash),
        Material::RsaPrivate(_) | Material::RsaPublic(_) => false,
    };
    len > SHORT || !is_short
}

fn sign(mut given: AlgorithmIdentifier, key: Arc<CryptoKey>, data: Bytes) -> Result<Job, CryptoError> {
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
        signature.map(CryptoOutcome::Bytes).ok_or_else(|| CryptoError::operation("signing failed"))
    };
    Ok(Job { takes_long, run: Box::new(run) })
}

fn verify(
    mut given: AlgorithmIdentifier,
    key: Arc<CryptoKey>,
    signature: Bytes,
    data: Bytes,
) -> Result<Job, CryptoError> {
    key.check(given.algorithm, "verify")?;
    let (hash, scheme) = scheme(&mut given, &key)?;
    let takes_long = takes_long(&key, hash, data.len());
    let run = move || {
        Ok(CryptoOutcome::Bool(match &key.material {
            Material::Secret(secret) => hash.is_keyed(secret, &data, &signature),
            Material::EcPublic(point) => point.verifies(hash, &data, &signature),
            Material::EcOffCurve { .. } => false,
            Material::RsaPublic(public) => rsa::verifies(public, scheme, hash, &data, &signature),
            other => return Err(unfit(other, "verify")),
        }))
    };
    Ok(Job { takes_long, run: Box::new(run) })
}

fn export(format: KeyFormat, key: Arc<CryptoKey>) -> Result<Job, CryptoError> {
    if matches!(key.algorithm, Algorithm::AesKw | Algorithm::Pbkdf2) {
        return Err(CryptoError::unsupported(format!("unsupported algorithm {}", key.algorithm.name())));
    }
    if !key.is_extractable {
        return Err(CryptoError::access("the key is not extractable"));
    }
    if format == KeyFormat::Jwk {
        return Ok(Job::short(move || Ok(CryptoOutcome::Jwk(key))));
    }
    let bytes = match (format, &key.material) {
        (KeyFormat::Raw, Material::Secret(bytes)) => Some(bytes.to_vec()),
        (KeyFormat::Raw, Material::EcPublic(point)) => Some(point.to_raw()),
        (KeyFormat::Spki, Material::EcPublic(point)) => point.to_spki(),
        (KeyFormat::Spki, Material::RsaPublic(public)) => rsa::to_spki(public),
        (KeyFormat::Pkcs8, Material::EcPrivate(secret)) => secret.to_pkcs8(),
        (KeyFormat::Pkcs8, Material::RsaPrivate(private)) => private.to_pkcs8(),
        (KeyFormat::Raw | KeyFormat::Spki, Material::EcOffCurve { .. }) => None,
        (KeyFormat::Raw, Material::RsaPrivate(_) | Material::RsaPublic(_))
        | (KeyFormat::Spki | KeyFormat::Pkcs8, Material::Secret(_)) => return Err(format.unsupported()),
        _ => return Err(CryptoError::access(format!("a {} key has no such form", key.kind()))),
    };
    let bytes = bytes.ok_or_else(|| CryptoError::operation("the key has no such form"))?;
    Ok(Job::short(move || Ok(CryptoOutcome::Bytes(bytes))))
}

/// The number of bits, if they make whole bytes.
fn whole_bytes(bits: f64) -> Result<usize, CryptoError> {
    if bits == 0.0 || bits.is_nan() {
        return Err(CryptoError::operation("length can not be 0"));
    }
    if bits % 8.0 != 0.0 {
        return Err(CryptoError::operation("currently only multiples of 8 are supported for length"));
    }
    if !(8.0..=f64::from(1 << 30)).contains(&bits) {
        return Err(CryptoError::operation("length is out of bounds"));
    }
    Ok(bits as usize / 8)
}

/// The parameters of PBKDF2.
struct Stretch {
    hash: Hash,
    salt: Bytes,
    iterations: u32,
}

impl Stretch {
    fn read(given: &mut AlgorithmIdentifier) -> Result<Self, CryptoError> {
        let (hash, salt) = (given.hash()?, given.needed_bytes("salt")?);
        match given.needed_number("iterations")? {
            0 => Err(CryptoError::operation("iterations can not be 0")),
            iterations => Ok(Self { hash, salt, iterations }),
        }
    }

    /// A job that derives this many bytes.
    fn job(
        self,
        key: Arc<CryptoKey>,
        len: usize,
        finish: impl FnOnce(Vec<u8>) -> CryptoOutcome + Send + 'static,
    ) -> Job {
        let takes_long = self.iterations > FEW_ITERATIONS || len > SHORT;
        let run = move || Ok(finish(self.hash.stretched(key.secret(), &self.salt, self.iterations, len)));
        Job { takes_long, run: Box::new(run) }
    }
}

fn derive_bits(mut given: AlgorithmIdentifier, key: Arc<CryptoKey>, bits: f64) -> Result<Job, CryptoError> {
    key.check(given.algorithm, "deriveBits")?;
    let len = whole_bytes(bits)?;
    if given.algorithm == Algorithm::Pbkdf2 {
        return Ok(Stretch::read(&mut given)?.job(key, len, CryptoOutcome::Bytes));
    }
    let public = key_behind(given.needed_resource("public")?)?;
    let (secret, point) = agreeing(&key, &public)?;
    if secret.curve() != point.curve() {
        return Err(CryptoError::access("the keys are of two curves"));
    }
    if len > point.curve().len() {
        return Err(CryptoError::operation(format!("the secret has no more than {} bits", point.curve().len() * 8)));
    }
    Ok(Job::long(move || {
        let (secret, point) = agreeing(&key, &public)?;
        let mut shared = secret.shared(point).ok_or_else(|| CryptoError::access("the keys are of two curves"))?;
        shared.truncate(len);
        Ok(CryptoOutcome::Bytes(shared))
    }))
}

/// The private and the public key of a key exchange.
fn agreeing<'a>(own: &'a CryptoKey, other: &'a CryptoKey) -> Result<(&'a Secret, &'a EcPublicKey), CryptoError> {
    if other.algorithm != Algorithm::Ecdh {
        return Err(CryptoError::access("the public key is not one of ECDH"));
    }
    match (&own.material, &other.material) {
        (Material::EcPrivate(secret), Material::EcPublic(point)) => Ok((secret, point)),
        (Material::EcPrivate(_), _) => Err(CryptoError::access("`public` is not a public key")),
        _ => Err(CryptoError::access("the base key is not a private key")),
    }
}

/// A key for AES, derived from a password.
fn derive_key(
    mut given: AlgorithmIdentifier,
    key: Arc<CryptoKey>,
    mut wanted: AlgorithmIdentifier,
    is_extractable: bool,
    usages: Value,
) -> Result<Job, CryptoError> {
    key.check(given.algorithm, "deriveKey")?;
    let stretch = Stretch::read(&mut given)?;
    let algorithm = wanted.algorithm;
    if algorithm == Algorithm::AesKw {
        return Err(CryptoError::unsupported("unsupported algorithm AES-KW"));
    }
    let bits = wanted.needed_number("length")?;
    if !aes::is_key_length(bits) {
        return Err(CryptoError::operation("invalid key length"));
    }
    let usages = key::some(key::usages(usages, aes::USAGES)?)?;
    Ok(stretch.job(key, bits as usize / 8, move |bytes| {
        CryptoOutcome::Key(CryptoKey {
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
        HEXLOWER.encode(bytes)
    }

    pub(super) fn unhex(text: &str) -> Vec<u8> {
        data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).unwrap()
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
