//! `deps`: what a script imports.

use std::fmt::Write as _;

use clap::Args;
use serde_json::json;

use super::args::{JsonArgs, RuntimeArgs, ScriptArgs};
use super::commands::{Command, CommandContext};
use super::script::ScriptSettings;
use crate::exit_code::ExitCode;
use crate::failure::{ExitWith, Failure};
use crate::js::{Imports, modules};

/// List what a script imports
#[derive(Clone, Debug, Default, Args)]
pub(super) struct DepsArgs {
    #[command(flatten)]
    script: ScriptArgs,
    #[command(flatten)]
    runtime: RuntimeArgs,
    #[command(flatten)]
    format: JsonArgs,
}

impl Command for DepsArgs {
    fn run(self, context: CommandContext) -> Result<ExitCode, Failure> {
        let settings = ScriptSettings::without_flags(&self.script, &self.runtime, false, &context)?;
        let main = settings.read(&context.log)?;
        let imports = Imports::of(&main.files, &main.module.url).exit(ExitCode::ScriptException)?;
        context.print(&list(&imports, self.format.is_json()))
    }
}

/// What isn't built in would need a build of its own; volley has none, but says so as k6 does.
fn list(imports: &Imports, as_json: bool) -> String {
    let names: Vec<&String> = imports.files.iter().chain(&imports.modules).collect();
    let dependencies = imports.dependencies(&modules::TABLE);
    let needs_build = dependencies.keys().any(|name| name != "k6" && modules::TABLE.is_unknown(name));
    if as_json {
        let value = json!({"buildDependencies": dependencies, "imports": names, "customBuildRequired": needs_build});
        return serde_json::to_string_pretty(&value).unwrap_or_default() + "\n";
    }
    let mut text = "Build Dependencies:\n".to_owned();
    // Writing to a string can't fail.
    for (name, version) in &dependencies {
        let _ = writeln!(text, "  {name}: {version}");
    }
    text += "\nImports:\n";
    for name in names {
        let _ = writeln!(text, "  {name}");
    }
    let _ = writeln!(text, "\nCustom Build Required: {}", if needs_build { "yes" } else { "no" });
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_sorted() {
        let mut imports = Imports::default();
        imports.files.insert("file:///x.js".to_owned());
        imports.modules.insert("k6/http".to_owned());
        let expect =
            "Build Dependencies:\n  k6: *\n\nImports:\n  file:///x.js\n  k6/http\n\nCustom Build Required: no\n";
        assert_eq!(list(&imports, false), expect);
        imports.modules.insert("k6/x/kubernetes".to_owned());
        let text = list(&imports, false);
        assert!(text.contains("  k6/x/kubernetes: *\n") && text.ends_with("Custom Build Required: yes\n"), "{text}");
    }
}
