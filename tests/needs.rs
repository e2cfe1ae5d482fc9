//! What some tests need and not every machine has. Who asks for it here is skipped without it, see `harness`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::harness::missing;

/// Debian's Python, for which Debian packages modules; another one may come first in PATH.
const PYTHON: &str = "/usr/bin/python3";

/// Where a program is, by any of these names; `package` says how to get it.
pub fn program(names: &[&str], package: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Not every user has the last ones in PATH; pip installs into the very last.
    let more = ["/usr/sbin", "/usr/local/bin"].map(PathBuf::from);
    let home = std::env::var_os("HOME").map(|home| Path::new(&home).join(".local/bin"));
    let folders: Vec<_> = std::env::split_paths(&path).chain(more).chain(home).collect();
    let all = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    let found = all.into_iter().find(|path| path.is_file());
    found.unwrap_or_else(|| missing(&format!("there is no `{}` here ({package})", names[0])))
}

/// Debian's Python, with this module.
pub fn python(module: &str, package: &str) -> Command {
    let mut probe = Command::new(PYTHON);
    probe.args(["-c", &format!("import {module}")]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if !probe.status().is_ok_and(|status| status.success()) {
        missing(&format!("there is no `{module}` for {PYTHON} here (Debian: {package})"));
    }
    Command::new(PYTHON)
}

/// Modules that a build may lack, by the Cargo feature that brings them, and what only such a build can be tested for.
const OPTIONAL: &[(&str, bool, &[&str])] = &[
    ("k6/browser", cfg!(feature = "browser"), &["browser::"]),
    ("k6/x/dns", cfg!(feature = "x-dns"), &["x_net::", "x_endings::"]),
    ("k6/x/exec", cfg!(feature = "x-exec"), &["x_machine::"]),
    ("k6/x/faker", cfg!(feature = "x-faker"), &["::k6/x/faker"]),
    ("k6/x/file", cfg!(feature = "x-file"), &["x_machine::"]),
    ("k6/x/icmp", cfg!(feature = "x-icmp"), &["x_icmp::"]),
    ("k6/x/mqtt", cfg!(feature = "x-mqtt"), &["x_mqtt::", "x_endings::"]),
    ("k6/x/redis", cfg!(feature = "x-redis"), &["redis::"]),
    ("k6/x/sql", cfg!(feature = "x-sql"), &["sql::", "sql_mysql::"]),
    ("k6/x/sse", cfg!(feature = "x-sse"), &["x_net::", "x_endings::"]),
    ("k6/x/ssh", cfg!(feature = "x-ssh"), &["x_ssh::"]),
    ("k6/x/tcp", cfg!(feature = "x-tcp"), &["x_net::", "x_endings::"]),
    ("k6/x/tls", cfg!(feature = "x-tls"), &["x_net::", "x_endings::"]),
];

/// The modules that this build lacks.
fn left_out() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    OPTIONAL.iter().filter(|(_, built, _)| !built).map(|&(module, _, tests)| (module, tests))
}

/// Whether this build has all modules that a script names.
pub fn has_modules_of(script: &str) -> bool {
    left_out().all(|(module, _)| !script.contains(&format!("'{module}")))
}

/// Whether this build has what a test of this name is about. Others are no tests of it: somebody chose to leave it out.
pub fn is_of_this_build(test: &str) -> bool {
    left_out().all(|(_, tests)| {
        tests.iter().all(|part| if part.starts_with("::") { !test.contains(part) } else { !test.starts_with(part) })
    })
}
