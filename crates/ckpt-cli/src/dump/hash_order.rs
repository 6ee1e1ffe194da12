//! The order in which a hash table of Java tells its texts.

use std::collections::BTreeMap;

/// How Java's hash table orders texts that were put into it in that order, as the positions of the texts. Of two that are
/// equal the last one takes the place of the first.
///
/// The Flinks that wrote versions 2 and 3 put the files of a database into a `HashMap` when they read them, so this is the
/// order in which they tell them.
pub(super) fn hash_order<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<usize> {
    let (mut entries, mut entry_of, mut count) = (Vec::new(), BTreeMap::new(), 0);
    for (position, text) in texts.into_iter().enumerate() {
        let entry = *entry_of.entry(text).or_insert(entries.len());
        match entries.get_mut(entry) {
            Some((_, before)) => *before = position,
            None => entries.push((spread(hash_code(text)), position)),
        }
        count = position + 1;
    }
    // Made for as many as are put, and made larger when it is more than three quarters full.
    let mut buckets = u32::try_from(count).unwrap_or(MAX_BUCKETS).clamp(1, MAX_BUCKETS).next_power_of_two();
    while entries.len() as u64 > u64::from(buckets) * 3 / 4 && buckets < MAX_BUCKETS {
        buckets *= 2;
    }
    entries.sort_by_key(|(hash, _)| hash & (buckets - 1));
    entries.into_iter().map(|(_, position)| position).collect()
}

/// `HashMap.MAXIMUM_CAPACITY`.
const MAX_BUCKETS: u32 = 1 << 30;

/// `String.hashCode`.
fn hash_code(text: &str) -> u32 {
    text.encode_utf16().fold(0, |hash: u32, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)))
}

/// `HashMap.hash`.
const fn spread(hash: u32) -> u32 {
    hash ^ hash >> 16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_told_in_the_order_of_their_buckets() {
        assert_eq!(hash_code("abc"), 96354);
        assert_eq!(hash_code(""), 0);
        // Both have the hash 2112, so they share a bucket, in the order in which they came.
        assert_eq!(hash_order(["BB", "Aa"]), [0, 1]);
        assert_eq!(hash_order(["Aa", "BB"]), [0, 1]);
        // Hashes 97 to 99, and four buckets for three texts.
        assert_eq!(hash_order(["c", "b", "a"]), [2, 1, 0]);
        assert_eq!(hash_order(["d", "a", "d"]), [2, 1]);
        assert_eq!(hash_order([]), [0_usize; 0]);
    }
}
