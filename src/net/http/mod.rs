//! HTTP under load: URLs, headers, HTTP/1.1 and HTTP/2, cookies, redirects, authentication and codings.
//!
//! One job of [`crate::net::Client`] is one [`Request`]; it becomes one or more hops and one [`Exchange`].

pub mod auth;
pub mod body;
pub mod chunked;
pub mod compress;
pub mod cookies;
pub mod decode;
pub mod dump;
pub mod error;
pub mod exchange;
pub mod h1;
pub mod h2;
pub mod headers;
mod inflate;
pub mod message;
pub mod ntlm;
pub mod pool;
pub mod redirect;
pub mod timing;
pub mod unpack;
mod unzstd;
pub mod url;
pub mod wire;

#[cfg(test)]
mod encrypted_tests;
#[cfg(any(test, fuzzing))]
pub mod fuzz_tests;
#[cfg(test)]
mod proxy_tests;
#[cfg(test)]
mod tests;

pub use compress::{Coding, compress};
pub use cookies::{Cookie, Jar, RequestCookie};
pub use dump::{Dump, Dumping};
pub use headers::Headers;
pub use message::{Auth, Body, BodyMode, Exchange, Hop, Protocol, Request};
pub use url::Url;
