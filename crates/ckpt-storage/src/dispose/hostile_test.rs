//! Whatever was put into the directory of a snapshot, nothing outside of it is touched.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ckpt_core::ErrorKind;
use ckpt_core::state::{ClaimId, FileRef, Place, RelPath, Root, StateHandle};
use ckpt_core::uri::Uri;
use ckpt_streams::file_system::FileSystems;
use ckpt_streams::testing::{RefusingSpawn, local_by_components};
use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::dispose::support_test::{Snapshot, metadata_at, names_in, options, snapshot, snapshot_of};
use crate::test_support::local_context;
use crate::{Disposal, StorageContext, dispose};

/// A snapshot below `target`, and files outside that must stay as they are.
struct Scene {
    scratch: tempfile::TempDir,
    savepoint: Snapshot,
    outside: PathBuf,
    /// Of this system, and of one that resolves no whole paths.
    context: StorageContext,
}

/// Every scene, on both kinds of systems.
fn scenes() -> impl Iterator<Item = Scene> {
    [false, true].into_iter().map(|by_components| {
        let scratch = tempfile::tempdir().unwrap();
        let (target, outside) = (scratch.path().join("target"), scratch.path().join("outside"));
        fs::create_dir(&target).unwrap();
        fs::create_dir(&outside).unwrap();
        let savepoint = snapshot(&target, "savepoint-1", 4);
        for name in savepoint.files.iter().map(String::as_str).chain(["_metadata", "_disposing", "_savepoint"]) {
            fs::write(outside.join(name), "canary").unwrap();
        }
        let outside = outside.canonicalize().unwrap();
        let context = if by_components { context_by_components() } else { local_context() };
        Scene { scratch, savepoint, outside, context }
    })
}

/// A process on a system that resolves no whole paths, whose local files have the scheme `old`.
fn context_by_components() -> StorageContext {
    let mut file_systems = FileSystems::local();
    let open = |uri: &str| {
        let path = uri.strip_prefix("old://").expect("the scheme");
        Ok(Arc::new(local_by_components(path)?) as Arc<_>)
    };
    file_systems.register("old", open).unwrap();
    StorageContext::new(Arc::new(file_systems), Arc::new(RefusingSpawn::new()))
}

impl Scene {
    fn file(&self, number: usize) -> PathBuf {
        self.savepoint.directory.join(&self.savepoint.files[number])
    }

    fn dispose(&self) -> ckpt_core::Result<Disposal> {
        let is_old = self.context.file_systems.schemes().any(|scheme| scheme == "old");
        let pointer = format!("{}{}", if is_old { "old://" } else { "" }, self.savepoint.pointer());
        dispose(&pointer, &self.context, &options())
    }

    /// Nothing outside was touched.
    #[track_caller]
    fn check_outside(&self) {
        let names = names_in(&self.outside);
        assert_eq!(names.len(), 7, "{names:?}");
        for name in names {
            assert_eq!(fs::read(self.outside.join(&name)).unwrap(), b"canary", "{name}");
        }
        assert!(self.scratch.path().join("target").exists());
    }
}

fn replace(path: &Path, with: impl FnOnce(&Path)) {
    fs::remove_file(path).unwrap();
    with(path);
}

#[test]
fn a_disposal_goes_one_component_at_a_time_where_it_must() {
    for scene in scenes() {
        let disposal = scene.dispose().unwrap();
        assert!(disposal.is_complete() && disposal.kept.is_empty(), "{disposal:?}");
        assert!(!scene.savepoint.directory.exists());
        scene.check_outside();
    }
}

#[test]
fn of_links_in_the_place_of_files_the_links_go() {
    for scene in scenes() {
        let outside = |number: usize| scene.outside.join(&scene.savepoint.files[number]);
        replace(&scene.file(0), |path| symlink(outside(0), path).unwrap());
        replace(&scene.file(1), |path| fs::hard_link(outside(1), path).unwrap());
        replace(&scene.file(2), |path| symlink("/nowhere", path).unwrap());
        replace(&scene.file(3), |path| mknodat(CWD, path, FileType::Fifo, Mode::RUSR, 0).unwrap());
        let disposal = scene.dispose().unwrap();
        assert!(disposal.is_complete() && disposal.kept.is_empty(), "{disposal:?}");
        assert!(!scene.savepoint.directory.exists());
        assert_eq!(outside(1).metadata().unwrap().nlink(), 1);
        scene.check_outside();
    }
}

#[test]
fn of_directories_in_the_place_of_files_nothing_goes() {
    for scene in scenes() {
        replace(&scene.file(0), |path| fs::create_dir(path).unwrap());
        replace(&scene.file(1), |path| {
            fs::create_dir(path).unwrap();
            fs::write(path.join(&scene.savepoint.files[1]), "more").unwrap();
        });
        replace(&scene.file(2), |path| symlink(&scene.outside, path).unwrap());
        let disposal = scene.dispose().unwrap();
        assert_eq!((disposal.errors.len(), disposal.gone.files), (2, 2), "{disposal:?}");
        let mut expected = vec![scene.savepoint.files[0].as_str(), &scene.savepoint.files[1]];
        expected.extend(["_disposing", "_metadata"]);
        assert_eq!(names_in(&scene.savepoint.directory), expected);
        assert_eq!(names_in(&scene.file(1)).len(), 1);
        scene.check_outside();
    }
}

#[test]
fn what_stands_in_the_place_of_metadata_or_a_mark_and_is_no_file_is_refused() {
    for scene in scenes() {
        let metadata = scene.savepoint.directory.join("_metadata");
        let kept = scene.scratch.path().join("kept");
        fs::rename(&metadata, &kept).unwrap();
        let in_its_place: [&dyn Fn(&Path); 4] = [
            &|path| symlink(&kept, path).unwrap(),
            &|path| mknodat(CWD, path, FileType::Fifo, Mode::RUSR, 0).unwrap(),
            &|path| mknodat(CWD, path, FileType::Socket, Mode::RUSR, 0).unwrap(),
            &|path| fs::create_dir(path).unwrap(),
        ];
        for put in in_its_place {
            put(&metadata);
            let error = scene.dispose().unwrap_err();
            assert_ne!(error.kind(), ErrorKind::NotFound, "{error}");
            assert_eq!(names_in(&scene.savepoint.directory).len(), 5);
            fs::remove_file(&metadata).or_else(|_| fs::remove_dir(&metadata)).unwrap();
        }
        fs::rename(&kept, &metadata).unwrap();
        for name in ["_disposing", "_savepoint", "OWNER"] {
            let mark = scene.savepoint.directory.join(name);
            for put in in_its_place {
                put(&mark);
                let error = scene.dispose().unwrap_err();
                assert_ne!(error.kind(), ErrorKind::NotFound, "{error}");
                assert_eq!(names_in(&scene.savepoint.directory).len(), 6);
                fs::remove_file(&mark).or_else(|_| fs::remove_dir(&mark)).unwrap();
            }
        }
        scene.check_outside();
        assert!(scene.dispose().unwrap().is_complete());
    }
}

#[test]
fn a_link_in_the_place_of_the_directory_is_not_followed() {
    for scene in scenes() {
        // A snapshot like any other, but not the one that is named.
        let other = snapshot(&scene.outside, "savepoint-1", 4);
        fs::rename(&scene.savepoint.directory, scene.scratch.path().join("moved")).unwrap();
        symlink(&other.directory, &scene.savepoint.directory).unwrap();
        let before = names_in(&other.directory);
        for end in ["", "/", "/_metadata"] {
            let pointer = format!("{}{end}", scene.savepoint.pointer());
            let error = dispose(&pointer, &local_context(), &options()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
            assert!(error.to_string().contains("is a link or no directory"), "{error}");
        }
        assert_eq!(scene.dispose().unwrap_err().kind(), ErrorKind::Configuration);
        assert_eq!(names_in(&other.directory), before);
        // Links on the way to it are the caller's own.
        let way = scene.scratch.path().join("way");
        symlink(&scene.outside, &way).unwrap();
        let pointer = way.join("savepoint-1");
        assert!(dispose(pointer.to_str().unwrap(), &local_context(), &options()).unwrap().is_complete());
        scene.check_outside();
    }
}

#[test]
fn no_name_in_metadata_leads_outside() {
    // Below the snapshot's own directory there are names of our form alone.
    let names =
        ["../outside/x", "/etc/passwd", "", "a/../../b", "a\0b", "..", "a//b", "%2e%2e/x", "file:x", "a\\..\\b"];
    for name in names {
        assert!(RelPath::new(name).is_err(), "{name:?}");
    }
    for scene in scenes() {
        // Of what lies elsewhere nothing goes, whatever its name is: not below a claimed root either, where it may be any.
        let outside = Uri::new(format!("file://{}", scene.outside.display())).unwrap();
        let root = Root::Claimed(ClaimId::FIRST);
        let claimed = |name: &str| {
            let place = Place::File { root, file: FileRef::Foreign(RelPath::new(name).unwrap()) };
            StateHandle::assume_durable(place, 6, None)
        };
        let handles = scene.savepoint.files.iter().map(|name| claimed(name)).collect();
        let metadata = metadata_at(2, handles, vec![(root, outside)]);
        let target = scene.scratch.path().join("target");
        let other = snapshot_of(&target, "savepoint-2", 4, &metadata);
        let disposal = dispose(other.pointer(), &local_context(), &options()).unwrap();
        assert!(disposal.is_complete(), "{disposal:?}");
        assert_eq!((disposal.listed.files, disposal.gone.files), (0, 0));
        // Those beside it are not listed as its own.
        assert_eq!(names_in(&other.directory), other.files);
        scene.check_outside();
    }
}
