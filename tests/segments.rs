//! One test split over several processes: together they do what one alone does, each its own part of it.

use std::fs;

use crate::program::{self, run, volley};

fn engines() -> impl Iterator<Item = &'static str> {
    volley::Engine::TABLE.iter().map(|(name, _)| *name)
}

/// The lines each part of the sequence logs, sorted as numbers where they begin with one.
fn parts(script: &str, sequence: &str, engine: &str) -> Vec<Vec<String>> {
    let folder = tempfile::tempdir().expect("a folder can be made");
    fs::write(folder.path().join("script.js"), script).expect("a file can be written");
    let points: Vec<_> = sequence.split(',').collect();
    let segments = points.windows(2).map(|ends| format!("--execution-segment={}:{}", ends[0], ends[1]));
    let sequence = format!("--execution-segment-sequence={sequence}");
    segments
        .map(|segment| {
            let args = ["run", "-q", "--log-format=raw", "--js-engine", engine, &segment, &sequence, "script.js"];
            let outcome = run(volley(folder.path()).args(args));
            assert_eq!(outcome.code, 0, "{segment}\n{}", outcome.stderr);
            let mut lines: Vec<String> =
                outcome.stderr.lines().filter(|line| line.contains(' ')).map(str::to_owned).collect();
            lines.sort_by_key(|line| line.split(' ').next().and_then(|number| number.parse::<u64>().ok()));
            lines
        })
        .collect()
}

/// A script that says the numbers of its iterations and of its VU.
fn script(scenario: &str) -> String {
    format!(
        "import exec from 'k6/execution';
        import {{ sleep }} from 'k6';
        export const options = {{ scenarios: {{ s: {{ {scenario} }} }} }};
        export default function () {{
            console.log(`${{exec.scenario.iterationInTest}} ${{exec.vu.idInTest}}`);
            sleep(0.02);
        }}"
    )
}

/// The first or the second number of each line.
fn numbers(lines: &[String], which: usize) -> Vec<u64> {
    let number = |line: &String| line.split(' ').nth(which).and_then(|word| word.parse().ok());
    let mut numbers: Vec<u64> = lines.iter().filter_map(number).collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn shared_iterations_are_dealt_out() {
    let script = script("executor: 'shared-iterations', vus: 5, iterations: 11");
    for engine in engines() {
        let parts = parts(&script, "0,1/3,2/3,1", engine);
        let iterations: Vec<_> = parts.iter().map(|part| numbers(part, 0)).collect();
        assert_eq!(iterations, [vec![0, 3, 5, 8, 10], vec![1, 4, 6, 9], vec![2, 7]], "{engine}");
        for (part, own) in parts.iter().zip([[1, 4], [2, 5], [3, 3]]) {
            assert!(numbers(part, 1).iter().all(|vu| own.contains(vu)), "{engine} {part:?}");
        }
    }
}

#[test]
fn every_vu_runs_all_its_iterations() {
    let script = script("executor: 'per-vu-iterations', vus: 5, iterations: 2");
    for engine in engines() {
        let parts = parts(&script, "0,1/3,2/3,1", engine);
        let iterations: Vec<_> = parts.iter().map(|part| numbers(part, 0)).collect();
        assert_eq!(iterations, [vec![0, 3, 6, 9], vec![1, 4, 7, 10], vec![2, 5]], "{engine}");
        let vus: Vec<_> = parts.iter().map(|part| numbers(part, 1)).collect();
        assert_eq!(vus, [vec![1, 1, 4, 4], vec![2, 2, 5, 5], vec![3, 3]], "{engine}");
    }
}

#[test]
fn arrivals_keep_the_schedule_of_the_whole() {
    let script = script("executor: 'constant-arrival-rate', rate: 10, duration: '2s', preAllocatedVUs: 7, maxVUs: 7");
    let parts = parts(&script, "0,1/2,3/4,1", program::engine());
    let expect = [vec![0, 2, 4, 6, 7, 9, 11, 13, 14, 16, 18, 20], vec![1, 5, 8, 12, 15, 19], vec![3, 10, 17]];
    for (part, expect) in parts.iter().zip(expect) {
        // A start at the very end may or may not be one.
        let seen = numbers(part, 0);
        assert!(expect.starts_with(&seen) && seen.len() + 1 >= expect.len(), "{seen:?} of {expect:?}");
    }
}

#[test]
fn a_part_without_vus_has_nothing_to_do() {
    let script = script("executor: 'constant-vus', vus: 1, duration: '1s'");
    let parts = parts(&script, "0,1/2,1", program::engine());
    assert!(!numbers(&parts[0], 0).is_empty());
    assert_eq!(numbers(&parts[1], 0), [0; 0]);
}
