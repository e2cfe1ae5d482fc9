//! `demo`: runs a short test against a target of our own and shows the result.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::commands::{Command, CommandContext};
use super::target::{runtime, time};
use super::{program, script};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::options::{Layers, Options, Permissions, Stage};
use crate::run::{self, Address, Reports, RunRequest, ScriptRequest};
use crate::source::{FileSet, MainScript, MapDisk, Secrets};
use crate::target::{self, CacheChoice, TargetConfig};
use crate::ui::progress::ProgressMode;
use crate::units::Span;

/// The script of the demo, part of the program.
const SCRIPT: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/load_tests/cache_test.js"));

/// Run a short test against the built-in target and show the result
#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// How long VUs iterate
    #[arg(long, default_value = "10s", value_name = "TIME")]
    duration: String,
    /// How many VUs
    #[arg(long, default_value_t = 5, value_name = "COUNT")]
    vus: i64,
    /// Write the run as one HTML page to this file
    #[arg(long, env = "VOLLEY_REPORT", value_name = "FILE")]
    report: Option<String>,
}

impl Command for DemoArgs {
    /// Starts the target on a free port and runs the demo script against it.
    fn run(self, context: CommandContext) -> Result<ExitCode, Failure> {
        let duration = time("--duration", &self.duration)?;
        let engine = script::engine(context.global.js_engine.as_deref())?;
        let config = TargetConfig::new(
            SocketAddr::from(([127, 0, 0, 1], 0)),
            CacheChoice::Memory,
            Duration::from_secs(30),
            Duration::from_millis(40),
            200,
        )?;
        let runtime = runtime()?;
        let target = runtime.block_on(target::bind(config))?;
        let base = format!("http://{}", target.local_addr());
        runtime.spawn(target.serve(std::future::pending()));
        let stage = |share: f64, target: i64| Stage {
            duration: Some(Span::from(duration.mul_f64(share))),
            target: Some(target),
        };
        let stages = vec![stage(0.3, self.vus), stage(0.5, self.vus), stage(0.2, 0)];
        let flags = Options { stages: Some(stages), ..Options::default() };
        let files = FileSet::new(MapDisk::default(), FileSet::offline());
        let script = ScriptRequest {
            argument: "load_tests/cache_test.js".to_owned(),
            main: MainScript::embedded("file:///load_tests/cache_test.js", SCRIPT, files),
            layers: Layers { cli: flags, ..Layers::default() },
            env: [("BASE_URL".to_owned(), base)].into(),
            freeze_env: false,
            has_global: true,
            secrets: Arc::new(Secrets::open(&[], Path::new("."), &|_| None, |_| ())?),
            engine,
            permissions: Permissions::default(),
            strict: false,
            log: context.log,
        };
        let (global, terminal) = (context.global, context.terminal);
        let progress = if terminal.stdout_is_tty() { ProgressMode::Live } else { ProgressMode::Plain };
        let next = next_steps(self.report.as_deref());
        let printer = (!global.quiet).then(|| terminal.clone());
        run::execute(RunRequest {
            address: global.address.map(|at| Address { at, is_flag: global.address_is_flag }),
            reports: Reports { html: self.report, ..Reports::default() },
            progress,
            quiet: global.quiet,
            no_color: global.log.no_color,
            ..RunRequest::new(script, context.cwd, program(), terminal)
        })
        .map(|()| {
            if let Some(terminal) = printer {
                terminal.print(&next);
            }
            ExitCode::Success
        })
    }
}

/// What to do after the demo.
fn next_steps(report: Option<&str>) -> String {
    let name = program();
    let first = match report {
        Some(path) => format!("The report is {path}: open it in a browser."),
        None => format!("`{name} demo --report report.html` writes a report besides."),
    };
    let steps = [
        (format!("{name} new script.js"), "write a test of your own (--ts: typed)"),
        (format!("{name} target"), "something to test against"),
        (format!("{name} run script.js"), "run it"),
        (format!("{name} procedure new procedure.js"), "several runs, one report, a verdict"),
        (format!("{name} help run"), "all flags"),
    ];
    let width = steps.iter().map(|(line, _)| line.len()).max().unwrap_or(0);
    let steps: String = steps.iter().map(|(line, what)| format!("  {line:width$}  {what}\n")).collect();
    format!("\n{first}\nWhat next:\n{steps}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_next_fits_a_terminal() {
        for report in [None, Some("report.html")] {
            let steps = next_steps(report);
            let wide: Vec<_> = steps.lines().filter(|line| line.chars().count() > 80).collect();
            assert!(wide.is_empty(), "{wide:?}");
        }
    }
}
