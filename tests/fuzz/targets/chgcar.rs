#![no_main]

use formats::read_volumetric;

libfuzzer_sys::fuzz_target!(|data: &[u8]| hollandite_fuzz::as_file("CHGCAR", data, |path| drop(read_volumetric(path))));
