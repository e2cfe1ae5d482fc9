//! Fuzzes protocol buffers and their JSON.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| volley::fuzz::message(data));
