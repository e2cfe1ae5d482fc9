//! Fuzzes heads and bodies of answers.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| volley::net::http::fuzz_tests::answer(data));
