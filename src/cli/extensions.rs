//! `x`: the commands of extensions, of which there are none.

use clap::Args;

use super::commands::{self, Command, CommandContext};
use super::usage::{refuse, unknown_command};
use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// Commands of extensions (there are none)
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(super) struct ExtensionArgs {
    /// Passed on
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

impl Command for ExtensionArgs {
    fn run(self, context: CommandContext) -> Result<ExitCode, Failure> {
        match self.rest.first().map(String::as_str) {
            None | Some("-h" | "--help") => context.print(&commands::help_of("x")),
            Some(name) => Err(refuse(unknown_command(name, "x") + ": this program has no extensions")),
        }
    }
}
