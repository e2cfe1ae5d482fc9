//! What must hold for certificates. Entered here with broken examples, and by the targets of
//! `tests/fuzz` with what libFuzzer thinks of.

/// A certificate in PEM, or its bytes: its facts, or a refusal.
pub fn certificate(data: &[u8]) {
    _ = super::x509::facts(data);
    let pem = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, data);
    _ = super::x509::facts(format!("-----BEGIN CERTIFICATE-----\n{pem}\n-----END CERTIFICATE-----\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::http::fuzz_tests::break_each;

    #[test]
    fn any_certificate_is_read_or_refused() {
        let names = ["example.com".to_owned(), "10.0.0.1".to_owned(), "::1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        break_each(&[made.cert.der(), made.cert.pem().as_bytes()], certificate);
    }
}
