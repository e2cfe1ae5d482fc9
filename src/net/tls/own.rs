//! TLS for gRPC: nothing but HTTP/2 is offered, and a connection may have certificates of its own beside the run's options.
//!
//! Connectors are made once for all VUs that ask for the same certificates: reading the system's roots takes milliseconds.

use std::sync::{Arc, Mutex};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio_rustls::TlsConnector;

use super::{ClientCertificate, Fault, Handshake, NO_VERSION, Socket, Tls, TlsConfig, client, shake_hands};

use crate::units::sync::lock;

/// So many different sets of certificates are kept.
const MOST: usize = 64;

/// Certificates of one connection, which take the place of those in the run's options.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct OwnTls {
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
impl std::fmt::Debug for OwnTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OwnTls {{ authorities: {} }}", self.authorities.len())
    }
}

/// What makes gRPC connections secure, by the certificates asked for.
pub(super) struct Connectors {
    config: TlsConfig,
    made: Mutex<Vec<(Option<OwnTls>, TlsConnector)>>,
}

impl Connectors {
    pub(super) fn new(config: TlsConfig) -> Self {
        Self { config, made: Mutex::default() }
    }

    fn get(&self, own: Option<&OwnTls>) -> Result<TlsConnector, String> {
        let mut made = lock(&self.made);
        if let Some((_, connector)) = made.iter().find(|(known, _)| known.as_ref() == own) {
            return Ok(connector.clone());
        }
        let connector = self.make(own)?;
        if made.len() >= MOST {
            made.remove(0);
        }
        made.push((own.cloned(), connector.clone()));
        Ok(connector)
    }

    fn make(&self, own: Option<&OwnTls>) -> Result<TlsConnector, String> {
        let mut config = self.config.clone();
        let mut roots = Vec::new();
        if let Some(own) = own {
            for (at, pem) in own.authorities.iter().enumerate() {
                let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
                match read {
                    Ok(read) if !read.is_empty() => roots.extend(read),
                    _ => return Err(format!("failed to append ca certificate [{at}] from PEM")),
                }
            }
            config.client_certificates.clear();
            if !own.certificate.is_empty() && !own.key.is_empty() {
                config.client_certificates.push(ClientCertificate {
                    certificate: own.certificate.clone(),
                    key: own.key.clone(),
                    password: own.password.clone(),
                    domains: Vec::new(),
                });
            }
        }
        let mut client = client(&config, roots).map_err(|failure| match failure.message {
            text if own.is_some() && text.starts_with("tls: ") => {
                format!("failed to append certificate from PEM: {text}")
            }
            text => text,
        })?;
        client.alpn_protocols = vec![b"h2".to_vec()];
        Ok(TlsConnector::from(Arc::new(client)))
    }
}

impl Tls {
    /// What makes gRPC connections secure: as the options say, or with certificates of their own.
    ///
    /// # Errors
    /// What is wrong with the certificates, in k6's words.
    pub fn for_grpc(&self, own: Option<&OwnTls>) -> Result<TlsConnector, String> {
        if !self.speaks {
            return Err(NO_VERSION.to_owned());
        }
        self.own.get(own)
    }
}

/// Shakes hands over `socket` as a client of `host`.
///
/// # Errors
/// As [`Tls::connect`].
pub async fn connect_with(connector: &TlsConnector, host: &str, socket: Socket) -> Result<Handshake, Fault> {
    let ends = (socket.local, socket.remote);
    shake_hands(connector, host, socket, ends).await
}
