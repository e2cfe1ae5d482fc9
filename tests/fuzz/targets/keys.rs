//! Fuzzes keys and certificates in PEM, and stapled OCSP answers.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| volley::fuzz::keys(data));
