//! What a file imports, uses and sets, by its text alone: for `check`.
//!
//! Only what surely runs counts as used: a name that is also asked for (`typeof`, a condition, `try`) may be missing.

use oxc::allocator::Allocator;
use oxc::ast::AstKind;
use oxc::ast::ast::{
    Argument, BindingPattern, CallExpression, Declaration, ExportDefaultDeclarationKind, Expression,
    IdentifierReference, ImportDeclaration, ImportDeclarationSpecifier, Program, Statement,
};
use oxc::parser::{Parser, ParserReturn};
use oxc::semantic::{NodeId, Semantic, SemanticBuilder, SymbolId};
use oxc::span::{GetSpan, SourceType, Span};

use super::module_syntax::is_good;
use super::option_literals::{OptionUsage, option_literals};
use crate::source::{Module, ModuleKind};

/// A place in a file; both count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: u32,
    /// The column, in UTF-16 units.
    pub column: u32,
}

impl Place {
    /// The place of a byte of a text.
    pub fn of(text: &str, offset: u32) -> Self {
        let before = text.get(..offset as usize).unwrap_or(text);
        let column = before.rsplit('\n').next().unwrap_or_default().encode_utf16().count() as u32 + 1;
        Self { line: before.matches('\n').count() as u32 + 1, column }
    }
}

/// Something with a name, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The name.
    pub name: String,
    /// Where it is written.
    pub place: Place,
}

/// What a name is looked up in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameOwner {
    /// The module's exports.
    Exports,
    /// The properties of its default export.
    Default,
    /// Either: a namespace, or what `require` gives.
    Either,
}

/// A name of a module that is called, or of which something is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedName {
    /// The name.
    pub name: String,
    /// What is read of it, the first time it is used so: `idInTest` of `exec.vu`.
    pub inner: Option<Named>,
    /// As it is written: `http.gett`.
    pub written: String,
    /// Where it has to be.
    pub owner: NameOwner,
    /// Where it is used first.
    pub place: Place,
}

/// One import, or one `require` of a literal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportUsage {
    /// What is imported, as written.
    pub specifier: String,
    /// Where.
    pub place: Place,
    /// It may not happen: a `require` in a function, a condition or a `try`.
    pub is_conditional: bool,
    /// The names it asks for.
    pub imported: Vec<Named>,
    /// The names that are used of it.
    pub used: Vec<UsedName>,
}

/// What stands behind `export default`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DefaultExport {
    /// There is none.
    #[default]
    None,
    /// A function.
    Function,
    /// An object, a class, a text: nothing that could iterate.
    Data,
    /// Its text doesn't tell.
    Unknown,
}

/// What a file imports, uses and sets.
#[derive(Clone, Debug, Default)]
pub struct FileUsage {
    /// Imports and requires.
    pub imports: Vec<ImportUsage>,
    /// The files of `open('…')` that surely are opened.
    pub opened: Vec<Named>,
    /// Global names that are used, each where it is used first.
    pub globals: Vec<Named>,
    /// The default export.
    pub default: DefaultExport,
    /// It exports `options`.
    pub has_options: bool,
    /// What it sets in `options`, as far as that is literal.
    pub options: Vec<OptionUsage>,
}

/// Reads a file.
///
/// # Errors
/// Where and why it is no JavaScript, and no TypeScript where that is allowed.
pub fn usage(module: &Module) -> Result<FileUsage, (Place, String)> {
    super::on_deep_stack(|| {
        let allocator = Allocator::default();
        let text = &*module.text;
        let parsed = parse(&allocator, module)?;
        let semantic = SemanticBuilder::new().with_build_nodes(true).build(&parsed.program).semantic;
        let is_typed = module.kind == ModuleKind::TypeScript;
        let is_module = parsed.module_record.has_module_syntax;
        let mut reader = UsageReader { text, semantic: &semantic, is_typed, is_module, found: FileUsage::default() };
        reader.program(&parsed.program);
        reader.calls();
        reader.globals();
        reader.found.options = option_literals(text, &parsed.program);
        Ok(reader.found)
    })
}

/// As what it is; of the errors, the first way's counts.
fn parse<'a>(allocator: &'a Allocator, module: &'a Module) -> Result<ParserReturn<'a>, (Place, String)> {
    let source_types: &[SourceType] = match module.kind {
        ModuleKind::TypeScript => &[SourceType::ts(), SourceType::unambiguous()],
        ModuleKind::JavaScript => &[SourceType::unambiguous(), SourceType::mjs(), SourceType::cjs()],
    };
    let mut first = None;
    for source_type in source_types {
        let parsed = Parser::new(allocator, &module.text, *source_type).parse();
        if is_good(&parsed) {
            return Ok(parsed);
        }
        first.get_or_insert_with(|| {
            let error = parsed.diagnostics.errors().next();
            let offset = error.and_then(|error| error.labels.first()).map_or(0, |label| label.offset());
            let message = error.map_or_else(|| "it can't be parsed".to_owned(), |error| error.message.to_string());
            (Place::of(&module.text, offset), message)
        });
    }
    Err(first.unwrap_or((Place { line: 1, column: 1 }, String::new())))
}

/// How a name is used at one place.
#[derive(Clone, Copy, PartialEq)]
enum NameUse {
    /// It has to be there.
    Needed,
    /// It is asked for, or handed on.
    Asked,
}

/// So often a module may get another name.
const MAX_ALIASES: u32 = 4;

/// Adds a use of a member: it has to be there if all its uses say so.
fn note(members: &mut Vec<(UsedName, bool)>, used: UsedName, is_needed: bool) {
    match members.iter_mut().find(|(known, _)| known.name == used.name && known.inner_name() == used.inner_name()) {
        Some((_, all)) => *all &= is_needed,
        None => members.push((used, is_needed)),
    }
}

impl UsedName {
    /// The name of what is read of it.
    fn inner_name(&self) -> Option<&str> {
        self.inner.as_ref().map(|inner| &*inner.name)
    }
}

struct UsageReader<'t, 'a, 's> {
    text: &'t str,
    semantic: &'s Semantic<'a>,
    is_typed: bool,
    /// It has imports or exports: it is no CommonJS.
    is_module: bool,
    found: FileUsage,
}

impl<'a> UsageReader<'_, 'a, '_> {
    fn place(&self, span: Span) -> Place {
        Place::of(self.text, span.start)
    }

    fn program(&mut self, program: &Program<'a>) {
        for statement in &program.body {
            match statement {
                Statement::ImportDeclaration(import) if !import.import_kind.is_type() => self.import(import),
                Statement::ExportFromDeclaration(export) if !export.export_kind.is_type() => {
                    let names = export.specifiers.iter().filter(|one| !one.export_kind.is_type());
                    let imported = names
                        .map(|one| Named { name: one.local.name().to_string(), place: self.place(one.span) })
                        .collect();
                    for one in &export.specifiers {
                        self.exported(&one.exported.name(), DefaultExport::Unknown);
                    }
                    self.add(&export.source.value, export.source.span, imported, Vec::new());
                }
                Statement::ExportAllDeclaration(export) if !export.export_kind.is_type() => {
                    self.add(&export.source.value, export.source.span, Vec::new(), Vec::new());
                }
                Statement::ExportDefaultDeclaration(export) => {
                    self.found.default = default_export(&export.declaration);
                }
                Statement::ExportNamedDeclaration(export) => {
                    for one in &export.specifiers {
                        self.exported(&one.exported.name(), DefaultExport::Unknown);
                    }
                }
                Statement::ExportDeclaration(export) => {
                    if let Declaration::VariableDeclaration(variables) = &export.declaration {
                        let mut names = variables.declarations.iter().flat_map(|one| one.id.get_binding_identifiers());
                        self.found.has_options |= names.any(|name| name.name == "options");
                    }
                }
                _ => {}
            }
        }
        if !self.is_module {
            self.found.has_options |= self.text.contains("exports.options");
            if self.text.contains("exports.default") || self.text.contains("module.exports = function") {
                self.found.default = DefaultExport::Unknown;
            }
        }
    }

    fn exported(&mut self, name: &str, as_default: DefaultExport) {
        match name {
            "default" => self.found.default = as_default,
            "options" => self.found.has_options = true,
            _ => {}
        }
    }

    fn add(&mut self, specifier: &str, span: Span, imported: Vec<Named>, used: Vec<UsedName>) {
        let place = self.place(span);
        self.found.imports.push(ImportUsage {
            specifier: specifier.to_owned(),
            place,
            is_conditional: false,
            imported,
            used,
        });
    }

    fn import(&mut self, import: &ImportDeclaration<'a>) {
        let (mut imported, mut used) = (Vec::new(), Vec::new());
        let mut is_erased = self.is_typed && import.specifiers.as_ref().is_some_and(|all| !all.is_empty());
        for specifier in import.specifiers.iter().flatten() {
            let (local, name, owner) = match specifier {
                ImportDeclarationSpecifier::ImportSpecifier(one) if one.import_kind.is_type() => continue,
                ImportDeclarationSpecifier::ImportSpecifier(one) => {
                    (&one.local, Some(one.imported.name().to_string()), NameOwner::Exports)
                }
                ImportDeclarationSpecifier::ImportDefaultSpecifier(one) => {
                    (&one.local, Some("default".to_owned()), NameOwner::Default)
                }
                ImportDeclarationSpecifier::ImportNamespaceSpecifier(one) => (&one.local, None, NameOwner::Either),
            };
            let Some(symbol) = local.symbol_id.get() else { continue };
            // TypeScript leaves out what is used as a type only.
            if self.is_typed && !self.semantic.symbol_references(symbol).any(|reference| reference.is_value()) {
                continue;
            }
            is_erased = false;
            let place = self.place(specifier.span());
            match (&name, owner) {
                (Some(name), NameOwner::Exports) => {
                    let uses = self.semantic.symbol_references(symbol).map(|reference| reference.node_id());
                    let uses: Vec<NameUse> = uses.map(|node| self.use_of(node)).collect();
                    let (written, own) = (local.name.to_string(), name.clone());
                    if !uses.is_empty() && uses.iter().all(|one| *one == NameUse::Needed) {
                        used.push(UsedName { name: own.clone(), inner: None, written: written.clone(), owner, place });
                    }
                    // What is read of it: `vu.idInTest`.
                    for reference in self.semantic.symbol_references(symbol) {
                        if let Some(inner) = self.inner_member(reference.node_id()) {
                            let (name, written, inner) = (own.clone(), written.clone(), Some(inner));
                            used.push(UsedName { name, inner, written, owner, place });
                        }
                    }
                }
                _ => used.extend(self.members(symbol, &local.name, owner)),
            }
            imported.extend(name.map(|name| Named { name, place }));
        }
        if !is_erased {
            self.add(&import.source.value, import.source.span, imported, used);
        }
    }

    /// The members that are used of a variable, each where it is used first; also of what it is renamed or taken apart to.
    fn members(&self, symbol: SymbolId, local: &str, owner: NameOwner) -> Vec<UsedName> {
        let mut members: Vec<(UsedName, bool)> = Vec::new();
        self.collect_members(symbol, local, owner, &mut members, MAX_ALIASES);
        members.into_iter().filter_map(|(name, is_needed)| is_needed.then_some(name)).collect()
    }

    fn collect_members(
        &self,
        symbol: SymbolId,
        local: &str,
        owner: NameOwner,
        members: &mut Vec<(UsedName, bool)>,
        aliases: u32,
    ) {
        let nodes = self.semantic.nodes();
        for reference in self.semantic.symbol_references(symbol) {
            let node = reference.node_id();
            if let AstKind::VariableDeclarator(declarator) = nodes.parent_kind(node) {
                self.collect_bound(&declarator.id, local, owner, members, aliases);
            } else if let Some((name, place, parent, is_optional)) = self.member_of(node) {
                let inner = self.inner_member(parent);
                let is_needed = !is_optional && self.use_of(parent) == NameUse::Needed;
                let written = format!("{local}.{name}");
                note(members, UsedName { name, inner, written, owner, place }, is_needed);
            }
        }
    }

    /// What a pattern makes of a module: another name for it, or names for its members.
    fn collect_bound(
        &self,
        pattern: &BindingPattern<'a>,
        local: &str,
        owner: NameOwner,
        members: &mut Vec<(UsedName, bool)>,
        aliases: u32,
    ) {
        match pattern {
            BindingPattern::BindingIdentifier(alias) => {
                let symbol = alias.symbol_id.get().filter(|symbol| aliases > 0 && !self.is_set_again(*symbol));
                if let Some(symbol) = symbol {
                    self.collect_members(symbol, &alias.name, owner, members, aliases - 1);
                }
            }
            BindingPattern::ObjectPattern(object) => {
                for property in &object.properties {
                    let (Some(name), BindingPattern::BindingIdentifier(own)) =
                        (property.key.static_name(), &property.value)
                    else {
                        continue;
                    };
                    let Some(symbol) = own.symbol_id.get() else { continue };
                    let uses = self.semantic.symbol_references(symbol).map(|reference| reference.node_id());
                    let uses: Vec<NameUse> = uses.map(|node| self.use_of(node)).collect();
                    let is_needed = !uses.is_empty() && uses.iter().all(|one| *one == NameUse::Needed);
                    let (written, place) = (format!("{local}.{name}"), self.place(property.span));
                    let name = name.into_owned();
                    note(members, UsedName { name, inner: None, written, owner, place }, is_needed);
                }
            }
            _ => {}
        }
    }

    /// Whether a variable is assigned to after its declaration.
    fn is_set_again(&self, symbol: SymbolId) -> bool {
        self.semantic.symbol_references(symbol).any(|reference| reference.is_write())
    }

    /// The member that is read of what stands at a node: its name, its place, its node, and whether the node may be missing.
    fn member_of(&self, node: NodeId) -> Option<(String, Place, NodeId, bool)> {
        let span = self.semantic.nodes().kind(node).span();
        let parent = self.semantic.nodes().parent_node(node);
        match parent.kind() {
            AstKind::StaticMemberExpression(member) if member.object.span() == span => {
                let place = self.place(member.property.span);
                Some((member.property.name.to_string(), place, parent.id(), member.optional))
            }
            AstKind::ComputedMemberExpression(member) if member.object.span() == span => {
                let place = self.place(member.expression.span());
                Some((member.static_property_name()?.to_string(), place, parent.id(), member.optional))
            }
            _ => None,
        }
    }

    /// The member of a member that is read, unless it is only asked for: `idInTest` of `exec.vu.idInTest`.
    fn inner_member(&self, node: NodeId) -> Option<Named> {
        let (name, place, member, is_optional) = self.member_of(node)?;
        let is_asked = match self.semantic.nodes().parent_kind(member) {
            AstKind::UnaryExpression(_) | AstKind::LogicalExpression(_) | AstKind::UpdateExpression(_) => true,
            AstKind::IfStatement(_) | AstKind::AssignmentExpression(_) | AstKind::ConditionalExpression(_) => true,
            AstKind::ChainExpression(_) => true,
            AstKind::StaticMemberExpression(outer) if outer.optional => true,
            AstKind::ComputedMemberExpression(outer) if outer.optional => true,
            AstKind::CallExpression(outer) if outer.optional => true,
            _ => is_optional,
        };
        let is_told = !is_asked && !self.is_inside(member, |kind| matches!(kind, AstKind::TryStatement(_)));
        is_told.then_some(Named { name, place })
    }

    /// Whether what stands at a node has to be there: it is called, or something is read of it, outside of `try`.
    fn use_of(&self, node: NodeId) -> NameUse {
        let nodes = self.semantic.nodes();
        let span = nodes.kind(node).span();
        let is_needed = match nodes.parent_kind(node) {
            AstKind::CallExpression(call) => call.callee.span() == span && !call.optional,
            AstKind::NewExpression(new) => new.callee.span() == span,
            AstKind::StaticMemberExpression(member) => member.object.span() == span && !member.optional,
            AstKind::ComputedMemberExpression(member) => member.object.span() == span && !member.optional,
            AstKind::TaggedTemplateExpression(template) => template.tag.span() == span,
            _ => false,
        };
        if is_needed && !self.is_inside(node, |kind| matches!(kind, AstKind::TryStatement(_))) {
            NameUse::Needed
        } else {
            NameUse::Asked
        }
    }

    fn is_inside(&self, node: NodeId, is_it: impl Fn(AstKind<'a>) -> bool) -> bool {
        self.semantic.nodes().ancestors(node).any(|ancestor| is_it(ancestor.kind()))
    }

    /// Whether a node runs only if something holds.
    fn is_conditional(&self, node: NodeId) -> bool {
        self.is_inside(node, |kind| {
            matches!(
                kind,
                AstKind::TryStatement(_)
                    | AstKind::IfStatement(_)
                    | AstKind::ConditionalExpression(_)
                    | AstKind::LogicalExpression(_)
                    | AstKind::SwitchStatement(_)
            )
        })
    }

    /// The functions around a node run at once: there are none, or only the one that `SharedArray` calls.
    fn runs_at_once(&self, node: NodeId) -> bool {
        let nodes = self.semantic.nodes();
        nodes.ancestors(node).all(|ancestor| match ancestor.kind() {
            AstKind::Function(_) | AstKind::ArrowFunctionExpression(_) => match nodes.parent_kind(ancestor.id()) {
                AstKind::NewExpression(new) => {
                    matches!(&new.callee, Expression::Identifier(name) if name.name == "SharedArray")
                }
                _ => false,
            },
            AstKind::Class(_) => false,
            _ => true,
        })
    }

    /// `require('…')` and `open('…')`.
    fn calls(&mut self) {
        let nodes = self.semantic.nodes();
        for node in nodes.iter() {
            if let AstKind::ImportExpression(import) = node.kind()
                && let Expression::StringLiteral(source) = &import.source
            {
                self.import_expression(node.id(), &source.value, source.span);
            }
            let AstKind::CallExpression(call) = node.kind() else { continue };
            let Some((callee, text, span)) = literal_call(call) else { continue };
            if !self.is_global(callee) {
                continue;
            }
            let place = self.place(span);
            match callee.name.as_str() {
                "open" if self.runs_at_once(node.id()) && !self.is_conditional(node.id()) => {
                    self.found.opened.push(Named { name: text.to_owned(), place });
                }
                "require" => {
                    let used = self.used_of_value(node.id(), "require(…)");
                    let is_conditional = self.is_conditional(node.id()) || !self.runs_at_once(node.id());
                    self.found.imports.push(ImportUsage {
                        specifier: text.to_owned(),
                        place,
                        is_conditional,
                        imported: Vec::new(),
                        used,
                    });
                }
                _ => {}
            }
        }
    }

    /// `import('…')`.
    fn import_expression(&mut self, node: NodeId, specifier: &str, span: Span) {
        let nodes = self.semantic.nodes();
        // What is awaited is the module.
        let used = match nodes.parent_kind(node) {
            AstKind::AwaitExpression(_) => self.used_of_value(nodes.parent_id(node), "import(…)"),
            _ => Vec::new(),
        };
        let is_conditional = self.is_conditional(node) || !self.runs_at_once(node);
        let (specifier, place) = (specifier.to_owned(), self.place(span));
        self.found.imports.push(ImportUsage { specifier, place, is_conditional, imported: Vec::new(), used });
    }

    /// What is used of a module that stands at a node: by the name it is given, or at once.
    fn used_of_value(&self, node: NodeId, written: &str) -> Vec<UsedName> {
        let nodes = self.semantic.nodes();
        let mut node = node;
        while let AstKind::ParenthesizedExpression(_) = nodes.parent_kind(node) {
            node = nodes.parent_id(node);
        }
        let mut members = Vec::new();
        if let AstKind::VariableDeclarator(declarator) = nodes.parent_kind(node) {
            self.collect_bound(&declarator.id, written, NameOwner::Either, &mut members, MAX_ALIASES);
        } else if let Some((name, place, parent, is_optional)) = self.member_of(node) {
            let is_needed = !is_optional && self.use_of(parent) == NameUse::Needed;
            let (written, owner) = (format!("{written}.{name}"), NameOwner::Either);
            note(&mut members, UsedName { name, inner: self.inner_member(parent), written, owner, place }, is_needed);
        }
        members.into_iter().filter_map(|(name, is_needed)| is_needed.then_some(name)).collect()
    }

    fn is_global(&self, name: &IdentifierReference<'a>) -> bool {
        self.semantic.is_reference_to_global_variable(name)
    }

    /// Global names that are used as if they were there for sure.
    fn globals(&mut self) {
        let scoping = self.semantic.scoping();
        let mut found = Vec::new();
        for (name, references) in scoping.root_unresolved_references() {
            let name = name.as_str();
            let is_made = [format!(".{name} ="), format!(".{name}=")].iter().any(|sign| self.text.contains(sign));
            let nodes = references.iter().map(|id| scoping.get_reference(*id));
            let mut first: Option<Span> = None;
            let is_asked = nodes.filter(|reference| reference.is_value()).any(|reference| {
                let node = reference.node_id();
                let span = self.semantic.nodes().kind(node).span();
                first = Some(first.map_or(span, |first| if span.start < first.start { span } else { first }));
                let is_typeof = matches!(self.semantic.nodes().parent_kind(node), AstKind::UnaryExpression(_));
                is_typeof || reference.is_write() || self.is_conditional(node)
            });
            if let Some(first) = first.filter(|_| !is_asked && !is_made) {
                found.push(Named { name: name.to_owned(), place: self.place(first) });
            }
        }
        found.sort_by_key(|one| one.place);
        self.found.globals = found;
    }
}

/// `name('text')`: the name, the text and where the text stands.
fn literal_call<'c, 'a>(call: &'c CallExpression<'a>) -> Option<(&'c IdentifierReference<'a>, &'c str, Span)> {
    let Expression::Identifier(callee) = &call.callee else { return None };
    match call.arguments.first()? {
        Argument::StringLiteral(text) => Some((callee, text.value.as_str(), text.span)),
        _ => None,
    }
}

fn default_export(declaration: &ExportDefaultDeclarationKind) -> DefaultExport {
    match declaration {
        ExportDefaultDeclarationKind::FunctionDeclaration(_)
        | ExportDefaultDeclarationKind::FunctionExpression(_)
        | ExportDefaultDeclarationKind::ArrowFunctionExpression(_) => DefaultExport::Function,
        ExportDefaultDeclarationKind::ClassDeclaration(_)
        | ExportDefaultDeclarationKind::ObjectExpression(_)
        | ExportDefaultDeclarationKind::ArrayExpression(_)
        | ExportDefaultDeclarationKind::StringLiteral(_)
        | ExportDefaultDeclarationKind::NumericLiteral(_)
        | ExportDefaultDeclarationKind::NewExpression(_)
        | ExportDefaultDeclarationKind::TSInterfaceDeclaration(_) => DefaultExport::Data,
        _ => DefaultExport::Unknown,
    }
}
