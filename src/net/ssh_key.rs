//! Private keys for SSH: OpenSSH's own format, PKCS #8 and PKCS #1. RSA keys sign with the `rsa` of WebCrypto.

use std::fmt;
use std::path::PathBuf;

use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::DecodePrivateKey;
use rsa::traits::PublicKeyParts;
use rsa::{BoxedUint, Pkcs1v15Sign, PrivateKey as RsaKey};
use russh::Signer;
use russh::keys::agent::AgentIdentity;
use russh::keys::ssh_key::Mpint;
use russh::keys::ssh_key::private::KeypairData;
use russh::keys::ssh_key::public::{KeyData, RsaPublicKey};
use russh::keys::{self, HashAlg, PrivateKey, PublicKey};
use sha2::{Digest, Sha256, Sha512};

use crate::units::errno::errno_text;

/// Where a key is, and what opens it.
pub struct KeySource {
    /// The key itself, or the file it is in.
    pub key: Result<String, PathBuf>,
    /// Empty where none was given.
    pub passphrase: String,
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeySource")
    }
}

/// A key that can sign.
pub enum LoadedKey {
    /// RSA.
    Rsa(Box<RsaSigner>),
    /// What the library signs with.
    Other(Box<PrivateKey>),
}

/// An RSA key.
pub struct RsaSigner(RsaKey);

/// Why a signature did not come about.
#[derive(Debug)]
pub struct NotSigned(&'static str);

impl fmt::Display for NotSigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl From<russh::SendError> for NotSigned {
    fn from(_: russh::SendError) -> Self {
        Self("the connection to the host is lost")
    }
}

/// Reads a key, from its file where it is in one.
///
/// # Errors
/// Go's words; none of the key.
pub fn load(source: &KeySource) -> Result<LoadedKey, String> {
    let read;
    let text = match &source.key {
        Ok(text) => text,
        Err(path) => {
            read = std::fs::read_to_string(path)
                .map_err(|error| format!("open {}: {}", path.display(), errno_text(&error)))?;
            &read
        }
    };
    parse(text.trim(), &source.passphrase)
}

fn parse(text: &str, passphrase: &str) -> Result<LoadedKey, String> {
    const PROTECTED: &str = "ssh: this private key is passphrase protected";
    let unreadable = || "ssh: the private key can't be read".to_owned();
    let is_legacy = text.contains("\nProc-Type: 4,ENCRYPTED");
    let is_encrypted = is_legacy || text.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----");
    if is_encrypted && passphrase.is_empty() {
        return Err(PROTECTED.to_owned());
    }
    if is_legacy && text.starts_with("-----BEGIN RSA PRIVATE KEY-----") {
        return Err("ssh: RSA keys that are encrypted in the old PEM way are not supported: \
                    `ssh-keygen -p -f FILE` brings them into OpenSSH's format"
            .to_owned());
    }
    if text.starts_with("-----BEGIN RSA PRIVATE KEY-----") {
        let key = RsaKey::from_pkcs1_pem(text).map_err(|_| unreadable())?;
        return Ok(LoadedKey::Rsa(Box::new(RsaSigner(key))));
    }
    if text.starts_with("-----BEGIN PRIVATE KEY-----")
        && let Ok(key) = RsaKey::from_pkcs8_pem(text)
    {
        return Ok(LoadedKey::Rsa(Box::new(RsaSigner(key))));
    }
    let passphrase = Some(passphrase).filter(|text| !text.is_empty());
    let key = keys::decode_secret_key(text, passphrase).map_err(|error| match error {
        keys::Error::KeyIsEncrypted => PROTECTED.to_owned(),
        keys::Error::SshKey(_) | keys::Error::Pkcs8(_) | keys::Error::Unpad(_) if passphrase.is_some() => {
            "x509: decryption password incorrect".to_owned()
        }
        _ => unreadable(),
    })?;
    let KeypairData::Rsa(pair) = key.key_data() else { return Ok(LoadedKey::Other(Box::new(key))) };
    let number = |number: &Mpint| {
        let bytes = number.as_positive_bytes()?;
        BoxedUint::from_be_slice(bytes, u32::try_from(bytes.len()).ok()?.checked_mul(8)?).ok()
    };
    let (public, private) = (pair.public(), pair.private());
    let parts = (|| {
        let primes = vec![number(private.p())?, number(private.q())?];
        RsaKey::from_components(number(public.n())?, number(public.e())?, number(private.d())?, primes).ok()
    })();
    parts.map(|key| LoadedKey::Rsa(Box::new(RsaSigner(key)))).ok_or_else(unreadable)
}

impl RsaSigner {
    /// The public half, as SSH has it.
    ///
    /// # Errors
    /// The numbers are none of an RSA key.
    pub fn public(&self) -> Result<PublicKey, String> {
        let number = |number: &BoxedUint| Mpint::from_positive_bytes(&number.to_be_bytes_trimmed_vartime());
        let key = RsaPublicKey::new(number(self.0.e()), number(self.0.n()));
        Ok(PublicKey::from(KeyData::Rsa(key.map_err(|error| error.to_string())?)))
    }
}

impl Signer for RsaSigner {
    type Error = NotSigned;

    async fn auth_sign(
        &mut self,
        _: &AgentIdentity,
        hash: Option<HashAlg>,
        mut data: Vec<u8>,
    ) -> Result<Vec<u8>, Self::Error> {
        let (name, signature) = match hash {
            Some(HashAlg::Sha512) => {
                ("rsa-sha2-512", self.0.sign(Pkcs1v15Sign::new::<Sha512>(), &Sha512::digest(&data)))
            }
            _ => ("rsa-sha2-256", self.0.sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(&data))),
        };
        let signature = signature.map_err(|_| NotSigned("the private key can't sign"))?;
        let mut field = Vec::with_capacity(signature.len() + 32);
        for part in [name.as_bytes(), &signature] {
            field.extend_from_slice(&(part.len() as u32).to_be_bytes());
            field.extend_from_slice(part);
        }
        data.extend_from_slice(&(field.len() as u32).to_be_bytes());
        data.extend_from_slice(&field);
        Ok(data)
    }
}
