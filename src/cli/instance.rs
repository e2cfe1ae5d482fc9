//! Which of several instances this is: by number, or by what Kubernetes and GitLab tell each of their jobs.

use clap::Args;

use super::args::OptionArgs;
use super::runtime::Environment;
use super::usage::refuse;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::options::{Instance, Layers};
use crate::units::redact::redact_to_host;

/// Flags that say which of several instances this is.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Options of the test")]
pub struct InstanceArgs {
    /// Run an equal share of the test, as one of several instances: 3/8 is the third of eight
    #[arg(long, value_name = "NUMBER/COUNT")]
    instance: Vec<String>,
    /// How many instances there are; which one this is tells JOB_COMPLETION_INDEX (Kubernetes) or CI_NODE_INDEX (GitLab)
    #[arg(long, value_name = "COUNT")]
    instances: Vec<String>,
}

/// An instance, and what said so.
struct InstanceSource {
    text: String,
    instance: Instance,
}

impl InstanceArgs {
    /// The first flag that was given.
    pub fn first_flag(&self) -> Option<&'static str> {
        [("--instance", &self.instance), ("--instances", &self.instances)]
            .into_iter()
            .find_map(|(flag, values)| (!values.is_empty()).then_some(flag))
    }

    /// Puts this instance's share over the options of `layers`, which are complete otherwise.
    ///
    /// # Errors
    /// What is no instance, or says something else than other flags or variables do: code 104.
    pub fn apply(
        &self,
        layers: &mut Layers,
        options: &OptionArgs,
        env: &Environment,
        strict: bool,
    ) -> Result<(), Failure> {
        if let Some(flag) = self.first_flag().filter(|_| strict) {
            return Err(refuse(format!("unknown flag: {flag}")));
        }
        let Some(InstanceSource { text, instance }) = self.source(env)? else { return Ok(()) };
        if layers.selection.once {
            return Err(invalid(format!("--once cannot be combined with {text}")));
        }
        let segment = [
            ("--execution-segment", options.execution_segment.is_some()),
            ("--execution-segment-sequence", options.execution_segment_sequence.is_some()),
        ];
        if let Some((flag, _)) = segment.iter().find(|(_, was_given)| *was_given) {
            return Err(invalid(format!(
                "`{text}` and `{flag}` both say which part of the test runs here: leave one out"
            )));
        }
        instance.set(&mut layers.cli);
        layers.instance = Some(instance);
        Ok(())
    }

    fn source(&self, env: &Environment) -> Result<Option<InstanceSource>, Failure> {
        let mut sources = Vec::new();
        if let Some((text, value)) = given("--instance", one("--instance", &self.instance)?, "VOLLEY_INSTANCE", env) {
            let instance = Instance::parse(&value).map_err(|why| invalid(format!("`{text}`: {why}")))?;
            sources.push(InstanceSource { text, instance });
        }
        if let Some((text, value)) = given("--instances", one("--instances", &self.instances)?, "VOLLEY_INSTANCES", env)
        {
            let count =
                whole(&value).ok_or_else(|| invalid(format!("`{text}`: how many instances is a whole number")))?;
            Instance::new(0, count).map_err(|why| invalid(format!("`{text}`: {why}")))?;
            let is_named = !sources.is_empty();
            sources.extend(from_scheduler(count, &text, env)?);
            match sources.first() {
                None => {
                    return Err(invalid(format!(
                        "`{text}` doesn't say which of them this is: neither JOB_COMPLETION_INDEX nor CI_NODE_INDEX is \
                         set; `--instance 1/{count}` says it"
                    )));
                }
                Some(named) if is_named && named.instance.of != count => {
                    return Err(invalid(format!("`{}` and `{text}` disagree: leave one out", named.text)));
                }
                Some(_) => {}
            }
        }
        let mut sources = sources.into_iter();
        let Some(first) = sources.next() else { return Ok(None) };
        match sources.find(|other| other.instance != first.instance) {
            Some(other) => Err(invalid(format!(
                "`{}` and `{}` disagree: the one is instance {}, the other {}",
                first.text, other.text, first.instance, other.instance
            ))),
            None => Ok(Some(first)),
        }
    }
}

fn invalid(message: String) -> Failure {
    Failure::new(ExitCode::InvalidConfig, message)
}

fn whole(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// The value of a flag. Of others the last one counts, as in k6; of one that says which instance this is there can't be two.
///
/// # Errors
/// It was given twice, with different values.
pub(super) fn one<'v>(flag: &str, values: &'v [String]) -> Result<Option<&'v String>, Failure> {
    let first = values.first();
    match values.iter().find(|value| Some(*value) != first) {
        Some(other) => {
            let first = first.map(|first| redact_to_host(first)).unwrap_or_default();
            let other = redact_to_host(other);
            Err(invalid(format!("`{flag} {first}` and `{flag} {other}` disagree: leave one out")))
        }
        None => Ok(first),
    }
}

/// What a flag says, or else a variable that is not empty: as typed, and its value.
fn given(flag: &str, value: Option<&String>, variable: &str, env: &Environment) -> Option<(String, String)> {
    if let Some(value) = value {
        return Some((format!("{flag} {value}"), value.clone()));
    }
    let value = env.get(variable).filter(|value| !value.is_empty())?;
    Some((format!("{variable}={value}"), value.clone()))
}

/// What Kubernetes (an Indexed Job, from 0) and GitLab (`parallel`, from 1) say.
fn from_scheduler(count: u64, text: &str, env: &Environment) -> Result<Vec<InstanceSource>, Failure> {
    let mut sources = Vec::new();
    for (variable, first) in [("JOB_COMPLETION_INDEX", 0), ("CI_NODE_INDEX", 1)] {
        let Some(value) = env.get(variable).filter(|value| !value.is_empty()) else { continue };
        let instance = whole(value)
            .and_then(|number| number.checked_sub(first))
            .and_then(|index| Instance::new(index, count).ok())
            .ok_or_else(|| {
                let last = count - 1 + first;
                invalid(format!(
                    "`{variable}={value}` is none of {count} instances (`{text}`): they are {first} to {last}"
                ))
            })?;
        sources.push(InstanceSource { text: format!("{variable}={value}"), instance });
        let total = env.get("CI_NODE_TOTAL").filter(|total| variable == "CI_NODE_INDEX" && !total.is_empty());
        if let Some(total) = total.filter(|total| whole(total) != Some(count)) {
            return Err(invalid(format!("`{text}` and `CI_NODE_TOTAL={total}` disagree")));
        }
    }
    Ok(sources)
}
