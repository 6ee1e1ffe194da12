//! Metadata files that are read in runs of parts, as several threads do.

use bytes::Bytes;
use ckpt_core::ErrorKind;
use ckpt_core::metadata::MetadataReader;
use ckpt_core::state::Root;

use crate::hostile::refused;
use crate::metadata_samples::fixed_description;
use crate::sections::{PART, changed, reported, section, state_below};

#[test]
fn runs_of_parts_are_read_in_any_order_and_put_together_once() {
    let large = crate::reading::large();
    let file = Bytes::from(large.encode().unwrap().0);
    let reader = || MetadataReader::open(file.clone()).unwrap();
    for count in [1, 2, 3, 7, 1000] {
        let runs = reader().runs(count);
        assert!(runs.len() <= count && !runs.is_empty());
        let mut read: Vec<_> = runs.iter().map(|run| reader().read_parts(run.clone()).unwrap()).collect();
        read.reverse();
        let read = reader().assemble(read).unwrap();
        assert_eq!(read, large);
        let (read, built) = (read.operators().next().unwrap(), large.operators().next().unwrap());
        for subtask in 0..65 {
            assert_eq!(
                read.subtask(subtask).unwrap(),
                built.subtask(subtask).unwrap(),
                "subtask {subtask} of {count} runs"
            );
        }

        let all_but_one = runs.iter().skip(1).map(|run| reader().read_parts(run.clone()).unwrap());
        assert_eq!(reader().assemble(all_but_one).unwrap_err().kind(), ErrorKind::Configuration);
        let one_twice = runs.iter().chain(&runs[..1]).map(|run| reader().read_parts(run.clone()).unwrap());
        assert_eq!(reader().assemble(one_twice).unwrap_err().kind(), ErrorKind::Configuration);
    }
    assert_eq!(reader().read_parts(0..1000).unwrap_err().kind(), ErrorKind::Configuration);

    let of = |root| Bytes::from(reported(fixed_description(), None, &[(0, state_below(root))]).seal());
    let (one, other) =
        (MetadataReader::open(of(Root::ThisSnapshot)).unwrap(), MetadataReader::open(of(Root::JobShared)));
    let parts_of_other = other.unwrap().read_parts(0..1).unwrap();
    assert_eq!(one.assemble([parts_of_other]).unwrap_err().kind(), ErrorKind::Configuration);
}

#[test]
fn sums_are_compared_however_the_parts_of_an_operator_are_read() {
    // The summary says that subtasks of these operators have state; here two of each had finished.
    let file = changed(|sections| {
        for operator in [0x22, 0x44] {
            let at = sections
                .iter()
                .position(|it| it.tag == PART && it.operator == section(PART, operator, 0, &[]).operator);
            let at = at.unwrap();
            sections.splice(at..=at, [section(PART, operator, 0, &[0, 0]), section(PART, operator, 1, &[1, 0])]);
        }
    });
    let reader = || MetadataReader::open(Bytes::from(file.clone())).unwrap();
    let said_of = |operator: u8| format!("of operator {}", format!("{operator:x}").repeat(16));
    refused("the first", reader().read_all().unwrap_err(), &said_of(0x22));
    refused("the first alone", reader().read_parts(0..2).unwrap_err(), &said_of(0x22));
    refused("the second alone", reader().read_parts(2..4).unwrap_err(), &said_of(0x44));
    let one_by_one = (0..4).map(|part| reader().read_parts(part..part + 1).unwrap());
    refused("the first in pieces", reader().assemble(one_by_one).unwrap_err(), &said_of(0x22));
}

#[test]
fn the_last_operator_is_compared_too() {
    let file = changed(|sections| {
        let at = sections.iter().rposition(|section| section.tag == PART).unwrap();
        sections.splice(at..=at, [section(PART, 0x44, 0, &[0, 0]), section(PART, 0x44, 1, &[1, 0])]);
    });
    let reader = || MetadataReader::open(Bytes::from(file.clone())).unwrap();
    let parts = [0..1, 1..2, 2..3].map(|part| reader().read_parts(part).unwrap());
    refused(
        "the last in pieces",
        reader().assemble(parts).unwrap_err(),
        "what the summary says of an operator's state",
    );
}
