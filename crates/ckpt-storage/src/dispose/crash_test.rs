//! A disposal that ends at any step, by a loss of power or an error, is taken up again and loses nothing before.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::Arc;

use ckpt_core::ErrorKind;
use ckpt_core::state::{RelPath, Root};
use ckpt_streams::file_system::{CasOutcome, Durability, FileSystem, FileSystems, Visible};
use ckpt_streams::testing::{Disk, ImageOptions, RefusingSpawn};

use crate::dispose::support_test::{file, handle, metadata, options, savepoint_mark};
use crate::test_support::{Fault, MemoryDisk};
use crate::{Disposal, StorageContext, dispose};

pub(super) const FILES: u32 = 3;
const POINTER: &str = "disk:///target/savepoint-1";

/// A process that sees that disk.
fn context(disk: &Disk) -> StorageContext {
    let mut file_systems = FileSystems::local();
    let disk = disk.clone();
    let open = move |uri: &str| Ok(Arc::new(disk.open(uri.strip_prefix("disk://").expect("the scheme"))?) as Arc<_>);
    file_systems.register("disk", open).unwrap();
    StorageContext::new(Arc::new(file_systems), Arc::new(RefusingSpawn::new()))
}

/// What is in the savepoint's directory when it is whole.
pub(super) fn whole() -> Vec<(String, Vec<u8>)> {
    let state = (0..FILES).map(|number| (RelPath::from(&file(number)).to_string(), b"abc".to_vec()));
    let handles = (0..FILES).map(|number| handle(Root::ThisSnapshot, number)).collect();
    let mut files: Vec<_> = state.collect();
    files.push(("_metadata".to_owned(), metadata(1, handles).encode().unwrap().0));
    files.push(("_savepoint".to_owned(), savepoint_mark(1)));
    files
}

/// A savepoint that survives every loss of power.
fn disk() -> Disk {
    let disk = Disk::new();
    let local = disk.open("/target").unwrap();
    let mut written = Vec::new();
    for (name, bytes) in whole() {
        let path = RelPath::new(format!("savepoint-1/{name}")).unwrap();
        let mut writer = local.create_new(&path, Visible::AtOnce).unwrap();
        writer.write_all(&bytes).unwrap();
        assert!(matches!(writer.finish(Durability::Full), CasOutcome::Done(_)));
        written.push(path);
    }
    local.sync_entries(&written).unwrap();
    disk.lose_power()
}

fn names_on(disk: &Disk) -> BTreeSet<String> {
    let entries = disk.open("/target").unwrap().list(None, None, usize::MAX).unwrap();
    entries.into_iter().map(|entry| entry.path.file_name().to_owned()).collect()
}

/// Whoever finds those files knows that they are a snapshot that is whole, one that is being disposed of, or none.
#[track_caller]
pub(super) fn check_left(left: &BTreeSet<String>, what: &dyn std::fmt::Debug) {
    let state = (0..FILES).filter(|number| left.contains(&RelPath::from(&file(*number)).to_string())).count();
    let (metadata, mark) = (left.contains("_metadata"), left.contains("_disposing"));
    assert!(mark || !metadata || state == FILES as usize, "state is gone without a mark: {left:?} of {what:?}");
    assert!(metadata || state == 0, "state is left that nothing lists: {left:?} of {what:?}");
    assert!(metadata || mark || !left.contains("_savepoint"), "its own mark is left alone: {left:?} of {what:?}");
}

#[test]
fn whatever_a_loss_of_power_leaves_is_whole_or_being_disposed_of() {
    let disk = disk();
    assert!(dispose(POINTER, &context(&disk), &options()).unwrap().is_complete());
    assert_eq!(names_on(&disk), BTreeSet::new());
    let promised = disk.done();
    let mut kinds = BTreeSet::new();
    let images = disk.visit_images(ImageOptions::default(), &|done| done, &mut |image| {
        let left = names_on(&image.disk);
        // What is told as complete does not come back.
        assert!(image.done < promised || left.is_empty(), "{left:?} of {image:?}");
        check_left(&left, image);
        kinds.insert((left.contains("_metadata"), left.contains("_disposing"), left.len()));
        // A second disposal ends with nothing, also after another loss of power.
        match dispose(POINTER, &context(&image.disk), &options()) {
            Ok(disposal) => assert!(disposal.is_complete(), "{disposal:?} of {image:?}"),
            Err(error) => assert!(error.kind() == ErrorKind::NotFound && left.is_empty(), "{error} of {image:?}"),
        }
        assert_eq!(names_on(&image.disk), BTreeSet::new(), "{image:?}");
        ControlFlow::Continue(())
    });
    // Every step was met: nothing done, the mark made, files gone, metadata gone, all gone.
    assert!(images > 40 && kinds.len() > 6, "{images} images of {kinds:?}");
    for kind in [(true, false, 5), (true, true, 6), (true, true, 3), (false, true, 1), (false, false, 0)] {
        assert!(kinds.contains(&kind), "{kind:?} in {kinds:?}");
    }
}

#[test]
fn a_second_loss_of_power_in_the_second_disposal_is_no_worse() {
    let disk = disk();
    assert!(dispose(POINTER, &context(&disk), &options()).unwrap().is_complete());
    let few = || {
        let mut few = ImageOptions::default();
        (few.exhaustive_steps, few.drawn) = (3, 4);
        few
    };
    let (mut seconds, mut seen) = (0, BTreeSet::new());
    disk.visit_images(few(), &|_| 0, &mut |image| {
        if seen.insert(names_on(&image.disk)) {
            let _ = dispose(POINTER, &context(&image.disk), &options());
            seconds += image.disk.visit_images(few(), &|_| 0, &mut |second| {
                check_left(&names_on(&second.disk), second);
                let third = dispose(POINTER, &context(&second.disk), &options());
                let left = names_on(&second.disk);
                let is_complete = third.as_ref().is_ok_and(Disposal::is_complete);
                assert!(left.is_empty() && (is_complete || third.is_err()), "{left:?}: {third:?} of {second:?}");
                ControlFlow::Continue(())
            });
        }
        ControlFlow::Continue(())
    });
    assert!(seen.len() > 4 && seconds > 50, "{} and {seconds}", seen.len());
}

/// Every operation fails, once and for ever, and the one after it too.
#[test]
fn whatever_fails_is_told_and_the_next_call_goes_on() {
    let mut runs = 0;
    for how_many in [1, 2, u64::MAX] {
        for fault in [Fault::Fails, Fault::ReplyLost, Fault::RequestLost] {
            for after in 0.. {
                let disk = MemoryDisk::default();
                for (name, bytes) in whole() {
                    disk.put(&format!("target/savepoint-1/{name}"), &bytes);
                }
                let disposed = || -> ckpt_core::Result<Disposal> {
                    let options = options().with_parallelism(NonZeroUsize::MIN);
                    dispose("mem:/target/savepoint-1", &disk.context(), &options)
                };
                let before = disk.operations();
                disk.fail(after, fault, how_many);
                let outcome = disposed();
                let has_met = disk.operations() - before > after;
                disk.heal();
                let left: BTreeSet<String> =
                    disk.files().iter().filter_map(|path| Some(path.rsplit_once('/')?.1.to_owned())).collect();
                check_left(&left, &(fault, after));
                let is_complete = outcome.as_ref().is_ok_and(Disposal::is_complete);
                assert!(!is_complete || left.is_empty(), "{fault:?} at {after}: {left:?}");
                if let Ok(disposal) = &outcome {
                    assert!(is_complete || !disposal.errors.is_empty(), "{disposal:?}");
                }
                if !left.is_empty() {
                    assert!(disposed().unwrap().is_complete(), "{fault:?} at {after}");
                }
                assert_eq!(disk.files(), [] as [&str; 0], "{fault:?} at {after}");
                runs += 1;
                if !has_met {
                    assert!(is_complete, "{outcome:?}");
                    break;
                }
            }
        }
    }
    assert!(runs > 150, "{runs} runs");
}
