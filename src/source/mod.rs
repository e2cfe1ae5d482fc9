//! Where code and data come from: specifiers become addresses, addresses become text that is read once.
//!
//! The disk and the network come in as arguments, so a test holds them still and an archive takes their place. Nothing
//! here parses JavaScript.

pub mod archive;
pub mod cache;
mod conceal;
pub mod disk;
pub mod files;
#[cfg(any(test, fuzzing))]
pub mod fuzz_tests;
pub mod main_script;
pub mod module;
pub mod secrets;
pub mod shared_bytes;
pub mod specifier;
pub mod vendor;

pub use cache::Cache;
pub use disk::{Disk, MapDisk, RealDisk};
pub use files::FileSet;
pub use main_script::{MainScript, ScriptType};
pub use module::{Module, ModuleKind};
pub use secrets::Secrets;
#[cfg(feature = "quickjs")]
pub use shared_bytes::PrivateMapping;
pub use shared_bytes::SharedBytes;
pub use specifier::Resolved;
pub use vendor::Vendor;
