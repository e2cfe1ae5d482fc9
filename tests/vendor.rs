//! `volley vendor`: remote modules that travel with a project.

use std::path::Path;

use crate::program::Outcome;
use crate::remote::{Https, outcome, script};

fn ask(folder: &Path, args: &[&str]) -> Outcome {
    outcome(folder, "no-cache", args)
}

/// What the lock file says, and the file of the address that ends so.
fn entry(folder: &Path, ending: &str) -> (String, std::path::PathBuf) {
    let lock = std::fs::read_to_string(folder.join("vendor/volley.lock")).expect("there is a lock file");
    let lock: serde_json::Value = serde_json::from_str(&lock).expect("it is JSON");
    let modules = lock["modules"].as_object().expect("it lists modules").clone();
    let (_, entry) = modules.into_iter().find(|(url, _)| url.ends_with(ending)).expect("the module is listed");
    let file = entry["file"].as_str().expect("it has a file");
    (entry["sha256"].as_str().expect("it has a hash").to_owned(), folder.join("vendor").join(file))
}

#[test]
fn vendored_modules_need_no_network() {
    let server = Https::start();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let folder = folder.path();
    script(folder, &server, "greet.ts");
    std::fs::create_dir_all(folder.join("deep/node_modules")).expect("a folder can be made");
    std::fs::write(
        folder.join("deep/second.cjs"),
        format!("require('https://localhost:{}/lib/name.js');", server.port),
    )
    .expect("a script can be written");
    let foreign = format!("import 'https://localhost:{}/lib/nope.js';", server.port);
    std::fs::write(folder.join("deep/node_modules/x.js"), foreign).expect("a script can be written");
    let unvendored = ask(folder, &["vendor", "--check"]);
    assert_eq!(unvendored.code, 255, "{unvendored:?}");
    assert!(unvendored.stderr.contains("it is not in the lock file"), "{unvendored:?}");

    let fetched = ask(folder, &["vendor"]);
    assert_eq!(fetched.code, 0, "{fetched:?}");
    assert!(fetched.stdout.contains("new        https://localhost:"), "{fetched:?}");
    assert!(fetched.stdout.contains("2 modules are in "), "{fetched:?}");
    let (_, greet) = entry(folder, "/lib/greet.ts");
    assert!(std::fs::read_to_string(greet).expect("the module is there").contains("export const greet"));
    let again = ask(folder, &["vendor", "script.js"]);
    assert!(again.code == 0 && again.stdout.contains("unchanged  https://localhost:"), "{again:?}");

    server.leave();
    assert_eq!(ask(folder, &["vendor", "--check"]).code, 0);
    for (engine, _) in volley::Engine::TABLE {
        let ran = ask(folder, &["run", "--quiet", "--js-engine", engine, "script.js"]);
        assert!(ran.code == 0 && ran.stderr.contains("hello from afar!"), "{ran:?}");
        assert!(!ran.stderr.contains("can't be reached") && !ran.stderr.contains("warning"), "{ran:?}");
    }
    for args in
        [&["archive", "script.js"][..], &["inspect", "script.js"], &["deps", "script.js"], &["run", "archive.tar"]]
    {
        let done = ask(folder, args);
        assert_eq!(done.code, 0, "{args:?}: {done:?}");
    }
    let checked = ask(folder, &["check", "."]);
    assert!(checked.code == 0 && checked.stdout.contains("1 script looked at"), "{checked:?}");
    let unreachable = outcome(folder, "another-cache", &["vendor"]);
    assert!(unreachable.code == 255 && unreachable.stderr.contains("nothing was written"), "{unreachable:?}");
    assert_eq!(ask(folder, &["vendor", "--check"]).code, 0);
}

#[test]
fn a_changed_module_is_refused() {
    let server = Https::start();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let folder = folder.path();
    script(folder, &server, "greet.ts");
    assert_eq!(ask(folder, &["vendor", "script.js"]).code, 0);
    let (hash, name) = entry(folder, "/lib/name.js");
    std::fs::write(&name, "exports.name = 'somebody else';").expect("a module can be changed");
    for (engine, _) in volley::Engine::TABLE {
        let refused = ask(folder, &["run", "--quiet", "--js-engine", engine, "script.js"]);
        assert_ne!(refused.code, 0, "{refused:?}");
        assert!(refused.stderr.contains("name.js was changed") && refused.stderr.contains(&hash), "{refused:?}");
        assert!(!refused.stderr.contains("somebody else"), "{refused:?}");
    }
    let checked = ask(folder, &["vendor", "--check"]);
    assert!(checked.code == 255 && checked.stderr.contains("name.js was changed"), "{checked:?}");
    std::fs::remove_file(&name).expect("a module can be removed");
    let missing = ask(folder, &["run", "--quiet", "script.js"]);
    assert!(missing.code != 0 && missing.stderr.contains("can't be read"), "{missing:?}");
    // It is fetched anew, and what no script imports any longer is forgotten.
    assert_eq!(ask(folder, &["vendor"]).code, 0);
    assert!(name.exists());
    script(folder, &server, "other.js");
    let other = ask(folder, &["run", "--quiet", "script.js"]);
    assert!(other.stderr.contains("it was fetched, `volley vendor` keeps it"), "{other:?}");
    assert_eq!(ask(folder, &["vendor"]).code, 0);
    assert!(!name.exists());
    assert_eq!(ask(folder, &["vendor", "--check"]).code, 0);
}
