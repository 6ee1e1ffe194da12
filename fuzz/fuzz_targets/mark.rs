#![no_main]
//! See `ckpt_fuzz::target::mark`.

libfuzzer_sys::fuzz_target!(|input: &[u8]| ckpt_fuzz::target::mark(input));
