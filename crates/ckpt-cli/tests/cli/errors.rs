//! What cannot be looked at, and how that is told.

use std::fs;

use super::flink_tree::metadata;
use super::our_tree::{self, JOB};
use super::run::Tree;

#[test]
fn each_error_names_the_place_what_was_expected_and_what_was_found() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    tree.put("empty/_metadata", b"");
    tree.put("text/_metadata", b"hello, world");
    tree.put("nothing/here", b"");
    let flink = metadata("2.2.1-flip27-coordinator");
    tree.put("cut/_metadata", &flink[..flink.len() / 2]);
    let mut newer = flink.clone();
    newer[7] = 7;
    tree.put("newer/_metadata", &newer);
    newer[7] = 1;
    tree.put("older/_metadata", &newer);
    let ours = fs::read(tree.join(&format!("jobs/{JOB}/chk-3/_metadata"))).unwrap();
    tree.put("ours-cut/_metadata", &ours[..ours.len() - 1]);
    tree.put("ours-short/_metadata", &ours[..10]);
    let mut flipped = ours;
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    tree.put("ours-flipped/_metadata", &flipped);
    fs::create_dir_all(tree.join("directory/_metadata")).unwrap();
    let mut lines = Vec::new();
    for path in [
        "missing",
        "nothing",
        "empty",
        "text",
        "cut",
        "newer",
        "older",
        "ours-cut",
        "ours-short",
        "ours-flipped",
        "directory",
        "text/_metadata/below",
    ] {
        lines.extend(["show", "verify", "flink dump"].map(|command| format!("{command} {path}")));
    }
    lines.extend(["ls missing", "ls text/_metadata", "ls nothing", "verify --map-root x text"].map(str::to_owned));
    lines.extend(
        ["ls", "show", "verify", "flink", "frobnicate", "show --frobnicate x", "completions tcl"].map(str::to_owned),
    );
    let lines: Vec<_> = lines.iter().map(String::as_str).collect();
    tree.assert_snapshot("errors", &lines);
}

#[test]
fn names_cannot_control_the_terminal() {
    let tree = Tree::new();
    tree.put("a\u{1b}[31mb\n/savepoint-f1f1f1-87eae83dd8ed/_metadata", b"no");
    for line in [&["ls", "."][..], &["show", "a\u{1b}[31mb\n"], &["verify", "."], &["show", "no\u{7}"]] {
        let run = tree.run(line);
        let said = format!("{}{}", run.stdout, run.stderr);
        assert!(!said.contains(['\u{1b}', '\u{7}']), "{said:?}");
        assert!(said.contains("\\u{1b}[31mb\\n") || said.contains("no\\u{7}"), "{said:?}");
    }
}

#[test]
fn names_in_json_cannot_control_the_terminal() {
    let tree = Tree::new();
    let name = "a\u{9b}31mb\u{202e}\u{2028}c";
    tree.put(&format!("{name}/_metadata"), &metadata("2.2.1-flip27-coordinator"));
    for line in
        [&["ls", "--json", "."][..], &["show", "--json", name], &["verify", "--json", "."], &["flink", "dump", name]]
    {
        let run = tree.run(line);
        assert!(run.stdout.contains("a\\u009b31mb\\u202e\\u2028c"), "{run:?}");
        assert!(!run.stdout.contains(['\u{9b}', '\u{202e}', '\u{2028}']), "{run:?}");
        assert!(run.json().to_string().contains(name));
    }
}

/// Whatever the bytes are: it ends, with a status of its own.
#[test]
fn no_damage_makes_it_panic() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    let ours = fs::read(tree.join(&format!("jobs/{JOB}/chk-3/_metadata"))).unwrap();
    for original in [ours, metadata("2.2.1-unaligned-files"), metadata("1.20.3-filemerging-hashmap")] {
        for step in 0..150 {
            let mut bytes = original.clone();
            let at = step * bytes.len() / 150;
            match step % 3 {
                0 => bytes.truncate(at),
                1 => bytes[at] = 0xff,
                _ => bytes[at] ^= 0x10,
            }
            tree.put("x/_metadata", &bytes);
            let line = ["show --handles x", "verify x", "flink dump x", "ls x"][step % 4];
            let run = tree.ckpt(line);
            assert!((0..=2).contains(&run.status), "{line}: {run:?}");
        }
    }
}
