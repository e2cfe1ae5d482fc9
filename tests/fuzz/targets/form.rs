//! Fuzzes multipart forms.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| volley::js::modules::k6::http::fuzz_tests::form(data));
