//! Fuzzes `object::yaml::read`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| steadfast_fuzz::laws::manifest::hold(text));
