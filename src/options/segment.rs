//! Execution segments: the share of a test that this instance runs, beside others that run the rest.
//!
//! A [`Share`] knows which of the numbered things of a test (VUs, iterations) are its own. Numbers are dealt out in
//! a repeating pattern that keeps every instance as close to its due as it can be at any moment.

use std::sync::Arc;

use serde_json::Value;

use super::Compat;
use super::ratio::{Ratio, gcd};
use super::value::{OptionValue, invalid, list, string};
use crate::failure::Failure;

/// A part of the whole, from one fraction to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    from: Ratio,
    to: Ratio,
}

impl Segment {
    /// Everything.
    pub const FULL: Self = Self { from: Ratio::ZERO, to: Ratio::ONE };

    /// A checked segment.
    ///
    /// # Errors
    /// k6's message, such as `segment end value can't be more than 1 but was 2.00`.
    pub fn new(from: Ratio, to: Ratio) -> Result<Self, String> {
        if from < Ratio::ZERO {
            return Err(format!("segment start value must be at least 0 but was {:.2}", from.to_f64()));
        }
        if from >= to {
            let (from, to) = (from.to_f64(), to.to_f64());
            return Err(format!("segment start({from:.2}) must be less than its end({to:.2})"));
        }
        if to > Ratio::ONE {
            return Err(format!("segment end value can't be more than 1 but was {:.2}", to.to_f64()));
        }
        Ok(Self { from, to })
    }

    /// Reads `25%`, `0.25`, `1/4` or an interval `1/4:1/2`.
    ///
    /// # Errors
    /// k6's message, such as `'abc' is not a valid percentage, decimal, fraction or interval value`.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some((from, to)) => Self::new(parse_point(from)?, parse_point(to)?),
            None => Self::new(Ratio::ZERO, parse_point(text)?),
        }
    }

    /// Where it begins.
    pub fn from(&self) -> Ratio {
        self.from
    }

    /// Where it ends.
    pub fn to(&self) -> Ratio {
        self.to
    }

    /// How much of the whole.
    pub fn length(&self) -> Ratio {
        self.to.minus(self.from).unwrap_or(Ratio::ONE)
    }
}

fn parse_point(text: &str) -> Result<Ratio, String> {
    let refused = || format!("'{text}' is not a valid percentage, decimal, fraction or interval value");
    Ratio::parse(text).ok_or_else(refused)
}

impl std::fmt::Display for Segment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.from, self.to)
    }
}

impl OptionValue for Segment {
    const GO_TYPE: &'static str = "lib.ExecutionSegment";

    fn from_json(value: &Value, key: &str, _notes: &mut Compat) -> Result<Self, Failure> {
        Self::parse(string(value, key, "string")?).map_err(invalid)
    }

    fn from_env(_text: &str, _notes: &mut Compat) -> Result<Option<Self>, String> {
        Ok(None)
    }

    fn to_json(&self) -> Value {
        Value::from(self.to_string())
    }
}

/// Segments that lie side by side, as the points between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentSequence(Vec<Ratio>);

impl SegmentSequence {
    /// Reads `0,1/4,1/2,1`.
    ///
    /// # Errors
    /// k6's message, such as `at least 2 points are needed for an execution segment sequence, 1 given`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let points = list(text).map(parse_point).collect::<Result<Vec<_>, _>>()?;
        if points.len() < 2 {
            let given = points.len();
            return Err(format!("at least 2 points are needed for an execution segment sequence, {given} given"));
        }
        for pair in points.windows(2) {
            Segment::new(pair[0], pair[1])?;
        }
        Ok(Self(points))
    }

    /// This many segments of the same length, at least one.
    pub fn equal(count: u64) -> Self {
        Self((0..=count.max(1)).filter_map(|at| Ratio::new(at.into(), count.max(1).into())).collect())
    }

    /// How many segments there are.
    pub fn count(&self) -> u64 {
        self.0.len() as u64 - 1
    }

    /// The place of a segment among them, from 0; nothing if it is none of them.
    pub fn place(&self, segment: Segment) -> Option<u64> {
        let is_it = |pair: &[Ratio]| pair[0] == segment.from && pair[1] == segment.to;
        self.0.windows(2).position(is_it).map(|at| at as u64)
    }

    /// The sequence of a segment that was given none: itself, with a filler on each side.
    fn around(segment: Segment) -> Self {
        let mut points = vec![Ratio::ZERO, segment.from, segment.to, Ratio::ONE];
        points.dedup();
        Self(points)
    }

    fn segments(&self) -> impl Iterator<Item = Segment> {
        self.0.windows(2).map(|pair| Segment { from: pair[0], to: pair[1] })
    }
}

impl std::fmt::Display for SegmentSequence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let points: Vec<_> = self.0.iter().map(Ratio::to_string).collect();
        f.write_str(&points.join(","))
    }
}

impl OptionValue for SegmentSequence {
    const GO_TYPE: &'static str = "lib.ExecutionSegmentSequence";

    fn from_json(value: &Value, key: &str, _notes: &mut Compat) -> Result<Self, Failure> {
        Self::parse(string(value, key, "string")?).map_err(invalid)
    }

    fn from_env(_text: &str, _notes: &mut Compat) -> Result<Option<Self>, String> {
        Ok(None)
    }

    fn to_json(&self) -> Value {
        Value::from(self.to_string())
    }
}

/// The numbered things of a test that are this instance's own. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Share {
    /// The lengths of all segments over their common denominator, in the order of the sequence.
    lengths: Arc<[u64]>,
    /// Which of them is ours.
    index: usize,
    /// How much of the whole is ours, for descriptions.
    part: Ratio,
    /// Our places in the pattern, rising.
    own: Arc<[u64]>,
    /// How long the pattern is.
    period: u64,
}

/// A pattern longer than this would cost more memory than a load test should spend on sharing out.
const MAX_PATTERN: u128 = 1 << 26;

impl Share {
    /// Everything is ours.
    pub fn full() -> Self {
        Self { lengths: [1].into(), index: 0, part: Ratio::ONE, own: [0].into(), period: 1 }
    }

    /// The share of `segment` (all, if none is given) in `sequence` (fillers around the segment, if none is given).
    ///
    /// # Errors
    /// `provided segment 0:1/4 can't be found in sequence 0,1/2,1`.
    pub fn new(segment: Option<Segment>, sequence: Option<&SegmentSequence>) -> Result<Self, String> {
        let segment = segment.unwrap_or(Segment::FULL);
        let around = SegmentSequence::around(segment);
        let sequence = sequence.unwrap_or(&around);
        let index = sequence
            .segments()
            .position(|other| other == segment)
            .ok_or_else(|| format!("provided segment {segment} can't be found in sequence {sequence}"))?;
        let too_fine = || format!("segment sequence {sequence} is too fine to be shared out");
        let mut common: u128 = 1;
        for point in &sequence.0 {
            let denominator = u128::from(point.denominator().unsigned_abs());
            common = (common / gcd(common, denominator)).checked_mul(denominator).ok_or_else(too_fine)?;
            if common > MAX_PATTERN {
                return Err(too_fine());
            }
        }
        let place =
            |point: &Ratio| point.numerator().unsigned_abs() * (common as u64 / point.denominator().unsigned_abs());
        let lengths = sequence.0.windows(2).map(|pair| place(&pair[1]) - place(&pair[0])).collect();
        Ok(Self::of_lengths(lengths, index, segment.length()))
    }

    fn of_lengths(lengths: Vec<u64>, index: usize, part: Ratio) -> Self {
        let divisor = lengths.iter().fold(0u64, |divisor, length| gcd(divisor.into(), (*length).into()) as u64).max(1);
        let lengths: Arc<[u64]> = lengths.into_iter().map(|length| length / divisor).collect();
        let period: u64 = lengths.iter().sum();
        let own = deal(&lengths, index, period);
        Self { lengths, index, part, own, period: period.max(1) }
    }

    /// How many of the first `n` things are ours.
    pub fn scale(&self, n: u64) -> u64 {
        let rounds = n / self.period;
        let rest = n % self.period;
        rounds * self.own.len() as u64 + self.own.partition_point(|place| *place < rest) as u64
    }

    /// The number, in the whole test, of our `k`-th thing (both from 0); `None` if nothing is ours.
    pub fn global(&self, k: u64) -> Option<u64> {
        let rounds = k.checked_div(self.own.len() as u64)?;
        Some(rounds * self.period + self.own[(k % self.own.len() as u64) as usize])
    }

    /// The numbers of our things in the whole test, rising and without end (empty if nothing is ours).
    #[cfg(test)]
    pub fn globals(&self) -> impl Iterator<Item = u64> + use<> {
        let share = self.clone();
        (0..).map_while(move |k| share.global(k))
    }

    /// The share whose segments are as long as each segment's part of `n` things: iterations are dealt out by it, so
    /// that an instance with more VUs gets more of them.
    pub fn by_split_of(&self, n: u64) -> Self {
        let period: u64 = self.lengths.iter().sum();
        let (rounds, rest) = (n / period.max(1), n % period.max(1));
        // All are dealt out at once: there may be a thousand instances.
        let mut splits = vec![0u64; self.lengths.len()];
        for (place, at) in dealt(&self.lengths, period).enumerate() {
            splits[at] += rounds + u64::from((place as u64) < rest);
        }
        let part = Ratio::new(splits[self.index].into(), n.into()).unwrap_or(Ratio::ZERO);
        Self::of_lengths(splits, self.index, part)
    }

    /// How much of the whole is ours.
    pub const fn part(&self) -> Ratio {
        self.part
    }
}

/// Deals the places of one period out and keeps those of the segment at `index`.
fn deal(lengths: &[u64], index: usize, period: u64) -> Arc<[u64]> {
    dealt(lengths, period).zip(0..).filter(|(at, _)| *at == index).map(|(_, place)| place).collect()
}

/// The segment that each place of one period goes to: the first one, longest first, that has had no more than its due so far.
fn dealt(lengths: &[u64], period: u64) -> impl Iterator<Item = usize> {
    let mut order: Vec<usize> = (0..lengths.len()).filter(|at| lengths[*at] > 0).collect();
    order.sort_by_key(|at| std::cmp::Reverse(lengths[*at]));
    let mut taken = vec![0u64; lengths.len()];
    (0..period).map_while(move |place| {
        let due = |at: usize| u128::from(taken[at]) * u128::from(period) <= u128::from(place) * u128::from(lengths[at]);
        // Somebody is always due: together they have had as many as there were places.
        let next = order.iter().copied().find(|at| due(*at))?;
        taken[next] += 1;
        Some(next)
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn share(segment: &str, sequence: &str) -> Share {
        let sequence = (!sequence.is_empty()).then(|| SegmentSequence::parse(sequence).unwrap());
        Share::new(Some(Segment::parse(segment).unwrap()), sequence.as_ref()).unwrap()
    }

    #[test]
    fn things_are_scaled_as_in_k6() {
        let check = |sequence: &str, segment: &str, expect: &str| {
            let share = share(segment, sequence);
            let got: Vec<_> = (1..=12).map(|n| share.scale(n).to_string()).collect();
            assert_eq!(got.join(" "), expect, "{segment} of {sequence}");
        };
        check("0,1/2,1", "0:1/2", "1 1 2 2 3 3 4 4 5 5 6 6");
        check("0,1/2,1", "1/2:1", "0 1 1 2 2 3 3 4 4 5 5 6");
        check("0,1/3,2/3,1", "0:1/3", "1 1 1 2 2 2 3 3 3 4 4 4");
        check("0,1/3,2/3,1", "1/3:2/3", "0 1 1 1 2 2 2 3 3 3 4 4");
        check("0,1/3,2/3,1", "2/3:1", "0 0 1 1 1 2 2 2 3 3 3 4");
        check("0,1/2,3/4,1", "0:1/2", "1 1 2 2 3 3 4 4 5 5 6 6");
        check("0,1/2,3/4,1", "1/2:3/4", "0 1 1 1 1 2 2 2 2 3 3 3");
        check("0,1/2,3/4,1", "3/4:1", "0 0 0 1 1 1 1 2 2 2 2 3");
        check("0,3/5,1", "0:3/5", "1 1 2 2 3 4 4 5 5 6 7 7");
        check("0,3/5,1", "3/5:1", "0 1 1 2 2 2 3 3 4 4 4 5");
        check("", "1/4:3/4", "1 1 2 2 3 3 4 4 5 5 6 6");
        check("", "50%:1", "0 1 1 2 2 3 3 4 4 5 5 6");
        check("", "0:1", "1 2 3 4 5 6 7 8 9 10 11 12");
    }

    #[test]
    fn things_are_dealt_out_by_vus() {
        let check = |sequence: &str, segment: &str, vus: u64, things: u64, expect: &str| {
            let split = share(segment, sequence).by_split_of(vus);
            let got: Vec<_> = split.globals().take_while(|at| *at < things).map(|at| at.to_string()).collect();
            assert_eq!(got.join(","), expect, "{segment} of {sequence}");
            assert_eq!(split.scale(things), got.len() as u64);
        };
        check("0,1/3,2/3,1", "0:1/3", 5, 11, "0,3,5,8,10");
        check("0,1/3,2/3,1", "1/3:2/3", 5, 11, "1,4,6,9");
        check("0,1/3,2/3,1", "2/3:1", 5, 11, "2,7");
        check("0,1/2,3/4,1", "0:1/2", 7, 21, "0,2,4,6,7,9,11,13,14,16,18,20");
        check("0,1/2,3/4,1", "1/2:3/4", 7, 21, "1,5,8,12,15,19");
        check("0,1/2,3/4,1", "3/4:1", 7, 21, "3,10,17");
        // As recorded: four VUs and ten iterations, five VUs and eleven.
        check("0,1/2,1", "0:1/2", 4, 10, "0,2,4,6,8");
        check("0,1/2,1", "1/2:1", 5, 11, "1,3,6,8");
        check("0,1/2,1", "1/2:1", 1, 10, "");
    }

    /// Of sequences with odd lengths: every part, in order.
    pub(crate) fn odd_sequences() -> Vec<Vec<Share>> {
        let sequences =
            ["0,1/3,1", "0,2/7,3/7,1", "0,1/10,3/10,6/10,1", "0,5/13,6/13,12/13,1", "0,1/2,1/2,1", "0,1/64,1"];
        let readable = sequences.iter().filter_map(|text| SegmentSequence::parse(text).ok().map(|read| (*text, read)));
        readable
            .map(|(text, sequence)| {
                let points: Vec<_> = text.split(',').collect();
                let part = |ends: &[&str]| Segment::parse(&ends.join(":")).unwrap();
                points.windows(2).map(|ends| Share::new(Some(part(ends)), Some(&sequence)).unwrap()).collect()
            })
            .collect()
    }

    #[test]
    fn all_parts_together_are_the_whole() {
        for parts in odd_sequences() {
            for n in 0..300 {
                assert_eq!(parts.iter().map(|part| part.scale(n)).sum::<u64>(), n);
            }
            let mut dealt: Vec<u64> = parts.iter().flat_map(|part| part.globals().take_while(|at| *at < 300)).collect();
            dealt.sort_unstable();
            assert_eq!(dealt, (0..300).collect::<Vec<_>>());
            // Dealt out by VUs, nothing is lost or done twice either.
            for vus in [1, 2, 5, 9, 100] {
                let split: Vec<_> = parts.iter().map(|part| part.by_split_of(vus)).collect();
                assert_eq!(split.iter().map(|part| part.scale(1000)).sum::<u64>(), 1000, "{vus}");
            }
        }
    }

    #[test]
    fn segments_are_read() {
        let check = |text: &str, expect: &str| {
            assert_eq!(
                Segment::parse(text).map_or_else(|error| error, |segment| segment.to_string()),
                expect,
                "{text}"
            );
        };
        check("25%", "0:1/4");
        check("0.25", "0:1/4");
        check("1/4:2/4", "1/4:1/2");
        check("25%:50%", "1/4:1/2");
        check("2", "segment end value can't be more than 1 but was 2.00");
        check("-0.5:1", "segment start value must be at least 0 but was -0.50");
        check("-0.5", "segment start(0.00) must be less than its end(-0.50)");
        check("1/2:1/3", "segment start(0.50) must be less than its end(0.33)");
        check("abc", "'abc' is not a valid percentage, decimal, fraction or interval value");
    }

    #[test]
    fn sequences_are_read_and_searched() {
        let check = |text: &str, expect: &str| {
            let got = SegmentSequence::parse(text).map_or_else(|error| error, |sequence| sequence.to_string());
            assert_eq!(got, expect, "{text}");
        };
        check("0,1/4,2/4,1", "0,1/4,1/2,1");
        check("0", "at least 2 points are needed for an execution segment sequence, 1 given");
        check("", "at least 2 points are needed for an execution segment sequence, 0 given");
        check("0,1/2,1/3", "segment start(0.50) must be less than its end(0.33)");
        let sequence = SegmentSequence::parse("0,1/2,1").unwrap();
        let got = Share::new(Some(Segment::parse("1/4").unwrap()), Some(&sequence)).unwrap_err();
        assert_eq!(got, "provided segment 0:1/4 can't be found in sequence 0,1/2,1");
    }
}
