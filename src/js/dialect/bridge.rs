//! ES modules that import what can't say beforehand what it exports: CommonJS files, and names our modules lack.
//!
//! Only imports and the uses of what they bind are edited, each within its line. A binding from CommonJS becomes a
//! property that is read where it is used, as k6 reads it: `import { a } from './c.js'` and `a()` become
//! `import { live as _c0 } from './c.js';` and `(0,_c0.exports.a)()`.

use std::collections::HashMap;

use oxc::allocator::Allocator;
use oxc::ast::AstKind;
use oxc::ast::ast::{
    BindingIdentifier, ExportSpecifier, ImportDeclaration, ImportDeclarationSpecifier, ModuleExportName, Program,
    Statement,
};
use oxc::parser::Parser;
use oxc::semantic::{Reference, Semantic, SemanticBuilder};
use oxc::span::{GetSpan, SourceType, Span};

use super::kind::is_good;
use super::positions::{Edit, Layer, Shift};

/// What an import leads to.
pub enum Target {
    /// A module engines link by themselves.
    Module,
    /// A module that exports these names; others are `undefined`.
    Names(Vec<String>),
    /// A CommonJS file; the names it is known to export.
    CommonJs(Vec<String>),
}

/// The bridged text of a module and the positions that moved; `None` if nothing has to change.
pub(super) fn bridge(text: &str, targets: &HashMap<String, Target>) -> Option<(String, Layer)> {
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, text, SourceType::mjs()).parse();
    if !is_good(&parsed) {
        return None;
    }
    let exported: Vec<String> = parsed.module_record.exported_bindings.keys().map(ToString::to_string).collect();
    let semantic = SemanticBuilder::new().with_build_nodes(true).build(&parsed.program).semantic;
    let mut bridge = Bridge { text, semantic: &semantic, edits: Vec::new(), prefix: prefix(text), next: 0, exported };
    bridge.program(&parsed.program, targets);
    (!bridge.edits.is_empty()).then(|| apply(text, bridge.edits))
}

/// The beginning of names nobody else uses.
fn prefix(text: &str) -> String {
    let mut prefix = "_c".to_owned();
    while text.contains(&prefix) {
        prefix.insert(0, '_');
    }
    prefix
}

fn target<'t>(targets: &'t HashMap<String, Target>, specifier: &str) -> &'t Target {
    targets.get(specifier).unwrap_or(&Target::Module)
}

struct Bridge<'a, 's> {
    text: &'a str,
    semantic: &'s Semantic<'a>,
    edits: Vec<(Span, String)>,
    prefix: String,
    next: usize,
    /// What the module exports by name.
    exported: Vec<String>,
}

impl<'a> Bridge<'a, '_> {
    fn program(&mut self, program: &Program<'a>, targets: &HashMap<String, Target>) {
        for statement in &program.body {
            match statement {
                Statement::ImportDeclaration(import) => match target(targets, &import.source.value) {
                    Target::Module => {}
                    Target::Names(names) => self.import_known(import, names),
                    Target::CommonJs(_) => self.import_commonjs(import),
                },
                Statement::ExportFromDeclaration(export) => match target(targets, &export.source.value) {
                    Target::Module => {}
                    Target::Names(names) => {
                        let is_missing =
                            |specifier: &&ExportSpecifier| !names.iter().any(|name| *name == *specifier.local.name());
                        if !export.specifiers.iter().any(|specifier| is_missing(&specifier)) {
                            continue;
                        }
                        let mut parts = String::new();
                        let mut kept = Vec::new();
                        for specifier in &export.specifiers {
                            if is_missing(&specifier) {
                                let name = self.name();
                                parts += &format!(
                                    " const {name} = undefined; export {{ {name} as {} }};",
                                    self.written(&specifier.exported)
                                );
                            } else {
                                kept.push(self.slice(specifier.span));
                            }
                        }
                        let whole =
                            format!("export {{ {} }} from {};{parts}", kept.join(", "), self.slice(export.source.span));
                        self.edits.push((export.span, whole));
                    }
                    Target::CommonJs(_) => {
                        let live = self.name();
                        let mut whole = format!("import {{ live as {live} }} from {};", self.slice(export.source.span));
                        for specifier in &export.specifiers {
                            let name = self.name();
                            let value = property(&live, &specifier.local.name());
                            whole += &format!(
                                " const {name} = {value}; export {{ {name} as {} }};",
                                self.written(&specifier.exported)
                            );
                        }
                        self.edits.push((export.span, whole));
                    }
                },
                Statement::ExportAllDeclaration(export) => {
                    let Target::CommonJs(names) = target(targets, &export.source.value) else { continue };
                    let live = self.name();
                    let mut whole = format!("import {{ live as {live} }} from {};", self.slice(export.source.span));
                    match &export.exported {
                        Some(exported) => {
                            let name = self.name();
                            whole += &format!(
                                " const {name} = {live}.namespace; export {{ {name} as {} }};",
                                self.written(exported)
                            );
                        }
                        None => {
                            for known in names.clone() {
                                if known != "default" && !self.exported.contains(&known) {
                                    let (name, value) = (self.name(), property(&live, &known));
                                    whole +=
                                        &format!(" const {name} = {value}; export {{ {name} as {} }};", quoted(&known));
                                }
                            }
                        }
                    }
                    self.edits.push((export.span, whole));
                }
                _ => {}
            }
        }
    }

    /// Leaves out what isn't there: it is `undefined`.
    fn import_known(&mut self, import: &ImportDeclaration<'a>, names: &[String]) {
        let specifiers = import.specifiers.iter().flatten();
        let (mut missing, mut named, mut others) = (Vec::new(), Vec::new(), Vec::new());
        for specifier in specifiers {
            match specifier {
                ImportDeclarationSpecifier::ImportSpecifier(one) => {
                    if names.iter().any(|name| *name == *one.imported.name()) {
                        named.push(self.slice(one.span));
                    } else {
                        missing.push(self.slice(one.local.span));
                    }
                }
                ImportDeclarationSpecifier::ImportDefaultSpecifier(one) => {
                    if names.iter().any(|name| name == "default") {
                        others.push(self.slice(one.span).to_owned());
                    } else {
                        missing.push(self.slice(one.local.span));
                    }
                }
                ImportDeclarationSpecifier::ImportNamespaceSpecifier(one) => {
                    others.push(self.slice(one.span).to_owned());
                }
            }
        }
        if missing.is_empty() {
            return;
        }
        if !named.is_empty() || others.is_empty() {
            others.push(format!("{{ {} }}", named.join(", ")));
        }
        let mut whole = format!("import {} from {};", others.join(", "), self.slice(import.source.span));
        for name in missing {
            whole += &format!(" const {name} = undefined;");
        }
        self.edits.push((import.span, whole));
    }

    fn import_commonjs(&mut self, import: &ImportDeclaration<'a>) {
        let Some(specifiers) = import.specifiers.as_ref().filter(|list| !list.is_empty()) else { return };
        let live = self.name();
        let whole = format!("import {{ live as {live} }} from {};", self.slice(import.source.span));
        self.edits.push((import.span, whole));
        for specifier in specifiers {
            let (local, value) = match specifier {
                ImportDeclarationSpecifier::ImportSpecifier(one) => (&one.local, property(&live, &one.imported.name())),
                ImportDeclarationSpecifier::ImportDefaultSpecifier(one) => (&one.local, property(&live, "default")),
                ImportDeclarationSpecifier::ImportNamespaceSpecifier(one) => (&one.local, format!("{live}.namespace")),
            };
            self.replace_uses(local, &value);
        }
    }

    fn replace_uses(&mut self, local: &BindingIdentifier<'a>, value: &str) {
        let semantic = self.semantic;
        let Some(symbol) = local.symbol_id.get() else { return };
        for reference in semantic.symbol_references(symbol) {
            self.replace_use(reference, local, value);
        }
    }

    fn replace_use(&mut self, reference: &Reference, local: &BindingIdentifier<'a>, value: &str) {
        let nodes = self.semantic.nodes();
        let span = nodes.kind(reference.node_id()).span();
        let parent = nodes.parent_node(reference.node_id());
        let is_called = match parent.kind() {
            AstKind::CallExpression(call) => call.callee.span() == span,
            AstKind::TaggedTemplateExpression(template) => template.tag.span() == span,
            AstKind::ObjectProperty(property) if property.shorthand => {
                self.edits.push((span, format!("{}: {value}", local.name)));
                return;
            }
            AstKind::ExportSpecifier(specifier) => {
                // An export can't be a property: it is what the property is when the module begins.
                let name = self.name();
                let exported = self.written(&specifier.exported);
                let statement = nodes.parent_kind(parent.id()).span();
                self.edits.push((Span::empty(statement.start), format!("const {name} = {value}; ")));
                self.edits.push((specifier.span, format!("{name} as {exported}")));
                return;
            }
            _ => false,
        };
        if !is_called {
            self.edits.push((span, value.to_owned()));
            return;
        }
        // A function that is called gets no `this`; a statement must not begin with a parenthesis, or it might go on
        // what stands on the line before it.
        let begins_statement = nodes.ancestors(reference.node_id()).any(
            |node| matches!(node.kind(), AstKind::ExpressionStatement(statement) if statement.span.start == span.start),
        );
        let head = if begins_statement { "void 0," } else { "" };
        self.edits.push((span, format!("{head}(0,{value})")));
    }

    fn name(&mut self) -> String {
        self.next += 1;
        format!("{}{}", self.prefix, self.next - 1)
    }

    fn slice(&self, span: Span) -> &'a str {
        &self.text[span.start as usize..span.end as usize]
    }

    fn written(&self, name: &ModuleExportName) -> &'a str {
        self.slice(name.span())
    }
}

/// The property a name of a CommonJS module is read from.
fn property(live: &str, name: &str) -> String {
    let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$')
        && !name.starts_with(|c: char| c.is_ascii_digit());
    match name {
        "default" => format!("{live}.default"),
        name if is_plain => format!("{live}.exports.{name}"),
        name => format!("{live}.exports[{}]", quoted(name)),
    }
}

fn quoted(name: &str) -> String {
    serde_json::to_string(name).unwrap_or_default()
}

/// Makes all edits; every line keeps its number.
fn apply(text: &str, mut edits: Vec<(Span, String)>) -> (String, Layer) {
    edits.sort_by_key(|(span, _)| (span.start, span.end));
    let mut out = String::with_capacity(text.len() + edits.len() * 16);
    let mut moved = Vec::new();
    let mut from = 0;
    // Where the present line begins, in both texts; its number is the same in both.
    let (mut line, mut line_from, mut line_out) = (0u32, 0usize, 0usize);
    for (span, new) in edits {
        let (start, end) = (span.start as usize, span.end as usize);
        if start < from {
            continue;
        }
        let kept = &text[from..start];
        out.push_str(kept);
        if let Some(last) = kept.rfind('\n') {
            line += kept.matches('\n').count() as u32;
            line_from = from + last + 1;
            line_out = out.len() - (kept.len() - last - 1);
        }
        let column_from = text[line_from..start].encode_utf16().count() as u32;
        let column_out = out[line_out..].encode_utf16().count() as u32;
        moved.push(Edit { line, column: column_out, shift: Shift::To(column_from) });
        out.push_str(&new);
        let old = &text[start..end];
        if let Some(last) = old.rfind('\n') {
            let lines = old.matches('\n').count();
            out.push_str(&"\n".repeat(lines));
            line += lines as u32;
            line_from = start + last + 1;
            line_out = out.len();
        }
        let column_from = text[line_from..end].encode_utf16().count() as i64;
        let column_out = out[line_out..].encode_utf16().count() as i64;
        moved.push(Edit { line, column: column_out as u32, shift: Shift::By(column_out - column_from) });
        from = end;
    }
    out.push_str(&text[from..]);
    (out, Layer::Edits(moved))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets() -> HashMap<String, Target> {
        let names = |list: [&str; 2]| list.map(str::to_owned).to_vec();
        let commonjs = Target::CommonJs(names(["a", "b-c"]));
        [("./c.js".to_owned(), commonjs), ("k6".to_owned(), Target::Names(names(["check", "default"])))].into()
    }

    fn bridged(text: &str) -> String {
        bridge(text, &targets()).map_or_else(|| text.to_owned(), |(text, _)| text)
    }

    #[test]
    fn imports_become_properties() {
        let check = |text: &str, expect: &str| assert_eq!(bridged(text), expect);
        check("import x from './m.js'; x();", "import x from './m.js'; x();");
        check("import './c.js';", "import './c.js';");
        check(
            "import d, { a, a as z } from './c.js';\nlet y = d\na(z, { a });\nnew a(); a.b(); if (1) a`t`;",
            "import { live as _c0 } from './c.js';\nlet y = _c0.default\nvoid 0,(0,_c0.exports.a)(_c0.exports.a, { a: \
             _c0.exports.a });\nnew _c0.exports.a(); _c0.exports.a.b(); if (1) void 0,(0,_c0.exports.a)`t`;",
        );
        check(
            "import * as ns from './c.js'; f(() => ns.a());",
            "import { live as _c0 } from './c.js'; f(() => _c0.namespace.a());",
        );
        check(
            "import { a } from './c.js'; { const a = 1; f(a); } export { a as b };",
            "import { live as _c0 } from './c.js'; { const a = 1; f(a); } const _c1 = _c0.exports.a; export { _c1 as b };",
        );
        check(
            "export { a, default as d } from './c.js';",
            "import { live as _c0 } from './c.js'; const _c1 = _c0.exports.a; export { _c1 as a }; const _c2 = \
             _c0.default; export { _c2 as d };",
        );
        check(
            "export * from './c.js'; export const a = 1;",
            "import { live as _c0 } from './c.js'; const _c1 = _c0.exports[\"b-c\"]; export { _c1 as \"b-c\" }; export \
             const a = 1;",
        );
        check(
            "export * as ns from './c.js';",
            "import { live as _c0 } from './c.js'; const _c1 = _c0.namespace; export { _c1 as ns };",
        );
    }

    #[test]
    fn names_that_are_missing_are_undefined() {
        let check = |text: &str, expect: &str| assert_eq!(bridged(text), expect);
        check("import { check } from 'k6';", "import { check } from 'k6';");
        check("import k, { check, nope as n } from 'k6';", "import k, { check } from 'k6'; const n = undefined;");
        check("import { nope } from 'k6';", "import {  } from 'k6'; const nope = undefined;");
        check(
            "export { check, nope } from 'k6';",
            "export { check } from 'k6'; const _c0 = undefined; export { _c0 as nope };",
        );
    }

    #[test]
    fn lines_stay_and_columns_come_back() {
        let text = "import {\n  a,\n} from './c.js'; a();\nfoo(a); bar();\n";
        let (out, layer) = bridge(text, &targets()).unwrap();
        assert_eq!(out.lines().count(), text.lines().count());
        let mut positions = super::super::Positions::default();
        positions.put(layer);
        let check = |what: &str| {
            let place = |text: &str| {
                let (line, row) = text.lines().enumerate().find(|(_, row)| row.contains(what)).unwrap();
                (line as u32 + 1, row.find(what).unwrap() as u32 + 1)
            };
            let ((line, column), expect) = (place(&out), place(text));
            let found = positions.origin(line, column);
            assert_eq!((found.line, found.column), expect, "{what} in {out}");
        };
        check("foo");
        check("bar");
        check("();");
    }

    #[test]
    fn what_comes_out_is_still_javascript() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut seen = 0;
        for folder in ["load_tests", "load_tests/examples", "load_tests/examples/lib", "js-stdlib", "js-stdlib/k6"] {
            for entry in std::fs::read_dir(root.join(folder)).unwrap() {
                let path = entry.unwrap().path();
                if path.extension().is_none_or(|end| end != "js") {
                    continue;
                }
                let text = std::fs::read_to_string(&path).unwrap();
                let commonjs = |name| (name, Target::CommonJs(Vec::new()));
                let targets = super::super::requests(&text).into_iter().map(commonjs).collect();
                let Some((out, _)) = bridge(&text, &targets) else { continue };
                let allocator = Allocator::default();
                let parsed = Parser::new(&allocator, &out, SourceType::mjs()).parse();
                assert!(is_good(&parsed), "{}: {:?}\n{out}", path.display(), parsed.diagnostics);
                assert_eq!(out.lines().count(), text.lines().count(), "{}", path.display());
                seen += 1;
            }
        }
        assert!(seen > 40, "only {seen} files");
    }
}
