//! Counts of elements that are there: as many of the smallest as a file or frame can hold.

use bytes::Bytes;
use ckpt_core::Timestamp;
use ckpt_core::head::Head;
use ckpt_core::id::{CheckpointId, JobId, LeaderEpoch, OperatorId};
use ckpt_core::key_group::MaxParallelism;
use ckpt_core::metadata::{CheckpointDescription, CheckpointMetadata, MetadataSummary, OperatorDescription};
use ckpt_core::snapshot::{CheckpointIdentity, CheckpointProperties, RetentionPolicy};
use ckpt_core::state::SubtaskState;
use ckpt_core::testing::{Envelope, MetadataSection, MetadataSections};

use crate::measure::Reader;
use crate::reading::{read, read_metadata, refused};

/// Long enough that what took thirty times as much would be found, and short enough for an unoptimized build.
const LONG_BYTES: usize = 256 << 10;

/// A body that begins so, then counts elements that look like that, up to so many bytes.
fn filled(begin: &[u8], element: &[u8], bytes: usize) -> Vec<u8> {
    let count = bytes / element.len();
    [begin, &number(count), &element.repeat(count)].concat()
}

fn number(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

fn refused_in_bounds(reader: &Reader, envelope: Envelope, cases: &[(&str, Vec<u8>, &str)]) {
    for (what, body, expected) in cases {
        let sealed = envelope.seal(body);
        let answer = reader.read(what, sealed.len(), || read(envelope, &sealed));
        refused(what, answer, expected);
    }
}

#[test]
fn of_lists_in_head() {
    let reader = Reader::new();
    const BODY: usize = Head::MAX_BYTES - 100;
    // A job, version 1, epoch 1, a nonce, active, first number 1, unreserved 1001.
    let begin = |more: &[u8]| [[1; 16].as_slice(), &[1, 1], &[2; 16], &[0, 1, 0xe9, 7], more].concat();
    // Checkpoint 1 of epoch 1 in its directory, with 1 byte and a digest; the job's, and no claims.
    let snapshot = [[1, 1, 0, 0, 1, 1].as_slice(), &[0; 8], &[0, 0]].concat();
    let of_claims = [&[1], &snapshot[..snapshot.len() - 1]].concat();
    // No origin was restored from, nothing was stopped.
    let origin = [[0, 0, 0, 1].as_slice(), &[1; 16], &[1, 1, b'u', 1, 1], &[0; 8], &[0]].concat();
    let cases = [
        ("retained snapshots", filled(&begin(&[]), &snapshot, BODY), "cannot be decoded at byte 40"),
        ("claims of a snapshot", filled(&begin(&of_claims), &[1], BODY), "cannot be decoded at byte 57"),
        ("roots of the origin", filled(&begin(&origin), &[0, 0, 0], BODY), "cannot be decoded at byte"),
        ("claims", filled(&begin(&[0; 4]), &[0, 0], BODY), "cannot be decoded at byte 45"),
        ("savepoints", filled(&begin(&[0; 7]), &[0, 0], BODY), "cannot be decoded at byte 48"),
        ("removed snapshots", filled(&begin(&[0; 12]), &snapshot, BODY), "cannot be decoded at byte 52"),
    ];
    refused_in_bounds(&reader, Envelope::HEAD, &cases);
}

#[test]
fn of_state_in_messages() {
    let reader = Reader::new();
    let of_operator = |state: &[u8]| [&[0, 1], [7; 16].as_slice(), state].concat();
    let incremental = [[1, 1].as_slice(), &[7; 16], &[0, 0, 0]].concat();
    let operator_states = |element: &[u8], begin: &[u8]| filled(&of_operator(begin), element, LONG_BYTES);
    let (short, ascend) = ("cannot be decoded", "expected names that ascend");
    let cases = [
        ("operators", filled(&[0], &[0; 22], LONG_BYTES), "expected keys that ascend"),
        ("keyed state", operator_states(&[0, 0, 0, 1, 0, 0, 0], &[]), short),
        ("offsets", operator_states(&[0], &[1, 0, 0, 0xff, 0x7f]), "the number of offsets is 262144, expected 16384"),
        ("private files", operator_states(&[0, 0, 0], &incremental), ascend),
        ("operator state", operator_states(&[0, 0, 0], &[0, 0]), short),
        ("names of operator state", operator_states(&[0, 0, 0], &[0, 0, 1]), ascend),
        ("sections of operator state", operator_states(&[0, 0], &[0, 0, 1, 1, 0]), short),
        ("channel state", operator_states(&[0, 0, 0, 0], &[0, 0, 0, 0]), short),
        ("channels", operator_states(&[0, 0, 0], &[0, 0, 0, 0, 1, 0]), "expected channels that ascend"),
        ("sections of channels", operator_states(&[0, 0], &[0, 0, 0, 0, 1, 0, 1, 0, 0]), short),
    ];
    refused_in_bounds(&reader, Envelope::TASK_SNAPSHOT, &cases);
}

/// Counts within counts, each of which the bytes that are left can hold: of as much state as is made without being checked
/// first, and of a little more.
#[test]
fn of_state_within_state() {
    let reader = Reader::new();
    for bytes in [15_usize << 10, (16 << 10) - 200, 17 << 10, 32 << 10] {
        let nested = [0]
            .into_iter()
            .chain(number((bytes - 100) / 22))
            .chain([7; 16])
            .chain(number((bytes - 100) / 7))
            .chain([1]);
        let nested = nested.chain([7; 16]).chain([0, 0]).chain(number((bytes - 100) / 5));
        let mut body: Vec<u8> = nested.collect();
        body.resize(bytes, 0);
        refused_in_bounds(
            &reader,
            Envelope::TASK_SNAPSHOT,
            &[("state within state", body, "expected names that ascend")],
        );
    }
}

#[test]
fn of_what_a_task_is_given() {
    let reader = Reader::new();
    // An attempt, epoch 1, writer 1, nothing restored, not finished.
    let begin = |more: &[u8]| [[3; 16].as_slice(), &[0, 0, 1, 1, 0, 0], more].concat();
    let of_gates = |more: &[u8], element: &[u8]| filled(&begin(&[&[0], more].concat()), element, LONG_BYTES);
    let short = "cannot be decoded";
    let cases = [
        ("places", filled(&begin(&[]), &[4, 1, 0], LONG_BYTES), short),
        ("operators", filled(&begin(&[0; 3]), &[0; 24], LONG_BYTES), "expected keys that ascend"),
        ("gates", of_gates(&[], &[0; 5]), "the number of gates or partitions is 52428, expected at most 1024"),
        ("former subtasks", of_gates(&[1, 0], &[1]), short),
        ("former channels", of_gates(&[1, 0, 0, 0], &[0]), short),
    ];
    refused_in_bounds(&reader, Envelope::TASK_RESTORE, &cases);
}

fn description() -> CheckpointDescription {
    let identity = CheckpointIdentity::new(CheckpointId::FIRST, LeaderEpoch::new(1), Timestamp::from_millis(0), None);
    let properties = CheckpointProperties::checkpoint(RetentionPolicy::RetainOnFailure);
    CheckpointDescription::new(JobId::new([1; 16]), identity, properties)
}

fn operator(number: u32, parallelism: u32) -> OperatorDescription {
    let mut id = [0; 16];
    id[12..].copy_from_slice(&number.to_be_bytes());
    let max = MaxParallelism::new(parallelism.max(1)).unwrap();
    OperatorDescription::new(OperatorId::new(id), "", parallelism, max)
}

/// Reads metadata of everything that there may be most of, which nobody refuses.
#[test]
fn of_operators_and_subtasks_in_metadata() {
    let reader = Reader::new();
    let mut many = CheckpointMetadata::builder(description()).unwrap();
    for number in 0..MetadataSummary::MAX_OPERATORS as u32 / 8 {
        many.finished_operator(&operator(number, 1)).unwrap();
    }
    let mut wide = CheckpointMetadata::builder(description()).unwrap();
    let mut subtasks = wide.operator(&operator(0, 1 << 12)).unwrap();
    for subtask in 1..1 << 12 {
        subtasks.subtask(subtask, &SubtaskState::default()).unwrap();
    }
    for (what, metadata) in [("operators", many), ("subtasks", wide)] {
        let (file, _) = metadata.finish(Timestamp::from_millis(0)).unwrap().encode().unwrap();
        let file = Bytes::from(file);
        reader.read(&what, file.len(), || read_metadata(file.clone())).unwrap();
    }
}

#[test]
fn of_sections_in_metadata() {
    let reader = Reader::new();
    let (file, _) = CheckpointMetadata::builder(description())
        .unwrap()
        .finish(Timestamp::from_millis(0))
        .unwrap()
        .encode()
        .unwrap();
    let empty = MetadataSections::open(&file).unwrap();
    let with = |sections: &mut dyn Iterator<Item = MetadataSection>| {
        let mut file = empty.clone();
        file.sections.splice(0..0, sections);
        Bytes::from(file.seal())
    };
    let section = |tag: u32, critical: bool, operator: Option<u8>, part: u32| {
        let mut section = MetadataSection::new(tag, Vec::new());
        (section.critical, section.part) = (critical, part);
        section.operator = operator.map(|byte| OperatorId::new([byte; 16]));
        section
    };
    const SECTIONS: u32 = 8_000;
    let unknown = with(&mut (0..SECTIONS).map(|_| section(77, false, None, 0)));
    reader.read(&"unknown sections", unknown.len(), || read_metadata(unknown.clone())).unwrap();
    for (what, file, expected) in [
        (
            "parts",
            with(&mut (0..SECTIONS).map(|part| section(2, true, Some(1), part))),
            "expected one that the summary lists",
        ),
        (
            "coordinators",
            with(&mut (0..SECTIONS).map(|_| section(3, true, Some(1), 0))),
            "expected one that the summary lists",
        ),
        ("summaries", with(&mut (0..SECTIONS).map(|_| section(1, true, None, 0))), "expected one of each kind"),
    ] {
        refused(what, reader.read(&what, file.len(), || read_metadata(file.clone())), expected);
    }
}
