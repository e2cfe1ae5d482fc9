//! URL patterns: URLs that differ only in ids share one, and count as one endpoint.
//!
//! A path segment is an id if it contains a digit (versions such as `v2` do not count) or is very long; so is every value
//! of a query. Names that are not URLs were given by the script and stay as they are.

/// Stands in the place of an id.
pub const PLACEHOLDER: &str = "{…}";
/// A path segment of at least this many characters is an id, with or without digits.
const MIN_ID_LEN: usize = 24;

/// The URL with a placeholder for each id; `None` if the name is not a URL or has no ids.
pub fn pattern(name: &str) -> Option<String> {
    let rest = name.strip_prefix("http://").or_else(|| name.strip_prefix("https://"))?;
    let host = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (kept, rest) = name.split_at(name.len() - rest.len() + host);
    let rest = rest.split('#').next().unwrap_or_default();
    let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
    let parts: Vec<&str> = path.split('/').map(|part| if is_id(part) { PLACEHOLDER } else { part }).collect();
    let mut text = format!("{kept}{}", parts.join("/"));
    if let Some(query) = query {
        let pairs = query.split('&').map(|pair| match pair.split_once('=') {
            Some((key, value)) if !value.is_empty() => format!("{key}={PLACEHOLDER}"),
            _ => pair.to_owned(),
        });
        text = format!("{text}?{}", pairs.collect::<Vec<_>>().join("&"));
    }
    text.contains(PLACEHOLDER).then_some(text)
}

fn is_id(part: &str) -> bool {
    let is_version = part.strip_prefix('v').is_some_and(|rest| {
        (1..=4).contains(&rest.len()) && rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
    });
    !is_version && (part.len() >= MIN_ID_LEN || part.bytes().any(|byte| byte.is_ascii_digit()))
}

/// What two names of one pattern have in common, with a placeholder wherever they differ.
pub fn common(pattern: &str, one: &str, other: &str) -> String {
    const BETWEEN: [char; 5] = ['/', '?', '&', '=', '#'];
    let parts = |text: &str| text.split_inclusive(BETWEEN).map(str::to_owned).collect::<Vec<String>>();
    let (one, other) = (parts(one), parts(other));
    let same_ends = |(a, b): (&String, &String)| a.ends_with(BETWEEN) == b.ends_with(BETWEEN);
    if one.len() != other.len() || !one.iter().zip(&other).all(same_ends) {
        return pattern.to_owned();
    }
    let mut text = String::new();
    for (one, other) in one.iter().zip(&other) {
        match one == other {
            true => text.push_str(one),
            false => {
                text.push_str(PLACEHOLDER);
                text.extend(one.chars().last().filter(|last| BETWEEN.contains(last)));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_holes() {
        let check = |name: &str, expect: &str| assert_eq!(pattern(name).unwrap_or_default(), expect, "{name}");
        check("http://x:80/items/123", "http://x:80/items/{…}");
        check("https://x/api/v2/items/9f-3/parts", "https://x/api/v2/items/{…}/parts");
        check("http://x/search?q=shoes&page=2", "http://x/search?q={…}&page={…}");
        check("http://x/articles/how-to-write-a-good-article", "http://x/articles/{…}");
        check("http://127.0.0.1:8080/items?all", "");
        check("http://x/api/v2/items", "");
        check("http://x", "");
        check("item 5", "");
        check("/package.Service1/Method2", "");
    }

    #[test]
    fn what_all_names_share_stays() {
        let check = |one: &str, other: &str, expect: &str| {
            assert_eq!(common(&pattern(one).unwrap_or_default(), one, other), expect);
        };
        check("http://x/shop7/items/1", "http://x/shop7/items/2", "http://x/shop7/items/{…}");
        check("http://x/shop7/items/{…}", "http://x/shop8/items/2", "http://x/{…}/items/{…}");
        check("http://x/a?page=1&size=20", "http://x/a?page=2&size=20", "http://x/a?page={…}&size=20");
        check("http://x/a?q=1", "http://x/a?q=1/2", "http://x/a?q={…}");
    }
}
