//! `version`: which program this is, in the form in which k6 says it, so that tools which read it find the version they look for.

use clap::Args;
use serde_json::json;

use super::args::JsonArgs;
use super::commands::{Command, CommandContext};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::run::K6_VERSION;

/// Print the version
#[derive(Debug, Args)]
pub(super) struct VersionArgs {
    #[command(flatten)]
    format: JsonArgs,
}

impl Command for VersionArgs {
    fn run(self, context: CommandContext) -> Result<ExitCode, Failure> {
        context.print(&version(self.format.is_json()))
    }
}

/// Our own version.
const OWN_VERSION: &str = env!("CARGO_PKG_VERSION");
/// The commit a release was built from, where that is known.
const COMMIT: Option<&str> = option_env!("VOLLEY_COMMIT");

/// Go's name of this processor.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// One line of text or JSON.
pub(super) fn version(as_json: bool) -> String {
    let os = std::env::consts::OS;
    let arch = architecture();
    if as_json {
        let mut value = json!({
            "version": format!("v{K6_VERSION}"), "go_version": "", "go_os": os, "go_arch": arch, "extensions": [],
            "volley": OWN_VERSION,
        });
        if let Some(commit) = COMMIT {
            value["commit"] = commit.into();
        }
        return format!("{value}\n");
    }
    let commit = COMMIT.map(|commit| format!("commit/{commit}, ")).unwrap_or_default();
    format!("k6 v{K6_VERSION} ({commit}volley {OWN_VERSION}, rust, {os}/{arch})\n")
}
