//! Fuzzes HTML and selectors of CSS.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| volley::fuzz::page(data));
