//! `k6/x/exec` and `k6/x/file`, on every engine of the build: nothing without `--allow`, and everything they can with it.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::program::{Outcome, engines, run, volley};
use crate::redis::logged;

/// Runs a script in a folder, with these arguments.
fn run_in(folder: &Path, engine: &str, args: &[&str], text: &str) -> Outcome {
    fs::write(folder.join("script.js"), text).unwrap();
    let mut command = volley(folder);
    command.args([
        "run",
        "--quiet",
        "--no-color",
        "--log-format=json",
        "--summary-export=summary.json",
        "--js-engine",
        engine,
    ]);
    run(command.args(args).arg("script.js"))
}

fn check(engine: &str, args: &[&str], text: &str, code: i32, expect: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let outcome = run_in(folder.path(), engine, args, text);
    assert_eq!(logged(&outcome.stderr), expect, "{engine}: {}", outcome.stderr);
    assert_eq!(outcome.code, code, "{engine}: {}", outcome.stderr);
}

#[test]
fn programs_and_all_threads_but_those_of_vus_are_scheduled_as_usual() {
    // The 41st field of `stat` is the policy, proc(5): 0 is the usual one, 3 is SCHED_BATCH.
    let text = r#"
import exec from 'k6/x/exec';
const listing = `cut -d ' ' -f 41 /proc/self/stat
for thread in /proc/$PPID/task/*; do cut -d ' ' -f 2,41 $thread/stat; done 2>/dev/null |
  grep -e tokio -e ' 3$' | sed 's/-[0-9]*)/)/' | sort -u`;
export default function () {
  console.log(exec.command('sh', ['-c', listing]));
}"#;
    for engine in engines() {
        check(engine, &["--allow", "exec"], text, 0, &["0\n(tokio-rt-worker) 0\n(volley-js) 3\n"]);
    }
}

#[test]
fn nothing_of_this_machine_is_touched_unasked() {
    let text = r"
import exec from 'k6/x/exec';
import file from 'k6/x/file';
const told = (work) => { try { return work(); } catch (error) { return String(error); } };
export default function () {
  console.log(told(() => exec.command('touch', ['made'])));
  console.log(told(() => file.writeString('made', 'x')));
}";
    let refused = [
        "GoError: k6/x/exec: running programs of this machine is not allowed to scripts unless they are run with --allow exec",
        "GoError: k6/x/file: reading and writing files of this machine is not allowed to scripts unless they are run with --allow file",
    ];
    for engine in engines() {
        check(engine, &[], text, 0, &refused);
        check(engine, &["--allow", "exec"], text, 0, &["", refused[1]]);
        check(engine, &["--allow=exec", "--allow=file"], text, 0, &["", "undefined"]);
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("script.js"), text).unwrap();
        let mut command = volley(folder.path());
        command.args(["run", "--quiet", "--log-format=json", "--js-engine", engine, "script.js"]);
        let outcome = run(command.env("VOLLEY_ALLOW", "file"));
        assert_eq!(logged(&outcome.stderr), [refused[0], "undefined"], "{}", outcome.stderr);
    }
}

/// Who looks at a script without running a test decides for himself, and an archive carries no permission.
#[test]
fn archives_and_inspect_ask_too() {
    let text = r"
import file from 'k6/x/file';
const vus = Number(file.readFile('vus.txt'));
export const options = { vus, iterations: vus };
export default function () { console.log(file.readFile('vus.txt').trim()); }";
    for engine in engines() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("script.js"), text).unwrap();
        fs::write(folder.path().join("vus.txt"), "2\n").unwrap();
        let said = |args: &[&str]| run(volley(folder.path()).args(args).args(["--js-engine", engine]));
        let refused = said(&["inspect", "script.js"]);
        assert_eq!(refused.code, 107, "{}", refused.stderr);
        assert!(refused.stderr.contains("--allow file"), "{}", refused.stderr);
        let inspected = said(&["inspect", "--allow", "file", "script.js"]);
        let inspected: Value = serde_json::from_str(&inspected.stdout).expect("it is JSON");
        assert_eq!(inspected["vus"], 2);
        assert_eq!(said(&["archive", "--allow", "file", "-O", "test.tar", "script.js"]).code, 0);
        assert_eq!(said(&["run", "--quiet", "test.tar"]).code, 107);
        let outcome = said(&["run", "--quiet", "--log-format=json", "--allow", "file", "test.tar"]);
        assert_eq!(logged(&outcome.stderr), ["2", "2"], "{}", outcome.stderr);
    }
}

#[test]
fn programs_say_what_they_have_to_say() {
    let text = r"
import exec, { command } from 'k6/x/exec';
const told = (work) => { try { return work(); } catch (error) { return `${error.name}: ${error.message}`; } };
const sh = (text, options) => told(() => exec.command('sh', ['-c', text], options));
const on = { continue_on_error: true };
console.log(sh('echo early').trim());
export default function () {
  console.log(JSON.stringify(exec.command('echo', ['a', 'b c'])), command('true') === '', sh('echo é >&2; echo x'));
  console.log(sh('pwd', { dir: '/' }), sh('echo $A-$B', { env: ['A=1', 'B=x=y'] }), sh('echo o; echo e >&2', { combine_output: true }));
  console.log(sh('exit 3', on), sh('kill -9 $$', on), told(() => exec.command('no-such-program', [], on)));
  console.log(told(() => exec.command('./nowhere', [], on)), sh('true', { dir: '/nowhere', ...on }), told(() => exec.command('/', [], on)));
  try { exec.command('sh', ['-c', 'echo out; echo err >&2; exit 4'], { ...on, include_stdout_on_error: true }); } catch (error) {
    console.log(JSON.stringify([error.message, error.stdout, error.stderr, error.process_state.exitCode(), error.process_state.success(), String(error.process_state)]));
  }
  console.log(exec.command('sh', ['-c', 'head -c 1000000 /dev/zero | tr \\\\0 x']).length, exec.command('cat') === '');
  console.log(told(() => exec.command('true', 5)), told(() => exec.command('true', [], { dri: '/' })));
}";
    for engine in engines() {
        let expect = [
            "early",
            "\"a b c\\n\" true x\n",
            "/\n 1-x=y\n o\ne\n",
            "GoError: exit status 3 GoError: signal: killed GoError: exec: \"no-such-program\": executable file not found in $PATH",
            "GoError: fork/exec ./nowhere: no such file or directory GoError: chdir /nowhere: no such file or directory GoError: fork/exec /: permission denied",
            "[\"exit status 4\",\"out\\n\",\"err\\n\",4,false,\"exit status 4\"]",
            "1000000 true",
            "GoError: the arguments of a command must be an array of strings, not int64 GoError: a command has no option \"dri\", only combine_output, continue_on_error, dir, env and include_stdout_on_error",
        ];
        let folder = tempfile::tempdir().unwrap();
        let outcome = run_in(folder.path(), engine, &["--allow", "exec"], text);
        let mut said = logged(&outcome.stderr);
        // The init code runs more than once.
        said.dedup();
        assert_eq!(said, expect, "{engine}: {}", outcome.stderr);
        let summary: Value = serde_json::from_slice(&fs::read(folder.path().join("summary.json")).unwrap()).unwrap();
        assert!(summary["metrics"]["exec_duration"]["max"].as_f64() > Some(0.0), "{summary}");
    }
}

/// As k6 ends where a command fails that was not to, but with a summary.
#[test]
fn a_command_that_fails_ends_the_run() {
    let text = r"
import exec from 'k6/x/exec';
export const options = { iterations: 5 };
export default function () {
  console.log(__ITER);
  try { exec.command('sh', ['-c', 'exit 3']); } finally { console.log('never'); }
}";
    for engine in engines() {
        let folder = tempfile::tempdir().unwrap();
        let outcome = run_in(folder.path(), engine, &["--allow", "exec"], text);
        assert_eq!(outcome.code, 108, "{engine}: {}", outcome.stderr);
        assert!(outcome.stderr.contains("exit status 3 on command: sh -c exit 3"), "{}", outcome.stderr);
        assert!(!outcome.stderr.contains("never"), "{}", outcome.stderr);
        assert!(folder.path().join("summary.json").exists());
    }
}

/// Whether a process has this argument.
fn is_running(argument: &str) -> bool {
    let folders = fs::read_dir("/proc").unwrap().flatten();
    let words = folders.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    words.into_iter().any(|words| words.split(|byte| *byte == 0).any(|word| word == argument.as_bytes()))
}

#[test]
fn an_iteration_that_is_cut_off_leaves_no_program_behind() {
    for engine in engines() {
        let seconds = format!("98{}.{}", engine.len(), std::process::id());
        let text = format!(
            r"
import exec from 'k6/x/exec';
export const options = {{ scenarios: {{ s: {{ executor: 'shared-iterations', vus: 3, iterations: 3, maxDuration: '1s', gracefulStop: '0s' }} }} }};
export default function () {{
  // The shell's child is to go too.
  exec.command('sh', ['-c', 'sleep {seconds}; echo never']);
  console.log('it ended');
}}"
        );
        check(engine, &["--allow", "exec"], &text, 0, &[]);
        let begun = Instant::now();
        while is_running(&seconds) {
            assert!(begun.elapsed() < Duration::from_secs(30), "a program was left behind");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn vus_wait_for_programs_beside_each_other() {
    let text = r"
import exec from 'k6/x/exec';
import { check } from 'k6';
export const options = { vus: 30, iterations: 120, thresholds: { checks: ['rate==1'], 'exec_duration{command:sh,status:ok}': ['min>50'] } };
export default function () {
  const own = `${__VU}-${__ITER}`;
  check(exec.command('sh', ['-c', `sleep 0.05; echo ${own}`]), { own: (text) => text.trim() === own });
}";
    for engine in engines() {
        check(engine, &["--allow", "exec"], text, 0, &[]);
    }
}

#[test]
fn files_are_written_and_read() {
    let text = r"
import file, { readFile } from 'k6/x/file';
const told = (work) => { try { return work(); } catch (error) { return String(error); } };
const say = (...values) => console.log(JSON.stringify(values));
export default function () {
  say(file.writeString('a.txt', 'é1\n2\n'), file.appendString('a.txt', '3\n4\n'), readFile('a.txt'));
  say(file.removeRowsBetweenValues('a.txt', 2, 3), file.readFile('a.txt'), file.clearFile('a.txt'), file.readFile('a.txt'));
  file.writeBytes('b.bin', new Uint8Array([65, 66]));
  file.writeBytes('c.bin', [67, 68]);
  say(file.readFile('b.bin') + file.readFile('c.bin'), file.appendString('new.txt', 5), file.readFile('new.txt'));
  file.createDirectory('d/e/f');
  file.renameFile('b.bin', 'd/e/f/moved');
  say(file.readFile('d/e/f/moved'), file.deleteDirectory('d'), file.deleteDirectory('d'), file.deleteFile('c.bin'));
  say(told(() => file.readFile('c.bin')), told(() => file.writeString('no/x', '')), told(() => file.deleteFile('c.bin')));
  say(told(() => file.clearFile('c.bin')), told(() => file.renameFile('c.bin', 'x')), told(() => file.readFile('.')));
  say(told(() => file.createDirectory('a.txt/x')), told(() => file.writeBytes('x', [300])), told(() => file.removeRowsBetweenValues('no', 1, 2)));
}";
    for engine in engines() {
        let expect = [
            "[null,null,\"é1\\n2\\n3\\n4\\n\"]",
            "[null,\"é1\\n4\\n\",null,\"\"]",
            "[\"ABCD\",null,\"5\"]",
            "[\"AB\",null,null,null]",
            "[\"GoError: open c.bin: no such file or directory\",\"GoError: open no/x: no such file or directory\",\"GoError: remove c.bin: no such file or directory\"]",
            "[\"GoError: open c.bin: no such file or directory\",\"GoError: rename c.bin x: no such file or directory\",\"GoError: read .: is a directory\"]",
            "[\"GoError: mkdir a.txt/x: not a directory\",\"TypeError: could not convert 300 to byte\",\"GoError: open no: no such file or directory\"]",
        ];
        let folder = tempfile::tempdir().unwrap();
        let outcome = run_in(folder.path(), engine, &["--allow", "file"], text);
        assert_eq!(logged(&outcome.stderr), expect, "{engine}: {}", outcome.stderr);
        assert_eq!(fs::read(folder.path().join("a.txt")).unwrap(), b"");
        assert!(!folder.path().join("d").exists());
        let summary: Value = serde_json::from_slice(&fs::read(folder.path().join("summary.json")).unwrap()).unwrap();
        assert!(summary["metrics"]["file_duration"]["max"].as_f64() > Some(0.0), "{summary}");
    }
}

/// Rows that many VUs append are whole.
#[test]
fn vus_append_beside_each_other() {
    let text = r"
import file from 'k6/x/file';
export const options = { vus: 50, iterations: 1000 };
export default function () { file.appendString('rows.txt', `${'x'.repeat(100)}\n`); }";
    for engine in engines() {
        let folder = tempfile::tempdir().unwrap();
        let outcome = run_in(folder.path(), engine, &["--allow", "file"], text);
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        assert_eq!(
            fs::read_to_string(folder.path().join("rows.txt")).unwrap(),
            format!("{}\n", "x".repeat(100)).repeat(1000)
        );
    }
}

#[test]
fn what_can_be_allowed_is_said() {
    for engine in engines() {
        let folder = tempfile::tempdir().unwrap();
        let outcome = run_in(folder.path(), engine, &["--allow", "all"], "export default () => {};");
        assert_eq!(outcome.code, 255, "{}", outcome.stderr);
        let expect = "there is nothing to allow called `all`, only `exec` and `file`";
        assert!(outcome.stderr.contains(expect), "{}", outcome.stderr);
    }
}
