//! Parameters that the body of their function declares again with `var`. Beside defaults that is a variable of its own to
//! Boa, which it never initializes: here it becomes the parameter again.

use oxc::ast::ast::{
    ArrowFunctionExpression, BindingIdentifier, BindingPattern, Class, Expression, FormalParameters, Function,
    FunctionBody, VariableDeclaration, VariableDeclarationKind,
};
use oxc::ast_visit::{Visit, walk};
use oxc::span::Span;
use oxc::syntax::scope::ScopeFlags;

/// Which text is to be replaced, so that `var a = 1` assigns where `a` is a parameter; the names that the same declarations
/// had besides, which are to be declared at the beginning of the body.
pub(super) fn lower(params: &FormalParameters<'_>, body: &FunctionBody<'_>) -> (Vec<Span>, Vec<String>) {
    let is_plain = params.rest.is_none()
        && params
            .items
            .iter()
            .all(|item| item.initializer.is_none() && matches!(item.pattern, BindingPattern::BindingIdentifier(_)));
    let mut finder = VarFinder::default();
    if !is_plain {
        let mut names = ParamNames::default();
        params.items.iter().for_each(|item| names.visit_binding_pattern(&item.pattern));
        params.rest.iter().for_each(|rest| names.visit_binding_pattern(&rest.rest.argument));
        finder.params = names.0;
        finder.visit_function_body(body);
    }
    (finder.replaced, finder.others)
}

/// The names in a pattern.
#[derive(Default)]
struct ParamNames(Vec<String>);

impl<'a> Visit<'a> for ParamNames {
    fn visit_binding_identifier(&mut self, name: &BindingIdentifier<'a>) {
        self.0.push(name.name.to_string());
    }

    fn visit_expression(&mut self, _: &Expression<'a>) {}
}

/// The declarations of a function that are not those of functions in it.
#[derive(Default)]
struct VarFinder {
    params: Vec<String>,
    replaced: Vec<Span>,
    others: Vec<String>,
}

impl<'a> Visit<'a> for VarFinder {
    fn visit_variable_declaration(&mut self, declaration: &VariableDeclaration<'a>) {
        walk::walk_variable_declaration(self, declaration);
        if declaration.kind != VariableDeclarationKind::Var {
            return;
        }
        let names: Option<Vec<&str>> = declaration
            .declarations
            .iter()
            .map(|declarator| match &declarator.id {
                BindingPattern::BindingIdentifier(name) => Some(name.name.as_str()),
                _ => None,
            })
            .collect();
        let is_param = |name: &&str| self.params.iter().any(|param| param == name);
        let (Some(names), Some(first)) = (names, declaration.declarations.first()) else { return };
        if names.iter().any(is_param) {
            let others: Vec<_> = names.iter().filter(|name| !is_param(name)).map(|name| (*name).to_owned()).collect();
            self.others.extend(others);
            self.replaced.push(Span::new(declaration.span.start, first.span.start));
        }
    }

    fn visit_function(&mut self, _: &Function<'a>, _: ScopeFlags) {}

    fn visit_arrow_function_expression(&mut self, _: &ArrowFunctionExpression<'a>) {}

    fn visit_class(&mut self, _: &Class<'a>) {}
}
