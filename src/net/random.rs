//! Random numbers where no generator is worth keeping: nonces, and which of several addresses is taken.

/// A number that is hard to predict: the standard library's random seed, hashed anew for every call.
pub fn random() -> u64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    RandomState::new().build_hasher().finish()
}
