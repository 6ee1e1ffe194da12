//! Files that Flink refuses are refused, each with what is wrong and where; what Flink reads and never writes is noted.

use std::io;

use ckpt_core::ErrorKind;
use ckpt_core::id::OperatorId;
use ckpt_flink::{
    FlinkFormatError, FlinkMetadata, FlinkReader, KeyedHandle, NoteKind, OperatorSubtasks, SkippedBytes, StreamHandle,
    StreamSource,
};

use super::by_hand::{Bytes, file_of, keyed_in, operator, subtask_in};

/// The error for that file.
fn refusal(file: Bytes) -> String {
    let error = FlinkMetadata::decode(file.into()).expect_err("it is refused");
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    let text = error.to_string();
    text.strip_prefix("Flink metadata cannot be read: ").unwrap_or_else(|| panic!("{text}")).to_owned()
}

#[test]
fn what_is_no_metadata_of_flink() {
    assert_eq!(refusal(Bytes::new()), "magic at byte 0 is cut short after 0 bytes, expected 4 bytes");
    assert_eq!(
        refusal(Bytes::new().raw(b"CKPT").i32(1)),
        "magic at byte 0 is [43, 4b, 50, 54], expected [49, 60, 67, 2d]: it is no metadata of Flink, or of one before \
         1.1, or damaged"
    );
}

#[test]
fn an_error_has_its_fields() {
    let keyed = Bytes::new().u8(7).i32(-1).i32(1).i64(0).u8(16);
    let error = FlinkMetadata::decode(keyed_in(3, keyed).into()).unwrap_err();
    let format = error.downcast_ref::<FlinkFormatError>().unwrap();
    assert_eq!((format.offset_bytes(), format.found(), format.expected()), (66, "-1", "not negative"));
    assert_eq!((format.operator(), format.subtask()), (Some(OperatorId::new([7; 16])), Some(0)));
    let place = "operator 07070707070707070707070707070707, subtask 0, managed keyed state, first key group";
    assert_eq!(format.place().to_string(), place);
    let error = FlinkMetadata::decode(Bytes::new().into()).unwrap_err();
    let format = error.downcast_ref::<FlinkFormatError>().unwrap();
    assert_eq!((format.offset_bytes(), format.operator(), format.subtask()), (0, None, None));
    // A newer version is no damage.
    let newer = FlinkMetadata::decode(Bytes::begin(7).into()).unwrap_err();
    assert_eq!(newer.downcast_ref::<FlinkFormatError>(), None);
}

#[test]
fn versions_that_are_not_read_say_why() {
    let error = |version: i32| FlinkMetadata::decode(Bytes::begin(version).into()).unwrap_err();
    let first = error(1);
    assert_eq!(first.kind(), ErrorKind::Configuration);
    assert!(first.to_string().starts_with("Flink metadata has version 1, expected 2 to 6: Flink 1.1 and 1.2 wrote it"));
    for newer in [7, 8, i32::MAX] {
        let error = error(newer);
        assert_eq!(error.kind(), ErrorKind::Configuration);
        let expected = format!("Flink metadata has version {newer}, expected 2 to 6: a newer Flink wrote it");
        assert_eq!(error.to_string(), expected);
    }
    for wrong in [0, -1, i32::MIN] {
        assert_eq!(refusal(Bytes::begin(wrong)), format!("version at byte 4 is {wrong}, expected 2 to 6"));
    }
}

#[test]
fn a_checkpoint_id_is_not_negative() {
    assert_eq!(refusal(Bytes::begin(3).i64(-1)), "checkpoint id at byte 8 is -1, expected not negative");
}

#[test]
fn a_master_state_is_as_long_as_it_says() {
    let file = |magic: u32, length: i32| {
        let state = Bytes::new().i32(3).text("hook").i32(2).raw(&[5, 6]);
        Bytes::begin(3).i64(1).i32(1).i32(magic as i32).i32(length).raw(&state.0).i32(0)
    };
    assert!(FlinkMetadata::decode(file(0xc96b_1696, 16).into()).is_ok());
    assert_eq!(refusal(file(0xc96b_1697, 16)), "master states 0, magic at byte 20 is 0xc96b1697, expected 0xc96b1696");
    for length in [0, 15, 17] {
        assert_eq!(
            refusal(file(0xc96b_1696, length)),
            format!("master states 0, length at byte 24 is {length}, expected 16 bytes as they are there")
        );
    }
    assert_eq!(refusal(file(0xc96b_1696, -1)), "master states 0, length at byte 24 is -1, expected not negative");
}

#[test]
fn counts_are_bounded_by_the_bytes_that_are_left() {
    let file = Bytes::begin(3).i64(1).i32(0);
    let expected = "number of operators at byte 20 is 1000000, expected at most 3, since 100 bytes are left";
    assert_eq!(refusal(file.clone().i32(1_000_000).raw(&[0; 100])), expected);
    assert_eq!(refusal(file.clone().i32(-2)), "number of operators at byte 20 is -2, expected not negative");
    let expected = "master states at byte 16 is 2147483647, expected at most 0, since 0 bytes are left";
    assert_eq!(refusal(Bytes::begin(3).i64(1).i32(i32::MAX)), expected);
}

#[test]
fn an_operator_follows_the_rules() {
    let error = |operator: Bytes| refusal(file_of(3, &[operator]));
    let at = |rest: &str| format!("operators 0, operator 07070707070707070707070707070707, {rest}");
    assert_eq!(
        error(operator(5, 4).u8(0).i32(0)),
        at("parallelism at byte 40 is 5, expected at most the maximum of 4")
    );
    assert_eq!(
        error(operator(1, 1).u8(2).i64(1).text("x").i32(0)),
        at("coordinator state at byte 48 is another handle, expected state in the metadata itself, or none")
    );
    assert_eq!(
        error(operator(1, 1).u8(1).text("x").i32(1).u8(9).i32(-1)),
        at("number of subtasks at byte 57 is -1, expected at least 0, since the coordinator has state")
    );
}

#[test]
fn a_subtask_is_one_of_its_operator() {
    for (index, parallelism) in [(2, 2), (i32::MAX, 2), (-3, 2), (i32::MIN, 2), (0, 0), (0, -1)] {
        let operator = operator(parallelism, 2).u8(0).i32(1).i32(index).raw(&[0; 18]);
        assert_eq!(
            refusal(file_of(3, &[operator])),
            format!(
                "operator 07070707070707070707070707070707, subtask index at byte 53 is {index}, expected of a subtask \
                 below the parallelism of {parallelism}"
            )
        );
    }
}

#[test]
fn tags_that_there_are_not() {
    let at = |rest: &str| format!("operator 07070707070707070707070707070707, subtask 0, {rest}");
    let managed = |handle: Bytes| subtask_in(3, Bytes::new().i32(1).raw(&handle.0));
    let expected = "expected the tag of an operator state handle: 0, 4 or 17";
    assert_eq!(
        refusal(managed(Bytes::new().u8(5))),
        at(&format!("managed operator state at byte 61 is tag 5, {expected}"))
    );
    let expected = "expected the tag of a keyed state handle: 0, 3, 5 or 7 to 14";
    for tag in [1, 2, 4, 6, 15, 17, 255] {
        let found = format!("managed keyed state at byte 65 is tag {tag}, {expected}");
        assert_eq!(refusal(keyed_in(3, Bytes::new().u8(tag))), at(&found));
    }
    let expected = "expected the tag of a stream handle: 0, 1, 2, 3, 6, 15 or 16";
    for tag in [4, 5, 7, 14, 17, 255] {
        let keyed = Bytes::new().u8(7).i32(0).i32(0).u8(tag);
        let found = format!("managed keyed state, delegate, delegate at byte 74 is tag {tag}, {expected}");
        assert_eq!(refusal(keyed_in(3, keyed)), at(&found));
    }
}

#[test]
fn a_handle_that_must_be_there() {
    let keyed = Bytes::new().u8(7).i32(0).i32(0).u8(0);
    assert_eq!(
        refusal(keyed_in(3, keyed)),
        "operator 07070707070707070707070707070707, subtask 0, managed keyed state, delegate at byte 74 is null, expected \
         a stream handle"
    );
}

#[test]
fn numbers_that_stand_for_a_choice() {
    let state = |mode: u8| Bytes::new().i32(1).u8(4).i32(1).text("s").u8(mode).i32(0).u8(16);
    assert_eq!(
        refusal(subtask_in(3, state(3))),
        "operator 07070707070707070707070707070707, subtask 0, managed operator state, states 0, distribution mode at \
         byte 69 is 3, expected 0 (split), 1 (union) or 2 (broadcast)"
    );
    let segment = |scope: i32| Bytes::new().u8(7).i32(0).i32(0).u8(15).i64(0).i64(0).i32(scope).text("p").text("l");
    for scope in [-1, 2] {
        assert_eq!(
            refusal(keyed_in(3, segment(scope))),
            format!(
                "operator 07070707070707070707070707070707, subtask 0, managed keyed state, delegate, scope at byte 91 \
                 is {scope}, expected 0 (exclusive) or 1 (shared)"
            )
        );
    }
}

#[test]
fn a_handle_of_a_shared_file_is_of_a_segment() {
    let handle = |delegate: &[u8]| {
        Bytes::new().i32(1).u8(17).i32(0).text("t").text("s").u8(1).raw(delegate).i32(0).raw(&[0; 10])
    };
    assert!(FlinkMetadata::decode(subtask_in(3, handle(&[16])).into()).is_ok());
    let file = Bytes::new().u8(2).i64(0).text("f");
    assert_eq!(
        refusal(subtask_in(3, handle(&file.0))),
        "operator 07070707070707070707070707070707, subtask 0, managed operator state, delegate at byte 73 is another \
         handle, expected a segment of a file"
    );
}

#[test]
fn data_in_flight_is_of_its_own_kind() {
    // One of the other list, and one that there is not.
    for kind in [2, 4, 0, 5] {
        let channels = Bytes::new().i32(0).i32(0).u8(0).u8(0).i32(1).u8(kind).raw(&[0; 40]);
        assert_eq!(
            refusal(subtask_in(6, channels)),
            format!(
                "operator 07070707070707070707070707070707, subtask 0, input channels 0, kind at byte 75 is {kind}, \
                 expected 1 (one channel) or 3 (several)"
            )
        );
    }
}

#[test]
fn key_groups_are_not_negative() {
    let keyed = |start: i32, count: i32| Bytes::new().u8(7).i32(start).i32(count).i64(0).u8(16);
    assert!(refusal(keyed_in(3, keyed(-1, 1))).ends_with("first key group at byte 66 is -1, expected not negative"));
    assert!(
        refusal(keyed_in(3, keyed(0, -1))).ends_with("number of key groups at byte 70 is -1, expected not negative")
    );
    assert!(FlinkMetadata::decode(keyed_in(3, keyed(0, 1)).into()).is_ok());
}

/// Of positions there would be more than key groups, and Flink refuses that; a run without positions is the empty one to it.
#[test]
fn key_groups_end_within_the_numbers_of_java() {
    let keyed = |start: i32, count: i32| Bytes::new().u8(7).i32(start).i32(count).raw(&[0; 24]).u8(16);
    assert!(refusal(keyed_in(3, keyed(i32::MAX, 3))).ends_with(
        "managed keyed state, number of key groups at byte 70 is 3, expected at most 1, since the first is 2147483647"
    ));
    assert!(FlinkMetadata::decode(keyed_in(3, keyed(i32::MAX - 2, 3)).into()).is_ok());
    let changelog = |start: i32, count: i32| {
        let bytes = Bytes::new().u8(14).i32(start).i32(count).i64(0).i32(0).i32(0);
        keyed_in(3, bytes.i64(0).i64(0).text(""))
    };
    let decoded = FlinkMetadata::decode(changelog(i32::MAX, 3).into()).unwrap();
    let [note] = decoded.notes.first() else { panic!("{:?}", decoded.notes) };
    assert_eq!(note.kind, NoteKind::KeyGroupsBeyondInt { first: i32::MAX, count: 3 });
    assert_eq!(note.to_string(), "3 key groups from 2147483647 on at byte 66 are taken for none");
    assert!(decoded.metadata.encode().unwrap() == changelog(0, 0).0);
    for (start, count) in [(i32::MAX, 1), (i32::MAX - 2, 3), (i32::MAX, 0), (i32::MAX, -1)] {
        let decoded = FlinkMetadata::decode(changelog(start, count).into()).unwrap();
        assert_eq!(decoded.notes.total(), 0);
        assert!(decoded.metadata.encode().unwrap() == changelog(start, count).0);
    }
}

/// Flink reads them, and fails when it restores from them.
#[test]
fn channels_of_one_file_can_be_decoded() {
    let file = |serialized: &Bytes| {
        let merged = Bytes::new().u8(4).i32(0).i64(0).u8(16).i32(serialized.0.len() as i32).raw(&serialized.0);
        let state = Bytes::new().i32(0).i32(0).u8(0).u8(0).i32(0).i32(1).raw(&merged.0);
        subtask_in(6, state).raw(&[0xac, 0xed, 0, 5, 0x70])
    };
    let channel = |offsets: i32| Bytes::new().i32(1).i32(0).i32(2).i64(8).i32(offsets).i64(7);
    assert!(FlinkMetadata::decode(file(&channel(1)).into()).is_ok());
    for (serialized, found) in [
        (Bytes::new().i32(-3), "channels at byte 97 is -3, expected not negative"),
        (Bytes::new().i32(i32::MAX), "channels at byte 97 is 2147483647, expected at most 0, since 0 bytes are left"),
        (Bytes::new(), "channels at byte 97 is cut short after 0 bytes, expected 4 bytes"),
        (channel(-1), "channels 0, offsets at byte 117 is -1, expected not negative"),
        (channel(2), "channels 0, offsets at byte 117 is 2, expected at most 1, since 8 bytes are left"),
        (channel(0), "end at byte 121 is 8 more bytes, expected nothing behind it"),
    ] {
        let bytes = file(&serialized);
        let error = refusal(bytes.clone());
        let place = "operator 07070707070707070707070707070707, subtask 0, result subpartitions 0, serialized channels";
        assert_eq!(error, format!("{place}, {found}"));
        // Nor where nothing of them is kept.
        let source = StreamSource::new(io::Cursor::new(bytes.0)).unwrap();
        let mut reader = FlinkReader::<_, SkippedBytes>::open(source).unwrap();
        reader.next_operator().unwrap();
        let skipped = reader.next_subtask().unwrap_err();
        assert!(skipped.to_string().ends_with(&error), "{skipped}");
    }
}

/// -1 stands for a length that is not known, and Flink writes nothing below.
#[test]
fn sizes_are_not_below_the_one_that_is_unknown() {
    let keyed = |stream: Bytes| keyed_in(3, Bytes::new().u8(7).i32(0).i32(0).raw(&stream.0));
    let channels = |version: i32, channels: Bytes| {
        let state = Bytes::new().i32(0).i32(0).u8(0).u8(0).i32(1).raw(&channels.0).i32(0);
        let properties: &[u8] = if version > 3 { &[0xac, 0xed, 0, 5, 0x70] } else { &[] };
        subtask_in(version, state).raw(properties)
    };
    type File<'a> = (&'a str, u64, &'a dyn Fn(i64) -> Bytes);
    let files: [File<'_>; 6] = [
        ("managed keyed state, delegate", 75, &|size| keyed(Bytes::new().u8(2).i64(size).text("file:/a"))),
        ("managed keyed state, delegate", 78, &|size| keyed(Bytes::new().u8(6).text("a").i64(size))),
        ("managed keyed state, delegate", 83, &|size| {
            keyed(Bytes::new().u8(15).i64(0).i64(size).i32(0).text("file:/a").text("id"))
        }),
        ("input channels 0", 87, &|size| channels(3, Bytes::new().i32(0).i32(0).i32(0).i32(0).i64(size).u8(16))),
        ("input channels 0", 92, &|size| channels(6, Bytes::new().u8(1).i32(0).i32(0).i32(0).i32(0).i64(size).u8(16))),
        ("input channels 0", 80, &|size| channels(6, Bytes::new().u8(3).i32(0).i64(size).u8(16).i32(4).i32(0))),
    ];
    for (place, offset, file) in files {
        for size in [-1, 0, i64::MAX] {
            let metadata = FlinkMetadata::decode(file(size).into()).unwrap().metadata;
            assert!(metadata.encode().unwrap() == file(size).0);
        }
        for size in [-2, i64::MIN] {
            let expected = "expected at least 0, or -1 where it is unknown";
            assert_eq!(
                refusal(file(size)),
                format!(
                    "operator 07070707070707070707070707070707, subtask 0, {place}, state size at byte {offset} is {size}, {expected}"
                )
            );
        }
    }
}

#[test]
fn texts_are_what_java_reads() {
    let keyed = |text: &[u8]| {
        let stream = Bytes::new().u8(6).u16(text.len() as u16).raw(text).i64(0);
        keyed_in(3, Bytes::new().u8(7).i32(0).i32(0).raw(&stream.0))
    };
    assert!(FlinkMetadata::decode(keyed(&[0x61, 0xc1, 0xa1]).into()).is_ok());
    let at = "operator 07070707070707070707070707070707, subtask 0, managed keyed state, delegate, relative path";
    let expected = "expected the first byte of a character of at most three";
    assert_eq!(refusal(keyed("a😀".as_bytes())), format!("{at} at byte 78 is 0xf0, {expected}"));
    let expected = "expected a further byte of a character";
    assert_eq!(refusal(keyed(&[0x61, 0xe2, 0x82])), format!("{at} at byte 80 is the end of the text, {expected}"));
}

/// So many handles of key groups around one of nothing.
fn nested_streams(depth: usize) -> Bytes {
    let keyed = Bytes::new().u8(7).i32(0).i32(0);
    let nested = (0..depth).fold(keyed, |bytes, _| bytes.u8(3).i32(0).i32(0));
    keyed_in(3, nested.u8(16))
}

/// So many changelogs around nothing.
fn nested_changelogs(depth: usize) -> Bytes {
    let begun = (0..depth).fold(Bytes::new(), |bytes, _| bytes.u8(14).i32(0).i32(0).i64(0).i32(1));
    let innermost = begun.u8(0);
    keyed_in(3, (0..depth).fold(innermost, |bytes, _| bytes.i32(0).i64(0).i64(0).text("")))
}

#[test]
fn handles_are_not_nested_without_end() {
    for nested in [nested_streams, nested_changelogs] {
        let metadata = FlinkMetadata::decode(nested(32).into()).unwrap().metadata;
        assert!(metadata.encode().unwrap() == nested(32).0);
        for depth in [33, 34, 100_000] {
            let error = refusal(nested(depth));
            assert!(error.ends_with("is one more, expected at most 32 of them in one another"), "{error}");
            assert!(error.len() < 2_000, "{error}");
        }
    }
    let metadata = FlinkMetadata::decode(nested_streams(1).into()).unwrap().metadata;
    let OperatorSubtasks::Subtasks(subtasks) = &metadata.operators[0].subtasks else { panic!("it has subtasks") };
    let keyed = subtasks[0].state.as_deref().unwrap().managed_keyed.as_deref();
    let Some(KeyedHandle::KeyGroups(handle)) = keyed else { panic!("{keyed:?}") };
    assert!(matches!(&handle.delegate, StreamHandle::KeyGroups(inner) if inner.delegate == StreamHandle::EmptySegment));
}

#[test]
fn handles_beside_one_another_are_not_nested() {
    let changelog = Bytes::new().u8(14).i32(0).i32(0).i64(0).i32(0).i32(0).i64(0).i64(0).text("");
    let subtasks = (0..100)
        .fold(Bytes::new(), |bytes, _| bytes.i32(0).i32(0).i32(0).raw(&changelog.0).raw(&changelog.0).i32(0).i32(0));
    let file = file_of(3, &[operator(1, 1).u8(0).i32(100).raw(&subtasks.0)]);
    let metadata = FlinkMetadata::decode(file.clone().into()).unwrap().metadata;
    assert!(metadata.encode().unwrap() == file.0);
}

#[test]
fn version_2_has_no_state_of_before() {
    let file = |legacy: i32| {
        let subtask = Bytes::new().i32(0).i64(-1).i32(legacy).i32(0).i32(0).u8(0).u8(0);
        file_of(2, &[operator(1, 1).i32(9).i32(1).raw(&subtask.0)])
    };
    let decoded = FlinkMetadata::decode(file(0).into()).unwrap();
    let operator_state = &decoded.metadata.operators[0];
    assert_eq!(operator_state.description.chain_length, Some(9));
    let OperatorSubtasks::Subtasks(subtasks) = &operator_state.subtasks else { panic!("it has subtasks") };
    assert_eq!(subtasks[0].state.as_deref().unwrap().legacy_duration, Some(-1));
    assert!(refusal(file(1)).ends_with(
        "number of old states at byte 68 is 1, expected 0, since state of Flink 1.1 and before is not supported any more"
    ));
    let notes = FlinkMetadata::decode(file(-4).into()).unwrap().notes;
    assert_eq!((notes.first()[0].offset_bytes, notes.first()[0].kind), (68, NoteKind::LegacyStates(-4)));
    // It has no finished subtasks.
    let finished = file_of(2, &[operator(1, 1).i32(9).i32(1).i32(-1).raw(&[0; 30])]);
    assert!(
        refusal(finished).ends_with("subtask index at byte 56 is -1, expected of a subtask below the parallelism of 1")
    );
    let finished = file_of(2, &[operator(1, 1).i32(9).i32(-1)]);
    assert!(refusal(finished).ends_with("number of subtasks at byte 52 is -1, expected not negative"));
}

#[test]
fn what_flink_reads_and_never_writes_is_noted() {
    let operators = [
        operator(1, 1).u8(0).i32(-5),
        operator(1, 1)
            .u8(0)
            .i32(1)
            .i32(0)
            .i32(2)
            .u8(17)
            .i32(0)
            .text("")
            .text("")
            .u8(7)
            .u8(16)
            .i32(-1)
            .u8(0)
            .raw(&[0; 10]),
    ];
    let decoded = FlinkMetadata::decode(file_of(3, &operators).into()).unwrap();
    let notes: Vec<_> = decoded.notes.first().iter().map(|note| (note.offset_bytes, note.kind)).collect();
    let expected = [
        (49, NoteKind::FullyFinished(-5)),
        (86, NoteKind::Presence(2)),
        (99, NoteKind::Bool(7)),
        (101, NoteKind::Presence(-1)),
        (105, NoteKind::NullHandle),
    ];
    assert_eq!((notes.as_slice(), decoded.notes.total()), (&expected[..], 5));
    assert_eq!(decoded.notes.first()[0].to_string(), "-5 at byte 49 is taken for -1, all subtasks are finished");
    // Written as Flink writes it, it says the same.
    let again = FlinkMetadata::decode(decoded.metadata.encode().unwrap().into()).unwrap();
    assert_eq!((again.metadata, again.notes.total()), (decoded.metadata, 0));
}

/// Something follows, and it is nothing.
#[test]
fn a_handle_that_is_announced_and_null_is_noted() {
    let file = subtask_in(3, Bytes::new().i32(1).u8(0).i32(1).u8(0).raw(&[0; 10]));
    let decoded = FlinkMetadata::decode(file.into()).unwrap();
    let notes: Vec<_> = decoded.notes.first().iter().map(|note| (note.offset_bytes, note.kind)).collect();
    assert_eq!(notes, [(61, NoteKind::NullHandle), (66, NoteKind::NullHandle)]);
    let again = FlinkMetadata::decode(decoded.metadata.encode().unwrap().into()).unwrap();
    assert_eq!((again.metadata, again.notes.total()), (decoded.metadata, 0));
}

#[test]
fn notes_do_not_fill_memory() {
    let subtasks = (0..5_000).fold(Bytes::new(), |bytes, _| bytes.i32(0).i32(2).u8(0).i32(0).u8(0).u8(0).i32(0).i32(0));
    let operator = operator(1, 1).u8(0).i32(5_000).raw(&subtasks.0);
    let notes = FlinkMetadata::decode(file_of(3, &[operator]).into()).unwrap().notes;
    // Each has a number that is neither 0 nor 1, and behind it a handle that is null.
    assert_eq!((notes.first().len(), notes.total()), (1_000, 10_000));
}
