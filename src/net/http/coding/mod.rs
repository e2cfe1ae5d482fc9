//! Content codings (`gzip`, `deflate`, `br`, `zstd`): request bodies encoded, response bodies decoded.

pub mod decode;
mod decoder;
pub mod encode;
mod inflate;
mod zstd;
