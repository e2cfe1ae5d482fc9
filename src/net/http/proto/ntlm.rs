//! NTLM version 2 over HTTP, after Microsoft's open specification MS-NLMP: the two messages a client sends.
//!
//! Neither signs nor seals. The handshake belongs to one connection; the hop loop keeps it there.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};

use super::headers::Headers;

/// Unicode, target name, NTLM, always sign, extended security, target information, 128 and 56 bit.
const FLAGS: u32 = 0xa088_8205;
const SIGNATURE: &[u8; 8] = b"NTLMSSP\0";
/// Seconds between 1601, where Windows counts from, and 1970.
const EPOCH: u64 = 11_644_473_600;

/// Which of the two schemes the server speaks, if any.
pub fn offered(headers: &Headers) -> Option<&'static str> {
    let offers = |scheme: &str| {
        headers.get_all("Www-Authenticate").any(|value| {
            value.split(' ').next().is_some_and(|first| first.trim_end_matches(',').eq_ignore_ascii_case(scheme))
        })
    };
    ["NTLM", "Negotiate"].into_iter().find(|scheme| offers(scheme))
}

/// The first `Authorization`: what we can do.
pub fn negotiate(scheme: &str) -> String {
    let mut message = Vec::with_capacity(32);
    message.extend(SIGNATURE);
    message.extend(1u32.to_le_bytes());
    message.extend(FLAGS.to_le_bytes());
    // No domain and no workstation.
    message.extend([0; 16]);
    format!("{scheme} {}", STANDARD.encode(message))
}

/// The second `Authorization`, for the server's challenge; `None` without one.
pub fn authenticate(headers: &Headers, scheme: &str, user: &str, password: &str) -> Option<String> {
    let challenge = headers.get_all("Www-Authenticate").find_map(|value| {
        let (name, text) = value.split_once(' ')?;
        let message = STANDARD.decode(text.trim()).ok()?;
        name.eq_ignore_ascii_case(scheme).then(|| NtlmChallenge::parse(&message)).flatten()
    })?;
    let (domain, user) = user.split_once('\\').unwrap_or(("", user));
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = (since.as_secs() + EPOCH) * 10_000_000 + u64::from(since.subsec_nanos()) / 100;
    let nonce = crate::net::random::random().to_le_bytes();
    let key = owner_key(domain, user, password);
    let (lm, nt) = responses(&key, &challenge, challenge.time.unwrap_or(now), nonce);
    Some(format!("{scheme} {}", STANDARD.encode(answer(&challenge, domain, user, &lm, &nt))))
}

/// The server's challenge.
struct NtlmChallenge {
    nonce: [u8; 8],
    flags: u32,
    target: Vec<u8>,
    /// The server's clock, if it sends it.
    time: Option<u64>,
}

impl NtlmChallenge {
    fn parse(message: &[u8]) -> Option<Self> {
        if !message.starts_with(SIGNATURE) || message.get(8..12)? != 2u32.to_le_bytes() {
            return None;
        }
        let length = u16::from_le_bytes(message.get(40..42)?.try_into().ok()?) as usize;
        let start = u32::from_le_bytes(message.get(44..48)?.try_into().ok()?) as usize;
        let target = message.get(start..start.checked_add(length)?)?.to_vec();
        Some(Self {
            nonce: message.get(24..32)?.try_into().ok()?,
            flags: u32::from_le_bytes(message.get(20..24)?.try_into().ok()?),
            time: timestamp(&target),
            target,
        })
    }
}

/// Finds the timestamp (kind 7) among the pairs of a target information.
fn timestamp(mut pairs: &[u8]) -> Option<u64> {
    loop {
        let (kind, length) = (pairs.get(..2)?, pairs.get(2..4)?);
        let length = usize::from(u16::from_le_bytes([length[0], length[1]]));
        let value = pairs.get(4..4 + length)?;
        match kind[0] {
            0 => return None,
            7 => return Some(u64::from_le_bytes(value.try_into().ok()?)),
            _ => pairs = &pairs[4 + length..],
        }
    }
}

fn owner_key(domain: &str, user: &str, password: &str) -> [u8; 16] {
    let who = utf16(&format!("{}{domain}", user.to_uppercase()));
    hmac(&md4(&utf16(password)), &[&who])
}

/// The LM response and the NT response.
fn responses(key: &[u8; 16], challenge: &NtlmChallenge, time: u64, nonce: [u8; 8]) -> (Vec<u8>, Vec<u8>) {
    let mut blob = vec![1, 1, 0, 0, 0, 0, 0, 0];
    blob.extend(time.to_le_bytes());
    blob.extend(nonce);
    blob.extend([0; 4]);
    blob.extend(&challenge.target);
    blob.extend([0; 4]);
    let nt = [&hmac(key, &[&challenge.nonce, &blob])[..], &blob].concat();
    let lm = match challenge.time {
        // A server that sends its time must not get an LM response.
        Some(_) => vec![0; 24],
        None => [&hmac(key, &[&challenge.nonce, &nonce])[..], &nonce].concat(),
    };
    (lm, nt)
}

fn answer(challenge: &NtlmChallenge, domain: &str, user: &str, lm: &[u8], nt: &[u8]) -> Vec<u8> {
    const HEAD: usize = 64;
    let (domain, user) = (utf16(domain), utf16(user));
    let mut message = Vec::with_capacity(HEAD + lm.len() + nt.len() + domain.len() + user.len());
    message.extend(SIGNATURE);
    message.extend(3u32.to_le_bytes());
    let mut at = HEAD;
    for field in [lm, nt, &domain, &user, &[], &[]] {
        let length = (field.len() as u16).to_le_bytes();
        message.extend(length);
        message.extend(length);
        message.extend((at as u32).to_le_bytes());
        at += field.len();
    }
    message.extend((challenge.flags & FLAGS).to_le_bytes());
    for field in [lm, nt, &domain, &user] {
        message.extend(field);
    }
    message
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn hmac(key: &[u8; 16], parts: &[&[u8]]) -> [u8; 16] {
    let pad = |byte: u8| {
        let mut block = [byte; 64];
        block.iter_mut().zip(key).for_each(|(own, key)| *own ^= key);
        block
    };
    let mut inner = Md5::new_with_prefix(pad(0x36));
    parts.iter().for_each(|part| inner.update(part));
    Md5::new_with_prefix(pad(0x5c)).chain_update(inner.finalize()).finalize().into()
}

/// MD4 (RFC 1320), which only NTLM still needs.
fn md4(message: &[u8]) -> [u8; 16] {
    let mut padded = message.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    padded.extend((message.len() as u64 * 8).to_le_bytes());
    let mut state = [0x6745_2301_u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    for block in padded.chunks_exact(64) {
        let mut words = [0; 16];
        for (word, bytes) in words.iter_mut().zip(block.chunks_exact(4)) {
            *word = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
        let [mut a, mut b, mut c, mut d] = state;
        for step in 0..48 {
            let quarter = step % 16;
            let (mixed, word, shift, constant) = match step / 16 {
                0 => ((b & c) | (!b & d), quarter, [3, 7, 11, 19][step % 4], 0),
                1 => ((b & c) | (b & d) | (c & d), quarter % 4 * 4 + quarter / 4, [3, 5, 9, 13][step % 4], 0x5a82_7999),
                _ => {
                    // The third round takes the words in the order of their reversed bits.
                    let word = (quarter as u8).reverse_bits() as usize >> 4;
                    (b ^ c ^ d, word, [3, 9, 11, 15][step % 4], 0x6ed9_eba1_u32)
                }
            };
            let sum = a.wrapping_add(mixed).wrapping_add(words[word]).wrapping_add(constant);
            (a, d, c, b) = (d, c, b, sum.rotate_left(shift));
        }
        for (own, new) in state.iter_mut().zip([a, b, c, d]) {
            *own = own.wrapping_add(new);
        }
    }
    let mut hash = [0; 16];
    for (bytes, word) in hash.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    hash
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    #[test]
    fn md4_matches_rfc_1320() {
        for (text, expect) in [
            ("", "31d6cfe0d16ae931b73c59d7e0c089c0"),
            ("abc", "a448017aaf21d8525fc10ae87aa6729d"),
            ("message digest", "d9130a8164549fe818874806e1c7014b"),
            (
                "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
                "e33b4ddc9c38f2199c3e7b164fcc0536",
            ),
        ] {
            assert_eq!(HEXLOWER.encode(&md4(text.as_bytes())), expect);
        }
    }

    #[test]
    fn responses_match_the_specification_s_example() {
        let mut target = Vec::new();
        for (kind, text) in [(2u16, "Domain"), (1, "Server")] {
            target.extend(kind.to_le_bytes());
            target.extend((text.len() as u16 * 2).to_le_bytes());
            target.extend(utf16(text));
        }
        target.extend([0; 4]);
        let nonce = 0x0123_4567_89ab_cdef_u64.to_be_bytes();
        let challenge = NtlmChallenge { nonce, flags: FLAGS, time: timestamp(&target), target };
        let key = owner_key("Domain", "User", "Password");
        assert_eq!(HEXLOWER.encode(&key), "0c868a403bfd7a93a3001ef22ef02e3f");
        let (lm, nt) = responses(&key, &challenge, 0, [0xaa; 8]);
        assert_eq!(HEXLOWER.encode(&lm), "86c35097ac9cec102554764a57cccc19aaaaaaaaaaaaaaaa");
        assert_eq!(HEXLOWER.encode(&nt[..16]), "68cd0ab851e51c96aabc927bebef6a1c");
    }

    #[test]
    fn broken_challenges_are_none() {
        for message in [&b""[..], b"NTLMSSP\0", &[SIGNATURE, &2u32.to_le_bytes()[..], &[0xff; 40]].concat()] {
            assert!(NtlmChallenge::parse(message).is_none());
        }
    }
}
