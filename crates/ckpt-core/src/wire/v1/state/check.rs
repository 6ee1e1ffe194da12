//! State that is read for what it says alone, without memory for it.

use super::grammar::{Files, Parts, Reading};
use super::rule::ChannelNumbers;
use crate::key_group::KeyGroupRange;
use crate::state::{HandleView, Redistribution, ReusedView, StateSize};
use crate::wire::Invalid;

/// Who is told what is in state that is read. Each may refuse what it is told; by default nothing is refused.
pub(crate) trait Visit {
    /// The key groups of one keyed state.
    fn keyed(&mut self, range: KeyGroupRange) -> Result<(), Invalid> {
        let _ = range;
        Ok(())
    }

    /// A handle.
    fn handle(&mut self, handle: &HandleView<'_>) -> Result<(), Invalid> {
        let _ = handle;
        Ok(())
    }

    /// A file that is named again, without its handle.
    fn reused(&mut self, reused: &ReusedView<'_>) -> Result<(), Invalid> {
        let _ = reused;
        Ok(())
    }
}

/// Is told of state and does not mind.
pub(in crate::wire::v1) struct Nobody;

impl Visit for Nobody {}

/// Tells of what is read and keeps nothing.
pub(super) struct Check<'v, V>(pub(super) &'v mut V);

impl<'a, V: Visit> Reading<'a> for Check<'_, V> {
    type List<T> = ();
    type Text = ();
    type Handle = ();
    type SharedFile = ();
    type Partitions = ();
    type Keyed = ();
    type Operator = ();
    type Channels<C: ChannelNumbers> = ();
    /// How much it is.
    type Subtask = StateSize;

    fn list<T>(_: usize) {}

    fn push<T>((): &mut (), _: T) {}

    fn text(_: &'a str) {}

    fn handle(&mut self, view: &HandleView<'a>) -> Result<(), Invalid> {
        self.0.handle(view)
    }

    fn written(&mut self, view: &HandleView<'a>) -> Result<(), Invalid> {
        self.0.handle(view)
    }

    fn reused(&mut self, reused: &ReusedView<'a>) -> Result<(), Invalid> {
        self.0.reused(reused)
    }

    fn key_groups(&mut self, range: KeyGroupRange, (): (), (): ()) -> Result<(), Invalid> {
        self.0.keyed(range)
    }

    fn incremental(&mut self, files: Files<'a, Self>) -> Result<(), Invalid> {
        self.0.keyed(files.range)
    }

    fn partitions((): (), _: Redistribution) {}

    fn operator((): (), (): ()) {}

    fn channels<C: ChannelNumbers>(_: u32, (): (), (): ()) {}

    fn subtask(_: Parts<'a, Self>, size: StateSize) -> StateSize {
        size
    }
}
