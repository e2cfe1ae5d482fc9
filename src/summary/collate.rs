//! The order of names for people: blanks and signs, digits, letters whatever their case (root locale, in short).

use std::cmp::Ordering;

/// Compares two names as a reader would sort them: `_lead`, `alpha`, `Beta`, `gamma`, `gamma_10`, `gamma_2`, `gammas`.
pub fn compare(a: &str, b: &str) -> Ordering {
    let letters = a.chars().map(weight).cmp(b.chars().map(weight));
    // Between names that differ in case only, the small letter comes first.
    letters
        .then_with(|| a.chars().map(char::is_uppercase).cmp(b.chars().map(char::is_uppercase)))
        .then_with(|| a.cmp(b))
}

/// The primary order of a character.
fn weight(c: char) -> u32 {
    const SIGNS: &str = " _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789";
    match SIGNS.find(c) {
        Some(place) => place as u32,
        None => 0x100 + u32::from(c.to_lowercase().next().unwrap_or(c)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_by_locale_not_by_code() {
        let mut names = ["Zeta", "alpha", "Beta", "gamma_2", "gamma_10", "_lead", "gamma", "gammas", "delta", "Alpha"];
        names.sort_by(|a, b| compare(a, b));
        assert_eq!(
            names,
            ["_lead", "alpha", "Alpha", "Beta", "delta", "gamma", "gamma_10", "gamma_2", "gammas", "Zeta"]
        );
    }
}
