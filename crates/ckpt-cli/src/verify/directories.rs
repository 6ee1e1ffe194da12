//! What is known of directories, by the paths of files below them.

use std::collections::BTreeMap;

use crate::flink::path::FlinkPath;

/// Something of each of some directories. However many there are, a path is looked up in the steps that it has.
#[derive(Debug)]
pub(super) struct Directories<T>(BTreeMap<String, T>);

impl<T> Directories<T> {
    /// What is known of the innermost directory around that path, and what is left of the path below it.
    pub(super) fn around<'a>(&self, path: &'a FlinkPath) -> Option<(&T, &'a str)> {
        path.around().find_map(|(directory, below)| Some((self.0.get(directory)?, below)))
    }
}

impl<T> FromIterator<(FlinkPath, T)> for Directories<T> {
    fn from_iter<I: IntoIterator<Item = (FlinkPath, T)>>(known: I) -> Self {
        Self(known.into_iter().map(|(directory, it)| (directory.as_str().to_owned(), it)).collect())
    }
}
