//! What must hold for keys, certificates, stapled answers and what is found where issuers are said to be. Entered here with broken examples, and by the targets of
//! `tests/fuzz` with what libFuzzer thinks of.

use super::key::{decrypt, is_encrypted};
use super::ocsp::Ocsp;

/// A key in PEM, opened with a password; a stapled answer; the certificate of an issuer.
pub fn keys(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    _ = is_encrypted(&text);
    match decrypt(&text, "open sesame") {
        Ok(key) => assert!(!key.secret_der().is_empty() || text.contains("PRIVATE KEY")),
        Err(text) => assert!(!text.is_empty()),
    }
    if let Some(ocsp) = Ocsp::parse(data) {
        assert!(["good", "unknown", "revoked"].contains(&ocsp.status));
    }
    _ = super::issuers::facts(data);
    let own = crate::net::config::ClientCertificate {
        certificate: text.clone().into_owned(),
        key: text.into_owned(),
        password: None,
        domains: Vec::new(),
    };
    _ = super::client_config::load(&own, &rustls::crypto::ring::default_provider());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::fuzz_tests::break_each;

    #[test]
    fn any_key_is_opened_or_refused() {
        break_each(
            &[
                include_bytes!("fixtures/des.pem"),
                include_bytes!("fixtures/aes256.pem"),
                include_bytes!("fixtures/open.pem"),
                include_bytes!("fixtures/good.der"),
                include_bytes!("fixtures/revoked.der"),
            ],
            keys,
        );
    }
}
