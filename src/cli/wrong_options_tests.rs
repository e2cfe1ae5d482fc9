//! Wrong options of every kind, as tables: what is typed, what the script exports, and how it is refused.

use clap::FromArgMatches;
use serde_json::Value;

use super::tests::{context_of, parsed};
use crate::cli::Action;
use crate::cli::run::RunArgs;
use crate::failure::Failure;
use crate::options::{Compat, Options};

/// A command line, the script's options as JSON, the exit code, and the message; `…` stands for any end.
type Case = (&'static str, &'static str, u8, &'static str);

/// Wrong usage of the command line.
const WRONG_USAGE: &[Case] = &[
    ("run --nope x.js", "null", 255, "unknown flag: --nope"),
    ("run --nope=3 x.js", "null", 255, "unknown flag: --nope"),
    ("run -z x.js", "null", 255, "unknown shorthand flag: 'z' in -z"),
    ("nonsense", "null", 255, "unknown command \"nonsense\" for \"volley\""),
    (
        "run",
        "null",
        255,
        "accepts 1 arg(s), received 0: arg should either be \"-\", if reading script from stdin, or a path to a script file",
    ),
    (
        "run a.js b.js",
        "null",
        255,
        "accepts 1 arg(s), received 2: arg should either be \"-\", if reading script from stdin, or a path to a script file",
    ),
    ("run x.js --vus", "null", 255, "flag needs an argument: --vus"),
    ("run x.js -u", "null", 255, "flag needs an argument: 'u' in -u"),
    ("inspect --vus 3 x.js", "null", 255, "unknown flag: --vus"),
    ("run --scenario=a --vus=0 x.js", "null", 104, "--scenario cannot be combined with --vus"),
    ("run --scenario=a -i 0 -d 0s x.js", "null", 104, "--scenario cannot be combined with --duration"),
    ("run --scenario=a -s 1s:1 -i 0 x.js", "null", 104, "--scenario cannot be combined with --iterations"),
    ("run --scenario=a -s 1s:1 x.js", "null", 104, "--scenario cannot be combined with --stage"),
    ("run --scenario=a --stage= x.js", "null", 104, "--scenario cannot be combined with --stage"),
    ("run --scenario=a --ramp-up 1s x.js", "null", 104, "--scenario cannot be combined with --ramp-up"),
    ("run --scenario a,b --once -u 1 x.js", "null", 104, "--scenario cannot be combined with --vus"),
    ("run --scenario= x.js", "null", 104, "--scenario requires at least one scenario name"),
    ("run --scenario x.js", "null", 255, "accepts 1 arg(s), received 0: …"),
    ("run --once --vus=0 x.js", "null", 104, "--once cannot be combined with --vus"),
    ("run --once -d 1s --vus=1 x.js", "null", 104, "--once cannot be combined with --vus"),
    ("run --once -d 1s x.js", "null", 104, "--once cannot be combined with --duration"),
    ("run --once -i 1 x.js", "null", 104, "--once cannot be combined with --iterations"),
    ("run --once -s 1s:1 x.js", "null", 104, "--once cannot be combined with --stage"),
    ("run --once --stage= x.js", "null", 104, "--once cannot be combined with --stage"),
    ("run --once --execution-segment 0:1 x.js", "null", 104, "--once cannot be combined with --execution-segment"),
    (
        "run --once --execution-segment-sequence 0,1 x.js",
        "null",
        104,
        "--once cannot be combined with --execution-segment-sequence",
    ),
    ("run --once --ramp-down 1s x.js", "null", 104, "--once cannot be combined with --ramp-down"),
    (
        "run --once=api x.js",
        "null",
        255,
        "invalid argument \"api\" for \"--once\" flag: strconv.ParseBool: parsing \"api\": invalid syntax",
    ),
    (
        "run --scenario=gone x.js",
        r#"{"scenarios": {"b": {"executor": "per-vu-iterations"}, "a": {"executor": "per-vu-iterations"}}}"#,
        104,
        "scenario \"gone\" not found; available scenarios: a, b",
    ),
    (
        "run --once x.js",
        r#"{"scenarios": {"b": {"executor": "per-vu-iterations"}, "a": {"executor": "per-vu-iterations"}}}"#,
        104,
        "--once can run only with a single scenario, but got: a, b",
    ),
];

/// Flags with invalid values.
const FLAGS: &[Case] = &[
    (
        "run --vus abc x.js",
        "null",
        255,
        "invalid argument \"abc\" for \"-u, --vus\" flag: strconv.ParseInt: parsing \"abc\": invalid syntax",
    ),
    (
        "run -d 5 x.js",
        "null",
        255,
        "invalid argument \"5\" for \"-d, --duration\" flag: time: missing unit in duration \"5\"",
    ),
    ("run -s abc:3 x.js", "null", 255, "error for stage 0: time: invalid duration \"abc\""),
    ("run -s :3 x.js", "null", 255, "stage 0 doesn't have a specified duration"),
    ("run -e A-B=1 x.js", "null", 255, "invalid environment variable name 'A-B'"),
    ("run --tag a x.js", "null", 255, "error parsing tag 'a': invalid tag, empty value"),
    ("run --tag =a x.js", "null", 255, "error parsing tag '=a': invalid tag, empty name"),
    ("run --dns ttl= x.js", "null", 255, "no value for key ttl="),
    ("run --dns foo=1 x.js", "null", 255, "unknown DNS configuration field: foo"),
    ("run --dns select=foo x.js", "null", 255, "foo does not belong to DNSSelect values"),
    ("run --dns ttl=abc x.js", "null", 255, "invalid DNS TTL: abc"),
    (
        "run --blacklist-ip 10.0.0.1 x.js",
        "null",
        255,
        "error parsing blacklist-ip '10.0.0.1': invalid CIDR address: 10.0.0.1",
    ),
    ("run --local-ips 300.1.1.1 x.js", "null", 255, "300.1.1.1 is not a valid IP, IP range or CIDR"),
    ("run --summary-trend-stats foo x.js", "null", 255, "invalid trend stat 'foo', unknown format"),
    ("run --summary-time-unit h x.js", "null", 255, "invalid summary time unit 'h', use 's', 'ms' or 'us'"),
    ("run --summary-mode legacy x.js", "null", 255, "invalid summary mode…"),
    (
        "run --execution-segment 2 x.js",
        "null",
        255,
        "invalid argument \"2\" for \"--execution-segment\" flag: segment end value can't be more than 1 but was 2.00",
    ),
    (
        "run --quiet=maybe x.js",
        "null",
        255,
        "invalid argument \"maybe\" for \"-q, --quiet\" flag: strconv.ParseBool: parsing \"maybe\": invalid syntax",
    ),
    (
        "run --execution-segment 1/4 --execution-segment-sequence 0,1/2,1 x.js",
        "null",
        104,
        "provided segment 0:1/4 can't be found in sequence 0,1/2,1",
    ),
    ("run -i 2 -s 1s:1 x.js", "null", 104, "using `iterations` and `stages` options simultaneously is not allowed"),
    (
        "run -c nowhere.json x.js",
        "null",
        104,
        "failed to load the configuration file from the local file system: stat nowhere.json: no such file or directory",
    ),
    (
        "run --ramp-up 5m --ramp-down 6m -u 3 -d 10m x.js",
        "null",
        104,
        "ramp-up 5m0s and ramp-down 6m0s don't fit into the duration 10m0s",
    ),
    ("run --ramp-up 5m -u 3 x.js", "null", 104, "`--ramp-up` needs `--vus` and `--duration`"),
];

/// What is accepted otherwise, under `--strict-k6`.
const STRICT: &[Case] = &[
    ("run --strict-k6 --ramp-up 5m -u 3 -d 10m x.js", "null", 255, "unknown flag: --ramp-up"),
    (
        "run --strict-k6 --linger=30s x.js",
        "null",
        255,
        "invalid argument \"30s\" for \"-l, --linger\" flag: strconv.ParseBool: parsing \"30s\": invalid syntax",
    ),
    (
        "run --strict-k6 -s 2m:5u x.js",
        "null",
        255,
        "error for stage 0: strconv.ParseInt: parsing \"5u\": invalid syntax",
    ),
    (
        "run --strict-k6 -d '23h 30m' x.js",
        "null",
        255,
        "invalid argument \"23h 30m\" for \"-d, --duration\" flag: time: unknown unit \"h \" in duration \"23h 30m\"",
    ),
    ("--strict-k6 status", "null", 255, "unknown command \"status\" for \"volley\""),
    ("scale --strict-k6 --vus 2", "null", 255, "unknown command \"scale\" for \"volley\""),
    ("run --strict-k6 --watch x.js", "null", 255, "unknown flag: --watch"),
    (
        "run --strict-k6 x.js",
        r#"{"scenarios": {"s": {"executor": "externally-controlled", "duration": "1s", "vus": 1}}}"#,
        104,
        "unknown executor type 'externally-controlled'",
    ),
];

/// Variables.
const VARIABLES: &[Case] = &[
    (
        "K6_VUS=abc run x.js",
        "null",
        104,
        "envconfig.Process: assigning K6_VUS to VUs: converting 'abc' to type null.Int. details: strconv.ParseInt: \
         parsing \"abc\": invalid syntax",
    ),
    (
        "K6_NO_SETUP=1 run x.js",
        "null",
        104,
        "envconfig.Process: assigning K6_NO_SETUP to NoSetup: converting '1' to type null.Bool. details: invalid input:1",
    ),
    (
        "K6_TAGS=a=b run x.js",
        "null",
        104,
        "envconfig.Process: assigning K6_TAGS to RunTags: converting 'a=b' to type map[string]string. details: invalid \
         map item: \"a=b\"",
    ),
    ("K6_STAGES=abc:2 run x.js", "null", 104, "envconfig.Process: assigning K6_STAGES to Stages: …"),
    ("K6_NO_THRESHOLDS=maybe run x.js", "null", 255, "env var 'K6_NO_THRESHOLDS' is not a valid boolean value: …"),
    ("K6_NO_USAGE_REPORT=1 run x.js", "null", 104, "envconfig.Process: assigning K6_NO_USAGE_REPORT to…"),
    ("K6_LINGER=1 run x.js", "null", 104, "envconfig.Process: assigning K6_LINGER to Linger: …"),
];

/// Instances.
const INSTANCES: &[Case] = &[
    ("run --instance 0/8 x.js", "null", 104, "`--instance 0/8`: instances are numbered from 1 to 8"),
    ("run --instance=9/8 x.js", "null", 104, "`--instance 9/8`: instances are numbered from 1 to 8"),
    (
        "run --instance 1/8 --instance 2/8 x.js",
        "null",
        104,
        "`--instance 1/8` and `--instance 2/8` disagree: leave one out",
    ),
    (
        "archive --instances 8 --instances=4 x.js",
        "null",
        104,
        "`--instances 8` and `--instances 4` disagree: leave one out",
    ),
    (
        "run --join redis://:s@a/x --join redis://:t@b/x --instance 1/8 x.js",
        "null",
        104,
        "`--join redis://****@a/x` and `--join redis://****@b/x` disagree: leave one out",
    ),
    (
        "conduct redis://a/x --instances 2 --instances 3",
        "null",
        104,
        "`--instances 2` and `--instances 3` disagree: leave one out",
    ),
    ("run --instance 1/0 x.js", "null", 104, "`--instance 1/0`: there are 1 to 1000 instances"),
    (
        "run --instance 3 x.js",
        "null",
        104,
        "`--instance 3`: an instance is its number and how many there are, such as `3/8`",
    ),
    (
        "run --instance= x.js",
        "null",
        104,
        "`--instance `: an instance is its number and how many there are, such as `3/8`",
    ),
    ("VOLLEY_INSTANCE=8 run x.js", "null", 104, "`VOLLEY_INSTANCE=8`: an instance is its number and how many…"),
    (
        "run --instances 8 x.js",
        "null",
        104,
        "`--instances 8` doesn't say which of them this is: neither JOB_COMPLETION_INDEX…",
    ),
    ("JOB_COMPLETION_INDEX= CI_NODE_INDEX= run --instances 8 x.js", "null", 104, "`--instances 8` doesn't say which…"),
    (
        "VOLLEY_INSTANCES=8 archive x.js",
        "null",
        104,
        "`VOLLEY_INSTANCES=8` doesn't say which of them this is: neither…",
    ),
    (
        "JOB_COMPLETION_INDEX=0 run --instances x8 x.js",
        "null",
        104,
        "`--instances x8`: how many instances is a whole number",
    ),
    ("JOB_COMPLETION_INDEX=0 run --instances 0 x.js", "null", 104, "`--instances 0`: there are 1 to 1000 instances"),
    (
        "JOB_COMPLETION_INDEX=8 run --instances 8 x.js",
        "null",
        104,
        "`JOB_COMPLETION_INDEX=8` is none of 8 instances (`--instances 8`): they are 0 to 7",
    ),
    (
        "CI_NODE_INDEX=0 run --instances 8 x.js",
        "null",
        104,
        "`CI_NODE_INDEX=0` is none of 8 instances (`--instances 8`): they are 1 to 8",
    ),
    (
        "JOB_COMPLETION_INDEX=first run --instances 8 x.js",
        "null",
        104,
        "`JOB_COMPLETION_INDEX=first` is none of 8 instances (`--instances 8`): they are 0 to 7",
    ),
    (
        "CI_NODE_INDEX=1 CI_NODE_TOTAL=4 run --instances 8 x.js",
        "null",
        104,
        "`--instances 8` and `CI_NODE_TOTAL=4` disagree",
    ),
    (
        "JOB_COMPLETION_INDEX=1 CI_NODE_INDEX=1 run --instances 8 x.js",
        "null",
        104,
        "`JOB_COMPLETION_INDEX=1` and `CI_NODE_INDEX=1` disagree: the one is instance 2/8, the other 1/8",
    ),
    (
        "JOB_COMPLETION_INDEX=3 run --instance 3/8 --instances 8 x.js",
        "null",
        104,
        "`--instance 3/8` and `JOB_COMPLETION_INDEX=3` disagree: the one is instance 3/8, the other 4/8",
    ),
    (
        "run --instance 3/8 --instances 4 x.js",
        "null",
        104,
        "`--instance 3/8` and `--instances 4` disagree: leave one out",
    ),
    (
        "run --instance 1/2 --execution-segment 0:1/2 x.js",
        "null",
        104,
        "`--instance 1/2` and `--execution-segment` both say which part of the test runs here: leave one out",
    ),
    (
        "VOLLEY_INSTANCE=1/2 archive --execution-segment-sequence 0,1/2,1 x.js",
        "null",
        104,
        "`VOLLEY_INSTANCE=1/2` and `--execution-segment-sequence` both say which part of the test runs here: leave one out",
    ),
    ("run --once --instance 1/2 x.js", "null", 104, "--once cannot be combined with --instance 1/2"),
    ("VOLLEY_INSTANCE=1/2 run --once x.js", "null", 104, "--once cannot be combined with VOLLEY_INSTANCE=1/2"),
    (
        "run --tag-instance x.js",
        "null",
        104,
        "`--tag-instance` needs to know which instance this is: add `--instance` or `--instances`",
    ),
    (
        "run --tag-instance --instance 2/3 x.js",
        r#"{"tags": {"instance": "blue"}}"#,
        104,
        "`--tag-instance` sets the tag `instance` to `2`, but the test has set it to `blue`: leave one out",
    ),
    (
        "inspect --instance 1/2 x.js",
        "null",
        104,
        "`--instance` needs `--execution-requirements` here: a script's own options are those of all instances",
    ),
    ("run --strict-k6 --instance 1/2 x.js", "null", 255, "unknown flag: --instance"),
    ("run --strict-k6 --instances 2 x.js", "null", 255, "unknown flag: --instances"),
    ("inspect --strict-k6 --instance 1/2 x.js", "null", 255, "unknown flag: --instance"),
    ("run --strict-k6 --tag-instance x.js", "null", 255, "unknown flag: --tag-instance"),
];

/// The script's options.
const SCRIPT_OPTIONS: &[Case] = &[
    ("run x.js", "3", 104, "parsing options from script got error while parsing \"3\": json: cannot unmarshal number…"),
    (
        "run x.js",
        r#"{"vus": 1.5}"#,
        104,
        "json: cannot unmarshal number 1.5 into Go struct field Options.vus of type int64",
    ),
    ("run x.js", r#"{"vus": "abc"}"#, 104, "strconv.ParseInt: parsing \"abc\": invalid syntax"),
    ("run x.js", r#"{"iterations": true}"#, 104, "json: cannot unmarshal bool into Go value of type null.Int"),
    ("run x.js", r#"{"throw": "yes"}"#, 104, "json: cannot unmarshal string into Go value of type null.Bool"),
    ("run x.js", r#"{"throw": 1}"#, 104, "json: cannot unmarshal float64 into Go value of type null.Bool"),
    ("run x.js", r#"{"userAgent": 1}"#, 104, "json: cannot unmarshal float64 into Go value of type null.String"),
    ("run x.js", r#"{"duration": "abc"}"#, 104, "time: invalid duration \"abc\""),
    (
        "run x.js",
        r#"{"duration": "0s"}"#,
        104,
        "`duration` option should be more than 0, for infinite duration use the externally-controlled executor",
    ),
    ("run x.js", r#"{"tlsVersion": "tls9"}"#, 104, "unknown TLS version 'tls9'"),
    ("run x.js", r#"{"tlsCipherSuites": ["foo"]}"#, 104, "unknown cipher suite 'foo'"),
    (
        "run x.js",
        r#"{"tlsAuth": [{"cert": "x", "key": "y"}]}"#,
        104,
        "tls: failed to find any PEM data in certificate input",
    ),
    ("run x.js", r#"{"hosts": {"a b": "1.1.1.1"}}"#, 104, "invalid host pattern 'a b'"),
    ("run x.js", r#"{"blockHostnames": ["a*"]}"#, 104, "invalid hostname pattern 'a*'"),
    (
        "run x.js",
        r#"{"blacklistIPs": ["10.0.0.1"]}"#,
        104,
        "failed to parse CIDR '10.0.0.1': invalid CIDR address: 10.0.0.1",
    ),
    ("run x.js", r#"{"dns": {"ttl": "abc"}}"#, 255, "invalid DNS TTL: abc"),
    ("run x.js", r#"{"dns": {"policy": "foo"}}"#, 104, "foo does not belong to DNSPolicy values"),
    ("run x.js", r#"{"dns": "ttl=1s"}"#, 104, "parsing options from script got error while parsing…"),
    ("run x.js", r#"{"tags": {"a": 1}}"#, 104, "parsing options from script got error while parsing…"),
    ("run x.js", r#"{"thresholds": {"a": "count>1"}}"#, 104, "parsing options from script got error while parsing…"),
    (
        "run x.js",
        r#"{"summaryTrendStats": ["p(101)"]}"#,
        255,
        "invalid percentile trend stat value 'p(101)', provide a number between 0 and 100",
    ),
    ("run x.js", r#"{"setupTimeout": 0}"#, 104, "setupTimeout must be positive"),
    (
        "run x.js",
        r#"{"executionSegment": "abc"}"#,
        104,
        "'abc' is not a valid percentage, decimal, fraction or interval value",
    ),
    (
        "run x.js",
        r#"{"stages": [{"duration": "1s", "target": 1}], "duration": "1s"}"#,
        104,
        "using `duration` and `stages` options simultaneously is not allowed",
    ),
    (
        "run x.js",
        r#"{"iterations": 0}"#,
        104,
        "There were problems with the specified script configuration:\n\t- scenario default has configuration errors: \
         the number of iterations (0) can't be less than the number of VUs (1)",
    ),
];

/// The fields of a scenario `s`, and what is wrong: a list of its configuration errors, or the whole message after `=`.
const SCENARIOS: &[(&str, &str)] = &[
    ("", "=scenario 's' doesn't have a specified executor type"),
    (r#""executor": "fast""#, "=unknown executor type 'fast'"),
    (r#""executor": "per-vu-iterations", "rate": 5"#, "=json: unknown field \"rate\""),
    (
        r#""executor": "ramping-vus", "stages": [{"duration": "1s", "target": 1, "foo": 1}]"#,
        "=json: unknown field \"foo\"",
    ),
    (r#""executor": "per-vu-iterations", "options": {"foo": 1}"#, "=json: unknown field \"foo\""),
    (
        r#""executor": "per-vu-iterations", "startTime": "-1s", "gracefulStop": "-2s", "exec": """#,
        "exec value cannot be empty, the startTime can't be negative, the gracefulStop timeout can't be negative",
    ),
    (
        r#""executor": "constant-arrival-rate""#,
        "the iteration rate isn't specified, the duration is unspecified, the number of preAllocatedVUs isn't specified",
    ),
    (
        r#""executor": "ramping-arrival-rate", "startRate": -1, "timeUnit": "0s", "preAllocatedVUs": 5, "maxVUs": 2"#,
        "the startRate value can't be negative, the timeUnit must be more than 0, at least one stage has to be \
             specified, maxVUs can't be less than preAllocatedVUs",
    ),
    (
        r#""executor": "shared-iterations", "vus": 0, "iterations": -1, "maxDuration": "10ms""#,
        "the number of VUs must be more than 0, the number of iterations (-1) can't be less than the number of VUs \
             (0), the maxDuration must be at least 1s, but is 10ms",
    ),
    (r#""executor": "constant-vus", "duration": "900ms""#, "the duration must be at least 1s, but is 900ms"),
    (
        r#""executor": "ramping-vus", "startVUs": 0, "stages": [{"duration": "1s", "target": 0}]"#,
        "either startVUs or one of the stages' target values must be greater than 0",
    ),
    (
        r#""executor": "ramping-vus", "stages": [{"target": 1}, {"duration": "-1s", "target": -1}]"#,
        "stage 1 doesn't have a duration, the duration for stage 2 can't be negative, the target for stage 2 can't be negative",
    ),
    (r#""executor": "constant-vus", "vus": 0"#, "the number of VUs must be more than 0, the duration is unspecified"),
    (
        r#""executor": "ramping-vus", "startVUs": -1, "stages": [{"duration": "1s"}], "gracefulRampDown": "-1s""#,
        "the number of start VUs can't be negative, stage 1 doesn't have a target, the gracefulRampDown timeout can't be \
         negative",
    ),
    (
        r#""executor": "ramping-vus", "startVUs": 100000001, "stages": [{"duration": "1s", "target": 100000001}]"#,
        "the startVUs exceed max limit of 100000000, target for stage 1 exceeds max limit of 100000000",
    ),
    (r#""executor": "ramping-vus""#, "at least one stage has to be specified"),
    (
        r#""executor": "per-vu-iterations", "vus": -1, "iterations": 0, "maxDuration": 0"#,
        "the number of VUs must be more than 0, the number of iterations must be more than 0, the maxDuration must be at \
         least 1s, but is 0s",
    ),
    (
        r#""executor": "shared-iterations", "vus": 3, "iterations": 2"#,
        "the number of iterations (2) can't be less than the number of VUs (3)",
    ),
    (
        r#""executor": "constant-arrival-rate", "rate": 0, "timeUnit": "-1s", "duration": "1s", "preAllocatedVUs": -1"#,
        "the iteration rate must be more than 0, the timeUnit must be more than 0, the number of preAllocatedVUs can't be \
         negative",
    ),
    (
        r#""executor": "ramping-arrival-rate", "stages": [{"duration": "1s", "target": -1}]"#,
        "the target for stage 1 can't be negative, the number of preAllocatedVUs isn't specified",
    ),
    (
        r#""executor": "externally-controlled", "vus": 3, "maxVUs": 2, "startTime": "1s", "gracefulStop": "1s""#,
        "startTime is not supported by the externally-controlled executor, gracefulStop is not supported by the \
         externally-controlled executor, the number of maxVUs (2) can't be less than the number of VUs (3), the duration \
         must be specified, for infinite duration use 0",
    ),
];

/// Several scenarios, and their names.
const SEVERAL_SCENARIOS: &[Case] = &[
    (
        "run x.js",
        r#"{"scenarios": {"a": {"executor": "constant-vus", "vus": 1}, "b": {"executor": "per-vu-iterations", "vus": 0}}}"#,
        104,
        "There were problems with the specified script configuration:\n\t- scenario a has configuration errors: the \
         duration is unspecified\n\t- scenario b has configuration errors: the number of VUs must be more than 0",
    ),
    (
        "run x.js",
        r#"{"scenarios": {"not ok!": {"executor": "per-vu-iterations"}}}"#,
        104,
        "There were problems with the specified script configuration:\n\t- scenario not ok! has configuration errors: \
         the scenario name should contain only numbers, latin letters, underscores, and dashes",
    ),
];

/// What refuses this line and these options: arguments, variables, the script's options, or all of them together.
fn refusal(line: &str, script: &str) -> Option<Failure> {
    let (command_line, env) = parsed(line);
    let (entry, matches) = match command_line.action {
        Err(failure) => return Some(failure),
        Ok(Action::Run(entry, matches)) => (entry, matches),
        Ok(Action::Print(_)) => return None,
    };
    let (context, ..) = context_of(command_line.global, env);
    if entry.name != "run" {
        return entry.run(&matches, context).err();
    }
    let run = match RunArgs::from_arg_matches(&matches).unwrap().settings(&context) {
        Ok(run) => run,
        Err(failure) => return Some(failure),
    };
    let value: Value = serde_json::from_str(script).unwrap();
    let mut notes = Compat::new(run.global.strict);
    Options::from_json(&value, &mut notes)
        .and_then(|decoded| run.script.layers.resolve(decoded.options, &mut Vec::new()))
        .err()
}

fn check(line: &str, script: &str, code: u8, expect: &str) {
    let failure = refusal(line, script).unwrap_or_else(|| panic!("`{line}` with {script} was accepted"));
    let start = expect.strip_suffix('…');
    let fits = start.map_or(failure.message == expect, |start| failure.message.starts_with(start));
    assert!(fits, "`{line}` with {script}\n     got {}\nexpected {expect}", failure.message);
    assert_eq!(failure.code as u8, code, "`{line}` with {script}");
}

#[test]
fn wrong_options_are_refused_in_k6s_words() {
    for table in [WRONG_USAGE, FLAGS, STRICT, VARIABLES, INSTANCES, SCRIPT_OPTIONS, SEVERAL_SCENARIOS] {
        table.iter().for_each(|(line, script, code, expect)| check(line, script, *code, expect));
    }
}

#[test]
fn wrong_scenarios_are_refused_in_k6s_words() {
    for (fields, expect) in SCENARIOS {
        let script = format!(r#"{{"scenarios": {{"s": {{{fields}}}}}}}"#);
        let errors = || {
            format!(
                "There were problems with the specified script configuration:\n\t- scenario s has configuration errors: {expect}"
            )
        };
        check("run x.js", &script, 104, &expect.strip_prefix('=').map_or_else(errors, str::to_owned));
    }
}
