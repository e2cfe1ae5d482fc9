//! Sets of characters.

use std::sync::OnceLock;

/// A set of characters, or of UTF-16 units: sorted ranges that do not touch each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    ranges: Vec<(u32, u32)>,
    /// What of ASCII is in it, a bit each.
    ascii: u128,
}

const LAST: u32 = 0x10_FFFF;

impl Set {
    /// The set of these ranges, both ends included.
    pub fn from_ranges(mut ranges: Vec<(u32, u32)>) -> Self {
        ranges.sort_unstable();
        let mut merged: Vec<(u32, u32)> = Vec::with_capacity(ranges.len());
        for (low, high) in ranges {
            match merged.last_mut() {
                Some((_, end)) if low <= end.saturating_add(1) => *end = high.max(*end),
                _ => merged.push((low, high)),
            }
        }
        let mut ascii = 0;
        for (low, high) in &merged {
            for c in *low..=(*high).min(127) {
                ascii |= 1 << c;
            }
        }
        Self { ranges: merged, ascii }
    }

    /// All characters.
    pub fn all() -> Self {
        Self::from_ranges(vec![(0, LAST)])
    }

    /// `\d`
    pub fn digits() -> Self {
        Self::from_ranges(vec![(0x30, 0x39)])
    }

    /// `\w`
    pub fn word() -> Self {
        Self::from_ranges(vec![(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)])
    }

    /// `\s`
    pub fn space() -> Self {
        Self::from_ranges(vec![
            (9, 13),
            (0x20, 0x20),
            (0xA0, 0xA0),
            (0x1680, 0x1680),
            (0x2000, 0x200A),
            (0x2028, 0x2029),
            (0x202F, 0x202F),
            (0x205F, 0x205F),
            (0x3000, 0x3000),
            (0xFEFF, 0xFEFF),
        ])
    }

    /// What ends a line.
    pub fn line_ends() -> Self {
        Self::from_ranges(vec![(10, 10), (13, 13), (0x2028, 0x2029)])
    }

    /// All others.
    pub fn negated(&self) -> Self {
        let mut ranges = Vec::with_capacity(self.ranges.len() + 1);
        let mut next = 0;
        for (low, high) in &self.ranges {
            if *low > next {
                ranges.push((next, low - 1));
            }
            next = high + 1;
        }
        if next <= LAST {
            ranges.push((next, LAST));
        }
        Self::from_ranges(ranges)
    }

    /// With everything that is the same as one of it when case is ignored, as patterns without the flag `u` do it.
    pub fn folded(self, ignore_case: bool) -> Self {
        if !ignore_case {
            return self;
        }
        let table = canonical();
        let mut wanted = vec![false; 0x1_0000];
        for (low, high) in &self.ranges {
            for c in *low..=(*high).min(0xFFFF) {
                wanted[table[c as usize] as usize] = true;
            }
        }
        let mut ranges: Vec<(u32, u32)> = self.ranges.iter().filter(|(_, high)| *high > 0xFFFF).copied().collect();
        for (c, upper) in (0u32..).zip(table) {
            if wanted[*upper as usize] {
                match ranges.last_mut() {
                    Some((_, end)) if *end + 1 == c => *end = c,
                    _ => ranges.push((c, c)),
                }
            }
        }
        Self::from_ranges(ranges)
    }

    /// True if the character is in it.
    #[inline]
    pub fn contains(&self, c: u32) -> bool {
        if c < 128 {
            return self.ascii >> c & 1 == 1;
        }
        self.ranges
            .binary_search_by(|(low, high)| {
                if *high < c {
                    std::cmp::Ordering::Less
                } else if *low > c {
                    std::cmp::Ordering::Greater
                } else {
                    std::cmp::Ordering::Equal
                }
            })
            .is_ok()
    }

    /// The character, if there is one alone.
    pub fn only(&self) -> Option<u32> {
        match self.ranges[..] {
            [(low, high)] if low == high => Some(low),
            _ => None,
        }
    }

    /// Its ranges, both ends included.
    pub fn ranges(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.ranges.iter().copied()
    }
}

/// What each UTF-16 unit is compared as when case is ignored: its upper case where that is one unit, but never ASCII for
/// what is not.
fn canonical() -> &'static [u16] {
    static TABLE: OnceLock<Vec<u16>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let upper = |unit: u16| -> Option<u16> {
            let mut upper = char::from_u32(u32::from(unit))?.to_uppercase();
            let (first, None) = (upper.next()?, upper.next()) else { return None };
            let upper = u16::try_from(u32::from(first)).ok()?;
            (unit < 128 || upper >= 128).then_some(upper)
        };
        (0..=u16::MAX).map(|unit| upper(unit).unwrap_or(unit)).collect()
    })
}

/// True if two UTF-16 units are the same when case is ignored.
pub fn is_same_folded(a: u32, b: u32) -> bool {
    let table = canonical();
    table.get(a as usize).zip(table.get(b as usize)).is_some_and(|(a, b)| a == b)
}
