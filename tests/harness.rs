//! How tests are found, named and reported: every `#[test]` function and every file or folder that is a test is one entry,
//! which can be listed (`cargo test -- --list`), filtered by its name, and skipped with a reason.
//!
//! `#[test]` is not the compiler's here but that of `attribute/`, since the compiler's knows no test that finds out by
//! itself that it can't run. Such a test calls [`missing`] (or something of `needs`) and is reported as ignored; with
//! `VOLLEY_TEST_ALL=1` it fails.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Completion, Trial};

use crate::needs::is_of_this_build;

/// A function that is a test.
pub struct Case {
    module: &'static str,
    name: &'static str,
    run: fn(),
}

inventory::collect!(Case);

impl Case {
    /// What `#[test]` makes.
    pub const fn new(module: &'static str, name: &'static str, run: fn()) -> Self {
        Self { module, name, run }
    }
}

/// What a test lacks that ends here without a result.
struct Missing(String);

/// Ends the test that calls it: something is not installed or not allowed on this machine.
pub fn missing(what: &str) -> ! {
    if std::env::var_os("VOLLEY_TEST_ALL").is_some_and(|value| !value.is_empty() && value != "0") {
        panic!("{what}, and with VOLLEY_TEST_ALL nothing is skipped");
    }
    // Not a panic, so that no hook reports it.
    resume_unwind(Box::new(Missing(what.to_owned())))
}

thread_local! {
    /// Where and how this thread's test panicked.
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
    static IS_TEST: Cell<bool> = const { Cell::new(false) };
}

/// A test of this name.
pub fn trial(name: impl Into<String>, run: impl FnOnce() + Send + 'static) -> Trial {
    Trial::ignorable_test(name, move || {
        IS_TEST.set(true);
        catch_unwind(AssertUnwindSafe(run)).map_or_else(
            |thrown| match thrown.downcast::<Missing>() {
                Ok(missing) => Ok(Completion::ignored_with(missing.0)),
                Err(_) => Err(PANIC.take().unwrap_or_else(|| "it panicked on another thread".to_owned()).into()),
            },
            |()| Ok(Completion::Completed),
        )
    })
}

/// Keeps what a test's own thread panics with for the report at the end, with its place; others are told at once.
fn keep_panics() {
    let others = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !IS_TEST.get() {
            return others(panic);
        }
        let mut text = panic.to_string();
        let trace = Backtrace::capture();
        if trace.status() == BacktraceStatus::Captured {
            text += &format!("\n{trace}");
        }
        PANIC.set(Some(text));
    }));
}

/// Runs what the arguments of the process ask for, of all `#[test]` functions and of `more`.
pub fn main(more: impl IntoIterator<Item = Trial>) -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Tests wait for processes and servers more than they work.
    let threads = std::thread::available_parallelism().map_or(2, usize::from) * 2;
    arguments.test_threads.get_or_insert(threads);
    let functions = inventory::iter::<Case>.into_iter().map(|case| {
        // Without the name of the binary.
        let module = case.module.split_once("::").map_or("", |(_, module)| module);
        trial(format!("{module}::{}", case.name), case.run)
    });
    let mut trials: Vec<_> = functions.chain(more).filter(|test| is_of_this_build(test.name())).collect();
    trials.sort_by(|one, other| one.name().cmp(other.name()));
    keep_panics();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Runs itself as a test that lacks something.
#[test]
fn a_test_that_can_not_run_is_ignored_or_fails() {
    const LACKS: &str = "VOLLEY_TEST_LACKS";
    if std::env::var_os(LACKS).is_some() {
        missing("there is no unicorn here");
    }
    let check = |all: &str, code: i32, told: &[&str]| {
        let mut command = Command::new(std::env::current_exe().expect("the tests are a program"));
        command.args(["--exact", "harness::a_test_that_can_not_run_is_ignored_or_fails"]);
        let output = command.env(LACKS, "1").env("VOLLEY_TEST_ALL", all).output().expect("the tests start");
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(code), "{text}");
        told.iter().for_each(|part| assert!(text.contains(part), "no `{part}` in\n{text}"));
    };
    check("0", 0, &["... ignored", "0 passed; 0 failed; 1 ignored"]);
    check("1", 101, &["there is no unicorn here, and with VOLLEY_TEST_ALL", "tests/harness.rs:", "0 passed; 1 failed"]);
}
