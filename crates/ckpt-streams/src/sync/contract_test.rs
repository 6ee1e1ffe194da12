//! The same assertions about both sides of the shim, so that the model cannot drift from what ships.

use crate::sync::{Arc, AtomicBool, AtomicU32, AtomicU64, Condvar, Mutex, Ordering, thread};

#[cfg(not(ckpt_loom))]
fn both(body: impl Fn() + Send + Sync + 'static) {
    body();
}

#[cfg(ckpt_loom)]
fn both(body: impl Fn() + Send + Sync + 'static) {
    loom::model(body);
}

#[test]
fn a_lock_excludes_and_a_guard_gives_access() {
    both(|| {
        let lock = Arc::new(Mutex::new(0));
        let other = Arc::clone(&lock);
        let thread = thread::spawn_named("other".to_owned(), move || *other.lock() += 1).unwrap();
        *lock.lock() += 1;
        thread.join().unwrap();
        assert_eq!(*lock.lock(), 2);
    });
}

#[test]
fn a_wait_gives_the_lock_back_and_holds_it_again_afterwards() {
    both(|| {
        let shared = Arc::new((Mutex::new(false), Condvar::new()));
        let other = Arc::clone(&shared);
        let thread = thread::spawn_named("other".to_owned(), move || {
            *other.0.lock() = true;
            other.1.notify_all();
        })
        .unwrap();
        let mut done = shared.0.lock();
        while !*done {
            shared.1.wait(&mut done);
        }
        *done = false;
        drop(done);
        thread.join().unwrap();
        assert!(!*shared.0.lock());
    });
}

#[test]
fn counters_count() {
    both(|| {
        let (narrow, wide, flag) = (AtomicU32::new(1), AtomicU64::new(1), AtomicBool::new(false));
        assert_eq!(narrow.fetch_add(1, Ordering::Relaxed), 1);
        assert_eq!(wide.fetch_add(2, Ordering::Relaxed), 1);
        flag.store(true, Ordering::Release);
        assert_eq!((narrow.load(Ordering::Relaxed), wide.load(Ordering::Relaxed)), (2, 3));
        assert!(flag.load(Ordering::Acquire));
    });
}
