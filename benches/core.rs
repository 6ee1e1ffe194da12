//! What `ckpt-core` costs where it is called often.

use bytes::Bytes;
use ckpt_benches::{Bench, Work};
use ckpt_core::Digest;
use ckpt_core::key_group::MaxParallelism;

fn main() {
    let bench = Bench::from_arguments();
    digest(&bench);
    key_groups(&bench);
}

fn digest(bench: &Bench) {
    const BLOCK: usize = 64 * 1024;
    let block = Bytes::from(vec![7; BLOCK]);
    let mut copy = vec![0; BLOCK];
    bench.compare(
        "core: digest of a block of 64 KiB",
        "copy of the block",
        Work::Bytes(BLOCK),
        || Digest::of(&block),
        || {
            copy.copy_from_slice(&block);
            copy[BLOCK / 2]
        },
    );
}

fn key_groups(bench: &Bench) {
    const KEYS: usize = 4096;
    let hashes: Vec<i32> = (0..KEYS as u32).map(|number| number.wrapping_mul(0x9e37_79b9) as i32).collect();
    let maximum = MaxParallelism::new(128).expect("128 is a maximum parallelism");
    bench.compare(
        "core: key group of a key hash",
        "remainder of the hash",
        Work::Operations(KEYS),
        || hashes.iter().map(|hash| u32::from(maximum.key_group(*hash).get())).sum::<u32>(),
        || hashes.iter().map(|hash| hash.unsigned_abs() % u32::from(maximum.get())).sum::<u32>(),
    );
}
