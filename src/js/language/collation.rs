//! The order of words as people have it: letters first, then accents, then case; the same in every place, as in k6.

use std::cmp::Ordering;
use std::sync::OnceLock;

use icu_collator::options::CollatorOptions;
use icu_collator::{Collator, CollatorBorrowed};

fn collator() -> Option<&'static CollatorBorrowed<'static>> {
    static COLLATOR: OnceLock<Option<CollatorBorrowed<'static>>> = OnceLock::new();
    let make = || Collator::try_new(Default::default(), CollatorOptions::default()).ok();
    COLLATOR.get_or_init(make).as_ref()
}

/// How two texts are ordered, given as UTF-8; what is not UTF-8 counts as U+FFFD.
#[cfg(feature = "quickjs")]
pub fn compare_utf8(a: &[u8], b: &[u8]) -> Ordering {
    collator().map_or_else(|| a.cmp(b), |collator| collator.compare_utf8(a, b))
}

/// How two texts are ordered, given as UTF-16.
#[cfg(feature = "boa")]
pub fn compare_utf16(a: &[u16], b: &[u16]) -> Ordering {
    collator().map_or_else(|| a.cmp(b), |collator| collator.compare_utf16(a, b))
}

/// How two texts are ordered, given as Latin-1.
#[cfg(feature = "boa")]
pub fn compare_latin1(a: &[u8], b: &[u8]) -> Ordering {
    collator().map_or_else(|| a.cmp(b), |collator| collator.compare_latin1(a, b))
}
