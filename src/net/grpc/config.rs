//! What a channel is made of: an address as gRPC writes it, how it is secured, and the limits of its messages.

use crate::net::http::proto::url::split_port;
use crate::net::tls::ConnectionTls;

/// grpc-go's limit of a received message.
const MAX_RECEIVE: usize = 4 << 20;
/// grpc-go's limit of a sent message.
const MAX_SEND: usize = i32::MAX as usize;

/// What a channel is made of.
#[derive(Clone, Debug)]
pub struct ChannelConfig {
    /// What is dialled: `host:port`.
    pub address: String,
    /// The server by the name calls use.
    pub authority: String,
    /// How it is secured.
    pub security: Security,
    /// The value of `user-agent`.
    pub user_agent: String,
    /// The largest message that is received, in bytes.
    pub max_receive: usize,
    /// The largest message that is sent, in bytes.
    pub max_send: usize,
}

/// How a channel is secured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Security {
    /// Not at all.
    Plain,
    /// TLS as the run's options say, or with certificates of the channel's own.
    Tls(Option<ConnectionTls>),
}

impl ChannelConfig {
    /// A channel to `address`: `host:port`, with one of gRPC's schemes that mean the same before it or not.
    pub fn new(address: &str, security: Security, user_agent: String) -> Self {
        let endpoint = ["dns:///", "passthrough:///", "dns:"].iter().find_map(|scheme| address.strip_prefix(scheme));
        let endpoint = endpoint.unwrap_or(address);
        Self {
            address: endpoint.to_owned(),
            authority: endpoint.to_owned(),
            security,
            user_agent,
            max_receive: MAX_RECEIVE,
            max_send: MAX_SEND,
        }
    }

    /// Host and port to dial.
    ///
    /// # Errors
    /// Go's words for an address that has no port, or more than one.
    pub fn host_and_port(&self) -> Result<(&str, &str), String> {
        let address = &self.address;
        let (host, port) = split_port(address);
        if port.is_empty() {
            return Err(format!("dial tcp: address {address}: missing port in address"));
        }
        if host.contains(':') && !address.starts_with('[') {
            return Err(format!("dial tcp: address {address}: too many colons in address"));
        }
        Ok((host, port))
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
        let check = |address: &str, expect: Result<(&str, &str), &str>, name: &str| {
            let config = ChannelConfig::new(address, Security::Plain, String::new());
            let ends = config
                .host_and_port()
                .map_err(|text| text.strip_prefix("dial tcp: address ").unwrap_or("?").to_owned());
            assert_eq!(ends.as_ref().map(|ends| *ends).map_err(|text| &**text), expect, "{address}");
            assert_eq!(config.server_name(), name, "{address}");
        };
        check("127.0.0.1:50051", Ok(("127.0.0.1", "50051")), "127.0.0.1");
        check("dns:///a.test:1", Ok(("a.test", "1")), "a.test");
        check("passthrough:///a.test:1", Ok(("a.test", "1")), "a.test");
        check("[::1]:7", Ok(("::1", "7")), "::1");
        check("a.test", Err("a.test: missing port in address"), "a.test");
        check("http://a.test:1", Err("http://a.test:1: too many colons in address"), "http://a.test");
    }
}
