//! Tag sets: what a sample says about where it came from.
//!
//! Equal sets of one run are one allocation (the [`Interner`] sees to it), so a set is compared, hashed and kept by
//! address, and what is worked out for it once (which sub-metrics it matches, its JSON) is kept inside it. A set
//! that nothing refers to any more is forgotten: unbounded URLs cost no unbounded memory.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, OnceLock, Weak};

use hashbrown::HashTable;
use rustc_hash::FxHasher;
use smallvec::SmallVec;

use super::metric::MetricId;
use crate::units::quote::json_quote;
use crate::units::sync::lock;

/// Tags sorted by name, each name once; values may be empty (`group` at the root is).
#[derive(Debug)]
pub struct TagSet {
    /// Name, value, name, value, without anything between them.
    text: Box<str>,
    /// Where each of them ends.
    ends: Box<[u32]>,
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
        self.place(name).map(|place| self.tag(place).1)
    }

    /// All tags, sorted by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        (0..self.len()).map(|place| self.tag(place))
    }

    /// Where the tag with this name stands among the sorted ones.
    pub fn place(&self, name: &str) -> Option<usize> {
        let (mut from, mut to) = (0, self.len());
        while from < to {
            let middle = from.midpoint(to);
            match self.tag(middle).0.cmp(name) {
                Ordering::Equal => return Some(middle),
                Ordering::Less => from = middle + 1,
                Ordering::Greater => to = middle,
            }
        }
        None
    }

    /// Name and value of the tag at a place.
    ///
    /// # Panics
    /// There are fewer tags.
    pub fn tag(&self, place: usize) -> (&str, &str) {
        let end = |at: usize| self.ends[at] as usize;
        let from = if place == 0 { 0 } else { end(2 * place - 1) };
        let (middle, to) = (end(2 * place), end(2 * place + 1));
        (&self.text[from..middle], &self.text[middle..to])
    }

    fn len(&self) -> usize {
        self.ends.len() / 2
    }

    fn new(tags: &[(&str, &str)]) -> Self {
        let mut text = String::with_capacity(tags.iter().map(|(name, value)| name.len() + value.len()).sum());
        let mut ends = Vec::with_capacity(2 * tags.len());
        for part in tags.iter().flat_map(|(name, value)| [name, value]) {
            text.push_str(part);
            ends.push(u32::try_from(text.len()).unwrap_or_else(|_| panic!("tags of more than 4 GB")));
        }
        TagSet { text: text.into(), ends: ends.into(), routes: OnceLock::new(), json: OnceLock::new() }
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
    sets: Mutex<Sets>,
}

#[derive(Debug, Default)]
struct Sets {
    /// Each with its hash.
    table: HashTable<(u64, Weak<TagSet>)>,
    /// How many were still in use when those that are not were last swept out.
    live: usize,
}

/// Sets that nothing refers to are swept out when there are twice as many as after the last time, but not before there are so many.
const SWEEP_AT: usize = 512;

/// Each name once, sorted by name.
type SortedTags<'a> = SmallVec<[(&'a str, &'a str); 24]>;

impl Interner {
    /// The set of these tags; of a name given twice, the last value counts.
    pub fn set<'a>(&self, tags: impl IntoIterator<Item = (&'a str, &'a str)>) -> Arc<TagSet> {
        let mut list = SortedTags::new();
        for (key, value) in tags {
            put(&mut list, key, value);
        }
        self.intern(&list)
    }

    /// `base` with `more` on top: of a name in both, the value of `more` counts.
    pub fn extend<'a>(&self, base: &'a TagSet, more: impl IntoIterator<Item = (&'a str, &'a str)>) -> Arc<TagSet> {
        let mut list: SortedTags<'a> = base.iter().collect();
        for (key, value) in more {
            put(&mut list, key, value);
        }
        self.intern(&list)
    }

    /// `base` without the tag `name`.
    pub fn without(&self, base: &TagSet, name: &str) -> Arc<TagSet> {
        self.intern(&base.iter().filter(|(key, _)| *key != name).collect::<SortedTags>())
    }

    fn intern(&self, tags: &[(&str, &str)]) -> Arc<TagSet> {
        let mut hasher = FxHasher::default();
        tags.hash(&mut hasher);
        let hash = hasher.finish();
        let mut sets = lock(&self.sets);
        // What two threads make at once is looked for under the lock, so the table never has a set twice that is in use.
        let mut known =
            sets.table.iter_hash(hash).filter(|known| known.0 == hash).filter_map(|known| known.1.upgrade());
        if let Some(set) = known.find(|set| set.iter().eq(tags.iter().copied())) {
            return set;
        }
        if sets.table.len() >= SWEEP_AT.max(2 * sets.live) {
            sets.table.retain(|(_, set)| set.strong_count() > 0);
            sets.live = sets.table.len();
        }
        let set = Arc::new(TagSet::new(tags));
        sets.table.insert_unique(hash, (hash, Arc::downgrade(&set)), |known| known.0);
        set
    }
}

fn put<'a>(list: &mut SortedTags<'a>, key: &'a str, value: &'a str) {
    match list.binary_search_by(|(old, _)| (*old).cmp(key)) {
        Ok(at) => list[at].1 = value,
        Err(at) => list.insert(at, (key, value)),
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
        assert_eq!(interner.set([]).json(), "{}");
    }

    #[test]
    fn names_and_values_are_kept_apart() {
        let interner = Interner::default();
        let (a, b) = (interner.set([("a", "bc"), ("d", "")]), interner.set([("ab", "c"), ("d", "")]));
        assert!(!Arc::ptr_eq(&a, &b));
        assert_eq!((a.get("a"), a.get("ab"), a.get("d"), a.get("e")), (Some("bc"), None, Some(""), None));
        assert_eq!((b.get("a"), b.get("ab"), b.place("d"), b.tag(1)), (None, Some("c"), Some(1), ("d", "")));
        let many: Vec<_> = (0..300).map(|number| (format!("{number:03}"), number.to_string())).collect();
        let set = interner.set(many.iter().rev().map(|(name, value)| (name.as_str(), value.as_str())));
        assert!(many.iter().all(|(name, value)| set.get(name) == Some(value)));
    }

    #[test]
    fn what_is_not_used_any_more_is_forgotten() {
        let interner = Interner::default();
        let kept: Vec<_> = (0..SWEEP_AT).map(|number| interner.set([("kept", number.to_string().as_str())])).collect();
        for number in 0..100 * SWEEP_AT {
            interner.set([("url", number.to_string().as_str())]);
            assert!(lock(&interner.sets).table.len() <= 3 * SWEEP_AT);
        }
        let again = interner.set([("kept", "7")]);
        assert!(Arc::ptr_eq(&kept[7], &again));
    }
}
