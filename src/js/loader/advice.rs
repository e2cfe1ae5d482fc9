//! What would be right where a script uses what there is not: a name, a function of a module of ours, a package.

use super::{Loader, MAX_EXPLAINED, OURS, lock};
use crate::js::transpile::{self, BoundNames};
use crate::source::specifier::{file_url, has_script_ending};
use crate::units::nearest::{did_you_mean, nearest};

/// Globals that people know from browsers and Node.js, and what there is instead.
const GLOBALS: &[(&str, &str)] = &[
    ("fetch XMLHttpRequest axios request got", REQUESTS),
    ("process env", "environment variables are in `__ENV`, as `__ENV.NAME`"),
    (
        "window document localStorage sessionStorage navigator location jQuery $",
        "a script has no page: `k6/browser` opens one",
    ),
    ("Buffer", "`k6/encoding` knows base64, `TextEncoder` makes bytes of a text"),
    ("atob btoa", "`k6/encoding` has `b64decode` and `b64encode`"),
    (
        "__dirname __filename",
        "`open()` and `import` begin at the folder of their file, `import.meta.resolve()` tells it",
    ),
    ("setImmediate", "`setTimeout(f, 0)` does it"),
    ("WebSocket", "it is imported: `import { WebSocket } from 'k6/websockets'`"),
    ("URL URLSearchParams", "jslib has them: `url`"),
    ("FormData", "jslib has it: `formdata`"),
    ("describe expect", "jslib has it: `k6chaijs`"),
    ("uuidv4 randomItem randomString randomIntBetween findBetween", "jslib has it: `k6-utils`"),
    ("exec", "it is imported: `import exec from 'k6/execution'`"),
];

/// Packages that people know, and what there is instead.
const PACKAGES: &[(&str, &str)] = &[
    ("fs fs/promises", "`open()` reads files in init code, `k6/experimental/fs` reads them in parts"),
    ("http https http2 axios node-fetch got request undici superagent", REQUESTS),
    ("crypto crypto-js", "`k6/crypto` has hashes, the global `crypto` keys and random values"),
    ("ws", "`k6/websockets` opens WebSockets"),
    ("puppeteer playwright @playwright/test", "`k6/browser` opens pages"),
    ("@grpc/grpc-js", "`k6/net/grpc` calls gRPC services"),
    ("redis ioredis", "`k6/x/redis` talks to Redis"),
    ("mqtt", "`k6/x/mqtt` talks to brokers"),
    ("pg mysql mysql2 sqlite3", "`k6/x/sql` asks databases"),
    ("faker @faker-js/faker", "`k6/x/faker` makes test data"),
    ("chai", "jslib has it: `k6chaijs`"),
    ("k6-utils utils", "jslib has it: `https://jslib.k6.io/k6-utils/1.4.0/index.js`"),
    ("url querystring", "jslib has it: `url`"),
    ("papaparse csv-parse", "`k6/experimental/csv` reads tables"),
    (
        "path os util events stream child_process assert buffer timers dns net tls zlib worker_threads",
        "a script does not run in Node.js, whose modules it lacks",
    ),
];

const REQUESTS: &str = "requests are made with `k6/http`: `import http from 'k6/http'`";
const BUNDLE: &str = "a package has to be bundled with the script, or imported by its https address";

const NO_PROMISE: &str = "a request waits for its response, which is no promise; `http.asyncRequest` returns one";

/// Methods that return promises.
const ASYNC: [(&str, &str); 4] =
    [("k6/browser", "newPage"), ("k6/browser", "newContext"), ("k6/http", "asyncRequest"), ("k6/secrets", "get")];

/// What a response has.
const RESPONSE: [&str; 16] = [
    "body",
    "json",
    "html",
    "status",
    "status_text",
    "headers",
    "timings",
    "cookies",
    "error",
    "error_code",
    "request",
    "url",
    "submitForm",
    "clickLink",
    "proto",
    "remote_ip",
];
/// What responses of other libraries have.
const RESPONSE_ELSEWHERE: [(&str, &str); 5] =
    [("text", "body"), ("data", "json()"), ("statusCode", "status"), ("getHeader", "headers"), ("content", "body")];

/// Functions that other libraries call otherwise.
const MEMBERS: [(&str, &str, &str); 3] =
    [("k6/http", "delete", "del"), ("k6/http", "fetch", "get"), ("k6", "wait", "sleep")];

/// What every script has.
const ALWAYS: [&str; 6] = ["__ENV", "__VU", "__ITER", "console", "open", "require"];

/// The modules whose functions are often used without being imported.
const USUAL: [&str; 2] = ["k6", "k6/metrics"];

fn of_table(table: &[(&str, &str)], name: &str) -> Option<String> {
    let line = table.iter().find(|(names, _)| names.split_whitespace().any(|known| known == name));
    line.map(|(_, advice)| (*advice).to_owned())
}

/// What helps where a package can't be imported.
pub fn package_advice(specifier: &str) -> String {
    if has_script_ending(specifier) && !specifier.contains("://") {
        return format!("a file's path begins with a dot: `./{specifier}`");
    }
    of_table(PACKAGES, specifier.strip_prefix("node:").unwrap_or(specifier)).unwrap_or_else(|| BUNDLE.to_owned())
}

/// The module that a name stands for; `browser` is one of its exports.
fn module_of<'n>(names: &'n BoundNames, local: &str) -> Option<&'n str> {
    match names.modules.iter().find(|(known, _)| known == local) {
        Some((_, module)) => Some(module),
        None => (local == "browser").then_some("k6/browser"),
    }
}

/// About `object.member`, where `object` is what a call returned.
fn of_returned(names: &BoundNames, object: &str, member: &str, maker: &str, function: &str) -> Option<String> {
    let module = module_of(names, maker)?;
    if ASYNC.contains(&(module, function)) {
        return Some(format!("`{object}` is a promise: `{object} = await {maker}.{function}(...)`"));
    }
    if module != "k6/http" {
        return None;
    }
    if member == "then" {
        return Some(NO_PROMISE.to_owned());
    }
    let other = RESPONSE_ELSEWHERE.iter().find(|(wrong, _)| *wrong == member).map(|(_, right)| *right);
    let meant = other.or_else(|| nearest(member, RESPONSE))?;
    Some(format!("did you mean `{object}.{meant}`?"))
}

/// About a metric of this name.
fn metric_name(name: &str) -> Option<String> {
    if name.chars().count() < 2 {
        return Some("a name has two characters at least".to_owned());
    }
    let good: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).take(128).collect();
    let good = if good.starts_with(|c: char| c.is_ascii_digit()) { format!("_{good}") } else { good };
    Some(format!("`{good}` would be one"))
}

/// About a header that is asked for as `'name']...`, in small letters.
fn header_name(rest: &str) -> Option<String> {
    let name = rest.get(1..)?.split(['\'', '"', '`']).next()?;
    let upper = |part: &str| {
        let (first, rest) = part.split_at_checked(1)?;
        Some(format!("{}{rest}", first.to_ascii_uppercase()))
    };
    let spelt: Option<Vec<String>> = name.split('-').map(upper).collect();
    let spelt = spelt?.join("-");
    (spelt != name && !rest.starts_with(|c: char| c.is_alphanumeric()))
        .then(|| format!("names of headers are spelt with capitals: `headers['{spelt}']`"))
}

impl Loader {
    /// What would be right, of an exception as logs show it: its text, and its places below.
    pub fn advice(&self, report: &str) -> Option<String> {
        let mut lines = report.lines();
        let text = lines.next()?;
        let is_about = |end: &&str| text.ends_with(end);
        let ends = [" is not defined", " is not a function", "as something k6 supports.", "no such file or directory"];
        let is_known = ends.iter().any(is_about)
            || text.contains(".headers[")
            || text.starts_with("GoError: Invalid metric name: '");
        if !is_known {
            return None;
        }
        let place = lines.next().unwrap_or_default();
        let key = (text.to_owned(), place.to_owned());
        if let Some(known) = lock(&self.advised).get(&key) {
            return known.clone();
        }
        let advice = self.advice_on(text, place);
        let mut advised = lock(&self.advised);
        if advised.len() >= MAX_EXPLAINED {
            advised.clear();
        }
        advised.insert(key, advice.clone());
        advice
    }

    fn advice_on(&self, text: &str, place: &str) -> Option<String> {
        if let Some(name) = text.strip_prefix("ReferenceError: ").and_then(|rest| rest.strip_suffix(" is not defined"))
        {
            let names = self.names_at(place).unwrap_or_default();
            if name == "data" && names.bound.iter().any(|bound| bound == "setup") {
                return Some(
                    "what `setup()` returns is an argument: `export default function (data) { ... }`".to_owned(),
                );
            }
            return of_table(GLOBALS, name).or_else(|| self.import_of(name)).or_else(|| self.near(name, &names));
        }
        if let Some(called) = text.strip_prefix("TypeError: ").and_then(|rest| rest.strip_suffix(" is not a function"))
        {
            if called.ends_with(").then") {
                return Some(NO_PROMISE.to_owned());
            }
            let (object, member) = called.split_once('.')?;
            return self.meant_member(object, member, place);
        }
        if let Some(path) = text.strip_prefix("GoError: stat ").and_then(|rest| rest.split(": no such").next()) {
            return self.files.meant(path, &file_url(path)).map(|near| format!("did you mean {near:?}?"));
        }
        if let Some(name) =
            text.strip_prefix("GoError: Invalid metric name: '").and_then(|rest| rest.split('\'').next())
        {
            return metric_name(name);
        }
        if let Some(rest) = text.split(".headers[").nth(1) {
            return header_name(rest);
        }
        let specifier = text.split('"').nth(1)?;
        text.contains("The moduleSpecifier ").then(|| package_advice(specifier))
    }

    /// The modules a script may import, but for extensions.
    fn offered(&self) -> impl Iterator<Item = &'static str> {
        let specifiers = self.builtins.modules.iter().map(|module| module.specifier);
        specifiers.filter(|name| !name.starts_with(OURS) && !name.starts_with("k6/x/"))
    }

    /// How something is imported that has this name: a module, or what one exports.
    fn import_of(&self, name: &str) -> Option<String> {
        let is_module = |specifier: &&str| specifier.rsplit('/').next() == Some(name);
        if let Some(module) = self.offered().find(is_module) {
            return Some(format!("it is imported: `import {name} from '{module}'`"));
        }
        let module = self.offered().find(|module| self.is_export(module, name))?;
        Some(format!("it is imported: `import {{ {name} }} from '{module}'`"))
    }

    /// The names of the file that a line of a stack is about.
    fn names_at(&self, place: &str) -> Option<BoundNames> {
        let place = place.trim_end_matches(')').rsplit(['(', ' ', '\t']).next()?;
        let url = place.rsplitn(3, ':').nth(2)?;
        Some(transpile::bound_names(&self.files.text(url)?))
    }

    /// A name that is nearly this one.
    fn near(&self, name: &str, names: &BoundNames) -> Option<String> {
        let known = names.bound.iter().map(String::as_str).chain(ALWAYS);
        let usual = || {
            let names_of =
                |module: &str| transpile::module_names(self.builtins.find(module).map_or("", |one| one.source));
            USUAL.iter().find_map(|module| {
                let near = nearest(name, names_of(module).iter().map(String::as_str))?.to_owned();
                Some(format!("did you mean `{near}`? `import {{ {near} }} from '{module}'`"))
            })
        };
        did_you_mean(name, known).or_else(usual)
    }

    /// The function of a module of ours that is nearly this one.
    fn meant_member(&self, object: &str, member: &str, place: &str) -> Option<String> {
        let names = self.names_at(place)?;
        if let Some((_, (object_called, function))) = names.returned.iter().find(|(local, _)| local == object) {
            return of_returned(&names, object, member, object_called, function);
        }
        let module = module_of(&names, object)?;
        let other = MEMBERS.iter().find(|(of, wrong, _)| *of == module && *wrong == member).map(|(_, _, right)| *right);
        let exports = transpile::module_names(self.builtins.find(module)?.source);
        let exports = exports.iter().map(String::as_str).filter(|name| *name != "default");
        let meant = other.or_else(|| nearest(member, exports))?;
        Some(format!("did you mean `{object}.{meant}`?"))
    }
}
