//! What would be right where a script uses what there is not: a name, a function of a module of ours, a package.

use super::{Loader, MAX_EXPLAINED, OURS, lock};
use crate::js::transpile::{self, BoundNames};
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
    ("url querystring", "jslib has it: `url`"),
    ("papaparse csv-parse", "`k6/experimental/csv` reads tables"),
    (
        "path os util events stream child_process assert buffer timers dns net tls zlib worker_threads",
        "a script does not run in Node.js, whose modules it lacks",
    ),
];

const REQUESTS: &str = "requests are made with `k6/http`: `import http from 'k6/http'`";
const BUNDLE: &str = "a package has to be bundled with the script, or imported by its https address";

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
    of_table(PACKAGES, specifier.strip_prefix("node:").unwrap_or(specifier)).unwrap_or_else(|| BUNDLE.to_owned())
}

impl Loader {
    /// What would be right, of an exception as logs show it: its text, and its places below.
    pub fn advice(&self, report: &str) -> Option<String> {
        let mut lines = report.lines();
        let text = lines.next()?;
        let is_about = |end: &str| text.ends_with(end);
        if !is_about(" is not defined") && !is_about(" is not a function") && !is_about("as something k6 supports.") {
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
            return of_table(GLOBALS, name).or_else(|| self.import_of(name)).or_else(|| self.near(name, place));
        }
        if let Some(called) = text.strip_prefix("TypeError: ").and_then(|rest| rest.strip_suffix(" is not a function"))
        {
            let (object, member) = called.split_once('.')?;
            return self.meant_member(object, member, place);
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
    fn near(&self, name: &str, place: &str) -> Option<String> {
        let names = self.names_at(place).unwrap_or_default();
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
        let (_, module) = names.modules.iter().find(|(local, _)| local == object)?;
        let other = MEMBERS.iter().find(|(of, wrong, _)| of == module && *wrong == member).map(|(_, _, right)| *right);
        let exports = transpile::module_names(self.builtins.find(module)?.source);
        let exports = exports.iter().map(String::as_str).filter(|name| *name != "default");
        let meant = other.or_else(|| nearest(member, exports))?;
        Some(format!("did you mean `{object}.{meant}`?"))
    }
}
