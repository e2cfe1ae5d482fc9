//! Where a text is no JavaScript, for engines that don't say, or name another place than a person would look at.

use oxc::allocator::Allocator;
use oxc::ast::ast::Program;
use oxc::diagnostics::OxcDiagnostic;
use oxc::parser::Parser;
use oxc::semantic::SemanticBuilder;
use oxc::span::SourceType;

use super::ModuleFormat;
use super::explain_error::line_and_column;
use super::module_syntax::format_of;

/// What is wrong with a text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxFault {
    /// Counted from 1.
    pub line: u32,
    /// Counted from 1, in UTF-16 units.
    pub column: u32,
    /// The parser's words, in one line.
    pub message: String,
}

impl SyntaxFault {
    fn of(text: &str, error: &OxcDiagnostic) -> Self {
        // What is there twice is wrong the second time.
        let offset = error.labels.iter().map(|label| label.offset() as usize).max().unwrap_or(0);
        // Where something is missing at the end, the place is behind the last line.
        let offset = offset.min(text.trim_end().len());
        let (line, column) = line_and_column(text, offset as u32);
        let is_export = text[offset..].starts_with("default ") && error.message == "Unexpected token";
        let message =
            if is_export { "`export` is missing before it".to_owned() } else { error.message.replace('\n', " ") };
        Self { line, column, message }
    }
}

/// The first syntax error of a file; `None` where it is good as what it is, an ES module or CommonJS.
pub(super) fn find(text: &str) -> Option<SyntaxFault> {
    let source = match format_of(text) {
        Some(ModuleFormat::CommonJs) => SourceType::cjs(),
        Some(ModuleFormat::Module) | None => SourceType::mjs(),
    };
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, text, source).parse();
    if let Some(error) = parsed.diagnostics.errors().next() {
        return Some(SyntaxFault::of(text, error));
    }
    first_error(&parsed.program, |_| true).map(|error| SyntaxFault::of(text, &error))
}

/// What the parser says of a name that is declared twice where the language forbids it; Boa doesn't look inside functions.
pub(super) fn redeclared(program: &Program) -> Option<String> {
    let error = first_error(program, |error| error.message.ends_with("has already been declared"));
    error.map(|error| error.message.to_string())
}

/// What only a look at the scopes shows.
fn first_error(program: &Program, is_meant: impl Fn(&OxcDiagnostic) -> bool) -> Option<OxcDiagnostic> {
    let checked = SemanticBuilder::new().with_check_syntax_error(true).build(program);
    checked.diagnostics.errors().find(|error| is_meant(error)).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_has_its_place() {
        let check = |text: &str, expect: Option<(u32, u32)>| {
            assert_eq!(find(text).map(|fault| (fault.line, fault.column)), expect, "{text}");
        };
        check("export default function () {\n  f(1\n  g();\n}", Some((3, 3)));
        check("export default function () {\n  if (a) {\n}\n", Some((3, 2)));
        check("export const a = 'b;\n", Some((1, 18)));
        check("export const a = 1;\nconst a = 2;", Some((2, 7)));
        check("export default 1;\nexport default 2;", Some((2, 8)));
        check("export const a = 1;", None);
        check("import a from 'a';\nfunction f() {\n  const b = 1;\n  const b = 2;\n}", Some((4, 9)));
        check("function f() {\n  import a from 'a';\n}", Some((2, 3)));
        check("return exports.a = 1;", None);
        check("export default () => JSON.parse('{');", None);
    }

    #[test]
    fn names_are_declared_once() {
        let check = |text: &str, expect: bool| {
            let allocator = Allocator::default();
            let parsed = Parser::new(&allocator, text, SourceType::mjs()).parse();
            assert_eq!(redeclared(&parsed.program).is_some(), expect, "{text}");
        };
        check("export default function () { const a = 1; const a = 2; }", true);
        check("let a; let a;", true);
        check("export default function () { var a = 1; var a = 2; }", false);
        check("export default function (a) { var a = 2; { let a; } }", false);
        check("function f() { function a() {} function a() {} }", false);
    }
}
