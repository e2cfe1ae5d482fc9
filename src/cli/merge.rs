//! `merge`: files of `--summary-json`, one for each instance, as one result.

use std::path::PathBuf;

use clap::Args;

use super::args::RuntimeArgs;
use super::commands::{Command, CommandContext};
use super::script::ScriptSettings;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::log::Level;
use crate::options::{Compat, Layers};
use crate::report::{self, PageMode};
use crate::run::{self, MergedSummary};
use crate::summary::data::SummaryFacts;
use crate::summary::markdown::{self, MarkdownFacts};
use crate::summary::merge::{Merge, merge};
use crate::summary::part::Part;
use crate::summary::{document, export, junit, text, writing};

/// Merge the results of instances that ran the parts of one test
///
/// Each instance runs a part (`--execution-segment`) and writes `--summary-json`. The merge says what one instance would have
/// said that ran it all, and judges the thresholds on that: the exit code is 0 or 99.
#[derive(Debug, Args)]
pub(super) struct MergeArgs {
    /// Files of `--summary-json`, one for each instance
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Write the merge to this file, as `--summary-json` does
    #[arg(long, value_name = "FILE")]
    out: Option<String>,
    /// Write k6's summary export to this file
    #[arg(long, value_name = "FILE")]
    summary_export: Option<String>,
    /// Write thresholds and checks to this file as JUnit XML
    #[arg(long, value_name = "FILE")]
    summary_junit: Option<String>,
    /// Write the merge as one HTML page to this file
    #[arg(long, value_name = "FILE")]
    report: Option<String>,
    /// Write the merge on one screen to this file as Markdown, for the summary of a CI job
    #[arg(long, value_name = "FILE")]
    markdown: Option<String>,
    /// Let the `handleSummary` of this script say what is printed and written, as it would have for one instance
    #[arg(long, value_name = "SCRIPT")]
    script: Option<String>,
    /// A variable for the script's __ENV; may be repeated
    #[arg(short, long, value_name = "NAME=VALUE", requires = "script")]
    env: Vec<String>,
    /// Merge although a part is missing, ran twice or did not end well; the result says so
    #[arg(long)]
    partial: bool,
}

/// What can't be merged is no result, 104.
fn refuse(why: String) -> Failure {
    Failure::new(ExitCode::InvalidConfig, why)
}

impl Command for MergeArgs {
    fn run(self, context: CommandContext) -> Result<ExitCode, Failure> {
        let mut parts = Vec::new();
        for file in &self.files {
            let shown = file.display().to_string();
            let content = std::fs::read_to_string(context.cwd.join(file)).map_err(|error| {
                refuse(format!("could not read `{shown}`: {}", writing::plain(&error)))
                    .hint("merged are files of `volley run --summary-json FILE`, one for each instance")
            })?;
            parts.push(Part::read(&shown, &content).map_err(refuse)?);
        }
        let mut merged = merge(&parts, self.partial).map_err(refuse)?;
        merged.options.colors = context.terminal.stdout_colors();
        merged.options.is_on_terminal = context.terminal.stdout_is_tty();
        for note in &merged.notes {
            context.log.logger().log(Level::Warning, note.as_str(), Vec::new());
        }
        // Whatever can't be written or run, the rest is, and the verdict stands before it.
        let written = self.write(&merged, &context);
        let summarized = self.summarize(&merged, &context);
        match merged.facts.end.and_then(|end| end.reason) {
            None => written.and(summarized).map(|()| ExitCode::Success),
            Some(reason) => {
                let lost = [written, summarized].into_iter().filter_map(Result::err);
                lost.for_each(|failure| super::report(&failure, &context.log.logger()));
                Err(Failure::new(ExitCode::ThresholdsCrossed, reason))
            }
        }
    }
}

impl MergeArgs {
    /// Prints the summary, or what the script's `handleSummary` makes of it. Where it makes nothing of it, ours is printed.
    fn summarize(&self, merged: &Merge, context: &CommandContext) -> Result<(), Failure> {
        let ours = || context.print(&context.terminal.fit(text::render(&merged.results, &merged.options))).map(|_| ());
        let handled = match self.handled(merged, context) {
            Ok(handled) => handled,
            Err(failure) => return ours().and(Err(failure)),
        };
        match handled {
            MergedSummary::Ours => ours(),
            MergedSummary::Failed(failure) => {
                // As for a run: what it came to is not changed by it.
                super::report(&failure, &context.log.logger());
                ours()
            }
            MergedSummary::Entries(entries) => {
                let (mut stdout, mut stderr) = (context.terminal.stdout_writer(), context.terminal.stderr_writer());
                writing::write_all(&entries, &context.cwd, &mut stdout, &mut stderr)
                    .map_err(|error| Failure::new(ExitCode::Other, error))
            }
        }
    }

    /// What the script's `handleSummary` makes of it, if there is one to ask.
    fn handled(&self, merged: &Merge, context: &CommandContext) -> Result<MergedSummary, Failure> {
        let Some(script) = &self.script else { return Ok(MergedSummary::Ours) };
        let runtime = RuntimeArgs { env: self.env.clone(), ..RuntimeArgs::default() };
        let runtime = runtime.settings(&context.env, true, &mut Compat::new(context.global.strict))?;
        let settings = ScriptSettings::new(script.clone(), runtime, Layers::default(), context);
        let facts = SummaryFacts {
            stdout_is_tty: context.terminal.stdout_is_tty(),
            stderr_is_tty: context.terminal.stderr_is_tty(),
            no_color: context.global.log.no_color,
            setup_data: None,
        };
        run::handle_merged_summary(&settings.load(&context.log)?, &merged.results, &merged.options, &facts)
    }

    /// Writes all files that can be written.
    ///
    /// # Errors
    /// The others, in one line.
    fn write(&self, merged: &Merge, context: &CommandContext) -> Result<(), Failure> {
        let Merge { results, facts, merge, options, .. } = merged;
        let page = || {
            let document = document::build_merged(results, options, facts, merge, false).for_script();
            report::page(&document, &facts.script, PageMode::File)
        };
        let markdown = || {
            let facts = MarkdownFacts {
                run: facts,
                endpoints: &merge.endpoints,
                errors: &merge.errors,
                parts: Some(&merge.parts),
                complaint: merge.health["complaint"].as_str().map(str::to_owned),
            };
            markdown::render(results, options, &facts)
        };
        let files: [(&Option<String>, &dyn Fn() -> String); 5] = [
            (&self.out, &|| document::build_merged(results, options, facts, merge, true).for_file(1)),
            (&self.summary_export, &|| export::text(results, options, &SummaryFacts::default())),
            (&self.summary_junit, &|| junit::render(results, facts)),
            (&self.report, &page),
            (&self.markdown, &markdown),
        ];
        let written = files.into_iter().filter_map(|(path, content)| {
            let path = path.as_ref()?;
            let written = writing::write_file(&context.cwd.join(path), content().as_bytes());
            written.err().map(|error| format!("could not write '{path}': {}", writing::plain(&error)))
        });
        let failed: Vec<String> = written.collect();
        if failed.is_empty() { Ok(()) } else { Err(Failure::new(ExitCode::Other, failed.join("; "))) }
    }
}
