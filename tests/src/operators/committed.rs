//! What is committed in the output directory.

use std::fs;
use std::path::Path;

use ckpt_core::Result;
use ckpt_core::id::{CheckpointId, JobId};

use crate::error::Fault;
use crate::operators::part_name::{PartName, Stage};

/// Makes sure that the job does not begin before a checkpoint whose output is committed: its records would come again.
/// Output is committed only after HEAD, and the numbers of checkpoints ascend over all leaders, so there is such output
/// only when HEAD was lost or replaced by an older one.
///
/// # Errors
///
/// `Corrupt` when there is such output, `FailJob` when the directory cannot be listed.
pub(crate) fn refuse_output_ahead(directory: &Path, job: JobId, newest: Option<CheckpointId>) -> Result<()> {
    let unreadable = |source| Fault::Output { path: directory.to_owned(), verb: "listed", source };
    let mut found = 0;
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let file_name = entry.map_err(unreadable)?.file_name();
        let name = file_name.to_str().and_then(|text| text.parse::<PartName>().ok());
        if let Some(name) = name.filter(|name| name.job == job && name.stage == Stage::Part) {
            found = found.max(name.number);
        }
    }
    if found > newest.map_or(0, CheckpointId::get) {
        let newest = newest.map_or_else(|| "none".to_owned(), |newest| newest.to_string());
        return Err(Fault::OutputAhead { directory: directory.to_owned(), found, newest }.into());
    }
    Ok(())
}
