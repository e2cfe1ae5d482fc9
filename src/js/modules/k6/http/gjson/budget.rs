//! How much a path may cost. A short path can ask for more than anybody has: `[@this,@this]|[@this,@this]|...` doubles with
//! every step. So every byte that is looked at or made is noted, and from some point on nothing more is found.

use std::cell::RefCell;

use crate::js::modules::cpu_pool::TimeSlices;

/// So many bytes are looked at before it is asked whether to go on.
const STEP: usize = 1 << 20;
/// The longest text that is made, in bytes, beside twice the length of what is asked.
const MAX_MADE: usize = 64 << 20;

/// What a path has cost so far.
#[derive(Debug, Default)]
struct Effort {
    turns: Option<TimeSlices>,
    /// Without turns it is over after one step.
    is_short: bool,
    looked_at: usize,
    most: usize,
    is_over: bool,
}

thread_local! {
    static EFFORT: RefCell<Effort> = RefCell::default();
}

/// A path that would have cost too much, or whose answer nobody waits for any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exhausted;

/// Runs `find`, a path of a text of `length` bytes: in turns with others, or no longer than a moment.
///
/// # Errors
/// It was not done.
pub fn limited<T>(turns: Option<TimeSlices>, length: usize, find: impl FnOnce() -> T) -> Result<T, Exhausted> {
    let is_short = turns.is_none();
    let most = MAX_MADE + 2 * length;
    EFFORT.replace(Effort { turns, is_short, most, ..Effort::default() });
    let found = find();
    let effort = EFFORT.take();
    if effort.is_over { Err(Exhausted) } else { Ok(found) }
}

/// So many bytes were looked at; false when it is over.
pub fn look(bytes: usize) -> bool {
    EFFORT.with_borrow_mut(|effort| {
        effort.looked_at += bytes;
        if effort.looked_at >= STEP {
            effort.looked_at = 0;
            let goes_on = effort.turns.as_mut().map_or(!effort.is_short, TimeSlices::may_continue);
            effort.is_over |= !goes_on;
        }
        !effort.is_over
    })
}

/// A text of so many bytes was made; false when that is too much.
pub fn make(bytes: usize) -> bool {
    EFFORT.with_borrow_mut(|effort| {
        effort.is_over |= effort.most > 0 && bytes > effort.most;
        !effort.is_over
    })
}
