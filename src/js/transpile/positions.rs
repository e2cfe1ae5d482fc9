//! From a position in what an engine ran to the position in the file a person wrote.

use std::sync::Arc;

/// The steps from an engine's text back to the file, the last made step first.
#[derive(Clone, Debug, Default)]
pub struct Positions(Vec<Arc<PositionMap>>);

/// One step.
#[derive(Clone, Debug)]
pub(super) enum PositionMap {
    /// The text was edited within its lines.
    Edits(Vec<Edit>),
    /// The text was printed anew, or made by somebody else.
    Map {
        /// By line and column.
        tokens: Vec<Mapping>,
        /// Addresses of the sources; none if it is the file itself.
        sources: Vec<String>,
    },
}

/// From this column of this line on, columns are off by `shift`. Both count from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    pub(super) line: u32,
    pub(super) column: u32,
    pub(super) shift: Shift,
}

/// How a column becomes that of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shift {
    /// So much is subtracted.
    By(i64),
    /// It is this one: the text in the file was replaced.
    To(u32),
}

/// A place of a source map; all counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mapping {
    pub(super) line: u32,
    pub(super) column: u32,
    pub(super) source: u32,
    pub(super) source_line: u32,
    pub(super) source_column: u32,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginalPosition {
    /// The address, where it is another one than the engine's.
    pub file: Option<String>,
    /// Counted from 1.
    pub line: u32,
    /// Counted from 1, behind a source map from 0: so does k6.
    pub column: u32,
}

impl Positions {
    /// True if positions are what engines say.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One step.
    pub(super) fn one(layer: Arc<PositionMap>) -> Self {
        Self(vec![layer])
    }

    /// Adds the step that was made last.
    pub(super) fn put(&mut self, layer: PositionMap) {
        self.put_shared(layer.into());
    }

    /// As [`Positions::put`].
    pub(super) fn put_shared(&mut self, layer: Arc<PositionMap>) {
        if !layer.is_empty() {
            self.0.insert(0, layer);
        }
    }

    /// Adds the step that was made before all others.
    pub(super) fn put_first(&mut self, layer: PositionMap) {
        self.0.push(layer.into());
    }

    /// The place in the file of an engine's line and column, both counted from 1.
    pub fn origin(&self, line: u32, column: u32) -> OriginalPosition {
        let mut place = OriginalPosition { file: None, line, column };
        for layer in &self.0 {
            match &**layer {
                PositionMap::Edits(edits) => place.column = unedited(edits, place.line, place.column),
                PositionMap::Map { tokens, sources } => {
                    let (line, column) = (place.line.saturating_sub(1), place.column.saturating_sub(1));
                    let after = tokens.partition_point(|token| (token.line, token.column) <= (line, column));
                    let Some(token) = after.checked_sub(1).map(|at| tokens[at]).filter(|token| token.line == line)
                    else {
                        continue;
                    };
                    place.line = token.source_line + 1;
                    place.column = token.source_column;
                    place.file = sources.get(token.source as usize).cloned();
                }
            }
        }
        place
    }
}

impl PositionMap {
    /// A map; its tokens come in any order.
    pub(super) fn map(mut tokens: Vec<Mapping>, sources: Vec<String>) -> Self {
        tokens.sort_by_key(|token| (token.line, token.column));
        Self::Map { tokens, sources }
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::Edits(edits) if edits.is_empty())
    }
}

fn unedited(edits: &[Edit], line: u32, column: u32) -> u32 {
    let (line, column) = (line.saturating_sub(1), column.saturating_sub(1));
    let after = edits.partition_point(|edit| (edit.line, edit.column) <= (line, column));
    let column = match after.checked_sub(1).map(|at| edits[at]).filter(|edit| edit.line == line) {
        Some(Edit { shift: Shift::To(column), .. }) => column,
        Some(Edit { shift: Shift::By(shift), .. }) => {
            u32::try_from((i64::from(column) - shift).max(0)).unwrap_or(column)
        }
        None => column,
    };
    column + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_taken_back_in_order() {
        let mut positions = Positions::default();
        positions.put(PositionMap::map(
            vec![Mapping { line: 0, column: 4, source: 0, source_line: 7, source_column: 2 }],
            Vec::new(),
        ));
        positions.put(PositionMap::Edits(vec![Edit { line: 0, column: 10, shift: Shift::By(6) }]));
        let check = |line, column, expect: (u32, u32)| {
            let place = positions.origin(line, column);
            assert_eq!((place.line, place.column), expect, "{line}:{column}");
        };
        check(1, 11, (8, 2));
        check(1, 12, (8, 2));
        check(1, 2, (1, 2));
        check(5, 3, (5, 3));
    }
}
