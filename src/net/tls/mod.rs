//! TLS for every client of a run: one configuration, built once and shared.
//!
//! rustls with ring. No session resumption: k6 makes a full handshake for every connection, so do we. TLS 1.0, 1.1 and
//! suites without forward secrecy are not spoken. A configuration with other
//! suites alone is refused before the run; with other versions alone every handshake fails, as with a server that does not have
//! them.

mod chain;
mod client_config;
mod connection_tls;
#[cfg(any(test, fuzzing))]
pub mod fuzz_tests;
mod handshake;
mod issuers;
#[cfg(test)]
mod issuers_tests;
pub mod key;
mod observed;
pub mod ocsp;
mod verify;

use std::sync::Arc;

use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::config::TlsConfig;
use super::http::proto::error::{NON_TCP, NetError};
use super::socket::MeteredSocket;
use crate::failure::Failure;
use crate::log::Logger;
pub use client_config::{check, has_version};
pub use connection_tls::{ConnectionTls, connect_with};
pub use handshake::{Handshake, TlsInfo};
pub use issuers::{IssuerResponse, IssuerTransport};
pub use ocsp::Ocsp;

use client_config::client_config;
use connection_tls::{ConnectionConnectors, Offer};
use handshake::handshake;
use issuers::IssuerStore;

/// Which protocols a handshake offers (ALPN).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlpnOffer {
    /// HTTP/2 and HTTP/1.1; nothing, like Go, when HTTP/2 is switched off.
    Http,
    /// HTTP/1.1 alone: for WebSocket.
    Http1,
    /// No protocol: for proxies.
    Nothing,
}

/// Encrypts connections.
#[derive(Clone)]
pub struct Tls {
    http: TlsConnector,
    http1: TlsConnector,
    plain: TlsConnector,
    /// For gRPC and for protocols other than HTTP.
    connections: Arc<ConnectionConnectors>,
    /// False when no allowed version of TLS is supported.
    can_handshake: bool,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

impl Tls {
    /// Builds the configuration. What can't be honoured is an invalid configuration.
    pub fn new(config: &TlsConfig, http2: bool, logger: &Logger) -> Result<Self, Failure> {
        let issuers = config.fetches_issuers.then(|| IssuerStore::new(logger));
        let mut client = client_config(config, Vec::new(), issuers.clone())?;
        let plain = TlsConnector::from(Arc::new(client.clone()));
        client.alpn_protocols = vec![b"http/1.1".to_vec()];
        let http1 = TlsConnector::from(Arc::new(client.clone()));
        client.alpn_protocols = match http2 {
            true => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            // Go offers nothing when HTTP/2 is off.
            false => Vec::new(),
        };
        let connections = Arc::new(ConnectionConnectors::new(config.clone(), issuers));
        Ok(Self {
            http: TlsConnector::from(Arc::new(client)),
            http1,
            plain,
            connections,
            can_handshake: has_version(config),
        })
    }

    /// Does a handshake over `socket` as a client of `host`; `issuers` fetches what the server leaves out.
    pub async fn connect(
        &self,
        offer: AlpnOffer,
        host: &str,
        socket: MeteredSocket,
        issuers: Option<&dyn IssuerTransport>,
    ) -> Result<Handshake, NetError> {
        let ends = (socket.local, socket.remote);
        handshake(self.connector(offer)?, host, socket, ends, issuers).await
    }

    /// Does a handshake inside an encrypted tunnel: behind an HTTPS proxy.
    pub async fn connect_inside(
        &self,
        offer: AlpnOffer,
        host: &str,
        tunnel: TlsStream<MeteredSocket>,
        issuers: Option<&dyn IssuerTransport>,
    ) -> Result<Handshake<TlsStream<MeteredSocket>>, NetError> {
        let socket = tunnel.get_ref().0;
        let ends = (socket.local, socket.remote);
        handshake(self.connector(offer)?, host, tunnel, ends, issuers).await
    }

    fn connector(&self, offer: AlpnOffer) -> Result<&TlsConnector, NetError> {
        if !self.can_handshake {
            return Err(NetError::new(NON_TCP, NO_VERSION));
        }
        Ok(match offer {
            AlpnOffer::Http => &self.http,
            AlpnOffer::Http1 => &self.http1,
            AlpnOffer::Nothing => &self.plain,
        })
    }

    /// Encrypts gRPC connections: as the options say, or with certificates of their own.
    ///
    /// # Errors
    /// What is wrong with the certificates, in k6's words.
    pub fn for_grpc(&self, own: Option<&ConnectionTls>) -> Result<TlsConnector, String> {
        if !self.can_handshake {
            return Err(NO_VERSION.to_owned());
        }
        self.connections.get(Offer::Http2, own)
    }

    /// Shakes hands with any server, to look at its certificate.
    ///
    /// # Errors
    /// As [`Tls::for_connection`].
    #[cfg(feature = "x-tls")]
    pub fn for_inspection(&self) -> Result<TlsConnector, String> {
        self.connections.get(Offer::Unverified, None)
    }

    /// Encrypts the connections of a protocol that is not HTTP: as the options say, with certificates of its own beside them;
    /// where it does not verify the server's, any is accepted.
    ///
    /// # Errors
    /// What is wrong with the certificates.
    #[cfg(any(feature = "x-mqtt", feature = "x-redis", feature = "x-sql"))]
    pub fn for_connection(&self, own: Option<&ConnectionTls>, verifies: bool) -> Result<TlsConnector, String> {
        if !self.can_handshake {
            return Err(NO_VERSION.to_owned());
        }
        self.connections.get(if verifies { Offer::Nothing } else { Offer::Unverified }, own)
    }
}

/// What every handshake fails with when `tlsVersion` leaves no version.
const NO_VERSION: &str = "tls: `tlsVersion` allows no version that can be spoken; TLS 1.2 and TLS 1.3 can";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::config::TlsProtocolVersion;

    #[test]
    fn what_cannot_be_spoken_is_refused() {
        let check = |config: TlsConfig, ok: bool| assert_eq!(Tls::new(&config, true, &Logger::silent()).is_ok(), ok);
        let insecure = TlsConfig { insecure_skip_verify: true, ..TlsConfig::default() };
        let up_to = |max, suites: &[&str]| TlsConfig {
            max_version: Some(max),
            cipher_suites: suites.iter().map(|suite| suite.to_string()).collect(),
            ..insecure.clone()
        };
        check(insecure.clone(), true);
        check(up_to(TlsProtocolVersion::Tls11, &[]), true);
        assert!(!has_version(&up_to(TlsProtocolVersion::Tls11, &[])) && has_version(&insecure));
        check(up_to(TlsProtocolVersion::Tls12, &["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]), true);
        check(up_to(TlsProtocolVersion::Tls12, &["TLS_RSA_WITH_RC4_128_SHA"]), false);
        check(up_to(TlsProtocolVersion::Tls13, &["TLS_RSA_WITH_RC4_128_SHA"]), true);
    }
}
