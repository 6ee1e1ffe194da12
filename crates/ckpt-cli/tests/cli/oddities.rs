//! What is odd about metadata of Flink's and can be read all the same: every command tells it alike.

use super::flink_tree::metadata;
use super::run::Tree;

/// The commands that read metadata, and where they are given the tree's `a/chk-1`.
const COMMANDS: [&str; 6] =
    ["show a/chk-1", "show --json a/chk-1", "verify a/chk-1", "verify .", "flink dump a/chk-1", "ls ."];

#[test]
fn bytes_behind_the_end_are_a_warning_and_with_strict_they_are_damage() {
    for (fixture, behind, text) in
        [("1.14.6-finished-tasks", 1, "1 byte"), ("2.2.1-flip27-coordinator", 70_000, "70000 bytes")]
    {
        let tree = Tree::new();
        let mut bytes = metadata(fixture);
        let end = bytes.len();
        bytes.extend(vec![0; behind]);
        tree.put("a/chk-1/_metadata", &bytes);
        let reason = format!("has {text} behind its end at byte {end}, expected none\n");
        let told = format!("'/data/a/chk-1/_metadata' {reason}");
        for line in COMMANDS {
            let run = tree.ckpt(line);
            assert_eq!((run.status, run.stderr), (0, format!("ckpt: warning: {told}")), "{line}");
            let run = tree.ckpt(&format!("{line} --strict"));
            assert_eq!(run.status, 1, "{line}");
            // One that looks at one file ends there; others list it beside the rest.
            match line.split(' ').next() {
                Some("show" | "flink") => {
                    assert_eq!((run.stdout, run.stderr), (String::new(), format!("ckpt: error: {told}")), "{line}");
                }
                _ => assert!(run.stdout.contains(&format!("_metadata: {reason}")) && run.stderr.is_empty(), "{run:?}"),
            }
        }
        assert!(tree.ckpt("show a/chk-1").stdout.contains(&format!("{text} behind the end\n")));
        assert!(tree.ckpt("ls .").stdout.contains(&format!("complete, {text} behind the end\n")));
        let listing = tree.ckpt("ls --strict --json .").json();
        assert_eq!(listing["snapshots"][0]["snapshot"]["trailingBytes"], behind);
        assert_eq!(listing["problems"].as_array().unwrap().len(), 1);
        assert_eq!(listing["problems"][0]["path"], "a/chk-1/_metadata");
        assert_eq!(tree.ckpt("flink dump a/chk-1").json()["trailing"]["length"], behind);
    }
}

/// Nothing that Flink never writes is an error, since Flink reads it.
#[test]
fn notes_are_a_warning_even_with_strict() {
    let tree = Tree::new();
    let bytes = [
        &[0x49, 0x60, 0x67, 0x2d, 0, 0, 0, 3][..],
        &7_u64.to_be_bytes(),
        // No master states, and one operator with an id, parallelism 1 of 1, no coordinator, and below -1 subtasks.
        &[0, 0, 0, 0, 0, 0, 0, 1],
        &[5; 16],
        &[0, 0, 0, 1, 0, 0, 0, 1, 0],
        &(-2_i32).to_be_bytes(),
    ];
    tree.put("a/chk-1/_metadata", &bytes.concat());
    let note = "-2 at byte 49 is taken for -1, all subtasks are finished";
    for line in COMMANDS {
        for line in [line.to_owned(), format!("{line} --strict")] {
            let run = tree.ckpt(&line);
            let told = format!("ckpt: warning: '/data/a/chk-1/_metadata': {note}\n");
            assert_eq!((run.status, run.stderr), (0, told), "{line}");
        }
    }
    assert!(tree.ckpt("show a/chk-1").stdout.contains(&format!("warning     {note}\n")));
    assert!(tree.ckpt("ls .").stdout.contains("complete, 1 note\n"));
    assert_eq!(tree.ckpt("flink dump a/chk-1").json()["notes"][0], note);
}

/// Flink would read it and fail only when it restores.
#[test]
fn channels_that_cannot_be_decoded_are_damage_to_every_command() {
    for (count, expected) in [(-3, "not negative"), (i32::MAX, "at most 0, since 0 bytes are left")] {
        let tree = Tree::new();
        let bytes = [
            &[0x49, 0x60, 0x67, 0x2d, 0, 0, 0, 6][..],
            &7_u64.to_be_bytes(),
            // No master states, and one operator without names, with an id, parallelism 1 of 1, no coordinator, one subtask.
            &[0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0],
            &[5; 16],
            &[0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 1],
            // Subtask 0 without state but that of one file of channels, which is empty and in no file.
            &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16],
            &4_i32.to_be_bytes(),
            &i32::to_be_bytes(count),
            &[0, 0, 0, 0, 0xac, 0xed, 0, 5, 0x70],
        ];
        let at = bytes[..6].iter().map(|part| part.len()).sum::<usize>() + 4;
        tree.put("a/chk-1/_metadata", &bytes.concat());
        let place = "operator 05050505050505050505050505050505, subtask 0, input channels 0, serialized channels";
        let found = format!("{place}, channels at byte {at} is {count}, expected {expected}");
        for line in COMMANDS.iter().chain(&["show --handles a/chk-1"]) {
            let run = tree.ckpt(line);
            assert_eq!(run.status, 1, "{line}: {run:?}");
            assert!(run.stdout.contains(&found) || run.stderr.contains(&found), "{line}: {run:?}");
        }
    }
}
