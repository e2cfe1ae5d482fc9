//! Which server certificates are accepted, with Go's judgements.

use std::borrow::Cow;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, OtherError, SignatureScheme};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;

use super::issuers::{IssuerStore, IssuerTransport, issuer_urls};
use super::observed;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::net::http::proto::error::{NetError, UntrustedIssuerError};

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

/// What a server presents.
#[derive(Clone, Copy)]
struct PresentedChain<'a> {
    end_entity: &'a CertificateDer<'a>,
    intermediates: &'a [CertificateDer<'a>],
    /// Certificates that were fetched.
    fetched: &'a [CertificateDer<'a>],
    name: &'a ServerName<'a>,
    now: UnixTime,
}

impl<'a> PresentedChain<'a> {
    fn with(self, fetched: &'a [CertificateDer<'a>]) -> Self {
        Self { fetched, ..self }
    }
}

/// A chain whose authority is unknown unless certificates of issuers are fetched.
#[derive(Debug)]
pub(super) struct UnverifiedChain {
    roots: Arc<TrustedRoots>,
    issuers: Arc<IssuerStore>,
    end_entity: CertificateDer<'static>,
    intermediates: Vec<CertificateDer<'static>>,
    name: ServerName<'static>,
    /// Where its issuers are.
    urls: Vec<String>,
}

impl UnverifiedChain {
    /// Fetches what is missing and verifies the chain once more.
    ///
    /// # Errors
    /// The authority is still unknown, or what was fetched shows something else that is wrong.
    pub(super) async fn verify(self, transport: &dyn IssuerTransport) -> Result<(), rustls::Error> {
        let fetched = self.issuers.fetch(&self.urls, transport).await;
        let chain = PresentedChain {
            end_entity: &self.end_entity,
            intermediates: &self.intermediates,
            fetched: &fetched,
            name: &self.name,
            now: UnixTime::now(),
        };
        self.roots.verify(&chain).inspect_err(|error| self.issuers.warn_incomplete(&reason(error)))
    }
}

/// True for what the certificate of an issuer may mend.
fn is_unknown_authority(error: &rustls::Error) -> bool {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => true,
        rustls::Error::InvalidCertificate(CertificateError::Other(other)) => other.0.is::<UntrustedIssuerError>(),
        _ => false,
    }
}

/// Why a certificate is refused, in Go's words.
fn reason(error: &rustls::Error) -> String {
    let error = NetError::tls(error);
    error.cause().trim_start_matches("tls: failed to verify certificate: ").to_owned()
}

/// The system's roots; unlike plain webpki it also accepts a server certificate that is itself trusted.
#[derive(Debug)]
struct TrustedRoots {
    roots: Vec<CertificateDer<'static>>,
    /// `None` when the system trusts no authority.
    webpki: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl TrustedRoots {
    fn new(provider: Arc<CryptoProvider>, roots: Vec<CertificateDer<'static>>) -> Result<Self, Failure> {
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

    /// Judges a chain as Go does.
    fn verify(&self, chain: &PresentedChain<'_>) -> Result<(), rustls::Error> {
        let PresentedChain { end_entity, intermediates, fetched, name, now } = *chain;
        let joined: Cow<'_, [CertificateDer<'_>]> = match fetched {
            [] => intermediates.into(),
            fetched => [intermediates, fetched].concat().into(),
        };
        let unknown = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let verdict = match &self.webpki {
            Some(webpki) => webpki.verify_server_cert(end_entity, &joined, name, &[], now).map(drop),
            None => Err(unknown.clone()),
        };
        let Err(rustls::Error::InvalidCertificate(error)) = verdict else { return verdict };
        let refused = match &error {
            // A root of the same name with another key is no authority either.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => unknown,
            // webpki has its own words for a certificate authority that serves; Go treats it as any other. An issuer that may
            // not issue is none.
            CertificateError::Other(other) => {
                let text = format!("{other:?}");
                match NO_ISSUER.iter().any(|reason| text.contains(reason)) {
                    true => unknown,
                    false => rustls::Error::InvalidCertificate(error.clone()),
                }
            }
            // Out of its time is the certificate itself, or one of those that vouch for it: then nobody does.
            CertificateError::ExpiredContext { .. } | CertificateError::NotValidYetContext { .. }
                if is_valid_at(end_entity, now) =>
            {
                untrusted_issuer(&error, &joined, now)
            }
            _ => return Err(rustls::Error::InvalidCertificate(error)),
        };
        // Go looks at the name before the issuer; webpki the other way round.
        rustls::client::verify_server_name(&ParsedCertificate::try_from(end_entity)?, name)?;
        match is_unknown_authority(&refused) && self.roots.iter().any(|root| root == end_entity) {
            true => Ok(()),
            false => Err(refused),
        }
    }
}

/// Parts of webpki's names for errors that Go takes for an unknown authority.
const NO_ISSUER: [&str; 6] = [
    "CaUsedAsEndEntity",
    "EndEntityUsedAsCa",
    "NameConstraintViolation",
    "PathLenConstraintViolated",
    "MaximumPathDepthExceeded",
    "MaximumSignatureChecksExceeded",
];

fn is_valid_at(certificate: &[u8], now: UnixTime) -> bool {
    let now = ASN1Time::from_timestamp(now.as_secs() as i64);
    let parsed = X509Certificate::from_der(certificate);
    parsed.is_ok_and(|(_, parsed)| now.is_ok_and(|now| parsed.validity().is_valid_at(now)))
}

/// An authority that would be known, were one of `intermediates` not out of its time, as `error` says.
fn untrusted_issuer(error: &CertificateError, intermediates: &[CertificateDer<'_>], now: UnixTime) -> rustls::Error {
    let invalid = intermediates.iter().find(|der| !is_valid_at(der, now));
    let parsed = invalid.and_then(|der| Some(X509Certificate::from_der(der).ok()?.1));
    let name = parsed.map_or_else(String::new, |parsed| {
        let subject = parsed.subject();
        let names = subject.iter_common_name().chain(subject.iter_organization());
        let name = names.filter_map(|name| name.as_str().ok()).find(|name| !name.is_empty());
        name.map_or_else(|| format!("serial:{}", parsed.serial), str::to_owned)
    });
    let reason = reason(&rustls::Error::InvalidCertificate(error.clone()));
    let error = UntrustedIssuerError { reason, name };
    rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(error))))
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
