//! What patterns take apart, part by part: any of them may be the one that is nothing.

use oxc::ast::ast::{ArrayExpressionElement, BindingPattern, Expression, ObjectPropertyKind, PropertyKey};
use oxc::span::{GetSpan, Span};

use super::quote::{Quoter, is_never_empty};

/// In which way a value may be nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Emptiness {
    /// It may be `undefined` or `null`.
    Either,
    /// It may be `null`, but not `undefined`.
    Null,
    /// It is `undefined`.
    Undefined,
    /// It is neither.
    Never,
}

impl Emptiness {
    fn of(value: &Expression) -> Self {
        match value {
            Expression::NullLiteral(_) => Self::Null,
            Expression::Identifier(name) if name.name == "undefined" => Self::Undefined,
            _ if is_never_empty(value) => Self::Never,
            _ => Self::Either,
        }
    }

    /// What it is, if an engine says no more, or says this; `None` if it can't be that.
    pub fn told(self, of: Option<&str>) -> Option<&'static str> {
        match (self, of) {
            (Self::Never, _) | (Self::Null, Some("undefined")) | (Self::Undefined, Some("null")) => None,
            (Self::Null, _) => Some("null"),
            (Self::Undefined, _) => Some("undefined"),
            (Self::Either, _) => Some("undefined or null"),
        }
    }
}

/// A value that is taken apart.
#[derive(Clone, Debug)]
pub(super) struct TakenApart<'e, 'a> {
    /// Its name, or that of the part; empty for all of what has none.
    name: String,
    /// What has no name: an argument, an object that is written out.
    of: Option<String>,
    /// Its name, if it is but a name.
    pub object: Option<String>,
    pub emptiness: Emptiness,
    /// Where it begins.
    pub at: u32,
    /// Its text.
    value: Option<&'e Expression<'a>>,
}

impl<'e, 'a> TakenApart<'e, 'a> {
    /// An expression.
    pub fn value(quoter: Quoter, value: &'e Expression<'a>) -> Self {
        let quote = quoter.quote(value);
        let has_name = !matches!(value, Expression::ObjectExpression(_) | Expression::ArrayExpression(_));
        let (name, of) = if has_name { (quote, None) } else { (String::new(), Some(quote)) };
        let object = match value {
            Expression::Identifier(name) => Some(name.name.to_string()),
            _ => None,
        };
        Self { name, of, object, emptiness: Emptiness::of(value), at: value.span().start, value: Some(value) }
    }

    /// Something that is known by what it is of alone.
    pub fn nameless(of: String, at: u32, default: Option<&'e Expression<'a>>) -> Self {
        let all =
            Self { name: String::new(), of: Some(of), object: None, emptiness: Emptiness::Either, at, value: None };
        match default {
            Some(default) => all.or(default),
            None => all,
        }
    }

    /// The same with a default value.
    pub fn or(self, default: &'e Expression<'a>) -> Self {
        let of_default = Emptiness::of(default);
        let emptiness = match (self.emptiness, of_default) {
            (Emptiness::Either, Emptiness::Never) => Emptiness::Null,
            (Emptiness::Undefined, default) => default,
            (own, _) => own,
        };
        let value = if self.emptiness == Emptiness::Undefined { Some(default) } else { self.value };
        Self { emptiness, value, ..self }
    }

    /// A property of it.
    pub fn property(&self, text: &str, key: &PropertyKey, is_computed: bool, at: u32) -> Self {
        let slice = |span: Span| &text[span.start as usize..span.end as usize];
        let name = match key {
            PropertyKey::StaticIdentifier(name) if !is_computed => name.name.to_string(),
            key => format!("[{}]", slice(key.span())),
        };
        let mut part = self.part(name, at);
        if let Some(Expression::ObjectExpression(object)) = self.value {
            let wanted = key.static_name().filter(|_| !is_computed);
            let mut found = Some(Emptiness::Undefined);
            for property in &object.properties {
                match property {
                    ObjectPropertyKind::ObjectProperty(property) if !property.computed => {
                        if property.key.static_name() == wanted {
                            found = Some(Emptiness::of(&property.value));
                            part.value = Some(&property.value);
                        }
                    }
                    _ => found = None,
                }
            }
            part.emptiness = found.filter(|_| wanted.is_some()).unwrap_or(Emptiness::Either);
            if part.emptiness == Emptiness::Either {
                part.value = None;
            }
        }
        part
    }

    /// An element of it.
    pub fn element(&self, index: usize, at: u32) -> Self {
        let mut part = self.part(format!("[{index}]"), at);
        if let Some(Expression::ArrayExpression(array)) = self.value {
            let is_spread = |one: &ArrayExpressionElement| matches!(one, ArrayExpressionElement::SpreadElement(_));
            if !array.elements.iter().take(index + 1).any(is_spread) {
                part.value = array.elements.get(index).and_then(|element| element.as_expression());
                part.emptiness = part.value.map_or(Emptiness::Undefined, Emptiness::of);
            }
        }
        part
    }

    fn part(&self, key: String, at: u32) -> Self {
        let dot = if self.name.is_empty() || key.starts_with('[') { "" } else { "." };
        Self {
            name: format!("{}{dot}{key}", self.name),
            of: self.of.clone(),
            object: None,
            emptiness: Emptiness::Either,
            at,
            value: None,
        }
    }

    /// How it is called.
    pub fn quote(&self) -> String {
        match &self.of {
            None => self.name.clone(),
            Some(of) if self.name.is_empty() => of.clone(),
            Some(of) => format!("{} of {of}", self.name),
        }
    }
}

/// An argument that is but a pattern, in a few words.
pub(super) fn argument(text: &str, pattern: &BindingPattern) -> String {
    let span = pattern.span();
    let words: Vec<&str> = text[span.start as usize..span.end as usize].split_whitespace().collect();
    format!("the argument {}", words.join(" "))
}
