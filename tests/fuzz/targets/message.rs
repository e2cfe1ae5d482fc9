//! Fuzzes protocol buffers and their JSON.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| volley::js::modules::k6::net::grpc::fuzz_tests::message(data));
