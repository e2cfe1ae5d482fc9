//! What a VU needs of whoever loads modules: the part of [`Host`](crate::js::engine::Host) that is about code.

use std::any::Any;
use std::ops::Range;

use crate::js::engine::{ModuleCode, RegExpLiteral};
use crate::js::value::Throw;

/// Finds the modules of a run, for all of its VUs.
pub trait ModuleLoader: Any + Send + Sync {
    /// The address a specifier means in the module `referrer`.
    ///
    /// # Errors
    /// What the script sees when there is no such module.
    fn resolve(&self, specifier: &str, referrer: &str) -> Result<String, Throw>;
    /// What `import.meta.resolve(specifier)` answers in the module `referrer`.
    ///
    /// # Errors
    /// What the script sees when it means nothing.
    fn locate(&self, specifier: &str, referrer: &str) -> Result<String, Throw>;
    /// The module at an address [`ModuleLoader::resolve`] gave.
    ///
    /// # Errors
    /// What the script sees when it can't be read.
    fn load(&self, address: &str) -> Result<ModuleCode, Throw>;
    /// Modules could not be linked as they are; nothing of them ran.
    fn require_interop(&self);
    /// True if the file `from` is `to`, or asks for it over any number of others.
    fn reaches(&self, from: &str, to: &str) -> bool;
    /// The place in the file a person wrote of `URL:LINE:COLUMN`; `None` if it is the same.
    fn origin(&self, place: &str) -> Option<String>;
    /// What a `TypeError` at `place`, `URL:LINE:COLUMN` of the engine (`URL` where it knows no more), is about: its message
    /// with the name of what is missing. `None` where the text does not tell.
    fn explain(&self, function: &str, place: &str, message: &str) -> Option<String>;
    /// The line and column in the file a person wrote that an explained message is about, as `URL:LINE:COLUMN`, where the
    /// engine's own `place` has another line.
    fn explained_place(&self, place: &str, message: &str) -> Option<String>;
    /// Where a text that is no JSON breaks off, `URL:LINE:COLUMN`, if it is that of a file that was read.
    fn json_place(&self, text: &[u8]) -> Option<String>;
    /// Where functions are in the text an engine was given for `address`, in bytes.
    fn function_extents(&self, address: &str) -> Vec<Range<usize>>;
    /// A part of that text; `None` if there is none.
    fn text_part(&self, address: &str, part: Range<usize>) -> Option<String>;
    /// The regular expressions in the text an engine was given for `address`.
    fn regexp_literals(&self, address: &str) -> Vec<RegExpLiteral>;
}
