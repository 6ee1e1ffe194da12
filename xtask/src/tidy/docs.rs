//! What documents promise about the code is there.

use std::collections::BTreeSet;

use super::source::words;
use super::{Finding, Tree};

/// Every test that a table of `docs/` or of a page beside test data names in a column "test" exists.
pub(super) fn tests_exist(tree: &Tree, findings: &mut Vec<Finding>) {
    let tests = test_names(tree);
    let named = |path: &str| path.starts_with("docs/") || path.contains("/testdata/");
    for (path, text) in tree.documents.iter().filter(|(path, _)| named(path)) {
        let mut column = None;
        for (number, line) in text.lines().enumerate() {
            let Some(cells) = cells(line) else {
                column = None;
                continue;
            };
            let Some(at) = column else {
                column = cells.iter().position(|cell| cell.eq_ignore_ascii_case("test"));
                continue;
            };
            if is_divider(&cells) {
                continue;
            }
            let cell = cells.get(at).copied().unwrap_or_default();
            let place = format!("{path}:{}", number + 1);
            let names: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
            if names.is_empty() {
                findings.push(Finding::failure(&place, "names no test"));
            }
            for name in names {
                if !tests.contains(name.rsplit("::").next().unwrap_or(name)) {
                    findings.push(Finding::failure(&place, format!("there is no test `{name}`")));
                }
            }
        }
    }
}

/// The architecture page names every crate and says what holds in each.
pub(super) fn architecture(tree: &Tree, findings: &mut Vec<Finding>) {
    const PAGE: &str = "ARCHITECTURE.md";
    let Some(text) = tree.documents.get(PAGE) else {
        findings.push(Finding::failure(PAGE, "is missing"));
        return;
    };
    let crates: BTreeSet<&str> =
        tree.sources.iter().filter_map(|file| file.path.strip_prefix("crates/")?.split('/').next()).collect();
    for name in crates {
        let section = text.split("\n#").find(|section| {
            let heading = section.lines().next().unwrap_or_default();
            words(heading, name).next().is_some()
        });
        match section {
            None => findings.push(Finding::failure(PAGE, format!("has no section about {name}"))),
            Some(section) if !section.contains("*Invariant") => {
                findings.push(Finding::failure(PAGE, format!("has no *Invariant* line for {name}")));
            }
            Some(_) => {}
        }
    }
}

/// The changelog has a place for what is not released yet.
pub(super) fn changelog(tree: &Tree, findings: &mut Vec<Finding>) {
    const PAGE: &str = "CHANGELOG.md";
    if !tree.documents.get(PAGE).is_some_and(|text| text.lines().any(|line| line.starts_with("## Unreleased"))) {
        findings.push(Finding::failure(PAGE, "has no section `## Unreleased`"));
    }
}

/// The functions that are no shipped code: tests, and the suites that test helpers offer.
pub(super) fn test_names(tree: &Tree) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    for file in &tree.sources {
        let shipped = if file.path.contains("/testing/") { "" } else { file.shipped() };
        let tests = &file.code()[shipped.len()..];
        for at in words(tests, "fn") {
            let rest = tests[at + "fn".len()..].trim_start();
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
            names.insert(&rest[..end]);
        }
    }
    names
}

/// The cells of a row of a table.
pub(super) fn cells(line: &str) -> Option<Vec<&str>> {
    let row = line.trim().strip_prefix('|')?;
    Some(row.strip_suffix('|').unwrap_or(row).split('|').map(str::trim).collect())
}

/// Whether these cells are the line between a table's head and its rows.
pub(super) fn is_divider(cells: &[&str]) -> bool {
    cells.iter().all(|cell| !cell.is_empty() && cell.chars().all(|c| "-:".contains(c)))
}

#[cfg(test)]
mod tests {
    use super::super::sample::{failures, tree};
    use super::*;

    #[test]
    fn a_test_that_is_named_and_missing_fails() {
        let mut tree = tree([("a_test.rs", "fn it_holds() {}\n// fn gone() {}\n"), ("b.rs", "fn shipped() {}\n")]);
        let table = "\
| what | Test |
|---|---|
| a | `it_holds`, `module::it_holds` |
| b | `gone` |
| c | |
| d | `shipped` |

| what | why |
|---|---|
| d | `not_a_test` |
";
        tree.documents.insert("docs/differences.md".to_owned(), table.to_owned());
        assert_eq!(
            failures(tests_exist, &tree),
            ["docs/differences.md:4", "docs/differences.md:5", "docs/differences.md:6"]
        );
    }

    #[test]
    fn a_crate_that_the_architecture_does_not_know_fails() {
        let mut tree = tree([
            ("crates/ckpt-a/src/lib.rs", ""),
            ("crates/ckpt-b/src/lib.rs", ""),
            ("crates/ckpt-c/src/lib.rs", ""),
        ]);
        assert_eq!(failures(architecture, &tree).len(), 1);
        let text = "# X\n\n## `ckpt-a`\n\n*Invariant:* one.\n\n## `ckpt-b`\n\nText.\n";
        tree.documents.insert("ARCHITECTURE.md".to_owned(), text.to_owned());
        assert_eq!(failures(architecture, &tree).len(), 2);
    }

    #[test]
    fn a_changelog_without_unreleased_fails() {
        let mut tree = tree([]);
        assert_eq!(failures(changelog, &tree), ["CHANGELOG.md"]);
        tree.documents.insert("CHANGELOG.md".to_owned(), "# Changelog\n\n## Unreleased\n".to_owned());
        assert!(failures(changelog, &tree).is_empty());
    }
}
