//! The walls of `src/README.md`, asserted: which module may use which, who prints, parses arguments, reads the environment,
//! ends the process and opens load connections, who knows an engine.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use volley::{LAZY_SCRIPTS, MODULES};

/// The layers of the crate, lowest first, each with its modules. A module uses only modules of lower layers and those of
/// the base layer.
const LAYERS: [(&str, &[&str]); 10] = [
    ("base", &["units", "exit_code", "failure", "fifo", "log"]),
    ("metrics", &["metrics"]),
    ("config", &["options", "source"]),
    ("network", &["net"]),
    ("scheduling", &["execution"]),
    ("scripting", &["js"]),
    ("reporting", &["output", "report", "summary", "ui", "api", "join"]),
    ("run", &["run", "target"]),
    ("procedure", &["procedure"]),
    ("entry", &["cli", "main"]),
];

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|(_, modules)| modules.contains(&module))
}

/// Modules of lower layers that a module may not use all the same.
const FORBIDDEN: [(&str, &[&str]); 1] = [
    // The network moves bytes and takes times; it knows nothing of metrics, options and scripts.
    ("net", &["metrics", "options", "source"]),
];

/// The client of the REST API: no load, and called before there is a runtime.
const CONTROL: &str = "cli/control.rs";

/// A file that is only compiled for tests.
fn is_test(path: &Path) -> bool {
    path.file_stem().is_some_and(|stem| stem == "tests" || stem.to_string_lossy().ends_with("_tests"))
}

/// Every Rust file below `src`: its path, its module and its text.
fn files() -> Vec<(PathBuf, String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut todo = vec![root.clone()];
    while let Some(folder) = todo.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                todo.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let inside = path.strip_prefix(&root).unwrap().to_path_buf();
                let module = inside.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
                let module = module.trim_end_matches(".rs").to_owned();
                found.push((inside, module, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(found.len() > 50, "the sources were not found");
    found.sort();
    found
}

/// The code of a file without comments and unit tests; strings stay.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// What `check` says about each file that is not a test, given its path, module and code.
fn offenders(check: impl Fn(&Path, &str, &str) -> Option<String>) -> Vec<String> {
    files()
        .iter()
        .filter(|(path, ..)| !is_test(path))
        .filter_map(|(path, module, text)| check(path, module, &code(text)))
        .collect()
}

/// A word or a sign of Rust; strings, characters, lifetimes and comments are left out.
fn tokens(code: &str) -> Vec<String> {
    let letters: Vec<char> = code.chars().collect();
    let is_word = |at: usize| letters.get(at).is_some_and(|c| c.is_alphanumeric() || *c == '_');
    let is = |at: usize, c: char| letters.get(at) == Some(&c);
    let (mut found, mut at) = (Vec::new(), 0);
    while at < letters.len() {
        let hashes = (at + 1..).take_while(|next| is(*next, '#')).count();
        if is(at, '/') && is(at + 1, '/') {
            at += (at..letters.len()).take_while(|next| !is(*next, '\n')).count();
        } else if is(at, 'r') && is(at + 1 + hashes, '"') {
            let end: String = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
            let rest: String = letters[at + 2 + hashes..].iter().collect();
            let length = rest.find(&end).map_or(rest.len(), |byte| byte + end.len());
            at += 2 + hashes + rest[..length].chars().count();
        } else if is(at, '"') {
            at += 1;
            while at < letters.len() && !is(at, '"') {
                at += 1 + usize::from(is(at, '\\'));
            }
            at += 1;
        } else if is(at, '\'') {
            // A character has its end within two or behind an escape; a lifetime has none.
            let end = if is(at + 1, '\\') { (at + 3..).find(|next| is(*next, '\'')) } else { Some(at + 2) };
            at = end.filter(|end| is(*end, '\'')).map_or(at + 1, |end| end + 1);
        } else if is_word(at) {
            let length = (at..).take_while(|next| is_word(*next)).count();
            found.push(letters[at..at + length].iter().collect());
            at += length;
        } else {
            if !letters[at].is_whitespace() {
                found.push(letters[at].to_string());
            }
            at += 1;
        }
    }
    found
}

/// The modules that stand around a file's code: `js/engine/boa.rs` and `js/engine/boa/mod.rs` are `js`, `engine`, `boa`.
fn modules_of(path: &Path) -> Vec<String> {
    let mut modules: Vec<String> =
        path.with_extension("").components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    if matches!(modules.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        modules.pop();
    }
    modules
}

/// The paths that begin with `crate::`, `volley::` or `super::` in a file, from the root of the crate: `use crate::{a, b::{c, d}}` uses
/// `a`, `b::c` and `b::d`.
fn used_paths(path: &Path, code: &str) -> Vec<String> {
    let tokens = tokens(code);
    let token = |at: usize| tokens.get(at).map_or("", String::as_str);
    let is_path = |at: usize| token(at) == ":" && token(at + 1) == ":";
    let mut around = modules_of(path);
    let (mut inner, mut depth, mut used) = (Vec::new(), 0usize, Vec::new());
    let mut at = 0;
    while at < tokens.len() {
        match token(at) {
            "{" => depth += 1,
            "}" => {
                depth = depth.saturating_sub(1);
                if inner.last() == Some(&depth) {
                    inner.pop();
                    around.pop();
                }
            }
            "mod" if token(at + 2) == "{" => {
                inner.push(depth);
                around.push(token(at + 1).to_owned());
            }
            // `pub(in crate::net)` says who may use an item, and uses nothing.
            "(" if token(at + 1) == "in" => at += 2,
            "crate" | "volley" | "super" if is_path(at + 1) && (at < 2 || !is_path(at - 2)) => {
                let is_root = token(at) != "super";
                let mut base = if is_root { Vec::new() } else { around.clone() };
                while token(at) == "super" && is_path(at + 1) {
                    base.pop();
                    at += 3;
                }
                at += if is_root { 3 } else { 0 };
                at = follow(&tokens, at, &base, &mut used);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    used
}

/// Reads a path, or a list of them in braces; where it ends.
fn follow(tokens: &[String], mut at: usize, base: &[String], used: &mut Vec<String>) -> usize {
    let token = |at: usize| tokens.get(at).map_or("", String::as_str);
    let mut path = base.to_vec();
    loop {
        if token(at) == "{" {
            at += 1;
            while !matches!(token(at), "}" | "") {
                at = follow(tokens, at, &path, used);
                at += usize::from(token(at) == ",");
            }
            return at + 1;
        }
        path.push(token(at).to_owned());
        at += 1;
        if token(at) == "as" {
            at += 2;
        }
        if !(token(at) == ":" && token(at + 1) == ":") {
            used.push(path.join("::"));
            return at;
        }
        at += 2;
    }
}

#[test]
fn paths_are_read() {
    let check = |path: &str, code: &str, expect: &[&str]| {
        assert_eq!(used_paths(Path::new(path), code), expect, "{code}");
    };
    check("a.rs", "use crate::net::Url; crate::run::x()", &["net::Url", "run::x"]);
    check("a.rs", "use crate::{net, js::{Engine, vu as v}, run};", &["net", "js::Engine", "js::vu", "run"]);
    check("a.rs", "use crate::{\n    net::Url,\n    ui,\n};", &["net::Url", "ui"]);
    check("main.rs", "use volley::{cli, log::Logger}; volley::run::x()", &["cli", "log::Logger", "run::x"]);
    check("net/dial.rs", "use super::super::{units, run::x}; super::y()", &["units", "run::x", "net::y"]);
    check("a.rs", "use std::{a, b}; use crate_a::b; pub(crate) fn f() {} pub(super) fn g() {}", &[]);
    check("net/http/h1.rs", "pub(in crate::net) fn f() { for x in crate::run::y() {} }", &["run::y"]);
    check(
        "js/engine/boa.rs",
        "use super::Code; use super::super::{value, vu::Vu};",
        &["js::engine::Code", "js::value", "js::vu::Vu"],
    );
    check("js/engine/boa/mod.rs", "use super::Code;", &["js::engine::Code"]);
    check(
        "js/engine/a.rs",
        "mod b { use super::super::x; fn f() { '{'; \"}{\"; r#\"}\"#; } } use super::y;",
        &["js::engine::x", "js::engine::y"],
    );
    check("a.rs", "fn f<'a>(x: &'a str) { /* */ g::<crate::net::X>('\\''); } // crate::no\n", &["net::X"]);
}

#[test]
fn modules_use_only_lower_layers() {
    let bad = offenders(|path, module, code| {
        let own = layer(module)?;
        let forbidden = FORBIDDEN.iter().find(|(name, _)| *name == module).map_or(&[][..], |(_, modules)| *modules);
        let is_above = |used: &str| layer(used).is_some_and(|other| used != module && other != 0 && other >= own);
        let mut wrong = used_paths(path, code);
        wrong.retain(|used| {
            let used = used.split("::").next().unwrap_or_default();
            is_above(used) || forbidden.contains(&used)
        });
        wrong.dedup();
        (!wrong.is_empty()).then(|| format!("{} ({}) uses {}", path.display(), LAYERS[own].0, wrong.join(", ")))
    });
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

/// The rooms of `js`, by floor: a room uses only rooms on floors below its own. So there is no cycle between them, and the
/// runtime names no module.
const JS_FLOORS: [&[&str]; 7] =
    [&["language", "value"], &["engine"], &["runtime"], &["transpile"], &["loader"], &["modules"], &["lifecycle"]];

/// What a file in a room of `js` uses of `js` and may not: a room beside or above its own, or something by another name than
/// its room's.
fn above_in_js(path: &Path, code: &str) -> Vec<String> {
    let floor = |room: &str| JS_FLOORS.iter().position(|rooms| rooms.contains(&room));
    let modules = modules_of(path);
    let [first, room, ..] = &modules[..] else { return Vec::new() };
    // The tests of the whole have no floor.
    if first != "js" || room == "tests" {
        return Vec::new();
    }
    let own = floor(room);
    let mut wrong = used_paths(path, code);
    wrong.retain(|used| {
        let mut names = used.split("::");
        let is_js = names.next() == Some("js");
        let used = names.next().unwrap_or_default();
        is_js && used != room && floor(used).is_none_or(|other| own.is_none_or(|own| other >= own))
    });
    wrong
}

#[test]
fn rooms_of_js_use_only_the_floors_below() {
    let bad = offenders(|path, _, code| {
        let wrong = above_in_js(path, code);
        (!wrong.is_empty()).then(|| format!("{} uses {}", path.display(), wrong.join(", ")))
    });
    assert!(bad.is_empty(), "{}", bad.join("\n"));
    let rooms = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/js")).unwrap();
    for room in rooms.map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()) {
        let is_known = ["mod", "tests"].contains(&&*room) || JS_FLOORS.iter().any(|rooms| rooms.contains(&&*room));
        assert!(is_known, "js/{room} is in no room of JS_FLOORS");
    }
}

#[test]
fn what_stands_above_in_js_is_found() {
    let check = |path: &str, code: &str, expect: &[&str]| {
        assert_eq!(above_in_js(Path::new(path), code), expect, "{path}: {code}")
    };
    check("js/runtime/event_loop.rs", "use crate::js::engine::Realm; use super::Script;", &[]);
    check(
        "js/runtime/event_loop.rs",
        "fn f() { crate::js::modules::k6::data::abandon(vu); }",
        &["js::modules::k6::data::abandon"],
    );
    check("js/runtime/event_loop.rs", "use crate::js::{value::Value, loader::Loader};", &["js::loader::Loader"]);
    check("js/engine/mod.rs", "use super::{runtime, value};", &["js::runtime"]);
    check("js/engine/boa/scope.rs", "use super::super::super::runtime::coroutine;", &["js::runtime::coroutine"]);
    check("js/value.rs", "use super::language::dates;", &["js::language::dates"]);
    check("js/modules/k6/ws.rs", "use crate::js::Loader; use crate::js;", &["js::Loader", "js"]);
    check("js/lifecycle/js_vu.rs", "use crate::js::modules::TABLE; use crate::net::Url;", &[]);
    check("js/mod.rs", "pub use lifecycle::JsVu;", &[]);
    check("run/mod.rs", "use crate::js::Loader;", &[]);
}

#[test]
fn every_module_has_a_layer() {
    for (path, module, _) in files() {
        if path != Path::new("lib.rs") {
            assert!(layer(&module).is_some(), "{} is in no layer", path.display());
        }
    }
}

/// The page lists the same layers, top to bottom, with the same modules.
#[test]
fn the_page_shows_these_layers() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/README.md")).unwrap();
    for (number, (name, modules)) in LAYERS.iter().enumerate() {
        let is_line = |line: &&str| line.split_whitespace().take(2).eq([&*number.to_string(), name]);
        let line = page.lines().find(is_line).unwrap_or_else(|| panic!("src/README.md has no layer {number} {name}"));
        let listed: Vec<_> = line.split_whitespace().skip(2).take(modules.len()).collect();
        let missing: Vec<_> = modules.iter().filter(|module| !listed.contains(module)).collect();
        assert!(missing.is_empty(), "layer {name} of src/README.md lacks {missing:?}: {line}");
    }
}

#[test]
fn only_the_seam_knows_an_engine() {
    let bad = offenders(|path, _, code| {
        let is_seam = path.starts_with("js/engine");
        let knows = ["boa_engine", "boa_gc", "rquickjs"].iter().any(|engine| code.contains(engine));
        (knows && !is_seam).then(|| path.display().to_string())
    });
    assert!(bad.is_empty(), "engines are known outside js/engine: {}", bad.join(", "));
}

#[test]
fn only_transpile_knows_the_parser() {
    let bad = offenders(|path, _, code| {
        (code.contains("oxc::") && !path.starts_with("js/transpile")).then(|| path.display().to_string())
    });
    assert!(bad.is_empty(), "the parser of TypeScript is known outside js/transpile: {}", bad.join(", "));
}

#[test]
fn only_net_opens_load_connections() {
    let bad = offenders(|path, module, code| {
        let opens = ["TcpStream::connect", "TcpSocket", "h2::client"].iter().any(|word| code.contains(word));
        (opens && module != "net" && path != Path::new(CONTROL)).then(|| path.display().to_string())
    });
    assert!(bad.is_empty(), "connections are opened outside net: {}", bad.join(", "));
}

/// What is pure in `net`: text and bytes in, text and bytes out.
const PURE: [&str; 3] = ["net::http::proto", "net::http::coding", "net::random"];

#[test]
fn the_protocol_of_http_knows_no_socket() {
    let bad = offenders(|path, _, code| {
        let is_in = |path: &str| PURE.iter().any(|pure| path.starts_with(pure));
        let mut wrong = used_paths(path, code);
        wrong.retain(|used| used.starts_with("net::") && !is_in(used));
        wrong.extend(code.contains("tokio").then(|| "tokio".to_owned()));
        (is_in(&modules_of(path).join("::")) && !wrong.is_empty())
            .then(|| format!("{} uses {}", path.display(), wrong.join(", ")))
    });
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

/// Exchanges stand above connections, connections above sockets, and no file of `net` needs another that needs it. A `mod.rs` needs
/// the files around which it stands.
#[test]
fn files_of_net_have_no_circles() {
    let mut files = files();
    files.retain(|(path, module, _)| module == "net" && !is_test(path));
    let names: Vec<String> = files.iter().map(|(path, ..)| modules_of(path).join("::")).collect();
    let is_inside = |path: &str, name: &str| path.strip_prefix(name).is_some_and(|rest| rest.starts_with("::"));
    let file_of = |used: &str| {
        let leads_to = |at: &usize| used == names[*at] || is_inside(used, &names[*at]);
        (0..names.len()).filter(leads_to).max_by_key(|at| names[*at].len())
    };
    let needs = |own: usize| {
        let (path, _, text) = &files[own];
        let mut needed: Vec<usize> = used_paths(path, &code(text)).iter().filter_map(|used| file_of(used)).collect();
        needed.extend((0..names.len()).filter(|at| is_inside(&names[*at], &names[own])));
        needed.retain(|at| *at != own);
        needed
    };
    let needs: Vec<Vec<usize>> = (0..names.len()).map(needs).collect();
    // What needs nothing that is left is taken away, until nothing is left but circles and what needs them.
    let mut left: Vec<usize> = (0..names.len()).collect();
    loop {
        let before = left.clone();
        left.retain(|at| needs[*at].iter().any(|needed| before.contains(needed)));
        if left.len() == before.len() {
            break;
        }
    }
    let shown = |at: &usize| {
        let needed: Vec<&str> =
            needs[*at].iter().filter(|at| left.contains(at)).map(|at| names[*at].as_str()).collect();
        format!("{} needs {}", names[*at], needed.join(", "))
    };
    assert!(left.is_empty(), "{}", left.iter().map(shown).collect::<Vec<_>>().join("\n"));
}

#[test]
fn only_main_exits() {
    let bad = offenders(|path, _, code| {
        (code.contains("process::exit") || code.contains("process::abort")).then(|| path.display().to_string())
    });
    assert!(bad.is_empty(), "the process is ended outside main: {}", bad.join(", "));
}

#[test]
fn only_ui_and_cli_print() {
    let bad = offenders(|path, module, code| {
        let prints = ["println!", "eprintln!", "print!(", "io::stdout()", "io::stderr()"];
        let prints = prints.iter().any(|word| code.contains(word));
        (prints && !["ui", "cli"].contains(&module)).then(|| path.display().to_string())
    });
    assert!(bad.is_empty(), "something prints outside ui and cli: {}", bad.join(", "));
}

#[test]
fn only_cli_parses_arguments() {
    let bad = offenders(|path, module, code| {
        let parses = code.contains("clap::") || code.contains("env::args");
        (parses && !["cli", "main"].contains(&module)).then(|| path.display().to_string())
    });
    assert!(bad.is_empty(), "arguments are parsed outside cli: {}", bad.join(", "));
}

/// Whether a terminal understands colours, and which, is not an option.
const TERMINAL: &str = "ui/terminal.rs";

#[test]
fn only_cli_reads_the_environment() {
    let bad = offenders(|path, module, code| {
        let code = if path == Path::new(TERMINAL) {
            code.replace("env::var_os(\"TERM\")", "").replace("env::var_os(\"COLORFGBG\")", "")
        } else {
            code.to_owned()
        };
        (code.contains("env::var") && module != "cli").then(|| path.display().to_string())
    });
    assert!(bad.is_empty(), "the environment is read outside cli: {}", bad.join(", "));
}

/// Native functions of the global scope that modules made on the way call.
const NAMED_ELSEWHERE: [&str; 1] = ["here"];

#[test]
fn a_javascript_half_lives_where_its_specifier_says() {
    // Parts are given the native half of the module they belong to.
    let in_lazy_scripts = |name: &str| LAZY_SCRIPTS.iter().any(|(_, text)| text.contains(name));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for module in MODULES {
        let path = root.join("js-stdlib").join(format!("{}.js", module.specifier));
        if module.source.is_empty() {
            // The global scope is a table of ours.
            let table =
                fs::read_to_string(root.join("src/js/modules").join(format!("{}.rs", module.specifier))).unwrap();
            for (name, _) in module.ops {
                let in_table = table.contains(&format!("(\"{name}\")"));
                assert!(in_table || in_lazy_scripts(name) || NAMED_ELSEWHERE.contains(name), "`{name}` is never used");
            }
            continue;
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), module.source, "{}", path.display());
        for (name, _) in module.ops {
            assert!(
                module.source.contains(name) || in_lazy_scripts(name),
                "{}: the native function `{name}` is never used",
                module.specifier
            );
        }
    }
}

/// What a script can put something else in the place of: js-stdlib takes these from `primordials`, which holds them as they
/// were before any script ran, and counts instead of iterating.
const CHANGEABLE: [&str; 44] = [
    "Object.",
    "Reflect.",
    "JSON.",
    "Array.",
    "ArrayBuffer.",
    "Promise.",
    "Math.",
    "Symbol.",
    "Number.",
    "String.",
    ".call(",
    ".apply(",
    ".bind(",
    ".then(",
    ".forEach(",
    ".push(",
    ".includes(",
    ".join(",
    ".concat(",
    ".filter(",
    ".splice(",
    ".shift(",
    ".unshift(",
    ".reduce(",
    ".sort(",
    ".startsWith(",
    ".endsWith(",
    ".indexOf(",
    ".split(",
    ".replace(",
    ".exec(",
    ".test(",
    ".toUpperCase(",
    ".toLowerCase(",
    ".padStart(",
    ".slice(",
    ".toISOString(",
    ".toFixed(",
    "const [",
    "let [",
    "[...",
    " of ",
    "new Map(",
    "async *",
];

#[test]
fn the_javascript_halves_use_nothing_a_script_can_change() {
    let texts = MODULES.iter().map(|module| (module.specifier, module.source));
    let mut bad = Vec::new();
    for (name, text) in texts.chain(LAZY_SCRIPTS.iter().copied()) {
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            // What a script asks to be replaced.
            let line = line.replace("primordials.Math.random = native.random", "");
            // Texts say what they like.
            let code: String = line.split(['\'', '`', '"']).step_by(2).collect();
            bad.extend(CHANGEABLE.iter().filter(|form| code.contains(*form)).map(|form| format!("{name}: `{form}`")));
        }
    }
    assert!(bad.is_empty(), "js-stdlib uses what a script can change: {}", bad.join(", "));
}

#[test]
fn every_file_says_what_it_is_for() {
    let bad: Vec<_> = files()
        .into_iter()
        .filter(|(_, _, text)| !text.starts_with("//!") || text.contains("(to come)"))
        .map(|(path, _, _)| path.display().to_string())
        .collect();
    assert!(bad.is_empty(), "no head comment: {}", bad.join(", "));
}

/// The compiler asks for it only where the public can see an item, and of this crate it sees next to nothing.
#[test]
fn every_public_item_says_what_it_is() {
    let kinds = ["fn", "async fn", "const fn", "unsafe fn", "struct", "enum", "trait", "const", "static", "type"];
    let is_item = |line: &str| kinds.iter().any(|kind| line.starts_with(&format!("pub {kind} ")));
    let mut count = 0;
    let mut bad = Vec::new();
    for (path, _, text) in files().into_iter().filter(|(path, ..)| !is_test(path)) {
        let mut is_told = false;
        for line in text.lines() {
            count += usize::from(is_item(line));
            if is_item(line) && !is_told {
                bad.push(format!("{}: {line}", path.display()));
            }
            // Attributes stand between the comment and the item.
            let is_attribute = line.starts_with("#[") || line.starts_with(' ') || line == ")]";
            is_told = line.starts_with("///") || (is_told && is_attribute);
        }
    }
    assert!(count > 500 && bad.is_empty(), "no comment, of {count}:\n{}", bad.join("\n"));
}

/// Type names that may stand for several types, each local to its module.
const MAX_AMBIGUOUS_NAMES: usize = 15;
const MAX_FILE_LINES: usize = 700;
const MAX_FUNCTION_LINES: usize = 100;

#[test]
fn a_type_name_means_one_thing() {
    let keywords = ["struct ", "enum ", "trait ", "union ", "type "];
    let mut places: BTreeMap<String, BTreeSet<PathBuf>> = BTreeMap::new();
    for (path, _, text) in files().into_iter().filter(|(path, ..)| !is_test(path)) {
        for line in code(&text).lines() {
            let item = line.trim_start();
            // Associated types of a trait or an implementation are named by it.
            let is_associated = line != item && item.trim_start_matches("pub ").starts_with("type ");
            let item = item.split_once("pub").map_or(item, |(before, after)| match before {
                "" => after.split_once(' ').map_or("", |(_, item)| item),
                _ => item,
            });
            let item = item.strip_prefix("unsafe ").unwrap_or(item);
            let name = keywords.iter().find_map(|keyword| item.strip_prefix(keyword)).unwrap_or_default();
            let name: String = name.chars().take_while(|c| c.is_alphanumeric()).collect();
            if !is_associated && name.starts_with(char::is_uppercase) {
                places.entry(name).or_default().insert(path.clone());
            }
        }
    }
    assert!(places.len() > 500, "the types were not found");
    places.retain(|_, paths| paths.len() > 1);
    assert!(places.len() <= MAX_AMBIGUOUS_NAMES, "{} names: {places:#?}", places.len());
}

#[test]
fn files_and_functions_are_short() {
    let mut bad = Vec::new();
    for (path, _, text) in files() {
        let lines: Vec<_> = text.lines().collect();
        if lines.len() > MAX_FILE_LINES {
            bad.push(format!("{}: {} lines", path.display(), lines.len()));
        }
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.contains("fn ") && line.ends_with('{')) {
            let indent = &line[..line.len() - line.trim_start().len()];
            let end = format!("{indent}}}");
            let length = lines[at..].iter().position(|line| *line == end).unwrap_or(0) + 1;
            if length > MAX_FUNCTION_LINES && !is_test(&path) {
                bad.push(format!("{}:{}: a function of {length} lines", path.display(), at + 1));
            }
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}
