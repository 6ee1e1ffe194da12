//! The three operators of the word count: a source that reads words, a count by key, a transactional sink.

mod committed;
mod count;
mod leftovers;
mod pace;
mod part_file;
mod part_name;
mod receiving;
mod restore;
mod sink;
mod source;
mod word_table;
mod write;

pub(crate) use committed::refuse_output_ahead;
pub(crate) use count::CountTask;
pub(crate) use leftovers::drop_leftovers;
pub(crate) use part_name::{PartName, Stage};
pub(crate) use receiving::ReceivingTask;
pub(crate) use sink::{SinkOptions, SinkTask};
pub(crate) use source::{SourceOptions, SourceTask};
use write::write_state;
