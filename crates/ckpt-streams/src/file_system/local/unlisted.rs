//! What a listing leaves out.

use std::collections::BTreeSet;
use std::ffi::CStr;

use ckpt_core::state::RelPath;
use rustix::fs::FileType;
use rustix::io::{Errno, retry_on_intr};

use crate::file_system::local::beneath::Beneath;
use crate::file_system::local::error::LocalError;

impl Beneath {
    /// What a directory holds that is no file of ours nor a directory with one; nothing when it is not there.
    pub(super) fn unlisted(&self, directory: Option<&RelPath>, limit: usize) -> Result<Vec<String>, LocalError> {
        let failed = |error| LocalError::io("list", self.shown(directory), error);
        let opened = match self.open_directory(directory) {
            Ok(opened) => opened,
            Err(Errno::NOENT) => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        // What is no file may be a directory with files, which is looked into afterwards.
        let (mut unlisted, mut directories) = (BTreeSet::new(), BTreeSet::new());
        let mut visit = |name: &CStr, kind: FileType| {
            let path = name.to_str().ok().and_then(|name| {
                let whole = directory.map_or_else(|| name.to_owned(), |directory| format!("{directory}/{name}"));
                RelPath::new(whole).ok()
            });
            let kind = match (kind, name.to_str()) {
                (FileType::Unknown, Ok(name)) => match retry_on_intr(|| opened.status_at(name)) {
                    Ok(found) => found.kind,
                    Err(Errno::NOENT) => return Ok(()),
                    Err(error) => return Err(error),
                },
                _ => kind,
            };
            match (path, kind) {
                (Some(_), FileType::RegularFile) => {}
                (Some(path), FileType::Directory) => drop(directories.insert(path)),
                _ => drop(unlisted.insert(name.to_string_lossy().into_owned())),
            }
            Ok(())
        };
        loop {
            match opened.visit_entries(&mut visit) {
                // Goes on where it was interrupted.
                Err(Errno::INTR) => {}
                outcome => break outcome.map_err(failed)?,
            }
        }
        for path in directories {
            if self.list(Some(&path), None, 1)?.is_empty() {
                unlisted.insert(path.file_name().to_owned());
            }
        }
        Ok(unlisted.into_iter().take(limit).collect())
    }
}
