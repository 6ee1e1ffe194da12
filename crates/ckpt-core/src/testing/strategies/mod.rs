//! Strategies that make up values, and the [`cases`] that property tests are run with.
//!
//! What they make up is valid: it can be written and read again, and it shrinks to what is small and still valid.

mod cases;
mod descriptor;
mod head;
mod id;
mod key_group;
mod message;
mod metadata;
mod snapshot;
mod state;

pub use cases::cases;
pub use descriptor::any_state_descriptor;
pub use head::{any_disposal_mark, any_foreign_snapshot, any_head, any_owner_record, any_savepoint_mark};
pub use id::{
    any_checkpoint_id, any_digest, any_epoch, any_file_name, any_job_id, any_operator_id, any_task_attempt,
    any_timestamp, any_vertex_id, any_writer,
};
pub use key_group::{any_key_group_range, any_max_parallelism};
pub use message::{any_in_flight_rescaling, any_marker, any_places, any_task_restore, any_to_coordinator, any_to_task};
pub use metadata::any_checkpoint_metadata;
pub use snapshot::{
    any_barrier, any_checkpoint_identity, any_checkpoint_metrics, any_checkpoint_options, any_checkpoint_properties,
    any_location_reference, any_snapshot_kind, any_uri,
};
pub use state::{
    any_file, any_handle, any_input_channel_state, any_keyed_state, any_operator_state, any_rel_path,
    any_result_subpartition_state, any_reused_file, any_root, any_subtask_state, any_task_snapshot,
};
