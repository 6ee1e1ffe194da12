//! The operator id that Flink makes of a uid.

use crate::id::OperatorId;

impl OperatorId {
    /// The id of the operator to which the user gave that uid: murmur3 with 128 bits and seed 0 of its UTF-8 bytes, as
    /// in Flink's `StreamGraphHasherV2`.
    pub fn from_uid(uid: &str) -> Self {
        Self::new(murmur3_x64_128(uid.as_bytes()))
    }
}

/// MurmurHash3 for 64-bit machines with 128 bits, seed 0. (The crates that have it get no releases any more, and it will
/// never change; Flink's own results are in the tests.)
fn murmur3_x64_128(bytes: &[u8]) -> [u8; 16] {
    const C1: u64 = 0x87c3_7b91_1142_53d5;
    const C2: u64 = 0x4cf5_ad43_2745_937f;
    let mix1 = |block: u64| block.wrapping_mul(C1).rotate_left(31).wrapping_mul(C2);
    let mix2 = |block: u64| block.wrapping_mul(C2).rotate_left(33).wrapping_mul(C1);

    let (mut h1, mut h2) = (0_u64, 0_u64);
    let (mut blocks, mut last) = (bytes.chunks_exact(16), [0; 16]);
    for block in &mut blocks {
        last.copy_from_slice(block);
        let (low, high) = halves(last);
        h1 ^= mix1(low);
        h1 = h1.rotate_left(27).wrapping_add(h2).wrapping_mul(5).wrapping_add(0x52dc_e729);
        h2 ^= mix2(high);
        h2 = h2.rotate_left(31).wrapping_add(h1).wrapping_mul(5).wrapping_add(0x3849_5ab5);
    }
    // The mix of nothing is nothing, so zeros may stand behind the rest.
    last = [0; 16];
    last[..blocks.remainder().len()].copy_from_slice(blocks.remainder());
    let (low, high) = halves(last);
    (h1, h2) = (h1 ^ mix1(low), h2 ^ mix2(high));

    let length = bytes.len() as u64;
    (h1, h2) = (h1 ^ length, h2 ^ length);
    h1 = h1.wrapping_add(h2);
    h2 = h2.wrapping_add(h1);
    (h1, h2) = (avalanche(h1), avalanche(h2));
    h1 = h1.wrapping_add(h2);
    h2 = h2.wrapping_add(h1);
    (u128::from(h2) << 64 | u128::from(h1)).to_le_bytes()
}

const fn halves(block: [u8; 16]) -> (u64, u64) {
    let block = u128::from_le_bytes(block);
    (block as u64, (block >> 64) as u64)
}

const fn avalanche(mut hash: u64) -> u64 {
    hash = (hash ^ hash >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ hash >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ hash >> 33
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_ids_as_flink() {
        let (mut uids, mut hashes) = (0, 0);
        for line in include_str!("../../testdata/flink/operator_ids.txt").lines().filter(|line| !line.starts_with('#'))
        {
            let mut parts = line.splitn(3, ' ');
            let (kind, expected, uid) = (parts.next(), parts.next().unwrap(), parts.next().unwrap());
            assert_eq!(OperatorId::from_uid(uid).to_string(), expected, "{uid}");
            *(if kind == Some("uid") { &mut uids } else { &mut hashes }) += 1;
        }
        assert!(uids >= 13 && hashes >= 49, "{uids} uids, {hashes} hashes");
    }
}
