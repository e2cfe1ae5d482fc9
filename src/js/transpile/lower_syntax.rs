//! Lowering of the language that an engine's parser refuses, written so that it takes them. Every line keeps its number.
//!
//! Boa 0.22 has no export list at the end of a file, takes only functions behind `export default async`, and takes
//! `using` and `async` for keywords where they are names.

use oxc::allocator::Allocator;
use oxc::ast::ast::{
    AssignmentTargetPropertyIdentifier, BindingIdentifier, BindingPattern, BindingProperty, CatchClause,
    ExportDeclaration, ExportDefaultDeclaration, ExportDefaultDeclarationKind, ExportFromDeclaration,
    ExportNamedDeclaration, ExportSpecifier, IdentifierReference, ImportDeclarationSpecifier, ImportSpecifier,
    LabelIdentifier, ModuleExportName, ObjectProperty, PropertyDefinition, PropertyKey,
};
use oxc::ast_visit::{Visit, walk};
use oxc::parser::Parser;
use oxc::span::{GetSpan, SourceType, Span};

use super::ModuleFormat;
use super::commonjs_interop::apply;
use super::module_syntax::is_good;
use super::positions::PositionMap;

/// Words that are names as long as nothing else is meant, and that Boa takes for keywords in too many places.
const NAMES: [&str; 2] = ["using", "async"];
/// Words it refuses as labels, and as the name of a default import.
const LABELS: [&str; 4] = ["using", "async", "of", "let"];

/// The text with all its lowering plain, and the positions that moved; `None` if nothing has to change. `on_catch` is a
/// property that is read of whatever a `catch` gets, before anything else there.
pub(super) fn lower(text: &str, format: ModuleFormat, on_catch: &str) -> Option<(String, PositionMap)> {
    let allocator = Allocator::default();
    let source = if format == ModuleFormat::Module { SourceType::mjs() } else { SourceType::script() };
    let parsed = Parser::new(&allocator, text, source).parse();
    if !is_good(&parsed) {
        return None;
    }
    let mut lowering = Lowering { text, on_catch, prefix: unused_prefix(text), renames_of: false, edits: Vec::new() };
    lowering.renames_of = parsed.program.body.iter().any(|statement| match statement {
        oxc::ast::ast::Statement::ImportDeclaration(import) => import.specifiers.iter().flatten().any(
            |one| matches!(one, ImportDeclarationSpecifier::ImportDefaultSpecifier(one) if one.local.name == "of"),
        ),
        _ => false,
    });
    lowering.visit_program(&parsed.program);
    (!lowering.edits.is_empty()).then(|| apply(text, lowering.edits))
}

/// The beginning of names that stand nowhere in the text.
fn unused_prefix(text: &str) -> String {
    let mut prefix = "_".to_owned();
    while NAMES.iter().chain(&LABELS).any(|name| text.contains(&format!("{prefix}{name}"))) {
        prefix.push('_');
    }
    prefix
}

struct Lowering<'t> {
    text: &'t str,
    on_catch: &'t str,
    prefix: String,
    /// `of` is the name of a default import.
    renames_of: bool,
    edits: Vec<(Span, String)>,
}

impl Lowering<'_> {
    fn is_renamed(&self, name: &str) -> bool {
        NAMES.contains(&name) || self.renames_of && name == "of"
    }

    fn renamed(&self, name: &str) -> Option<String> {
        self.is_renamed(name).then(|| format!("{}{name}", self.prefix))
    }

    fn rename(&mut self, span: Span, name: &str) {
        if let Some(new) = self.renamed(name) {
            self.edits.push((span, new));
        }
    }

    fn insert(&mut self, at: u32, text: &str) {
        self.edits.push((Span::empty(at), text.to_owned()));
    }

    fn slice(&self, span: Span) -> &str {
        &self.text[span.start as usize..span.end as usize]
    }

    /// What a statement leaves to the end of the file or the line is said.
    fn end(&mut self, span: Span) {
        if !self.slice(span).ends_with(';') {
            self.insert(span.end, ";");
        }
    }

    /// `{ using }` is `{ using: _using }`.
    fn spell_out(&mut self, span: Span, name: &str) -> bool {
        let new = self.renamed(name);
        if let Some(new) = &new {
            self.edits.push((span, format!("{name}: {new}")));
        }
        new.is_some()
    }
}

impl<'a> Visit<'a> for Lowering<'_> {
    fn visit_identifier_reference(&mut self, name: &IdentifierReference<'a>) {
        self.rename(name.span, &name.name);
    }

    fn visit_binding_identifier(&mut self, name: &BindingIdentifier<'a>) {
        self.rename(name.span, &name.name);
    }

    fn visit_label_identifier(&mut self, name: &LabelIdentifier<'a>) {
        if LABELS.contains(&&*name.name) {
            self.edits.push((name.span, format!("{}{}", self.prefix, name.name)));
        }
    }

    fn visit_object_property(&mut self, property: &ObjectProperty<'a>) {
        if property.shorthand
            && let PropertyKey::StaticIdentifier(key) = &property.key
            && self.spell_out(property.span, &key.name)
        {
            return;
        }
        walk::walk_object_property(self, property);
    }

    fn visit_binding_property(&mut self, property: &BindingProperty<'a>) {
        if property.shorthand
            && let PropertyKey::StaticIdentifier(key) = &property.key
            && self.spell_out(key.span, &key.name)
        {
            if let BindingPattern::AssignmentPattern(pattern) = &property.value {
                self.visit_expression(&pattern.right);
            }
            return;
        }
        walk::walk_binding_property(self, property);
    }

    fn visit_assignment_target_property_identifier(&mut self, property: &AssignmentTargetPropertyIdentifier<'a>) {
        if !self.spell_out(property.binding.span, &property.binding.name) {
            return walk::walk_assignment_target_property_identifier(self, property);
        }
        if let Some(default) = &property.init {
            self.visit_expression(default);
        }
    }

    fn visit_import_specifier(&mut self, specifier: &ImportSpecifier<'a>) {
        if let Some(new) = self.renamed(&specifier.local.name) {
            let imported = self.slice(specifier.imported.span()).to_owned();
            self.edits.push((specifier.span, format!("{imported} as {new}")));
        }
    }

    fn visit_export_named_declaration(&mut self, export: &ExportNamedDeclaration<'a>) {
        walk::walk_export_named_declaration(self, export);
        self.end(export.span);
    }

    fn visit_export_from_declaration(&mut self, export: &ExportFromDeclaration<'a>) {
        // Its names are those of another module.
        self.end(export.span);
    }

    fn visit_export_specifier(&mut self, specifier: &ExportSpecifier<'a>) {
        let ModuleExportName::IdentifierReference(local) = &specifier.local else { return };
        if let Some(new) = self.renamed(&local.name) {
            let exported = self.slice(specifier.exported.span()).to_owned();
            self.edits.push((specifier.span, format!("{new} as {exported}")));
        }
    }

    fn visit_export_declaration(&mut self, export: &ExportDeclaration<'a>) {
        walk::walk_export_declaration(self, export);
        let mut names = Declared::default();
        names.visit_export_declaration(export);
        for name in names.0 {
            if !self.is_renamed(&name) {
                continue;
            }
            // It is exported under both names.
            let text = format!("; export {{ {}{name} as {name} }};", self.prefix);
            self.insert(export.span.end, &text);
        }
    }

    fn visit_export_default_declaration(&mut self, export: &ExportDefaultDeclaration<'a>) {
        walk::walk_export_default_declaration(self, export);
        let span = export.declaration.span();
        let is_function = matches!(export.declaration, ExportDefaultDeclarationKind::FunctionDeclaration(_));
        let rest = self.slice(span).strip_prefix("async");
        let is_word = rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$'));
        if !is_function && is_word {
            self.insert(span.start, "(");
            self.insert(span.end, ")");
        }
    }

    fn visit_property_definition(&mut self, property: &PropertyDefinition<'a>) {
        walk::walk_property_definition(self, property);
        // A field of this name is taken for the beginning of a method on the next line.
        if property.value.is_none() && matches!(self.slice(property.key.span()), "async" | "get" | "set" | "static") {
            self.end(property.span);
        }
    }

    fn visit_catch_clause(&mut self, clause: &CatchClause<'a>) {
        if let Some(param) = &clause.param
            && let BindingPattern::BindingIdentifier(name) = &param.pattern
        {
            let name = self.renamed(&name.name).unwrap_or_else(|| name.name.to_string());
            self.insert(clause.body.span.start + 1, &format!("{name}?.{};", self.on_catch));
        }
        walk::walk_catch_clause(self, clause);
    }
}

/// The names a declaration declares outside the functions and classes in it.
#[derive(Default)]
struct Declared(Vec<String>);

impl<'a> Visit<'a> for Declared {
    fn visit_binding_identifier(&mut self, name: &BindingIdentifier<'a>) {
        self.0.push(name.name.to_string());
    }

    fn visit_expression(&mut self, _: &oxc::ast::ast::Expression<'a>) {}

    fn visit_formal_parameters(&mut self, _: &oxc::ast::ast::FormalParameters<'a>) {}

    fn visit_function_body(&mut self, _: &oxc::ast::ast::FunctionBody<'a>) {}

    fn visit_class_body(&mut self, _: &oxc::ast::ast::ClassBody<'a>) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &str) {
        let plain = lower(text, ModuleFormat::Module, "seen").map_or_else(|| text.to_owned(), |(text, _)| text);
        assert_eq!(plain, expect);
    }

    #[test]
    fn export_lists_end() {
        check("const a = 1\nexport { a }", "const a = 1\nexport { a };");
        check("const a = 1; export { a };", "const a = 1; export { a };");
        check("export { a } from './a.js'\n// end", "export { a } from './a.js';\n// end");
    }

    #[test]
    fn default_exports_are_expressions() {
        check("export default async () => {};", "export default (async () => {});");
        check("export default async x => x\n", "export default (async x => x)\n");
        check("export default async function () {}", "export default async function () {}");
        check("export default asynchronous;", "export default asynchronous;");
    }

    #[test]
    fn words_are_names() {
        check("using: for (;;) break using;", "_using: for (;;) break _using;");
        check("of: 1", "_of: 1");
        check(
            "const using = 1; f({ using, b: using.using });",
            "const _using = 1; f({ using: _using, b: _using.using });",
        );
        check("const { using = 1, a: async } = x;", "const { using: _using = 1, a: _async } = x;");
        check("({ using } = x); _using;", "({ using: __using } = x); _using;");
        check("import async, { using } from 'x';", "import _async, { using as _using } from 'x';");
        check("import of from 'x'; of(1);", "import _of from 'x'; _of(1);");
        check("import { of } from 'x'; of(1);", "import { of } from 'x'; of(1);");
        check("export const using = 1;", "export const _using = 1;; export { _using as using };");
        check("const using = 1; export { using };", "const _using = 1; export { _using as using };");
        check("class A {\n  async\n  b() {}\n}", "class A {\n  async;\n  b() {}\n}");
    }

    #[test]
    fn what_is_caught_is_looked_at() {
        check("try { f() } catch (e) { g(e) }", "try { f() } catch (e) {e?.seen; g(e) }");
        check("try { f() } catch (using) {}", "try { f() } catch (_using) {_using?.seen;}");
        check("try { f() } catch { g() }", "try { f() } catch { g() }");
    }
}
