//! The panel of `--ui full`: how long requests take, what was answered, what went wrong; beside each other below the bars.

use super::progress::cut;
use crate::units::figure::{self, Unit};

/// What the panel shows of all requests so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RequestPanel {
    /// Where each range of times of answered requests begins, in milliseconds, and how many are in it; rising.
    pub latency: Vec<(f64, u64)>,
    /// Statistics of those times, in milliseconds, by name.
    pub statistics: Vec<(&'static str, f64)>,
    /// How many responses had each status, by status; `0` where there was none.
    pub statuses: Vec<(String, u64)>,
    /// How many requests had each error, the most frequent first.
    pub errors: Vec<(String, u64)>,
    /// Iterations that could not be started.
    pub dropped: u64,
}

/// Below this width, in characters, one part stands below the other.
const MIN_WIDTH_OF_TWO: usize = 72;
/// The most statuses and the most errors that are listed.
const MAX_LISTED: usize = 6;
/// The longest bar.
const MAX_BAR_WIDTH: usize = 50;
/// The place of a range's beginning and of its count.
const LABEL_WIDTH: usize = 9;

impl RequestPanel {
    /// The lines of the panel, each within `width`.
    pub fn render(&self, width: usize, colors: bool) -> Vec<String> {
        let paint =
            |text: &str, code: &str| if colors { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() };
        if width < MIN_WIDTH_OF_TWO {
            let mut lines = self.times(width, &paint);
            lines.push(String::new());
            lines.extend(self.answers(width, &paint));
            return lines;
        }
        let half = width / 2 - 1;
        let (left, right) = (self.times(half, &paint), self.answers(width - half - 2, &paint));
        let rows = left.len().max(right.len());
        let at = |lines: &[String], row: usize| lines.get(row).cloned().unwrap_or_default();
        let line = |row: usize| {
            let text = at(&left, row);
            let fill = half.saturating_sub(visible(&text)) + 2;
            format!("{text}{}{}", " ".repeat(fill), at(&right, row)).trim_end().to_owned()
        };
        (0..rows).map(line).collect()
    }

    fn times(&self, width: usize, paint: &dyn Fn(&str, &str) -> String) -> Vec<String> {
        let mut lines = vec![paint("Times of answered requests", "1")];
        let most = self.latency.iter().map(|(_, count)| *count).max().unwrap_or(0);
        let room = width.saturating_sub(2 * LABEL_WIDTH + 7).min(MAX_BAR_WIDTH);
        for (from, count) in &self.latency {
            // What is there is seen.
            let cells = (*count as f64 / most.max(1) as f64 * room as f64).round() as usize;
            let cells = cells.max(usize::from(*count > 0)).min(room);
            let (from, count) = (figure::text(*from, Unit::Time), figure::text(*count as f64, Unit::Count));
            let bar = paint(&"■".repeat(cells), "36");
            lines.push(format!("{from:>LABEL_WIDTH$} [{count:>LABEL_WIDTH$}] {bar}").trim_end().to_owned());
        }
        if self.latency.is_empty() {
            lines.push("  none yet".to_owned());
        }
        let texts = self.statistics.iter().map(|(name, value)| format!("{name} {}", figure::text(*value, Unit::Time)));
        lines.extend(wrapped(texts, width));
        lines
    }

    fn answers(&self, width: usize, paint: &dyn Fn(&str, &str) -> String) -> Vec<String> {
        let count_of = |count: u64| figure::text(count as f64, Unit::Count);
        let mut lines = vec![paint("Statuses", "1")];
        for (status, count) in self.statuses.iter().take(MAX_LISTED) {
            let (name, code) = match status.as_bytes().first() {
                Some(b'0') | None => ("none", "31"),
                Some(b'2') => (status.as_str(), "32"),
                Some(b'1' | b'3') => (status.as_str(), "36"),
                Some(b'4') => (status.as_str(), "33"),
                Some(_) => (status.as_str(), "31"),
            };
            lines.push(format!("  {} {:>LABEL_WIDTH$}", paint(&format!("{name:<4}"), code), count_of(*count)));
        }
        lines.extend(more(self.statuses.len()));
        lines.push(paint("Errors", "1"));
        for (text, count) in self.errors.iter().take(MAX_LISTED) {
            let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            lines.push(cut(&format!("  {:>LABEL_WIDTH$} {}", count_of(*count), paint(&text, "31")), width));
        }
        lines.extend(more(self.errors.len()));
        if self.errors.is_empty() {
            lines.push("  none".to_owned());
        }
        let dropped = count_of(self.dropped);
        let dropped = if self.dropped > 0 { paint(&dropped, "31") } else { dropped };
        lines.push(format!("{} {dropped}", paint("Dropped iterations", "1")));
        lines
    }
}

/// A line about what is not listed.
fn more(all: usize) -> Option<String> {
    (all > MAX_LISTED).then(|| format!("  and {} more", all - MAX_LISTED))
}

/// Texts beside each other, in as many lines as that takes.
fn wrapped(texts: impl Iterator<Item = String>, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for text in texts {
        match lines.last_mut().filter(|line| visible(line) + text.chars().count() + 2 <= width) {
            Some(line) => *line += &format!("  {text}"),
            None => lines.push(cut(&format!("  {text}"), width)),
        }
    }
    lines
}

/// How many characters are seen: codes for colours are not.
fn visible(text: &str) -> usize {
    let mut in_code = false;
    let seen = text.chars().filter(|c| {
        let is_seen = *c != '\x1b' && !in_code;
        in_code = *c == '\x1b' || in_code && !c.is_ascii_alphabetic();
        is_seen
    });
    seen.count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panel() -> RequestPanel {
        RequestPanel {
            latency: vec![(1.0, 400), (2.0, 100), (3.0, 0), (4.0, 1)],
            statistics: vec![("min", 1.0), ("med", 1.5), ("p90", 2.5), ("p95", 2.75), ("p99", 4.0), ("max", 12.0)],
            statuses: vec![("0".to_owned(), 2), ("200".to_owned(), 490), ("404".to_owned(), 10), ("503".to_owned(), 1)],
            errors: vec![("dial: connection refused ".repeat(8), 2), ("404 Not\nFound".to_owned(), 10)],
            dropped: 7,
        }
    }

    #[test]
    fn a_panel_fits_the_terminal() {
        for width in [20, 40, 71, 72, 80, 160, 400] {
            for colors in [false, true] {
                for line in panel().render(width, colors) {
                    assert!(visible(&line) <= width.max(36) && !line.contains('\n'), "{width}: {line}");
                    assert!(colors || !line.contains('\x1b'), "{line}");
                }
            }
        }
    }

    #[test]
    fn at_80_columns() {
        let expect = "\
Times of answered requests               Statuses
     1 ms [      400] ■■■■■■■■■■■■■■       none         2
     2 ms [      100] ■■■■                 200        490
     3 ms [        0]                      404         10
     4 ms [        1] ■                    503          1
  min 1 ms  med 1.5 ms  p90 2.5 ms       Errors
  p95 2.75 ms  p99 4 ms  max 12 ms                 2 dial: connection refused di
                                                  10 404 Not Found
                                         Dropped iterations 7";
        assert_eq!(panel().render(80, false).join("\n"), expect);
    }

    #[test]
    fn at_160_columns_bars_are_longer() {
        let lines = panel().render(160, false);
        assert!(lines[1].contains(&"■".repeat(MAX_BAR_WIDTH)), "{}", lines[1]);
        assert!(lines[5].contains("p99 4 ms  max 12 ms"), "{}", lines[5]);
        assert_eq!(lines.len(), 9);
    }

    #[test]
    fn colours_tell_good_from_bad() {
        let text = panel().render(80, true).join("\n");
        for part in [
            "\x1b[32m200 \x1b[0m",
            "\x1b[33m404 \x1b[0m",
            "\x1b[31m503 \x1b[0m",
            "\x1b[31mnone\x1b[0m",
            "\x1b[31m7\x1b[0m",
        ] {
            assert!(text.contains(part), "{part:?}");
        }
    }

    #[test]
    fn what_is_missing_is_said() {
        let text = RequestPanel::default().render(80, false).join("\n");
        assert!(
            text.contains("none yet") && text.contains("  none\n") && text.ends_with("Dropped iterations 0"),
            "{text}"
        );
        let many = (0..9).map(|at| (format!("{at}"), 1)).collect();
        let text = RequestPanel { errors: many, ..RequestPanel::default() }.render(80, false).join("\n");
        assert!(text.contains("and 3 more"), "{text}");
    }
}
