//! Criteria: one comparison of sums and products of numbers and of figures of runs, such as
//! `stress.http_req_duration.p95 <= baseline.http_req_duration.p95 * 1.5`.
//!
//! A figure that was not measured makes the whole criterion not measured, which is never a pass.

use std::fmt;

use crate::units::figure::Unit;

/// A figure of a run: `stress.http_req_duration{name:list}.p95`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FigureRef {
    /// The run.
    pub run: String,
    /// A metric, with the tags of a sub-metric, or a series of a collector.
    pub metric: String,
    /// The figure, as the summary names it: `p(95)`, `rate`, `max`.
    pub stat: String,
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq)]
enum Term {
    Number(f64),
    Figure(FigureRef),
    Negative(Box<Term>),
    Pair(Box<Term>, char, Box<Term>),
}

/// A criterion, read.
#[derive(Clone, Debug, PartialEq)]
pub struct CriterionExpression {
    left: Term,
    comparison: &'static str,
    right: Term,
    /// What stands left and right of the comparison, as typed.
    pub sides: (String, String),
}

/// What a criterion came to.
#[derive(Clone, Debug, PartialEq)]
pub struct CriterionOutcome {
    /// The left side, if all of it was measured.
    pub achieved: Option<f64>,
    /// The right side, if all of it was measured.
    pub target: Option<f64>,
    /// Nothing if one of them was not.
    pub passed: Option<bool>,
}

const COMPARISONS: [&str; 6] = ["<=", ">=", "==", "!=", "<", ">"];

/// Figures that summaries and series have.
pub const STATS: [(&str, &str); 22] = [
    ("p50", "med"),
    ("p90", "p(90)"),
    ("p95", "p(95)"),
    ("p99", "p(99)"),
    ("p99.9", "p(99.9)"),
    ("p(50)", "med"),
    ("p(90)", "p(90)"),
    ("p(95)", "p(95)"),
    ("p(99)", "p(99)"),
    ("p(99.9)", "p(99.9)"),
    ("med", "med"),
    ("avg", "avg"),
    ("mean", "avg"),
    ("min", "min"),
    ("max", "max"),
    ("count", "count"),
    ("rate", "rate"),
    ("value", "value"),
    ("last", "value"),
    ("passes", "passes"),
    ("fails", "fails"),
    ("sum", "sum"),
];

impl CriterionExpression {
    /// Reads a criterion; `runs` are the names that may be used.
    ///
    /// # Errors
    /// What is wrong, in one line.
    pub fn parse(text: &str, runs: &[&str]) -> Result<Self, String> {
        let mut reader = ExpressionParser { text, at: 0, runs };
        let left = reader.sum()?;
        let left_end = reader.at;
        reader.spaces();
        let rest = &text[reader.at..];
        let Some(comparison) = COMPARISONS.into_iter().find(|word| rest.starts_with(word)) else {
            let is_word = rest.starts_with(char::is_alphabetic);
            let word = if is_word { rest.split(|c: char| !c.is_alphabetic()).next() } else { None };
            let sign = rest.chars().next().map(String::from);
            return Err(match word.map(str::to_owned).or(sign) {
                None => format!("a comparison is missing; allowed are {}", COMPARISONS.join(" ")),
                Some(odd) => format!("`{odd}` is not a comparison; allowed are {}", COMPARISONS.join(" ")),
            });
        };
        reader.at += comparison.len();
        let right_begin = reader.at;
        let right = reader.sum()?;
        reader.spaces();
        if reader.at < text.len() {
            return Err(format!("`{}` is left over; a criterion is one comparison", &text[reader.at..]));
        }
        let sides = (text[..left_end].trim().to_owned(), text[right_begin..].trim().to_owned());
        let read = Self { left, comparison, right, sides };
        if read.figures().is_empty() {
            return Err("no figure of a run is compared; a figure looks like stress.http_req_duration.p95".to_owned());
        }
        Ok(read)
    }

    /// The comparison as typed.
    pub fn comparison(&self) -> &'static str {
        self.comparison
    }

    /// Judges by figures; `find` has nothing to say about what was not measured.
    pub fn judge(&self, find: &dyn Fn(&FigureRef) -> Option<f64>) -> CriterionOutcome {
        let finite = |value: &f64| value.is_finite();
        let achieved = self.left.value(find).filter(finite);
        let target = self.right.value(find).filter(finite);
        let passed = achieved.zip(target).map(|(left, right)| match self.comparison {
            "<=" => left <= right,
            ">=" => left >= right,
            "==" => left == right,
            "!=" => left != right,
            "<" => left < right,
            _ => left > right,
        });
        CriterionOutcome { achieved, target, passed }
    }

    /// What both sides measure: the unit of the first figure that is neither scaled away nor a ratio.
    pub fn unit(&self, of: &dyn Fn(&FigureRef) -> Unit) -> Unit {
        self.left.unit(of).or_else(|| self.right.unit(of)).unwrap_or(Unit::Number)
    }

    /// The figures on both sides.
    pub fn figures(&self) -> Vec<&FigureRef> {
        let mut figures = Vec::new();
        self.left.gather(&mut figures);
        self.right.gather(&mut figures);
        figures
    }

    /// The right side, if it is one number.
    pub fn fixed_target(&self) -> Option<f64> {
        match &self.right {
            Term::Number(number) => Some(*number),
            _ => None,
        }
    }
}

impl Term {
    fn unit(&self, of: &dyn Fn(&FigureRef) -> Unit) -> Option<Unit> {
        match self {
            Self::Number(_) => None,
            Self::Figure(figure) => Some(of(figure)),
            Self::Negative(term) => term.unit(of),
            Self::Pair(left, sign, right) => match (left.unit(of), right.unit(of), sign) {
                (left, right, '+' | '-') => left.or(right),
                (left, None, _) => left,
                (None, right, '*') => right,
                _ => Some(Unit::Number),
            },
        }
    }

    fn value(&self, find: &dyn Fn(&FigureRef) -> Option<f64>) -> Option<f64> {
        Some(match self {
            Self::Number(number) => *number,
            Self::Figure(figure) => find(figure)?,
            Self::Negative(term) => -term.value(find)?,
            Self::Pair(left, sign, right) => {
                let (left, right) = (left.value(find)?, right.value(find)?);
                match sign {
                    '+' => left + right,
                    '-' => left - right,
                    '*' => left * right,
                    _ => left / right,
                }
            }
        })
    }

    fn gather<'a>(&'a self, figures: &mut Vec<&'a FigureRef>) {
        match self {
            Self::Number(_) => (),
            Self::Figure(figure) => figures.push(figure),
            Self::Negative(term) => term.gather(figures),
            Self::Pair(left, _, right) => {
                left.gather(figures);
                right.gather(figures);
            }
        }
    }
}

impl fmt::Display for FigureRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.run, self.metric, self.stat)
    }
}

struct ExpressionParser<'a> {
    text: &'a str,
    at: usize,
    runs: &'a [&'a str],
}

/// Brackets in brackets are not deeper than this.
const MAX_DEPTH: usize = 50;

impl ExpressionParser<'_> {
    fn spaces(&mut self) {
        self.at += self.text[self.at..].len() - self.text[self.at..].trim_start().len();
    }

    fn next(&mut self) -> Option<char> {
        self.spaces();
        self.text[self.at..].chars().next()
    }

    fn sum(&mut self) -> Result<Term, String> {
        self.sum_at(0)
    }

    fn sum_at(&mut self, depth: usize) -> Result<Term, String> {
        if depth > MAX_DEPTH {
            return Err("brackets are nested too deeply".to_owned());
        }
        let mut left = self.product(depth)?;
        while let Some(sign @ ('+' | '-')) = self.next() {
            self.at += 1;
            left = Term::Pair(Box::new(left), sign, Box::new(self.product(depth)?));
        }
        Ok(left)
    }

    fn product(&mut self, depth: usize) -> Result<Term, String> {
        let mut left = self.factor(depth)?;
        while let Some(sign @ ('*' | '/')) = self.next() {
            self.at += 1;
            left = Term::Pair(Box::new(left), sign, Box::new(self.factor(depth)?));
        }
        Ok(left)
    }

    fn factor(&mut self, depth: usize) -> Result<Term, String> {
        match self.next() {
            None => Err("a number or a figure is missing".to_owned()),
            Some('(') => {
                self.at += 1;
                let inner = self.sum_at(depth + 1)?;
                if self.next() != Some(')') {
                    return Err("`)` is missing".to_owned());
                }
                self.at += 1;
                Ok(inner)
            }
            Some('-') => {
                self.at += 1;
                if depth > MAX_DEPTH {
                    return Err("signs are nested too deeply".to_owned());
                }
                Ok(Term::Negative(Box::new(self.factor(depth + 1)?)))
            }
            Some(sign) if sign.is_ascii_digit() || sign == '.' => self.number(),
            Some(sign) if sign.is_ascii_alphabetic() => self.figure().map(Term::Figure),
            Some(sign) => Err(format!("`{sign}` is neither a number nor a figure")),
        }
    }

    /// A number, maybe with `%`, `ms` or `s`: shares go from 0 to 1, times are milliseconds.
    fn number(&mut self) -> Result<Term, String> {
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let number: f64 = rest[..end].parse().map_err(|_| format!("`{}` is not a number", &rest[..end]))?;
        let unit_end = rest[end..].find(|c: char| !c.is_ascii_alphabetic() && c != '%').unwrap_or(rest.len() - end);
        let unit = &rest[end..end + unit_end];
        self.at += end + unit_end;
        // Percent may stand apart.
        if unit.is_empty() && self.next() == Some('%') {
            self.at += 1;
            return Ok(Term::Number(number / 100.0));
        }
        match unit {
            "" | "ms" => Ok(Term::Number(number)),
            "%" => Ok(Term::Number(number / 100.0)),
            "s" => Ok(Term::Number(number * 1000.0)),
            _ => Err(format!("`{unit}` is not a unit; allowed are %, ms and s")),
        }
    }

    fn figure(&mut self) -> Result<FigureRef, String> {
        let rest = &self.text[self.at..];
        let mut braces = false;
        let mut end = rest.len();
        let mut in_round = false;
        for (place, sign) in rest.char_indices() {
            match sign {
                '{' => braces = true,
                '}' => braces = false,
                _ if braces => (),
                // `p(95)`, not the bracket of an expression.
                '(' if rest[..place].ends_with(".p") => in_round = true,
                ')' if in_round => in_round = false,
                _ if sign.is_ascii_alphanumeric() || matches!(sign, '_' | '.') => (),
                _ => {
                    end = place;
                    break;
                }
            }
        }
        let typed = rest[..end].trim_end();
        self.at += end;
        let shape =
            || format!("`{typed}` is not a figure; a figure is RUN.METRIC.STAT, as stress.http_req_duration.p95");
        if braces {
            return Err(format!("`{typed}`: `}}` is missing"));
        }
        let (run, rest) = typed.split_once('.').ok_or_else(shape)?;
        let known = STATS.iter().filter(|(word, _)| {
            rest.strip_suffix(word).is_some_and(|before| before.len() > 1 && before.ends_with('.'))
        });
        let Some((word, stat)) = known.max_by_key(|(word, _)| word.len()) else {
            let (_, stat) = rest.rsplit_once('.').ok_or_else(shape)?;
            let words: Vec<&str> = STATS.iter().map(|(word, _)| *word).filter(|word| !word.contains('(')).collect();
            return Err(format!("`{stat}` in `{typed}` is not a statistic; allowed are {}", words.join(", ")));
        };
        if !self.runs.contains(&run) {
            return Err(format!("`{run}` in `{typed}` is not a run; the runs are {}", self.runs.join(", ")));
        }
        let metric = rest[..rest.len() - word.len() - 1].to_owned();
        Ok(FigureRef { run: run.to_owned(), metric, stat: (*stat).to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNS: [&str; 3] = ["baseline", "stress", "spike"];

    fn find(figure: &FigureRef) -> Option<f64> {
        match figure.to_string().as_str() {
            "stress.http_req_duration.p(95)" => Some(90.0),
            "baseline.http_req_duration.p(95)" => Some(80.0),
            "stress.errors.rate" => Some(0.005),
            "stress.d{name:by id, a.b}.p(99.9)" => Some(7.0),
            "stress.odd.value" => Some(f64::INFINITY),
            "stress.zero.count" => Some(0.0),
            _ => None,
        }
    }

    #[test]
    fn judges() {
        let check = |text: &str, expect: Option<bool>| {
            let read = CriterionExpression::parse(text, &RUNS).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(read.judge(&find).passed, expect, "{text}");
        };
        check("stress.http_req_duration.p95 < 100", Some(true));
        check("stress.http_req_duration.p(95)<90", Some(false));
        check("stress.http_req_duration.p95 <= 90ms", Some(true));
        check("stress.http_req_duration.p95 < 0.1s", Some(true));
        check("100 > stress.http_req_duration.p95", Some(true));
        check("stress.errors.rate < 1%", Some(true));
        check("stress.errors.rate < 0.5 %", Some(false));
        check("stress.http_req_duration.p95 <= baseline.http_req_duration.p95 * 1.5", Some(true));
        check("stress.http_req_duration.p95 - baseline.http_req_duration.p95 == (2 + 3) * 2", Some(true));
        check("stress.http_req_duration.p95 / baseline.http_req_duration.p95 < 1 + 0.1", Some(false));
        check("-stress.errors.rate != -0.005", Some(false));
        check("stress.d{name:by id, a.b}.p99.9 >= 7", Some(true));
        check("spike.db_connections.max < 25", None);
        check("stress.http_req_duration.p95 < spike.http_req_duration.p95", None);
        check("stress.odd.value > 1", None);
        check("stress.errors.rate / stress.zero.count < 1", None);
    }

    #[test]
    fn refuses() {
        let check = |text: &str, expect: &str| {
            let error = CriterionExpression::parse(text, &RUNS).expect_err(text);
            assert!(error.contains(expect), "{text}: {error}");
        };
        check("", "a number or a figure is missing");
        check("stress.errors.rate", "a comparison is missing; allowed are <= >= == != < >");
        check("stress.errors.rate = 1", "`=` is not a comparison");
        check("stress.errors.rate less than 1", "`less` is not a comparison");
        check("stress.errors.rate < ", "a number or a figure is missing");
        check("stress.errors.rate < 1 < 2", "`< 2` is left over");
        check("1 < 2", "no figure of a run is compared");
        check(
            "peak.errors.rate < 1",
            "`peak` in `peak.errors.rate` is not a run; the runs are baseline, stress, spike",
        );
        check("stress.errors < 1", "`stress.errors` is not a figure; a figure is RUN.METRIC.STAT");
        check("stress < 1", "is not a figure");
        check("stress.errors.p97 < 1", "`p97` in `stress.errors.p97` is not a statistic; allowed are p50, p90");
        check("stress.errors.rate < (1", "`)` is missing");
        check("stress.errors.rate < 1x", "`x` is not a unit; allowed are %, ms and s");
        check("stress.errors.rate < 1..2", "`1..2` is not a number");
        check("stress.errors.rate < #", "`#` is neither a number nor a figure");
        check("stress.d{name:x.p95 < 1", "`}` is missing");
        check(&format!("{}stress.errors.rate < 1", "(".repeat(1000)), "nested too deeply");
        check(&format!("{}stress.errors.rate < 1", "-".repeat(1000)), "nested too deeply");
    }
}
