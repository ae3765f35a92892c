#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hollandite_fuzz::crystals("x.xsf", data));
