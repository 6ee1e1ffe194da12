//! When a leader is stopped.

use std::time::Duration;

use ckpt_coord::Phase;

use crate::text::Random;
use crate::wordcount::phase_name;
use crate::wordcount::report::{Report, Signal};
use crate::wordcount::step::Step;

/// When a leader is stopped, counted from where it leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// That long after.
    Time(Duration),
    /// That long after a phase begins for that time.
    Phase { phase: Phase, times: u64, delay: Duration },
    /// That long after a step is about to be taken for that time.
    Step { step: Step, times: u64, delay: Duration },
    /// Once every task has its state and that many checkpoints are completed.
    Commits(u64),
}

/// What is still to come until then.
#[derive(Debug)]
pub(super) struct Waiting {
    moment: Moment,
    seen: u64,
    restored: bool,
}

/// A leader that has not come to its moment by then is stopped nevertheless.
const LATEST: Duration = Duration::from_secs(2);

impl Moment {
    /// Steps take `step_delay_micros` longer; without that they are not told.
    pub(super) fn draw(random: &mut Random, step_delay_micros: u64) -> Self {
        match random.below(4) {
            0 => Self::Time(Duration::from_micros(random.below(400_000))),
            1 => {
                let phases = phase_name::of_a_checkpoint();
                let index = random.below(phases.len() as u64) as usize;
                let phase = phases.into_iter().nth(index).unwrap_or(Phase::Sealing);
                Self::Phase { phase, times: 1 + random.below(4), delay: Duration::from_micros(random.below(1000)) }
            }
            _ => {
                let steps: Vec<_> = ["commit", "commit", "subsume", "collect"].map(Step::of_part).concat();
                let step = steps[random.below(steps.len() as u64) as usize];
                let delay = Duration::from_micros(random.below(step_delay_micros.max(1)));
                Self::Step { step, times: 1 + random.below(3), delay }
            }
        }
    }

    pub(super) const fn wait(self) -> Waiting {
        Waiting { moment: self, seen: 0, restored: false }
    }

    /// When the leader is stopped in any case; `None` when it has to come that far.
    pub(super) const fn latest(self) -> Option<Duration> {
        match self {
            Self::Time(after) => Some(after),
            Self::Phase { .. } | Self::Step { .. } => Some(LATEST),
            Self::Commits(_) => None,
        }
    }

    /// How long after the signal.
    pub(super) const fn delay(self) -> Duration {
        match self {
            Self::Phase { delay, .. } | Self::Step { delay, .. } => delay,
            Self::Time(_) | Self::Commits(_) => Duration::ZERO,
        }
    }
}

impl Waiting {
    /// Takes a signal; whether that was the last one.
    pub(super) fn is_over(&mut self, signal: &Signal) -> bool {
        self.restored |= matches!(signal, Signal::Report(Report::Restored { .. }));
        let times = match (self.moment, signal) {
            (Moment::Phase { phase, times, .. }, Signal::Phase(begun)) if phase == *begun => times,
            (Moment::Step { step, times, .. }, Signal::Step(begun)) if step == *begun => times,
            (Moment::Commits(times), Signal::Report(Report::Completed { .. } | Report::Restored { .. })) => times + 1,
            _ => return false,
        };
        self.seen += 1;
        self.seen >= times && (self.restored || !matches!(self.moment, Moment::Commits(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_comes_with_its_last_signal() {
        let phase = |phase| Signal::Phase(phase);
        let mut waiting = Moment::Phase { phase: Phase::Sealing, times: 2, delay: Duration::ZERO }.wait();
        let seen = [Phase::Sealing, Phase::Reading, Phase::Sealing].map(|seen| waiting.is_over(&phase(seen)));
        assert_eq!(seen, [false, false, true]);
        let mut waiting = Moment::Commits(1).wait();
        let restored = Signal::Report(Report::Restored { from: None, position_bytes: 0 });
        let completed = Signal::Report(Report::Completed { id: 1, total_bytes: 0, duration_micros: 0 });
        assert_eq!([restored, completed].map(|seen| waiting.is_over(&seen)), [false, true]);
        assert!(!Moment::Time(Duration::ZERO).wait().is_over(&phase(Phase::Sealing)));
    }

    #[test]
    fn every_kind_of_moment_is_drawn_and_the_same_for_a_seed() {
        let mut kinds = [false; 3];
        for seed in 0..200 {
            let moment = Moment::draw(&mut Random::new(seed), 2000);
            assert_eq!(moment, Moment::draw(&mut Random::new(seed), 2000));
            let kind = match moment {
                Moment::Time(_) => 0,
                Moment::Phase { .. } => 1,
                _ => 2,
            };
            kinds[kind] = true;
            assert!(moment.delay() < Duration::from_millis(2) && moment.latest().is_some());
        }
        assert_eq!(kinds, [true; 3]);
    }
}
