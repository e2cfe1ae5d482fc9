//! Fuzzes the frames of an open WebSocket connection.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| volley::fuzz::frames(data));
