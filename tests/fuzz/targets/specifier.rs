//! Fuzzes import specifiers.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| volley::fuzz::specifier(data));
