//! What is a function for sure, so that an error about something that is none can't mean it.

use std::collections::{HashMap, HashSet};

use oxc::ast::ast::{
    BindingIdentifier, BindingPattern, Class, Expression, Function, ImportDeclaration, ImportDeclarationSpecifier,
    VariableDeclaration,
};
use oxc::ast_visit::{Visit, walk};
use oxc::syntax::scope::ScopeFlags;

use super::IsExport;
use super::quote::is_never_empty;

/// What every script has.
const GLOBAL: &str = "Object Array Number String Boolean Date RegExp Map Set WeakMap WeakSet Error TypeError RangeError Promise \
                      Symbol BigInt ArrayBuffer Uint8Array parseInt parseFloat isNaN isFinite encodeURIComponent decodeURIComponent \
                      encodeURI decodeURI open setTimeout clearTimeout setInterval clearInterval";

/// Functions on what every script has.
const MEMBERS: [(&str, &str); 9] = [
    ("console", "log info warn error debug"),
    ("Math", "max min floor ceil round random abs pow sqrt trunc sign log log2 log10"),
    ("JSON", "parse stringify"),
    ("Object", "keys values entries assign freeze fromEntries create"),
    ("Array", "from isArray of"),
    ("Number", "isInteger isNaN isFinite parseFloat parseInt"),
    ("String", "fromCharCode raw"),
    ("Date", "now parse UTC"),
    ("Promise", "all allSettled any race resolve reject"),
];

/// What is called, as far as a text tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Callee {
    /// A name.
    Name(String),
    /// A property of a name.
    Member(String, String),
    /// A function where it stands.
    Function,
    /// Anything else, or nothing.
    #[default]
    Other,
}

impl Callee {
    pub fn of(expression: &Expression) -> Self {
        match expression {
            Expression::Identifier(name) => Self::Name(name.name.to_string()),
            Expression::ParenthesizedExpression(inner) => Self::of(&inner.expression),
            Expression::FunctionExpression(_) | Expression::ArrowFunctionExpression(_) => Self::Function,
            Expression::StaticMemberExpression(member) => match &member.object {
                Expression::Identifier(object) => {
                    Self::Member(object.name.to_string(), member.property.name.to_string())
                }
                _ => Self::Other,
            },
            _ => Self::Other,
        }
    }
}

/// The functions of a text.
pub(super) struct KnownFunctions<'a> {
    is_export: IsExport<'a>,
    /// How often a name is bound, anywhere.
    bound: HashMap<String, usize>,
    functions: HashSet<String>,
    /// Constants and namespaces: they are neither `null` nor `undefined`.
    filled: HashSet<String>,
    /// Imported names: the module, and the export; `None` is all of it.
    imports: HashMap<String, (String, Option<String>)>,
}

impl<'a> KnownFunctions<'a> {
    pub fn new(is_export: IsExport<'a>) -> Self {
        Self {
            is_export,
            bound: HashMap::new(),
            functions: HashSet::new(),
            filled: HashSet::new(),
            imports: HashMap::new(),
        }
    }

    /// True if this is a function, whatever happens.
    pub fn has(&self, callee: &Callee) -> bool {
        match callee {
            Callee::Other => false,
            Callee::Function => true,
            Callee::Name(name) => match self.bound.get(name) {
                None => GLOBAL.split_whitespace().any(|global| global == name),
                Some(1) => self.functions.contains(name) || self.is_imported(name, None),
                Some(_) => false,
            },
            Callee::Member(object, name) => match self.bound.get(object) {
                None => {
                    let members = MEMBERS.iter().find(|(known, _)| known == object).map(|(_, members)| *members);
                    members.is_some_and(|members| members.split_whitespace().any(|member| member == name))
                }
                Some(1) => self.is_imported(object, Some(name)),
                Some(_) => false,
            },
        }
    }

    /// True if what has this name is neither `null` nor `undefined`, whatever happens.
    pub fn is_filled(&self, name: &str) -> bool {
        match self.bound.get(name) {
            None => {
                MEMBERS.iter().any(|(known, _)| *known == name)
                    || GLOBAL.split_whitespace().any(|global| global == name)
            }
            Some(1) => self.filled.contains(name) || self.functions.contains(name) || self.is_ours(name),
            Some(_) => false,
        }
    }

    /// True for a name that stands for all of a module of ours.
    fn is_ours(&self, local: &str) -> bool {
        let import = self.imports.get(local);
        import.is_some_and(|(module, export)| export.is_none() && (module == "k6" || module.starts_with("k6/")))
    }

    fn is_imported(&self, local: &str, member: Option<&str>) -> bool {
        let Some((module, export)) = self.imports.get(local) else { return false };
        match (export, member) {
            (Some(export), None) => (self.is_export)(module, export),
            (None, Some(member)) => (self.is_export)(module, member),
            _ => false,
        }
    }
}

impl<'b> Visit<'b> for KnownFunctions<'_> {
    fn visit_binding_identifier(&mut self, name: &BindingIdentifier<'b>) {
        *self.bound.entry(name.name.to_string()).or_default() += 1;
    }

    fn visit_function(&mut self, function: &Function<'b>, flags: ScopeFlags) {
        self.functions.extend(function.id.as_ref().map(|id| id.name.to_string()));
        walk::walk_function(self, function, flags);
    }

    fn visit_class(&mut self, class: &Class<'b>) {
        self.functions.extend(class.id.as_ref().map(|id| id.name.to_string()));
        walk::walk_class(self, class);
    }

    fn visit_variable_declaration(&mut self, declaration: &VariableDeclaration<'b>) {
        for declarator in declaration.declarations.iter().filter(|_| declaration.kind.is_const()) {
            let (BindingPattern::BindingIdentifier(name), Some(value)) = (&declarator.id, &declarator.init) else {
                continue;
            };
            if matches!(value, Expression::FunctionExpression(_) | Expression::ArrowFunctionExpression(_)) {
                self.functions.insert(name.name.to_string());
            }
            if is_never_empty(value) {
                self.filled.insert(name.name.to_string());
            }
        }
        walk::walk_variable_declaration(self, declaration);
    }

    fn visit_import_declaration(&mut self, import: &ImportDeclaration<'b>) {
        let module = import.source.value.to_string();
        for specifier in import.specifiers.iter().flatten() {
            let export = match specifier {
                ImportDeclarationSpecifier::ImportSpecifier(one) => Some(one.imported.name().to_string()),
                // What is exported as a whole has the same names.
                ImportDeclarationSpecifier::ImportDefaultSpecifier(_)
                | ImportDeclarationSpecifier::ImportNamespaceSpecifier(_) => None,
            };
            if matches!(specifier, ImportDeclarationSpecifier::ImportNamespaceSpecifier(_)) {
                self.filled.insert(specifier.local().name.to_string());
            }
            self.imports.insert(specifier.local().name.to_string(), (module.clone(), export));
        }
        walk::walk_import_declaration(self, import);
    }
}
