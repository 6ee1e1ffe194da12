//! Leaders whose writes and removals land when another one leads: fenced, and nothing of the other's is touched.

use std::sync::Arc;

use ckpt_core::config::CheckpointConfig;
use ckpt_core::head::Nonce;
use ckpt_core::message::ToTask;
use ckpt_core::{Error, ErrorKind};
use ckpt_storage::{CheckpointStorage as _, CoordinatorView, FileSystemStorage, HeadStore, StorageContext, claim};
use ckpt_streams::file_system::{FileSystem, FileSystems};
use ckpt_streams::testing::{ObjectStoreFileSystem, Reply};

use super::ManualTrigger;
use super::tests::{JOB, Running, checkpoint, pool, start_on};
use crate::observer::Phase;

/// A store whose answers and requests are lost and late as a test says.
struct Store {
    objects: ObjectStoreFileSystem,
    context: StorageContext,
    storage: FileSystemStorage,
}

/// As often as a write of HEAD is sent.
const TRIES: usize = 5;

impl Store {
    fn new() -> Self {
        let (objects, mut file_systems) = (ObjectStoreFileSystem::new(), FileSystems::local());
        let opened = objects.clone();
        file_systems.register("late", move |_| Ok(Arc::new(opened.clone()) as Arc<dyn FileSystem>)).unwrap();
        let context = StorageContext::new(Arc::new(file_systems), pool());
        Self { objects, context, storage: FileSystemStorage::new("late:///base") }
    }

    fn start(&self, nonce: u8) -> Running {
        start_on(&self.storage, &self.context, CheckpointConfig::default(), nonce, pool())
    }

    fn view(&self) -> Arc<dyn CoordinatorView> {
        self.storage.coordinator_view(JOB, &self.context).unwrap()
    }

    fn head(&self) -> Arc<dyn HeadStore> {
        self.view().head()
    }

    /// What there is besides HEAD.
    fn files(&self) -> Vec<String> {
        let all = self.objects.list(None, None, usize::MAX).unwrap();
        let of_checkpoint =
            all.into_iter().map(|entry| entry.path.to_string()).filter(|path| !path.starts_with("head/"));
        of_checkpoint.collect()
    }

    /// All that HEAD retains can be loaded; and once one that takes over has collected, nothing else is there.
    #[track_caller]
    fn assert_whole(&self) {
        let view = self.view();
        for snapshot in view.head().read().unwrap().unwrap().retained {
            view.load(&snapshot).unwrap();
        }
        let written = claim(&*view.head(), JOB, Nonce::new([99; 16])).unwrap();
        let head = written.head.head();
        let retained: Vec<_> = head.retained.iter().map(|snapshot| Arc::new(view.load(snapshot).unwrap())).collect();
        view.collect_orphans(head, &retained).unwrap();
        for removed in written.all_removed() {
            view.remove(&removed, &Default::default()).unwrap();
        }
        let named: Vec<_> = head.retained.iter().map(|snapshot| format!("chk-{}/_metadata", snapshot.id)).collect();
        assert_eq!(self.files(), named);
    }
}

/// Whether a task was told anything of that checkpoint but to take it.
fn was_told_of(running: &Running, checkpoint: u64) -> bool {
    running.tasks.told.lock().iter().any(|message| match message {
        ToTask::Completed { id, .. } | ToTask::Aborted { id, .. } => id.get() == checkpoint,
        _ => false,
    })
}

fn trigger(running: &Running) -> ckpt_streams::Pending<ckpt_core::Result<crate::CompletedCheckpoint>> {
    running.driver.handle().trigger_checkpoint(ManualTrigger::Configured)
}

#[track_caller]
fn assert_kind<T>(outcome: Result<T, Error>, kind: ErrorKind) {
    assert_eq!(outcome.map(drop).unwrap_err().kind(), kind);
}

#[test]
fn a_commit_that_lands_after_the_next_claim_commits_nothing_and_nobody_is_told() {
    let store = Store::new();
    let first = store.start(1);
    checkpoint(&first).unwrap();
    // The metadata arrive; every try of the commit is on its way for minutes.
    store.objects.answer_next([Reply::Arrives]);
    store.objects.answer_next([Reply::Late; TRIES]);
    assert_kind(checkpoint(&first), ErrorKind::Unknown);
    first.witness.await_line("fenced Unknown");
    let files = store.files();
    assert!(files.contains(&"chk-2/_metadata".to_owned()), "what may be committed is not deleted: {files:?}");
    assert!(!was_told_of(&first, 2));

    let second = store.start(2);
    assert_eq!(second.newest.map(|id| id.get()), Some(1));
    let third = checkpoint(&second).unwrap();
    let before = store.head().read().unwrap();
    assert_eq!(store.objects.land(), TRIES);
    assert_eq!(store.head().read().unwrap(), before, "a late write changes nothing");
    assert_kind(checkpoint(&first), ErrorKind::Unknown);
    assert!(!was_told_of(&first, 2));
    let fourth = checkpoint(&second).unwrap();
    assert_eq!(fourth.identity.latest_completed, Some(third.identity.id));
    drop((first, second));
    store.assert_whole();
}

#[test]
fn a_commit_that_lands_before_the_next_claim_is_answered_for_by_the_next_leader() {
    let store = Store::new();
    let first = store.start(1);
    checkpoint(&first).unwrap();
    store.objects.answer_next([Reply::Arrives]);
    store.objects.answer_next([Reply::Late; TRIES]);
    assert_kind(checkpoint(&first), ErrorKind::Unknown);
    first.witness.await_line("fenced Unknown");
    assert_eq!(store.objects.land(), TRIES);
    assert!(!was_told_of(&first, 2), "its own answer never came");
    let second = store.start(2);
    assert_eq!(second.newest.map(|id| id.get()), Some(2), "the commit did land");
    checkpoint(&second).unwrap();
    drop((first, second));
    store.assert_whole();
}

#[test]
fn a_leader_that_sleeps_in_any_step_is_fenced_where_it_wakes() {
    for phase in [Phase::Publishing, Phase::WritingHead] {
        let store = Store::new();
        let first = store.start(1);
        checkpoint(&first).unwrap();
        first.witness.hold(Some(phase));
        let sleeping = trigger(&first);
        first.witness.await_line(&format!("{phase:?} 2"));
        let second = store.start(2);
        assert_eq!(second.newest.map(|id| id.get()), Some(1));
        checkpoint(&second).unwrap();
        let before = store.head().read().unwrap();
        first.witness.hold(None);
        assert_kind(sleeping.wait().unwrap(), ErrorKind::Fenced);
        first.witness.await_line("fenced Fenced");
        assert!(!was_told_of(&first, 2), "{phase:?}");
        assert_eq!(store.head().read().unwrap(), before);
        assert_kind(checkpoint(&first), ErrorKind::Fenced);
        checkpoint(&second).unwrap();
        drop((first, second));
        store.assert_whole();
    }
}

/// There the failure left files behind and blocked what was to be triggered.
#[test]
fn flink_5158_a_commit_that_certainly_failed_leaves_nothing_and_the_next_one_is_taken() {
    for refused in [&[Reply::Refused][..], &[Reply::Arrives, Reply::Refused]] {
        let store = Store::new();
        let leader = store.start(1);
        let first = checkpoint(&leader).unwrap();
        store.objects.answer_next(refused.iter().copied());
        assert_kind(checkpoint(&leader), ErrorKind::AbortCheckpoint);
        let statistics = leader.driver.handle().statistics();
        assert_eq!((statistics.completed, statistics.aborted, statistics.in_doubt), (1, 1, 0), "{refused:?}");
        let third = checkpoint(&leader).unwrap();
        assert_eq!((third.identity.id.get(), third.identity.latest_completed), (3, Some(first.identity.id)));
        assert!(
            !leader.tasks.told.lock().iter().any(|told| matches!(told, ToTask::Completed { id, .. } if id.get() == 2))
        );
        leader.witness.await_line("Collecting 1");
        leader.driver.handle().shut_down().wait().unwrap().unwrap();
        assert!(!store.files().contains(&"chk-2/_metadata".to_owned()), "{:?}", store.files());
    }
}

#[test]
fn removals_that_land_after_the_next_claim_touch_nothing_that_is_named() {
    let store = Store::new();
    let first = store.start(1);
    checkpoint(&first).unwrap();
    first.witness.hold(Some(Phase::Collecting));
    checkpoint(&first).unwrap();
    first.witness.await_line("Collecting 1");
    // From here on every removal comes late, as that of the first one does.
    store.objects.remove_late();
    first.witness.hold(None);
    let second = store.start(2);
    let newest = checkpoint(&second).unwrap();
    let before = store.head().read().unwrap().unwrap();
    assert_kind(checkpoint(&first), ErrorKind::Fenced);
    assert_eq!(before.retained.last().unwrap().id, newest.identity.id);
    drop((first, second));
    assert!(store.objects.land() > 0);
    assert_eq!(store.head().read().unwrap().unwrap(), before);
    store.objects.remove_in_time();
    store.assert_whole();
}
