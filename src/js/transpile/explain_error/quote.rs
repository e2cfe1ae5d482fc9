//! Expressions in a few words.

use oxc::ast::ast::Expression;
use oxc::span::{GetSpan, Span};

/// Longer quotes are cut at their beginning.
pub(super) const MAX_QUOTE: usize = 80;

/// The text that expressions are quoted from.
#[derive(Clone, Copy)]
pub(super) struct Quoter<'t>(pub &'t str);

impl Quoter<'_> {
    fn slice(&self, span: Span) -> &str {
        &self.0[span.start as usize..span.end as usize]
    }

    /// An expression in a few words.
    pub fn quote(&self, expression: &Expression) -> String {
        let words = self.words(expression);
        let long = words.chars().count().saturating_sub(MAX_QUOTE);
        if long == 0 {
            return words;
        }
        format!("...{}", words.chars().skip(long + 3).collect::<String>())
    }

    fn words(&self, expression: &Expression) -> String {
        let link = |is_optional: bool| if is_optional { "?." } else { "." };
        match expression {
            Expression::StaticMemberExpression(member) => {
                let (object, name) = (self.words(&member.object), &member.property.name);
                // A name of CommonJS that was imported.
                if object.starts_with("_c") && object.ends_with(".exports") || object.ends_with(".live") {
                    return name.to_string();
                }
                format!("{object}{}{name}", link(member.optional))
            }
            Expression::PrivateFieldExpression(member) => {
                format!("{}{}#{}", self.words(&member.object), link(member.optional), member.field.name)
            }
            Expression::ComputedMemberExpression(member) => {
                let inner = self.slice(member.expression.span());
                let inner = if inner.len() > 40 || inner.contains('\n') { "..." } else { inner };
                format!("{}{}[{inner}]", self.words(&member.object), if member.optional { "?." } else { "" })
            }
            Expression::CallExpression(call) => {
                let arguments = if call.arguments.is_empty() { "" } else { "..." };
                format!("{}{}({arguments})", self.words(&call.callee), if call.optional { "?." } else { "" })
            }
            Expression::ParenthesizedExpression(inner) => self.words(&inner.expression),
            Expression::ChainExpression(_) => self.slice(expression.span()).to_owned(),
            Expression::SequenceExpression(list) => {
                list.expressions.last().map_or_else(String::new, |last| self.words(last))
            }
            Expression::AwaitExpression(awaited) => format!("(await {})", self.words(&awaited.argument)),
            _ => {
                let text = self.slice(expression.span());
                if text.len() > 40 || text.contains('\n') { "(...)".to_owned() } else { text.to_owned() }
            }
        }
    }
}

/// What can't be `null` or `undefined`, whatever it is.
pub(super) fn is_never_empty(object: &Expression) -> bool {
    matches!(
        object,
        Expression::StringLiteral(_)
            | Expression::TemplateLiteral(_)
            | Expression::ArrayExpression(_)
            | Expression::ObjectExpression(_)
            | Expression::FunctionExpression(_)
            | Expression::ArrowFunctionExpression(_)
            | Expression::NewExpression(_)
            | Expression::NumericLiteral(_)
            | Expression::RegExpLiteral(_)
            | Expression::Super(_)
    )
}
