//! What a snapshot is to its job.

use serde::{Deserialize, Serialize};

use super::snapshot::{Format, Then};
use crate::snapshot;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Properties {
    Checkpoint { reuse: Reuse, retention: Retention },
    Savepoint { format: Format, then: Then, admission: Admission },
    Unclaimed,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Reuse {
    Allowed,
    Forbidden,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Retention {
    NeverRetainAfterTermination,
    RetainOnFailure,
    RetainOnCancellation,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Admission {
    InTurn,
    Forced,
}

impl Properties {
    pub(crate) const fn of(properties: snapshot::CheckpointProperties) -> Self {
        use snapshot::{Profile, RetentionPolicy};
        match properties.profile() {
            Profile::Checkpoint { reuse, retention } => Self::Checkpoint {
                reuse: match reuse {
                    snapshot::Reuse::Allowed => Reuse::Allowed,
                    snapshot::Reuse::Forbidden => Reuse::Forbidden,
                },
                retention: match retention {
                    RetentionPolicy::NeverRetainAfterTermination => Retention::NeverRetainAfterTermination,
                    RetentionPolicy::RetainOnFailure => Retention::RetainOnFailure,
                    RetentionPolicy::RetainOnCancellation => Retention::RetainOnCancellation,
                },
            },
            Profile::Savepoint { format, then, admission } => Self::Savepoint {
                format: Format::of(format),
                then: Then::of(then),
                admission: match admission {
                    snapshot::Admission::InTurn => Admission::InTurn,
                    snapshot::Admission::Forced => Admission::Forced,
                },
            },
            Profile::Unclaimed => Self::Unclaimed,
        }
    }

    pub(crate) const fn into_domain(self) -> snapshot::CheckpointProperties {
        use snapshot::{Profile, RetentionPolicy};
        snapshot::CheckpointProperties::of_profile(match self {
            Self::Checkpoint { reuse, retention } => Profile::Checkpoint {
                reuse: match reuse {
                    Reuse::Allowed => snapshot::Reuse::Allowed,
                    Reuse::Forbidden => snapshot::Reuse::Forbidden,
                },
                retention: match retention {
                    Retention::NeverRetainAfterTermination => RetentionPolicy::NeverRetainAfterTermination,
                    Retention::RetainOnFailure => RetentionPolicy::RetainOnFailure,
                    Retention::RetainOnCancellation => RetentionPolicy::RetainOnCancellation,
                },
            },
            Self::Savepoint { format, then, admission } => Profile::Savepoint {
                format: format.into_domain(),
                then: then.into_domain(),
                admission: match admission {
                    Admission::InTurn => snapshot::Admission::InTurn,
                    Admission::Forced => snapshot::Admission::Forced,
                },
            },
            Self::Unclaimed => Profile::Unclaimed,
        })
    }
}
