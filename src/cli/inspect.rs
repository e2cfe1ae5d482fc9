//! `inspect`: a script's options as JSON, indented by two, in k6's order, without a line end.

use clap::Args;
use serde_json::{Map, Value, json};

use super::args::{OptionArgs, RuntimeArgs, ScenarioArgs, ScriptArgs, Switch, is_on};
use super::commands::{Command, CommandContext};
use super::instance::InstanceArgs;
use super::script::ScriptSettings;
use super::usage::refuse;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::metrics::Metric;
use crate::options::{Layers, Options, ResolvedOptions, ScenarioSelection};
use crate::run::evaluate;
use crate::units::Span;

/// Print a script's options as JSON
#[derive(Clone, Debug, Default, Args)]
pub(super) struct InspectArgs {
    #[command(flatten)]
    script: ScriptArgs,
    #[command(flatten)]
    runtime: RuntimeArgs,
    #[command(flatten)]
    scenarios: ScenarioArgs,
    #[command(flatten)]
    instance: InstanceArgs,
    /// Resolve all options and add the longest duration and the most VUs
    #[arg(long)]
    execution_requirements: Option<Switch>,
    /// Add what criteria of a procedure may be about: the metrics that the script declares
    #[arg(long, hide = true)]
    declared_metrics: Option<Switch>,
}

impl Command for InspectArgs {
    fn run(self, context: CommandContext) -> Result<ExitCode, Failure> {
        let is_resolved = is_on(self.execution_requirements);
        let selection = self.selection(context.global.strict)?;
        let mut settings = ScriptSettings::without_flags(&self.script, &self.runtime, is_resolved, &context)?;
        settings.layers.selection = selection;
        self.share(is_resolved, &mut settings.layers, &context)?;
        let no_thresholds = settings.runtime.no_thresholds;
        let script = evaluate(settings.load(&context.log)?)?;
        if is_resolved {
            let resolved = script.resolve_options()?;
            if !no_thresholds {
                script.check_thresholds(&resolved)?;
            }
            script.check_tls(&resolved.options)?;
            let metrics = is_on(self.declared_metrics).then(|| script.declared_metrics());
            return context.print(&with_requirements(&resolved, metrics.as_deref()));
        }
        let options = script.own_options()?;
        script.check_tls(&options)?;
        context.print(&plain(&options))
    }
}

impl InspectArgs {
    /// Which instance's share is resolved; a script's own options have none.
    fn share(&self, is_resolved: bool, layers: &mut Layers, context: &CommandContext) -> Result<(), Failure> {
        let strict = context.global.strict;
        match self.instance.first_flag() {
            Some(flag) if !is_resolved && !strict => Err(Failure::new(
                ExitCode::InvalidConfig,
                format!(
                    "`{flag}` needs `--execution-requirements` here: a script's own options are those of all instances"
                ),
            )),
            None if !is_resolved => Ok(()),
            _ => self.instance.apply(layers, &OptionArgs::default(), &context.env, strict),
        }
    }

    /// Which scenarios are shown. k6 chooses only where it runs or archives.
    fn selection(&self, strict: bool) -> Result<ScenarioSelection, Failure> {
        let given = [("--scenario", !self.scenarios.scenario.is_empty()), ("--once", self.scenarios.once.is_some())];
        match given.into_iter().find(|(_, was_given)| strict && *was_given) {
            Some((flag, _)) => Err(refuse(format!("unknown flag: {flag}"))),
            None => self.scenarios.selection(&OptionArgs::default(), &[]),
        }
    }
}

/// The script's own options, nothing derived.
pub(super) fn plain(script: &Options) -> String {
    text(script.to_json())
}

/// All options resolved, with the longest duration and the most VUs of this share, and with metrics if there are any to
/// tell.
fn with_requirements(settled: &ResolvedOptions, metrics: Option<&[Metric]>) -> String {
    let mut map = settled.options.with_defaults().to_json();
    map.insert("totalDuration".to_owned(), Span::from(settled.plan.max_duration()).to_string().into());
    map.insert("maxVUs".to_owned(), json!(settled.plan.max_vus()));
    if let Some(metrics) = metrics {
        let metric = |metric: &Metric| json!({"name": &*metric.name, "type": metric.kind.word()});
        map.insert("metrics".to_owned(), metrics.iter().map(metric).collect());
    }
    text(map)
}

fn text(map: Map<String, Value>) -> String {
    let text = serde_json::to_string_pretty(&Value::Object(map)).unwrap_or_default();
    // As k6's JSON library does it, so that the text may stand in a web page. These signs occur in strings only.
    let mut escaped = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '<' => escaped.push_str("\\u003c"),
            '>' => escaped.push_str("\\u003e"),
            '&' => escaped.push_str("\\u0026"),
            '\u{2028}' => escaped.push_str("\\u2028"),
            '\u{2029}' => escaped.push_str("\\u2029"),
            sign => escaped.push(sign),
        }
    }
    escaped
}
