//! The options of a test that decide how bytes travel, already validated by `options`.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Everything the network threads need to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// How names are resolved.
    pub dns: Dns,
    /// Addresses for names: pattern (`host`, `host:port`, `*.suffix`) and target (`ip`, `ip:port`).
    pub hosts: Vec<(String, String)>,
    /// Names that must not be dialled: exact or with a leading `*`.
    pub block_hostnames: Vec<String>,
    /// Networks that must not be dialled: address and prefix length.
    pub blacklist_ips: Vec<(IpAddr, u8)>,
    /// Addresses to connect from; client n takes the n-th, round and round.
    pub local_ips: Vec<IpAddr>,
    /// How connections are encrypted.
    pub tls: TlsConfig,
    /// A new connection for every request.
    pub no_connection_reuse: bool,
    /// How many idle connections a client keeps; 0 is no limit.
    pub max_idle: usize,
    /// How many of them to one host; 0 is Go's default of 2.
    pub max_idle_per_host: usize,
    /// Whether HTTP/2 is offered over TLS.
    pub http2: bool,
    /// Which proxies the environment names.
    pub proxy: ProxyConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            dns: Dns::default(),
            hosts: Vec::new(),
            block_hostnames: Vec::new(),
            blacklist_ips: Vec::new(),
            local_ips: Vec::new(),
            tls: TlsConfig::default(),
            no_connection_reuse: false,
            max_idle: 20,
            max_idle_per_host: 6,
            http2: true,
            proxy: ProxyConfig::default(),
        }
    }
}

/// How names are resolved and cached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dns {
    /// How long an address is cached; zero resolves every time.
    pub ttl: Duration,
    /// Which of several addresses is taken.
    pub select: DnsSelect,
    /// Which kind of address is wanted.
    pub policy: DnsPolicy,
}

impl Default for Dns {
    fn default() -> Self {
        Self { ttl: Duration::from_secs(300), select: DnsSelect::Random, policy: DnsPolicy::PreferIpv4 }
    }
}

/// `dns.select`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DnsSelect {
    /// Always the first.
    First,
    /// Any.
    Random,
    /// One after the other.
    RoundRobin,
}

/// `dns.policy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DnsPolicy {
    /// IPv4 if there is any.
    PreferIpv4,
    /// IPv6 if there is any.
    PreferIpv6,
    /// Only IPv4.
    OnlyIpv4,
    /// Only IPv6.
    OnlyIpv6,
    /// Both alike.
    Any,
}

/// How connections are encrypted.
#[derive(Clone, Debug, Default)]
pub struct TlsConfig {
    /// Accept any certificate.
    pub insecure_skip_verify: bool,
    /// The oldest version allowed.
    pub min_version: Option<TlsProtocolVersion>,
    /// The newest version allowed.
    pub max_version: Option<TlsProtocolVersion>,
    /// k6's names of the suites allowed; empty allows all.
    pub cipher_suites: Vec<String>,
    /// Our certificates.
    pub client_certificates: Vec<ClientCertificate>,
    /// Certificates of issuers that a server leaves out of its chain are fetched from where the chain says (AIA).
    pub fetches_issuers: bool,
    /// Where the keys of connections are written for Wireshark (`SSLKEYLOGFILE`).
    pub key_log: Option<PathBuf>,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsProtocolVersion {
    /// `tls1.0`, which this library does not speak.
    Tls10,
    /// `tls1.1`, which this library does not speak.
    Tls11,
    /// `tls1.2`.
    Tls12,
    /// `tls1.3`.
    Tls13,
}

/// A client certificate, for servers that ask for one.
#[derive(Clone, Debug, Default)]
pub struct ClientCertificate {
    /// The chain as PEM.
    pub certificate: String,
    /// The key as PEM.
    pub key: String,
    /// What the key is encrypted with.
    pub password: Option<String>,
    /// The names it is meant for; the server's request decides all the same, as in k6.
    pub domains: Vec<String>,
}

/// The proxies the environment names.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ProxyConfig {
    /// `HTTP_PROXY`.
    pub http: Option<String>,
    /// `HTTPS_PROXY`.
    pub https: Option<String>,
    /// `NO_PROXY`.
    pub none_for: String,
}

// Addresses may hold passwords, which stay out of whatever is printed.
impl std::fmt::Debug for ProxyConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (http, https) = (self.http.is_some(), self.https.is_some());
        write!(f, "ProxyConfig {{ http: {http}, https: {https}, none_for: {:?} }}", self.none_for)
    }
}

impl ProxyConfig {
    /// Reads `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, or their lower-case names.
    pub fn from_env(env: &HashMap<String, String>) -> Self {
        let read = |name: &str| {
            let value = env.get(name).filter(|value| !value.is_empty());
            value.or_else(|| env.get(&name.to_ascii_lowercase()).filter(|value| !value.is_empty())).cloned()
        };
        Self { http: read("HTTP_PROXY"), https: read("HTTPS_PROXY"), none_for: read("NO_PROXY").unwrap_or_default() }
    }
}
