//! The chain of certificates that a server presents, judged by the roots that are trusted, with Go's judgements.

use std::borrow::Cow;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, OtherError};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;

use super::issuers::{IssuerStore, IssuerTransport};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::net::http::proto::error::{NetError, UntrustedIssuerError};

/// What a server presents.
#[derive(Clone, Copy)]
pub(super) struct PresentedChain<'a> {
    /// The server's own certificate.
    pub end_entity: &'a CertificateDer<'a>,
    /// Those that vouch for it.
    pub intermediates: &'a [CertificateDer<'a>],
    /// Those that were fetched.
    pub fetched: &'a [CertificateDer<'a>],
    /// What the server has to be.
    pub name: &'a ServerName<'a>,
    /// When it is judged.
    pub now: UnixTime,
}

impl<'a> PresentedChain<'a> {
    /// The same with certificates that were fetched.
    pub fn with(self, fetched: &'a [CertificateDer<'a>]) -> Self {
        Self { fetched, ..self }
    }
}

/// A chain whose authority is unknown unless certificates of issuers are fetched.
#[derive(Debug)]
pub(super) struct UnverifiedChain {
    /// Who judges.
    pub roots: Arc<TrustedRoots>,
    /// What was fetched before.
    pub issuers: Arc<IssuerStore>,
    /// The server's own certificate.
    pub end_entity: CertificateDer<'static>,
    /// Those that vouch for it.
    pub intermediates: Vec<CertificateDer<'static>>,
    /// What the server has to be.
    pub name: ServerName<'static>,
    /// Where its issuers are.
    pub urls: Vec<String>,
}

impl UnverifiedChain {
    /// Fetches what is missing and verifies the chain once more.
    ///
    /// # Errors
    /// The authority is still unknown, or what was fetched shows something else that is wrong.
    pub async fn verify(self, transport: &dyn IssuerTransport) -> Result<(), rustls::Error> {
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
pub(super) fn is_unknown_authority(error: &rustls::Error) -> bool {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => true,
        rustls::Error::InvalidCertificate(CertificateError::Other(other)) => other.0.is::<UntrustedIssuerError>(),
        _ => false,
    }
}

/// Why a certificate is refused, in Go's words.
pub(super) fn reason(error: &rustls::Error) -> String {
    let error = NetError::tls(error);
    error.cause().trim_start_matches("tls: failed to verify certificate: ").to_owned()
}

/// The system's roots; unlike plain webpki it also accepts a server certificate that is itself trusted.
#[derive(Debug)]
pub(super) struct TrustedRoots {
    roots: Vec<CertificateDer<'static>>,
    /// `None` when the system trusts no authority.
    webpki: Option<Arc<WebPkiServerVerifier>>,
    /// Who checks signatures.
    pub provider: Arc<CryptoProvider>,
}

impl TrustedRoots {
    /// Trusts `roots`.
    pub fn new(provider: Arc<CryptoProvider>, roots: Vec<CertificateDer<'static>>) -> Result<Self, Failure> {
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
    pub fn verify(&self, chain: &PresentedChain<'_>) -> Result<(), rustls::Error> {
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
