//! Channels between tasks: bounded by credits, with markers in band.

mod batch;
mod inbox;
mod output;

pub(crate) use batch::{Batch, Tail};
pub(crate) use inbox::{Control, Inbox, Received};
pub(crate) use output::Output;

#[cfg(test)]
#[path = "exchange_test.rs"]
mod tests;
