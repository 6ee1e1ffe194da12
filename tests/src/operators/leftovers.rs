//! What former leaders left in the output directory.

use std::fs;
use std::io;
use std::path::Path;

use ckpt_core::Result;
use ckpt_core::id::{JobId, LeaderEpoch};

use crate::error::Fault;
use crate::operators::part_name::{PartName, Stage};

/// Removes files of that job which leaders before `epoch` did not commit, but for those that are to be kept.
///
/// # Errors
///
/// `FailJob` when the directory cannot be listed or a file cannot be removed.
pub(crate) fn drop_leftovers(
    directory: &Path,
    job: JobId,
    epoch: LeaderEpoch,
    keep: impl Fn(&PartName) -> bool,
) -> Result<()> {
    let unreadable = |source| Fault::Output { path: directory.to_owned(), verb: "listed", source };
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let file_name = entry.file_name();
        let Some(name) = file_name.to_str().and_then(|text| text.parse::<PartName>().ok()) else { continue };
        let left = name.job == job && name.epoch < epoch && name.stage != Stage::Part;
        if left && !keep(&name) {
            match fs::remove_file(entry.path()) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(Fault::Output { path: entry.path(), verb: "removed", source }.into());
                }
                _ => {}
            }
        }
    }
    Ok(())
}
