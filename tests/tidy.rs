//! The walls of `src/README.md`, asserted: which module may use which, who prints, parses arguments, reads the environment,
//! ends the process and opens load connections, who knows an engine.

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
    ("reporting", &["output", "report", "summary", "ui", "api"]),
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

/// How many `super::` lead from a file to the root of the crate: 1 from `net/mod.rs`, 2 from `net/dial.rs`.
fn depth(path: &Path) -> usize {
    path.components().count() - usize::from(path.ends_with("mod.rs"))
}

/// The modules that a file uses: the first names of paths that start at the root of the crate, also of those in braces
/// (`use crate::{a, b::{c, d}}` uses a and b). `depth` is that of the file.
fn used_modules(code: &str, depth: usize) -> Vec<String> {
    let name = |text: &str| -> String {
        text.trim_start().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
    };
    let mut used = Vec::new();
    // `js::modules::volley` is a module of the script API, not the crate.
    let code = code.replace("::volley::", "::");
    let up = "super::".repeat(depth);
    for part in ["crate::", "volley::", &up].iter().flat_map(|root| code.split(root).skip(1)) {
        let Some(list) = part.strip_prefix('{') else {
            used.push(name(part));
            continue;
        };
        let (mut depth, mut begins) = (0, 0);
        for (at, c) in list.char_indices() {
            match c {
                '{' => depth += 1,
                ',' | '}' if depth == 0 => {
                    used.push(name(&list[begins..at]));
                    begins = at + 1;
                    if c == '}' {
                        break;
                    }
                }
                '}' => depth -= 1,
                _ => {}
            }
        }
    }
    used
}

#[test]
fn used_modules_are_found() {
    let check = |code: &str, expect: &[&str]| assert_eq!(used_modules(code, 2), expect, "{code}");
    check("use crate::net::Url; crate::run::x()", &["net", "run"]);
    check("use crate::{net, js::{Engine, vu}, run};", &["net", "js", "run"]);
    check("use crate::{\n    net::Url,\n    ui,\n};", &["net", "ui", ""]);
    check("use volley::{cli, log::Logger}; volley::run::x()", &["cli", "log", "run"]);
    check("use super::super::{net, run::x}; super::y()", &["net", "run"]);
    check("use std::{a, b}; use crate_a::b;", &[]);
    let check = |path: &str, expect: usize| assert_eq!(depth(Path::new(path)), expect, "{path}");
    check("main.rs", 1);
    check("net/mod.rs", 1);
    check("net/http/pool.rs", 3);
}

#[test]
fn modules_use_only_lower_layers() {
    let bad = offenders(|path, module, code| {
        let own = layer(module)?;
        let forbidden = FORBIDDEN.iter().find(|(name, _)| *name == module).map_or(&[][..], |(_, modules)| *modules);
        let is_above = |used: &str| layer(used).is_some_and(|other| used != module && other != 0 && other >= own);
        let mut wrong = used_modules(code, depth(path));
        wrong.retain(|used| is_above(used) || forbidden.contains(&used.as_str()));
        wrong.dedup();
        (!wrong.is_empty()).then(|| format!("{} ({}) uses {}", path.display(), LAYERS[own].0, wrong.join(", ")))
    });
    assert!(bad.is_empty(), "{}", bad.join("\n"));
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
fn only_the_dialect_knows_the_parser() {
    let bad = offenders(|path, _, code| {
        (code.contains("oxc::") && !path.starts_with("js/dialect")).then(|| path.display().to_string())
    });
    assert!(bad.is_empty(), "the parser of TypeScript is known outside js/dialect: {}", bad.join(", "));
}

#[test]
fn only_net_opens_load_connections() {
    let bad = offenders(|path, module, code| {
        let opens = ["TcpStream::connect", "TcpSocket", "h2::client"].iter().any(|word| code.contains(word));
        (opens && module != "net" && path != Path::new(CONTROL)).then(|| path.display().to_string())
    });
    assert!(bad.is_empty(), "connections are opened outside net: {}", bad.join(", "));
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

/// Whether a terminal understands colours is not an option.
const TERMINAL: &str = "ui/terminal.rs";

#[test]
fn only_cli_reads_the_environment() {
    let bad = offenders(|path, module, code| {
        let code =
            if path == Path::new(TERMINAL) { code.replace("env::var_os(\"TERM\")", "") } else { code.to_owned() };
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
