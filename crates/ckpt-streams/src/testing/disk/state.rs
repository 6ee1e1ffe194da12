//! What is on a simulated disk, and how it came there.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use rustix::io::{Errno, Result};

/// The number of a file or a directory. Never used twice.
pub(super) type Inode = usize;

/// The directory that is always there.
pub(super) const ROOT: Inode = 0;

/// Files and directories. Cloning one shares the bytes of all files.
#[derive(Clone, Debug)]
pub(super) struct Nodes(Vec<Node>);

/// A file or a directory.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) mode: u32,
    pub(super) content: Content,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    File(Arc<Vec<u8>>),
    Directory(BTreeMap<String, Inode>),
}

/// Something that was done. What reads is not remembered.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// A file or directory came into being, under no name yet.
    Make {
        inode: Inode,
        node: Node,
    },
    /// Its mode changed. That is not part of what a crash may take.
    SetMode {
        inode: Inode,
        mode: u32,
    },
    Write {
        inode: Inode,
        offset: usize,
        bytes: Bytes,
    },
    Link {
        directory: Inode,
        name: String,
        inode: Inode,
    },
    Unlink {
        directory: Inode,
        name: String,
    },
    /// Of a file: its bytes; of a directory: its names.
    Sync {
        inode: Inode,
    },
}

/// How much of a write survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kept {
    Nothing,
    All,
    /// The first so many bytes.
    Prefix(usize),
    /// Blocks of that size, one by one as drawn from the seed.
    Blocks {
        block_bytes: usize,
        seed: u64,
    },
}

impl Nodes {
    pub(super) fn new() -> Self {
        Self(vec![Node { mode: 0o755, content: Content::Directory(BTreeMap::new()) }])
    }

    pub(super) fn get(&self, inode: Inode) -> Result<&Node> {
        self.0.get(inode).ok_or(Errno::BADF)
    }

    pub(super) fn next(&self) -> Inode {
        self.0.len()
    }

    pub(super) fn entries(&self, inode: Inode) -> Result<&BTreeMap<String, Inode>> {
        match &self.get(inode)?.content {
            Content::Directory(entries) => Ok(entries),
            Content::File(_) => Err(Errno::NOTDIR),
        }
    }

    pub(super) fn bytes(&self, inode: Inode) -> Result<&Arc<Vec<u8>>> {
        match &self.get(inode)?.content {
            Content::File(bytes) => Ok(bytes),
            Content::Directory(_) => Err(Errno::ISDIR),
        }
    }

    /// Does a step, or what survives of it.
    pub(super) fn apply(&mut self, step: &Step, kept: Kept) {
        match step {
            Step::Make { inode, node } => {
                debug_assert_eq!(*inode, self.0.len(), "nodes are made in the order of their numbers");
                self.0.push(node.clone());
            }
            Step::SetMode { inode, mode } => {
                if let Some(node) = self.0.get_mut(*inode) {
                    node.mode = *mode;
                }
            }
            Step::Write { inode, offset, bytes } => {
                if let Some(Node { content: Content::File(content), .. }) = self.0.get_mut(*inode) {
                    write(content, *offset, bytes, kept);
                }
            }
            Step::Link { directory, name, inode } => {
                if let (Some(entries), true) = (self.entries_mut(*directory), kept == Kept::All) {
                    entries.insert(name.clone(), *inode);
                }
            }
            Step::Unlink { directory, name } => {
                if let (Some(entries), true) = (self.entries_mut(*directory), kept == Kept::All) {
                    entries.remove(name);
                }
            }
            Step::Sync { .. } => {}
        }
    }

    fn entries_mut(&mut self, inode: Inode) -> Option<&mut BTreeMap<String, Inode>> {
        match self.0.get_mut(inode) {
            Some(Node { content: Content::Directory(entries), .. }) => Some(entries),
            _ => None,
        }
    }
}

impl Step {
    /// What must be synced for a crash to leave it; `None` for what no crash takes.
    pub(super) const fn synced_with(&self) -> Option<Inode> {
        match self {
            Self::Write { inode, .. } => Some(*inode),
            Self::Link { directory, .. } | Self::Unlink { directory, .. } => Some(*directory),
            Self::Make { .. } | Self::SetMode { .. } | Self::Sync { .. } => None,
        }
    }
}

/// A hole that a lost block leaves reads as zeros.
fn write(content: &mut Arc<Vec<u8>>, offset: usize, bytes: &[u8], kept: Kept) {
    let mut put = |from: usize, piece: &[u8]| {
        let content = Arc::make_mut(content);
        let (begin, end) = (offset + from, offset + from + piece.len());
        if content.len() < end {
            content.resize(end, 0);
        }
        content[begin..end].copy_from_slice(piece);
    };
    match kept {
        Kept::Nothing => {}
        Kept::All => put(0, bytes),
        Kept::Prefix(length) => put(0, &bytes[..length.min(bytes.len())]),
        Kept::Blocks { block_bytes, seed } => {
            let mut random = Random::new(seed);
            // Blocks of the disk, not of the write.
            let mut from = 0;
            while from < bytes.len() {
                let until = (from + block_bytes - (offset + from) % block_bytes).min(bytes.len());
                if random.next() % 2 == 0 {
                    put(from, &bytes[from..until]);
                }
                from = until;
            }
        }
    }
}

/// Numbers drawn from a seed (splitmix).
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
