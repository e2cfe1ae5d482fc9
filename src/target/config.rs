//! What the demo target was asked to be, checked.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::time::Duration;

use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// Where answers to reads are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CacheChoice {
    /// In this process.
    Memory,
    /// In a Redis server, by its URL.
    Redis(String),
    /// Nowhere: every read is a miss.
    Off,
}

impl CacheChoice {
    /// Reads `memory`, `none`, or `redis://host:port[/db]`.
    ///
    /// # Errors
    /// One line that names what was typed and what would be right.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let wrong = |why: String| {
            Failure::new(ExitCode::Other, format!("invalid cache `{text}`: {why}"))
                .hint("a cache is `memory`, `none` or `redis://host:port[/db]`")
        };
        match text {
            "memory" => Ok(Self::Memory),
            "none" => Ok(Self::Off),
            _ if text.starts_with("redis://") => match redis::Client::open(text) {
                Ok(_) => Ok(Self::Redis(text.to_owned())),
                Err(error) => Err(wrong(format!("not a Redis address ({error})"))),
            },
            _ => Err(wrong("expected `memory`, `none` or `redis://host:port[/db]`".to_owned())),
        }
    }

    /// The word for it in `/health` and `/stats`.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Redis(_) => "redis",
            Self::Off => "none",
        }
    }
}

/// Somebody who may log in.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// Also the name.
    pub(super) email: String,
    pub(super) password: String,
}

// The password is nobody's business.
impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Account({:?})", self.email)
    }
}

impl Account {
    /// The account that is always there; its password is documented.
    pub(super) fn demo() -> Self {
        Self { email: super::DEMO_EMAIL.to_owned(), password: super::DEMO_PASSWORD.to_owned() }
    }

    /// Reads `EMAIL:PASSWORD`. The password begins after the first colon and may hold more of them.
    ///
    /// # Errors
    /// One line that does not tell the password.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        match text.split_once(':') {
            Some((email, password)) if !email.trim().is_empty() && !password.is_empty() => {
                Ok(Self { email: email.trim().to_owned(), password: password.to_owned() })
            }
            _ => Err(Failure::new(ExitCode::Other, "`--account`: expected EMAIL:PASSWORD, both not empty")
                .hint("write `--account me@example.org:secret`; repeat it for several")),
        }
    }

    /// Who it is.
    pub fn email(&self) -> &str {
        &self.email
    }
}

/// An address to listen on: `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`, or `:8080` for all of this machine's.
/// Of the addresses of a name, the first of IPv4 is taken, as clients do.
///
/// # Errors
/// One line about what is wrong.
pub fn listen_address(text: &str) -> Result<SocketAddr, Failure> {
    let wrong = |why: &dyn std::fmt::Display| {
        Failure::new(ExitCode::Other, format!("`{text}` is not an address to listen on: {why}"))
            .hint("write HOST:PORT, such as 127.0.0.1:8080 or localhost:8080; port 0 takes a free one")
    };
    let port = |text: &str| text.parse::<u16>().map_err(|_| wrong(&"the port is a number from 0 to 65535"));
    if let Some(text) = text.strip_prefix(':') {
        return Ok(SocketAddr::from(([0, 0, 0, 0], port(text)?)));
    }
    let Some((host, number)) = text.rsplit_once(':') else { return Err(wrong(&"there is no port")) };
    let number = port(number)?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let found: Vec<SocketAddr> = (host, number).to_socket_addrs().map_err(|error| wrong(&error))?.collect();
    let first = found.iter().find(|address| address.is_ipv4()).or(found.first());
    first.copied().ok_or_else(|| wrong(&"the name has no address"))
}

/// The demo target as asked for. [`Default`] is what `volley target` does without options.
#[derive(Clone, Debug)]
pub struct TargetConfig {
    pub(super) listen: SocketAddr,
    pub(super) cache: CacheChoice,
    pub(super) cache_ttl: Duration,
    pub(super) db_latency: Duration,
    pub(super) risks: usize,
    pub(super) accounts: Vec<Account>,
}

/// The largest register it starts with: more would only make searches slow.
const MAX_RISKS: usize = 100_000;
/// A "database" slower than this is a mistyped unit.
const MAX_LATENCY: Duration = Duration::from_secs(60);

impl TargetConfig {
    /// Listens on `listen`, keeps answers in `cache` for `cache_ttl`, takes `db_latency` for every miss, and starts
    /// with `risks` records.
    ///
    /// # Errors
    /// One line for a time to live below one millisecond, a latency above a minute, or more than 100,000 records.
    pub fn new(
        listen: SocketAddr,
        cache: CacheChoice,
        cache_ttl: Duration,
        db_latency: Duration,
        risks: usize,
    ) -> Result<Self, Failure> {
        let wrong = |line: String| Err(Failure::new(ExitCode::Other, line));
        if cache_ttl < Duration::from_millis(1) {
            return wrong(format!("invalid cache TTL `{cache_ttl:?}`: at least `1ms`; `--cache none` switches it off"));
        }
        if db_latency > MAX_LATENCY {
            return wrong(format!("invalid database latency `{db_latency:?}`: at most `1m`"));
        }
        if risks > MAX_RISKS {
            return wrong(format!("invalid number of risks `{risks}`: at most {MAX_RISKS}"));
        }
        Ok(Self { listen, cache, cache_ttl, db_latency, risks, accounts: vec![Account::demo()] })
    }

    /// Lets these log in as well. The demo account stays, unless one of these has its e-mail address.
    #[must_use]
    pub fn with_accounts(mut self, accounts: Vec<Account>) -> Self {
        for account in accounts {
            self.accounts.retain(|known| !known.email.eq_ignore_ascii_case(&account.email));
            self.accounts.push(account);
        }
        self
    }
}

impl Default for TargetConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            cache: CacheChoice::Memory,
            cache_ttl: Duration::from_secs(30),
            db_latency: Duration::from_millis(40),
            risks: 200,
            accounts: vec![Account::demo()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_cache_choice() {
        let check = |input: &str, expect: &str| {
            let got = CacheChoice::parse(input).map_or_else(|error| error.message, |choice| format!("{choice:?}"));
            assert!(got.starts_with(expect), "{input}: {got}");
        };
        check("memory", "Memory");
        check("none", "Off");
        check("redis://127.0.0.1:6379", "Redis(\"redis://127.0.0.1:6379\")");
        check("redis://127.0.0.1:6379/2", "Redis(\"redis://127.0.0.1:6379/2\")");
        check("redis://", "invalid cache `redis://`: not a Redis address (");
        check("redis://127.0.0.1:6379/two", "invalid cache `redis://127.0.0.1:6379/two`: not a Redis address (");
        check("", "invalid cache ``: expected `memory`, `none` or `redis://host:port[/db]`");
        check("Memory", "invalid cache `Memory`: expected `memory`, `none` or ");
        check("memcached://x", "invalid cache `memcached://x`: expected `memory`, `none` or ");
    }

    #[test]
    fn reads_accounts_and_does_not_tell_their_passwords() {
        let check = |input: &str, expect: Option<(&str, &str)>| {
            let got = Account::parse(input);
            let texts = got.as_ref().map(|account| (account.email.as_str(), account.password.as_str()));
            assert_eq!(texts.as_ref().ok().copied(), expect, "{input}");
            let told = got.map_or_else(|failure| failure.message, |account| format!("{account:?}"));
            assert!(!told.contains("s3cret"), "{told}");
        };
        check("me@x.org:s3cret", Some(("me@x.org", "s3cret")));
        check("me@x.org:s3cret:more", Some(("me@x.org", "s3cret:more")));
        check(" me :s3cret ", Some(("me", "s3cret ")));
        check(":s3cret", None);
        check("me@x.org:", None);
        check("s3cret", None);
        check("", None);
    }

    #[test]
    fn reads_addresses() {
        let check = |input: &str, expect: &str| {
            let got = listen_address(input).map_or_else(|failure| failure.message, |address| address.to_string());
            assert!(got.starts_with(expect), "{input}: {got}");
        };
        check("127.0.0.1:8080", "127.0.0.1:8080");
        check("localhost:8080", "127.0.0.1:8080");
        check("[::1]:80", "[::1]:80");
        check(":8080", "0.0.0.0:8080");
        check("localhost", "`localhost` is not an address to listen on: there is no port");
        check(
            "localhost:http",
            "`localhost:http` is not an address to listen on: the port is a number from 0 to 65535",
        );
        check("localhost:70000", "`localhost:70000` is not an address to listen on: the port is a number");
        check("", "`` is not an address to listen on: there is no port");
        check("a b:80", "`a b:80` is not an address to listen on: ");
    }

    #[test]
    fn refuses_figures_that_make_no_sense() {
        let check = |ttl: u64, latency: u64, risks: usize, expect: &str| {
            let (ttl, latency) = (Duration::from_millis(ttl), Duration::from_millis(latency));
            let default = TargetConfig::default();
            let got = TargetConfig::new(default.listen, default.cache, ttl, latency, risks);
            assert_eq!(got.map_or_else(|error| error.message, |_| "ok".to_owned()), expect);
        };
        check(30_000, 0, 0, "ok");
        check(0, 0, 1, "invalid cache TTL `0ns`: at least `1ms`; `--cache none` switches it off");
        check(1, 60_001, 1, "invalid database latency `60.001s`: at most `1m`");
        check(1, 0, 100_001, "invalid number of risks `100001`: at most 100000");
    }
}
