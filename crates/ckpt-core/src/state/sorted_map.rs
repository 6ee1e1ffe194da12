//! Small maps.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::iter::Map;
use std::slice;
use std::vec;

/// Values by key, ascending, in one allocation: for the handful of entries that state has of everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortedMap<K, V>(Box<[(K, V)]>);

impl<K: Ord, V> SortedMap<K, V> {
    /// Entries whose keys ascend strictly; the caller has made sure.
    pub(crate) fn from_ascending(entries: Vec<(K, V)>) -> Self {
        debug_assert!(ascends(&entries));
        Self(entries.into_boxed_slice())
    }

    /// The value of that key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let at = self.0.binary_search_by(|(candidate, _)| candidate.borrow().cmp(key)).ok()?;
        self.0.get(at).map(|(_, value)| value)
    }
}

impl<K, V> SortedMap<K, V> {
    /// How many entries there are.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each key with its value, ascending.
    pub fn iter(&self) -> SortedMapIter<'_, K, V> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// Each value, by ascending key.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> + ExactSizeIterator {
        self.0.iter().map(|(_, value)| value)
    }

    /// The same keys, each with another value.
    ///
    /// # Errors
    ///
    /// The first error of `map`.
    pub fn try_map_values<W, E>(self, mut map: impl FnMut(V) -> Result<W, E>) -> Result<SortedMap<K, W>, E> {
        let mut mapped = Vec::with_capacity(self.0.len());
        for (key, value) in self.0 {
            mapped.push((key, map(value)?));
        }
        Ok(SortedMap(mapped.into_boxed_slice()))
    }
}

impl<K, V> Default for SortedMap<K, V> {
    fn default() -> Self {
        Self(Box::default())
    }
}

/// Of two values of one key the later one counts, as in any map.
impl<Q: Into<K>, K: Ord, V> FromIterator<(Q, V)> for SortedMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (Q, V)>>(entries: I) -> Self {
        let mut entries: Vec<(K, V)> = entries.into_iter().map(|(key, value)| (key.into(), value)).collect();
        if !ascends(&entries) {
            entries.sort_by(|(one, _), (other, _)| one.cmp(other));
            entries.dedup_by(|later, kept| {
                later.0 == kept.0 && {
                    std::mem::swap(later, kept);
                    true
                }
            });
        }
        Self(entries.into_boxed_slice())
    }
}

impl<Q: Into<K>, K: Ord, V, const N: usize> From<[(Q, V); N]> for SortedMap<K, V> {
    fn from(entries: [(Q, V); N]) -> Self {
        entries.into_iter().collect()
    }
}

impl<Q: Into<K>, K: Ord, V> From<BTreeMap<Q, V>> for SortedMap<K, V> {
    fn from(entries: BTreeMap<Q, V>) -> Self {
        entries.into_iter().collect()
    }
}

/// The entries of a [`SortedMap`].
pub type SortedMapIter<'a, K, V> = Map<slice::Iter<'a, (K, V)>, fn(&'a (K, V)) -> (&'a K, &'a V)>;

impl<'a, K, V> IntoIterator for &'a SortedMap<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = SortedMapIter<'a, K, V>;

    fn into_iter(self) -> SortedMapIter<'a, K, V> {
        self.iter()
    }
}

impl<K, V> IntoIterator for SortedMap<K, V> {
    type Item = (K, V);
    type IntoIter = vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

fn ascends<K: Ord, V>(entries: &[(K, V)]) -> bool {
    entries.is_sorted_by(|(one, _), (next, _)| one < next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_a_map() {
        let entries = [("b", 1), ("a", 2), ("c", 3), ("b", 4), ("a", 5), ("b", 6)];
        let map = SortedMap::<Box<str>, i32>::from(entries);
        let expected = BTreeMap::from(entries);
        assert!(map.iter().map(|(key, value)| (&**key, *value)).eq(expected.clone()));
        assert_eq!(map, SortedMap::from(expected));
        assert_eq!((map.get("b"), map.get("d"), map.len()), (Some(&6), None, 3));
        assert!(SortedMap::<u8, u8>::default().is_empty());
        assert_eq!(map.clone().try_map_values(|value| if value == 3 { Err(value) } else { Ok(()) }), Err(3));
        let doubled = map.try_map_values(|value| Ok::<_, ()>(2 * value)).unwrap();
        assert!(doubled.values().eq(&[10, 12, 6]));
    }
}
