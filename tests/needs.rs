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
