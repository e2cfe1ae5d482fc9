//! `vendor`: keeps the remote modules of a project's scripts beside them, so that runs need no network for them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use clap::Args;

use super::commands::{Command, CommandContext};
use super::usage::refuse;
use super::{fetch, program};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::js::loader;
use crate::source::files::{Fetch, unmarked};
use crate::source::specifier::file_url;
use crate::source::vendor::FOLDER;
use crate::source::{FileSet, RealDisk, Vendor};
use crate::summary::writing;
use crate::units::redact::redact;

/// Names of scripts end so.
const ENDINGS: [&str; 5] = ["js", "ts", "mjs", "cjs", "mts"];
/// Folders of code that is not the project's own.
const FOREIGN: [&str; 2] = [FOLDER, "node_modules"];

/// Keep the remote modules that scripts import beside them, for runs without the network
#[derive(Debug, Args)]
pub(super) struct VendorArgs {
    /// A script, or a folder with scripts
    #[arg(value_name = "PATH", default_value = ".")]
    path: PathBuf,
    /// Fetch nothing: say whether all that scripts import is there, and as it was
    #[arg(long)]
    check: bool,
}

impl Command for VendorArgs {
    fn run(self, context: CommandContext) -> Result<ExitCode, Failure> {
        let path = context.cwd.join(&self.path);
        let project = Project::of(&std::path::absolute(&path).unwrap_or(path))?;
        if self.check { project.check(&context) } else { project.fetch(&context) }
    }
}

/// Scripts, and where their remote modules are kept.
struct Project {
    scripts: Vec<PathBuf>,
    /// All scripts of the folder were looked at: what none of them imports is not needed.
    is_whole: bool,
    vendor: Vendor,
}

impl Project {
    fn of(path: &Path) -> Result<Self, Failure> {
        let about = std::fs::metadata(path)
            .map_err(|error| refuse(format!("{}: {}", path.display(), writing::plain(&error))))?;
        let is_folder = about.is_dir();
        let folder = if is_folder { path } else { path.parent().unwrap_or(path) };
        let mut scripts = Vec::new();
        if is_folder {
            collect(path, &mut scripts).map_err(|error| refuse(format!("{}: {error}", path.display())))?;
            scripts.sort();
        } else {
            scripts.push(path.to_owned());
        }
        let found = Vendor::find(folder).map_err(refuse)?;
        let own = folder.join(FOLDER);
        let is_whole = is_folder && found.as_ref().is_none_or(|vendor| vendor.folder() == own);
        Ok(Self { scripts, is_whole, vendor: found.unwrap_or_else(|| Vendor::new(own)) })
    }

    /// The remote modules of all scripts, by address, and what could not be read.
    fn remote(&self, fetch: Fetch) -> (BTreeMap<String, Bytes>, BTreeSet<String>) {
        let files = FileSet::new(RealDisk, fetch);
        let mut problems = BTreeSet::new();
        for script in &self.scripts {
            let url = file_url(&script.to_string_lossy());
            loader::read_all(&files, &url, &mut |from, error| {
                // What is wrong with local files is the business of those who run them.
                if error.contains("https://") {
                    problems.insert(format!("{from}: {error}"));
                }
            });
        }
        let remote = files.all().into_iter().filter(|(url, _)| url.starts_with("https://"));
        (remote.map(|(url, bytes)| (redact(&files.reveal(&url)).into_owned(), bytes)).collect(), problems)
    }

    fn fetch(mut self, context: &CommandContext) -> Result<ExitCode, Failure> {
        let (remote, problems) = self.remote(fetch::over_https(context.log.logger()));
        if !problems.is_empty() {
            return Err(refuse(listed("not everything could be fetched, nothing was written", &problems)));
        }
        let wrote = |error: std::io::Error| refuse(format!("writing into {FOLDER}: {}", writing::plain(&error)));
        let mut text = String::new();
        for (url, bytes) in &remote {
            let before = self.vendor.put(url, bytes).map_err(wrote)?;
            let entry = &self.vendor.modules()[url];
            let what = match before {
                Some(before) if before.sha256 == entry.sha256 => "unchanged",
                Some(_) => "changed",
                None => "new",
            };
            // Writing to a string can't fail.
            let _ = writeln!(text, "{what:9}  {url}  sha256 {}", entry.sha256);
        }
        if self.is_whole {
            self.vendor.retain(|url| remote.contains_key(url));
        }
        let folder = self.vendor.folder().display().to_string();
        if remote.is_empty() && self.vendor.modules().is_empty() {
            return context.print(&format!("{} scripts import nothing remote.\n", self.scripts.len()));
        }
        self.vendor.save().map_err(wrote)?;
        let count = remote.len();
        let _ =
            writeln!(text, "{count} modules are in {folder}; keep it with the scripts, `{} run` uses it.", program());
        context.print(&text)
    }

    fn check(self, context: &CommandContext) -> Result<ExitCode, Failure> {
        let vendor = self.vendor.clone();
        let (_, mut problems) = self.remote(Box::new(move |marked| {
            let url = unmarked(marked);
            vendor.bytes(url).unwrap_or_else(|| Err("it is not in the lock file".to_owned()))
        }));
        let modules = self.vendor.modules();
        problems.extend(modules.keys().filter_map(|url| self.vendor.bytes(url)?.err()));
        let folder = self.vendor.folder().display();
        if !problems.is_empty() {
            return Err(refuse(listed(&format!("{folder} is not what the scripts need"), &problems))
                .hint(format!("`{} vendor` fetches what is missing or was changed", program())));
        }
        context.print(&format!(
            "{} modules in {folder} are as they were fetched, and all that is needed.\n",
            modules.len()
        ))
    }
}

/// The scripts below a folder, without hidden folders and those of other tools.
fn collect(folder: &Path, scripts: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            if !name.starts_with('.') && !FOREIGN.contains(&name.as_str()) {
                collect(&path, scripts)?;
            }
        } else if path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known)) {
            scripts.push(path);
        }
    }
    Ok(())
}

fn listed(head: &str, problems: &BTreeSet<String>) -> String {
    let list: String = problems.iter().map(|problem| format!("\n\t- {problem}")).collect();
    format!("{head}:{list}")
}
