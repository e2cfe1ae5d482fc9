//! `completion`: a completion script for a shell.

use clap::Args;
use clap_complete::{Shell, generate};

use super::commands::{self, Command, CommandContext};
use super::program;
use super::usage::{refuse, unknown_command};
use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// Print a completion script for a shell
#[derive(Clone, Debug, Default, Args)]
pub(super) struct CompletionArgs {
    /// bash, zsh, fish or powershell
    #[arg(value_name = "SHELL")]
    shell: Vec<String>,
}

impl Command for CompletionArgs {
    fn run(self, context: CommandContext) -> Result<ExitCode, Failure> {
        let shell = match self.shell.first().map(String::as_str) {
            Some("bash") => Shell::Bash,
            Some("zsh") => Shell::Zsh,
            Some("fish") => Shell::Fish,
            Some("powershell") => Shell::PowerShell,
            Some(unknown) => return Err(refuse(unknown_command(unknown, "completion"))),
            None => return context.print(&commands::help_of("completion")),
        };
        let mut script = Vec::new();
        generate(shell, &mut commands::definition(), program(), &mut script);
        context.print(&String::from_utf8_lossy(&script))
    }
}
