//! Fuzzes answers of gRPC reflection and the descriptors in them.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| volley::fuzz::descriptors(data));
