//! Addresses in options: networks that may not be called, and own addresses to call from.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde_json::Value;

use super::Compat;
use super::value::{OptionValue, array, invalid, list, string};
use crate::failure::Failure;

/// A network, such as `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    network: IpAddr,
    prefix: u32,
}

/// The address as a number in the 128-bit space, its family's width, and how to get back.
fn bits(ip: IpAddr) -> (u128, u32) {
    match ip {
        IpAddr::V4(ip) => (u128::from(ip.to_bits()), 32),
        IpAddr::V6(ip) => (ip.to_bits(), 128),
    }
}

fn ip_from(bits: u128, width: u32) -> IpAddr {
    match width {
        32 => IpAddr::V4(Ipv4Addr::from_bits(bits as u32)),
        _ => IpAddr::V6(Ipv6Addr::from_bits(bits)),
    }
}

impl Cidr {
    /// Reads a network; host bits are cleared.
    ///
    /// # Errors
    /// Go's message: `invalid CIDR address: 10.0.0.1`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let invalid = || format!("invalid CIDR address: {text}");
        let (ip, prefix) = text.split_once('/').ok_or_else(invalid)?;
        let ip: IpAddr = ip.parse().map_err(|_| invalid())?;
        let prefix: u32 = prefix.parse().map_err(|_| invalid())?;
        let (number, width) = bits(ip);
        if prefix > width {
            return Err(invalid());
        }
        let size = width - prefix;
        let cleared = if size == 128 { 0 } else { number >> size << size };
        Ok(Self { network: ip_from(cleared, width), prefix })
    }

    /// The network's address and how many of its bits count.
    pub fn parts(&self) -> (IpAddr, u8) {
        (self.network, self.prefix as u8)
    }
}

impl std::fmt::Display for Cidr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

impl OptionValue for Vec<Cidr> {
    const GO_TYPE: &'static str = "[]*lib.IPNet";

    fn from_json(value: &Value, key: &str, _notes: &mut Compat) -> Result<Self, Failure> {
        let read = |item| {
            let text = string(item, key, "string")?;
            Cidr::parse(text).map_err(|error| invalid(format!("failed to parse CIDR '{text}': {error}")))
        };
        array(value, key, Self::GO_TYPE)?.iter().map(read).collect()
    }

    fn from_env(text: &str, _notes: &mut Compat) -> Result<Option<Self>, String> {
        if text.is_empty() {
            return Ok(None);
        }
        let read = |item| Cidr::parse(item).map_err(|error| format!("failed to parse CIDR '{item}': {error}"));
        list(text).map(read).collect::<Result<_, _>>().map(Some)
    }

    fn to_json(&self) -> Value {
        self.iter().map(|cidr| Value::from(cidr.to_string())).collect()
    }
}

/// Own addresses to connect from; VU `n` uses the one at `(n - 1) mod size`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalIps {
    text: String,
    /// First address and count of each block, and the width of its family.
    blocks: Vec<(u128, u128, u32)>,
}

impl LocalIps {
    /// Reads a comma-separated list of `ip`, `ip1-ip2` and networks.
    ///
    /// # Errors
    /// k6's message, such as `300.1.1.1 is not a valid IP, IP range or CIDR`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let blocks = text.split(',').map(block).collect::<Result<_, _>>()?;
        Ok(Self { text: text.to_owned(), blocks })
    }

    /// The address VU `id` (from 1, within this instance) connects from.
    pub fn of_vu(&self, id: u64) -> Option<IpAddr> {
        let size: u128 = self.blocks.iter().map(|block| block.1).fold(0, u128::saturating_add);
        let mut at = u128::from(id.checked_sub(1)?).checked_rem(size)?;
        for (first, count, width) in &self.blocks {
            if at < *count {
                return Some(ip_from(first + at, *width));
            }
            at -= count;
        }
        None
    }
}

fn block(text: &str) -> Result<(u128, u128, u32), String> {
    if let Some((first, last)) = text.split_once('-') {
        let read = |ip: &str| ip.parse::<IpAddr>().map_err(|_| format!("wrong IP range format: {text}"));
        let (first, last) = (bits(read(first)?), bits(read(last)?));
        if first.1 != last.1 {
            return Err(format!("mixed IP range format: {text}"));
        }
        let beyond = last.0.checked_sub(first.0).ok_or_else(|| format!("negative IP range: {text}"))?;
        return Ok((first.0, beyond.saturating_add(1), first.1));
    }
    let refused = || format!("{text} is not a valid IP, IP range or CIDR");
    if !text.contains('/') {
        let (ip, width) = bits(text.parse().map_err(|_| refused())?);
        return Ok((ip, 1, width));
    }
    let cidr = Cidr::parse(text).map_err(|_| refused())?;
    let (first, width) = bits(cidr.network);
    let count = 1u128.checked_shl(width - cidr.prefix).unwrap_or(u128::MAX);
    // The network's own address and its broadcast address belong to no host.
    Ok(if width == 32 && count > 2 { (first + 1, count - 2, width) } else { (first, count, width) })
}

impl OptionValue for LocalIps {
    const GO_TYPE: &'static str = "types.NullIPPool";

    fn from_json(value: &Value, key: &str, _notes: &mut Compat) -> Result<Self, Failure> {
        Self::parse(string(value, key, "string")?).map_err(invalid)
    }

    fn from_env(text: &str, _notes: &mut Compat) -> Result<Option<Self>, String> {
        if text.is_empty() { Ok(None) } else { Self::parse(text).map(Some) }
    }

    fn to_json(&self) -> Value {
        Value::from(self.text.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_have_no_host_bits() {
        assert_eq!(Cidr::parse("10.1.2.3/8").unwrap().to_string(), "10.0.0.0/8");
        assert_eq!(Cidr::parse("10.0.0.1"), Err("invalid CIDR address: 10.0.0.1".to_owned()));
    }

    #[test]
    fn vus_share_out_local_addresses() {
        let check = |text: &str, expect: &str| {
            let got = LocalIps::parse(text).map_or_else(
                |error| error,
                |pool| (1..=4).filter_map(|vu| Some(pool.of_vu(vu)?.to_string())).collect::<Vec<_>>().join(" "),
            );
            assert_eq!(got, expect, "{text}");
        };
        check("1.1.1.1,1.1.1.5-1.1.1.6", "1.1.1.1 1.1.1.5 1.1.1.6 1.1.1.1");
        check("10.0.0.0/30", "10.0.0.1 10.0.0.2 10.0.0.1 10.0.0.2");
        check("10.0.0.0/31", "10.0.0.0 10.0.0.1 10.0.0.0 10.0.0.1");
        check("fd00::/126", "fd00:: fd00::1 fd00::2 fd00::3");
        check("300.1.1.1", "300.1.1.1 is not a valid IP, IP range or CIDR");
        check("1.1.1.9-1.1.1.1", "negative IP range: 1.1.1.9-1.1.1.1");
        check("1.1.1.9-a", "wrong IP range format: 1.1.1.9-a");
        check("1.1.1.9-::1", "mixed IP range format: 1.1.1.9-::1");
    }
}
