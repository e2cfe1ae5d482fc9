//! A client: which server a command goes to, how often it is tried, how long it takes.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::config::{ClusterConfig, RedisAddress, RedisConfig, SentinelConfig};
use super::connection::{Introduction, RedisConnection, RedisError};
use super::node::RedisNode;
use super::resp::RespValue;
use crate::net::client_connections::ClientConnections;
use crate::net::random::random;

/// The number of slots of every cluster.
const SLOTS: u16 = 16384;
/// At most this many nodes are remembered of one cluster.
const MAX_NODES: usize = 1_000;

/// What came of a command.
#[derive(Debug)]
pub struct RedisOutcome {
    /// The answer; why there is none, in the words of the server or of go-redis.
    pub answer: Result<RespValue, String>,
    /// When it was asked for.
    pub began: Instant,
    /// When the answer was there.
    pub ended: Instant,
}

/// A client on its network thread.
#[derive(Debug)]
pub struct RedisClient {
    connections: Rc<ClientConnections>,
    config: Rc<RedisConfig>,
    nodes: RefCell<HashMap<RedisAddress, Rc<RedisNode>>>,
    /// Where the master is, as sentinels said.
    master: RefCell<Option<RedisAddress>>,
    /// Ranges of slots and who has them, the master first.
    slots: RefCell<Rc<Vec<SlotRange>>>,
    /// What is known of the cluster is old.
    is_outdated: Cell<bool>,
}

/// Slots and the nodes that have them, the master first.
#[derive(Debug, PartialEq, Eq)]
struct SlotRange {
    from: u16,
    to: u16,
    nodes: Vec<RedisAddress>,
}

impl RedisClient {
    /// A client without a connection.
    pub fn new(connections: Rc<ClientConnections>, config: RedisConfig) -> Rc<Self> {
        let client = Rc::new(Self {
            connections,
            config: Rc::new(config),
            nodes: RefCell::default(),
            master: RefCell::default(),
            slots: RefCell::default(),
            is_outdated: Cell::new(true),
        });
        if let Some(interval) = client.config.idle_check {
            let client = Rc::downgrade(&client);
            tokio::task::spawn_local(async move {
                loop {
                    tokio::time::sleep(interval).await;
                    let Some(client) = client.upgrade() else { return };
                    client.nodes.borrow().values().for_each(|node| node.close_spent());
                }
            });
        }
        client
    }

    /// Sends a command; `key` decides which node of a cluster it goes to, `reads` that it changes nothing.
    pub async fn command(&self, command: Vec<Vec<u8>>, key: Option<Vec<u8>>, reads: bool) -> RedisOutcome {
        let began = Instant::now();
        let commands = [command];
        let mut attempt = 0;
        let answer = loop {
            let answer = match &self.config.cluster {
                Some(cluster) => self.in_cluster(cluster, &commands, key.as_deref(), reads).await,
                None => self.at_server(&commands).await,
            };
            let is_worth = matches!(&answer, Err(RedisError::Network(_)))
                || matches!(&answer, Err(RedisError::Server(text)) if is_temporary(text));
            if !is_worth || attempt >= self.config.max_retries {
                break answer;
            }
            self.is_outdated.set(true);
            self.master.take();
            tokio::time::sleep(backoff(self.config.backoff, attempt)).await;
            attempt += 1;
        };
        RedisOutcome { answer: answer.map_err(RedisError::into_text), began, ended: Instant::now() }
    }

    fn node(&self, address: &RedisAddress) -> Rc<RedisNode> {
        let mut nodes = self.nodes.borrow_mut();
        if nodes.len() >= MAX_NODES && !nodes.contains_key(address) {
            nodes.clear();
        }
        let answers_as_replica = self
            .config
            .cluster
            .as_ref()
            .is_some_and(|cluster| cluster.read_only || cluster.by_latency || cluster.randomly);
        let new = || RedisNode::new(address.clone(), self.config.clone(), answers_as_replica);
        nodes.entry(address.clone()).or_insert_with(new).clone()
    }

    async fn send(&self, node: &RedisAddress, commands: &[Vec<Vec<u8>>]) -> Result<RespValue, RedisError> {
        match self.node(node).command(&self.connections, commands).await? {
            RespValue::Error(text) => Err(RedisError::Server(text)),
            answer => Ok(answer),
        }
    }

    async fn at_server(&self, commands: &[Vec<Vec<u8>>]) -> Result<RespValue, RedisError> {
        let address = match &self.config.sentinel {
            Some(sentinel) => self.find_master(sentinel).await?,
            None => self.config.addresses[0].clone(),
        };
        self.send(&address, commands).await
    }

    // Sentinel ---------------------------------------------------------------------------------------------------

    async fn find_master(&self, sentinel: &SentinelConfig) -> Result<RedisAddress, RedisError> {
        let known = self.master.borrow().clone();
        // Another may be master when a connection has to be opened.
        if let Some(known) = known.filter(|known| self.node(known).has_idle()) {
            return Ok(known);
        }
        let words = ["SENTINEL", "get-master-addr-by-name", &sentinel.master];
        let ask = [words.iter().map(|word| word.as_bytes().to_vec()).collect()];
        for address in &self.config.addresses {
            let who = Introduction {
                username: &sentinel.username,
                password: &sentinel.password,
                client_name: "",
                database: 0,
                read_only: false,
            };
            let Ok(mut connection) = RedisConnection::open(&self.connections, &self.config, address, who).await else {
                continue;
            };
            if let Ok(RespValue::Array(found)) = connection.command(&self.config, &ask).await
                && let [RespValue::Bulk(host), RespValue::Bulk(port)] = &found[..]
            {
                let found = (String::from_utf8_lossy(host).into_owned(), String::from_utf8_lossy(port).into_owned());
                self.master.replace(Some(found.clone()));
                return Ok(found);
            }
        }
        Err(RedisError::Network("redis: all sentinels specified in configuration are unreachable".to_owned()))
    }

    // Cluster ----------------------------------------------------------------------------------------------------

    async fn in_cluster(
        &self,
        cluster: &ClusterConfig,
        commands: &[Vec<Vec<u8>>],
        key: Option<&[u8]>,
        reads: bool,
    ) -> Result<RespValue, RedisError> {
        if self.is_outdated.get() {
            self.learn_slots().await?;
        }
        let mut target = self.choose(cluster, key, reads)?;
        let mut is_asking = false;
        for _ in 0..=cluster.max_redirects {
            let asking;
            let sent: &[_] = if is_asking {
                asking = [vec![b"ASKING".to_vec()], commands[0].clone()];
                &asking
            } else {
                commands
            };
            match self.send(&target, sent).await {
                Err(RedisError::Server(text)) => match redirection(&text, &target) {
                    Some((next, asks)) => {
                        is_asking = asks;
                        self.is_outdated.set(self.is_outdated.get() || !asks);
                        target = next;
                    }
                    None => return Err(RedisError::Server(text)),
                },
                answer => return answer,
            }
        }
        Err(RedisError::Refused("redis: too many cluster redirections".to_owned()))
    }

    /// The node a command goes to.
    fn choose(&self, cluster: &ClusterConfig, key: Option<&[u8]>, reads: bool) -> Result<RedisAddress, RedisError> {
        let slots = self.slots.borrow().clone();
        let slot = key.map_or_else(|| (random() % u64::from(SLOTS)) as u16, slot_of);
        let range = slots.iter().find(|range| (range.from..=range.to).contains(&slot));
        let range = range.ok_or_else(|| RedisError::Server("CLUSTERDOWN Hash slot not served".to_owned()))?;
        let any = |nodes: &[RedisAddress]| nodes[random() as usize % nodes.len()].clone();
        Ok(match (reads && key.is_some(), &range.nodes[..]) {
            (true, nodes) if cluster.by_latency => {
                let soonest = nodes.iter().min_by_key(|address| self.node(address).latency());
                soonest.unwrap_or(&nodes[0]).clone()
            }
            (true, nodes) if cluster.randomly => any(nodes),
            (true, [_, replicas @ ..]) if cluster.read_only && !replicas.is_empty() => any(replicas),
            (_, nodes) => nodes[0].clone(),
        })
    }

    /// Asks any node who has which slots.
    async fn learn_slots(&self) -> Result<(), RedisError> {
        let mut known: Vec<RedisAddress> = self.config.addresses.clone();
        known.extend(self.slots.borrow().iter().flat_map(|range| range.nodes.iter().cloned()));
        let ask = [vec![b"CLUSTER".to_vec(), b"SLOTS".to_vec()]];
        let mut error = RedisError::Network("redis: cluster has no nodes".to_owned());
        for address in known {
            match self.send(&address, &ask).await {
                Ok(answer) => {
                    self.slots.replace(Rc::new(slot_ranges(&answer, &address.0)));
                    self.is_outdated.set(false);
                    return Ok(());
                }
                Err(other) => error = other,
            }
        }
        Err(error)
    }
}

/// How long to wait before the next attempt: doubled each time, and spread.
fn backoff((least, most): (Duration, Duration), attempt: u32) -> Duration {
    let longest = least.saturating_mul(1 << attempt.min(20)).min(most).as_nanos() as u64;
    let spread = if longest == 0 { 0 } else { random() % longest };
    least.saturating_add(Duration::from_nanos(spread)).min(most)
}

/// True for what a server says while it can't answer yet.
fn is_temporary(text: &str) -> bool {
    text == "ERR max number of clients reached"
        || ["LOADING ", "READONLY ", "CLUSTERDOWN ", "TRYAGAIN "].iter().any(|start| text.starts_with(start))
}

/// Where an error of a cluster sends us, and whether only this once. A node without a host is the one that said it.
fn redirection(text: &str, from: &RedisAddress) -> Option<(RedisAddress, bool)> {
    let mut words = text.split(' ');
    let asks = match words.next()? {
        "MOVED" => false,
        "ASK" => true,
        _ => return None,
    };
    let (host, port) = words.nth(1)?.rsplit_once(':')?;
    let host = if host.is_empty() { &from.0 } else { host };
    Some(((host.to_owned(), port.to_owned()), asks))
}

/// Reads the answer to `CLUSTER SLOTS`; a node without a host is the one that was asked.
fn slot_ranges(answer: &RespValue, asked: &str) -> Vec<SlotRange> {
    let RespValue::Array(ranges) = answer else { return Vec::new() };
    let number = |value: &RespValue| match value {
        RespValue::Integer(number) => u16::try_from(*number).ok(),
        _ => None,
    };
    let node = |value: &RespValue| {
        let RespValue::Array(parts) = value else { return None };
        let host = match parts.first()? {
            RespValue::Bulk(host) if !host.is_empty() && host != b"?" => String::from_utf8_lossy(host).into_owned(),
            _ => asked.to_owned(),
        };
        Some((host, number(parts.get(1)?)?.to_string()))
    };
    let range = |value: &RespValue| {
        let RespValue::Array(parts) = value else { return None };
        let (from, to) = (number(parts.first()?)?, number(parts.get(1)?)?);
        let nodes: Vec<RedisAddress> = parts[2..].iter().filter_map(node).collect();
        (!nodes.is_empty()).then_some(SlotRange { from, to, nodes })
    };
    ranges.iter().filter_map(range).collect()
}

/// The slot of a key: only what is between the first braces counts, if there is something.
fn slot_of(key: &[u8]) -> u16 {
    let tag = key.iter().position(|byte| *byte == b'{').and_then(|open| {
        let rest = &key[open + 1..];
        let close = rest.iter().position(|byte| *byte == b'}')?;
        (close > 0).then(|| &rest[..close])
    });
    crc16(tag.unwrap_or(key)) % SLOTS
}

/// CRC-16/XMODEM, which clusters use.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8)
            .fold(crc ^ (u16::from(*byte) << 8), |crc, _| if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_the_slots_of_the_specification() {
        let check = |key: &str, expect: u16| assert_eq!(slot_of(key.as_bytes()), expect, "{key}");
        check("123456789", 0x31c3);
        check("foo", 12182);
        check("{foo}.a", 12182);
        check("a{foo}{bar}", 12182);
        check("foo{}", slot_of(b"foo{}"));
        assert_ne!(slot_of(b"foo{}bar"), slot_of(b"foo{}baz"));
    }

    #[test]
    fn redirections_are_read() {
        let from = ("10.0.0.1".to_owned(), "7000".to_owned());
        let check = |text: &str, expect: Option<(&str, &str, bool)>| {
            let expect = expect.map(|(host, port, asks)| ((host.to_owned(), port.to_owned()), asks));
            assert_eq!(redirection(text, &from), expect, "{text}");
        };
        check("MOVED 3999 127.0.0.1:6381", Some(("127.0.0.1", "6381", false)));
        check("ASK 3999 :6381", Some(("10.0.0.1", "6381", true)));
        check("MOVED 1 ::1:6381", Some(("::1", "6381", false)));
        check("MOVED", None);
        check("ERR no", None);
    }

    #[test]
    fn a_wait_between_attempts_stays_in_its_bounds() {
        let (least, most) = (Duration::from_millis(8), Duration::from_millis(512));
        for attempt in 0..40 {
            let wait = backoff((least, most), attempt);
            assert!((least..=most).contains(&wait), "{attempt}: {wait:?}");
        }
        assert_eq!(backoff((Duration::ZERO, Duration::ZERO), 3), Duration::ZERO);
    }
}
