//! TLS for gRPC and for protocols other than HTTP: a connection may have certificates of its own beside the run's options.
//!
//! Connectors are made once for all VUs that ask for the same certificates: reading the system's roots takes milliseconds.

use std::sync::{Arc, Mutex};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio_rustls::TlsConnector;

use super::client_config::client_config;
use super::handshake::{Handshake, handshake};
use super::issuers::{IssuerStore, IssuerTransport};
use crate::net::config::{ClientCertificate, TlsConfig};
use crate::net::http::proto::error::NetError;
use crate::net::socket::MeteredSocket;
use crate::units::sync::lock;

/// At most this many connectors are kept, for as many sets of certificates.
const MAX_CONNECTORS: usize = 64;

/// What a connection offers to speak over TLS.
#[cfg_attr(not(feature = "x"), allow(dead_code, reason = "gRPC alone needs one of them"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offer {
    /// HTTP/2 alone: for gRPC. Certificates of its own take the place of the run's.
    Http2,
    /// No protocol. Certificates of its own come beside the run's.
    Nothing,
    /// No protocol, and any certificate is accepted.
    Unverified,
}

/// Certificates of one connection.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ConnectionTls {
    /// The chain we show, as PEM; empty shows none.
    pub certificate: String,
    /// Its key, as PEM.
    pub key: String,
    /// What the key is encrypted with.
    pub password: Option<String>,
    /// Authorities to trust besides the system's, as PEM.
    pub authorities: Vec<String>,
}

// Keys and passwords stay out of whatever is printed.
impl std::fmt::Debug for ConnectionTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ConnectionTls {{ authorities: {} }}", self.authorities.len())
    }
}

/// The connectors, by what they offer and their certificates.
pub(super) struct ConnectionConnectors {
    config: TlsConfig,
    issuers: Option<Arc<IssuerStore>>,
    made: Mutex<Vec<(Offer, Option<ConnectionTls>, TlsConnector)>>,
}

impl ConnectionConnectors {
    pub(super) fn new(config: TlsConfig, issuers: Option<Arc<IssuerStore>>) -> Self {
        Self { config, issuers, made: Mutex::default() }
    }

    /// The connector for these certificates; without any, for those of the run's options.
    ///
    /// # Errors
    /// What is wrong with the certificates, in k6's words.
    pub(super) fn get(&self, offer: Offer, own: Option<&ConnectionTls>) -> Result<TlsConnector, String> {
        let mut made = lock(&self.made);
        if let Some((.., connector)) =
            made.iter().find(|(offered, known, _)| *offered == offer && known.as_ref() == own)
        {
            return Ok(connector.clone());
        }
        let connector = self.make(offer, own)?;
        if made.len() >= MAX_CONNECTORS {
            made.remove(0);
        }
        made.push((offer, own.cloned(), connector.clone()));
        Ok(connector)
    }

    fn make(&self, offer: Offer, own: Option<&ConnectionTls>) -> Result<TlsConnector, String> {
        let mut config = self.config.clone();
        config.insecure_skip_verify |= offer == Offer::Unverified;
        let mut roots = Vec::new();
        if let Some(own) = own {
            for (at, pem) in own.authorities.iter().enumerate() {
                let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
                match read {
                    Ok(read) if !read.is_empty() => roots.extend(read),
                    _ => return Err(format!("failed to append ca certificate [{at}] from PEM")),
                }
            }
            if offer == Offer::Http2 {
                config.client_certificates.clear();
            }
            if !own.certificate.is_empty() && !own.key.is_empty() {
                config.client_certificates.push(ClientCertificate {
                    certificate: own.certificate.clone(),
                    key: own.key.clone(),
                    password: own.password.clone(),
                    domains: Vec::new(),
                });
            }
        }
        let client = client_config(&config, roots, self.issuers.clone());
        let mut client = client.map_err(|failure| match failure.message {
            text if own.is_some() && text.starts_with("tls: ") => {
                format!("failed to append certificate from PEM: {text}")
            }
            text => text,
        })?;
        client.alpn_protocols = match offer {
            Offer::Http2 => vec![b"h2".to_vec()],
            Offer::Nothing | Offer::Unverified => Vec::new(),
        };
        Ok(TlsConnector::from(Arc::new(client)))
    }
}

/// Does a handshake over `socket` as a client of `host`; `issuers` fetches what the server leaves out.
///
/// # Errors
/// The handshake failed.
pub async fn connect_with(
    connector: &TlsConnector,
    host: &str,
    socket: MeteredSocket,
    issuers: Option<&dyn IssuerTransport>,
) -> Result<Handshake, NetError> {
    let ends = (socket.local, socket.remote);
    handshake(connector, host, socket, ends, issuers).await
}
