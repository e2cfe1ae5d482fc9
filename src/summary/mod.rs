//! The end-of-test summary: the text for the terminal, the data for `handleSummary`, the exports.
//!
//! All of it is computed from one [`Results`](crate::metrics::Results); nothing here measures or judges.

pub mod collate;
pub mod data;
mod distribution;
pub mod document;
mod endpoints;
pub mod export;
#[cfg(test)]
mod fixture;
pub mod headline;
pub mod junit;
pub mod machine;
pub mod markdown;
pub mod merge;
pub mod pages;
pub mod part;
mod part_series;
pub mod text;
mod threshold_figures;
mod timeline;
pub mod tree;
pub mod writing;

use crate::metrics::{Contains, TrendStat};
use crate::units::number::{self, TimeUnit};

/// How much the end-of-test summary says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Totals only, without the phases of requests.
    #[default]
    Compact,
    /// Every metric, with a section per group and per scenario.
    Full,
    /// Nothing: no text, no `handleSummary`, no export.
    Disabled,
}

/// How a summary is rendered.
#[derive(Clone, Debug)]
pub struct RenderOptions {
    /// How much it says.
    pub mode: Mode,
    /// The figures of trends, in this order.
    pub trend_stats: Vec<TrendStat>,
    /// The unit of times in the text.
    pub time_unit: TimeUnit,
    /// `summaryTimeUnit` as typed, for the data.
    pub time_unit_name: String,
    /// Whether the text may use colours.
    pub colors: bool,
    /// Whether full mode ends with a table of endpoints.
    pub endpoints: bool,
    /// Whether somebody reads it on a terminal.
    pub is_on_terminal: bool,
}

impl RenderOptions {
    /// A value as the text shows it.
    pub fn shown(&self, value: f64, contains: Contains) -> String {
        match contains {
            Contains::Default => number::plain(value),
            Contains::Time => number::time(value, self.time_unit),
            Contains::Data => number::bytes(value),
        }
    }
}

impl Default for RenderOptions {
    fn default() -> Self {
        Self {
            mode: Mode::Compact,
            trend_stats: TrendStat::defaults(),
            time_unit: TimeUnit::Auto,
            time_unit_name: String::new(),
            colors: false,
            endpoints: false,
            is_on_terminal: false,
        }
    }
}

/// Whether a metric is left out of lists for people: checks and groups have their own place.
fn is_hidden(name: &str, mode: Mode) -> bool {
    const PHASES: [&str; 6] = [
        "http_req_blocked",
        "http_req_connecting",
        "http_req_receiving",
        "http_req_sending",
        "http_req_tls_handshaking",
        "http_req_waiting",
    ];
    matches!(name, "checks" | "group_duration") || (mode == Mode::Compact && PHASES.contains(&name))
}
