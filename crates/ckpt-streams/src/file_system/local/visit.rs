//! Every file below a directory, in memory that does not grow with their number.

use ckpt_core::state::RelPath;
use rustix::fs::FileType;
use rustix::io::{Errno, retry_on_intr};

use crate::file_system::local::beneath::Beneath;
use crate::file_system::local::error::LocalError;
use crate::file_system::visit::PAGE;
use crate::file_system::{Entry, FileVisitor};

impl Beneath {
    /// Shows the regular files below a directory, as it names them. Names that no [`RelPath`] can have are left out.
    pub(super) fn visit(&self, directory: Option<&RelPath>, visitor: &mut dyn FileVisitor) -> Result<(), LocalError> {
        let opened = match self.open_directory(directory) {
            Ok(opened) => opened,
            Err(Errno::NOENT) => return Ok(()),
            Err(Errno::NOTDIR | Errno::LOOP) => {
                return Err(LocalError::NotADirectory { path: self.shown(directory) });
            }
            Err(error) => return Err(LocalError::io("list", self.shown(directory), error)),
        };
        let (mut files, mut below) = (Vec::new(), Ok(()));
        let visited = loop {
            let visited = opened.visit_entries(&mut |name, kind| {
                let Some(path) = name.to_str().ok().and_then(|name| path_of(directory, name)) else { return Ok(()) };
                let (kind, length_bytes) = match kind {
                    FileType::RegularFile | FileType::Unknown => {
                        match retry_on_intr(|| opened.status_at(path.file_name())) {
                            Ok(found) => (found.kind, found.length_bytes),
                            // Removed since it was named.
                            Err(Errno::NOENT) => return Ok(()),
                            Err(error) => return Err(error),
                        }
                    }
                    kind => (kind, 0),
                };
                match kind {
                    FileType::RegularFile => {
                        files.push(Entry::new(path, length_bytes));
                        if files.len() >= PAGE {
                            visitor.files(std::mem::take(&mut files));
                        }
                    }
                    FileType::Directory => {
                        // In succession: these do not lie below it.
                        if !files.is_empty() {
                            visitor.files(std::mem::take(&mut files));
                        }
                        if visitor.enters(&path) {
                            below = self.visit(Some(&path), visitor);
                            if below.is_err() {
                                return Err(Errno::CANCELED);
                            }
                            visitor.left(&path);
                        }
                    }
                    _ => {}
                }
                Ok(())
            });
            match visited {
                // Goes on where it was interrupted.
                Err(Errno::INTR) => {}
                visited => break visited,
            }
        };
        below?;
        if !files.is_empty() {
            visitor.files(files);
        }
        match visited {
            // It is gone, with its last file.
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(LocalError::io("list", self.shown(directory), error)),
        }
    }
}

/// What may not begin a path may stand further in it.
fn path_of(directory: Option<&RelPath>, name: &str) -> Option<RelPath> {
    match directory {
        Some(directory) => RelPath::new(format!("{directory}/{name}")).ok(),
        None => RelPath::new(name).ok(),
    }
}
