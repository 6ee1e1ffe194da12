//! Summaries of large metadata take little memory, whatever is large in it.
//!
//! In a release build the files have 1 GiB, and the command may have 64 MiB of address space, its own program included.
//! Otherwise it has less, and so have those files of which every byte is looked at.

use std::fs;
use std::io::{BufWriter, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::Command;

use super::our_tree;
use super::run::{Run, Tree};

const FILE_BYTES: u64 = 1 << 30;
/// How many bytes and elements are looked at.
const MOST_BYTES: u64 = if cfg!(debug_assertions) { FILE_BYTES / 16 } else { FILE_BYTES };
const MOST_ELEMENTS: u64 = if cfg!(debug_assertions) { 600_000 } else { u64::MAX };
/// So little that not even a vector's 24 bytes may be kept of each.
const MOST_MEMORY_KILOBYTES: u64 = if cfg!(debug_assertions) { 24 << 10 } else { 64 << 10 };

/// A file of Flink's, in which one element stands over and over.
struct Shape {
    name: &'static str,
    /// Up to the number of elements.
    before: Vec<u8>,
    element: Vec<u8>,
    after: Vec<u8>,
    /// How many handles there are in all, of how many bytes of state, given the number of elements.
    holds: fn(u64) -> (u64, u64),
}

impl Shape {
    fn elements(&self) -> u64 {
        let length = self.element.len() as u64;
        if self.is_passed_over() { FILE_BYTES / length } else { (MOST_BYTES / length).min(MOST_ELEMENTS) }
    }

    /// Whether the elements are zeros at which nobody looks. In a sparse file they are not written either.
    fn is_passed_over(&self) -> bool {
        self.name.starts_with("bytes") || self.name.starts_with("offsets")
    }

    fn write(&self, path: &Path) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut out = BufWriter::with_capacity(1 << 20, fs::File::create(path).unwrap());
        let elements = self.elements();
        out.write_all(&self.before).unwrap();
        out.write_all(&(elements as i32).to_be_bytes()).unwrap();
        if self.is_passed_over() {
            out.seek(SeekFrom::Current((elements * self.element.len() as u64) as i64)).unwrap();
        } else {
            let chunk = self.element.repeat((1 << 16) / self.element.len().min(1 << 16));
            let in_chunk = (chunk.len() / self.element.len()) as u64;
            (0..elements / in_chunk).for_each(|_| out.write_all(&chunk).unwrap());
            (0..elements % in_chunk).for_each(|_| out.write_all(&self.element).unwrap());
        }
        out.write_all(&self.after).unwrap();
        out.flush().unwrap();
    }
}

/// Runs the command with so much address space and no more.
fn bounded(tree: &Tree, arguments: &str) -> Run {
    bounded_by(tree, MOST_MEMORY_KILOBYTES, arguments)
}

fn bounded_by(tree: &Tree, kilobytes: u64, arguments: &str) -> Run {
    let line = format!("ulimit -v {kilobytes}; exec {} {arguments}", env!("CARGO_BIN_EXE_ckpt"));
    tree.ended(Command::new("sh").args(["-c", &line]).current_dir(tree.path()).output().unwrap())
}

fn assert_summed_up(shapes: Vec<Shape>) {
    for shape in shapes {
        let tree = Tree::new();
        shape.write(&tree.join("chk-7/_metadata"));
        let (name, elements) = (shape.name, shape.elements());
        let run = bounded(&tree, "ls --json .");
        assert_eq!(run.status, 0, "{name}: {}", run.stderr.get(..1000).unwrap_or(&run.stderr));
        let json = run.json()["snapshots"][0]["snapshot"].take();
        let (handles, state_bytes) = (shape.holds)(elements);
        assert_eq!((&json["handles"], &json["size"]["stateBytes"]), (&handles.into(), &state_bytes.into()), "{name}");
        // The same is printed, but for master states, so one of them is enough where every element takes time.
        if shape.is_passed_over() || name.starts_with("master") {
            let shown = bounded(&tree, "show --operators chk-7");
            assert_eq!((shown.status, shown.stderr.as_str()), (0, ""), "{name}");
        }
        println!("{name}: {elements} elements");
    }
}

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u16).to_be_bytes()[..], text.as_bytes()].concat()
}

/// A file anywhere, of 100 bytes.
fn file() -> Vec<u8> {
    let path = text("hdfs://namenode:8020/checkpoints/0123456789abcdef0123456789abcdef/shared/some-file");
    [&[2][..], &100_u64.to_be_bytes(), &path].concat()
}

fn header(version: u8) -> Vec<u8> {
    [&[0x49, 0x60, 0x67, 0x2d, 0, 0, 0, version][..], &7_u64.to_be_bytes()].concat()
}

/// Up to the subtasks of the one operator of a file.
fn operator(version: u8) -> Vec<u8> {
    let names = if version < 5 { vec![] } else { vec![0; 4] };
    let operator = [&names[..], &[5; 16], &[0, 0, 0, 1, 0, 0, 0, 1, 0]].concat();
    [&header(version)[..], &[0, 0, 0, 0, 0, 0, 0, 1], &operator].concat()
}

/// Up to the state of the one subtask of a file.
fn subtask(version: u8) -> Vec<u8> {
    [&operator(version)[..], &[0, 0, 0, 1, 0, 0, 0, 0]].concat()
}

/// Up to the managed keyed state of the one subtask of a file, whose tag is that.
fn keyed(tag: u8) -> Vec<u8> {
    [&subtask(3)[..], &[0; 8], &[tag]].concat()
}

/// No raw keyed state, and no channels.
const NO_MORE: &[u8] = &[0; 9];
const NO_PROPERTIES: &[u8] = &[0xac, 0xed, 0, 5, 0x70];

fn subtask_with_a_file() -> Vec<u8> {
    [&[0; 4][..], &[0; 8], &[7], &[0; 8], &file(), NO_MORE].concat()
}

fn incremental() -> Vec<u8> {
    // A checkpoint, a backend without a name, no key groups, and no description.
    [&keyed(5)[..], &[0; 8], &[0; 2], &[0; 8], &[16]].concat()
}

#[test]
fn by_offsets() {
    let channel = [&subtask(3)[..], &[0; 10], &[0, 0, 0, 1], &[0; 12]].concat();
    let state = [&subtask(3)[..], &[0, 0, 0, 1, 4], &[0, 0, 0, 1], &text("state"), &[0]].concat();
    let shape = |name, before, after, holds| Shape { name, before, element: vec![0; 8], after, holds };
    assert_summed_up(vec![
        shape("offsets of key groups", [&keyed(7)[..], &[0; 4]].concat(), [&file()[..], NO_MORE].concat(), |_| {
            (1, 100)
        }),
        shape("offsets of an operator state", state, [&file()[..], &[0; 4 + 1], NO_MORE].concat(), |_| (1, 100)),
        shape("offsets of a channel", channel, [&50_u64.to_be_bytes()[..], &file(), &[0; 4]].concat(), |_| (1, 50)),
    ]);
}

#[test]
fn by_bytes_in_the_metadata() {
    let coordinator = operator(3);
    let coordinator = [&coordinator[..coordinator.len() - 1], &[1], &text("coordinator")].concat();
    let shape = |name, before, after, holds| Shape { name, before, element: vec![0], after, holds };
    assert_summed_up(vec![
        shape("bytes of a coordinator", coordinator, vec![0; 4], |bytes| (1, bytes)),
        shape(
            "bytes of keyed state",
            [&keyed(7)[..], &[0; 8], &[1], &text("inline")].concat(),
            NO_MORE.to_vec(),
            |bytes| (1, bytes),
        ),
    ]);
}

#[test]
fn by_files_of_a_database() {
    let element = [&text("000042.sst")[..], &file()].concat();
    assert_summed_up(vec![
        Shape {
            name: "shared files",
            before: incremental(),
            element: element.clone(),
            after: [&[0; 4], NO_MORE].concat(),
            holds: |files| (files, 100 * files),
        },
        Shape {
            name: "private files",
            before: [&incremental()[..], &[0; 4]].concat(),
            element,
            after: NO_MORE.to_vec(),
            holds: |files| (files, 100 * files),
        },
        Shape {
            name: "files that are none",
            before: incremental(),
            element: vec![0, 0, 16],
            after: [&[0; 4], NO_MORE].concat(),
            holds: |_| (0, 0),
        },
    ]);
}

#[test]
fn by_parts_of_a_changelog() {
    let key_groups = [&[7][..], &[0; 8], &file()].concat();
    let changelog = [&keyed(14)[..], &[0; 8], &80_u64.to_be_bytes()].concat();
    let end = [&[0; 8][..], &[0; 8], &text("id"), NO_MORE].concat();
    assert_summed_up(vec![
        Shape {
            name: "materialized state",
            before: changelog.clone(),
            element: key_groups,
            after: [&[0; 4], &end[..]].concat(),
            holds: |handles| (handles, 100 * handles),
        },
        Shape {
            name: "state that is missing",
            before: [&changelog[..], &[0; 4]].concat(),
            element: vec![0],
            after: end,
            holds: |_| (0, 0),
        },
        Shape {
            name: "changes",
            before: [&keyed(9)[..], &[0; 8], &[0; 16]].concat(),
            element: [&[0; 4][..], &[0, 0, 0, 9], &[1; 9]].concat(),
            after: [&text("id"), NO_MORE].concat(),
            holds: |changes| (1, 9 * changes),
        },
        Shape {
            name: "streams of changes",
            before: [&keyed(10)[..], &[0; 8]].concat(),
            element: [&[0; 8][..], &file()].concat(),
            after: [&70_u64.to_be_bytes()[..], &[0; 8], &text("id"), NO_MORE].concat(),
            holds: |streams| (streams, 70),
        },
    ]);
}

#[test]
fn by_operator_states_and_channels() {
    let channel = [&[0; 12][..], &[0; 4], &50_u64.to_be_bytes(), &file()].concat();
    let merged = [&[4][..], &[0; 4], &60_u64.to_be_bytes(), &file(), &[0, 0, 0, 4], &[0; 4]].concat();
    assert_summed_up(vec![
        Shape {
            name: "operator states",
            before: [&subtask(3)[..], &[0, 0, 0, 1, 4]].concat(),
            element: [&text("some-state")[..], &[1], &[0; 4]].concat(),
            after: [&file()[..], &[0; 4 + 1], NO_MORE].concat(),
            holds: |_| (1, 100),
        },
        Shape {
            name: "channels",
            before: [&subtask(3)[..], &[0; 10]].concat(),
            element: channel,
            after: vec![0; 4],
            holds: |channels| (channels, 50 * channels),
        },
        Shape {
            name: "merged channels",
            before: [&subtask(6)[..], &[0; 14]].concat(),
            element: merged,
            after: NO_PROPERTIES.to_vec(),
            holds: |channels| (channels, 60 * channels),
        },
    ]);
}

#[test]
fn by_operators_and_subtasks() {
    let name = text(&"operator name, ".repeat(10));
    let named = [&name[..], &text("uid"), &[5; 16], &[0, 0, 0, 1, 0, 0, 0, 1, 0], &[0; 4]].concat();
    let long = text(&"x".repeat(usize::from(u16::MAX)));
    let long = [&long[..], &long, &[5; 16], &[0, 0, 0, 1, 0, 0, 0, 1, 0], &[0; 4]].concat();
    let before = [&header(5)[..], &[0; 4]].concat();
    assert_summed_up(vec![
        Shape {
            name: "operators",
            before: before.clone(),
            element: named,
            after: NO_PROPERTIES.to_vec(),
            holds: |_| (0, 0),
        },
        Shape { name: "long names", before, element: long, after: NO_PROPERTIES.to_vec(), holds: |_| (0, 0) },
        Shape {
            name: "subtasks",
            before: operator(3),
            element: subtask_with_a_file(),
            after: vec![],
            holds: |subtasks| (subtasks, 100 * subtasks),
        },
        Shape {
            name: "finished subtasks",
            before: operator(3),
            element: vec![0xff; 4],
            after: vec![],
            holds: |_| (0, 0),
        },
    ]);
}

#[test]
fn by_master_states_and_oddities() {
    let master = |name: &str| {
        let state = [&[0, 0, 0, 1][..], &text(name), &[0, 0, 0, 3], b"abc"].concat();
        [&[0xc9, 0x6b, 0x16, 0x96][..], &(state.len() as u32).to_be_bytes(), &state].concat()
    };
    assert_summed_up(vec![
        Shape {
            name: "master states",
            before: header(3),
            element: master("hook"),
            after: vec![0; 4],
            holds: |_| (0, 0),
        },
        Shape {
            name: "master states with long names",
            before: header(3),
            element: master(&"x".repeat(60_000)),
            after: vec![0; 4],
            holds: |_| (0, 0),
        },
        Shape {
            name: "notes",
            before: operator(3),
            // That operator state follows is said by 2, and there is none.
            element: [&[0; 4][..], &[0, 0, 0, 2, 0], &[0; 4 + 1], NO_MORE].concat(),
            after: vec![],
            holds: |_| (0, 0),
        },
    ]);
}

/// State is digested while it is read, so a dump takes no memory for it.
#[test]
fn of_a_dump_by_bytes_in_the_metadata() {
    let length = MOST_BYTES / 2;
    let before = [&keyed(7)[..], &[0; 8], &[1], &text("inline"), &(length as i32).to_be_bytes()].concat();
    let tree = Tree::new();
    tree.put("chk-7/_metadata", &before);
    let file = fs::File::options().write(true).open(tree.join("chk-7/_metadata")).unwrap();
    file.write_all_at(NO_MORE, before.len() as u64 + length).unwrap();
    let run = bounded(&tree, "flink dump chk-7");
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));
    let delegate = &run.json()["operators"][0]["subtasks"]["0"]["managedKeyedState"][0]["delegate"];
    assert_eq!(delegate["inlineLength"], length);
    // Of so many zeros, by `head -c … /dev/zero | sha256sum`.
    let sha256 = match length >> 20 {
        32 => "83ee47245398adee79bd9c0a8bc57b821e92aba10f5f9ade8a5d1fae4d8c4302",
        _ => "9acca8e8c22201155389f65abbf6bc9723edc7384ead80503839f49dcc56d767",
    };
    assert_eq!(delegate["sha256"], sha256);
}

/// What is shown of each handle is held, and rows of tables are not.
#[test]
fn of_handles_that_are_shown() {
    const SUBTASKS: usize = 200_000;
    let file = [operator(3), (SUBTASKS as u32).to_be_bytes().to_vec(), subtask_with_a_file().repeat(SUBTASKS)].concat();
    let tree = Tree::new();
    tree.put("chk-7/_metadata", &file);
    for arguments in ["show --handles chk-7", "show --handles --json chk-7"] {
        let run = bounded_by(&tree, 4 * file.len() as u64 / 1024, arguments);
        assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{arguments}");
        assert!(run.stdout.matches("/shared/some-file").count() == SUBTASKS, "{arguments}");
    }
}

/// What is held for each file that is named is bounded, and nothing is for each state of a handle.
#[test]
fn of_a_verification() {
    let (states, files) = if cfg!(debug_assertions) { (600_000, 50_000) } else { (20_000_000, 500_000) };
    let state = [&text("the name of a state")[..], &[0], &[0; 4]].concat();
    let states_of_one =
        [&subtask(3)[..], &[0, 0, 0, 1, 4], &(states as u32).to_be_bytes(), &state.repeat(states), &file()].concat();
    let tree = Tree::new();
    tree.put("states/chk-7/_metadata", &[&states_of_one[..], &[0; 4 + 1], NO_MORE].concat());
    let run = bounded(&tree, "verify states/chk-7");
    // As many names as begin within 256 bytes: each takes 21 with what is between them.
    let role = format!("{}the name of a state and {} more", "the name of a state, ".repeat(12), states - 13);
    assert!(run.status == 1 && run.stdout.contains(&role), "{}", run.stderr);
    let file = |number: usize| {
        let path = text(&format!("hdfs://namenode:8020/checkpoints/0123456789abcdef/shared/{number:010}"));
        [&text(&format!("{number}.sst"))[..], &[2], &100_u64.to_be_bytes(), &path].concat()
    };
    let shared: Vec<_> = (0..files).flat_map(file).collect();
    let incremental = [&incremental()[..], &(files as u32).to_be_bytes(), &shared, &[0; 4], NO_MORE].concat();
    tree.put("files/chk-7/_metadata", &incremental);
    let run = bounded_by(&tree, MOST_MEMORY_KILOBYTES + files as u64, "verify files/chk-7");
    assert_eq!((run.status, run.stdout.matches("\n    needed by ").count()), (1, files), "{}", run.stderr);
}

/// As many operators and places as there may be, with names that fill the summary.
#[test]
fn of_ours_by_operators_and_places() {
    let state_bytes = if cfg!(debug_assertions) { 100 } else { 16_000 };
    let tree = Tree::new();
    our_tree::plant_operators(&tree, "chk-4", 65_536, 150, state_bytes);
    for arguments in ["show --json chk-4", "ls --json ."] {
        let run = bounded_by(&tree, 64 << 10, arguments);
        assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{arguments}");
        assert!(run.stdout.contains("\"operatorCount\": 65536"), "{arguments}");
    }
}

/// As many pieces of one subtask as fit into metadata that is read as a whole.
#[test]
fn of_ours_by_pieces_of_a_subtask() {
    let tree = Tree::new();
    our_tree::plant_pieces(&tree, "chk-4", 2_000_000);
    let run = bounded_by(&tree, 64 << 10, "show --json chk-4");
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));
    let json = run.json();
    let length = json["metadataBytes"].as_u64().unwrap();
    assert!((6 << 20..8 << 20).contains(&length), "{length}");
    assert_eq!((&json["handles"], &json["size"]["inlineBytes"]), (&2_000_000.into(), &2_000_000.into()));
}
