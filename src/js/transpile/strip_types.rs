//! Takes the types out of TypeScript: enums, namespaces and parameter properties become code, the rest of the language
//! stays as it was written. No types are checked, no configuration is read.

use std::path::{Path, PathBuf};

use oxc::allocator::Allocator;
use oxc::ast::AstKind;
use oxc::codegen::{Codegen, CodegenOptions};
use oxc::diagnostics::{Diagnostics, OxcDiagnostic};
use oxc::parser::Parser;
use oxc::semantic::SemanticBuilder;
use oxc::span::{GetSpan, SourceType};
use oxc::transformer::{TransformOptions, Transformer};

use super::positions::{Mapping, PositionMap};

/// JavaScript, and where its parts were.
pub(super) struct StrippedTypes {
    pub(super) text: String,
    pub(super) positions: PositionMap,
}

/// True if a text is no JavaScript, but TypeScript.
pub(super) fn has_types(text: &str) -> bool {
    let allocator = Allocator::default();
    let parses = |text: &str| first(&Parser::new(&allocator, text, SourceType::mjs()).parse().diagnostics).is_none();
    // What is wrong without the types too is wrong for another reason.
    !parses(text) && strip_types("", text).is_ok_and(|plain| parses(&plain.text))
}

/// The JavaScript in a TypeScript file.
///
/// # Errors
/// `URL: Line 1:18 text`, columns from 0.
pub(super) fn strip_types(url: &str, text: &str) -> Result<StrippedTypes, String> {
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, text, SourceType::ts()).parse();
    if let Some(error) = first(&parsed.diagnostics) {
        return Err(placed(url, text, error));
    }
    let mut program = parsed.program;
    let scoping = {
        let built = SemanticBuilder::new()
            .with_build_nodes(true)
            .with_check_syntax_error(true)
            .with_enum_eval(true)
            .build(&program);
        if let Some(error) = first(&built.diagnostics) {
            return Err(placed(url, text, error));
        }
        let decorator = built.semantic.nodes().iter().find(|node| matches!(node.kind(), AstKind::Decorator(_)));
        if let Some(decorator) = decorator {
            // k6 never comes back from one.
            let words = "decorators are not supported; compile them away before the test";
            return Err(at(url, text, decorator.kind().span().start as usize, words));
        }
        built.semantic.into_scoping()
    };
    // `import x = require()` and `export =` become CommonJS; ES modules stay what they are.
    let options = TransformOptions::default();
    let transformed = Transformer::new(&allocator, Path::new(url), &options).build_with_scoping(scoping, &mut program);
    if let Some(error) = first(&transformed.diagnostics) {
        return Err(placed(url, text, error));
    }
    let options = CodegenOptions { source_map_path: Some(PathBuf::from(url)), ..CodegenOptions::default() };
    let made = Codegen::new().with_options(options).with_source_text(text).build(&program);
    let mut tokens = Vec::new();
    for token in made.map.iter().flat_map(|map| map.get_tokens()) {
        tokens.push(Mapping {
            line: token.get_dst_line(),
            column: token.get_dst_col(),
            source: 0,
            source_line: token.get_src_line(),
            source_column: token.get_src_col(),
        });
    }
    Ok(StrippedTypes { text: made.code, positions: PositionMap::map(tokens, Vec::new()) })
}

fn first(diagnostics: &Diagnostics) -> Option<&OxcDiagnostic> {
    diagnostics.errors().next()
}

fn placed(url: &str, text: &str, error: &OxcDiagnostic) -> String {
    let offset = error.labels.first().map_or(0, |label| label.offset() as usize);
    at(url, text, offset, &error.message)
}

fn at(url: &str, text: &str, offset: usize, words: &str) -> String {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().encode_utf16().count();
    format!("{url}: Line {line}:{column} {words}")
}
