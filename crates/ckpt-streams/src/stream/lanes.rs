//! What many threads hold at once, without a counter that all of them write.

use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::sync::{Arc, LANES};

/// A shared value. Each thread counts who holds it in a lane of its own, as far as there are enough: taking and dropping a
/// [`Lease`] writes no cache line that a thread of another lane uses.
#[derive(Debug)]
pub(crate) struct Lanes<T> {
    lanes: [Lease<T>; LANES],
}

/// Holds the value.
#[derive(Debug)]
pub(crate) struct Lease<T>(Arc<Lane<T>>);

/// The counts of holders stand before it, and have a line of their own.
#[derive(Debug)]
struct Lane<T>(Apart<Arc<T>>);

/// A value that shares no cache line with others: as far apart from them as what a processor fetches at once.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Apart<T>(T);

impl<T> Apart<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(value)
    }
}

impl<T> Deref for Apart<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> Lanes<T> {
    pub(crate) fn new(shared: Arc<T>) -> Self {
        Self { lanes: std::array::from_fn(|_| Lease(Arc::new(Lane(Apart::new(Arc::clone(&shared)))))) }
    }

    /// Holds the value, counted in the lane of this thread.
    pub(crate) fn lease(&self) -> Lease<T> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        thread_local! {
            static LANE: usize = NEXT.fetch_add(1, Ordering::Relaxed) % LANES;
        }
        // While a thread ends it may have lost its number. Any lane will do.
        let lane = LANE.try_with(|lane| *lane).unwrap_or(0);
        Lease(Arc::clone(&self.lanes[lane].0))
    }
}

impl<T> Deref for Lanes<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.lanes[0]
    }
}

impl<T> Deref for Lease<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.0.0
    }
}
