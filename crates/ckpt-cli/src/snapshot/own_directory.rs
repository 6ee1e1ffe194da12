//! Which files of Flink's are a snapshot's own.

use std::path::Path;

use ckpt_core::id::JobId;
use ckpt_flink::JavaText;

use super::piece::PieceFile;
use crate::flink::path::FlinkPath;

/// The directory that a snapshot lies in, by which its own files are known.
pub(super) struct OwnDirectory {
    /// What the path of the directory ends with, wherever it was when the files were written: its name, and in the
    /// directory of a job that of the job, since every job has a `chk-1`. `None` of the root.
    end: Option<String>,
}

impl OwnDirectory {
    pub(super) fn of(directory: &Path) -> Self {
        let name = |directory: &Path| Some(directory.file_name()?.to_string_lossy().into_owned());
        let job = directory.parent().and_then(name).filter(|name| name.parse::<JobId>().is_ok());
        let job = job.map_or_else(String::new, |job| format!("/{job}"));
        Self { end: name(directory).map(|name| format!("{job}/{name}")) }
    }

    pub(super) fn file(&self, path: &JavaText) -> PieceFile {
        let path = FlinkPath::new(&path.to_string_lossy());
        let parent = path.path().rsplit_once('/').map(|(parent, _)| parent);
        let exclusive = parent.zip(self.end.as_deref()).is_some_and(|(parent, end)| parent.ends_with(end));
        PieceFile::Flink { path, exclusive }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOB: &str = "f1f1f1f1f1f1f1f100000000168f907b";
    const OTHER: &str = "a2a2a2a2a2a2a2a200000000168f907b";

    fn is_exclusive(directory: &str, path: &str) -> bool {
        let file = OwnDirectory::of(Path::new(directory)).file(&JavaText::new(path).unwrap());
        matches!(file, PieceFile::Flink { exclusive: true, .. })
    }

    #[test]
    fn a_file_is_a_snapshots_own_in_its_directory_of_its_job() {
        let own = &format!("/now/{JOB}/chk-2");
        for (path, expected) in [
            (format!("file:/now/{JOB}/chk-2/a"), true),
            // It has moved since.
            (format!("s3://then/{JOB}/chk-2/a"), true),
            (format!("/then/{OTHER}/chk-2/a"), false),
            (format!("/now/{JOB}/chk-22/a"), false),
            (format!("/now/{JOB}/xchk-2/a"), false),
            (format!("/now/{JOB}/shared/a"), false),
            // What only lies below has another directory.
            (format!("/now/{JOB}/chk-2/below/a"), false),
            ("a".to_owned(), false),
        ] {
            assert_eq!(is_exclusive(own, &path), expected, "{path}");
        }
    }

    #[test]
    fn elsewhere_the_name_of_the_directory_says_it() {
        assert!(is_exclusive("/now/savepoint-f1f1f1-87eae83dd8ed", "file:/then/savepoint-f1f1f1-87eae83dd8ed/a"));
        assert!(!is_exclusive("/now/savepoint-f1f1f1-87eae83dd8ed", "file:/then/savepoint-f1f1f1-87eae83dd8ee/a"));
        assert!(is_exclusive("/chk-2", &format!("file:/then/{JOB}/chk-2/a")));
        assert!(!is_exclusive("/", "file:/a"));
    }
}
