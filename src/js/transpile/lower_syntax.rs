//! Lowering of the language that an engine's parser refuses, written so that it takes them. Every line keeps its number.
//!
//! Boa 0.22 has no export list at the end of a file, takes only functions behind `export default async`, and takes
//! `using` and `async` for keywords where they are names. It reads some forms, and does something else: the rest of an object
//! has the names whose values are taken apart, fields know no `super`, and the text of a function loses a template at its end.

use oxc::allocator::Allocator;
use oxc::ast::ast::{
    ArrowFunctionBody, ArrowFunctionExpression, AssignmentTarget, AssignmentTargetMaybeDefault,
    AssignmentTargetProperty, AssignmentTargetPropertyIdentifier, BindingIdentifier, BindingPattern, BindingProperty,
    CatchClause, Class, ExportDeclaration, ExportDefaultDeclaration, ExportDefaultDeclarationKind,
    ExportFromDeclaration, ExportNamedDeclaration, ExportSpecifier, FormalParameters, Function, FunctionBody,
    IdentifierReference, ImportDeclarationSpecifier, ImportSpecifier, LabelIdentifier, ModuleExportName,
    ObjectAssignmentTarget, ObjectPattern, ObjectProperty, PropertyDefinition, PropertyKey, Super,
};
use oxc::ast_visit::{Visit, walk};
use oxc::parser::Parser;
use oxc::span::{GetSpan, Span};
use oxc::syntax::scope::ScopeFlags;

use super::ModuleFormat;
use super::commonjs_interop::apply;
use super::module_syntax::is_good;
use super::positions::PositionMap;
use super::redeclared_params;
use super::syntax_error::redeclared;

/// Words that are names as long as nothing else is meant, and that Boa takes for keywords in too many places.
const NAMES: [&str; 2] = ["using", "async"];
/// Words it refuses as labels, and as the name of a default import.
const LABELS: [&str; 4] = ["using", "async", "of", "let"];
/// What names begin with that are made here.
const MADE: [&str; 2] = ["rest", "super"];

/// The text with all its lowering plain, and the positions that moved; `None` if nothing has to change. `on_catch` is a
/// property that is read of whatever a `catch` gets, before anything else there.
///
/// # Errors
/// What the parser says of a name that is declared twice.
pub(super) fn lower(text: &str, format: ModuleFormat, on_catch: &str) -> Result<Option<(String, PositionMap)>, String> {
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, text, format.source_type()).parse();
    if !is_good(&parsed) {
        return Ok(None);
    }
    if let Some(error) = redeclared(&parsed.program) {
        return Err(error);
    }
    let mut lowering = Lowering {
        text,
        on_catch,
        prefix: unused_prefix(text),
        renames_of: false,
        is_exported: false,
        made: 0,
        edits: Vec::new(),
    };
    lowering.renames_of = parsed.program.body.iter().any(|statement| match statement {
        oxc::ast::ast::Statement::ImportDeclaration(import) => import.specifiers.iter().flatten().any(
            |one| matches!(one, ImportDeclarationSpecifier::ImportDefaultSpecifier(one) if one.local.name == "of"),
        ),
        _ => false,
    });
    lowering.visit_program(&parsed.program);
    Ok((!lowering.edits.is_empty()).then(|| apply(text, lowering.edits)))
}

/// The beginning of names that stand nowhere in the text.
fn unused_prefix(text: &str) -> String {
    let mut prefix = "_".to_owned();
    while NAMES.iter().chain(&LABELS).chain(&MADE).any(|name| text.contains(&format!("{prefix}{name}"))) {
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
    /// Every name declared here is exported.
    is_exported: bool,
    /// How many names were made.
    made: usize,
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

    /// A name that stands nowhere in the text.
    fn made(&mut self, begin: &str) -> String {
        self.made += 1;
        format!("{}{begin}{}", self.prefix, self.made)
    }

    /// Beside a rest, what is taken apart is also taken as a whole: Boa then leaves it out of the rest.
    fn take_whole(&mut self, property: Span, key: &PropertyKey<'_>, is_computed: bool, target: &str) {
        let name = self.slice(key.span());
        // Nothing is computed twice.
        let is_plain = match key {
            PropertyKey::Identifier(name) => !self.is_renamed(&name.name),
            PropertyKey::StringLiteral(_) | PropertyKey::NumericLiteral(_) => true,
            _ => false,
        };
        let whole = match is_computed {
            false => format!(", {name}: {target}"),
            true if is_plain => format!(", [{name}]: {target}"),
            true => return,
        };
        self.insert(property.end, &whole);
    }

    /// `var a` is none where `a` is a parameter.
    fn declare_params_once(&mut self, params: &FormalParameters<'_>, body: &FunctionBody<'_>) {
        let (replaced, others) = redeclared_params::lower(params, body);
        self.edits.extend(replaced.into_iter().map(|span| (span, String::new())));
        for name in others {
            let name = self.renamed(&name).unwrap_or(name);
            self.insert(body.span.start + 1, &format!("var {name};"));
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

    fn visit_object_pattern(&mut self, pattern: &ObjectPattern<'a>) {
        walk::walk_object_pattern(self, pattern);
        if pattern.rest.is_none() || self.is_exported {
            return;
        }
        for property in &pattern.properties {
            let inner = match &property.value {
                BindingPattern::AssignmentPattern(pattern) => &pattern.left,
                value => value,
            };
            if matches!(inner, BindingPattern::ObjectPattern(_) | BindingPattern::ArrayPattern(_)) {
                let name = self.made("rest");
                self.take_whole(property.span, &property.key, property.computed, &name);
            }
        }
    }

    fn visit_object_assignment_target(&mut self, target: &ObjectAssignmentTarget<'a>) {
        walk::walk_object_assignment_target(self, target);
        if target.rest.is_none() {
            return;
        }
        for property in &target.properties {
            let AssignmentTargetProperty::AssignmentTargetPropertyProperty(property) = property else { continue };
            let inner = match &property.binding {
                AssignmentTargetMaybeDefault::AssignmentTargetWithDefault(target) => Some(&target.binding),
                binding => binding.as_assignment_target(),
            };
            if matches!(
                inner,
                Some(AssignmentTarget::ObjectAssignmentTarget(_) | AssignmentTarget::ArrayAssignmentTarget(_))
            ) {
                self.take_whole(property.span, &property.name, property.computed, "[].x");
            }
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
        self.is_exported = true;
        walk::walk_export_declaration(self, export);
        self.is_exported = false;
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

    fn visit_function(&mut self, function: &Function<'a>, flags: ScopeFlags) {
        let is_exported = std::mem::take(&mut self.is_exported);
        if let Some(body) = &function.body {
            self.declare_params_once(&function.params, body);
        }
        walk::walk_function(self, function, flags);
        self.is_exported = is_exported;
    }

    fn visit_arrow_function_expression(&mut self, function: &ArrowFunctionExpression<'a>) {
        let is_exported = std::mem::take(&mut self.is_exported);
        if let ArrowFunctionBody::FunctionBody(body) = &function.body {
            self.declare_params_once(&function.params, body);
        }
        // Of what ends in a template its `toString` lacks the end.
        let body = Span::new(function.body.span().start, function.span.end);
        let is_cut = self.slice(body).ends_with('`');
        if is_cut {
            self.insert(body.start, "(");
        }
        walk::walk_arrow_function_expression(self, function);
        if is_cut {
            self.insert(body.end, ")");
        }
        self.is_exported = is_exported;
    }

    fn visit_property_definition(&mut self, property: &PropertyDefinition<'a>) {
        walk::walk_property_definition(self, property);
        if let Some(value) = &property.value
            && !(property.r#static || property.computed)
            && SuperFinder::is_in(value)
        {
            // A method of its own knows it.
            let (key, name) = (self.slice(property.key.span()).to_owned(), self.made("super"));
            let before = Span::new(property.span.start, value.span().start);
            self.edits.push((before, format!("#{name}() {{ return (")));
            self.insert(value.span().end, &format!("); }} {key} = this.#{name}();"));
        }
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

/// Whether `super` stands in an expression, outside functions and classes that have their own.
#[derive(Default)]
struct SuperFinder(bool);

impl SuperFinder {
    fn is_in(expression: &oxc::ast::ast::Expression<'_>) -> bool {
        let mut finder = Self::default();
        finder.visit_expression(expression);
        finder.0
    }
}

impl<'a> Visit<'a> for SuperFinder {
    fn visit_super(&mut self, _: &Super) {
        self.0 = true;
    }

    fn visit_function(&mut self, _: &Function<'a>, _: ScopeFlags) {}

    fn visit_class(&mut self, _: &Class<'a>) {}
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
        let plain =
            lower(text, ModuleFormat::Module, "seen").unwrap().map_or_else(|| text.to_owned(), |(text, _)| text);
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
    fn functions_know_their_texts() {
        check("const f = () => `a${b}c`;", "const f = () => (`a${b}c`);");
        check("f((a) => b => a + `c`, () => `d`.e)", "f((a) => (b => (a + `c`)), () => `d`.e)");
        check("const f = () => { return `a`; };", "const f = () => { return `a`; };");
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
    fn the_rest_of_an_object_lacks_what_is_taken_apart() {
        check("const { a: { b }, ...c } = d;", "const { a: { b }, a: _rest1, ...c } = d;");
        check("const { a: [b] = [], 'c': d, ...e } = f;", "const { a: [b] = [], a: _rest1, 'c': d, ...e } = f;");
        check("const { a: { b }, c } = d;", "const { a: { b }, c } = d;");
        check("const f = ({ [a]: { b }, ...c }) => c;", "const f = ({ [a]: { b }, [a]: _rest1, ...c }) => c;");
        check("const { [a()]: { b }, ...c } = d;", "const { [a()]: { b }, ...c } = d;");
        check("({ a: { b }, c: [d] = e, ...f } = g);", "({ a: { b }, a: [].x, c: [d] = e, c: [].x, ...f } = g);");
        check("let _rest; const { a: [], ...b } = c;", "let _rest; const { a: [], a: __rest1, ...b } = c;");
        check(
            "const { a: { b: { c }, ...d }, ...e } = f;",
            "const { a: { b: { c }, b: _rest1, ...d }, a: _rest2, ...e } = f;",
        );
        // Here the name would be exported.
        check("export const { a: { b }, ...c } = d;", "export const { a: { b }, ...c } = d;");
        check("export function f({ a: { b }, ...c }) {}", "export function f({ a: { b }, a: _rest1, ...c }) {}");
    }

    #[test]
    fn parameters_are_declared_once() {
        check("function f(a, b = 1) { var a = 2; }", "function f(a, b = 1) { a = 2; }");
        check("function f(a) { var a = 2; }", "function f(a) { var a = 2; }");
        check("(({ a }) => { var b = 1, a = b, c; })();", "(({ a }) => {var b;var c; b = 1, a = b, c; })();");
        check("const f = (...a) => { for (var a = 0; a < 1;) {} };", "const f = (...a) => { for (a = 0; a < 1;) {} };");
        check("const f = (a = 1) => { for (var a in {}) {} };", "const f = (a = 1) => { for (a in {}) {} };");
        check("function f(a = 1) { let c; { let a = 2; } }", "function f(a = 1) { let c; { let a = 2; } }");
        check("function f(a = 1) { function g() { var a = 2; } }", "function f(a = 1) { function g() { var a = 2; } }");
        check("class A { f(a = 1) { if (a) var a = 2; } }", "class A { f(a = 1) { if (a) a = 2; } }");
    }

    #[test]
    fn fields_know_super() {
        check(
            "class A extends B { a = super.b(); c = 1 }",
            "class A extends B { #_super1() { return (super.b()); } a = this.#_super1();; c = 1 }",
        );
        check(
            "class A extends B {\n  #a = () =>\n    super.b\n  c\n}",
            "class A extends B {\n  #_super1() { return (() =>\n    super.b); } #a = this.#_super1();\n  c\n}",
        );
        check("class A extends B { static a = super.b; }", "class A extends B { static a = super.b; }");
        check("class A { a = { b() { return super.c; } }; }", "class A { a = { b() { return super.c; } }; }");
    }

    #[test]
    fn what_is_caught_is_looked_at() {
        check("try { f() } catch (e) { g(e) }", "try { f() } catch (e) {e?.seen; g(e) }");
        check("try { f() } catch (using) {}", "try { f() } catch (_using) {_using?.seen;}");
        check("try { f() } catch { g() }", "try { f() } catch { g() }");
    }
}
