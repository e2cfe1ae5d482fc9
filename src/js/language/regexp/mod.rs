//! Regular expressions whose time an engine's own matcher can't bound: matched in linear time unless the pattern has
//! lookarounds or back references, and always yielding to the other VUs of the thread.
//!
//! Engines use it when their own matcher took too long or could. Both give exactly the same results: greedy and lazy
//! repetitions, the first alternative that leads to a match, groups cleared in each iteration of a repetition.

mod compile;
#[cfg(any(test, fuzzing))]
pub mod fuzz_tests;
mod matcher;
mod parse;
mod set;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::rc::Rc;

use rustc_hash::FxHashMap;

pub use compile::Program;
pub use matcher::{Captures, MatchError, find};
pub use parse::Flags;

/// How many compiled patterns a worker keeps.
const MAX_CACHED: usize = 512;

type ProgramCache = FxHashMap<(Box<[u16]>, Flags), Option<Rc<Program>>>;

/// The program of a pattern, compiled once per worker; `None` if it has syntax that only engines know.
pub fn program(source: &[u16], flags: Flags) -> Option<Rc<Program>> {
    thread_local! {
        static CACHE: RefCell<ProgramCache> = RefCell::default();
    }
    CACHE.with_borrow_mut(|cache| {
        let key = (Box::from(source), flags);
        if let Some(program) = cache.get(&key) {
            return program.clone();
        }
        if cache.len() >= MAX_CACHED {
            cache.clear();
        }
        let program = parse::parse(source, flags).and_then(|pattern| compile::compile(&pattern, flags)).map(Rc::new);
        cache.insert(key, program.clone());
        program
    })
}

/// How many steps an engine's matcher that can't be interrupted may take at worst.
const MAX_STEPS: f64 = 4e6;

impl Program {
    /// True if a backtracking matcher needs no noticeable time for any text of this length.
    pub fn is_harmless(&self, len: usize) -> bool {
        let Some(degree) = self.degree else { return len < 20 };
        let degree = degree + u32::from(!self.is_anchored);
        degree <= 1 || (len as f64).powi(degree as i32) <= MAX_STEPS
    }
}

/// The first match of a pattern at or behind `start`, in UTF-16 units: the ranges of the match and of its groups. `None` for
/// patterns that are left to engines. For tests.
#[doc(hidden)]
pub fn match_regexp(pattern: &str, flags: &str, text: &str, start: usize) -> Option<Option<Captures>> {
    let source: Vec<u16> = pattern.encode_utf16().collect();
    let units: Vec<u16> = text.encode_utf16().collect();
    let flags = Flags {
        ignore_case: flags.contains('i'),
        multiline: flags.contains('m'),
        dot_all: flags.contains('s'),
        unicode: flags.contains('u'),
    };
    let program = program(&source, flags)?;
    find(&program, &units[..], start, false, &mut || true).ok()
}
