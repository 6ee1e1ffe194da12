//! Files that say that they hold more than they do, and files that hold as much as their bytes can say.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use bytes::Bytes;
use ckpt_flink::{FlinkMetadata, FlinkReader, SkippedBytes, StreamSource, SubtaskVisitor};

use super::measure::Measure;

/// What a refused file may take: the kilobytes that are reserved for the lists that it claims to have.
const REFUSED_BYTES: usize = 1 << 20;

fn samples() -> Vec<Bytes> {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/samples");
    (3..=6).map(|version| fs::read(samples.join(format!("meta_v{version}.bin"))).unwrap().into()).collect()
}

#[test]
fn a_number_in_any_place_takes_no_memory() {
    let measure = Measure::new();
    for file in samples() {
        for at in 0..file.len() - 4 {
            for number in [i32::MAX, 1 << 24, 1 << 16, -1] {
                let mut changed = file.to_vec();
                changed[at..at + 4].copy_from_slice(&number.to_be_bytes());
                let (_, peak_bytes) = measure.peak_bytes(|| FlinkMetadata::decode(changed.into()).is_ok());
                assert!(peak_bytes <= REFUSED_BYTES, "{number} at byte {at} takes {peak_bytes} bytes");
            }
        }
    }
}

/// So many elements would fit into the bytes that are left, and the first of them is none.
#[test]
fn a_list_that_is_not_there_takes_little_memory() {
    const LEFT_BYTES: usize = 2_000_000;
    let measure = Measure::new();
    let claim = |least_bytes: usize| ((LEFT_BYTES / least_bytes) as i32).to_be_bytes();
    for (name, before) in [
        ("master states", [&HEADER[..16], &claim(18)].concat()),
        ("operators", [&HEADER[..20], &claim(29)].concat()),
        ("subtasks", operator(&claim(4)).to_vec()),
        ("operator states", subtask(&[&[0, 0, 0, 1, 4][..], &claim(7)].concat()).to_vec()),
        ("files of a database", subtask(&[&[0; 8][..], &[5], &[0; 8 + 2 + 8], &[16], &claim(3)].concat()).to_vec()),
        ("materialized state", subtask(&[&[0; 8][..], &[8], &[0; 16], &claim(1)].concat()).to_vec()),
        ("channels", subtask(&[&[0; 10][..], &claim(25)].concat()).to_vec()),
    ] {
        let file = Bytes::from([before, vec![0x7f; LEFT_BYTES]].concat());
        let (error, peak_bytes) = measure.peak_bytes(|| FlinkMetadata::decode(file).unwrap_err());
        assert!(peak_bytes <= 64 << 10, "{name}: {peak_bytes} bytes, {error}");
        // The list was begun, and so its number accepted.
        assert!(error.to_string().contains(" 0, ") || name == "subtasks", "{name}: {error}");
    }
}

/// A list with as many elements as fit, each as small as it can be. Flink's own take a few times their bytes.
#[test]
fn the_densest_files_take_memory_in_proportion() {
    const TIMES: usize = 48;
    let measure = Measure::new();
    for (name, file) in [
        ("finished subtasks", subtasks(&[0xff; 4])),
        ("subtasks without state", subtasks(&[0; 22])),
        (
            "operator states",
            subtask(&[&[0, 0, 0, 1, 4][..], &list(&[0; 7]), &[16, 0, 0, 0, 0, 0, 0], &[0; 8]].concat()),
        ),
        ("files of a database", subtask(&[&incremental(&[0, 0, 16])[..], &[0; 9]].concat())),
        ("materialized state", subtask(&[&changelog(&[0])[..], &[0; 9]].concat())),
        ("channels", subtask(&[&[0; 10][..], &list(&channel()), &[0; 4]].concat())),
        ("streams of changes", subtask(&[&[0; 8][..], &[10], &[0; 8], &list(&stream()), &[0; 18 + 9]].concat())),
        ("changes", subtask(&[&[0; 8][..], &[9], &[0; 24], &list(&[0; 8]), &[0; 2 + 9]].concat())),
        ("master states", [&HEADER[..16], &list(&master_state()), &[0; 4]].concat().into()),
        ("operators of version 3", [&HEADER[..20], &list(&[0; 29])].concat().into()),
        ("operators of version 2", [&version(2)[..20], &list(&[0; 32])].concat().into()),
        ("operators of version 5", [&version(5)[..20], &list(&[0; 33]), NO_PROPERTIES].concat().into()),
        ("merged channels", merged_channels()),
    ] {
        let length = file.len();
        let (decoded, peak_bytes) = measure.peak_bytes(|| FlinkMetadata::decode(file.clone()));
        decoded.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(peak_bytes <= TIMES * length, "{name}: {peak_bytes} bytes for {length}");

        let (visited, peak_visited_bytes) = measure.peak_bytes(|| visit(file));
        visited.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(peak_visited_bytes <= VISITED_BYTES, "{name}: {peak_visited_bytes} bytes when it is visited");
        println!("{name}: {} times", peak_bytes / length);
    }
}

/// What visiting takes, whatever a file holds: the buffer of a stream, and room for the elements that might be kept.
const VISITED_BYTES: usize = 160 << 10;

struct Nobody;

impl SubtaskVisitor<SkippedBytes> for Nobody {}

/// Goes through a file and keeps nothing.
fn visit(file: Bytes) -> ckpt_core::Result<()> {
    let source = StreamSource::new(Cursor::new(file)).expect("memory can be sought in");
    let mut reader = FlinkReader::<_, SkippedBytes>::open(source)?;
    while reader.next_operator()?.is_some() {
        while reader.visit_subtask(&mut Nobody)?.is_some() {}
    }
    reader.finish().map(drop)
}

/// As many elements as fit in some hundred kilobytes, behind their number.
fn list(element: &[u8]) -> Vec<u8> {
    let count = 400_000 / element.len();
    [&(count as i32).to_be_bytes(), &element.repeat(count)[..]].concat()
}

/// A file of version 3 without master states, up to the number of operators, which is 1.
const HEADER: [u8; 24] = [0x49, 0x60, 0x67, 0x2d, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1];
const NO_PROPERTIES: &[u8] = &[0xac, 0xed, 0, 5, 0x70];
const OPERATOR: &[u8] = &[7; 16];
const PARALLELISM: &[u8] = &[0, 0, 0, 1, 0, 0, 0, 1, 0];

fn version(version: u8) -> [u8; 24] {
    let mut header = HEADER;
    header[7] = version;
    header
}

fn operator(subtasks: &[u8]) -> Bytes {
    [&HEADER[..], OPERATOR, PARALLELISM, subtasks].concat().into()
}

fn merged_channels() -> Bytes {
    // Its channels are four bytes: that there are none.
    let channel = [&[3][..], &[0; 4 + 8], &[16], &[0, 0, 0, 4], &[0; 4]].concat();
    let subtask = [&[0, 0, 0, 1][..], &[0; 4 + 10], &list(&channel), &[0; 4]].concat();
    [&version(6)[..], &[0; 4], OPERATOR, PARALLELISM, &subtask, NO_PROPERTIES].concat().into()
}

fn master_state() -> Vec<u8> {
    [&[0xc9, 0x6b, 0x16, 0x96, 0, 0, 0, 10][..], &[0; 10]].concat()
}

fn stream() -> Vec<u8> {
    [&[0; 8][..], &[16]].concat()
}

fn subtasks(subtask: &[u8]) -> Bytes {
    operator(&list(subtask))
}

fn subtask(state: &[u8]) -> Bytes {
    operator(&[&[0, 0, 0, 1, 0, 0, 0, 0], state].concat())
}

/// State up to the number of changes, with materialized handles that are all the same.
fn changelog(handle: &[u8]) -> Vec<u8> {
    [&[0; 8][..], &[8], &[0; 16], &list(handle), &[0; 4 + 8 + 2]].concat()
}

fn incremental(file: &[u8]) -> Vec<u8> {
    [&[0; 8][..], &[5], &[0; 8 + 2 + 8], &[16], &list(file), &[0; 4]].concat()
}

fn channel() -> Vec<u8> {
    [&[0; 4 * 4 + 8][..], &[16]].concat()
}
