//! Where secrets come from: the sources of `--secret-source`, asked by `k6/secrets`.
//!
//! A value is requested once and kept. Before it is returned it is passed to `hide`, so that no log line shows it. No
//! message here holds a value or the text of a source's configuration beyond its type, the unknown ones excepted.

mod url;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex};

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::units::sync::lock;
use url::UrlSource;

/// Looks up a variable of the process.
pub type Variable<'v> = &'v dyn Fn(&str) -> Option<String>;

/// All sources of a run.
pub struct Secrets {
    sources: Vec<SecretSource>,
    default: Option<usize>,
    known: Mutex<HashMap<(usize, String), Arc<str>>>,
    hide: Box<dyn Fn(&str) + Send + Sync>,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} secret sources", self.sources.len())
    }
}

struct SecretSource {
    name: String,
    kind: SecretBackend,
}

enum SecretBackend {
    /// All of it is known: `mock` and `file`.
    Listed(BTreeMap<String, String>),
    /// Asked over HTTP.
    Url(UrlSource),
}

fn wrong(message: impl Into<String>) -> Failure {
    Failure::new(ExitCode::Other, message)
}

impl Secrets {
    /// Opens the sources asked for as `TYPE[=CONFIG]` each; `hide` gets every value before it is returned.
    ///
    /// # Errors
    /// Unknown types, malformed configurations, files that can't be read: code 255. The hosted service's
    /// source: code 104.
    pub fn open(
        asked: &[String],
        folder: &Path,
        variable: Variable<'_>,
        hide: impl Fn(&str) + Send + Sync + 'static,
    ) -> Result<Self, Failure> {
        let mut secrets = Self { sources: Vec::new(), default: None, known: Mutex::default(), hide: Box::new(hide) };
        for asked in asked {
            if asked.is_empty() {
                return Err(wrong(format!("couldn't parse secret source configuration {asked:?}")));
            }
            let (kind, config) = asked.split_once('=').unwrap_or((asked, ""));
            let mut name = kind.to_owned();
            let mut is_default = false;
            let mut items = Vec::new();
            for item in config.split(',').filter(|item| !item.is_empty()) {
                match item.split_once('=') {
                    Some(("name", value)) => name = value.to_owned(),
                    None if item == "default" => is_default = true,
                    _ => items.push(item),
                }
            }
            let kind = match kind {
                "mock" => SecretBackend::Listed(pairs(items.iter().copied(), "mock")?),
                "file" => SecretBackend::Listed(file(&items, folder)?),
                "url" => SecretBackend::Url(UrlSource::open(&items, folder, variable)?),
                "cloud" => {
                    let words = "the secret source `cloud` needs Grafana's hosted service, which this program does not \
                                 talk to";
                    return Err(Failure::new(ExitCode::InvalidConfig, words));
                }
                _ => {
                    let text = format!("no secret source for type {kind:?} for configuration {asked:?}");
                    return Err(wrong(text));
                }
            };
            if secrets.sources.iter().any(|known| known.name == name) {
                return Err(wrong(format!("two secret sources are named {name:?}; give one of them another `name=`")));
            }
            if is_default && secrets.default.replace(secrets.sources.len()).is_some() {
                return Err(wrong("two secret sources are the `default`; only one can be"));
            }
            secrets.sources.push(SecretSource { name, kind });
        }
        if secrets.sources.len() == 1 {
            secrets.default = Some(0);
        }
        Ok(secrets)
    }

    /// The value of `key` in the source of this name, or in the default one.
    ///
    /// # Errors
    /// k6's message for sources and keys that aren't there.
    pub async fn get(&self, source: Option<&str>, key: &str) -> Result<Arc<str>, String> {
        if self.sources.is_empty() {
            return Err("no secret sources are configured".to_owned());
        }
        let at = match source {
            Some(name) => self.sources.iter().position(|known| known.name == name),
            None => self.default,
        };
        let at = at.ok_or_else(|| match source {
            Some(name) => format!("no secret source with name {name:?} is configured"),
            None => "no secret source is the default one".to_owned(),
        })?;
        let place = (at, key.to_owned());
        if let Some(value) = self.known().get(&place) {
            return Ok(value.clone());
        }
        let value: Arc<str> = match &self.sources[at].kind {
            SecretBackend::Listed(list) => list.get(key).ok_or("no value")?.as_str().into(),
            SecretBackend::Url(url) => url.fetch(key).await?.into(),
        };
        if !value.trim().is_empty() {
            (self.hide)(&value);
        }
        self.known().insert(place, value.clone());
        Ok(value)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<(usize, String), Arc<str>>> {
        lock(&self.known)
    }
}

/// `key=value` each; the value may hold further `=`.
fn pairs<'t>(items: impl Iterator<Item = &'t str>, what: &str) -> Result<BTreeMap<String, String>, Failure> {
    let pair = |(number, item): (usize, &str)| {
        let (key, value) = item.split_once('=').ok_or_else(|| wrong(format!("{what}: item {number} has no `=`")))?;
        Ok((key.to_owned(), value.to_owned()))
    };
    (1..).zip(items).map(pair).collect()
}

/// `[filename=]PATH`: a line for each secret.
fn file(items: &[&str], folder: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let [item] = items else { return Err(wrong("the secret source `file` needs one path: `file=PATH`")) };
    let path = item.strip_prefix("filename=").unwrap_or(item);
    let text = std::fs::read_to_string(folder.join(path))
        .map_err(|error| wrong(format!("the secret source `file={path}` can't be read: {error}")))?;
    let lines = text.lines().map(|line| line.trim_end_matches('\r')).filter(|line| !line.trim().is_empty());
    pairs(lines, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(asked: &[&str], folder: &Path, hidden: &Arc<Mutex<Vec<String>>>) -> Result<Secrets, Failure> {
        let asked: Vec<String> = asked.iter().map(|text| (*text).to_owned()).collect();
        let hidden = hidden.clone();
        Secrets::open(&asked, folder, &|_| None, move |value| hidden.lock().unwrap().push(value.to_owned()))
    }

    fn get(secrets: &Secrets, source: Option<&str>, key: &str) -> Result<String, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(secrets.get(source, key)).map(|value| value.to_string())
    }

    #[test]
    fn sources_are_asked_by_name() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("s.env"), "user=ann\n\npass=a=b\n").unwrap();
        let hidden = Arc::default();
        let check = |asked: &[&str], source: Option<&str>, key: &str, expect: Result<&str, &str>| {
            let secrets = open(asked, folder.path(), &hidden).unwrap();
            assert_eq!(get(&secrets, source, key).as_deref().map_err(String::as_str), expect, "{asked:?} {key}");
        };
        check(&[], None, "k", Err("no secret sources are configured"));
        check(&["mock=k=v,k2=a=b"], None, "k2", Ok("a=b"));
        check(&["mock=k=v"], Some("mock"), "k", Ok("v"));
        check(&["mock=k=v"], Some("nope"), "k", Err("no secret source with name \"nope\" is configured"));
        check(&["mock=k=v"], None, "", Err("no value"));
        check(&["file=s.env"], None, "pass", Ok("a=b"));
        check(&["file=filename=s.env,name=mine"], Some("mine"), "user", Ok("ann"));
        let two = ["mock=name=first,default,k=1", "mock=name=second,k=2"];
        check(&two, None, "k", Ok("1"));
        check(&two, Some("second"), "k", Ok("2"));
        check(&["mock=k=1", "file=s.env"], None, "k", Err("no secret source is the default one"));
    }

    #[test]
    fn a_value_is_hidden_once_before_it_is_told() {
        let hidden = Arc::default();
        let secrets = open(&["mock=k=v,blank= "], Path::new("/"), &hidden).unwrap();
        for _ in 0..2 {
            assert_eq!(get(&secrets, None, "k").as_deref(), Ok("v"));
        }
        assert_eq!(get(&secrets, None, "blank").as_deref(), Ok(" "));
        assert_eq!(*hidden.lock().unwrap(), ["v"]);
    }

    #[test]
    fn wrong_sources_are_refused() {
        let check = |asked: &[&str], code: ExitCode, expect: &str| {
            let failure = open(asked, Path::new("/"), &Arc::default()).unwrap_err();
            assert_eq!((failure.code, failure.message.as_str()), (code, expect));
        };
        let other = ExitCode::Other;
        check(&["vaultish=x"], other, "no secret source for type \"vaultish\" for configuration \"vaultish=x\"");
        check(&["mock=a"], other, "mock: item 1 has no `=`");
        check(
            &["mock=k=1", "mock=k=2"],
            other,
            "two secret sources are named \"mock\"; give one of them another `name=`",
        );
        let two = ["mock=default,k=1", "mock=name=b,default,k=2"];
        check(&two, other, "two secret sources are the `default`; only one can be");
        check(&["file"], other, "the secret source `file` needs one path: `file=PATH`");
        let missing = "the secret source `file=nope` can't be read: No such file or directory (os error 2)";
        check(&["file=nope"], other, missing);
        let hosted = "the secret source `cloud` needs Grafana's hosted service, which this program does not talk to";
        check(&["cloud"], ExitCode::InvalidConfig, hosted);
        check(&["url"], other, "the secret source `url` needs a `urlTemplate`, with `{key}` where the key belongs");
    }
}
