//! From options to what the network threads need to know.

use std::collections::HashMap;
use std::time::Duration;

use crate::exit_code::ExitCode;
use crate::failure::{ExitWith, Failure};
use crate::net::{ClientCertificate, Config, Dns, DnsPolicy, DnsSelect, ProxyConfig, TlsConfig, TlsProtocolVersion};
use crate::options::{self, DnsTtl, Options};

/// A year: what k6 makes of `ttl: "inf"`.
const FOREVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// The network's part of the options.
pub(super) fn config(options: &Options, env: &HashMap<String, String>, vus: u64) -> Result<Config, Failure> {
    let dns = options.dns.clone().unwrap_or_default();
    let positive = |value: Option<i64>, default: usize| value.map_or(default, |value| value.max(0) as usize);
    Ok(Config {
        dns: Dns {
            ttl: match dns.ttl().exit(ExitCode::Other)? {
                DnsTtl::Forever => FOREVER,
                DnsTtl::Off => Duration::ZERO,
                DnsTtl::For(time) => time,
            },
            select: match dns.select() {
                options::DnsSelect::First => DnsSelect::First,
                options::DnsSelect::Random => DnsSelect::Random,
                options::DnsSelect::RoundRobin => DnsSelect::RoundRobin,
            },
            policy: match dns.policy() {
                options::DnsPolicy::PreferIpv4 => DnsPolicy::PreferIpv4,
                options::DnsPolicy::PreferIpv6 => DnsPolicy::PreferIpv6,
                options::DnsPolicy::OnlyIpv4 => DnsPolicy::OnlyIpv4,
                options::DnsPolicy::OnlyIpv6 => DnsPolicy::OnlyIpv6,
                options::DnsPolicy::Any => DnsPolicy::Any,
            },
        },
        hosts: options.hosts.iter().flat_map(|hosts| hosts.iter()).collect(),
        block_hostnames: options.block_hostnames.iter().flatten().map(|host| host.text().to_owned()).collect(),
        blacklist_ips: options.blacklist_ips.iter().flatten().map(options::Cidr::parts).collect(),
        local_ips: options.local_ips.as_ref().map_or_else(Vec::new, |ips| own_addresses(ips, vus)),
        tls: TlsConfig {
            insecure_skip_verify: options.insecure_skip_tls_verify.unwrap_or_default(),
            min_version: options.tls_version.as_ref().and_then(|versions| versions.min).map(version),
            max_version: options.tls_version.as_ref().and_then(|versions| versions.max).map(version),
            cipher_suites: options.tls_cipher_suites.iter().flatten().map(|suite| suite.name.to_owned()).collect(),
            client_certificates: options
                .tls_auth
                .iter()
                .flatten()
                .map(|auth| ClientCertificate {
                    certificate: auth.cert.clone(),
                    key: auth.key.clone(),
                    password: auth.password.clone(),
                    domains: auth.domains.clone().unwrap_or_default(),
                })
                .collect(),
            fetches_issuers: options.tls_aia_fetch.unwrap_or_default(),
            key_log: env.get("SSLKEYLOGFILE").filter(|path| !path.is_empty()).map(Into::into),
        },
        no_connection_reuse: options.no_connection_reuse.unwrap_or_default(),
        max_idle: positive(options.batch, 20),
        max_idle_per_host: positive(options.batch_per_host, 6),
        http2: !env.get("GODEBUG").is_some_and(|debug| debug.contains("http2client=0")),
        proxy: ProxyConfig::from_env(env),
    })
}

/// Checks that there can be TLS connections as `options` ask for them.
pub(super) fn check_tls(options: &Options) -> Result<(), Failure> {
    crate::net::tls::check(&config(options, &HashMap::new(), 1)?.tls)
}

/// The address of each VU, at the VU's number modulo their count: clients are numbered like VUs.
fn own_addresses(ips: &options::LocalIps, vus: u64) -> Vec<std::net::IpAddr> {
    let count = vus.max(1);
    (0..count).filter_map(|at| ips.of_vu(if at == 0 { count } else { at })).collect()
}

fn version(version: options::TlsVersion) -> TlsProtocolVersion {
    match version {
        options::TlsVersion::Tls10 => TlsProtocolVersion::Tls10,
        options::TlsVersion::Tls11 => TlsProtocolVersion::Tls11,
        options::TlsVersion::Tls12 => TlsProtocolVersion::Tls12,
        options::TlsVersion::Tls13 => TlsProtocolVersion::Tls13,
    }
}
