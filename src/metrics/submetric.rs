//! Selectors of metrics and sub-metrics: `http_req_duration{status:200, name:"home"}`.

use std::sync::Arc;

use super::tags::TagSet;

/// A metric expression, parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricSelector {
    /// As it is reported: as typed, without blanks next to the braces.
    pub name: Arc<str>,
    /// The metric it selects samples of.
    pub parent: Arc<str>,
    /// What stands between the braces; `None` for a whole metric.
    pub filter: Option<TagFilter>,
}

/// Which samples of the parent belong to a sub-metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagFilter {
    /// The text between the braces, as in `status:200`.
    pub suffix: Arc<str>,
    /// The tags a sample must carry, sorted by name.
    pub tags: Vec<(Arc<str>, Arc<str>)>,
}

impl TagFilter {
    /// Whether a sample with these tags belongs to it.
    pub fn matches(&self, tags: &TagSet) -> bool {
        self.tags.iter().all(|(key, value)| tags.get(key) == Some(value))
    }
}

impl MetricSelector {
    /// Parses a metric expression.
    ///
    /// # Errors
    /// k6's message for braces out of place and tags without a value.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (open, close) = match (text.find('{'), text.rfind('}')) {
            (None, None) => return Ok(Self { name: text.into(), parent: text.into(), filter: None }),
            (Some(open), Some(close)) => (open, close),
            _ => return Err(format!("metric \"{text}\" has unmatched opening/close curly brace")),
        };
        if close < open {
            return Err(format!("metric \"{text}\" closing curly brace appears before opening one"));
        }
        if close + 1 != text.len() {
            return Err(format!("metric \"{text}\" lacks a closing curly brace in its last position"));
        }
        let (parent, suffix) = (&text[..open], text[open + 1..close].trim());
        let mut tags: Vec<(Arc<str>, Arc<str>)> = Vec::new();
        for tag in suffix.split(',') {
            let (key, value) = tag.split_once(':').map_or((tag, ""), |(key, value)| (bare(key), bare(value)));
            if value.is_empty() {
                return Err(format!("metric \"{key}\" tag expression is malformed"));
            }
            match tags.binary_search_by(|(old, _)| (**old).cmp(key)) {
                Ok(at) => tags[at].1 = value.into(),
                Err(at) => tags.insert(at, (key.into(), value.into())),
            }
        }
        let name = format!("{parent}{{{suffix}}}").into();
        Ok(Self { name, parent: parent.into(), filter: Some(TagFilter { suffix: suffix.into(), tags }) })
    }
}

/// The text without outer blanks, then without one pair of quotes; blanks inside the quotes stay.
fn bare(text: &str) -> &str {
    let text = text.trim();
    let inside = |quote| text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    inside('"').or_else(|| inside('\'')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Interner;

    #[test]
    fn takes_names_apart() {
        let check = |input: &str, expect: &str| {
            let got = MetricSelector::parse(input).map(|selector| {
                let tags = selector.filter.into_iter().flat_map(|filter| filter.tags);
                let tags: Vec<_> = tags.map(|(key, value)| format!("{key}={value}")).collect();
                format!("{} | {} | {}", selector.name, selector.parent, tags.join(";"))
            });
            assert_eq!(got.unwrap_or_else(|error| error), expect, "{input}");
        };
        check("vus", "vus | vus | ");
        check("one{b:2,a:1}", "one{b:2,a:1} | one | a=1;b=2");
        check("two{ a : \"1\" }", "two{a : \"1\"} | two | a=1");
        check("six{k:v, j:w}", "six{k:v, j:w} | six | j=w;k=v");
        check("five{k:\" v \"}", "five{k:\" v \"} | five | k= v ");
        check("q{'k':'v'}", "q{'k':'v'} | q | k=v");
        check("u{u:http://e.com:80/a?b=c}", "u{u:http://e.com:80/a?b=c} | u | u=http://e.com:80/a?b=c");
        check("b{u:{id}}", "b{u:{id}} | b | u={id}");
        check("g{u:::a::b}", "g{u:::a::b} | g | u=::a::b");
        check("i{u:it's}", "i{u:it's} | i | u=it's");
        check("tt{par:1", "metric \"tt{par:1\" has unmatched opening/close curly brace");
        check("a}{b", "metric \"a}{b\" closing curly brace appears before opening one");
        check("m{a:b}c", "metric \"m{a:b}c\" lacks a closing curly brace in its last position");
        check("m{a}", "metric \"a\" tag expression is malformed");
        check("m{}", "metric \"\" tag expression is malformed");
        check("m{par:}", "metric \"par\" tag expression is malformed");
    }

    #[test]
    fn matches_samples_that_carry_all_its_tags() {
        let interner = Interner::default();
        let tags = interner.set([("a", "1"), ("b", "2"), ("group", "")]);
        let check = |selector: &str, expect: bool| {
            let filter = MetricSelector::parse(selector).unwrap().filter.unwrap();
            assert_eq!(filter.matches(&tags), expect, "{selector}");
        };
        check("m{a:1}", true);
        check("m{b:2,a:1}", true);
        check("m{a:2}", false);
        check("m{c:1}", false);
        check("m{a:1,c:1}", false);
    }
}
