//! The regular expressions of a text, for an engine that doesn't say which of them it refuses.

use oxc::allocator::Allocator;
use oxc::ast::ast;
use oxc::ast_visit::Visit;
use oxc::parser::Parser;
use oxc::span::SourceType;

use crate::js::engine::RegExpLiteral;

/// All regular expressions in a text, in its order.
pub fn regexp_literals(text: &str) -> Vec<RegExpLiteral> {
    super::on_deep_stack(|| {
        let allocator = Allocator::default();
        let parsed = Parser::new(&allocator, text, SourceType::unambiguous()).parse();
        let mut found = Collector { text, list: Vec::new() };
        found.visit_program(&parsed.program);
        found.list
    })
}

struct Collector<'t> {
    text: &'t str,
    list: Vec<RegExpLiteral>,
}

impl<'a> Visit<'a> for Collector<'_> {
    fn visit_reg_exp_literal(&mut self, literal: &ast::RegExpLiteral<'a>) {
        let raw = &self.text[literal.span.start as usize..literal.span.end as usize];
        let Some((pattern, flags)) = raw.strip_prefix('/').and_then(|raw| raw.rsplit_once('/')) else { return };
        let before = &self.text[..literal.span.start as usize];
        let line = before.matches('\n').count() as u32 + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().encode_utf16().count() as u32 + 1;
        self.list.push(RegExpLiteral { pattern: pattern.to_owned(), flags: flags.to_owned(), line, column });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_found() {
        let text = "const a = 1 / 2 / 3;\n  f(/a\\/[/]/gi, `${/b(/}`); // /c/\nexport default /d/;";
        let found = regexp_literals(text);
        let found: Vec<_> = found.iter().map(|one| (&*one.pattern, &*one.flags, one.line, one.column)).collect();
        assert_eq!(found, [("a\\/[/]", "gi", 2, 5), ("b(", "", 2, 20), ("d", "", 3, 16)]);
    }
}
