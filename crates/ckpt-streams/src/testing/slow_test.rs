//! Minutes that take no time.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ckpt_core::state::RelPath;

use crate::file_system::{CasOutcome, Durability, FileSystem, MemoryFileSystem, Visible};
use crate::testing::{Delays, SlowFileSystem, VirtualClock, contract};

const TEN_MINUTES: Duration = Duration::from_secs(600);

#[test]
fn it_keeps_the_contract_however_late() {
    contract::file_system(&|| {
        let clock = VirtualClock::new();
        Arc::new(SlowFileSystem::new(Arc::new(MemoryFileSystem::new()), clock, Delays::default()))
    });
}

#[test]
fn nothing_happens_before_its_time() {
    let clock = VirtualClock::new();
    let memory = MemoryFileSystem::new();
    let slow = SlowFileSystem::new(Arc::new(memory.clone()), clock.clone(), Delays::of_operations(TEN_MINUTES));
    let steps = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut writer = slow.create_new(&RelPath::new("file").unwrap(), Visible::WholeAtFinish).unwrap();
            steps.fetch_add(1, Ordering::Relaxed);
            writer.write_all(b"bytes").unwrap();
            steps.fetch_add(1, Ordering::Relaxed);
            assert!(matches!(writer.finish(Durability::Full), CasOutcome::Done(_)));
        });
        for step in 0..3 {
            clock.wait_for_sleepers(1);
            assert_eq!(steps.load(Ordering::Relaxed), step);
            assert_eq!(memory.paths(), []);
            clock.advance(TEN_MINUTES - Duration::from_nanos(1));
            clock.wait_for_sleepers(1);
            assert_eq!(steps.load(Ordering::Relaxed), step);
            clock.advance(Duration::from_nanos(1));
        }
    });
    assert_eq!(memory.paths().len(), 1);
    assert_eq!(clock.now(), 3 * TEN_MINUTES);
}

#[test]
fn bytes_and_syncs_take_their_time() {
    let clock = VirtualClock::new();
    let delays = Delays { mebibyte: Duration::from_secs(8), sync: Duration::from_secs(5), ..Delays::default() };
    let slow = SlowFileSystem::new(Arc::new(MemoryFileSystem::new()), clock.clone(), delays);
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let mut writer = slow.create_new(&RelPath::new("file").unwrap(), Visible::AtOnce).unwrap();
            writer.write_all(&vec![0; 512 * 1024]).unwrap();
            let written = clock.now();
            assert!(matches!(writer.finish(Durability::Full), CasOutcome::Done(_)));
            (written, clock.now())
        });
        for seconds in [4, 5] {
            clock.wait_for_sleepers(1);
            clock.advance(Duration::from_secs(seconds));
        }
        assert_eq!(writing.join().unwrap(), (Duration::from_secs(4), Duration::from_secs(9)));
    });
}
