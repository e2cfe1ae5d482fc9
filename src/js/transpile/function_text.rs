//! The texts of functions by the places where they begin, for an engine that keeps no copy of them in every VU.

use oxc::allocator::Allocator;
use oxc::ast::ast::{
    ArrowFunctionExpression, Class, ClassElement, Expression, Function, MethodDefinition, MethodDefinitionKind,
    ObjectProperty, PropertyKind,
};
use oxc::ast_visit::{Visit, walk};
use oxc::parser::Parser;
use oxc::span::{SourceType, Span};
use oxc::syntax::scope::ScopeFlags;
use rustc_hash::FxHashMap;

/// Where the functions of a text begin and end.
#[derive(Debug, Default)]
pub struct FunctionExtents {
    /// Functions by the byte where they begin, classes by the bytes where their constructor may.
    exact: FxHashMap<u32, Span>,
    /// Methods: QuickJS says where one of the words before its parameters is.
    methods: Vec<MethodExtent>,
    /// Where each line begins.
    lines: Vec<u32>,
}

/// The text of a method, and where its parameters begin.
#[derive(Debug)]
struct MethodExtent {
    text: Span,
    params: u32,
}

impl MethodExtent {
    fn has_in_head(&self, at: u32) -> bool {
        self.text.start <= at && at <= self.params
    }
}

impl FunctionExtents {
    /// Those of a JavaScript text.
    pub fn of(text: &str) -> Self {
        let mut lines = vec![0];
        lines.extend(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at as u32 + 1));
        super::on_deep_stack(|| {
            let allocator = Allocator::default();
            let parsed = Parser::new(&allocator, text, SourceType::unambiguous()).parse();
            let mut collector = Collector { text, found: Self { lines, ..Self::default() } };
            collector.visit_program(&parsed.program);
            collector.found
        })
    }

    /// What `Function.prototype.toString` shows (ECMA-262, "source text matched by") of the function that begins at this line
    /// and column, both counted from 1, the column in bytes. That is QuickJS' own place of it, which is in the middle of the
    /// head of a method, and inside a class where its constructor is.
    pub fn find<'t>(&self, text: &'t str, line: u32, column: u32) -> Option<&'t str> {
        let start = self.lines.get(line.checked_sub(1)? as usize)? + column.checked_sub(1)?;
        let around = || self.methods.iter().filter(|method| method.has_in_head(start)).map(|method| &method.text);
        let span = self.exact.get(&start).or_else(|| around().min_by_key(|text| text.size()))?;
        text.get(span.start as usize..span.end as usize)
    }
}

struct Collector<'t> {
    text: &'t str,
    found: FunctionExtents,
}

impl Collector<'_> {
    fn add(&mut self, start: u32, text: Span) {
        self.found.exact.insert(start, text);
    }

    fn add_method(&mut self, text: Span, params: u32) {
        self.found.methods.push(MethodExtent { text, params });
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

impl<'a> Visit<'a> for Collector<'_> {
    fn visit_function(&mut self, function: &Function<'a>, flags: ScopeFlags) {
        // That of a method begins with its parameters.
        if function.span.start != function.params.span.start {
            self.add(function.span.start, function.span);
        }
        walk::walk_function(self, function, flags);
    }

    fn visit_arrow_function_expression(&mut self, function: &ArrowFunctionExpression<'a>) {
        self.add(function.span.start, function.span);
        walk::walk_arrow_function_expression(self, function);
    }

    fn visit_object_property(&mut self, property: &ObjectProperty<'a>) {
        if let Expression::FunctionExpression(function) = &property.value
            && (property.method || property.kind != PropertyKind::Init)
        {
            self.add_method(property.span, function.params.span.start);
        }
        walk::walk_object_property(self, property);
    }

    fn visit_method_definition(&mut self, method: &MethodDefinition<'a>) {
        if method.kind != MethodDefinitionKind::Constructor {
            self.add_method(self.method_text(method), method.value.params.span.start);
        }
        walk::walk_method_definition(self, method);
    }

    fn visit_class(&mut self, class: &Class<'a>) {
        let constructor = class.body.body.iter().find_map(|element| match element {
            ClassElement::MethodDefinition(method) if method.kind == MethodDefinitionKind::Constructor => {
                Some(method.span.start)
            }
            _ => None,
        });
        match constructor {
            Some(start) => self.add(start, class.span),
            // One that the engine makes begins at one of the braces.
            None => {
                self.add(class.body.span.start, class.span);
                self.add(class.body.span.end - 1, class.span);
            }
        }
        walk::walk_class(self, class);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, (line, column): (u32, u32), expect: Option<&str>) {
        assert_eq!(FunctionExtents::of(text).find(text, line, column), expect, "{text} at {line}:{column}");
    }

    #[test]
    fn a_text_is_what_was_written() {
        check("x;\n  async function f ( a ) { /**/ }", (2, 3), Some("async function f ( a ) { /**/ }"));
        check("'ü😀'; const f = x => (x)", (1, 21), Some("x => (x)"));
        check("const o = { get a() { return 1 } }", (1, 17), Some("get a() { return 1 }"));
        check("class A { static /* s */ async *['x'] () {} }", (1, 39), Some("async *['x'] () {}"));
        check("class A { [class { b() {} }.name]() {} }", (1, 20), Some("b() {}"));
        check("const f = 1;", (1, 11), None);
        check("function f() {}", (3, 1), None);
        check("function f() {}", (0, 0), None);
    }

    #[test]
    fn a_class_begins_where_its_constructor_does() {
        check("class A { x = 1; constructor() {} }", (1, 18), Some("class A { x = 1; constructor() {} }"));
        check("(class {})", (1, 8), Some("class {}"));
        check("class A { b() {} }", (1, 18), Some("class A { b() {} }"));
    }
}
