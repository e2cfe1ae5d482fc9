//! Scenarios, as typed ([`ScenarioConfig`]) and as meant ([`Scenario`]).
//!
//! The checked form holds no option that could be wrong: executors take it as the proof that they can run.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::Compat;
use super::stage::{Stage, scenario_stages};
use super::value::{OptionValue, TextMap, invalid, naming, unknown_field, wrong_kind};
use crate::failure::Failure;
use crate::units::Span;
use crate::units::nearest::did_you_mean;

/// The words of the executors k6 has.
const EXECUTORS: [&str; 6] = [
    "shared-iterations",
    "per-vu-iterations",
    "constant-vus",
    "ramping-vus",
    "constant-arrival-rate",
    "ramping-arrival-rate",
];

/// A scenario, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Its name: letters, digits, `_` and `-`.
    pub name: String,
    /// When it starts, counted from the start of the run's scenarios.
    pub start_time: Duration,
    /// How long running iterations may go on after its regular end.
    pub graceful_stop: Duration,
    /// The exported function it calls.
    pub exec: String,
    /// True if `exec` was written down.
    pub exec_given: bool,
    /// Put over `__ENV` for its VUs.
    pub env: TextMap,
    /// Put over the run's tags.
    pub tags: TextMap,
    /// `options.browser`, passed through.
    pub options: Option<Value>,
    /// The executor, which decides when iterations start.
    pub executor: ExecutorConfig,
}

/// The executors, checked. Counts are those of the whole test; a share of it scales them.
#[derive(Clone, Debug, PartialEq)]
pub enum ExecutorConfig {
    /// VUs share a number of iterations.
    SharedIterations {
        /// At least 1.
        vus: u64,
        /// At least as many as VUs.
        iterations: u64,
        /// No iteration starts after this; at least 1 s.
        max_duration: Duration,
    },
    /// Each VU runs a number of iterations.
    PerVuIterations {
        /// At least 1.
        vus: u64,
        /// For each VU; at least 1.
        iterations: u64,
        /// No iteration starts after this; at least 1 s.
        max_duration: Duration,
    },
    /// A number of VUs loops for a time.
    ConstantVus {
        /// At least 1.
        vus: u64,
        /// At least 1 s.
        duration: Duration,
    },
    /// A changing number of VUs loops.
    RampingVus {
        /// VUs at the start.
        start_vus: u64,
        /// At least one; some target or the start is more than 0.
        stages: Vec<VuStage>,
        /// How long a VU that is no longer wanted may finish its iteration.
        graceful_ramp_down: Duration,
    },
    /// Iterations start at a fixed rate.
    ConstantArrivalRate {
        /// Iterations per `time_unit`; at least 1.
        rate: u64,
        /// More than 0.
        time_unit: Duration,
        /// At least 1 s.
        duration: Duration,
        /// VUs ready before the start.
        pre_allocated_vus: u64,
        /// VUs at most; no fewer than `pre_allocated_vus`.
        max_vus: u64,
    },
    /// Iterations start at a changing rate.
    RampingArrivalRate {
        /// Iterations per `time_unit` at the start.
        start_rate: u64,
        /// More than 0.
        time_unit: Duration,
        /// At least one.
        stages: Vec<ArrivalStage>,
        /// VUs ready before the start.
        pre_allocated_vus: u64,
        /// VUs at most; no fewer than `pre_allocated_vus`.
        max_vus: u64,
    },
    /// Somebody outside says how many VUs loop; k6 had it until its version 1.
    ExternallyControlled {
        /// VUs at the start.
        vus: u64,
        /// VUs that are ready; no fewer than `vus`.
        max_vus: u64,
        /// `None` for ever.
        duration: Option<Duration>,
    },
}

/// What "for ever" is in a plan: the longest time k6 can write down, 292 years.
const FOREVER: Duration = Duration::from_nanos(i64::MAX as u64);

/// A stage of `ramping-vus` or `ramping-arrival-rate`, complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VuStage {
    /// How long the straight line to `target` takes; none is a jump.
    pub duration: Duration,
    /// VUs, or iterations per time unit, at its end.
    pub target: u64,
}

/// A stage of `ramping-arrival-rate`.
pub type ArrivalStage = VuStage;

impl ExecutorConfig {
    /// The word used in options, and `exec.scenario.executor`.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::SharedIterations { .. } => "shared-iterations",
            Self::PerVuIterations { .. } => "per-vu-iterations",
            Self::ConstantVus { .. } => "constant-vus",
            Self::RampingVus { .. } => "ramping-vus",
            Self::ConstantArrivalRate { .. } => "constant-arrival-rate",
            Self::RampingArrivalRate { .. } => "ramping-arrival-rate",
            Self::ExternallyControlled { .. } => "externally-controlled",
        }
    }

    /// How long iterations may start: the duration, the stages together, or the longest time allowed.
    pub fn duration(&self) -> Duration {
        match self {
            Self::SharedIterations { max_duration, .. } | Self::PerVuIterations { max_duration, .. } => *max_duration,
            Self::ConstantVus { duration, .. } | Self::ConstantArrivalRate { duration, .. } => *duration,
            Self::RampingVus { stages, .. } | Self::RampingArrivalRate { stages, .. } => {
                stages.iter().map(|stage| stage.duration).sum()
            }
            Self::ExternallyControlled { duration, .. } => duration.unwrap_or(FOREVER),
        }
    }

    /// Whether it ends after a number of iterations, so that its duration is only a limit.
    pub const fn counts_iterations(&self) -> bool {
        match self {
            Self::SharedIterations { .. } | Self::PerVuIterations { .. } => true,
            Self::ConstantVus { .. }
            | Self::RampingVus { .. }
            | Self::ConstantArrivalRate { .. }
            | Self::RampingArrivalRate { .. }
            | Self::ExternallyControlled { .. } => false,
        }
    }
}

/// The scenarios of a layer, by name.
pub type Scenarios = BTreeMap<String, ScenarioConfig>;

/// A scenario as typed; `None` where nothing was said.
#[derive(Clone, Debug, PartialEq)]
pub struct ScenarioConfig {
    /// `startTime`.
    pub start_time: Option<Span>,
    /// `gracefulStop`.
    pub graceful_stop: Option<Span>,
    /// `env`.
    pub env: Option<TextMap>,
    /// `exec`.
    pub exec: Option<String>,
    /// `tags`.
    pub tags: Option<TextMap>,
    /// `options`; only `browser` is legal in it.
    pub options: Option<Value>,
    /// What the executor itself needs.
    pub fields: ExecutorFields,
}

/// The fields of each executor as typed.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the fields are k6's, named as in ExecutorConfig")]
pub enum ExecutorFields {
    SharedIterations {
        vus: Option<i64>,
        iterations: Option<i64>,
        max_duration: Option<Span>,
    },
    PerVuIterations {
        vus: Option<i64>,
        iterations: Option<i64>,
        max_duration: Option<Span>,
    },
    ConstantVus {
        vus: Option<i64>,
        duration: Option<Span>,
    },
    RampingVus {
        start_vus: Option<i64>,
        stages: Vec<Stage>,
        graceful_ramp_down: Option<Span>,
    },
    ConstantArrivalRate {
        rate: Option<i64>,
        time_unit: Option<Span>,
        duration: Option<Span>,
        pre_allocated_vus: Option<i64>,
        max_vus: Option<i64>,
    },
    RampingArrivalRate {
        start_rate: Option<i64>,
        time_unit: Option<Span>,
        stages: Vec<Stage>,
        pre_allocated_vus: Option<i64>,
        max_vus: Option<i64>,
    },
    ExternallyControlled {
        vus: Option<i64>,
        duration: Option<Span>,
        max_vus: Option<i64>,
    },
}

impl ExecutorFields {
    /// The executor's word.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::SharedIterations { .. } => "shared-iterations",
            Self::PerVuIterations { .. } => "per-vu-iterations",
            Self::ConstantVus { .. } => "constant-vus",
            Self::RampingVus { .. } => "ramping-vus",
            Self::ConstantArrivalRate { .. } => "constant-arrival-rate",
            Self::RampingArrivalRate { .. } => "ramping-arrival-rate",
            Self::ExternallyControlled { .. } => "externally-controlled",
        }
    }

    /// The fields in the order `inspect` prints them.
    fn put_json(&self, map: &mut Map<String, Value>) {
        let mut put = |key: &str, value: Value| map.insert(key.to_owned(), value);
        let text = |span: &Option<Span>| json!(span.map(|span| span.to_string()));
        let list = |stages: &[Stage]| stages.iter().map(Stage::json).collect::<Value>();
        match self {
            Self::SharedIterations { vus, iterations, max_duration }
            | Self::PerVuIterations { vus, iterations, max_duration } => {
                put("vus", json!(vus));
                put("iterations", json!(iterations));
                put("maxDuration", text(max_duration));
            }
            Self::ConstantVus { vus, duration } => {
                put("vus", json!(vus));
                put("duration", text(duration));
            }
            Self::RampingVus { start_vus, stages, graceful_ramp_down } => {
                put("startVUs", json!(start_vus));
                put("stages", list(stages));
                put("gracefulRampDown", text(graceful_ramp_down));
            }
            Self::ConstantArrivalRate { rate, time_unit, duration, pre_allocated_vus, max_vus } => {
                put("rate", json!(rate));
                put("timeUnit", text(time_unit));
                put("duration", text(duration));
                put("preAllocatedVUs", json!(pre_allocated_vus));
                put("maxVUs", json!(max_vus));
            }
            Self::RampingArrivalRate { start_rate, time_unit, stages, pre_allocated_vus, max_vus } => {
                put("startRate", json!(start_rate));
                put("timeUnit", text(time_unit));
                put("stages", list(stages));
                put("preAllocatedVUs", json!(pre_allocated_vus));
                put("maxVUs", json!(max_vus));
            }
            Self::ExternallyControlled { vus, duration, max_vus } => {
                put("vus", json!(vus));
                put("duration", text(duration));
                put("maxVUs", json!(max_vus));
            }
        }
    }
}

/// The fields of a JSON object, each taken once; keys match in any case, as in k6.
struct Taker<'a> {
    fields: Vec<(&'a String, &'a Value)>,
    /// The keys that were asked for.
    asked: Vec<&'static str>,
}

impl<'a> Taker<'a> {
    fn take_value(&mut self, key: &'static str) -> Option<&'a Value> {
        self.asked.push(key);
        // Of a key written in two cases the later one counts.
        let mut found = None;
        self.fields.retain(|(name, value)| {
            let same = name.eq_ignore_ascii_case(key);
            found = if same { Some(*value) } else { found };
            !same
        });
        found.filter(|value| !value.is_null())
    }

    fn take<T: OptionValue>(&mut self, key: &'static str, compat: &mut Compat) -> Result<Option<T>, Failure> {
        let value = self.take_value(key);
        value.map(|value| T::from_json(value, key, compat).map_err(|failure| naming(failure, key, value))).transpose()
    }

    fn take_stages(&mut self, compat: &mut Compat) -> Result<Vec<Stage>, Failure> {
        self.take_value("stages").map_or(Ok(Vec::new()), |value| scenario_stages(value, "stages", compat))
    }
}

impl ScenarioConfig {
    /// A scenario of which only the executor's fields are known.
    pub const fn new(fields: ExecutorFields) -> Self {
        Self { start_time: None, graceful_stop: None, env: None, exec: None, tags: None, options: None, fields }
    }

    fn read(name: &str, value: &Value, compat: &mut Compat) -> Result<Self, Failure> {
        let nothing = Map::new();
        let object = match value {
            Value::Null => &nothing,
            value => value.as_object().ok_or_else(|| wrong_kind(value, name, "lib.ExecutorConfig"))?,
        };
        let mut taker = Taker { fields: object.iter().collect(), asked: Vec::new() };
        let word: Option<String> = taker.take("executor", compat)?;
        let word = word.filter(|word| !word.is_empty());
        let word = word.ok_or_else(|| invalid(format!("scenario '{name}' doesn't have a specified executor type")))?;
        let fields = match word.as_str() {
            "shared-iterations" => ExecutorFields::SharedIterations {
                vus: taker.take("vus", compat)?,
                iterations: taker.take("iterations", compat)?,
                max_duration: taker.take("maxDuration", compat)?,
            },
            "per-vu-iterations" => ExecutorFields::PerVuIterations {
                vus: taker.take("vus", compat)?,
                iterations: taker.take("iterations", compat)?,
                max_duration: taker.take("maxDuration", compat)?,
            },
            "constant-vus" => ExecutorFields::ConstantVus {
                vus: taker.take("vus", compat)?,
                duration: taker.take("duration", compat)?,
            },
            "ramping-vus" => ExecutorFields::RampingVus {
                start_vus: taker.take("startVUs", compat)?,
                stages: taker.take_stages(compat)?,
                graceful_ramp_down: taker.take("gracefulRampDown", compat)?,
            },
            "constant-arrival-rate" => ExecutorFields::ConstantArrivalRate {
                rate: taker.take("rate", compat)?,
                time_unit: taker.take("timeUnit", compat)?,
                duration: taker.take("duration", compat)?,
                pre_allocated_vus: taker.take("preAllocatedVUs", compat)?,
                max_vus: taker.take("maxVUs", compat)?,
            },
            "ramping-arrival-rate" => ExecutorFields::RampingArrivalRate {
                start_rate: taker.take("startRate", compat)?,
                time_unit: taker.take("timeUnit", compat)?,
                stages: taker.take_stages(compat)?,
                pre_allocated_vus: taker.take("preAllocatedVUs", compat)?,
                max_vus: taker.take("maxVUs", compat)?,
            },
            "externally-controlled" if !compat.strict => {
                compat.warn(format!(
                    "scenario `{name}`: k6 has no `externally-controlled` since its version 2; portable is a \
                     `ramping-vus` whose stages are known before"
                ));
                ExecutorFields::ExternallyControlled {
                    vus: taker.take("vus", compat)?,
                    duration: taker.take("duration", compat)?,
                    max_vus: taker.take("maxVUs", compat)?,
                }
            }
            _ => {
                let failure = invalid(format!("unknown executor type '{word}'"));
                return Err(failure.with_hint(did_you_mean(&word, EXECUTORS)));
            }
        };
        let config = Self {
            start_time: taker.take("startTime", compat)?,
            graceful_stop: taker.take("gracefulStop", compat)?,
            env: taker.take("env", compat)?,
            exec: taker.take("exec", compat)?,
            tags: taker.take("tags", compat)?,
            options: taker.take_value("options").map(browser_options).transpose()?,
            fields,
        };
        match taker.fields.first() {
            Some((unknown, _)) => Err(unknown_field(unknown, taker.asked)),
            None => Ok(config),
        }
    }

    /// The scenario as `inspect` prints it.
    pub fn json(&self) -> Value {
        let mut map = Map::new();
        map.insert("executor".to_owned(), self.fields.word().into());
        map.insert("startTime".to_owned(), json!(self.start_time.map(|span| span.to_string())));
        map.insert("gracefulStop".to_owned(), json!(self.graceful_stop.map(|span| span.to_string())));
        map.insert("env".to_owned(), json!(self.env));
        map.insert("exec".to_owned(), json!(self.exec));
        map.insert("tags".to_owned(), json!(self.tags));
        if let Some(options) = &self.options {
            map.insert("options".to_owned(), options.clone());
        }
        self.fields.put_json(&mut map);
        Value::Object(map)
    }
}

/// Only `browser` is legal among a scenario's options.
fn browser_options(value: &Value) -> Result<Value, Failure> {
    let object = value.as_object().ok_or_else(|| wrong_kind(value, "options", "lib.ScenarioOptions"))?;
    for (key, value) in object {
        if !key.eq_ignore_ascii_case("browser") {
            return Err(unknown_field(key, ["browser"]));
        }
        if !value.is_object() && !value.is_null() {
            return Err(wrong_kind(value, "browser", "map[string]interface {}"));
        }
    }
    Ok(value.clone())
}

impl OptionValue for Scenarios {
    const GO_TYPE: &'static str = "lib.ScenarioConfigs";

    fn from_json(value: &Value, key: &str, compat: &mut Compat) -> Result<Self, Failure> {
        let object = value.as_object().ok_or_else(|| wrong_kind(value, key, "map[string]json.RawMessage"))?;
        object.iter().map(|(name, item)| Ok((name.clone(), ScenarioConfig::read(name, item, compat)?))).collect()
    }

    fn from_env(_text: &str, _notes: &mut Compat) -> Result<Option<Self>, String> {
        Ok(None)
    }

    fn to_json(&self) -> Value {
        Value::Object(self.iter().map(|(name, scenario)| (name.clone(), scenario.json())).collect())
    }
}
