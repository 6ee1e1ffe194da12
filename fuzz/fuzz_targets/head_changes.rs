#![no_main]
//! See `ckpt_fuzz::target::head_changes`.

libfuzzer_sys::fuzz_target!(|input: &[u8]| ckpt_fuzz::target::head_changes(input));
