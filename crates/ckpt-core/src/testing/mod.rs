//! For tests of this workspace and of embedders (feature `testing`): strategies that make up values, and files and
//! frames with contents that nobody wrote.
//!
//! What strategies make up is valid: it can be written and read again. What is [sealed](sealed()) is whatever the test
//! says.

mod id;
mod sealed;
mod state;

pub use id::{any_checkpoint_id, any_epoch, any_file_name, any_operator_id, any_writer};
pub use sealed::{Envelope, MetadataSection, MetadataSections, sealed, sealed_metadata};
pub use state::{
    any_file_ref, any_handle, any_input_channel_state, any_keyed_state, any_operator_state, any_rel_path,
    any_result_subpartition_state, any_root, any_subtask_state, any_task_snapshot,
};
