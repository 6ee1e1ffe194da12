//! One command per file.

pub(crate) mod bench;
pub(crate) mod crash;
pub(crate) mod docs;
pub(crate) mod fix;
pub(crate) mod fuzz;
pub(crate) mod kill;
pub(crate) mod lint;
pub(crate) mod loom;
pub(crate) mod miri;
pub(crate) mod model;
pub(crate) mod mutants;
pub(crate) mod order;
pub(crate) mod race;
pub(crate) mod test;
