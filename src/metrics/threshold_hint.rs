//! What may have been meant by a threshold that can't be read.

use crate::units::nearest::nearest;

/// The aggregations there are.
const AGGREGATIONS: [&str; 7] = ["avg", "min", "max", "med", "count", "rate", "value"];
/// What others call them.
const ALIASES: [(&str, &str); 5] =
    [("mean", "avg"), ("average", "avg"), ("median", "med"), ("minimum", "min"), ("maximum", "max")];

/// One sentence about an expression that is none; `None` if it does not tell what was meant.
pub(super) fn hint(expression: &str) -> Option<String> {
    let text = expression.trim();
    if text.is_empty() {
        return Some("a threshold is a text such as 'p(95)<500', or an object with it as `threshold`".to_owned());
    }
    for (odd, right) in [("=<", "<="), ("=>", ">="), ("<>", "!=")] {
        if text.contains(odd) {
            return Some(format!("write `{}`", text.replacen(odd, right, 1)));
        }
    }
    let signs = ['<', '>', '=', '!'];
    let Some(at) = text.find(signs) else {
        return Some("a threshold is an aggregation, an operator and a number: 'p(95)<500', 'rate<0.01'".to_owned());
    };
    let (left, right) = (text[..at].trim(), text[at..].trim_start_matches(signs).trim());
    let is_percentile = left.strip_prefix('p').is_some_and(|rest| rest.starts_with('(') || rest.parse::<f64>().is_ok());
    if is_percentile || AGGREGATIONS.contains(&left) {
        return number_hint(right);
    }
    let alias = ALIASES.iter().find(|(alias, _)| alias.eq_ignore_ascii_case(left)).map(|(_, name)| *name);
    Some(match alias.or_else(|| nearest(left, AGGREGATIONS)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are {} and p(N)", AGGREGATIONS.join(", ")),
    })
}

/// About the right side: a number with a unit.
fn number_hint(right: &str) -> Option<String> {
    let unit = right.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let number: f64 = right.strip_suffix(unit)?.parse().ok()?;
    let portable = match unit.trim() {
        "ms" => number,
        "s" => number * 1000.0,
        "m" | "min" => number * 60_000.0,
        "%" => number / 100.0,
        _ => return None,
    };
    Some(format!("limits have no unit, times are in ms and rates from 0 to 1: write {portable}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_meant() {
        let check = |expression: &str, expect: Option<&str>| {
            assert_eq!(hint(expression).as_deref(), expect, "{expression}");
        };
        let unit = |number: &str| format!("limits have no unit, times are in ms and rates from 0 to 1: write {number}");
        check("p(95)<500ms", Some(&unit("500")));
        check("p95 < 2s", Some(&unit("2000")));
        check("avg < 1.5s", Some(&unit("1500")));
        check("rate<1%", Some(&unit("0.01")));
        check("p(95)=<500", Some("write `p(95)<=500`"));
        check("rate=>0.9", Some("write `rate>=0.9`"));
        check("mean<500", Some("did you mean `avg`?"));
        check("Median<500", Some("did you mean `med`?"));
        check("cuont<5", Some("did you mean `count`?"));
        check("latency<500", Some("there are avg, min, max, med, count, rate, value and p(N)"));
        check("p(95) is 5", Some("a threshold is an aggregation, an operator and a number: 'p(95)<500', 'rate<0.01'"));
        check("", Some("a threshold is a text such as 'p(95)<500', or an object with it as `threshold`"));
        check("avg<1e999", None);
        check("avg<five", None);
    }
}
