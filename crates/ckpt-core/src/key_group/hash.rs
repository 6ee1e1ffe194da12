//! Flink's spreading of a key's hash.

/// One round of murmur3 over a 32-bit hash, with Flink's way of making the result non-negative.
pub(super) fn murmur(hash: i32) -> u32 {
    let mut code = hash as u32;
    code = code.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
    code = code.rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
    code ^= 4;
    code = (code ^ code >> 16).wrapping_mul(0x85eb_ca6b);
    code = (code ^ code >> 13).wrapping_mul(0xc2b2_ae35);
    code ^= code >> 16;
    match (code as i32).checked_abs() {
        Some(code) => code as u32,
        None => 0,
    }
}
