//! `cloud`: the hosted service isn't talked to. Its commands say so, and `cloud SCRIPT` shows help, as in k6.

use clap::Args;

use super::commands::{self, Command, CommandContext};
use super::usage::refuse;
use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// Grafana's hosted service (not talked to by this program)
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(super) struct CloudArgs {
    /// Passed on
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

impl Command for CloudArgs {
    fn run(self, context: CommandContext) -> Result<ExitCode, Failure> {
        match self.rest.first().map(String::as_str) {
            Some(name @ ("run" | "upload" | "login" | "project" | "test" | "load-zone")) => {
                let words =
                    format!("`cloud {name}` needs Grafana's hosted service, which this program does not talk to");
                Err(refuse(words).hint("run the test here with `run`, or use k6 for the hosted service"))
            }
            Some(flag) if flag.starts_with("--") && flag != "--help" => {
                Err(refuse(format!("unknown flag: {}", flag.split('=').next().unwrap_or(flag))))
            }
            _ => context.print(&commands::help_of("cloud")),
        }
    }
}
