//! TLS for every client of a run: one configuration, built once and shared.
//!
//! rustls with ring. No session resumption: k6 makes a full handshake for every connection, so do we. TLS 1.0, 1.1 and
//! suites without forward secrecy are not spoken. Who asks for other suites alone is refused before the run; who asks for
//! other versions alone gets no handshake, as from a server that does not have them.

#[cfg(any(test, fuzzing))]
pub mod fuzz_tests;
pub mod key;
pub mod ocsp;
mod own;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use data_encoding::HEXLOWER;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use rustls::{
    CertificateError, CipherSuite, ClientConfig, DigitallySignedStruct, ProtocolVersion, SignatureScheme,
    SupportedCipherSuite,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::config::{ClientCertificate, TlsConfig, TlsVersion};
use super::dial::to_ascii;
use super::http::error::{Fault, NON_TCP};
use super::socket::Socket;
pub use ocsp::Ocsp;
pub use own::{OwnTls, connect_with};

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::units::sync::lock;

/// What a handshake agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TlsInfo {
    /// `tls1.2`, `tls1.3`.
    pub version: &'static str,
    /// The suite by k6's name: `TLS_AES_128_GCM_SHA256`.
    pub cipher: &'static str,
    /// What the server stapled to its certificate.
    pub ocsp: Ocsp,
}

/// What a handshake offers to speak inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// HTTP/2 and HTTP/1.1; nothing, like Go, when HTTP/2 is switched off.
    Web,
    /// HTTP/1.1 alone: for WebSocket.
    Http1,
    /// No protocol: for proxies.
    Nothing,
}

/// Makes TLS connections.
#[derive(Clone)]
pub struct Tls {
    web: TlsConnector,
    http1: TlsConnector,
    plain: TlsConnector,
    /// Offers HTTP/2 alone: for gRPC.
    own: Arc<own::Connectors>,
    /// False when no version that is asked for can be spoken.
    speaks: bool,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

/// A finished handshake.
pub struct Handshake<S = Socket> {
    /// The encrypted stream.
    pub stream: Box<TlsStream<S>>,
    /// What was agreed on.
    pub info: TlsInfo,
    /// True when both sides speak HTTP/2.
    pub is_http2: bool,
    /// How long it took.
    pub took: Duration,
}

impl Tls {
    /// Builds the configuration. What can't be honoured is an invalid configuration.
    pub fn new(config: &TlsConfig, http2: bool) -> Result<Self, Failure> {
        let mut client = client(config, Vec::new())?;
        let plain = TlsConnector::from(Arc::new(client.clone()));
        client.alpn_protocols = vec![b"http/1.1".to_vec()];
        let http1 = TlsConnector::from(Arc::new(client.clone()));
        client.alpn_protocols = match http2 {
            true => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            // Go offers nothing when HTTP/2 is off.
            false => Vec::new(),
        };
        let own = Arc::new(own::Connectors::new(config.clone()));
        Ok(Self { web: TlsConnector::from(Arc::new(client)), http1, plain, own, speaks: speaks_any(config) })
    }

    /// Shakes hands over `socket` as a client of `host`.
    pub async fn connect(&self, offer: Offer, host: &str, socket: Socket) -> Result<Handshake, Fault> {
        let ends = (socket.local, socket.remote);
        shake_hands(self.connector(offer)?, host, socket, ends).await
    }

    /// Shakes hands inside an encrypted tunnel: behind an HTTPS proxy.
    pub async fn connect_inside(
        &self,
        offer: Offer,
        host: &str,
        tunnel: TlsStream<Socket>,
    ) -> Result<Handshake<TlsStream<Socket>>, Fault> {
        let socket = tunnel.get_ref().0;
        let ends = (socket.local, socket.remote);
        shake_hands(self.connector(offer)?, host, tunnel, ends).await
    }

    fn connector(&self, offer: Offer) -> Result<&TlsConnector, Fault> {
        if !self.speaks {
            return Err(Fault::new(NON_TCP, NO_VERSION));
        }
        Ok(match offer {
            Offer::Web => &self.web,
            Offer::Http1 => &self.http1,
            Offer::Nothing => &self.plain,
        })
    }
}

/// What every handshake fails with when `tlsVersion` leaves no version.
const NO_VERSION: &str = "tls: `tlsVersion` allows no version that can be spoken; TLS 1.2 and TLS 1.3 can";

/// True if a version that `tlsVersion` allows can be spoken.
pub fn speaks_any(config: &TlsConfig) -> bool {
    !versions(config).is_empty()
}

/// Checks what can be checked without reading a certificate.
///
/// # Errors
/// No suite of those asked for can be spoken.
pub fn check(config: &TlsConfig) -> Result<(), Failure> {
    provider(config).map(drop)
}

/// What `config` asks for, with more roots than the system's.
fn client(config: &TlsConfig, more_roots: Vec<CertificateDer<'static>>) -> Result<ClientConfig, Failure> {
    let refuse = |text: String| Failure::new(ExitCode::InvalidConfig, text);
    let provider = Arc::new(provider(config)?);
    let versions = match versions(config) {
        // No handshake will begin.
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
            Arc::new(Verifier::new(provider.clone(), roots)?)
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

async fn shake_hands<S: AsyncRead + AsyncWrite + Unpin>(
    connector: &TlsConnector,
    host: &str,
    transport: S,
    (local, remote): (SocketAddr, SocketAddr),
) -> Result<Handshake<S>, Fault> {
    let start = Instant::now();
    let name = ServerName::try_from(to_ascii(host))
        .map_err(|_| Fault::other(format!("tls: `{host}` is not a valid server name")))?;
    let (stream, ocsp) = ocsp::watched(connector.connect(name, transport)).await;
    let stream = stream.map_err(|error| {
        if error.kind() == std::io::ErrorKind::UnexpectedEof
            && error.get_ref().is_none_or(|inner| !inner.is::<rustls::Error>())
        {
            return Fault::other("EOF");
        }
        Fault::socket("read", local, remote, &error)
    })?;
    let session = stream.get_ref().1;
    let info = TlsInfo {
        version: match session.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => "tls1.2",
            _ => "tls1.3",
        },
        cipher: session.negotiated_cipher_suite().map_or("", |suite| suite_name(suite.suite())),
        ocsp,
    };
    let is_http2 = session.alpn_protocol() == Some(b"h2");
    Ok(Handshake { stream: Box::new(stream), info, is_http2, took: start.elapsed() })
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

fn suite_name(suite: CipherSuite) -> &'static str {
    SUITES.iter().find(|(own, _)| *own == suite).map_or("", |(_, name)| name)
}

/// ring, restricted to the suites asked for. TLS 1.3 suites can't be restricted, as in Go.
fn provider(config: &TlsConfig) -> Result<CryptoProvider, Failure> {
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
    let only_old = config.max_version.is_some_and(|max| max < TlsVersion::Tls13);
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
    let (min, max) = (config.min_version.unwrap_or(TlsVersion::Tls12), config.max_version.unwrap_or(TlsVersion::Tls13));
    let known = [(TlsVersion::Tls12, &rustls::version::TLS12), (TlsVersion::Tls13, &rustls::version::TLS13)];
    known.iter().filter(|(version, _)| (min..=max).contains(version)).map(|(_, known)| *known).collect()
}

/// Accepts whoever answers; asked for with `insecureSkipTLSVerify`.
#[derive(Debug)]
struct AcceptAll(Arc<CryptoProvider>);

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
struct Verifier {
    roots: Vec<CertificateDer<'static>>,
    /// `None` when the system trusts nobody.
    webpki: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
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
}

impl ServerCertVerifier for Verifier {
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

fn load(own: &ClientCertificate, provider: &CryptoProvider) -> Result<Arc<CertifiedKey>, String> {
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
        Some(password) => key::unlock(&own.key, password)?,
        None if key::is_locked(&own.key) => {
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
struct KeyLog(std::sync::Mutex<std::fs::File>);

impl KeyLog {
    fn open(path: &std::path::Path) -> std::io::Result<Self> {
        let mut options = std::fs::File::options();
        options.append(true).create(true);
        // Who can read it can decrypt all traffic.
        #[cfg(unix)]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_spoken_is_refused() {
        let check = |config: TlsConfig, ok: bool| assert_eq!(Tls::new(&config, true).is_ok(), ok);
        let insecure = TlsConfig { insecure_skip_verify: true, ..TlsConfig::default() };
        let up_to = |max, suites: &[&str]| TlsConfig {
            max_version: Some(max),
            cipher_suites: suites.iter().map(|suite| suite.to_string()).collect(),
            ..insecure.clone()
        };
        check(insecure.clone(), true);
        check(up_to(TlsVersion::Tls11, &[]), true);
        assert!(!speaks_any(&up_to(TlsVersion::Tls11, &[])) && speaks_any(&insecure));
        check(up_to(TlsVersion::Tls12, &["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]), true);
        check(up_to(TlsVersion::Tls12, &["TLS_RSA_WITH_RC4_128_SHA"]), false);
        check(up_to(TlsVersion::Tls13, &["TLS_RSA_WITH_RC4_128_SHA"]), true);
    }

    #[test]
    fn certificates_are_judged_as_go_judges_them() {
        let made = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| name.to_string()).collect();
            rcgen::generate_simple_self_signed(names).unwrap().cert.der().clone()
        };
        let (own, other) = (made(&["localhost", "test.local"]), made(&["localhost"]));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = Verifier::new(provider, vec![own.clone()]).unwrap();
        let check = |certificate: &CertificateDer<'_>, name: &str, expect: Result<(), (u16, &str, &str)>| {
            let name = ServerName::try_from(name.to_owned()).unwrap();
            let verdict = verifier.verify_server_cert(certificate, &[], &name, &[], UnixTime::now());
            let verdict = verdict.map(|_| ()).map_err(|error| Fault::tls(&error));
            let verdict = verdict.as_ref().copied().map_err(|fault: &Fault| (fault.code, &*fault.text, fault.cause()));
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
