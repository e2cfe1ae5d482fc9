//! From what is written after `import … from` to an address: a built-in module or a URL.
//!
//! Nothing is guessed: no extension, no `index.js`, no `node_modules`. The texts are k6's, as people search for them.

use percent_encoding::{AsciiSet, percent_decode_str, utf8_percent_encode};

use crate::units::percent::COMPONENT;

/// What the names of scripts end with, behind a dot.
pub const SCRIPT_ENDINGS: [&str; 4] = ["js", "ts", "mjs", "cjs"];

/// True for a name that ends as those of scripts do.
pub fn has_script_ending(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, ending)| SCRIPT_ENDINGS.contains(&ending))
}

/// Where a specifier leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// A module of ours, by name; it may turn out not to exist.
    Builtin(String),
    /// `file:///…` or `https://…`.
    Url(String),
}

/// Resolves `specifier`, written in the module at `referrer`.
///
/// # Errors
/// k6's message, without the context of the script.
pub fn resolve(specifier: &str, referrer: &str) -> Result<Resolved, String> {
    if specifier.is_empty() {
        return Err("local or remote path required".to_owned());
    }
    if specifier == "k6" || specifier.starts_with("k6/") {
        return Ok(Resolved::Builtin(specifier.to_owned()));
    }
    if specifier.starts_with(['.', '/']) {
        return Ok(Resolved::Url(join(referrer, specifier)));
    }
    if let Some((scheme, _)) = specifier.split_once("://") {
        return match scheme {
            "file" if referrer.starts_with("https://") => {
                let origin = directory(referrer);
                let origin = origin.trim_end_matches('/');
                Err(format!("origin ({origin}) not allowed to load local file: {specifier}"))
            }
            "file" | "https" => Ok(Resolved::Url(specifier.to_owned())),
            _ => Err(wrong_scheme(specifier, scheme)),
        };
    }
    for (host, what, file) in
        [("cdnjs.com", "cdnjs", "actual JavaScript"), ("github.com", "github", "actual raw JavaScript")]
    {
        if specifier.starts_with(host) {
            return Err(format!(
                "{host} 'special' urls are no longer supported - please use real ones. You can get yours by going to \
                 {what} and copy-pasting the full url to the {file} file"
            ));
        }
    }
    Err(format!("The moduleSpecifier \"{specifier}\" couldn't be recognised as something k6 supports."))
}

/// The refusal of a scheme that is neither `file` nor `https`.
pub(super) fn wrong_scheme(specifier: &str, scheme: &str) -> String {
    format!("only supported schemes for imports are file and https, {specifier} has `{scheme}`")
}

/// The text for a local file that isn't there.
pub(super) fn not_on_disk(specifier: &str) -> String {
    format!(
        "The moduleSpecifier \"{specifier}\" couldn't be found on local disk. Make sure that you've specified the \
         right path to the file. If you're running k6 using the Docker image make sure you have mounted the local \
         directory (-v /local/path/:/inside/docker/path) containing your script and modules so that they're accessible \
         by k6 from inside of the container, see \
         https://grafana.com/docs/k6/latest/using-k6/modules/#use-modules-with-docker."
    )
}

/// The directory of a URL, with the slash at its end.
pub fn directory(url: &str) -> String {
    let path_at = path_start(url);
    match url[path_at..].rfind('/') {
        Some(slash) => url[..=path_at + slash].to_owned(),
        None => format!("{url}/"),
    }
}

/// Where the path of a URL begins.
fn path_start(url: &str) -> usize {
    let after_scheme = url.find("://").map_or(0, |at| at + 3);
    url[after_scheme..].find('/').map_or(url.len(), |at| after_scheme + at)
}

/// Resolves a relative or absolute path against a URL's directory; `.` and `..` are worked out.
fn join(referrer: &str, path: &str) -> String {
    let path_at = path_start(referrer);
    let (path, query) = match path.find(['?', '#']).filter(|_| referrer.starts_with("https://")) {
        Some(at) => path.split_at(at),
        None => (path, ""),
    };
    let encoded = if referrer.starts_with("file://") { encode_path(path) } else { path.to_owned() };
    let whole = if path.starts_with('/') { encoded } else { format!("{}{encoded}", &directory(referrer)[path_at..]) };
    format!("{}{}{query}", &referrer[..path_at], clean(&whole))
}

/// The address of `path` beside the file at `url`.
pub fn beside(url: &str, path: &str) -> String {
    join(url, path)
}

/// Works `.` and `..` out of an absolute path.
pub(super) fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => (),
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// An absolute path as a `file://` URL.
pub fn file_url(path: &str) -> String {
    format!("file://{}", encode_path(&clean(path)))
}

/// The path behind a `file://` URL.
pub fn file_path(url: &str) -> Option<String> {
    let path = url.strip_prefix("file://")?;
    Some(percent_decode_str(path).decode_utf8_lossy().into_owned())
}

fn encode_path(path: &str) -> String {
    const ESCAPED: AsciiSet = COMPONENT
        .remove(b'/')
        .remove(b'$')
        .remove(b'&')
        .remove(b'+')
        .remove(b',')
        .remove(b':')
        .remove(b';')
        .remove(b'=')
        .remove(b'@')
        .remove(b'!')
        .remove(b'*')
        .remove(b'\'')
        .remove(b'(')
        .remove(b')');
    utf8_percent_encode(path, &ESCAPED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specifiers_lead_somewhere() {
        let check = |specifier: &str, referrer: &str, expect: &str| {
            let got = match resolve(specifier, referrer) {
                Ok(Resolved::Builtin(name)) => format!("builtin {name}"),
                Ok(Resolved::Url(url)) => url,
                Err(error) => error,
            };
            assert_eq!(got, expect, "{specifier} in {referrer}");
        };
        let main = "file:///app/tests/main.js";
        check("k6", main, "builtin k6");
        check("k6/http", main, "builtin k6/http");
        check("./lib/x.js", main, "file:///app/tests/lib/x.js");
        check("../x.js", main, "file:///app/x.js");
        check("../../../../x.js", main, "file:///x.js");
        check("/x.js", main, "file:///x.js");
        check("./a b.js", main, "file:///app/tests/a%20b.js");
        check("./x.js", "file:///-", "file:///x.js");
        check("file:///x.js", main, "file:///x.js");
        check("https://h.test/x.js", main, "https://h.test/x.js");
        check("./y.js?v=1", "https://h.test/lib/x.js", "https://h.test/lib/y.js?v=1");
        check("/y.js", "https://h.test/lib/x.js", "https://h.test/y.js");
        check("http://x/y.js", main, "only supported schemes for imports are file and https, http://x/y.js has `http`");
        check(
            "file:///x.js",
            "https://host/dir/x.js",
            "origin (https://host/dir) not allowed to load local file: file:///x.js",
        );
        check("lodash", main, "The moduleSpecifier \"lodash\" couldn't be recognised as something k6 supports.");
        check(
            "jslib.k6.io/x/y.js",
            main,
            "The moduleSpecifier \"jslib.k6.io/x/y.js\" couldn't be recognised as something k6 supports.",
        );
        check("", main, "local or remote path required");
        check(
            "github.com/a/b.js",
            main,
            "github.com 'special' urls are no longer supported - please use real ones. You can get yours by going to \
             github and copy-pasting the full url to the actual raw JavaScript file",
        );
    }

    #[test]
    fn paths_and_urls_are_each_other() {
        let check = |path: &str, url: &str| {
            assert_eq!(file_url(path), url);
            assert_eq!(file_path(url).as_deref(), Some(path));
        };
        check("/a/b.js", "file:///a/b.js");
        check("/a b/č%.js", "file:///a%20b/%C4%8D%25.js");
        check("/-", "file:///-");
    }
}
