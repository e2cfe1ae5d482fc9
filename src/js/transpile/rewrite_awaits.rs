//! Functions that wait, written so that they go on under the context their samples had: the feature `async-metric-context`.
//!
//! An engine calls nothing where an `await` goes on, so the function says it itself: `await E` becomes
//! `resume(await (value = E, context = capture(), value), context, context = value = 0)`, and a `catch` or `finally` that a
//! rejection leads to begins with `context && (restore(context), ...)`. Where the engine awaits inside of a construct (`for
//! await`, what async generators yield and return), what it awaits is prepared instead. Every line keeps its number.

use oxc::allocator::Allocator;
use oxc::ast::ast::{
    ArrowFunctionBody, ArrowFunctionExpression, AwaitExpression, CatchClause, Expression, ForOfStatement, Function,
    ReturnStatement, TryStatement, YieldExpression,
};
use oxc::ast_visit::{Visit, walk};
use oxc::parser::Parser;
use oxc::span::{GetSpan, SourceType, Span};
use oxc::syntax::scope::ScopeFlags;

use super::ModuleFormat;
use super::commonjs_interop::apply;
use super::module_syntax::is_good;
use super::positions::PositionMap;

/// What the text calls, in the order in which a CommonJS file gets it.
const CALLED: [&str; 5] = ["captureContext", "resumeContext", "restoreContext", "carry", "iterate"];

/// A text whose functions keep their context.
pub(super) struct RewrittenAwaits {
    pub(super) text: String,
    pub(super) layer: PositionMap,
    /// The import that a module needs, behind all others; CommonJS has parameters instead.
    pub(super) import: String,
}

/// The text whose functions keep their context; `None` if none of them waits. A module finds what they call at `address`.
pub(super) fn rewrite_awaits(text: &str, format: ModuleFormat, address: &str) -> Option<RewrittenAwaits> {
    // Parsing is dear, and many files wait for nothing.
    if !text.contains("await") && !text.contains("async") {
        return None;
    }
    let allocator = Allocator::default();
    let source = if format == ModuleFormat::Module { SourceType::mjs() } else { SourceType::script() };
    let parsed = Parser::new(&allocator, text, source).parse();
    if !is_good(&parsed) {
        return None;
    }
    let mut rewriter = AwaitRewriter {
        text,
        names: UnusedNames::unused_in(text),
        edits: Vec::new(),
        function: FunctionScope::default(),
        around: Vec::new(),
    };
    rewriter.visit_program(&parsed.program);
    let module = std::mem::take(&mut rewriter.function);
    rewriter.end_function(module, text.len() as u32, "\n");
    let AwaitRewriter { names, mut edits, .. } = rewriter;
    edits.retain(|(_, new)| !new.is_empty());
    if edits.is_empty() {
        return None;
    }
    let mut import = String::new();
    match format {
        ModuleFormat::Module => {
            let list: Vec<_> =
                CALLED.iter().zip(names.called()).map(|(name, local)| format!("{name} as {local}")).collect();
            import = format!("import {{ {} }} from \"{address}\";", list.join(", "));
        }
        // The head is one of ours.
        ModuleFormat::CommonJs => {
            let end = text.find("){").map_or(0, |at| at as u32);
            let missing = if text[..end as usize].ends_with(",require") { "" } else { ",_" };
            let list = names.called().join(",");
            edits.push((Span::empty(end), format!("{missing},{list}")));
        }
    }
    let (text, layer) = apply(text, edits);
    Some(RewrittenAwaits { text, layer, import })
}

/// UnusedNames that stand nowhere in the text.
struct UnusedNames(String);

impl UnusedNames {
    fn unused_in(text: &str) -> Self {
        let mut prefix = "_x".to_owned();
        while text.contains(&prefix) {
            prefix.insert(0, '_');
        }
        Self(prefix)
    }

    /// What [`CALLED`] goes by.
    fn called(&self) -> [String; 5] {
        ["c", "r", "g", "y", "i"].map(|end| format!("{}{end}", self.0))
    }

    /// The variables of a function that waits: the context while it does, and what it waits for.
    fn variables(&self) -> [String; 2] {
        ["", "v"].map(|end| format!("{}{end}", self.0))
    }
}

/// A function, or the module outside of all.
#[derive(Default)]
struct FunctionScope {
    is_async_generator: bool,
    /// It awaits, so it has the variables.
    awaits: bool,
    /// The places of edits that are made if it does, and what they are.
    if_awaits: Vec<(usize, String)>,
}

struct AwaitRewriter<'t> {
    text: &'t str,
    names: UnusedNames,
    edits: Vec<(Span, String)>,
    /// The one the present node is in.
    function: FunctionScope,
    /// Those around that, innermost last.
    around: Vec<FunctionScope>,
}

impl AwaitRewriter<'_> {
    fn insert(&mut self, at: u32, text: String) {
        self.edits.push((Span::empty(at), text));
    }

    /// A function begins.
    fn enter_function(&mut self, is_async_generator: bool) {
        let inner = FunctionScope { is_async_generator, ..FunctionScope::default() };
        self.around.push(std::mem::replace(&mut self.function, inner));
    }

    /// The present function is over.
    fn leave_function(&mut self) -> FunctionScope {
        let outer = self.around.pop().unwrap_or_default();
        std::mem::replace(&mut self.function, outer)
    }

    /// Inserts `text` if the present function turns out to await something.
    fn insert_if_awaits(&mut self, at: u32, text: String) {
        let place = self.edits.len();
        self.insert(at, String::new());
        self.function.if_awaits.push((place, text));
    }

    /// The text of a function ends here: `before` stands before its variables.
    fn end_function(&mut self, frame: FunctionScope, end: u32, before: &str) {
        if !frame.awaits {
            return;
        }
        let [context, value] = self.names.variables();
        self.insert(end, format!("{before}var {context},{value};"));
        for (place, text) in frame.if_awaits {
            self.edits[place].1 = text;
        }
    }

    /// A `catch` or `finally` begins here: an `await` may have led to it by throwing.
    fn resume_here(&mut self, at: u32) {
        let ([context, value], [_, _, restore, ..]) = (self.names.variables(), self.names.called());
        self.insert_if_awaits(at, format!("{context}&&({restore}({context}),{context}={value}=0);"));
    }

    /// An engine awaits what this is inside of a construct.
    fn wrap(&mut self, function: usize, expression: &Expression<'_>) {
        let name = self.names.called()[function].clone();
        let span = expression.span();
        // A keyword may stand right before it: `of[1]`, `yield(1)`.
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
        let blank = if self.text[..span.start as usize].ends_with(is_word) { " " } else { "" };
        self.insert(span.start, format!("{blank}{name}(("));
        self.visit_expression(expression);
        self.insert(span.end, "))".to_owned());
    }
}

const CARRY: usize = 3;
const ITERATE: usize = 4;

impl<'a> Visit<'a> for AwaitRewriter<'_> {
    fn visit_function(&mut self, function: &Function<'a>, flags: ScopeFlags) {
        self.enter_function(function.r#async && function.generator);
        walk::walk_function(self, function, flags);
        let frame = self.leave_function();
        let end = function.body.as_ref().map_or(function.span.end, |body| body.span.end);
        self.end_function(frame, end - 1, ";");
    }

    fn visit_arrow_function_expression(&mut self, arrow: &ArrowFunctionExpression<'a>) {
        self.enter_function(false);
        let span = arrow.body.span();
        let is_expression = !matches!(arrow.body, ArrowFunctionBody::FunctionBody(_));
        if is_expression {
            // The parameters stand before it, and await nothing.
            self.insert_if_awaits(span.start, "{return ".to_owned());
        }
        walk::walk_arrow_function_expression(self, arrow);
        let frame = self.leave_function();
        let awaits = frame.awaits;
        self.end_function(frame, if is_expression { span.end } else { span.end - 1 }, ";");
        if is_expression && awaits {
            self.insert(span.end, "}".to_owned());
        }
    }

    fn visit_await_expression(&mut self, it: &AwaitExpression<'a>) {
        let ([context, value], [capture, resume, ..]) = (self.names.variables(), self.names.called());
        self.insert(it.span.start, format!("{resume}("));
        self.insert(it.argument.span().start, format!("({value}="));
        walk::walk_await_expression(self, it);
        let after = format!(",{context}={capture}(),{value}),{context},{context}={value}=0)");
        self.insert(it.span.end, after);
        self.function.awaits = true;
    }

    fn visit_try_statement(&mut self, it: &TryStatement<'a>) {
        self.visit_block_statement(&it.block);
        if let Some(handler) = &it.handler {
            self.visit_catch_clause(handler);
        }
        if let Some(finalizer) = &it.finalizer {
            self.resume_here(finalizer.span.start + 1);
            self.visit_block_statement(finalizer);
        }
    }

    fn visit_catch_clause(&mut self, clause: &CatchClause<'a>) {
        if let Some(param) = &clause.param {
            self.visit_catch_parameter(param);
        }
        self.resume_here(clause.body.span.start + 1);
        self.visit_block_statement(&clause.body);
    }

    fn visit_for_of_statement(&mut self, it: &ForOfStatement<'a>) {
        if !it.r#await {
            return walk::walk_for_of_statement(self, it);
        }
        self.visit_for_statement_left(&it.left);
        self.wrap(ITERATE, &it.right);
        self.visit_statement(&it.body);
    }

    fn visit_yield_expression(&mut self, it: &YieldExpression<'a>) {
        if !self.function.is_async_generator {
            return walk::walk_yield_expression(self, it);
        }
        match &it.argument {
            Some(argument) => self.wrap(if it.delegate { ITERATE } else { CARRY }, argument),
            None => {
                let carry = self.names.called()[CARRY].clone();
                self.insert(it.span.end, format!(" {carry}()"));
            }
        }
    }

    fn visit_return_statement(&mut self, it: &ReturnStatement<'a>) {
        match &it.argument {
            Some(argument) if self.function.is_async_generator => self.wrap(CARRY, argument),
            _ => walk::walk_return_statement(self, it),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &str) {
        let rewritten = rewrite_awaits(text, ModuleFormat::Module, "volley:context")
            .map_or_else(|| text.to_owned(), |rewritten| rewritten.text);
        assert_eq!(rewritten, expect);
        let allocator = Allocator::default();
        assert!(is_good(&Parser::new(&allocator, &rewritten, SourceType::mjs()).parse()), "{rewritten}");
    }

    #[test]
    fn an_await_goes_on_under_its_context() {
        check("async function f() { g(); }", "async function f() { g(); }");
        check(
            "async function f() { 'use strict'; await g() }",
            "async function f() { 'use strict'; _xr(await (_xv=g(),_x=_xc(),_xv),_x,_x=_xv=0) ;var _x,_xv;}",
        );
        check(
            "f(async () => await g);",
            "f(async () => {return _xr(await (_xv=g,_x=_xc(),_xv),_x,_x=_xv=0);var _x,_xv;});",
        );
        check(
            "await (a, await b)\n",
            "_xr(await (_xv=(a, _xr(await (_xv=b,_x=_xc(),_xv),_x,_x=_xv=0)),_x=_xc(),_xv),_x,_x=_xv=0)\n\nvar _x,_xv;",
        );
        check("let _x; async () => { await 1 }", &{
            let text = "let _x; async () => { __xr(await (__xv=1,__x=__xc(),__xv),__x,__x=__xv=0) ;var __x,__xv;}";
            text.to_owned()
        });
    }

    #[test]
    fn a_rejection_goes_on_under_it_too() {
        let resume = "_x&&(_xg(_x),_x=_xv=0);";
        let awaited = "_xr(await (_xv=1,_x=_xc(),_xv),_x,_x=_xv=0)";
        check(
            "async () => { try { await 1 } catch { f() } finally { g(() => { try {} finally {} }) } }",
            &format!(
                "async () => {{ try {{ {awaited} }} catch {{{resume} f() }} finally {{{resume} g(() => {{ try {{}} finally \
                 {{}} }}) }} ;var _x,_xv;}}"
            ),
        );
        check("async () => { try { f() } catch {} }", "async () => { try { f() } catch {} }");
    }

    #[test]
    fn what_engines_await_is_prepared() {
        check(
            "async function* f() { yield; yield 1; yield* g; return 1, 2; }",
            "async function* f() { yield _xy(); yield _xy((1)); yield* _xi((g)); return _xy((1, 2)); }",
        );
        check(
            "async function*f(){yield(1);yield[1];yield*[1];return`1`}",
            "async function*f(){yield _xy(((1)));yield _xy(([1]));yield*_xi(([1]));return _xy((`1`))}",
        );
        check("async()=>{for await(const a of[1])g(a)}", "async()=>{for await(const a of _xi(([1])))g(a)}");
        check("function* f() { yield 1; return 1; }; 'await'", "function* f() { yield 1; return 1; }; 'await'");
        check(
            "async () => { for await (const a of f()) g(a); }",
            "async () => { for await (const a of _xi((f()))) g(a); }",
        );
    }

    #[test]
    fn commonjs_gets_more_parameters() {
        let (text, _) = super::super::commonjs::wrap("exports.f = async () => { await 1 };");
        let rewritten = rewrite_awaits(&text, ModuleFormat::CommonJs, "").unwrap();
        assert!(
            rewritten.text.starts_with("\"use strict\";(function(module,exports,require,_xc,_xr,_xg,_xy,_xi){"),
            "{}",
            rewritten.text
        );
        assert_eq!(rewritten.import, "");
        let (text, _) = super::super::commonjs::wrap("const require = 1; exports.f = async () => { await 1 };");
        let rewritten = rewrite_awaits(&text, ModuleFormat::CommonJs, "").unwrap();
        assert!(rewritten.text.starts_with("\"use strict\";(function(module,exports,_,_xc,"), "{}", rewritten.text);
    }

    #[test]
    fn lines_stay_and_columns_come_back() {
        let text = "const f = async () => {\n  try { await g(); foo(); } catch (e) { bar(); }\n  await h; baz();\n};\n";
        let rewritten = rewrite_awaits(text, ModuleFormat::Module, "").unwrap();
        let mut positions = super::super::Positions::default();
        positions.put(rewritten.layer);
        let place = |text: &str, what: &str| {
            let (line, row) = text.lines().enumerate().find(|(_, row)| row.contains(what)).unwrap();
            (line as u32 + 1, row.find(what).unwrap() as u32 + 1)
        };
        for what in ["foo", "bar", "baz", "g()"] {
            let ((line, column), expect) = (place(&rewritten.text, what), place(text, what));
            let found = positions.origin(line, column);
            assert_eq!((found.line, found.column), expect, "{what} in {}", rewritten.text);
        }
    }
}
