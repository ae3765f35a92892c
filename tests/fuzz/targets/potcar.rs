#![no_main]

use formats::read_valences;

libfuzzer_sys::fuzz_target!(|data: &[u8]| hollandite_fuzz::as_file("POTCAR", data, |path| drop(read_valences(path))));
