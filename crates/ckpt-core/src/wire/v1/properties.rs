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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::{
        Admission as Admitted, AfterSavepoint, CheckpointProperties, CheckpointType, RetentionPolicy, SavepointFormat,
    };
    use crate::wire::{Subject, decode, encode};

    #[test]
    fn every_profile_has_the_documented_bytes() {
        use AfterSavepoint::{Continue, Suspend, Terminate};
        use RetentionPolicy::{NeverRetainAfterTermination, RetainOnCancellation, RetainOnFailure};
        let full = |retention| CheckpointProperties::checkpoint(retention).requested_as(CheckpointType::Full);
        let table = [
            (CheckpointProperties::checkpoint(NeverRetainAfterTermination), vec![0, 0, 0]),
            (CheckpointProperties::checkpoint(RetainOnFailure), vec![0, 0, 1]),
            (full(RetainOnCancellation), vec![0, 1, 2]),
            (CheckpointProperties::savepoint(SavepointFormat::Canonical, Continue, Admitted::InTurn), vec![1, 0, 0, 0]),
            (CheckpointProperties::savepoint(SavepointFormat::Native, Suspend, Admitted::Forced), vec![1, 1, 1, 1]),
            (CheckpointProperties::savepoint(SavepointFormat::Native, Terminate, Admitted::InTurn), vec![1, 1, 2, 0]),
            (CheckpointProperties::unclaimed(), vec![2]),
        ];
        for (properties, bytes) in table {
            assert_eq!(encode(Subject::Metadata, &Properties::of(properties)).unwrap(), bytes, "{properties:?}");
            let read: Properties = decode(Subject::Metadata, &bytes).unwrap();
            assert_eq!(read.into_domain(), properties);
        }
    }

    #[test]
    fn properties_that_no_snapshot_has_are_refused() {
        for bytes in
            [[3].as_slice(), &[0, 2, 0], &[0, 0, 3], &[1, 2, 0, 0], &[1, 0, 3, 0], &[1, 0, 0, 2], &[2, 0], &[0, 0]]
        {
            assert!(decode::<Properties>(Subject::Metadata, bytes).is_err(), "{bytes:?}");
        }
    }
}
