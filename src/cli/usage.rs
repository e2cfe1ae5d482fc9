//! Wrong usage, in the words k6 uses: scripts around k6 look for them.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::program;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::source::specifier::has_script_ending;
use crate::units::nearest::did_you_mean;

/// A usage error, code 255.
pub(super) fn refuse(message: impl Into<String>) -> Failure {
    Failure::new(ExitCode::Other, message)
}

/// A value that doesn't suit its flag; `flag` as in `-u, --vus`.
pub(super) fn bad_value(flag: &str, value: &str, why: impl std::fmt::Display) -> Failure {
    refuse(format!("invalid argument {value:?} for \"{flag}\" flag: {why}"))
}

/// What the argument parser refused, in k6's words. `None` for help, which is no error.
pub(super) fn k6s_error(error: &clap::Error, command: &clap::Command, args: &[String]) -> Option<Failure> {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(" "),
        _ => String::new(),
    };
    let invalid_arg = text(ContextKind::InvalidArg);
    let message = match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            return None;
        }
        ErrorKind::UnknownArgument => match invalid_arg.strip_prefix("--") {
            Some(_) => {
                let flag = invalid_arg.split('=').next().unwrap_or_default();
                return Some(refuse(format!("unknown flag: {flag}")).with_hint(meant_flag(flag, command, args)));
            }
            None => match invalid_arg.strip_prefix('-').and_then(|rest| rest.chars().next()) {
                Some(short) => {
                    let typed = args.iter().find(|arg| arg.starts_with('-') && arg.contains(short));
                    let typed = typed.map_or(invalid_arg.as_str(), String::as_str);
                    format!("unknown shorthand flag: {short:?} in {typed}")
                }
                None => {
                    let failure = refuse(unknown_command(&invalid_arg, ""));
                    return Some(failure.with_hint(meant_command(&invalid_arg, command)));
                }
            },
        },
        ErrorKind::InvalidSubcommand => {
            let name = text(ContextKind::InvalidSubcommand);
            let failure = refuse(unknown_command(&name, ""));
            return Some(failure.with_hint(meant_command(&name, command)));
        }
        ErrorKind::ValueValidation => {
            let why = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
            let flag = flag_name(command, &invalid_arg);
            return Some(bad_value(&flag, &text(ContextKind::InvalidValue), why));
        }
        // A value flag at the very end of the line.
        ErrorKind::InvalidValue | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            let long = long_name(&invalid_arg);
            let last = args.last().map(String::as_str).unwrap_or_default();
            match last.strip_prefix('-').filter(|rest| !rest.starts_with('-')) {
                Some(rest) => {
                    let short = rest.chars().last().unwrap_or_default();
                    format!("flag needs an argument: {short:?} in {last}")
                }
                None => format!("flag needs an argument: {long}"),
            }
        }
        ErrorKind::InvalidUtf8 => "an argument isn't valid UTF-8".to_owned(),
        _ => error.to_string().lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned(),
    };
    Some(refuse(message))
}

/// The command that these arguments name, as deep as they do.
fn named<'c>(root: &'c clap::Command, args: &[String]) -> &'c clap::Command {
    let words = args.iter().filter(|arg| !arg.starts_with('-'));
    words.fold(root, |command, word| command.find_subcommand(word).unwrap_or(command))
}

/// The flag that may have been meant by one that the command does not have.
fn meant_flag(flag: &str, root: &clap::Command, args: &[String]) -> Option<String> {
    let command = named(root, args);
    let flags: Vec<String> = command
        .get_arguments()
        .chain(root.get_arguments())
        .filter(|arg| !arg.is_hide_set())
        .filter_map(|arg| Some(format!("--{}", arg.get_long()?)))
        .collect();
    did_you_mean(flag, flags.iter().map(String::as_str))
}

/// The command that may have been meant by one that the program does not have; of a script the one that runs it.
fn meant_command(name: &str, root: &clap::Command) -> Option<String> {
    let commands = root.get_subcommands().filter(|command| !command.is_hide_set()).map(clap::Command::get_name);
    let run = || is_script(name).then(|| format!("`{} run {name}` runs a script", program()));
    did_you_mean(name, commands).or_else(run)
}

/// True for what scripts and archives are called.
fn is_script(name: &str) -> bool {
    has_script_ending(name) || name.ends_with(".tar")
}

/// Where no script is left: the flag that took one as its value.
fn taken_script(args: &[String]) -> Option<String> {
    let (flag, script) = args.windows(2).find_map(|pair| match pair {
        [flag, script] if flag.starts_with('-') && !flag.contains('=') && is_script(script) => Some((flag, script)),
        _ => None,
    })?;
    Some(format!("`{flag}` took `{script}` as its value: `{flag} VALUE {script}`"))
}

/// Where there are more scripts than one: the flag that was written as if it were none, `-vus 5` or `vus=5`.
fn flag_among_scripts(args: &[String], root: &clap::Command) -> Option<String> {
    let command = named(root, args);
    let is_flag =
        |name: &str| command.get_arguments().chain(root.get_arguments()).any(|arg| arg.get_long() == Some(name));
    args.iter().find_map(|arg| {
        let name = match arg.strip_prefix('-') {
            Some(rest) => rest.split('=').next().filter(|name| name.len() > 1)?,
            None => arg.split_once('=')?.0,
        };
        is_flag(name).then(|| format!("did you mean `--{name}` by `{arg}`?"))
    })
}

/// Not one script, but none or several: with the flag that took it, or was taken for one.
pub(super) fn with_stray_flag(failure: Failure, args: &[String], root: &clap::Command) -> Failure {
    if !failure.message.starts_with(ONE_ARGUMENT) {
        return failure;
    }
    failure.with_hint(taken_script(args).or_else(|| flag_among_scripts(args, root)))
}

/// What the argument parser refused of a command that k6 does not have, in the parser's words. `None` for help.
pub(super) fn own_error(error: &clap::Error, name: &str, root: &clap::Command, args: &[String]) -> Option<Failure> {
    let help = format!("`{} {name} --help`", program());
    if !error.use_stderr() {
        return None;
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return Some(refuse(format!("`{name}` needs to know what to do")).hint(format!("{help} tells what it can")));
    }
    let text = error.render().to_string();
    // A list of what is missing stands on the lines after.
    let line = text.lines().take_while(|line| !line.is_empty()).map(str::trim).collect::<Vec<_>>().join(" ");
    let meant = match (error.kind(), error.get(ContextKind::InvalidArg), error.get(ContextKind::InvalidSubcommand)) {
        (ErrorKind::UnknownArgument, Some(ContextValue::String(flag)), _) if flag.starts_with("--") => {
            meant_flag(flag, root, args)
        }
        (ErrorKind::InvalidSubcommand, _, Some(ContextValue::String(word))) => meant_command(word, named(root, args)),
        (ErrorKind::MissingRequiredArgument, ..) => taken_script(args),
        _ => None,
    };
    let hint = meant.unwrap_or_else(|| format!("{help} tells what it takes"));
    Some(refuse(line.trim_start_matches("error: ")).hint(hint))
}

/// k6's words for a command that `parent` does not have; the parent of a command itself is the program.
pub(super) fn unknown_command(name: &str, parent: &str) -> String {
    format!("unknown command {name:?} for {:?}", format!("{} {parent}", program()).trim_end())
}

/// The arguments of a command that takes none.
pub(super) fn no_arguments(command: &str, stray: &[String]) -> Result<(), Failure> {
    match stray.first() {
        Some(first) => Err(refuse(unknown_command(first, command))),
        None => Ok(()),
    }
}

/// `--vus` out of `--vus <COUNT>`.
fn long_name(shown: &str) -> &str {
    shown.split([' ', '=', '[']).next().unwrap_or(shown)
}

/// `-u, --vus` for `--vus <COUNT>`.
fn flag_name(command: &clap::Command, shown: &str) -> String {
    let long = long_name(shown);
    let name = long.trim_start_matches('-');
    let all = std::iter::once(command).chain(command.get_subcommands());
    let short = all
        .flat_map(clap::Command::get_arguments)
        .find(|arg| arg.get_long() == Some(name))
        .and_then(clap::Arg::get_short);
    match short {
        Some(short) => format!("-{short}, {long}"),
        None => long.to_owned(),
    }
}

const ONE_ARGUMENT: &str = "accepts 1 arg(s), received";

/// The one script of a command.
pub(super) fn one_script(scripts: &[String]) -> Result<String, Failure> {
    match scripts {
        [script] => Ok(script.clone()),
        _ => Err(refuse(format!(
            "{ONE_ARGUMENT} {}: arg should either be \"-\", if reading script from stdin, or a path to a \
             script file",
            scripts.len()
        ))),
    }
}
