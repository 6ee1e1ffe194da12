//! State in the metadata of which a dump says its length and digest only.

use std::io;

use bytes::Bytes;
use ckpt_flink::{InlineBytes, Source};
use sha2::{Digest as _, Sha256};

/// State that was digested while it was read, and not kept. Everything else of the metadata is.
#[derive(Debug)]
pub(super) struct Digested {
    length_bytes: u64,
    sha256: [u8; 32],
}

impl InlineBytes for Digested {
    type Offsets = Vec<i64>;
    type Channels = Bytes;

    fn take<S: Source>(source: &mut S, length_bytes: usize) -> io::Result<Self> {
        let mut sha256 = Sha256::new();
        let mut buffer = [0; 8 << 10];
        let mut left = length_bytes;
        while left > 0 {
            let length = left.min(buffer.len());
            let bytes = &mut buffer[..length];
            source.read_exact(bytes)?;
            sha256.update(bytes);
            left -= length;
        }
        Ok(Self { length_bytes: length_bytes as u64, sha256: sha256.finalize().into() })
    }

    fn length_bytes(&self) -> u64 {
        self.length_bytes
    }
}

impl Digested {
    pub(super) fn sha256(&self) -> String {
        super::hex(&self.sha256)
    }
}
