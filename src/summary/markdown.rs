//! The file of `--summary-markdown`: a run on one screen, for the summary of a CI job or a pull request.
//!
//! The verdict stands first, then what it rests on; what held is short, what did not is named.

use std::fmt::Write;

use super::RenderOptions;
use super::document::{RunFacts, failed_share};
use super::headline::{MAX_FAILED, failed_shares, headline};
use super::{is_hidden, threshold_figures};
use crate::metrics::endpoint::{Endpoint, ErrorGroup};
use crate::metrics::results::checks_total;
use crate::metrics::{MetricResult, MetricValues, Results};
use crate::units::Span;
use crate::units::figure::{self, Unit};

/// The most rows of a table of things of which there may be many.
const MAX_ROWS: usize = 20;

/// What the summary shows beside the results.
pub struct MarkdownFacts<'a> {
    /// Facts about the run.
    pub run: &'a RunFacts,
    /// The endpoints.
    pub endpoints: &'a [Endpoint],
    /// Requests that went wrong, the most frequent first.
    pub errors: &'a [ErrorGroup],
    /// Of a merge: what was merged, as its document says it.
    pub parts: Option<&'a serde_json::Value>,
    /// What is wrong with the load generator.
    pub complaint: Option<String>,
}

/// The text of the file.
pub fn render(results: &Results, options: &RenderOptions, facts: &MarkdownFacts) -> String {
    let mut page = head(results, facts);
    thresholds(&mut page, results);
    checks(&mut page, results);
    trends(&mut page, results, options);
    others(&mut page, results);
    endpoints(&mut page, results, facts.endpoints);
    errors(&mut page, facts.errors);
    if let Some(parts) = facts.parts {
        instances(&mut page, parts);
    }
    page
}

fn head(results: &Results, facts: &MarkdownFacts) -> String {
    let run = facts.run;
    let end = run.end.as_ref();
    let has_thresholds = run.judges && results.metrics.iter().any(|metric| !metric.thresholds.is_empty());
    let code = end.map_or(0, |end| end.code);
    let head = headline(code, has_thresholds, &failed_shares(results), MAX_FAILED);
    let head = if run.incomplete.is_some() { head.of_incomplete(code) } else { head };
    let mark = if head.is_good { "✅" } else { "❌" };
    let mut page = format!("## {mark} {}: {}\n\n", escaped(&run.script), escaped(&head.text));
    let mut facts_line = vec![format!("{} long", Span::from(rounded(results.duration)))];
    for (name, word) in [("iterations", "iterations"), ("http_reqs", "requests")] {
        if let Some(MetricValues::Counter { count, rate }) = results.metric(name).map(|metric| &metric.values) {
            let (count, rate) = (figure::text(*count, Unit::Count), figure::text(*rate, Unit::PerSecond("")));
            facts_line.push(format!("{count} {word} ({rate})"));
        }
    }
    if let Some(MetricValues::Rate { rate, .. }) = results.metric("http_req_failed").map(|metric| &metric.values) {
        facts_line.push(format!("{} failed", figure::text(*rate, Unit::Share)));
    }
    facts_line.push(format!("at most {} VUs", run.max_vus));
    // Writing to a string can't fail.
    _ = writeln!(page, "{}", facts_line.join(" · "));
    let more = [
        end.and_then(|end| end.reason.clone()).map(|reason| format!("**{}**", escaped(&reason))),
        run.incomplete.as_ref().map(|why| format!("**Incomplete**: {}", escaped(why))),
        facts.complaint.as_ref().map(|why| format!("⚠️ {}", escaped(why))),
    ];
    for line in more.into_iter().flatten() {
        _ = write!(page, "\n{line}\n");
    }
    page
}

/// To milliseconds.
fn rounded(duration: std::time::Duration) -> std::time::Duration {
    std::time::Duration::from_millis(duration.as_millis() as u64)
}

fn thresholds(page: &mut String, results: &Results) {
    let all = results.metrics.iter().flat_map(|metric| metric.thresholds.iter().map(move |one| (metric, one)));
    let rows = all.map(|(metric, threshold)| {
        let seen = threshold_figures::observed(metric, threshold);
        let mark = if threshold.ok { "✅" } else { "❌" };
        vec![mark.to_owned(), code(&metric.name), code(threshold.def.expression.trim()), escaped(&seen.value)]
    });
    table(page, "Thresholds", &["", "Metric", "Threshold", "Observed"], rows.collect(), usize::MAX);
}

fn checks(page: &mut String, results: &Results) {
    let Some((passes, fails)) = checks_total(&results.metrics) else { return };
    let share = figure::text(passes as f64 / (passes + fails).max(1) as f64, Unit::Share);
    _ = write!(page, "\n### Checks\n\n{share} of {} held\n", figure::text((passes + fails) as f64, Unit::Count));
    let mut failed: Vec<_> = results.checks.iter().filter(|check| check.fails > 0).collect();
    failed.sort_by_key(|check| std::cmp::Reverse(check.fails));
    let rows = failed.into_iter().map(|check| {
        let of = check.passes + check.fails;
        vec![escaped(&check.name), figure::text(check.fails as f64, Unit::Count), figure::text(of as f64, Unit::Count)]
    });
    rows_below(page, &["Check", "Failed", "Of"], rows.collect(), MAX_ROWS);
}

fn trends(page: &mut String, results: &Results, options: &RenderOptions) {
    let titles: Vec<&str> =
        std::iter::once("Metric").chain(options.trend_stats.iter().map(|stat| stat.name.as_str())).collect();
    let rows = results.metrics.iter().filter(|metric| is_shown(metric, options)).filter_map(|metric| {
        let MetricValues::Trend(trend) = &metric.values else { return None };
        let figures = options.trend_stats.iter().map(|stat| {
            let word = if stat.is_count() { "count" } else { "" };
            figure::text(stat.of(trend), figure::unit_of("trend", metric.contains.word(), "", word))
        });
        Some(std::iter::once(code(&metric.name)).chain(figures).collect())
    });
    table(page, "Times and other distributions", &titles, rows.collect(), usize::MAX);
}

fn is_shown(metric: &MetricResult, options: &RenderOptions) -> bool {
    !is_hidden(&metric.parent, options.mode)
}

fn others(page: &mut String, results: &Results) {
    let of = |metric: &MetricResult| {
        let figures: Vec<(&str, f64)> = match &metric.values {
            MetricValues::Counter { count, rate } => vec![("count", *count), ("rate", *rate)],
            MetricValues::Gauge { value, min, max } => vec![("value", *value), ("min", *min), ("max", *max)],
            MetricValues::Rate { rate, .. } => vec![("rate", *rate)],
            MetricValues::Trend(_) => return None,
        };
        let kind = metric.values.kind().word();
        let text = |(stat, value): (&str, f64)| {
            let text = figure::text(value, figure::unit_of(kind, metric.contains.word(), &metric.name, stat));
            if ["min", "max"].contains(&stat) { format!("{stat} {text}") } else { text }
        };
        let texts: Vec<String> = figures.into_iter().map(text).collect();
        Some(vec![code(&metric.name), texts.join(" · ")])
    };
    let rows = results.metrics.iter().filter(|metric| &*metric.parent != "checks").filter_map(of);
    table(page, "Counts, rates and gauges", &["Metric", "Figures"], rows.collect(), usize::MAX);
}

fn endpoints(page: &mut String, results: &Results, endpoints: &[Endpoint]) {
    let seconds = results.duration.as_secs_f64();
    let mut sorted: Vec<&Endpoint> = endpoints.iter().collect();
    sorted.sort_by_key(|endpoint| std::cmp::Reverse(endpoint.requests()));
    let rows = sorted.into_iter().map(|endpoint| {
        let trend = &endpoint.duration;
        let time = |value: f64| if trend.count() == 0 { "–".to_owned() } else { figure::text(value, Unit::Time) };
        let requests = endpoint.requests() as f64;
        let rate = if seconds > 0.0 { requests / seconds } else { 0.0 };
        vec![
            code(format!("{} {}", endpoint.method, endpoint.name).trim()),
            figure::text(requests, Unit::Count),
            figure::text(rate, Unit::PerSecond("")),
            failed_share(&endpoint.failed),
            time(trend.percentile(50.0)),
            time(trend.percentile(95.0)),
            time(trend.percentile(99.0)),
            time(trend.max()),
        ]
    });
    let titles = ["Request", "Count", "Rate", "Failed", "med", "p(95)", "p(99)", "max"];
    table(page, "Requests", &titles, rows.collect(), MAX_ROWS);
}

fn errors(page: &mut String, errors: &[ErrorGroup]) {
    let rows = errors.iter().map(|group| {
        let count = figure::text(group.count as f64, Unit::Count);
        vec![count, escaped(&group.code), escaped(&group.text), code(&group.example)]
    });
    table(page, "Errors", &["Count", "Code", "Error", "First"], rows.collect(), MAX_ROWS);
}

fn instances(page: &mut String, parts: &serde_json::Value) {
    let rows = parts.as_array().into_iter().flatten().map(|part| {
        let text = |key: &str| part[key].as_str().unwrap_or_default();
        let lag =
            part["health"]["lag_ms"]["p(90)"].as_f64().map_or_else(String::new, |lag| figure::text(lag, Unit::Time));
        vec![
            code(text("file")),
            text("segment").to_owned(),
            part["exit_code"].to_string(),
            lag,
            escaped(part["health"]["complaint"].as_str().unwrap_or_default()),
        ]
    });
    table(page, "Instances", &["File", "Segment", "Exit code", "Lag p(90)", "Complaint"], rows.collect(), usize::MAX);
}

/// A table under a heading; nothing where there are no rows.
fn table(page: &mut String, title: &str, titles: &[&str], rows: Vec<Vec<String>>, most: usize) {
    if !rows.is_empty() {
        _ = write!(page, "\n### {title}\n");
        rows_below(page, titles, rows, most);
    }
}

fn rows_below(page: &mut String, titles: &[&str], rows: Vec<Vec<String>>, most: usize) {
    if rows.is_empty() {
        return;
    }
    _ = write!(page, "\n| {} |\n|{}\n", titles.join(" | "), " --- |".repeat(titles.len()));
    let left_out = rows.len().saturating_sub(most);
    for row in rows.into_iter().take(most) {
        _ = writeln!(page, "| {} |", row.join(" | "));
    }
    if left_out > 0 {
        _ = write!(page, "\n{left_out} more\n");
    }
}

/// A text that stays what it is inside a table: in one line, and no markup.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '\n' | '\r' => out.push(' '),
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '~' => out.extend(['\\', sign]),
            sign => out.push(sign),
        }
    }
    out
}

/// A text as code, also one with backticks.
fn code(text: &str) -> String {
    let text = text.replace(['\n', '\r'], " ").replace('|', "\\|");
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    match longest {
        0 if text.is_empty() => String::new(),
        0 => format!("`{text}`"),
        ticks => {
            let fence = "`".repeat(ticks + 1);
            format!("{fence} {text} {fence}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::Mode;
    use crate::summary::document::RunEnd;
    use crate::summary::fixture::sample_run;

    #[test]
    fn a_run_is_on_one_screen() {
        let mut run = sample_run();
        run.request("GET", "http://x/a|b", "404", 3_000_000);
        let results = run.results(2_000_000_000, Mode::Full);
        let reason = Some("thresholds on metrics 'checks' have been crossed".to_owned());
        let facts = RunFacts {
            script: "my_test.js".to_owned(),
            max_vus: 3,
            judges: true,
            end: Some(RunEnd { code: 99, reason }),
            ..RunFacts::default()
        };
        let breakdown = results.breakdown.as_ref().unwrap();
        let parts = serde_json::json!([{"file": "1.json", "segment": "0:1/2", "exit_code": 0, "health": {}}]);
        let facts = MarkdownFacts {
            run: &facts,
            endpoints: &breakdown.endpoints,
            errors: &breakdown.errors,
            parts: Some(&parts),
            complaint: None,
        };
        let page = render(&results, &RenderOptions::default(), &facts);
        for line in [
            "## ❌ my\\_test.js: Failed; 25 % of requests and 28.6 % of checks failed",
            "2s long · 3 iterations (1.5/s) · 4 requests (2/s) · 25 % failed · at most 3 VUs",
            "**thresholds on metrics 'checks' have been crossed**",
            "| ❌ | `checks` | `rate>0.9` | 71.4 % |",
            "| ✅ | `my_counter{a:b}` | `count>0` | 2 |",
            "71.4 % of 7 held",
            "| never | 2 | 2 |",
            "| `my_counter{a:b}` | 2 · 1/s |",
            "| `GET http://x/a\\|b` | 1 | 0.5/s | 100 % | 3 ms | 3 ms | 3 ms | 3 ms |",
            "| 1 | 1404 | status 404 | `GET http://x/a\\|b` |",
            "| `1.json` | 0:1/2 | 0 |  |  |",
        ] {
            assert!(page.lines().any(|found| found.trim_end() == line), "{line}\n{page}");
        }
        // The rows of a table have as many cells as its head.
        let cells = |line: &str| line.replace("\\|", "").matches('|').count();
        for pair in
            page.lines().collect::<Vec<_>>().windows(2).filter(|pair| pair.iter().all(|line| line.starts_with('|')))
        {
            assert_eq!(cells(pair[0]), cells(pair[1]), "{pair:?}");
        }
    }

    #[test]
    fn texts_are_no_markup() {
        let check = |text: &str, plain: &str, as_code: &str| {
            assert_eq!((escaped(text).as_str(), code(text).as_str()), (plain, as_code), "{text}");
        };
        check("a|b\nc", "a\\|b c", "`a\\|b c`");
        check("<b>*`", "&lt;b>\\*\\`", "`` <b>*` ``");
        check("", "", "");
    }
}
