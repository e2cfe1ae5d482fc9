//! How host names become addresses: how long answers are kept, which one is taken, and of which family.
//!
//! Only the words; resolving is the network's business.

use std::time::Duration;

use serde_json::{Value, json};

use super::Compat;
use super::value::{OptionValue, invalid, list, parse_span_or_millis, wrong_kind};
use crate::failure::Failure;

/// The `dns` option; each part is merged by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DnsOptions {
    /// As typed; [`DnsOptions::ttl`] reads it.
    pub ttl_text: Option<String>,
    /// Which of several addresses is used.
    pub select: Option<DnsSelect>,
    /// Which family is used.
    pub policy: Option<DnsPolicy>,
}

/// How long an answer is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DnsTtl {
    /// Not at all.
    Off,
    /// For so long.
    For(Duration),
    /// As long as the run lasts.
    Forever,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $go:literal { $($(#[$item_doc:meta])* $item:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$item_doc])* $item,)* }

        impl $name {
            /// The word used in options.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$item => $word,)* }
            }

            /// Reads the word.
            ///
            /// # Errors
            /// k6's message for a word it doesn't know.
            pub fn parse(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok(Self::$item),)*
                    _ => Err(format!(concat!("{} does not belong to ", $go, " values"), text)),
                }
            }
        }
    };
}

words! {
    /// Which of several addresses is used.
    DnsSelect, "DNSSelect" {
        /// The first of the answer.
        First = "first",
        /// Any, by chance.
        Random = "random",
        /// One after the other.
        RoundRobin = "roundRobin",
    }
}

words! {
    /// Which address family is used.
    DnsPolicy, "DNSPolicy" {
        /// IPv4 where there is one.
        PreferIpv4 = "preferIPv4",
        /// IPv6 where there is one.
        PreferIpv6 = "preferIPv6",
        /// IPv4, or the name can't be resolved.
        OnlyIpv4 = "onlyIPv4",
        /// IPv6, or the name can't be resolved.
        OnlyIpv6 = "onlyIPv6",
        /// Whatever the answer holds.
        Any = "any",
    }
}

impl DnsOptions {
    /// How long an answer is kept; five minutes unless said otherwise.
    ///
    /// # Errors
    /// `invalid DNS TTL: abc`.
    pub fn ttl(&self) -> Result<DnsTtl, String> {
        let Some(text) = &self.ttl_text else { return Ok(DnsTtl::For(Duration::from_secs(300))) };
        if text == "inf" {
            return Ok(DnsTtl::Forever);
        }
        match parse_span_or_millis(text, &mut Compat::new(true)) {
            Ok(span) if span.as_nanos() == 0 => Ok(DnsTtl::Off),
            Ok(span) if span.as_nanos() > 0 => Ok(DnsTtl::For(span.to_duration())),
            _ => Err(format!("invalid DNS TTL: {text}")),
        }
    }

    /// Which of several addresses is used.
    pub fn select(&self) -> DnsSelect {
        self.select.unwrap_or(DnsSelect::Random)
    }

    /// Which family is used.
    pub fn policy(&self) -> DnsPolicy {
        self.policy.unwrap_or(DnsPolicy::PreferIpv4)
    }

    /// Reads the flag's text: `ttl=5m,select=random,policy=preferIPv4`, any part of it.
    ///
    /// # Errors
    /// k6's message: `no value for key ttl=`, `unknown DNS configuration field: foo`, an unknown word.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut dns = Self::default();
        for part in list(text) {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            if !matches!(key, "ttl" | "select" | "policy") {
                return Err(format!("unknown DNS configuration field: {key}"));
            }
            if value.is_empty() {
                return Err(format!("no value for key {part}"));
            }
            match key {
                "ttl" => dns.ttl_text = Some(value.to_owned()),
                "select" => dns.select = Some(DnsSelect::parse(value)?),
                _ => dns.policy = Some(DnsPolicy::parse(value)?),
            }
        }
        Ok(dns)
    }
}

impl OptionValue for DnsOptions {
    const GO_TYPE: &'static str = "types.DNSConfig";

    fn from_json(value: &Value, key: &str, _notes: &mut Compat) -> Result<Self, Failure> {
        let object = value.as_object().ok_or_else(|| wrong_kind(value, key, Self::GO_TYPE))?;
        let mut dns = Self::default();
        for (name, item) in object.iter().filter(|(_, item)| !item.is_null()) {
            let word = || item.as_str().ok_or_else(|| wrong_kind(item, &format!("{key}.{name}"), "string"));
            match name.to_ascii_lowercase().as_str() {
                "ttl" if item.is_number() => dns.ttl_text = Some(item.to_string()),
                "ttl" => dns.ttl_text = Some(word()?.to_owned()),
                "select" => dns.select = Some(DnsSelect::parse(word()?).map_err(invalid)?),
                "policy" => dns.policy = Some(DnsPolicy::parse(word()?).map_err(invalid)?),
                // k6 ignores other keys here.
                _ => (),
            }
        }
        Ok(dns)
    }

    fn from_env(text: &str, _notes: &mut Compat) -> Result<Option<Self>, String> {
        if text.is_empty() { Ok(None) } else { Self::parse(text).map(Some) }
    }

    fn to_json(&self) -> Value {
        json!({
            "ttl": self.ttl_text,
            "select": self.select.map(DnsSelect::word),
            "policy": self.policy.map(DnsPolicy::word),
        })
    }

    fn absent() -> Value {
        Self::default().to_json()
    }

    fn over(self, lower: Option<Self>) -> Option<Self> {
        let lower = lower.unwrap_or_default();
        Some(Self {
            ttl_text: self.ttl_text.or(lower.ttl_text),
            select: self.select.or(lower.select),
            policy: self.policy.or(lower.policy),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dns_text_is_read() {
        let check = |text: &str, expect: &str| {
            let got = DnsOptions::parse(text).map_or_else(|error| error, |dns| dns.to_json().to_string());
            assert_eq!(got, expect, "{text}");
        };
        check("ttl=5m,select=first", r#"{"ttl":"5m","select":"first","policy":null}"#);
        check("ttl=", "no value for key ttl=");
        check("foo=1", "unknown DNS configuration field: foo");
        check("select=foo", "foo does not belong to DNSSelect values");
        check("policy=foo", "foo does not belong to DNSPolicy values");
    }

    #[test]
    fn ttl_is_read() {
        let check = |text: &str, expect: Result<DnsTtl, &str>| {
            let dns = DnsOptions { ttl_text: Some(text.to_owned()), ..DnsOptions::default() };
            assert_eq!(dns.ttl(), expect.map_err(str::to_owned), "{text}");
        };
        check("inf", Ok(DnsTtl::Forever));
        check("0", Ok(DnsTtl::Off));
        check("1500", Ok(DnsTtl::For(Duration::from_millis(1500))));
        check("1m", Ok(DnsTtl::For(Duration::from_secs(60))));
        check("abc", Err("invalid DNS TTL: abc"));
        check("-1s", Err("invalid DNS TTL: -1s"));
    }
}
