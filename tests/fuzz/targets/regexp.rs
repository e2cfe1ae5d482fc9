//! Fuzzes regular expressions over texts.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| volley::fuzz::regexp(data));
