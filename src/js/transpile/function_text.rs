//! Where the texts of functions are in a text, for an engine that need not keep a copy of each in every VU.

use std::ops::Range;

use oxc::allocator::Allocator;
use oxc::ast::ast::{
    ArrowFunctionExpression, Class, Expression, Function, MethodDefinition, MethodDefinitionKind, ObjectProperty,
    PropertyKind,
};
use oxc::ast_visit::{Visit, walk};
use oxc::parser::Parser;
use oxc::span::{SourceType, Span};
use oxc::syntax::scope::ScopeFlags;

/// Where the functions, methods and classes of a JavaScript text are, in bytes: what `Function.prototype.toString` shows of them
/// (ECMA-262, "source text matched by").
pub fn function_extents(text: &str) -> Vec<Range<usize>> {
    super::on_deep_stack(|| {
        let allocator = Allocator::default();
        let parsed = Parser::new(&allocator, text, SourceType::unambiguous()).parse();
        let mut collector = ExtentCollector { text, extents: Vec::new() };
        collector.visit_program(&parsed.program);
        collector.extents
    })
}

struct ExtentCollector<'t> {
    text: &'t str,
    extents: Vec<Range<usize>>,
}

impl ExtentCollector<'_> {
    fn add(&mut self, span: Span) {
        self.extents.push(span.start as usize..span.end as usize);
    }

    /// A method without the word `static` before it, which is not part of its text.
    fn method_text(&self, method: &MethodDefinition<'_>) -> Span {
        let mut span = method.span;
        if method.r#static {
            span.start += "static".len() as u32;
            let rest = &self.text[span.start as usize..span.end as usize];
            span.start += blank(rest) as u32;
        }
        span
    }
}

/// The length of the white space and comments a text begins with.
fn blank(text: &str) -> usize {
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let end = match rest.get(..2) {
            Some("//") => rest.find('\n'),
            Some("/*") => rest.find("*/").map(|at| at + 2),
            _ => None,
        };
        match end {
            Some(end) => rest = &rest[end..],
            None => return text.len() - rest.len(),
        }
    }
}

impl<'a> Visit<'a> for ExtentCollector<'_> {
    fn visit_function(&mut self, function: &Function<'a>, flags: ScopeFlags) {
        // That of a method begins with its parameters.
        if function.span.start != function.params.span.start {
            self.add(function.span);
        }
        walk::walk_function(self, function, flags);
    }

    fn visit_arrow_function_expression(&mut self, function: &ArrowFunctionExpression<'a>) {
        self.add(function.span);
        walk::walk_arrow_function_expression(self, function);
    }

    fn visit_object_property(&mut self, property: &ObjectProperty<'a>) {
        if matches!(property.value, Expression::FunctionExpression(_))
            && (property.method || property.kind != PropertyKind::Init)
        {
            self.add(property.span);
        }
        walk::walk_object_property(self, property);
    }

    fn visit_method_definition(&mut self, method: &MethodDefinition<'a>) {
        if method.kind != MethodDefinitionKind::Constructor {
            self.add(self.method_text(method));
        }
        walk::walk_method_definition(self, method);
    }

    fn visit_class(&mut self, class: &Class<'a>) {
        self.add(class.span);
        walk::walk_class(self, class);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &[&str]) {
        let found: Vec<_> = function_extents(text).into_iter().map(|extent| &text[extent]).collect();
        assert_eq!(found, expect, "{text}");
    }

    #[test]
    fn a_text_is_what_was_written() {
        check("x;\n  async function f ( a ) { /**/ }", &["async function f ( a ) { /**/ }"]);
        check("'ü😀'; const f = x => (x), g=[()=>1,()=>2]", &["x => (x)", "()=>1", "()=>2"]);
        check("const o = { get a() { return 1 }, b: 1 }", &["get a() { return 1 }"]);
        check(
            "class A { static /* s */ async *['x'] () {} }",
            &["class A { static /* s */ async *['x'] () {} }", "async *['x'] () {}"],
        );
        check("(class { x = 1; constructor() {} })", &["class { x = 1; constructor() {} }"]);
        check("const f = 1; f(", &[]);
    }
}
