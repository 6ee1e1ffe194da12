#![no_main]
//! See `ckpt_fuzz::target::state_file`.

libfuzzer_sys::fuzz_target!(|input: &[u8]| ckpt_fuzz::target::state_file(input));
