//! Tells a release which commit it was built from; other builds say nothing, so that a commit does not build them anew.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("PROFILE").as_deref() != Ok("release") {
        return;
    }
    println!("cargo:rerun-if-changed=.git/logs/HEAD");
    let commit = Command::new("git").args(["rev-parse", "--short=10", "HEAD"]).output();
    // A source archive has no history, and a system need not have git.
    if let Ok(commit) = commit
        && commit.status.success()
        && let Ok(commit) = String::from_utf8(commit.stdout)
    {
        println!("cargo:rustc-env=VOLLEY_COMMIT={}", commit.trim());
    }
}
