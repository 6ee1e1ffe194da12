//! Snapshots that are whole, and each way in which they are not.

use std::fs;
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ckpt_core::head::{ClaimedHead, Collected, RetainedSnapshot};
use ckpt_core::id::{CheckpointId, FileName, LeaderEpoch, OperatorId, Writer, WriterId};
use ckpt_core::key_group::MaxParallelism;
use ckpt_core::metadata::{CheckpointDescription, CheckpointMetadata, OperatorDescription};
use ckpt_core::snapshot::{CheckpointIdentity, CheckpointProperties, RetentionPolicy};
use ckpt_core::state::{FileRef, Place, Places, Root, StateHandle, SubtaskState, SubtaskStateParts, TaskSnapshot};
use ckpt_core::uri::Uri;
use ckpt_core::{Digest, Error, ErrorKind, Timestamp};
use ckpt_streams::file_system::FileSystems;
use ckpt_streams::{Budget, Pool, PoolOptions, StateFlaw, StateScope, StreamFactory};

use super::{Cancellation, Finding, FindingKind, StateRole, VerifyObserver, VerifyOptions, VerifyProgress};
use crate::test_support::{Fault, MemoryDisk, local_context};
use crate::testing::sample::{barrier, commit, identity, job, metadata_of, nonce, operator_state, shared_handle};
use crate::{
    CheckpointStorage, CompletedLocation, CoordinatorView, FileSystemStorage, HeadOutcome, StorageContext, claim,
};

/// More than one block.
const LENGTH: usize = 100_000;

const COUNT: OperatorId = OperatorId::new([7; 16]);
const SINK: OperatorId = OperatorId::new([9; 16]);

fn sealed(streams: &dyn StreamFactory, scope: StateScope, length: usize) -> StateHandle {
    let mut stream = streams.create(scope).unwrap();
    stream.write_all(&vec![5; length]).unwrap();
    let state = SubtaskState::new(Vec::new(), vec![operator_state(stream.finish().unwrap().unwrap())]);
    let sealed = streams.seal(TaskSnapshot::new([(COUNT, state)].into())).unwrap();
    let (_, state) = sealed.into_operators().into_iter().next().unwrap();
    state.handles().next().unwrap().clone()
}

/// Checkpoints below `base`, each of which names the shared file of the first again; how many, and their pointers.
///
/// Two operators have two and one subtasks; the first subtask of the first has a file of its own as its coordinator has,
/// and the shared one belongs to all of them.
fn checkpoints(base: &str, context: &StorageContext, many: u64) -> Vec<String> {
    let storage = FileSystemStorage::new(base).with_inline_threshold_bytes(16);
    let view = storage.coordinator_view(job(1), context).unwrap();
    let mut claimed = claim(&*view.head(), job(1), nonce(1)).unwrap().head;
    let writer = Writer::new(claimed.head().epoch, WriterId::new(1));
    let worker = storage.worker_view(job(1), writer, context).unwrap();
    let mut shared = None;
    (1..=many)
        .map(|number| {
            let identity = identity(&claimed, number);
            let location = view.initialize_checkpoint(&identity).unwrap();
            let streams = worker.streams(&barrier(identity)).unwrap();
            let shared = shared.get_or_insert_with(|| sealed(&*streams, StateScope::Shared, 3 * LENGTH));
            let own = sealed(&*streams, StateScope::Exclusive, LENGTH);
            let of_coordinator = sealed(&*streams, StateScope::Exclusive, 1000);
            let properties = CheckpointProperties::checkpoint(RetentionPolicy::RetainOnCancellation);
            let description = CheckpointDescription::new(job(1), identity, properties);
            let mut metadata = CheckpointMetadata::builder(description).unwrap();
            let maximum = MaxParallelism::new(128).unwrap();
            let mut described = OperatorDescription::new(COUNT, "Count words", 2, maximum);
            described.uid = Some("count".to_owned());
            described.coordinator_state = Some(of_coordinator);
            let mut operator = metadata.operator(&described).unwrap();
            let inline = operator_state(StateHandle::inline(vec![1; 10].into()));
            let state =
                SubtaskState::new(Vec::new(), vec![operator_state(shared.clone()), operator_state(own), inline]);
            operator.subtask(0, &state).unwrap();
            let again = || operator_state(shared.clone());
            operator.subtask(1, &SubtaskState::new(Vec::new(), vec![again()])).unwrap();
            let mut operator = metadata.operator(&OperatorDescription::new(SINK, "Sink", 1, maximum)).unwrap();
            let mut parts = SubtaskStateParts::default();
            parts.raw_operator.push(again());
            operator.subtask(0, &parts.into()).unwrap();
            let metadata = metadata.finish(Timestamp::from_millis(number + 1)).unwrap();
            claimed = commit_retaining(&*view, &claimed, location.publish(&metadata).unwrap());
            format!("{base}/{}/chk-{number}", job(1))
        })
        .collect()
}

fn commit_retaining(view: &dyn CoordinatorView, claimed: &ClaimedHead, published: RetainedSnapshot) -> ClaimedHead {
    let write = claimed.commit(published, 100, &Collected::none()).unwrap();
    match view.head().write(write) {
        HeadOutcome::Written(written) => written.head,
        other => panic!("{other:?}"),
    }
}

fn resolve(pointer: &str, context: &StorageContext) -> CompletedLocation {
    FileSystemStorage::without_directory().resolve(pointer, context).unwrap()
}

fn verify(pointer: &str, context: &StorageContext) -> (super::VerifyReport, Vec<Finding>) {
    let mut findings = Vec::new();
    let report = resolve(pointer, context).verify(context, &VerifyOptions::default(), &mut findings).unwrap();
    (report, findings)
}

/// The one checkpoint of a job in a directory, and its files: shared, of the subtask, of the coordinator.
struct Sample {
    _scratch: tempfile::TempDir,
    pointer: String,
    files: [PathBuf; 3],
}

fn sample() -> Sample {
    let scratch = tempfile::tempdir().unwrap();
    let base = scratch.path().canonicalize().unwrap().into_os_string().into_string().unwrap();
    let pointer = checkpoints(&base, &local_context(), 1).remove(0);
    let job = Path::new(&pointer).parent().unwrap().to_owned();
    let file = |number: u32| Writer::new(LeaderEpoch::new(1), WriterId::new(1)).file(number).to_string();
    let files = [job.join("shared").join(file(0)), job.join("chk-1").join(file(1)), job.join("chk-1").join(file(2))];
    Sample { _scratch: scratch, pointer, files }
}

fn flip(path: &Path, at: u64) {
    let file = fs::File::options().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 1], at).unwrap();
}

fn owners(finding: &Finding) -> Vec<(String, Option<u32>, StateRole)> {
    finding.owners.iter().map(|owner| (owner.operator_name.clone(), owner.subtask, owner.role)).collect()
}

#[test]
fn what_is_whole_is_told_with_what_it_was_held_against() {
    let sample = sample();
    let (report, findings) = verify(&sample.pointer, &local_context());
    assert!(findings.is_empty(), "{findings:?}");
    assert!(report.is_whole());
    assert_eq!((report.files, report.with_digest, report.without_digest), (3, 3, 0));
    assert_eq!((report.inline, report.flawed, report.extra, report.not_listed), (1, 0, 0, 0));
    assert_eq!(report.whole, [(Root::ThisSnapshot, 2), (Root::JobShared, 1)].into());
    assert_eq!(report.read_bytes, 4 * LENGTH as u64 + 1000);
}

#[test]
fn a_file_that_several_need_is_told_once_with_all_of_them() {
    let sample = sample();
    flip(&sample.files[0], LENGTH as u64);
    let (report, findings) = verify(&sample.pointer, &local_context());
    let [finding] = &findings[..] else { panic!("{findings:?}") };
    assert!(!report.is_whole());
    assert_eq!((report.flawed, report.with_digest), (1, 2));
    assert_eq!(finding.root, Root::JobShared);
    let changed = StateFlaw::BlocksChanged { first: 1, offset_bytes: 64 * 1024, blocks: 1 };
    assert_eq!(finding.kind, FindingKind::State(changed));
    let expected = [("count", Some(0), StateRole::Operator), ("count", Some(1), StateRole::Operator)];
    let expected = expected.into_iter().chain([("Sink", Some(0), StateRole::RawOperator)]);
    assert_eq!(
        owners(finding),
        expected.map(|(name, subtask, role)| (name.to_owned(), subtask, role)).collect::<Vec<_>>()
    );
    let error = finding.error.as_ref().unwrap();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains(sample.files[0].to_str().unwrap()), "{error}");
    let text = finding.to_string();
    let ends = "is changed in 1 blocks, the first of which is block 1 at byte 65536; it is operator state of operator count \
                (07070707070707070707070707070707), subtask 0, and needed by 2 more";
    assert!(text.ends_with(ends), "{text}");
}

#[test]
fn each_way_to_be_wrong_is_told_with_its_owner() {
    type Damage<'a> = &'a dyn Fn(&Path);
    type IsIt = fn(StateFlaw) -> bool;
    let set_length = |path: &Path, length| fs::File::options().write(true).open(path).unwrap().set_len(length).unwrap();
    let cases: [(Damage<'_>, IsIt); 6] = [
        (&|path| fs::remove_file(path).unwrap(), |flaw| flaw == StateFlaw::Missing),
        (&|path| set_length(path, 5), |flaw| matches!(flaw, StateFlaw::TooShort { found_bytes: 5, .. })),
        (&|path| set_length(path, 1 << 20), |flaw| matches!(flaw, StateFlaw::TooLong { found_bytes: 1_048_576, .. })),
        (&|path| flip(path, 0), |flaw| {
            matches!(flaw, StateFlaw::BlocksChanged { first: 0, offset_bytes: 0, blocks: 1 })
        }),
        (
            &|path| {
                fs::remove_file(path).unwrap();
                fs::create_dir(path).unwrap();
            },
            |flaw| flaw == StateFlaw::NotAFile,
        ),
        (
            &|path| {
                fs::remove_file(path).unwrap();
                std::os::unix::fs::symlink("elsewhere", path).unwrap();
            },
            |flaw| flaw == StateFlaw::NotAFile,
        ),
    ];
    for (number, (damage, is_it)) in cases.iter().enumerate() {
        let sample = sample();
        damage(&sample.files[1]);
        damage(&sample.files[2]);
        let (report, mut findings) = verify(&sample.pointer, &local_context());
        findings.retain(|finding| finding.kind != FindingKind::Extra);
        findings.sort_by_key(|finding| finding.file.clone());
        let [own, of_coordinator] = &findings[..] else { panic!("{number}: {findings:?}") };
        for finding in [own, of_coordinator] {
            let FindingKind::State(flaw) = finding.kind else { panic!("{number}: {finding:?}") };
            assert!(is_it(flaw), "{number}: {flaw:?}");
        }
        assert_eq!(owners(own), [("count".to_owned(), Some(0), StateRole::Operator)]);
        assert_eq!(owners(of_coordinator), [("count".to_owned(), None, StateRole::Coordinator)]);
        assert_eq!((report.flawed, report.with_digest, report.is_whole()), (2, 1, false));
    }
}

/// What a file is that nobody names: the snapshot is whole, whatever else lies beside it.
#[test]
fn what_nobody_names_is_extra() {
    let sample = sample();
    let own = Path::new(&sample.pointer);
    let ours = Writer::new(LeaderEpoch::new(1), WriterId::new(9)).file(5);
    fs::write(own.join(ours.to_string()), "left over").unwrap();
    fs::write(own.join("notes.txt"), "by hand").unwrap();
    fs::create_dir(own.join("below")).unwrap();
    fs::write(own.join("below/too"), "").unwrap();
    // Shared files of others are nobody's business.
    fs::write(own.parent().unwrap().join("shared/of-another"), "").unwrap();
    let (report, findings) = verify(&sample.pointer, &local_context());
    assert!(report.is_whole());
    assert_eq!((report.extra, report.with_digest), (3, 3));
    assert!(findings.iter().all(|finding| finding.kind == FindingKind::Extra && finding.root == Root::ThisSnapshot));
    let found: Vec<_> = findings.iter().map(|finding| finding.file.as_ref().unwrap().to_string()).collect();
    assert_eq!(found, [ours.to_string(), "below/too".to_owned(), "notes.txt".to_owned()]);
    assert!(matches!(findings[0].file, Some(FileRef::Ours(name)) if name == ours));
}

/// FLINK-27681: a file that was damaged when it was written was named again by every checkpoint after it, and nobody knew.
#[test]
fn flink_27681_a_damaged_file_is_named_in_every_checkpoint_that_inherited_it() {
    let scratch = tempfile::tempdir().unwrap();
    let base = scratch.path().canonicalize().unwrap().into_os_string().into_string().unwrap();
    let context = local_context();
    let pointers = checkpoints(&base, &context, 5);
    for pointer in &pointers {
        assert!(verify(pointer, &context).0.is_whole());
    }
    let shared = fs::read_dir(format!("{base}/{}/shared", job(1))).unwrap().next().unwrap().unwrap();
    flip(&shared.path(), 200_000);
    for pointer in &pointers {
        let (report, findings) = verify(pointer, &context);
        let [finding] = &findings[..] else { panic!("{pointer}: {findings:?}") };
        let file: FileName = shared.file_name().to_str().unwrap().parse().unwrap();
        assert_eq!((finding.root, &finding.file), (Root::JobShared, &Some(FileRef::Ours(file))));
        assert!(matches!(finding.kind, FindingKind::State(StateFlaw::BlocksChanged { first: 3, blocks: 1, .. })));
        assert_eq!(finding.owners.len(), 3);
        assert_eq!((report.flawed, report.with_digest), (1, 2));
    }
}

/// A snapshot that names many files, of which each third is missing.
fn many(context: &StorageContext) -> CompletedLocation {
    const FILES: u32 = 3000;
    let scratch = "mem:/many";
    let storage = FileSystemStorage::new(scratch).with_inline_threshold_bytes(0);
    let view = storage.coordinator_view(job(1), context).unwrap();
    let claimed = claim(&*view.head(), job(1), nonce(1)).unwrap().head;
    let writer = Writer::new(claimed.head().epoch, WriterId::new(1));
    let streams =
        storage.worker_view(job(1), writer, context).unwrap().streams(&barrier(identity(&claimed, 1))).unwrap();
    let handles = (0..FILES).map(|number| match number % 3 {
        0 => shared_handle(Writer::new(claimed.head().epoch, WriterId::new(2)).file(number)),
        _ => sealed(&*streams, StateScope::Shared, 10),
    });
    let state = SubtaskState::new(Vec::new(), handles.map(operator_state).collect());
    let identity = identity(&claimed, 1);
    let metadata = metadata_of(job(1), identity, Some(state));
    let published = view.initialize_checkpoint(&identity).unwrap().publish(&metadata).unwrap();
    let _ = commit(&*view, &claimed, published);
    resolve(&format!("{scratch}/{}/chk-1", job(1)), context)
}

fn at_once(files: usize) -> VerifyOptions {
    VerifyOptions::default().with_files_at_once(NonZeroUsize::new(files).unwrap())
}

#[test]
fn however_many_threads_there_are_it_finds_the_same() {
    let disk = MemoryDisk::default();
    let context = disk.context();
    let location = many(&context);
    let pool = Arc::new(Pool::new(PoolOptions::new(4, 1)).unwrap());
    let mut pooled = context.clone();
    pooled.spawn = pool;
    let spawns = [context, pooled];
    let budget = Arc::new(Budget::new(20));
    for context in spawns {
        for context in [context.clone().with_budget(Arc::clone(&budget)), context] {
            for files in [1, 2, 5, 100] {
                let mut findings = Vec::new();
                let report = location.verify(&context, &at_once(files), &mut findings).unwrap();
                assert_eq!((report.files, report.flawed, report.with_digest), (3000, 1000, 2000));
                let mut found: Vec<_> = findings.iter().map(|finding| finding.file.clone().unwrap()).collect();
                found.sort();
                found.dedup();
                assert_eq!(found.len(), 1000);
                assert!(findings.iter().all(|finding| finding.kind == FindingKind::State(StateFlaw::Missing)));
            }
        }
    }
    // A file of ten bytes takes as many, and eight for the digest of its block.
    assert!((18..=20).contains(&budget.most_charged_bytes()), "{budget:?}");
    assert_eq!(budget.charged_bytes(), 0);
}

/// Tells how far it came, and ends it.
struct EndsAfter {
    files: u64,
    cancellation: Cancellation,
    last: Option<VerifyProgress>,
}

impl VerifyObserver for EndsAfter {
    fn found(&mut self, _: Finding) {}

    fn progress(&mut self, progress: VerifyProgress) {
        if let Some(last) = self.last {
            assert!(last.files <= progress.files && last.read_bytes <= progress.read_bytes, "{last:?} {progress:?}");
        }
        assert!(progress.files <= progress.all_files && progress.read_bytes <= progress.all_bytes, "{progress:?}");
        self.last = Some(progress);
        if progress.files >= self.files {
            self.cancellation.cancel();
        }
    }
}

#[test]
fn progress_is_told_and_a_cancellation_ends_it() {
    let disk = MemoryDisk::default();
    let context = disk.context();
    let location = many(&context);
    for (files, is_cancelled) in [(7, true), (u64::MAX, false)] {
        let cancellation = Cancellation::new();
        let mut observer = EndsAfter { files, cancellation: cancellation.clone(), last: None };
        let options = at_once(1).with_cancellation(cancellation);
        let outcome = location.verify(&context, &options, &mut observer);
        let last = observer.last.unwrap();
        assert_eq!(outcome.as_ref().err().map(Error::kind), is_cancelled.then_some(ErrorKind::Cancelled));
        // 2000 files of ten bytes are there, and one is expected of each of the others.
        assert_eq!((last.all_files, last.all_bytes), (3000, 21_000));
        assert_eq!(last.files, if is_cancelled { 7 } else { 3000 });
        assert_eq!(last.read_bytes, if is_cancelled { last.read_bytes } else { 20_000 });
    }
}

/// Whatever operation fails, once or for ever: what could not be read is found, and nothing else changes.
#[test]
fn errors_of_access_are_findings() {
    let disk = MemoryDisk::default();
    let context = disk.context();
    let pointer = checkpoints("mem:/jobs", &context, 1).remove(0);
    let location = resolve(&pointer, &context);
    let before = disk.operations();
    assert!(location.verify(&context, &at_once(1), &mut Vec::new()).unwrap().is_whole());
    let operations = disk.operations() - before;
    assert!(operations >= 4, "{operations}");
    for how_many in [1, u64::MAX] {
        for after in 0..operations {
            disk.fail(after, Fault::Fails, how_many);
            let mut findings = Vec::new();
            let report = location.verify(&context, &at_once(1), &mut findings).unwrap();
            disk.heal();
            assert_eq!(findings.len() as u64, report.flawed + report.not_listed + report.unreadable_marks);
            assert!(!findings.is_empty(), "{after}");
            assert_eq!(report.with_digest + report.flawed, 3);
            for finding in &findings {
                let unreadable = FindingKind::State(StateFlaw::Unreadable);
                assert!([unreadable, FindingKind::NotListed, FindingKind::Mark].contains(&finding.kind), "{finding:?}");
                assert_eq!(finding.error.as_ref().unwrap().kind(), ErrorKind::Retry);
            }
        }
    }
}

/// A root whose place cannot be opened is told with the reason, of each file below it.
#[test]
fn a_place_that_cannot_be_opened_is_a_finding() {
    let context = StorageContext::new(Arc::new(FileSystems::local()), local_context().spawn);
    let uri = Uri::new("nowhere://host/jobs").unwrap();
    let places = Places::new(vec![(Root::Borrowed(3), uri)]).unwrap();
    let mut description = CheckpointDescription::new(
        job(1),
        CheckpointIdentity::new(CheckpointId::new(1).unwrap(), LeaderEpoch::new(1), Timestamp::from_millis(1), None),
        CheckpointProperties::checkpoint(RetentionPolicy::default()),
    );
    description.places = places;
    let mut metadata = CheckpointMetadata::builder(description).unwrap();
    let described = OperatorDescription::new(SINK, "Sink", 1, MaxParallelism::new(128).unwrap());
    let file = FileRef::Ours(Writer::new(LeaderEpoch::new(1), WriterId::new(1)).file(1));
    let place = Place::File { root: Root::Borrowed(3), file };
    let handle = StateHandle::assume_durable(place, 5, Some(Digest::of(b"12345")));
    let state = SubtaskState::new(Vec::new(), vec![operator_state(handle)]);
    metadata.operator(&described).unwrap().subtask(0, &state).unwrap();
    let metadata = Arc::new(metadata.finish(Timestamp::from_millis(2)).unwrap());
    let location =
        CompletedLocation::new("anywhere".to_owned(), metadata).with_file_systems(Arc::clone(&context.file_systems));
    let mut findings = Vec::new();
    let report = location.verify(&context, &VerifyOptions::default(), &mut findings).unwrap();
    assert_eq!((report.flawed, report.is_whole()), (1, false));
    assert_eq!(findings[0].kind, FindingKind::State(StateFlaw::PlaceUnknown));
    let error = findings[0].error.as_ref().unwrap();
    assert_eq!(error.to_string(), "the place 'nowhere://host/jobs' of stored state cannot be opened");
    assert_eq!(owners(&findings[0]), [("Sink".to_owned(), Some(0), StateRole::Operator)]);
}
