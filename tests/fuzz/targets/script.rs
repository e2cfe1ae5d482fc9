//! Fuzzes files of TypeScript and JavaScript, as far as we read them.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| volley::fuzz::script(data));
