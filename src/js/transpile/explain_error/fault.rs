//! What engines say, as far as more can be said.

/// How the place in an error follows from the order in which a text is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// The last place that was noted before, in the order of the text: statements, arguments and operands note theirs.
    Trail,
    /// The innermost part around it that has a place: bodies, calls, assignments, properties.
    Nested,
}

/// What is wrong, in general.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FaultKind<'m> {
    /// What is called is no function.
    Callee,
    /// What stands behind `new` is none.
    Constructor,
    /// Something was to be taken apart: `null` or `undefined`, where the engine says which.
    Pattern { of: Option<&'m str> },
    /// `read` or `set`, the property, and what it was asked of.
    Property { verb: &'m str, name: &'m str, of: &'m str },
    /// What is `undefined` or `null` was to be gone through.
    Iterated { of: &'m str },
    /// A property was read or set, or something was to be gone through, that is `undefined` or `null`.
    Empty,
    /// What is there can't be gone through.
    NotIterable,
    /// A getter of ours refused: only the place is asked for.
    Getter { name: &'m str },
    /// The right side of `in` or `instanceof`.
    Operand { operator: &'m str },
}

/// A message of an engine, understood.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault<'m> {
    pub order: Order,
    pub kind: FaultKind<'m>,
    pub message: &'m str,
}

impl<'m> Fault<'m> {
    /// `None` for messages that say enough.
    pub fn read(message: &'m str) -> Option<Self> {
        let trail = |kind| Some(Self { order: Order::Trail, kind, message });
        let nested = |kind| Some(Self { order: Order::Nested, kind, message });
        match message {
            "not a function" => return trail(FaultKind::Callee),
            "not a callable function" => return nested(FaultKind::Callee),
            "not a constructor" => return nested(FaultKind::Constructor),
            "Cannot convert undefined or null to object" => return trail(FaultKind::Pattern { of: None }),
            "Cannot destructure 'null' value" => return nested(FaultKind::Pattern { of: Some("null") }),
            "Cannot destructure 'undefined' value" => return nested(FaultKind::Pattern { of: Some("undefined") }),
            "cannot convert 'null' or 'undefined' to object" => return nested(FaultKind::Empty),
            "value is not iterable" => return trail(FaultKind::NotIterable),
            "invalid 'in' operand" => return trail(FaultKind::Operand { operator: "in" }),
            "invalid 'instanceof' right operand" => return trail(FaultKind::Operand { operator: "instanceof" }),
            _ => {}
        }
        if message.starts_with("value with type `") && message.ends_with("` is not iterable") {
            return nested(FaultKind::NotIterable);
        }
        if let Some(rest) = message.strip_prefix("right-hand side of '") {
            let operator = rest.split('\'').next().unwrap_or_default();
            return nested(FaultKind::Operand { operator });
        }
        if let Some(what) = message.strip_prefix("getting ").filter(|_| message.ends_with(" is not supported")) {
            return trail(FaultKind::Getter { name: what.split(' ').next().unwrap_or_default() });
        }
        let (verb, rest) = message.strip_prefix("cannot ")?.split_once(" property '")?;
        let (name, of) = rest.rsplit_once("' of ")?;
        if name == "Symbol.iterator" {
            return trail(FaultKind::Iterated { of });
        }
        let is_known = ["read", "set"].contains(&verb) && ["null", "undefined"].contains(&of);
        if is_known { trail(FaultKind::Property { verb, name, of }) } else { None }
    }
}
