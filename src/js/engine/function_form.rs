//! A module of js-stdlib as the body of a function, for an engine that keeps the text and the bindings of modules in
//! every realm, but nothing of a function's text.
//!
//! It understands the few forms of `import` and `export` that js-stdlib uses, each at the beginning of a line; a module
//! with any other form stays a module.

use std::sync::{Arc, Mutex, OnceLock};

use rustc_hash::FxHashMap;

use crate::units::sync::lock;

/// A module as a function: its parameters are what it imports, it returns a list with what it exports.
#[derive(Debug, PartialEq, Eq)]
pub struct FunctionForm {
    /// What it imports, in the order of the parameters.
    pub imports: Vec<Import>,
    /// Its exports.
    pub exports: Vec<ExportSlot>,
    /// The body.
    pub body: String,
}

/// One export.
#[derive(Debug, PartialEq, Eq)]
pub struct ExportSlot {
    /// Its name.
    pub name: String,
    /// Its place in the list.
    pub at: usize,
    /// True when what stands there is an object that has the export under its name.
    pub is_member: bool,
}

/// One imported binding.
#[derive(Debug, PartialEq, Eq)]
pub struct Import {
    /// The module.
    pub specifier: String,
    /// The export; `None` is the whole namespace.
    pub name: Option<String>,
    /// What the importing module calls it.
    pub local: String,
}

impl FunctionForm {
    /// The form of the module at `address`, made once in a process; `None` where it has to stay a module.
    pub fn of(address: &str, text: &str) -> Option<Arc<Self>> {
        type Known = Mutex<FxHashMap<String, Option<Arc<FunctionForm>>>>;
        static KNOWN: OnceLock<Known> = OnceLock::new();
        let mut known = lock(KNOWN.get_or_init(Mutex::default));
        known.entry(address.to_owned()).or_insert_with(|| Self::read(text).map(Arc::new)).clone()
    }

    fn read(text: &str) -> Option<Self> {
        let mut form = Self { imports: Vec::new(), exports: Vec::new(), body: "'use strict';\n".to_owned() };
        // What the returned list holds.
        let mut values: Vec<String> = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let line_end = rest.find('\n').map_or(rest.len(), |at| at + 1);
            let statement_end = rest.find(';').map(|at| at + 1);
            if rest.starts_with("import ") {
                let end = statement_end?;
                form.import(rest[..end].strip_prefix("import ")?.strip_suffix(';')?)?;
                rest = rest[end..].trim_start_matches('\n');
            } else if let Some(exported) = rest.strip_prefix("export ") {
                let mut export = |name: &str, at: usize, is_member: bool| {
                    form.exports.push(ExportSlot { name: name.trim().to_owned(), at, is_member });
                };
                if let Some(list) = exported.strip_prefix('{') {
                    let (list, after) = list.split_once("};")?;
                    for name in names(list) {
                        let (local, name) = name.split_once(" as ").unwrap_or((name, name));
                        export(name, values.len(), false);
                        values.push(local.trim().to_owned());
                    }
                    rest = after.trim_start_matches('\n');
                    continue;
                }
                if let Some(list) = exported.strip_prefix("const {") {
                    let (list, after) = list.split_once("} = ")?;
                    let (object, after) = after.split_once(';')?;
                    names(list).for_each(|name| export(name, values.len(), true));
                    values.push(object.to_owned());
                    rest = after.trim_start_matches('\n');
                    continue;
                }
                let after = if let Some(value) = exported.strip_prefix("default ") {
                    export("default", values.len(), false);
                    values.push("$default".to_owned());
                    form.body.push_str("const $default = ");
                    value
                } else {
                    let name = declared(exported)?;
                    export(name, values.len(), false);
                    values.push(name.to_owned());
                    exported
                };
                let line_end = after.find('\n').map_or(after.len(), |at| at + 1);
                form.body.push_str(&after[..line_end]);
                rest = &after[line_end..];
            } else {
                form.body.push_str(&rest[..line_end]);
                rest = &rest[line_end..];
            }
        }
        form.body.push_str("\nreturn [");
        form.body.push_str(&values.join(", "));
        form.body.push_str("];");
        Some(form)
    }

    /// Reads what stands between `import` and `;`.
    fn import(&mut self, clause: &str) -> Option<()> {
        let (what, specifier) = clause.rsplit_once(" from ")?;
        let specifier = specifier.trim().trim_matches('\'');
        let mut add = |name: Option<&str>, local: &str| {
            let (name, local) = (name.map(|name| name.trim().to_owned()), local.trim().to_owned());
            self.imports.push(Import { specifier: specifier.to_owned(), name, local });
        };
        if let Some(local) = what.strip_prefix("* as ") {
            add(None, local);
            return Some(());
        }
        for name in names(what.strip_prefix('{')?.strip_suffix('}')?) {
            let (name, local) = name.split_once(" as ").unwrap_or((name, name));
            add(Some(name), local);
        }
        Some(())
    }
}

fn names(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|name| !name.is_empty())
}

/// The name a declaration behind `export` declares.
fn declared(text: &str) -> Option<&str> {
    let (keyword, rest) = text.split_once(' ')?;
    if !["function", "class", "const", "let"].contains(&keyword) {
        return None;
    }
    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'))?;
    (end > 0).then(|| &rest[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Option<(&[&str], &[&str], &str)>) {
        let found = FunctionForm::read(text).map(|form| {
            let imports = form.imports.iter().map(|import| {
                format!("{}:{}:{}", import.specifier, import.name.as_deref().unwrap_or("*"), import.local)
            });
            let exports = form
                .exports
                .iter()
                .map(|export| format!("{}:{}{}", export.name, export.at, if export.is_member { ".name" } else { "" }));
            (imports.collect::<Vec<_>>(), exports.collect::<Vec<_>>(), form.body)
        });
        let expect = expect.map(|(imports, exports, body)| {
            let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
            (owned(imports), owned(exports), format!("'use strict';\n{body}"))
        });
        assert_eq!(found, expect);
    }

    #[test]
    fn every_form_js_stdlib_uses() {
        check("const a = 1;\n", Some((&[], &[], "const a = 1;\n\nreturn [];")));
        check(
            "import { a, b as c } from 'native:x';\nimport * as n from 'native:x';\nc(a, n);\n",
            Some((&["native:x:a:a", "native:x:b:c", "native:x:*:n"], &[], "c(a, n);\n\nreturn [];")),
        );
        check(
            "export function f(a) {\nreturn a;\n}\nexport const g = f, h = 1;\nexport class K {}\n",
            Some((
                &[],
                &["f:0", "g:1", "K:2"],
                "function f(a) {\nreturn a;\n}\nconst g = f, h = 1;\nclass K {}\n\nreturn [f, g, K];",
            )),
        );
        check(
            "let a, b;\nexport default { a, b };\nexport {\na, b as c,\n};\nexport const {\nD, E,\n} = a;\n",
            Some((
                &[],
                &["default:0", "a:1", "c:2", "D:3.name", "E:3.name"],
                "let a, b;\nconst $default = { a, b };\n\nreturn [$default, a, b, a];",
            )),
        );
    }

    #[test]
    fn other_forms_stay_modules() {
        for text in
            ["export * from 'k6';\n", "import def from 'k6';\n", "import 'k6';\n", "export async function f() {}\n"]
        {
            check(text, None);
        }
    }
}
