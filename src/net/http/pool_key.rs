//! Where a connection leads: what a pool finds it by.

use super::proto::url::Url;

/// Where a connection leads. Equal are those that lead to one place, however that was written.
#[derive(Clone, Debug)]
pub struct PoolKey {
    is_https: bool,
    host: Box<str>,
    port: Box<str>,
    /// Host and port as they were written first: most URLs are written like the one before.
    written: Box<str>,
}

impl PoolKey {
    /// Where a URL leads.
    pub fn new(url: &Url) -> Self {
        Self {
            is_https: url.is_https(),
            host: url.hostname().to_lowercase().into(),
            port: url.port_or_default().into(),
            written: url.host().into(),
        }
    }

    /// True when a URL leads there.
    pub fn fits(&self, url: &Url) -> bool {
        self.is_https == url.is_https()
            && (*self.written == *url.host()
                || *self.port == *url.port_or_default() && self.host.eq_ignore_ascii_case(url.hostname()))
    }
}

impl PartialEq for PoolKey {
    fn eq(&self, other: &Self) -> bool {
        (self.is_https, &self.host, &self.port) == (other.is_https, &other.host, &other.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_known_however_it_is_written() {
        for (one, other, expect) in [
            ("http://a.example/x", "http://a.example/y?z", true),
            ("http://a.example", "http://A.Example:80/", true),
            ("https://u:p@a.example:443", "https://a.example", true),
            ("http://[::1]:8080", "http://[::1]:8080/", true),
            ("http://a.example:443", "https://a.example:443", false),
            ("http://a.example:443", "https://a.example", false),
            ("http://a.example:8080", "http://a.example:8081", false),
            ("http://a.example", "http://b.example", false),
        ] {
            let [one, other] = [one, other].map(|url| Url::parse(url).unwrap());
            for (one, other) in [(&one, &other), (&other, &one)] {
                let key = PoolKey::new(one);
                assert_eq!((key.fits(other), key == PoolKey::new(other)), (expect, expect), "{one:?} and {other:?}");
            }
        }
    }
}
