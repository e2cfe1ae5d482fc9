//! What a script imports, found without running any of it: for `deps`.
//!
//! Only `import` counts, as in k6; what code requires when it runs is not followed.

use std::collections::{BTreeMap, BTreeSet};

use crate::js::runtime::module_table::ModuleTable;
use crate::js::transpile;
use crate::source::{FileSet, Resolved};

/// The imports of a script and of everything it imports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imports {
    /// Files, as URLs; the script itself is one.
    pub files: BTreeSet<String>,
    /// Modules under `k6`.
    pub modules: BTreeSet<String>,
    /// Versions that `"use k6 …"` asks for, by module; `k6` is the program itself.
    pub versions: BTreeMap<String, String>,
}

impl Imports {
    /// Follows the imports of the file at `url`.
    ///
    /// # Errors
    /// k6's words for what can't be read or means nothing; two versions of one thing.
    pub fn of(files: &FileSet, url: &str) -> Result<Self, String> {
        let mut imports = Self::default();
        let mut todo = vec![(url.to_owned(), url.to_owned())];
        while let Some((specifier, url)) = todo.pop() {
            if !imports.files.insert(url.clone()) {
                continue;
            }
            let module = files.module(&specifier, &url)?;
            for (name, version) in transpile::use_directives(&module.text) {
                let known = imports.versions.entry(name.clone()).or_insert_with(|| version.clone());
                if *known != version {
                    return Err(format!("{url} uses {name} {version}, another file uses {known}"));
                }
            }
            let prepared = transpile::transpile(&module)?;
            if prepared.format != transpile::ModuleFormat::Module {
                continue;
            }
            for specifier in transpile::requests(&prepared.text) {
                match files.resolve(&specifier, &url)? {
                    Resolved::Builtin(name) => _ = imports.modules.insert(name),
                    Resolved::Url(url) => todo.push((specifier, url)),
                }
            }
        }
        Ok(imports)
    }

    /// The modules that are not built in, each with the version that is asked for, `*` for any; `k6` is always there.
    pub fn dependencies(&self, builtin: &ModuleTable) -> BTreeMap<String, String> {
        let missing = self.modules.iter().filter(|name| builtin.is_unknown(name));
        let mut all: BTreeMap<String, String> = missing.map(|name| (name.clone(), "*".to_owned())).collect();
        all.insert("k6".to_owned(), "*".to_owned());
        all.extend(self.versions.clone());
        all
    }
}

/// Reads everything that the file at `url` imports or requires, as far as that is an address; `told` hears what can't be read,
/// with the file that asks for it.
pub fn read_all(files: &FileSet, url: &str, told: &mut dyn FnMut(&str, String)) {
    let mut seen = BTreeSet::new();
    let mut todo = vec![(url.to_owned(), url.to_owned(), url.to_owned())];
    while let Some((specifier, url, from)) = todo.pop() {
        if !seen.insert(url.clone()) {
            continue;
        }
        let prepared = files.module(&specifier, &url).and_then(|module| transpile::transpile(&module));
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(error) => {
                told(&from, error);
                continue;
            }
        };
        let asked = match prepared.format {
            transpile::ModuleFormat::Module => transpile::requests(&prepared.text),
            transpile::ModuleFormat::CommonJs => Vec::new(),
        };
        for specifier in asked.into_iter().chain(required(&prepared.text)) {
            if let Ok(Resolved::Url(next)) = files.resolve(&specifier, &url) {
                todo.push((specifier, next, url.clone()));
            }
        }
    }
}

/// What is required by a plain text in it.
fn required(text: &str) -> Vec<String> {
    let calls = text.split("require(").skip(1).filter_map(|rest| {
        let rest = rest.trim_start();
        let quote = rest.chars().next().filter(|c| ['"', '\'', '`'].contains(c))?;
        rest[1..].split_once(quote)
    });
    calls.map(|(name, _)| name).filter(|name| !name.contains(['\n', '$'])).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::MapDisk;

    fn imports(files: &[(&str, &'static str)]) -> Result<Imports, String> {
        let disk: MapDisk = files.iter().map(|(path, text)| (*path, *text)).collect();
        Imports::of(&FileSet::new(disk, FileSet::offline()), "file:///main.ts")
    }

    #[test]
    fn imports_are_followed() {
        let main = "\"use k6 >= 2.0\";\n'use k6 with k6/x/redis  > 0.3';\nimport http from 'k6/http';\nimport type { T } \
                    from './types.ts';\nimport { a as b } from './a.js'; export default (x: typeof http) => b;";
        let found = imports(&[
            ("/main.ts", main),
            ("/a.js", "export * from './c.js'; import 'k6/x/redis';"),
            ("/c.js", "require('./d.js')"),
        ]);
        let found = found.unwrap();
        assert_eq!(found.files.iter().collect::<Vec<_>>(), ["file:///a.js", "file:///c.js", "file:///main.ts"]);
        assert_eq!(found.modules.iter().collect::<Vec<_>>(), ["k6/x/redis"]);
        let expect = [("k6".to_owned(), ">=2.0".to_owned()), ("k6/x/redis".to_owned(), ">0.3".to_owned())];
        assert_eq!(found.dependencies(&crate::js::modules::TABLE).into_iter().collect::<Vec<_>>(), expect);
    }

    #[test]
    fn what_is_required_is_read_as_well() {
        let fetch: crate::source::files::Fetch = Box::new(|url| match url.split('?').next() {
            Some("https://h.test/a.js") => Ok("module.exports = require('./b.js') + require( \"k6/http\");".into()),
            Some("https://h.test/b.js") => Ok("exports.b = 1; require(name); require('./gone.js')".into()),
            _ => Err(format!("not found: {url}")),
        });
        let disk: MapDisk =
            [("/main.js", "import './c.js'; import fs from 'fs';"), ("/c.js", "require('https://h.test/a.js')")]
                .into_iter()
                .collect();
        let files = FileSet::new(disk, fetch);
        let mut told = Vec::new();
        read_all(&files, "file:///main.js", &mut |from, error| told.push(format!("{from}: {error}")));
        let remote: Vec<String> =
            files.all().into_iter().map(|(url, _)| url).filter(|url| url.starts_with("https")).collect();
        assert_eq!(remote, ["https://h.test/a.js", "https://h.test/b.js"]);
        assert_eq!(told.len(), 1);
        assert!(told[0].starts_with("https://h.test/b.js: ") && told[0].contains("gone.js"), "{told:?}");
    }

    #[test]
    fn what_is_missing_is_said() {
        let error = imports(&[("/main.ts", "import './nope.js';")]).unwrap_err();
        assert!(error.starts_with("The moduleSpecifier \"./nope.js\" couldn't be found"), "{error}");
        let error = imports(&[("/main.ts", "'use k6 >1'; import './a.js';"), ("/a.js", "'use k6 <1';")]).unwrap_err();
        assert!(error.contains("another file uses >1"), "{error}");
    }
}
