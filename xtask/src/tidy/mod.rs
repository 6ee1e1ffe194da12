//! House rules that no compiler knows. Each rule is a function from the tree to findings, with tests that show it
//! failing on a sample.

mod arrows;
mod contents;
mod docs;
mod files;
mod modules;
mod refused;
mod source;
mod test_map;
mod use_tree;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::Result;
use crate::workspace::{Package, Workspace};
use source::SourceFile;

/// What the rules look at.
#[derive(Default)]
struct Tree {
    sources: Vec<SourceFile>,
    /// Text of every Markdown file, by its path below the root.
    documents: BTreeMap<String, String>,
    /// Paths of the scripts that tests run, below the root.
    scripts: BTreeSet<String>,
    packages: Vec<Package>,
}

/// Something a rule has to say about a place.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    place: String,
    message: String,
    weight: Weight,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weight {
    /// Think about it.
    Warning,
    Failure,
}

const RULES: &[fn(&Tree, &mut Vec<Finding>)] = &[
    files::module_docs,
    files::sizes,
    contents::forbidden_words,
    contents::glob_exports,
    contents::bool_parameters,
    contents::units,
    contents::serde_derives,
    contents::assume_durable,
    arrows::crates,
    modules::arrows,
    modules::purity,
    docs::tests_exist,
    docs::architecture,
    docs::changelog,
    refused::with_a_twin,
    test_map::complete,
];

/// Checks the tree on disk.
pub(crate) fn run(workspace: &Workspace) -> Result {
    let tree = Tree::read(workspace)?;
    if tree.sources.is_empty() {
        return Err("no source file was found".into());
    }
    let findings = check(&tree);
    for finding in &findings {
        let weight = if finding.weight == Weight::Failure { "error" } else { "warning" };
        println!("{}: {weight}: {}", finding.place, finding.message);
    }
    let failures = findings.iter().filter(|finding| finding.weight == Weight::Failure).count();
    println!("tidy: {} source files, {} rules, {failures} errors", tree.sources.len(), RULES.len());
    if failures == 0 { Ok(()) } else { Err(format!("{failures} errors").into()) }
}

fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in RULES {
        rule(tree, &mut findings);
    }
    findings
}

impl Tree {
    fn read(workspace: &Workspace) -> Result<Self> {
        let mut tree = Self { packages: workspace.packages()?, ..Self::default() };
        tree.read_directory(workspace.root(), "")?;
        Ok(tree)
    }

    fn read_directory(&mut self, directory: &Path, prefix: &str) -> Result {
        let mut entries = std::fs::read_dir(directory)?.collect::<std::io::Result<Vec<_>>>()?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{prefix}{name}");
            let kind = entry.file_type()?;
            // Each workspace has a directory for what is built.
            if name.starts_with('.') || path == "target" || path == "fuzz/target" {
                continue;
            } else if kind.is_dir() {
                self.read_directory(&entry.path(), &format!("{path}/"))?;
            } else if name.ends_with(".rs") {
                self.sources.push(SourceFile::new(path, std::fs::read_to_string(entry.path())?));
            } else if name.ends_with(".md") {
                self.documents.insert(path, std::fs::read_to_string(entry.path())?);
            } else if name.ends_with(".txt") && path.contains("/testdata/") {
                self.scripts.insert(path);
            }
        }
        Ok(())
    }
}

impl Finding {
    fn failure(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place: place.into(), message: message.into(), weight: Weight::Failure }
    }

    fn warning(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { weight: Weight::Warning, ..Self::failure(place, message) }
    }
}

/// What a rule says about samples, for the rules' own tests.
#[cfg(test)]
mod sample {
    use super::*;

    /// A tree of these source files.
    pub(super) fn tree<const N: usize>(files: [(&str, &str); N]) -> Tree {
        let sources = files.into_iter().map(|(path, text)| SourceFile::new(path.to_owned(), text.to_owned())).collect();
        Tree { sources, ..Tree::default() }
    }

    /// The places that a rule fails, in its order.
    pub(super) fn failures(rule: fn(&Tree, &mut Vec<Finding>), tree: &Tree) -> Vec<String> {
        let mut findings = Vec::new();
        rule(tree, &mut findings);
        findings.into_iter().filter(|f| f.weight == Weight::Failure).map(|f| f.place).collect()
    }
}
