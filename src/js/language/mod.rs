//! What of the language is ours, because both engines do it otherwise than k6: regular expressions, dates, the order of words,
//! long pieces of JSON; or because one lacks it: bytes as text.

#[cfg_attr(not(feature = "boa"), expect(dead_code, reason = "QuickJS has them by itself"))]
pub mod bytes_text;
pub mod collation;
#[cfg_attr(not(any(feature = "boa", test)), expect(dead_code, reason = "QuickJS reads dates by itself"))]
pub mod date_text;
#[cfg_attr(not(feature = "boa"), expect(dead_code, reason = "QuickJS reads dates by itself"))]
pub mod dates;
pub mod json;
#[cfg_attr(not(feature = "boa"), expect(dead_code, reason = "QuickJS' own matcher can be interrupted"))]
pub mod regexp;
