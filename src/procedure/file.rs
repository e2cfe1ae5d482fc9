//! A procedure file, checked: what is to be checked, run, collected and judged.
//!
//! Everything a file may say is on this page; `js-stdlib/volley/procedure.d.ts` says the same to editors.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::collect::Collect;
use super::decode::{DecodeError, JsonNode};
use super::expression::CriterionExpression;
use super::finding_kinds::{FindingLimits, KINDS as FINDING_KINDS, Severity};
use super::metric_roles::MetricRoles;
use super::test_data::TestDataPlan;
use super::upload::UploadTarget;

/// A procedure.
#[derive(Clone, Debug)]
pub struct Procedure {
    /// What it is called.
    pub name: String,
    /// Where it runs, such as `staging`; a part of file names.
    pub environment: String,
    /// What is tested; `BASE_URL` of every run.
    pub base_url: Option<String>,
    /// Where results go; by default a new folder below `./load_test_results`.
    pub results_dir: Option<String>,
    /// The tag `phase` of every run.
    pub phase: Option<String>,
    /// Checks before any load.
    pub preflight: Preflight,
    /// Records to make before the runs.
    pub data: Option<TestDataPlan>,
    /// The runs, in order; there is at least one.
    pub runs: Vec<RunSpec>,
    /// What is sampled beside the runs.
    pub collect: Collect,
    /// What has to hold; there is at least one.
    pub criteria: Vec<Criterion>,
    /// Where the results are packed; nothing for no archive.
    pub archive: Option<ArchivePlan>,
    /// What is kept of every request.
    pub samples: Samples,
    /// What counts as too much or too little.
    pub limits: FindingLimits,
    /// The metrics that findings and reports look at.
    pub metrics: MetricRoles,
    /// Other severities of findings, by kind.
    pub severities: BTreeMap<String, Severity>,
    /// Other words for the hints of findings.
    pub hints: BTreeMap<String, String>,
}

/// Checks before any load.
#[derive(Clone, Debug, Default)]
pub struct Preflight {
    /// Resources of this machine.
    pub host: Vec<HostResource>,
    /// Requests.
    pub http: Vec<HttpCheck>,
    /// A Redis that has to answer.
    pub redis: Option<ServiceCheck>,
    /// A PostgreSQL that has to answer.
    pub postgres: Option<ServiceCheck>,
    /// A Prometheus that has to scrape something.
    pub prometheus: Option<ServiceCheck>,
    /// Evaluate every script and its thresholds.
    pub scripts: bool,
}

/// A resource of this machine.
#[derive(Clone, Debug)]
pub struct HostResource {
    /// `memory`, `cores` or `disk`.
    pub what: &'static str,
    /// Less is not enough.
    pub minimum: Option<u64>,
    /// Less is a finding.
    pub recommended: Option<u64>,
}

/// Something that has to answer.
#[derive(Clone, Debug)]
pub struct ServiceCheck {
    /// Its address.
    pub url: String,
    /// Without it there is no load.
    pub required: bool,
}

/// A request that has to be answered as expected.
#[derive(Clone, Debug)]
pub struct HttpCheck {
    /// What it is called.
    pub name: String,
    /// The address.
    pub url: String,
    /// The status that is expected.
    pub status: u16,
    /// A path into the JSON body, and what has to stand there.
    pub json: Option<(String, Value)>,
    /// A path into the JSON body where a list that is not empty has to be.
    pub not_empty: Option<String>,
    /// A header that has to be there.
    pub header: Option<String>,
    /// Without it there is no load.
    pub required: bool,
}

/// One run of a script.
#[derive(Clone, Debug)]
pub struct RunSpec {
    /// Its name, unique.
    pub name: String,
    /// The script, relative to the procedure file.
    pub script: String,
    /// `--vus`
    pub vus: Option<u64>,
    /// How load goes over time.
    pub shape: LoadShape,
    /// Only these scenarios of the script; none for all.
    pub scenarios: Vec<String>,
    /// Each scenario runs one iteration.
    pub once: bool,
    /// Variables of the script.
    pub env: BTreeMap<String, String>,
    /// Tags of all its samples.
    pub tags: BTreeMap<String, String>,
    /// The pause after it, if another run follows.
    pub cool_down: Duration,
}

/// How load goes over time.
#[derive(Clone, Debug)]
pub enum LoadShape {
    /// As the script's own options say.
    Own,
    /// The same all the time.
    Duration(Duration),
    /// So many iterations.
    Iterations(u64),
    /// Up and down.
    Stages(Vec<(Duration, u64)>),
}

/// Where the results are packed.
#[derive(Clone, Debug, Default)]
pub struct ArchivePlan {
    /// The folder; nothing for beside the results.
    pub dir: Option<String>,
    /// The store it is copied to.
    pub upload: Option<UploadTarget>,
}

/// Whether the samples of runs are written, and how much of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Samples {
    /// No samples.
    Off,
    /// At most so many bytes for all runs together; beyond, they are thinned.
    Limit(u64),
}

impl Samples {
    /// What one of so many runs may write; nothing where nothing is written.
    pub fn share(self, runs: usize) -> Option<u64> {
        match self {
            Self::Off => None,
            Self::Limit(bytes) => Some(bytes / runs.max(1) as u64),
        }
    }
}

impl Default for Samples {
    fn default() -> Self {
        Self::Limit(2_000_000_000)
    }
}

/// Something that has to hold.
#[derive(Clone, Debug)]
pub struct Criterion {
    /// What it is called; the expression if nothing else.
    pub name: String,
    /// As typed.
    pub text: String,
    /// At least so many samples, instead of [`FindingLimits::samples`].
    pub samples: Option<u64>,
}

const KEYS: [&str; 16] = [
    "name",
    "environment",
    "baseUrl",
    "resultsDir",
    "phase",
    "preflight",
    "data",
    "runs",
    "collect",
    "criteria",
    "archive",
    "samples",
    "limits",
    "metrics",
    "findings",
    "hints",
];

impl Procedure {
    /// Checks a default export, given as JSON.
    ///
    /// # Errors
    /// The path of what is wrong, the reason, and what is allowed.
    pub fn read(json: Option<&str>) -> Result<Self, DecodeError> {
        let Some(json) = json else {
            return Err(DecodeError::of_file("no default export; write `export default { name: … }`"));
        };
        let value: Value = serde_json::from_str(json).map_err(|error| DecodeError::of_file(error.to_string()))?;
        let fields = JsonNode::root(&value).object(&KEYS)?;
        let name = fields.need("name", "what the procedure is called")?.text()?.to_owned();
        let environment = match fields.get("environment") {
            None => "local".to_owned(),
            Some(node) => file_word(&node)?,
        };
        let base_url = fields.get("baseUrl").map(|node| node.web_address()).transpose()?;
        let results_dir = fields.get("resultsDir").map(|node| node.text().map(str::to_owned)).transpose()?;
        let phase = fields.get("phase").map(|node| node.text().map(str::to_owned)).transpose()?;
        let base = base_url.as_deref();
        let preflight = fields.get("preflight").map(|node| preflight(&node, base)).transpose()?;
        let data = fields.get("data").map(|node| TestDataPlan::read(&node, base)).transpose()?;
        let runs = runs(&fields.need("runs", "a list of runs")?)?;
        let names: Vec<&str> = runs.iter().map(|run| run.name.as_str()).collect();
        let collect = fields.get("collect").map(|node| Collect::read(&node)).transpose()?;
        let criteria = criteria(&fields.need("criteria", "a list of what has to hold")?, &names)?;
        let archive = match fields.get("archive") {
            None => None,
            Some(node) => archive(&node)?,
        };
        Ok(Self {
            name,
            environment,
            base_url,
            results_dir,
            phase,
            preflight: preflight.unwrap_or(Preflight { scripts: true, ..Preflight::default() }),
            data,
            runs,
            collect: collect.unwrap_or_default(),
            criteria,
            archive,
            samples: fields.get("samples").map(|node| samples(&node)).transpose()?.unwrap_or_default(),
            limits: fields.get("limits").map(|node| limits(&node)).transpose()?.unwrap_or_default(),
            metrics: fields.get("metrics").map(|node| MetricRoles::read(&node)).transpose()?.unwrap_or_default(),
            severities: fields.get("findings").map(|node| severities(&node)).transpose()?.unwrap_or_default(),
            hints: fields.get("hints").map(|node| hints(&node)).transpose()?.unwrap_or_default(),
        })
    }
}

fn file_word(node: &JsonNode) -> Result<String, DecodeError> {
    let text = node.text()?;
    if text.len() <= 64 && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')) {
        return Ok(text.to_owned());
    }
    Err(node.wrong(format_args!("{text:?} can't be part of a file name; allowed are letters, digits, - and _")))
}

fn preflight(node: &JsonNode, base: Option<&str>) -> Result<Preflight, DecodeError> {
    let fields = node.object(&["host", "http", "redis", "postgres", "prometheus", "scripts"])?;
    let mut host = Vec::new();
    if let Some(node) = fields.get("host") {
        let fields = node.object(&["memory", "cores", "disk"])?;
        for what in ["memory", "cores", "disk"] {
            let Some(node) = fields.get(what) else { continue };
            let limits = node.object(&["minimum", "recommended"])?;
            let amount = |key: &str| {
                let node = limits.get(key);
                node.map(|node| if what == "cores" { node.whole(1, 100_000) } else { node.size() }).transpose()
            };
            let resource = HostResource { what, minimum: amount("minimum")?, recommended: amount("recommended")? };
            if resource.minimum.is_none() && resource.recommended.is_none() {
                return Err(node.wrong("nothing is asked for; expected minimum, recommended or both"));
            }
            host.push(resource);
        }
    }
    let mut http = Vec::new();
    for node in fields.get("http").map(|node| node.list()).transpose()?.unwrap_or_default() {
        http.push(http_check(&node, base)?);
    }
    let service = |key: &str, schemes: &[&str]| {
        let node = fields.get(key);
        node.map(|node| {
            let fields = node.object(&["url", "required"])?;
            let url = fields.need("url", "an address")?.address(schemes)?.to_owned();
            Ok::<_, DecodeError>(ServiceCheck { url, required: fields.flag("required", true)? })
        })
        .transpose()
    };
    Ok(Preflight {
        host,
        http,
        redis: service("redis", &["redis"])?,
        postgres: service("postgres", &["postgres", "postgresql"])?,
        prometheus: service("prometheus", &["http", "https"])?,
        scripts: fields.flag("scripts", true)?,
    })
}

fn http_check(node: &JsonNode, base: Option<&str>) -> Result<HttpCheck, DecodeError> {
    let fields = node.object(&["name", "url", "status", "json", "notEmpty", "header", "required"])?;
    let url = fields.need("url", "an address, or a path below baseUrl")?.web_address_below(base)?;
    let text = |key: &str| fields.get(key).map(|node| node.text().map(str::to_owned)).transpose();
    let json = match fields.get("json") {
        None => None,
        Some(node) => {
            let predicate = node.text()?;
            let wrong =
                || node.wrong(format_args!("{predicate:?} is not a predicate; one looks like status == \"ok\""));
            let (path, value) = predicate.split_once("==").ok_or_else(wrong)?;
            let value = serde_json::from_str(value.trim()).map_err(|_| wrong())?;
            if path.trim().is_empty() {
                return Err(wrong());
            }
            Some((path.trim().to_owned(), value))
        }
    };
    Ok(HttpCheck {
        name: text("name")?.unwrap_or_else(|| super::web::plain_address(&url)),
        url,
        status: fields.get("status").map_or(Ok(200), |node| node.whole(100, 599))? as u16,
        json,
        not_empty: text("notEmpty")?,
        header: text("header")?,
        required: fields.flag("required", true)?,
    })
}

/// What the names of a run's other files end with.
const FILE_ENDS: [&str; 7] = ["_summary", "_report", "_host", "_redis", "_postgres", "_prometheus", "_monitor"];

fn runs(node: &JsonNode) -> Result<Vec<RunSpec>, DecodeError> {
    let mut runs: Vec<RunSpec> = Vec::new();
    for node in node.list()? {
        let run = run(&node)?;
        let is_taken = ["procedure", "manifest", "baseline_metrics"].contains(&run.name.as_str());
        if is_taken || FILE_ENDS.iter().any(|end| run.name.ends_with(end)) {
            let ends = FILE_ENDS.join(", ");
            return Err(node.wrong(format_args!(
                "`{}` would be the name of another file; allowed are names other than procedure, manifest, \
                 baseline_metrics and those that end with {ends}",
                run.name
            )));
        }
        if runs.iter().any(|other| other.name == run.name) {
            return Err(node.wrong(format_args!("a second run is called `{}`; names are unique", run.name)));
        }
        runs.push(run);
    }
    if runs.is_empty() {
        return Err(node.wrong("there is no run; expected at least one"));
    }
    Ok(runs)
}

fn scenarios(node: &JsonNode) -> Result<Vec<String>, DecodeError> {
    let name = |node: JsonNode| match node.text()? {
        name if name.contains([',', ' ']) => Err(node.wrong(format_args!("{name:?} is no name of a scenario"))),
        name => Ok(name.to_owned()),
    };
    let names: Vec<_> = node.list()?.into_iter().map(name).collect::<Result<_, DecodeError>>()?;
    if names.is_empty() {
        return Err(node.wrong("there is no scenario; expected at least one, or leave it out for all"));
    }
    Ok(names)
}

fn run(node: &JsonNode) -> Result<RunSpec, DecodeError> {
    const KEYS: [&str; 11] =
        ["name", "script", "vus", "duration", "iterations", "stages", "scenarios", "once", "env", "tags", "coolDown"];
    let fields = node.object(&KEYS)?;
    let name = fields.need("name", "what the run is called")?.name()?.to_owned();
    let script = fields.need("script", "a k6 script, relative to this file")?.text()?.to_owned();
    let vus = fields.get("vus").map(|node| node.whole(1, 1_000_000)).transpose()?;
    let (duration, iterations, stages) = (fields.get("duration"), fields.get("iterations"), fields.get("stages"));
    let shape = match (duration, iterations, stages) {
        (None, None, None) => LoadShape::Own,
        (Some(node), None, None) => match node.span()? {
            span if span < Duration::from_secs(1) => return Err(node.wrong("a run takes at least 1s")),
            span => LoadShape::Duration(span),
        },
        (None, Some(node), None) => LoadShape::Iterations(node.whole(1, 1_000_000_000)?),
        (None, None, Some(node)) => {
            let stage = |node: JsonNode| {
                let fields = node.object(&["duration", "target"])?;
                let duration = fields.need("duration", "how long the stage takes")?.span()?;
                Ok((duration, fields.need("target", "the VUs at its end")?.whole(0, 1_000_000)?))
            };
            let stages: Vec<_> = node.list()?.into_iter().map(stage).collect::<Result<_, DecodeError>>()?;
            if stages.is_empty() {
                return Err(node.wrong("there is no stage; expected at least one"));
            }
            LoadShape::Stages(stages)
        }
        _ => return Err(node.wrong("one of duration, iterations and stages shapes a run, not several")),
    };
    let scenarios = fields.get("scenarios").map(|node| scenarios(&node)).transpose()?.unwrap_or_default();
    let once = fields.get("once").map(|node| node.flag()).transpose()?.unwrap_or_default();
    let is_own = matches!(shape, LoadShape::Own) && vus.is_none();
    for (key, is_set) in [("scenarios", !scenarios.is_empty()), ("once", once)] {
        if is_set && !is_own {
            let why = "leaves load to the script; vus, duration, iterations and stages can't be given with it";
            return Err(node.wrong(format_args!("{key} {why}")));
        }
    }
    let env = fields.get("env").map(|node| variables(&node)).transpose()?.unwrap_or_default();
    Ok(RunSpec {
        name,
        script,
        vus,
        shape,
        scenarios,
        once,
        env,
        tags: fields.get("tags").map(|node| node.texts()).transpose()?.unwrap_or_default(),
        cool_down: fields.get("coolDown").map_or(Ok(Duration::ZERO), |node| node.span())?,
    })
}

/// Variables of a script: texts, and what has an obvious text.
fn variables(node: &JsonNode) -> Result<BTreeMap<String, String>, DecodeError> {
    let mut variables = BTreeMap::new();
    for (key, node) in node.any_object()?.all() {
        let fits = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !fits {
            return Err(node.wrong("not a name for a variable; allowed are letters, digits and _"));
        }
        if key.starts_with("K6_") || key.starts_with("VOLLEY_") {
            return Err(node.wrong("variables of this kind are options, not for scripts; set them around `volley`"));
        }
        let value = match node.data()? {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            _ => return Err(node.wrong("expected a text, a number, true or false")),
        };
        variables.insert(key.to_owned(), value);
    }
    Ok(variables)
}

fn criteria(node: &JsonNode, runs: &[&str]) -> Result<Vec<Criterion>, DecodeError> {
    let mut criteria = Vec::new();
    for node in node.list()? {
        let (name, samples, place) = if node.is_text() {
            (None, None, node)
        } else {
            let fields = node.object(&["name", "expression", "samples"])?;
            let name = fields.get("name").map(|node| node.text().map(str::to_owned)).transpose()?;
            let samples = fields.get("samples").map(|node| node.whole(0, MAX_SAMPLES)).transpose()?;
            (name, samples, fields.need("expression", "what has to hold")?)
        };
        let text = place.text()?.trim().to_owned();
        CriterionExpression::parse(&text, runs).map_err(|error| place.wrong(error))?;
        criteria.push(Criterion { name: name.unwrap_or_else(|| text.clone()), text, samples });
    }
    if criteria.is_empty() {
        return Err(node.wrong("there is no criterion; expected at least one, as the verdict follows from them"));
    }
    Ok(criteria)
}

fn archive(node: &JsonNode) -> Result<Option<ArchivePlan>, DecodeError> {
    if node.is_flag() {
        return Ok(node.flag()?.then(ArchivePlan::default));
    }
    let fields = node.object(&["dir", "upload"])?;
    let dir = fields.get("dir").map(|node| node.text().map(str::to_owned)).transpose()?;
    Ok(Some(ArchivePlan { dir, upload: fields.get("upload").map(|node| UploadTarget::read(&node)).transpose()? }))
}

fn samples(node: &JsonNode) -> Result<Samples, DecodeError> {
    if node.is_flag() {
        return Ok(if node.flag()? { Samples::default() } else { Samples::Off });
    }
    let fields = node.object(&["limit"])?;
    match fields.get("limit") {
        None => Ok(Samples::default()),
        Some(node) => match node.size()? {
            size if size < 1_000_000 => Err(node.wrong("at least 1MB; `samples: false` writes none")),
            size => Ok(Samples::Limit(size)),
        },
    }
}

/// The most samples a criterion can ask for.
const MAX_SAMPLES: u64 = 1_000_000_000;

fn limits(node: &JsonNode) -> Result<FindingLimits, DecodeError> {
    let fields = node.object(&["failed", "samples", "slow", "cacheHits", "gain", "growth"])?;
    let mut limits = FindingLimits::default();
    if let Some(node) = fields.get("failed") {
        limits.failed = node.share()?;
    }
    if let Some(node) = fields.get("samples") {
        limits.samples = node.whole(0, MAX_SAMPLES)?;
    }
    if let Some(node) = fields.get("slow") {
        limits.slow = node.span()?.as_secs_f64() * 1e3;
    }
    for (key, limit) in
        [("cacheHits", &mut limits.cache_hits), ("gain", &mut limits.gain), ("growth", &mut limits.growth)]
    {
        if let Some(node) = fields.get(key) {
            *limit = node.share()?;
        }
    }
    Ok(limits)
}

fn finding_kinds() -> [&'static str; FINDING_KINDS.len()] {
    FINDING_KINDS.map(|(kind, _)| kind)
}

fn severities(node: &JsonNode) -> Result<BTreeMap<String, Severity>, DecodeError> {
    let fields = node.object(&finding_kinds())?;
    fields.all().into_iter().map(|(kind, node)| Ok((kind.to_owned(), node.word(&Severity::WORDS)?))).collect()
}

fn hints(node: &JsonNode) -> Result<BTreeMap<String, String>, DecodeError> {
    node.object(&finding_kinds())?;
    node.texts()
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
