//! Fuzzes CSV files.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| volley::fuzz::records(data));
