//! An answer that is to come.

/// An answer that is to come: a future, and something to wait for. Dropping it changes nothing.
#[derive(Debug)]
pub struct Pending<T> {
    _answer: std::marker::PhantomData<T>,
}
