//! How a release is packed and installed: `deploy/release/` and `deploy/setup-volley/`, with a small program in the place of ours.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::needs;
use crate::program::{Outcome, command, run};

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name)
}

/// What the processor of this machine is called by Rust and by those who pack programs.
fn machine() -> (&'static str, &'static str) {
    (std::env::consts::ARCH, if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" })
}

/// A program without libraries that says the versions of volley and k6.
fn small_program(folder: &Path) -> PathBuf {
    let source = format!(
        "#include <stdio.h>\n#include <string.h>\nint main(int c, char **v) {{ puts(strstr(v[0], \"k6\") \
         ? \"k6 v2.3.0 (volley {VERSION})\" : \"volley v{VERSION}\"); return 0; }}\n"
    );
    fs::write(folder.join("small.c"), source).expect("a file can be written");
    let program = folder.join("small");
    let compiler = needs::program(&["cc"], "Debian: gcc");
    let mut compile = command(&compiler, folder);
    let outcome = run(compile.arg("-static").arg("-o").arg(&program).arg("small.c"));
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    program
}

fn pack(program: &Path, folder: &Path) -> Outcome {
    run(command(&script("release/pack.sh"), folder).args([program, Path::new(machine().0), Path::new("release")]))
}

/// A folder with a release of the small program in `release`.
fn released() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let outcome = pack(&small_program(folder.path()), folder.path());
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    folder
}

fn archive_name() -> String {
    format!("volley-v{VERSION}-linux-{}.tar.gz", machine().1)
}

#[test]
fn a_release_is_packed_the_same_way_each_time() {
    let folder = released();
    let archive = folder.path().join("release").join(archive_name());
    let first = fs::read(&archive).expect("the archive is there");
    let listed = run(command(Path::new("tar"), folder.path()).arg("-tzf").arg(&archive));
    let name = archive_name().replace(".tar.gz", "");
    let expected = ["", "LICENSE-APACHE", "LICENSE-MIT", "README.md", "volley"];
    assert_eq!(listed.stdout.lines().collect::<Vec<_>>(), expected.map(|file| format!("{name}/{file}")));
    let sums = fs::read_to_string(folder.path().join("release/SHA256SUMS")).expect("the sums are there");
    assert!(sums.contains(&archive_name()), "{sums}");
    let outcome = pack(&folder.path().join("small"), folder.path());
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert_eq!(fs::read(&archive).expect("the archive is there"), first);
}

#[test]
fn what_would_not_run_elsewhere_is_refused() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let check = |program: &Path, expect: &str| {
        let outcome = pack(program, folder.path());
        assert_eq!(outcome.code, 1, "{}", outcome.stdout);
        assert!(outcome.stderr.contains(expect), "{}", outcome.stderr);
    };
    check(&script("release/pack.sh"), "is no program for Linux");
    check(Path::new("/bin/true"), "needs libraries of the machine it was built on: build it for musl");
    let program = small_program(folder.path());
    let mut too_large = command(&script("release/pack.sh"), folder.path());
    too_large.args([&program, Path::new(machine().0), Path::new("release")]).env("MAX_MEGABYTES", "0");
    let outcome = run(&mut too_large);
    assert_eq!(outcome.code, 1, "{}", outcome.stdout);
    assert!(outcome.stderr.contains("bytes, more than 0"), "{}", outcome.stderr);
    let mut other = command(&script("release/pack.sh"), folder.path());
    let outcome = run(other.args([&program, Path::new("riscv64"), Path::new("release")]));
    assert_eq!(outcome.code, 1, "{}", outcome.stdout);
    assert!(outcome.stderr.contains("there is no release for riscv64"), "{}", outcome.stderr);
}

#[test]
fn the_formula_names_both_archives_and_their_sums() {
    let folder = released();
    let release = folder.path().join("release");
    let mut formula = command(&script("release/formula.sh"), folder.path());
    let outcome = run(formula.args(["release", "https://example.com/v1/"]));
    assert_eq!(outcome.code, 1, "one of the two archives is missing");
    let other = if machine().1 == "amd64" { "arm64" } else { "amd64" };
    fs::write(release.join(format!("volley-v{VERSION}-linux-{other}.tar.gz")), "of another machine").unwrap();
    let outcome = run(&mut formula);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    for arch in ["amd64", "arm64"] {
        let archive = format!("volley-v{VERSION}-linux-{arch}.tar.gz");
        let sum = run(command(Path::new("sha256sum"), &release).arg(&archive)).stdout;
        let sum = sum.split(' ').next().expect("there is a sum");
        let lines = format!("url \"https://example.com/v1/{archive}\"\n    sha256 \"{sum}\"\n");
        assert!(outcome.stdout.contains(&lines), "{}", outcome.stdout);
    }
}

/// Installs what `released` made, as a workflow of GitHub does.
fn install(folder: &Path, variables: &[(&str, &str)]) -> Outcome {
    needs::program(&["curl"], "Debian: curl");
    // `releases/download/vX/` and `releases/latest/download/`, as GitHub has them.
    for at in ["releases/latest", "releases/download"] {
        fs::create_dir_all(folder.join(at)).expect("a folder can be made");
    }
    for at in ["releases/latest/download".to_owned(), format!("releases/download/v{VERSION}")] {
        let _ = symlink(folder.join("release"), folder.join(at));
    }
    let mut install = command(&script("setup-volley/install.sh"), folder);
    install.env("VOLLEY_RELEASES", format!("file://{}/releases", folder.display()));
    install.env("VOLLEY_FOLDER", folder.join("bin")).env("GITHUB_PATH", folder.join("path"));
    run(install.env("GITHUB_OUTPUT", folder.join("output")).envs(variables.iter().copied()))
}

#[test]
fn a_pipeline_installs_a_release_under_both_names() {
    let folder = released();
    for release in ["latest", VERSION, &format!("v{VERSION}")] {
        let outcome = install(folder.path(), &[("VOLLEY_RELEASE", release)]);
        assert_eq!(outcome.code, 0, "{release}: {}", outcome.stderr);
        assert_eq!(outcome.stdout, format!("volley v{VERSION}\n"));
    }
    for (name, expect) in [("volley", "volley v"), ("k6", "k6 v2.3.0")] {
        let outcome = run(command(&folder.path().join("bin").join(name), folder.path()).arg("version"));
        assert!(outcome.stdout.starts_with(expect), "{}", outcome.stdout);
    }
    let path = fs::read_to_string(folder.path().join("path")).expect("PATH is told");
    assert_eq!(path.lines().next(), folder.path().join("bin").to_str());
    let output = fs::read_to_string(folder.path().join("output")).expect("the version is told");
    assert!(output.starts_with(&format!("version=volley v{VERSION}\n")), "{output}");
}

#[test]
fn the_version_of_k6_that_is_asked_for_is_compared() {
    let folder = released();
    let check = |asked: &str, is_told: bool| {
        let outcome = install(folder.path(), &[("VOLLEY_K6_VERSION", asked)]);
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        let notice =
            format!("the workflow asks for k6 {}; volley behaves like k6 2.3\n", asked.trim_start_matches('v'));
        assert_eq!(outcome.stdout.contains(&notice), is_told, "{asked}: {}", outcome.stdout);
    };
    check("", false);
    check("latest", false);
    check("2.3.1", false);
    check("v2.3", false);
    check("0.56.0", true);
}

#[test]
fn a_release_that_is_broken_or_missing_is_not_installed() {
    let folder = released();
    let check = |variables: &[(&str, &str)], expect: &str| {
        let outcome = install(folder.path(), variables);
        assert_eq!(outcome.code, 1, "{}", outcome.stdout);
        assert!(outcome.stderr.contains(expect), "{}", outcome.stderr);
        assert!(!folder.path().join("bin/volley").exists());
    };
    check(&[("VOLLEY_RELEASE", "9.9.9")], "releases/download/v9.9.9/SHA256SUMS can't be had");
    fs::write(folder.path().join("release").join(archive_name()), "something else").expect("a file can be written");
    check(&[], "is not what SHA256SUMS says");
    fs::write(folder.path().join("release/SHA256SUMS"), "").expect("a file can be written");
    check(&[], "has no volley for");
}
