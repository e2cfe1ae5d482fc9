//! The stages of a procedure with what is passed from one to the next: data, runs, clean-up, reports, archive, upload.
//!
//! What happened is in the journal before the next step begins, so that a kill loses no more than the step it hit.

use std::path::{Path, PathBuf};

use super::child::{self, Interrupts};
use super::created_records::{self, CreatedRecords};
use super::file::{ArchivePlan, Criterion, Procedure};
use super::journal::{self, CriterionEntry, EntryState, Journal, RunEntry, TestDataSummary, Thinned};
use super::live::LivePage;
use super::observer::Observer;
use super::plan::PlannedRun;
use super::progress::{ProcedureProgress, ProcedureStage};
use super::run_files::RunFiles;
use super::settings::ProcedureSettings;
use super::upload::{self, UploadTarget};
use super::verdict::Judgement;
use super::web::plain_address;
use super::{archive, collect, create_test_data, report};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::json::thinned;
use crate::run::DataModule;
use crate::ui::Terminal;
use crate::units::Span;

/// Where results go, and the time in the names of the folder and of its archive.
///
/// # Errors
/// A folder with results of another procedure.
pub fn folder(procedure: &Procedure, settings: &ProcedureSettings) -> Result<(PathBuf, String), Failure> {
    let now = jiff::Zoned::now().strftime("%Y%m%d_%H%M%S").to_string();
    if let Some(folder) = &settings.resume {
        return Ok((joined(&settings.cwd, folder), now));
    }
    let mut stamp = now.clone();
    let folder = match &procedure.results_dir {
        Some(folder) => joined(&settings.cwd, Path::new(folder)),
        None => {
            let base = settings.cwd.join("load_test_results");
            // Two that begin in the same second must not share a folder.
            let mut folder = base.join(&now);
            for more in 2.. {
                if !folder.exists() {
                    break;
                }
                stamp = format!("{now}_{more}");
                folder = base.join(&stamp);
            }
            folder
        }
    };
    if folder.join(journal::FILE).exists() {
        let text = format!("there are results in {} already", folder.display());
        let hint = "`--resume` continues there; another `resultsDir` keeps both";
        return Err(Failure::new(ExitCode::Other, text).hint(hint));
    }
    Ok((folder, stamp))
}

/// A path below a folder, without `.` in its middle.
fn joined(folder: &Path, path: &Path) -> PathBuf {
    folder.join(path).components().collect()
}

/// That a folder which is gone on with is of this procedure and this scale, before anything is done.
///
/// # Errors
/// A folder without results, of another procedure, or of another scale.
pub fn check_resumed(procedure: &Procedure, settings: &ProcedureSettings, folder: &Path) -> Result<(), Failure> {
    if settings.resume.is_none() {
        return Ok(());
    }
    let old = Journal::read(folder)?;
    if old.name != procedure.name {
        let text = format!("the results in {} are of `{}`, not of `{}`", folder.display(), old.name, procedure.name);
        return Err(Failure::new(ExitCode::Other, text));
    }
    if old.scale != settings.scale {
        let (old, new) = (old.scale, settings.scale);
        let text =
            format!("the results in {} were begun with `--scale {old}`, this is `--scale {new}`", folder.display());
        return Err(Failure::new(ExitCode::Other, text).hint("give the same scale, or begin anew without `--resume`"));
    }
    Ok(())
}

/// The journal of a new folder, or of the one that is gone on with.
///
/// # Errors
/// What the file system says.
pub fn open(
    procedure: &Procedure,
    settings: &ProcedureSettings,
    planned: &[PlannedRun],
    folder: &Path,
    stamp: String,
) -> Result<Journal, Failure> {
    let old = settings.resume.is_some().then(|| Journal::read(folder)).transpose()?;
    let cannot = |error: std::io::Error| Failure::new(ExitCode::Other, format!("{}: {error}", folder.display()));
    std::fs::create_dir_all(folder).map_err(cannot)?;
    let mut journal = Journal::new(&procedure.name, &procedure.environment, &settings.file);
    journal.phase = procedure.phase.clone();
    journal.base_url = procedure.base_url.as_deref().map(plain_address);
    journal.scale = settings.scale;
    journal.stamp = Some(stamp);
    let criterion = |one: &Criterion| {
        let (name, text) = (one.name.clone(), one.text.clone());
        CriterionEntry { name, text, samples: one.samples }
    };
    journal.criteria = procedure.criteria.iter().map(criterion).collect();
    journal.limits = procedure.limits;
    journal.metrics = procedure.metrics.clone();
    journal.severities = procedure.severities.clone();
    journal.hints = procedure.hints.clone();
    journal.runs = planned
        .iter()
        .map(|run| RunEntry {
            name: run.name.clone(),
            script: run.script.display().to_string(),
            plan: run.words.clone(),
            state: if run.is_wanted { EntryState::Pending } else { EntryState::Skipped },
            exit_code: None,
            started: None,
            note: None,
            thinned: None,
        })
        .collect();
    let Some(old) = old else { return Ok(journal) };
    journal.stamp.clone_from(&old.stamp);
    journal.started = old.started.clone();
    journal.notes = old.notes.clone();
    journal.data = old.data.clone();
    let mut broken = Vec::new();
    for entry in &mut journal.runs {
        let Some(before) = old.runs.iter().find(|before| before.name == entry.name) else { continue };
        match before.state {
            // Whole, but of another load: it is not what was asked for now.
            EntryState::Finished if before.plan != entry.plan => {
                broken.push(format!("`{}` had another plan", entry.name))
            }
            EntryState::Finished => *entry = before.clone(),
            EntryState::Running | EntryState::Interrupted | EntryState::Failed => {
                broken.push(before.state.said_of(&entry.name));
            }
            EntryState::Pending | EntryState::Skipped => (),
        }
    }
    let broken = if broken.is_empty() { "no run had been cut short".to_owned() } else { broken.join(", ") };
    journal.notes.push(format!("Resumed at {}: {broken}.", report::minute(&journal::now())));
    Ok(journal)
}

/// What is passed from stage to stage.
pub struct ProcedureStages<'a> {
    /// What is to be done.
    pub procedure: &'a Procedure,
    /// Where its functions live.
    pub module: &'a DataModule,
    /// What was typed around it.
    pub settings: &'a ProcedureSettings,
    /// Where it is told how things go.
    pub terminal: &'a Terminal,
    /// Where results go.
    pub folder: &'a Path,
    /// What happened so far.
    pub journal: Journal,
    /// Ctrl+C.
    pub interrupts: &'a mut Interrupts,
    /// How the run that goes on is asked.
    pub observer: Observer,
    /// How far everything is.
    pub progress: ProcedureProgress,
    /// The page that shows it.
    pub live: LivePage,
}

impl ProcedureStages<'_> {
    fn say(&self, text: &str) {
        self.terminal.print(&format!("  {text}\n"));
    }

    /// Makes records.
    ///
    /// # Errors
    /// As the file system says.
    pub async fn data(&mut self) -> Result<(), Failure> {
        let Some(data) = &self.procedure.data else { return Ok(()) };
        if !self.journal.runs.iter().any(|run| run.state == EntryState::Pending) {
            return Ok(());
        }
        let mut ledger = CreatedRecords::open(self.folder)?;
        let before = ledger.all_made().len() as u64;
        let unknown = ledger.unknown().len();
        if unknown > 0 {
            let text = format!(
                "{} had been requested without an answer when the procedure was killed.",
                counted(unknown as u64)
            );
            self.journal.notes.push(text);
        }
        if before >= data.count && self.journal.data.is_some() {
            self.say("the records already exist");
            return Ok(());
        }
        match before {
            0 => self.say(&format!("making {}", counted(data.count))),
            _ => self.say(&format!("making {}; {before} already exist", counted(data.count))),
        }
        let records = create_test_data::create(data, self.module, &mut ledger, self.interrupts, self.terminal).await;
        ledger.close();
        self.say(&records.words());
        if let Some(trouble) = &records.trouble {
            self.say(&format!("! {trouble}"));
        }
        self.journal.data = Some(records);
        self.journal.write(self.folder)
    }

    /// One run after the other.
    ///
    /// # Errors
    /// As the file system says.
    pub async fn runs(&mut self, planned: &[PlannedRun]) -> Result<(), Failure> {
        let mut pause = None;
        for (place, run) in planned.iter().enumerate() {
            match self.journal.runs[place].state {
                EntryState::Pending => (),
                EntryState::Finished => {
                    self.say(&format!("{}: finished before, kept", run.name));
                    continue;
                }
                _ => continue,
            }
            if let Some(pause) = pause.take() {
                self.say(&format!("cool-down of {}", Span::from(pause)));
                self.progress.enter(ProcedureStage::CoolDown(place, pause), self.terminal);
                self.live.refresh(self.folder, &self.progress, None);
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = self.interrupts.next() => {}
                }
                self.progress.enter(ProcedureStage::Other, self.terminal);
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

    async fn one(&mut self, place: usize, run: &PlannedRun) -> Result<(), Failure> {
        let entry = &mut self.journal.runs[place];
        entry.state = EntryState::Running;
        entry.started = Some(journal::now());
        entry.exit_code = None;
        entry.note = None;
        entry.thinned = None;
        self.journal.write(self.folder)?;
        self.say(&format!("{}: {}", run.name, run.words));
        self.progress.enter(ProcedureStage::Run(place), self.terminal);
        self.live.refresh(self.folder, &self.progress, Some(&run.name));
        let collect = self.procedure.collect.scaled(self.settings.scale);
        let sampler = collect::Sampler::start(&collect, self.folder, &run.name);
        let wanted = self.journal.runs.iter().filter(|run| run.state != EntryState::Skipped).count();
        let limit = self.procedure.samples.share(wanted);
        let ended = child::run(run, self.folder, limit, self.settings, self.interrupts, &self.observer).await;
        self.progress.enter(ProcedureStage::Other, self.terminal);
        for line in sampler.finish().await {
            self.say(&format!("! {line}"));
        }
        let files = RunFiles::of(self.folder, &run.name);
        let document = std::fs::read(&files.document).ok();
        let document = document.and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
        let reason =
            document.as_ref().and_then(|document| document.pointer("/verdict/reason")?.as_str().map(str::to_owned));
        let entry = &mut self.journal.runs[place];
        let log = std::fs::read_to_string(&files.log).unwrap_or_default();
        entry.thinned = log.lines().rev().find_map(thinned).map(|(kept, all)| Thinned { kept, all });
        (entry.state, entry.note) = match ended {
            Err(failure) => (EntryState::Failed, Some(failure.message)),
            Ok(ended) => {
                entry.exit_code = ended.code;
                // A run whose thresholds were crossed, or that the script marked as failed, still ran to its end.
                let is_whole = matches!(ended.code, Some(0 | 99 | 110)) && document.is_some();
                match (is_whole, ended.was_interrupted, ended.code) {
                    (true, false, _) => (EntryState::Finished, reason),
                    (_, true, _) => (EntryState::Interrupted, reason),
                    (false, false, Some(code)) => {
                        let why = reason.or_else(|| last_error(&files.log));
                        let why = why.map(|why| format!(": {why}")).unwrap_or_default();
                        (EntryState::Failed, Some(format!("exit code {code}{why}")))
                    }
                    (false, false, None) => (EntryState::Failed, Some("it was ended by a signal".to_owned())),
                }
            }
        };
        let note = entry.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
        let line = format!("{}: {}{note}", run.name, entry.state.word());
        self.say(&line);
        self.journal.write(self.folder)
    }

    /// Removes the records that exist, made now or before a kill.
    ///
    /// # Errors
    /// As the file system says.
    pub async fn clean_up(&mut self) -> Result<(), Failure> {
        let Some(data) = self.procedure.data.as_ref().filter(|data| data.clean_up.is_some()) else { return Ok(()) };
        if !self.folder.join(created_records::FILE).exists() {
            return Ok(());
        }
        let mut ledger = CreatedRecords::open(self.folder)?;
        self.say(&format!("removing {}", counted(ledger.all_made().len() as u64)));
        let (removed, trouble) = create_test_data::remove(data, &mut ledger, self.interrupts, self.terminal).await;
        ledger.close();
        let records = self.journal.data.get_or_insert_with(|| TestDataSummary::asked(data.count));
        records.removed += removed;
        if let Some(trouble) = trouble {
            self.terminal.print(&format!("  ! {trouble}\n"));
            records.trouble.get_or_insert(trouble);
        }
        self.journal.write(self.folder)
    }

    /// Reports, the archive, the verdict.
    ///
    /// # Errors
    /// As the file system says; an archive that could not be uploaded, if that is the worst.
    pub async fn end(mut self) -> Result<ExitCode, Failure> {
        if self.interrupts.seen {
            self.journal.notes.push(format!("Interrupted at {}.", report::minute(&journal::now())));
        }
        self.journal.ended = Some(journal::now());
        self.journal.write(self.folder)?;
        let judgement = report::write_all(self.folder)?;
        self.live.finish(self.folder);
        super::tell(&judgement, self.folder, self.terminal);
        let code = self.keep(&judgement).await;
        self.live.close().await;
        code
    }

    /// Packs the folder and copies it to its store; the code the procedure ends with.
    async fn keep(&mut self, judgement: &Judgement) -> Result<ExitCode, Failure> {
        let code = if self.interrupts.seen { ExitCode::ExternalAbort } else { super::code(judgement) };
        let Some(place) = &self.procedure.archive else { return Ok(code) };
        let beside = archives(self.folder, place, self.settings);
        let path = archive::write(self.folder, &beside, &self.journal)?;
        let files = archive::verify(&path)?;
        self.say(&format!("archive: {} ({files} files, verified)", path.display()));
        let Some(target) = &place.upload else { return Ok(code) };
        match upload(&path, target, self.settings, self.interrupts, self.terminal).await {
            Ok(()) => Ok(code),
            Err(failure) if code == ExitCode::Success => Err(failure),
            // What was measured is the more important news.
            Err(failure) => {
                self.say(&format!("! {}", failure.message));
                Ok(code)
            }
        }
    }
}

/// `1 record`, `2 records`.
fn counted(records: u64) -> String {
    format!("{records} record{}", if records == 1 { "" } else { "s" })
}

/// The folder archives go to.
fn archives(folder: &Path, place: &ArchivePlan, settings: &ProcedureSettings) -> PathBuf {
    match &place.dir {
        Some(dir) => settings.cwd.join(dir),
        None => folder.parent().unwrap_or(folder).to_owned(),
    }
}

/// Copies an archive to its store and says so.
///
/// # Errors
/// What the store, or the way to it, says, and how to go on.
pub async fn upload(
    archive: &Path,
    target: &UploadTarget,
    settings: &ProcedureSettings,
    interrupts: &mut Interrupts,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let copied = tokio::select! {
        copied = upload::upload(archive, target, &settings.process_env, &settings.cwd, terminal) => copied,
        () = interrupts.next() => {
            terminal.set_block(String::new());
            Err("it was interrupted".to_owned())
        }
    };
    match copied {
        Ok(text) => {
            terminal.print(&format!("  uploaded to {text}\n"));
            Ok(())
        }
        Err(why) => {
            let text = format!("the archive was not uploaded to {}: {why}", target.url);
            let hint = format!("`volley procedure upload {}` goes on", archive.display());
            let code = if interrupts.seen { ExitCode::ExternalAbort } else { ExitCode::Other };
            Err(Failure::new(code, text).hint(hint))
        }
    }
}

/// The archive that waits for its upload, if that is all there is to do in a folder that is gone on with.
pub fn only_upload(
    procedure: &Procedure,
    settings: &ProcedureSettings,
    planned: &[PlannedRun],
    folder: &Path,
) -> Option<(PathBuf, UploadTarget)> {
    settings.resume.as_ref()?;
    let place = procedure.archive.as_ref()?;
    let target = place.upload.clone()?;
    let old = Journal::read(folder).ok()?;
    let is_done = |run: &PlannedRun| {
        !run.is_wanted
            || old
                .runs
                .iter()
                .any(|entry| entry.name == run.name && entry.plan == run.words && entry.state == EntryState::Finished)
    };
    let has_records = procedure.data.as_ref().is_some_and(|data| data.clean_up.is_some());
    let is_clean = !has_records || !folder.join(created_records::FILE).exists();
    let archive = archive::path(&archives(folder, place, settings), &old);
    let is_all = old.ended.is_some() && is_clean && planned.iter().all(is_done) && upload::begun(&archive).is_some();
    (is_all && archive::verify(&archive).is_ok()).then_some((archive, target))
}

/// The last thing a run complained about.
fn last_error(log: &Path) -> Option<String> {
    let text = std::fs::read_to_string(log).ok()?;
    let line = text.lines().rev().find(|line| line.contains("level=error") || line.contains("ERRO"))?;
    Some(log_message(line.trim()).chars().take(400).collect())
}

/// What a line of a log says, without its time, level and fields.
fn log_message(line: &str) -> String {
    let Some((_, rest)) = line.split_once(" msg=") else { return line.to_owned() };
    let Some(quoted) = rest.strip_prefix('"') else {
        return rest.split(' ').next().unwrap_or_default().to_owned();
    };
    let (mut message, mut letters) = (String::new(), quoted.chars());
    while let Some(letter) = letters.next() {
        match letter {
            '"' => break,
            '\\' => match letters.next() {
                Some('n' | 't') => message.push(' '),
                other => message.extend(other),
            },
            _ => message.push(letter),
        }
    }
    message
}

#[cfg(test)]
mod tests {
    use super::log_message;

    #[test]
    fn a_line_of_a_log_is_read_without_its_fields() {
        let check = |line: &str, expect: &str| assert_eq!(log_message(line), expect);
        check(r#"time="2026-11-27T15:00:00Z" level=error msg="say \"no\"\nagain" hint="x""#, r#"say "no" again"#);
        check("time=\"2026-11-27T15:00:00Z\" level=error msg=no source=console", "no");
        check("ERRO[0001] no", "ERRO[0001] no");
    }
}
