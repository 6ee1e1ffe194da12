//! What becomes of a world in which everything that is under way is lost: one process starts, and nothing goes wrong.

use ckpt_storage::HeadStep;

use crate::history::Broken;
use crate::leader::{Leader, What};
use crate::world::{Commit, Process, Sent, Shown, Step, World};

/// The leader that starts when everything else is over.
const FRESH: u8 = 100;

/// More requests than a write of HEAD takes that nobody disturbs.
const ENOUGH: usize = 10;

impl Commit {
    /// What is left when everything that is under way is lost, and one process starts and works on without a fault.
    pub(crate) fn after_a_fresh_start(&self, world: &World) -> Result<World, Broken> {
        let mut world = world.clone();
        world.store.late.clear();
        world.store.deletions.clear();
        world.processes = vec![Process::Down];
        let found = world.store.read()?;
        self.claim(&mut world, 0, FRESH, found)?;
        self.finish_write(&mut world)?;
        if !matches!(world.processes[0], Process::Leading(_)) {
            return Err(Broken::Stuck("a claim without a rival is not written"));
        }
        while !world.store.deletions.is_empty() {
            self.erase(&mut world, 0);
        }
        if world.leaders().any(Leader::has_collected) {
            self.step_of(&mut world, 0, Step::Write(What::Clear))?;
            self.finish_write(&mut world)?;
        }
        Ok(world)
    }

    /// The only process sends what it has to, and every answer comes.
    fn finish_write(&self, world: &mut World) -> Result<(), Broken> {
        for _ in 0..ENOUGH {
            let Some(swap) = world.processes[0].swap() else { return Ok(()) };
            let step = match &swap.step {
                HeadStep::Read | HeadStep::Explain => Step::Read(Shown::Present),
                HeadStep::Put(_) => Step::Put(Sent::Answered),
                HeadStep::Ended(_) => return Err(Broken::Stuck("what nobody disturbs stays unknown")),
            };
            self.step_of(world, 0, step)?;
        }
        Err(Broken::Stuck("what nobody disturbs does not end"))
    }
}
