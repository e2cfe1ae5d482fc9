//! The groups and checks of a run, each with its counts, in order of first appearance.
//!
//! A group appears when it ends or when a check inside it is made; paths look like `::outer::inner`.

use std::sync::Arc;

use data_encoding::HEXLOWER;
use md5::{Digest, Md5};
use rustc_hash::FxHashMap;

use super::delta::CheckDelta;

/// A group: its place in the tree, its checks, its inner groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupResult {
    /// Its own name; empty for the root.
    pub name: Arc<str>,
    /// Its path, as in `::outer::inner`; empty for the root.
    pub path: Arc<str>,
    /// Groups inside it.
    pub groups: Vec<GroupResult>,
    /// Checks made in it.
    pub checks: Vec<CheckResult>,
}

/// A check and how often it passed and failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckResult {
    /// Its name.
    pub name: Arc<str>,
    /// Its path: that of its group, then its name.
    pub path: Arc<str>,
    /// How often it passed.
    pub passes: u64,
    /// How often it failed.
    pub fails: u64,
}

/// The id k6 gives groups and checks: the MD5 of the path, in hex.
pub fn id(path: &str) -> String {
    HEXLOWER.encode(&Md5::digest(path.as_bytes()))
}

/// Groups and checks while a run goes on, by number.
#[derive(Debug)]
pub(super) struct GroupTree {
    groups: Vec<GroupEntry>,
    checks: Vec<CheckEntry>,
    group_at: FxHashMap<Arc<str>, usize>,
    check_at: FxHashMap<Arc<str>, usize>,
    /// How many groups [`Self::take_added`] has told of.
    told: usize,
}

#[derive(Debug)]
struct GroupEntry {
    name: Arc<str>,
    path: Arc<str>,
    parent: usize,
}

#[derive(Debug)]
struct CheckEntry {
    group: usize,
    name: Arc<str>,
    path: Arc<str>,
    passes: u64,
    fails: u64,
    /// The passes and fails that [`GroupTree::take_added`] has told of.
    told: (u64, u64),
}

impl GroupTree {
    pub(super) fn new() -> Self {
        let root = GroupEntry { name: "".into(), path: "".into(), parent: 0 };
        let (group_at, check_at) = (FxHashMap::default(), FxHashMap::default());
        Self { groups: vec![root], checks: Vec::new(), group_at, check_at, told: 1 }
    }

    /// The number of the group at this path; with the groups around it, it appears now if it is new.
    ///
    /// What is no path (a script may set the tag to anything) is the root.
    pub(super) fn group(&mut self, path: &str) -> usize {
        if !path.starts_with("::") {
            return 0;
        }
        if let Some(known) = self.group_at.get(path) {
            return *known;
        }
        let (around, name) = path.rsplit_once("::").unwrap_or_default();
        let parent = self.group(around);
        let path: Arc<str> = path.into();
        self.groups.push(GroupEntry { name: name.into(), path: path.clone(), parent });
        self.group_at.insert(path, self.groups.len() - 1);
        self.groups.len() - 1
    }

    /// The number of a check in the group at this path; it appears now if it is new.
    pub(super) fn check(&mut self, group: &str, name: &str) -> usize {
        let group = self.group(group);
        let path: Arc<str> = format!("{}::{name}", self.groups[group].path).into();
        let next = self.checks.len();
        let known = *self.check_at.entry(path.clone()).or_insert(next);
        if known == next {
            self.checks.push(CheckEntry { group, name: name.into(), path, passes: 0, fails: 0, told: (0, 0) });
        }
        known
    }

    /// Counts a check.
    pub(super) fn count(&mut self, check: usize, passed: bool) {
        let check = &mut self.checks[check];
        if passed {
            check.passes += 1;
        } else {
            check.fails += 1;
        }
    }

    /// What was counted since the last call, or `whole`: all there is; and new groups, each by a check without a name.
    pub(super) fn take_added(&mut self, whole: bool) -> Vec<CheckDelta> {
        let known = if whole { 1 } else { self.told };
        self.told = self.groups.len();
        let groups = self.groups[known..].iter();
        let mut added: Vec<CheckDelta> = groups
            .map(|group| CheckDelta { group: group.path.clone(), name: "".into(), passes: 0, fails: 0 })
            .collect();
        for check in &mut self.checks {
            let (passes, fails) = if whole { (0, 0) } else { check.told };
            check.told = (check.passes, check.fails);
            let (group, name) = (self.groups[check.group].path.clone(), check.name.clone());
            let delta = CheckDelta { group, name, passes: check.passes - passes, fails: check.fails - fails };
            added.extend(Some(delta).filter(|delta| delta.passes + delta.fails > 0));
        }
        added
    }

    /// Adds what another instance counted.
    pub(super) fn absorb(&mut self, CheckDelta { group, name, passes, fails }: &CheckDelta) {
        if name.is_empty() && passes + fails == 0 {
            self.group(group);
            return;
        }
        let at = self.check(group, name);
        self.checks[at].passes += passes;
        self.checks[at].fails += fails;
    }

    /// The whole tree.
    pub(super) fn tree(&self) -> GroupResult {
        self.branch(0)
    }

    /// All checks by name, whatever their group, in order of first appearance.
    pub(super) fn flat(&self) -> Vec<CheckResult> {
        let mut flat: Vec<CheckResult> = Vec::new();
        let mut at: FxHashMap<&str, usize> = FxHashMap::default();
        for check in &self.checks {
            let place = *at.entry(&check.name).or_insert(flat.len());
            match flat.get_mut(place) {
                Some(known) => {
                    known.passes += check.passes;
                    known.fails += check.fails;
                }
                None => flat.push(check.shown()),
            }
        }
        flat
    }

    fn branch(&self, at: usize) -> GroupResult {
        let GroupEntry { name, path, .. } = &self.groups[at];
        let inner = (1..self.groups.len()).filter(|inner| self.groups[*inner].parent == at);
        GroupResult {
            name: name.clone(),
            path: path.clone(),
            groups: inner.map(|inner| self.branch(inner)).collect(),
            checks: self.checks.iter().filter(|check| check.group == at).map(CheckEntry::shown).collect(),
        }
    }
}

impl CheckEntry {
    fn shown(&self) -> CheckResult {
        CheckResult { name: self.name.clone(), path: self.path.clone(), passes: self.passes, fails: self.fails }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_the_md5_of_the_path() {
        let check = |path: &str, expect: &str| assert_eq!(id(path), expect);
        check("", "d41d8cd98f00b204e9800998ecf8427e");
        check("::a check", "f1356f0c0c7ed1d508da58a4e8fee7c0");
        check("::a group::žluť", "ae42167bd72c192009aaf708af277a5c");
    }

    #[test]
    fn grows_a_tree_in_order_of_appearance() {
        let mut groups = GroupTree::new();
        for (group, name, passed) in [
            ("", "root", true),
            ("::beta", "inside", true),
            ("::beta::deep", "inside", false),
            ("::alpha", "other", true),
            ("", "root", false),
            ("no path", "odd", true),
        ] {
            let check = groups.check(group, name);
            groups.count(check, passed);
        }
        fn shown(group: &GroupResult) -> String {
            let checks: Vec<_> =
                group.checks.iter().map(|check| format!("{} {}/{}", check.path, check.passes, check.fails)).collect();
            let groups: Vec<_> = group.groups.iter().map(shown).collect();
            format!("{}[{}]({})", group.name, checks.join(","), groups.join(","))
        }
        assert_eq!(
            shown(&groups.tree()),
            "[::root 1/1,::odd 1/0](beta[::beta::inside 1/0](deep[::beta::deep::inside 0/1]()),alpha[::alpha::other 1/0]())"
        );
        let mut others = GroupTree::new();
        for whole in [false, false, true] {
            groups.take_added(whole).iter().for_each(|delta| others.absorb(delta));
        }
        // Nothing was added between the first and the second time, and the third time it was all.
        groups.checks.iter_mut().for_each(|check| (check.passes, check.fails) = (2 * check.passes, 2 * check.fails));
        assert_eq!(shown(&others.tree()), shown(&groups.tree()));
        groups.checks.iter_mut().for_each(|check| (check.passes, check.fails) = (check.passes / 2, check.fails / 2));
        let flat: Vec<_> = groups.flat().iter().map(|c| format!("{} {}/{}", c.name, c.passes, c.fails)).collect();
        assert_eq!(flat, ["root 1/1", "inside 1/1", "other 1/0", "odd 1/0"]);
    }
}
