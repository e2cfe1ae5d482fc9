//! How `deps` prints what a script imports.

use std::fmt::Write as _;

use serde_json::json;

/// `imports` are the files (as URLs) and modules of the script's whole graph, in any order. Nothing here needs a build
/// of its own: what isn't built in doesn't exist.
pub fn list(imports: &[String], as_json: bool) -> String {
    let mut sorted: Vec<&str> = imports.iter().map(String::as_str).collect();
    sorted.sort_unstable();
    sorted.dedup();
    if as_json {
        let value = json!({"buildDependencies": {"k6": "*"}, "imports": sorted, "customBuildRequired": false});
        return serde_json::to_string_pretty(&value).unwrap_or_default() + "\n";
    }
    let mut text = "Build Dependencies:\n  k6: *\n\nImports:\n".to_owned();
    for import in sorted {
        // Writing to a string can't fail.
        let _ = writeln!(text, "  {import}");
    }
    text + "\nCustom Build Required: no\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_sorted() {
        let imports = ["k6/http", "file:///x.js", "k6/http"].map(str::to_owned);
        let expect =
            "Build Dependencies:\n  k6: *\n\nImports:\n  file:///x.js\n  k6/http\n\nCustom Build Required: no\n";
        assert_eq!(list(&imports, false), expect);
    }
}
