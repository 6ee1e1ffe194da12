//! The frame around a message: versions, kinds, limits, and frames in a stream of bytes.

use ckpt_core::id::OperatorId;
use ckpt_core::message::{Decline, FRAME_VERSIONS, FrameKind, FrameReader, Marker, Received, ToCoordinator, ToTask};
use ckpt_core::state::{Places, TaskRestore};
use ckpt_core::testing::{Envelope, every_decline_reason, sealed};
use ckpt_core::{Digest, Error, ErrorKind};

use crate::golden;
use crate::message_samples::{fixed_markers, fixed_restore, fixed_to_task};
use crate::samples::{range, with_reused};

const LIMIT: usize = 1 << 20;

fn expect(error: Error, kind: ErrorKind, text: &str) {
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(text), "{error}");
}

/// A frame of that version and kind, in order otherwise.
fn frame_of(version: u16, kind: u16, body: &[u8]) -> Vec<u8> {
    sealed(&[b"CKPM".as_slice(), &version.to_le_bytes(), &kind.to_le_bytes()].concat(), body)
}

#[test]
fn a_frame_has_at_most_the_bytes_allowed() {
    let restore = fixed_restore();
    let frame = restore.encode(LIMIT).unwrap();
    let exact = frame.len();
    assert_eq!(restore.encode(exact).unwrap(), frame);
    assert!(TaskRestore::decode(&frame, exact).is_ok());
    let error = restore.encode(exact - 1).unwrap_err();
    expect(error, ErrorKind::AbortCheckpoint, &format!("has {exact} bytes, expected at most {}", exact - 1));
    let error = TaskRestore::decode(&frame, exact - 1).unwrap_err();
    expect(error, ErrorKind::Configuration, &format!("{exact} bytes, expected at most {}", exact - 1));
}

#[test]
fn a_version_that_is_not_spoken_is_told_with_those_that_are() {
    assert_eq!(FRAME_VERSIONS, 1..=1);
    for version in [0, 2, 3, u16::MAX] {
        let frame = frame_of(version, 1, &[2, 1, 5, 0]);
        let program = if version > 1 { "a newer" } else { "an older" };
        let expected = format!("a frame has format version {version}, expected 1: {program} program sent it");
        expect(ToTask::decode(&frame, LIMIT).unwrap_err(), ErrorKind::Configuration, &expected);
        let error = FrameReader::new(LIMIT).next(&frame[..12]).unwrap_err();
        expect(error, ErrorKind::Configuration, &expected);
    }
    assert!(ToTask::decode(&frame_of(1, 1, &[2, 1, 5, 0]), LIMIT).is_ok());
}

#[test]
fn a_frame_of_another_kind_is_refused() {
    let marker = golden::read("marker-barrier");
    let expected = "the kind of a frame is a marker, expected a message to a task";
    expect(ToTask::decode(&marker, LIMIT).unwrap_err(), ErrorKind::Corrupt, expected);
    for kind in [0, 6, 77, u16::MAX] {
        let expected = format!("the kind of a frame is {kind}, expected one that this version has");
        let frame = frame_of(1, kind, &[]);
        expect(ToTask::decode(&frame, LIMIT).unwrap_err(), ErrorKind::Corrupt, &expected);
        expect(FrameReader::new(LIMIT).next(&frame).unwrap_err(), ErrorKind::Corrupt, &expected);
    }
}

#[test]
fn frames_are_found_however_a_stream_cuts_them() {
    let frames: Vec<_> =
        (fixed_to_task().iter().map(|(_, message)| (FrameKind::ToTask, message.encode(LIMIT).unwrap())))
            .chain(fixed_markers().iter().map(|(_, marker)| (FrameKind::Marker, marker.encode(LIMIT).unwrap())))
            .collect();
    let stream: Vec<u8> = frames.iter().flat_map(|(_, frame)| frame.to_vec()).collect();
    let reader = FrameReader::new(LIMIT);
    for step in [1, 7, 12, 64, stream.len()] {
        let (mut received, mut found) = (Vec::new(), Vec::new());
        for piece in stream.chunks(step) {
            received.extend_from_slice(piece);
            while let Received::Frame { kind, frame, rest } = reader.next(&received).unwrap() {
                found.push((kind, frame.to_vec().into()));
                received = rest.to_vec();
            }
        }
        assert!(received.is_empty(), "step {step}");
        assert_eq!(found, frames, "step {step}");
    }
}

#[test]
fn what_is_missing_of_a_frame_is_told_exactly() {
    let frame = golden::read("to-task-trigger");
    let reader = FrameReader::new(LIMIT);
    for length in 0..frame.len() {
        let whole = if length < 12 { 12 } else { frame.len() };
        let Received::Part { missing_bytes } = reader.next(&frame[..length]).unwrap() else { panic!("{length}") };
        assert_eq!(missing_bytes, whole - length, "{length} bytes");
    }
    let longer = [frame.as_slice(), b"more"].concat();
    let whole = Received::Frame { kind: FrameKind::ToTask, frame: &frame, rest: b"more" };
    assert_eq!(reader.next(&longer).unwrap(), whole);
}

#[test]
fn a_header_that_cannot_be_meant_is_told_before_anyone_waits_for_its_body() {
    let reader = FrameReader::new(100);
    let header = |length: u32| [b"CKPM\x01\0\x01\0".as_slice(), &length.to_le_bytes()].concat();
    assert_eq!(reader.next(&header(80)).unwrap(), Received::Part { missing_bytes: 88 });
    for length in [81, 1 << 20, u32::MAX] {
        let expected = format!("says that it has {} bytes, expected at most 100", u64::from(length) + 20);
        expect(reader.next(&header(length)).unwrap_err(), ErrorKind::Configuration, &expected);
    }
    for first in [b"H".as_slice(), b"CKPT", b"GET / HTTP/1.1\r\n"] {
        expect(reader.next(first).unwrap_err(), ErrorKind::Corrupt, "does not have the magic 'CKPM'");
    }
}

#[test]
fn reasons_keep_their_numbers() {
    let frame = golden::read("to-coordinator-decline");
    let ToCoordinator::Decline(decline) = ToCoordinator::decode(&frame, LIMIT).unwrap() else { panic!("a decline") };
    // The variant, epoch 3, checkpoint 1234, the vertex, subtask 5, attempt 6.
    let at = 12 + 1 + 1 + 2 + 16 + 1 + 1;
    let reasons = every_decline_reason();
    for (number, reason) in reasons.iter().enumerate() {
        let other = Decline::new(decline.epoch, decline.id, decline.attempt, *reason, "");
        let frame = ToCoordinator::Decline(other).encode(LIMIT).unwrap();
        assert_eq!(usize::from(frame[at]), number, "{reason:?}");
    }
    let body = [&frame[12..at], &[reasons.len() as u8, 0]].concat();
    let error = ToCoordinator::decode(&frame_of(1, 2, &body), LIMIT).unwrap_err();
    expect(error, ErrorKind::Corrupt, "cannot be decoded");
}

#[test]
fn a_changed_frame_of_equal_length_is_told_by_its_digest() {
    let (_, marker) = &fixed_markers()[0];
    let mut frame = marker.encode(LIMIT).unwrap().to_vec();
    frame[20] ^= 1;
    let content = &frame[..frame.len() - 8];
    let expected = format!("is {}, expected", Digest::of(content));
    expect(Marker::decode(&frame, LIMIT).unwrap_err(), ErrorKind::Corrupt, &expected);
}

/// What a task is given can be found and verified, and is for it.
#[test]
fn a_restore_of_state_that_cannot_be_found_is_neither_written_nor_read() {
    let operator = OperatorId::new([0x22; 16]);
    let given = |change: fn(&mut TaskRestore, OperatorId)| {
        let mut restore = fixed_restore();
        change(&mut restore, operator);
        restore.encode(LIMIT).unwrap_err().to_string()
    };
    let nowhere = given(|restore, _| restore.places = Places::none());
    assert!(nowhere.contains("the root of a handle is claim 7, expected one whose place is given"), "{nowhere}");
    let others = given(|restore, operator| {
        restore.operators.get_mut(&operator).unwrap().key_groups = range(43, 127);
    });
    assert!(others.contains("a range of key groups is 0..=3, expected one with some of 43..=127"), "{others}");
    let reused = given(|restore, operator| {
        let given = restore.operators.get_mut(&operator).unwrap();
        given.state = with_reused(std::mem::take(&mut given.state));
    });
    assert!(reused.contains("without a handle, expected one with the handle it was written with"), "{reused}");

    // The first key group of those that count stands behind the only operator's id.
    let frame = fixed_restore().encode(LIMIT).unwrap();
    let mut body = Envelope::TASK_RESTORE.open(&frame).unwrap().to_vec();
    let at = body.windows(18).position(|bytes| bytes == [operator.bytes().as_slice(), &[2, 127]].concat()).unwrap();
    body[at + 16] = 100;
    let error = TaskRestore::decode(&Envelope::TASK_RESTORE.seal(&body), LIMIT).unwrap_err();
    assert!(error.to_string().contains("expected one with some of 100..=127"), "{error}");
}
