//! Tells ES modules from CommonJS: by a look at the lines where that is enough, by parsing where it is not.

use oxc::allocator::Allocator;
use oxc::parser::{Parser, ParserReturn};
use oxc::semantic::SemanticBuilder;
use oxc::span::SourceType;
use oxc::syntax::module_record::ExportExportName;

use super::ModuleFormat;

/// What the text is; `None` if it isn't JavaScript.
pub(super) fn format_of(text: &str) -> Option<ModuleFormat> {
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, text, SourceType::unambiguous()).parse();
    if is_good(&parsed) {
        return Some(if parsed.module_record.has_module_syntax {
            ModuleFormat::Module
        } else {
            ModuleFormat::CommonJs
        });
    }
    // Only a module may await at its top, only CommonJS may return there.
    if is_good(&Parser::new(&allocator, text, SourceType::mjs()).parse()) {
        return Some(ModuleFormat::Module);
    }
    is_good(&Parser::new(&allocator, text, SourceType::cjs()).parse()).then_some(ModuleFormat::CommonJs)
}

pub(super) fn is_good(parsed: &ParserReturn) -> bool {
    !parsed.panicked && !parsed.diagnostics.has_errors()
}

/// True if a line begins with `import` or `export` and nothing hints at CommonJS: then parsing would tell nothing new.
pub(super) fn is_surely_a_module(text: &str) -> bool {
    let begins = |line: &str| {
        let line = line.trim_start();
        let rest = line.strip_prefix("import").or_else(|| line.strip_prefix("export"));
        rest.is_some_and(|rest| rest.starts_with([' ', '{', '*', '\'', '"']))
    };
    text.lines().any(begins) && !["module.exports", "exports.", "require("].iter().any(|sign| text.contains(sign))
}

/// The specifiers of a module's imports and re-exports.
pub(super) fn requests(text: &str) -> Vec<String> {
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, text, SourceType::mjs()).parse();
    parsed.module_record.requested_modules.keys().map(ToString::to_string).collect()
}

/// The names a module exports.
pub(super) fn exported(text: &str) -> Vec<String> {
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, text, SourceType::mjs()).parse();
    let mut names: Vec<String> = parsed.module_record.exported_bindings.keys().map(ToString::to_string).collect();
    let has_default = parsed.module_record.local_export_entries.iter().any(|entry| entry.export_name.is_default());
    if has_default {
        names.push("default".to_owned());
    }
    names
}

/// What an ES module exports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Names of its own, those it takes from other modules by name included.
    pub names: Vec<String>,
    /// Modules it passes on with `export *`.
    pub stars: Vec<String>,
}

/// What a module exports.
pub(super) fn exports(text: &str) -> Exported {
    let allocator = Allocator::default();
    let record = Parser::new(&allocator, text, SourceType::mjs()).parse().module_record;
    let mut exported = Exported::default();
    for entry in record.local_export_entries.iter().chain(&record.indirect_export_entries) {
        exported.add(&entry.export_name);
    }
    for entry in &record.star_export_entries {
        if let (ExportExportName::Null, Some(request)) = (&entry.export_name, &entry.module_request) {
            exported.stars.push(request.name.to_string());
        } else {
            exported.add(&entry.export_name);
        }
    }
    exported
}

impl Exported {
    fn add(&mut self, name: &ExportExportName) {
        match name {
            ExportExportName::Name(name) => self.names.push(name.name.to_string()),
            ExportExportName::Default(_) => self.names.push("default".to_owned()),
            ExportExportName::Null => {}
        }
    }
}

/// True if a module uses a `require` it has not declared itself.
pub(super) fn asks_for_require(text: &str) -> bool {
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, text, SourceType::mjs()).parse();
    if !is_good(&parsed) {
        return false;
    }
    let semantic = SemanticBuilder::new().build(&parsed.program).semantic;
    semantic.scoping().root_unresolved_references().keys().any(|name| name.as_str() == "require")
}
