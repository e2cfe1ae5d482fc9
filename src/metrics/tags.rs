//! Tag sets: what a sample says about where it came from.
//!
//! Equal sets of one run are one allocation (the [`Interner`] sees to it), so a set is compared, hashed and kept by
//! address, and what is worked out for it once (which sub-metrics it matches, its JSON) is kept inside it. A set
//! that nothing refers to any more is forgotten: unbounded URLs cost no unbounded memory.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, OnceLock, Weak};

use rustc_hash::{FxHashMap, FxHasher};
use smallvec::SmallVec;

use super::metric::MetricId;
use crate::units::quote::json_quote;
use crate::units::sync::lock;

/// Tags sorted by name, each name once; values may be empty (`group` at the root is).
#[derive(Debug)]
pub struct TagSet {
    tags: Box<[(Arc<str>, Arc<str>)]>,
    /// Where samples with this set go besides their metric: filled by the ledger on first sight.
    pub(super) routes: OnceLock<Routes>,
    /// The set as a JSON object, for outputs that write it often.
    json: OnceLock<Box<str>>,
}

/// Samples of `metric` with this tag set also belong to a sub-metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The metric the sample is of.
    pub metric: MetricId,
    /// The ledger's number of the sub-metric.
    pub submetric: u32,
}

/// Where samples with one tag set go besides their metric, worked out once so that no sample needs a look-up.
#[derive(Debug, Default)]
pub(super) struct Routes {
    /// The sub-metrics the set matches.
    pub(super) submetrics: Box<[Route]>,
    /// Whether a request with the set got an answer, once a time of one was seen.
    pub(super) has_answer: OnceLock<bool>,
    /// The ledger's sections (a scenario, a group of it) that the set belongs to.
    pub(super) sections: SmallVec<[u32; 2]>,
    /// The ledger's number of the set's group, once a group or check was seen in it.
    pub(super) group: OnceLock<usize>,
    /// The ledger's number of the set's check, once one was seen.
    pub(super) check: OnceLock<usize>,
    /// The ledger's number of the set's endpoint, once a request was seen.
    pub(super) endpoint: OnceLock<u32>,
    /// The ledger's number of the error of the set's requests, once one was seen.
    pub(super) error: OnceLock<u32>,
    /// The ledger's number of the status of the set's requests, once one was seen.
    pub(super) status: OnceLock<u32>,
}

/// Facts about a sample that never select or group it (`vu`, `iter`), sorted by name.
pub type SampleMetadata = Arc<[(Arc<str>, Arc<str>)]>;

impl TagSet {
    /// The value of a tag.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.tags.binary_search_by(|(key, _)| (**key).cmp(name)).ok().map(|at| &*self.tags[at].1)
    }

    /// All tags, sorted by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.tags.iter().map(|(key, value)| (&**key, &**value))
    }

    /// The set as JSON text, `{"group":"","method":"GET"}`; worked out once.
    pub fn json(&self) -> &str {
        self.json.get_or_init(|| {
            let mut text = String::from("{");
            for (place, (key, value)) in self.iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                json_quote(key, &mut text);
                text.push(':');
                json_quote(value, &mut text);
            }
            text.push('}');
            text.into()
        })
    }
}

/// Makes tag sets, one allocation per distinct set.
#[derive(Debug, Default)]
pub struct Interner {
    sets: Mutex<FxHashMap<u64, Vec<Weak<TagSet>>>>,
}

/// Dead entries are swept when the table has doubled since the last sweep, but not before it holds this many.
const SWEEP_AT: usize = 4096;

impl Interner {
    /// The set of these tags; of a name given twice, the last value counts.
    pub fn set<'a>(&self, tags: impl IntoIterator<Item = (&'a str, &'a str)>) -> Arc<TagSet> {
        let mut list: Vec<(Arc<str>, Arc<str>)> = Vec::new();
        for (key, value) in tags {
            put(&mut list, key, value);
        }
        self.intern(list)
    }

    /// `base` with `more` on top: of a name in both, the value of `more` counts.
    pub fn extend<'a>(&self, base: &Arc<TagSet>, more: impl IntoIterator<Item = (&'a str, &'a str)>) -> Arc<TagSet> {
        let mut list = base.tags.to_vec();
        for (key, value) in more {
            put(&mut list, key, value);
        }
        self.intern(list)
    }

    /// `base` without the tag `name`.
    pub fn without(&self, base: &Arc<TagSet>, name: &str) -> Arc<TagSet> {
        self.intern(base.tags.iter().filter(|(key, _)| &**key != name).cloned().collect())
    }

    fn intern(&self, tags: Vec<(Arc<str>, Arc<str>)>) -> Arc<TagSet> {
        let mut hasher = FxHasher::default();
        tags.hash(&mut hasher);
        let hash = hasher.finish();
        let mut sets = lock(&self.sets);
        if sets.len() >= SWEEP_AT && sets.len() == sets.capacity() {
            sets.retain(|_, bucket| {
                bucket.retain(|set| set.strong_count() > 0);
                !bucket.is_empty()
            });
        }
        let bucket = sets.entry(hash).or_default();
        if let Some(set) = bucket.iter().filter_map(Weak::upgrade).find(|set| *set.tags == *tags) {
            return set;
        }
        bucket.retain(|set| set.strong_count() > 0);
        let set = Arc::new(TagSet { tags: tags.into(), routes: OnceLock::new(), json: OnceLock::new() });
        bucket.push(Arc::downgrade(&set));
        set
    }
}

fn put(list: &mut Vec<(Arc<str>, Arc<str>)>, key: &str, value: &str) {
    match list.binary_search_by(|(old, _)| (**old).cmp(key)) {
        Ok(at) => list[at].1 = value.into(),
        Err(at) => list.insert(at, (key.into(), value.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_sets_are_one() {
        let interner = Interner::default();
        let a = interner.set([("b", "2"), ("a", "1")]);
        let b = interner.extend(&interner.set([("a", "0")]), [("a", "1"), ("b", "2")]);
        assert!(Arc::ptr_eq(&a, &b));
        assert_eq!(a.json(), r#"{"a":"1","b":"2"}"#);
        assert_eq!(a.get("b"), Some("2"));
        assert_eq!(interner.without(&a, "b").json(), r#"{"a":"1"}"#);
    }
}
