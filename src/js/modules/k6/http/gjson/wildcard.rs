//! Names with `*` (any text) and `?` (any one character).

use super::budget;

/// Steps between two checks of the budget.
const STEPS: usize = 4096;

/// One element of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Sign(char),
    AnySign,
    AnyText,
}

/// What a name has to look like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wildcard {
    pieces: Vec<Piece>,
}

impl Wildcard {
    /// Reads a pattern in which `\` takes the next character literally.
    pub fn parse(text: &str) -> Self {
        let mut pattern = Self::default();
        let mut signs = text.chars();
        while let Some(sign) = signs.next() {
            match sign {
                '*' => pattern.any_text(),
                '?' => pattern.any_sign(),
                '\\' => signs.next().into_iter().for_each(|sign| pattern.sign(sign)),
                sign => pattern.sign(sign),
            }
        }
        pattern
    }

    /// Exactly this character comes next.
    pub fn sign(&mut self, sign: char) {
        self.pieces.push(Piece::Sign(sign));
    }

    /// Any character comes next.
    pub fn any_sign(&mut self) {
        self.pieces.push(Piece::AnySign);
    }

    /// Any number of characters come next.
    pub fn any_text(&mut self) {
        self.pieces.push(Piece::AnyText);
    }

    /// True if the whole text fits. Takes at most the product of both lengths.
    pub fn matches(&self, text: &str) -> bool {
        let (mut at, mut rest) = (0, text.chars());
        // The last `*`, and the text behind which it is tried to end next.
        let mut star: Option<(usize, std::str::Chars<'_>)> = None;
        let mut steps = 0usize;
        loop {
            steps += 1;
            if steps.is_multiple_of(STEPS) && !budget::read(STEPS) {
                return false;
            }
            let mut ahead = rest.clone();
            match (self.pieces.get(at), ahead.next()) {
                (None, None) => return true,
                (Some(Piece::AnyText), _) => {
                    star = Some((at, rest.clone()));
                    at += 1;
                    continue;
                }
                (Some(Piece::AnySign), Some(_)) => {}
                (Some(Piece::Sign(wanted)), Some(sign)) if *wanted == sign => {}
                _ => {
                    let Some((from, tried)) = &mut star else { return false };
                    if tried.next().is_none() {
                        return false;
                    }
                    at = *from + 1;
                    rest = tried.clone();
                    continue;
                }
            }
            at += 1;
            rest = ahead;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit() {
        let check = |pattern: &str, text: &str, expect: bool| {
            assert_eq!(Wildcard::parse(pattern).matches(text), expect, "{pattern} {text}");
        };
        check("abc", "abc", true);
        check("abc", "abcd", false);
        check("a*c", "abbbc", true);
        check("a*c", "ac", true);
        check("a*c*", "abcbcd", true);
        check("*b", "aab", true);
        check("*b", "aabc", false);
        check("a?c", "aéc", true);
        check("a?c", "ac", false);
        check("a\\*c", "a*c", true);
        check("a\\*c", "abc", false);
        check("", "", true);
        check("*", "", true);
    }
}
