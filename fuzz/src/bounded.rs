//! A bound on memory that holds for any input.

use std::alloc::System;

use cap::Cap;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// Runs `work` on an input of that many bytes. An allocation that takes it above four times the input and one mebibyte
/// fails, which ends the process and so is found.
pub fn bounded<T>(input_bytes: usize, work: impl FnOnce() -> T) -> T {
    bounded_by(4, input_bytes, work)
}

/// The same, with that many times the input, and never more than 64 MiB.
pub fn bounded_by<T>(times: usize, input_bytes: usize, work: impl FnOnce() -> T) -> T {
    let most = ALLOCATOR.allocated() + (times * input_bytes + (1 << 20)).min(64 << 20);
    ALLOCATOR.set_limit(most).expect("the bound is above what is allocated");
    let value = work();
    ALLOCATOR.set_limit(usize::MAX).expect("no bound is below what is allocated");
    value
}
