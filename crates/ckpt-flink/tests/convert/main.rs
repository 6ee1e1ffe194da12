//! Flink's metadata made ours and back, and ours made Flink's and back: what comes back is what went in, but for what the
//! changes name.

mod all_fixtures;
mod damage;
mod document;
mod erase;
mod flinks_own;
mod from_flink;
mod from_ours;
mod oddities;
mod round_trip;

use std::path::{Path, PathBuf};

/// What lies beside the source tree, if it is there.
fn shared(path: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let places = ["../shared/flink", "../../shared/flink"].map(|place| root.join(place).join(path));
    places.into_iter().find(|place| place.exists())
}
