//! Flags about what is written and shown beside k6's summary; `run` and `conduct` have them.

use clap::Args;

use super::args::{Switch, is_on};
use super::runtime::Environment;
use super::usage::refuse;
use crate::failure::Failure;
use crate::run::Reports;
use crate::ui::progress::ProgressMode;

/// What is written and shown beside k6's summary, as typed.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct ReportArgs {
    /// Write our own summary to this file as JSON: everything, over time and mergeable
    #[arg(long, value_name = "FILE")]
    summary_json: Option<String>,
    /// Write thresholds and checks to this file as JUnit XML
    #[arg(long, value_name = "FILE")]
    summary_junit: Option<String>,
    /// Write the run on one screen to this file as Markdown, for the summary of a CI job
    #[arg(long, value_name = "FILE")]
    summary_markdown: Option<String>,
    /// With --summary-mode=full: end with a table of requests by name and method
    #[arg(long)]
    summary_endpoints: Option<Switch>,
    /// Write the run as one HTML page to this file
    #[arg(long, value_name = "FILE")]
    report: Option<String>,
    /// How progress is shown: live (on a terminal), full (with times, statuses and errors), or plain lines
    #[arg(long, value_name = "KIND")]
    ui: Option<String>,
}

impl ReportArgs {
    /// What is written; a flag counts more than its variable.
    pub(super) fn files(&self, env: &Environment) -> Reports {
        let or_env = |flag: &Option<String>, name: &str| {
            flag.clone().or_else(|| env.get(name).cloned()).filter(|path| !path.is_empty())
        };
        Reports {
            json: or_env(&self.summary_json, "VOLLEY_SUMMARY_JSON"),
            junit: or_env(&self.summary_junit, "VOLLEY_SUMMARY_JUNIT"),
            html: or_env(&self.report, "VOLLEY_REPORT"),
            markdown: or_env(&self.summary_markdown, "VOLLEY_SUMMARY_MARKDOWN"),
            endpoints: is_on(self.summary_endpoints),
        }
    }

    /// How progress is shown, where it was said.
    ///
    /// # Errors
    /// A word that is none.
    pub(super) fn progress(&self, env: &Environment) -> Result<Option<ProgressMode>, Failure> {
        match self.ui.as_ref().or_else(|| env.get("VOLLEY_UI")).map(String::as_str) {
            None | Some("") => Ok(None),
            Some("live") => Ok(Some(ProgressMode::Live)),
            Some("full") => Ok(Some(ProgressMode::Full)),
            Some("plain") => Ok(Some(ProgressMode::Plain)),
            Some(other) => Err(refuse(format!("`--ui` is `live`, `full` or `plain`, not `{other}`"))),
        }
    }
}
