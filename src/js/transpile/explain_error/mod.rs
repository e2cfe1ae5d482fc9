//! What an engine's `TypeError` is about, quoted from the text: engines say where, but not what.

use oxc::allocator::Allocator;
use oxc::ast::ast::{
    BindingPattern, CallExpression, Expression, ForOfStatement, FormalParameter, MemberExpression, NewExpression,
    SpreadElement, TaggedTemplateExpression, UnaryExpression, UnaryOperator, VariableDeclarator,
};
use oxc::ast_visit::{Visit, walk};
use oxc::parser::Parser;
use oxc::span::{GetSpan, SourceType, Span};

/// Longer quotes are cut at their beginning.
const MAX_QUOTE: usize = 80;

/// What engines say, as far as more can be said.
enum TypeErrorKind<'m> {
    NoFunction,
    NoConstructor,
    /// Something was to be taken apart.
    Destructured,
    /// What is not there was to be gone through.
    Iterated {
        of: &'m str,
    },
    /// `read` or `set`, the property where the engine names it, and what it was asked of.
    Property {
        verb: &'m str,
        name: Option<&'m str>,
        of: &'m str,
    },
}

impl<'m> TypeErrorKind<'m> {
    fn read(message: &'m str) -> Option<Self> {
        match message {
            "not a function" | "not a callable function" => return Some(Self::NoFunction),
            "not a constructor" => return Some(Self::NoConstructor),
            "Cannot convert undefined or null to object"
            | "Cannot destructure 'null' value"
            | "Cannot destructure 'undefined' value" => return Some(Self::Destructured),
            "cannot convert 'null' or 'undefined' to object" => {
                return Some(Self::Property { verb: "read", name: None, of: "undefined or null" });
            }
            _ => {}
        }
        let (verb, rest) = message.strip_prefix("cannot ")?.split_once(" property '")?;
        let (name, of) = rest.rsplit_once("' of ")?;
        if name == "Symbol.iterator" {
            return Some(Self::Iterated { of });
        }
        (["read", "set"].contains(&verb) && ["null", "undefined"].contains(&of)).then_some(Self::Property {
            verb,
            name: Some(name),
            of,
        })
    }
}

/// A better message for a `TypeError` that came from this line and column of a text, both counted from 1; `None` if the
/// text does not tell for sure.
pub fn explain(text: &str, line: u32, column: u32, message: &str) -> Option<String> {
    let fault = TypeErrorKind::read(message)?;
    super::on_deep_stack(|| {
        let allocator = Allocator::default();
        let parsed = Parser::new(&allocator, text, SourceType::unambiguous()).parse();
        let at = offset(text, line, column)?;
        let row = at.0..at.1;
        let mut search = Search { text, fault: &fault, row, at: at.2, best: None, is_unsure: false };
        search.visit_program(&parsed.program);
        let found = search.best.filter(|_| !search.is_unsure)?;
        Some(match fault {
            TypeErrorKind::NoFunction if !found.is_new => format!("{} is not a function", found.what),
            TypeErrorKind::NoFunction | TypeErrorKind::NoConstructor => format!("{} is not a constructor", found.what),
            TypeErrorKind::Destructured => format!("cannot destructure {}: it is undefined or null", found.what),
            TypeErrorKind::Iterated { of } => format!("{} is not iterable: it is {of}", found.what),
            TypeErrorKind::Property { verb, name, of } => {
                let name = name.map_or(found.property.unwrap_or_default(), str::to_owned);
                format!("cannot {verb} property '{name}' of {of}: {} is {of}", found.what)
            }
        })
    })
}

/// Where a line begins and ends, and the place in it.
fn offset(text: &str, line: u32, column: u32) -> Option<(u32, u32, u32)> {
    let mut start = 0;
    for _ in 1..line {
        start += text[start..].find('\n')? + 1;
    }
    let row = text[start..].split('\n').next().unwrap_or_default();
    let mut units = 0;
    let at = row.char_indices().find(|(_, c)| {
        let here = units + 1 >= column;
        units += c.len_utf16() as u32;
        here
    });
    let at = at.map_or(row.len(), |(at, _)| at);
    Some((start as u32, (start + row.len()) as u32, (start + at) as u32))
}

/// A place in the text that may be the one.
struct Candidate {
    /// What isn't what it should be.
    what: String,
    /// The property that was asked for, where the text says it.
    property: Option<String>,
    /// It stands behind `new`.
    is_new: bool,
    /// How much text it takes: less is nearer.
    width: u32,
    span: Span,
}

struct Search<'t, 'm> {
    text: &'t str,
    fault: &'t TypeErrorKind<'m>,
    row: std::ops::Range<u32>,
    at: u32,
    best: Option<Candidate>,
    is_unsure: bool,
}

impl Search<'_, '_> {
    fn slice(&self, span: Span) -> &str {
        &self.text[span.start as usize..span.end as usize]
    }

    /// A call or a `new`: engines name the callee's beginning, its last property, or what follows it.
    fn callee(&mut self, callee: &Expression, whole: Span) {
        let span = callee.span();
        // Between the callee and its arguments there may be blanks.
        let gap = self.text[span.end as usize..].find(|c: char| !c.is_whitespace()).unwrap_or(0) as u32;
        let begins = if matches!(self.fault, TypeErrorKind::NoConstructor) { whole.start } else { span.start };
        let is_error = matches!(callee, Expression::Identifier(name) if name.name.ends_with("Error"));
        if !(begins..=span.end + gap).contains(&self.at) || is_error {
            return;
        }
        let what = self.quote(callee);
        let is_new = self.text[whole.start as usize..].starts_with("new") && whole.start < span.start;
        self.offer(Candidate { what, property: None, is_new, width: span.end - span.start, span });
    }

    fn offer(&mut self, found: Candidate) {
        match &self.best {
            Some(best) if best.width == found.width && best.span != found.span => self.is_unsure = true,
            Some(best) if best.width < found.width => {}
            _ => self.best = Some(found),
        }
    }

    /// A property that is read or set: the engine says its name and the line, or, more exactly, only the place.
    fn member(&mut self, member: &MemberExpression) {
        let TypeErrorKind::Property { name, .. } = self.fault else { return };
        let (object, span) = (member.object(), member.span());
        let property = match member {
            MemberExpression::StaticMemberExpression(member) => {
                Some((member.property.name.to_string(), member.property.span))
            }
            MemberExpression::ComputedMemberExpression(member) => match &member.expression {
                Expression::StringLiteral(text) => Some((text.value.to_string(), member.expression.span())),
                Expression::NumericLiteral(number) => Some((number.value.to_string(), member.expression.span())),
                _ => None,
            },
            MemberExpression::PrivateFieldExpression(_) => None,
        };
        if member.optional() {
            return;
        }
        if let Some(name) = name {
            let place = property.as_ref().map_or(span.end, |(_, span)| span.start);
            let is_it = property.as_ref().is_none_or(|(known, _)| known == name) && !self.is_never_empty(object);
            if is_it && self.row.contains(&place) {
                let what = self.quote(object);
                if self.best.as_ref().is_some_and(|best| best.what != what) {
                    self.is_unsure = true;
                }
                self.best = Some(Candidate { what, property: None, is_new: false, width: 0, span });
            }
            return;
        }
        // What follows the property is where a method is called.
        let Some((property, place)) = property else { return };
        if (place.start..=span.end).contains(&self.at) && self.at > object.span().end && !self.is_never_empty(object) {
            let what = self.quote(object);
            self.offer(Candidate { what, property: Some(property), is_new: false, width: span.end - self.at, span });
        }
    }

    /// Something that is taken apart or gone through: engines say the line, so it must be the only one there.
    fn only(&mut self, span: Span, from: Option<&Expression>) {
        if !self.row.contains(&span.start) {
            return;
        }
        self.is_unsure |= self.best.is_some() || from.is_none();
        let what = from.map(|from| self.quote(from)).unwrap_or_default();
        self.best = Some(Candidate { what, property: None, is_new: false, width: 0, span });
    }

    /// What can't be `null` or `undefined`, whatever it is.
    fn is_never_empty(&self, object: &Expression) -> bool {
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

    /// An expression in a few words.
    fn quote(&self, expression: &Expression) -> String {
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

impl<'a> Visit<'a> for Search<'_, '_> {
    fn visit_call_expression(&mut self, call: &CallExpression<'a>) {
        if matches!(self.fault, TypeErrorKind::NoFunction) {
            self.callee(&call.callee, call.span);
        }
        walk::walk_call_expression(self, call);
    }

    fn visit_tagged_template_expression(&mut self, template: &TaggedTemplateExpression<'a>) {
        if matches!(self.fault, TypeErrorKind::NoFunction) {
            self.callee(&template.tag, template.span);
        }
        walk::walk_tagged_template_expression(self, template);
    }

    fn visit_new_expression(&mut self, new: &NewExpression<'a>) {
        // QuickJS says of both that they are no functions.
        if matches!(self.fault, TypeErrorKind::NoFunction | TypeErrorKind::NoConstructor) {
            self.callee(&new.callee, new.span);
        }
        walk::walk_new_expression(self, new);
    }

    fn visit_variable_declarator(&mut self, declarator: &VariableDeclarator<'a>) {
        let is_wanted = matches!(
            (&declarator.id, &self.fault),
            (BindingPattern::ObjectPattern(_) | BindingPattern::ArrayPattern(_), TypeErrorKind::Destructured)
                | (BindingPattern::ArrayPattern(_), TypeErrorKind::Iterated { .. })
        );
        // Of a loop it has no value of its own.
        if is_wanted && declarator.init.is_some() {
            self.only(declarator.id.span(), declarator.init.as_ref());
        }
        walk::walk_variable_declarator(self, declarator);
    }

    fn visit_formal_parameter(&mut self, parameter: &FormalParameter<'a>) {
        let is_pattern =
            matches!(&parameter.pattern, BindingPattern::ObjectPattern(_) | BindingPattern::ArrayPattern(_));
        if is_pattern && matches!(self.fault, TypeErrorKind::Destructured | TypeErrorKind::Iterated { .. }) {
            self.only(parameter.span, None);
        }
        walk::walk_formal_parameter(self, parameter);
    }

    fn visit_for_of_statement(&mut self, statement: &ForOfStatement<'a>) {
        if matches!(self.fault, TypeErrorKind::Iterated { .. }) {
            self.only(statement.right.span(), Some(&statement.right));
        }
        walk::walk_for_of_statement(self, statement);
    }

    fn visit_spread_element(&mut self, spread: &SpreadElement<'a>) {
        if matches!(self.fault, TypeErrorKind::Iterated { .. }) {
            self.only(spread.span, Some(&spread.argument));
        }
        walk::walk_spread_element(self, spread);
    }

    fn visit_unary_expression(&mut self, unary: &UnaryExpression<'a>) {
        // QuickJS says the same of `delete`.
        if matches!(self.fault, TypeErrorKind::Destructured) && unary.operator == UnaryOperator::Delete {
            self.only(unary.span, None);
        }
        walk::walk_unary_expression(self, unary);
    }

    fn visit_member_expression(&mut self, member: &MemberExpression<'a>) {
        self.member(member);
        walk::walk_member_expression(self, member);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, place: (u32, u32), message: &str, expect: Option<&str>) {
        assert_eq!(explain(text, place.0, place.1, message).as_deref(), expect, "{text}");
    }

    #[test]
    fn calls_name_what_is_called() {
        let not = "not a function";
        check("a.b.c();", (1, 5), not, Some("a.b.c is not a function"));
        check("a.b().c();", (1, 3), not, Some("a.b is not a function"));
        check("a.b().c();", (1, 7), not, Some("a.b().c is not a function"));
        check("x = 1;\nf(1);", (2, 1), not, Some("f is not a function"));
        check("f(1);", (1, 2), "not a callable function", Some("f is not a function"));
        check("a['k-k'].foo(1)", (1, 10), not, Some("a['k-k'].foo is not a function"));
        check("void 0,(0,_c0.exports.a)(1)", (1, 8), not, Some("a is not a function"));
        check("new a.B(1)", (1, 5), not, Some("a.B is not a constructor"));
        check("new a.B(1)", (1, 1), "not a constructor", Some("a.B is not a constructor"));
        check("TypeError('not a function')", (1, 1), not, None);
        check("a.tag`x`", (1, 3), not, Some("a.tag is not a function"));
    }

    #[test]
    fn properties_name_what_has_none() {
        let read = "cannot read property 'c' of null";
        check("a.b.c;", (1, 1), read, Some("cannot read property 'c' of null: a.b is null"));
        check("f(a.b.c, x.y.d)", (1, 1), read, Some("cannot read property 'c' of null: a.b is null"));
        check("f(a.c, b.c)", (1, 1), read, None);
        check("a?.c", (1, 1), read, None);
        let set = "cannot set property 'c' of undefined";
        check("a.b['c'] = 1;", (1, 1), set, Some("cannot set property 'c' of undefined: a.b is undefined"));
        let boa = "cannot convert 'null' or 'undefined' to object";
        let expect = "cannot read property 'c' of undefined or null: a.b is undefined or null";
        check("a.b.c;", (1, 5), boa, Some(expect));
        check("a.b.c(1);", (1, 6), boa, Some(expect));
        check("a.b.c;", (1, 1), boa, None);
    }

    #[test]
    fn what_is_taken_apart_is_named_if_it_is_the_only_one() {
        let apart = "Cannot convert undefined or null to object";
        check("const { x } = a.b;", (1, 1), apart, Some("cannot destructure a.b: it is undefined or null"));
        check("const { x } = a.b, { y } = c;", (1, 1), apart, None);
        check("f(({ x }) => x)", (1, 1), apart, None);
        check("delete a.b.c;", (1, 1), apart, None);
        let through = "cannot read property 'Symbol.iterator' of undefined";
        check("x;\nfor (const x of a.b) f(x);", (2, 1), through, Some("a.b is not iterable: it is undefined"));
        check("f(...a.b);", (1, 3), through, Some("a.b is not iterable: it is undefined"));
    }

    #[test]
    fn quotes_are_short() {
        let text = format!("f({}).g();", "x, ".repeat(200));
        check(&text, (1, text.len() as u32 - 3), "not a function", Some("f(...).g is not a function"));
        let text = format!("{}c();", "abcdefgh.".repeat(20));
        let found = explain(&text, 1, text.len() as u32 - 3, "not a function").unwrap();
        assert!(found.starts_with("...") && found.len() <= MAX_QUOTE + " is not a function".len(), "{found}");
    }
}
