//! The modules k6 still calls experimental: files, CSV.

pub mod csv;
pub mod fs;
