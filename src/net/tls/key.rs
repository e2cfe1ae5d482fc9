//! Private keys in the old encrypted PEM form (`Proc-Type: 4,ENCRYPTED`), opened with their password.
//!
//! The ciphers and the words of Go's `x509.DecryptPEMBlock`. The form is weak (MD5, one round) and gone from everywhere
//! but old test set-ups, which is where `tlsAuth` meets it. Encrypted PKCS#8 is refused, as in k6.

use base64::Engine as _;
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit};
use data_encoding::HEXLOWER_PERMISSIVE;
use md5::{Digest, Md5};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};

/// How a key is locked.
#[derive(Clone, Copy)]
enum Cipher {
    Des,
    TripleDes,
    Aes128,
    Aes192,
    Aes256,
}

impl Cipher {
    /// The ciphers by the names of `DEK-Info`, with the bytes of their keys and blocks.
    const TABLE: [(&'static str, Self, usize, usize); 5] = [
        ("DES-CBC", Self::Des, 8, 8),
        ("DES-EDE3-CBC", Self::TripleDes, 24, 8),
        ("AES-128-CBC", Self::Aes128, 16, 16),
        ("AES-192-CBC", Self::Aes192, 24, 16),
        ("AES-256-CBC", Self::Aes256, 32, 16),
    ];

    fn open(self, key: &[u8], iv: &[u8], locked: &mut [u8]) -> Option<()> {
        fn run<C: BlockModeDecrypt + KeyIvInit>(key: &[u8], iv: &[u8], locked: &mut [u8]) -> Option<()> {
            C::new_from_slices(key, iv).ok()?.decrypt_padded::<NoPadding>(locked).ok().map(drop)
        }
        match self {
            Self::Des => run::<cbc::Decryptor<des::Des>>(key, iv, locked),
            Self::TripleDes => run::<cbc::Decryptor<des::TdesEde3>>(key, iv, locked),
            Self::Aes128 => run::<cbc::Decryptor<aes::Aes128>>(key, iv, locked),
            Self::Aes192 => run::<cbc::Decryptor<aes::Aes192>>(key, iv, locked),
            Self::Aes256 => run::<cbc::Decryptor<aes::Aes256>>(key, iv, locked),
        }
    }
}

/// True for a key in the old encrypted form.
pub fn is_encrypted(pem: &str) -> bool {
    pem.lines().any(|line| line.trim_end() == "Proc-Type: 4,ENCRYPTED")
}

/// The key in `pem`, opened with `password`.
///
/// # Errors
/// Go's words.
pub fn decrypt(pem: &str, password: &str) -> Result<PrivateKeyDer<'static>, String> {
    const WRONG: &str = "x509: decryption password incorrect";
    let block = Block::find(pem).ok_or("failed to decode PEM key")?;
    let info = block.header("DEK-Info").ok_or("x509: no DEK-Info header in block")?;
    let (name, iv) = info.split_once(',').ok_or("x509: malformed DEK-Info header")?;
    let (_, cipher, key_bytes, block_bytes) =
        Cipher::TABLE.into_iter().find(|(known, ..)| *known == name).ok_or("x509: unknown encryption mode")?;
    let iv = HEXLOWER_PERMISSIVE.decode(iv.trim().as_bytes()).map_err(|_| "x509: malformed DEK-Info header")?;
    if iv.len() != block_bytes {
        return Err("x509: incorrect IV size".to_owned());
    }
    let mut bytes = block.bytes;
    if bytes.is_empty() || bytes.len() % block_bytes != 0 {
        return Err("x509: encrypted PEM data is not a multiple of the block size".to_owned());
    }
    cipher.open(&derive(password.as_bytes(), &iv[..8], key_bytes), &iv, &mut bytes).ok_or(WRONG)?;
    // Every block ends with as many bytes as are missing, each of which says how many.
    let padding = usize::from(bytes.last().copied().unwrap_or_default());
    let rest = bytes.len().checked_sub(padding).filter(|_| (1..=block_bytes).contains(&padding)).ok_or(WRONG)?;
    if bytes[rest..].iter().any(|byte| usize::from(*byte) != padding) {
        return Err(WRONG.to_owned());
    }
    bytes.truncate(rest);
    match block.label {
        "RSA PRIVATE KEY" => Ok(PrivatePkcs1KeyDer::from(bytes).into()),
        "EC PRIVATE KEY" => Ok(PrivateSec1KeyDer::from(bytes).into()),
        "PRIVATE KEY" => Ok(PrivatePkcs8KeyDer::from(bytes).into()),
        _ => Err("tls: failed to find any PEM data in key input".to_owned()),
    }
}

/// OpenSSL's old way from a password to a key: MD5 over what came out before, the password and the salt.
fn derive(password: &[u8], salt: &[u8], length: usize) -> Vec<u8> {
    let mut key = Vec::new();
    let mut last: Vec<u8> = Vec::new();
    while key.len() < length {
        let mut hash = Md5::new();
        hash.update(&last);
        hash.update(password);
        hash.update(salt);
        last = hash.finalize().to_vec();
        key.extend_from_slice(&last);
    }
    key.truncate(length);
    key
}

/// A PEM block of a private key, with its headers.
struct Block<'a> {
    label: &'a str,
    headers: Vec<(&'a str, &'a str)>,
    bytes: Vec<u8>,
}

impl<'a> Block<'a> {
    fn find(pem: &'a str) -> Option<Self> {
        let mut lines = pem.lines().map(str::trim);
        let label = lines.find_map(|line| {
            let label = line.strip_prefix("-----BEGIN ")?.strip_suffix("-----")?;
            label.ends_with("PRIVATE KEY").then_some(label)
        })?;
        let (mut headers, mut text) = (Vec::new(), String::new());
        for line in lines {
            if line.starts_with("-----END ") {
                let bytes = base64::engine::general_purpose::STANDARD.decode(text).ok()?;
                return Some(Self { label, headers, bytes });
            }
            match line.split_once(':') {
                Some((name, value)) => headers.push((name.trim(), value.trim())),
                None => text.push_str(line),
            }
        }
        None
    }

    fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One EC key, locked by OpenSSL with the password `open sesame` in every way it knows.
    const LOCKED: &[&str] = &[
        include_str!("fixtures/des.pem"),
        include_str!("fixtures/3des.pem"),
        include_str!("fixtures/aes128.pem"),
        include_str!("fixtures/aes192.pem"),
        include_str!("fixtures/aes256.pem"),
    ];
    const OPEN: &str = include_str!("fixtures/open.pem");

    #[test]
    fn every_lock_opens() {
        use rustls::pki_types::pem::PemObject;
        let open = PrivateKeyDer::from_pem_slice(OPEN.as_bytes()).unwrap();
        for pem in LOCKED {
            assert!(is_encrypted(pem));
            let key = decrypt(pem, "open sesame").unwrap();
            assert_eq!(key.secret_der(), open.secret_der(), "{pem}");
        }
        assert!(!is_encrypted(OPEN));
    }

    #[test]
    fn what_does_not_open_says_why() {
        let check = |pem: &str, password: &str, expect: &str| assert_eq!(decrypt(pem, password).unwrap_err(), expect);
        let locked = LOCKED[4];
        let iv = locked.lines().find(|line| line.starts_with("DEK-Info")).unwrap();
        let with = |line: &str| locked.replace(iv, line);
        check(locked, "open barley", "x509: decryption password incorrect");
        check(OPEN, "open sesame", "x509: no DEK-Info header in block");
        check(&with("DEK-Info: AES-256-CBC"), "", "x509: malformed DEK-Info header");
        check(&with("DEK-Info: AES-256-CBC,xy"), "", "x509: malformed DEK-Info header");
        check(&with("DEK-Info: CAMELLIA-256-CBC,00"), "", "x509: unknown encryption mode");
        check(&with("DEK-Info: AES-256-CBC,0011"), "", "x509: incorrect IV size");
        check("no key at all", "", "failed to decode PEM key");
    }
}
