//! Fuzzes packets of an MQTT server.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| volley::fuzz::mqtt(data));
