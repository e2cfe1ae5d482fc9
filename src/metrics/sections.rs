//! Numbers of their own for scenarios and groups, which `--summary-mode=full` shows.

use std::sync::Arc;
use std::time::Duration;

use super::builtin;
use super::groups::GroupTree;
use super::metric::Metric;
use super::metric_state::{AnsweredTimes, MetricState, plain_result};
use super::record::Stamp;
use super::results::{MetricResult, Section};
use super::sink::Sink;
use super::tags::TagSet;

/// All sections, by number.
#[derive(Debug, Default)]
pub(super) struct Sections(Vec<SectionState>);

/// The state of a scenario (`path` empty) or of a group in it; `scenario` is empty outside named ones.
#[derive(Debug)]
struct SectionState {
    scenario: Arc<str>,
    path: Arc<str>,
    /// By metric, each with the times of answered requests beside it.
    sinks: Vec<Option<(Sink, AnsweredTimes)>>,
    checks: GroupTree,
}

impl Sections {
    /// The number of the section of a scenario or group; it is made if it is new.
    pub(super) fn place(&mut self, scenario: &str, path: &str) -> u32 {
        let known = self.0.iter().position(|known| &*known.scenario == scenario && &*known.path == path);
        let place = known.unwrap_or_else(|| {
            let (scenario, path) = (scenario.into(), path.into());
            self.0.push(SectionState { scenario, path, sinks: Vec::new(), checks: GroupTree::new() });
            self.0.len() - 1
        });
        place as u32
    }

    /// Adds a sample to the section of this number; `has_answer` is given for times of requests only.
    pub(super) fn add(
        &mut self,
        section: u32,
        metric: &Metric,
        value: f64,
        time: Stamp,
        tags: &TagSet,
        has_answer: Option<bool>,
    ) {
        self.0[section as usize].add(metric, value, time, tags, has_answer);
    }

    /// Sorts the values of all trends.
    pub(super) fn sort(&mut self) {
        self.0.iter_mut().flat_map(|section| &mut section.sinks).flatten().for_each(|(sink, _)| sink.sort());
    }

    /// Groups outside named scenarios as a tree, and scenarios sorted by name, each with its groups.
    pub(super) fn arrange(&self, metrics: &[MetricState], duration: Duration) -> (Vec<Section>, Vec<Section>) {
        let mut groups = Section::default();
        let mut scenarios: Vec<Section> = Vec::new();
        for state in &self.0 {
            let around = if state.scenario.is_empty() {
                &mut groups
            } else {
                let known = scenarios.iter().position(|known| known.name == state.scenario);
                let place = known.unwrap_or_else(|| {
                    scenarios.push(Section { name: state.scenario.clone(), ..Section::default() });
                    scenarios.len() - 1
                });
                &mut scenarios[place]
            };
            let section = around.inner(&state.path);
            section.checks = state.checks.flat();
            let sinks = state.sinks.iter().zip(metrics);
            let results = sinks.filter_map(|(kept, known)| {
                let (sink, answered) = kept.as_ref()?;
                Some(MetricResult { answered: answered.kept(), ..plain_result(&known.metric, sink, duration) })
            });
            section.metrics = results.collect();
            section.metrics.sort_by(|a, b| a.name.cmp(&b.name));
        }
        scenarios.sort_by(|a, b| a.name.cmp(&b.name));
        (groups.groups, scenarios)
    }
}

impl SectionState {
    fn add(&mut self, metric: &Metric, value: f64, time: Stamp, tags: &TagSet, has_answer: Option<bool>) {
        let place = usize::from(metric.id.0);
        if place >= self.sinks.len() {
            self.sinks.resize(place + 1, None);
        }
        let empty = || (Sink::new(metric.kind, metric.contains), AnsweredTimes::default());
        let (sink, answered) = self.sinks[place].get_or_insert_with(empty);
        if let Some(has_answer) = has_answer {
            answered.observe(sink, value, has_answer);
        }
        sink.add(value, time);
        if metric.id == builtin::CHECKS
            && let Some(name) = tags.get("check")
        {
            let check = self.checks.check("", name);
            self.checks.count(check, value != 0.0);
        }
    }
}

impl Section {
    /// The section at this path (`::a::b`) inside this one; made with all sections around it if it is new.
    fn inner(&mut self, path: &str) -> &mut Self {
        let mut section = self;
        for name in path.split("::").filter(|name| !name.is_empty()) {
            let known = section.groups.iter().position(|group| &*group.name == name);
            let place = known.unwrap_or_else(|| {
                section.groups.push(Self { name: name.into(), ..Self::default() });
                section.groups.len() - 1
            });
            section = &mut section.groups[place];
        }
        section
    }
}
