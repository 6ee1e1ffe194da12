//! What writers that have ended leave: files that nobody ever acknowledged, beside files that checkpoints name.

use std::collections::BTreeMap;

use ckpt_core::head::WrittenHead;
use ckpt_core::id::{FileName, Writer, WriterId};
use ckpt_core::shared::SharedStateRegistry;
use ckpt_core::snapshot::SnapshotKind;
use ckpt_core::state::{FileRef, Place, Root, StateHandle};
use ckpt_core::{Digest, ErrorKind};

use crate::test_support::{Fault, MemoryDisk, local_context};
use crate::testing::sample::{commit_next, identity, job, nonce};
use crate::{CheckpointStorage, CoordinatorView, FileSystemStorage, claim};

/// A leader whose writers 1 and 2 write shared files, and its registry.
struct Leader {
    written: WrittenHead,
    registry: SharedStateRegistry,
}

impl Leader {
    fn of(view: &dyn CoordinatorView, number: u8) -> Self {
        let written = claim(&*view.head(), job(1), nonce(number)).unwrap();
        let mut registry = SharedStateRegistry::new(written.head.head().epoch);
        for writer in [1, 2] {
            registry.start_writer(WriterId::new(writer)).unwrap();
        }
        Self { written, registry }
    }

    fn file(&self, writer: u64, number: u32) -> FileName {
        Writer::new(self.written.head.head().epoch, WriterId::new(writer)).file(number)
    }

    /// A pending checkpoint names that file.
    fn acknowledge(&mut self, id: u64, file: FileName) {
        let identity = identity(&self.written.head, id);
        self.registry.begin(&identity, SnapshotKind::Checkpoint).unwrap();
        let place = Place::File { root: Root::JobShared, file: FileRef::Ours(file) };
        let mut files = self.registry.acknowledge(identity.id, file.writer).unwrap();
        files.written(&StateHandle::assume_durable(place, 1, Some(Digest::of(b"x")))).unwrap();
        files.accept();
    }
}

fn view(disk: &MemoryDisk) -> std::sync::Arc<dyn CoordinatorView> {
    FileSystemStorage::new("mem:/base").coordinator_view(job(1), &disk.context()).unwrap()
}

fn shared(disk: &MemoryDisk) -> Vec<String> {
    let files = disk.files().into_iter();
    files.filter_map(|path| path.split_once("/shared/").map(|(_, name)| name.to_owned())).collect()
}

fn put(disk: &MemoryDisk, files: &[FileName]) {
    for file in files {
        disk.put(&format!("base/{}/shared/{file}", job(1)), b"x");
    }
}

fn names(files: &[FileName]) -> Vec<String> {
    files.iter().map(ToString::to_string).collect()
}

#[test]
fn what_an_ended_writer_left_goes_but_for_what_is_committed_or_pending() {
    let disk = MemoryDisk::default();
    let view = view(&disk);
    let mut leader = Leader::of(&*view, 1);
    let [committed, pending, unheard, other] =
        [(1, 0), (1, 1), (1, 2), (2, 0)].map(|(writer, number)| leader.file(writer, number));
    let of_others = [FileName { epoch: leader.written.head.head().epoch.next().unwrap(), ..unheard }];
    put(&disk, &[committed, pending, unheard, other]);
    put(&disk, &of_others);
    disk.put(&format!("base/{}/shared/README", job(1)), b"not ours");
    leader.acknowledge(1, committed);
    let first = commit_next(&*view, &leader.written.head, 1, &[committed]);
    leader.registry.head_written(&first);
    leader.written = first;
    leader.acknowledge(2, pending);
    assert!(leader.registry.end_writers([WriterId::new(1)]).is_empty());
    let ended = leader.registry.take_ended();
    assert_eq!(view.collect_ended(&ended).unwrap(), 1);
    let mut left = names(&[committed, pending, other, of_others[0]]);
    left.push("README".to_owned());
    left.sort();
    assert_eq!(shared(&disk), left);
    assert!(leader.registry.take_ended().is_empty(), "once is enough");
}

/// The uploads of an increment that was given up before anybody had acknowledged them stayed until a leader took over.
#[test]
fn flink_30461_uploads_that_nobody_acknowledged_go_with_their_writer() {
    let disk = MemoryDisk::default();
    let view = view(&disk);
    let mut leader = Leader::of(&*view, 1);
    put(&disk, &[leader.file(1, 7), leader.file(2, 7)]);
    let _ = leader.registry.end_writers([WriterId::new(2)]);
    assert_eq!(view.collect_ended(&leader.registry.take_ended()).unwrap(), 1);
    assert_eq!(shared(&disk), names(&[leader.file(1, 7)]));
    let _ = leader.registry.end_all_writers();
    assert_eq!(view.collect_ended(&leader.registry.take_ended()).unwrap(), 1);
    assert_eq!(shared(&disk), [""; 0]);
}

/// One that another has taken over from knows what it named itself, and nobody can name more of it.
#[test]
fn flink_25486_a_former_leader_that_ends_writers_deletes_nothing_that_was_taken_over() {
    let disk = MemoryDisk::default();
    let former_view = view(&disk);
    let mut former = Leader::of(&*former_view, 1);
    let [kept, unheard] = [0, 1].map(|number| former.file(1, number));
    put(&disk, &[kept, unheard]);
    former.acknowledge(1, kept);
    let first = commit_next(&*former_view, &former.written.head, 1, &[kept]);
    // It has not heard yet whether that was written, and ends a writer; another takes over and names what was committed.
    let _ = former.registry.end_writers([WriterId::new(1)]);
    let ended = former.registry.take_ended();
    let present = view(&disk);
    let leader = Leader::of(&*present, 2);
    let own = leader.file(1, 1);
    put(&disk, &[own]);
    let committed = commit_next(&*present, &leader.written.head, 1001, &[kept, own]);
    assert_eq!(former_view.collect_ended(&ended).unwrap(), 1);
    assert_eq!(shared(&disk), names(&[kept, own]));
    present.load(committed.head.head().restore_point().unwrap()).unwrap();
    drop(first);
}

#[test]
fn what_could_not_be_collected_is_collected_the_next_time_at_every_step() {
    for step in 0.. {
        let disk = MemoryDisk::default();
        let view = view(&disk);
        let mut leader = Leader::of(&*view, 1);
        put(&disk, &[leader.file(1, 0), leader.file(1, 1), leader.file(2, 0)]);
        let _ = leader.registry.end_writers([WriterId::new(1)]);
        let before = disk.operations();
        disk.fail(step, Fault::Fails, 1);
        let ended = leader.registry.take_ended();
        let outcome = view.collect_ended(&ended);
        let untouched = disk.operations() - before <= step;
        disk.heal();
        match outcome {
            Ok(files) => assert_eq!(files, 2),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Retry);
                leader.registry.not_collected(&ended);
                assert!(view.collect_ended(&leader.registry.take_ended()).unwrap() <= 2);
            }
        }
        assert_eq!(shared(&disk), names(&[leader.file(2, 0)]), "step {step}");
        if untouched {
            break;
        }
    }
}

/// Many more than a page, or a buffer of directory entries, holds, among files that stay.
#[test]
fn as_many_files_as_there_are_in_a_local_directory() {
    let directory = tempfile::tempdir().unwrap();
    let storage = FileSystemStorage::new(directory.path().to_str().unwrap());
    let view = storage.coordinator_view(job(1), &local_context()).unwrap();
    let mut leader = Leader::of(&*view, 1);
    let place = directory.path().join(job(1).to_string()).join("shared");
    std::fs::create_dir_all(&place).unwrap();
    let mut expected = BTreeMap::new();
    for number in 0..5000 {
        for writer in [1, 2] {
            let name = leader.file(writer, number).to_string();
            std::fs::write(place.join(&name), b"x").unwrap();
            expected.insert(name, writer == 2);
        }
    }
    let _ = leader.registry.end_writers([WriterId::new(1)]);
    assert_eq!(view.collect_ended(&leader.registry.take_ended()).unwrap(), 5000);
    let there = |name: &str| place.join(name).exists();
    assert!(expected.iter().all(|(name, stays)| there(name) == *stays));
}
