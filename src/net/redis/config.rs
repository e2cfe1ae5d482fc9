//! What a client is made of.

use std::time::Duration;

use crate::net::tls::ConnectionTls;

/// Host and port.
pub type RedisAddress = (String, String);

/// One client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisConfig {
    /// The server, or the first nodes to ask of a cluster, or the sentinels.
    pub addresses: Vec<RedisAddress>,
    /// TLS, with these certificates.
    pub tls: Option<ConnectionTls>,
    /// Who we are; empty is the default user.
    pub username: String,
    /// The password; empty sends none.
    pub password: String,
    /// The name connections go by at the server.
    pub client_name: String,
    /// The number of the database.
    pub database: i64,
    /// How long opening a connection may take.
    pub dial_timeout: Duration,
    /// How long an answer may take; `None` waits without end.
    pub read_timeout: Option<Duration>,
    /// How long writing may take; `None` waits without end.
    pub write_timeout: Option<Duration>,
    /// At most this many connections to one node.
    pub pool_size: usize,
    /// So many are opened before they are needed.
    pub min_idle: usize,
    /// Connections older than this are not used again.
    pub max_age: Option<Duration>,
    /// How long a command waits for a connection of the pool.
    pub pool_timeout: Duration,
    /// Connections idle for longer are not used again.
    pub idle_timeout: Option<Duration>,
    /// How often idle connections are looked through.
    pub idle_check: Option<Duration>,
    /// How often a command is tried again.
    pub max_retries: u32,
    /// The least and the most time between attempts.
    pub backoff: (Duration, Duration),
    /// The master is asked of sentinels.
    pub sentinel: Option<SentinelConfig>,
    /// The server is a cluster.
    pub cluster: Option<ClusterConfig>,
}

/// How the master is found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SentinelConfig {
    /// The name of the master.
    pub master: String,
    /// Who we are to the sentinels.
    pub username: String,
    /// The password for the sentinels.
    pub password: String,
}

/// How a cluster is used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterConfig {
    /// How many redirections are followed.
    pub max_redirects: u32,
    /// Commands that only read go to replicas.
    pub read_only: bool,
    /// They go to the node that answers soonest.
    pub by_latency: bool,
    /// They go to any node that has the key.
    pub randomly: bool,
}

impl Default for RedisConfig {
    /// What go-redis takes where nothing is said.
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            addresses: Vec::new(),
            tls: None,
            username: String::new(),
            password: String::new(),
            client_name: String::new(),
            database: 0,
            dial_timeout: Duration::from_secs(5),
            read_timeout: Some(Duration::from_secs(3)),
            write_timeout: Some(Duration::from_secs(3)),
            pool_size: 10 * cores,
            min_idle: 0,
            max_age: None,
            pool_timeout: Duration::from_secs(4),
            idle_timeout: Some(Duration::from_secs(30 * 60)),
            idle_check: None,
            max_retries: 3,
            backoff: (Duration::from_millis(8), Duration::from_millis(512)),
            sentinel: None,
            cluster: None,
        }
    }
}
