//! `docs/cli.md` and `README.md`: their examples are what the command says.

use std::fs;
use std::path::Path;

use super::flink_tree;
use super::our_tree;
use super::run::{Tree, assert_file};

/// Runs every example, which begins with `$ ckpt ` in a block of type `console`, and holds what stands below it against what
/// is said. `CKPT_REWRITE=1` writes the pages anew.
#[test]
fn examples_are_what_the_command_says() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    flink_tree::moved_job(&tree);
    for (page, least) in [("docs/cli.md", 7), ("README.md", 2)] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(page);
        let (written, examples) = run_examples(&tree, &fs::read_to_string(&path).unwrap());
        assert!(examples >= least, "{page}: {examples}");
        assert_file(&path, &written);
    }
}

/// The page with what each example says now, and how many there are.
fn run_examples(tree: &Tree, page: &str) -> (String, usize) {
    let (mut written, mut in_example, mut examples) = (String::new(), false, 0);
    for line in page.lines() {
        if in_example && line != "```" {
            continue;
        }
        in_example = false;
        written += &format!("{line}\n");
        if let Some(command) = line.strip_prefix("$ ckpt ") {
            let run = tree.ckpt(command);
            assert_eq!(run.stderr, "", "{command}");
            written += &run.stdout;
            (in_example, examples) = (true, examples + 1);
        }
    }
    (written, examples)
}
