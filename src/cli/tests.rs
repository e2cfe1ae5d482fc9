//! What people type, and what becomes of it.

use serde_json::Value;

use super::archive::ArchiveArgs;
use super::commands::Command;
use super::run::{RunArgs, RunSettings};
use super::*;
use crate::options::{Compat, Options};
use crate::run::Linger;
use crate::ui::terminal::Capabilities;
use crate::ui::terminal::tests::{Sheet, terminal};

/// A line split as a shell would; `'…'` keeps spaces, and words like `A=b` before the command are variables.
fn split(line: &str) -> (Vec<String>, Environment) {
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
    let mut env: Environment =
        words.iter().filter_map(|word| word.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
    env.insert("XDG_CONFIG_HOME".to_owned(), "/nowhere".to_owned());
    (rest, env)
}

/// Parses a line.
pub(super) fn parsed(line: &str) -> (CommandLine, Environment) {
    let (args, env) = split(line);
    (parse(&args, &env), env)
}

/// What commands run in: the folder `/here`, and a terminal that keeps what is written to it.
pub(super) fn context_of(global: GlobalSettings, env: Environment) -> (CommandContext, Sheet) {
    let (terminal, stdout, _) = terminal(Capabilities::default());
    let log =
        ProcessLog::open(&LogOptions { destination: Destination::None, ..LogOptions::default() }, terminal.clone());
    (CommandContext { global, env, cwd: PathBuf::from("/here"), terminal, log: log.unwrap() }, stdout)
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

/// The arguments of a command, and what it runs in.
fn args_of<C: Command>(line: &str) -> (C, CommandContext) {
    let (command_line, env) = parsed(line);
    let Ok(Action::Run(_, matches)) = command_line.action else { panic!("`{line}` is no command") };
    (C::from_arg_matches(&matches).unwrap(), context_of(command_line.global, env).0)
}

fn run_of(line: &str) -> RunSettings {
    let (args, context) = args_of::<RunArgs>(line);
    args.settings(&context).unwrap()
}

#[test]
fn flags_are_attached_as_in_k6() {
    let check = |line: &str, expect: &str| {
        let run = run_of(line);
        let cli = &run.script.layers.cli;
        let got =
            format!("{} {:?} {:?} {:?} {:?}", run.script.argument, cli.vus, cli.paused, cli.http_debug, run.linger);
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
        let settled = run.script.layers.resolve(Options::default(), &mut Vec::new()).unwrap();
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
    assert_eq!(run.script.runtime.summary_mode, crate::summary::Mode::Full);
    assert_eq!(run.outputs, ["json=a", "csv", "web-dashboard"]);
    assert_eq!(
        (run.script.layers.features.clone(), run.unknown_features),
        (vec![crate::options::Feature::FreezeEnv], vec!["nope".to_owned()])
    );
    let env = run.script.runtime.script_env(&[("A".to_owned(), "archived".to_owned())].into());
    assert_eq!((env["A"].as_str(), env["B"].as_str(), env["FROM"].as_str()), ("b=c", "", "system"));
    let run = run_of("FROM=system run --include-system-env-vars=false x.js");
    assert!(run.script.runtime.system_env.is_empty());
}

#[test]
fn scenarios_are_asked_for_by_flags_only() {
    let check = |line: &str, names: Option<&[&str]>, once: bool| {
        let selection = run_of(line).script.layers.selection;
        let expect = names.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!((selection.names, selection.once), (expect, once), "{line}");
    };
    check("run x.js", None, false);
    check("K6_ONCE=true K6_SCENARIO=a run x.js", None, false);
    check("run --scenario a,b x.js --scenario=c", Some(&["a", "b", "c"]), false);
    check("run --scenario= x.js --scenario c", Some(&["c"]), false);
    check("run --scenario a --execution-segment 0:1/2 x.js", Some(&["a"]), false);
    check("run --once x.js", None, true);
    check("run --once --scenario a x.js", Some(&["a"]), true);
    check("run --once=false --vus 3 x.js", None, false);
}

#[test]
fn an_instance_is_named_in_many_ways() {
    let check = |line: &str, expect: &str| {
        let layers = run_of(line).script.layers;
        let segment = |options: &Options| {
            let of = options.execution_segment_sequence.as_ref().map(ToString::to_string).unwrap_or_default();
            options.execution_segment.map_or_else(String::new, |segment| format!("{segment} of {of}"))
        };
        let instance = layers.instance.map_or_else(|| "none".to_owned(), |instance| instance.to_string());
        assert_eq!(format!("{instance} {}", segment(&layers.cli)).trim_end(), expect, "{line}");
    };
    let third = "3/4 1/2:3/4 of 0,1/4,1/2,3/4,1";
    check("run --instance 3/4 x.js", third);
    check("VOLLEY_INSTANCE=3/4 run x.js", third);
    check("VOLLEY_INSTANCE=1/4 run --instance=3/4 x.js", third);
    check("JOB_COMPLETION_INDEX=2 run --instances 4 x.js", third);
    check("JOB_COMPLETION_INDEX=2 VOLLEY_INSTANCES=4 run x.js", third);
    check("CI_NODE_INDEX=3 CI_NODE_TOTAL=4 run --instances 4 x.js", third);
    check("CI_NODE_INDEX=3 run --instances 4 x.js", third);
    check("JOB_COMPLETION_INDEX=2 CI_NODE_INDEX=3 run --instances 4 --instance 3/4 x.js", third);
    check("VOLLEY_INSTANCE= VOLLEY_INSTANCES= run x.js", "none");
    // Every job of a cluster or a pipeline has these: alone they say nothing.
    check("JOB_COMPLETION_INDEX=2 CI_NODE_INDEX=3 CI_NODE_TOTAL=4 run x.js", "none");
    check("run --instance 1/1 x.js", "1/1 0:1 of 0,1");
    check("run --scenario a --instance 3/4 x.js", third);
}

#[test]
fn samples_are_tagged_with_the_instance() {
    let check = |line: &str, script: Value, expect: Value| {
        let script = Options::from_json(&script, &mut Compat::default()).unwrap().options;
        let resolved = run_of(line).script.layers.resolve(script, &mut Vec::new()).unwrap();
        assert_eq!(resolved.options.to_json()["tags"], expect, "{line}");
    };
    use serde_json::json;
    check("run --instance 3/4 x.js", json!({"tags": {"a": "b"}}), json!({"a": "b"}));
    check("run --instance 3/4 --tag-instance x.js", json!({}), json!({"instance": "3"}));
    check("run --instance 3/4 --tag-instance x.js", json!({"tags": {"a": "b"}}), json!({"a": "b", "instance": "3"}));
    check("run --instance 3/4 --tag-instance --tag c=d x.js", json!({}), json!({"c": "d", "instance": "3"}));
    check("run --instance 3/4 --tag-instance=false x.js", json!({"tags": {"a": "b"}}), json!({"a": "b"}));
}

#[test]
fn log_times_are_exact_where_asked_for() {
    let check = |line: &str, expect: bool| {
        let (command_line, _) = parsed(line);
        assert!(command_line.action.is_ok(), "{line}");
        assert_eq!(command_line.global.log.ns_timestamps, expect, "{line}");
    };
    check("run x.js", false);
    check("run --log-ns-timestamps x.js", true);
    check("--log-ns-timestamps version", true);
    check("inspect x.js --log-ns-timestamps", true);
    check("K6_LOG_NS_TIMESTAMPS= run x.js", true);
    check("K6_LOG_NS_TIMESTAMPS=false run x.js", true);
    check("K6_LOG_NS_TIMESTAMPS=1 run --log-ns-timestamps=false x.js", false);
}

#[test]
fn commands_print() {
    let check = |line: &str, expect: &str| {
        let (command_line, env) = parsed(line);
        let (context, stdout) = context_of(command_line.global, env);
        assert_eq!(command_line.action.and_then(|action| action.run(context)).unwrap(), ExitCode::Success, "{line}");
        let text = stdout.read();
        assert!(text.contains(expect), "{line}: {text}");
    };
    check("", "run");
    check("--help", "inspect");
    check("run --help", "Usage: volley run [OPTIONS]");
    check("help run", "--vus");
    check("run --help", "anonymous usage stats (");
    check("version", "k6 v2.3.0 (");
    check("--version", "k6 v2.3.0 (");
    check("version --json", "\"version\":\"v2.3.0\"");
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
    let options = Options::from_json(&value, &mut Compat::default()).unwrap().options;
    insta::assert_snapshot!(inspect::plain(&options));
}

#[test]
fn archives_go_where_they_are_sent() {
    let check = |line: &str, expect: Option<&str>| {
        let (args, context) = args_of::<ArchiveArgs>(line);
        assert_eq!(args.out(&context.cwd).as_deref(), expect.map(Path::new), "{line}");
    };
    check("archive x.js", Some("/here/archive.tar"));
    check("archive x.js -O out.tar --vus 3 --exclude-env-vars", Some("/here/out.tar"));
    check("archive x.js -O -", None);
}
