//! A load-testing procedure as one command: checks, data, runs, collected figures, criteria, reports, an archive.
//!
//! The stages stand in [`run`] in the order in which they happen. Runs are children of this process; whatever is told at
//! the end is made from the files in the results folder, so that it can be made again. Only `cli` reads arguments.

mod archive;
mod check;
mod child;
mod collect;
mod compare;
mod comparison;
mod create_test_data;
mod created_records;
mod credentials;
mod criteria_check;
mod decode;
mod expression;
mod file;
mod finding_kinds;
mod findings;
#[cfg(any(test, fuzzing))]
pub mod fuzz_tests;
mod host;
mod journal;
mod live;
mod metric_roles;
mod observer;
mod performance;
mod plan;
mod progress;
mod readiness;
mod report;
mod request_template;
mod results;
mod run_files;
mod settings;
mod stages;
mod test_data;
mod upload;
mod verdict;
mod web;

use std::path::{Path, PathBuf};

use crate::exit_code::ExitCode;
use crate::failure::{ExitWith as _, Failure};
use crate::run::DataModule;
use crate::ui::Terminal;
use child::Interrupts;
pub use file::Procedure;
use journal::{CheckState, EntryState, PreflightResult};
use live::LivePage;
use observer::Observer;
use progress::{ProcedureProgress, ProgressDisplay};
pub use settings::ProcedureSettings;
use stages::ProcedureStages;
use verdict::{Judgement, Verdict};

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
pub fn check(procedure: &Procedure, settings: &ProcedureSettings, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let planned = plan::plan(procedure, settings)?;
    let (folder, _) = stages::folder(procedure, settings)?;
    let checks = runtime()?.block_on(async {
        let scripts = criteria_check::scripts(procedure, &planned, settings).await;
        criteria_check::check_criteria(procedure, &scripts, &settings.file)?;
        Ok::<_, Failure>(check::check(procedure, &planned, settings, &scripts, &folder).await)
    })?;
    tell_checks(&checks, terminal);
    Ok(if has_failed(&checks) { ExitCode::PreflightFailed } else { ExitCode::Success })
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    // Children live as long as the thread that made them, so that is the main one.
    tokio::runtime::Builder::new_current_thread().enable_all().build().exit(ExitCode::Other)
}

fn has_failed(checks: &[PreflightResult]) -> bool {
    checks.iter().any(|check| check.state == CheckState::Failed)
}

fn tell_checks(checks: &[PreflightResult], terminal: &Terminal) {
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
pub fn run(
    procedure: &Procedure,
    module: &DataModule,
    settings: &ProcedureSettings,
    terminal: &Terminal,
) -> Result<ExitCode, Failure> {
    let planned = plan::plan(procedure, settings)?;
    let (folder, stamp) = stages::folder(procedure, settings)?;
    stages::check_resumed(procedure, settings, &folder)?;
    let runtime = runtime()?;
    if settings.dry_run {
        let scripts = runtime.block_on(criteria_check::scripts(procedure, &planned, settings));
        criteria_check::check_criteria(procedure, &scripts, &settings.file)?;
        terminal.print(&plan::describe(procedure, &planned, &folder));
        let checks = check::of_file(procedure, &planned, &scripts, &folder);
        tell_checks(&checks, terminal);
        return Ok(if has_failed(&checks) { ExitCode::PreflightFailed } else { ExitCode::Success });
    }
    runtime.block_on(async {
        let mut interrupts = Interrupts::listen()?;
        terminal.print(&format!("{} ({})\n", procedure.name, procedure.environment));
        if let Some(begun) = stages::only_upload(procedure, settings, &planned, &folder) {
            terminal.print("  everything else is done; uploading the archive\n");
            let judgement = verdict::judge(&results::ProcedureResults::read(&folder)?);
            stages::upload(&begun.0, &begun.1, settings, &mut interrupts, terminal).await?;
            return Ok(code(&judgement));
        }
        let observer = Observer::default();
        if terminal.stdout_is_tty() {
            observer.watch();
        }
        let live = LivePage::open(settings, &procedure.name, observer.clone(), terminal)?;
        if let Some(url) = live.url() {
            terminal.print(&format!("  live page {url}\n"));
        }
        let scripts = criteria_check::scripts(procedure, &planned, settings).await;
        criteria_check::check_criteria(procedure, &scripts, &settings.file)?;
        let checks = check::check(procedure, &planned, settings, &scripts, &folder).await;
        tell_checks(&checks, terminal);
        if has_failed(&checks) {
            terminal.print("  A required check failed: nothing was run.\n");
            return Ok(ExitCode::PreflightFailed);
        }
        let mut journal = stages::open(procedure, settings, &planned, &folder, stamp)?;
        journal.checks = checks;
        journal.write(&folder)?;
        terminal.print(&format!("  results go to {}\n", folder.display()));
        let interrupts = &mut interrupts;
        let is_wanted: Vec<bool> = journal.runs.iter().map(|run| run.state == EntryState::Pending).collect();
        let progress = ProcedureProgress::new(&planned, &is_wanted, observer.clone(), live.url());
        live.refresh(&folder, &progress, None);
        let _screen = ProgressDisplay::start(progress.clone(), terminal.clone());
        let folder = folder.as_path();
        let mut stage = ProcedureStages {
            procedure,
            module,
            settings,
            terminal,
            folder,
            journal,
            interrupts,
            observer,
            progress,
            live,
        };
        stage.data().await?;
        if !stage.interrupts.seen {
            stage.runs(&planned).await?;
        }
        stage.clean_up().await?;
        stage.end().await
    })
}

fn code(judgement: &Judgement) -> ExitCode {
    match judgement.verdict {
        Verdict::Approved | Verdict::ApprovedWithFindings | Verdict::Rehearsal => ExitCode::Success,
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
        text.push_str(&format!("  {sign} {}\n", one.line()));
    }
    for finding in &judgement.findings {
        text.push_str(&format!("  {} {}\n", finding.severity.sign(), finding.line()));
    }
    text.push_str(&format!("\n  {}: {}\n", judgement.words(), judgement.reason));
    text.push_str(&format!("  report: {}\n", folder.join("report.html").display()));
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

/// What was typed after `procedure upload`.
#[derive(Clone, Debug, Default)]
pub struct UploadTo {
    /// `s3://bucket/folder`; without it, an upload goes on that was begun.
    pub url: Option<String>,
    /// The store's address.
    pub endpoint: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// A file with credentials.
    pub credentials: Option<PathBuf>,
    /// Its section.
    pub profile: Option<String>,
}

/// Copies an archive to a store, or goes on where that was cut off.
///
/// # Errors
/// An archive that is not whole; what the store, or the way to it, says.
pub fn upload(
    path: &Path,
    to: UploadTo,
    settings: &ProcedureSettings,
    terminal: &Terminal,
) -> Result<ExitCode, Failure> {
    let wrong = |why: String| Failure::new(ExitCode::InvalidConfig, why);
    let begun = upload::begun(path);
    let url = match &to.url {
        Some(url) => Some(upload::UploadTarget::bucket_url(url).map_err(wrong)?),
        None => begun.as_ref().map(|target| target.url.clone()),
    };
    let Some(url) = url else {
        let text = format!("{}: no upload of it has begun; say where to", path.display());
        return Err(wrong(text).hint("`volley procedure upload FILE s3://bucket/folder --endpoint https://…`"));
    };
    // What was begun elsewhere does not say where this goes.
    let begun = begun.filter(|target| to.url.is_none() || target.url == url);
    let target = upload::UploadTarget {
        url,
        endpoint: to.endpoint.or_else(|| begun.as_ref()?.endpoint.clone()),
        region: to.region.or_else(|| begun.as_ref()?.region.clone()),
        place: credentials::CredentialsSource { file: to.credentials, profile: to.profile },
    };
    archive::verify(path)?;
    runtime()?.block_on(async {
        let mut interrupts = Interrupts::listen()?;
        stages::upload(path, &target, settings, &mut interrupts, terminal).await?;
        Ok(ExitCode::Success)
    })
}

/// How a comparison is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompareShape {
    /// The figures that are judged.
    Judged,
    /// All figures.
    All,
    /// A table for a pull request.
    Markdown,
}

/// Compares two results.
///
/// # Errors
/// What can't be read.
pub fn compare(
    before: &Path,
    after: &Path,
    limit: Option<f64>,
    shape: CompareShape,
    terminal: &Terminal,
) -> Result<ExitCode, Failure> {
    let compared = compare::compare(before, after, limit)?;
    terminal.print(&match shape {
        CompareShape::Judged => compared.text(false),
        CompareShape::All => compared.text(true),
        CompareShape::Markdown => compared.markdown(),
    });
    Ok(if compared.has_regressions() { ExitCode::ThresholdsCrossed } else { ExitCode::Success })
}
