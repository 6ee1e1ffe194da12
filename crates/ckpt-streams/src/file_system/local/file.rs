//! Reading a local file.

use std::io;
use std::path::PathBuf;

use ckpt_core::ErrorKind;
use rustix::io::retry_on_intr;

use crate::file_system::ReadAt;
use crate::file_system::local::error::LocalError;
use crate::file_system::local::system::Descriptor;

/// A local file that is read.
#[derive(Debug)]
pub(super) struct LocalFile {
    file: Box<dyn Descriptor>,
    path: PathBuf,
    length_bytes: u64,
}

impl LocalFile {
    pub(super) const fn new(file: Box<dyn Descriptor>, path: PathBuf, length_bytes: u64) -> Self {
        Self { file, path, length_bytes }
    }
}

impl ReadAt for LocalFile {
    fn read_exact_at(&self, mut buffer: &mut [u8], mut offset_bytes: u64) -> io::Result<()> {
        // Told whether it is there: `UnexpectedEof` means that the file is shorter than it was.
        let fail = |error: io::Error| {
            let kind = error.kind();
            io::Error::new(kind, LocalError::io("read", self.path.clone(), error).of_kind(ErrorKind::Retry))
        };
        while !buffer.is_empty() {
            let read = retry_on_intr(|| self.file.read_at(buffer, offset_bytes)).map_err(|error| fail(error.into()))?;
            if read == 0 {
                return Err(fail(io::ErrorKind::UnexpectedEof.into()));
            }
            buffer = &mut buffer[read..];
            offset_bytes += read as u64;
        }
        Ok(())
    }

    fn length_bytes(&self) -> u64 {
        self.length_bytes
    }
}
