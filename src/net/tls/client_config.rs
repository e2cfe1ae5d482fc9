//! rustls's configuration from ours: versions, suites, roots, client certificates, key log.

use std::sync::{Arc, Mutex};

use data_encoding::HEXLOWER;
use rustls::client::danger::ServerCertVerifier;
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{CipherSuite, ClientConfig, SignatureScheme, SupportedCipherSuite};

use super::issuers::IssuerStore;
use super::key;
use super::verify::{AcceptAll, CertificateVerifier};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::net::config::{ClientCertificate, TlsConfig, TlsProtocolVersion};
use crate::units::sync::lock;

/// True if a version that `tlsVersion` allows is supported.
pub fn has_version(config: &TlsConfig) -> bool {
    !versions(config).is_empty()
}

/// Checks what can be checked without reading a certificate.
///
/// # Errors
/// No suite of those asked for can be spoken.
pub fn check(config: &TlsConfig) -> Result<(), Failure> {
    provider(config).map(drop)
}

/// rustls's configuration for ours, with more roots than the system's, and the certificates of issuers that were fetched.
///
/// # Errors
/// What can't be honoured is an invalid configuration.
pub(super) fn client_config(
    config: &TlsConfig,
    more_roots: Vec<CertificateDer<'static>>,
    issuers: Option<Arc<IssuerStore>>,
) -> Result<ClientConfig, Failure> {
    let refuse = |text: String| Failure::new(ExitCode::InvalidConfig, text);
    let provider = Arc::new(provider(config)?);
    let versions = match versions(config) {
        // No handshake will begin: see `has_version`.
        none if none.is_empty() => versions(&TlsConfig::default()),
        some => some,
    };
    let builder =
        ClientConfig::builder_with_provider(provider.clone()).with_protocol_versions(&versions).map_err(|error| {
            refuse(format!("no TLS connection is possible with `tlsVersion` and `tlsCipherSuites`: {error}"))
        })?;
    let verifier: Arc<dyn ServerCertVerifier> = match config.insecure_skip_verify {
        true => Arc::new(AcceptAll(provider.clone())),
        false => {
            let mut roots = rustls_native_certs::load_native_certs().certs;
            roots.extend(more_roots);
            Arc::new(CertificateVerifier::new(provider.clone(), roots, issuers)?)
        }
    };
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    let mut client = match config.client_certificates.is_empty() {
        true => builder.with_no_client_auth(),
        false => builder.with_client_cert_resolver(Arc::new(ClientCertificates::new(config, &provider)?)),
    };
    client.resumption = Resumption::disabled();
    if let Some(path) = &config.key_log {
        let log = KeyLog::open(path)
            .map_err(|error| refuse(format!("could not open the TLS key log file `{}`: {error}", path.display())))?;
        client.key_log = Arc::new(log);
    }
    Ok(client)
}

/// The suites rustls speaks with k6's names, in the order Go prefers them.
const SUITES: [(CipherSuite, &str); 9] = [
    (CipherSuite::TLS13_AES_128_GCM_SHA256, "TLS_AES_128_GCM_SHA256"),
    (CipherSuite::TLS13_AES_256_GCM_SHA384, "TLS_AES_256_GCM_SHA384"),
    (CipherSuite::TLS13_CHACHA20_POLY1305_SHA256, "TLS_CHACHA20_POLY1305_SHA256"),
    (CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
    (CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
    (CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
    (CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
    (CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305"),
    (CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305"),
];

/// k6's name of a suite; empty for one that is not supported.
pub(super) fn suite_name(suite: CipherSuite) -> &'static str {
    SUITES.iter().find(|(own, _)| *own == suite).map_or("", |(_, name)| name)
}

/// ring, restricted to the suites asked for. TLS 1.3 suites can't be restricted, as in Go.
pub(super) fn provider(config: &TlsConfig) -> Result<CryptoProvider, Failure> {
    let mut provider = rustls::crypto::ring::default_provider();
    provider.cipher_suites.sort_by_key(|suite| SUITES.iter().position(|(own, _)| *own == suite.suite()));
    if config.cipher_suites.is_empty() {
        return Ok(provider);
    }
    let wanted = |suite: &SupportedCipherSuite| {
        let name = suite_name(suite.suite());
        suite.tls13().is_some() || config.cipher_suites.iter().any(|wanted| wanted == name)
    };
    provider.cipher_suites.retain(wanted);
    let only_old = config.max_version.is_some_and(|max| max < TlsProtocolVersion::Tls13);
    if only_old && provider.cipher_suites.iter().all(|suite| suite.tls13().is_some()) {
        return Err(Failure::new(
            ExitCode::InvalidConfig,
            format!("none of the `tlsCipherSuites` is available: {}", config.cipher_suites.join(", ")),
        )
        .hint("suites without forward secrecy (TLS_RSA_…), CBC, 3DES and RC4 are not supported"));
    }
    Ok(provider)
}

fn versions(config: &TlsConfig) -> Vec<&'static rustls::SupportedProtocolVersion> {
    let (min, max) = (
        config.min_version.unwrap_or(TlsProtocolVersion::Tls12),
        config.max_version.unwrap_or(TlsProtocolVersion::Tls13),
    );
    let known =
        [(TlsProtocolVersion::Tls12, &rustls::version::TLS12), (TlsProtocolVersion::Tls13, &rustls::version::TLS13)];
    known.iter().filter(|(version, _)| (min..=max).contains(version)).map(|(_, known)| *known).collect()
}

/// Our certificates; the first that the server's request allows is shown.
#[derive(Debug)]
struct ClientCertificates(Vec<Arc<CertifiedKey>>);

impl ClientCertificates {
    fn new(config: &TlsConfig, provider: &CryptoProvider) -> Result<Self, Failure> {
        let load =
            |certificate| load(certificate, provider).map_err(|text| Failure::new(ExitCode::InvalidConfig, text));
        config.client_certificates.iter().map(load).collect::<Result<_, _>>().map(Self)
    }
}

pub(super) fn load(own: &ClientCertificate, provider: &CryptoProvider) -> Result<Arc<CertifiedKey>, String> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(own.certificate.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|error| format!("tls: failed to parse certificate: {error}"))?;
    if chain.is_empty() {
        return Err("tls: failed to find any PEM data in certificate input".to_owned());
    }
    if own.key.contains("BEGIN ENCRYPTED PRIVATE KEY") {
        return Err("encrypted pkcs8 formatted key is not supported".to_owned());
    }
    let key = match &own.password {
        Some(password) => key::decrypt(&own.key, password)?,
        None if key::is_encrypted(&own.key) => {
            return Err("tls: failed to parse private key: it is encrypted, and `tlsAuth` has no `password`".to_owned());
        }
        None => PrivateKeyDer::from_pem_slice(own.key.as_bytes())
            .map_err(|_| "tls: failed to find any PEM data in key input".to_owned())?,
    };
    let key = provider
        .key_provider
        .load_private_key(key)
        .map_err(|error| format!("tls: failed to parse private key: {error}"))?;
    let pair = CertifiedKey::new(chain, key);
    match pair.keys_match() {
        Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::KeyMismatch)) => {
            Err("tls: private key does not match public key".to_owned())
        }
        _ => Ok(Arc::new(pair)),
    }
}

impl ResolvesClientCert for ClientCertificates {
    fn resolve(&self, issuers: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        // A name of the list must occur in the chain: as issuer, or as subject of a certificate that was sent along.
        let issued = |own: &CertifiedKey| {
            issuers.is_empty() || own.cert.iter().any(|certificate| issuers.iter().any(|name| holds(certificate, name)))
        };
        self.0.iter().find(|own| own.key.choose_scheme(schemes).is_some() && issued(own)).cloned()
    }

    fn has_certs(&self) -> bool {
        !self.0.is_empty()
    }
}

fn holds(certificate: &[u8], name: &[u8]) -> bool {
    memchr::memmem::find(certificate, name).is_some()
}

/// Appends the secrets of every connection to a file, in the format of NSS.
#[derive(Debug)]
struct KeyLog(Mutex<std::fs::File>);

impl KeyLog {
    fn open(path: &std::path::Path) -> std::io::Result<Self> {
        let mut options = std::fs::File::options();
        options.append(true).create(true);
        // With these secrets all traffic can be read.
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path).map(|file| Self(file.into()))
    }
}

impl rustls::KeyLog for KeyLog {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        use std::io::Write;
        let line = format!("{label} {} {}\n", HEXLOWER.encode(client_random), HEXLOWER.encode(secret));
        // A full disk must not end the connection that is being watched.
        _ = lock(&self.0).write_all(line.as_bytes());
    }
}
