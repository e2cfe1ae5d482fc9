//! Fuzzes answers of a Prometheus.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| volley::fuzz::series(data));
