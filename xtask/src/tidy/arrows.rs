//! Which crate may use which.

use super::{Finding, Tree};

/// The arrows among our crates; a crate that is not listed may use any.
const MAY_USE: &[(&str, &[&str])] = &[
    ("ckpt-core", &[]),
    ("ckpt-streams", &["ckpt-core"]),
    ("ckpt-storage", &["ckpt-core", "ckpt-streams"]),
    ("ckpt-coord", &["ckpt-core", "ckpt-streams", "ckpt-storage"]),
    ("ckpt-flink", &["ckpt-core"]),
    ("ckpt-cli", &["ckpt-core", "ckpt-streams", "ckpt-storage", "ckpt-coord", "ckpt-flink"]),
    ("ckpt-model", &["ckpt-core", "ckpt-streams", "ckpt-storage"]),
    ("xtask", &[]),
];

/// Threads and locks have no place in a crate of plain types.
const NOT_IN_CORE: &[&str] = &["parking_lot", "crossbeam", "crossbeam-channel", "crossbeam-utils", "loom", "rustix"];

/// The crates are called by any engine, so they choose no runtime for it.
const RUNTIMES: &[&str] = &["tokio", "async-std", "smol", "futures-executor"];

/// Normal dependencies follow the arrows.
pub(super) fn crates(tree: &Tree, findings: &mut Vec<Finding>) {
    for package in &tree.packages {
        let allowed = MAY_USE.iter().find(|(name, _)| *name == package.name).map(|(_, allowed)| *allowed);
        let library = package.name.starts_with("ckpt-")
            && !["ckpt-tests", "ckpt-benches", "ckpt-model"].contains(&package.name.as_str());
        if library && allowed.is_none() {
            findings.push(Finding::failure(&package.name, "has no row in the table of arrows"));
        }
        for dependency in package.dependencies.iter().filter(|dependency| dependency.kind.is_none()) {
            let name = dependency.name.as_str();
            let against_arrow = name.starts_with("ckpt-") && allowed.is_some_and(|allowed| !allowed.contains(&name));
            let against_purity = package.name == "ckpt-core" && NOT_IN_CORE.contains(&name);
            let runtime = library && RUNTIMES.contains(&name);
            if against_arrow || against_purity || runtime {
                findings.push(Finding::failure(&package.name, format!("may not depend on {name}")));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::failures;
    use super::*;

    #[test]
    fn an_arrow_against_the_table_fails() {
        let packages = serde_json::json!([
            {"name": "ckpt-core", "dependencies": [{"name": "serde", "kind": null}, {"name": "parking_lot", "kind": null}]},
            {"name": "ckpt-streams", "dependencies": [{"name": "ckpt-storage", "kind": null}]},
            {"name": "ckpt-storage", "dependencies": [{"name": "ckpt-coord", "kind": "dev"}, {"name": "ckpt-core", "kind": null}]},
            {"name": "ckpt-coord", "dependencies": [{"name": "tokio", "kind": null}]},
            {"name": "ckpt-new", "dependencies": []},
            {"name": "ckpt-tests", "dependencies": [{"name": "ckpt-coord", "kind": null}, {"name": "tokio", "kind": null}]},
        ]);
        let tree = Tree { packages: serde_json::from_value(packages).unwrap(), ..Tree::default() };
        assert_eq!(failures(crates, &tree), ["ckpt-core", "ckpt-streams", "ckpt-coord", "ckpt-new"]);
    }
}
