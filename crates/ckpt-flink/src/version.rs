//! The versions of the metadata format.

use std::fmt;

/// A version of Flink's metadata format that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum MetadataVersion {
    /// Of Flink 1.10, among others. Can be read, and is not written any more.
    V2 = 2,
    /// Of Flink 1.14 and 1.15: state of coordinators, state in flight, finished tasks.
    V3 = 3,
    /// Of Flink 1.20: with the checkpoint's properties.
    V4 = 4,
    /// Of Flink 2.0: with names and uids of operators.
    V5 = 5,
    /// Of Flink 2.1 and 2.2: with merged handles of state in flight.
    V6 = 6,
}

impl MetadataVersion {
    /// All of them, ascending.
    pub const ALL: [Self; 5] = [Self::V2, Self::V3, Self::V4, Self::V5, Self::V6];

    /// The newest.
    pub const LATEST: Self = Self::V6;

    /// The number in the file.
    pub const fn number(self) -> i32 {
        self as i32
    }

    pub(crate) fn of_number(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.number() == number)
    }

    pub(crate) fn has_properties(self) -> bool {
        self >= Self::V4
    }

    pub(crate) fn has_names(self) -> bool {
        self >= Self::V5
    }

    pub(crate) fn has_merged_channels(self) -> bool {
        self >= Self::V6
    }
}

impl fmt::Display for MetadataVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(f)
    }
}
