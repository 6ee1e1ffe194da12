//! What a loss of power takes, and what it does not.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use ckpt_core::ErrorKind;
use ckpt_core::state::RelPath;

use crate::file_system::{CasOutcome, Durability, FileSystem, LocalFileSystem, Visible};
use crate::testing::{Disk, Image, ImageOptions, contract};

fn path(text: &str) -> RelPath {
    RelPath::new(text).unwrap()
}

fn write(local: &LocalFileSystem, name: &str, bytes: &[u8], durability: Durability) {
    let mut writer = local.create_new(&path(name), Visible::AtOnce).unwrap();
    writer.write_all(bytes).unwrap();
    assert!(matches!(writer.finish(durability), CasOutcome::Done(_)));
}

/// What an image holds below the root: names and bytes.
fn content(image: &Disk) -> Vec<(String, Vec<u8>)> {
    let local = image.open("/job").unwrap();
    let names = local.list(None, None, usize::MAX).unwrap();
    let read = |entry: &crate::file_system::Entry| {
        let mut bytes = vec![0; usize::try_from(entry.length_bytes).unwrap()];
        local.open(&entry.path).unwrap().read_exact_at(&mut bytes, 0).unwrap();
        (entry.path.to_string(), bytes)
    };
    names.iter().map(read).collect()
}

fn images(disk: &Disk) -> Vec<Image> {
    let mut images = Vec::new();
    let visited = disk.visit_images(ImageOptions::default(), &|done| done, &mut |image| {
        images.push(image.clone());
        ControlFlow::Continue(())
    });
    assert_eq!(visited, images.len() as u64);
    images
}

#[test]
fn the_local_file_system_keeps_its_contract_on_it() {
    contract::file_system(&|| Arc::new(Disk::new().open("/base/job").unwrap()));
    contract::file_system(&|| {
        let disk = Disk::new();
        disk.share_bytes();
        disk.set_umask(0o777);
        Arc::new(disk.open("/base/job").unwrap())
    });
}

#[test]
fn what_is_not_synced_may_be_there_in_every_part() {
    let disk = Disk::new();
    let local = disk.open("/job").unwrap();
    write(&local, "file", &[1; 1000], Durability::None);
    let found: BTreeSet<_> = images(&disk).iter().map(|image| content(&image.disk)).collect();
    let file = |bytes: Vec<u8>| vec![("file".to_owned(), bytes)];
    for expected in [
        vec![],
        file(vec![]),
        file(vec![1; 1000]),
        file(vec![1; 511]),
        file(vec![1; 512]),
        file([vec![0; 512], vec![1; 488]].concat()),
    ] {
        assert!(found.contains(&expected), "{expected:?}");
    }
    assert_eq!(content(&disk.lose_power()), []);
}

#[test]
fn what_is_synced_is_there_in_every_image_from_then_on() {
    let disk = Disk::new();
    let local = disk.open("/job").unwrap();
    write(&local, "a/file", &[1; 1000], Durability::Full);
    let synced_file = disk.done();
    local.sync_entries(&[path("a/file")]).unwrap();
    let synced_names = disk.done();
    write(&local, "a/other", &[2; 10], Durability::None);
    let (mut before, mut after) = (0, 0);
    for image in images(&disk) {
        let found = content(&image.disk);
        let file = found.iter().find(|(name, _)| name == "a/file");
        if image.done >= synced_names {
            assert_eq!(file.unwrap().1, [1; 1000], "{image:?}");
            after += 1;
        } else if image.done >= synced_file {
            assert!(file.is_none_or(|(_, bytes)| *bytes == [1; 1000]), "{image:?}");
            before += 1;
        }
    }
    assert!(before > 1 && after > 1, "{before} images before, {after} after");
    assert_eq!(content(&disk.lose_power()).len(), 1);
}

#[test]
fn an_image_may_lose_power_again() {
    let disk = Disk::new();
    let local = disk.open("/job").unwrap();
    write(&local, "file", &[1; 10], Durability::Full);
    local.sync_entries(&[path("file")]).unwrap();
    let image = disk.lose_power();
    let local = image.open("/job").unwrap();
    write(&local, "next", &[2; 10], Durability::None);
    assert_eq!(content(&image).len(), 2);
    assert_eq!(content(&image.lose_power()), [("file".to_owned(), vec![1; 10])]);
    assert_eq!(content(&image.lose_power()), content(&disk));
}

#[test]
fn a_umask_that_locks_the_owner_out_is_undone() {
    for umask in [0, 0o077, 0o277, 0o477, 0o777] {
        let disk = Disk::new();
        disk.set_umask(umask);
        let local = disk.open("/base/job").unwrap();
        write(&local, "a/b/file", b"bytes", Durability::Full);
        let copied = local.duplicate(&path("a/b/file"), &path("c/copy"), Durability::Full);
        assert!(matches!(copied, CasOutcome::Done(_)), "{copied:?}");
        assert_eq!(content_of(&local, "c/copy"), b"bytes", "{umask:o}");
    }
}

/// Two file systems share nothing but the disk, as those of two processes.
#[test]
fn processes_wait_for_a_directory_that_one_of_them_is_making() {
    for half_made in ["/base", "/base/job", "/base/job/a", "/base/job/a/b"] {
        let disk = Disk::new();
        let calls = disk.calls();
        let whole: Vec<_> = Path::new(half_made).ancestors().collect();
        for above in whole[1..].iter().rev().skip(1) {
            calls.make_directory(above).unwrap();
        }
        disk.set_umask(0o777);
        calls.make_directory(Path::new(half_made)).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(Duration::from_millis(5));
                calls.set_directory_mode(Path::new(half_made)).unwrap();
            });
            write(&disk.open("/base/job").unwrap(), "a/b/file", b"bytes", Durability::Full);
        });
    }
}

#[test]
fn processes_that_make_the_same_directories_at_once_are_not_locked_out() {
    for umask in [0o277, 0o777] {
        let disk = Disk::new();
        disk.set_umask(umask);
        thread::scope(|scope| {
            for process in 0..3 {
                let disk = disk.clone();
                scope.spawn(move || {
                    let local = disk.open("/base/job").unwrap();
                    for number in 0..20 {
                        let name = path(&format!("a{number}/b/{process}"));
                        drop(local.create_new(&name, Visible::AtOnce).unwrap());
                    }
                });
            }
        });
    }
}

/// What nobody gives to its owner is told and not waited for without end.
#[test]
fn a_directory_that_stays_locked_is_an_error_that_names_it() {
    let disk = Disk::new();
    let local = disk.open("/base/job").unwrap();
    write(&local, "a/file", b"bytes", Durability::Full);
    disk.set_umask(0o777);
    disk.calls().make_directory(Path::new("/base/job/b")).unwrap();
    let error = local.create_new(&path("b/file"), Visible::AtOnce).map(drop).unwrap_err();
    assert!(error.kind() == ErrorKind::AbortCheckpoint && error.to_string().contains("b/file"), "{error}");
}

fn content_of(local: &LocalFileSystem, name: &str) -> Vec<u8> {
    let file = local.open(&path(name)).unwrap();
    let mut bytes = vec![0; usize::try_from(file.length_bytes()).unwrap()];
    file.read_exact_at(&mut bytes, 0).unwrap();
    bytes
}
