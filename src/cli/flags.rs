//! Flags as the highest layer of options.

use super::args::{OptionArgs, ScenarioArgs, Switch, is_on};
use super::run::RunArgs;
use super::usage::{bad_value, refuse};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::metrics::SystemTags;
use crate::options::{
    Cidr, Compat, DnsOptions, HostPattern, LocalIps, Options, ScenarioSelection, Segment, SegmentSequence, Stage,
    derive, text,
};
use crate::units::Span;

impl OptionArgs {
    /// The layer these flags make.
    ///
    /// # Errors
    /// An invalid value, in k6's words; code 255.
    pub fn options(&self, notes: &mut Compat) -> Result<Options, Failure> {
        let on = |switch: Option<Switch>| switch.map(|switch| switch.0);
        Ok(Options {
            vus: whole("-u, --vus", &self.vus)?,
            duration: time("-d, --duration", &self.duration, notes)?,
            iterations: whole("-i, --iterations", &self.iterations)?,
            stages: stages(&self.stage, notes)?,
            execution_segment: parsed("--execution-segment", &self.execution_segment, Segment::parse)?,
            execution_segment_sequence: parsed(
                "--execution-segment-sequence",
                &self.execution_segment_sequence,
                SegmentSequence::parse,
            )?,
            paused: on(self.paused),
            no_setup: on(self.no_setup),
            no_teardown: on(self.no_teardown),
            max_redirects: whole("--max-redirects", &self.max_redirects)?,
            batch: whole("--batch", &self.batch)?,
            batch_per_host: whole("--batch-per-host", &self.batch_per_host)?,
            rps: whole("--rps", &self.rps)?,
            user_agent: self.user_agent.clone(),
            http_debug: self.http_debug.clone(),
            insecure_skip_tls_verify: on(self.insecure_skip_tls_verify),
            no_connection_reuse: on(self.no_connection_reuse),
            no_vu_connection_reuse: on(self.no_vu_connection_reuse),
            min_iteration_duration: time("--min-iteration-duration", &self.min_iteration_duration, notes)?,
            throw: on(self.throw),
            blacklist_ips: given(&self.blacklist_ip, |item| {
                Cidr::parse(item).map_err(|error| format!("error parsing blacklist-ip '{item}': {error}"))
            })?,
            block_hostnames: given(&self.block_hostnames, HostPattern::parse)?,
            summary_trend_stats: given(&self.summary_trend_stats, |item| {
                derive::check_trend_stat(item).map(|()| item.to_owned())
            })?,
            summary_time_unit: self.summary_time_unit.clone().map(time_unit).transpose()?,
            system_tags: (!self.system_tags.is_empty()).then(|| SystemTags::parse(items(&self.system_tags))),
            tags: tags(&self.tag)?,
            console_output: self.console_output.clone().filter(|path| !path.is_empty()),
            discard_response_bodies: on(self.discard_response_bodies),
            local_ips: self.local_ips.as_deref().map(LocalIps::parse).transpose().map_err(refuse)?,
            dns: self.dns.as_deref().map(dns).transpose()?,
            ..Options::default()
        })
    }
}

impl ScenarioArgs {
    /// What these flags ask for. Flags that say how much runs can't be combined with them, whatever their value; `own` are
    /// such flags that k6 doesn't have, and whether each was given.
    ///
    /// # Errors
    /// No name at all, or a flag that can't be combined; code 104.
    pub fn selection(&self, options: &OptionArgs, own: &[(&'static str, bool)]) -> Result<ScenarioSelection, Failure> {
        let names: Vec<String> = list_items(&self.scenario).map(str::to_owned).collect();
        let (is_selective, once) = (!self.scenario.is_empty(), is_on(self.once));
        if is_selective && names.is_empty() {
            return Err(Failure::new(ExitCode::InvalidConfig, "--scenario requires at least one scenario name"));
        }
        let load = [
            ("--vus", options.vus.is_some()),
            ("--duration", options.duration.is_some()),
            ("--iterations", options.iterations.is_some()),
            ("--stage", !options.stage.is_empty()),
        ];
        let segment = [
            ("--execution-segment", options.execution_segment.is_some()),
            ("--execution-segment-sequence", options.execution_segment_sequence.is_some()),
        ];
        if is_selective {
            alone("--scenario", load.iter().chain(own))?;
        }
        if once {
            alone("--once", load.iter().chain(&segment).chain(own))?;
        }
        Ok(ScenarioSelection { names: is_selective.then_some(names), once })
    }
}

/// Refuses the first of these flags that was given.
fn alone<'a>(flag: &str, others: impl IntoIterator<Item = &'a (&'static str, bool)>) -> Result<(), Failure> {
    match others.into_iter().find(|(_, was_given)| *was_given) {
        Some((other, _)) => {
            Err(Failure::new(ExitCode::InvalidConfig, format!("{flag} cannot be combined with {other}")))
        }
        None => Ok(()),
    }
}

fn whole(flag: &str, value: &Option<String>) -> Result<Option<i64>, Failure> {
    parsed(flag, value, text::parse_int)
}

fn time(flag: &str, value: &Option<String>, notes: &mut Compat) -> Result<Option<Span>, Failure> {
    parsed(flag, value, |value| text::parse_span(value, notes))
}

fn parsed<T>(
    flag: &str,
    value: &Option<String>,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Result<Option<T>, Failure> {
    let read = |value: &String| parse(value).map_err(|error| bad_value(flag, value, error));
    value.as_ref().map(read).transpose()
}

/// The items of a flag that may be repeated and holds commas.
fn items(values: &[String]) -> impl Iterator<Item = &str> {
    values.iter().flat_map(|value| value.split(',')).filter(|item| !item.is_empty())
}

/// The items of a list as k6 reads it: an empty text holds none; an empty item among others is one, and has to make sense.
fn list_items(values: &[String]) -> impl Iterator<Item = &str> {
    filled(values).flat_map(|value| value.split(','))
}

fn filled(values: &[String]) -> impl Iterator<Item = &str> {
    values.iter().map(String::as_str).filter(|value| !value.is_empty())
}

fn given<T>(values: &[String], parse: impl Fn(&str) -> Result<T, String>) -> Result<Option<Vec<T>>, Failure> {
    if values.is_empty() {
        return Ok(None);
    }
    list_items(values).map(parse).collect::<Result<_, _>>().map(Some).map_err(refuse)
}

fn stages(values: &[String], notes: &mut Compat) -> Result<Option<Vec<Stage>>, Failure> {
    if values.is_empty() {
        return Ok(None);
    }
    Stage::parse_flags(filled(values), notes).map(Some).map_err(refuse)
}

fn time_unit(unit: String) -> Result<String, Failure> {
    match unit.as_str() {
        "" | "s" | "ms" | "us" => Ok(unit),
        _ => Err(refuse(format!("invalid summary time unit '{unit}', use 's', 'ms' or 'us'"))),
    }
}

fn tags(values: &[String]) -> Result<Option<std::collections::BTreeMap<String, String>>, Failure> {
    let read = |tag: &String| {
        let refused = |what: &str| refuse(format!("error parsing tag '{tag}': invalid tag, empty {what}"));
        match tag.split_once('=') {
            _ if tag.is_empty() => Err(refused("string")),
            Some(("", _)) => Err(refused("name")),
            Some((_, "")) | None => Err(refused("value")),
            Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        }
    };
    if values.is_empty() { Ok(None) } else { values.iter().map(read).collect::<Result<_, _>>().map(Some) }
}

fn dns(text: &str) -> Result<DnsOptions, Failure> {
    let dns = DnsOptions::parse(text).map_err(refuse)?;
    dns.ttl().map_err(refuse)?;
    Ok(dns)
}

impl RunArgs {
    /// Turns `--ramp-up` and `--ramp-down` into stages: up to the VUs, on at them, down to none, all within the
    /// duration. `lower` is the environment's layer, which may hold the VUs and the duration.
    ///
    /// # Errors
    /// Code 255 where k6 is to be followed, 104 where the times don't fit together.
    pub fn ramp(&self, mut options: Options, lower: &Options, notes: &mut Compat) -> Result<Options, Failure> {
        let flags = [("--ramp-up", &self.ramp_up), ("--ramp-down", &self.ramp_down)];
        let Some((first, _)) = flags.iter().find(|(_, value)| value.is_some()) else { return Ok(options) };
        if notes.strict {
            return Err(refuse(format!("unknown flag: {first}")));
        }
        let up = time("--ramp-up", &self.ramp_up, notes)?.unwrap_or(Span::ZERO);
        let down = time("--ramp-down", &self.ramp_down, notes)?.unwrap_or(Span::ZERO);
        let invalid = |message: String| Failure::new(ExitCode::InvalidConfig, message);
        if options.iterations.is_some() || options.stages.is_some() {
            return Err(invalid(format!("`{first}` can't be used together with `--iterations` or `--stage`")));
        }
        let vus = options.vus.or(lower.vus);
        let duration = options.duration.take().or(lower.duration);
        let (Some(vus), Some(duration)) = (vus, duration) else {
            return Err(invalid(format!("`{first}` needs `--vus` and `--duration`")));
        };
        let hold = duration.as_nanos().checked_sub(up.as_nanos()).and_then(|rest| rest.checked_sub(down.as_nanos()));
        let hold = hold.filter(|hold| *hold >= 0 && up >= Span::ZERO && down >= Span::ZERO);
        let Some(hold) = hold.map(Span::from_nanos) else {
            return Err(invalid(format!("ramp-up {up} and ramp-down {down} don't fit into the duration {duration}")));
        };
        let mut stages = Vec::new();
        for (span, target) in [(up, vus), (hold, vus), (down, 0)] {
            if span > Span::ZERO {
                stages.push(Stage::new(span, target));
            }
        }
        let portable: String = stages
            .iter()
            .map(|stage| {
                let (span, target) = (stage.duration.unwrap_or_default(), stage.target.unwrap_or_default());
                format!(" --stage {span}:{target}")
            })
            .collect();
        // Without a ramp-up all VUs are there from the start.
        let start = if up > Span::ZERO { 0 } else { vus };
        notes.warn(format!(
            "`--ramp-up` and `--ramp-down` are read as stages; k6 doesn't know them, write `--vus {start}{portable}`"
        ));
        options.vus = Some(start);
        options.stages = Some(stages);
        Ok(options)
    }
}
