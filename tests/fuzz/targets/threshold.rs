//! Fuzzes thresholds and names of sub-metrics.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| volley::fuzz::threshold(data));
