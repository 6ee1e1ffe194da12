//! What Flink makes of what its files say.

pub(crate) mod path;
pub(crate) mod size;
