//! Snapshots that pointers lead to: checkpoints as they are published, savepoints from their name to their publication, and
//! what is disposed of. Whatever a loss of power leaves, a pointer leads to all of a snapshot or says why to none; what is
//! being disposed of is so when it is done again, and what nobody goes on with is deleted.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::sync::Arc;

use bytes::Bytes;
use ckpt_core::head::{AbandonedSavepoint, HeadWrite, Nonce, SavepointInProgress};
use ckpt_core::id::CheckpointId;
use ckpt_core::mark::SavepointMark;
use ckpt_core::snapshot::{
    Admission, AfterSavepoint, CheckpointBarrier, CheckpointIdentity, CheckpointOptions, CheckpointProperties,
    RetentionPolicy, SavepointFormat,
};
use ckpt_core::state::{OperatorState, SubtaskState, TaskSnapshot};
use ckpt_core::{Error, ErrorKind, Result, Timestamp};
use ckpt_storage::{
    AbandonedOutcome, CheckpointStorage as _, CompletedLocation, DisposeOptions, InitializedSavepoint, Location,
    METADATA_FILE,
};
use ckpt_streams::file_system::FileSystem as _;
use ckpt_streams::testing::{Disk, FailingCalls, Failure, Fault, Image, Injection};
use ckpt_streams::{ReadOptions, StateScope};

use crate::draws::Draws;
use crate::scenario::Tale;
use crate::storage::{
    JOB, Leader, OPERATOR, context, context_of, handles_of, metadata_with, said, storage, whole, written,
};

/// Where savepoints go.
const TARGET: &str = "sim:///save";

/// What leaders did with snapshots.
struct Snapshots {
    disk: Disk,
    draws: Draws,
    taken: Vec<Taken>,
}

/// One snapshot, and when what was done with it.
struct Taken {
    pointer: String,
    kind: Kind,
    id: CheckpointId,
    states: Vec<Bytes>,
    /// From then on its metadata may be there.
    publishing: Option<usize>,
    /// From then on they are.
    announced: Option<usize>,
    /// From then on it is or was being disposed of.
    disposing: Option<usize>,
    /// From then on nothing of it is left.
    disposed: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Checkpoint,
    Savepoint,
}

/// What is wrong with an image.
#[derive(Debug, thiserror::Error)]
enum Wrong {
    #[error("'{pointer}' was announced and cannot be resolved: {error}")]
    NotFound { pointer: String, error: String },
    #[error("'{pointer}' cannot be resolved, and not because it is not there: {error}")]
    NotSaid { pointer: String, error: String },
    #[error("'{pointer}' is there before anybody published it")]
    Early { pointer: String },
    #[error("'{pointer}' is there, and nothing of it was to be left")]
    Disposed { pointer: String },
    #[error("'{pointer}' has other state than was written")]
    OtherState { pointer: String },
    #[error("'{pointer}' is resolved and its state cannot be read: {error}")]
    Unreadable { pointer: String, error: String },
    #[error("'{pointer}' is {outcome:?} to the next leader, and resolving it says otherwise")]
    Abandoned { pointer: String, outcome: AbandonedOutcome },
    #[error("disposing of '{pointer}' again leaves {errors:?}")]
    NotDisposed { pointer: String, errors: Vec<String> },
    #[error("'{path}' belongs to nothing that can be resolved")]
    NotCollected { path: String },
    #[error("what is left cannot be used: {0}")]
    Unusable(#[from] Error),
}

/// Checkpoints whose metadata are published, once or by two at once, and never committed.
pub(crate) fn tell_of_checkpoints(seed: u64) -> Box<dyn Tale> {
    let mut told = Snapshots::new(seed);
    let mut leader = Leader::claim(&context(&told.disk), 1).expect("a disk that works");
    for _ in 0..1 + told.draws.below(2) {
        told.checkpoint(&mut leader).expect("a disk that works");
    }
    Box::new(told)
}

/// Savepoints that are completed, given up, or left behind.
pub(crate) fn tell_of_savepoints(seed: u64) -> Box<dyn Tale> {
    let mut told = Snapshots::new(seed);
    let mut leader = Leader::claim(&context(&told.disk), 1).expect("a disk that works");
    for _ in 0..1 + told.draws.below(2) {
        told.savepoint(&mut leader).expect("a disk that works");
        if told.draws.below(4) == 0 {
            leader = Leader::claim(&context(&told.disk), 2).expect("a disk that works");
            leader.remove_abandoned().expect("a disk that works");
        }
    }
    Box::new(told)
}

/// Savepoints of which some are disposed of, some of these by several who died of it.
pub(crate) fn tell_of_disposals(seed: u64) -> Box<dyn Tale> {
    let mut told = Snapshots::new(seed);
    let mut leader = Leader::claim(&context(&told.disk), 1).expect("a disk that works");
    for _ in 0..1 + told.draws.below(2) {
        told.savepoint(&mut leader).expect("a disk that works");
    }
    for number in 0..told.taken.len() {
        if told.taken[number].announced.is_some() && told.draws.below(4) > 0 {
            told.dispose(number);
        }
    }
    Box::new(told)
}

impl Snapshots {
    fn new(seed: u64) -> Self {
        Self { disk: Disk::new(), draws: Draws::new(seed), taken: Vec::new() }
    }

    fn checkpoint(&mut self, leader: &mut Leader) -> Result<()> {
        let (identity, properties) = (identity(leader), CheckpointProperties::checkpoint(RetentionPolicy::default()));
        let location = leader.view.initialize_checkpoint(&identity)?;
        let pointer = format!("sim:///base/{JOB}/chk-{}", identity.id);
        let state = self.write(leader, identity, properties, &*location, Kind::Checkpoint, pointer)?;
        if self.draws.below(3) == 0 {
            // Another process that takes itself for the leader dies of it somewhere in between.
            let injection = Injection::new(Fault::SyncFails, 1 + self.draws.below(3), Failure::FromThereOn);
            let dying = context_of(&Arc::new(FailingCalls::on(&self.disk, injection)));
            self.publishing();
            let view = storage().coordinator_view(JOB, &dying);
            // What is there already keeps it from having the place at all.
            let location = view.and_then(|view| view.initialize_checkpoint(&identity));
            if let Ok(location) = location {
                let _ = location.publish(&metadata_with(identity, properties, Some(&state))?);
            }
        }
        self.publish(identity, properties, &state, &*location)?;
        // The same once more is no other; another is refused.
        location.publish(&metadata_with(identity, properties, Some(&state))?)?;
        let other = location.publish(&metadata_with(identity, properties, None)?);
        assert_eq!(other.expect_err("another is there").kind(), ErrorKind::AbortCheckpoint);
        Ok(())
    }

    fn savepoint(&mut self, leader: &mut Leader) -> Result<()> {
        let properties =
            CheckpointProperties::savepoint(SavepointFormat::Canonical, AfterSavepoint::Continue, Admission::InTurn);
        let identity = identity(leader);
        let uri = leader.view.name_savepoint(&identity, Some(TARGET))?;
        let in_progress = SavepointInProgress::new(identity.id, uri.clone());
        leader.write(leader.written.head.begin_savepoint(in_progress, &leader.collected)?)?;
        let location = match leader.view.initialize_savepoint(&identity, &uri)? {
            InitializedSavepoint::Made(location) => location,
            other => panic!("a new name, found {other:?}"),
        };
        let pointer = uri.as_str().to_owned();
        let state = self.write(leader, identity, properties, &*location, Kind::Savepoint, pointer)?;
        match self.draws.below(5) {
            // Its leader is gone, or goes on with others.
            0 => return Ok(()),
            1 => {
                leader.write(leader.written.head.give_up_savepoint(identity.id, &leader.collected)?)?;
                return leader.remove_abandoned();
            }
            2 => return location.discard(),
            _ => {}
        }
        self.publish(identity, properties, &state, &*location)?;
        leader.write(leader.written.head.savepoint_published(identity.id, &leader.collected)?)
    }

    /// Writes and seals two pieces of state.
    fn write(
        &mut self,
        leader: &Leader,
        identity: CheckpointIdentity,
        properties: CheckpointProperties,
        location: &dyn Location,
        kind: Kind,
        pointer: String,
    ) -> Result<SubtaskState> {
        let options = CheckpointOptions::aligned(properties.kind(), location.reference());
        let streams = leader.worker.streams(&CheckpointBarrier::new(identity, options))?;
        let (mut pieces, mut states) = (Vec::new(), Vec::new());
        for scope in [StateScope::Exclusive, StateScope::Shared] {
            let state = self.draws.bytes(200);
            let mut stream = streams.create(scope)?;
            stream.write_all(&state).expect("room");
            pieces.extend(stream.finish()?);
            states.push(state);
        }
        let id = identity.id;
        let (publishing, announced, disposing, disposed) = (None, None, None, None);
        self.taken.push(Taken { pointer, kind, id, states, publishing, announced, disposing, disposed });
        let pieces = pieces.into_iter().map(|staged| OperatorState::new([("s", whole())].into(), staged)).collect();
        let snapshot = TaskSnapshot::new([(OPERATOR, SubtaskState::new(Vec::new(), pieces))].into());
        let sealed = streams.seal(snapshot)?;
        Ok(sealed.into_operators().into_iter().map(|(_, state)| state).next().expect("the one operator"))
    }

    fn publish(
        &mut self,
        identity: CheckpointIdentity,
        properties: CheckpointProperties,
        state: &SubtaskState,
        location: &dyn Location,
    ) -> Result<()> {
        self.publishing();
        location.publish(&metadata_with(identity, properties, Some(state))?)?;
        let done = self.disk.done();
        self.last().announced = Some(done);
        Ok(())
    }

    fn publishing(&mut self) {
        let done = self.disk.done();
        self.last().publishing.get_or_insert(done);
    }

    fn last(&mut self) -> &mut Taken {
        self.taken.last_mut().expect("one was begun")
    }

    fn dispose(&mut self, number: usize) {
        let pointer = self.taken[number].pointer.clone();
        self.taken[number].disposing = Some(self.disk.done());
        for _ in 0..self.draws.below(3) {
            // It dies of something, or finds that something cannot be deleted.
            let fault = [Fault::SyncFails, Fault::Stale, Fault::DiskFull, Fault::TooManyOpenFiles]
                [usize::try_from(self.draws.below(4)).expect("below 4")];
            let injection = Injection::new(fault, 1 + self.draws.below(12), Failure::FromThereOn);
            let dying = context_of(&Arc::new(FailingCalls::on(&self.disk, injection)));
            if let Ok(disposal) = storage().dispose(&pointer, &dying, &disposal_by(9)) {
                assert!(
                    disposal.is_complete() || disposal.errors.iter().all(|error| error.kind() != ErrorKind::Corrupt)
                );
            }
        }
        if self.draws.below(4) == 0 {
            return;
        }
        match storage().dispose(&pointer, &context(&self.disk), &disposal_by(1)) {
            Ok(disposal) => assert!(disposal.is_complete(), "{disposal:?}"),
            // One of those that died came to the end.
            Err(error) => assert_eq!(error.kind(), ErrorKind::NotFound, "{error}"),
        }
        self.taken[number].disposed = Some(self.disk.done());
    }

    fn check_image(&self, image: &Image) -> Result<(), Wrong> {
        for taken in &self.taken {
            self.check_pointer(taken, image)?;
        }
        let mut leader = Leader::claim(&context(&image.disk), 200)?;
        for abandoned in leader.written.all_abandoned() {
            self.check_abandoned(&leader, &abandoned, image)?;
        }
        leader.collect()?;
        for taken in self.taken.iter().filter(|taken| is_before(taken.disposing, image)) {
            self.check_disposed_again(taken, image)?;
        }
        self.check_files(image)
    }

    /// A pointer leads to all of a snapshot, or says why to none.
    fn check_pointer(&self, taken: &Taken, image: &Image) -> Result<(), Wrong> {
        let pointer = taken.pointer.clone();
        match storage().resolve(&pointer, &context(&image.disk)) {
            Ok(_) if !is_before(taken.publishing, image) => Err(Wrong::Early { pointer }),
            Ok(_) if is_before(taken.disposed, image) => Err(Wrong::Disposed { pointer }),
            Ok(found) => check_state(taken, &found),
            Err(error) if is_before(taken.announced, image) && !is_before(taken.disposing, image) => {
                Err(Wrong::NotFound { pointer, error: said(&error) })
            }
            Err(error) if error.kind() != ErrorKind::NotFound => Err(Wrong::NotSaid { pointer, error: said(&error) }),
            Err(_) => Ok(()),
        }
    }

    /// What the next leader finds to be complete is so, and of everything else nothing is left.
    fn check_abandoned(&self, leader: &Leader, abandoned: &AbandonedSavepoint, image: &Image) -> Result<(), Wrong> {
        let pointer = abandoned.savepoint().uri.as_str().to_owned();
        for _ in 0..2 {
            let outcome = leader.view.remove_abandoned(abandoned)?;
            let found = storage().resolve(&pointer, &context(&image.disk));
            if found.is_ok() != (outcome == AbandonedOutcome::Complete) {
                return Err(Wrong::Abandoned { pointer, outcome });
            }
        }
        Ok(())
    }

    /// Whoever begins again comes to the end.
    fn check_disposed_again(&self, taken: &Taken, image: &Image) -> Result<(), Wrong> {
        let pointer = taken.pointer.clone();
        match storage().dispose(&pointer, &context(&image.disk), &disposal_by(200)) {
            Ok(disposal) if disposal.is_complete() && disposal.kept.is_empty() => {}
            Ok(disposal) => {
                return Err(Wrong::NotDisposed { pointer, errors: disposal.errors.iter().map(said).collect() });
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(Wrong::NotDisposed { pointer, errors: vec![said(&error)] }),
        }
        match storage().resolve(&pointer, &context(&image.disk)) {
            Err(error) if error.kind() == ErrorKind::NotFound && !said(&error).contains("disposed of") => Ok(()),
            _ => Err(Wrong::Disposed { pointer }),
        }
    }

    /// Every file below the target of savepoints is one of a savepoint that can be resolved.
    fn check_files(&self, image: &Image) -> Result<(), Wrong> {
        let mut named = BTreeSet::new();
        for taken in self.taken.iter().filter(|taken| taken.kind == Kind::Savepoint) {
            if let Ok(found) = storage().resolve(&taken.pointer, &context(&image.disk)) {
                let directory = taken.pointer.rsplit('/').next().unwrap_or_default();
                let state = handles_of(&found.metadata)?.into_iter();
                let state = state.filter_map(|handle| Some(handle.place().file()?.1.to_string()));
                let own = [METADATA_FILE, SavepointMark::FILE_NAME].map(str::to_owned);
                named.extend(state.chain(own).map(|file| format!("{directory}/{file}")));
            }
        }
        // What publishing a file under another name first has left goes with the file.
        let is_named = |path: &String| match path.split_once("/.tmp-_metadata-") {
            Some((directory, _)) => named.contains(&format!("{directory}/{METADATA_FILE}")),
            None => named.contains(path),
        };
        let found = image.disk.open("/save")?.list(None, None, usize::MAX)?;
        match found.into_iter().map(|entry| entry.path.to_string()).find(|path| !is_named(path)) {
            Some(path) => Err(Wrong::NotCollected { path }),
            None => Ok(()),
        }
    }
}

impl Tale for Snapshots {
    fn disk(&self) -> &Disk {
        &self.disk
    }

    fn epoch(&self, done: usize) -> usize {
        let all = self.taken.iter().flat_map(|it| [it.publishing, it.announced, it.disposing, it.disposed]);
        all.flatten().filter(|at| *at <= done).count()
    }

    fn check(&self, image: &Image) -> Result<(), String> {
        self.check_image(image).map_err(|wrong| wrong.to_string())
    }
}

impl Leader {
    fn write(&mut self, write: HeadWrite) -> Result<()> {
        self.written = written(self.view.head().write(write))?;
        Ok(())
    }

    /// Deletes what HEAD says nobody goes on with.
    fn remove_abandoned(&mut self) -> Result<()> {
        for abandoned in self.written.all_abandoned() {
            self.view.remove_abandoned(&abandoned)?;
            self.collected.savepoints.push(abandoned.savepoint().id);
        }
        Ok(())
    }
}

fn identity(leader: &mut Leader) -> CheckpointIdentity {
    let id = leader.reserved.take().expect("more than a story takes");
    CheckpointIdentity::new(id, leader.written.head.head().epoch, Timestamp::from_millis(id.get()), None)
}

fn check_state(taken: &Taken, found: &CompletedLocation) -> Result<(), Wrong> {
    let pointer = taken.pointer.clone();
    let unreadable = |error: String| Wrong::Unreadable { pointer: pointer.clone(), error };
    let reader = found.reader(ReadOptions::default())?;
    let mut states = Vec::new();
    for handle in handles_of(&found.metadata)? {
        let mut bytes = Vec::new();
        let mut stream = reader.open(&handle).map_err(|error| unreadable(said(&error)))?;
        stream.read_to_end(&mut bytes).map_err(|error| unreadable(error.to_string()))?;
        states.push(Bytes::from(bytes));
    }
    if states == taken.states && found.metadata.summary().identity.id == taken.id {
        Ok(())
    } else {
        Err(Wrong::OtherState { pointer })
    }
}

fn is_before(at: Option<usize>, image: &Image) -> bool {
    at.is_some_and(|at| at <= image.done)
}

fn disposal_by(nonce: u8) -> DisposeOptions {
    DisposeOptions::new(Nonce::new([nonce; 16]), Timestamp::from_millis(1))
}
