//! What every file has: a line that says what it is, and a size that one can read.

use super::{Finding, Tree};

/// Non-test lines above which a file fails, and above which it deserves a thought.
const MOST_LINES: usize = 600;
const MANY_LINES: usize = 400;
const MOST_LINES_OF_LIB: usize = 150;
const MOST_LINES_OF_TESTS: usize = 500;

/// Every file says on its first line what it is for.
pub(super) fn module_docs(tree: &Tree, findings: &mut Vec<Finding>) {
    for file in &tree.sources {
        // A test file may have to say first under which configuration it exists.
        let first = file.text.lines().find(|line| !line.starts_with("#!["));
        if !first.is_some_and(|line| line.starts_with("//! ")) {
            findings.push(Finding::failure(file.place(0), "begins without a `//!` line that says what it is for"));
        }
    }
}

/// Files stay small enough to be read in one go.
pub(super) fn sizes(tree: &Tree, findings: &mut Vec<Finding>) {
    for file in &tree.sources {
        let (lines, most, of) = if file.is_test() {
            (file.text.lines().count(), MOST_LINES_OF_TESTS, "a test file")
        } else if file.path.ends_with("src/lib.rs") {
            (file.shipped_lines(), MOST_LINES_OF_LIB, "a lib.rs")
        } else {
            (file.shipped_lines(), MOST_LINES, "a file")
        };
        if lines > most {
            findings.push(Finding::failure(&file.path, format!("{lines} lines; {of} has at most {most}")));
        } else if !file.is_test() && lines > MANY_LINES {
            findings.push(Finding::warning(&file.path, format!("{lines} lines; think about it above {MANY_LINES}")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{failures, tree};
    use super::*;

    #[test]
    fn a_file_without_a_first_line_of_docs_fails() {
        let tree = tree([
            ("a.rs", "//! A.\n"),
            ("b.rs", "use c;\n//! B.\n"),
            ("c.rs", ""),
            ("d.rs", "#![cfg(not(ckpt_loom))]\n//! D.\n"),
        ]);
        assert_eq!(failures(module_docs, &tree), ["b.rs:1", "c.rs:1"]);
    }

    #[test]
    fn a_long_file_fails_and_its_tests_do_not_count() {
        let long = "//! X.\n".repeat(601);
        let tested = format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", "//! X.\n".repeat(600), "// x\n".repeat(300));
        let tree = tree([
            ("crates/a/src/long.rs", &long),
            ("crates/a/src/tested.rs", &tested),
            ("crates/a/src/lib.rs", &"//! X.\n".repeat(151)),
            ("crates/a/src/x_test.rs", &"//! X.\n".repeat(501)),
            ("crates/a/src/fine_test.rs", &"//! X.\n".repeat(500)),
        ]);
        assert_eq!(failures(sizes, &tree), ["crates/a/src/long.rs", "crates/a/src/lib.rs", "crates/a/src/x_test.rs"]);
    }
}
