//! `check` over scripts that run: it finds nothing wrong with them.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::needs;
use crate::program::{self, run, volley};

/// The scripts that come with the program are run by other tests.
#[test]
fn nothing_is_wrong_with_scripts_that_run() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for engine in program::engines() {
        let outcome = run(volley(root).args(["check", "--json", "--js-engine", engine, "load_tests"]));
        let found: Value = serde_json::from_str(&outcome.stdout).expect("it is JSON");
        // A build may lack modules; their examples are all that it may find something in. What only needs a permission is no finding.
        let all = found["findings"].as_array().expect("it is a list");
        let (notes, findings): (Vec<&Value>, Vec<&Value>) = all.iter().partition(|one| one["kind"] == "note");
        assert!(
            notes.iter().all(|note| note["text"].as_str().is_some_and(|text| text.contains("--allow"))),
            "{notes:?}"
        );
        let is_expected = |finding: &&Value| {
            let text =
                fs::read_to_string(root.join(finding["file"].as_str().expect("a file"))).expect("it can be read");
            !needs::has_modules_of(&text)
        };
        assert!(findings.iter().all(is_expected), "{engine}: {findings:?}");
        assert_eq!(
            (outcome.code, outcome.stderr.as_str()),
            (i32::from(!findings.is_empty()), ""),
            "{}",
            outcome.stdout
        );
        let scripts = found["scripts"].as_array().expect("it is a list");
        assert!(scripts.len() >= 40, "{scripts:?}");
        for name in ["cache_test.js", "examples/modules_commonjs.js", "examples/typescript_client.ts"] {
            assert!(scripts.iter().any(|script| *script == *format!("load_tests/{name}")), "{name}: {scripts:?}");
        }
    }
}

/// What `k6/execution` has is known to `check`, though it can't be asked before a test runs.
#[test]
fn members_of_execution_are_those_that_scripts_find() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let ask = "import exec from 'k6/execution';
        export default function () {
            const found = {};
            for (const part of ['instance', 'scenario', 'test', 'vu']) found[part] = Object.getOwnPropertyNames(exec[part]);
            console.log(JSON.stringify(found));
        }";
    std::fs::write(folder.path().join("ask.js"), ask).expect("a file can be written");
    for engine in program::engines() {
        let outcome =
            run(volley(folder.path()).args(["run", "--quiet", "--log-format=raw", "--js-engine", engine, "ask.js"]));
        let found: Value = serde_json::from_str(outcome.stderr.trim()).expect("it is JSON");
        let parts = found.as_object().expect("it is an object");
        let names = |part: &str| found[part].as_array().cloned().unwrap_or_default();
        let all: Vec<String> = parts
            .keys()
            .flat_map(|part| {
                names(part).into_iter().map(move |name| format!("exec.{part}.{}", name.as_str().unwrap_or_default()))
            })
            .collect();
        assert!(all.len() > 18, "{all:?}");
        let check = |uses: &str| {
            let text = format!("import exec from 'k6/execution'; export default () => [{uses}];");
            std::fs::write(folder.path().join("uses.js"), text).expect("a file can be written");
            run(volley(folder.path()).args(["check", "--js-engine", engine, "uses.js"]))
        };
        let outcome = check(&all.join(", "));
        assert_eq!(outcome.code, 0, "{engine}: {}", outcome.stdout);
        // And what is known is there.
        for part in parts.keys() {
            let outcome = check(&format!("exec.{part}.nowhere"));
            assert_eq!(outcome.code, 1, "{engine} {part}: {}", outcome.stdout);
        }
    }
}
