//! From bytes to values.
//!
//! ```text
//! reader        what comes next in the file          metadata   all of it
//!   |
//! operator, handle, keyed, channel                   the grammar, written once
//!   |
//! input         numbers, counts, texts, depth; every error has its place
//!   |
//! source        bytes in memory, or a stream that can seek
//! ```

mod channel;
mod handle;
mod input;
mod keyed;
mod metadata;
mod note;
mod operator;
mod reader;
mod source;
mod stream_source;
mod visitor;

pub(crate) use input::{Input, MAX_DEPTH, reserved};
pub use metadata::Decoded;
pub use note::{Note, NoteKind, Notes};
pub(crate) use operator::MASTER_STATE_MAGIC;
pub use reader::{Ending, FlinkReader, MAGIC, Trailing};
pub use source::{BytesSource, Source};
pub use stream_source::StreamSource;
pub use visitor::{SubtaskStateKind, SubtaskVisitor, VisitedSubtask};
