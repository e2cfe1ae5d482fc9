//! Where instances meet: `redis://user:password@host:6379/RUN?db=2`.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// The address of a run at a Redis server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinAddress {
    /// What the client connects to; may hold a password.
    server: String,
    /// The name of the run.
    run: String,
    /// For people.
    shown: String,
}

/// The longest name of a run.
const MAX_NAME: usize = 100;
const SCHEMES: [&str; 4] = ["redis", "rediss", "valkey", "valkeys"];

/// What would end the part before the host; what is encoded already stays so.
const IN_USER: &AsciiSet = &CONTROLS.add(b'@').add(b'/').add(b'?').add(b'#').add(b'\\').add(b'[').add(b']').add(b' ');

/// Whether the port of a host is one, where there is one.
fn has_right_port(host: &str) -> bool {
    let behind = match host.strip_prefix('[') {
        Some(inner) => inner.split_once(']').map_or("", |(_, behind)| behind),
        None => host.find(':').map_or("", |at| &host[at..]),
    };
    behind.is_empty() || behind.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
}

impl JoinAddress {
    /// Reads an address.
    ///
    /// # Errors
    /// What would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wanted = "expected an address such as redis://host:6379/RUN";
        let (scheme, rest) = text.split_once("://").ok_or(wanted)?;
        if !SCHEMES.contains(&scheme) {
            return Err(format!("{wanted}, or rediss:// for TLS"));
        }
        // Nothing behind the host has an `@`, so a password may hold whatever it likes.
        let (user, rest) = rest.rsplit_once('@').map_or((None, rest), |(user, rest)| (Some(user), rest));
        let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if host.is_empty() {
            return Err(format!("{wanted}: there is no host in it"));
        }
        if !has_right_port(host) {
            return Err(format!("{wanted}: behind the colon stands a port from 1 to 65535"));
        }
        let shown = format!("{scheme}://{rest}");
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        let run = path.trim_start_matches('/');
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if run.is_empty() || run.len() > MAX_NAME || !run.chars().all(is_name) {
            return Err(format!(
                "{wanted}: behind the host stands the name of the run, of letters, digits, `-`, `_` and `.`"
            ));
        }
        let db: u32 = match query {
            None => 0,
            Some(query) => query
                .strip_prefix("db=")
                .and_then(|number| number.parse().ok())
                .ok_or_else(|| format!("{wanted}: behind `?` there may be `db=NUMBER` only"))?,
        };
        let user = user.map(|user| format!("{}@", utf8_percent_encode(user, IN_USER))).unwrap_or_default();
        let server = format!("{scheme}://{user}{host}/{db}");
        if redis::Client::open(&*server).is_err() {
            return Err(format!("{wanted}: there is no host that can be connected to in it"));
        }
        Ok(Self { server, run: run.to_owned(), shown })
    }

    /// The name of the run.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// The address without user and password.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// What the client connects to: not for people.
    pub(super) fn server(&self) -> &str {
        &self.server
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_shown_without_secrets() {
        let check = |text: &str, expect: &str| {
            let said = |address: JoinAddress| format!("{} {} {}", address.server, address.run, address.shown);
            assert_eq!(JoinAddress::parse(text).map_or_else(|error| error, said), expect, "{text}");
        };
        check("redis://h/r", "redis://h/0 r redis://h/r");
        check("rediss://me:pw@h:7/night.1?db=3", "rediss://me:pw@h:7/3 night.1 rediss://h:7/night.1?db=3");
        check("valkey://:pw@[::1]:7/a_b-c", "valkey://:pw@[::1]:7/0 a_b-c valkey://[::1]:7/a_b-c");
        let wanted = "expected an address such as redis://host:6379/RUN";
        // A password that is not encoded.
        check("redis://u2:p@ss/w:rd@host/X", "redis://u2:p%40ss%2Fw:rd@host/0 X redis://host/X");
        check("redis://:a?b#c%20d@h:7/r?db=1", "redis://:a%3Fb%23c%20d@h:7/1 r redis://h:7/r?db=1");
        for text in ["redis://h:x/r", "redis://me:pw@h:70000/r", "redis://h:/r", "redis://h:0/r", "redis://[::1]:x/r"] {
            check(text, &format!("{wanted}: behind the colon stands a port from 1 to 65535"));
        }
        check("redis://[::1/r", &format!("{wanted}: there is no host that can be connected to in it"));
        check("h/r", wanted);
        check("http://h/r", &format!("{wanted}, or rediss:// for TLS"));
        check("redis:///r", &format!("{wanted}: there is no host in it"));
        let name =
            format!("{wanted}: behind the host stands the name of the run, of letters, digits, `-`, `_` and `.`");
        for text in ["redis://h", "redis://h/", "redis://h/a/b", "redis://h/a%20b", "redis://me:pw@h"] {
            check(text, &name);
        }
        check("redis://h/r?x=1", &format!("{wanted}: behind `?` there may be `db=NUMBER` only"));
    }
}
