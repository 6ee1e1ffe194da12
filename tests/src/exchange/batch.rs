//! Records that travel together.

use ckpt_core::key_group::KeyGroup;
use ckpt_core::message::Marker;

/// Records that travel together, and what may follow them. An empty batch that goes back is the credit for another one,
/// so that buffers are made once.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// The bytes of all records, one after the other.
    pub(crate) bytes: Vec<u8>,
    /// Where keyed records end in `bytes`; lines without keys leave it empty.
    pub(crate) keys: Vec<RecordKey>,
    /// What follows the records.
    pub(crate) tail: Option<Tail>,
}

/// What follows the records of a batch.
#[derive(Clone, Debug)]
pub(crate) enum Tail {
    /// A barrier, or word that none will come.
    Marker(Marker),
    /// Nothing more will come.
    End,
}

/// The key of a record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RecordKey {
    /// The hash of the key.
    pub(crate) hash: u32,
    /// The key group that follows from it.
    pub(crate) group: KeyGroup,
    /// Where the record ends.
    pub(crate) end: usize,
}

impl Batch {
    /// A batch of that many bytes or records is sent.
    const FULL_BYTES: usize = 32 * 1024;
    const FULL_RECORDS: usize = 4096;
    /// A buffer that a giant record made larger than this is not kept.
    const KEPT_BYTES: usize = 4 * Self::FULL_BYTES;

    /// Adds a record with its key.
    #[inline]
    pub(crate) fn push(&mut self, hash: u32, group: KeyGroup, record: &[u8]) {
        self.bytes.extend_from_slice(record);
        self.keys.push(RecordKey { hash, group, end: self.bytes.len() });
    }

    /// Whether it is worth sending.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.bytes.len() >= Self::FULL_BYTES || self.keys.len() >= Self::FULL_RECORDS
    }

    /// Makes it the credit for another one.
    pub(crate) fn clear(&mut self) {
        if self.bytes.capacity() > Self::KEPT_BYTES {
            self.bytes = Vec::new();
        }
        self.bytes.clear();
        self.keys.clear();
        self.tail = None;
    }

    /// Each keyed record: its hash, its key group, its bytes.
    pub(crate) fn records(&self) -> impl Iterator<Item = (u32, KeyGroup, &[u8])> {
        let mut begin = 0;
        self.keys.iter().map(move |key| {
            let record = &self.bytes[begin..key.end];
            begin = key.end;
            (key.hash, key.group, record)
        })
    }
}
