//! The rules of an object store, and what is made of them.

use std::sync::Arc;

use bytes::Bytes;
use ckpt_core::ErrorKind;
use ckpt_core::state::RelPath;

use crate::file_system::{CasOutcome, Durability, Expect, FileSystem, VersionTag, Visible};
use crate::testing::{ObjectStoreFileSystem, Reply, contract};

fn path(text: &str) -> RelPath {
    RelPath::new(text).unwrap()
}

fn put(store: &ObjectStoreFileSystem, body: &str, expect: Expect<'_>) -> CasOutcome {
    store.put_record(&path("head/HEAD"), Bytes::from(body.to_owned()), expect)
}

fn newest(store: &ObjectStoreFileSystem) -> Option<Bytes> {
    store.read_record(&path("head/HEAD")).unwrap().map(|(body, _)| body)
}

fn done(outcome: CasOutcome) -> VersionTag {
    match outcome {
        CasOutcome::Done(tag) => tag,
        other => panic!("expected Done, found {other:?}"),
    }
}

fn is_unknown(outcome: &CasOutcome) -> bool {
    matches!(outcome, CasOutcome::Unknown(error) if error.kind() == ErrorKind::Unknown)
}

fn publish(store: &ObjectStoreFileSystem, name: &str, bytes: &[u8]) -> CasOutcome {
    let mut writer = store.create_new(&path(name), Visible::WholeAtFinish).unwrap();
    writer.write_all(bytes).unwrap();
    writer.finish(Durability::Full)
}

fn names(store: &ObjectStoreFileSystem) -> Vec<String> {
    store.list(None, None, usize::MAX).unwrap().into_iter().map(|entry| entry.path.to_string()).collect()
}

#[test]
fn it_keeps_the_contract_while_answers_arrive() {
    contract::file_system(&|| Arc::new(ObjectStoreFileSystem::new()));
}

#[test]
fn an_answer_that_is_lost_is_settled_by_the_same_write() {
    for reply in [Reply::LostAfterApplied, Reply::LostBeforeApplied, Reply::Late] {
        let store = ObjectStoreFileSystem::new();
        let first = done(put(&store, "one", Expect::Absent));
        store.answer_next([reply]);
        assert!(is_unknown(&put(&store, "two", Expect::Version(&first))), "{reply:?}");
        let second = done(put(&store, "two", Expect::Version(&first)));
        // What lands late finds its condition gone.
        let third = done(put(&store, "three", Expect::Version(&second)));
        store.land();
        assert_eq!(newest(&store).unwrap(), "three", "{reply:?}");
        assert_eq!(store.read_record(&path("head/HEAD")).unwrap().unwrap().1, third);
    }
}

#[test]
fn a_write_that_is_late_still_lands_where_nobody_has_written() {
    let store = ObjectStoreFileSystem::new();
    let first = done(put(&store, "one", Expect::Absent));
    store.answer_next([Reply::Late]);
    assert!(is_unknown(&put(&store, "two", Expect::Version(&first))));
    // That it is not there yet proves nothing.
    assert_eq!(newest(&store).unwrap(), "one");
    assert_eq!(store.land(), 1);
    assert_eq!(newest(&store).unwrap(), "two");
    assert!(matches!(put(&store, "other", Expect::Version(&first)), CasOutcome::Lost));
}

#[test]
fn a_completion_that_is_late_never_replaces_and_may_come_after_a_removal() {
    let store = ObjectStoreFileSystem::new();
    store.answer_next([Reply::Late]);
    assert!(is_unknown(&publish(&store, "d/whole", b"late")));
    assert_eq!(names(&store), [""; 0]);
    done(publish(&store, "d/whole", b"second"));
    store.land();
    let mut found = [0; 6];
    store.open(&path("d/whole")).unwrap().read_exact_at(&mut found, 0).unwrap();
    assert_eq!(&found, b"second");

    store.answer_next([Reply::Late]);
    assert!(is_unknown(&publish(&store, "d/other", b"late")));
    assert!(store.remove(&[path("d/other")])[0].is_ok());
    store.land();
    assert_eq!(names(&store), ["d/other", "d/whole"]);
}

#[test]
fn uploads_end_with_their_writers() {
    let store = ObjectStoreFileSystem::new();
    let kept = store.create_new(&path("a"), Visible::AtOnce).unwrap();
    drop(store.create_new(&path("b"), Visible::AtOnce).unwrap());
    store.create_new(&path("c"), Visible::WholeAtFinish).unwrap().discard().unwrap();
    assert_eq!(store.open_uploads(), 1);
    assert!(store.remove(&[path("a")])[0].is_ok());
    assert_eq!(store.open_uploads(), 0);
    assert!(matches!(kept.finish(Durability::Full), CasOutcome::Failed(_)));
    assert_eq!(names(&store), [""; 0]);
}

#[test]
fn a_list_of_the_past_misses_what_is_new_and_shows_what_is_gone() {
    let store = ObjectStoreFileSystem::new();
    done(publish(&store, "gone", b"1"));
    store.list_the_past();
    done(publish(&store, "new", b"2"));
    assert!(store.remove(&[path("gone")])[0].is_ok());
    assert_eq!(names(&store), ["gone"]);
    assert_eq!(store.open(&path("gone")).unwrap_err().kind(), ErrorKind::NotFound);
    store.list_the_present();
    assert_eq!(names(&store), ["new"]);
}
