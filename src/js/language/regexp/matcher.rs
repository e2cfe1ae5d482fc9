//! Runs a program over a text: a backtracking matcher with a memo of what has failed, so that it tries each instruction
//! at most once per position.

use super::compile::{Instruction, Memo, Program};

/// A text in the code units of JavaScript.
pub trait CodeUnits {
    /// The number of UTF-16 units.
    fn len(&self) -> usize;
    /// The unit at an index.
    fn unit(&self, at: usize) -> u32;
}

impl CodeUnits for [u8] {
    fn len(&self) -> usize {
        <[u8]>::len(self)
    }
    #[inline]
    fn unit(&self, at: usize) -> u32 {
        u32::from(self[at])
    }
}

impl CodeUnits for [u16] {
    fn len(&self) -> usize {
        <[u16]>::len(self)
    }
    #[inline]
    fn unit(&self, at: usize) -> u32 {
        u32::from(self[at])
    }
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchError {
    /// The VU has to stop.
    Stopped,
    /// The match needs more memory than a script may take for one.
    TooLarge,
}

/// The ranges of the matched groups, the whole match first.
pub type Captures = Vec<Option<(usize, usize)>>;

/// What to try after a failure.
#[derive(Clone, Copy)]
enum Backtrack {
    /// Continue at `pc`.
    Branch { pc: u32, at: u32, moved: u32 },
    /// Try the next instruction with one character less, down to `low`.
    Fewer { pc: u32, low: u32, high: u32 },
    /// Try with one more character of the set.
    More { pc: u32, at: u32 },
    /// Restore the former bounds of a group.
    Restore { slot: u32, was: u32 },
}

const NOWHERE: u32 = u32::MAX;
/// Steps between two checks whether to continue.
const CHECK_EVERY: u32 = 20_000;
/// The memo of one match takes at most this many bits: 64 MB.
const MAX_MEMO_BITS: u64 = 1 << 29;
/// How many alternatives one match may have open: 256 MB.
const MAX_BACKTRACKS: usize = 1 << 24;

struct Matcher<'a, T: ?Sized> {
    program: &'a Program,
    text: &'a T,
    /// Where the search began.
    start: usize,
    slots: Vec<u32>,
    backtracks: Vec<Backtrack>,
    has_memo: bool,
    /// The bits of the positions that were reached so far.
    memo: Vec<u64>,
    steps_left: u32,
    may_continue: &'a mut dyn FnMut() -> bool,
}

/// The first match that begins at `start` or after it; with `is_sticky`, at `start` only. `may_continue` is asked now and
/// then.
///
/// # Errors
/// When `may_continue` says no, or the match needs too much memory.
pub fn find<T: CodeUnits + ?Sized>(
    program: &Program,
    text: &T,
    start: usize,
    is_sticky: bool,
    may_continue: &mut dyn FnMut() -> bool,
) -> Result<Option<Captures>, MatchError> {
    let len = text.len();
    if len as u64 >= u64::from(NOWHERE) {
        return Err(MatchError::TooLarge);
    }
    let slots = vec![NOWHERE; program.captures as usize * 2];
    let has_memo = u64::from(program.memos) * (len as u64 + 1) <= MAX_MEMO_BITS;
    let (backtracks, memo) = (Vec::new(), Vec::new());
    let mut matcher =
        Matcher { program, text, start, slots, backtracks, has_memo, memo, steps_left: CHECK_EVERY, may_continue };
    let mut at = start;
    while at <= len {
        if matcher.can_begin(at)? && matcher.run(0, at, false)?.is_some() {
            let slots = &matcher.slots;
            let place = |slot: usize| (slots[slot] != NOWHERE).then_some(slots[slot] as usize);
            let group = |number: u32| Some((place(number as usize * 2)?, place(number as usize * 2 + 1)?));
            return Ok(Some((0..program.captures).map(group).collect()));
        }
        if is_sticky || program.is_anchored {
            break;
        }
        at = if at < len { matcher.forward(at).1 } else { at + 1 };
    }
    Ok(None)
}

impl<T: CodeUnits + ?Sized> Matcher<'_, T> {
    fn tick(&mut self) -> Result<(), MatchError> {
        self.steps_left -= 1;
        if self.steps_left == 0 {
            self.steps_left = CHECK_EVERY;
            if !(self.may_continue)() {
                return Err(MatchError::Stopped);
            }
        }
        Ok(())
    }

    fn can_begin(&mut self, at: usize) -> Result<bool, MatchError> {
        let Some(first) = &self.program.first else { return Ok(true) };
        let can = at < self.text.len() && first.contains(self.forward(at).0);
        self.tick()?;
        Ok(can)
    }

    /// The character at a position, and the position after it.
    #[inline]
    fn forward(&self, at: usize) -> (u32, usize) {
        let unit = self.text.unit(at);
        if self.program.flags.unicode && (0xD800..0xDC00).contains(&unit) && at + 1 < self.text.len() {
            let low = self.text.unit(at + 1);
            if (0xDC00..0xE000).contains(&low) {
                return (0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00), at + 2);
            }
        }
        (unit, at + 1)
    }

    /// The character before a place, and the place where it begins.
    #[inline]
    fn backward(&self, at: usize) -> (u32, usize) {
        let unit = self.text.unit(at - 1);
        if self.program.flags.unicode && (0xDC00..0xE000).contains(&unit) && at > 1 {
            let high = self.text.unit(at - 2);
            if (0xD800..0xDC00).contains(&high) {
                return (0x1_0000 + ((high - 0xD800) << 10) + (unit - 0xDC00), at - 2);
            }
        }
        (unit, at - 1)
    }

    /// The place after a character of the set; before one where it goes backwards.
    #[inline]
    fn advance(&self, set: u32, at: usize, is_behind: bool) -> Option<usize> {
        if if is_behind { at == 0 } else { at == self.text.len() } {
            return None;
        }
        let (c, next) = if is_behind { self.backward(at) } else { self.forward(at) };
        self.program.sets[set as usize].contains(c).then_some(next)
    }

    /// Notes that the matcher was at an instruction; false if it was there before, and so fails again.
    #[inline]
    fn is_new(&mut self, memo: Option<Memo>, moved: u32, at: usize) -> bool {
        let Some(memo) = memo else { return true };
        if !self.has_memo {
            return true;
        }
        // The case, from the bits of the loops around.
        let (mut place, mut loops, mut weight) = (memo.first, memo.loops, 1);
        while loops != 0 {
            place += (moved >> loops.trailing_zeros() & 1) * weight;
            weight *= 2;
            loops &= loops - 1;
        }
        let bit = (at - self.start) as u64 * u64::from(self.program.memos) + u64::from(place);
        let at = (bit / 64) as usize;
        if at >= self.memo.len() {
            self.memo.resize((at + 1).max(self.memo.len() * 2), 0);
        }
        let word = &mut self.memo[at];
        let mask = 1 << (bit % 64);
        let is_new = *word & mask == 0;
        *word |= mask;
        is_new
    }

    fn set_slot(&mut self, slot: u32, value: u32) {
        let was = std::mem::replace(&mut self.slots[slot as usize], value);
        if was != value {
            self.backtracks.push(Backtrack::Restore { slot, was });
        }
    }

    fn is_word(&self, at: usize) -> bool {
        char::from_u32(self.text.unit(at)).is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
    }

    fn is_line_end(&self, at: usize) -> bool {
        matches!(self.text.unit(at), 10 | 13 | 0x2028 | 0x2029)
    }

    /// Backtracks down to `base`, to the next alternative: an instruction, a position, and which loops have moved.
    fn retreat(&mut self, base: usize, is_behind: bool) -> Option<(u32, usize, u32)> {
        while self.backtracks.len() > base {
            match self.backtracks.pop()? {
                Backtrack::Branch { pc, at, moved } => return Some((pc, at as usize, moved)),
                Backtrack::Restore { slot, was } => self.slots[slot as usize] = was,
                Backtrack::Fewer { pc, low, high } => {
                    let at = high as usize;
                    if high != low {
                        let (_, next) = if is_behind { self.forward(at) } else { self.backward(at) };
                        self.backtracks.push(Backtrack::Fewer { pc, low, high: next as u32 });
                    }
                    return Some((pc, at, u32::MAX));
                }
                Backtrack::More { pc, at } => {
                    let Instruction::Run { set, memo, .. } = self.program.instructions[pc as usize] else { continue };
                    if let Some(next) = self.advance(set, at as usize, is_behind)
                        && self.is_new(memo, u32::MAX, next)
                    {
                        self.backtracks.push(Backtrack::More { pc, at: next as u32 });
                        return Some((pc + 1, next, u32::MAX));
                    }
                }
            }
        }
        None
    }

    /// Runs from an instruction and a position to the end of the program or of a lookaround; returns where it ends.
    fn run(&mut self, pc: u32, at: usize, is_behind: bool) -> Result<Option<usize>, MatchError> {
        let base = self.backtracks.len();
        let mut now = Some((pc, at, 0));
        loop {
            self.tick()?;
            if self.backtracks.len() > MAX_BACKTRACKS {
                return Err(MatchError::TooLarge);
            }
            let Some((pc, at, moved)) = now else {
                now = self.retreat(base, is_behind);
                if now.is_none() {
                    return Ok(None);
                }
                continue;
            };
            now = match &self.program.instructions[pc as usize] {
                Instruction::Match => return Ok(Some(at)),
                Instruction::Set(set) => self.advance(*set, at, is_behind).map(|next| (pc + 1, next, u32::MAX)),
                Instruction::Jump(to) => Some((*to, at, moved)),
                &Instruction::Split { first, second, memo } => self.is_new(memo, moved, at).then(|| {
                    self.backtracks.push(Backtrack::Branch { pc: second, at: at as u32, moved });
                    (first, at, moved)
                }),
                &Instruction::Run { set, is_greedy, memo } => {
                    self.begin_run(pc, (set, is_greedy, memo), (at, moved), is_behind)?
                }
                &Instruction::Save(slot) => {
                    self.set_slot(slot, at as u32);
                    Some((pc + 1, at, moved))
                }
                &Instruction::Forget(from, to) => {
                    (from..to).for_each(|slot| self.set_slot(slot, NOWHERE));
                    Some((pc + 1, at, moved))
                }
                Instruction::Mark(mark) => Some((pc + 1, at, moved & !(1 << mark))),
                Instruction::Moved(mark) => (moved >> mark & 1 == 1).then_some((pc + 1, at, moved)),
                &Instruction::Look { is_negative, is_behind, next } => {
                    self.look(pc + 1, at, (is_negative, is_behind))?.then_some((next, at, moved))
                }
                &Instruction::BackReference(number) => self
                    .same(number, at, is_behind)
                    .map(|next| (pc + 1, next, if next == at { moved } else { u32::MAX })),
                assertion => self.holds(assertion, at).then_some((pc + 1, at, moved)),
            };
        }
    }

    /// Takes characters of a set, as many as there are; or none, and more after a failure.
    fn begin_run(
        &mut self,
        pc: u32,
        (set, is_greedy, memo): (u32, bool, Option<Memo>),
        (at, moved): (usize, u32),
        is_behind: bool,
    ) -> Result<Option<(u32, usize, u32)>, MatchError> {
        if !self.is_new(memo, moved, at) {
            return Ok(None);
        }
        if !is_greedy {
            self.backtracks.push(Backtrack::More { pc, at: at as u32 });
            return Ok(Some((pc + 1, at, moved)));
        }
        let mut end = at;
        while let Some(next) = self.advance(set, end, is_behind) {
            self.tick()?;
            // From there on all was tried.
            if !self.is_new(memo, u32::MAX, next) {
                break;
            }
            end = next;
        }
        if end == at {
            return Ok(Some((pc + 1, at, moved)));
        }
        self.backtracks.push(Backtrack::Branch { pc: pc + 1, at: at as u32, moved });
        let low = if is_behind { self.backward(at).1 } else { self.forward(at).1 };
        if low != end {
            let (_, high) = if is_behind { self.forward(end) } else { self.backward(end) };
            self.backtracks.push(Backtrack::Fewer { pc: pc + 1, low: low as u32, high: high as u32 });
        }
        Ok(Some((pc + 1, end, u32::MAX)))
    }

    /// Runs a lookaround; what its groups matched is kept unless it is negative.
    fn look(&mut self, pc: u32, at: usize, (is_negative, is_behind): (bool, bool)) -> Result<bool, MatchError> {
        let base = self.backtracks.len();
        let found = self.run(pc, at, is_behind)?.is_some();
        if is_negative || !found {
            while self.backtracks.len() > base {
                if let Some(Backtrack::Restore { slot, was }) = self.backtracks.pop() {
                    self.slots[slot as usize] = was;
                }
            }
            return Ok(found != is_negative);
        }
        // Other ways to the same are forgotten, what undoes it is not.
        let mut kept = base;
        for at in base..self.backtracks.len() {
            if matches!(self.backtracks[at], Backtrack::Restore { .. }) {
                self.backtracks[kept] = self.backtracks[at];
                kept += 1;
            }
        }
        self.backtracks.truncate(kept);
        Ok(true)
    }

    fn holds(&self, assertion: &Instruction, at: usize) -> bool {
        let (len, multiline) = (self.text.len(), self.program.flags.multiline);
        match assertion {
            Instruction::Start => at == 0 || (multiline && self.is_line_end(at - 1)),
            Instruction::End => at == len || (multiline && self.is_line_end(at)),
            Instruction::WordBoundary(is_wanted) => {
                let is_boundary = (at > 0 && self.is_word(at - 1)) != (at < len && self.is_word(at));
                is_boundary == *is_wanted
            }
            _ => false,
        }
    }

    /// The place after another copy of what a group matched.
    fn same(&self, number: u32, at: usize, is_behind: bool) -> Option<usize> {
        let [from, to] = [self.slots[number as usize * 2], self.slots[number as usize * 2 + 1]];
        if from == NOWHERE || to == NOWHERE {
            return Some(at);
        }
        let (from, to) = (from as usize, to as usize);
        let len = to - from;
        let begin = if is_behind { at.checked_sub(len)? } else { at };
        if begin + len > self.text.len() {
            return None;
        }
        let is_same = (0..len).all(|ahead| self.is_equal(self.text.unit(from + ahead), self.text.unit(begin + ahead)));
        is_same.then_some(if is_behind { begin } else { begin + len })
    }

    fn is_equal(&self, a: u32, b: u32) -> bool {
        a == b || (self.program.flags.ignore_case && super::set::is_same_folded(a, b))
    }
}
