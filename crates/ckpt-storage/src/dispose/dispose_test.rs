//! What is deleted, what stays, and what is refused.

use ckpt_core::ErrorKind;

use crate::dispose;
use crate::dispose::test_support::{names_in, options, snapshot};
use crate::test_support::local_context;

#[test]
fn the_files_of_a_savepoint_its_metadata_and_its_directory_go() {
    let target = tempfile::tempdir().unwrap();
    let savepoint = snapshot(target.path(), "savepoint-1", 1_300);
    assert_eq!(names_in(&savepoint.directory).len(), savepoint.files.len() + 1);
    let disposal = dispose(savepoint.pointer(), &local_context(), &options()).unwrap();
    assert!(disposal.is_complete(), "{disposal:?}");
    assert_eq!((disposal.listed.files, disposal.listed.bytes), (1_300, 3_900));
    assert_eq!(disposal.gone, disposal.listed);
    assert!(disposal.kept.is_empty() && disposal.planned.is_none());
    assert_eq!(names_in(target.path()), [] as [&str; 0]);
    // What is gone is not there.
    let error = dispose(savepoint.pointer(), &local_context(), &options()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
}
