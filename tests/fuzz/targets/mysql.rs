//! Fuzzes packets of a MySQL server.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| volley::fuzz::mysql(data));
