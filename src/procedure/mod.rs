//! A load-testing procedure as one command: checks, data, runs, collected figures, criteria, reports, an archive.
//!
//! The stages stand in [`run`] in the order in which they happen. Runs are children of this process; whatever is told at
//! the end is made from the files in the results folder, so that it can be made again. Only `cli` reads arguments.

mod archive;
mod border;
mod check;
mod child;
mod collect;
mod compare;
mod data;
mod expression;
mod file;
mod host;
mod journal;
mod plan;
mod report;
mod results;
mod verdict;
mod web;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::exit_code::ExitCode;
use crate::failure::{ExitWith as _, Failure};
use crate::ui::Terminal;
use crate::units::Span;
use child::Interrupts;
pub use file::Procedure;
use journal::{Check, CheckState, Entry, Journal, State};
use plan::Planned;
use verdict::{Judgement, Verdict};

/// What was typed around a procedure.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The procedure file as typed.
    pub file: String,
    /// `--env`
    pub variables: BTreeMap<String, String>,
    /// The engine of the runs.
    pub js_engine: Option<String>,
    /// The environment of the process.
    pub process_env: BTreeMap<String, String>,
    /// Where relative paths begin.
    pub cwd: PathBuf,
    /// Only these runs.
    pub only: Vec<String>,
    /// Not these runs.
    pub skip: Vec<String>,
    /// Durations are multiplied by this.
    pub scale: f64,
    /// Tell the plan and do nothing.
    pub dry_run: bool,
    /// Go on in this folder.
    pub resume: Option<PathBuf>,
}

/// An address without what may be secret in it: user, password, query.
fn plain_address(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let rest = rest.split(['?', '#']).next().unwrap_or(rest);
    let (authority, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if scheme.is_empty() { format!("{host}{path}") } else { format!("{scheme}://{host}{path}") }
}

const TEMPLATE: &str = include_str!("new.js");

/// Writes a commented procedure and says so.
///
/// # Errors
/// A file that is there already, a disk that refuses.
pub fn write_new(path: &Path, typed: &Path, force: bool) -> Result<String, Failure> {
    if path.exists() && !force {
        let text =
            format!("{} already exists, please use the `--force` flag if you want overwrite it", typed.display());
        return Err(Failure::new(ExitCode::Other, text));
    }
    journal::write_file(path, TEMPLATE.as_bytes())?;
    Ok(format!("New procedure created: {}\n", typed.display()))
}

/// Only the checks.
///
/// # Errors
/// What is wrong with the plan.
pub fn check(procedure: &Procedure, settings: &Settings, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let planned = plan::plan(procedure, settings)?;
    let runtime = runtime()?;
    let checks = runtime.block_on(check::check(procedure, &planned, settings));
    tell_checks(&checks, terminal);
    Ok(if has_failed(&checks) { ExitCode::PreflightFailed } else { ExitCode::Success })
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    // Children live as long as the thread that made them, so that is the main one.
    tokio::runtime::Builder::new_current_thread().enable_all().build().exit(ExitCode::Other)
}

fn has_failed(checks: &[Check]) -> bool {
    checks.iter().any(|check| check.state == CheckState::Failed)
}

fn tell_checks(checks: &[Check], terminal: &Terminal) {
    for check in checks {
        let sign = match check.state {
            CheckState::Ok => "✓",
            CheckState::Warning => "!",
            CheckState::Failed => "✗",
        };
        let hint = check.hint.as_ref().map(|hint| format!(" (hint: {hint})")).unwrap_or_default();
        terminal.print(&format!("  {sign} {}: {}{hint}\n", check.name, check.text));
    }
}

/// All of it.
///
/// # Errors
/// What is wrong with the plan, a folder that can't be used, a disk that refuses.
pub fn run(procedure: &Procedure, settings: &Settings, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let planned = plan::plan(procedure, settings)?;
    let folder = folder(procedure, settings)?;
    if settings.dry_run {
        terminal.print(&plan::describe(procedure, &planned, &folder));
        return Ok(ExitCode::Success);
    }
    let runtime = runtime()?;
    runtime.block_on(async {
        let mut interrupts = Interrupts::listen()?;
        terminal.print(&format!("{} ({})\n", procedure.name, procedure.environment));
        let checks = check::check(procedure, &planned, settings).await;
        tell_checks(&checks, terminal);
        if has_failed(&checks) {
            terminal.print("  A required check failed: nothing was run.\n");
            return Ok(ExitCode::PreflightFailed);
        }
        let mut journal = open(procedure, settings, &planned, &folder)?;
        journal.checks = checks;
        journal.write(&folder)?;
        terminal.print(&format!("  results go to {}\n", folder.display()));
        let mut stage = Stages { procedure, settings, terminal, folder: &folder, journal, interrupts: &mut interrupts };
        let created = stage.data().await?;
        if !stage.interrupts.seen {
            stage.runs(&planned).await?;
        }
        stage.clean_up(created).await?;
        stage.end()
    })
}

fn folder(procedure: &Procedure, settings: &Settings) -> Result<PathBuf, Failure> {
    if let Some(folder) = &settings.resume {
        return Ok(settings.cwd.join(folder));
    }
    let folder = match &procedure.results_dir {
        Some(folder) => settings.cwd.join(folder),
        None => {
            let now = jiff::Zoned::now().strftime("%Y%m%d_%H%M%S").to_string();
            let base = settings.cwd.join("load_test_results");
            // Two that begin in the same second must not share a folder.
            let mut folder = base.join(&now);
            for more in 2.. {
                if !folder.exists() {
                    break;
                }
                folder = base.join(format!("{now}_{more}"));
            }
            folder
        }
    };
    if folder.join(journal::FILE).exists() && !settings.dry_run {
        let text = format!("there are results in {} already", folder.display());
        let hint = "`--resume` goes on there; another `resultsDir` keeps both";
        return Err(Failure::new(ExitCode::Other, text).hint(hint));
    }
    Ok(folder)
}

/// The journal of a new folder, or of the one that is gone on with.
fn open(procedure: &Procedure, settings: &Settings, planned: &[Planned], folder: &Path) -> Result<Journal, Failure> {
    let old = settings.resume.is_some().then(|| Journal::read(folder)).transpose()?;
    let cannot = |error: std::io::Error| Failure::new(ExitCode::Other, format!("{}: {error}", folder.display()));
    std::fs::create_dir_all(folder).map_err(cannot)?;
    let mut journal = Journal::new(&procedure.name, &procedure.environment, &settings.file);
    journal.phase = procedure.phase.clone();
    journal.base_url = procedure.base_url.as_deref().map(plain_address);
    journal.scale = settings.scale;
    journal.criteria = procedure.criteria.iter().map(|one| (one.name.clone(), one.text.clone())).collect();
    journal.hints = procedure.hints.clone();
    journal.runs = planned
        .iter()
        .map(|run| Entry {
            name: run.name.clone(),
            script: run.script.display().to_string(),
            plan: run.words.clone(),
            state: if run.is_wanted { State::Pending } else { State::Skipped },
            exit_code: None,
            started: None,
            note: None,
        })
        .collect();
    let Some(old) = old else { return Ok(journal) };
    if old.name != journal.name {
        let text = format!("the results in {} are of `{}`, not of `{}`", folder.display(), old.name, journal.name);
        return Err(Failure::new(ExitCode::Other, text));
    }
    if old.scale != journal.scale {
        let text = format!("the results in {} have `--scale {}`", folder.display(), old.scale);
        return Err(Failure::new(ExitCode::Other, text).hint("give the same scale, or begin anew"));
    }
    journal.started = old.started.clone();
    journal.notes = old.notes.clone();
    journal.data = old.data.clone().filter(|data| data.made == data.asked);
    let mut broken = Vec::new();
    for entry in &mut journal.runs {
        let Some(before) = old.runs.iter().find(|before| before.name == entry.name) else { continue };
        match before.state {
            // Whole, but of another load: it is not what was asked for now.
            State::Finished if before.plan != entry.plan => broken.push(format!("`{}` had another plan", entry.name)),
            State::Finished => *entry = before.clone(),
            State::Running | State::Interrupted | State::Failed => {
                broken.push(format!("`{}` was {}", entry.name, before.state.word()));
            }
            State::Pending | State::Skipped => (),
        }
    }
    let broken = if broken.is_empty() { "no run was broken off".to_owned() } else { broken.join(", ") };
    journal.notes.push(format!("Resumed at {}: {broken}.", journal::now()));
    Ok(journal)
}

/// What is passed from stage to stage.
struct Stages<'a> {
    procedure: &'a Procedure,
    settings: &'a Settings,
    terminal: &'a Terminal,
    folder: &'a Path,
    journal: Journal,
    interrupts: &'a mut Interrupts,
}

impl Stages<'_> {
    fn say(&self, text: &str) {
        self.terminal.print(&format!("  {text}\n"));
    }

    /// Makes records; the requests that remove them again.
    async fn data(&mut self) -> Result<Vec<data::Ready>, Failure> {
        let Some(data) = &self.procedure.data else { return Ok(Vec::new()) };
        if self.journal.data.is_some() {
            self.say("records were made before");
            return Ok(Vec::new());
        }
        self.say(&format!("making {} records", data.count));
        let (records, created) = data::create(data, self.interrupts, self.terminal).await;
        self.say(&format!("{} of {} records were made", records.made, records.asked));
        if let Some(trouble) = &records.trouble {
            self.journal.notes.push(format!("{} of {} records were made: {trouble}", records.made, records.asked));
        }
        self.journal.data = Some(records);
        self.journal.write(self.folder)?;
        Ok(created)
    }

    /// One run after the other.
    async fn runs(&mut self, planned: &[Planned]) -> Result<(), Failure> {
        let mut pause = None;
        for (place, run) in planned.iter().enumerate() {
            match self.journal.runs[place].state {
                State::Pending => (),
                State::Finished => {
                    self.say(&format!("{}: finished before, kept", run.name));
                    continue;
                }
                _ => continue,
            }
            if let Some(pause) = pause.take() {
                self.say(&format!("cool-down of {}", Span::from(pause)));
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = self.interrupts.next() => {}
                }
            }
            if self.interrupts.seen {
                break;
            }
            self.one(place, run).await?;
            pause = Some(run.cool_down).filter(|pause| !pause.is_zero());
            if self.interrupts.seen {
                break;
            }
        }
        Ok(())
    }

    async fn one(&mut self, place: usize, run: &Planned) -> Result<(), Failure> {
        let entry = &mut self.journal.runs[place];
        entry.state = State::Running;
        entry.started = Some(journal::now());
        entry.exit_code = None;
        entry.note = None;
        self.journal.write(self.folder)?;
        self.say(&format!("{}: {}", run.name, run.words));
        let sampler = collect::Sampler::start(&self.procedure.collect, self.folder, &run.name);
        let ended = child::run(run, self.folder, self.settings, self.interrupts).await;
        for line in sampler.finish().await {
            self.say(&format!("! {line}"));
        }
        let files = child::Files::of(self.folder, &run.name);
        let document = std::fs::read(&files.document).ok();
        let document = document.and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
        let reason =
            document.as_ref().and_then(|document| document.pointer("/verdict/reason")?.as_str().map(str::to_owned));
        let entry = &mut self.journal.runs[place];
        (entry.state, entry.note) = match ended {
            Err(failure) => (State::Failed, Some(failure.message)),
            Ok(ended) => {
                entry.exit_code = ended.code;
                // A run whose thresholds were crossed, or that the script marked as failed, still ran to its end.
                let is_whole = matches!(ended.code, Some(0 | 99 | 110)) && document.is_some();
                match (is_whole, ended.was_interrupted, ended.code) {
                    (true, false, _) => (State::Finished, reason),
                    (_, true, _) => (State::Interrupted, reason),
                    (false, false, Some(code)) => {
                        let why = reason.or_else(|| last_error(&files.log)).unwrap_or_default();
                        (State::Failed, Some(format!("exit code {code}: {why}")))
                    }
                    (false, false, None) => (State::Failed, Some("a signal ended it".to_owned())),
                }
            }
        };
        let note = entry.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
        let line = format!("{}: {}{note}", run.name, entry.state.word());
        self.say(&line);
        self.journal.write(self.folder)
    }

    async fn clean_up(&mut self, created: Vec<data::Ready>) -> Result<(), Failure> {
        if created.is_empty() {
            return Ok(());
        }
        self.say(&format!("removing {} records", created.len()));
        let removed = data::remove(created).await;
        if let Some(records) = &mut self.journal.data {
            records.removed = removed;
        }
        self.journal.write(self.folder)
    }

    /// Reports, the archive, the verdict.
    fn end(mut self) -> Result<ExitCode, Failure> {
        if self.interrupts.seen {
            self.journal.notes.push(format!("Interrupted at {}.", journal::now()));
        }
        self.journal.ended = Some(journal::now());
        self.journal.write(self.folder)?;
        let judgement = report::write_all(self.folder)?;
        tell(&judgement, self.folder, self.terminal);
        if let Some(place) = &self.procedure.archive {
            let beside = self.folder.parent().unwrap_or(self.folder).to_owned();
            let place = if place.is_empty() { beside } else { self.settings.cwd.join(place) };
            let path = archive::write(self.folder, &place, &self.journal)?;
            let files = archive::verify(&path)?;
            self.say(&format!("archive {}: {files} files, verified", path.display()));
        }
        Ok(if self.interrupts.seen { ExitCode::ExternalAbort } else { code(&judgement) })
    }
}

/// The last thing a run complained about.
fn last_error(log: &Path) -> Option<String> {
    let text = std::fs::read_to_string(log).ok()?;
    let line = text.lines().rev().find(|line| line.contains("level=error") || line.contains("ERRO"))?;
    Some(line.trim().chars().take(400).collect())
}

fn code(judgement: &Judgement) -> ExitCode {
    match judgement.verdict {
        Verdict::Approved | Verdict::ApprovedWithFindings => ExitCode::Success,
        Verdict::NotApproved => ExitCode::ThresholdsCrossed,
        Verdict::Incomplete => ExitCode::Incomplete,
    }
}

fn tell(judgement: &Judgement, folder: &Path, terminal: &Terminal) {
    let mut text = String::from("\n");
    for one in &judgement.criteria {
        let sign = match one.state {
            "pass" => "✓",
            "fail" => "✗",
            _ => "?",
        };
        text.push_str(&format!("  {sign} {} ({})\n", one.expression, one.achieved_text));
    }
    for finding in &judgement.findings {
        let run = finding.run.as_ref().map(|run| format!("{run}: ")).unwrap_or_default();
        text.push_str(&format!("  ! {run}{}\n", finding.text));
    }
    text.push_str(&format!("\n  {}: {}\n", judgement.verdict.words(), judgement.reason));
    text.push_str(&format!("  report {}\n", folder.join("report.html").display()));
    terminal.print(&text);
}

/// Makes the reports of a folder again.
///
/// # Errors
/// A folder without a journal, a disk that refuses.
pub fn rebuild(folder: &Path, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let judgement = report::write_all(folder)?;
    tell(&judgement, folder, terminal);
    Ok(code(&judgement))
}

/// Checks an archive against its manifest.
///
/// # Errors
/// The first file that differs.
pub fn verify(path: &Path, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let files = archive::verify(path)?;
    terminal.print(&format!("{}: {files} files, all as in the manifest\n", path.display()));
    Ok(ExitCode::Success)
}

/// Compares two results.
///
/// # Errors
/// What can't be read.
pub fn compare(
    before: &Path,
    after: &Path,
    limit: Option<f64>,
    markdown: bool,
    terminal: &Terminal,
) -> Result<ExitCode, Failure> {
    let compared = compare::compare(before, after, limit)?;
    terminal.print(&if markdown { compared.markdown() } else { compared.text() });
    Ok(if compared.has_regressions() { ExitCode::ThresholdsCrossed } else { ExitCode::Success })
}

#[cfg(test)]
mod tests {
    #[test]
    fn addresses_are_told_without_secrets() {
        let check = |url: &str, expect: &str| assert_eq!(super::plain_address(url), expect);
        check("redis://user:p@ss@host:6379/1", "redis://host:6379/1");
        check("https://host/path/@x?token=1#a", "https://host/path/@x");
        check("postgres://u@h", "postgres://h");
    }
}
