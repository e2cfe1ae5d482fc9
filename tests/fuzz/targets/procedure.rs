//! Fuzzes what a procedure exports.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| volley::fuzz::procedure(data));
