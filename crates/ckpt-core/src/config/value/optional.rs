//! Values that may be absent.

use super::{Kind, Unreadable};

impl<K: Kind> Kind for Option<K> {
    const TYPE: &'static str = K::TYPE;
    const REMEDY: &'static str = K::REMEDY;

    fn read(text: &str) -> Result<Self, Unreadable> {
        K::read(text).map(Some)
    }

    fn write(&self) -> Option<String> {
        self.as_ref().and_then(K::write)
    }

    fn fits(&self) -> Result<(), Unreadable> {
        self.as_ref().map_or(Ok(()), K::fits)
    }
}
