//! The pages of `docs/`: their code runs, in the order of each page, in a folder of its own against the demo target; their links
//! lead somewhere; and the book has all of them.
//!
//! A block that begins with a file's name (```` ```js script.js ````) is written there, one of `sh` is run, others are shown only.

use std::fs;
use std::path::{Path, PathBuf};

use libtest_mimic::Trial;

use crate::harness::trial;
use crate::peers::free_port;
use crate::program::{self, Running, run, volley};

/// A test for every page.
pub fn trials() -> Vec<Trial> {
    let name = |page: &Path| page.file_name().expect("a page has a name").display().to_string();
    pages().into_iter().map(|page| trial(format!("book::{}", name(&page)), move || run_page(&page))).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn pages() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("docs")).expect("the book can be read");
    let paths = entries.map(|entry| entry.expect("the book can be read").path());
    let mut pages: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|end| end == "md")).collect();
    pages.sort();
    pages
}

/// The blocks of code of a page: what stands behind the three ticks, and the code.
pub fn blocks(page: &str) -> Vec<(&str, &str)> {
    page.split("```").skip(1).step_by(2).filter_map(|block| block.split_once('\n')).collect()
}

fn run_page(page: &Path) {
    let text = fs::read_to_string(page).expect("the page can be read");
    let blocks = blocks(&text);
    if !blocks.iter().any(|(head, _)| *head == "sh") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder can be made");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_volley"), folder.path().join("volley")).expect("a link can be made");
    let port = free_port();
    let target = Running::start(volley(folder.path()).args(["target", "--listen", &format!("127.0.0.1:{port}")]));
    target.wait_for("listening on");
    for (head, code) in blocks {
        match head.split_once(' ') {
            Some((_, name)) => fs::write(folder.path().join(name), code).expect("a file can be written"),
            None if head == "sh" => {
                let mut command = program::command(Path::new("/bin/sh"), folder.path());
                let path = std::env::var("PATH").unwrap_or_default();
                command.env("PATH", format!("{}:{path}", folder.path().display()));
                command.env("BASE_URL", format!("http://127.0.0.1:{port}"));
                let outcome = run(command.args(["-e", "-c", code]));
                assert_eq!(outcome.code, 0, "{code}\n{}\n{}", outcome.stdout, outcome.stderr);
            }
            None => {}
        }
    }
    target.interrupt();
    target.end();
}

#[test]
fn every_page_is_in_the_book() {
    let contents = fs::read_to_string(root().join("docs/SUMMARY.md")).expect("the book has a table of contents");
    for page in pages() {
        let name = page.file_name().expect("a page has a name").display().to_string();
        assert!(name == "SUMMARY.md" || contents.contains(&format!("({name})")), "{name} is not in the book");
    }
}

/// As mdBook makes them: lower case, blanks become hyphens, signs go.
fn anchors(page: &str) -> Vec<String> {
    let heading = |line: &str| {
        let text = line.trim_start_matches('#').trim();
        let kept = text.chars().filter(|sign| sign.is_alphanumeric() || matches!(sign, ' ' | '-' | '_'));
        kept.collect::<String>().to_lowercase().replace(' ', "-")
    };
    page.lines().filter(|line| line.starts_with('#')).map(heading).collect()
}

#[test]
fn links_lead_somewhere() {
    let mut seen = 0;
    for page in pages().into_iter().chain([root().join("README.md"), root().join("CONTRIBUTING.md")]) {
        let text = fs::read_to_string(&page).expect("the page can be read");
        // What stands in code is no link.
        let prose: String = text.split("```").step_by(2).collect();
        for link in prose.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") || link.contains('<') {
                continue;
            }
            let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
            let to = if file.is_empty() { page.clone() } else { page.with_file_name(file) };
            assert!(to.exists(), "{} links to {link}", page.display());
            if let Some(anchor) = anchor {
                let target = fs::read_to_string(&to).expect("the page can be read");
                assert!(anchors(&target).contains(&anchor.to_owned()), "{} links to {link}", page.display());
            }
            seen += 1;
        }
    }
    assert!(seen > 30, "{seen} links were looked at");
}
