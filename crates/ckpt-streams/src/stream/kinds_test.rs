//! Every kind of stream, for tests that all of them must pass.

use std::io::{self, Read as _, Write};
use std::sync::Arc;

use ckpt_core::Result;
use ckpt_core::id::{LeaderEpoch, Writer, WriterId};
use ckpt_core::key_group::{KeyGroup, KeyGroupRange};
use ckpt_core::state::{KeyedState, RelPath, Root};

use super::stream_test::{directories, options, target};
use crate::file_system::{FileSystem, LocalFileSystem, MemoryFileSystem};
use crate::testing::{ObjectStoreFileSystem, RefusingSpawn, contract};
use crate::{
    Budget, DuplicatingStream, FileNames, FileStateReader, FileStreams, FileStreamsTarget, KeyGroupsStream,
    MemoryStreams, PartitionsStream, SnapshotResult, SnapshotStream, Staged, StateDirectory, StateOutputStream,
    StateReader as _, StateScope, StreamFactory,
};

/// A kind of stream. Those of files keep 100 bytes in their handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    FixedPath,
    /// With a copy at a fixed path.
    Duplicating,
    /// With a copy that could not be made.
    WithoutCopy,
    KeyGroups,
    KeyGroupsWithCopy,
    Partitions,
}

impl Kind {
    pub(crate) const ALL: [Self; 7] = [
        Self::File,
        Self::FixedPath,
        Self::Duplicating,
        Self::WithoutCopy,
        Self::KeyGroups,
        Self::KeyGroupsWithCopy,
        Self::Partitions,
    ];

    pub(crate) const fn has_copy(self) -> bool {
        matches!(self, Self::Duplicating | Self::KeyGroupsWithCopy)
    }

    /// Begins a stream of this kind.
    pub(crate) fn begin(self, streams: &FileStreams, copies: &Copies) -> Result<Box<dyn StateOutputStream>> {
        let create = || streams.create(StateScope::Exclusive);
        let range = KeyGroupRange::new(KeyGroup::new(3), KeyGroup::new(9)).unwrap();
        Ok(match self {
            Self::File => create()?,
            Self::FixedPath => streams.create_at(StateScope::Exclusive, copies.names.next()?)?,
            Self::Duplicating => match copies.create() {
                Ok(copy) => Box::new(DuplicatingStream::new(create()?, copy)),
                Err(_) => create()?,
            },
            Self::WithoutCopy => {
                let error = ckpt_core::Error::new(ckpt_core::ErrorKind::AbortCheckpoint, "there is no disk");
                let stream = SnapshotStream::with_copy(create()?, Err(error));
                Box::new(Whole { stream, finish: SnapshotStream::finish, before: |_| {} })
            }
            Self::KeyGroups => key_groups(KeyGroupsStream::new(SnapshotStream::simple(create()?), range)),
            Self::KeyGroupsWithCopy => {
                let copy = copies.create();
                key_groups(KeyGroupsStream::new(SnapshotStream::with_copy(create()?, copy), range))
            }
            Self::Partitions => Box::new(Whole {
                stream: PartitionsStream::new(SnapshotStream::simple(create()?)),
                finish: |stream: PartitionsStream| {
                    stream.finish()?.try_map(&mut |state| {
                        let mut staged = None;
                        let _ = state.try_map_handles::<(), ()>(&mut |handle| {
                            staged = Some(handle);
                            Ok(())
                        });
                        Ok(staged.unwrap())
                    })
                },
                before: |stream| {
                    if stream.position() % 3 == 0 {
                        stream.start_partition();
                    }
                },
            }),
        })
    }
}

fn key_groups(stream: KeyGroupsStream) -> Box<dyn StateOutputStream> {
    Box::new(Whole {
        stream,
        finish: |stream: KeyGroupsStream| {
            stream.finish()?.try_map(&mut |state| {
                let KeyedState::KeyGroups(state) = state else { panic!("it is one piece") };
                let mut staged = None;
                let _ = state.try_map_handles::<(), ()>(&mut |handle| {
                    staged = Some(handle);
                    Ok(())
                });
                Ok(staged.unwrap())
            })
        },
        before: |stream| {
            let next = stream.current_key_group().map_or(stream.range().first().get(), |group| group.get() + 2);
            // After the last one all that comes belongs to it.
            let _ = stream.start_key_group(KeyGroup::new(next));
        },
    })
}

/// A stream that is ended by something else than [`StateOutputStream::finish`], as one.
#[derive(Debug)]
struct Whole<S> {
    stream: S,
    finish: fn(S) -> Result<SnapshotResult<Staged>>,
    /// What is done before each write.
    before: fn(&mut S),
}

pub(crate) trait Ends: Write + Send + std::fmt::Debug {
    fn position(&self) -> u64;
    fn abort(self) -> Result<()>;
}

impl<S: Ends> Write for Whole<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (self.before)(&mut self.stream);
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

impl<S: Ends> StateOutputStream for Whole<S> {
    fn position(&self) -> u64 {
        self.stream.position()
    }

    fn finish(self: Box<Self>) -> Result<Option<Staged>> {
        Ok((self.finish)(self.stream)?.stored)
    }

    fn abort(self: Box<Self>) -> Result<()> {
        self.stream.abort()
    }
}

macro_rules! ends {
    ($($stream:ty),*) => {$(
        impl Ends for $stream {
            fn position(&self) -> u64 {
                self.position()
            }

            fn abort(self) -> Result<()> {
                self.abort()
            }
        }
    )*};
}

ends!(SnapshotStream, KeyGroupsStream, PartitionsStream);

/// Where local copies go.
pub(crate) struct Copies {
    pub(crate) streams: FileStreams,
    names: FileNames,
}

impl Copies {
    pub(crate) fn new(file_system: &Arc<dyn FileSystem>) -> Self {
        let local = RelPath::new("local").unwrap();
        let directory = StateDirectory::new(Root::ThisSnapshot, Arc::clone(file_system), Some(local));
        let names = |writer| FileNames::new(Writer::new(LeaderEpoch::new(1), WriterId::new(writer)));
        let spawn = Arc::new(RefusingSpawn::new());
        let target = FileStreamsTarget::new(directory.clone(), directory, Arc::new(names(8)), spawn);
        Self { streams: FileStreams::new(target, options(100)), names: names(9) }
    }

    pub(crate) fn create(&self) -> Result<Box<dyn StateOutputStream>> {
        self.streams.create_at(StateScope::Exclusive, self.names.next()?)
    }
}

/// Where the state goes.
#[derive(Clone, Copy, Debug)]
enum Storage {
    Local,
    Memory,
    /// With a budget that is too small for anything.
    ObjectStore,
    /// The same in parts.
    Uploads,
}

/// Streams of one kind, whose copies go to another disk.
struct FileSubject {
    kind: Kind,
    streams: FileStreams,
    copies: Copies,
    file_systems: [Arc<dyn FileSystem>; 2],
    _scratch: tempfile::TempDir,
}

impl FileSubject {
    fn new(kind: Kind, storage: Storage) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let local = |name| Arc::new(LocalFileSystem::open(scratch.path().join(name)).unwrap());
        let budget = match storage {
            Storage::Local | Storage::Memory => Budget::default(),
            Storage::ObjectStore | Storage::Uploads => Budget::new(1),
        };
        let storage: Arc<dyn FileSystem> = match storage {
            Storage::Local => local("storage"),
            Storage::Memory => Arc::new(MemoryFileSystem::new()),
            Storage::ObjectStore => Arc::new(ObjectStoreFileSystem::new()),
            Storage::Uploads => Arc::new(ObjectStoreFileSystem::new().with_part_bytes(10_000)),
        };
        let file_systems: [Arc<dyn FileSystem>; 2] = [storage, local("local")];
        let target = target(&file_systems[0], Arc::new(RefusingSpawn::new())).with_budget(Arc::new(budget));
        let streams = FileStreams::new(target, options(100));
        let copies = Copies::new(&file_systems[1]);
        Self { kind, streams, copies, file_systems, _scratch: scratch }
    }
}

impl contract::StreamSubject for FileSubject {
    fn begin(&self) -> Box<dyn StateOutputStream> {
        self.kind.begin(&self.streams, &self.copies).unwrap()
    }

    fn seal_and_read(&self, staged: Staged) -> Vec<u8> {
        let handle = self.streams.seal_piece(staged).unwrap();
        let mut found = Vec::new();
        let reader = FileStateReader::new(directories(&self.file_systems[0]).into());
        reader.open(&handle).unwrap().read_to_end(&mut found).unwrap();
        found
    }

    fn files(&self) -> usize {
        self.file_systems.iter().map(|files| files.list(None, None, usize::MAX).unwrap().len()).sum()
    }

    fn cancel(&self) {
        let (streams, copies) = (self.streams.cancel(), self.copies.streams.cancel());
        streams.wait().unwrap();
        copies.wait().unwrap();
    }
}

/// Streams that keep their state in the handle.
struct MemorySubject(MemoryStreams);

impl contract::StreamSubject for MemorySubject {
    fn begin(&self) -> Box<dyn StateOutputStream> {
        self.0.create(StateScope::Exclusive).unwrap()
    }

    fn seal_and_read(&self, staged: Staged) -> Vec<u8> {
        let handle = self.0.seal_piece(staged).unwrap();
        let mut found = Vec::new();
        FileStateReader::new(Vec::new()).open(&handle).unwrap().read_to_end(&mut found).unwrap();
        found
    }

    fn files(&self) -> usize {
        0
    }

    fn cancel(&self) {
        self.0.cancel().wait().unwrap();
    }
}

#[test]
fn the_contract_of_streams() {
    contract::stream(&|| Box::new(MemorySubject(MemoryStreams::new(2 << 20))));
    for kind in Kind::ALL {
        for storage in [Storage::Local, Storage::Memory, Storage::ObjectStore, Storage::Uploads] {
            contract::stream(&|| Box::new(FileSubject::new(kind, storage)));
        }
    }
}
