//! The protocol without sockets: URLs, headers, cookies, redirects, authentication, framing, and what errors are called.
//!
//! Nothing here waits, reads a clock of a connection or knows a thread: text in, text out.

pub mod auth;
pub mod chunked;
pub mod cookies;
pub mod error;
pub mod headers;
pub mod ntlm;
pub mod recent_heads;
pub mod redirect;
pub mod request_head;
pub mod response_head;
pub mod url;
