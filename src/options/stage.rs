//! A stage: a target to be reached, in a straight line, over a duration.

use serde_json::{Value, json};

use super::Compat;
use super::value::{OptionValue, array, list, parse_int, parse_span, parse_span_or_millis, unknown_field, wrong_kind};
use crate::failure::Failure;
use crate::units::Span;
use crate::units::nearest::nearest;

/// A stage as typed; either half may be missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stage {
    /// How long.
    pub duration: Option<Span>,
    /// VUs or rate at its end.
    pub target: Option<i64>,
}

impl Stage {
    /// A complete stage.
    pub const fn new(duration: Span, target: i64) -> Self {
        Self { duration: Some(duration), target: Some(target) }
    }

    /// Reads one item of `--stage` or `K6_STAGES`: `duration:target`. A target such as `5u` is read with a note.
    ///
    /// # Errors
    /// The words of the half that can't be read.
    pub fn parse(text: &str, bare_millis: bool, compat: &mut Compat) -> Result<Self, String> {
        let (duration, target) = match text.split_once(':') {
            Some((duration, target)) => (duration, Some(target)),
            None => (text, None),
        };
        let duration = match duration {
            "" => None,
            text if bare_millis => Some(parse_span_or_millis(text, compat)?),
            text => Some(parse_span(text, compat)?),
        };
        let target = match target {
            None | Some("") => None,
            Some(text) => Some(parse_target(text, compat)?),
        };
        Ok(Self { duration, target })
    }

    /// Reads the values of `--stage`, each a comma-separated list.
    ///
    /// # Errors
    /// `error for stage 0: …` or `stage 0 doesn't have a specified duration`.
    pub fn parse_flags<'a>(
        values: impl IntoIterator<Item = &'a str>,
        compat: &mut Compat,
    ) -> Result<Vec<Self>, String> {
        let mut stages = Vec::new();
        for (at, text) in values.into_iter().flat_map(|value| value.split(',')).enumerate() {
            let stage = Self::parse(text, false, compat).map_err(|error| format!("error for stage {at}: {error}"))?;
            if stage.duration.is_none() {
                return Err(format!("stage {at} doesn't have a specified duration"));
            }
            stages.push(stage);
        }
        Ok(stages)
    }

    /// Reads a JSON stage; `strict_keys` refuses keys it doesn't know, as scenarios do.
    pub(super) fn from_json(value: &Value, key: &str, strict_keys: bool, compat: &mut Compat) -> Result<Self, Failure> {
        let object = value.as_object().ok_or_else(|| wrong_kind(value, key, "lib.Stage"))?;
        let mut stage = Self::default();
        for (name, item) in object {
            let known = |of: &str| name.eq_ignore_ascii_case(of);
            if known("duration") {
                stage.duration = if item.is_null() { None } else { Some(Span::from_json(item, "duration", compat)?) };
            } else if known("target") {
                stage.target = if item.is_null() { None } else { Some(i64::from_json(item, "target", compat)?) };
            } else if strict_keys {
                return Err(unknown_field(name, ["duration", "target"]));
            } else if let Some(near) = nearest(name, ["duration", "target"]) {
                compat.warn(format!("`{key}`: a stage has no `{name}`, did you mean `{near}`?"));
            }
        }
        Ok(stage)
    }

    pub(super) fn json(&self) -> Value {
        json!({"duration": self.duration.map(|span| span.to_string()), "target": self.target})
    }
}

fn parse_target(text: &str, compat: &mut Compat) -> Result<i64, String> {
    parse_int(text).or_else(|refused| match text.strip_suffix('u').map(parse_int) {
        Some(Ok(target)) if !compat.strict => {
            compat.warn_unportable(
                "stage target",
                format!("stage target `{text}` is read as `{target}`; k6 takes a bare number, write `{target}`"),
            );
            Ok(target)
        }
        _ => Err(refused),
    })
}

impl OptionValue for Vec<Stage> {
    const GO_TYPE: &'static str = "[]lib.Stage";

    fn from_json(value: &Value, key: &str, compat: &mut Compat) -> Result<Self, Failure> {
        array(value, key, Self::GO_TYPE)?.iter().map(|item| Stage::from_json(item, key, false, compat)).collect()
    }

    fn from_env(text: &str, compat: &mut Compat) -> Result<Option<Self>, String> {
        if text.is_empty() {
            return Ok(None);
        }
        list(text).map(|item| Stage::parse(item, true, compat)).collect::<Result<_, _>>().map(Some)
    }

    fn to_json(&self) -> Value {
        self.iter().map(Stage::json).collect()
    }

    /// Stages without a duration are lost on the way up, as in k6.
    fn over(self, _lower: Option<Self>) -> Option<Self> {
        Some(self.into_iter().filter(|stage| stage.duration.is_some()).collect())
    }
}

/// Reads the stages of a scenario.
pub(super) fn scenario_stages(value: &Value, key: &str, compat: &mut Compat) -> Result<Vec<Stage>, Failure> {
    array(value, key, "[]executor.Stage")?.iter().map(|item| Stage::from_json(item, key, true, compat)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_read_as_typed() {
        let check = |text: &str, strict: bool, expect: &str, warnings: usize| {
            let mut compat = Compat::new(strict);
            let got = match Stage::parse_flags([text], &mut compat) {
                Ok(stages) => stages.to_json().to_string(),
                Err(error) => error,
            };
            assert_eq!((got.as_str(), compat.warnings.len()), (expect, warnings), "{text}");
        };
        check("1s:5", false, r#"[{"duration":"1s","target":5}]"#, 0);
        check("100ms:1,300ms:2", true, r#"[{"duration":"100ms","target":1},{"duration":"300ms","target":2}]"#, 0);
        check("2m:5u", false, r#"[{"duration":"2m0s","target":5}]"#, 1);
        check("2m:5u", true, r#"error for stage 0: strconv.ParseInt: parsing "5u": invalid syntax"#, 0);
        check("1s:1,abc:2", false, r#"error for stage 1: time: invalid duration "abc""#, 0);
        check(":5", false, "stage 0 doesn't have a specified duration", 0);
        check("10:5", false, r#"error for stage 0: time: missing unit in duration "10""#, 0);
        check("10s", false, r#"[{"duration":"10s","target":null}]"#, 0);
    }
}
