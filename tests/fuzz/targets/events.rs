//! Fuzzes streams of server-sent events.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| volley::fuzz::events(data));
