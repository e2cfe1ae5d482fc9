//! Fuzzes Set-Cookie lines.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| volley::net::http::fuzz_tests::cookie(data));
