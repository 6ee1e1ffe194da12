//! The numbers that fence: leader epochs, attempts, writers.

use std::fmt;

macro_rules! number {
    ($(#[$meta:meta])* $name:ident, $prefix:literal) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u64);

        impl $name {
            /// Wraps the number.
            pub const fn new(number: u64) -> Self {
                Self(number)
            }

            /// The number itself.
            pub const fn get(self) -> u64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }
    };
}

number! {
    /// The term of one coordinator. Each coordinator that takes over raises it by one in HEAD, which fences the former.
    LeaderEpoch, "epoch-"
}

number! {
    /// One deployment of a task, chosen by the engine (Flink's `ExecutionAttemptID`). Only equality means anything, and no
    /// two deployments of a task under one leader have the same.
    AttemptId, "attempt-"
}

number! {
    /// Who names files: one attempt, or one pool that several attempts of a process share. Unique within its epoch.
    WriterId, "writer-"
}

impl LeaderEpoch {
    /// The epoch before the first leader, whose own is 1.
    pub const NONE: Self = Self(0);

    /// The epoch of the next leader; `None` once the numbers are used up.
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }
}
