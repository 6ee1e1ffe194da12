//! Cases of Flink's own tests, and bugs it had, that types, HEAD and the registry of shared files decide. Their rows stand
//! in `docs/flink-test-map.md`.

mod common;
mod graph;
mod head;
mod metadata;
mod options;
mod state;
mod unlike;
