//! The locks, counters and threads that the code of this crate uses: the real ones, or those of loom in a model.
//!
//! This is the only place that names the condition. The real side only re-exports; the model side is bent into the same
//! shape, so that the code under a model is the code that ships. `Arc` may be the standard one where `dyn` is needed:
//! then its count is not part of the model.

#[cfg(all(ckpt_loom, any(test, feature = "loom")))]
mod model;
#[cfg(all(ckpt_loom, any(test, feature = "loom")))]
pub(crate) use model::{Arc, AtomicBool, AtomicU32, AtomicU64, Condvar, LANES, Mutex, Ordering, thread};

#[cfg(not(all(ckpt_loom, any(test, feature = "loom"))))]
mod real;
#[cfg(not(all(ckpt_loom, any(test, feature = "loom"))))]
pub(crate) use real::{Arc, AtomicBool, AtomicU32, AtomicU64, Condvar, LANES, Mutex, Ordering, thread};

#[cfg(test)]
mod contract_test;
