//! Fuzzes options, as JSON and as variables.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| volley::fuzz::options(data));
