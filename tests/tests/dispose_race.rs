//! A short race of disposals against swaps for links; `cargo xtask race` runs a long one.

#[path = "../examples/dispose_race/race.rs"]
mod race;

use race::{Resolving, race};

#[test]
fn nothing_outside_is_touched_while_directories_are_swapped_for_links() {
    for resolving in [Resolving::Whole, Resolving::ByComponents] {
        let outcome = race(4_000, resolving).unwrap();
        assert!(outcome.swaps >= 4_000 && outcome.disposals > 0, "{outcome:?}");
        assert_eq!(outcome.canaries_touched, 0, "{outcome:?}");
    }
}
