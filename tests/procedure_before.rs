//! What is wrong in a procedure file is said before any load, and `check`, `run --dry-run` and `run` say the same.

use std::fs;
use std::path::Path;

use crate::procedure::{EXAMPLE, Target, json, text};
use crate::program::{self, Outcome};

/// A script with metrics of its own and a sub-metric.
const SCRIPT: &str = "
import http from 'k6/http';
import { Counter, Rate, Trend } from 'k6/metrics';
const hits = new Rate('cache_hits');
const orders = new Counter('orders');
const wait = new Trend('wait', true);
export const options = { thresholds: { 'http_req_duration{name:list}': ['p(95)<5000'], 'wait{kind:a}': [] } };
export default function () {
  http.get(`${__ENV.BASE_URL}/health`, { tags: { name: 'list' } });
  hits.add(true);
  orders.add(1);
  wait.add(1, { kind: 'a' });
}
";

/// A procedure with two runs, these criteria and more keys.
fn write(folder: &Path, url: &str, criteria: &str, more: &str) {
    fs::write(folder.join("script.js"), SCRIPT).unwrap();
    let file = format!(
        "export default {{ name: 'before', baseUrl: '{url}', resultsDir: './results',\n\
         runs: [{{ name: 'one', script: './script.js', vus: 1, iterations: 40 }},\n\
         {{ name: 'two', script: './script.js', vus: 1, iterations: 40 }}],\n\
         criteria: {criteria}, archive: false, {more} }};\n"
    );
    fs::write(folder.join("procedure.js"), file).unwrap();
}

fn volley(folder: &Path, engine: &str, args: &[&str]) -> Outcome {
    let mut command = program::volley(folder);
    command.arg("procedure").args(args).args(["--js-engine", engine]);
    program::run(&mut command)
}

/// Criteria that nothing can ever be measured for, and what is said about them.
const WRONG: [(&str, &str); 20] = [
    ("one.http_req_duraton.p95 < 100", "did you mean `http_req_duration`?"),
    ("one.cache_hit.rate > 75%", "did you mean `cache_hits`?"),
    ("one.errors.rate < 1%", "its script declares cache_hits, orders, wait"),
    ("two.orders.max > 1", "`orders` of `two` is a counter and has no `max`; it has count, rate"),
    ("one.cache_hits.p95 > 1", "`cache_hits` of `one` is a rate and has no `p(95)`"),
    ("one.wait.rate > 1", "`wait` of `one` is a trend and has no `rate`"),
    ("one.vus.count > 1", "`vus` of `one` is a gauge and has no `count`"),
    ("one.http_req_duration{name:lsit}.p95 < 1", "did you mean `http_req_duration{name:list}`?"),
    ("one.http_req_duration{nmae:list}.p95 < 1", "did you mean the tag `name`?"),
    ("one.wait{kind:b}.p95 < 1", "those of `wait` are wait{kind:a}"),
    ("one.wait{kind:a}.rate < 1", "is a trend and has no `rate`"),
    ("one.orders{kind:a}.count > 1", "`thresholds: { 'orders{kind:a}': [] }` in its options makes this one"),
    ("one.orders{kind}.count > 1", "tag expression is malformed"),
    ("one.redis_memory.max < 1000", "is a series of redis, and there is no `collect.redis`"),
    ("one.db_connections.max < 25", "is a series of postgres, and there is no `collect.postgres`"),
    (
        "one.host_cpu.p95 < 0.9",
        "`host_cpu` of `one` is a series and has no `p(95)`; it has min, avg, max, value, count",
    ),
    ("one.host_gpu.max < 0.9", "did you mean `host_cpu`?"),
    ("one.http_reqs.rate > two.http_req.rate * 2", "did you mean `http_reqs`?"),
    ("two.http_req_durations.p95 - one.wait.p95 < 3", "of `two`"),
    ("one.goroutines.max < 200", "no collector samples it"),
];

#[test]
fn a_criterion_that_nobody_measures_is_told_before_any_load() {
    let folder = tempfile::tempdir().unwrap();
    let engines: Vec<&str> = program::engines().collect();
    for (place, (criterion, expect)) in WRONG.into_iter().enumerate() {
        write(folder.path(), "http://127.0.0.1:9", &format!("['one.http_reqs.count > 0', {criterion:?}]"), "");
        let engine = engines[place % engines.len()];
        let mut said = Vec::new();
        for args in [["check"].as_slice(), &["run", "--dry-run"], &["run"]] {
            let outcome = volley(folder.path(), engine, &[args, &["procedure.js"]].concat());
            assert_eq!(outcome.code, 104, "{criterion}: {}{}", outcome.stdout, outcome.stderr);
            let line = outcome.stderr.lines().find(|line| line.contains("`criteria[1]`: ")).unwrap_or_default();
            assert!(line.contains(expect), "{criterion}: {}", outcome.stderr);
            said.push(line.split("msg=").nth(1).unwrap_or_default().to_owned());
        }
        assert!(said.iter().all(|line| *line == said[0]), "{said:?}");
        assert!(!folder.path().join("results").exists(), "{criterion}: something was run");
    }
}

/// One key of a procedure file, or what stands in its place, and what is said about it.
const WRONG_FILES: [(&str, &str); 42] = [
    ("name: 5", "`name`: expected a text, but it is 5"),
    ("name: ''", "`name`: expected a text that is not empty"),
    ("nmae: 'x'", "`nmae`: unknown key; did you mean `name`?"),
    ("environment: 'a/b'", "`environment`: \"a/b\" can't be part of a file name"),
    ("baseUrl: 'localhost'", "`baseUrl`: expected an address such as http://… or https://…"),
    ("baseUrl: 'ftp://x:80'", "`baseUrl`: expected an address such as http://… or https://…"),
    ("resultsDir: true", "`resultsDir`: expected a text, but it is true"),
    ("phase: 1", "`phase`: expected a text, but it is 1"),
    ("runs: undefined", "`runs`: missing; expected a list of runs"),
    ("runs: []", "`runs`: there is no run; expected at least one"),
    ("runs: [{ ...run, name: 'a b' }]", "`runs[0].name`: \"a b\" is not a name"),
    ("runs: [{ ...run, name: 'procedure' }]", "`procedure` would be the name of another file"),
    ("runs: [run, run]", "`runs[1]`: a second run is called `one`"),
    ("runs: [{ name: 'one' }]", "`runs[0].script`: missing; expected a k6 script"),
    ("runs: [{ ...run, vus: 0 }]", "`runs[0].vus`: expected a whole number from 1 to 1000000, but it is 0"),
    ("runs: [{ ...run, vus: NaN }]", "`runs[0].vus`: expected a whole number from 1 to 1000000, but it is NaN"),
    ("runs: [{ ...run, vus: '5' }]", "it is the text \"5\""),
    ("runs: [{ ...run, duration: '5 apples' }]", "`runs[0].duration`: \"5 apples\" is not a duration"),
    ("runs: [{ ...run, duration: 300 }]", "`runs[0].duration`: expected a duration such as '1m30s', but it is 300"),
    ("runs: [{ ...run, duration: '10ms' }]", "`runs[0].duration`: a run takes at least 1s"),
    ("runs: [{ ...run, stages: [] }]", "`runs[0]`: one of duration, iterations and stages shapes a run, not several"),
    ("runs: [{ ...run, exec: 'f' }]", "`runs[0].exec`: unknown key"),
    ("runs: [{ ...run, env: { K6_VUS: '1' } }]", "`runs[0].env.K6_VUS`: variables of this kind are options"),
    ("runs: [{ ...run, coolDown: '-1s' }]", "`runs[0].coolDown`: \"-1s\" is not a duration"),
    ("criteria: undefined", "`criteria`: missing; expected a list of what has to hold"),
    ("criteria: []", "`criteria`: there is no criterion; expected at least one"),
    ("criteria: ['peak.http_reqs.rate > 1']", "is not a run; the runs are one"),
    ("criteria: ['one.http_reqs.p42 > 1']", "`p42` in `one.http_reqs.p42` is not a statistic"),
    ("criteria: ['one.http_reqs.rate']", "`criteria[0]`: "),
    ("criteria: ['one.http_reqs.rate > ']", "`criteria[0]`: "),
    ("criteria: [() => true]", "`criteria[0]`: expected an object, but it is a function"),
    ("preflight: { mysql: {} }", "`preflight.mysql`: unknown key"),
    ("preflight: { host: { memory: { minimum: '4 gigs' } } }", "sizes look like 500MB or 4GB"),
    ("preflight: { http: [{ url: '/h', status: 99 }] }", "`preflight.http[0].status`: expected a whole number"),
    ("preflight: { redis: { url: 'http://x' } }", "`preflight.redis.url`: expected an address such as redis://…"),
    ("data: { count: 0 }", "`data.count`: expected a whole number from 1 to 10000000, but it is 0"),
    ("data: { count: 1, request: { method: 'BREW', url: '/' } }", "allowed are GET, POST, PUT, PATCH"),
    ("collect: { every: '1ms' }", "`collect.every`: at least 200ms"),
    ("collect: { prometheus: { url: 'http://x' } }", "`collect.prometheus.queries`: missing"),
    ("archive: { upload: { url: 'https://b/f' } }", "`archive.upload.url`: \"https://b/f\" is not a bucket"),
    ("samples: { limit: '10KB' }", "`samples.limit`: at least 1MB"),
    ("findings: { errors: 'bad' }", "`findings.errors`: \"bad\" is not known; allowed are"),
];

#[test]
fn a_wrong_file_is_told_in_the_same_line_by_all_three() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("script.js"), SCRIPT).unwrap();
    let engines: Vec<&str> = program::engines().collect();
    let texts = [
        "export default 5;",
        "export default [];",
        "export default () => ({});",
        "export const x = 1;",
        "export default {",
    ];
    let whole = texts.map(|text| (text.to_owned(), ""));
    let keys = WRONG_FILES.map(|(key, expect)| {
        let text = format!(
            "const run = {{ name: 'one', script: './script.js', vus: 1, duration: '1s' }};\n\
             export default {{ name: 'wrong', baseUrl: 'http://127.0.0.1:9', resultsDir: './results', runs: [run], criteria: ['one.http_reqs.rate > 1'], {key} }};\n"
        );
        (text, expect)
    });
    for (place, (file, expect)) in whole.into_iter().chain(keys).enumerate() {
        fs::write(folder.path().join("procedure.js"), &file).unwrap();
        let engine = engines[place % engines.len()];
        let mut said = Vec::new();
        for args in [["check"].as_slice(), &["run", "--dry-run"], &["run"]] {
            let outcome = volley(folder.path(), engine, &[args, &["procedure.js"]].concat());
            assert!([104, 107].contains(&outcome.code), "{file}: {}{}", outcome.stdout, outcome.stderr);
            let stderr = outcome.stderr.replace("\\\"", "\"");
            assert!(stderr.contains(expect), "{file}: {stderr}");
            let lines: Vec<&str> = stderr.lines().filter_map(|line| line.split("msg=").nth(1)).collect();
            assert_eq!(lines.len(), 1, "{file}: {stderr}");
            said.push((outcome.code, lines[0].to_owned()));
        }
        assert!(said.iter().all(|one| *one == said[0]), "{said:?}");
        assert!(!folder.path().join("results").exists(), "{file}: something was begun");
    }
}

#[test]
fn all_criteria_that_are_wrong_are_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "http://127.0.0.1:9", "['one.a.rate > 1', 'one.b.rate > 1', 'two.vus.value > 0']", "");
    let engine = program::engines().next().unwrap();
    let outcome = volley(folder.path(), engine, &["run", "procedure.js", "--dry-run"]);
    assert_eq!(outcome.code, 104);
    let both = ["`criteria[0]`: there is no metric", "`criteria[1]`: there is no metric"];
    assert!(both.iter().all(|text| outcome.stderr.contains(text)), "{}", outcome.stderr);
}

#[test]
fn a_run_that_nobody_judges_and_the_disk_are_told_by_all_three() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::start(folder.path(), &["--cache", "none", "--db-latency", "0ms"]);
    for engine in program::engines() {
        write(folder.path(), &target.url, "['one.http_reqs.count > 0', 'one.wait{kind:a}.max < 5']", "");
        for args in [["check"].as_slice(), &["run", "--dry-run"], &["run"]] {
            let outcome = volley(folder.path(), engine, &[args, &["procedure.js"]].concat());
            assert_eq!(outcome.code, 0, "{}{}", outcome.stdout, outcome.stderr);
            let told = "! criteria: no criterion judges the run `two` (hint: add a criterion on `two` to `criteria`";
            assert!(outcome.stdout.contains(told), "{}", outcome.stdout);
            assert!(outcome.stdout.contains("disk space for results: "), "{}", outcome.stdout);
        }
        let results = folder.path().join("results");
        assert!(text(results.join("readiness.txt")).contains("STATUS:       APPROVED WITH FINDINGS"));
        // Where there are results already, nobody begins.
        for args in [["check"].as_slice(), &["run", "--dry-run"], &["run"]] {
            let outcome = volley(folder.path(), engine, &[args, &["procedure.js"]].concat());
            assert_eq!(outcome.code, 255, "{}", outcome.stdout);
            assert!(outcome.stderr.contains("there are results in"), "{}", outcome.stderr);
        }
        // Nor with another scale.
        for args in [["run", "--dry-run"].as_slice(), &["run"]] {
            let args = [args, &["procedure.js", "--resume", "results", "--scale", "0.5"]].concat();
            let outcome = volley(folder.path(), engine, &args);
            assert_eq!(outcome.code, 255, "{}", outcome.stdout);
            let told = "were begun with `--scale 1`, this is `--scale 0.5`";
            assert!(outcome.stderr.contains(told), "{}", outcome.stderr);
        }
        fs::remove_dir_all(results).unwrap();
    }
}

#[test]
fn empty_variables_are_absent_ones() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::start(folder.path(), &[]);
    for engine in program::engines() {
        for typed in [true, false] {
            let mut command = program::volley(folder.path());
            command
                .args(["procedure", "run", EXAMPLE, "--dry-run", "--js-engine", engine])
                .env("BASE_URL", &target.url);
            let empty =
                ["RISKS", "REDIS_URL", "DATABASE_URL", "PROMETHEUS_URL", "UPLOAD_URL", "ENVIRONMENT", "RESULTS_DIR"];
            for name in empty {
                match typed {
                    true => _ = command.arg("-e").arg(format!("{name}=")),
                    false => _ = command.env(name, ""),
                }
            }
            let outcome = program::run(&mut command);
            assert_eq!(outcome.code, 0, "{}{}", outcome.stdout, outcome.stderr);
            assert!(outcome.stdout.starts_with("cache integration (staging)\n"), "{}", outcome.stdout);
        }
    }
}

#[test]
fn samples_are_packed_thinned_or_left_out() {
    const MANY: &str = "
import { Counter } from 'k6/metrics';
const many = new Counter('many');
export default function () {
  for (let i = 0; i < 20000; i++) many.add(1, { text: Math.random().toString(36) + Math.random().toString(36) });
}
";
    let target = Target::at("http://127.0.0.1:9");
    for engine in program::engines() {
        let folder = tempfile::tempdir().unwrap();
        let criteria = "['one.many.count == 20000', 'two.many.count == 20000']";
        // So many samples at once make threads late, which is not what this is about.
        write(folder.path(), &target.url, criteria, "findings: { generator: 'note' }");
        let file = text(folder.path().join("procedure.js")).replace("iterations: 40", "iterations: 1");
        fs::write(folder.path().join("script.js"), MANY).unwrap();
        let check = |samples: &str| {
            let results = folder.path().join("results");
            _ = fs::remove_dir_all(&results);
            fs::write(folder.path().join("procedure.js"), file.replace("archive: false", samples)).unwrap();
            let outcome = volley(folder.path(), engine, &["run", "procedure.js"]);
            assert_eq!(outcome.code, 0, "{}{}", outcome.stdout, outcome.stderr);
            let baseline = json(results.join("baseline_metrics.json"));
            // Whatever is kept of the samples, the figures are of all.
            assert_eq!(baseline["runs"]["one"]["metrics"]["many"]["count"], 20_000, "{samples}");
            let thinned = baseline["findings"].as_array().unwrap().iter().find(|one| one["kind"] == "thinned").cloned();
            let packed = fs::read(results.join("one.json.gz")).ok();
            assert!(!results.join("one.json").exists());
            let lines = packed.as_ref().map(|packed| {
                let mut unpacked = String::new();
                use std::io::Read as _;
                flate2::read::GzDecoder::new(&**packed).read_to_string(&mut unpacked).unwrap();
                unpacked.lines().filter(|line| line.contains("\"metric\":\"many\",\"type\":\"Point\"")).count()
            });
            (lines, packed.map_or(0, |packed| packed.len()), thinned)
        };
        let (lines, _, thinned) = check("samples: true");
        assert_eq!((lines, thinned), (Some(20_000), None));
        let (lines, size, thinned) = check("samples: { limit: '1MB' }");
        let lines = lines.unwrap();
        assert!(lines < 20_000 && lines > 2_000 && size < 600_000, "{lines} lines, {size} bytes");
        let thinned = thinned.expect("it is told");
        assert_eq!(thinned["severity"], "note");
        assert!(thinned["text"].as_str().unwrap().contains(" samples were written"), "{thinned}");
        let (lines, _, thinned) = check("samples: false");
        assert_eq!((lines, thinned), (None, None));
    }
}
