//! Credentials for a server that wants them: Basic from the URL, and Digest as k6 does it.
//!
//! Digest knows MD5 only, keeps no nonce and answers one challenge.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use data_encoding::HEXLOWER;
use md5::{Digest, Md5};

use super::headers::Headers;

/// The value of `Authorization` for Basic.
pub fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

/// A Digest challenge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DigestChallenge {
    realm: String,
    nonce: String,
    opaque: Option<String>,
    algorithm: Option<String>,
    qop: Option<&'static str>,
}

impl DigestChallenge {
    /// Finds a challenge we can answer.
    pub fn find(headers: &Headers) -> Option<Self> {
        headers.get_all("Www-Authenticate").find_map(Self::parse)
    }

    fn parse(value: &str) -> Option<Self> {
        let (scheme, rest) = value.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("digest") {
            return None;
        }
        let mut challenge = Self::default();
        for (name, value) in fields(rest) {
            match name.to_ascii_lowercase().as_str() {
                "realm" => challenge.realm = value,
                "nonce" => challenge.nonce = value,
                "opaque" => challenge.opaque = Some(value),
                "algorithm" => challenge.algorithm = Some(value),
                "qop" => {
                    let offers = |qop: &str| value.split(',').any(|offer| offer.trim() == qop);
                    challenge.qop = ["auth", "auth-int"].into_iter().find(|qop| offers(qop));
                }
                _ => {}
            }
        }
        let known = challenge.algorithm.as_deref().is_none_or(|name| name.eq_ignore_ascii_case("md5"));
        (known && !challenge.nonce.is_empty()).then_some(challenge)
    }

    /// The value of `Authorization`. `client_nonce` is 32 hex digits, new for every request.
    pub fn answer(
        &self,
        (user, password): (&str, &str),
        method: &str,
        target: &str,
        body: &[u8],
        client_nonce: &str,
    ) -> String {
        let owner = hash(&[user, ":", &self.realm, ":", password].concat());
        let asked = match self.qop {
            Some("auth-int") => hash(&format!("{method}:{target}:{}", HEXLOWER.encode(&Md5::digest(body)))),
            _ => hash(&format!("{method}:{target}")),
        };
        let response = match self.qop {
            Some(qop) => hash(&format!("{owner}:{}:00000001:{client_nonce}:{qop}:{asked}", self.nonce)),
            None => hash(&format!("{owner}:{}:{asked}", self.nonce)),
        };
        let mut header = format!(
            "Digest username=\"{user}\", realm=\"{}\", nonce=\"{}\", uri=\"{target}\", response=\"{response}\"",
            self.realm, self.nonce
        );
        if let Some(algorithm) = &self.algorithm {
            header.push_str(&format!(", algorithm=\"{algorithm}\""));
        }
        if let Some(opaque) = &self.opaque {
            header.push_str(&format!(", opaque=\"{opaque}\""));
        }
        if let Some(qop) = self.qop {
            header.push_str(&format!(", qop={qop}, nc=00000001, cnonce=\"{client_nonce}\""));
        }
        header
    }
}

/// 32 random hex digits.
pub fn client_nonce() -> String {
    format!("{:016x}{:016x}", crate::net::random::random(), crate::net::random::random())
}

/// `name=value` and `name="value"`, separated by commas.
fn fields(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text.trim_start_matches([' ', ',', '\t']);
    while let Some((name, after)) = rest.split_once('=') {
        let (value, after) = match after.strip_prefix('"') {
            Some(inner) => inner.split_once('"').unwrap_or((inner, "")),
            None => after.split_once(',').unwrap_or((after, "")),
        };
        found.push((name.trim().to_owned(), value.trim().to_owned()));
        rest = after.trim_start_matches([' ', ',', '\t']);
    }
    found
}

fn hash(text: &str) -> String {
    HEXLOWER.encode(&Md5::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_joins_and_encodes() {
        assert_eq!(basic("ann", "secret"), "Basic YW5uOnNlY3JldA==");
        assert_eq!(basic("onlyuser", ""), "Basic b25seXVzZXI6");
    }

    #[test]
    fn the_example_of_rfc_2617_comes_out() {
        let challenge = DigestChallenge::parse(
            "Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"",
        )
        .unwrap();
        let who = ("Mufasa", "Circle Of Life");
        let answer = challenge.answer(who, "GET", "/dir/index.html", b"", "0a4f113b");
        assert!(answer.contains("response=\"6629fae49393a05397450978507c4ef1\""), "{answer}");
        assert!(answer.contains("qop=auth, nc=00000001, cnonce=\"0a4f113b\""), "{answer}");
    }

    #[test]
    fn what_cannot_be_answered_is_left_alone() {
        for value in ["Basic realm=\"x\"", "Digest realm=\"x\"", "Digest nonce=\"n\", algorithm=SHA-256", ""] {
            assert_eq!(DigestChallenge::parse(value), None, "{value}");
        }
        assert!(DigestChallenge::parse("Digest realm=\"a b\", nonce=\"n\", algorithm=MD5").is_some());
    }
}
