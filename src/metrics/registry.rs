//! The metrics of one run, by name: built-in ones first, then what the script declares in its init code.

use std::sync::{Arc, RwLock};

use rustc_hash::FxHashMap;

use super::builtin;
use super::metric::{Contains, Metric, MetricId, MetricType};
use crate::units::sync::{read, write};

/// All metrics of a run. Shared by all threads; grows only while init code runs.
#[derive(Debug)]
pub struct Registry {
    inner: RwLock<RegistryState>,
}

#[derive(Debug, Default)]
struct RegistryState {
    list: Vec<Metric>,
    by_name: FxHashMap<Arc<str>, MetricId>,
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl Registry {
    /// A registry that holds the built-in metrics, at the places `builtin` names.
    pub fn new() -> Self {
        let registry = Self { inner: RwLock::default() };
        for (expected, (name, kind, contains)) in builtin::TABLE.iter().enumerate() {
            let id = registry.declare(name, *kind, *contains).unwrap_or(MetricId(u16::MAX));
            debug_assert_eq!(usize::from(id.0), expected);
        }
        registry
    }

    /// Declares a metric, or finds the one that has this name, type and meaning already.
    ///
    /// # Errors
    /// k6's message when the name is malformed or taken by a metric of another kind.
    pub fn declare(&self, name: &str, kind: MetricType, contains: Contains) -> Result<MetricId, String> {
        if !is_valid_name(name) {
            return Err(format!(
                "Invalid metric name: '{name}'. Metric names must only include up to 128 ASCII letters, numbers, \
                 or underscores and start with a letter or an underscore."
            ));
        }
        let mut inner = write(&self.inner);
        if let Some(&id) = inner.by_name.get(name) {
            let old = &inner.list[usize::from(id.0)];
            if old.kind != kind {
                let (old, new) = (old.kind.word(), kind.word());
                return Err(format!("metric '{name}' already exists but with type {old}, instead of {new}"));
            }
            if old.contains != contains {
                let (old, new) = (old.contains.word(), contains.word());
                return Err(format!("metric '{name}' already exists but with a value type {old}, instead of {new}"));
            }
            return Ok(id);
        }
        let id = u16::try_from(inner.list.len()).map(MetricId).map_err(|_| "too many metrics".to_owned())?;
        let name: Arc<str> = name.into();
        inner.list.push(Metric { id, name: name.clone(), kind, contains });
        inner.by_name.insert(name, id);
        Ok(id)
    }

    /// The names of all metrics.
    pub fn names(&self) -> Vec<Arc<str>> {
        read(&self.inner).list.iter().map(|metric| metric.name.clone()).collect()
    }

    /// The metric of this name.
    pub fn find(&self, name: &str) -> Option<Metric> {
        let inner = read(&self.inner);
        inner.by_name.get(name).map(|id| inner.list[usize::from(id.0)].clone())
    }

    /// The metric at this place.
    pub fn get(&self, id: MetricId) -> Option<Metric> {
        let inner = read(&self.inner);
        inner.list.get(usize::from(id.0)).cloned()
    }

    /// All metrics, in order of declaration.
    pub fn all(&self) -> Vec<Metric> {
        read(&self.inner).list.clone()
    }
}

/// k6's rule: two to 129 ASCII letters, digits or underscores, the first no digit.
fn is_valid_name(name: &str) -> bool {
    let mut chars = name.bytes();
    chars.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && (2..=129).contains(&name.len())
        && chars.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
