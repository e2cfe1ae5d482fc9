//! ES modules that import what can't say beforehand what it exports: CommonJS files, and names our modules lack.
//!
//! Only imports and the uses of what they bind are edited, each within its line. A binding from CommonJS becomes a
//! property that is read where it is used, as k6 reads it: `import { a } from './c.js'` and `a()` become
//! `import { live as _c0 } from './c.js';` and `(0,_c0.exports.a)()`.
//!
//! Names that nobody exports are found here too: k6 runs what a module imports before it finds that one is missing, so
//! they become variables, and the caller is told.

use std::collections::HashMap;

use oxc::allocator::Allocator;
use oxc::ast::AstKind;
use oxc::ast::ast::{
    BindingIdentifier, ExportAllDeclaration, ExportFromDeclaration, ExportSpecifier, ImportDeclaration,
    ImportDeclarationSpecifier, ModuleExportName, Program, Statement,
};
use oxc::parser::Parser;
use oxc::semantic::{Reference, Semantic, SemanticBuilder};
use oxc::span::{GetSpan, SourceType, Span};

use super::module_syntax::is_good;
use super::positions::{Edit, PositionMap, Shift};

/// What an import leads to.
pub enum ImportTarget {
    /// A module engines link by themselves.
    Module,
    /// A file that exports these names and no others.
    File(Vec<String>),
    /// A module of ours.
    Builtin {
        /// What it exports; other names are `undefined`.
        names: Vec<String>,
        /// The specifier of the same module without its default export: what `* as` gets.
        star: String,
    },
    /// A CommonJS file; the names it is known to export.
    CommonJs(Vec<String>),
    /// A module that is not offered: the specifier of one that exports `absent`, which stands for all it might export.
    Absent(String),
}

/// A name that is imported and that the module does not export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingImport {
    /// The module, as it is imported.
    pub specifier: String,
    /// The name.
    pub name: String,
    /// What the module does export.
    pub known: Vec<String>,
    /// True if it is `undefined`; else the import is an error.
    pub is_undefined: bool,
    /// Where it is imported; both count from 1.
    pub line: u32,
    /// As above.
    pub column: u32,
}

/// The bridged text of a module, the positions that moved, and the names that are missing.
pub(super) struct RewrittenImports {
    pub(super) text: String,
    pub(super) layer: PositionMap,
    pub(super) missing: Vec<MissingImport>,
}

/// Bridges a module's imports; `None` if nothing has to change.
pub(super) fn rewrite_imports(text: &str, targets: &HashMap<String, ImportTarget>) -> Option<RewrittenImports> {
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, text, SourceType::mjs()).parse();
    if !is_good(&parsed) {
        return None;
    }
    let exported: Vec<String> = parsed.module_record.exported_bindings.keys().map(ToString::to_string).collect();
    let semantic = SemanticBuilder::new().with_build_nodes(true).build(&parsed.program).semantic;
    let mut bridge = ImportRewriter {
        text,
        semantic: &semantic,
        edits: Vec::new(),
        prefix: prefix(text),
        next: 0,
        exported,
        missing: Vec::new(),
    };
    bridge.program(&parsed.program, targets);
    let missing = bridge.missing;
    (!bridge.edits.is_empty()).then(|| {
        let (text, layer) = apply(text, bridge.edits);
        RewrittenImports { text, layer, missing }
    })
}

/// The beginning of names nobody else uses.
fn prefix(text: &str) -> String {
    let mut prefix = "_c".to_owned();
    while text.contains(&prefix) {
        prefix.insert(0, '_');
    }
    prefix
}

fn target<'t>(targets: &'t HashMap<String, ImportTarget>, specifier: &str) -> &'t ImportTarget {
    targets.get(specifier).unwrap_or(&ImportTarget::Module)
}

struct ImportRewriter<'a, 's> {
    text: &'a str,
    semantic: &'s Semantic<'a>,
    edits: Vec<(Span, String)>,
    prefix: String,
    next: usize,
    /// What the module exports by name.
    exported: Vec<String>,
    missing: Vec<MissingImport>,
}

impl<'a> ImportRewriter<'a, '_> {
    fn program(&mut self, program: &Program<'a>, targets: &HashMap<String, ImportTarget>) {
        for statement in &program.body {
            match statement {
                Statement::ImportDeclaration(import) => match target(targets, &import.source.value) {
                    ImportTarget::Module => {}
                    ImportTarget::File(names) => self.import_known(import, names, None),
                    ImportTarget::Builtin { names, star } => self.import_known(import, names, Some(star)),
                    ImportTarget::CommonJs(_) => self.import_commonjs(import),
                    ImportTarget::Absent(stand_in) => self.import_absent(import, stand_in),
                },
                Statement::ExportFromDeclaration(export) => match target(targets, &export.source.value) {
                    ImportTarget::Module => {}
                    ImportTarget::File(names) => self.export_known(export, names, false),
                    ImportTarget::Builtin { names, .. } => self.export_known(export, names, true),
                    ImportTarget::CommonJs(_) => self.export_commonjs(export),
                    ImportTarget::Absent(stand_in) => {
                        let names = export.specifiers.iter().map(|one| self.written(&one.exported));
                        let names: Vec<_> = names.map(|name| format!("absent as {name}")).collect();
                        let whole = format!("export {{ {} }} from {};", names.join(", "), quoted(stand_in));
                        self.edits.push((export.span, whole));
                    }
                },
                Statement::ExportAllDeclaration(export) => {
                    self.export_all(export, target(targets, &export.source.value))
                }
                _ => {}
            }
        }
    }

    /// `import … from` a module whose names are known: leaves out what isn't there. A namespace comes from `star`.
    fn import_known(&mut self, import: &ImportDeclaration<'a>, names: &[String], star: Option<&str>) {
        let has = |name: &str| names.iter().any(|known| known == name);
        let (mut missing, mut named, mut others, mut namespace) = (Vec::new(), Vec::new(), Vec::new(), None);
        for specifier in import.specifiers.iter().flatten() {
            match specifier {
                ImportDeclarationSpecifier::ImportSpecifier(one) => {
                    let name = one.imported.name();
                    if has(&name) {
                        named.push(self.slice(one.span));
                    } else {
                        missing.push((self.slice(one.local.span), name.to_string(), one.span));
                    }
                }
                ImportDeclarationSpecifier::ImportDefaultSpecifier(one) => {
                    if has("default") {
                        others.push(self.slice(one.span).to_owned());
                    } else {
                        missing.push((self.slice(one.local.span), "default".to_owned(), one.span));
                    }
                }
                ImportDeclarationSpecifier::ImportNamespaceSpecifier(one) if star.is_none() => {
                    others.push(self.slice(one.span).to_owned());
                }
                ImportDeclarationSpecifier::ImportNamespaceSpecifier(one) => namespace = Some(self.slice(one.span)),
            }
        }
        if missing.is_empty() && namespace.is_none() {
            return;
        }
        let mut whole = String::new();
        if !named.is_empty() || (others.is_empty() && namespace.is_none()) {
            others.push(format!("{{ {} }}", named.join(", ")));
        }
        if !others.is_empty() {
            whole += &format!("import {} from {};", others.join(", "), self.slice(import.source.span));
        }
        if let (Some(namespace), Some(star)) = (namespace, star) {
            let space = if whole.is_empty() { "" } else { " " };
            whole += &format!("{space}import {namespace} from {};", quoted(star));
        }
        for (local, name, span) in missing {
            whole += &format!(" const {local} = undefined;");
            self.misses(&import.source.value, name, names, span, star.is_some());
        }
        self.edits.push((import.span, whole));
    }

    fn export_known(&mut self, export: &ExportFromDeclaration<'a>, names: &[String], is_builtin: bool) {
        let is_missing = |specifier: &ExportSpecifier| !names.iter().any(|name| *name == *specifier.local.name());
        if !export.specifiers.iter().any(is_missing) {
            return;
        }
        let mut parts = String::new();
        let mut kept = Vec::new();
        for specifier in &export.specifiers {
            if is_missing(specifier) {
                let name = self.name();
                let exported = self.written(&specifier.exported);
                parts += &format!(" const {name} = undefined; export {{ {name} as {exported} }};");
                let missing = specifier.local.name().to_string();
                self.misses(&export.source.value, missing, names, specifier.span, is_builtin);
            } else {
                kept.push(self.slice(specifier.span));
            }
        }
        let whole = format!("export {{ {} }} from {};{parts}", kept.join(", "), self.slice(export.source.span));
        self.edits.push((export.span, whole));
    }

    fn export_commonjs(&mut self, export: &ExportFromDeclaration<'a>) {
        let live = self.name();
        let mut whole = format!("import {{ live as {live} }} from {};", self.slice(export.source.span));
        for specifier in &export.specifiers {
            let name = self.name();
            let value = property(&live, &specifier.local.name());
            let exported = self.written(&specifier.exported);
            whole += &format!(" const {name} = {value}; export {{ {name} as {exported} }};");
        }
        self.edits.push((export.span, whole));
    }

    /// `export * from` and `export * as name from`.
    fn export_all(&mut self, export: &ExportAllDeclaration<'a>, target: &ImportTarget) {
        let whole = match (target, &export.exported) {
            (ImportTarget::Builtin { star, .. }, Some(exported)) => {
                format!("export * as {} from {};", self.written(exported), quoted(star))
            }
            (ImportTarget::Absent(stand_in), Some(exported)) => {
                format!("export {{ absent as {} }} from {};", self.written(exported), quoted(stand_in))
            }
            (ImportTarget::Absent(stand_in), None) => format!("import {};", quoted(stand_in)),
            (ImportTarget::CommonJs(_), Some(exported)) => {
                let (live, name) = (self.name(), self.name());
                format!(
                    "import {{ live as {live} }} from {}; const {name} = {live}.namespace; export {{ {name} as {} }};",
                    self.slice(export.source.span),
                    self.written(exported)
                )
            }
            (ImportTarget::CommonJs(names), None) => {
                let live = self.name();
                let mut whole = format!("import {{ live as {live} }} from {};", self.slice(export.source.span));
                for known in names {
                    if known != "default" && !self.exported.contains(known) {
                        let (name, value) = (self.name(), property(&live, known));
                        whole += &format!(" const {name} = {value}; export {{ {name} as {} }};", quoted(known));
                    }
                }
                whole
            }
            (ImportTarget::Module | ImportTarget::File(_) | ImportTarget::Builtin { .. }, _) => return,
        };
        self.edits.push((export.span, whole));
    }

    /// `import … from` a module that is not offered: everything is its stand-in.
    fn import_absent(&mut self, import: &ImportDeclaration<'a>, stand_in: &str) {
        let locals = import.specifiers.iter().flatten().map(|specifier| self.slice(specifier.local().span));
        let locals: Vec<_> = locals.map(|local| format!("absent as {local}")).collect();
        let whole = format!("import {{ {} }} from {};", locals.join(", "), quoted(stand_in));
        self.edits.push((import.span, whole));
    }

    /// Writes down that a name is missing.
    fn misses(&mut self, specifier: &str, name: String, known: &[String], span: Span, is_undefined: bool) {
        let before = &self.text[..span.start as usize];
        let line = before.matches('\n').count() as u32 + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().encode_utf16().count() as u32 + 1;
        let (specifier, known) = (specifier.to_owned(), known.to_vec());
        self.missing.push(MissingImport { specifier, name, known, is_undefined, line, column });
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
pub(super) fn apply(text: &str, mut edits: Vec<(Span, String)>) -> (String, PositionMap) {
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
    (out, PositionMap::Edits(moved))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets() -> HashMap<String, ImportTarget> {
        let names = |list: [&str; 2]| list.map(str::to_owned).to_vec();
        let commonjs = ImportTarget::CommonJs(names(["a", "b-c"]));
        let k6 = ImportTarget::Builtin { names: names(["check", "default"]), star: "volley:star?k6".to_owned() };
        let absent = ImportTarget::Absent("volley:absent?k6/x/a".to_owned());
        let file = ImportTarget::File(names(["a", "b"]));
        [("./c.js", commonjs), ("k6", k6), ("k6/x/a", absent), ("./f.js", file)]
            .map(|(name, target)| (name.to_owned(), target))
            .into()
    }

    fn bridged(text: &str) -> String {
        rewrite_imports(text, &targets()).map_or_else(|| text.to_owned(), |bridged| bridged.text)
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
    fn namespaces_of_builtin_modules_have_no_default() {
        let check = |text: &str, expect: &str| assert_eq!(bridged(text), expect);
        check("import*as k from'k6';", "import *as k from \"volley:star?k6\";");
        check("import d, * as k from 'k6';", "import d from 'k6'; import * as k from \"volley:star?k6\";");
        check("export * as k from 'k6';", "export * as k from \"volley:star?k6\";");
        check("export * from 'k6';", "export * from 'k6';");
    }

    #[test]
    fn what_is_not_offered_has_a_stand_in() {
        let check = |text: &str, expect: &str| assert_eq!(bridged(text), expect);
        check(
            "import d, { a as b } from 'k6/x/a';",
            "import { absent as d, absent as b } from \"volley:absent?k6/x/a\";",
        );
        check("import * as n from 'k6/x/a';", "import { absent as n } from \"volley:absent?k6/x/a\";");
        check("import 'k6/x/a';", "import {  } from \"volley:absent?k6/x/a\";");
        check(
            "export { a as default, b } from 'k6/x/a';",
            "export { absent as default, absent as b } from \"volley:absent?k6/x/a\";",
        );
        check("export * from 'k6/x/a'", "import \"volley:absent?k6/x/a\";");
    }

    #[test]
    fn missing_names_are_told_with_their_places() {
        let text = "import { a } from './f.js';\nimport d, { b, c as z } from './f.js';\nexport { q } from './f.js';";
        let bridged = rewrite_imports(text, &targets()).unwrap();
        let missing: Vec<_> = bridged.missing.iter().map(|one| (one.name.as_str(), one.line, one.column)).collect();
        assert_eq!(missing, [("default", 2, 8), ("c", 2, 16), ("q", 3, 10)]);
        assert!(bridged.text.contains("import { b } from './f.js'; const d = undefined; const z = undefined;"));
    }

    #[test]
    fn lines_stay_and_columns_come_back() {
        let text = "import {\n  a,\n} from './c.js'; a();\nfoo(a); bar();\n";
        let RewrittenImports { text: out, layer, .. } = rewrite_imports(text, &targets()).unwrap();
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
                let commonjs = |name| (name, ImportTarget::CommonJs(Vec::new()));
                let targets = super::super::requests(&text).into_iter().map(commonjs).collect();
                let Some(RewrittenImports { text: out, .. }) = rewrite_imports(&text, &targets) else { continue };
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
