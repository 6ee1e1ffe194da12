//! For tests of this workspace and of embedders (feature `testing`): files and frames with contents that nobody wrote, lists
//! of what there is, and, with the feature `proptest`, [`strategies`] that make up values.
//!
//! What strategies make up is valid. What is [sealed](sealed()) is whatever the test says.

mod every;
mod sealed;

#[cfg(any(test, feature = "proptest"))]
pub mod strategies;

pub use every::{every_decline_reason, every_state_kind};
pub use sealed::{Envelope, MetadataSection, MetadataSections, sealed, sealed_metadata};
