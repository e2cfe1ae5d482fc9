//! Fuzzes heads and bodies of answers.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| volley::fuzz::answer(data));
