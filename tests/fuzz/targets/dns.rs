//! Fuzzes answers of a DNS server.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| volley::fuzz::dns(data));
