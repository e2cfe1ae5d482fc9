//! Where a connection leads: what a pool finds it by.

use super::proto::url::Url;

/// Where a connection leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolKey {
    is_https: bool,
    host: Box<str>,
    port: Box<str>,
}

impl PoolKey {
    /// Where a URL leads.
    pub fn new(url: &Url) -> Self {
        Self {
            is_https: url.is_https(),
            host: url.hostname().to_lowercase().into(),
            port: url.port_or_default().into(),
        }
    }

    /// True when a URL leads there.
    pub fn fits(&self, url: &Url) -> bool {
        self.is_https == url.is_https()
            && *self.port == *url.port_or_default()
            && self.host.eq_ignore_ascii_case(url.hostname())
    }
}
