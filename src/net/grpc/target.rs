//! Where a channel leads: an address as gRPC writes it, how it is secured, and what may travel over it.

use crate::net::http::url::split_port;
use crate::net::tls::OwnTls;

/// grpc-go's limit of a received message.
const MAX_RECEIVE: usize = 4 << 20;
/// grpc-go's limit of a sent message.
const MAX_SEND: usize = i32::MAX as usize;

/// What a channel is made of.
#[derive(Clone, Debug)]
pub struct Target {
    /// The host to dial.
    pub host: String,
    /// Its port; empty when the address has none, which dialling refuses.
    pub port: String,
    /// The server by the name calls use.
    pub authority: String,
    /// How it is secured.
    pub security: Security,
    /// The value of `user-agent`.
    pub user_agent: String,
    /// The largest message taken, in bytes.
    pub max_receive: usize,
    /// The largest message sent, in bytes.
    pub max_send: usize,
}

/// How a channel is secured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Security {
    /// Not at all.
    Plain,
    /// TLS as the run's options say, or with certificates of the channel's own.
    Tls(Option<OwnTls>),
}

impl Target {
    /// A channel to `address`: `host:port`, with one of gRPC's schemes that mean the same before it or not.
    pub fn new(address: &str, security: Security, user_agent: String) -> Self {
        let endpoint = ["dns:///", "passthrough:///", "dns:"].iter().find_map(|scheme| address.strip_prefix(scheme));
        let endpoint = endpoint.unwrap_or(address);
        let (host, port) = split_port(endpoint);
        Self {
            host: host.to_owned(),
            port: port.to_owned(),
            authority: endpoint.to_owned(),
            security,
            user_agent,
            max_receive: MAX_RECEIVE,
            max_send: MAX_SEND,
        }
    }

    /// The name the server's certificate has to be for.
    pub fn server_name(&self) -> &str {
        split_port(&self.authority).0
    }

    /// The scheme calls name.
    pub fn scheme(&self) -> &'static str {
        if self.security == Security::Plain { "http" } else { "https" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        let check = |address: &str, host: &str, port: &str, name: &str| {
            let target = Target::new(address, Security::Plain, String::new());
            assert_eq!((&*target.host, &*target.port, target.server_name()), (host, port, name), "{address}");
        };
        check("127.0.0.1:50051", "127.0.0.1", "50051", "127.0.0.1");
        check("dns:///a.test:1", "a.test", "1", "a.test");
        check("passthrough:///a.test:1", "a.test", "1", "a.test");
        check("[::1]:7", "::1", "7", "::1");
        check("a.test", "a.test", "", "a.test");
    }
}
