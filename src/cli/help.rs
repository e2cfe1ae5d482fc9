//! What `--help` says besides the line of each flag: its default, its variable, examples, outputs.

use super::program;
use crate::output;

/// A flag, the variable that says the same, and what holds if neither does.
pub(super) const FLAGS: [(&str, &str, &str); 63] = [
    ("address", "K6_ADDRESS", ""),
    ("allow", "VOLLEY_ALLOW", ""),
    ("baseline", "VOLLEY_BASELINE", ""),
    ("batch", "K6_BATCH", "20"),
    ("batch-per-host", "K6_BATCH_PER_HOST", "6"),
    ("blacklist-ip", "K6_BLACKLIST_IPS", ""),
    ("block-hostnames", "K6_BLOCK_HOSTNAMES", ""),
    ("compatibility-mode", "K6_COMPATIBILITY_MODE", "extended"),
    ("config", "K6_CONFIG", "k6/config.json in the folder of configurations"),
    ("console-output", "K6_CONSOLE_OUTPUT", ""),
    ("discard-response-bodies", "K6_DISCARD_RESPONSE_BODIES", "false"),
    ("dns", "K6_DNS", "ttl=5m,select=random,policy=preferIPv4"),
    ("duration", "K6_DURATION", ""),
    ("execution-segment", "K6_EXECUTION_SEGMENT", ""),
    ("execution-segment-sequence", "K6_EXECUTION_SEGMENT_SEQUENCE", ""),
    ("features", "K6_FEATURES", ""),
    ("http-debug", "K6_HTTP_DEBUG", ""),
    ("include-system-env-vars", "K6_INCLUDE_SYSTEM_ENV_VARS", "true for `run`"),
    ("insecure-skip-tls-verify", "K6_INSECURE_SKIP_TLS_VERIFY", "false"),
    ("iterations", "K6_ITERATIONS", "1 if nothing says how long"),
    ("join", "VOLLEY_JOIN", ""),
    ("join-timeout", "VOLLEY_JOIN_TIMEOUT", "2m"),
    ("js-engine", "VOLLEY_JS_ENGINE", "quickjs"),
    ("linger", "K6_LINGER", "false"),
    ("local-ips", "K6_LOCAL_IPS", ""),
    ("log-format", "K6_LOG_FORMAT", "text"),
    ("log-ns-timestamps", "K6_LOG_NS_TIMESTAMPS", "false"),
    ("log-output", "K6_LOG_OUTPUT", "stderr"),
    ("max-redirects", "K6_MAX_REDIRECTS", "10"),
    ("min-iteration-duration", "K6_MIN_ITERATION_DURATION", ""),
    ("new-machine-readable-summary", "K6_NEW_MACHINE_READABLE_SUMMARY", "false"),
    ("no-color", "K6_NO_COLOR", "false; NO_COLOR means the same"),
    ("no-connection-reuse", "K6_NO_CONNECTION_REUSE", "false"),
    ("no-setup", "K6_NO_SETUP", "false"),
    ("no-teardown", "K6_NO_TEARDOWN", "false"),
    ("no-thresholds", "K6_NO_THRESHOLDS", "false"),
    ("no-usage-report", "K6_NO_USAGE_REPORT", ""),
    ("no-vu-connection-reuse", "K6_NO_VU_CONNECTION_REUSE", "false"),
    ("on-loss", "VOLLEY_ON_LOSS", "continue"),
    ("out", "K6_OUT", ""),
    ("paused", "K6_PAUSED", "false"),
    ("profiling-enabled", "K6_PROFILING_ENABLED", ""),
    ("report", "VOLLEY_REPORT", ""),
    ("rps", "K6_RPS", "no limit"),
    ("secret-source", "K6_SECRET_SOURCE", ""),
    ("stage", "K6_STAGES", ""),
    ("summary-export", "K6_SUMMARY_EXPORT", ""),
    ("summary-json", "VOLLEY_SUMMARY_JSON", ""),
    ("summary-junit", "VOLLEY_SUMMARY_JUNIT", ""),
    ("summary-mode", "K6_SUMMARY_MODE", "compact"),
    ("summary-time-unit", "K6_SUMMARY_TIME_UNIT", "what suits each value"),
    ("summary-trend-stats", "K6_SUMMARY_TREND_STATS", "avg,min,med,max,p(90),p(95)"),
    ("system-tags", "K6_SYSTEM_TAGS", ""),
    ("tag", "K6_TAGS", ""),
    ("throw", "K6_THROW", "false"),
    ("traces-output", "K6_TRACES_OUTPUT", "none"),
    ("type", "K6_TYPE", "what the file looks like"),
    ("ui", "VOLLEY_UI", ""),
    ("user-agent", "K6_USER_AGENT", output::USER_AGENT),
    ("vus", "K6_VUS", "1"),
    ("ramp-up", "", ""),
    ("ramp-down", "", ""),
    ("strict-k6", "", "false"),
];

/// Command lines to begin with, by command; the program's name goes in front.
const EXAMPLES: [(&str, &[(&str, &str)]); 14] = [
    (
        "run",
        &[
            ("run script.js", "what the script's options say"),
            ("run --vus 10 --duration 30s script.js", "ten users for half a minute"),
            ("run --once script.js", "one iteration: does it work?"),
            ("run --report report.html script.js", "and a page to read"),
            ("run -o json=points.json script.js", "and all samples"),
            ("run -e BASE_URL=https://test.example script.js", "a variable for __ENV"),
        ],
    ),
    ("archive", &[("archive -O test.tar script.js", "then `run test.tar` needs nothing else")]),
    ("inspect", &[("inspect --execution-requirements script.js", "how many users it needs, and for how long")]),
    (
        "new",
        &[
            ("new script.js", "one request and one check"),
            ("new --ts --template protocol test.ts", "a login, a rate and thresholds, in TypeScript"),
        ],
    ),
    ("deps", &[("deps script.js", "what it imports")]),
    ("stats", &[("stats --address localhost:6565", "of a test that was started with the same --address")]),
    ("scale", &[("scale --address localhost:6565 --vus 20", "from now on twenty users")]),
    ("completion", &[("completion bash > /etc/bash_completion.d/volley", "completion in new shells")]),
    ("target", &[("target --listen 127.0.0.1:8080", "something to test against")]),
    ("demo", &[("demo --report report.html", "ten seconds, and a page to read")]),
    (
        "procedure",
        &[
            ("procedure new procedure.js", "a commented procedure to start from"),
            ("procedure run procedure.js", "all of its runs, one report"),
            ("help procedure run", "what `procedure run` takes"),
        ],
    ),
    (
        "vendor",
        &[
            ("vendor", "of all scripts here and below"),
            ("vendor --check", "in a pipeline: is all there, and as it was?"),
        ],
    ),
    (
        "conduct",
        &[
            ("conduct redis://host/night-7 --instances 8", "shows, judges and reports what eight instances run"),
            ("run --join redis://host/night-7 --instance 3/8 script.js", "one of them"),
        ],
    ),
    ("compare", &[("compare before.json after.json", "two summaries of --summary-json")]),
];

/// Adds to the help of all commands.
pub(super) fn complete(root: clap::Command) -> clap::Command {
    let root = root.mut_args(described).after_help(format!(
        "`{0} help COMMAND` says what a command takes, `{0} help run` all flags of a test.\nBegin with `{0} demo`, or \
         `{0} new script.js` and `{0} run script.js`.",
        program()
    ));
    root.mut_subcommands(command)
}

fn command(command: clap::Command) -> clap::Command {
    let examples = EXAMPLES.iter().find(|(name, _)| *name == command.get_name()).map(|(_, list)| examples(list));
    let outputs = (command.get_name() == "run").then(outputs);
    let after: Vec<String> = examples.into_iter().chain(outputs).collect();
    let command = command.mut_args(described).mut_subcommands(|inner| inner.mut_args(described));
    if after.is_empty() { command } else { command.after_help(after.join("\n\n")) }
}

/// A flag with its default and its variable.
fn described(arg: clap::Arg) -> clap::Arg {
    let known = FLAGS.iter().find(|(flag, ..)| arg.get_long() == Some(flag));
    let Some((_, variable, default)) = known.filter(|_| arg.get_env().is_none()) else {
        return arg.hide_env_values(true);
    };
    let mut help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let has_default = !default.is_empty() && arg.get_default_values().is_empty();
    for (what, text) in
        [("default", has_default.then_some(*default)), ("env", Some(*variable).filter(|it| !it.is_empty()))]
    {
        if let Some(text) = text {
            help.push_str(&format!(" [{what}: {text}]"));
        }
    }
    arg.help(help)
}

fn examples(list: &[(&str, &str)]) -> String {
    let width = list.iter().map(|(line, _)| line.len()).max().unwrap_or(0);
    let line = |(line, what): &(&str, &str)| format!("\n  {} {line:width$}  # {what}", program());
    format!("Examples:{}", list.iter().map(line).collect::<String>())
}

fn outputs() -> String {
    let line = |(name, what): &(&str, &str)| format!("\n  {name:27} {what}");
    format!("Outputs, for --out:{}", output::DESCRIPTIONS.iter().map(line).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::commands::definition;

    /// What reads variables.
    const READERS: [&str; 8] = [
        include_str!("run.rs"),
        include_str!("runtime.rs"),
        include_str!("args.rs"),
        include_str!("demo.rs"),
        include_str!("join.rs"),
        include_str!("reports.rs"),
        include_str!("../options/env.rs"),
        include_str!("../options/table.rs"),
    ];

    #[test]
    fn flags_and_variables_are_there() {
        let root = definition();
        let commands = || std::iter::once(&root).chain(root.get_subcommands());
        for (flag, variable, _) in FLAGS {
            let has_it = |command: &clap::Command| command.get_arguments().any(|arg| arg.get_long() == Some(flag));
            assert!(commands().any(has_it), "--{flag}");
            assert!(
                READERS.iter().any(|text| text.contains(&format!("\"{variable}\""))) || variable.is_empty(),
                "{variable}"
            );
        }
    }

    #[test]
    fn options_that_are_flags_name_their_variable() {
        let root = definition();
        let run = root.find_subcommand("run").unwrap();
        for line in include_str!("../options/table.rs").lines().filter(|line| line.contains("Some(\"K6_")) {
            let variable = line.split("Some(\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
            let flag = variable.trim_start_matches("K6_").to_lowercase().replace('_', "-");
            if run.get_arguments().any(|arg| arg.get_long() == Some(&flag)) {
                assert!(FLAGS.iter().any(|(known, its, _)| *known == flag && *its == variable), "{flag} {variable}");
            }
        }
    }

    #[test]
    fn examples_parse() {
        for (_, list) in EXAMPLES {
            for (line, _) in list {
                let words = line.split(" > ").next().unwrap().split_whitespace();
                let parsed = definition().try_get_matches_from(std::iter::once("volley").chain(words));
                let is_help = line.starts_with("help");
                assert!(parsed.is_ok() || is_help, "{line}: {}", parsed.unwrap_err());
            }
        }
    }
}
