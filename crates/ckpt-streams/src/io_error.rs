//! Errors of ckpt within errors of `std::io`, as `Read`, `Write` and `Seek` need them.

use std::io;

use ckpt_core::{Error, ErrorKind};

/// The error that a stream of ours put into an [`io::Error`], or one of kind `otherwise` if it is not ours.
pub fn into_error(error: io::Error, otherwise: ErrorKind) -> Error {
    match error.downcast::<Error>() {
        Ok(ours) => ours,
        Err(theirs) => Error::new(otherwise, theirs),
    }
}

/// The other way. The kind is never `Interrupted`, which `write_all` would try again.
pub(crate) fn into_io(error: Error) -> io::Error {
    let kind = match error.kind() {
        ErrorKind::Corrupt => io::ErrorKind::InvalidData,
        ErrorKind::NotFound => io::ErrorKind::NotFound,
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, error)
}
