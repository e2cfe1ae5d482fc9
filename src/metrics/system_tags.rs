//! The tags a run adds to samples by itself, and which of them are switched on.

/// Every system tag: its name, and whether it is on unless the user says otherwise. Sorted by name.
pub const TABLE: [(&str, bool); 18] = [
    ("check", true),
    ("error", true),
    ("error_code", true),
    ("expected_response", true),
    ("group", true),
    ("ip", false),
    ("iter", false),
    ("method", true),
    ("name", true),
    ("ocsp_status", false),
    ("proto", true),
    ("scenario", true),
    ("service", true),
    ("status", true),
    ("subproto", true),
    ("tls_version", true),
    ("url", true),
    ("vu", false),
];

/// One system tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SystemTag {
    Check,
    Error,
    ErrorCode,
    ExpectedResponse,
    Group,
    Ip,
    Iter,
    Method,
    Name,
    OcspStatus,
    Proto,
    Scenario,
    Service,
    Status,
    Subproto,
    TlsVersion,
    Url,
    Vu,
}

impl SystemTag {
    /// Its name, as it stands on samples.
    pub const fn name(self) -> &'static str {
        TABLE[self as usize].0
    }
}

/// The system tags that are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemTags(u32);

impl Default for SystemTags {
    fn default() -> Self {
        let on = TABLE.iter().enumerate().filter(|(_, (_, default))| *default);
        Self(on.fold(0, |set, (place, _)| set | 1 << place))
    }
}

impl SystemTags {
    /// No system tag at all.
    pub const NONE: Self = Self(0);

    /// The tags of these names; unknown names are ignored, as in k6, and blanks are part of a name.
    pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let places = names.into_iter().filter_map(|name| TABLE.iter().position(|(known, _)| *known == name));
        Self(places.fold(0, |set, place| set | 1 << place))
    }

    /// Whether this tag is on.
    pub const fn has(self, tag: SystemTag) -> bool {
        self.0 & (1 << tag as u32) != 0
    }

    /// The names of the tags that are on, sorted.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        TABLE.iter().enumerate().filter(move |(place, _)| self.0 & (1 << place) != 0).map(|(_, (name, _))| *name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_set_leaves_out_what_has_many_values() {
        let off: Vec<_> = TABLE
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| !SystemTags::default().names().any(|on| on == *name))
            .collect();
        assert_eq!(off, ["ip", "iter", "ocsp_status", "vu"]);
        assert!(SystemTags::default().has(SystemTag::Url));
        assert_eq!((SystemTag::Vu.name(), SystemTag::ExpectedResponse.name()), ("vu", "expected_response"));
    }

    #[test]
    fn unknown_names_are_ignored() {
        let check = |names: &[&str], expect: &[&str]| {
            assert_eq!(SystemTags::parse(names.iter().copied()).names().collect::<Vec<_>>(), expect);
        };
        check(&["url", "no_such_tag", "method", " status"], &["method", "url"]);
        check(&[], &[]);
    }
}
