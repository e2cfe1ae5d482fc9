//! Names to addresses: asked once per lifetime of an answer and shared by all clients of a process.
//!
//! The system's resolver answers; this room only keeps, orders and picks.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::config::{Dns, DnsPolicy, DnsSelect};
use super::http::error::{DNS, Fault, NO_SUCH_HOST};

use crate::units::sync::lock;

/// The resolver with its memory.
#[derive(Debug)]
pub struct Resolver {
    dns: Dns,
    known: Mutex<HashMap<String, Arc<Slot>>>,
}

/// What is known of one name. Who asks holds it, so that a thousand clients ask once.
type Slot = tokio::sync::Mutex<Option<Answer>>;

#[derive(Debug)]
struct Answer {
    addresses: Vec<IpAddr>,
    asked: Instant,
    turn: usize,
}

impl Resolver {
    /// A resolver that knows nothing yet.
    pub fn new(dns: Dns) -> Self {
        Self { dns, known: Mutex::default() }
    }

    /// One address of `host`, by the configured policy and selection.
    pub async fn resolve(&self, host: &str) -> Result<IpAddr, Fault> {
        if self.dns.ttl.is_zero() {
            return Ok(pick(self.dns.select, &mut self.ask(host).await?));
        }
        let slot = {
            let mut known = lock(&self.known);
            known.entry(host.to_owned()).or_default().clone()
        };
        let mut answer = slot.lock().await;
        let fresh = answer.take().filter(|answer| answer.asked.elapsed() < self.dns.ttl);
        let known = match fresh {
            Some(known) => known,
            None => self.ask(host).await?,
        };
        Ok(pick(self.dns.select, answer.insert(known)))
    }

    async fn ask(&self, host: &str) -> Result<Answer, Fault> {
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
        Ok(Answer { addresses, asked: Instant::now(), turn: 0 })
    }
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
fn pick(select: DnsSelect, answer: &mut Answer) -> IpAddr {
    let count = answer.addresses.len();
    let index = match select {
        DnsSelect::First => 0,
        DnsSelect::Random => random() as usize % count,
        DnsSelect::RoundRobin => {
            answer.turn = answer.turn.wrapping_add(1);
            answer.turn.wrapping_sub(1) % count
        }
    };
    answer.addresses[index]
}

/// A number nobody can predict easily: the standard library's random seed, hashed anew for every call.
pub fn random() -> u64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    RandomState::new().build_hasher().finish()
}

fn no_such_host(host: &str) -> Fault {
    Fault::new(NO_SUCH_HOST, "lookup: no such host").long(format!("lookup {host}: no such host"))
}

fn failed(host: &str, error: &std::io::Error) -> Fault {
    // The resolver's codes do not come through as errno, only as text.
    let text = error.to_string();
    let unknown = ["Name or service not known", "No address associated", "nodename nor servname"];
    match unknown.iter().any(|phrase| text.contains(phrase)) {
        true => no_such_host(host),
        false => Fault::new(DNS, format!("lookup {host}: {text}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let mut answer = Answer { addresses: addresses.clone(), asked: Instant::now(), turn: 0 };
        let taken: Vec<IpAddr> = (0..3).map(|_| pick(DnsSelect::RoundRobin, &mut answer)).collect();
        assert_eq!(taken, [addresses[0], addresses[1], addresses[0]]);
    }
}
