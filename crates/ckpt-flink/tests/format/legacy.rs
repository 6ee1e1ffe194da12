//! Handles that only older Flinks wrote are read, and written back as they were.

use ckpt_flink::{
    ChangelogHandle, FlinkMetadata, KeyGroupsKind, KeyedHandle, MetadataVersion, OperatorSubtasks, StreamHandle,
};

use super::by_hand::{Bytes, keyed_in};

/// The handle that these bytes are, and are again in each version that can be written.
fn read_and_written(handle: Bytes) -> KeyedHandle {
    let file = keyed_in(3, handle);
    let metadata = FlinkMetadata::decode(file.clone().into()).unwrap_or_else(|error| panic!("{error}")).metadata;
    assert!(metadata.encode().unwrap() == file.0);
    let OperatorSubtasks::Subtasks(subtasks) = &metadata.operators[0].subtasks else { panic!("it has subtasks") };
    let keyed = subtasks[0].state.as_deref().unwrap().managed_keyed.as_deref().unwrap().clone();

    let mut newer = metadata.clone();
    newer.version = MetadataVersion::V6;
    newer.properties = Some(ckpt_flink::StoredProperties::null());
    let again = FlinkMetadata::decode(newer.encode().unwrap().into()).unwrap().metadata;
    assert_eq!(again, newer);
    keyed
}

fn range() -> Bytes {
    Bytes::new().i32(2).i32(1)
}

#[test]
fn key_groups_without_an_id() {
    let handle = read_and_written(Bytes::new().u8(3).raw(&range().0).i64(11).u8(16));
    let KeyedHandle::KeyGroups(handle) = handle else { panic!("{handle:?}") };
    assert_eq!((handle.kind, handle.key_groups.start, handle.key_groups.offsets), (KeyGroupsKind::Legacy, 2, vec![11]));
}

#[test]
fn an_incremental_handle_without_an_id() {
    let files = Bytes::new().i32(1).text("1.sst").u8(2).i64(-1).text("file:/1");
    let body = Bytes::new().i64(9).text("no uuid").raw(&range().0).u8(16).raw(&files.0).i32(0);
    let handle = read_and_written(Bytes::new().u8(5).raw(&body.0));
    let KeyedHandle::Incremental(handle) = handle else { panic!("{handle:?}") };
    assert_eq!((handle.identity, handle.checkpoint_id, handle.backend_id.to_string().as_str()), (None, 9, "no uuid"));
    assert_eq!((handle.shared.len(), handle.private.len()), (1, 0));
    assert!(matches!(&handle.shared[0].handle, StreamHandle::File(file) if file.state_size == -1));
}

#[test]
fn a_changelog_without_a_checkpoint_id_and_with_handles_that_are_missing() {
    let changes = Bytes::new().u8(10).raw(&range().0).i32(1).i64(7).u8(16).i64(70).i64(60).text("id");
    let body = range().i64(5).i32(2).u8(0).u8(7).i32(0).i32(0).u8(16).i32(1).raw(&changes.0).i64(8).text("outer");
    let handle = read_and_written(Bytes::new().u8(8).raw(&body.0));
    let KeyedHandle::Changelog(handle) = handle else { panic!("{handle:?}") };
    let ChangelogHandle { materialized, non_materialized, materialization_id, checkpoint_id, .. } = handle;
    assert_eq!((materialized.len(), materialized[0].is_none(), materialized[1].is_some()), (2, true, true));
    assert_eq!((materialization_id, checkpoint_id), (8, None));
    let Some(KeyedHandle::ChangelogStream(stream)) = non_materialized[0].as_deref() else { panic!("a stream") };
    assert_eq!((stream.size, stream.checkpointed_size, stream.streams[0].offset), (70, 60, 7));
    assert_eq!(stream.storage_identifier, None);
}

#[test]
fn a_stream_that_is_divided_into_key_groups() {
    let stream = Bytes::new().u8(3).raw(&range().0).i64(-1).u8(1).text("inner").i32(2).raw(b"ab");
    let handle = read_and_written(Bytes::new().u8(7).i32(0).i32(0).raw(&stream.0));
    let KeyedHandle::KeyGroups(handle) = handle else { panic!("{handle:?}") };
    let StreamHandle::KeyGroups(inner) = handle.delegate else { panic!("{:?}", handle.delegate) };
    assert_eq!(inner.key_groups.offsets, [-1]);
    assert!(matches!(&inner.delegate, StreamHandle::ByteStream(state) if state.data == b"ab".as_slice()));
}

/// The ranges that Flink takes for the empty one are not told apart by it; here they stay.
#[test]
fn empty_ranges_of_key_groups_stay_as_they_are() {
    for (start, count) in [(0, 0), (5, 0), (-7, -3), (i32::MAX, 0)] {
        let body = Bytes::new().i32(start).i32(count).i64(1).i64(2).i32(0).text("id");
        let handle = read_and_written(Bytes::new().u8(9).raw(&body.0));
        let KeyedHandle::InMemoryChangelog(handle) = handle else { panic!("{handle:?}") };
        assert_eq!((handle.key_groups.start, handle.key_groups.count), (start, count));
    }
}
