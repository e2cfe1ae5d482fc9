//! `docs/reference.md` is made of the tables of the code; `VOLLEY_BLESS=1 cargo test reference` writes it anew.

use std::fmt::Write as _;

use super::commands::definition;
use super::help::FLAGS;
use crate::options::Options;
use crate::output;
use crate::units::book_tests::check_page;

/// A text in a cell of a table.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|").replace('<', "&lt;")
}

#[test]
fn the_reference_is_current() {
    let mut page = String::from(
        "# Commands, variables, exit codes\n\nMade of the tables in the code. What a flag says goes before its variable, that before \
         the configuration file, that before the script.\n",
    );
    commands(&mut page);
    options(&mut page);
    outputs(&mut page);
    exit_codes(&mut page);
    check_page("reference.md", &page);
}

fn commands(page: &mut String) {
    let mut root = definition();
    root.build();
    page.push_str("\n## Everywhere\n");
    flags(page, root.get_arguments().filter(|arg| arg.is_global_set()));
    for command in root.get_subcommands().filter(|command| command.get_name() != "help") {
        one_command(page, command, command.get_name());
        for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
            one_command(page, inner, &format!("{} {}", command.get_name(), inner.get_name()));
        }
    }
}

fn one_command(page: &mut String, command: &clap::Command, name: &str) {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    write!(page, "\n## `{name}`\n\n{}.\n", about.trim_end_matches('.')).unwrap();
    flags(page, command.get_arguments().filter(|arg| !arg.is_global_set()));
}

fn flags<'a>(page: &mut String, args: impl Iterator<Item = &'a clap::Arg>) {
    let mut rows = String::new();
    for arg in args.filter(|arg| !arg.is_hide_set() && !matches!(arg.get_id().as_str(), "help" | "version")) {
        let value = arg.get_value_names().filter(|_| arg.get_action().takes_values()).unwrap_or_default();
        let value: Vec<&str> = value.iter().map(|name| name.as_str()).collect();
        let name = match (arg.get_short(), arg.get_long()) {
            (Some(short), Some(long)) => format!("`-{short}`, `--{long}`"),
            (_, Some(long)) => format!("`--{long}`"),
            (Some(short), None) => format!("`-{short}`"),
            (None, None) => format!("`{}`", value.join(" ")),
        };
        let known = FLAGS.iter().find(|(flag, ..)| arg.get_long() == Some(flag));
        let variable = known.map(|(_, variable, _)| *variable).filter(|variable| !variable.is_empty());
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let help = help.split(" [env: ").next().unwrap_or_default();
        let variable = variable.map(|variable| format!("`{variable}`")).unwrap_or_default();
        writeln!(rows, "| {name} | {} | {variable} |", cell(help)).unwrap();
    }
    if !rows.is_empty() {
        write!(page, "\n| | | variable |\n|---|---|---|\n{rows}").unwrap();
    }
}

fn options(page: &mut String) {
    page.push_str("\n## Options of scripts\n\nIn `export const options`, and in the configuration file.\n\n");
    page.push_str("| option | | variable |\n|---|---|---|\n");
    for (key, meaning, variable) in Options::REFERENCE {
        let variable = variable.map(|variable| format!("`{variable}`")).unwrap_or_default();
        writeln!(page, "| `{key}` | {} | {variable} |", cell(meaning)).unwrap();
    }
}

fn outputs(page: &mut String) {
    page.push_str("\n## Outputs\n\n| `--out` | |\n|---|---|\n");
    for (name, what) in output::DESCRIPTIONS {
        writeln!(page, "| `{name}` | {} |", cell(what)).unwrap();
    }
}

fn exit_codes(page: &mut String) {
    page.push_str("\n## Exit codes\n\n| code | |\n|---|---|\n");
    let mut meaning = String::new();
    for line in include_str!("../exit_code.rs").lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("/// ") {
            meaning = format!("{meaning} {text}");
        } else if let Some((_, code)) = line.trim_end_matches(',').split_once(" = ")
            && let Ok(code) = code.parse::<u8>()
        {
            writeln!(page, "| {code} | {} |", cell(&meaning)).unwrap();
            meaning.clear();
        } else {
            meaning.clear();
        }
    }
}
