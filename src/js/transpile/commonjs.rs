//! CommonJS: the function around a file's text, and the names its text gives to `exports`.

use oxc::allocator::Allocator;
use oxc::ast::ast::{
    Argument, AssignmentExpression, AssignmentTarget, CallExpression, Expression, ObjectPropertyKind, PropertyKey,
};
use oxc::ast_visit::{Visit, walk};
use oxc::parser::Parser;
use oxc::semantic::SemanticBuilder;
use oxc::span::SourceType;

use super::positions::{Edit, PositionMap, Shift};

/// A script whose value is the file as a function of `module`, `exports` and `require`. Lines stay where they are.
pub(super) fn wrap(text: &str) -> (String, PositionMap) {
    // A file may have a `require` of its own; as a parameter it would be there twice.
    let require = if declares_require(text) { "" } else { ",require" };
    let head = format!("\"use strict\";(function(module,exports{require}){{");
    let shift = Shift::By(head.len() as i64);
    let edit = Edit { line: 0, column: head.len() as u32, shift };
    (format!("{head}{text}\n}})"), PositionMap::Edits(vec![edit]))
}

fn declares_require(text: &str) -> bool {
    // Parsing is dear, the case is rare.
    if !["const require", "let require", "class require", "{ require", "{require"]
        .iter()
        .any(|sign| text.contains(sign))
    {
        return false;
    }
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, text, SourceType::cjs()).parse();
    let semantic = SemanticBuilder::new().build(&parsed.program).semantic;
    let scoping = semantic.scoping();
    scoping.iter_bindings_in(scoping.root_scope_id()).any(|symbol| scoping.symbol_name(symbol) == "require")
}

/// Names that are assigned to `exports`, in the order of the text.
pub(super) fn names(text: &str) -> Vec<String> {
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, text, SourceType::cjs()).parse();
    let mut names = Names::default();
    names.visit_program(&parsed.program);
    names.0
}

#[derive(Default)]
struct Names(Vec<String>);

impl Names {
    fn add(&mut self, name: &str) {
        if name != "default" && !self.0.iter().any(|known| known == name) {
            self.0.push(name.to_owned());
        }
    }
}

impl<'a> Visit<'a> for Names {
    fn visit_assignment_expression(&mut self, assignment: &AssignmentExpression<'a>) {
        if let AssignmentTarget::StaticMemberExpression(member) = &assignment.left {
            if is_exports(&member.object) {
                self.add(&member.property.name);
            } else if member.property.name == "exports"
                && is_named(&member.object, "module")
                && let Expression::ObjectExpression(object) = &assignment.right
            {
                for property in &object.properties {
                    if let ObjectPropertyKind::ObjectProperty(property) = property
                        && let Some(name) = property_name(&property.key)
                    {
                        self.add(&name);
                    }
                }
            }
        }
        walk::walk_assignment_expression(self, assignment);
    }

    fn visit_call_expression(&mut self, call: &CallExpression<'a>) {
        if let Expression::StaticMemberExpression(callee) = &call.callee
            && callee.property.name == "defineProperty"
            && let [object, Argument::StringLiteral(name), ..] = call.arguments.as_slice()
            && object.as_expression().is_some_and(is_exports)
        {
            self.add(&name.value);
        }
        walk::walk_call_expression(self, call);
    }
}

fn is_named(expression: &Expression, name: &str) -> bool {
    matches!(expression, Expression::Identifier(identifier) if identifier.name == name)
}

/// `exports` or `module.exports`.
fn is_exports(expression: &Expression) -> bool {
    match expression {
        Expression::StaticMemberExpression(member) => {
            member.property.name == "exports" && is_named(&member.object, "module")
        }
        other => is_named(other, "exports"),
    }
}

fn property_name(key: &PropertyKey) -> Option<String> {
    match key {
        PropertyKey::StaticIdentifier(name) => Some(name.name.to_string()),
        PropertyKey::StringLiteral(name) => Some(name.value.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_becomes_a_function() {
        assert_eq!(wrap("exports.a = 1;").0, "\"use strict\";(function(module,exports,require){exports.a = 1;\n})");
        assert_eq!(
            wrap("const require = globalThis.require;").0,
            "\"use strict\";(function(module,exports){const require = globalThis.require;\n})"
        );
    }

    #[test]
    fn the_text_tells_names() {
        let check = |text: &str, expect: &[&str]| assert_eq!(names(text), expect, "{text}");
        check("exports.a = exports.b = 1; module.exports.c = 2;", &["a", "b", "c"]);
        check("module.exports = { a, 'b-c': 1, ...rest, d() {} };", &["a", "b-c", "d"]);
        check("Object.defineProperty(exports, '__esModule', { value: true });", &["__esModule"]);
        check("other.a = 1;", &[]);
    }
}
