//! The entries of one directory.

use std::ffi::CStr;
use std::fs::File;

use rustix::fs::FileType;
use rustix::io::Result;

/// A directory of up to about 600 entries is read by one call of the system, and so in one instant: a record's versions
/// and markers are then seen as they stood together. One that is larger, or on another system, is read piece by piece.
#[cfg(any(target_os = "linux", target_os = "android"))]
const BUFFER_BYTES: usize = 32 * 1024;

/// Calls `visit` with the name and the kind of every entry but the directory itself and the one above.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn visit_entries(directory: &File, visit: &mut dyn FnMut(&CStr, FileType) -> Result<()>) -> Result<()> {
    let mut buffer = Vec::with_capacity(BUFFER_BYTES);
    let mut entries = rustix::fs::RawDir::new(directory, buffer.spare_capacity_mut());
    while let Some(entry) = entries.next() {
        let entry = entry?;
        visit_named(entry.file_name(), entry.file_type(), visit)?;
    }
    Ok(())
}

/// Calls `visit` with the name and the kind of every entry but the directory itself and the one above.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn visit_entries(directory: &File, visit: &mut dyn FnMut(&CStr, FileType) -> Result<()>) -> Result<()> {
    for entry in rustix::fs::Dir::read_from(directory)? {
        let entry = entry?;
        visit_named(entry.file_name(), entry.file_type(), visit)?;
    }
    Ok(())
}

fn visit_named(name: &CStr, kind: FileType, visit: &mut dyn FnMut(&CStr, FileType) -> Result<()>) -> Result<()> {
    if matches!(name.to_bytes(), b"." | b"..") { Ok(()) } else { visit(name, kind) }
}

#[cfg(all(test, not(ckpt_loom)))]
mod tests {
    use super::*;

    /// What a record's look at its directory relies on.
    #[test]
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn a_directory_is_seen_as_it_was_in_one_instant() {
        let scratch = tempfile::tempdir().unwrap();
        for number in 0..400 {
            std::fs::write(scratch.path().join(format!("HEAD-{number:020}")), "").unwrap();
        }
        let mut names = 0;
        visit_entries(&File::open(scratch.path()).unwrap(), &mut |_, kind| {
            assert_eq!(kind, FileType::RegularFile);
            if names == 0 {
                for number in 0..400 {
                    std::fs::remove_file(scratch.path().join(format!("HEAD-{number:020}"))).unwrap();
                }
            }
            names += 1;
            Ok(())
        })
        .unwrap();
        assert_eq!(names, 400);
    }
}
