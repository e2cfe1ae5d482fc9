//! Fuzzes packed messages of WebSockets.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| volley::fuzz::deflated(data));
