//! Fuzzes `policy::PolicyFile::read`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| steadfast_fuzz::laws::policy::hold(text));
