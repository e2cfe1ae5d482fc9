//! Fuzzes answers of a Redis server.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| volley::fuzz::resp(data));
