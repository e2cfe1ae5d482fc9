//! Names to addresses: resolved once per time to live, and shared by all clients of a run.
//!
//! The system's resolver is asked; this file caches, orders and picks.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::config::{Dns, DnsPolicy, DnsSelect};
use super::http::proto::error::{DNS, NO_SUCH_HOST, NetError};
use super::random::random;
use crate::units::sync::lock;

/// The resolver with its cache.
#[derive(Debug)]
pub struct Resolver {
    dns: Dns,
    cache: Mutex<HashMap<String, Arc<CacheEntry>>>,
}

/// What is known of one name. Locked while the resolver is asked, so that a thousand clients ask once.
type CacheEntry = tokio::sync::Mutex<Option<Resolution>>;

#[derive(Debug)]
struct Resolution {
    addresses: Vec<IpAddr>,
    asked: Instant,
    turn: usize,
}

impl Resolver {
    /// A resolver with an empty cache.
    pub fn new(dns: Dns) -> Self {
        Self { dns, cache: Mutex::default() }
    }

    /// One address of `host`, by the configured policy and selection.
    pub async fn resolve(&self, host: &str) -> Result<IpAddr, NetError> {
        if self.dns.ttl.is_zero() {
            return Ok(pick(self.dns.select, &mut self.ask(host).await?));
        }
        let entry = {
            let mut cache = lock(&self.cache);
            cache.entry(host.to_owned()).or_default().clone()
        };
        let mut resolution = entry.lock().await;
        let fresh = resolution.take().filter(|resolution| resolution.asked.elapsed() < self.dns.ttl);
        let known = match fresh {
            Some(known) => known,
            None => self.ask(host).await?,
        };
        Ok(pick(self.dns.select, resolution.insert(known)))
    }

    /// True for a name that has one address, and need not be asked for now.
    pub fn has_one(&self, host: &str) -> bool {
        let Some(entry) = lock(&self.cache).get(host).cloned() else { return false };
        let resolution = entry.try_lock();
        let known = resolution.as_ref().ok().and_then(|resolution| resolution.as_ref());
        known.is_some_and(|known| known.addresses.len() == 1 && known.asked.elapsed() < self.dns.ttl)
    }

    async fn ask(&self, host: &str) -> Result<Resolution, NetError> {
        if is_odd_address(host) {
            return Err(no_such_host(host));
        }
        let found = tokio::net::lookup_host((host, 0)).await.map_err(|error| failed(host, &error))?;
        let mut addresses: Vec<IpAddr> = Vec::new();
        for address in found.map(|address| address.ip().to_canonical()) {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        let addresses = apply(self.dns.policy, addresses);
        if addresses.is_empty() {
            return Err(no_such_host(host));
        }
        Ok(Resolution { addresses, asked: Instant::now(), turn: 0 })
    }
}

/// True for what only the C library takes for an address: `5`, `127.1`, `0x7f000001`, `010.0.0.1`. To Go these are names, and
/// nobody has such a name.
pub(super) fn is_odd_address(host: &str) -> bool {
    let is_number = |part: &str| match part.strip_prefix("0x").or_else(|| part.strip_prefix("0X")) {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()),
    };
    host.parse::<IpAddr>().is_err() && host.split('.').count() <= 4 && host.split('.').all(is_number)
}

fn apply(policy: DnsPolicy, addresses: Vec<IpAddr>) -> Vec<IpAddr> {
    let (four, six): (Vec<IpAddr>, Vec<IpAddr>) = addresses.iter().partition(|address| address.is_ipv4());
    match policy {
        DnsPolicy::Any => addresses,
        DnsPolicy::OnlyIpv4 => four,
        DnsPolicy::OnlyIpv6 => six,
        DnsPolicy::PreferIpv4 if four.is_empty() => six,
        DnsPolicy::PreferIpv4 => four,
        DnsPolicy::PreferIpv6 if six.is_empty() => four,
        DnsPolicy::PreferIpv6 => six,
    }
}

/// Picks one of at least one address.
fn pick(select: DnsSelect, resolution: &mut Resolution) -> IpAddr {
    let count = resolution.addresses.len();
    let index = match select {
        DnsSelect::First => 0,
        DnsSelect::Random => random() as usize % count,
        DnsSelect::RoundRobin => {
            resolution.turn = resolution.turn.wrapping_add(1);
            resolution.turn.wrapping_sub(1) % count
        }
    };
    resolution.addresses[index]
}

fn no_such_host(host: &str) -> NetError {
    NetError::new(NO_SUCH_HOST, "lookup: no such host").long(format!("lookup {host}: no such host"))
}

fn failed(host: &str, error: &std::io::Error) -> NetError {
    // The resolver's codes do not come through as errno, only as text.
    let text = error.to_string();
    let unknown = ["Name or service not known", "No address associated", "nodename nor servname"];
    match unknown.iter().any(|phrase| text.contains(phrase)) {
        true => no_such_host(host),
        false => NetError::new(DNS, format!("lookup {host}: {text}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_addresses_are_names() {
        for host in ["5", "127.1", "0x7f000001", "010.0.0.1", "1.2.3.400"] {
            assert!(is_odd_address(host), "{host}");
        }
        for host in ["127.0.0.1", "::1", "a", "1.test", "5x", "1.2.3.4.5", "", "1..2"] {
            assert!(!is_odd_address(host), "{host}");
        }
    }

    #[test]
    fn policies_order_and_filter() {
        let addresses: Vec<IpAddr> = ["::1", "10.0.0.1", "10.0.0.2"].map(|text| text.parse().unwrap()).to_vec();
        let check = |policy, expect: &[usize]| {
            let expect: Vec<IpAddr> = expect.iter().map(|index| addresses[*index]).collect();
            assert_eq!(apply(policy, addresses.clone()), expect);
        };
        check(DnsPolicy::Any, &[0, 1, 2]);
        check(DnsPolicy::PreferIpv4, &[1, 2]);
        check(DnsPolicy::OnlyIpv4, &[1, 2]);
        check(DnsPolicy::PreferIpv6, &[0]);
        check(DnsPolicy::OnlyIpv6, &[0]);
        assert_eq!(apply(DnsPolicy::PreferIpv6, addresses[1..].to_vec()), addresses[1..]);
    }

    #[test]
    fn round_robin_takes_turns() {
        let addresses: Vec<IpAddr> = ["10.0.0.1", "10.0.0.2"].map(|text| text.parse().unwrap()).to_vec();
        let mut resolution = Resolution { addresses: addresses.clone(), asked: Instant::now(), turn: 0 };
        let taken: Vec<IpAddr> = (0..3).map(|_| pick(DnsSelect::RoundRobin, &mut resolution)).collect();
        assert_eq!(taken, [addresses[0], addresses[1], addresses[0]]);
    }
}
