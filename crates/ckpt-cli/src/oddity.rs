//! What is odd and no reason to stop.

use crate::args::StrictArgs;
use crate::error::CommandError;
use crate::ls::Scan;
use crate::metadata_file::MetadataFile;
use crate::report::warn;
use crate::text::{escaped, escaped_path};

/// Warns of what may be a snapshot and was not looked at.
pub(crate) fn tell_passed_over(scan: &Scan) {
    for (path, why) in &scan.passed_over {
        warn(format_args!("'{}': {why}", escaped_path(path)));
    }
}

/// Warns of what is odd about a file: of every note, and of bytes behind its end.
///
/// # Errors
///
/// Bytes behind its end, when nothing is tolerated.
pub(crate) fn tell(
    file: &MetadataFile,
    trailing_bytes: u64,
    notes: &[String],
    strict: StrictArgs,
) -> Result<(), CommandError> {
    for note in notes {
        warn(format_args!("'{}': {}", escaped_path(&file.path), escaped(note)));
    }
    match file.trailing(trailing_bytes) {
        _ if trailing_bytes == 0 => Ok(()),
        error if strict.strict => Err(error),
        error => {
            warn(error.message());
            Ok(())
        }
    }
}
