//! Fuzzes `object::view::StatefulSet::parse`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| steadfast_fuzz::laws::view::hold(text));
