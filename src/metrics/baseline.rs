//! A saved run to compare with: the figures of an earlier summary, for thresholds such as `p(95)<=baseline*1.1`.
//!
//! Four shapes are read: those of `--summary-export`, `--summary-json`, the data of `handleSummary`, and the
//! machine-readable summary of k6.

use serde_json::{Map, Value};

use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// The figures of a saved run.
#[derive(Clone, Debug)]
pub struct Baseline {
    name: String,
    /// By metric; each has its figures in one or several objects.
    metrics: Map<String, Value>,
}

impl Baseline {
    /// Reads the text of a summary; `name` is for messages.
    ///
    /// # Errors
    /// When it is no summary.
    pub fn parse(name: &str, text: &str) -> Result<Self, Failure> {
        let wrong = |why: String| {
            let hint = "write one with `--summary-export summary.json`";
            Failure::new(ExitCode::InvalidConfig, format!("the baseline '{name}' is no summary: {why}")).hint(hint)
        };
        let value: Value = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        let metrics = match (&value["metrics"], &value["results"]["metrics"]) {
            (Value::Object(metrics), _) => metrics.clone(),
            (Value::Array(list), _) | (_, Value::Array(list)) => {
                let named = list.iter().filter_map(|one| Some((one["name"].as_str()?.to_owned(), one.clone())));
                named.collect()
            }
            _ => return Err(wrong("it has no `metrics`".to_owned())),
        };
        Ok(Self { name: name.to_owned(), metrics })
    }

    /// The first of these figures that the saved run has of a metric or sub-metric.
    ///
    /// # Errors
    /// What is missing.
    pub fn figure(&self, metric: &str, keys: &[String]) -> Result<f64, String> {
        let known = self.metrics.get(metric);
        let known = known.ok_or_else(|| format!("the baseline '{}' has no metric '{metric}'", self.name))?;
        let found = keys.iter().find_map(|key| known["values"][key].as_f64().or_else(|| known[key].as_f64()));
        found.ok_or_else(|| {
            let key = keys.first().map_or("", String::as_str);
            format!(
                "the baseline '{}' has no `{key}` of '{metric}'; save it with `--summary-trend-stats` that names it",
                self.name
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_shape_of_a_summary() {
        let check = |text: &str, key: &str, expect: &str| {
            let got = Baseline::parse("b.json", text)
                .map_err(|failure| failure.message)
                .and_then(|baseline| baseline.figure("m{a:b}", &[key.to_owned()]));
            assert_eq!(got.map_or_else(|error| error, |figure| figure.to_string()), expect, "{text}");
        };
        check(r#"{"metrics": {"m{a:b}": {"p(95)": 7.5}}}"#, "p(95)", "7.5");
        check(r#"{"metrics": {"m{a:b}": {"values": {"p(95)": 7.5}}}}"#, "p(95)", "7.5");
        check(r#"{"metrics": [{"name": "m{a:b}", "values": {"p(95)": 7}}]}"#, "p(95)", "7");
        check(r#"{"results": {"metrics": [{"name": "m{a:b}", "values": {"p95": 7}}]}}"#, "p95", "7");
        check(
            r#"{"metrics": {"m{a:b}": {"avg": 1}}}"#,
            "p(99)",
            "the baseline 'b.json' has no `p(99)` of 'm{a:b}'; save it with `--summary-trend-stats` that names it",
        );
        check(r#"{"metrics": {}}"#, "avg", "the baseline 'b.json' has no metric 'm{a:b}'");
        check("{}", "avg", "the baseline 'b.json' is no summary: it has no `metrics`");
    }
}
