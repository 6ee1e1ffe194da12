//! What several tests need.

#![allow(dead_code, reason = "each test program uses its part")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ckpt_tests::text::write_zipf_words;

/// Made-up text of that length.
pub(crate) fn words(seed: u64, length_bytes: u64) -> Vec<u8> {
    let mut text = Vec::new();
    write_zipf_words(&mut text, seed, length_bytes).unwrap();
    text
}

/// Every file below a directory, with its contents: to show that nothing was changed or deleted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Tree(pub(crate) BTreeMap<PathBuf, Vec<u8>>);

impl Tree {
    pub(crate) fn of(directory: &Path) -> Self {
        let mut files = BTreeMap::new();
        collect(directory, &mut files);
        Self(files)
    }

    /// The same of a directory in which files come and go.
    pub(crate) fn of_existing(directory: &Path) -> Self {
        let mut files = BTreeMap::new();
        collect_existing(directory, &mut files);
        Self(files)
    }

    /// The files whose path contains `part`.
    pub(crate) fn with(&self, part: &str) -> Vec<PathBuf> {
        self.0.keys().filter(|path| path.to_string_lossy().contains(part)).cloned().collect()
    }
}

fn collect(directory: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            let content = fs::read(&path).unwrap();
            files.insert(path, content);
        }
    }
}

fn collect_existing(directory: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for path in fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            collect_existing(&path, files);
        } else if let Ok(metadata) = fs::metadata(&path) {
            files.insert(path, metadata.len().to_le_bytes().to_vec());
        }
    }
}
