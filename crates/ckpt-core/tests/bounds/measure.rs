//! What reading takes: processor time, and memory beside the bytes that are read.

use std::alloc::System;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cap::Cap;
use ckpt_core::Result;
use rustix::time::{ClockId, clock_gettime};

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// The allocator counts for the whole process, so one test at a time reads.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// The most that reading takes, whatever it is that is read. It tells what hangs from what does not, in an unoptimized
/// build too, and is no measurement of speed.
const MOST_TIME: Duration = Duration::from_millis(100);

/// Reads and measures. While there is one, no other test has one.
pub(crate) struct Reader {
    /// How many times its bytes what is accepted may take.
    accepted_times: usize,
    _alone: MutexGuard<'static, ()>,
}

struct Taken {
    peak_bytes: usize,
    time: Duration,
}

impl Reader {
    /// Of files.
    pub(crate) fn new() -> Self {
        Self { accepted_times: 4, _alone: ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner) }
    }

    /// Of messages, whose state is decoded as a whole.
    pub(crate) fn of_messages() -> Self {
        Self { accepted_times: 32, ..Self::new() }
    }

    /// Reads an input of so many bytes; it must take little time, and at most four times as much memory and 1 MiB. The
    /// values of a message that is accepted may take what such values take: up to some thirty times their bytes.
    pub(crate) fn read<T>(
        &self,
        what: &dyn fmt::Display,
        input_bytes: usize,
        read: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        const AND_SO_MANY: usize = 1 << 20;
        let (answer, Taken { peak_bytes, time }) = measure(read);
        let times = if answer.is_ok() { self.accepted_times } else { 4 };
        let most_bytes = times * input_bytes + AND_SO_MANY;
        let found = format_args!("{peak_bytes} bytes and {time:?} for {input_bytes} bytes");
        assert!(peak_bytes <= most_bytes, "{what}: {found}, expected at most {most_bytes} bytes");
        assert!(time <= MOST_TIME, "{what}: {found}, expected at most {MOST_TIME:?}");
        answer
    }
}

fn measure<T>(read: impl FnOnce() -> T) -> (T, Taken) {
    // The allocator knows the most there ever was. With this beside what there is, that is what there is now.
    let ballast = Vec::<u8>::with_capacity(ALLOCATOR.max_allocated() - ALLOCATOR.allocated());
    let (floor, began) = (ALLOCATOR.max_allocated(), processor_time());
    let value = read();
    let time = processor_time().saturating_sub(began);
    let peak_bytes = ALLOCATOR.max_allocated() - floor;
    drop(ballast);
    (value, Taken { peak_bytes, time })
}

/// How long this thread has had a processor.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap(), time.tv_nsec.try_into().unwrap())
}
