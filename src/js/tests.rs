//! The seam at work: small scripts on every engine of the build.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::runtime::worker::WorkerThreads;
use super::*;
use crate::execution::{RunState, ScenarioFacts, ScenarioProgress, ScenarioRun, VuControl};
use crate::failure::Failure;
use crate::log::Logger;
use crate::metrics::record::Epoch;
use crate::metrics::{Interner, Ledger, LedgerOptions, Recorder, Registry};
use crate::source::{FileSet, MapDisk};

/// Runs a script's default function so often in one VU; what it logged, or why it failed.
fn run(engine: Engine, source: &str, iterations: u64) -> Result<Vec<String>, Failure> {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = lines.clone();
    let log = Logger::new(move |entry| sink.lock().unwrap().push(entry.message));
    let files = FileSet::new(MapDisk::default(), FileSet::offline());
    files.remember("file:///main.js", source.as_bytes().to_vec().into());
    let interner = Arc::new(Interner::default());
    let state = Arc::new(RunState::default());
    let script = Arc::new(Script {
        engine,
        loader: Arc::new(Loader::new(Arc::new(files), "file:///", engine, &modules::TABLE)),
        modules: &modules::TABLE,
        module_state: Default::default(),
        address: "file:///main.js".to_owned(),
        env: Arc::new(BTreeMap::from([("WHO".to_owned(), "world".to_owned())])),
        freeze_env: false,
        async_metric_context: false,
        has_global: true,
        registry: Arc::new(Registry::new()),
        run_tags: interner.set([("group", "")]),
        interner,
        system_tags: Default::default(),
        log: log.clone(),
        epoch: Epoch::now(),
        state: state.clone(),
        net: crate::net::Net::idle(),
        secrets: Arc::new(crate::source::Secrets::open(&[], std::path::Path::new("/"), &|_| None, |_| ()).unwrap()),
        http: HttpDefaults {
            user_agent: "test".to_owned(),
            dumping: Default::default(),
            max_redirects: (10, false),
            discard_bodies: false,
            keep_cookies: false,
            close_after_iteration: false,
            batch: 20,
            batch_per_host: 6,
        },
        rate_limit: None,
        min_iteration_duration: Duration::ZERO,
        throw: false,
        permissions: Default::default(),
        is_strict: false,
        options: Default::default(),
        exported_options: Default::default(),
        setup_data: Default::default(),
    });
    let ledger = Ledger::new(script.registry.clone(), LedgerOptions::default(), log.clone());
    let ledger = Arc::new(Mutex::new(ledger));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let workers = Arc::new(WorkerThreads::start(1, move || Recorder::new(ledger.clone())).unwrap());
        VuSet::with_own_vu(&workers, &script, |_| (), |vu| async move { vu.exports().await }).await?;
        let crew = VuSet::new(script.clone(), workers, Box::new(|id| id));
        crew.initialise(1).await?;
        let progress = ScenarioProgress::new(Duration::from_secs(1), Some(iterations));
        let facts = ScenarioFacts::new(
            "default".into(),
            "shared-iterations",
            "default".to_owned(),
            script.env.clone(),
            script.run_tags.clone(),
            progress,
            Arc::new(|n| n),
        );
        let scenario = Arc::new(ScenarioRun {
            facts: Arc::new(facts),
            state: state.clone(),
            log,
            graceful_stop: Duration::ZERO,
            closing: Default::default(),
        });
        let work = crew.run(
            1,
            Box::new(move |vu| {
                Box::pin(async move {
                    vu.activate(&scenario);
                    for _ in 0..iterations {
                        vu.iterate().await;
                    }
                    vu.release();
                })
            }),
        );
        work.await;
        assert_eq!(state.complete.load(Relaxed), iterations);
        Ok::<_, Failure>(())
    })?;
    let lines = lines.lock().unwrap();
    Ok(lines.clone())
}

#[track_caller]
fn check(source: &str, iterations: u64, expect: &[&str]) {
    for (name, engine) in Engine::TABLE {
        let got = run(*engine, source, iterations).unwrap_or_else(|failure| vec![failure.message]);
        let got: Vec<String> = got.iter().map(|line| without_columns(line)).collect();
        assert_eq!(got, expect, "{name}");
    }
}

/// Engines count columns in their own ways: `script.js:3:14` becomes `script.js:3`.
fn without_columns(text: &str) -> String {
    let mut parts = text.split(".js:");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let line: String = part.chars().take_while(char::is_ascii_digit).collect();
        let rest = &part[line.len()..];
        let rest = rest.strip_prefix(':').map_or(rest, |rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
        out.push_str(&format!(".js:{line}{rest}"));
    }
    out
}

#[test]
fn a_script_runs_and_logs() {
    check(
        "export default function () { console.log(`hello ${__ENV.WHO}`, __VU, __ITER); }",
        2,
        &["hello world 1 0", "hello world 1 1"],
    );
}

#[test]
fn values_print_as_k6_prints_them() {
    check(
        "export default function () {
            console.log({ a: 1, b: [1, 'x', { c: null }], f() {} }, [], {}, undefined, null, -0, 1n, Symbol('s'));
            console.log(new Error('bad'), new Date(0), new Uint8Array([1, 2]), new Uint8Array([255]).buffer, new Map());
        }",
        1,
        &[
            "{ a: 1, b: [ 1, \"x\", { c: null } ], f: [object Function] } [] {} undefined null 0 1 s",
            "Error: bad \"1970-01-01T00:00:00.000Z\" Uint8Array(2) [ 1, 2 ] ArrayBuffer { [Uint8Contents]: <ff>, \
             byteLength: 1 } {}",
        ],
    );
}

#[test]
fn sleeping_and_timers_take_turns() {
    check(
        "import { sleep, group, check } from 'k6';
        import { Counter } from 'k6/metrics';
        const c = new Counter('my_c');
        export default function () {
            const out = [];
            setTimeout(() => { out.push('t20'); console.log(out.join(' ')); }, 20);
            setTimeout(() => { out.push('t0'); Promise.resolve().then(() => out.push('job in t0')); }, 0);
            Promise.resolve().then(() => out.push('p1')).then(() => out.push('p3'));
            (async () => { out.push('a1'); await null; out.push('p2'); await null; out.push('p4'); })();
            out.push('sync');
            sleep(0.001);
            console.log(group('g', () => 42), check(1, { one: (v) => v === 1, two: false }), c.add(1), c.name);
        }",
        1,
        &["42 false true my_c", "a1 sync p1 p2 p3 p4 t0 job in t0 t20"],
    );
}

#[test]
fn errors_bring_the_stack_of_the_script() {
    check(
        "import { group, fail } from 'k6';
        function inner() { throw new TypeError('boom'); }
        export default function () { if (__ITER === 0) group('g', inner); else Promise.reject(new Error('late')); }",
        2,
        &[
            "TypeError: boom\n\tat inner (file:///main.js:2)\n\tat default (file:///main.js:3)\n",
            "Uncaught (in promise) Error: late\n\tat default (file:///main.js:3)\n",
        ],
    );
}

#[test]
fn init_errors_fail_the_run() {
    check(
        "throw new Error('init broke'); export default function () {}",
        1,
        &["Error: init broke\n\tat file:///main.js:1\n"],
    );
    check(
        "import x from 'k6/nope'; export default function () {}",
        1,
        &[
            "unknown modules [\"k6/nope\"] were tried to be loaded, but couldn't - this likely means automatic extension \
         resolution is required or a custom k6 binary with the required extensions",
        ],
    );
}
