//! One TLS handshake as a client, and what it agreed on.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use rustls::ProtocolVersion;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::client_config::suite_name;
use super::issuers::IssuerTransport;
use super::observed;
use super::ocsp::Ocsp;
use crate::net::http::proto::error::NetError;
use crate::net::http::proto::url::to_ascii;
use crate::net::socket::MeteredSocket;

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

/// A finished handshake.
pub struct Handshake<S = MeteredSocket> {
    /// The encrypted stream.
    pub stream: Box<TlsStream<S>>,
    /// What was agreed on.
    pub info: TlsInfo,
    /// True when both sides speak HTTP/2.
    pub is_http2: bool,
    /// How long it took, until the server's certificate was accepted: where certificates of its issuers had to be fetched, that
    /// is part of it, as in k6 and browsers. What is known does not have to be fetched again.
    pub took: Duration,
}

/// Does a handshake over `transport` as a client of `host`; `issuers` fetches what the server leaves out.
///
/// # Errors
/// The handshake failed, or `host` is no name that a certificate could be for.
pub(super) async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
    connector: &TlsConnector,
    host: &str,
    transport: S,
    (local, remote): (SocketAddr, SocketAddr),
    issuers: Option<&dyn IssuerTransport>,
) -> Result<Handshake<S>, NetError> {
    let start = Instant::now();
    let name = ServerName::try_from(to_ascii(host))
        .map_err(|_| NetError::other(format!("tls: `{host}` is not a valid server name")))?;
    let (stream, observed) = observed::during(connector.connect(name, transport), issuers.is_some()).await;
    let mut stream = stream.map_err(|error| {
        if error.kind() == std::io::ErrorKind::UnexpectedEof
            && error.get_ref().is_none_or(|inner| !inner.is::<rustls::Error>())
        {
            return NetError::other("EOF");
        }
        NetError::socket("read", local, remote, &error)
    })?;
    if let (Some(chain), Some(issuers)) = (observed.unverified, issuers)
        && let Err(error) = chain.verify(issuers).await
    {
        // Says goodbye, if the server takes it at once.
        _ = stream.shutdown().now_or_never();
        return Err(NetError::tls(&error));
    }
    let session = stream.get_ref().1;
    let info = TlsInfo {
        version: match session.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => "tls1.2",
            _ => "tls1.3",
        },
        cipher: session.negotiated_cipher_suite().map_or("", |suite| suite_name(suite.suite())),
        ocsp: observed.ocsp,
    };
    let is_http2 = session.alpn_protocol() == Some(b"h2");
    Ok(Handshake { stream: Box::new(stream), info, is_http2, took: start.elapsed() })
}
