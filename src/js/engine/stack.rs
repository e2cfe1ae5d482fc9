//! Stack traces as k6 writes them, whatever the engine wrote: `\tat name (file:///script.js:12:5)`, one frame a
//! line, without frames of js-stdlib.

/// One frame of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The function; empty for top-level code and anonymous functions.
    pub function: &'a str,
    /// Where it is: `file:///script.js:12:5`, or `native`.
    pub place: &'a str,
}

/// Writes a trace: the first line, then the script's own frames, each at the place `origin` knows for it.
pub fn write<'a>(
    first: &str,
    frames: impl IntoIterator<Item = Frame<'a>>,
    mut origin: impl FnMut(&str) -> Option<String>,
) -> String {
    let mut text = first.to_owned();
    text.push('\n');
    for frame in frames {
        if !is_script(frame.place) {
            continue;
        }
        text.push_str("\tat ");
        // Boa writes so where it does not know.
        let place = frame.place.trim_end_matches(":?");
        let origin = origin(place);
        let place = origin.as_deref().unwrap_or(place);
        if frame.function.is_empty() {
            text.push_str(place);
        } else {
            text.push_str(frame.function);
            text.push_str(" (");
            text.push_str(place);
            text.push(')');
        }
        text.push('\n');
    }
    text
}

/// js-stdlib modules go by bare specifiers, those made for the user's by `volley:`; whatever the user wrote has a URL,
/// behind a source map one of any scheme.
fn is_script(place: &str) -> bool {
    place.starts_with("<eval>") || place.contains("://") && !place.starts_with("volley:")
}

/// Reads a line such as `    at name (file:///x.js:1:2)` or `    at file:///x.js:1:2`.
pub fn parse_line(line: &str) -> Option<Frame<'_>> {
    let rest = line.trim_start().strip_prefix("at ")?;
    match rest.strip_suffix(')').and_then(|rest| rest.rsplit_once(" (")) {
        Some((function, place)) => Some(Frame { function: plain(function), place }),
        None => Some(Frame { function: "", place: rest }),
    }
}

/// Engines name what has no name; k6 leaves it out.
fn plain(function: &str) -> &str {
    match function {
        "<anonymous>" | "<main>" | "<module>" | "anonymous" => "",
        name => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_frames_of_the_script() {
        let engine = "    at inner (file:///a.js:3:5)\n    at group (k6:10:3)\n    at <anonymous> (file:///a.js:7:1)\n    at native\n    at volley:here?file:///a.js:1:1\n";
        let text = write("Error: boom", engine.lines().filter_map(parse_line), |_| None);
        assert_eq!(text, "Error: boom\n\tat inner (file:///a.js:3:5)\n\tat file:///a.js:7:1\n");
        let text = write("Error", parse_line("\tat f (webpack:///./src/a.ts:3:4)"), |_| None);
        assert_eq!(text, "Error\n\tat f (webpack:///./src/a.ts:3:4)\n");
    }
}
