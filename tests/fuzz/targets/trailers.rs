//! Fuzzes heads and trailers of gRPC answers.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| volley::fuzz::trailers(data));
