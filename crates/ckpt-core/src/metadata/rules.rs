//! What holds of every checkpoint's state. Checked before it is written and after it was read, so that nothing is
//! committed that could not be restored.

use super::{OperatorSummary, StateTotals};
use crate::key_group::{KeyGroupRange, MaxParallelism};
use crate::snapshot::CheckpointProperties;
use crate::state::{FileView, HandleView, MisplacedFile, PlaceRule, PlaceView, ReusedView, Root, StateSize};
use crate::wire::Invalid;
use crate::wire::v1::Visit;

/// How many handles a checkpoint has at most.
pub(super) const MAX_HANDLES: u64 = 10_000_000;

/// The rules for the state of one operator.
#[derive(Clone, Copy, Debug)]
pub(super) struct StateRules<'a> {
    pub(super) properties: CheckpointProperties,
    /// The claimed and borrowed roots whose place is given, ascending.
    pub(super) roots: &'a [Root],
    pub(super) parallelism: u32,
    pub(super) max_parallelism: MaxParallelism,
}

/// What was found in state that keeps the rules.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) totals: StateTotals,
    /// Whether nothing lies outside the snapshot's own directory.
    pub(super) self_contained: bool,
}

/// Looks at the state of a subtask or a coordinator.
pub(super) struct Inspection<'a> {
    rules: &'a StateRules<'a>,
    /// The key groups of the subtask.
    own: Option<KeyGroupRange>,
    found: Found,
}

/// Whether it is a savepoint that the job takes, and not one that it was restored from.
pub(super) const fn is_own_savepoint(properties: CheckpointProperties) -> bool {
    properties.kind().is_savepoint() && !properties.is_unclaimed()
}

/// Whether an operator can have that parallelism.
pub(super) fn check_parallelism(parallelism: u32, max: MaxParallelism) -> Result<(), Invalid> {
    if parallelism == 0 || parallelism > u32::from(max.get()) {
        return Err(Invalid::value("the parallelism of an operator", parallelism, format!("one from 1 to {max}")));
    }
    Ok(())
}

/// The subtasks of an operator ascend and are below its parallelism.
#[inline]
pub(super) fn check_subtask(last: Option<u32>, subtask: u32, parallelism: u32) -> Result<(), Invalid> {
    if let Some(last) = last.filter(|last| *last >= subtask) {
        return Err(Invalid::value("a subtask", format!("{subtask} after {last}"), "subtasks that ascend"));
    }
    if subtask >= parallelism {
        let expected = format!("one below the parallelism, {parallelism}");
        return Err(Invalid::value("a subtask", subtask, expected));
    }
    Ok(())
}

/// An operator of which all subtasks had finished is said to be fully finished; there is no second way to say it.
pub(super) fn check_finished(operator: &OperatorSummary<'_>) -> Result<(), Invalid> {
    let (finished, parallelism) = (operator.totals.finished_subtasks, operator.parallelism);
    if finished < u64::from(parallelism) {
        return Ok(());
    }
    let found = format!("{finished} of {parallelism} of operator {}", operator.id);
    let expected = "fewer than all, or an operator that is fully finished";
    Err(Invalid::value("the number of finished subtasks", found, expected))
}

impl Found {
    const NOTHING: Self = Self { totals: StateTotals::NONE, self_contained: true };

    /// In place of the state of a subtask that had finished.
    pub(super) const fn finished() -> Self {
        let totals = StateTotals { finished_subtasks: 1, ..StateTotals::NONE };
        Self { totals, self_contained: true }
    }
}

impl<'a> Inspection<'a> {
    /// Of the state of a subtask that is below the parallelism.
    #[inline]
    pub(super) fn of_subtask(rules: &'a StateRules<'a>, subtask: u32) -> Self {
        let own = rules.max_parallelism.range_of(subtask, rules.parallelism).ok();
        let totals = StateTotals { subtasks: 1, ..StateTotals::NONE };
        Self { rules, own, found: Found { totals, ..Found::NOTHING } }
    }

    /// Of the state of a coordinator.
    pub(super) const fn of_coordinator(rules: &'a StateRules<'a>) -> Self {
        Self { rules, own: None, found: Found::NOTHING }
    }

    /// How much state it is.
    pub(super) const fn set_size(&mut self, size: StateSize) {
        self.found.totals.size = size;
    }

    pub(super) const fn found(&self) -> Found {
        self.found
    }

    /// What lies below a root that is not the snapshot's own directory.
    #[inline(never)]
    fn elsewhere(&mut self, root: Root, file: FileView<'_>) -> Result<(), Invalid> {
        self.found.self_contained = false;
        if matches!(root, Root::Claimed(_) | Root::Borrowed(_)) && self.rules.roots.binary_search(&root).is_err() {
            let expected = "one whose place is given";
            return Err(Invalid::value("the root of a handle", root, expected));
        }
        if is_own_savepoint(self.rules.properties) && !PlaceRule::Savepoint.allows_handle(root) {
            let error = MisplacedFile { root, file: file.to_file(), rule: PlaceRule::Savepoint }.into();
            return Err(Invalid::Refused { field: "the root of a handle", error });
        }
        Ok(())
    }
}

impl Visit for Inspection<'_> {
    #[inline]
    fn keyed(&mut self, range: KeyGroupRange) -> Result<(), Invalid> {
        match self.own {
            Some(own) if range.intersection(own) == Some(range) => Ok(()),
            own => {
                let own = own.map_or_else(|| "nothing".to_owned(), |own| own.to_string());
                let expected = format!("none outside of {own}, the key groups of the subtask");
                Err(Invalid::value("a range of key groups", range, expected))
            }
        }
    }

    #[inline]
    fn handle(&mut self, handle: &HandleView<'_>) -> Result<(), Invalid> {
        self.found.totals.handles += 1;
        // Almost all state lies in the snapshot's own directory; of that the name of the file is not touched.
        match handle.place() {
            PlaceView::Inline(_) => Ok(()),
            PlaceView::File { root, .. } | PlaceView::Segment { root, .. } if root == Root::ThisSnapshot => Ok(()),
            PlaceView::File { root, file } | PlaceView::Segment { root, file, .. } => self.elsewhere(root, file),
        }
    }

    /// A file without its handle could neither be verified nor be counted as still in use.
    fn reused(&mut self, reused: &ReusedView<'_>) -> Result<(), Invalid> {
        let found = format!("{} without a handle", reused.to_reused());
        Err(Invalid::value("a shared file", found, "one with the handle it was written with"))
    }
}
