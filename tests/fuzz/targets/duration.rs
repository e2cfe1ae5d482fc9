//! Fuzzes durations.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| volley::fuzz::duration(data));
