//! `compare`: two results, as typed; what is compared how is the room `procedure`'s business.

use std::path::PathBuf;

use clap::Args;

use super::commands::{Command, CommandContext};
use super::usage::refuse;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::procedure::{self, CompareShape};

/// Compare two results and find regressions
#[derive(Debug, Args)]
pub(super) struct CompareArgs {
    /// What was before
    before: PathBuf,
    /// What is now
    after: PathBuf,
    /// Exit with 99 if a figure got worse by more than this, such as 10%
    #[arg(long, value_name = "PERCENT")]
    fail_on_regression: Option<String>,
    /// Print a table for a pull request
    #[arg(long)]
    markdown: bool,
    /// Print the figures that are not judged, too
    #[arg(long)]
    all: bool,
}

impl Command for CompareArgs {
    fn run(self, context: CommandContext) -> Result<ExitCode, Failure> {
        let limit = match &self.fail_on_regression {
            None => None,
            Some(text) => {
                let number = text.trim().strip_suffix('%').unwrap_or(text.trim()).trim().parse::<f64>().ok();
                let Some(percent) = number.filter(|percent| percent.is_finite() && *percent >= 0.0) else {
                    return Err(refuse(format!("`--fail-on-regression` is a percentage such as `10%`, not `{text}`")));
                };
                Some(percent)
            }
        };
        let shape = match (self.markdown, self.all) {
            (true, _) => CompareShape::Markdown,
            (false, true) => CompareShape::All,
            (false, false) => CompareShape::Judged,
        };
        let (before, after) = (context.cwd.join(&self.before), context.cwd.join(&self.after));
        procedure::compare(&before, &after, limit, shape, &context.terminal)
    }
}
