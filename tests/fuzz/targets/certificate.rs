//! Fuzzes certificates that scripts take apart.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| volley::fuzz::certificate(data));
