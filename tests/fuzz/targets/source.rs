//! Fuzzes data source names.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| volley::fuzz::source(data));
