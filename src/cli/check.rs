//! `check`: what scripts use that is not offered here, one line each; nothing is run.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::commands::{Command, CommandContext};
use super::script::engine;
use super::usage::refuse;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::run::script_check::{Offered, ScriptCheck, ScriptFinding, clean, scripts_below};
use crate::source::{FileSet, RealDisk};
use crate::summary::writing;
use crate::ui::log::{Destination, LogOptions, ProcessLog};

/// Tell what scripts import, use or set that is not offered here
///
/// Every script below the folders is read with all it imports, and nothing is run. Each finding is a line; the exit code is 1
/// if there is any.
#[derive(Debug, Args)]
pub(super) struct ScriptCheckArgs {
    /// Scripts, and folders with scripts
    #[arg(required = true, value_name = "DIR|FILE")]
    paths: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Command for ScriptCheckArgs {
    fn run(self, context: CommandContext) -> Result<ExitCode, Failure> {
        // Warnings of modules are for scripts that import them.
        let silent = LogOptions { destination: Destination::None, ..LogOptions::default() };
        let silent = ProcessLog::open(&silent, context.terminal.clone())?;
        let offered = Offered::ask(engine(context.global.js_engine.as_deref())?, &silent)?;
        let files = FileSet::new(RealDisk, FileSet::offline());
        let mut check = ScriptCheck::default();
        for path in &self.paths {
            let scripts = scripts_below(&clean(&context.cwd.join(path)));
            let scripts = scripts.map_err(|(path, error)| {
                refuse(format!("could not read `{}`: {}", shown(&path, &context.cwd), writing::plain(&error)))
            })?;
            scripts.iter().for_each(|script| check.look_at(script, &files, &offered));
        }
        let text = if self.json { as_json(&check, &context.cwd) } else { as_lines(&check, &context.cwd) };
        context.terminal.print(&text);
        Ok(if check.has_findings() { ExitCode::PreflightFailed } else { ExitCode::Success })
    }
}

/// A path as seen from where the command was typed.
fn shown(path: &Path, cwd: &Path) -> String {
    path.strip_prefix(cwd).unwrap_or(path).display().to_string()
}

fn as_lines(check: &ScriptCheck, cwd: &Path) -> String {
    let mut text = String::new();
    for finding in &check.findings {
        let (file, place) = (shown(&finding.file, cwd), finding.place);
        let remark = if finding.is_remark { "note: " } else { "" };
        text += &format!("{file}:{}:{}: {remark}{}\n", place.line, place.column, finding.text.replace('\n', " "));
    }
    let count = |count: usize, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
    let findings = check.findings.iter().filter(|finding| !finding.is_remark).count();
    let looked = format!(
        "{} looked at, with all they import {}",
        count(check.scripts.len(), "script"),
        count(check.files.len(), "file")
    );
    text + &match findings {
        0 => format!("{looked}: nothing is missing here\n"),
        findings => format!("{looked}: {}\n", count(findings, "finding")),
    }
}

fn as_json(check: &ScriptCheck, cwd: &Path) -> String {
    let finding = |finding: &ScriptFinding| {
        json!({
            "file": shown(&finding.file, cwd), "line": finding.place.line, "column": finding.place.column,
            "kind": if finding.is_remark { "note" } else { "finding" }, "text": finding.text,
        })
    };
    let value = json!({
        "scripts": check.scripts.iter().map(|path| shown(path, cwd)).collect::<Vec<_>>(),
        "files": check.files.len(),
        "findings": check.findings.iter().map(finding).collect::<Vec<_>>(),
    });
    serde_json::to_string_pretty(&value).unwrap_or_default() + "\n"
}
