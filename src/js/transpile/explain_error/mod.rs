//! What an engine's `TypeError` is about, quoted from the text: engines say where, but not what.

use oxc::allocator::Allocator;
use oxc::ast_visit::Visit;
use oxc::parser::Parser;
use oxc::span::SourceType;

mod fault;
mod known_functions;
mod patterns;
mod places;
mod quote;
mod search;
#[cfg(test)]
mod tests;

use fault::Fault;
use known_functions::KnownFunctions;
pub(super) use places::line_and_column;
use places::{Places, offset};
use search::{Candidate, Search};

/// More of them than this are no help.
const MAX_CANDIDATES: usize = 3;

/// A better message, and the place it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What is wrong, and with what.
    pub message: String,
    /// Where that begins, counted from 1; `None` if several things may be meant.
    pub place: Option<(u32, u32)>,
}

/// Whether the module of this name (the first) is one of ours that exports a function of that name (the second).
pub type IsExport<'a> = &'a (dyn Fn(&str, &str) -> bool + Sync);

/// Where an engine says that an error comes from.
#[derive(Clone, Copy, Debug)]
pub struct ErrorPlace<'a> {
    /// Line and column, both counted from 1; `None` where it says no more than the function.
    pub at: Option<(u32, u32)>,
    /// The function; empty at the top level, and where it has no name.
    pub function: &'a str,
}

/// A better message for a `TypeError` that came from this place of a text; `None` if the text does not tell.
pub fn explain(text: &str, place: ErrorPlace, message: &str, is_export: IsExport) -> Option<Explanation> {
    let fault = Fault::read(message)?;
    super::on_deep_stack(|| {
        let allocator = Allocator::default();
        let parsed = Parser::new(&allocator, text, SourceType::unambiguous()).parse();
        let at = match place.at {
            Some((line, column)) => Some(offset(text, line, column, fault.order)?),
            None => None,
        };
        let mut known = KnownFunctions::new(is_export);
        known.visit_program(&parsed.program);
        let mut search = Search::new(text, &fault, Places::new(text, fault.order, at, place.function));
        search.visit_program(&parsed.program);
        let mut found = search.found;
        found.retain(|one| !known.has(&one.callee) && !one.object.as_ref().is_some_and(|name| known.is_filled(name)));
        found.dedup_by(|a, b| a.subject == b.subject && a.before == b.before && a.after == b.after);
        if found.is_empty() || found.len() > MAX_CANDIDATES {
            return None;
        }
        let place = (found.len() == 1).then(|| places::line_and_column(text, found[0].at));
        Some(Explanation { message: told(&found), place })
    })
}

/// One sentence about all that may be meant.
fn told(found: &[Candidate]) -> String {
    let alike = found.iter().all(|one| one.before == found[0].before && one.after == found[0].after);
    if alike {
        let subjects: Vec<&str> = found.iter().map(|one| one.subject.as_str()).collect();
        return format!("{}{}{}", found[0].before, subjects.join(" or "), found[0].after);
    }
    found.iter().map(Candidate::sentence).collect::<Vec<_>>().join(", or ")
}
