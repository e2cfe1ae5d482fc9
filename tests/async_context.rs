//! The feature `async-metric-context` as outputs see it: every sample has the tags and the metadata of where it comes from.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::program::{engines, run, volley};
use crate::server;

/// Eight workers at once, each in a group of its own that it changes tags and metadata in, over 1,000 awaits of all kinds.
const SCRIPT: &str = "
    import exec from 'k6/execution';
    import http from 'k6/http';
    import { group } from 'k6';
    import { Counter } from 'k6/metrics';
    const counter = new Counter('steps');
    const pause = () => new Promise((resolve) => setTimeout(resolve, 0));
    const ways = [
        () => null,
        pause,
        () => Promise.reject(new Error('no')).catch(() => {}),
        () => ({ then: (resolve) => resolve() }),
        () => Promise.all([pause(), null]),
    ];
    export default async function () {
        const { tags, metadata } = exec.vu.metrics;
        const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
        tags.outer = 'yes';
        await Promise.all(names.map((name) => group(name, async () => {
            tags.worker = name;
            metadata.trace = name;
            for (let step = 0; step < 125; step++) {
                try {
                    await ways[step % ways.length]();
                    if (step % 50 === 0) await http.asyncRequest('GET', `${__ENV.URL}/text`);
                    if (step % 2 === 0) throw new Error('thrown');
                } catch {
                    await null;
                }
                counter.add(1);
            }
        })));
        counter.add(1);
    }";

#[test]
fn samples_have_the_context_of_their_work() {
    for engine in engines() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        std::fs::write(folder.path().join("script.js"), SCRIPT).expect("a file can be written");
        let mut command = volley(folder.path());
        command.args(["run", "--quiet", "--js-engine", engine, "--vus=2", "--iterations=2", "-o", "json=points.json"]);
        command.args(["--features=async-metric-context", "-e", &format!("URL={}", server::url()), "script.js"]);
        let outcome = run(&mut command);
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        let text = std::fs::read_to_string(folder.path().join("points.json")).expect("the points are there");
        let points = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line is JSON"));
        let mut seen: BTreeMap<(String, String), usize> = BTreeMap::new();
        for point in points.filter(|point| point["type"] == "Point") {
            let (metric, data) = (&point["metric"], &point["data"]);
            assert_eq!(data["tags"]["k6_feature_async_metric_context"], "true", "{engine}: {point}");
            let (worker, trace) = (&data["tags"]["worker"], &data["metadata"]["trace"]);
            let group = data["tags"]["group"].as_str().unwrap_or_default().trim_start_matches("::").to_owned();
            match metric.as_str().unwrap_or_default() {
                // A duration carries what was in force when its group was entered.
                "group_duration" => assert_eq!((worker, trace), (&Value::Null, &Value::Null), "{engine}: {point}"),
                "steps" | "http_reqs" if !group.is_empty() => {
                    assert_eq!((worker, trace), (&group.clone().into(), &group.clone().into()), "{engine}: {point}");
                }
                "steps" | "iterations" => {
                    assert_eq!((worker, trace), (&Value::Null, &Value::Null), "{engine}: {point}")
                }
                _ => continue,
            }
            *seen.entry((metric.as_str().unwrap_or_default().to_owned(), group)).or_default() += 1;
        }
        let mut expected =
            BTreeMap::from([(("steps".to_owned(), String::new()), 2), (("iterations".to_owned(), String::new()), 2)]);
        for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
            for (metric, count) in [("steps", 250), ("http_reqs", 6), ("group_duration", 2)] {
                expected.insert((metric.to_owned(), name.to_owned()), count);
            }
        }
        assert_eq!(seen, expected, "{engine}");
    }
}
