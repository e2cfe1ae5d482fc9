//! HTTP under load: URLs, headers, HTTP/1.1 and HTTP/2, cookies, redirects, authentication and codings.
//!
//! One job of [`crate::net::Client`] is one [`Request`]; it becomes one or more hops and one [`Exchange`].

pub mod body;
pub mod body_reader;
pub mod coding;
pub mod dump;
pub mod exchange;
pub mod h1;
pub mod h2;
pub mod head_buffer;
pub mod message;
pub mod pool;
mod pool_key;
pub mod progress;
pub mod proto;
pub mod timing;
pub mod unpack;

#[cfg(test)]
mod encrypted_tests;
#[cfg(any(test, fuzzing))]
pub mod fuzz_tests;
#[cfg(test)]
mod proxy_tests;
#[cfg(test)]
pub mod tests;

pub use coding::encode::{ContentCoding, compress};
pub use dump::{Dump, DumpLevel};
pub use message::{Auth, Body, BodyMode, Exchange, Hop, Protocol, Request};
pub use proto::cookies::{Cookie, CookieJar, RequestCookie};
pub use proto::headers::Headers;
pub use proto::url::Url;
