//! The options a script sets, as far as its text says what they are.

use oxc::ast::ast::{
    ArrayExpressionElement, BindingPattern, Declaration, Expression, ObjectExpression, ObjectPropertyKind, Program,
    PropertyKey, Statement, UnaryOperator, VariableDeclaration,
};
use oxc::span::GetSpan;
use serde_json::{Map, Value};

use super::usage::Place;

/// A property of an object that is written out.
#[derive(Clone, Debug, PartialEq)]
pub struct OptionUsage {
    /// Its key.
    pub key: String,
    /// Where the key stands.
    pub place: Place,
    /// Its value; `null` stands for what the text doesn't say.
    pub value: Value,
    /// The text says the whole value.
    pub is_whole: bool,
    /// The properties of the value, where it is an object.
    pub inner: Vec<OptionUsage>,
}

/// The properties of the object that is exported as `options`; none if it is made in some other way.
pub(super) fn option_literals(text: &str, program: &Program) -> Vec<OptionUsage> {
    for statement in &program.body {
        match statement {
            Statement::ExportDeclaration(export) => {
                if let Declaration::VariableDeclaration(variables) = &export.declaration
                    && let Some(object) = variable(variables, "options")
                {
                    return properties(text, object);
                }
            }
            Statement::ExportNamedDeclaration(export) => {
                let named = export.specifiers.iter().find(|one| one.exported.name() == "options");
                if let Some(one) = named {
                    let local = one.local.name().to_string();
                    let found = program.body.iter().find_map(|statement| match statement {
                        Statement::VariableDeclaration(variables) => variable(variables, &local),
                        _ => None,
                    });
                    return found.map(|object| properties(text, object)).unwrap_or_default();
                }
            }
            _ => {}
        }
    }
    // The last one counts.
    let mut assigned = program.body.iter().rev().filter_map(|statement| commonjs_options(program, statement));
    assigned.next().map(|object| properties(text, object)).unwrap_or_default()
}

/// The object that a statement of a CommonJS script exports as `options`.
fn commonjs_options<'p, 'a>(
    program: &'p Program<'a>,
    statement: &'p Statement<'a>,
) -> Option<&'p ObjectExpression<'a>> {
    let Statement::ExpressionStatement(statement) = statement else { return None };
    let Expression::AssignmentExpression(assignment) = plain(&statement.expression) else { return None };
    let target = assignment.left.as_member_expression().filter(|_| assignment.operator.is_assign())?;
    let name = target.static_property_name()?;
    let mut value = plain(&assignment.right);
    while let Expression::AssignmentExpression(inner) = value {
        value = plain(&inner.right);
    }
    let value = if name == "options" && is_exports(target.object()) {
        value
    } else {
        let is_whole = name == "exports" && is_name(target.object(), "module");
        let Expression::ObjectExpression(whole) = value else { return None };
        let mut options = whole.properties.iter().rev().filter_map(|property| match property {
            ObjectPropertyKind::ObjectProperty(property) if key(&property.key).as_deref() == Some("options") => {
                Some(plain(&property.value))
            }
            _ => None,
        });
        options.next().filter(|_| is_whole)?
    };
    match value {
        Expression::ObjectExpression(object) => Some(object),
        Expression::Identifier(local) => program.body.iter().find_map(|statement| match statement {
            Statement::VariableDeclaration(variables) => variable(variables, &local.name),
            _ => None,
        }),
        _ => None,
    }
}

/// `exports`, or `module.exports`.
fn is_exports(object: &Expression) -> bool {
    let is_member = |object: &Expression| {
        let member = object.as_member_expression();
        member.is_some_and(|one| one.static_property_name() == Some("exports") && is_name(one.object(), "module"))
    };
    is_name(object, "exports") || is_member(object)
}

fn is_name(expression: &Expression, name: &str) -> bool {
    matches!(expression, Expression::Identifier(known) if known.name == name)
}

fn variable<'p, 'a>(variables: &'p VariableDeclaration<'a>, name: &str) -> Option<&'p ObjectExpression<'a>> {
    variables.declarations.iter().find_map(|declarator| match (&declarator.id, &declarator.init) {
        (BindingPattern::BindingIdentifier(id), Some(init)) if id.name == name => match plain(init) {
            Expression::ObjectExpression(object) => Some(&**object),
            _ => None,
        },
        _ => None,
    })
}

/// Without parentheses and types around it.
fn plain<'p, 'a>(expression: &'p Expression<'a>) -> &'p Expression<'a> {
    match expression {
        Expression::ParenthesizedExpression(inner) => plain(&inner.expression),
        Expression::TSAsExpression(inner) => plain(&inner.expression),
        Expression::TSSatisfiesExpression(inner) => plain(&inner.expression),
        Expression::TSNonNullExpression(inner) => plain(&inner.expression),
        Expression::TSTypeAssertion(inner) => plain(&inner.expression),
        other => other,
    }
}

fn properties(text: &str, object: &ObjectExpression) -> Vec<OptionUsage> {
    let mut found: Vec<OptionUsage> = Vec::new();
    for property in &object.properties {
        let ObjectPropertyKind::ObjectProperty(property) = property else { continue };
        let Some(key) = key(&property.key).filter(|_| !property.computed) else { continue };
        let value = plain(&property.value);
        let (json, is_whole) = literal(value);
        let inner = match value {
            Expression::ObjectExpression(object) => properties(text, object),
            _ => Vec::new(),
        };
        let place = Place::of(text, property.key.span().start);
        // The last one of a name counts.
        found.retain(|known| known.key != key);
        found.push(OptionUsage { key, place, value: json, is_whole, inner });
    }
    found
}

fn key(key: &PropertyKey) -> Option<String> {
    match key {
        PropertyKey::StaticIdentifier(name) => Some(name.name.to_string()),
        PropertyKey::StringLiteral(text) => Some(text.value.to_string()),
        PropertyKey::NumericLiteral(number) => Some(number.value.to_string()),
        _ => None,
    }
}

/// The JSON of an expression, and whether it is all of it.
fn literal(expression: &Expression) -> (Value, bool) {
    match plain(expression) {
        Expression::StringLiteral(text) => (text.value.as_str().into(), true),
        Expression::BooleanLiteral(boolean) => (boolean.value.into(), true),
        Expression::NullLiteral(_) => (Value::Null, true),
        Expression::NumericLiteral(number) => (json_number(number.value), true),
        Expression::UnaryExpression(unary) if unary.operator == UnaryOperator::UnaryNegation => match &unary.argument {
            Expression::NumericLiteral(number) => (json_number(-number.value), true),
            _ => (Value::Null, false),
        },
        Expression::TemplateLiteral(template) if template.expressions.is_empty() => {
            let cooked = template.quasis.first().and_then(|part| part.value.cooked.as_ref());
            cooked.map_or((Value::Null, false), |text| (text.as_str().into(), true))
        }
        Expression::ArrayExpression(array) => {
            let mut is_whole = true;
            let mut items = Vec::new();
            for element in &array.elements {
                let (value, whole) = match element {
                    ArrayExpressionElement::SpreadElement(_) | ArrayExpressionElement::Elision(_) => {
                        (Value::Null, false)
                    }
                    element => element.as_expression().map_or((Value::Null, false), literal),
                };
                is_whole &= whole;
                items.push(value);
            }
            (Value::Array(items), is_whole)
        }
        Expression::ObjectExpression(object) => {
            let (mut map, mut is_whole) = (Map::new(), true);
            for property in &object.properties {
                match property {
                    ObjectPropertyKind::ObjectProperty(property) if !property.computed && !property.method => {
                        let (value, whole) = literal(&property.value);
                        match key(&property.key) {
                            Some(key) => _ = map.insert(key, value),
                            None => is_whole = false,
                        }
                        is_whole &= whole;
                    }
                    _ => is_whole = false,
                }
            }
            (Value::Object(map), is_whole)
        }
        _ => (Value::Null, false),
    }
}

/// A whole number where it is one, as a script's options come as JSON.
fn json_number(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 9e15 { Value::from(number as i64) } else { Value::from(number) }
}
