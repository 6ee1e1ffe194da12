//! Where a value comes from.

use std::fmt;

/// Where a value comes from. What is set in code counts before what the job's configuration says, and that before the
/// cluster's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Layer {
    /// A [builder](crate::config::CheckpointConfigBuilder) in the program.
    Code,
    /// The configuration of the job.
    Job,
    /// The configuration of the cluster or process.
    Cluster,
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Code => "in code",
            Self::Job => "in the job's configuration",
            Self::Cluster => "in the cluster's configuration",
        })
    }
}
