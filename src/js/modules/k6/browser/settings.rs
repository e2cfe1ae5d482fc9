//! What the environment says about browsers: the variables `K6_BROWSER_*`.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use regex_lite::Regex;

use crate::log::Logger;
use crate::net::devtools::MessageLog;
use crate::net::devtools::process::{self, BrowserLaunch};
use crate::units::duration::Span;

/// How long starting a browser may take unless the environment says otherwise.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// Variables of k6 that mean nothing here, and why.
const NOT_READ: [(&str, &str); 4] = [
    ("K6_BROWSER_SCREENSHOTS_OUTPUT", "screenshots are written to files"),
    ("K6_BROWSER_TRACES_METADATA", "pages have no spans"),
    ("K6_INSTANCE_SCENARIOS", "the browser of a run is named by K6_BROWSER_WS_URL"),
    ("K6_BROWSER_LOG_CALLER", "messages are logged with their category only"),
];

/// What the environment says, checked.
#[derive(Clone, Debug)]
pub struct BrowserSettings {
    /// How browsers are started, or where the one is that is used.
    pub source: BrowserSource,
    /// How long starting one, or connecting to it, may take.
    pub timeout: Duration,
    /// Where a screenshot of a page is put whose action failed.
    pub failure_screenshots: Option<PathBuf>,
    /// What is to be ignored, in words.
    pub warnings: Vec<String>,
}

/// Where a browser comes from.
#[derive(Clone, Debug)]
pub enum BrowserSource {
    /// It is started.
    Launched(BrowserLaunch),
    /// It runs already, at this address.
    Remote(String),
}

impl BrowserSettings {
    /// Reads the environment of the process.
    ///
    /// # Errors
    /// In k6's words: a variable is malformed, or there is no browser.
    pub fn read(env: &HashMap<String, String>) -> Result<Self, String> {
        let get = |name: &str| env.get(name).map(String::as_str).filter(|value| !value.is_empty());
        let headless = flag(env, "K6_BROWSER_HEADLESS", true)?;
        let timeout = match get("K6_BROWSER_TIMEOUT") {
            None => DEFAULT_TIMEOUT,
            Some(text) => Span::parse_go(text)
                .map_err(|error| malformed(&format!("K6_BROWSER_TIMEOUT should be a time duration value: {error}")))?
                .to_duration(),
        };
        let failure_screenshots = get("K6_BROWSER_SCREENSHOT_ON_FAILURE").map(PathBuf::from);
        message_log(env, &Logger::silent())?;
        let unread = NOT_READ.into_iter().filter(|(name, _)| get(name).is_some());
        let mut warnings: Vec<String> = unread.map(|(name, why)| format!("{name} is not read: {why}")).collect();
        if let Some(url) = get("K6_BROWSER_WS_URL") {
            let ignored = ["K6_BROWSER_ARGS", "K6_BROWSER_EXECUTABLE_PATH", "K6_BROWSER_HEADLESS"];
            let ignored = ignored.into_iter().filter(|name| get(name).is_some());
            warnings.extend(ignored.map(|name| format!("setting {name} option is disallowed when browser is remote")));
            let source = BrowserSource::Remote(url.to_owned());
            return Ok(Self { source, timeout, failure_screenshots, warnings });
        }
        let executable = executable(get("K6_BROWSER_EXECUTABLE_PATH"), get("PATH"))?;
        let left_out: Vec<&str> = get("K6_BROWSER_IGNORE_DEFAULT_ARGS").map(flags).unwrap_or_default();
        let own: Vec<&str> = get("K6_BROWSER_ARGS").map(flags).unwrap_or_default();
        let source = BrowserSource::Launched(BrowserLaunch {
            executable,
            arguments: arguments(process::default_arguments(headless), &left_out, &own),
            temporary: get("TMPDIR").map_or_else(|| PathBuf::from("/tmp"), PathBuf::from),
        });
        Ok(Self { source, timeout, failure_screenshots, warnings })
    }
}

/// Where messages to and from browsers are logged, if they are to be. Also where a script connects to a browser itself.
///
/// # Errors
/// In k6's words: a variable is malformed.
pub fn message_log(env: &HashMap<String, String>, log: &Logger) -> Result<Option<MessageLog>, String> {
    let filter = env.get("K6_BROWSER_LOG").filter(|text| !text.is_empty()).map(|text| Regex::new(text)).transpose();
    let filter = filter
        .map_err(|error| malformed(&format!("K6_BROWSER_LOG should be a regular expression of categories: {error}")))?;
    let is_wanted = flag(env, "K6_BROWSER_DEBUG", false)?;
    Ok(is_wanted.then(|| MessageLog::new(log.clone(), filter.as_ref())))
}

fn malformed(text: &str) -> String {
    format!("initializing browser type: error parsing browser options: {text}")
}

fn flag(env: &HashMap<String, String>, name: &str, usual: bool) -> Result<bool, String> {
    match env.get(name).filter(|value| !value.is_empty()) {
        None => Ok(usual),
        Some(text) => parse_bool(text).ok_or_else(|| malformed(&format!("{name} should be a boolean"))),
    }
}

/// As Go reads one.
fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

fn executable(given: Option<&str>, path: Option<&str>) -> Result<PathBuf, String> {
    let Some(given) = given else {
        return process::find(path.unwrap_or_default()).ok_or_else(|| {
            "finding browser executable: k6 couldn't detect google chrome or a chromium-supported browser on this system; \
             install one (Debian, Ubuntu: `apt-get install chromium`) or name it in K6_BROWSER_EXECUTABLE_PATH"
                .to_owned()
        });
    };
    let found = if given.contains('/') {
        Some(PathBuf::from(given)).filter(|path| path.is_file())
    } else {
        let folders = path.unwrap_or_default().split(':');
        folders.map(|folder| PathBuf::from(folder).join(given)).find(|path| path.is_file())
    };
    found.ok_or_else(|| {
        format!(
            "finding browser executable: k6 couldn't detect google chrome or a chromium-supported browser on the given path: {given}"
        )
    })
}

/// The flags of a list, without their dashes.
fn flags(list: &str) -> Vec<&str> {
    list.split(',').map(|flag| flag.trim().trim_start_matches("--")).filter(|flag| !flag.is_empty()).collect()
}

fn name_of(flag: &str) -> &str {
    flag.split_once('=').map_or(flag, |(name, _)| name)
}

/// The command line: defaults, without what is left out or given anew. Lists of features are joined, as the last would win.
fn arguments(defaults: Vec<String>, left_out: &[&str], own: &[&str]) -> Vec<String> {
    let joins = |flag: &str| ["enable-features", "disable-features", "blink-settings"].contains(&name_of(flag));
    let mut all: Vec<String> = Vec::new();
    for flag in defaults {
        let name = name_of(&flag);
        let given = own.iter().find(|given| name_of(given) == name);
        match given {
            _ if left_out.iter().any(|out| name_of(out) == name) => {}
            Some(given) if joins(given) => {
                let more = given.split_once('=').map_or("", |(_, value)| value);
                all.push(format!("{flag},{more}"));
            }
            Some(_) => {}
            None => all.push(flag),
        }
    }
    let is_joined = |given: &str| joins(given) && all.iter().any(|flag| name_of(flag) == name_of(given));
    // `name=false` turns a flag off, as in k6.
    let own: Vec<String> = own
        .iter()
        .filter(|given| !is_joined(given) && !given.ends_with("=false"))
        .map(|given| given.strip_suffix("=true").unwrap_or(given).to_owned())
        .collect();
    all.extend(own);
    all.iter().map(|flag| format!("--{flag}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<BrowserSettings, String> {
        BrowserSettings::read(&pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn malformed_variables_are_named() {
        let check = |name: &str, value: &str, expect: &str| {
            let error = read(&[(name, value)]).unwrap_err();
            assert!(error.contains(expect), "{error}");
        };
        check("K6_BROWSER_HEADLESS", "maybe", "browser options: K6_BROWSER_HEADLESS should be a boolean");
        check("K6_BROWSER_DEBUG", "maybe", "K6_BROWSER_DEBUG should be a boolean");
        check("K6_BROWSER_LOG", "(", "K6_BROWSER_LOG should be a regular expression of categories: ");
        check("K6_BROWSER_TIMEOUT", "soon", "K6_BROWSER_TIMEOUT should be a time duration value: ");
        check("K6_BROWSER_EXECUTABLE_PATH", "/nowhere/x", "on the given path: /nowhere/x");
        check("PATH", "/nowhere", "apt-get install chromium");
    }

    #[test]
    fn flags_are_added_replaced_and_left_out() {
        let check = |defaults: &[&str], left_out: &[&str], own: &[&str], expect: &[&str]| {
            let defaults = defaults.iter().map(|&flag| flag.to_owned()).collect();
            assert_eq!(arguments(defaults, left_out, own), expect);
        };
        check(&["a", "b=1"], &[], &["no-sandbox"], &["--a", "--b=1", "--no-sandbox"]);
        check(&["a", "b=1"], &["a"], &["b=2"], &["--b=2"]);
        check(&["enable-features=X"], &[], &["enable-features=Y"], &["--enable-features=X,Y"]);
        check(&["headless"], &[], &["headless=false", "c=true"], &["--c"]);
        assert_eq!(flags("--a, b=MAP * 1.1.1.1 ,,c"), ["a", "b=MAP * 1.1.1.1", "c"]);
    }

    #[test]
    fn variables_that_mean_nothing_are_told() {
        for (name, why) in NOT_READ {
            let settings = read(&[("K6_BROWSER_WS_URL", "ws://h:1/x"), (name, "x")]).unwrap();
            assert_eq!(settings.warnings, [format!("{name} is not read: {why}")]);
        }
    }

    #[test]
    fn a_remote_browser_takes_no_flags() {
        let settings = read(&[("K6_BROWSER_WS_URL", "ws://h:1/x"), ("K6_BROWSER_ARGS", "a")]).unwrap();
        assert!(matches!(&settings.source, BrowserSource::Remote(url) if url == "ws://h:1/x"));
        assert_eq!(settings.warnings, ["setting K6_BROWSER_ARGS option is disallowed when browser is remote"]);
    }
}
