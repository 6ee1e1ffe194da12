//! Keys of Flink that are recognised and mean nothing here.

use super::key::IgnoredKey;

const STATE_BACKEND: &str = "the engine keeps its state itself, and hands over what it captured";
const CHANGELOG: &str = "there is no changelog of state: incremental checkpoints name the files that are new";
const TRACKING: &str = "the engine measures its own accesses to state";

/// What has no effect, and why. A key that ends with a dot stands for all that begin with it.
pub(super) static ALL: &[IgnoredKey] = &[
    IgnoredKey {
        key: "execution.checkpointing.snapshot-compression",
        why: "state is stored as the engine writes it, compressed or not",
    },
    IgnoredKey {
        key: "execution.state-recovery.approximate-local-recovery",
        why: "a task that is restored alone has lost records: all tasks are restored, each record counts once",
    },
    IgnoredKey {
        key: "execution.checkpointing.approximate-local-recovery",
        why: "a task that is restored alone has lost records: all tasks are restored, each record counts once",
    },
    IgnoredKey {
        key: "execution.runtime-mode",
        why: "the engine knows which jobs are batch jobs, and gives these no checkpoint interval",
    },
    IgnoredKey { key: "state.backend", why: STATE_BACKEND },
    IgnoredKey { key: "state.backend.type", why: STATE_BACKEND },
    IgnoredKey { key: "state.backend.async", why: "state is always written in the background" },
    IgnoredKey { key: "state.backend.rocksdb.", why: STATE_BACKEND },
    IgnoredKey { key: "state.backend.forst.", why: STATE_BACKEND },
    IgnoredKey { key: "state.changelog.", why: CHANGELOG },
    IgnoredKey { key: "state.backend.changelog.", why: CHANGELOG },
    IgnoredKey { key: "dstl.dfs.", why: CHANGELOG },
    IgnoredKey { key: "state.latency-track.", why: TRACKING },
    IgnoredKey { key: "state.backend.latency-track.", why: TRACKING },
    IgnoredKey { key: "state.size-track.", why: TRACKING },
];

/// Why that key is ignored, if it is one of those.
pub(super) fn why(key: &str) -> Option<&'static str> {
    ALL.iter()
        .find(|ignored| if ignored.key.ends_with('.') { key.starts_with(ignored.key) } else { key == ignored.key })
        .map(|ignored| ignored.why)
}
