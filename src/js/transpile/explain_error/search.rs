//! Walks through a text in the order in which it is evaluated, and gathers what an error at a place may be about.

use oxc::allocator::ArenaVec;
use oxc::ast::ast::{
    Argument, ArrayPattern, ArrowFunctionExpression, AssignmentExpression, BinaryExpression, BinaryOperator,
    BindingPattern, CallExpression, ChainExpression, ExportDefaultDeclaration, ExportDefaultDeclarationKind,
    Expression, ExpressionStatement, ForOfStatement, ForStatementLeft, FormalParameter, Function, MemberExpression,
    MethodDefinition, NewExpression, ObjectProperty, SpreadElement, TaggedTemplateExpression, ThrowStatement,
    UnaryExpression, UpdateExpression, VariableDeclarator,
};
use oxc::ast_visit::{Visit, walk};
use oxc::span::{GetSpan, Span};
use oxc::syntax::scope::ScopeFlags;

use super::fault::{Fault, FaultKind, Order};
use super::known_functions::Callee;
use super::patterns::{Emptiness, TakenApart, argument};
use super::places::{Places, next_token};
use super::quote::{Quoter, is_never_empty};

/// Something an error may be about: `before`, `subject` and `after` are its message.
pub(super) struct Candidate {
    pub before: String,
    pub subject: String,
    pub after: String,
    /// What is called, if it is about a call.
    pub callee: Callee,
    /// The name of what is said to be nothing, if it is one.
    pub object: Option<String>,
    /// Where it begins.
    pub at: u32,
}

impl Candidate {
    fn new(before: &str, subject: String, after: String, at: u32) -> Self {
        Self { before: before.to_owned(), subject, after, callee: Callee::Other, object: None, at }
    }

    pub fn sentence(&self) -> String {
        format!("{}{}{}", self.before, self.subject, self.after)
    }
}

pub(super) struct Search<'t, 'm> {
    text: &'t str,
    fault: &'t Fault<'m>,
    places: Places<'t>,
    quoter: Quoter<'t>,
    /// What is called or set is looked at by those who do so.
    is_handled: Option<Span>,
    /// Where the name of a method begins.
    method: Option<u32>,
    /// What the function that begins next is called.
    name: Option<String>,
    /// Properties behind `?.` have no place of their own.
    is_in_chain: bool,
    pub found: Vec<Candidate>,
}

/// `is_new`: it stands behind `new`.
fn callee_sentence(is_new: bool) -> &'static str {
    if is_new { " is not a constructor" } else { " is not a function" }
}

impl<'t, 'm> Search<'t, 'm> {
    pub fn new(text: &'t str, fault: &'t Fault<'m>, places: Places<'t>) -> Self {
        let quoter = Quoter(text);
        Self {
            text,
            fault,
            places,
            quoter,
            is_handled: None,
            method: None,
            name: None,
            is_in_chain: false,
            found: Vec::new(),
        }
    }

    fn is_trail(&self) -> bool {
        self.fault.order == Order::Trail
    }

    /// A call or a `new`; `whole` is all of it.
    fn callee(&mut self, callee: &Expression, whole: Span, is_new: bool) {
        let span = callee.span();
        let is_meant = match self.fault.kind {
            FaultKind::Callee if self.is_trail() => self.places.is_here(),
            // Between the callee and its arguments there may be blanks.
            FaultKind::Callee if !is_new => self.places.is_at(span.start..=next_token(self.text, span.end)),
            FaultKind::Constructor if is_new => self.places.is_at(whole.start..=next_token(self.text, span.end)),
            _ => false,
        };
        let is_error = matches!(callee, Expression::Identifier(name) if name.name.ends_with("Error"));
        if !is_meant || is_error || matches!(callee, Expression::Super(_)) {
            return;
        }
        let found = Candidate::new("", self.quoter.quote(callee), callee_sentence(is_new).to_owned(), span.start);
        // A function need not be a constructor.
        let callee = if self.fault.kind == FaultKind::Constructor { Callee::Other } else { Callee::of(callee) };
        let found = Candidate { callee, ..found };
        // Of calls around each other an exact place means the innermost.
        if !self.is_trail() {
            let width = |at: u32| span.end.saturating_sub(at);
            if self.found.iter().any(|one| width(one.at) < width(span.start)) {
                return;
            }
            self.found.clear();
        }
        self.found.push(found);
    }

    /// A property that is read or set here.
    fn property(&mut self, member: &MemberExpression, verb: &str) {
        let (property, place) = property_of(member);
        let object = member.object();
        if member.optional() || is_never_empty(object) || !self.places.is_here() {
            return;
        }
        let (name, of) = match self.fault.kind {
            // The first one that is read throws.
            FaultKind::Getter { name }
                if property.as_ref().is_some_and(|property| property.eq_ignore_ascii_case(name)) =>
            {
                if self.found.is_empty() {
                    self.found.push(Candidate::new("", self.fault.message.to_owned(), String::new(), place));
                }
                return;
            }
            FaultKind::Property { verb: asked, name, of } => {
                if asked != verb || property.as_ref().is_some_and(|property| property != name) {
                    return;
                }
                (Some(name.to_owned()), of)
            }
            FaultKind::Empty => (property, "undefined or null"),
            _ => return,
        };
        let what = self.quoter.quote(object);
        let name = name.map_or_else(|| "a property".to_owned(), |name| format!("property '{name}'"));
        // What was read before in this place is not nothing later.
        if !self.is_trail() && self.found.iter().any(|one| one.subject == what) {
            return;
        }
        let found = Candidate::new(&format!("cannot {verb} {name} of {of}: "), what, format!(" is {of}"), place);
        self.found.push(Candidate { object: name_of(object), ..found });
    }

    /// Something that is gone through here.
    fn iterated(&mut self, from: &Expression) {
        let why = match self.fault.kind {
            FaultKind::Iterated { of } => format!(": it is {of}"),
            FaultKind::Empty => ": it is undefined or null".to_owned(),
            FaultKind::NotIterable => String::new(),
            _ => return,
        };
        if self.places.is_here() && !is_never_empty(from) {
            let what = self.quoter.quote(from);
            let found = Candidate::new("", what, format!(" is not iterable{why}"), from.span().start);
            let object = name_of(from).filter(|_| self.fault.kind != FaultKind::NotIterable);
            self.found.push(Candidate { object, ..found });
        }
    }

    /// A pattern, and what it takes apart; the patterns in it take apart parts of that.
    fn taken_apart<'a>(&mut self, pattern: &BindingPattern<'a>, taken: TakenApart<'_, 'a>)
    where
        Self: Visit<'a>,
    {
        match pattern {
            BindingPattern::ObjectPattern(object) => {
                self.pattern(object.span.start, true, &taken);
                for property in &object.properties {
                    if property.computed {
                        self.visit_property_key(&property.key);
                    }
                    let at = property.value.span().start;
                    self.taken_apart(&property.value, taken.property(self.text, &property.key, property.computed, at));
                }
            }
            BindingPattern::ArrayPattern(array) => {
                self.pattern(array.span.start, false, &taken);
                for (index, element) in array.elements.iter().enumerate() {
                    if let Some(element) = element {
                        self.taken_apart(element, taken.element(index, element.span().start));
                    }
                }
                if let Some(rest) = &array.rest {
                    self.visit_binding_pattern(&rest.argument);
                }
                self.places.note(array.span.start);
            }
            BindingPattern::AssignmentPattern(with_default) => {
                self.visit_expression(&with_default.right);
                self.taken_apart(&with_default.left, taken.or(&with_default.right));
            }
            BindingPattern::BindingIdentifier(_) => {}
        }
    }

    /// A pattern that takes something apart here.
    fn pattern(&mut self, start: u32, is_object: bool, taken: &TakenApart) {
        let of = match (self.fault.kind, is_object) {
            (FaultKind::Pattern { of }, _) if is_object || !self.is_trail() => of,
            (FaultKind::Iterated { of }, false) => Some(of),
            (FaultKind::Empty | FaultKind::NotIterable, false) => None,
            _ => return,
        };
        let Some(emptiness) = taken.emptiness.told(of) else { return };
        if !self.places.is_here() || !self.places.is_behind(start) {
            return;
        }
        let is_filled = self.fault.kind == FaultKind::NotIterable;
        let (before, after) = match of {
            _ if is_object => ("cannot destructure ", format!(": it is {emptiness}")),
            _ if is_filled && taken.emptiness != Emptiness::Either => return,
            _ if is_filled => ("", " is not iterable".to_owned()),
            of => ("", format!(" is not iterable: it is {}", of.unwrap_or(emptiness))),
        };
        let object = taken.object.clone().filter(|_| !is_filled);
        self.found.push(Candidate { object, ..Candidate::new(before, taken.quote(), after, taken.at) });
    }

    /// The arguments behind a callee, from where its text ends.
    fn first_argument(&self, end: u32) -> (u32, u32) {
        let paren = self.text[end as usize..].find('(').map_or(end, |at| end + at as u32);
        (paren, next_token(self.text, paren + 1))
    }

    /// Where an expression begins for an engine to which a call begins with its arguments.
    fn start_of(&self, expression: &Expression) -> u32 {
        match expression {
            Expression::CallExpression(call) => self.first_argument(call.callee.span().end).0,
            Expression::BinaryExpression(binary) => self.start_of(&binary.left),
            Expression::LogicalExpression(logical) => self.start_of(&logical.left),
            Expression::ConditionalExpression(conditional) => self.start_of(&conditional.test),
            Expression::StaticMemberExpression(member) if !member.optional => self.start_of(&member.object),
            Expression::ComputedMemberExpression(member) if !member.optional => self.start_of(&member.object),
            other => other.span().start,
        }
    }

    /// A callee: its own property is read without a place of its own.
    fn visit_callee<'a>(&mut self, callee: &Expression<'a>)
    where
        Self: Visit<'a>,
    {
        self.is_handled = callee.as_member_expression().map(GetSpan::span);
        self.visit_expression(callee);
    }
}

fn is_function(value: &Expression) -> bool {
    matches!(value, Expression::FunctionExpression(_) | Expression::ArrowFunctionExpression(_))
}

/// What an expression is called, if it is but a name.
fn name_of(expression: &Expression) -> Option<String> {
    match expression {
        Expression::Identifier(name) => Some(name.name.to_string()),
        _ => None,
    }
}

/// The property that is asked for, where the text says it, and where that stands.
fn property_of(member: &MemberExpression) -> (Option<String>, u32) {
    match member {
        MemberExpression::StaticMemberExpression(member) => {
            (Some(member.property.name.to_string()), member.property.span.start)
        }
        MemberExpression::ComputedMemberExpression(member) => {
            let name = match &member.expression {
                Expression::StringLiteral(text) => Some(text.value.to_string()),
                Expression::NumericLiteral(number) => Some(number.value.to_string()),
                _ => None,
            };
            (name, member.expression.span().start)
        }
        MemberExpression::PrivateFieldExpression(member) => {
            (Some(format!("#{}", member.field.name)), member.field.span.start)
        }
    }
}

impl<'a> Visit<'a> for Search<'_, '_> {
    fn visit_function(&mut self, function: &Function<'a>, _flags: ScopeFlags) {
        let start = function.span.start;
        let keyword = self.text[start as usize..].find("function").map_or(start, |at| start + at as u32);
        let heads = [Some(start), Some(keyword), self.method.take()];
        let heads: Vec<u32> = heads.into_iter().flatten().collect();
        let name = function.id.as_ref().map(|id| id.name.to_string()).or(self.name.take());
        self.name = None;
        self.places.enter_function(&heads, name);
        self.visit_formal_parameters(&function.params);
        if let Some(body) = &function.body {
            self.places.enter_body(&[body.span.start]);
            self.visit_function_body(body);
            self.places.leave_part();
        }
        self.places.leave_function();
    }

    fn visit_arrow_function_expression(&mut self, arrow: &ArrowFunctionExpression<'a>) {
        let name = self.name.take();
        self.places.enter_function(&[arrow.span.start], name);
        self.visit_formal_parameters(&arrow.params);
        let mut body = vec![arrow.body.span().start];
        if let Some(expression) = arrow.get_expression() {
            body.push(expression.span().start);
            body.extend(expression.as_member_expression().map(|member| property_of(member).1));
            body.push(self.start_of(expression));
            self.places.enter_body(&body);
            // Its one statement is its value: it notes nothing.
            self.visit_expression(expression);
        } else {
            self.places.enter_body(&body);
            walk::walk_arrow_function_body(self, &arrow.body);
        }
        self.places.leave_part();
        self.places.leave_function();
    }

    fn visit_arguments(&mut self, arguments: &ArenaVec<'a, Argument<'a>>) {
        for argument in arguments {
            if argument.as_expression().is_some_and(is_function) {
                self.name = Some(String::new());
            }
            self.visit_argument(argument);
        }
    }

    fn visit_export_default_declaration(&mut self, export: &ExportDefaultDeclaration<'a>) {
        if matches!(
            export.declaration,
            ExportDefaultDeclarationKind::FunctionDeclaration(_)
                | ExportDefaultDeclarationKind::ArrowFunctionExpression(_)
        ) {
            self.name = Some("default".to_owned());
        }
        walk::walk_export_default_declaration(self, export);
    }

    fn visit_object_property(&mut self, property: &ObjectProperty<'a>) {
        self.visit_property_key(&property.key);
        if is_function(&property.value) && !property.computed {
            self.name = property.key.static_name().map(|name| name.to_string());
        }
        self.visit_expression(&property.value);
    }

    fn visit_method_definition(&mut self, method: &MethodDefinition<'a>) {
        self.method = Some(method.key.span().start);
        walk::walk_method_definition(self, method);
        self.method = None;
    }

    fn visit_expression_statement(&mut self, statement: &ExpressionStatement<'a>) {
        self.places.note(statement.span.start);
        walk::walk_expression_statement(self, statement);
    }

    fn visit_throw_statement(&mut self, throw: &ThrowStatement<'a>) {
        let at = throw.argument.span().start;
        self.places.note(at);
        self.places.enter_part(at);
        walk::walk_throw_statement(self, throw);
        self.places.leave_part();
    }

    fn visit_chain_expression(&mut self, chain: &ChainExpression<'a>) {
        let before = std::mem::replace(&mut self.is_in_chain, true);
        walk::walk_chain_expression(self, chain);
        self.is_in_chain = before;
    }

    fn visit_call_expression(&mut self, call: &CallExpression<'a>) {
        self.visit_callee(&call.callee);
        let (paren, first) = self.first_argument(call.callee.span().end);
        if !matches!(call.callee, Expression::Super(_)) {
            self.places.note(first);
        }
        self.places.enter_part(paren);
        self.visit_arguments(&call.arguments);
        self.places.leave_part();
        if !call.optional {
            self.callee(&call.callee, call.span, false);
        }
    }

    fn visit_tagged_template_expression(&mut self, template: &TaggedTemplateExpression<'a>) {
        self.visit_callee(&template.tag);
        self.places.note(template.quasi.span.start);
        self.visit_template_literal(&template.quasi);
        self.callee(&template.tag, template.span, false);
    }

    fn visit_new_expression(&mut self, new: &NewExpression<'a>) {
        self.places.note(new.callee.span().start);
        self.visit_expression(&new.callee);
        self.places.enter_part(new.span.start);
        self.visit_arguments(&new.arguments);
        self.places.leave_part();
        self.callee(&new.callee, new.span, true);
    }

    fn visit_binary_expression(&mut self, binary: &BinaryExpression<'a>) {
        self.visit_expression(&binary.left);
        self.places.note(binary.right.span().start);
        self.visit_expression(&binary.right);
        let operator = match binary.operator {
            BinaryOperator::In => "in",
            BinaryOperator::Instanceof => "instanceof",
            _ => return,
        };
        if self.fault.kind == (FaultKind::Operand { operator }) && self.places.is_here() {
            let what = self.quoter.quote(&binary.right);
            let needed = if operator == "in" { "an object" } else { "a class or a function" };
            let before = format!("cannot use '{operator}' with ");
            let at = binary.right.span().start;
            self.found.push(Candidate::new(&before, what, format!(": it is not {needed}"), at));
        }
    }

    fn visit_assignment_expression(&mut self, assignment: &AssignmentExpression<'a>) {
        self.places.enter_part(assignment.span.start);
        match assignment.left.as_member_expression() {
            Some(member) => {
                self.visit_expression(member.object());
                if let MemberExpression::ComputedMemberExpression(computed) = member {
                    self.visit_expression(&computed.expression);
                }
                let is_read_first = !assignment.operator.is_assign();
                if is_read_first {
                    self.property(member, "read");
                }
                self.visit_expression(&assignment.right);
                if !is_read_first {
                    self.property(member, "set");
                }
            }
            None => walk::walk_assignment_expression(self, assignment),
        }
        self.places.leave_part();
    }

    fn visit_unary_expression(&mut self, unary: &UnaryExpression<'a>) {
        self.places.enter_part(unary.span.start);
        walk::walk_unary_expression(self, unary);
        self.places.leave_part();
    }

    fn visit_update_expression(&mut self, update: &UpdateExpression<'a>) {
        self.places.enter_part(update.span.start);
        walk::walk_update_expression(self, update);
        self.places.leave_part();
    }

    fn visit_member_expression(&mut self, member: &MemberExpression<'a>) {
        let is_handled = self.is_handled.take() == Some(member.span());
        let has_place = !is_handled && !self.is_in_chain;
        if has_place {
            self.places.enter_part(property_of(member).1);
        }
        walk::walk_member_expression(self, member);
        self.property(member, "read");
        if has_place {
            self.places.leave_part();
        }
    }

    fn visit_variable_declarator(&mut self, declarator: &VariableDeclarator<'a>) {
        // The pattern is in front of what it takes apart, here as well; of a loop it has no value of its own.
        let Some(value) = &declarator.init else {
            return walk::walk_variable_declarator(self, declarator);
        };
        self.taken_apart(&declarator.id, TakenApart::value(self.quoter, value));
        if is_function(value) {
            self.name = declarator.id.get_identifier_name().map(|name| name.to_string());
        }
        self.visit_expression(value);
    }

    fn visit_array_pattern(&mut self, pattern: &ArrayPattern<'a>) {
        walk::walk_array_pattern(self, pattern);
        self.places.note(pattern.span.start);
    }

    fn visit_formal_parameter(&mut self, parameter: &FormalParameter<'a>) {
        if let Some(default) = &parameter.initializer {
            self.visit_expression(default);
        }
        let pattern = &parameter.pattern;
        let taken = argument(self.text, pattern);
        self.taken_apart(pattern, TakenApart::nameless(taken, pattern.span().start, parameter.initializer.as_deref()));
    }

    fn visit_for_of_statement(&mut self, statement: &ForOfStatement<'a>) {
        self.visit_expression(&statement.right);
        self.iterated(&statement.right);
        match &statement.left {
            ForStatementLeft::VariableDeclaration(variables) => {
                let of = format!("an element of {}", self.quoter.quote(&statement.right));
                for one in &variables.declarations {
                    self.taken_apart(&one.id, TakenApart::nameless(of.clone(), one.span.start, None));
                }
            }
            left => self.visit_for_statement_left(left),
        }
        self.visit_statement(&statement.body);
        self.places.note(statement.left.span().start);
    }

    fn visit_spread_element(&mut self, spread: &SpreadElement<'a>) {
        walk::walk_spread_element(self, spread);
        self.iterated(&spread.argument);
    }
}
