//! What people type, and what becomes of it. Wrong options of every kind are one table, with line and code.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::run::RunSettings;
use super::*;
use crate::options::Options;
use crate::run::Linger;

/// Understands a line as a shell would split it; `'…'` keeps spaces, and words like `A=b` before the command are
/// variables.
fn understand_line(line: &str) -> Understood {
    let mut words: Vec<String> = Vec::new();
    for (at, part) in line.split('\'').enumerate() {
        if at % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    let first = words.iter().position(|word| !word.split_once('=').is_some_and(|(name, _)| is_variable(name)));
    let rest = words.split_off(first.unwrap_or(words.len()));
    let mut env: BTreeMap<String, String> =
        words.iter().filter_map(|word| word.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
    env.insert("XDG_CONFIG_HOME".to_owned(), "/nowhere".to_owned());
    understand(&rest, env, PathBuf::from("/here"))
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

fn run_of(line: &str) -> RunSettings {
    match understand_line(line).request {
        Ok(Request::Run(run)) => *run,
        other => panic!("{line}: {other:?}"),
    }
}

/// Everything that may go wrong before a script runs: arguments, variables, the script's options, all of them together.
fn refusal(line: &str, script: &str) -> Option<Failure> {
    let run = match understand_line(line).request {
        Err(failure) => return Some(failure),
        Ok(Request::Run(run)) => run,
        Ok(_) => return None,
    };
    let value: Value = serde_json::from_str(script).unwrap();
    let mut notes = Notes::new(run.global.strict);
    Options::from_json(&value, &mut notes).and_then(|decoded| run.layers.settle(decoded.options)).err()
}

#[test]
fn wrong_options_are_refused_in_k6s_words() {
    let check = |line: &str, script: &str, code: u8, expect: &str| {
        let failure = refusal(line, script).unwrap_or_else(|| panic!("`{line}` with {script} was accepted"));
        let starts = expect.strip_suffix('…');
        let fits = starts.map_or(failure.message == expect, |starts| failure.message.starts_with(starts));
        assert!(fits, "`{line}` with {script}\n     got {}\nexpected {expect}", failure.message);
        assert_eq!(failure.code as u8, code, "`{line}` with {script}");
    };
    let none = "null";
    let in_scenario = |fields: &str| format!(r#"{{"scenarios": {{"s": {{{fields}}}}}}}"#);
    let problems = |list: &str| {
        format!(
            "There were problems with the specified script configuration:\n\t- scenario s has configuration errors: {list}"
        )
    };

    // Wrong usage.
    check("run --nope x.js", none, 255, "unknown flag: --nope");
    check("run --nope=3 x.js", none, 255, "unknown flag: --nope");
    check("run -z x.js", none, 255, "unknown shorthand flag: 'z' in -z");
    check("nonsense", none, 255, "unknown command \"nonsense\" for \"volley\"");
    let args = "arg should either be \"-\", if reading script from stdin, or a path to a script file";
    check("run", none, 255, &format!("accepts 1 arg(s), received 0: {args}"));
    check("run a.js b.js", none, 255, &format!("accepts 1 arg(s), received 2: {args}"));
    check("run x.js --vus", none, 255, "flag needs an argument: --vus");
    check("run x.js -u", none, 255, "flag needs an argument: 'u' in -u");
    check("inspect --vus 3 x.js", none, 255, "unknown flag: --vus");

    // Flags.
    check(
        "run --vus abc x.js",
        none,
        255,
        "invalid argument \"abc\" for \"-u, --vus\" flag: strconv.ParseInt: parsing \"abc\": invalid syntax",
    );
    check(
        "run -d 5 x.js",
        none,
        255,
        "invalid argument \"5\" for \"-d, --duration\" flag: time: missing unit in duration \"5\"",
    );
    check("run -s abc:3 x.js", none, 255, "error for stage 0: time: invalid duration \"abc\"");
    check("run -s :3 x.js", none, 255, "stage 0 doesn't have a specified duration");
    check("run -e A-B=1 x.js", none, 255, "invalid environment variable name 'A-B'");
    check("run --tag a x.js", none, 255, "error parsing tag 'a': invalid tag, empty value");
    check("run --tag =a x.js", none, 255, "error parsing tag '=a': invalid tag, empty name");
    check("run --dns ttl= x.js", none, 255, "no value for key ttl=");
    check("run --dns foo=1 x.js", none, 255, "unknown DNS configuration field: foo");
    check("run --dns select=foo x.js", none, 255, "foo does not belong to DNSSelect values");
    check("run --dns ttl=abc x.js", none, 255, "invalid DNS TTL: abc");
    check(
        "run --blacklist-ip 10.0.0.1 x.js",
        none,
        255,
        "error parsing blacklist-ip '10.0.0.1': invalid CIDR address: 10.0.0.1",
    );
    check("run --local-ips 300.1.1.1 x.js", none, 255, "300.1.1.1 is not a valid IP, IP range or CIDR");
    check("run --summary-trend-stats foo x.js", none, 255, "invalid trend stat 'foo', unknown format");
    check("run --summary-time-unit h x.js", none, 255, "invalid summary time unit 'h', use 's', 'ms' or 'us'");
    check("run --summary-mode legacy x.js", none, 255, "invalid summary mode…");
    check(
        "run --execution-segment 2 x.js",
        none,
        255,
        "invalid argument \"2\" for \"--execution-segment\" flag: segment end value can't be more than 1 but was 2.00",
    );
    check(
        "run --quiet=maybe x.js",
        none,
        255,
        "invalid argument \"maybe\" for \"-q, --quiet\" flag: strconv.ParseBool: parsing \"maybe\": invalid syntax",
    );
    check(
        "run --execution-segment 1/4 --execution-segment-sequence 0,1/2,1 x.js",
        none,
        104,
        "provided segment 0:1/4 can't be found in sequence 0,1/2,1",
    );
    check("run -i 2 -s 1s:1 x.js", none, 104, "using `iterations` and `stages` options simultaneously is not allowed");
    check(
        "run -c nowhere.json x.js",
        none,
        104,
        "failed to load the configuration file from the local file system: stat nowhere.json: no such file or directory",
    );
    check(
        "run --ramp-up 5m --ramp-down 6m -u 3 -d 10m x.js",
        none,
        104,
        "ramp-up 5m0s and ramp-down 6m0s don't fit into the duration 10m0s",
    );
    check("run --ramp-up 5m -u 3 x.js", none, 104, "`--ramp-up` needs `--vus` and `--duration`");

    // What is accepted otherwise, under --strict-k6.
    check("run --strict-k6 --ramp-up 5m -u 3 -d 10m x.js", none, 255, "unknown flag: --ramp-up");
    check(
        "run --strict-k6 --linger=30s x.js",
        none,
        255,
        "invalid argument \"30s\" for \"-l, --linger\" flag: strconv.ParseBool: parsing \"30s\": invalid syntax",
    );
    check(
        "run --strict-k6 -s 2m:5u x.js",
        none,
        255,
        "error for stage 0: strconv.ParseInt: parsing \"5u\": invalid syntax",
    );
    check(
        "run --strict-k6 -d '23h 30m' x.js",
        none,
        255,
        "invalid argument \"23h 30m\" for \"-d, --duration\" flag: time: unknown unit \"h \" in duration \"23h 30m\"",
    );

    check("--strict-k6 status", none, 255, "unknown command \"status\" for \"volley\"");
    check("scale --strict-k6 --vus 2", none, 255, "unknown command \"scale\" for \"volley\"");
    check("run --strict-k6 --watch x.js", none, 255, "unknown flag: --watch");
    check(
        "run --strict-k6 x.js",
        &in_scenario(r#""executor": "externally-controlled", "duration": "1s", "vus": 1"#),
        104,
        "unknown executor type 'externally-controlled'",
    );

    // Variables.
    check(
        "K6_VUS=abc run x.js",
        none,
        104,
        "envconfig.Process: assigning K6_VUS to VUs: converting 'abc' to type null.Int. details: strconv.ParseInt: \
         parsing \"abc\": invalid syntax",
    );
    check(
        "K6_NO_SETUP=1 run x.js",
        none,
        104,
        "envconfig.Process: assigning K6_NO_SETUP to NoSetup: converting '1' to type null.Bool. details: invalid input:1",
    );
    check(
        "K6_TAGS=a=b run x.js",
        none,
        104,
        "envconfig.Process: assigning K6_TAGS to RunTags: converting 'a=b' to type map[string]string. details: invalid \
         map item: \"a=b\"",
    );
    check("K6_STAGES=abc:2 run x.js", none, 104, "envconfig.Process: assigning K6_STAGES to Stages: …");
    check("K6_NO_THRESHOLDS=maybe run x.js", none, 255, "env var 'K6_NO_THRESHOLDS' is not a valid boolean value: …");
    check("K6_NO_USAGE_REPORT=1 run x.js", none, 104, "envconfig.Process: assigning K6_NO_USAGE_REPORT to…");
    check("K6_LINGER=1 run x.js", none, 104, "envconfig.Process: assigning K6_LINGER to Linger: …");

    // The script's options.
    let run = "run x.js";
    check(run, "3", 104, "parsing options from script got error while parsing \"3\": json: cannot unmarshal number…");
    check(
        run,
        r#"{"vus": 1.5}"#,
        104,
        "json: cannot unmarshal number 1.5 into Go struct field Options.vus of type int64",
    );
    check(run, r#"{"vus": "abc"}"#, 104, "strconv.ParseInt: parsing \"abc\": invalid syntax");
    check(run, r#"{"iterations": true}"#, 104, "json: cannot unmarshal bool into Go value of type null.Int");
    check(run, r#"{"throw": "yes"}"#, 104, "json: cannot unmarshal string into Go value of type null.Bool");
    check(run, r#"{"throw": 1}"#, 104, "json: cannot unmarshal float64 into Go value of type null.Bool");
    check(run, r#"{"userAgent": 1}"#, 104, "json: cannot unmarshal float64 into Go value of type null.String");
    check(run, r#"{"duration": "abc"}"#, 104, "time: invalid duration \"abc\"");
    check(
        run,
        r#"{"duration": "0s"}"#,
        104,
        "`duration` option should be more than 0, for infinite duration use the externally-controlled executor",
    );
    check(run, r#"{"tlsVersion": "tls9"}"#, 104, "unknown TLS version 'tls9'");
    check(run, r#"{"tlsCipherSuites": ["foo"]}"#, 104, "unknown cipher suite 'foo'");
    check(
        run,
        r#"{"tlsAuth": [{"cert": "x", "key": "y"}]}"#,
        104,
        "tls: failed to find any PEM data in certificate input",
    );
    check(run, r#"{"hosts": {"a b": "1.1.1.1"}}"#, 104, "invalid host pattern 'a b'");
    check(run, r#"{"blockHostnames": ["a*"]}"#, 104, "invalid hostname pattern 'a*'");
    check(
        run,
        r#"{"blacklistIPs": ["10.0.0.1"]}"#,
        104,
        "failed to parse CIDR '10.0.0.1': invalid CIDR address: 10.0.0.1",
    );
    check(run, r#"{"dns": {"ttl": "abc"}}"#, 255, "invalid DNS TTL: abc");
    check(run, r#"{"dns": {"policy": "foo"}}"#, 104, "foo does not belong to DNSPolicy values");
    check(run, r#"{"dns": "ttl=1s"}"#, 104, "parsing options from script got error while parsing…");
    check(run, r#"{"tags": {"a": 1}}"#, 104, "parsing options from script got error while parsing…");
    check(run, r#"{"thresholds": {"a": "count>1"}}"#, 104, "parsing options from script got error while parsing…");
    check(
        run,
        r#"{"summaryTrendStats": ["p(101)"]}"#,
        255,
        "invalid percentile trend stat value 'p(101)', provide a number between 0 and 100",
    );
    check(run, r#"{"setupTimeout": 0}"#, 104, "setupTimeout must be positive");
    check(
        run,
        r#"{"executionSegment": "abc"}"#,
        104,
        "'abc' is not a valid percentage, decimal, fraction or interval value",
    );
    check(
        run,
        r#"{"stages": [{"duration": "1s", "target": 1}], "duration": "1s"}"#,
        104,
        "using `duration` and `stages` options simultaneously is not allowed",
    );
    check(
        run,
        r#"{"iterations": 0}"#,
        104,
        "There were problems with the specified script configuration:\n\t- scenario default has configuration errors: \
         the number of iterations (0) can't be less than the number of VUs (1)",
    );

    // Scenarios.
    check(run, &in_scenario(""), 104, "scenario 's' doesn't have a specified executor type");
    check(run, &in_scenario(r#""executor": "fast""#), 104, "unknown executor type 'fast'");
    check(run, &in_scenario(r#""executor": "per-vu-iterations", "rate": 5"#), 104, "json: unknown field \"rate\"");
    check(
        run,
        &in_scenario(r#""executor": "ramping-vus", "stages": [{"duration": "1s", "target": 1, "foo": 1}]"#),
        104,
        "json: unknown field \"foo\"",
    );
    check(
        run,
        &in_scenario(r#""executor": "per-vu-iterations", "options": {"foo": 1}"#),
        104,
        "json: unknown field \"foo\"",
    );
    check(
        run,
        &in_scenario(r#""executor": "per-vu-iterations", "startTime": "-1s", "gracefulStop": "-2s", "exec": """#),
        104,
        &problems(
            "exec value cannot be empty, the startTime can't be negative, the gracefulStop timeout can't be negative",
        ),
    );
    check(
        run,
        &in_scenario(r#""executor": "constant-arrival-rate""#),
        104,
        &problems(
            "the iteration rate isn't specified, the duration is unspecified, the number of preAllocatedVUs isn't specified",
        ),
    );
    check(
        run,
        &in_scenario(
            r#""executor": "ramping-arrival-rate", "startRate": -1, "timeUnit": "0s", "preAllocatedVUs": 5, "maxVUs": 2"#,
        ),
        104,
        &problems(
            "the startRate value can't be negative, the timeUnit must be more than 0, at least one stage has to be \
             specified, maxVUs can't be less than preAllocatedVUs",
        ),
    );
    check(
        run,
        &in_scenario(r#""executor": "shared-iterations", "vus": 0, "iterations": -1, "maxDuration": "10ms""#),
        104,
        &problems(
            "the number of VUs must be more than 0, the number of iterations (-1) can't be less than the number of VUs \
             (0), the maxDuration must be at least 1s, but is 10ms",
        ),
    );
    check(
        run,
        &in_scenario(r#""executor": "constant-vus", "duration": "900ms""#),
        104,
        &problems("the duration must be at least 1s, but is 900ms"),
    );
    check(
        run,
        &in_scenario(r#""executor": "ramping-vus", "startVUs": 0, "stages": [{"duration": "1s", "target": 0}]"#),
        104,
        &problems("either startVUs or one of the stages' target values must be greater than 0"),
    );
    check(
        run,
        &in_scenario(r#""executor": "ramping-vus", "stages": [{"target": 1}, {"duration": "-1s", "target": -1}]"#),
        104,
        &problems(
            "stage 1 doesn't have a duration, the duration for stage 2 can't be negative, the target for stage 2 can't be negative",
        ),
    );
    let bad = |fields: &str, list: &str| check(run, &in_scenario(fields), 104, &problems(list));
    bad(
        r#""executor": "constant-vus", "vus": 0"#,
        "the number of VUs must be more than 0, the duration is unspecified",
    );
    bad(
        r#""executor": "ramping-vus", "startVUs": -1, "stages": [{"duration": "1s"}], "gracefulRampDown": "-1s""#,
        "the number of start VUs can't be negative, stage 1 doesn't have a target, the gracefulRampDown timeout can't be \
         negative",
    );
    bad(
        r#""executor": "ramping-vus", "startVUs": 100000001, "stages": [{"duration": "1s", "target": 100000001}]"#,
        "the startVUs exceed max limit of 100000000, target for stage 1 exceeds max limit of 100000000",
    );
    bad(r#""executor": "ramping-vus""#, "at least one stage has to be specified");
    bad(
        r#""executor": "per-vu-iterations", "vus": -1, "iterations": 0, "maxDuration": 0"#,
        "the number of VUs must be more than 0, the number of iterations must be more than 0, the maxDuration must be at \
         least 1s, but is 0s",
    );
    bad(
        r#""executor": "shared-iterations", "vus": 3, "iterations": 2"#,
        "the number of iterations (2) can't be less than the number of VUs (3)",
    );
    bad(
        r#""executor": "constant-arrival-rate", "rate": 0, "timeUnit": "-1s", "duration": "1s", "preAllocatedVUs": -1"#,
        "the iteration rate must be more than 0, the timeUnit must be more than 0, the number of preAllocatedVUs can't be \
         negative",
    );
    bad(
        r#""executor": "ramping-arrival-rate", "stages": [{"duration": "1s", "target": -1}]"#,
        "the target for stage 1 can't be negative, the number of preAllocatedVUs isn't specified",
    );
    bad(
        r#""executor": "externally-controlled", "vus": 3, "maxVUs": 2, "startTime": "1s", "gracefulStop": "1s""#,
        "startTime is not supported by the externally-controlled executor, gracefulStop is not supported by the \
         externally-controlled executor, the number of maxVUs (2) can't be less than the number of VUs (3), the duration \
         must be specified, for infinite duration use 0",
    );
    check(
        run,
        r#"{"scenarios": {"a": {"executor": "constant-vus", "vus": 1}, "b": {"executor": "per-vu-iterations", "vus": 0}}}"#,
        104,
        "There were problems with the specified script configuration:\n\t- scenario a has configuration errors: the \
         duration is unspecified\n\t- scenario b has configuration errors: the number of VUs must be more than 0",
    );
    check(
        run,
        r#"{"scenarios": {"not ok!": {"executor": "per-vu-iterations"}}}"#,
        104,
        "There were problems with the specified script configuration:\n\t- scenario not ok! has configuration errors: \
         the scenario name should contain only numbers, latin letters, underscores, and dashes",
    );
}

#[test]
fn flags_are_attached_as_in_k6() {
    let check = |line: &str, expect: &str| {
        let run = run_of(line);
        let cli = &run.layers.cli;
        let got = format!("{} {:?} {:?} {:?} {:?}", run.script, cli.vus, cli.paused, cli.http_debug, run.linger);
        assert_eq!(got, expect, "{line}");
    };
    check("run -u 5 x.js", "x.js Some(5) None None Off");
    check("run -u5 x.js", "x.js Some(5) None None Off");
    check("run --vus=5 x.js", "x.js Some(5) None None Off");
    check("run x.js --vus 5 --vus 6", "x.js Some(6) None None Off");
    check("run --vus -5 x.js", "x.js Some(-5) None None Off");
    check("run --paused x.js", "x.js None Some(true) None Off");
    check("run --paused=false x.js", "x.js None Some(false) None Off");
    check("run -pl x.js", "x.js None Some(true) None UntilInterrupted");
    check("run --http-debug x.js", "x.js None None Some(\"headers\") Off");
    check("run --http-debug=full x.js", "x.js None None Some(\"full\") Off");
    check("run --linger -", "- None None None UntilInterrupted");
    check("run --linger=false -", "- None None None Off");
    check("-q run -v - --address :1 -u 1", "- Some(1) None None Off");
}

#[test]
fn lenient_forms_are_read_with_a_note() {
    let check = |line: &str, expect: &str, warning: &str| {
        let run = run_of(line);
        let settled = run.layers.settle(Options::default()).unwrap();
        let lines: Vec<_> = settled.scenarios.iter().map(|scenario| scenario.describe(&settled.share)).collect();
        assert_eq!(lines.join("; "), expect, "{line}");
        assert_eq!(run.warnings.len(), 1, "{line}: {:?}", run.warnings);
        assert!(run.warnings[0].contains(warning), "{line}: {:?}", run.warnings);
    };
    check(
        "run -u 50 --duration 10m --ramp-up=2m --ramp-down=1m x.js",
        "Up to 50 looping VUs for 10m0s over 3 stages (gracefulRampDown: 30s, gracefulStop: 30s)",
        "`--vus 0 --stage 2m0s:50 --stage 7m0s:50 --stage 1m0s:0`",
    );
    check("run -u 2 -d '23h 30m' x.js", "2 looping VUs for 23h30m0s (gracefulStop: 30s)", "write `23h30m`");
    check(
        "run --stage 2m:5u --stage 1m:0u x.js --quiet",
        "Up to 5 looping VUs for 3m0s over 2 stages (gracefulRampDown: 30s, gracefulStop: 30s)",
        "write `5`",
    );
    assert!(matches!(run_of("run --linger=30s x.js").linger, Linger::For(span) if span.as_nanos() == 30_000_000_000));
}

#[test]
fn settings_come_from_flags_then_variables() {
    let run = run_of(
        "K6_ADDRESS=:1 NO_COLOR= K6_SUMMARY_MODE=full K6_OUT=json=a,csv K6_WEB_DASHBOARD=true FROM=system K6_FEATURES=freeze-env,nope \
         run -e A=b=c -e B --log-output none x.js",
    );
    assert_eq!((run.global.address.as_deref(), run.global.address_is_flag), (Some(":1"), false));
    assert_eq!((run.global.log.no_color, run.global.log.output.as_str()), (true, "none"));
    assert_eq!(run.runtime.summary_mode, crate::summary::Mode::Full);
    assert_eq!(run.outputs, ["json=a", "csv", "web-dashboard"]);
    assert_eq!(
        (run.layers.features, run.unknown_features),
        (vec![crate::options::Feature::FreezeEnv], vec!["nope".to_owned()])
    );
    let env = run.runtime.script_env(&[("A".to_owned(), "archived".to_owned())].into());
    assert_eq!((env["A"].as_str(), env["B"].as_str(), env["FROM"].as_str()), ("b=c", "", "system"));
    let run = run_of("FROM=system run --include-system-env-vars=false x.js");
    assert!(run.runtime.system_env.is_empty());
}

#[test]
fn commands_print() {
    let check = |line: &str, expect: &str| match understand_line(line).request {
        Ok(Request::Print(text)) => assert!(text.contains(expect), "{line}: {text}"),
        other => panic!("{line}: {other:?}"),
    };
    check("", "run");
    check("--help", "inspect");
    check("run --help", "Usage: volley run [OPTIONS]");
    check("help run", "--vus");
    check("version", "k6 v2.2.0 (");
    check("--version", "k6 v2.2.0 (");
    check("version --json", "\"version\":\"v2.2.0\"");
    check("features --json", "\"lifecycle\": \"Experimental\"");
    check("completion bash", "complete");
    check("completion", "zsh");
    check("cloud script.js", "hosted service");
    check("x", "extensions");
}

#[test]
fn a_defect_has_a_code_of_its_own() {
    assert_eq!(guarded(|| panic!("on purpose")).unwrap_err().code, ExitCode::Panic);
    assert_eq!(guarded(|| Ok(ExitCode::Success)).unwrap(), ExitCode::Success);
}

#[test]
fn inspect_prints_what_k6_prints() {
    let script = r#"{"scenarios": {
        "a": {"executor": "ramping-vus", "stages": [{"duration": 1000, "target": 2}], "exec": "f", "env": {"X": "y"},
              "tags": {"t": "u"}, "startTime": "2s", "gracefulRampDown": "0s"},
        "b": {"executor": "constant-arrival-rate", "rate": 5, "duration": "1m", "preAllocatedVUs": 2}},
        "thresholds": {"z": ["p(95)<500", {"threshold": "avg<1", "abortOnFail": true, "delayAbortEval": "5s"}], "a": []},
        "userAgent": "a&b", "tlsVersion": {"min": "tls1.2"}, "hosts": {"A.test": "1.1.1.1:80"}}"#;
    let value: Value = serde_json::from_str(script).unwrap();
    let options = Options::from_json(&value, &mut Notes::default()).unwrap().options;
    insta::assert_snapshot!(inspect::plain(&options));
}

#[test]
fn archives_go_where_they_are_sent() {
    match understand_line("archive x.js -O out.tar --vus 3 --exclude-env-vars").request {
        Ok(Request::Archive(archive)) => {
            assert_eq!(archive.out.as_deref(), Some(Path::new("/here/out.tar")));
            assert!(archive.exclude_env);
        }
        other => panic!("{other:?}"),
    }
    match understand_line("archive x.js -O -").request {
        Ok(Request::Archive(archive)) => assert_eq!(archive.out, None),
        other => panic!("{other:?}"),
    }
}
