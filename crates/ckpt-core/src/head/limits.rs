//! How much HEAD may hold.
//!
//! HEAD is written with each commit and read whole by each claim, so it stays small: no list grows without a bound, and no
//! HEAD that the transitions yield comes near [`Head::MAX_BYTES`](super::Head::MAX_BYTES).

use super::Head;

impl Head {
    /// The most bytes that the file may have.
    pub const MAX_BYTES: usize = 256 * 1024;

    /// The most snapshots that a job retains.
    pub const MAX_RETAINED: usize = 1024;

    /// The most snapshots that are removed and not collected. Beyond it the oldest of the job's own leave the list: the
    /// next leader deletes every checkpoint of former leaders that HEAD does not name.
    pub const MAX_REMOVED: usize = 1024;

    /// The most places that a job has taken over, and those whose claim is released and not collected.
    pub const MAX_CLAIMS: usize = 32;

    /// The most places that a snapshot may name which another job or a user owns.
    pub const MAX_ROOTS: usize = 64;

    /// The most savepoints in progress, and those that were given up and are not collected.
    pub const MAX_SAVEPOINTS: usize = 64;

    /// The most snapshots that are set aside.
    pub const MAX_SET_ASIDE: usize = 16;

    /// The most snapshots that are handed over to other jobs.
    pub const MAX_HANDED_OVER: usize = 64;

    /// The most bytes of all URIs together.
    pub const MAX_URI_BYTES: usize = 64 * 1024;
}
