//! What of the language is ours on QuickJS: regular expressions that take a time that grows with the text, the texts of
//! dates, the order of words, the texts of functions.
//!
//! QuickJS makes the functions of such a table when they are first touched, so they cost a VU that doesn't nothing.

use std::cell::OnceCell;
use std::rc::Rc;

use super::ffi::{Atom, Borrowed, Context, LateGroup, MethodEntry, NativeCall, NativeFunction, Owned, Thrown, entry};
use super::realm::put;
use super::{errors, source_texts};
use crate::js::language::regexp::{self, Captures, Flags, MatchError, Program};
use crate::js::language::{collation, dates};
use crate::js::value::Throw;

static REGEXP: [MethodEntry; 1] = [entry::<Exec>(c"exec", 1, 0)];
static STRING: [MethodEntry; 1] = [entry::<LocaleCompare>(c"localeCompare", 1, 0)];
static DATE: [MethodEntry; 5] = [
    entry::<PrintDate>(c"toString", 0, 0),
    entry::<PrintDate>(c"toTimeString", 0, 1),
    entry::<PrintDate>(c"toLocaleString", 0, 2),
    entry::<PrintDate>(c"toLocaleDateString", 0, 3),
    entry::<PrintDate>(c"toLocaleTimeString", 0, 4),
];
static FUNCTION: [MethodEntry; 1] = [entry::<FunctionText>(c"toString", 0, 0)];
/// What the methods of [`DATE`] print, by the number they are called with.
const DATE_FORMS: [dates::Form; 5] =
    [dates::Form::Full, dates::Form::Time, dates::Form::Locale, dates::Form::LocaleDate, dates::Form::LocaleTime];

/// What is kept of the engine's own for these methods: scripts may replace what they see of it.
#[derive(Default)]
pub struct Originals {
    functions: OnceCell<FunctionOriginals>,
    regexps: OnceCell<RegExpOriginals>,
    /// `Date.prototype.getTime`
    time: OnceCell<Owned>,
}

/// As above, of functions.
struct FunctionOriginals {
    /// `Function.prototype.toString`, which gives a mark where the text is in the module's.
    text: Owned,
    /// The getter of the file a function is in.
    file: Owned,
}

/// As above, of regular expressions.
struct RegExpOriginals {
    /// `RegExp.prototype.exec`
    exec: Owned,
    /// The name `lastIndex`.
    last_index: Atom,
    /// The getters of a RegExp, in the order of [`MEMBERS`].
    getters: Vec<Owned>,
}

/// The members of a RegExp that are looked at: its source, and the flags that matter.
const MEMBERS: [&str; 9] =
    ["source", "global", "sticky", "ignoreCase", "multiline", "dotAll", "unicode", "hasIndices", "unicodeSets"];

/// Puts the methods in the place of the engine's.
pub fn install(context: Context) -> Result<(), Thrown> {
    let [string, function] = [prototype(context, "String")?, prototype(context, "Function")?];
    let originals = FunctionOriginals {
        text: context.get(&function, "toString")?,
        file: context.own_getter(&function, "fileName")?,
    };
    let _ = context.state().extras.originals.functions.set(originals);
    context.replace_methods(&string, &STRING)?;
    context.replace_methods(&function, &FUNCTION)
}

/// As [`install`], of objects that are made only now.
pub fn install_late(context: Context, group: LateGroup) -> Result<(), Thrown> {
    let originals = &context.state().extras.originals;
    match group {
        LateGroup::Date => {
            let date = prototype(context, "Date")?;
            let _ = originals.time.set(context.get(&date, "getTime")?);
            context.replace_methods(&date, &DATE)
        }
        LateGroup::RegExp => {
            let regexp = prototype(context, "RegExp")?;
            let _ = originals.regexps.set(RegExpOriginals {
                exec: context.get(&regexp, "exec")?,
                last_index: context.atom("lastIndex"),
                getters: MEMBERS.iter().map(|name| context.own_getter(&regexp, *name)).collect::<Result<_, _>>()?,
            });
            context.replace_methods(&regexp, &REGEXP)
        }
        LateGroup::MapSet | LateGroup::TypedArrays => Ok(()),
    }
}

/// The prototype of a class of the global object's.
fn prototype(context: Context, class: &str) -> Result<Owned, Thrown> {
    context.get_or_undefined(&context.get(&context.global(), class)?, "prototype")
}

/// What [`install`] has kept of something.
fn kept<'a, T>(context: &'a Context, of: impl Fn(&'a Originals) -> &'a OnceCell<T>) -> Result<&'a T, Thrown> {
    let missing = || errors::throw(*context, Throw::type_error("the realm is not ready"));
    of(&context.state().extras.originals).get().ok_or_else(missing)
}

// Functions --------------------------------------------------------------------------------------------------------

/// `function.toString()`: of the code of scripts, which VUs keep no text of, it is in the one text all of them share.
struct FunctionText;

impl NativeFunction for FunctionText {
    fn call(call: &NativeCall<'_>) -> Result<Owned, Thrown> {
        let (context, originals) = (call.context, kept(&call.context, |originals| &originals.functions)?);
        let text = context.call(&originals.text, call.this, &[])?;
        let Some(place) = context.with_text(text.borrow(), source_texts::place)? else { return Ok(text) };
        let file = context.call(&originals.file, call.this, &[])?;
        let file = context.text_or_empty(file.borrow());
        context.state().host.text_part(&file, place).map_or(Ok(text), |text| context.string(&text))
    }
}

// Dates and words --------------------------------------------------------------------------------------------------

/// A date as text.
struct PrintDate;

impl NativeFunction for PrintDate {
    fn call(call: &NativeCall<'_>) -> Result<Owned, Thrown> {
        let context = call.context;
        // The getter of the time throws for what is no date.
        let time = context.call(kept(&context, |originals| &originals.time)?, call.this, &[])?;
        context.string(&dates::print(context.to_number(&time)?, DATE_FORMS[call.magic as usize]))
    }
}

/// `a.localeCompare(b)`
struct LocaleCompare;

impl NativeFunction for LocaleCompare {
    fn call(call: &NativeCall<'_>) -> Result<Owned, Thrown> {
        let context = call.context;
        if call.this.is_nullish() {
            let text = "null or undefined has no localeCompare";
            return Err(errors::throw(context, Throw::type_error(text)));
        }
        let order =
            context.with_text(call.this, |a| context.with_text(call.arg(0), |b| collation::compare_utf8(a, b)))??;
        Ok(context.number(f64::from(order as i32)))
    }
}

// Regular expressions ----------------------------------------------------------------------------------------------

/// Steps of QuickJS' matcher between two of its questions whether to go on.
const SLICE: u64 = 10_000;
/// Steps it may take for each character of a text; more than that is more than a sound pattern takes.
const STEPS_PER_UNIT: u64 = 32;

/// `pattern.exec(text)`: QuickJS' own, until it takes too long.
struct Exec;

impl NativeFunction for Exec {
    fn call(call: &NativeCall<'_>) -> Result<Owned, Thrown> {
        let (context, this) = (call.context, call.this);
        let RegExpOriginals { exec, last_index, .. } = kept(&context, |originals| &originals.regexps)?;
        if !this.is_regexp() {
            return context.call(exec, this, &[call.arg(0)]);
        }
        let text = context.to_string(call.arg(0))?;
        let slices = &context.state().extras.regexp_slices;
        // A place that is no number is made one by a script's own code, which is not what is measured.
        if context.get(this, last_index)?.borrow().is_int() {
            let len = context.length(&text)?;
            slices.set(Some((len.max(0) as u64 * STEPS_PER_UNIT / SLICE) as u32 + 1));
        }
        let result = context.call(exec, this, &[text.borrow()]);
        let took_too_long = slices.replace(None) == Some(0);
        if !took_too_long || result.is_ok() {
            return result;
        }
        context.ok(result);
        match program(context, this) {
            Some((program, flags)) if program.is_linear => linear(context, this, &text, &program, &flags),
            _ => context.call(exec, this, &[text.borrow()]),
        }
    }
}

/// Which of [`MEMBERS`] a RegExp has.
type RegExpFlags = [bool; 9];

/// The program of a RegExp, and its flags.
fn program(context: Context, this: Borrowed<'_>) -> Option<(Rc<Program>, RegExpFlags)> {
    let getters = &context.ok(kept(&context, |originals| &originals.regexps))?.getters;
    let call = |getter: &Owned| context.ok(context.call(getter, this, &[]));
    let mut given = [false; 9];
    for (given, getter) in given.iter_mut().zip(getters).skip(1) {
        *given = context.to_bool(&call(getter)?);
    }
    let [_, _, _, ignore_case, multiline, dot_all, unicode, _, has_sets] = given;
    if has_sets {
        return None;
    }
    let source = call(getters.first()?)?;
    let units = context.ok(context.utf16(&source))?;
    let program = regexp::program(&units, Flags { ignore_case, multiline, dot_all, unicode })?;
    Some((program, given))
}

/// `pattern.exec(text)` by our own matcher.
fn linear(
    context: Context,
    this: Borrowed<'_>,
    text: &Owned,
    program: &Program,
    given: &RegExpFlags,
) -> Result<Owned, Thrown> {
    let [_, is_global, is_sticky, _, _, _, _, has_indices, _] = *given;
    let units = context.utf16(text)?;
    let keeps_place = is_global || is_sticky;
    let mut start = 0.0;
    if keeps_place {
        start = context.to_number(&context.get(this, "lastIndex")?)?.max(0.0);
    }
    let set_place = |place: usize| {
        if keeps_place { context.set(this, "lastIndex", context.number(place as f64)) } else { Ok(()) }
    };
    let host = &context.state().host;
    let found = if start > units.len() as f64 {
        Ok(None)
    } else {
        regexp::find(program, &units[..], start as usize, is_sticky, &mut || host.may_continue())
    };
    match found {
        Ok(Some(groups)) => {
            set_place(groups.first().copied().flatten().map_or(0, |(_, end)| end))?;
            result(context, text, &units, program, (&groups, has_indices))
        }
        Ok(None) => {
            set_place(0)?;
            Ok(context.null())
        }
        Err(MatchError::Stopped) => Err(errors::throw(context, Throw::Stop)),
        Err(MatchError::TooLarge) => {
            let message = "the regular expression needs too much memory for this text".to_owned();
            Err(errors::throw(context, Throw::Error { class: "RangeError", message }))
        }
    }
}

/// Where a group has matched.
type GroupSpan = Option<(usize, usize)>;

/// What `exec` returns for a match.
fn result(
    context: Context,
    text: &Owned,
    units: &[u16],
    program: &Program,
    (groups, has_indices): (&Captures, bool),
) -> Result<Owned, Thrown> {
    let piece = |group: &GroupSpan| match group {
        Some((from, to)) => context.string_of_utf16(&units[*from..*to]),
        None => Ok(context.undefined()),
    };
    let pair = |group: &GroupSpan| match group {
        Some((from, to)) => {
            let pair = context.array()?;
            context.define_index(&pair, 0, context.number(*from as f64))?;
            context.define_index(&pair, 1, context.number(*to as f64))?;
            Ok(pair)
        }
        None => Ok(context.undefined()),
    };
    let index = groups.first().copied().flatten().map_or(0, |(from, _)| from);
    let list = list(context, groups, piece)?;
    put(context, &list, "index", context.number(index as f64))?;
    put(context, &list, "input", context.own(text))?;
    put(context, &list, "groups", named(context, program, groups, piece)?)?;
    if has_indices {
        let indices = self::list(context, groups, pair)?;
        put(context, &indices, "groups", named(context, program, groups, pair)?)?;
        put(context, &list, "indices", indices)?;
    }
    Ok(list)
}

/// A list with something made of each group.
fn list(
    context: Context,
    groups: &Captures,
    make: impl Fn(&GroupSpan) -> Result<Owned, Thrown>,
) -> Result<Owned, Thrown> {
    let list = context.array()?;
    for (at, group) in groups.iter().enumerate() {
        context.define_index(&list, at as u32, make(group)?)?;
    }
    Ok(list)
}

/// An object with something made of each group that has a name; `undefined` where none has.
fn named(
    context: Context,
    program: &Program,
    groups: &Captures,
    make: impl Fn(&GroupSpan) -> Result<Owned, Thrown>,
) -> Result<Owned, Thrown> {
    if program.names.is_empty() {
        return Ok(context.undefined());
    }
    let object = context.bare_object()?;
    for (name, number) in &program.names {
        put(context, &object, name, make(&groups[*number as usize])?)?;
    }
    Ok(object)
}
