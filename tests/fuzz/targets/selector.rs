//! Fuzzes GJSON selectors over JSON texts.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| volley::fuzz::selector(data));
