//! Strategies that make up values, for property tests of this workspace and of embedders (feature `testing`).
//!
//! What they make up is valid: it can be written and read again.

mod id;
mod state;

pub use id::{any_checkpoint_id, any_epoch, any_file_name, any_operator_id, any_writer};
pub use state::{
    any_file_ref, any_handle, any_input_channel_state, any_keyed_state, any_operator_state, any_rel_path,
    any_result_subpartition_state, any_root, any_subtask_state, any_task_snapshot,
};
