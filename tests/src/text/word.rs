//! What a word is.

/// Whether the byte lies between words: space, `\t`, `\n`, `\v`, `\f` or `\r`. Every other byte is part of a word, whatever
/// its encoding.
#[inline]
pub const fn is_separator(byte: u8) -> bool {
    byte == b' ' || byte.wrapping_sub(b'\t') < 5
}

/// The hash that decides to which key group a word belongs: FNV-1a in 32 bits. It is part of the job's state, so it never
/// changes.
#[inline]
pub fn key_hash(word: &[u8]) -> u32 {
    word.iter().fold(0x811c_9dc5, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_bytes_separate() {
        let separators: Vec<u8> = (0..=255).filter(|&byte| is_separator(byte)).collect();
        assert_eq!(separators, b"\t\n\x0b\x0c\r ");
    }

    #[test]
    fn the_hash_never_changes() {
        // Published vectors of FNV-1a.
        assert_eq!(key_hash(b""), 0x811c_9dc5);
        assert_eq!(key_hash(b"a"), 0xe40c_292c);
        assert_eq!(key_hash(b"foobar"), 0xbf9c_f968);
    }
}
