//! Fuzzes URLs and Location headers.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| volley::fuzz::location(data));
