//! Which module may use which inside a crate, and which modules are pure.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{SourceFile, words};
use super::use_tree::imports;
use super::{Finding, Tree};

/// Modules of a crate's `src/` that may not see certain others, each with what it may not see.
const MAY_NOT_SEE: &[(&str, &[&str])] = &[
    ("crates/ckpt-coord/src/coordinator", &["driver", "barrier", "task", "clock", "gateway", "observer"]),
    ("crates/ckpt-coord/src/driver", &["barrier", "task"]),
    ("crates/ckpt-coord/src/barrier", &["coordinator", "driver", "task", "clock", "gateway", "observer"]),
    ("crates/ckpt-coord/src/task", &["coordinator", "driver"]),
    ("crates/ckpt-coord/src/restore", &["coordinator", "driver", "barrier", "task", "clock", "gateway", "observer"]),
];

/// Modules that decide and never act.
const PURE: &[&str] =
    &["crates/ckpt-coord/src/coordinator", "crates/ckpt-coord/src/barrier", "crates/ckpt-coord/src/restore"];

/// What none of these may name, besides what clippy's lists forbid there.
const IMPURE: &[&str] = &[
    "ckpt_streams",
    "ckpt_storage",
    "parking_lot",
    "crossbeam",
    "crossbeam_channel",
    "crossbeam_utils",
    "std::fs",
    "std::io",
    "std::net",
    "std::sync::mpsc",
    "std::sync::Mutex",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "SystemClock",
];

/// The first line of code of a pure module's `mod.rs`.
const DENY: &str = "#![deny(clippy::disallowed_methods, clippy::disallowed_types)]";

/// Modules see only those that they may, whether by path or by a name that the crate's root hands on.
pub(super) fn arrows(tree: &Tree, findings: &mut Vec<Finding>) {
    for (module, hidden) in MAY_NOT_SEE {
        let root = module.rsplit_once('/').map_or("", |(root, _)| root);
        let exports = exports_of_root(tree, root);
        for file in members(tree, module) {
            for (at, path) in crate_paths(file.shipped()) {
                let first = path.split("::").next().unwrap_or_default();
                let target = exports.get(first).map_or(first, String::as_str);
                if hidden.contains(&target) {
                    let name = module.rsplit('/').next().unwrap_or(module);
                    findings.push(Finding::failure(file.place(at), format!("{name} may not see {target}")));
                }
            }
        }
    }
    no_testing(tree, findings);
}

/// Pure modules carry the attribute that makes clippy's lists hold, and name nothing that acts.
pub(super) fn purity(tree: &Tree, findings: &mut Vec<Finding>) {
    for module in PURE {
        for file in members(tree, module) {
            let is_root = file.path == format!("{module}/mod.rs") || file.path == format!("{module}.rs");
            if is_root && !file.code().contains(DENY) {
                findings.push(Finding::failure(&file.path, format!("is pure, so it says `{DENY}`")));
            }
            let shipped = file.shipped();
            let imported = imports(shipped).into_iter().map(|import| (import.at, import.path));
            let named = IMPURE.iter().flat_map(|name| words(shipped, name).map(|at| (at, (*name).to_owned())));
            // One and the same path is found as an import and as a word.
            let mut places = BTreeSet::new();
            for (at, path) in imported.chain(named) {
                let within = |name: &&&str| path == **name || path.starts_with(&format!("{name}::"));
                if let Some(name) = IMPURE.iter().find(within) {
                    places.insert((file.place(at), *name));
                }
            }
            let message = |name| format!("is pure and may not name `{name}`");
            findings.extend(places.into_iter().map(|(place, name)| Finding::failure(place, message(name))));
        }
    }
}

/// What is there for tests is used by tests.
fn no_testing(tree: &Tree, findings: &mut Vec<Finding>) {
    for file in tree.sources.iter().filter(|file| file.in_crates()) {
        let is_testing = file.path.contains("/testing/") || file.path.ends_with("/testing.rs");
        for (at, path) in crate_paths(file.shipped()) {
            if !is_testing && path.split("::").next() == Some("testing") {
                findings.push(Finding::failure(file.place(at), "`testing` is for tests and embedders only"));
            }
        }
    }
}

fn members<'a>(tree: &'a Tree, module: &'a str) -> impl Iterator<Item = &'a SourceFile> {
    let inside = move |file: &&SourceFile| match file.path.strip_prefix(module) {
        Some(rest) => rest.starts_with('/') || rest == ".rs",
        None => false,
    };
    tree.sources.iter().filter(inside)
}

/// Which module a name that the crate's root exports comes from.
fn exports_of_root(tree: &Tree, root: &str) -> BTreeMap<String, String> {
    let mut exports = BTreeMap::new();
    for file in tree.sources.iter().filter(|file| file.path == format!("{root}/lib.rs")) {
        for import in imports(file.code()).into_iter().filter(|import| import.visibility.starts_with("pub")) {
            if let (Some((module, _)), Some(name)) = (import.path.split_once("::"), import.path.rsplit("::").next()) {
                exports.insert(name.to_owned(), module.to_owned());
            }
        }
    }
    exports
}

/// Paths of the crate that the code names, without `crate::`.
fn crate_paths(code: &str) -> Vec<(usize, String)> {
    let mut paths: Vec<(usize, String)> = imports(code)
        .into_iter()
        .filter_map(|import| Some((import.at, import.path.strip_prefix("crate::")?.to_owned())))
        .collect();
    for (at, found) in code.match_indices("crate::") {
        let rest = &code[at + found.len()..];
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(rest.len());
        // What opens a brace in a `use` was expanded above.
        let path = rest[..end].trim_end_matches("::");
        if !path.is_empty() && !paths.iter().any(|(_, known)| known == path) {
            paths.push((at, path.to_owned()));
        }
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::super::sample::{failures, tree};
    use super::*;

    #[test]
    fn a_module_that_sees_a_hidden_one_fails() {
        let tree = tree([
            ("crates/ckpt-coord/src/lib.rs", "mod coordinator;\npub use coordinator::{Coordinator, Event};\n"),
            ("crates/ckpt-coord/src/task/mod.rs", "use crate::{clock::Clock, driver::Driver};\n"),
            ("crates/ckpt-coord/src/task/run.rs", "use crate::Coordinator;\n"),
            ("crates/ckpt-coord/src/task/x_test.rs", "use crate::Coordinator;\n"),
            ("crates/ckpt-coord/src/driver/mod.rs", "use crate::Coordinator;\nfn a() { crate::barrier::b() }\n"),
            ("crates/ckpt-coord/src/restore.rs", "use ckpt_core::id;\nuse crate::task::Task;\n"),
        ]);
        let expected = [
            "crates/ckpt-coord/src/driver/mod.rs:2",
            "crates/ckpt-coord/src/task/mod.rs:1",
            "crates/ckpt-coord/src/task/run.rs:1",
            "crates/ckpt-coord/src/restore.rs:2",
        ];
        assert_eq!(failures(arrows, &tree), expected);
    }

    #[test]
    fn shipped_code_that_uses_test_helpers_fails() {
        let tree = tree([
            ("crates/a/src/x.rs", "use crate::testing::Fake;\n"),
            ("crates/a/src/y.rs", "#[cfg(test)]\nmod tests {\n    use crate::testing::Fake;\n}\n"),
            ("crates/a/src/testing/z.rs", "use crate::testing::Fake;\n"),
        ]);
        assert_eq!(failures(arrows, &tree), ["crates/a/src/x.rs:1"]);
    }

    #[test]
    fn a_pure_module_that_acts_fails() {
        let deny = format!("//! X.\n\n{DENY}\n");
        let tree = tree([
            ("crates/ckpt-coord/src/coordinator/mod.rs", &deny),
            ("crates/ckpt-coord/src/coordinator/a.rs", "use std::{fmt, thread};\nuse parking_lot::Mutex;\n"),
            ("crates/ckpt-coord/src/coordinator/b.rs", "fn a() { std::thread::yield_now() }\n"),
            ("crates/ckpt-coord/src/coordinator/c.rs", "use std::time::Duration;\nuse ckpt_core::Now;\n"),
            ("crates/ckpt-coord/src/barrier/mod.rs", "//! X.\nuse ckpt_storage::HeadStore;\n"),
        ]);
        let expected = [
            "crates/ckpt-coord/src/coordinator/a.rs:1",
            "crates/ckpt-coord/src/coordinator/a.rs:2",
            "crates/ckpt-coord/src/coordinator/b.rs:1",
            "crates/ckpt-coord/src/barrier/mod.rs",
            "crates/ckpt-coord/src/barrier/mod.rs:2",
        ];
        assert_eq!(failures(purity, &tree), expected);
    }
}
