//! The tags of handles. Each kind of handle has its own set; the numbers overlap.

/// Of handles of streams.
pub(crate) mod stream {
    pub(crate) const NONE: u8 = 0;
    pub(crate) const BYTE_STREAM: u8 = 1;
    pub(crate) const FILE: u8 = 2;
    pub(crate) const KEY_GROUPS: u8 = 3;
    pub(crate) const RELATIVE_FILE: u8 = 6;
    pub(crate) const SEGMENT: u8 = 15;
    pub(crate) const EMPTY_SEGMENT: u8 = 16;
}

/// Of handles of operator state.
pub(crate) mod operator {
    pub(crate) const NONE: u8 = 0;
    pub(crate) const PLAIN: u8 = 4;
    pub(crate) const FILE_MERGING: u8 = 17;
}

/// Of handles of keyed state.
pub(crate) mod keyed {
    pub(crate) const NONE: u8 = 0;
    pub(crate) const KEY_GROUPS_LEGACY: u8 = 3;
    pub(crate) const INCREMENTAL_LEGACY: u8 = 5;
    pub(crate) const KEY_GROUPS_SAVEPOINT: u8 = 7;
    pub(crate) const CHANGELOG_LEGACY: u8 = 8;
    pub(crate) const IN_MEMORY_CHANGELOG: u8 = 9;
    pub(crate) const CHANGELOG_STREAM_LEGACY: u8 = 10;
    pub(crate) const INCREMENTAL: u8 = 11;
    pub(crate) const KEY_GROUPS: u8 = 12;
    pub(crate) const CHANGELOG_STREAM: u8 = 13;
    pub(crate) const CHANGELOG: u8 = 14;
}
