//! How much stack Boa's parser and compiler need for a text: both descend with what is nested in it, and neither looks
//! where the stack ends.
//!
//! A text is read once, by its tokens. Too high a figure refuses code that would have run, too low a one is what the guard
//! below a stack is for; the costs below are measured with room to spare.

/// A bracket, a branch of `?:`, the right side of an assignment, a function: the whole chain of an expression again.
const EXPRESSION: usize = 64 * 1024;
/// One more operator, member, call or prefix.
const OPERATOR: usize = 4 * 1024;
/// A statement inside a statement.
const STATEMENT: usize = 16 * 1024;

/// Texts shorter than this are never too deep for a stack of the usual size.
const SHORT: usize = 1024;

/// Words that nest what follows them.
const NESTING: [(&str, usize); 17] = [
    ("await", OPERATOR),
    ("delete", OPERATOR),
    ("in", OPERATOR),
    ("instanceof", OPERATOR),
    ("new", OPERATOR),
    ("typeof", OPERATOR),
    ("void", OPERATOR),
    ("do", STATEMENT),
    ("else", STATEMENT),
    ("for", STATEMENT),
    ("if", STATEMENT),
    ("while", STATEMENT),
    ("try", STATEMENT),
    ("class", EXPRESSION),
    ("extends", EXPRESSION),
    ("function", EXPRESSION),
    ("yield", EXPRESSION),
];

/// Words after which a slash begins a regular expression.
const BEFORE_REGEXP: [&str; 11] =
    ["return", "typeof", "case", "in", "of", "delete", "void", "throw", "new", "else", "await"];

/// Words that go on with what a curly bracket closed.
const GOES_ON: [&str; 7] = ["else", "catch", "finally", "while", "in", "instanceof", "of"];

/// How many bytes of stack the text needs at its deepest place.
pub fn stack_needed(text: &str) -> usize {
    if text.len() < SHORT {
        return 0;
    }
    let mut reader = NestingReader { text: text.as_bytes(), ..NestingReader::default() };
    reader.read();
    reader.most
}

#[derive(Default)]
struct NestingReader<'t> {
    text: &'t [u8],
    at: usize,
    /// The brackets that are open: what each is, and the cost of the expression it stands in.
    open: Vec<(u8, usize)>,
    /// What the open brackets cost.
    outer: usize,
    /// What is nested in the present statement, outside of brackets.
    inner: usize,
    most: usize,
    /// The token before was one that an expression can end with.
    is_operand: bool,
    /// The token before was a curly bracket that closes.
    was_block: bool,
    had_newline: bool,
}

impl NestingReader<'_> {
    fn read(&mut self) {
        while let Some(&byte) = self.text.get(self.at) {
            self.at += 1;
            match byte {
                b'\n' => self.had_newline = true,
                b' ' | b'\t' | b'\r' => {}
                b'/' if self.peek() == Some(b'/') => self.skip_until(b"\n"),
                b'/' if self.peek() == Some(b'*') => self.skip_until(b"*/"),
                b'/' if !self.is_operand => self.regexp(),
                b'"' | b'\'' => self.string(byte),
                b'`' => self.template(),
                b'(' | b'[' | b'{' => self.begin(byte),
                b')' | b']' => _ = self.end(),
                b'}' if self.end() == b'`' => self.template(),
                b'}' => {}
                b';' => self.new_statement(),
                b',' => self.comma(),
                b'?' | b'=' => self.nest(EXPRESSION),
                byte if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 0x80..) => self.word(),
                _ => self.nest(OPERATOR),
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn nest(&mut self, cost: usize) {
        self.was_block = false;
        self.is_operand = false;
        self.had_newline = false;
        self.add(cost);
    }

    fn add(&mut self, cost: usize) {
        self.inner += cost;
        self.most = self.most.max(self.outer + self.inner);
    }

    fn operand(&mut self) {
        // Without a semicolon a statement ends with its line, where two operands follow each other.
        if self.had_newline && self.is_operand {
            self.inner = 0;
        }
        self.had_newline = false;
        self.was_block = false;
        self.is_operand = true;
    }

    fn begin(&mut self, bracket: u8) {
        self.open.push((bracket, self.inner));
        self.outer += self.inner + EXPRESSION;
        self.inner = 0;
        self.add(0);
        self.was_block = false;
        self.is_operand = false;
        self.had_newline = false;
    }

    /// Closes the innermost bracket; says which it was.
    fn end(&mut self) -> u8 {
        let (bracket, inner) = self.open.pop().unwrap_or_default();
        self.outer = self.outer.saturating_sub(inner + EXPRESSION);
        self.inner = inner;
        // Calls and members one behind the other are nested, too.
        self.add(if bracket == b'{' { 0 } else { OPERATOR });
        self.was_block = bracket == b'{';
        self.is_operand = bracket != b'{';
        self.had_newline = false;
        bracket
    }

    fn new_statement(&mut self) {
        self.inner = 0;
        self.was_block = false;
        self.is_operand = false;
        self.had_newline = false;
    }

    /// Between the members of a list nothing is nested; a comma between expressions is an operator.
    fn comma(&mut self) {
        let is_list = matches!(self.open.last(), Some((b'[' | b'{', _)));
        if is_list { self.new_statement() } else { self.nest(OPERATOR / 4) }
    }

    fn word(&mut self) {
        let begin = self.at - 1;
        while self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 0x80..)) {
            self.at += 1;
        }
        let word = &self.text[begin..self.at];
        // Behind a block begins a statement, except where one goes on.
        if self.was_block && !GOES_ON.iter().any(|known| known.as_bytes() == word) {
            self.inner = 0;
        }
        let is_member = begin > 0 && self.text[begin - 1] == b'.';
        let cost = NESTING.iter().find(|(known, _)| known.as_bytes() == word && !is_member).map(|(_, cost)| *cost);
        match cost {
            Some(cost) => self.nest(cost),
            None => self.operand(),
        }
        if BEFORE_REGEXP.iter().any(|known| known.as_bytes() == word) {
            self.is_operand = is_member;
        }
    }

    fn skip_until(&mut self, end: &[u8]) {
        let rest = &self.text[self.at..];
        let found = rest.windows(end.len()).position(|window| window == end);
        self.at += found.map_or(rest.len(), |found| found + end.len());
        self.had_newline |= end == b"\n";
    }

    fn string(&mut self, quote: u8) {
        while let Some(byte) = self.peek() {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == quote || byte == b'\n' {
                break;
            }
        }
        self.operand();
    }

    fn regexp(&mut self) {
        let mut is_class = false;
        while let Some(byte) = self.peek() {
            self.at += if byte == b'\\' { 2 } else { 1 };
            match byte {
                b'[' => is_class = true,
                b']' => is_class = false,
                b'/' if !is_class => break,
                b'\n' => break,
                _ => {}
            }
        }
        self.operand();
    }

    /// The text of a template, up to its end or to an expression in it.
    fn template(&mut self) {
        while let Some(byte) = self.peek() {
            self.at += if byte == b'\\' { 2 } else { 1 };
            match byte {
                b'`' => break,
                b'$' if self.peek() == Some(b'{') => {
                    self.at += 1;
                    return self.begin(b'`');
                }
                _ => {}
            }
        }
        self.operand();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the text needs when it is repeated, in units of an operator.
    #[track_caller]
    fn check(open: &str, close: &str, times: usize, at_least: usize, at_most: usize) {
        let text = format!("{}1{}", open.repeat(times), close.repeat(times));
        let units = stack_needed(&text) / OPERATOR;
        assert!((at_least..=at_most).contains(&units), "{open}...{close}: {units}");
    }

    #[test]
    fn counts_what_is_nested() {
        let deep = 1000 * (EXPRESSION / OPERATOR);
        for (open, close) in [("[", "]"), ("({a:", "})"), ("(", ")"), ("(function(){return ", "})()"), ("`${", "}`")] {
            check(open, close, 1000, deep, 5 * deep);
        }
        for open in ["!", "- ", "a=", "a?b:", "x=>", "typeof ", "if(a)", "for(;;)", "1+", "a.", "f()."] {
            check(open, "", 3000, 3000, 3 * 3000 * (EXPRESSION / OPERATOR));
        }
        check("if(a){}else ", "", 3000, 3000, 60_000);
        check("", "()", 3000, 3000, 6000);
    }

    #[test]
    fn what_is_not_nested_counts_once() {
        let few = 3 * EXPRESSION / OPERATOR;
        for text in [
            "a = b + c;\n",
            "a = b + c\n",
            "f(1, 2)\n",
            "// ((((\n",
            "/* ((( */",
            "x = '((((';",
            "x = \"\\\"((((\";",
            "x = /[(/(]((/;\n",
            "x = `((${1}((`;",
            "if (a) { b() }\n",
            "function f() { return 1 }\n",
            "function f() { return 1 } ",
            "class A { a() { return 1 } get b() { return 2 } }\n",
            "const f = () => { return { a: 1 } }\n",
            "try { f() } catch { g() } finally { h() }\n",
            "x = a / b / 2;\n",
        ] {
            check(text, "", 3000, 0, few + 20);
        }
        check("[1,2,3],[1,2,3],", "", 3000, 3000, 10_000);
        let list = format!("x = [{}]", "{\"a\": [1, 2]},\n".repeat(100_000));
        assert!(stack_needed(&list) < 6 * EXPRESSION);
        assert_eq!(stack_needed("((("), 0);
    }
}
