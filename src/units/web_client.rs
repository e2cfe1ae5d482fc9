//! Clients for requests that are no load: checks, downloads, outputs, logs.

use std::sync::LazyLock;

use reqwest::{Client, ClientBuilder};

/// A builder of clients. Where the machine has no certificates of authorities, as in a minimal container, `http://` works all the
/// same, and only `https://` fails.
pub fn builder() -> ClientBuilder {
    // Whoever came first has installed the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder();
    // Otherwise no client could be built.
    if has_authorities() { builder } else { builder.tls_certs_only([]) }
}

/// Whether this machine has certificates of authorities.
pub fn has_authorities() -> bool {
    static HAS_AUTHORITIES: LazyLock<bool> =
        LazyLock::new(|| !rustls_native_certs::load_native_certs().certs.is_empty());
    *HAS_AUTHORITIES
}
