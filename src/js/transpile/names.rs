//! The names of a text: what it binds, and which modules it has under a name.

use oxc::allocator::Allocator;
use oxc::ast::ast::{
    Argument, BindingIdentifier, BindingPattern, Expression, ImportDeclaration, ImportDeclarationSpecifier,
    VariableDeclarator,
};
use oxc::ast_visit::{Visit, walk};
use oxc::parser::Parser;
use oxc::span::SourceType;

/// What a text calls things.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BoundNames {
    /// Variables, functions, arguments and imports, wherever they are bound.
    pub bound: Vec<String>,
    /// Names that stand for a whole module, with its specifier.
    pub modules: Vec<(String, String)>,
    /// Names of what a call returned that was not awaited: what was called, as `(object, member)`.
    pub returned: Vec<(String, (String, String))>,
}

/// The names of a JavaScript or TypeScript text.
pub fn bound_names(text: &str) -> BoundNames {
    super::on_deep_stack(|| {
        let allocator = Allocator::default();
        let source_type = SourceType::unambiguous().with_typescript(true);
        let parsed = Parser::new(&allocator, text, source_type).parse();
        let mut names = BoundNames::default();
        names.visit_program(&parsed.program);
        names
    })
}

/// The specifier of `require('specifier')`.
fn required<'a>(value: &Expression<'a>) -> Option<&'a str> {
    let Expression::CallExpression(call) = value else { return None };
    match (&call.callee, call.arguments.first()) {
        (Expression::Identifier(callee), Some(Argument::StringLiteral(text))) if callee.name == "require" => {
            Some(text.value.as_str())
        }
        _ => None,
    }
}

/// `object.member` of a call of it.
fn called(value: &Expression) -> Option<(String, String)> {
    let Expression::CallExpression(call) = value else { return None };
    let Expression::StaticMemberExpression(callee) = &call.callee else { return None };
    let Expression::Identifier(object) = &callee.object else { return None };
    Some((object.name.to_string(), callee.property.name.to_string()))
}

impl<'a> Visit<'a> for BoundNames {
    fn visit_binding_identifier(&mut self, name: &BindingIdentifier<'a>) {
        self.bound.push(name.name.to_string());
    }

    fn visit_import_declaration(&mut self, import: &ImportDeclaration<'a>) {
        for specifier in import.specifiers.iter().flatten() {
            if !matches!(specifier, ImportDeclarationSpecifier::ImportSpecifier(_)) {
                self.modules.push((specifier.local().name.to_string(), import.source.value.to_string()));
            }
        }
        walk::walk_import_declaration(self, import);
    }

    fn visit_variable_declarator(&mut self, declarator: &VariableDeclarator<'a>) {
        if let (BindingPattern::BindingIdentifier(name), Some(value)) = (&declarator.id, &declarator.init) {
            let name = name.name.to_string();
            match (required(value), called(value)) {
                (Some(module), _) => self.modules.push((name, module.to_owned())),
                (None, Some(callee)) => self.returned.push((name, callee)),
                (None, None) => {}
            }
        }
        walk::walk_variable_declarator(self, declarator);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_texts() {
        let check = |text: &str, bound: &str, modules: &[(&str, &str)]| {
            let names = bound_names(text);
            assert_eq!(names.bound.join(" "), bound, "{text}");
            let modules: Vec<_> = modules.iter().map(|(name, module)| ((*name).into(), (*module).into())).collect();
            assert_eq!(names.modules, modules, "{text}");
        };
        let returned = bound_names("const r = http.get('x'), p = await b.newPage();").returned;
        assert_eq!(returned, [("r".to_owned(), ("http".to_owned(), "get".to_owned()))]);
        check("import http, { get } from 'k6/http';", "http get", &[("http", "k6/http")]);
        check("import * as all from './x.js';", "all", &[("all", "./x.js")]);
        check("const http = require('k6/http'), n = require(x);", "http n", &[("http", "k6/http")]);
        check("function f(a, { b: [c] }) { let d; }", "f a c d", &[]);
        check("const f = (a: number): string => `${a}`;", "f a", &[]);
    }
}
