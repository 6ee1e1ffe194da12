//! What is odd about metadata and can be read all the same.

use crate::args::StrictArgs;
use crate::error::CommandError;
use crate::metadata_file::MetadataFile;
use crate::report::warn;
use crate::text::{escaped, escaped_path};

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
