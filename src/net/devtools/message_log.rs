//! The messages of a connection in the log, for who wants to see them (`K6_BROWSER_DEBUG`).

use regex_lite::Regex;

use crate::log::{Level, Logger};

/// More of a message than this is left out, in bytes: pictures are long.
const MAX_SHOWN: usize = 4096;

/// The direction of a message, by its word in the log.
const SENT: &str = "cdp:send";
const RECEIVED: &str = "cdp:recv";

/// Writes messages into a log.
#[derive(Clone, Debug)]
pub struct MessageLog {
    logger: Logger,
    sends: bool,
    receives: bool,
}

impl MessageLog {
    /// The messages whose category (`cdp:send`, `cdp:recv`) `filter` finds; all without one.
    pub fn new(logger: Logger, filter: Option<&Regex>) -> Self {
        let is_wanted = |category: &str| filter.is_none_or(|filter| filter.is_match(category));
        Self { logger, sends: is_wanted(SENT), receives: is_wanted(RECEIVED) }
    }

    /// A command goes out.
    pub fn sent(&self, message: &str) {
        if self.sends {
            self.write(SENT, format!("-> {}", shown(message)));
        }
    }

    /// A reply or an event has come.
    pub fn received(&self, message: &[u8]) {
        if self.receives {
            self.write(RECEIVED, format!("<- {}", shown(&String::from_utf8_lossy(message))));
        }
    }

    fn write(&self, category: &'static str, message: String) {
        let fields = vec![("category", category.into()), ("source", "browser".into())];
        self.logger.log(Level::Debug, message, fields);
    }
}

/// The beginning of a message, and how long it is where that is not all.
fn shown(message: &str) -> String {
    if message.len() <= MAX_SHOWN {
        return message.to_owned();
    }
    let end = message.floor_char_boundary(MAX_SHOWN);
    format!("{}... ({} bytes)", &message[..end], message.len())
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn messages_are_logged_by_category_and_cut() {
        let check = |filter: Option<&str>, expect: &[&str]| {
            let lines: Arc<Mutex<Vec<String>>> = Arc::default();
            let written = lines.clone();
            let logger = Logger::new(move |entry| written.lock().unwrap().push(entry.message));
            let log = MessageLog::new(logger, filter.map(|text| Regex::new(text).unwrap()).as_ref());
            log.sent("{}");
            log.received(b"[1]");
            assert_eq!(*lines.lock().unwrap(), expect);
        };
        check(None, &["-> {}", "<- [1]"]);
        check(Some("^cdp:"), &["-> {}", "<- [1]"]);
        check(Some("send"), &["-> {}"]);
        check(Some("page"), &[]);
        let long = "é".repeat(MAX_SHOWN);
        assert_eq!(shown(&long), format!("{}... (8192 bytes)", "é".repeat(MAX_SHOWN / 2)));
    }
}
