//! What may have been meant by a name that is unknown.

/// The name among `known` that is most like `name`, if it is so much like it that it may have been meant. Upper and lower
/// case are alike.
pub fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let most = match name.chars().count() {
        0..=1 => 0,
        2..5 => 1,
        5..12 => 2,
        _ => 3,
    };
    let folded = name.to_lowercase();
    let distance = |other: &str| strsim::osa_distance(&folded, &other.to_lowercase());
    let known = known.into_iter().filter(|known| *known != name);
    let (distance, near) = known.map(|known| (distance(known), known)).min_by_key(|(distance, _)| *distance)?;
    (distance <= most).then_some(near)
}

/// A hint with [`nearest`]'s answer.
pub fn did_you_mean<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<String> {
    nearest(name, known).map(|near| format!("did you mean `{near}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_much_alike() {
        let check = |name: &str, expect: Option<&str>| {
            let known = ["k6", "k6/http", "k6/html", "check", "group", "sleep", "http_req_duration", "httpDebug"];
            assert_eq!(nearest(name, known), expect, "{name}");
        };
        check("k6/htp", Some("k6/http"));
        check("k6/htt", Some("k6/http"));
        check("cheek", Some("check"));
        check("chekc", Some("check"));
        check("slep", Some("sleep"));
        check("Check", Some("check"));
        check("httpdebug", Some("httpDebug"));
        check("http_req_duraton", Some("http_req_duration"));
        check("http_reqs_durations", Some("http_req_duration"));
        check("check", None);
        check("nope", None);
        check("k6/zzz", None);
        check("", None);
        check("x", None);
    }
}
