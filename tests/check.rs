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
        // A build may lack modules; their examples are all that it may find something in.
        let findings = found["findings"].as_array().expect("it is a list");
        let is_expected = |finding: &Value| {
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
