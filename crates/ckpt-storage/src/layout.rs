//! The names of things below a job's directory.
//!
//! ```text
//! <base>/<job id>/
//!   head/HEAD…                     the record of what is committed
//!   head/_probe/<nonce>/…          there while a process tries whether the store keeps its promises
//!   chk-<n>/_metadata              a checkpoint's metadata
//!   chk-<n>/<file name>            state of that checkpoint alone
//!   shared/<file name>             state that several checkpoints may name
//!   taskowned/<file name>          state whose life the tasks manage
//! ```
//!
//! Whatever has another form is not ours, and nothing in this crate deletes it.

use ckpt_core::head::Nonce;
use ckpt_core::id::{CheckpointId, FileName, JobId};
use ckpt_core::mark::{DisposalMark, OwnerRecord, SavepointMark};
use ckpt_core::state::RelPath;
use ckpt_streams::file_system::LocalFileSystem;

/// The file that makes a directory a checkpoint.
pub const METADATA_FILE: &str = "_metadata";

/// The directory of state that several checkpoints may name, below the job's.
pub const SHARED_DIRECTORY: &str = "shared";

/// The directory of state whose life the tasks manage, below the job's.
pub const TASK_OWNED_DIRECTORY: &str = "taskowned";

/// What the name of a checkpoint's directory begins with; its number follows, without leading zeros.
pub const CHECKPOINT_DIRECTORY_PREFIX: &str = "chk-";

/// What the name of a savepoint's directory begins with; six digits of its job and twelve random ones follow, joined by `-`.
pub const SAVEPOINT_DIRECTORY_PREFIX: &str = "savepoint-";

/// How many digits of the job are in the name of a savepoint's directory.
const SAVEPOINT_JOB_DIGITS: usize = 6;

/// How many random bytes are in the name of a savepoint's directory.
pub(crate) const SAVEPOINT_RANDOM_BYTES: usize = 6;

/// What stands for the pointer of a checkpoint that lives in the memory of its coordinator: no one can resolve it. It is
/// Flink's.
pub const NOT_ADDRESSABLE: &str = "<checkpoint-not-externally-addressable>";

/// The directory of HEAD, below the job's.
pub const HEAD_DIRECTORY: &str = "head";

/// The record in it.
pub(crate) const HEAD_RECORD: &str = "HEAD";

/// The file beside a record on which a store is tried.
const UNTOUCHED_FILE: &str = "_untouched";

/// A file below a job's directory that has a form of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OurFile {
    /// The metadata of that checkpoint.
    Metadata(CheckpointId),
    /// State of that checkpoint alone.
    Exclusive(CheckpointId, FileName),
    /// State that several checkpoints may name.
    Shared(FileName),
}

impl OurFile {
    /// What a path below a job's directory is; `None` when it is nothing that checkpoints consist of.
    pub(crate) fn parse(path: &RelPath) -> Option<Self> {
        let (directory, file) = path.as_str().split_once('/')?;
        if directory == SHARED_DIRECTORY {
            return file.parse().ok().map(Self::Shared);
        }
        let id = parse_checkpoint_directory(directory)?;
        if file == METADATA_FILE {
            return Some(Self::Metadata(id));
        }
        file.parse().ok().map(|name| Self::Exclusive(id, name))
    }
}

/// Whether that is a file which says what its directory is, seen from there, and no state.
pub(crate) fn is_of_a_snapshot(path: &RelPath) -> bool {
    [METADATA_FILE, DisposalMark::FILE_NAME, OwnerRecord::FILE_NAME, SavepointMark::FILE_NAME].contains(&path.as_str())
}

/// `chk-<n>`.
pub(crate) fn checkpoint_directory(id: CheckpointId) -> RelPath {
    path(format!("{CHECKPOINT_DIRECTORY_PREFIX}{id}"))
}

/// `chk-<n>/_metadata`.
pub(crate) fn metadata_path(id: CheckpointId) -> RelPath {
    path(format!("{CHECKPOINT_DIRECTORY_PREFIX}{id}/{METADATA_FILE}"))
}

/// `_metadata`.
pub(crate) fn metadata_file() -> RelPath {
    path(METADATA_FILE.to_owned())
}

/// `savepoint-<first 6 digits of the job>-<12 random digits>`.
pub(crate) fn savepoint_directory(job: JobId, random: [u8; SAVEPOINT_RANDOM_BYTES]) -> String {
    let digits: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{SAVEPOINT_DIRECTORY_PREFIX}{}-{digits}", &job.to_string()[..SAVEPOINT_JOB_DIGITS])
}

/// Whether a savepoint of that job may have a directory of that name.
pub(crate) fn is_savepoint_directory(name: &str, job: JobId) -> bool {
    let digits = name.strip_prefix(SAVEPOINT_DIRECTORY_PREFIX).and_then(|name| name.split_once('-'));
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    digits.is_some_and(|(of_job, random)| {
        let has_job = of_job.len() == SAVEPOINT_JOB_DIGITS && job.to_string().starts_with(of_job);
        has_job && random.len() == 2 * SAVEPOINT_RANDOM_BYTES && random.bytes().all(is_digit)
    })
}

/// A file of that name, which is a constant's, in a savepoint's directory.
pub(crate) fn file_in_savepoint(name: &str) -> RelPath {
    path(name.to_owned())
}

/// The name of a file that is nowhere, since nobody knows the nonce.
pub(crate) fn unused(nonce: Nonce) -> RelPath {
    path(format!("{nonce:?}"))
}

/// `shared`.
pub(crate) fn shared_directory() -> RelPath {
    path(SHARED_DIRECTORY.to_owned())
}

/// `shared/<file name>`.
pub(crate) fn shared_path(name: FileName) -> RelPath {
    path(format!("{SHARED_DIRECTORY}/{name}"))
}

/// Whether a directory of that name belongs to a job as a whole, and to none of its snapshots.
pub(crate) fn is_directory_of_a_job(name: &str) -> bool {
    [HEAD_DIRECTORY, SHARED_DIRECTORY, TASK_OWNED_DIRECTORY].contains(&name)
}

/// `taskowned`.
pub(crate) fn task_owned_directory() -> RelPath {
    path(TASK_OWNED_DIRECTORY.to_owned())
}

/// A file in a directory that is only begun, to see whether files can be made there.
pub(crate) fn probe_in(directory: &RelPath) -> RelPath {
    path(format!("{directory}/_probe"))
}

/// `head/HEAD`, a record; how its versions are kept is the file system's matter.
pub(crate) fn head_path() -> RelPath {
    path(format!("{HEAD_DIRECTORY}/{HEAD_RECORD}"))
}

/// Whether a file in the directory of HEAD is the record; or, where each version is a file, a version, a mark that older ones
/// are dead, or one of those that is only begun; or what a try of the store has left.
pub(crate) fn is_of_head(path: &RelPath) -> bool {
    let Some(file) = path.as_str().strip_prefix(HEAD_DIRECTORY).and_then(|file| file.strip_prefix('/')) else {
        return false;
    };
    let name = LocalFileSystem::unpublished_name(file).unwrap_or(file);
    if name == HEAD_RECORD || is_probed(path) {
        return true;
    }
    let number = name.strip_prefix(HEAD_RECORD).or_else(|| name.strip_prefix("DEAD"));
    let digits = number.and_then(|number| number.strip_prefix('-'));
    digits.is_some_and(|digits| digits.len() == 20 && digits.bytes().all(|digit| digit.is_ascii_digit()))
}

/// `head/_probe`, in which processes try whether the store keeps its promises before they write HEAD.
pub(crate) fn probe_directory() -> RelPath {
    probe_in(&path(HEAD_DIRECTORY.to_owned()))
}

/// `head/_probe/<32 random digits>/HEAD`, a record.
pub(crate) fn probed_record(nonce: Nonce) -> RelPath {
    path(format!("{}/{nonce:?}/{HEAD_RECORD}", probe_directory()))
}

/// `head/_probe/<32 random digits>/_untouched`: while it is there, nobody but its maker has touched the record beside it.
pub(crate) fn untouched_record(nonce: Nonce) -> RelPath {
    path(format!("{}/{nonce:?}/{UNTOUCHED_FILE}", probe_directory()))
}

/// Whether that is a file which a probe may have made.
pub(crate) fn is_probed(path: &RelPath) -> bool {
    let below = path.as_str().strip_prefix(probe_directory().as_str()).and_then(|below| below.strip_prefix('/'));
    let named = below.and_then(|below| below.split_once('/'));
    named.is_some_and(|(nonce, file)| {
        let is_nonce = nonce.len() == 32 && nonce.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        is_nonce && !file.contains('/')
    })
}

/// Whether that is what [`untouched_record`] names.
pub(crate) fn is_untouched_record(path: &RelPath) -> bool {
    path.file_name() == UNTOUCHED_FILE
}

/// `<job>/head`, seen from the directory that holds jobs.
pub(crate) fn head_directory_of(job: JobId) -> RelPath {
    path(format!("{job}/{HEAD_DIRECTORY}"))
}

/// The number of `chk-<n>`, in the one form that we write.
pub(crate) fn parse_checkpoint_directory(name: &str) -> Option<CheckpointId> {
    let digits = name.strip_prefix(CHECKPOINT_DIRECTORY_PREFIX)?;
    if digits.starts_with('0') || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    CheckpointId::new(digits.parse().ok()?)
}

fn path(text: String) -> RelPath {
    // Only the constants above, numbers and hex digits are ever joined, and those make valid paths.
    RelPath::new(text).expect("names of the layout are valid paths")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ckpt_core::id::{LeaderEpoch, Writer, WriterId};

    #[test]
    fn what_is_printed_is_parsed_and_nothing_else_is() {
        let id = CheckpointId::new(70).unwrap();
        let name = Writer::new(LeaderEpoch::new(1), WriterId::new(2)).file(3);
        assert_eq!(checkpoint_directory(id).as_str(), "chk-70");
        assert_eq!(OurFile::parse(&metadata_path(id)), Some(OurFile::Metadata(id)));
        assert_eq!(OurFile::parse(&shared_path(name)), Some(OurFile::Shared(name)));
        let exclusive = RelPath::new(format!("chk-70/{name}")).unwrap();
        assert_eq!(OurFile::parse(&exclusive), Some(OurFile::Exclusive(id, name)));
        for other in [
            format!("chk-07/{name}"),
            format!("chk-0/{name}"),
            format!("chk-/{name}"),
            format!("chk-+7/{name}"),
            format!("chk-18446744073709551616/{name}"),
            format!("chk-7/below/{name}"),
            format!("taskowned/{name}"),
            format!("shared/below/{name}"),
            "shared/_metadata".to_owned(),
            "chk-7/notes.txt".to_owned(),
            "chk-7".to_owned(),
            "head/HEAD-00000000000000000001".to_owned(),
        ] {
            assert_eq!(OurFile::parse(&RelPath::new(other.clone()).unwrap()), None, "{other}");
        }
    }

    #[test]
    fn a_savepoint_has_a_directory_of_its_job() {
        let job = JobId::new([0xab; 16]);
        let name = savepoint_directory(job, [0, 1, 2, 0x0a, 0xb0, 0xff]);
        assert_eq!(name, "savepoint-ababab-0001020ab0ff");
        assert!(is_savepoint_directory(&name, job) && !is_savepoint_directory(&name, JobId::new([0xaa; 16])));
        for other in [
            "savepoint-ababab-0001020ab0f",
            "savepoint-ababab-0001020ab0ff0",
            "savepoint-ababab-0001020AB0FF",
            "savepoint-abab-0001020ab0ff",
            "savepoint-abababab-0001020ab0ff",
            "savepoint-ababab",
            "chk-1",
            "",
        ] {
            assert!(!is_savepoint_directory(other, job), "{other}");
        }
    }

    #[test]
    fn the_largest_number_round_trips() {
        let id = CheckpointId::new(u64::MAX).unwrap();
        assert_eq!(parse_checkpoint_directory(checkpoint_directory(id).as_str()), Some(id));
    }
}
