//! From what people write to what both engines take: types are taken out, CommonJS is told from ES modules, and imports
//! across that border are bridged. Each file once per process.
//!
//! The only room that knows the parser (oxc). A plain ES module never meets it: a look at its lines tells what it is.
//! Nothing here reads files, and nothing is made older: engines get the language as it was written.

use std::collections::HashMap;
use std::sync::Arc;

use oxc::span::SourceType;

use crate::source::{Module, ModuleKind};

mod commonjs;
mod commonjs_interop;
mod explain_error;
mod function_text;
#[cfg(any(test, fuzzing))]
pub mod fuzz_tests;
mod lower_syntax;
mod module_syntax;
mod names;
mod option_literals;
mod positions;
mod redeclared_params;
mod regexp_literals;
mod rewrite_awaits;
mod source_map;
mod strip_types;
mod syntax_error;
mod usage;
mod use_directives;

pub use commonjs_interop::{ImportTarget, MissingImport};
pub use explain_error::{ErrorPlace, Explanation, explain};
pub use function_text::function_extents;
pub use module_syntax::Exported;
pub use names::{BoundNames, bound_names};
pub use option_literals::OptionUsage;
pub use positions::Positions;
pub use regexp_literals::regexp_literals;
pub use syntax_error::SyntaxFault;
pub use usage::{DefaultExport, FileUsage, ImportUsage, NameOwner, Named, Place, UsedName, usage};

/// What a file of code turns out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModuleFormat {
    /// It imports, exports or awaits at its top.
    Module,
    /// Anything else: it gets `module` and `exports`.
    CommonJs,
}

impl ModuleFormat {
    /// How its text is read.
    fn source_type(self) -> SourceType {
        if self == Self::Module { SourceType::mjs() } else { SourceType::script() }
    }
}

/// A file, ready for an engine.
#[derive(Clone, Debug)]
pub struct TranspiledModule {
    /// What it is.
    pub format: ModuleFormat,
    /// An ES module, or an expression whose value is the function `(module, exports, require)`.
    pub text: Arc<str>,
    /// Where its parts were in the file.
    pub positions: Positions,
    /// What its comment says about a source map; whoever reads files finds it.
    pub source_map: Option<String>,
}

/// What was done to functions that wait.
pub struct AwaitRewrite {
    /// The text without it.
    pub before: TextBefore,
    /// A line that a module needs behind its text.
    pub import: String,
}

/// A text that was rewritten after people had last to read it.
#[derive(Clone, Debug)]
pub struct TextBefore {
    /// The text.
    pub text: Arc<str>,
    /// From the rewritten one to this.
    pub positions: Positions,
}

/// Reads a file as k6 does: JavaScript first; types, where the name allows them, if that fails.
///
/// # Errors
/// A syntax error of TypeScript: `URL: Line 1:18 text`, counted as k6 counts. Those of JavaScript are left to the engine.
pub fn transpile(module: &Module) -> Result<TranspiledModule, String> {
    if module.kind == ModuleKind::JavaScript && module_syntax::is_surely_a_module(&module.text) {
        let source_map = source_map::address(&module.text);
        let (text, positions) = (module.text.clone(), Positions::default());
        return Ok(TranspiledModule { format: ModuleFormat::Module, text, positions, source_map });
    }
    on_deep_stack(|| parse(module))
}

fn parse(module: &Module) -> Result<TranspiledModule, String> {
    let mut positions = Positions::default();
    let mut text = module.text.clone();
    let may_have_types = module.kind == ModuleKind::TypeScript;
    let mut format = module_syntax::format_of(&text);
    if format.is_none() && may_have_types {
        let plain = strip_types::strip_types(&module.url, &text)?;
        text = plain.text.into();
        positions.put(plain.positions);
        format = module_syntax::format_of(&text);
    }
    // What nobody can read is an ES module: then the engine says what is wrong with it.
    let format = format.unwrap_or(ModuleFormat::Module);
    let source_map = source_map::address(&module.text);
    if format == ModuleFormat::CommonJs {
        let (wrapped, moved) = commonjs::wrap(&text);
        text = wrapped.into();
        positions.put(moved);
    }
    Ok(TranspiledModule { format, text, positions, source_map })
}

impl TranspiledModule {
    /// Writes forms that an engine's parser refuses as others; `on_catch` is a property that is read of what a `catch` gets.
    ///
    /// # Errors
    /// What the parser says of a name that is declared twice.
    pub fn lower(&mut self, on_catch: &str) -> Result<(), String> {
        if let Some((text, moved)) = on_deep_stack(|| lower_syntax::lower(&self.text, self.format, on_catch))? {
            self.text = text.into();
            self.positions.put(moved);
        }
        Ok(())
    }

    /// Writes functions that wait so that they go on under the context their samples had; what they call is exported by the
    /// module at `address`. The last thing to be done; `None` if nothing waits.
    pub fn rewrite_awaits(&mut self, address: &str) -> Option<AwaitRewrite> {
        let rewrite_awaits::RewrittenAwaits { text, layer, import } =
            on_deep_stack(|| rewrite_awaits::rewrite_awaits(&self.text, self.format, address))?;
        let layer = Arc::new(layer);
        self.positions.put_shared(layer.clone());
        let text = std::mem::replace(&mut self.text, text.into());
        Some(AwaitRewrite { before: TextBefore { text, positions: Positions::one(layer) }, import })
    }

    /// Bridges the imports of an ES module, where `target` says what each leads to; the names that are missing, with
    /// their places in the file.
    pub fn rewrite_imports(&mut self, target: &mut dyn FnMut(&str) -> ImportTarget) -> Vec<MissingImport> {
        let targets: HashMap<String, ImportTarget> =
            requests(&self.text).into_iter().map(|name| (name.clone(), target(&name))).collect();
        let Some(commonjs_interop::RewrittenImports { text, layer, mut missing }) =
            on_deep_stack(|| commonjs_interop::rewrite_imports(&self.text, &targets))
        else {
            return Vec::new();
        };
        for one in &mut missing {
            let place = self.positions.origin(one.line, one.column);
            (one.line, one.column) = (place.line, place.column);
        }
        self.text = text.into();
        self.positions.put(layer);
        missing
    }

    /// Positions in the file are positions in what it was made from.
    pub fn follow(&mut self, json: &str, address: &str) {
        if let Some(map) = source_map::read(json, address) {
            self.positions.put_first(map);
        }
    }
}

/// The names a CommonJS module gives to `exports`, as far as its text tells.
pub fn commonjs_names(text: &str) -> Vec<String> {
    on_deep_stack(|| commonjs::names(text))
}

/// What an ES module imports, as it is written.
pub fn requests(text: &str) -> Vec<String> {
    on_deep_stack(|| module_syntax::requests(text))
}

/// True if a text is no JavaScript, but TypeScript.
pub fn has_types(text: &str) -> bool {
    on_deep_stack(|| strip_types::has_types(text))
}

/// What is wrong with a text that is neither an ES module nor CommonJS.
pub fn syntax_fault(text: &str) -> Option<SyntaxFault> {
    on_deep_stack(|| syntax_error::find(text))
}

/// The versions a file asks for at its top, by name.
pub fn use_directives(text: &str) -> Vec<(String, String)> {
    use_directives::read(text)
}

/// The names an ES module exports.
pub fn module_names(text: &str) -> Vec<String> {
    on_deep_stack(|| module_syntax::exported(text))
}

/// What an ES module exports, by name and from other modules.
pub fn exports(text: &str) -> Exported {
    on_deep_stack(|| module_syntax::exports(text))
}

/// True if a module has `* as` in it: it may ask for a namespace.
pub fn wants_namespace(text: &str) -> bool {
    text.match_indices('*').any(|(at, _)| {
        let rest = text[at + 1..].trim_start();
        rest.strip_prefix("as").is_some_and(|rest| rest.starts_with(char::is_whitespace))
    })
}

/// True if a module calls `require` and means ours.
pub fn wants_require(text: &str) -> bool {
    text.contains("require(") && on_deep_stack(|| module_syntax::asks_for_require(text))
}

/// Parsers go as deep as the code they read: further than the stack of a VU reaches.
fn on_deep_stack<T: Send>(parse: impl FnOnce() -> T + Send) -> T {
    const STACK_BYTES: usize = 256 << 20;
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("volley-parse".to_owned()).stack_size(STACK_BYTES);
        let running =
            thread.spawn_scoped(scope, parse).unwrap_or_else(|error| panic!("no thread to parse on: {error}"));
        running.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn prepared(url: &str, text: &'static str) -> Result<TranspiledModule, String> {
        transpile(&Module::new(url, &Bytes::from_static(text.as_bytes())))
    }

    /// What minifiers make of long lists of conditions, only longer.
    static DEEP: std::sync::LazyLock<String> =
        std::sync::LazyLock::new(|| format!("exports.a = {}0{};", "f(".repeat(5_000), ")".repeat(5_000)));

    #[test]
    fn files_are_what_they_parse_as() {
        let check = |text: &'static str, expect: ModuleFormat| {
            assert_eq!(prepared("file:///x.js", text).unwrap().format, expect, "{text}");
        };
        check("import 'k6';", ModuleFormat::Module);
        check("  export default function () {}", ModuleFormat::Module);
        check("var a=1;export{a as default};", ModuleFormat::Module);
        check("await 0;", ModuleFormat::Module);
        check("const x = await Promise.resolve(1); console.log(x);", ModuleFormat::Module);
        check("module.exports = 1;", ModuleFormat::CommonJs);
        check("exports.a = `\nexport default 1\n`;", ModuleFormat::CommonJs);
        check("/*\nimport x from 'y'\n*/ module.exports = {};", ModuleFormat::CommonJs);
        check("const http = require('k6/http'); if (!http) return;", ModuleFormat::CommonJs);
        check("", ModuleFormat::CommonJs);
        check("{\"a\": 1}", ModuleFormat::Module);
        check(DEEP.as_str(), ModuleFormat::CommonJs);
        check("export default function (data: any) {}", ModuleFormat::Module);
    }

    #[test]
    fn types_go_only_where_the_name_allows_them() {
        let text = "export const x: number = 1;\n";
        assert_eq!(&*prepared("file:///x.ts", text).unwrap().text, "export const x = 1;\n");
        assert_eq!(&*prepared("file:///x.mts", text).unwrap().text, text);
        let error = prepared("file:///x.ts", "export const x: = ;").unwrap_err();
        assert!(error.starts_with("file:///x.ts: Line 1:16 "), "{error}");
        let error = prepared("file:///x.ts", "@sealed class A { x: number; }\nexport default 1;").unwrap_err();
        assert!(error.starts_with("file:///x.ts: Line 1:0 decorators"), "{error}");
    }

    #[test]
    fn typescript_of_the_old_kind_is_commonjs() {
        let prepared =
            prepared("file:///x.ts", "import k6 = require('k6');\nexport = { k6, a: 1 as number };").unwrap();
        assert_eq!(prepared.format, ModuleFormat::CommonJs);
        assert!(
            prepared.text.contains("require(\"k6\")") && prepared.text.contains("module.exports = "),
            "{}",
            prepared.text
        );
    }
}
