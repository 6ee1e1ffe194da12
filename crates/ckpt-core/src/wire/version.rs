//! What is said of bytes of another format version.

use crate::error::ErrorKind;

/// Who writes the version that was found in place of the expected one, the first there ever was.
pub(crate) fn who_writes(found: impl Into<u32>, expected: impl Into<u32>) -> &'static str {
    if found.into() > expected.into() { "a newer program wrote it" } else { "no program writes it" }
}

/// What to do about it: what a newer program wrote, that one can read.
pub(crate) fn kind_of_version(found: impl Into<u32>, expected: impl Into<u32>) -> ErrorKind {
    if found.into() > expected.into() { ErrorKind::Configuration } else { ErrorKind::Corrupt }
}
