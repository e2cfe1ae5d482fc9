//! CI jobs written for k6, run as the shell scripts they are, with our program as `k6`: exit codes, artefacts, the gate.
//!
//! `ci/` holds a GitHub Actions workflow, a GitLab job and their script. Only as much YAML is understood as they need.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::book;
use crate::program::{Outcome, command, run};
use crate::server;

/// The text below a line, up to the next line that is not indented deeper than it.
fn block<'t>(lines: &[&'t str], at: usize) -> Vec<&'t str> {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let own = depth(lines[at]);
    let inside = lines[at + 1..].iter().take_while(|line| line.trim().is_empty() || depth(line) > own);
    let inside: Vec<_> = inside.copied().collect();
    let least = inside.iter().filter(|line| !line.trim().is_empty()).map(|line| depth(line)).min().unwrap_or(0);
    inside.iter().map(|line| line.get(least..).unwrap_or_default()).collect()
}

/// What the steps of a GitHub job run, in order.
fn github_steps(workflow: &str) -> Vec<String> {
    let lines: Vec<_> = workflow.lines().collect();
    let mut steps = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        match line.trim().trim_start_matches("- ").strip_prefix("run:").map(str::trim) {
            Some("|") => steps.push(block(&lines, at).join("\n")),
            Some(command) => steps.push(command.to_owned()),
            None => {}
        }
    }
    steps
}

/// What the script of a GitLab job runs, as one text.
fn gitlab_script(job: &str) -> String {
    let lines: Vec<_> = job.lines().collect();
    let at = lines.iter().position(|line| line.trim() == "script:").expect("there is a script");
    let script = block(&lines, at);
    let mut commands = Vec::new();
    for (at, line) in script.iter().enumerate() {
        match line.strip_prefix("- ") {
            Some("|") => commands.push(block(&script, at).join("\n")),
            Some(command) => commands.push(command.to_owned()),
            None => {}
        }
    }
    commands.join("\n")
}

/// A checkout with `k6` on the path.
struct Job {
    folder: TempDir,
    limit: &'static str,
}

impl Job {
    fn new(limit: &'static str) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        fs::write(folder.path().join("load.js"), include_str!("ci/load.js")).expect("a file can be written");
        fs::create_dir(folder.path().join("bin")).expect("a folder can be made");
        let link = folder.path().join("bin/k6");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_volley"), link).expect("a link can be made");
        Self { folder, limit }
    }

    /// Runs a text as a CI server does: it ends at the first command that fails.
    fn shell(&self, text: &str) -> Outcome {
        let path = format!("{}/bin:{}", self.folder.path().display(), std::env::var("PATH").unwrap_or_default());
        let mut shell = command(Path::new("bash"), self.folder.path());
        shell.args(["-e", "-o", "pipefail", "-c", text]).env("PATH", path);
        shell.env("BASE_URL", server::url()).env("LIMIT", self.limit).env("K6_NO_USAGE_REPORT", "true");
        shell.env("GITHUB_SHA", "abc").env("CI_COMMIT_SHORT_SHA", "abc");
        run(shell.env("GITHUB_STEP_SUMMARY", self.folder.path().join("step.md")))
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// What the job keeps is there, whole, and says the same, however it ended.
    fn check_artefacts(&self, failures: usize) {
        let summary: Value = serde_json::from_str(&self.read("summary.json")).expect("the summary is whole");
        assert_eq!(summary["metrics"]["http_reqs"]["count"], 6);
        assert_eq!(summary["metrics"]["checks"]["passes"], 12);
        let points = self.read("points.json");
        let points: Vec<Value> =
            points.lines().map(|line| serde_json::from_str(line).expect("every line is whole")).collect();
        let requests = points.iter().filter(|point| point["type"] == "Point" && point["metric"] == "http_reqs");
        assert_eq!(requests.inspect(|point| assert_eq!(point["data"]["tags"]["build"], "abc")).count(), 6);
        let junit = self.read("junit.xml");
        assert!(junit.contains(&format!("tests=\"3\" failures=\"{failures}\"")), "{junit}");
        assert_eq!(junit.matches("<failure ").count(), failures, "{junit}");
    }
}

#[test]
fn a_github_job() {
    let steps = github_steps(include_str!("ci/github.yml"));
    assert_eq!(steps.len(), 5);
    let check = |limit: &'static str, codes: &[i32], failures: usize| {
        let job = Job::new(limit);
        let mut ended = Vec::new();
        for step in &steps {
            let outcome = job.shell(step);
            ended.push(outcome.code);
            if outcome.code != 0 {
                let line = "level=error msg=\"thresholds on metrics 'http_reqs' have been crossed\"";
                assert!(outcome.stdout.contains(line), "{step}\n{}\n{}", outcome.stdout, outcome.stderr);
                break;
            }
        }
        assert_eq!(ended, codes);
        job.check_artefacts(failures);
        assert!(job.read("k6.log").contains("requests: 6\n"));
        let requirements: Value = serde_json::from_str(&job.read("requirements.json")).expect("it is JSON");
        assert_eq!((&requirements["maxVUs"], &requirements["totalDuration"]), (&2.into(), &"10m30s".into()));
        assert_eq!(job.folder.path().join("step.md").exists(), failures == 0);
    };
    check("1000", &[0, 0, 0, 0, 0], 0);
    check("3", &[0, 0, 0, 99], 1);
}

#[test]
fn a_gitlab_job() {
    let script = gitlab_script(include_str!("ci/gitlab.yml"));
    let check = |limit: &'static str, code: i32, line: &str, failures: usize| {
        let job = Job::new(limit);
        let outcome = job.shell(&script);
        assert_eq!(outcome.code, code, "{}\n{}", outcome.stdout, outcome.stderr);
        assert!(outcome.stdout.contains("k6 v2.3.0 ("), "{}", outcome.stdout);
        assert_eq!(outcome.stdout.lines().last(), Some(line), "{}", outcome.stderr);
        job.check_artefacts(failures);
    };
    check("1000", 0, "gate: open", 0);
    check("3", 99, "gate: closed with 99", 1);
}

/// The jobs that the book shows are run as a CI server would; what installs something is left out.
#[test]
fn jobs_of_the_book() {
    let page = include_str!("../docs/pipelines.md");
    let code = |name: &str| {
        let block = book::blocks(page).into_iter().find(|(head, _)| head.ends_with(name));
        block.unwrap_or_else(|| panic!("the page shows no {name}")).1
    };
    let jenkins: Vec<_> = code("Jenkinsfile").lines().filter_map(|line| line.trim().strip_prefix("sh '")).collect();
    let jobs = [
        github_steps(code("load-test.yml")),
        vec![gitlab_script(code(".gitlab-ci.yml"))],
        jenkins.iter().map(|line| line.trim_end_matches('\'').to_owned()).collect(),
    ];
    for (limit, code, failures) in [("1000", 0, 0), ("3", 99, 1)] {
        for steps in &jobs {
            assert_eq!(steps.len(), 1, "{steps:?}");
            let job = Job::new(limit);
            let outcome = job.shell(&steps[0]);
            assert_eq!(outcome.code, code, "{}\n{}\n{}", steps[0], outcome.stdout, outcome.stderr);
            job.check_artefacts(failures);
            let is_github = steps[0].contains("GITHUB");
            assert_eq!(job.folder.path().join("step.md").exists(), is_github);
        }
    }
}

/// What `grafana/run-k6-action` does with the files it is given, as its documentation says: the scripts among them are found by
/// `inspect`, each is run with the flags, and the worst exit code is the step's.
#[test]
fn the_action_that_runs_k6() {
    let job = Job::new("1000");
    fs::write(job.folder.path().join("helper.js"), "export const part = {").expect("a file can be written");
    let found = job.shell(
        "for file in *.js; do k6 inspect --execution-requirements \"$file\" > /dev/null 2>&1 && echo \"$file\"; done; true",
    );
    assert_eq!(found.stdout, "load.js\n", "{}", found.stderr);
    let outcome = job.shell("k6 run --summary-export=summary.json --out json=points.json --tag build=abc load.js");
    assert_eq!(outcome.code, 0, "{}\n{}", outcome.stdout, outcome.stderr);
    job.check_artefacts(0);
}
