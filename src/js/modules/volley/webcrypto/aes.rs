//! AES in three modes: CBC, CTR, GCM, with keys of 16, 24 and 32 bytes.

use aes::{Aes128, Aes192, Aes256};
use aes_gcm::aead::consts::{U12, U13, U14, U15, U16};
use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{AesGcm, Nonce};
use bytes::Bytes;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, StreamCipher};

use super::algorithm::{Algorithm, AlgorithmIdentifier};
use super::error::CryptoError;

/// Bytes in a block, an initialisation vector and a counter.
const BLOCK: usize = 16;
/// Bytes in the only initialisation vector k6 takes for GCM.
const NONCE: usize = 12;

/// A mode with its parameters.
pub enum AesMode {
    /// Blocks in a chain, the last one padded.
    Cbc { iv: Bytes },
    /// A stream; the last `bits` of the block count.
    Ctr { counter: u128, bits: u32 },
    /// A stream with a tag of this many bytes at the end.
    Gcm { iv: Bytes, also: Bytes, tag: usize },
}

/// What keys of the three modes may be used for.
pub const USAGES: &[&str] = &["encrypt", "decrypt", "wrapKey", "unwrapKey"];

/// True for the three lengths of a key, in bits.
pub fn is_key_length(bits: u32) -> bool {
    matches!(bits, 128 | 192 | 256)
}

impl AesMode {
    /// Reads the parameters a script gave.
    ///
    /// # Errors
    /// When one is missing or out of bounds.
    pub fn read(given: &mut AlgorithmIdentifier) -> Result<Self, CryptoError> {
        match given.algorithm {
            Algorithm::AesCbc => {
                let iv = given.needed_bytes("iv")?;
                if iv.len() != BLOCK {
                    return Err(CryptoError::operation("iv length is not 16 bytes"));
                }
                Ok(Self::Cbc { iv })
            }
            Algorithm::AesCtr => {
                let counter = given.needed_bytes("counter")?;
                let counter = <[u8; BLOCK]>::try_from(&counter[..])
                    .map_err(|_| CryptoError::operation("counter length is not 16 bytes"))?;
                let bits = given.needed_number("length")?;
                if !(1..=128).contains(&bits) {
                    return Err(CryptoError::operation("length must be between 1 and 128 bits"));
                }
                Ok(Self::Ctr { counter: u128::from_be_bytes(counter), bits })
            }
            _ => {
                let iv = given.needed_bytes("iv")?;
                if iv.len() != NONCE {
                    return Err(CryptoError::unsupported("only 12 bytes long iv are supported"));
                }
                let tag = match given.number("tagLength")?.unwrap_or(128) {
                    32 | 64 => return Err(CryptoError::unsupported("tag length 32 and 64 are not supported")),
                    bits @ (96 | 104 | 112 | 120 | 128) => bits as usize / 8,
                    bits => return Err(CryptoError::operation(format!("invalid tag length {bits}"))),
                };
                Ok(Self::Gcm { iv, also: given.bytes("additionalData")?.unwrap_or_default(), tag })
            }
        }
    }

    /// Encrypts.
    ///
    /// # Errors
    /// When the data is longer than the counter can count.
    pub fn encrypt(&self, key: &[u8], data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        match self {
            Self::Cbc { iv } => match key.len() {
                16 => chain::<cbc::Encryptor<Aes128>>(key, iv, data),
                24 => chain::<cbc::Encryptor<Aes192>>(key, iv, data),
                _ => chain::<cbc::Encryptor<Aes256>>(key, iv, data),
            },
            Self::Ctr { counter, bits } => count(key, *counter, *bits, data),
            Self::Gcm { iv, also, tag } => authenticated(key, *tag, iv, Payload { msg: data, aad: also }, true),
        }
        .ok_or_else(|| CryptoError::operation("encryption failed"))
    }

    /// Decrypts.
    ///
    /// # Errors
    /// When the padding or the tag is not right: another key, or something was changed.
    pub fn decrypt(&self, key: &[u8], data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        match self {
            Self::Cbc { iv } => match key.len() {
                16 => unchain::<cbc::Decryptor<Aes128>>(key, iv, data),
                24 => unchain::<cbc::Decryptor<Aes192>>(key, iv, data),
                _ => unchain::<cbc::Decryptor<Aes256>>(key, iv, data),
            },
            Self::Ctr { counter, bits } => count(key, *counter, *bits, data),
            Self::Gcm { iv, also, tag } => authenticated(key, *tag, iv, Payload { msg: data, aad: also }, false),
        }
        .ok_or_else(|| CryptoError::operation("decryption failed"))
    }
}

fn chain<C: BlockModeEncrypt + KeyIvInit>(key: &[u8], iv: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    let mut buffer = vec![0; (data.len() / BLOCK + 1) * BLOCK];
    buffer[..data.len()].copy_from_slice(data);
    C::new_from_slices(key, iv).ok()?.encrypt_padded::<Pkcs7>(&mut buffer, data.len()).ok()?;
    Some(buffer)
}

fn unchain<C: BlockModeDecrypt + KeyIvInit>(key: &[u8], iv: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    let mut buffer = data.to_vec();
    let len = C::new_from_slices(key, iv).ok()?.decrypt_padded::<Pkcs7>(&mut buffer).ok()?.len();
    buffer.truncate(len);
    Some(buffer)
}

/// CTR in either direction. When the counter bits overflow they start at zero again; the other bits stay.
fn count(key: &[u8], counter: u128, bits: u32, data: &[u8]) -> Option<Vec<u8>> {
    let mut buffer = data.to_vec();
    let counting = if bits == 128 { u128::MAX } else { (1 << bits) - 1 };
    // Blocks after which it runs over, and how many there may be, each minus one.
    let (before, most) = (counting - (counter & counting), counting);
    let blocks = data.len().div_ceil(BLOCK) as u128;
    if blocks.saturating_sub(1) > most {
        return None;
    }
    let first = if blocks > before { (before + 1) as usize * BLOCK } else { buffer.len() };
    let (first, second) = buffer.split_at_mut(first.min(data.len()));
    stream(key, counter, first)?;
    stream(key, counter & !counting, second)?;
    Some(buffer)
}

fn stream(key: &[u8], counter: u128, data: &mut [u8]) -> Option<()> {
    fn run<C: StreamCipher + KeyIvInit>(key: &[u8], counter: u128, data: &mut [u8]) -> Option<()> {
        C::new_from_slices(key, &counter.to_be_bytes()).ok()?.try_apply_keystream(data).ok()
    }
    match key.len() {
        16 => run::<ctr::Ctr128BE<Aes128>>(key, counter, data),
        24 => run::<ctr::Ctr128BE<Aes192>>(key, counter, data),
        _ => run::<ctr::Ctr128BE<Aes256>>(key, counter, data),
    }
}

/// GCM in either direction, with a tag of `tag` bytes.
fn authenticated(key: &[u8], tag: usize, iv: &[u8], payload: Payload<'_, '_>, locks: bool) -> Option<Vec<u8>> {
    fn run<C: Aead<NonceSize = U12> + KeyInit>(
        key: &[u8],
        iv: &[u8],
        payload: Payload,
        locks: bool,
    ) -> Option<Vec<u8>> {
        let (cipher, nonce) = (C::new_from_slice(key).ok()?, Nonce::try_from(iv).ok()?);
        if locks { cipher.encrypt(&nonce, payload).ok() } else { cipher.decrypt(&nonce, payload).ok() }
    }
    macro_rules! sized {
        ($cipher:ty) => {
            match tag {
                12 => run::<AesGcm<$cipher, U12, U12>>(key, iv, payload, locks),
                13 => run::<AesGcm<$cipher, U12, U13>>(key, iv, payload, locks),
                14 => run::<AesGcm<$cipher, U12, U14>>(key, iv, payload, locks),
                15 => run::<AesGcm<$cipher, U12, U15>>(key, iv, payload, locks),
                _ => run::<AesGcm<$cipher, U12, U16>>(key, iv, payload, locks),
            }
        };
    }
    match key.len() {
        16 => sized!(Aes128),
        24 => sized!(Aes192),
        _ => sized!(Aes256),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{hex, unhex};
    use super::*;

    /// Key and plain text of NIST SP 800-38A, F.2 and F.5.
    const KEY: &str = "2b7e151628aed2a6abf7158809cf4f3c";
    const TEXT: &str = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51";

    #[test]
    fn cbc_is_that_of_nist_with_a_block_of_padding() {
        let mode = AesMode::Cbc { iv: unhex("000102030405060708090a0b0c0d0e0f").into() };
        let locked = mode.encrypt(&unhex(KEY), &unhex(TEXT)).unwrap();
        assert_eq!(hex(&locked[..32]), "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2");
        assert_eq!(locked.len(), 48);
        assert_eq!(hex(&mode.decrypt(&unhex(KEY), &locked).unwrap()), TEXT);
        assert!(mode.decrypt(&unhex(KEY), &locked[..32]).is_err());
        assert!(mode.decrypt(&unhex(KEY), &locked[..31]).is_err());
        assert!(mode.decrypt(&unhex(KEY), &[]).is_err());
    }

    #[test]
    fn ctr_is_that_of_nist() {
        let counter = u128::from_str_radix("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff", 16).unwrap();
        for bits in [128, 64, 9] {
            let mode = AesMode::Ctr { counter, bits };
            let locked = mode.encrypt(&unhex(KEY), &unhex(TEXT)).unwrap();
            assert_eq!(hex(&locked), "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff", "{bits}");
            assert_eq!(hex(&mode.decrypt(&unhex(KEY), &locked).unwrap()), TEXT);
        }
    }

    #[test]
    fn only_the_counting_bits_run_over() {
        let key = unhex(KEY);
        let one = |counter: u128| AesMode::Ctr { counter, bits: 128 }.encrypt(&key, &[0; BLOCK]).unwrap();
        let check = |counter: u128, bits: u32, expect: &[u128]| {
            let zeros = vec![0; expect.len() * BLOCK];
            let stream = AesMode::Ctr { counter, bits }.encrypt(&key, &zeros).unwrap();
            assert_eq!(stream, expect.iter().flat_map(|counter| one(*counter)).collect::<Vec<_>>(), "{counter} {bits}");
        };
        check(0x5ff, 8, &[0x5ff, 0x500, 0x501]);
        check(0x501, 1, &[0x501, 0x500]);
        check(u128::MAX, 128, &[u128::MAX, 0]);
        check(u128::MAX, 32, &[u128::MAX, u128::MAX << 32]);
        assert!(AesMode::Ctr { counter: 0, bits: 1 }.encrypt(&key, &[0; 33]).is_err());
        assert!(AesMode::Ctr { counter: 0, bits: 1 }.encrypt(&key, &[]).is_ok());
    }

    #[test]
    fn gcm_is_that_of_its_specification() {
        // Test cases 2, 4 (cut to one block) and 14 of McGrew and Viega.
        let check = |key: &str, iv: &str, text: &str, also: &str, tag: usize, expect: &str| {
            let mode = AesMode::Gcm { iv: unhex(iv).into(), also: unhex(also).into(), tag };
            let locked = mode.encrypt(&unhex(key), &unhex(text)).unwrap();
            assert_eq!(hex(&locked), expect);
            assert_eq!(hex(&mode.decrypt(&unhex(key), &locked).unwrap()), text);
            for at in 0..locked.len() {
                let mut broken = locked.clone();
                broken[at] ^= 1;
                assert!(mode.decrypt(&unhex(key), &broken).is_err());
            }
            assert!(mode.decrypt(&unhex(key), &locked[..5]).is_err());
        };
        let zeros = "00000000000000000000000000000000";
        let nonce = &zeros[..24];
        let locked = "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf";
        for tag in 12..=16 {
            check(zeros, nonce, zeros, "", tag, &locked[..(BLOCK + tag) * 2]);
        }
        let long = format!("{zeros}{zeros}");
        check(&long, nonce, zeros, "", 16, "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
    }
}
