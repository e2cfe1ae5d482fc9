//! Which server certificates are accepted: what rustls asks while a handshake is made.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, SignatureScheme};

use super::chain::{PresentedChain, TrustedRoots, UnverifiedChain, is_unknown_authority, reason};
use super::issuers::{IssuerStore, issuer_urls};
use super::observed;
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
        observed::note_stapled(ocsp);
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

/// Judges certificates by the roots that are trusted, and by those of issuers that can be fetched.
///
/// A verifier can't wait. A chain that lacks issuers which are not known yet is left to the handshake as an [`UnverifiedChain`]:
/// the handshake is finished, which proves that the server has the key of its certificate, and nothing is sent until the chain is
/// verified.
#[derive(Debug)]
pub(super) struct CertificateVerifier {
    roots: Arc<TrustedRoots>,
    /// `None` when nothing is fetched.
    issuers: Option<Arc<IssuerStore>>,
}

impl CertificateVerifier {
    /// Trusts `roots`.
    pub(super) fn new(
        provider: Arc<CryptoProvider>,
        roots: Vec<CertificateDer<'static>>,
        issuers: Option<Arc<IssuerStore>>,
    ) -> Result<Self, Failure> {
        Ok(Self { roots: Arc::new(TrustedRoots::new(provider, roots)?), issuers })
    }

    /// What becomes of a chain whose authority is unknown without the certificates of issuers.
    fn complete(&self, chain: PresentedChain<'_>, error: rustls::Error) -> Result<(), rustls::Error> {
        let Some(issuers) = self.issuers.as_ref().filter(|_| is_unknown_authority(&error)) else { return Err(error) };
        let urls = issuer_urls(std::iter::once(chain.end_entity).chain(chain.intermediates));
        if urls.is_empty() {
            return Err(error);
        }
        let known = issuers.known(&urls);
        let verdict = match known.certificates.is_empty() {
            true => Err(error),
            false => self.roots.verify(&chain.with(&known.certificates)),
        };
        match verdict {
            Err(error) if is_unknown_authority(&error) && !known.is_complete => {
                let chain = UnverifiedChain {
                    roots: self.roots.clone(),
                    issuers: issuers.clone(),
                    end_entity: chain.end_entity.clone().into_owned(),
                    intermediates: chain.intermediates.iter().map(|der| der.clone().into_owned()).collect(),
                    name: chain.name.to_owned(),
                    urls,
                };
                if observed::defer(chain) { Ok(()) } else { Err(error) }
            }
            verdict => verdict.inspect_err(|error| issuers.warn_incomplete(&reason(error))),
        }
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
        observed::note_stapled(ocsp);
        let chain = PresentedChain { end_entity, intermediates, fetched: &[], name, now };
        let verdict = self.roots.verify(&chain).or_else(|error| self.complete(chain, error));
        verdict.map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.roots.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.roots.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.roots.provider.signature_verification_algorithms.supported_schemes()
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
        let verifier = CertificateVerifier::new(provider, vec![own.clone()], None).unwrap();
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
