//! The secrets of import addresses: user names, passwords, tokens. Everywhere a module is identified by its address
//! without them, so that no error, stack, log, archive, list or cache contains any; only the fetch uses the whole address.

use std::collections::BTreeMap;

use crate::units::redact::{MASK, push_authority, push_path, split_authority};

/// Addresses as they are shown, and as they are.
#[derive(Debug, Default)]
pub(super) struct Concealed {
    /// `****:****@host`, and what it stands for.
    authorities: BTreeMap<String, String>,
    /// Paths with masked parameters, by host and path as they are shown.
    paths: BTreeMap<String, String>,
}

const SCHEME: &str = "https://";

impl Concealed {
    /// The address by which a module is known. Two that differ in nothing but their secrets stay two: the mask of the
    /// second is `****2`.
    pub(super) fn conceal(&mut self, url: &str) -> String {
        let Some(address) = url.strip_prefix(SCHEME) else { return url.to_owned() };
        let (authority, path) = split_authority(address);
        let authority = match authority.rsplit_once('@') {
            Some((user, _)) if !is_masked(user) => {
                first_free(&mut self.authorities, authority, |mask| shown(push_authority, authority, mask))
            }
            _ => authority.to_owned(),
        };
        if is_masked_path(path) || shown(push_path, path, MASK) == path {
            return format!("{SCHEME}{authority}{path}");
        }
        let path = first_free(&mut self.paths, path, |mask| format!("{authority}{}", shown(push_path, path, mask)));
        format!("{SCHEME}{path}")
    }

    /// The address to fetch.
    pub(super) fn reveal(&self, url: &str) -> String {
        let Some(address) = url.strip_prefix(SCHEME) else { return url.to_owned() };
        let (authority, path) = split_authority(address);
        let path = self.paths.get(address).map_or(path, String::as_str);
        let authority = self.authorities.get(authority).map_or(authority, String::as_str);
        format!("{SCHEME}{authority}{path}")
    }
}

/// The first form that stands for nothing else.
fn first_free(known: &mut BTreeMap<String, String>, real: &str, form: impl Fn(&str) -> String) -> String {
    let mut number = 1;
    loop {
        let shown = if number == 1 { form(MASK) } else { form(&format!("{MASK}{number}")) };
        if known.entry(shown.clone()).or_insert_with(|| real.to_owned()) == real {
            return shown;
        }
        number += 1;
    }
}

fn shown(push: fn(&mut String, &str, &str), part: &str, mask: &str) -> String {
    let mut shown = String::new();
    push(&mut shown, part, mask);
    shown
}

/// Whether something is nothing but our mask: `****`, `****2`.
fn is_masked(text: &str) -> bool {
    let is_mask =
        |part: &str| part.strip_prefix(MASK).is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
    text.split(':').all(is_mask)
}

/// Whether all that would be masked is.
fn is_masked_path(path: &str) -> bool {
    let Some((_, query)) = path.split_once('?') else { return false };
    let mut pairs = query.split('#').next().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    let secret = pairs.find(|(name, value)| !value.is_empty() && crate::units::redact::is_secret(name));
    secret.is_some_and(|(_, value)| is_masked(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shown_without_secrets_and_fetched_with_them() {
        let mut concealed = Concealed::default();
        let mut check = |url: &str, expect: &str| {
            let shown = concealed.conceal(url);
            assert_eq!(shown, expect, "{url}");
            assert_eq!(concealed.conceal(&shown), shown, "{url}");
            assert_eq!(concealed.reveal(&shown), url);
        };
        check("https://h/x.js?v=1", "https://h/x.js?v=1");
        check("https://u:p@h/a/x.js", "https://****:****@h/a/x.js");
        check("https://u:p@h/a/x.js?token=1", "https://****:****@h/a/x.js?token=****");
        check("https://u:q@h/a/x.js", "https://****2:****2@h/a/x.js");
        check("https://u:q@h/a/x.js?token=1", "https://****2:****2@h/a/x.js?token=****");
        check("https://h/x?token=1&v=2", "https://h/x?token=****&v=2");
        check("https://h/x?token=2&v=2", "https://h/x?token=****2&v=2");
        check("https://h/x?token=1&v=2", "https://h/x?token=****&v=2");
        check("file:///a?token=1", "file:///a?token=1");
        // What is beside a file is fetched as it is.
        assert_eq!(concealed.reveal("https://****:****@h/a/y.js"), "https://u:p@h/a/y.js");
        assert_eq!(concealed.reveal("https://****2:****2@h/y.js?token=x"), "https://u:q@h/y.js?token=x");
    }
}
