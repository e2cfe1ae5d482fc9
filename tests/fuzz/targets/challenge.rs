//! Fuzzes challenges of Digest and NTLM.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| volley::fuzz::challenge(data));
