//! Fuzzes criteria of procedures.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| volley::fuzz::criterion(data));
