//! Metadata files whose digests are right and whose sections are not those of any writer.

use bytes::Bytes;
use ckpt_core::Timestamp;
use ckpt_core::id::OperatorId;
use ckpt_core::key_group::MaxParallelism;
use ckpt_core::metadata::{
    CheckpointDescription, CheckpointMetadata, MetadataReader, MetadataSummary, OperatorDescription,
};
use ckpt_core::state::{OperatorState, Root, StateHandle, SubtaskReport, SubtaskState};
use ckpt_core::testing::{MetadataSection, MetadataSections, sealed_metadata};

use crate::hostile::refused;
use crate::metadata_samples::{file, fixed_description, fixed_metadata, fixed_savepoint, savepoint_description};

const SUMMARY: u32 = 1;
pub(crate) const PART: u32 = 2;
const COORDINATOR: u32 = 3;
const MASTERS: u32 = 4;

fn decode(file: &[u8]) -> ckpt_core::Result<CheckpointMetadata> {
    CheckpointMetadata::decode(Bytes::copy_from_slice(file))
}

fn open(metadata: &CheckpointMetadata) -> MetadataSections {
    MetadataSections::open(&metadata.encode().unwrap().0).unwrap()
}

/// A file of the golden checkpoint's sections, which were changed.
pub(crate) fn changed(change: impl FnOnce(&mut Vec<MetadataSection>)) -> Vec<u8> {
    let mut file = open(&fixed_metadata());
    change(&mut file.sections);
    file.seal()
}

fn position(sections: &[MetadataSection], tag: u32) -> usize {
    sections.iter().position(|section| section.tag == tag).unwrap()
}

/// In front of those of all operators.
fn insert_first(sections: &mut Vec<MetadataSection>, of_operator: MetadataSection) {
    let at = sections.iter().position(|section| section.operator.is_some()).unwrap_or_default();
    sections.insert(at, of_operator);
}

/// Behind those of all operators.
fn insert_last(sections: &mut Vec<MetadataSection>, of_operator: MetadataSection) {
    sections.insert(position(sections, SUMMARY), of_operator);
}

pub(crate) fn section(tag: u32, operator: u8, part: u32, body: &[u8]) -> MetadataSection {
    let mut section = MetadataSection::new(tag, body.to_vec());
    (section.operator, section.part) = (Some(OperatorId::new([operator; 16])), part);
    section
}

/// What subtasks report to a checkpoint of one operator, of parallelism 3, whose coordinator has state.
pub(crate) fn reported(
    description: CheckpointDescription,
    coordinator: Option<StateHandle>,
    reports: &[(u32, SubtaskReport)],
) -> MetadataSections {
    let mut builder = CheckpointMetadata::builder(description).unwrap();
    let max = MaxParallelism::new(128).unwrap();
    let mut operator = OperatorDescription::new(OperatorId::new([7; 16]), "reported", 3, max);
    operator.coordinator_state = coordinator;
    let mut encoder = builder.operator(&operator).unwrap();
    for (subtask, report) in reports {
        match report {
            SubtaskReport::State(state) => encoder.subtask(*subtask, state).unwrap(),
            SubtaskReport::Finished => encoder.finished_subtask(*subtask).unwrap(),
            other => panic!("{other:?}"),
        }
    }
    open(&builder.finish(Timestamp::from_millis(9)).unwrap())
}

/// Operator state in one file of 5 bytes below that root.
pub(crate) fn state_below(root: Root) -> SubtaskReport {
    let state = OperatorState::new(Default::default(), file(root, 1, 5));
    SubtaskReport::State(SubtaskState::new(Vec::new(), vec![state]))
}

/// The file of one checkpoint with the section of that kind of another.
fn with_section_of(mut file: MetadataSections, tag: u32, other: &MetadataSections) -> Vec<u8> {
    let at = position(&file.sections, tag);
    file.sections[at] = other.sections[position(&other.sections, tag)].clone();
    file.seal()
}

/// A file with one operator and these entries in parts that its summary says nothing of.
fn with_parts(parts: &[&[u8]]) -> Vec<u8> {
    let mut file = reported(fixed_description(), None, &[(0, SubtaskReport::Finished)]);
    let at = position(&file.sections, PART);
    let parts = (0..).zip(parts).map(|(part, body)| section(PART, 7, part, body));
    file.sections.splice(at..=at, parts);
    file.seal()
}

#[test]
fn known_sections_stand_in_one_order_and_are_critical() {
    for golden in [fixed_metadata(), fixed_savepoint()] {
        let file = open(&golden);
        let sections = file.sections.len();
        for one in 0..sections {
            let mut uncritical = file.clone();
            uncritical.sections[one].critical = false;
            let tag = file.sections[one].tag;
            let expected = format!("a section is of kind {tag} and not critical, expected a critical one");
            refused("an uncritical section", decode(&uncritical.seal()).unwrap_err(), &expected);
            for other in (0..sections).filter(|other| *other != one) {
                let mut moved = file.clone();
                let section = moved.sections.remove(one);
                moved.sections.insert(other, section);
                refused("a moved section", decode(&moved.seal()).unwrap_err(), "a section is");
            }
        }
    }
}

#[test]
fn sections_that_are_not_known_are_skipped_unless_they_are_critical() {
    for operator in [None, Some(OperatorId::new([0x22; 16])), Some(OperatorId::new([0x99; 16]))] {
        for at in 0..=open(&fixed_metadata()).sections.len() {
            let file = |critical| {
                changed(|sections| {
                    let mut later = MetadataSection::new(77, b"of a later version".to_vec());
                    (later.critical, later.operator, later.part) = (critical, operator, 3);
                    sections.insert(at, later);
                })
            };
            assert_eq!(decode(&file(false)).unwrap(), fixed_metadata());
            let expected = "a section of the unknown kind 77 at byte";
            refused("a critical section", decode(&file(true)).unwrap_err(), expected);
        }
    }
}

#[test]
fn an_index_that_is_not_in_order_is_refused() {
    type Change = fn(&mut Vec<MetadataSection>);
    let cases: [(&str, Change, &str); 18] = [
        ("no summary", |all| all.retain(|section| section.tag != SUMMARY), "the summary is absent"),
        ("two summaries", |all| all.push(all[position(all, SUMMARY)].clone()), "one of each kind"),
        ("two master states", |all| all.insert(0, all[position(all, MASTERS)].clone()), "one of each kind"),
        (
            "a summary of an operator",
            |all| {
                let at = position(all, SUMMARY);
                all[at].operator = Some(OperatorId::new([1; 16]));
            },
            "one of each kind",
        ),
        (
            "part 1 of the summary",
            |all| {
                let at = position(all, SUMMARY);
                all[at].part = 1;
            },
            "one of each kind",
        ),
        (
            "a part of no operator",
            |all| {
                let at = position(all, PART);
                all[at].operator = None;
            },
            "one of an operator",
        ),
        (
            "a coordinator of no operator",
            |all| {
                let at = position(all, COORDINATOR);
                all[at].operator = None;
            },
            "one of an operator",
        ),
        (
            "part 1 of a coordinator",
            |all| {
                let at = position(all, COORDINATOR);
                all[at].part = 1;
            },
            "one of an operator",
        ),
        (
            "an unknown operator",
            |all| insert_last(all, section(PART, 0x99, 0, b"")),
            "expected one that the summary lists",
        ),
        (
            "an unknown coordinator",
            |all| insert_last(all, section(COORDINATOR, 0x99, 0, b"")),
            "expected one that the summary lists",
        ),
        (
            "the same part twice",
            |all| all.insert(position(all, PART), section(PART, 0x22, 0, b"")),
            "part 0 of operator",
        ),
        ("a gap between parts", |all| insert_first(all, section(PART, 0x11, 1, b"")), "part 1 of operator"),
        ("a first part that is not 0", |all| insert_last(all, section(PART, 0x44, 2, b"")), "part 2 of operator"),
        ("an operator after a later one", |all| insert_last(all, section(PART, 0x11, 0, b"")), "part 0 of operator"),
        (
            "an operator again",
            |all| {
                let of_last = section(PART, 0x44, 0, b"");
                let at = position(all, PART);
                all.insert(at, of_last);
            },
            "expected operators that ascend, of each its coordinator",
        ),
        ("two coordinators", |all| insert_last(all, section(COORDINATOR, 0x44, 0, b"")), "the coordinator of operator"),
        (
            "two coordinators, one behind the other",
            |all| {
                let at = position(all, COORDINATOR);
                all.insert(at, all[at].clone());
            },
            "the coordinator of operator",
        ),
        (
            "coordinators that descend",
            |all| insert_last(all, section(COORDINATOR, 0x11, 0, b"")),
            "the coordinator of operator",
        ),
    ];
    for (what, change, expected) in cases {
        let file = changed(change);
        let error = decode(&file).unwrap_err();
        assert!(error.to_string().starts_with("the index of checkpoint metadata cannot be used: "), "{what}: {error}");
        // Who looks at the summary alone is told as well.
        let of_summary = MetadataSummary::read(Bytes::from(file)).unwrap_err();
        assert_eq!(of_summary.to_string(), error.to_string(), "{what}");
        refused(what, error, expected);
    }
}

#[test]
fn sections_fill_the_file_without_a_gap() {
    let summary = open(&fixed_savepoint()).sections.pop().unwrap();
    let length = summary.body.len() as u64;
    let file = |offset, sections: &[u8]| {
        let mut index = Vec::new();
        summary.put_entry(offset, &mut index);
        decode(&sealed_metadata(sections, &index, 12 + sections.len() as u64)).unwrap_err()
    };
    let body = summary.body.as_slice();
    let before = [&[0], body].concat();
    refused("a gap before", file(13, &before), "the offset of a section is 13, expected 12");
    refused("within the header", file(11, body), "the offset of a section is 11, expected 12");
    refused("a gap behind", file(12, &[body, &[0]].concat()), "the end of the sections is");
    refused("reaching into the index", file(12, &body[1..]), &format!("the length of a section is {length}"));
    refused("at the end of all numbers", file(u64::MAX, body), "the offset of a section");
    refused("said to be another", file(12, &[&[0xff], &body[1..]].concat()), "the digest of the summary");
    let mut other = section(PART, 0x22, 0, b"");
    other.operator = None;
    let mut index = Vec::new();
    other.put_entry(12, &mut index);
    index.extend_from_slice(&index.clone()[..5]);
    refused(
        "half an entry",
        decode(&sealed_metadata(b"", &index, 12)).unwrap_err(),
        "the index of checkpoint metadata",
    );
}

#[test]
fn parts_list_the_subtasks_of_their_operator_in_order() {
    // An entry is a subtask, a length, and so many bytes; six empty lists are state without anything.
    let empty: &[u8] = &[6, 0, 0, 0, 0, 0, 0];
    let state = |subtask: u8| [&[subtask], empty].concat();
    for (what, parts, expected) in [
        ("a part without entries", vec![vec![]], "a part is empty, expected at least one subtask"),
        (
            "a subtask twice",
            vec![[state(1), state(1)].concat()],
            "a subtask is 1 after 1, expected subtasks that ascend",
        ),
        ("subtasks that descend", vec![[state(2), state(1)].concat()], "a subtask is 1 after 2"),
        ("a subtask in two parts", vec![state(1), state(1)], "a subtask is 1 after 1"),
        ("parts that descend", vec![state(2), vec![0, 0]], "a subtask is 0 after 2"),
        ("a subtask too many", vec![state(3)], "a subtask is 3, expected one below the parallelism, 3"),
        ("state that is cut short", vec![vec![0, 6, 0, 0]], "part 0 of operator 07070707"),
        (
            "state with something left over",
            vec![vec![0, 7, 0, 0, 0, 0, 0, 0, 9]],
            "ends at byte 6, expected its end at",
        ),
        ("a long form of a number", vec![vec![0x80, 0, 0]], "part 0 of operator 07070707"),
        ("no state", vec![vec![0, 1, 0]], "subtask 0 of operator 07070707"),
        ("other subtasks than said", vec![state(0)], "what the summary says of an operator's state"),
        ("more finished than said", vec![vec![0, 0, 1, 0]], "what the summary says of an operator's state"),
    ] {
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        refused(what, decode(&with_parts(&parts)).unwrap_err(), expected);
    }
    let read = decode(&with_parts(&[&[2, 0]])).unwrap();
    let operator = read.operator(OperatorId::new([7; 16])).unwrap();
    let found = [0, 1, 2].map(|subtask| operator.subtask(subtask).unwrap());
    assert_eq!(found, [None, None, Some(SubtaskReport::Finished)]);
}

#[test]
fn a_summary_that_lies_is_refused() {
    let own = || state_below(Root::ThisSnapshot);
    let inline = || Some(StateHandle::inline(Bytes::from_static(b"coordinator")));
    let of = |coordinator, reports: &[(u32, SubtaskReport)]| reported(fixed_description(), coordinator, reports);
    let empty = || SubtaskReport::State(SubtaskState::default());
    let totals = "what the summary says of an operator's state";
    let longer = {
        let state = OperatorState::new(Default::default(), file(Root::ThisSnapshot, 1, 6));
        SubtaskReport::State(SubtaskState::new(Vec::new(), vec![state]))
    };
    for (what, part, summary, expected) in [
        ("another size", of(None, &[(0, own())]), of(None, &[(0, longer)]), totals),
        ("state for a finished subtask", of(None, &[(0, SubtaskReport::Finished)]), of(None, &[(0, empty())]), totals),
        ("more subtasks", of(None, &[(0, empty())]), of(None, &[(0, empty()), (1, empty())]), totals),
        ("more handles", of(None, &[(0, own())]), of(None, &[(0, own()), (1, own())]), totals),
        ("a coordinator", of(None, &[(0, own())]), of(inline(), &[(0, own())]), "the state of a coordinator"),
        ("no coordinator", of(inline(), &[(0, own())]), of(None, &[(0, own())]), "the state of a coordinator"),
        (
            "that the coordinator's bytes lie in a file",
            of(inline(), &[(0, own())]),
            of(Some(file(Root::ThisSnapshot, 2, 11)), &[(0, own())]),
            "the state of a coordinator",
        ),
        (
            "that it is self-contained",
            of(None, &[(0, state_below(Root::JobShared))]),
            of(None, &[(0, own())]),
            "whether it is self-contained is true, expected false",
        ),
        (
            "that it is not self-contained",
            of(None, &[(0, own())]),
            of(None, &[(0, state_below(Root::JobShared))]),
            "whether it is self-contained is false, expected true",
        ),
        (
            "that it is self-contained, in spite of its coordinator",
            of(Some(file(Root::JobTaskOwned, 2, 11)), &[(0, own())]),
            of(Some(file(Root::ThisSnapshot, 2, 11)), &[(0, own())]),
            "whether it is self-contained is true, expected false",
        ),
        (
            "that it is a savepoint",
            of(None, &[(0, state_below(Root::JobShared))]),
            reported(savepoint_description(), None, &[(0, own())]),
            "the root of a handle",
        ),
    ] {
        refused(what, decode(&with_section_of(part, SUMMARY, &summary)).unwrap_err(), expected);
    }

    let mut without_parts = of(None, &[(0, own())]);
    without_parts.sections.retain(|section| section.tag != PART);
    refused("state in no part", decode(&without_parts.seal()).unwrap_err(), totals);

    let mut without_places = fixed_description();
    without_places.places = ckpt_core::state::Places::none();
    let summary = reported(without_places, None, &[(0, state_below(Root::JobShared))]);
    let part = of(None, &[(0, state_below(Root::Borrowed(9)))]);
    let error = decode(&with_section_of(part, SUMMARY, &summary)).unwrap_err();
    refused("no places", error, "the root of a handle is borrowed root 9, expected one whose place is given");
}

#[test]
fn more_handles_than_there_may_be_are_told_by_their_number() {
    let mut file = reported(fixed_description(), None, &[(0, state_below(Root::ThisSnapshot))]);
    let summary = position(&file.sections, SUMMARY);
    // 5 bytes in files, all written, one handle, one subtask: of the whole and of its only operator.
    let (before, behind) = ([0, 5, 5], [1, 0]);
    let body = file.sections[summary].body.clone();
    let of_one = [before.as_slice(), &[1], &behind].concat();
    let places: Vec<_> = (0..body.len()).filter(|at| body[*at..].starts_with(&of_one)).collect();
    assert_eq!(places.len(), 2);
    for (handles, expected) in [
        ([0x81, 0xad, 0xe2, 0x04], "the number of handles is 10000001, expected at most 10000000"),
        ([0x80, 0xad, 0xe2, 0x04], "what the summary says of an operator's state"),
    ] {
        let said = [before.as_slice(), &handles, &behind].concat();
        let (first, last) = (&body[..places[0]], &body[places[1] + of_one.len()..]);
        let between = &body[places[0] + of_one.len()..places[1]];
        file.sections[summary].body = [first, &said, between, &said, last].concat();
        refused("handles", decode(&file.seal()).unwrap_err(), expected);
    }
}

#[test]
fn a_savepoint_that_names_files_elsewhere_is_told_by_its_summary() {
    let mut file = reported(savepoint_description(), None, &[(0, state_below(Root::ThisSnapshot))]);
    let summary = position(&file.sections, SUMMARY);
    let body = &mut file.sections[summary].body;
    // Completed at 9, self-contained, no digest of a graph, the sums.
    let said = [9, 1, 0, 0, 5, 5, 1, 1, 0];
    let at = body.windows(said.len()).position(|bytes| bytes == said).unwrap();
    body[at + 1] = 0;
    let error = MetadataReader::open(Bytes::from(file.seal())).unwrap_err();
    refused("a savepoint", error, "whether a savepoint is self-contained is false, expected true");
}

#[test]
fn operators_that_finished_have_nothing() {
    let mut builder = CheckpointMetadata::builder(fixed_description()).unwrap();
    let max = MaxParallelism::new(128).unwrap();
    let operator = OperatorDescription::new(OperatorId::new([7; 16]), "reported", 3, max);
    builder.finished_operator(&operator).unwrap();
    let finished = open(&builder.finish(Timestamp::from_millis(9)).unwrap());

    let with = |tag, body: &[u8]| {
        let mut file = finished.clone();
        insert_last(&mut file.sections, section(tag, 7, 0, body));
        decode(&file.seal()).unwrap_err()
    };
    refused("a part", with(PART, &[0, 0]), "what the summary says of an operator's state");
    refused("a coordinator", with(COORDINATOR, &[0, 1, b'c']), "the state of a coordinator");

    // In the summary: behind the name and the absent uid stand parallelism, maximum, status, and six sums.
    let summary_with = |from: &MetadataSections, at: usize, value: u8| {
        let mut file = from.clone();
        let summary = position(&file.sections, SUMMARY);
        let body = &mut file.sections[summary].body;
        let name = body.windows(8).position(|text| text == b"reported").unwrap();
        body[name + 8 + at] = value;
        file
    };
    const PARALLELISM: usize = 1;
    const STATUS: usize = 4;
    let all_finished = decode(&summary_with(&finished, STATUS, 0).seal()).unwrap();
    assert_eq!(all_finished.summary().totals.subtasks, 0, "none reported, which is not to have finished");
    let one = reported(fixed_description(), None, &[(0, SubtaskReport::Finished)]);
    for (what, file, expected) in [
        ("all of them, one by one", summary_with(&one, PARALLELISM, 1), "fewer than all, or an operator that is fully"),
        ("one of an operator that had", summary_with(&one, STATUS, 1), "the state of a fully finished operator"),
        ("no subtasks", summary_with(&one, PARALLELISM, 0), "the parallelism of an operator is 0"),
        ("an unknown status", summary_with(&one, STATUS, 2), "the summary of checkpoint metadata cannot be decoded"),
    ] {
        refused(what, decode(&file.seal()).unwrap_err(), expected);
    }
    // Who looks at the summary alone is told as well.
    let empty = SubtaskReport::State(SubtaskState::default());
    let two = reported(fixed_description(), None, &[(0, SubtaskReport::Finished), (2, empty)]);
    let error = MetadataReader::open(Bytes::from(summary_with(&two, PARALLELISM, 1).seal())).unwrap_err();
    let expected = "the number of subtasks of an operator is 2, expected at most 1, the parallelism";
    refused("more subtasks than there are", error, expected);
    assert!(MetadataReader::open(Bytes::from(summary_with(&two, PARALLELISM, 2).seal())).is_ok());
}

#[test]
fn master_states_have_names_that_ascend() {
    // An entry is a name, a version and bytes.
    let one = |name: &str| [&[name.len() as u8], name.as_bytes(), &[1, 2, 8, 9]].concat();
    let with = |body: &[u8]| {
        let body = body.to_vec();
        decode(&changed(|sections| {
            let at = position(sections, MASTERS);
            sections[at].body = body;
        }))
    };
    assert_eq!(with(&[one("a"), one("b")].concat()).unwrap().master_states().len(), 2);
    for (what, body, expected) in [
        ("none", vec![], "the master states of checkpoint metadata"),
        ("a name twice", [one("a"), one("a")].concat(), "expected names that ascend"),
        ("names that descend", [one("b"), one("a")].concat(), "expected names that ascend"),
        ("a blank name", one(" "), "the name of a master state is \" \""),
        ("a name with a control character", one("a\n"), "the name of a master state is \"a\\n\""),
        ("one cut short", one("a")[..4].to_vec(), "cannot be decoded"),
        ("a name that is no text", vec![1, 0xff, 0, 0], "cannot be decoded"),
    ] {
        refused(what, with(&body).unwrap_err(), expected);
    }
    let many: Vec<u8> = (0..1025).flat_map(|number| one(&format!("{number:04}"))).collect();
    refused("too many", with(&many).unwrap_err(), "the number of master states is more, expected at most 1024");
}
