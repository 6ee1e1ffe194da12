//! What coordinator and tasks say to each other: the only things that cross processes.
//!
//! Any of them may be lost, doubled or overtaken by another; the rules on both sides hold nevertheless. They travel as
//! framed, versioned, bounded bytes: [`ToTask::encode`], [`ToCoordinator::decode`] and their counterparts.

mod frame;
mod marker;
mod to_coordinator;
mod to_task;

pub use marker::Marker;
pub use to_coordinator::{Acknowledge, Decline, DeclineReason, ToCoordinator};
pub use to_task::ToTask;
