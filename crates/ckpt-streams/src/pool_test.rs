//! The pool and pending answers with real threads.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use ckpt_core::ErrorKind;

use crate::{Abandoned, Pending, Pool, PoolOptions, Rejected, Spawn as _};

#[test]
fn a_full_pool_rejects_and_a_panic_ends_only_its_job() {
    let pool = Pool::new(PoolOptions::new(1, 1)).unwrap();
    let (started, wait_started) = Pending::channel();
    let (release, released) = Pending::<()>::channel();
    pool.spawn(
        "hold",
        Box::new(move || {
            started.keep(());
            let _ = released.wait();
            panic!("a job that panics");
        }),
    )
    .unwrap();
    wait_started.wait().unwrap();
    let (promise, answer) = Pending::channel();
    pool.spawn("waits", Box::new(move || promise.keep(3))).unwrap();
    let (lost, abandoned) = Pending::<u8>::channel();
    assert_eq!(pool.spawn("too many", Box::new(move || lost.keep(1))), Err(Rejected::new()));
    assert_eq!(abandoned.wait(), Err(Abandoned));
    release.keep(());
    assert_eq!(answer.wait(), Ok(3));
}

#[test]
fn a_pool_may_be_dropped_by_its_own_job() {
    let pool = Arc::new(Pool::new(PoolOptions::new(2, 2)).unwrap());
    let (promise, answer) = Pending::channel();
    let last = Arc::clone(&pool);
    let (go, wait) = Pending::<()>::channel();
    pool.spawn(
        "drops its pool",
        Box::new(move || {
            let _ = wait.wait();
            drop(last);
            promise.keep(());
        }),
    )
    .unwrap();
    drop(pool);
    go.keep(());
    answer.wait().unwrap();
}

#[test]
fn a_pool_that_could_take_no_job_is_refused() {
    for (options, missing) in
        [(PoolOptions::new(0, 1), "at least one thread"), (PoolOptions::new(1, 0), "a queue limit of at least one job")]
    {
        let error = Pool::new(options).unwrap_err();
        let expected = format!("a pool needs {missing}, found 0");
        assert_eq!((error.kind(), error.to_string()), (ErrorKind::Configuration, expected));
    }
}

#[test]
fn a_wait_with_a_timeout_can_be_repeated() {
    let (promise, mut pending) = Pending::channel();
    assert_eq!(pending.wait_timeout(Duration::from_millis(1)), None);
    assert_eq!(pending.wait_timeout(Duration::ZERO), None);
    promise.keep(7);
    assert_eq!(pending.wait_timeout(Duration::MAX), Some(Ok(7)));
    assert_eq!(pending.wait_timeout(Duration::MAX), Some(Err(Abandoned)));
    assert_eq!(Pending::ready(1).wait(), Ok(1));
}

#[test]
fn a_future_is_woken_once_by_an_answer_or_by_its_absence() {
    struct Count(AtomicUsize);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    for keep in [true, false] {
        let count = Arc::new(Count(AtomicUsize::new(0)));
        let waker = Waker::from(Arc::clone(&count));
        let mut context = Context::from_waker(&waker);
        let (promise, pending) = Pending::channel();
        let mut pending = pin!(pending);
        assert_eq!(pending.as_mut().poll(&mut context), Poll::Pending);
        let expected = if keep {
            promise.keep(5);
            Ok(5)
        } else {
            drop(promise);
            Err(Abandoned)
        };
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        assert_eq!(pending.as_mut().poll(&mut context), Poll::Ready(expected));
    }
}
