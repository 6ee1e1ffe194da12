//! Bytes whose digests are right and whose contents are not: counts and lengths that promise too much, values that no
//! writer writes.

use std::io;

use bytes::Bytes;
use ckpt_core::head::Head;
use ckpt_core::id::{AttemptId, CheckpointId, LeaderEpoch, TaskId, VertexId, Writer, WriterId};
use ckpt_core::message::{Acknowledge, ToCoordinator, ToTask};
use ckpt_core::metadata::{CheckpointMetadata, MetadataReader, MetadataSource};
use ckpt_core::snapshot::LocationReference;
use ckpt_core::state::{ClaimId, Places, Root, TaskRestore, TaskSnapshot};
use ckpt_core::testing::{Envelope, MetadataSection, MetadataSections, sealed_metadata};
use ckpt_core::uri::Uri;
use ckpt_core::{Digest, Error, ErrorKind};

use crate::golden;

const LIMIT: usize = 1 << 20;

/// The largest number as postcard writes it.
const HUGE: [u8; 10] = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];

pub(crate) fn refused(what: &str, error: Error, expected: &str) {
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{what}: {error}");
    assert!(error.to_string().contains(expected), "{what}: {error}");
}

/// The body of an acknowledgement whose snapshot is those bytes.
fn acknowledge_of(snapshot: &[u8]) -> Vec<u8> {
    let (epoch, id) = (LeaderEpoch::new(1), CheckpointId::FIRST);
    let attempt = TaskId::new(VertexId::new([3; 16]), 0).attempt(AttemptId::new(0));
    let acknowledge = Acknowledge::new(epoch, id, attempt, WriterId::new(0), TaskSnapshot::default());
    let empty = TaskSnapshot::default().encode(LIMIT).unwrap().len() - 20;
    let frame = ToCoordinator::Acknowledge(acknowledge).encode(LIMIT).unwrap();
    [&frame[12..frame.len() - 8 - empty], snapshot].concat()
}

fn decode(file: &[u8]) -> ckpt_core::Result<CheckpointMetadata> {
    CheckpointMetadata::decode(Bytes::copy_from_slice(file))
}

/// One entry of an index.
fn entry(tag: u32, critical: bool, offset: u64, section: &[u8]) -> Vec<u8> {
    let (mut section, mut index) = (MetadataSection::new(tag, section.to_vec()), Vec::new());
    section.critical = critical;
    section.put_entry(offset, &mut index);
    index
}

#[test]
fn counts_above_the_bytes_that_are_left_are_refused() {
    // Elements could be read behind each count; it is the count that is refused.
    // A job, version 1, epoch 1, a nonce, active, first number 1, unreserved 1001, then the count of the retained.
    let head = [[1; 16].as_slice(), &[1, 1], &[2; 16], &[0, 1, 0xe9, 7], &HUGE, &[1; 30]].concat();
    let error = Head::decode(&Envelope::HEAD.seal(&head)).unwrap_err();
    refused("HEAD", error, "HEAD cannot be decoded at byte 48 of 78");

    let acknowledge = [acknowledge_of(&[0]).as_slice(), &HUGE].concat();
    let error = ToCoordinator::decode(&Envelope::TO_COORDINATOR.seal(&acknowledge), LIMIT).unwrap_err();
    let length = acknowledge.len();
    refused("an acknowledgement", error, &format!("cannot be decoded at byte {length} of {length}"));

    // A trigger whose target has the length that is left and more.
    let trigger = [[0, 2, 1, 0, 0, 0, 1].as_slice(), &HUGE].concat();
    let error = ToTask::decode(&Envelope::TO_TASK.seal(&trigger), LIMIT).unwrap_err();
    refused("a trigger", error, "a message to a task cannot be decoded");

    // A summary: job, identity, properties, completed, self-contained, no graph, totals, then the count of the places.
    let summary = [[1; 16].as_slice(), &[1, 1, 0, 0, 0, 0, 0, 0, 1, 0], &[0; 6], &HUGE, &[1; 30]].concat();
    let error =
        decode(&sealed_metadata(&summary, &entry(1, true, 12, &summary), 12 + summary.len() as u64)).unwrap_err();
    refused("a summary", error, "the summary of checkpoint metadata cannot be decoded at byte 42 of 72");
}

#[test]
fn data_in_flight_that_cannot_be_handed_on_is_refused() {
    let (attempt, writer) =
        (TaskId::new(VertexId::new([3; 16]), 0), Writer::new(LeaderEpoch::new(1), WriterId::new(0)));
    let fresh = TaskRestore::fresh(attempt.attempt(AttemptId::new(0)), writer).encode(LIMIT).unwrap();
    // It ends in the counts of the input gates, of the partitions and of the operators, and the digest.
    let decode = |gates: &[u8]| {
        let body = [&fresh[12..fresh.len() - 11], gates, &[0]].concat();
        TaskRestore::decode(&Envelope::TASK_RESTORE.seal(&body), LIMIT)
    };
    assert!(decode(&[1, 0, 1, 5, 1, 5, 2, 0, 1, 1, 9, 0]).is_ok());
    for (gates, expected) in [
        ([[0x81, 8].as_slice(), &[0; 5 * 1025], &[0]].concat(), "gates or partitions is 1025, expected at most 1024"),
        (vec![2, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0], "a gate or partition is 1 after 1, expected numbers that ascend"),
        (vec![1, 0, 2, 7, 7, 0, 0, 0, 0], "former subtask 7 stands behind 7, expected them to ascend"),
        (vec![1, 0, 1, 7, 1, 8, 0, 0, 0], "former subtask 8 is ambiguous, expected one whose data comes here"),
        (vec![1, 0, 0, 0, 1, 2, 1, 9, 0], "a mapping of channels has 1 targets, expected 2"),
        (vec![1, 0, 0, 0, 2, 1, 0, 1, 9, 0], "the last of the former channels is one that leads nowhere"),
        ([[1, 0].as_slice(), &HUGE, &[0; 9]].concat(), "cannot be decoded"),
        ([HUGE.as_slice(), &[0; 9]].concat(), "cannot be decoded"),
    ] {
        refused("data in flight", decode(&gates).unwrap_err(), expected);
    }
}

#[test]
fn state_that_breaks_a_rule_is_refused() {
    let decode = |snapshot: &[u8]| TaskSnapshot::decode(&Envelope::TASK_SNAPSHOT.seal(snapshot), LIMIT);
    let operator = [7; 16];
    let of = |progress: u8, state: &[u8]| decode(&[[progress, 1].as_slice(), &operator, state].concat());
    // Lists of keyed, raw keyed, operator, raw operator, input channel and result subpartition state.
    assert!(of(0, &[0; 6]).is_ok());
    refused("with state", of(2, &[0; 6]).unwrap_err(), "had nothing left to do is some, expected none");

    let inline = [0, 1, b'a'];
    // Key groups 0 to one of three bytes, one offset, which is 0.
    let groups = |last: [u8; 3]| of(0, &[[1, 0, 0].as_slice(), &last, &[1, 0], &inline, &[0; 5]].concat());
    refused("too many groups", groups([0x80, 0x80, 2]).unwrap_err(), "ends with group 32768, expected at most 32767");
    refused("as many", groups([0xff, 0xff, 1]).unwrap_err(), "the number of offsets is 1, expected 32768");

    // Incremental state of key group 0 without files, whose meta has one byte.
    let incremental =
        |written: u8| of(0, &[[1, 1].as_slice(), &operator, &[0; 4], &inline, &[written, 0, 0, 0, 0, 0]].concat());
    assert!(incremental(1).is_ok());
    let expected = "the written bytes of incremental state is 2, expected at most 1, all that it has";
    refused("more written than there is", incremental(2).unwrap_err(), expected);

    // Operator state in a segment of a file of ours, of two bytes.
    let digest = [[1].as_slice(), &Digest::of(b"").value().to_le_bytes()].concat();
    let segment = |offset: &[u8]| {
        let stored = [[2, 0, 1, 1, 0, 0, 2].as_slice(), &digest, offset].concat();
        of(0, &[[0, 0, 1, 0].as_slice(), &stored, &[0; 3]].concat())
    };
    let mut last = HUGE;
    last[0] = 0xfd;
    assert!(segment(&last).is_ok());
    last[0] = 0xfe;
    let expected = "the end of a segment is 18446744073709551614 + 2, expected a number of 64 bits";
    refused("a segment without an end", segment(&last).unwrap_err(), expected);
}

#[test]
fn a_version_that_no_program_writes_is_corrupt_and_a_newer_one_is_for_a_newer_program() {
    type Decode = fn(&[u8]) -> Option<Error>;
    let reference = LocationReference::of_uri(&Uri::new("file:///a").unwrap()).unwrap();
    let LocationReference::At(reference) = reference else { panic!("{reference:?}") };
    let cases: [(&str, Vec<u8>, usize, Decode); 3] = [
        ("head", golden::read("head"), 8, |file| Head::decode(file).err()),
        ("metadata", golden::read("metadata"), 8, |file| decode(file).err()),
        ("a location reference", reference.to_vec(), 4, |bytes| {
            LocationReference::at(Bytes::copy_from_slice(bytes)).unwrap().to_uri().err()
        }),
    ];
    for (what, mut bytes, at, decode) in cases {
        for (version, kind, who) in
            [(0, ErrorKind::Corrupt, "no program writes it"), (2, ErrorKind::Configuration, "a newer program wrote it")]
        {
            bytes[at] = version;
            let error = decode(&bytes).unwrap();
            assert_eq!(error.kind(), kind, "{what}: {error}");
            let expected = format!("has format version {version}, expected 1: {who}");
            assert!(error.to_string().ends_with(&expected), "{what}: {error}");
        }
    }
}

#[test]
fn a_place_that_may_hold_a_secret_or_has_two_spellings_is_refused() {
    let frame = golden::read("task-restore");
    let body = Envelope::TASK_RESTORE.open(&frame).unwrap();
    let at = body.windows(20).position(|text| text == b"s3://bucket/borrowed").unwrap();
    for (place, expected) in [
        (b"s3://user:word@b/own", "names a user"),
        (b"s3://bucket/b?secret", "has a query"),
        (b"s3://bucket/../else/", "has the component '..'"),
        (b"bucket/borrowed/here", "has no scheme"),
    ] {
        let mut body = body.to_vec();
        body[at..at + 20].copy_from_slice(place);
        let error = TaskRestore::decode(&Envelope::TASK_RESTORE.seal(&body), LIMIT).unwrap_err();
        refused("a place", error, expected);
    }
}

#[test]
fn what_is_left_over_is_told() {
    let golden = golden::read("head");
    let body = [&golden[16..golden.len() - 8], &[0]].concat();
    let error = Head::decode(&Envelope::HEAD.seal(&body)).unwrap_err();
    let expected = format!("HEAD ends at byte {}, expected its end at byte {}", body.len() - 1, body.len());
    refused("HEAD", error, &expected);
}

#[test]
fn values_that_no_writer_writes_are_refused() {
    let frame = |body: &[u8]| ToTask::decode(&Envelope::TO_TASK.seal(body), LIMIT).unwrap_err();
    refused("epoch 0", frame(&[2, 0, 5, 0]), "the epoch is 0, expected an epoch of 1 or more");
    refused("checkpoint 0", frame(&[2, 1, 0, 0]), "the checkpoint is 0, expected a checkpoint number of 1 or more");
    refused("subsumes itself", frame(&[1, 1, 5, 1, 5]), "the newest subsumed checkpoint is 5, expected one below 5");
    refused("completes itself", frame(&[2, 1, 5, 1, 5]), "the latest completed checkpoint is 5, expected another");
    refused("an unknown message", frame(&[9, 1, 5]), "cannot be decoded at byte 1 of 3");

    // A trigger: checkpoint 2, epoch 1, at 0, nothing completed; then kind, target, alignment.
    let trigger = |options: &[u8]| frame(&[[0, 2, 1, 0, 0].as_slice(), options].concat());
    refused("an unaligned savepoint", trigger(&[2, 0, 0, 0, 2]), "a savepoint can be at least once or aligned");
    refused(
        "a timeout of 0",
        trigger(&[0, 0, 1, 1, 0]),
        "the alignment timeout: an alignment timeout is longer than 0",
    );
    refused("an unknown alignment", trigger(&[0, 0, 4]), "cannot be decoded at byte 8 of 8");

    // An acknowledgement without operators, of which the metrics say that it wrote records in flight and was aligned.
    let body = [[0, 1, 1].as_slice(), &[3; 16], &[0, 0, 0], &[0, 0, 1, 9, 0, 0, 0, 0, 0], &[0, 0]].concat();
    let error = ToCoordinator::decode(&Envelope::TO_COORDINATOR.seal(&body), LIMIT).unwrap_err();
    refused("persisted though aligned", error, "during the alignment of an aligned checkpoint is 9, expected 0");

    // Two operators in an acknowledgement, of which the second is the first again.
    let operator = [[7; 16].as_slice(), &[0; 6]].concat();
    let body = acknowledge_of(&[[0, 2].as_slice(), &operator, &operator].concat());
    let error = ToCoordinator::decode(&Envelope::TO_COORDINATOR.seal(&body), LIMIT).unwrap_err();
    refused("an operator twice", error, "expected keys that ascend");
}

#[test]
fn sections_fill_the_file_and_unknown_ones_are_skipped_unless_critical() {
    let golden = golden::read("metadata");
    let only = |extra: &[u8], critical: bool, gap: &[u8]| {
        let index = entry(77, critical, 12, extra);
        decode(&sealed_metadata(&[extra, gap].concat(), &index, (12 + extra.len() + gap.len()) as u64)).unwrap_err()
    };
    refused("a critical section", only(b"later", true, &[]), "a section of the unknown kind 77 at byte 12");
    refused("an uncritical one is skipped", only(b"later", false, &[]), "the summary is absent, expected one");
    refused("a gap", only(b"later", false, &[0]), "the end of the sections is 17, expected 18");

    // The golden file with one more, uncritical section behind its own: it is read as without it.
    let mut longer = MetadataSections::open(&golden).unwrap();
    let mut later = MetadataSection::new(77, b"later".to_vec());
    later.critical = false;
    longer.sections.push(later);
    assert_eq!(decode(&longer.seal()).unwrap(), decode(&golden).unwrap());
}

/// A file of a few bytes that says that it has 2^60, as a sparse one does.
struct Sparse(Vec<u8>);

impl MetadataSource for Sparse {
    fn length_bytes(&self) -> u64 {
        1 << 60
    }

    fn read_at(&self, offset_bytes: u64, length_bytes: usize) -> io::Result<Bytes> {
        assert!(length_bytes < 1 << 30, "{length_bytes} bytes would be allocated");
        let trailer = self.0.len() - 56;
        Ok(Bytes::copy_from_slice(if offset_bytes == 0 { &self.0[..length_bytes] } else { &self.0[trailer..] }))
    }
}

#[test]
fn a_sparse_file_makes_nobody_allocate_its_length() {
    let length = 1_u64 << 60;
    let mut file = [b"CKPTMETA".as_slice(), &1_u32.to_le_bytes()].concat();
    let mut trailer = Vec::new();
    for number in [12, length - 12 - 56, 0, length] {
        trailer.extend_from_slice(&number.to_le_bytes());
    }
    trailer.extend_from_slice(&[1, 0, 0, 0, 1, 0, 0, 0]);
    let own = Digest::of(&trailer).value().to_le_bytes();
    file.extend([trailer.as_slice(), &own, b"CKPTMEND"].concat());
    let error = MetadataReader::open(&Sparse(file)).unwrap_err();
    refused("an index", error, "the length of a section is 1152921504606846908, expected at most 16777216 bytes");
}

#[test]
fn no_more_places_are_given_than_there_may_be() {
    let uri = Uri::new("file:///a").unwrap();
    let places = |count: usize| (0..count as u64).map(|n| (Root::Claimed(ClaimId::new(n)), uri.clone())).collect();
    assert_eq!(Places::new(places(Places::MAX_PLACES)).unwrap().iter().len(), 1024);
    let error = Places::new(places(Places::MAX_PLACES + 1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert_eq!(error.to_string(), "1025 places are given, expected at most 1024");
}
