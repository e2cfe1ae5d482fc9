//! Boa behind the seam: one context per VU; all contexts of a worker share one garbage-collected heap.
//!
//! A VU gives its neighbours a turn whenever it calls a native function; what calls none ends when its VU has to stop
//! ([`limits`]). JSON does not go through Boa's own `JSON.parse`: ours builds values straight from the text.

mod buffers;
mod bytes_text;
mod convert;
mod direct;
mod errors;
mod json;
mod json_text;
mod language;
mod limits;
mod memory;
mod modules;
mod names;
mod nesting;
mod promises;
mod realm;
mod reviver;
mod scope;
mod split;
mod strings;

pub use self::memory::{given, make_room, set_given, weigh};
pub use self::names::{Suspended, goes_on, suspends};
pub use self::realm::Boa;

/// Read of what a `catch` gets: a `TypeError` then says what it is about.
pub const ON_CATCH: &str = "$explained";
