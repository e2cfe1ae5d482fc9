//! A pattern as a program for the matcher.

use super::parse::{Flags, Lookaround, Pattern, PatternNode, Repeat};
use super::set::Set;

/// One instruction of a program. Targets are indices of instructions.
#[derive(Debug)]
pub enum Instruction {
    /// The next character has to be in the set with this number.
    Set(u32),
    /// Continues at `first`; if that fails, at `second`. `memo` says where it is noted that both fail.
    Split {
        first: u32,
        second: u32,
        memo: Option<Memo>,
    },
    /// Repeats a set, greedily or lazily; then the next instruction.
    Run {
        set: u32,
        is_greedy: bool,
        memo: Option<Memo>,
    },
    /// Continues there.
    Jump(u32),
    /// Saves the position in the text.
    Save(u32),
    /// Clears the groups in this range of slots.
    Forget(u32, u32),
    /// Begins an iteration of a loop that may match the empty text.
    Mark(u32),
    /// Fails unless such an iteration has consumed something.
    Moved(u32),
    Start,
    End,
    WordBoundary(bool),
    /// The instructions up to `next` are a lookaround.
    Look {
        is_negative: bool,
        is_behind: bool,
        next: u32,
    },
    BackReference(u32),
    /// The end of the program or of a lookaround.
    Match,
}

/// Where the matcher notes that an instruction fails. Whether it does depends on whether the iterations of some loops have
/// consumed something, so there is a bit for each case.
#[derive(Clone, Copy, Debug)]
pub struct Memo {
    /// The first bit.
    pub first: u32,
    /// The loops, a bit each.
    pub loops: u32,
}

/// A compiled pattern.
#[derive(Debug)]
pub struct Program {
    pub(super) instructions: Vec<Instruction>,
    pub(super) sets: Vec<Set>,
    pub(super) flags: Flags,
    /// The number of memo bits for each position in the text.
    pub(super) memos: u32,
    /// The characters a match may begin with, if they are known.
    pub(super) first: Option<Set>,
    /// Matches only at the beginning of the text.
    pub(super) is_anchored: bool,
    /// How many groups there are, the whole match included.
    pub captures: u32,
    /// The names of groups.
    pub names: Vec<(String, u32)>,
    /// Its time is linear in the text's length.
    pub is_linear: bool,
    /// The exponent of the text's length in a backtracking matcher's time; `None` for exponential time.
    pub degree: Option<u32>,
}

/// The maximum number of instructions in a program.
const MAX_INSTRUCTIONS: usize = 5_000;
/// The maximum nesting of loops whose iterations may match the empty text.
const MAX_MARKS: u32 = 4;

struct Compiler {
    program: Program,
    /// The surrounding loops that may match the empty text, a bit each.
    loops: u32,
    marks: u32,
    /// The depth of lookarounds, and whether the innermost looks behind.
    looks: u32,
    is_behind: bool,
    has_references: bool,
    has_looks: bool,
}

/// Makes a program; `None` where it would be too large.
pub fn compile(pattern: &Pattern, flags: Flags) -> Option<Program> {
    let program = Program {
        instructions: Vec::new(),
        sets: Vec::new(),
        flags,
        memos: 0,
        first: first(&pattern.root).filter(|(_, is_nullable)| !is_nullable).map(|(set, _)| set),
        is_anchored: !flags.multiline && begins_at_start(&pattern.root),
        captures: pattern.captures + 1,
        names: pattern.names.clone(),
        is_linear: false,
        degree: degree(&pattern.root, true),
    };
    let mut compiler = Compiler {
        program,
        loops: 0,
        marks: 0,
        looks: 0,
        is_behind: false,
        has_references: has_references(&pattern.root),
        has_looks: false,
    };
    compiler.push(Instruction::Save(0))?;
    compiler.node(&pattern.root)?;
    compiler.push(Instruction::Save(1))?;
    compiler.push(Instruction::Match)?;
    let mut program = compiler.program;
    program.is_linear = !compiler.has_references && !compiler.has_looks;
    Some(program)
}

impl Compiler {
    fn push(&mut self, instruction: Instruction) -> Option<u32> {
        let at = self.program.instructions.len();
        self.program.instructions.push(instruction);
        (at < MAX_INSTRUCTIONS).then_some(at as u32)
    }

    fn here(&self) -> u32 {
        self.program.instructions.len() as u32
    }

    /// A place for notes. Looking around ends at the first success, so there is none inside of it; and where groups are
    /// referred to, it matters what they hold.
    fn memo(&mut self) -> Option<Memo> {
        if self.looks > 0 || self.has_references {
            return None;
        }
        let first = self.program.memos;
        self.program.memos += 1 << self.loops.count_ones();
        Some(Memo { first, loops: self.loops })
    }

    fn set(&mut self, set: &Set) -> u32 {
        let sets = &mut self.program.sets;
        let at = sets.iter().position(|known| known == set).unwrap_or_else(|| {
            sets.push(set.clone());
            sets.len() - 1
        });
        at as u32
    }

    fn node(&mut self, node: &PatternNode) -> Option<()> {
        match node {
            PatternNode::Empty => {}
            PatternNode::Set(set) => {
                let set = self.set(set);
                self.push(Instruction::Set(set))?;
            }
            PatternNode::Start => drop(self.push(Instruction::Start)?),
            PatternNode::End => drop(self.push(Instruction::End)?),
            PatternNode::WordBoundary(is_wanted) => drop(self.push(Instruction::WordBoundary(*is_wanted))?),
            PatternNode::BackReference(number) => drop(self.push(Instruction::BackReference(*number))?),
            PatternNode::Capture(number, inner) => {
                let (begin, end) = if self.is_behind { (1, 0) } else { (0, 1) };
                self.push(Instruction::Save(number * 2 + begin))?;
                self.node(inner)?;
                self.push(Instruction::Save(number * 2 + end))?;
            }
            PatternNode::Sequence(list) if self.is_behind => list.iter().rev().try_for_each(|node| self.node(node))?,
            PatternNode::Sequence(list) => list.iter().try_for_each(|node| self.node(node))?,
            PatternNode::Alternatives(list) => self.alternatives(list)?,
            PatternNode::Repeat(repeat) => self.repeat(repeat)?,
            PatternNode::Look(look) => self.look(look)?,
        }
        Some(())
    }

    fn alternatives(&mut self, list: &[PatternNode]) -> Option<()> {
        let mut ends = Vec::new();
        for (at, node) in list.iter().enumerate() {
            if at + 1 == list.len() {
                self.node(node)?;
                break;
            }
            let memo = self.memo();
            let split = self.push(Instruction::Split { first: 0, second: 0, memo })?;
            self.node(node)?;
            ends.push(self.push(Instruction::Jump(0))?);
            let second = self.here();
            self.program.instructions[split as usize] = Instruction::Split { first: split + 1, second, memo };
        }
        let end = self.here();
        for jump in ends {
            self.program.instructions[jump as usize] = Instruction::Jump(end);
        }
        Some(())
    }

    fn look(&mut self, look: &Lookaround) -> Option<()> {
        let at = self.push(Instruction::Match)?;
        let outer = (self.is_behind, self.loops);
        (self.is_behind, self.loops) = (look.is_behind, 0);
        self.looks += 1;
        self.has_looks = true;
        self.node(&look.node)?;
        self.push(Instruction::Match)?;
        self.looks -= 1;
        (self.is_behind, self.loops) = outer;
        let next = self.here();
        let Lookaround { is_negative, is_behind, .. } = *look;
        self.program.instructions[at as usize] = Instruction::Look { is_negative, is_behind, next };
        Some(())
    }

    fn repeat(&mut self, repeat: &Repeat) -> Option<()> {
        if let PatternNode::Set(set) = &repeat.node {
            let set = self.set(set);
            for _ in 0..repeat.min {
                self.push(Instruction::Set(set))?;
            }
            if repeat.max.is_none() {
                let memo = self.memo();
                self.push(Instruction::Run { set, is_greedy: repeat.is_greedy, memo })?;
                return Some(());
            }
        } else if repeat.max.is_none() && repeat.min > 0 && !is_nullable(&repeat.node) {
            // The last round that has to be is the first of the loop.
            for _ in 1..repeat.min {
                self.round(repeat, None)?;
            }
            let start = self.here();
            self.round(repeat, None)?;
            let memo = self.memo();
            let split = self.push(Instruction::Split { first: 0, second: 0, memo })?;
            self.program.instructions[split as usize] = either(repeat, start, split + 1, memo);
            return Some(());
        } else {
            for _ in 0..repeat.min {
                self.round(repeat, None)?;
            }
        }
        self.more(repeat)
    }

    /// The rounds that may be.
    fn more(&mut self, repeat: &Repeat) -> Option<()> {
        let outer = self.loops;
        let mark = if is_nullable(&repeat.node) {
            // Inside of one another they need a bit each; side by side they may share.
            let mark = outer.count_ones();
            if mark >= MAX_MARKS {
                return None;
            }
            self.marks = self.marks.max(mark + 1);
            Some(mark)
        } else {
            None
        };
        let mut splits = Vec::new();
        let rounds = repeat.max.map_or(1, |max| max - repeat.min);
        for _ in 0..rounds {
            let memo = self.memo();
            splits.push((self.push(Instruction::Split { first: 0, second: 0, memo })?, memo));
            self.round(repeat, mark)?;
        }
        if repeat.max.is_none() {
            self.push(Instruction::Jump(splits[0].0))?;
        }
        let end = self.here();
        for (split, memo) in splits {
            self.program.instructions[split as usize] = either(repeat, split + 1, end, memo);
        }
        Some(())
    }

    /// One round; with a mark, one that has to move.
    fn round(&mut self, repeat: &Repeat, mark: Option<u32>) -> Option<()> {
        let (from, to) = repeat.captures;
        if from < to {
            self.push(Instruction::Forget(from * 2, to * 2))?;
        }
        let outer = self.loops;
        if let Some(mark) = mark {
            self.loops |= 1 << mark;
            self.push(Instruction::Mark(mark))?;
        }
        self.node(&repeat.node)?;
        if let Some(mark) = mark {
            self.push(Instruction::Moved(mark))?;
        }
        self.loops = outer;
        Some(())
    }
}

/// Another round, or on.
fn either(repeat: &Repeat, round: u32, on: u32, memo: Option<Memo>) -> Instruction {
    if repeat.is_greedy {
        Instruction::Split { first: round, second: on, memo }
    } else {
        Instruction::Split { first: on, second: round, memo }
    }
}

/// True if it can match the empty text.
fn is_nullable(node: &PatternNode) -> bool {
    match node {
        PatternNode::Set(_) => false,
        PatternNode::Capture(_, node) => is_nullable(node),
        PatternNode::Sequence(list) => list.iter().all(is_nullable),
        PatternNode::Alternatives(list) => list.iter().any(is_nullable),
        PatternNode::Repeat(repeat) => repeat.min == 0 || is_nullable(&repeat.node),
        _ => true,
    }
}

fn has_references(node: &PatternNode) -> bool {
    match node {
        PatternNode::BackReference(_) => true,
        PatternNode::Capture(_, node) => has_references(node),
        PatternNode::Sequence(list) | PatternNode::Alternatives(list) => list.iter().any(has_references),
        PatternNode::Repeat(repeat) => has_references(&repeat.node),
        PatternNode::Look(look) => has_references(&look.node),
        _ => false,
    }
}

/// True if nothing but the beginning of the text can be where a match begins.
fn begins_at_start(node: &PatternNode) -> bool {
    match node {
        PatternNode::Start => true,
        PatternNode::Capture(_, node) => begins_at_start(node),
        PatternNode::Sequence(list) => list.first().is_some_and(begins_at_start),
        PatternNode::Alternatives(list) => list.iter().all(begins_at_start),
        _ => false,
    }
}

/// The characters a match can begin with, and whether it can be empty; `None` where that can't be said.
fn first(node: &PatternNode) -> Option<(Set, bool)> {
    let nothing = || Set::from_ranges(Vec::new());
    match node {
        PatternNode::Empty | PatternNode::Start | PatternNode::End | PatternNode::WordBoundary(_) => {
            Some((nothing(), true))
        }
        PatternNode::Set(set) => Some((set.clone(), false)),
        PatternNode::Capture(_, node) => first(node),
        PatternNode::Sequence(list) => {
            let mut ranges = Vec::new();
            for node in list {
                let (set, is_nullable) = first(node)?;
                ranges.extend(set.ranges());
                if !is_nullable {
                    return Some((Set::from_ranges(ranges), false));
                }
            }
            Some((Set::from_ranges(ranges), true))
        }
        PatternNode::Alternatives(list) => {
            let (mut ranges, mut is_nullable) = (Vec::new(), false);
            for node in list {
                let (set, can_be_empty) = first(node)?;
                ranges.extend(set.ranges());
                is_nullable |= can_be_empty;
            }
            Some((Set::from_ranges(ranges), is_nullable))
        }
        PatternNode::Repeat(repeat) if repeat.max == Some(0) => Some((nothing(), true)),
        PatternNode::Repeat(repeat) => {
            first(&repeat.node).map(|(set, is_nullable)| (set, is_nullable || repeat.min == 0))
        }
        PatternNode::Look(_) => Some((nothing(), true)),
        PatternNode::BackReference(_) => None,
    }
}

/// How many rounds make a repetition as bad as one without end.
const MANY: u32 = 12;

/// The exponent of the time a backtracking matcher takes; `None` stands for exponential time: a repetition in a
/// repetition, or of alternatives. `is_outside` is true outside of repetitions.
fn degree(node: &PatternNode, is_outside: bool) -> Option<u32> {
    match node {
        PatternNode::Capture(_, node) => degree(node, is_outside),
        PatternNode::Look(look) => degree(&look.node, is_outside),
        PatternNode::Sequence(list) => list.iter().try_fold(0, |sum, node| Some(sum + degree(node, is_outside)?)),
        PatternNode::Alternatives(list) => {
            list.iter().try_fold(0, |most: u32, node| Some(most.max(degree(node, is_outside)?)))
        }
        PatternNode::Repeat(repeat) => {
            let is_long = repeat.max.is_none_or(|max| max - repeat.min >= MANY);
            let is_single = matches!(repeat.node, PatternNode::Set(_));
            if !is_long {
                // Ten optional things in a row are a thousand ways.
                return if is_outside { degree(&repeat.node, true) } else { is_single.then_some(0) };
            }
            if !is_outside || !(is_single || is_plain(&repeat.node)) {
                return None;
            }
            Some(1)
        }
        _ => Some(0),
    }
}

/// True for what has one way to match only.
fn is_plain(node: &PatternNode) -> bool {
    match node {
        PatternNode::Set(_) | PatternNode::Start | PatternNode::End | PatternNode::WordBoundary(_) => true,
        PatternNode::Capture(_, node) => is_plain(node),
        PatternNode::Sequence(list) => list.iter().all(is_plain),
        _ => false,
    }
}
