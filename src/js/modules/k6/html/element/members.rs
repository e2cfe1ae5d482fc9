//! What elements of certain names answer besides what all do: one table, and how each kind of entry is read.

use super::{Element, control, link, table};
use crate::js::value::Value;

/// How a method answers.
#[derive(Clone, Copy)]
enum Member {
    /// The attribute's text, empty where it is missing.
    Text(&'static str),
    /// The attribute, resolved against the address of the document.
    Url(&'static str),
    /// The attribute's whole number, or the default.
    Int(&'static str, i64),
    /// Whether the attribute is there.
    Bool(&'static str),
    /// One of these words, the first where it is another or missing.
    Word(&'static str, &'static [&'static str]),
    /// As `Word`, but undefined where the attribute is missing.
    WordOrNothing(&'static str, &'static [&'static str]),
    /// Always the same text.
    Always(&'static str),
    /// Something to be found out.
    Call(fn(&Element) -> Value),
}

use Member::{Always, Bool, Call, Int, Text, Url, Word, WordOrNothing};

const REFERRER: Member = Word(
    "referrerpolicy",
    &["", "no-referrer", "no-referrer-when-downgrade", "origin", "origin-when-cross-origin", "unsafe-url"],
);
const CROSS_ORIGIN: Member = WordOrNothing("crossorigin", &["anonymous", "use-credentials"]);
const ENCODING: Member = Word("enctype", &["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"]);
const ON_OFF: Member = Word("autocomplete", &["on", "off"]);
const BUTTON_TYPES: &[&str] = &["submit", "button", "menu", "reset"];
const INPUT_TYPES: &[&str] = &[
    "text",
    "button",
    "checkbox",
    "color",
    "date",
    "datetime-local",
    "email",
    "file",
    "hidden",
    "image",
    "month",
    "number",
    "password",
    "radio",
    "range",
    "reset",
    "search",
    "submit",
    "tel",
    "time",
    "url",
    "week",
];

/// Methods and how they answer.
type Members = &'static [(&'static str, Member)];

/// The members by the names of the elements that have them.
#[rustfmt::skip]
const MEMBERS: &[(&[&str], Members)] = &[
    (&["a", "area"], &[
        ("download", Text("download")), ("referrerPolicy", REFERRER), ("rel", Text("rel")), ("href", Url("href")),
        ("target", Text("target")), ("type", Text("type")), ("accessKey", Text("accesskey")),
        ("hrefLang", Text("hreflang")), ("toString", Url("href")), ("hash", Call(link::hash)),
        ("host", Call(link::host)), ("hostname", Call(link::hostname)), ("port", Call(link::port)),
        ("username", Call(link::username)), ("password", Call(link::password)), ("origin", Call(link::origin)),
        ("pathname", Call(link::pathname)), ("protocol", Call(link::protocol)), ("relList", Call(link::rel_list)),
        ("search", Call(link::search)), ("text", Call(control::text)),
    ]),
    (&["audio", "video"], &[
        ("autoplay", Bool("autoplay")), ("controls", Bool("controls")), ("loop", Bool("loop")), ("muted", Bool("muted")),
        ("preload", Word("preload", &["auto", "metadata", "none"])), ("src", Url("src")), ("crossOrigin", CROSS_ORIGIN),
        ("currentSrc", Url("src")), ("defaultMuted", Bool("muted")), ("mediaGroup", Text("mediagroup")),
        ("textTracks", Call(control::text_tracks)),
    ]),
    (&["base"], &[("href", Call(link::base)), ("target", Text("target"))]),
    (&["button"], &[
        ("form", Call(control::form)), ("formAction", Call(control::form_action)),
        ("formEnctype", Call(control::form_encoding)), ("formMethod", Call(control::form_method)),
        ("formNoValidate", Call(control::form_no_validate)), ("formTarget", Call(control::form_target)),
        ("labels", Call(control::labels)), ("name", Text("name")), ("accessKey", Text("accesskey")),
        ("autofocus", Bool("autofocus")), ("disabled", Bool("disabled")), ("tabIndex", Int("tabindex", 0)),
        ("type", Word("type", BUTTON_TYPES)), ("value", Call(control::button_value)),
    ]),
    (&["canvas"], &[("width", Int("width", 150)), ("height", Int("height", 150))]),
    (&["col", "colgroup"], &[("span", Int("span", 1))]),
    (&["data"], &[("value", Text("value"))]),
    (&["datalist"], &[("options", Call(control::options))]),
    (&["del", "ins"], &[("cite", Text("cite")), ("datetime", Text("datetime"))]),
    (&["embed"], &[
        ("height", Text("height")), ("width", Text("width")), ("src", Url("src")), ("type", Text("type")),
    ]),
    (&["fieldset"], &[
        ("disabled", Bool("disabled")), ("name", Text("name")), ("form", Call(control::form)),
        ("type", Always("fieldset")), ("elements", Call(control::elements)), ("validity", Call(control::nothing)),
    ]),
    (&["form"], &[
        ("action", Url("action")), ("name", Text("name")), ("target", Text("target")), ("enctype", ENCODING),
        ("encoding", ENCODING), ("acceptCharset", Text("accept-charset")), ("autocomplete", ON_OFF),
        ("noValidate", Bool("novalidate")), ("elements", Call(control::elements)), ("length", Call(control::length)),
        ("method", Call(control::method)),
    ]),
    (&["iframe"], &[
        ("allowfullscreen", Bool("allowfullscreen")), ("referrerPolicy", REFERRER), ("height", Text("height")),
        ("width", Text("width")), ("name", Text("name")), ("src", Url("src")),
    ]),
    (&["img"], &[
        ("currentSrc", Url("src")), ("sizes", Text("sizes")), ("srcset", Text("srcset")), ("alt", Text("alt")),
        ("crossOrigin", CROSS_ORIGIN), ("height", Int("height", 0)), ("width", Int("width", 0)), ("isMap", Bool("ismap")),
        ("name", Text("name")), ("src", Url("src")), ("useMap", Text("usemap")), ("referrerPolicy", REFERRER),
    ]),
    (&["input"], &[
        ("form", Call(control::form)), ("formAction", Call(control::form_action)),
        ("formEnctype", Call(control::form_encoding)), ("formMethod", Call(control::form_method)),
        ("formNoValidate", Call(control::form_no_validate)), ("formTarget", Call(control::form_target)),
        ("labels", Call(control::labels)), ("name", Text("name")), ("accept", Text("accept")),
        ("accessKey", Text("accesskey")), ("alt", Text("alt")), ("autocomplete", ON_OFF),
        ("autofocus", Bool("autofocus")), ("checked", Bool("checked")), ("defaultChecked", Bool("checked")),
        ("defaultValue", Text("value")), ("dirName", Text("dirname")), ("disabled", Bool("disabled")),
        ("height", Text("height")), ("list", Call(control::data_list)), ("max", Text("max")),
        ("maxLength", Int("maxlength", -1)), ("min", Text("min")), ("multiple", Bool("multiple")),
        ("pattern", Text("pattern")), ("placeholder", Text("placeholder")), ("readonly", Bool("readonly")),
        ("required", Bool("required")), ("size", Int("size", 0)), ("src", Url("src")), ("step", Text("step")),
        ("tabIndex", Int("tabindex", 0)), ("type", Word("type", INPUT_TYPES)), ("value", Text("value")),
        ("width", Text("width")),
    ]),
    (&["keygen"], &[
        ("autofocus", Bool("autofocus")), ("challenge", Text("challenge")), ("disabled", Bool("disabled")),
        ("keytype", Word("keytype", &["RSA", "DSA", "EC"])), ("name", Text("name")), ("type", Always("keygen")),
        ("form", Call(control::form)), ("labels", Call(control::labels)),
    ]),
    (&["label"], &[
        ("htmlFor", Text("for")), ("control", Call(control::labelled)), ("form", Call(control::form_of_labelled)),
    ]),
    (&["legend"], &[("accessKey", Text("accesskey")), ("form", Call(control::form_of_legend))]),
    (&["li"], &[
        ("value", Int("value", 0)), ("type", Word("type", &["", "1", "a", "A", "i", "I", "disc", "square", "circle"])),
    ]),
    (&["link"], &[
        ("crossOrigin", CROSS_ORIGIN), ("referrerPolicy", REFERRER), ("href", Url("href")),
        ("hreflang", Text("hreflang")), ("media", Text("media")), ("rel", Text("rel")),
        ("relList", Call(link::rel_list)), ("target", Text("target")), ("type", Text("type")),
    ]),
    (&["map"], &[("name", Text("name")), ("areas", Call(control::areas)), ("images", Call(control::images))]),
    (&["meta"], &[
        ("content", Text("content")), ("name", Text("name")),
        ("httpEquiv", Word("http-equiv", &["content-type", "default-style", "refresh"])),
    ]),
    (&["meter"], &[
        ("min", Int("min", 0)), ("max", Int("max", 0)), ("high", Int("high", 0)), ("low", Int("low", 0)),
        ("optimum", Int("optimum", 0)), ("labels", Call(control::labels)),
    ]),
    (&["object"], &[
        ("data", Url("data")), ("height", Text("height")), ("name", Text("name")), ("type", Text("type")),
        ("tabIndex", Int("tabindex", 0)), ("typeMustMatch", Bool("typemustmatch")), ("useMap", Text("usemap")),
        ("width", Text("width")), ("form", Call(control::form)),
    ]),
    (&["ol"], &[
        ("reversed", Bool("reversed")), ("start", Int("start", 0)), ("type", Word("type", &["1", "a", "A", "i", "I"])),
    ]),
    (&["optgroup"], &[("disabled", Bool("disabled")), ("label", Text("label"))]),
    (&["option"], &[
        ("defaultSelected", Bool("selected")), ("selected", Bool("selected")), ("disabled", Call(control::option_disabled)),
        ("form", Call(control::form_of_option)), ("index", Call(control::option_index)), ("label", Call(control::option_label)),
        ("text", Call(control::text)), ("value", Call(control::option_value)),
    ]),
    (&["output"], &[
        ("htmlFor", Text("for")), ("name", Text("name")), ("type", Always("output")), ("form", Call(control::form)),
        ("labels", Call(control::labels)), ("value", Call(control::text)), ("defaultValue", Call(control::text)),
    ]),
    (&["param", "pre"], &[("name", Text("name")), ("value", Text("value"))]),
    (&["progress"], &[
        ("max", Call(control::progress_max)), ("value", Call(control::progress_value)),
        ("position", Call(control::progress_position)), ("labels", Call(control::labels)),
    ]),
    (&["q", "blockquote", "quote"], &[("cite", Text("cite"))]),
    (&["script"], &[
        ("crossOrigin", CROSS_ORIGIN), ("type", Text("type")), ("src", Url("src")), ("charset", Text("charset")),
        ("async", Bool("async")), ("defer", Bool("defer")), ("noModule", Bool("nomodule")), ("text", Call(control::text)),
    ]),
    (&["select"], &[
        ("autofocus", Bool("autofocus")), ("disabled", Bool("disabled")), ("multiple", Bool("multiple")),
        ("name", Text("name")), ("required", Bool("required")), ("tabIndex", Int("tabindex", 0)),
        ("form", Call(control::form)), ("labels", Call(control::labels)), ("length", Call(control::option_count)),
        ("options", Call(control::options)), ("selectedIndex", Call(control::selected_index)),
        ("selectedOptions", Call(control::selected_options)), ("size", Call(control::select_size)),
        ("type", Call(control::select_type)), ("value", Call(control::select_value)),
    ]),
    (&["source"], &[
        ("keySystem", Text("keysystem")), ("media", Text("media")), ("sizes", Text("sizes")), ("src", Url("src")),
        ("srcset", Text("srcset")), ("type", Text("type")),
    ]),
    (&["style"], &[("media", Text("media")), ("type", Call(control::style_type))]),
    (&["table"], &[
        ("sortable", Bool("sortable")), ("caption", Call(table::caption)), ("tHead", Call(table::head)),
        ("tFoot", Call(table::foot)), ("rows", Call(table::rows)), ("tBodies", Call(table::bodies)),
    ]),
    (&["tbody", "tfoot", "thead"], &[("rows", Call(table::rows))]),
    (&["td"], &[
        ("colSpan", Int("colspan", 1)), ("rowSpan", Int("rowspan", 1)), ("headers", Text("headers")),
        ("cellIndex", Call(table::cell_index)),
    ]),
    (&["textarea"], &[
        ("type", Always("textarea")), ("value", Text("value")), ("defaultValue", Text("value")),
        ("placeholder", Text("placeholder")), ("rows", Int("rows", 0)), ("cols", Int("cols", 0)),
        ("maxLength", Int("maxlength", 0)), ("tabIndex", Int("tabindex", 0)), ("accessKey", Text("accesskey")),
        ("readOnly", Bool("readonly")), ("required", Bool("required")), ("autocomplete", ON_OFF),
        ("autocapitalize", Word("autocapitalize", &["sentences", "none", "off", "characters", "words"])),
        ("wrap", Word("wrap", &["soft", "hard", "off"])), ("form", Call(control::form)),
        ("length", Call(control::text_length)), ("labels", Call(control::labels)), ("name", Text("name")),
        ("disabled", Bool("disabled")), ("autofocus", Bool("autofocus")),
    ]),
    (&["th"], &[
        ("colSpan", Int("colspan", 1)), ("rowSpan", Int("rowspan", 1)), ("headers", Text("headers")),
        ("cellIndex", Call(table::cell_index)), ("abbr", Text("abbr")),
        ("scope", Word("scope", &["", "row", "col", "colgroup", "rowgroup"])), ("sorted", Bool("sorted")),
    ]),
    (&["time"], &[("datetime", Text("datetime"))]),
    (&["title"], &[("text", Call(control::text))]),
    (&["tr"], &[
        ("cells", Call(table::cells)), ("rowIndex", Call(table::row_index)),
        ("sectionRowIndex", Call(table::section_row_index)),
    ]),
    (&["track"], &[
        ("kind", Word("kind", &["subtitle", "captions", "descriptions", "chapters", "metadata"])), ("src", Url("src")),
        ("srclang", Text("srclang")), ("label", Text("label")), ("default", Bool("default")),
    ]),
    (&["ul"], &[("type", Text("type"))]),
];

fn of(name: &str) -> Members {
    MEMBERS.iter().find(|(names, _)| names.contains(&name)).map_or(&[], |(_, members)| members)
}

/// The names of the methods that elements of this name have besides the common ones.
pub fn names(element: &str) -> impl Iterator<Item = &'static str> {
    of(element).iter().map(|(name, _)| *name)
}

/// Calls one of them; `None` where the element has no such method of its own.
pub(super) fn call(element: &Element, name: &str) -> Option<Value> {
    let (_, member) = of(element.document.name(element.node)).iter().find(|(known, _)| *known == name)?;
    let word = |value: &str, words: &[&'static str]| {
        let known = words.iter().find(|word| **word == value).or(words.first());
        Value::from(known.copied().unwrap_or_default())
    };
    Some(match member {
        Text(attribute) => element.text_of(attribute).into(),
        Url(attribute) => link::resolved(element, attribute).into(),
        Int(attribute, default) => {
            let number = element.attribute(attribute).and_then(|text| text.parse::<i64>().ok()).unwrap_or(*default);
            Value::Number(number as f64)
        }
        Bool(attribute) => element.has(attribute).into(),
        Word(attribute, words) => word(element.text_of(attribute), words),
        WordOrNothing(attribute, words) => match element.attribute(attribute) {
            Some(value) => word(value, words),
            None => Value::Undefined,
        },
        Always(text) => (*text).into(),
        Call(function) => function(element),
    })
}
