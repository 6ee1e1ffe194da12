//! A write of HEAD is sent, answered, and ends.

use ckpt_core::head::JobState;
use ckpt_storage::{HeadAnswer, HeadEnd, HeadStep};
use ckpt_streams::file_system::VersionTag;

use super::{Commit, Process, Sent, World, claim};
use crate::history::Broken;
use crate::leader::Leader;
use crate::rules::Break;
use crate::scene::Event;
use crate::store::Landed;

impl Commit {
    /// A write of HEAD is sent.
    pub(super) fn put(&self, world: &mut World, at: usize, sent: Sent) -> Result<(), Broken> {
        let Some(swap) = world.processes[at].swap() else { return Ok(()) };
        let HeadStep::Put(expected) = &swap.step else { return Ok(()) };
        let expected = expected.as_ref().map(VersionTag::as_str).map(str::to_owned);
        let body = swap.body().clone();
        let (expected, history) = (expected.as_deref(), &mut world.history);
        if sent != Sent::Answered {
            world.left.faults -= 1;
        }
        let answer = match sent {
            Sent::Late => {
                world.store.put_late(expected, &body);
                self.events.hit(Event::AnswerLost);
                HeadAnswer::Unknown
            }
            Sent::Fails => HeadAnswer::Failed,
            Sent::Answered | Sent::Doubled => {
                let landed = world.store.put(expected, &body, &self.rules, history)?;
                if sent == Sent::Doubled {
                    world.store.put_late(expected, &body);
                }
                match landed {
                    Landed::Done(tag) => HeadAnswer::Done(tag),
                    Landed::Lost if self.rules.is(Break::LostTakenForOver) => {
                        return self.ended(world, at, HeadEnd::NotWritten);
                    }
                    Landed::Lost => HeadAnswer::Lost,
                }
            }
        };
        self.answer(world, at, answer)
    }

    /// The answer to a request comes.
    pub(super) fn answer(&self, world: &mut World, at: usize, answer: HeadAnswer) -> Result<(), Broken> {
        let found = matches!(answer, HeadAnswer::Found(_));
        let Some(swap) = world.processes[at].swap() else { return Ok(()) };
        swap.answered(answer);
        match &swap.step {
            HeadStep::Ended(end) => {
                let end = end.clone();
                if found && matches!(end, HeadEnd::Written(_)) {
                    self.events.hit(Event::OwnWriteFound);
                }
                self.ended(world, at, end)
            }
            _ => Ok(()),
        }
    }

    /// A write of HEAD has ended.
    pub(super) fn ended(&self, world: &mut World, at: usize, end: HeadEnd) -> Result<(), Broken> {
        let mut scene = self.scene(&mut world.store, &mut world.history);
        match &mut world.processes[at] {
            Process::Down => {}
            Process::Claiming(claiming) => match end {
                HeadEnd::Written(seen) => {
                    let write = claim(claiming.current.as_ref(), claiming.nonce);
                    let written = write.ok_or(Broken::Stuck("the same claim is refused later"))?.written();
                    if written.head.head().stopped_at.is_some() {
                        scene.hit(Event::RestoredFromSavepoint);
                    }
                    if written.head.head().state != JobState::Active {
                        scene.hit(Event::CollectedAfterTheEnd);
                    }
                    let leader = Leader::take_over(claiming.nonce, written, seen, &mut scene)?;
                    world.processes[at] = Process::Leading(Box::new(leader));
                }
                // Somebody else came first: it reads and claims once more.
                HeadEnd::Fenced(_) => {
                    let (nonce, found) = (claiming.nonce, scene.store.read()?);
                    return self.claim(world, at, nonce, found);
                }
                _ => world.processes[at] = Process::Down,
            },
            Process::Leading(leader) => {
                let unknown_is_failure = self.rules.is(Break::UnknownTakenForFailed);
                match end {
                    HeadEnd::Unknown if !unknown_is_failure => {}
                    end => {
                        let Some((change, _)) = leader.write.take() else { return Ok(()) };
                        match end {
                            HeadEnd::Written(seen) => leader.written(&change, seen, &mut scene)?,
                            HeadEnd::Fenced(_) => {
                                scene.hit(Event::ZombieFenced);
                                leader.step_down(&mut scene);
                                world.processes[at] = Process::Down;
                            }
                            _ => leader.not_written(&change, &mut scene)?,
                        }
                    }
                }
            }
        }
        Ok(())
    }
}
