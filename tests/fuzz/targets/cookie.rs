//! Fuzzes Set-Cookie lines.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| volley::fuzz::cookie(data));
