#![no_main]
//! See `ckpt_fuzz::target::flink_conversion`.

libfuzzer_sys::fuzz_target!(|input: &[u8]| ckpt_fuzz::target::flink_conversion(input));
