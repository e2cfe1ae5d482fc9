//! What a run saw of pages in a browser: their web vitals, judged as the library `web-vitals` does, and what failed actions left.

use super::tree::Tree;
use crate::metrics::{MetricResult, MetricValues, Results, TrendStat};
use crate::units::figure::{self, Unit};

/// A vital, its metric, up to what it is good, and from where on poor (milliseconds, but for CLS), at the 75th percentile.
/// <https://web.dev/articles/defining-core-web-vitals-thresholds>
const VITALS: [(&str, &str, f64, f64); 5] = [
    ("LCP", "browser_web_vital_lcp", 2500.0, 4000.0),
    ("FCP", "browser_web_vital_fcp", 1800.0, 3000.0),
    ("TTFB", "browser_web_vital_ttfb", 800.0, 1800.0),
    ("INP", "browser_web_vital_inp", 200.0, 500.0),
    ("CLS", "browser_web_vital_cls", 0.1, 0.25),
];

/// The percentile by which a vital is judged.
const JUDGED_BY: &str = "p(75)";

/// What is left of an action on a page that failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FailedAction {
    /// What it was, and why it failed.
    pub message: String,
    /// The file with a picture of the page.
    pub path: String,
    /// The picture as a `data:` URL, where it is to be shown.
    pub image: Option<String>,
}

/// `null` where there was no browser.
pub(super) fn build(results: &Results, failed: &[FailedAction], has_images: bool) -> Tree {
    let vitals: Vec<Tree> = VITALS
        .iter()
        .flat_map(|vital| {
            let of = move |metric: &&MetricResult| {
                metric.filter.as_ref().map_or(&*metric.name, |_| &*metric.parent) == vital.1
            };
            results.metrics.iter().filter(of).filter_map(|metric| row(metric, *vital))
        })
        .collect();
    if vitals.is_empty() && failed.is_empty() {
        return Tree::Null;
    }
    let failures = failed.iter().map(|one| {
        let mut entries = vec![("message", Tree::from(one.message.as_str())), ("path", Tree::from(one.path.as_str()))];
        if let Some(image) = one.image.as_deref().filter(|_| has_images) {
            entries.push(("image", Tree::from(image)));
        }
        Tree::map(entries)
    });
    Tree::map([("vitals", vitals.into_iter().collect()), ("failed_actions", failures.collect::<Tree>())])
}

fn row(metric: &MetricResult, (name, _, good, poor): (&str, &str, f64, f64)) -> Option<Tree> {
    let MetricValues::Trend(trend) = &metric.values else { return None };
    let stat = TrendStat::parse(JUDGED_BY).ok().filter(|_| trend.count() > 0)?;
    let value = stat.of(trend);
    let rating = match value {
        _ if value <= good => "good",
        _ if value <= poor => "needs improvement",
        _ => "poor",
    };
    let text = figure::text(value, figure::unit_of("trend", metric.contains.word(), "", ""));
    Some(Tree::map([
        ("name", Tree::from(name)),
        ("metric", Tree::from(&*metric.name)),
        ("count", trend.count().into()),
        (JUDGED_BY, value.into()),
        ("text", Tree::Text(text)),
        ("seen", Tree::Text(figure::text(trend.count() as f64, Unit::Count))),
        ("rating", Tree::from(rating)),
    ]))
}

/// The failed actions that a document tells of.
pub(super) fn failed_actions(document: &serde_json::Value) -> Vec<FailedAction> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let all = document["pages"]["failed_actions"].as_array().into_iter().flatten();
    all.map(|one| FailedAction { message: text(&one["message"]), path: text(&one["path"]), image: None }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Contains, MetricType};
    use crate::summary::Mode;
    use crate::summary::fixture::RunFixture;

    #[test]
    fn vitals_are_judged_by_their_75th_percentile() {
        let check = |metric: &str, contains: Contains, values: &[f64], expect: serde_json::Value| {
            let mut run = RunFixture::new();
            let id = run.declare(metric, MetricType::Trend, contains);
            values.iter().for_each(|value| run.sample(id, *value, &[("url", "http://x/")]));
            let built = build(&run.results(1_000_000_000, Mode::Full), &[], false).to_value();
            let row = &built["vitals"][0];
            assert_eq!(serde_json::json!([row["name"], row["text"], row["seen"], row["rating"]]), expect, "{metric}");
        };
        let time = Contains::Time;
        check(
            "browser_web_vital_lcp",
            time,
            &[2500.0, 2500.0, 2500.0],
            serde_json::json!(["LCP", "2.5 s", "3", "good"]),
        );
        let many = [100.0, 100.0, 100.0, 9000.0];
        check("browser_web_vital_lcp", time, &many, serde_json::json!(["LCP", "2.33 s", "4", "good"]));
        check("browser_web_vital_inp", time, &[201.0], serde_json::json!(["INP", "201 ms", "1", "needs improvement"]));
        check("browser_web_vital_ttfb", time, &[1801.0], serde_json::json!(["TTFB", "1.8 s", "1", "poor"]));
        let cls = Contains::Default;
        check("browser_web_vital_cls", cls, &[0.2], serde_json::json!(["CLS", "0.2", "1", "needs improvement"]));
    }

    #[test]
    fn pages_of_a_test_are_told_beside_the_whole() {
        let mut run = RunFixture::new();
        let id = run.declare("browser_web_vital_fcp", MetricType::Trend, Contains::Time);
        run.threshold("browser_web_vital_fcp{url:http://x/}", &["p(75)<1"]);
        run.sample(id, 100.0, &[("url", "http://x/")]);
        run.sample(id, 4000.0, &[("url", "http://y/")]);
        let built = build(&run.results(1_000_000_000, Mode::Full), &[], false).to_value();
        let rows =
            built["vitals"].as_array().unwrap().iter().map(|row| (row["metric"].as_str(), row["rating"].as_str()));
        let expect = [
            (Some("browser_web_vital_fcp"), Some("poor")),
            (Some("browser_web_vital_fcp{url:http://x/}"), Some("good")),
        ];
        assert_eq!(rows.collect::<Vec<_>>(), expect);
    }

    #[test]
    fn failed_actions_are_read_back_and_pictures_are_for_the_page() {
        let run = RunFixture::new();
        let results = run.results(1_000_000_000, Mode::Full);
        assert_eq!(build(&results, &[], true).to_value(), serde_json::Value::Null);
        let image = Some("data:image/png;base64,AA==".to_owned());
        let failed = [FailedAction { message: "clicking on \"a\"".to_owned(), path: "p.png".to_owned(), image }];
        let page = build(&results, &failed, true).to_value();
        assert_eq!(page["failed_actions"][0]["image"], "data:image/png;base64,AA==");
        let file = serde_json::json!({"pages": build(&results, &failed, false).to_value()});
        assert_eq!(failed_actions(&file), [FailedAction { image: None, ..failed[0].clone() }]);
    }
}
