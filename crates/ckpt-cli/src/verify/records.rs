//! The versions of HEAD in the directory of a job, held against each other.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use ckpt_storage::HEAD_DIRECTORY;

use super::verdict::Problem;

/// What is wrong with them. Each version was written from the one before, and none goes but those that a marker covers: so
/// without a gap they reach from behind the newest marker up to the newest version.
pub(super) fn flaws(job_directory: &Path) -> Vec<Problem> {
    let directory = job_directory.join(HEAD_DIRECTORY);
    let names = || fs::read_dir(&directory).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let numbers = |prefix: &str| -> BTreeSet<u64> {
        names().filter_map(|name| number_of(name.to_str()?.strip_prefix(prefix)?.strip_prefix('-')?)).collect()
    };
    let (versions, markers) = (numbers("HEAD"), numbers("DEAD"));
    let dead_upto = markers.last().copied().unwrap_or(0);
    let alive: Vec<_> = versions.range(dead_upto.saturating_add(1)..).copied().collect();
    let gap = alive.windows(2).find(|pair| pair[1] - pair[0] > 1);
    let problem = |message| Problem::of_metadata(directory.to_string_lossy().into_owned(), message);
    gap.map(|pair| {
        let missing = pair[0] + 1;
        let message = format!("HEAD has versions {} and {}, and version {missing} is missing", pair[0], pair[1]);
        problem(message)
    })
    .into_iter()
    .collect()
}

fn number_of(digits: &str) -> Option<u64> {
    (digits.len() == 20 && digits.bytes().all(|digit| digit.is_ascii_digit())).then(|| digits.parse().ok())?
}
