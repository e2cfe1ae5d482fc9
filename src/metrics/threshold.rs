//! Thresholds: parsed and checked before the run, judged periodically and at the end.
//!
//! k6's grammar, `<figure> <operator> <number>`. Three forms beyond it are read unless the run is strict, each with
//! one warning that names the portable form: `p95<500`, and `count`, `passes`, `fails` on a rate. Two more have no
//! portable form: a limit taken from a saved run, and a window (see [`super::threshold_limit`]).

use std::sync::Arc;
use std::time::Duration;

use super::baseline::Baseline;
use super::metric::{Contains, Metric, MetricType};
use super::record::Stamp;
use super::registry::Registry;
use super::sink::Sink;
use super::submetric::MetricSelector;
use super::threshold_limit::ThresholdLimit;
use super::window::Window;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::log::Logger;
use crate::units::Span;
use crate::units::nearest::did_you_mean;
use crate::units::quote::go_quote;

/// One threshold as the options hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThresholdDef {
    /// As typed: `p(95)<500`.
    pub expression: String,
    /// Whether crossing it ends the run at once.
    pub abort_on_fail: bool,
    /// It can end the run only after this delay.
    pub delay_abort_eval: Option<Span>,
}

/// All thresholds of the options, by metric expression.
pub type ThresholdDefs = [(String, Vec<ThresholdDef>)];

/// A parsed threshold that fits its metric.
#[derive(Clone, Debug)]
pub struct Threshold {
    /// As typed.
    pub def: ThresholdDef,
    aggregation: Aggregation,
    operator: Operator,
    limit: ThresholdLimit,
    /// The length of a window, if the threshold does not judge the whole run.
    window: Option<Duration>,
    /// Recent samples, once the metric is known.
    recent: Option<Box<Window>>,
    /// The figure when it was last judged; with windows, that of the worst one once it was crossed.
    pub observed: f64,
    /// Whether it held when it was last judged; true before. With windows, whether it held in all of them.
    pub ok: bool,
    /// Whether it was ever judged.
    pub is_judged: bool,
}

/// The thresholds of one metric or sub-metric.
#[derive(Clone, Debug)]
pub struct MetricThresholds {
    /// The metric or sub-metric.
    pub selector: MetricSelector,
    /// Its metric.
    pub metric: Metric,
    /// Its thresholds; without any it is only shown.
    pub thresholds: Vec<Threshold>,
}

/// The aggregation that a threshold compares.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Aggregation {
    Count,
    Rate,
    Value,
    Avg,
    Min,
    Max,
    Med,
    Percentile(f64),
    Passes,
    Fails,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    AtMost,
    Less,
    AtLeast,
    Greater,
    Equal,
    Unequal,
}

/// In the order in which they are searched for in the text.
const OPERATORS: [(&str, Operator); 7] = [
    ("<=", Operator::AtMost),
    ("<", Operator::Less),
    (">=", Operator::AtLeast),
    (">", Operator::Greater),
    ("===", Operator::Equal),
    ("==", Operator::Equal),
    ("!=", Operator::Unequal),
];

/// Reads all thresholds and checks them against the metrics of the run, in order of their names.
///
/// # Errors
/// k6's message, with the exit code of a wrong configuration.
pub fn check(
    defs: &ThresholdDefs,
    registry: &Registry,
    strict: bool,
    logger: &Logger,
) -> Result<Vec<MetricThresholds>, Failure> {
    let wrong = |message: String| Failure::new(ExitCode::InvalidConfig, message);
    let mut defs: Vec<_> = defs.iter().collect();
    defs.sort_by(|a, b| a.0.cmp(&b.0));
    let parse = |def: &ThresholdDef| {
        Threshold::parse(def, strict)
            .map_err(|error| wrong(error).with_hint(super::threshold_hint::hint(&def.expression)))
    };
    let parsed: Vec<Vec<Threshold>> =
        defs.iter().map(|(_, list)| list.iter().map(parse).collect()).collect::<Result<_, Failure>>()?;
    let mut watched: Vec<MetricThresholds> = Vec::new();
    for ((name, _), thresholds) in defs.into_iter().zip(parsed) {
        let selector = MetricSelector::parse(name).map_err(|error| {
            wrong(format!("unable to validate threshold expressions; reason: parsing metric name failed, {error}"))
        })?;
        let metric = registry.find(&selector.parent).ok_or_else(|| {
            let quoted = go_quote(name);
            let failure = wrong(format!("invalid threshold defined on {name}; reason: no metric name {quoted} found"));
            let names = registry.names();
            failure.with_hint(did_you_mean(&selector.parent, names.iter().map(|name| &**name)))
        })?;
        let mut thresholds = thresholds;
        for threshold in &mut thresholds {
            threshold.fits(name, &metric, strict, logger).map_err(wrong)?;
            threshold.recent =
                threshold.window.map(|length| Box::new(Window::new(length, metric.kind, metric.contains)));
        }
        warn_of_metadata(&selector, logger);
        add(&mut watched, MetricThresholds { selector, metric, thresholds });
    }
    Ok(watched)
}

/// Replaces references to a saved run by its numbers.
///
/// # Errors
/// When there is no saved run, or it doesn't have the figure.
pub fn compare(watched: &mut [MetricThresholds], baseline: Option<&Baseline>) -> Result<bool, Failure> {
    let mut is_used = false;
    for watched in watched {
        for threshold in &mut watched.thresholds {
            let ThresholdLimit::Baseline { factor, plus } = threshold.limit else { continue };
            let (name, text) = (&watched.selector.name, &threshold.def.expression);
            let wrong = |why: String| {
                Failure::new(ExitCode::InvalidConfig, format!("invalid threshold \"{text}\" on {name}; reason: {why}"))
            };
            let baseline = baseline
                .ok_or_else(|| wrong("it compares with a saved run, name one with `--baseline FILE`".to_owned()))?;
            let figure = baseline.figure(name, &threshold.aggregation.keys()).map_err(wrong)?;
            threshold.limit = ThresholdLimit::Number(figure * factor + plus);
            is_used = true;
        }
    }
    Ok(is_used)
}

/// What `--no-thresholds` keeps: the metrics and sub-metrics that were named, without their thresholds.
///
/// Expressions are not parsed; an unknown metric is a warning.
pub fn names_only(defs: &ThresholdDefs, registry: &Registry, logger: &Logger) -> Vec<MetricThresholds> {
    let mut watched = Vec::new();
    for (name, _) in defs {
        let found = MetricSelector::parse(name).and_then(|selector| {
            let metric = registry.find(&selector.parent);
            let metric = metric.ok_or_else(|| format!("metric '{}' does not exist in the script", selector.parent))?;
            Ok(MetricThresholds { selector, metric, thresholds: Vec::new() })
        });
        match found {
            Ok(found) => {
                warn_of_metadata(&found.selector, logger);
                add(&mut watched, found);
            }
            Err(error) => logger.log(
                crate::log::Level::Warning,
                format!("Invalid metric '{name}' in threshold definitions"),
                vec![("error", error.into())],
            ),
        }
    }
    watched.sort_by(|a: &MetricThresholds, b: &MetricThresholds| a.selector.name.cmp(&b.selector.name));
    watched
}

/// Spellings of a sub-metric that differ in blanks next to the braces are the same.
fn add(watched: &mut Vec<MetricThresholds>, new: MetricThresholds) {
    match watched.iter_mut().find(|old| old.selector.name == new.selector.name) {
        Some(old) => old.thresholds.extend(new.thresholds),
        None => watched.push(new),
    }
}

fn warn_of_metadata(selector: &MetricSelector, logger: &Logger) {
    let tags = selector.filter.iter().flat_map(|filter| &filter.tags);
    for (key, _) in tags.filter(|(key, _)| matches!(&**key, "vu" | "iter")) {
        let name = &selector.name;
        logger.warn(format!(
            "The high-cardinality '{key}' metric tag was made non-indexable in k6 v0.41.0, so thresholds like '{name}' \
             that are based on it won't work correctly."
        ));
    }
}

impl Threshold {
    /// Reads one threshold.
    ///
    /// # Errors
    /// k6's message, typing error included.
    pub fn parse(def: &ThresholdDef, strict: bool) -> Result<Self, String> {
        let text = &def.expression;
        let quoted = go_quote(text);
        let (left, operator, right) = OPERATORS
            .iter()
            .find_map(|(sign, operator)| text.split_once(sign).map(|(left, right)| (left, *operator, right)))
            .ok_or_else(|| {
                format!("failed parsing threshold expression {quoted}; reason: malformed threshold expression")
            })?;
        let aggregation = Aggregation::parse(left.trim(), strict).map_err(|error| {
            format!("failed parsing threshold expression's {quoted} left hand side; reason: {error}")
        })?;
        let (limit, window) = ThresholdLimit::parse(right.trim(), strict).map_err(|error| {
            format!("failed parsing threshold expresion's {quoted} right hand side; reason: {error}")
        })?;
        Ok(Self {
            def: def.clone(),
            aggregation,
            operator,
            limit,
            window,
            recent: None,
            observed: 0.0,
            ok: true,
            is_judged: false,
        })
    }

    /// Whether it judges windows and therefore has to [`observe`](Self::observe) every sample.
    pub fn has_window(&self) -> bool {
        self.recent.is_some()
    }

    /// Adds a sample to its window.
    pub fn observe(&mut self, value: f64, time: Stamp) {
        if let Some(recent) = &mut self.recent {
            recent.add(value, time);
        }
    }

    /// Adds all samples of a sink to its window, at one moment.
    pub fn observe_all(&mut self, sink: &Sink, time: Stamp) {
        if let Some(recent) = &mut self.recent {
            recent.merge(sink, time);
        }
    }

    /// Judges the windows that are complete by now, at the end of the run also the last one; whether it held in all
    /// windows so far.
    pub fn judge_windows(&mut self, now: Stamp, is_final: bool) -> bool {
        let Some(mut recent) = self.recent.take() else { return self.ok };
        recent.each_due(now, is_final, |sink, covered| {
            let Some(figure) = self.aggregation.of(sink, covered) else { return };
            let holds = self.holds(figure);
            self.is_judged = true;
            // Once crossed, the worst window is worth showing, not the latest.
            let is_worse = !holds && (self.ok || self.distance(figure) > self.distance(self.observed));
            if is_worse || (holds && self.ok) {
                self.observed = figure;
            }
            self.ok &= holds;
        });
        self.recent = Some(recent);
        self.ok
    }

    /// Keeps what is in its windows, for a merge with that of other instances.
    pub fn keep_slices(&mut self) {
        if let Some(recent) = &mut self.recent {
            recent.keep_slices();
        }
    }

    /// What was in its windows, by slice, if it has any and it was kept.
    pub fn slices(&self) -> Option<impl Iterator<Item = &(u64, Sink)>> {
        self.recent.as_ref()?.all_slices()
    }

    /// Gives it what was in its windows, by slice in the order of their numbers. It was not judged yet.
    pub fn restore_slices(&mut self, kind: MetricType, contains: Contains, slices: Vec<(u64, Sink)>) {
        if let Some(length) = self.window {
            self.recent = Some(Box::new(Window::restore(length, kind, contains, slices)));
            (self.ok, self.is_judged, self.observed) = (true, false, 0.0);
        }
    }

    fn distance(&self, figure: f64) -> f64 {
        match self.limit {
            ThresholdLimit::Number(limit) => (figure - limit).abs(),
            ThresholdLimit::Baseline { .. } => 0.0,
        }
    }

    fn holds(&self, figure: f64) -> bool {
        // `compare` has replaced it by a number.
        let ThresholdLimit::Number(limit) = self.limit else { return false };
        match self.operator {
            Operator::AtMost => figure <= limit,
            Operator::Less => figure < limit,
            Operator::AtLeast => figure >= limit,
            Operator::Greater => figure > limit,
            Operator::Equal => figure == limit,
            Operator::Unequal => figure != limit,
        }
    }

    /// Judges a sink after this much run time; whether it holds. A rate without samples always holds.
    pub fn judge(&mut self, sink: &Sink, elapsed: Duration) -> bool {
        self.is_judged = true;
        if let Some(figure) = self.aggregation.of(sink, elapsed) {
            self.observed = figure;
            let holds = self.holds(figure);
            self.ok = holds || (matches!(sink, Sink::Rate(_)) && sink.is_empty());
        }
        self.ok
    }

    /// Whether it asks to end the run: crossed, meant to abort, and its delay is over.
    pub fn wants_abort(&self, elapsed: Duration) -> bool {
        let due = self.def.delay_abort_eval.is_none_or(|delay| Span::from(elapsed) > delay);
        !self.ok && self.def.abort_on_fail && due
    }

    /// The comparison, the number if it is known, and the window if there is one.
    pub fn wanted(&self) -> (&'static str, Option<f64>, Option<Duration>) {
        let sign = OPERATORS.iter().find(|(_, operator)| *operator == self.operator).map_or("", |(sign, _)| sign);
        let limit = match self.limit {
            ThresholdLimit::Number(limit) => Some(limit),
            ThresholdLimit::Baseline { .. } => None,
        };
        (sign, limit, self.window)
    }

    /// Whether the figure is a count, not a share or a rate per second.
    pub fn is_count(&self) -> bool {
        matches!(self.aggregation, Aggregation::Count | Aggregation::Passes | Aggregation::Fails)
    }

    fn fits(&self, name: &str, metric: &Metric, strict: bool, logger: &Logger) -> Result<(), String> {
        let supported = self.aggregation.supported_by(metric.kind);
        if !supported && (strict || !self.aggregation.is_extra_on(metric.kind)) {
            return Err(format!(
                "invalid threshold {} applied on metric {name}; reason: unsupported aggregation method {} on metric of \
                 type {}. supported aggregation methods for this metric are: {}",
                go_quote(&self.def.expression),
                self.aggregation.word(),
                metric.kind.word(),
                Aggregation::supported_words(metric.kind),
            ));
        }
        let typed = self.def.expression.trim();
        if !supported {
            let word = self.aggregation.word();
            logger.warn(format!(
                "threshold `{typed}` on `{name}`: k6 does not know `{word}` of a rate; \
                 portable is `rate` of it, or `count` of a Counter"
            ));
        } else if let Aggregation::Percentile(percent) = self.aggregation
            && !typed.starts_with("p(")
            && !typed[1..].trim_start().starts_with(['<', '>', '=', '!'])
        {
            let rest = &typed[typed.find(['<', '>', '=', '!']).unwrap_or(typed.len())..];
            logger.warn(format!(
                "threshold `{typed}` on `{name}`: portable is `p({percent}){rest}`, k6 refuses this form"
            ));
        }
        Ok(())
    }
}

impl Aggregation {
    fn parse(word: &str, strict: bool) -> Result<Self, &'static str> {
        const MALFORMED: &str = "malformed percentile value, provide a number between 0 and 100";
        let percentile = |text: &str| {
            let number = text.parse().ok().filter(|percent| (0.0..=100.0).contains(percent));
            number.map(Self::Percentile).ok_or(MALFORMED)
        };
        match word {
            "count" => Ok(Self::Count),
            "rate" => Ok(Self::Rate),
            "value" => Ok(Self::Value),
            "avg" => Ok(Self::Avg),
            "min" => Ok(Self::Min),
            "max" => Ok(Self::Max),
            "med" => Ok(Self::Med),
            // k6 reads a lone `p` as the minimum.
            "p" => Ok(Self::Percentile(0.0)),
            "passes" if !strict => Ok(Self::Passes),
            "fails" if !strict => Ok(Self::Fails),
            _ => {
                if let Some(inner) = word.strip_prefix("p(").and_then(|rest| rest.strip_suffix(')')) {
                    return percentile(inner);
                }
                match word.strip_prefix('p') {
                    Some(number) if !strict && number.starts_with(|c: char| c.is_ascii_digit()) => percentile(number),
                    _ => Err("failed parsing method from expression"),
                }
            }
        }
    }

    /// The figure of a sink, if it has one.
    fn of(self, sink: &Sink, elapsed: Duration) -> Option<f64> {
        match (sink, self) {
            (Sink::Counter(counter), Self::Count) => Some(counter.count()),
            (Sink::Counter(counter), Self::Rate) => {
                (!elapsed.is_zero()).then(|| counter.count() / elapsed.as_secs_f64())
            }
            (Sink::Gauge(gauge), Self::Value) => Some(gauge.value),
            (Sink::Rate(rate), Self::Rate) => Some(rate.rate()),
            (Sink::Rate(rate), Self::Count | Self::Passes) => Some(rate.passes as f64),
            (Sink::Rate(rate), Self::Fails) => Some(rate.fails as f64),
            (Sink::Trend(trend), Self::Avg) => Some(trend.avg()),
            (Sink::Trend(trend), Self::Min) => Some(trend.min()),
            (Sink::Trend(trend), Self::Max) => Some(trend.max()),
            (Sink::Trend(trend), Self::Med) => Some(trend.percentile(50.0)),
            (Sink::Trend(trend), Self::Percentile(percent)) => Some(trend.percentile(percent)),
            _ => None,
        }
    }

    fn supported_by(self, kind: MetricType) -> bool {
        match kind {
            MetricType::Counter => matches!(self, Self::Count | Self::Rate),
            MetricType::Gauge => self == Self::Value,
            MetricType::Rate => self == Self::Rate,
            MetricType::Trend => {
                matches!(self, Self::Avg | Self::Min | Self::Max | Self::Med | Self::Percentile(_))
            }
        }
    }

    fn supported_words(kind: MetricType) -> &'static str {
        match kind {
            MetricType::Counter => "count, rate",
            MetricType::Gauge => "value",
            MetricType::Rate => "rate",
            MetricType::Trend => "avg, min, max, med, p",
        }
    }

    fn is_extra_on(self, kind: MetricType) -> bool {
        kind == MetricType::Rate && matches!(self, Self::Count | Self::Passes | Self::Fails)
    }

    /// The names of the figure in summaries, the usual one first.
    fn keys(self) -> Vec<String> {
        let known = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        match self {
            Self::Rate => known(&["rate", "value"]),
            Self::Avg => known(&["avg", "mean"]),
            Self::Med => known(&["med", "p(50)", "p50"]),
            Self::Passes => known(&["passes", "matches"]),
            Self::Percentile(percent) => vec![format!("p({percent})"), format!("p{percent}")],
            _ => known(&[self.word()]),
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Rate => "rate",
            Self::Value => "value",
            Self::Avg => "avg",
            Self::Min => "min",
            Self::Max => "max",
            Self::Med => "med",
            Self::Percentile(_) => "p",
            Self::Passes => "passes",
            Self::Fails => "fails",
        }
    }
}

/// The result of judging all thresholds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ThresholdVerdict {
    /// The metrics with at least one crossed threshold, sorted by name.
    pub crossed: Vec<Arc<str>>,
    /// Whether the run should end now; never set at the end of the run.
    pub abort: bool,
}

impl ThresholdVerdict {
    /// The failure of the run, if a threshold was crossed.
    pub fn failure(&self) -> Option<Failure> {
        let names = self.crossed.join(", ");
        let message = match (self.crossed.is_empty(), self.abort) {
            (true, _) => return None,
            (false, false) => format!("thresholds on metrics '{names}' have been crossed"),
            (false, true) => format!(
                "thresholds on metrics '{names}' were crossed; at least one has abortOnFail enabled, stopping test \
                 prematurely"
            ),
        };
        Some(Failure::new(ExitCode::ThresholdsCrossed, message))
    }
}

#[cfg(test)]
#[path = "threshold_tests.rs"]
mod tests;
