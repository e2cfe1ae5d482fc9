//! Fuzzes CSV files.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| volley::js::modules::k6::experimental::csv::fuzz_tests::records(data));
