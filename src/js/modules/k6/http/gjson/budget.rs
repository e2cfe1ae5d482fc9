//! How much a path may cost. A short path can ask for more than any machine has: `[@this,@this]|[@this,@this]|...` doubles
//! with every step. So all bytes that are read or made are counted, and beyond the budget nothing more is found.

use std::cell::RefCell;

use crate::js::modules::cpu_pool::TimeSlices;

/// After reading this many bytes the search asks whether to continue.
const CHECK_EVERY: usize = 1 << 20;
/// The longest text that is made, in bytes, on top of twice the length of the document.
const MAX_MADE: usize = 64 << 20;

/// What a path has cost so far.
#[derive(Debug, Default)]
struct Budget {
    slices: Option<TimeSlices>,
    /// Without time slices the search ends at the first check.
    is_short: bool,
    bytes_read: usize,
    max_made: usize,
    is_exceeded: bool,
}

thread_local! {
    static BUDGET: RefCell<Budget> = RefCell::default();
}

/// A path that would have cost too much, or whose result nobody waits for any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OverBudgetError;

/// Runs `find`, which looks for a path in a document of `length` bytes: in time slices, or else only for a moment.
///
/// # Errors
/// The search was given up.
pub fn limited<T>(slices: Option<TimeSlices>, length: usize, find: impl FnOnce() -> T) -> Result<T, OverBudgetError> {
    let is_short = slices.is_none();
    let max_made = MAX_MADE + 2 * length;
    BUDGET.replace(Budget { slices, is_short, max_made, ..Budget::default() });
    let found = find();
    let budget = BUDGET.take();
    if budget.is_exceeded { Err(OverBudgetError) } else { Ok(found) }
}

/// Counts bytes that were read; false when the search has to end.
pub fn read(bytes: usize) -> bool {
    BUDGET.with_borrow_mut(|budget| {
        budget.bytes_read += bytes;
        if budget.bytes_read >= CHECK_EVERY {
            budget.bytes_read = 0;
            let may_continue = budget.slices.as_mut().map_or(!budget.is_short, TimeSlices::may_continue);
            budget.is_exceeded |= !may_continue;
        }
        !budget.is_exceeded
    })
}

/// Checks the length of a text that was made; false when it is too long.
pub fn make(bytes: usize) -> bool {
    BUDGET.with_borrow_mut(|budget| {
        budget.is_exceeded |= budget.max_made > 0 && bytes > budget.max_made;
        !budget.is_exceeded
    })
}
