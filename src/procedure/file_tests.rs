//! Procedure files that are right, and many that are wrong.

use serde_json::{Value, json};

use super::*;

fn whole() -> Value {
    json!({
        "name": "n", "environment": "staging", "baseUrl": "http://127.0.0.1:1",
        "runs": [{"name": "baseline", "script": "a.js", "vus": 1, "duration": "1s"}],
        "criteria": ["baseline.http_reqs.count > 0"],
    })
}

/// The whole, with one thing put in at a JSON pointer (or taken out, for null).
fn with(pointer: &str, value: Value) -> Value {
    let mut all = whole();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = all.pointer_mut(parent).unwrap();
    match (parent, value) {
        (Value::Object(map), Value::Null) => _ = map.remove(key),
        (Value::Object(map), value) => _ = map.insert(key.to_owned(), value),
        (Value::Array(list), value) => list.push(value),
        _ => panic!("{pointer}"),
    }
    all
}

#[test]
fn the_smallest_and_the_fullest_are_read() {
    let procedure = Procedure::read(Some(&whole().to_string())).unwrap();
    assert_eq!((procedure.runs.len(), procedure.criteria.len(), procedure.preflight.scripts), (1, 1, true));
    let full = with(
        "/data",
        json!({"count": 2, "request": {"url": "/r", "body": {"a": "{i}"}}, "cleanUp": {"method": "DELETE", "url": "/r/{created.id}"}}),
    );
    let data = Procedure::read(Some(&full.to_string())).unwrap().data.unwrap();
    assert_eq!((data.request.url.as_str(), data.rate), ("http://127.0.0.1:1/r", 50.0));
}

/// The whole with one thing wrong, and what is said about it.
fn check(pointer: &str, value: Value, expect: &str) {
    let error = Procedure::read(Some(&with(pointer, value.clone()).to_string())).expect_err(pointer).to_string();
    assert!(error.contains(expect), "{pointer} {value}: {error}");
    assert!(!error.contains('\n'), "{error}");
}

#[test]
fn what_is_wrong_at_the_top_is_told_with_path_reason_and_what_is_allowed() {
    assert!(Procedure::read(None).unwrap_err().to_string().contains("no default export"));
    let root =
        |json: &str, expect: &str| assert!(Procedure::read(Some(json)).unwrap_err().to_string().contains(expect));
    root("[]", "`the default export`: expected an object, but it is a list");
    root(r#"{"$not data": "a function"}"#, "`the default export`: expected an object, but it is a function");
    root("{}", "`name`: missing; expected what the procedure is called");

    check("/name", json!(5), "`name`: expected a text, but it is 5");
    check("/name", json!(" "), "`name`: expected a text that is not empty");
    check("/nmae", json!("x"), "`nmae`: unknown key; did you mean `name`? allowed are name, environment, baseUrl");
    check("/environment", json!("a/b"), "`environment`: \"a/b\" can't be part of a file name; allowed are letters");
    check("/baseUrl", json!("localhost"), "`baseUrl`: expected an address such as http://… or https://…");
    check("/baseUrl", json!("localhost:http"), "`baseUrl`: expected an address such as http://… or https://…");
    check("/baseUrl", json!("ftp://x:80"), "`baseUrl`: expected an address such as http://… or https://…");
    check("/resultsDir", json!(true), "`resultsDir`: expected a text, but it is true");
}

#[test]
fn what_is_wrong_with_runs_is_told() {
    check("/runs", Value::Null, "`runs`: missing; expected a list of runs");
    check("/runs", json!([]), "`runs`: there is no run; expected at least one");
    check("/runs", json!({}), "`runs`: expected a list, but it is an object");
    check("/runs/0/name", json!("a b"), "`runs[0].name`: \"a b\" is not a name; a name has letters, digits and _");
    check("/runs/0/name", json!("../x"), "`runs[0].name`: \"../x\" is not a name");
    check("/runs/-", json!({"name": "baseline", "script": "b.js"}), "`runs[1]`: a second run is called `baseline`");
    check("/runs/0/name", json!("procedure"), "`runs[0]`: `procedure` would be the name of another file; allowed are");
    check("/runs/0/name", json!("a_report"), "`runs[0]`: `a_report` would be the name of another file");
    check("/runs/0/script", Value::Null, "`runs[0].script`: missing; expected a k6 script");
    check("/runs/0/vus", json!(0), "`runs[0].vus`: expected a whole number from 1 to 1000000, but it is 0");
    check("/runs/0/vus", json!(1.5), "`runs[0].vus`: expected a whole number from 1 to 1000000, but it is 1.5");
    check(
        "/runs/0/vus",
        json!("5"),
        "`runs[0].vus`: expected a whole number from 1 to 1000000, but it is the text \"5\"",
    );
    check("/runs/0/vus", json!({"$not data": "NaN"}), "it is NaN");
    check(
        "/runs/0/duration",
        json!("5 apples"),
        "`runs[0].duration`: \"5 apples\" is not a duration; durations look like",
    );
    check("/runs/0/duration", json!(300), "`runs[0].duration`: expected a duration such as '1m30s', but it is 300");
    check("/runs/0/duration", json!("10ms"), "`runs[0].duration`: a run takes at least 1s");
    check("/runs/0/stages", json!([]), "`runs[0]`: one of duration, iterations and stages shapes a run, not several");
    check(
        "/runs/0/scenarios",
        json!(["api"]),
        "`runs[0]`: scenarios leaves load to the script; vus, duration, iterations and stages can't be given with it",
    );
    check("/runs/0/once", json!(true), "`runs[0]`: once leaves load to the script");
    check("/runs/0/once", json!("api"), "`runs[0].once`: expected true or false, but it is the text \"api\"");
    check("/runs/0/scenarios", json!([]), "`runs[0].scenarios`: there is no scenario; expected at least one");
    check("/runs/0/scenarios", json!(["a,b"]), "`runs[0].scenarios[0]`: \"a,b\" is no name of a scenario");
    check("/runs/0", json!(1), "it is 1");
    check(
        "/runs/0/exec",
        json!("f"),
        "`runs[0].exec`: unknown key; allowed are name, script, vus, duration, iterations",
    );
    check("/runs/0/env", json!({"K6_VUS": "1"}), "`runs[0].env.K6_VUS`: variables of this kind are options");
    check("/runs/0/env", json!({"a-b": "1"}), "`runs[0].env.a-b`: not a name for a variable");
    check("/runs/0/env", json!({"A": [1]}), "`runs[0].env.A`: expected a text, a number, true or false");
    check("/runs/0/tags", json!({"a": 1}), "`runs[0].tags.a`: expected a text, but it is 1");
    check("/runs/0/coolDown", json!("-1s"), "`runs[0].coolDown`: \"-1s\" is not a duration");
}

#[test]
fn what_is_wrong_with_criteria_and_checks_is_told() {
    check("/criteria", Value::Null, "`criteria`: missing; expected a list of what has to hold");
    check("/criteria", json!([]), "`criteria`: there is no criterion; expected at least one");
    check(
        "/criteria/-",
        json!("peak.a.rate < 1"),
        "`criteria[1]`: `peak` in `peak.a.rate` is not a run; the runs are baseline",
    );
    check(
        "/criteria/-",
        json!("baseline.a.p42 < 1"),
        "`criteria[1]`: `p42` in `baseline.a.p42` is not a statistic; allowed",
    );
    check("/criteria/-", json!({"name": "x"}), "`criteria[1].expression`: missing; expected what has to hold");
    check("/criteria/-", json!({"$not data": "a function"}), "`criteria[1]`: expected an object, but it is a function");
    check(
        "/preflight",
        json!({"mysql": {}}),
        "`preflight.mysql`: unknown key; allowed are host, http, redis, postgres",
    );
    check("/preflight", json!({"host": {"memory": {"minimum": "4 gigs"}}}), "sizes look like 500MB or 4GB");
    check(
        "/preflight",
        json!({"host": {"cores": {}}}),
        "`preflight.host.cores`: nothing is asked for; expected minimum",
    );
    check("/preflight", json!({"http": [{"url": "/h", "status": 99}]}), "`preflight.http[0].status`: expected a whole");
    check(
        "/preflight",
        json!({"http": [{"url": "/h", "json": "ok"}]}),
        "`preflight.http[0].json`: \"ok\" is not a predicate",
    );
    check(
        "/preflight",
        json!({"redis": {"url": "http://x"}}),
        "`preflight.redis.url`: expected an address such as redis://…",
    );
    check(
        "/preflight",
        json!({"postgres": {"url": "pg://user:secret@x"}}),
        "`preflight.postgres.url`: expected an address",
    );
}

#[test]
fn what_is_wrong_with_test_data_is_told() {
    check("/data", json!({"count": 0}), "`data.count`: expected a whole number from 1 to 10000000, but it is 0");
    check("/data", json!({"count": 1}), "`data.request`: missing; expected the request that makes a record");
    check("/data", json!({"count": 1, "rate": 0}), "`data.rate`: expected a number above 0, but it is 0");
    check("/data", json!({"count": 1, "request": {"method": "BREW", "url": "/"}}), "allowed are GET, POST, PUT, PATCH");
    check(
        "/data",
        json!({"count": 1, "request": {"url": "/", "body": {"a": [{"$not data": "a function"}]}}}),
        "body.a[0]",
    );
    let record = json!({"count": 1, "request": {"url": "/"}, "record": {"a": 1}});
    check("/data", record, "`data.record`: expected a function such as (i) =>");
    let both = json!({"count": 1, "request": {"url": "/", "body": {}}, "record": {"$not data": "a function"}});
    check("/data", both, "`data.record`: a body comes from `data.request.body` or from the function");
    let kept =
        json!({"count": 1, "request": {"url": "/"}, "cleanUp": {"url": "/", "headers": {"A": "{created.token}"}}});
    check("/data", kept, "`data.cleanUp.headers`: `A` would keep a part of an answer in the results");
}

#[test]
fn what_is_wrong_with_collectors_files_and_limits_is_told() {
    check("/collect", json!({"every": "1ms"}), "`collect.every`: at least 200ms");
    check("/collect", json!({"host": "yes"}), "`collect.host`: expected true or false, but it is the text \"yes\"");
    let monitor = |value: Value| json!({"redis": {"url": "redis://x", "monitor": value}});
    check("/collect", monitor(json!("all")), "`collect.redis.monitor`: expected an object, but it is the text \"all\"");
    check("/collect", monitor(json!({"line": 1})), "`collect.redis.monitor.line`: unknown key; did you mean `lines`?");
    check("/collect", monitor(json!({"bytes": "1GB"})), "`collect.redis.monitor.bytes`: from 1KB to 100MB");
    check("/collect", json!({"prometheus": {"url": "http://x"}}), "`collect.prometheus.queries`: missing");
    let upload = |value: Value| json!({"upload": value});
    check(
        "/archive",
        upload(json!({})),
        "`archive.upload.url`: missing; expected where to, such as s3://bucket/folder",
    );
    check(
        "/archive",
        upload(json!({"url": "https://b/f"})),
        "`archive.upload.url`: \"https://b/f\" is not a bucket; one looks",
    );
    check(
        "/archive",
        upload(json!({"url": "s3://bucket", "secret": "x"})),
        "`archive.upload.secret`: unknown key; allowed are",
    );
    let endpoint = json!({"url": "s3://bucket", "endpoint": "http://me:secret@x"});
    check("/archive", upload(endpoint), "`archive.upload.endpoint`: credentials do not stand in an address");
    check("/archive", json!("a.tar.gz"), "`archive`: expected an object, but it is the text");
    check("/samples", json!("none"), "`samples`: expected an object, but it is the text \"none\"");
    check("/samples", json!(5), "`samples`: expected an object, but it is 5");
    check("/samples", json!({"limti": "1GB"}), "`samples.limti`: unknown key; did you mean `limit`?");
    check("/samples", json!({"limit": 5}), "`samples.limit`: expected a size such as '4GB', but it is 5");
    check("/samples", json!({"limit": "10KB"}), "`samples.limit`: at least 1MB; `samples: false` writes none");
    check("/findings", json!({"thinned": "bad"}), "`findings.thinned`: \"bad\" is not known; allowed are");
    check("/hints", json!({"slwo": "x"}), "`hints.slwo`: unknown key; did you mean `slow`? allowed are preflight");
    check("/limits", json!({"slow": 200}), "`limits.slow`: expected a duration such as '1m30s', but it is 200");
    check("/limits", json!({"growth": "x"}), "`limits.growth`: expected a share such as '5%'");
    check("/metrics", json!({"cacheHit": []}), "`metrics.cacheHit`: unknown key; did you mean `cacheHits`?");
    check("/metrics", json!({"failed": "errors"}), "`metrics.failed`: expected a list, but it is the text \"errors\"");
    check("/metrics", json!({"memory": [1]}), "`metrics.memory[0]`: expected a text, but it is 1");
}

#[test]
fn a_password_in_an_address_is_not_told() {
    let all = with("/preflight", json!({"postgres": {"url": "pg://user:secret@x"}}));
    assert!(!Procedure::read(Some(&all.to_string())).unwrap_err().to_string().contains("secret"));
}

#[test]
fn samples_are_shared_by_the_runs() {
    let check = |samples: Value, runs: usize, expect: Option<u64>| {
        let file = with("/samples", samples.clone()).to_string();
        assert_eq!(Procedure::read(Some(&file)).unwrap().samples.share(runs), expect, "{samples}");
    };
    check(Value::Null, 1, Some(2_000_000_000));
    check(json!(true), 2, Some(1_000_000_000));
    check(json!({}), 4, Some(500_000_000));
    check(json!({"limit": "30MB"}), 3, Some(10_000_000));
    check(json!(false), 3, None);
}

#[test]
fn a_host_and_a_port_are_an_address() {
    let check = |typed: &str, expect: &str| {
        let file = with("/baseUrl", typed.into()).to_string();
        assert_eq!(Procedure::read(Some(&file)).unwrap().base_url.as_deref(), Some(expect), "{typed}");
    };
    check("localhost:8080", "http://localhost:8080");
    check("127.0.0.1:80/app/", "http://127.0.0.1:80/app");
    check("https://x/", "https://x");
}

#[test]
fn metrics_that_are_looked_at_have_defaults() {
    let read = |value: Value| Procedure::read(Some(&with("/metrics", value).to_string())).unwrap().metrics;
    let default = read(json!({}));
    assert_eq!(default.failed, ["http_req_failed", "errors"]);
    assert_eq!(default.cache_hits, ["*cache_hit*", "redis_hit_ratio"]);
    let other = read(json!({"failed": ["my_errors"], "cacheMemory": "my_memory"}));
    assert_eq!((other.failed, other.cache_memory.as_str()), (vec!["my_errors".to_owned()], "my_memory"));
    assert_eq!(other.memory, default.memory);
}
