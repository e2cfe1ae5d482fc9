//! Arrays that all VUs share, each kept once in a process, for `k6/data` and `k6/experimental/csv`.
//!
//! An element is JSON text; every read makes a copy. The array as scripts see it, immutable and with deeply
//! frozen elements, is js-stdlib's.

use std::rc::Rc;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use rustc_hash::FxHashMap;
use tokio::sync::OnceCell;

use super::super::Op;
use crate::js::runtime::VuContext;
use crate::js::value::{Args, Throw, Value};
use crate::units::sync::lock;

/// The native half.
pub const OPS: &[(&str, Op)] = &[("element", element)];

/// In the place of an element that JSON has no text for.
pub const NO_JSON: &str = "undefined";

/// One array.
#[derive(Debug, Default)]
pub struct Array {
    /// The JSON texts of all elements, one behind the other.
    text: Bytes,
    /// Where each element's text ends.
    ends: Box<[usize]>,
}

impl Array {
    /// The number of elements.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The JSON text of the element at `at`.
    pub fn get(&self, at: usize) -> Option<Bytes> {
        let end = *self.ends.get(at)?;
        let begin = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some(self.text.slice(begin..end))
    }
}

/// Builds an array.
#[derive(Debug, Default)]
pub struct Builder {
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl Builder {
    /// Adds an element that `write` writes as JSON.
    pub fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.text);
        self.ends.push(self.text.len());
    }

    /// The array, without spare capacity.
    pub fn finish(mut self) -> Array {
        self.text.shrink_to_fit();
        Array { text: self.text.into(), ends: self.ends.into() }
    }
}

/// The arrays of a run.
#[derive(Debug, Default)]
pub struct Arrays {
    /// Those of `k6/data`, by name.
    named: Mutex<FxHashMap<String, Arc<Array>>>,
    /// Held by the VU that builds a named one: others wait, and find it.
    pub building: Arc<tokio::sync::Mutex<()>>,
    /// Those read from files, by what was read and how.
    tables: Mutex<FxHashMap<String, Arc<OnceCell<FileArray>>>>,
}

/// An array that was read from a file.
#[derive(Clone, Debug)]
pub struct FileArray {
    /// Its rows.
    pub rows: Arc<Array>,
    /// Where in the file reading it ended.
    pub end: usize,
}

impl Arrays {
    /// The array of this name, if a VU has built it.
    pub fn named(&self, name: &str) -> Option<Arc<Array>> {
        lock(&self.named).get(name).cloned()
    }

    /// Makes `array` the one of this name.
    pub fn name(&self, name: String, array: Arc<Array>) {
        lock(&self.named).insert(name, array);
    }

    /// The cell of a table, which the first VU that needs it fills.
    pub fn table(&self, key: String) -> Arc<OnceCell<FileArray>> {
        lock(&self.tables).entry(key).or_default().clone()
    }
}

/// An array for JavaScript: `[handle, length]`.
pub fn handle(array: Arc<Array>) -> Value {
    let length = array.len() as f64;
    Value::List(vec![Value::Resource(Rc::new(array)), Value::Number(length)])
}

/// `(handle, index)` -> a copy of an element that is there.
fn element(_vu: &VuContext, args: Args) -> Result<Value, Throw> {
    let array = args.resource::<Arc<Array>>(0)?;
    match array.get(args.number(1) as usize) {
        // Stored, and refused when it is read, as in k6.
        Some(json) if json == NO_JSON => Err(Throw::Error {
            class: "SyntaxError",
            message: "invalid character 'u' looking for beginning of value".to_owned(),
        }),
        Some(json) => Ok(Value::Json(json)),
        None => Ok(Value::Undefined),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_lie_side_by_side() {
        let mut builder = Builder::default();
        for text in ["1", "", "\"two\"", "{}"] {
            builder.push(|out| out.extend_from_slice(text.as_bytes()));
        }
        let array = builder.finish();
        let texts: Vec<_> = (0..5).map(|at| array.get(at)).collect();
        let expect = [Some("1"), Some(""), Some("\"two\""), Some("{}"), None].map(|text| text.map(Bytes::from));
        assert_eq!(texts, expect);
        assert_eq!(array.len(), 4);
        assert_eq!(array.get(2).unwrap().as_ptr(), array.get(0).unwrap().as_ptr().wrapping_add(1), "nobody copies");
    }
}
