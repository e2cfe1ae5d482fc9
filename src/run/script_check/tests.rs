//! What is told of scripts, and what is not.

use std::fs;
use std::sync::LazyLock;

use super::*;
use crate::js::engine::Engine;
use crate::source::RealDisk;
use crate::ui::log::{Destination, LogOptions, ProcessLog};
use crate::ui::terminal::Capabilities;
use crate::ui::terminal::tests::terminal;

fn offered(engine: Engine) -> Offered {
    let (terminal, ..) = terminal(Capabilities::default());
    let options = LogOptions { destination: Destination::None, ..LogOptions::default() };
    Offered::ask(engine, &ProcessLog::open(&options, terminal).unwrap()).unwrap()
}

static OFFERED: LazyLock<Offered> = LazyLock::new(|| offered(Engine::DEFAULT));

/// Files in a folder: the scripts among them, and what is told, as `FILE:LINE:COLUMN: TEXT`.
fn checked(files: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let mut check = ScriptCheck::default();
    let disk = FileSet::new(RealDisk, FileSet::offline());
    for script in scripts_below(folder.path()).unwrap() {
        check.look_at(&script, &disk, &OFFERED);
    }
    let shown = |path: &Path| path.strip_prefix(folder.path()).unwrap().display().to_string();
    let told = check.findings.iter().map(|finding| {
        let (ScriptFinding { text, is_remark, .. }, Place { line, column }) = (finding, finding.place);
        let text = text.replace(&*folder.path().to_string_lossy(), "DIR");
        format!("{}:{line}:{column}: {}{text}", shown(&finding.file), if *is_remark { "note: " } else { "" })
    });
    (check.scripts.iter().map(|path| shown(path)).collect(), told.collect())
}

/// What is told of a script that has these lines.
fn check(text: &str, expect: &[&str]) {
    let (scripts, told) = checked(&[("x.js", text)]);
    assert_eq!(scripts, ["x.js"], "{text}");
    let expect: Vec<String> = expect.iter().map(|line| format!("x.js:{line}")).collect();
    // `…` stands for any end.
    let is_told = |(told, expect): (&String, &String)| match expect.split_once('…') {
        Some((begin, "")) => told.starts_with(begin),
        _ => told == expect,
    };
    assert!(told.len() == expect.len() && told.iter().zip(&expect).all(is_told), "{text}: {told:#?}, not {expect:#?}");
}

#[test]
fn both_engines_offer_the_same() {
    let lists: Vec<_> = Engine::TABLE.iter().map(|(_, engine)| offered(*engine)).collect();
    for pair in lists.windows(2) {
        assert_eq!(pair[0].modules, pair[1].modules);
    }
    let [exports, members] = OFFERED.module("k6/http").unwrap();
    assert!(exports.contains("get") && members.contains("batch") && !exports.contains("default"));
    assert!(OFFERED.is_absent("process") && !OFFERED.is_absent("console"));
}

#[test]
fn imports_that_lead_nowhere_are_told() {
    let end = "\nexport default () => {};";
    let check = |line: &str, expect: &[&str]| self::check(&format!("import 'k6';{line}{end}"), expect);
    check("import http from 'k6/htp';", &["1:30: there is no module `k6/htp`, did you mean `k6/http`?"]);
    #[cfg(feature = "browser")]
    check(
        "\n  import { brouwser } from 'k6/browser'; brouwser();",
        &["2:12: `k6/browser` has no `brouwser` (`brouwser`), did you mean `browser`?"],
    );
    #[cfg(not(feature = "browser"))]
    check(
        "\n  import { browser } from 'k6/browser';",
        &["2:27: the module `k6/browser` is not offered: this build leaves it out"],
    );
    check(
        "import x from 'k6/x/nowhere';",
        &["1:27: the module `k6/x/nowhere` is not offered: of k6's extensions, this build has …"],
    );
    check("export * from './gone.js';", &["1:27: there is no file `./gone.js` (DIR/gone.js)"]);
    check(
        "import 'https://jslib.k6.io/k6-utils/1.4.0/index.js';",
        &["1:20: note: `https://jslib.k6.io/k6-utils/1.4.0/index.js` needs the network: it is not looked at"],
    );
    #[cfg(feature = "x-exec")]
    check(
        "import exec from 'k6/x/exec'; exec.command('ls');",
        &["1:30: note: `k6/x/exec` does its work only in runs with `--allow exec`"],
    );
    #[cfg(feature = "x-file")]
    check(
        "import { readFile } from 'k6/x/file'; readFile('x');",
        &["1:38: note: `k6/x/file` does its work only in runs with `--allow file`"],
    );
    let (_, told) = checked(&[("x.js", "import 'k6'; import chai from 'chai'; export default function () {}")]);
    assert!(told.len() == 1 && told[0].contains("\"chai\" couldn't be recognised"), "{told:?}");
    let (_, told) = checked(&[("x.js", "import 'k6/experimental/timers'; export default function () {}")]);
    assert!(told.len() == 1 && told[0].contains("has been graduated"), "{told:?}");
    let (_, told) = checked(&[
        ("d.json", "{\"a\": 1}"),
        ("x.js", "import 'k6'; import d from './d.json'; export default function () { d.a; }"),
    ]);
    assert_eq!(told, ["x.js:1:28: `./d.json` is no JavaScript, `JSON.parse(open('./d.json'))` reads it"]);
    // Types are no imports.
    let types = "import type { Options } from 'k6/options'; import { Response } from 'k6/typed'; let r: Response;";
    let (scripts, told) = checked(&[("x.ts", &format!("import 'k6'; {types} export default () => r;"))]);
    assert_eq!((scripts, told), (vec!["x.ts".to_owned()], Vec::new()));
}

#[test]
fn names_that_are_used_have_to_be_there() {
    let check = |line: &str, expect: &[&str]| {
        let head = "import http, { gett } from 'k6/http'; import * as all from 'k6'; import exec from 'k6/execution';";
        self::check(&format!("{head}\nexport default () => {{ {line} }};"), expect);
    };
    check("http.get('x'); all.check(1, {}); http.file('a').data; exec.vu.idInTest; new http.CookieJar();", &[]);
    check("http.gett('x')", &["2:29: `k6/http` has no `gett` (`http.gett`), did you mean `get`?"]);
    check(
        "new http.CookieJra()",
        &["2:33: `k6/http` has no `CookieJra` (`http.CookieJra`), did you mean `CookieJar`?"],
    );
    check("all.cheek(1)", &["2:28: `k6` has no `cheek` (`all.cheek`), did you mean `check`?"]);
    check("exec.vus.idInTest", &["2:29: `k6/execution` has no `vus` (`exec.vus`), did you mean `vu`?"]);
    check("gett('x')", &["1:16: `k6/http` has no `gett` (`gett`), did you mean `get`?"]);
    // What is asked for, and what is put there.
    check("if (http.gett) http.gett('x');", &[]);
    check("http.gett?.('x'); typeof gett;", &[]);
    check("http.gett = () => 1; http.gett();", &[]);
    check("try { http.gett(); gett(); } catch {}", &[]);
    check("const other = { http: { gett() {} } }; other.http.gett(); { const http = other.http; http.gett(); }", &[]);
    check("const { gett: g } = http; g?.();", &[]);
    // By another name, by a text, taken apart.
    let near = |at: &str, written: &str| format!("{at}: `k6/http` has no `gett` (`{written}`), did you mean `get`?");
    check("http['gett']('x')", &[&near("2:29", "http.gett")]);
    check("http[`gett`]('x')", &[&near("2:29", "http.gett")]);
    check("const h = http; h.gett('x')", &[&near("2:42", "h.gett")]);
    check("const { gett: g } = http; g('x')", &[&near("2:32", "http.gett")]);
    check("let h = http; h = {}; h.gett('x')", &[]);
    check("const { gett: g = () => 1, ...more } = http; g('x'); more.gett()", &[]);
    check("http[name()]('x'); function name() { return 'get'; }", &[]);
    let (_, told) = checked(&[(
        "x.js",
        "import { gett as g } from 'k6/http';\nimport { vu as v, test } from 'k6/execution';\n\
         export default () => { g(); v.idInTst; test.abrt(); if (v.nothing) v.idInTest; v.more?.x; };",
    )]);
    assert_eq!(
        told,
        [
            "x.js:1:10: `k6/http` has no `gett` (`g`), did you mean `get`?",
            "x.js:3:31: `k6/execution`: `vu` has no `idInTst` (`v.idInTst`), did you mean `idInTest`?",
            "x.js:3:45: `k6/execution`: `test` has no `abrt` (`test.abrt`), did you mean `abort`?",
        ]
    );
    check(
        "exec.scenario.iterationInTst + exec.vu['idInTst']; exec.vu.tags.a = 1; exec.vu.toString(); typeof exec.vu.x",
        &[
            "2:38: `k6/execution`: `scenario` has no `iterationInTst` (`exec.scenario.iterationInTst`), did you mean \
             `iterationInTest`?",
            "2:63: `k6/execution`: `vu` has no `idInTst` (`exec.vu.idInTst`), did you mean `idInTest`?",
        ],
    );
}

#[test]
fn imports_while_it_runs_are_read() {
    let check = |line: &str, expect: &[&str]| {
        self::check(&format!("import 'k6';\nexport default async () => {{ {line} }};"), expect);
    };
    check("await import('k6/htp')", &["2:43: there is no module `k6/htp`, did you mean `k6/http`?"]);
    check(
        "const h = await import('k6/http'); h.default.get(); h.gett()",
        &["2:84: `k6/http` has no `gett` (`h.gett`), did you mean `get`?"],
    );
    check(
        "(await import('k6/http')).gett()",
        &["2:56: `k6/http` has no `gett` (`import(…).gett`), did you mean `get`?"],
    );
    check(
        "const { gett } = await import('k6/http'); gett()",
        &["2:38: `k6/http` has no `gett` (`import(…).gett`), did you mean `get`?"],
    );
    // It may be there by then.
    check("await import('./later.js'); await import(`./${__VU}.js`)", &[]);
}

#[test]
fn thresholds_and_functions_of_scenarios_are_checked() {
    let check = |options: &str, expect: &[&str]| {
        self::check(
            &format!("export const options = {{ {options} }};\nexport default () => 1; export function other() {{}}"),
            expect,
        );
    };
    check("thresholds: { http_reqs: ['count>1', 'rate > 2 for 10s'], own: ['p(95)<1', { threshold: 'avg<2' }] }", &[]);
    check(
        "thresholds: { 'http_req_duration{a:b}': ['p(95)<<3'], own: ['nth<1'], more: [`count>${1}`] }",
        &[
            "1:40: failed parsing threshold expresion's \"p(95)<<3\" right hand side…",
            "1:80: failed parsing threshold expression's \"nth<1\" left hand side…",
        ],
    );
    check("thresholds: { http_reqs: [{ threshold: 'p(95)<1', abortOnFail: true }] }", &["1:40: …"]);
    check("thresholds: { http_reqs: 'count>0' }", &["1:26: …"]);
    check("thresholds: { http_reqs: [{ threshold: 'count>0', delayAbortEval: 'soon' }] }", &["1:26: …"]);
    check("thresholds: { 'http_reqs{a': ['count>0'] }", &["1:40: the threshold on `http_reqs{a`: …"]);
    let scenario =
        |fields: &str| format!("scenarios: {{ a: {{ executor: 'constant-vus', vus: 1, duration: '1s', {fields} }} }}");
    check(&scenario("exec: 'other'"), &[]);
    check(
        &scenario("exec: 'othr'"),
        &["1:94: the scenario `a` runs `othr`, and the script exports no such function, did you mean `other`?"],
    );
    let (_, told) = checked(&[(
        "x.js",
        "import 'k6'; export const options = { scenarios: { a: { executor: 'shared-iterations' } } }; export function b() {}",
    )]);
    assert_eq!(told, ["x.js:1:52: the scenario `a` runs `default`, and the script exports no such function"]);
    // Whatever else exports it.
    let (_, told) = checked(&[
        ("lib.js", "export function b() {}"),
        (
            "x.js",
            "import 'k6'; export * from './lib.js'; export const options = { scenarios: { a: { executor: 'shared-iterations', exec: 'b' } } };",
        ),
    ]);
    assert_eq!(told, Vec::<String>::new());
}

#[test]
fn commonjs_is_read_too() {
    let (scripts, told) = checked(&[(
        "x.js",
        "const http = require('k6/http');\nconst lib = require('./lib');\nif (0) require('./maybe');\nexports.options = {};\n\
         exports.default = () => { http.gett(); require('./later'); };",
    )]);
    assert_eq!(scripts, ["x.js"]);
    assert_eq!(
        told,
        [
            "x.js:2:21: there is no file `./lib` (DIR/lib)",
            "x.js:5:32: `k6/http` has no `gett` (`http.gett`), did you mean `get`?"
        ]
    );
}

#[test]
fn files_and_globals_have_to_be_there() {
    let (_, told) = checked(&[
        ("data/users.csv", "a"),
        ("lib/x.js", "export const there = open('../data/users.csv'); export const gone = open('users.csv');"),
        (
            "x.js",
            "import { SharedArray } from 'k6/data';\nimport { there, other } from './lib/x.js';\n\
             const data = new SharedArray('d', () => JSON.parse(open('./d.json')));\n\
             let maybe; try { maybe = open('maybe.json'); } catch {}\n\
             const later = () => open('later.json');\n\
             const id = process.env.ID; const f = typeof fetch === 'function' ? fetch : null;\n\
             export default function () { console.log(__VU, there, other, data); }",
        ),
    ]);
    assert_eq!(
        told,
        [
            "lib/x.js:1:74: there is no file `users.csv` (DIR/lib/users.csv)",
            "x.js:2:17: `./lib/x.js` exports no `other`, did you mean `there`?",
            "x.js:3:57: there is no file `./d.json` (DIR/d.json)",
            "x.js:6:12: there is no global `process`: scripts run in neither a browser nor Node",
        ]
    );
}

#[test]
fn options_that_are_written_out_are_checked() {
    let check = |options: &str, expect: &[&str]| {
        self::check(&format!("const N = 3;\nexport const options = {{ {options} }};\nexport default () => N;"), expect);
    };
    check("vus: N, duration: '5s', thresholds: { http_reqs: ['count>1'] }, VUs: 3", &[]);
    check("tresholds: {}", &["2:26: there is no option `tresholds`, did you mean `thresholds`?"]);
    check("duration: 'soon'", &["2:26: time: invalid duration \"soon\""]);
    check("duration: `${N}s`, stages: [{ duration: '1s', target: N }], ...{ more: 1 }", &[]);
    let scenarios = |fields: &str| format!("scenarios: {{ a: {{ {fields} }} }}");
    check(&scenarios("executor: 'constant-vus', vus: N, duration: '1s', exec: 'default', tags: { a: `${N}` }"), &[]);
    check(&scenarios("executor: 'constant-vu'"), &["2:44: the scenario `a`: unknown executor type 'constant-vu'"]);
    check(
        &scenarios("executor: 'constant-vus', rate: N, vus: 1"),
        &["2:70: the scenario `a`: json: unknown field \"rate\""],
    );
    check(&scenarios("vus: 1"), &["2:39: the scenario `a` has no executor"]);
    check(&scenarios("executor: N, rate: 1"), &[]);
    check("scenarios: N", &[]);
    let (_, told) =
        checked(&[("x.js", "const o = { nope: 1 }; export { o as options }; export default function () {}")]);
    assert_eq!(told, ["x.js:1:13: there is no option `nope`"]);
}

#[test]
fn options_of_commonjs_are_checked() {
    let check = |text: &str, expect: &str| {
        let (_, told) = checked(&[("x.js", &format!("{text}\nexports.default = () => exports.options;"))]);
        assert_eq!(told, [format!("x.js:{expect}: there is no option `tresholds`, did you mean `thresholds`?")]);
    };
    check("exports.options = { tresholds: {} };", "1:21");
    check("module.exports.options = { tresholds: {} };", "1:28");
    check("module['exports']['options'] = { tresholds: {} };", "1:34");
    check("const options = exports.options = { vus: 1 };\nexports.options = { tresholds: {} };", "2:21");
    check("const o = { tresholds: {} };\nexports.options = o;", "1:13");
    check("module.exports = { options: { tresholds: {} } };", "1:31");
    let (_, told) = checked(&[(
        "x.js",
        "const o = { options: 1 }; o.options = { tresholds: {} }; exports.options = { vus: 1 }; exports.default = () => o;",
    )]);
    assert_eq!(told, [""; 0]);
}

#[test]
fn what_every_object_has_is_no_finding() {
    let http = "import http from 'k6/http'; import exec from 'k6/execution';";
    for member in OBJECT_MEMBERS {
        let uses = format!("{http} export default () => [http.{member}('get'), exec.{member}.name];");
        let (_, told) = checked(&[("x.js", &uses)]);
        assert_eq!(told, [""; 0], "{member}");
    }
    let (_, told) = checked(&[("x.js", "import { toString } from 'k6/http'; export default () => toString();")]);
    assert_eq!(told, ["x.js:1:10: `k6/http` has no `toString` (`toString`)"]);
}

#[test]
fn scripts_are_told_from_other_files() {
    let (scripts, told) = checked(&[
        ("main.js", "import { a } from './lib/a.js'; export default function () { a(); }"),
        ("lib/a.js", "import http from 'k6/http'; export const a = () => http.gett(); export default a;"),
        ("lib/unused.js", "import http from 'k6/http'; export const a = () => http.gett();"),
        ("scenarios.js", "import 'k6'; export const options = {}; export function one() {}"),
        ("webpack.config.js", "const path = require('path'); module.exports = { mode: 'none' };"),
        ("vite.config.mjs", "import { defineConfig } from 'vite'; export default defineConfig({});"),
        ("App.js", "import React from 'react'; export default function App() {}"),
        ("procedure.js", "export default { runs: {} };"),
        ("node_modules/x/index.js", "import 'k6/htp'; export default function () {}"),
        (".cache/index.js", "import 'k6/htp'; export default function () {}"),
        ("types.d.ts", "export default function f(): void;"),
        ("README.md", "export default function () {}"),
    ]);
    assert_eq!(scripts, ["main.js", "scenarios.js"]);
    assert_eq!(told, ["lib/a.js:1:57: `k6/http` has no `gett` (`http.gett`), did you mean `get`?"]);
}

#[test]
fn what_is_no_code_is_told_where_it_is_imported() {
    let (_, told) = checked(&[
        ("main.js", "import './broken.js'; export default function () {}"),
        ("broken.js", "export const a = 1;\nexport const b = ;"),
    ]);
    assert!(told.len() == 1 && told[0].starts_with("broken.js:2:18: this is no JavaScript: "), "{told:?}");
}

/// `docs/modules.md`, which lists what each module of a whole build has.
#[test]
#[cfg(all(feature = "x", feature = "browser"))]
fn the_page_of_modules_is_current() {
    let mut page = String::from(
        "# Modules\n\nWhat scripts can import, with the names of each: made of what the engines themselves say. All are built in; \
         `k6/x/...` are those extensions of k6 that it would download.\n\n| module | names | only of the default export |\n\
         |---|---|---|\n",
    );
    for specifier in OFFERED.specifiers() {
        let Some([exports, members]) = OFFERED.module(specifier) else { continue };
        let list = |names: Vec<&String>| match names.len() {
            more @ 61.. => format!(
                "`{}` and {} more",
                names[..12].iter().map(|it| it.as_str()).collect::<Vec<_>>().join("`, `"),
                more - 12
            ),
            0 => String::new(),
            _ => format!("`{}`", names.iter().map(|it| it.as_str()).collect::<Vec<_>>().join("`, `")),
        };
        let own = list(exports.iter().filter(|name| *name != "default").collect());
        let others = list(members.difference(exports).collect());
        page.push_str(&format!("| `{specifier}` | {own} | {others} |\n"));
    }
    page.push_str(
        "\n`k6/x/exec` and `k6/x/file` do their work only in runs with `--allow exec,file`: a script from elsewhere neither starts \
         programs nor touches files unasked. A database of `k6/x/sql/driver/sqlite3` needs no permission: the file that a script \
         names is read, written and, where it is not there, made, as scripts for k6's driver expect.\n",
    );
    crate::units::book_tests::check_page("modules.md", &page);
}
