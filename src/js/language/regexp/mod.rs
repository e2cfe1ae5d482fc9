//! Regular expressions whose time an engine's own matcher can't bound: matched in a time that grows with the text alone
//! where the pattern neither looks around nor refers to what a group matched, and with turns for the neighbours always.
//!
//! Engines ask here when their matcher took too long or could. Both give the same answers, to the letter: greedy and lazy,
//! the first alternative that leads to a match, groups of a repetition forgotten in each round.

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

/// Compiled patterns a worker keeps.
const MAX_KNOWN: usize = 512;

type ProgramCache = FxHashMap<(Box<[u16]>, Flags), Option<Rc<Program>>>;

/// The program of a pattern, compiled once per worker; `None` where it has something only engines know.
pub fn program(source: &[u16], flags: Flags) -> Option<Rc<Program>> {
    thread_local! {
        static KNOWN: RefCell<ProgramCache> = RefCell::default();
    }
    KNOWN.with_borrow_mut(|known| {
        let key = (Box::from(source), flags);
        if let Some(program) = known.get(&key) {
            return program.clone();
        }
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        let program = parse::parse(source, flags).and_then(|pattern| compile::compile(&pattern, flags)).map(Rc::new);
        known.insert(key, program.clone());
        program
    })
}

/// Steps an engine's matcher that can't be interrupted may take at the worst.
const MAX_STEPS: f64 = 4e6;

impl Program {
    /// True where a backtracking matcher is done with any text of this length before anybody notices.
    pub fn is_harmless(&self, len: usize) -> bool {
        let Some(degree) = self.degree else { return len < 20 };
        let degree = degree + u32::from(!self.is_anchored);
        degree <= 1 || (len as f64).powi(degree as i32) <= MAX_STEPS
    }
}

/// The places of a match and of its groups.
pub type Places = Vec<Option<(usize, usize)>>;

/// Where a pattern first matches a text at or behind a place, in UTF-16 units: the places of the match and of its groups.
/// Nothing where the pattern is left to engines. For tests.
#[doc(hidden)]
pub fn match_regexp(pattern: &str, flags: &str, text: &str, start: usize) -> Option<Option<Places>> {
    let source: Vec<u16> = pattern.encode_utf16().collect();
    let units: Vec<u16> = text.encode_utf16().collect();
    let known = Flags {
        ignore_case: flags.contains('i'),
        multiline: flags.contains('m'),
        dot_all: flags.contains('s'),
        unicode: flags.contains('u'),
    };
    let program = program(&source, known)?;
    find(&program, &units[..], start, false, &mut || true).ok()
}
