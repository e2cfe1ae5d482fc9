//! What a procedure will do: its runs as flags of children, scaled, with their total time.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::file::{LoadShape, Procedure, RunSpec};
use super::settings::ProcedureSettings;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::units::Span;

/// One run, ready.
#[derive(Clone, Debug)]
pub struct PlannedRun {
    /// Its name.
    pub name: String,
    /// The script's path, as it is given to the child.
    pub script: PathBuf,
    /// Its load in words.
    pub words: String,
    /// Flags that choose what of the script runs.
    pub selection: Vec<String>,
    /// Flags for its load.
    pub flags: Vec<String>,
    /// Variables of the script.
    pub env: Vec<(String, String)>,
    /// Tags of all its samples.
    pub tags: Vec<(String, String)>,
    /// The most VUs, as far as the file says.
    pub vus: Option<u64>,
    /// How long it takes; nothing when only the script knows.
    pub duration: Option<Duration>,
    /// The pause after it.
    pub cool_down: Duration,
    /// It was asked for.
    pub is_wanted: bool,
}

/// Plans all runs.
///
/// # Errors
/// Names after `--only` and `--skip` that are no runs; a scale for what can't be scaled.
pub fn plan(procedure: &Procedure, settings: &ProcedureSettings) -> Result<Vec<PlannedRun>, Failure> {
    let names: Vec<&str> = procedure.runs.iter().map(|run| run.name.as_str()).collect();
    for (flag, list) in [("--only", &settings.only), ("--skip", &settings.skip)] {
        if let Some(unknown) = list.iter().find(|name| !names.contains(&name.as_str())) {
            let text = format!("`{flag} {unknown}`: there is no such run; the runs are {}", names.join(", "));
            return Err(Failure::new(ExitCode::Other, text));
        }
    }
    let planned = procedure.runs.iter().map(|run| one(run, procedure, settings)).collect::<Result<Vec<_>, _>>()?;
    if !planned.iter().any(|run| run.is_wanted) {
        return Err(Failure::new(ExitCode::Other, "`--only` and `--skip` leave no run"));
    }
    Ok(planned)
}

fn one(run: &RunSpec, procedure: &Procedure, settings: &ProcedureSettings) -> Result<PlannedRun, Failure> {
    let is_wanted =
        (settings.only.is_empty() || settings.only.contains(&run.name)) && !settings.skip.contains(&run.name);
    let mut flags = Vec::new();
    let vus = run.vus.map(|vus| format!("{vus} VU{}", if vus == 1 { "" } else { "s" }));
    if let Some(vus) = run.vus {
        flags.push(format!("--vus={vus}"));
    }
    let (words, duration) = match &run.shape {
        // One iteration is as short as it can be.
        LoadShape::Own if settings.scale != 1.0 && is_wanted && !run.once => {
            let text = format!("run `{}` has no duration here that `--scale` could multiply", run.name);
            return Err(Failure::new(ExitCode::Other, text).hint("give it a duration or stages, or skip it"));
        }
        LoadShape::Own => (own_words(run), None),
        LoadShape::Duration(whole) => {
            let duration = scaled(*whole, settings.scale).max(Duration::from_secs(1));
            flags.push(format!("--duration={}", Span::from(duration)));
            (format!("for {}", Span::from(duration)), Some(duration))
        }
        LoadShape::Iterations(count) => {
            flags.push(format!("--iterations={count}"));
            (format!("{count} iteration{}", if *count == 1 { "" } else { "s" }), None)
        }
        LoadShape::Stages(stages) => {
            let mut words = Vec::new();
            let mut total = Duration::ZERO;
            for (whole, target) in stages {
                let duration = scaled(*whole, settings.scale);
                total += duration;
                flags.push(format!("--stage={}:{target}", Span::from(duration)));
                let vus = if words.is_empty() { " VUs" } else { "" };
                words.push(format!("{} to {target}{vus}", Span::from(duration)));
            }
            (words.join(", "), Some(total))
        }
    };
    let words = match (vus, &run.shape) {
        (Some(vus), LoadShape::Stages(_)) => format!("from {vus}: {words}"),
        (Some(vus), LoadShape::Duration(_)) => format!("{vus} {words}"),
        (Some(vus), _) => format!("{vus}, {words}"),
        (None, _) => words,
    };
    let mut tags =
        vec![("scenario".to_owned(), run.name.clone()), ("environment".to_owned(), procedure.environment.clone())];
    tags.extend(procedure.phase.iter().map(|phase| ("phase".to_owned(), phase.clone())));
    for (key, value) in &run.tags {
        tags.retain(|(known, _)| known != key);
        tags.push((key.clone(), value.clone()));
    }
    let mut env: Vec<(String, String)> = Vec::new();
    env.extend(procedure.base_url.iter().map(|url| ("BASE_URL".to_owned(), url.clone())));
    env.extend(settings.variables.clone());
    env.extend(run.env.clone());
    Ok(PlannedRun {
        name: run.name.clone(),
        script: script_path(&settings.cwd, &settings.file, &run.script),
        words,
        selection: selection(run),
        flags,
        vus: match &run.shape {
            LoadShape::Stages(stages) => stages.iter().map(|(_, target)| *target).chain(run.vus).max(),
            _ => run.vus,
        },
        env,
        tags,
        duration,
        cool_down: scaled(run.cool_down, settings.scale),
        is_wanted,
    })
}

fn selection(run: &RunSpec) -> Vec<String> {
    let named = (!run.scenarios.is_empty()).then(|| format!("--scenario={}", run.scenarios.join(",")));
    named.into_iter().chain(run.once.then(|| "--once".to_owned())).collect()
}

/// What a run does whose load is the script's.
fn own_words(run: &RunSpec) -> String {
    let of = match &run.scenarios[..] {
        [] => String::new(),
        [one] => format!(" of scenario {one}"),
        several => format!(" of each of the scenarios {}", several.join(", ")),
    };
    match (run.once, &run.scenarios[..]) {
        (true, _) => format!("one iteration{of}"),
        (false, []) => "as the script says".to_owned(),
        (false, [one]) => format!("scenario {one} as the script says"),
        (false, several) => format!("scenarios {} as the script says", several.join(", ")),
    }
}

/// To whole milliseconds: nobody wants to read more.
fn scaled(duration: Duration, scale: f64) -> Duration {
    let millis = (duration.as_secs_f64() * scale * 1e3).round();
    Duration::from_millis(if duration.is_zero() { 0.0 } else { millis.max(1.0) } as u64)
}

/// A script stands beside the procedure file, as what is imported does.
fn script_path(cwd: &Path, file: &str, script: &str) -> PathBuf {
    if script.starts_with("https://") {
        return PathBuf::from(script);
    }
    let folder = cwd.join(file);
    let path = folder.parent().unwrap_or(cwd).join(script);
    let path = std::fs::canonicalize(&path).unwrap_or(path);
    let here = std::fs::canonicalize(cwd).unwrap_or_else(|_| cwd.to_owned());
    path.strip_prefix(&here).map(Path::to_owned).unwrap_or(path)
}

/// The plan, for `--dry-run`.
pub fn describe(procedure: &Procedure, planned: &[PlannedRun], folder: &Path) -> String {
    let mut text = format!("{} ({})\n", procedure.name, procedure.environment);
    let mut line = |key: &str, value: String| text.push_str(&format!("  {key:<10} {value}\n"));
    line("results", folder.display().to_string());
    if let Some(data) = &procedure.data {
        line(
            "data",
            format!(
                "{} record{}, at most {} per second",
                data.count,
                if data.count == 1 { "" } else { "s" },
                data.rate
            ),
        );
    }
    let mut total = Duration::ZERO;
    let mut is_open = false;
    let wanted: Vec<&PlannedRun> = planned.iter().filter(|run| run.is_wanted).collect();
    for (place, run) in wanted.iter().enumerate() {
        line(&run.name, format!("{}, {}", run.script.display(), run.words));
        is_open |= run.duration.is_none();
        total += run.duration.unwrap_or_default();
        if place + 1 < wanted.len() && !run.cool_down.is_zero() {
            line("", format!("cool-down of {}", Span::from(run.cool_down)));
            total += run.cool_down;
        }
    }
    for run in planned.iter().filter(|run| !run.is_wanted) {
        line(&run.name, "skipped".to_owned());
    }
    let at_least = if is_open { "at least " } else { "" };
    line("total", format!("{at_least}{}, plus the time that runs take to start and to stop", Span::from(total)));
    line("criteria", procedure.criteria.len().to_string());
    for criterion in &procedure.criteria {
        text.push_str(&format!("             {}\n", criterion.text));
    }
    text
}
