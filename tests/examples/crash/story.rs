//! What was done and what was promised, up to which instant.

use std::io::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use ckpt_core::ErrorKind;
use ckpt_core::id::{FileName, LeaderEpoch, Writer, WriterId};
use ckpt_core::state::{RelPath, Root, StateHandle};
use ckpt_streams::file_system::{CasOutcome, Durability, Expect, FileSystem, VersionTag, Visible};
use ckpt_streams::testing::{Disk, FailingCalls, Failure, Fault, Image, Injection, RefusingSpawn};
use ckpt_streams::{
    FileNames, FileStreams, FileStreamsOptions, FileStreamsTarget, MetadataTarget, StagedDescriptors, StateDirectory,
    into_error,
};

use crate::check::check;
use crate::draws::Draws;
use crate::scenario::Tale;

/// Where the job is on the disk. Neither directory is there when a story begins.
pub(crate) const HOME: &str = "/base/job";

/// The only record.
pub(crate) fn head() -> RelPath {
    path("head/HEAD")
}

/// What one scenario did with one seed.
pub(crate) struct Story {
    pub(crate) disk: Disk,
    pub(crate) file_system: Arc<dyn FileSystem>,
    pub(crate) promises: Vec<Promise>,
    /// What may have been published, under which name and with which bytes.
    pub(crate) published: Vec<(RelPath, Bytes)>,
    /// Bodies of the record in their order, and when each was begun.
    pub(crate) versions: Vec<(usize, Bytes)>,
    newest: Option<VersionTag>,
    names: Arc<FileNames>,
    draws: Draws,
}

/// Something that the caller was told.
pub(crate) struct Promise {
    /// From then on.
    pub(crate) done: usize,
    /// Until its owner let it be removed.
    pub(crate) until: usize,
    pub(crate) what: What,
}

pub(crate) enum What {
    /// State is durable, and has these bytes.
    Sealed { checkpoint: u64, handle: StateHandle, bytes: Bytes },
    /// A file is durable under that name: the so-maniest of those that may have been published.
    Published(usize),
    /// The record has one version more than was promised before, at least.
    Recorded,
}

impl Story {
    pub(crate) fn new(seed: u64) -> Self {
        let disk = Disk::new();
        let mut story = Self {
            file_system: open(&disk),
            disk,
            promises: Vec::new(),
            published: Vec::new(),
            versions: Vec::new(),
            newest: None,
            names: Arc::new(FileNames::new(Writer::new(LeaderEpoch::new(1), WriterId::new(2)))),
            draws: Draws::new(seed),
        };
        if story.draw(2) == 0 {
            story.disk.share_bytes();
        }
        story
    }

    /// A number below that one, drawn from the seed.
    pub(crate) fn draw(&mut self, below: u64) -> u64 {
        self.draws.below(below)
    }

    /// Never two the same, and no zeros, which a hole reads as.
    pub(crate) fn bytes(&mut self, length: u64) -> Bytes {
        self.draws.bytes(length)
    }

    /// What holds at that instant.
    pub(crate) fn promised(&self, done: usize) -> impl Iterator<Item = &What> {
        let holds = move |promise: &&Promise| promise.done <= done && done < promise.until;
        self.promises.iter().filter(holds).map(|promise| &promise.what)
    }

    pub(crate) fn promise(&mut self, what: What) {
        self.promises.push(Promise { done: self.disk.done(), until: usize::MAX, what });
    }

    /// Streams of one checkpoint.
    pub(crate) fn streams(&mut self, checkpoint: u64, durability: Durability) -> FileStreams {
        let [exclusive, shared] = directories(&self.file_system, checkpoint);
        let spawn = Arc::new(RefusingSpawn::new());
        let mut options = FileStreamsOptions::default();
        options.inline_threshold_bytes = 100;
        options.durability = durability;
        // Syncs some files early, and others when they are sealed.
        let descriptors = Arc::new(StagedDescriptors::new(1 + usize::try_from(self.draw(3)).unwrap_or(0)));
        let target = FileStreamsTarget::new(exclusive, shared, Arc::clone(&self.names), spawn);
        FileStreams::new(target.with_descriptors(descriptors), options)
    }

    /// A name for a file whose path is fixed beforehand.
    pub(crate) fn next_name(&self) -> FileName {
        self.names.next().expect("a name is left")
    }

    /// Publishes a file whole, as `_metadata` is. Some are sent twice, as those are whose answer was lost.
    pub(crate) fn publish(&mut self, name: RelPath, length: u64) {
        let bytes = self.bytes(length);
        self.published.push((name.clone(), bytes.clone()));
        let number = self.published.len() - 1;
        if self.draw(3) == 0 {
            // Dies between naming it and syncing that name; the first sync is that of the file.
            let calls = FailingCalls::on(&self.disk, Injection::new(Fault::SyncFails, 2, Failure::FromThereOn));
            let dying = Arc::new(calls.open(HOME).expect("a disk that works"));
            if let Err(error) = send(dying, &name, &bytes) {
                assert!(matches!(error.kind(), ErrorKind::Unknown | ErrorKind::AbortCheckpoint), "{error}");
            }
        }
        match send(Arc::clone(&self.file_system), &name, &bytes) {
            Ok(()) => self.promise(What::Published(number)),
            // Another was first.
            Err(error) => assert_eq!(error.kind(), ErrorKind::AbortCheckpoint, "{error}"),
        }
    }

    /// Writes the next version of the record.
    pub(crate) fn record(&mut self, length: u64) {
        let body = self.bytes(length);
        self.versions.push((self.disk.done(), body.clone()));
        let expect = self.newest.as_ref().map_or(Expect::Absent, Expect::Version);
        match self.file_system.put_record(&head(), body, expect) {
            CasOutcome::Done(tag) => self.newest = Some(tag),
            other => panic!("{other:?}"),
        }
        self.promise(What::Recorded);
    }

    /// A version whose writer dies between naming it and syncing that name. Whoever reads it may rely on it.
    pub(crate) fn record_and_die(&mut self, length: u64) {
        let body = self.bytes(length);
        self.versions.push((self.disk.done(), body.clone()));
        let expect = self.newest.as_ref().map_or(Expect::Absent, Expect::Version);
        // The first sync is that of the file.
        let calls = FailingCalls::on(&self.disk, Injection::new(Fault::SyncFails, 2, Failure::FromThereOn));
        let dying = calls.open(HOME).expect("a disk that works");
        match dying.put_record(&head(), body.clone(), expect) {
            CasOutcome::Unknown(_) => {}
            other => panic!("{other:?}"),
        }
        match self.file_system.read_record(&head()).expect("a disk that works") {
            Some((found, tag)) if found == body => self.newest = Some(tag),
            other => panic!("{other:?}"),
        }
        self.promise(What::Recorded);
    }

    /// Another process removes the state of a checkpoint, and its directory with it, which a file of its own then makes
    /// anew. What this process knows of the directory is of one that is gone.
    pub(crate) fn replace_directory(&mut self, checkpoint: u64) {
        let other = open(&self.disk);
        let directory = path(&format!("chk-{checkpoint}"));
        let begun = self.disk.done();
        for promise in &mut self.promises {
            if matches!(&promise.what, What::Sealed { checkpoint: of, .. } if *of == checkpoint) {
                promise.until = begun;
            }
        }
        let entries = other.list(Some(&directory), None, usize::MAX).expect("a disk that works");
        let paths: Vec<RelPath> = entries.into_iter().map(|entry| entry.path).collect();
        assert!(other.remove(&paths).iter().all(Result::is_ok), "a disk that works");
        let file = directory.join(&path("0000000000000001-0000000000000003-00000000"));
        let mut writer = other.create_new(&file, Visible::AtOnce).expect("a new name");
        writer.write_all(b"x").expect("room");
        assert!(matches!(writer.finish(Durability::None), CasOutcome::Done(_)), "a disk that works");
    }

    /// Another process takes over: what the former one knew is forgotten.
    pub(crate) fn restart(&mut self) {
        self.file_system = open(&self.disk);
    }
}

fn send(file_system: Arc<dyn FileSystem>, name: &RelPath, bytes: &Bytes) -> ckpt_core::Result<()> {
    let target = MetadataTarget::new(file_system, name.clone(), Durability::Full);
    target.publish(&mut |out| {
        let mut pieces = bytes.chunks(bytes.len().div_ceil(2));
        pieces.try_for_each(|piece| out.write_all(piece)).map_err(|error| into_error(error, ErrorKind::Retry))
    })
}

impl Tale for Story {
    fn disk(&self) -> &Disk {
        &self.disk
    }

    /// How much was promised, taken back and begun by then.
    fn epoch(&self, done: usize) -> usize {
        self.promises
            .iter()
            .map(|promise| usize::from(promise.done <= done) + usize::from(promise.until <= done))
            .sum::<usize>()
            + self.versions.iter().filter(|(begun, _)| *begun <= done).count()
    }

    fn check(&self, image: &Image) -> Result<(), String> {
        check(self, image).map_err(|wrong| wrong.to_string())
    }
}

pub(crate) fn open(disk: &Disk) -> Arc<dyn FileSystem> {
    Arc::new(disk.open(HOME).expect("a disk that works"))
}

pub(crate) fn directories(file_system: &Arc<dyn FileSystem>, checkpoint: u64) -> [StateDirectory; 2] {
    let of = |root, name: &str| StateDirectory::new(root, Arc::clone(file_system), Some(path(name)));
    [of(Root::ThisSnapshot, &format!("chk-{checkpoint}")), of(Root::JobShared, "shared")]
}

pub(crate) fn path(text: &str) -> RelPath {
    RelPath::new(text).expect("a path of ours")
}
