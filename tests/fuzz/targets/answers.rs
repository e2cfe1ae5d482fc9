//! Fuzzes the bodies of gRPC answers.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| volley::fuzz::body(data));
