//! Flink's metadata made ours and back, and ours made Flink's and back: what comes back is what went in, but for what the
//! changes name.

mod all_fixtures;
mod damage;
#[path = "../format/describe.rs"]
mod describe;
mod document;
mod erase;
mod flinks_own;
mod from_flink;
mod from_ours;
mod made;
mod oddities;
mod pieces;
mod round_trip;
#[path = "../format/truth.rs"]
mod truth;

use std::io::{Write as _, stderr};
use std::path::{Path, PathBuf};

/// What lies beside the source tree, unless the environment says where it is.
fn shared(name: &str) -> Option<PathBuf> {
    let variable = format!("CKPT_FLINK_{}", name.to_uppercase());
    if let Some(path) = std::env::var_os(variable) {
        return Some(path.into());
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let places = ["../shared/flink", "../../shared/flink"].map(|place| root.join(place).join(name));
    places.into_iter().find(|place| place.exists())
}

/// Said past the test's own output, which nobody sees of a test that passes.
fn skipped(why: &str) {
    let _ = writeln!(stderr(), "skipped: {why}");
}
