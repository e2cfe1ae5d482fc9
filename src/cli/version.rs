//! Who we are, in the form in which k6 says it, so that tools which read it find the version they look for.

use serde_json::json;

/// The version of k6 whose behaviour this program has.
pub const K6_VERSION: &str = "2.2.0";
/// Our own version.
pub const OWN_VERSION: &str = env!("CARGO_PKG_VERSION");
/// The commit a release was built from, where that is known.
const COMMIT: Option<&str> = option_env!("VOLLEY_COMMIT");

/// Go's name of this processor.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// One line of text or JSON.
pub fn version(as_json: bool) -> String {
    let os = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let arch = architecture();
    if as_json {
        let mut value = json!({
            "version": format!("v{K6_VERSION}"), "go_version": "", "go_os": os, "go_arch": arch, "extensions": [],
            "volley": OWN_VERSION,
        });
        if let Some(commit) = COMMIT {
            value["commit"] = commit.into();
        }
        return format!("{value}\n");
    }
    let commit = COMMIT.map(|commit| format!("commit/{commit}, ")).unwrap_or_default();
    format!("k6 v{K6_VERSION} ({commit}volley {OWN_VERSION}, rust, {os}/{arch})\n")
}
