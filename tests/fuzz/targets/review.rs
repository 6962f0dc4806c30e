//! Fuzzes `admission::handle`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| steadfast_fuzz::laws::review::hold(bytes));
