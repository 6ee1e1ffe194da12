//! Every operation of what storage does fails once and for ever, in every way, from the first directory to the disposal of a
//! savepoint. Each failure is typed, the same call goes on once all works again or says why not, and in the end nothing is
//! there that nothing names.

use std::collections::BTreeSet;
use std::sync::Arc;

use ckpt_core::head::{Collected, HeadWrite, SavepointInProgress, WrittenHead};
use ckpt_core::id::{CheckpointId, FileName, Writer, WriterId};
use ckpt_core::mark::SavepointMark;
use ckpt_core::metadata::CheckpointMetadata;
use ckpt_core::shared::SharedStateRegistry;
use ckpt_core::snapshot::{CheckpointIdentity, SnapshotKind};
use ckpt_core::state::{Root, SubtaskState};
use ckpt_core::uri::Uri;
use ckpt_core::{Error, ErrorKind, Result, Timestamp};
use ckpt_streams::file_system::FileSystem as _;
use ckpt_streams::testing::{Disk, FailingCalls, FailingFileSystem, Fault, Injection, sweep_faults, sweep_removals};
use ckpt_streams::{ReadOptions, StreamFactory};

use crate::test_support::context_over;
use crate::testing::sample::{
    barrier, barrier_of_savepoint, identity, job, metadata_of, nonce, savepoint_of, try_write_state,
};
use crate::{
    AbandonedOutcome, CheckpointStorage as _, CompletedLocation, CoordinatorView, Disposal, DisposeOptions,
    FileSystemStorage, HeadOutcome, InitializedSavepoint, Kept, Location, METADATA_FILE, StorageContext, WorkerView,
    claim,
};

const STATE: [u8; 300] = [5; 300];
const WRITER: WriterId = WriterId::new(1);

/// Where the faults are.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Level {
    Operations,
    Calls,
}

/// A job as its leader sees it.
struct Play {
    context: StorageContext,
    view: Option<Arc<dyn CoordinatorView>>,
    worker: Option<Arc<dyn WorkerView>>,
    written: Option<WrittenHead>,
    registry: Option<SharedStateRegistry>,
    /// The numbers that were given out.
    ids: Vec<CheckpointId>,
    identity: Option<CheckpointIdentity>,
    location: Option<Arc<dyn Location>>,
    metadata: Option<CheckpointMetadata>,
    savepoint: Option<Uri>,
    /// What a disposal told that it left.
    kept: BTreeSet<String>,
    collected: Collected,
}

type Step = (&'static str, fn(&mut Play) -> Result<()>);

/// What a job does, in its order. Each may be called again after it has failed.
const STEPS: &[Step] = &[
    ("open", Play::open),
    ("initialize base locations", |play| play.view().initialize_base_locations()),
    ("claim", Play::claim),
    ("initialize 1", |play| play.initialize(1)),
    ("write 1", Play::write),
    ("publish 1", Play::publish),
    ("commit 1", Play::commit),
    ("initialize 2", |play| play.initialize(2)),
    ("write 2", Play::write),
    ("publish 2", Play::publish),
    ("commit 2", Play::commit),
    ("remove 1", Play::remove),
    ("resolve 2", |play| play.resolve(&format!("sim:/base/{}/chk-{}", job(1), play.ids[1]))),
    ("initialize 3", |play| play.initialize(3)),
    ("write 3", Play::write),
    ("discard 3", Play::discard),
    ("begin savepoint 4", Play::begin_savepoint),
    ("initialize savepoint 4", Play::initialize_savepoint),
    ("write savepoint 4", Play::write),
    ("publish savepoint 4", Play::publish),
    ("give savepoint 4 to its user", Play::savepoint_published),
    ("resolve savepoint 4", |play| play.resolve(&play.savepoint())),
    ("dispose of savepoint 4", Play::dispose),
];

fn storage() -> FileSystemStorage {
    FileSystemStorage::new("sim:/base").with_default_savepoint_dir("sim:/save").with_inline_threshold_bytes(0)
}

impl Play {
    fn new(context: StorageContext) -> Self {
        Self {
            context,
            view: None,
            worker: None,
            written: None,
            registry: None,
            ids: Vec::new(),
            identity: None,
            location: None,
            metadata: None,
            savepoint: None,
            kept: BTreeSet::new(),
            collected: Collected::none(),
        }
    }

    fn view(&self) -> &dyn CoordinatorView {
        self.view.as_deref().unwrap()
    }

    fn written(&self) -> &WrittenHead {
        self.written.as_ref().unwrap()
    }

    fn savepoint(&self) -> String {
        self.savepoint.as_ref().unwrap().as_str().to_owned()
    }

    fn write_head(&mut self, write: HeadWrite) -> Result<()> {
        let mut reserved = self.written().reserved.clone();
        match self.view().head().write(write) {
            HeadOutcome::Written(mut written) => {
                std::mem::swap(&mut written.reserved, &mut reserved);
                self.written = Some(written);
            }
            HeadOutcome::Failed(error) | HeadOutcome::Unknown(error) | HeadOutcome::Fenced(error) => return Err(error),
        }
        Ok(())
    }

    fn open(&mut self) -> Result<()> {
        self.view = Some(storage().coordinator_view(job(1), &self.context)?);
        Ok(())
    }

    fn claim(&mut self) -> Result<()> {
        let written = claim(&*self.view().head(), job(1), nonce(1))?;
        let epoch = written.head.head().epoch;
        let mut registry = SharedStateRegistry::new(epoch);
        registry.start_writer(WRITER).unwrap();
        self.worker = Some(storage().worker_view(job(1), Writer::new(epoch, WRITER), &self.context)?);
        (self.written, self.registry) = (Some(written), Some(registry));
        Ok(())
    }

    /// The identity of that snapshot, in the order in which they are taken.
    fn identity_of(&mut self, number: usize) -> CheckpointIdentity {
        if self.ids.len() < number {
            self.ids.push(self.written.as_mut().unwrap().reserved.take().unwrap());
        }
        identity(&self.written().head, self.ids[number - 1].get())
    }

    fn initialize(&mut self, number: usize) -> Result<()> {
        let identity = self.identity_of(number);
        self.location = Some(self.view().initialize_checkpoint(&identity)?);
        self.registry.as_mut().unwrap().begin(&identity, SnapshotKind::Checkpoint).unwrap();
        self.identity = Some(identity);
        Ok(())
    }

    fn streams(&self) -> Result<Arc<dyn StreamFactory>> {
        let (identity, location) = (self.identity.unwrap(), self.location.as_ref().unwrap());
        let barrier = match self.savepoint {
            Some(_) => barrier_of_savepoint(identity, location.reference()),
            None => barrier(identity),
        };
        self.worker.as_ref().unwrap().streams(&barrier)
    }

    fn write(&mut self) -> Result<()> {
        let state = try_write_state(&*self.streams()?, &STATE)?;
        let identity = self.identity.unwrap();
        self.metadata = Some(match self.savepoint {
            Some(_) => savepoint_of(job(1), identity, Some(state)),
            None => {
                self.acknowledge(identity.id, &state);
                metadata_of(job(1), identity, Some(state))
            }
        });
        Ok(())
    }

    fn acknowledge(&mut self, id: CheckpointId, state: &SubtaskState) {
        let mut files = self.registry.as_mut().unwrap().acknowledge(id, WRITER).unwrap();
        for state in state.operator() {
            files.written(state.handle()).unwrap();
        }
        files.accept();
    }

    fn publish(&mut self) -> Result<()> {
        self.location.as_ref().unwrap().publish(self.metadata.as_ref().unwrap()).map(drop)
    }

    fn commit(&mut self) -> Result<()> {
        // The same once more, for what HEAD is to say of it.
        let published = self.location.as_ref().unwrap().publish(self.metadata.as_ref().unwrap())?;
        self.write_head(self.written().head.commit(published, 1, &self.collected)?)?;
        let written = self.written.as_ref().unwrap();
        self.registry.as_mut().unwrap().head_written(written);
        Ok(())
    }

    fn remove(&mut self) -> Result<()> {
        for removed in self.written().all_removed() {
            // Asked again, the registry knows no more of it.
            let files = self.registry.as_mut().unwrap().remove(&removed);
            self.view().remove(&removed, &files.unwrap_or_default())?;
            self.collected.snapshots.push(removed.snapshot().id);
        }
        Ok(())
    }

    fn discard(&mut self) -> Result<()> {
        let id = self.identity.unwrap().id;
        self.location.as_ref().unwrap().discard()?;
        let files = self.registry.as_mut().unwrap().release(id);
        self.view().remove_files(&files)
    }

    fn resolve(&self, pointer: &str) -> Result<()> {
        read(&storage().resolve(pointer, &self.context)?)
    }

    fn begin_savepoint(&mut self) -> Result<()> {
        let identity = self.identity_of(4);
        let uri = match self.savepoint.take() {
            Some(uri) => uri,
            None => self.view().name_savepoint(&identity, None)?,
        };
        (self.savepoint, self.identity) = (Some(uri.clone()), Some(identity));
        let in_progress = SavepointInProgress::new(identity.id, uri);
        self.write_head(self.written().head.begin_savepoint(in_progress, &self.collected)?)
    }

    fn initialize_savepoint(&mut self) -> Result<()> {
        let uri = self.savepoint.clone().unwrap();
        match self.view().initialize_savepoint(&self.identity.unwrap(), &uri)? {
            InitializedSavepoint::Made(location) => self.location = Some(location),
            // What a failure has left is in the way.
            InitializedSavepoint::Taken => {
                return Err(Error::new(ErrorKind::AbortCheckpoint, format!("'{uri}' is taken")));
            }
        }
        Ok(())
    }

    fn savepoint_published(&mut self) -> Result<()> {
        let id = self.identity.unwrap().id;
        self.write_head(self.written().head.savepoint_published(id, &self.collected)?)
    }

    fn dispose(&mut self) -> Result<()> {
        let disposal = storage().dispose(&self.savepoint(), &self.context, &options())?;
        self.kept.extend(kept_by(&self.savepoint(), &disposal));
        disposal.errors.into_iter().next().map_or(Ok(()), Err)
    }
}

fn options() -> DisposeOptions {
    DisposeOptions::new(nonce(7), Timestamp::from_millis(1))
}

/// Reads all state of a snapshot.
fn read(found: &CompletedLocation) -> Result<()> {
    let reader = found.reader(ReadOptions::default())?;
    let mut handles = Vec::new();
    found.metadata.visit_handles(&mut |handle| handles.push(handle.to_handle()))?;
    for handle in handles {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut reader.open(&handle)?, &mut bytes)
            .map_err(|error| ckpt_streams::into_error(error, ErrorKind::Retry))?;
        assert_eq!(bytes, STATE);
    }
    Ok(())
}

/// Plays with one fault up to the step that meets it, once more without, and so on to the end if that goes.
fn run(level: Level, injection: Injection) -> bool {
    let disk = Disk::new();
    let (has_failed, (failed_at, kept)) = match level {
        Level::Operations => {
            let failing = Arc::new(FailingFileSystem::new(Arc::new(disk.open("/").unwrap()), injection));
            let failed_at = play(context_over(Arc::clone(&failing) as _), &|| failing.lift(), injection);
            (failing.has_failed(), failed_at)
        }
        Level::Calls => {
            let calls = FailingCalls::on(&disk, injection);
            let Ok(local) = calls.open("/") else { return calls.has_failed() };
            let failed_at = play(context_over(Arc::new(local)), &|| calls.lift(), injection);
            (calls.has_failed(), failed_at)
        }
    };
    let case = format!("{level:?}, {injection:?}, failed at {failed_at:?}");
    assert!(failed_at.is_none() || has_failed && !injection.fault.is_harmless(), "{case}");
    assert_eq!(disk.descriptors(), 0, "{case}");
    take_over(&disk, kept, &case);
    assert_eq!(disk.descriptors(), 0, "{case}");
    has_failed
}

fn play(context: StorageContext, lift: &dyn Fn(), injection: Injection) -> (Option<&'static str>, BTreeSet<String>) {
    let mut play = Play::new(context);
    let mut failed_at = None;
    for (name, step) in STEPS {
        let Err(error) = step(&mut play) else { continue };
        check_typed(name, &error, injection);
        assert_eq!(failed_at, None, "{name} fails without a fault: {error:?}");
        failed_at = Some(*name);
        lift();
        if let Err(error) = step(&mut play) {
            // It is not to be had any more, and that is said.
            let kinds = [ErrorKind::AbortCheckpoint, ErrorKind::NotFound];
            assert!(kinds.contains(&error.kind()), "{name} again: {:?}: {}", error.kind(), told(&error));
            return (failed_at, play.kept);
        }
    }
    (failed_at, play.kept)
}

/// The files that a disposal told that it does not know.
fn kept_by(pointer: &str, disposal: &Disposal) -> Vec<String> {
    let directory = pointer.trim_start_matches("sim:").trim_start_matches('/');
    let unknown = disposal.kept.iter().filter_map(|kept| match kept {
        Kept::Unknown { path, .. } => Some(format!("{directory}/{path}")),
        _ => None,
    });
    unknown.collect()
}

fn check_typed(name: &str, error: &Error, injection: Injection) {
    let (kind, told) = (error.kind(), told(error));
    let expected = match name {
        "open" => kind == ErrorKind::Configuration,
        "initialize base locations" => kind == ErrorKind::FailJob,
        // What is known of HEAD is what was read.
        "claim" | "commit 1" | "commit 2" | "begin savepoint 4" | "give savepoint 4 to its user" => {
            [ErrorKind::Retry, ErrorKind::Unknown, ErrorKind::AbortCheckpoint, ErrorKind::Configuration].contains(&kind)
        }
        _ => {
            [ErrorKind::AbortCheckpoint, ErrorKind::Unknown, ErrorKind::Retry, ErrorKind::Configuration].contains(&kind)
        }
    };
    assert!(expected, "{name}, {injection:?}: {kind:?}: {told}");
    assert!(told.contains('\''), "{name}, {injection:?} names nothing: {told}");
}

fn told(error: &Error) -> String {
    let mut told = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        told = format!("{told}: {error}");
        source = error.source();
    }
    told
}

/// The next leader finds what HEAD names whole, collects what former ones left, and nothing else is there then.
fn take_over(disk: &Disk, mut kept: BTreeSet<String>, case: &str) {
    let context = context_over(Arc::new(disk.open("/").unwrap()));
    let view = storage().coordinator_view(job(1), &context).unwrap();
    let written = claim(&*view.head(), job(1), nonce(2)).unwrap();
    let head = written.head.head();
    let mut registry = SharedStateRegistry::new(head.epoch);
    let mut named = BTreeSet::new();
    let mut retained = Vec::new();
    for snapshot in &head.retained {
        let pointer = view.pointer(snapshot);
        let found = storage().resolve(&pointer, &context).unwrap_or_else(|error| panic!("{case}: {}", told(&error)));
        read(&found).unwrap_or_else(|error| panic!("{case}: {}", told(&error)));
        registry.restore(snapshot.id, |visit| found.metadata.visit_handles(visit)).unwrap();
        named.extend(files_of(&found, &format!("base/{}", job(1)), &format!("chk-{}", snapshot.id)));
        retained.push(found.metadata);
    }
    view.collect_orphans(head, &retained).unwrap();
    for removed in written.all_removed() {
        let files = registry.remove(&removed).unwrap_or_default();
        view.remove(&removed, &files).unwrap();
    }
    for abandoned in written.all_abandoned() {
        let pointer = abandoned.savepoint().uri.as_str().to_owned();
        let outcome = view.remove_abandoned(&abandoned).unwrap();
        match storage().resolve(&pointer, &context) {
            Ok(found) => {
                assert_eq!(outcome, AbandonedOutcome::Complete, "{case}");
                read(&found).unwrap_or_else(|error| panic!("{case}: {}", told(&error)));
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::NotFound, "{case}: {}", told(&error)),
        }
        // Whoever had begun to dispose of it, or has not, does so now.
        match storage().dispose(&pointer, &context, &options()) {
            Ok(disposal) => {
                assert!(disposal.is_complete(), "{case}: {disposal:?}");
                kept.extend(kept_by(&pointer, &disposal));
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::NotFound, "{case}: {}", told(&error)),
        }
    }
    let files = disk.open("/").unwrap().list(None, None, usize::MAX).unwrap();
    for path in files.into_iter().map(|entry| entry.path.to_string()) {
        // What publishing it first under another name has left goes with it.
        let path = match path.split_once("/.tmp-_metadata-") {
            Some((directory, _)) => format!("{directory}/{METADATA_FILE}"),
            None => path,
        };
        let is_of_head = path.starts_with(&format!("base/{}/head/", job(1)));
        // State that could not be deleted when its writing failed goes with the checkpoint that was taken in the end.
        let (directory, name) = path.rsplit_once('/').unwrap();
        let goes_later = named.contains(&format!("{directory}/{METADATA_FILE}")) && name.parse::<FileName>().is_ok();
        assert!(
            is_of_head || goes_later || kept.contains(&path) || named.contains(&path),
            "{case}: nothing names '{path}'"
        );
    }
}

/// What a checkpoint consists of.
fn files_of(found: &CompletedLocation, above: &str, directory: &str) -> Vec<String> {
    let mut files = vec![
        format!("{above}/{directory}/{METADATA_FILE}"),
        format!("{above}/{directory}/{}", SavepointMark::FILE_NAME),
    ];
    let mut visit = |handle: &ckpt_core::state::HandleView<'_>| {
        let handle = handle.to_handle();
        match handle.place().file() {
            Some((Root::JobShared, file)) => files.push(format!("{above}/shared/{file}")),
            Some((_, file)) => files.push(format!("{above}/{directory}/{file}")),
            None => {}
        }
    };
    found.metadata.visit_handles(&mut visit).unwrap();
    files
}

#[test]
fn whatever_fails_is_told_and_leaves_nothing() {
    for level in [Level::Operations, Level::Calls] {
        let runs = sweep_faults(&mut |injection| run(level, injection));
        assert!(runs > 300, "{level:?}: only {runs} runs");
    }
}

#[test]
fn what_cannot_be_removed_is_told_or_collected_later() {
    for level in [Level::Operations, Level::Calls] {
        let runs = sweep_removals(&mut |injection| run(level, injection));
        assert!(runs > 10, "{level:?}: only {runs} runs");
        assert_eq!(Fault::RemoveFails.to_string(), "Input/output error (os error 5)");
    }
}
