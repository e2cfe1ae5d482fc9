//! Assembles the page from its HTML, style, script and document.

/// Where the page's document comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageMode {
    /// From the page itself.
    File,
    /// From the page, then again and again from the server that sent it.
    Live,
}

const HTML: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
/// One function in seven files, in this order: the first opens it, the last closes it.
const SCRIPT: &str = concat!(
    include_str!("page/elements.js"),
    include_str!("page/charts.js"),
    include_str!("page/tables.js"),
    include_str!("page/run.js"),
    include_str!("page/pages.js"),
    include_str!("page/procedure.js"),
    include_str!("page/page.js"),
);

/// The page of a document, given as JSON text; `title` is the title of the browser's tab until the page has been drawn.
pub fn page(document: &str, title: &str, mode: PageMode) -> String {
    let mode = match mode {
        PageMode::File => "file",
        PageMode::Live => "live",
    };
    let document = in_script(document);
    let title = in_text(title);
    let parts = [("mode", mode), ("title", &title), ("style", STYLE), ("document", &document), ("script", SCRIPT)];
    let mut page = String::with_capacity(HTML.len() + STYLE.len() + SCRIPT.len() + document.len());
    let mut rest = HTML;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").unwrap_or((after, ""));
        page.push_str(before);
        page.push_str(parts.iter().find(|(known, _)| *known == name).map_or("", |(_, text)| text));
        rest = after;
    }
    page.push_str(rest);
    page
}

/// JSON that can't end its `script` element: in JSON these characters occur only inside strings.
fn in_script(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

fn in_text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_document_becomes_markup() {
        let page = page(r#"{"url":"</script><script>alert(1)</script>{{style}}"}"#, "<b>&", PageMode::Live);
        assert!(
            page.contains(r#"{"url":"\u003c/script\u003e\u003cscript\u003ealert(1)\u003c/script\u003e{{style}}"}"#)
        );
        assert!(page.contains("<title>&lt;b&gt;&amp;</title>"));
        assert!(page.contains("data-mode=\"live\""));
        assert_eq!(page.matches("</script>").count(), 2);
    }

    #[test]
    fn nothing_is_loaded_from_elsewhere() {
        let text = page("{}", "", PageMode::File).replace("http://www.w3.org/2000/svg", "");
        for word in ["http:", "https:", "@import", "url(", "innerHTML", "document.write"] {
            assert!(!text.contains(word), "{word}");
        }
    }
}
