//! Fuzzes summaries of earlier runs.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| volley::fuzz::baseline(data));
