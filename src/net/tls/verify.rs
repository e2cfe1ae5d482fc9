//! Which server certificates are accepted, with Go's judgements.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, SignatureScheme};

use super::ocsp;
use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// Accepts any certificate; asked for with `insecureSkipTLSVerify`.
#[derive(Debug)]
pub(super) struct AcceptAll(pub(super) Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptAll {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        ocsp: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        ocsp::note(ocsp);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// The system's roots; unlike plain webpki it also accepts a server certificate that is itself trusted.
#[derive(Debug)]
pub(super) struct CertificateVerifier {
    roots: Vec<CertificateDer<'static>>,
    /// `None` when the system trusts no authority.
    webpki: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl CertificateVerifier {
    /// Trusts `roots`.
    pub(super) fn new(provider: Arc<CryptoProvider>, roots: Vec<CertificateDer<'static>>) -> Result<Self, Failure> {
        let mut store = rustls::RootCertStore::empty();
        store.add_parsable_certificates(roots.iter().cloned());
        let webpki = match store.is_empty() {
            true => None,
            false => {
                Some(WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider.clone()).build().map_err(
                    |error| {
                        Failure::new(ExitCode::Other, format!("could not use the system's root certificates: {error}"))
                    },
                )?)
            }
        };
        Ok(Self { roots, webpki, provider })
    }
}

impl ServerCertVerifier for CertificateVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        ocsp::note(ocsp);
        let unknown = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let verdict = match &self.webpki {
            Some(webpki) => webpki.verify_server_cert(end_entity, intermediates, name, ocsp, now),
            None => Err(unknown.clone()),
        };
        // Go looks at the name before the issuer; webpki the other way round.
        let named = || rustls::client::verify_server_name(&ParsedCertificate::try_from(end_entity)?, name);
        let is_trusted = || self.roots.iter().any(|root| root == end_entity);
        match verdict {
            // A root of the same name with another key is no authority either.
            Err(rustls::Error::InvalidCertificate(
                CertificateError::UnknownIssuer | CertificateError::BadSignature,
            )) => {
                named()?;
                if is_trusted() { Ok(ServerCertVerified::assertion()) } else { Err(unknown) }
            }
            // webpki has its own words for a certificate authority that serves; Go treats it as any other.
            Err(rustls::Error::InvalidCertificate(CertificateError::Other(other))) => {
                named()?;
                match format!("{other:?}").contains("CaUsedAsEndEntity") {
                    true if is_trusted() => Ok(ServerCertVerified::assertion()),
                    true => Err(unknown),
                    false => Err(rustls::Error::InvalidCertificate(CertificateError::Other(other))),
                }
            }
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::http::proto::error::NetError;

    #[test]
    fn certificates_are_judged_as_go_judges_them() {
        let made = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| name.to_string()).collect();
            rcgen::generate_simple_self_signed(names).unwrap().cert.der().clone()
        };
        let (own, other) = (made(&["localhost", "test.local"]), made(&["localhost"]));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = CertificateVerifier::new(provider, vec![own.clone()]).unwrap();
        let check = |certificate: &CertificateDer<'_>, name: &str, expect: Result<(), (u16, &str, &str)>| {
            let name = ServerName::try_from(name.to_owned()).unwrap();
            let verdict = verifier.verify_server_cert(certificate, &[], &name, &[], UnixTime::now());
            let verdict = verdict.map(|_| ()).map_err(|error| NetError::tls(&error));
            let verdict =
                verdict.as_ref().copied().map_err(|error: &NetError| (error.code, &*error.text, error.cause()));
            assert_eq!(verdict, expect);
        };
        check(&own, "test.local", Ok(()));
        let text =
            "tls: failed to verify certificate: x509: certificate is valid for localhost, test.local, not example.com";
        check(&own, "example.com", Err((1311, "x509: certificate doesn't match hostname", text)));
        let text = "tls: failed to verify certificate: x509: certificate signed by unknown authority";
        check(&other, "localhost", Err((1310, "x509: unknown authority", text)));
    }
}
