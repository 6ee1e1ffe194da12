//! When the pipeline is killed.

use std::time::Duration;

use ckpt_coord::Phase;

use crate::text::Random;
use crate::wordcount::phase_name;
use crate::wordcount::step::Step;

/// When the pipeline is killed: every moment is drawn from the seed, one after the other.
#[derive(Debug)]
pub(super) struct KillPlan {
    random: Random,
    kills: u32,
    done: u32,
    total_bytes: u64,
    /// When not empty: kill exactly at these, in turn.
    exact: Vec<Phase>,
    /// When not empty: kill within steps of these parts of the protocol, in turn.
    steps: Option<WithinSteps>,
    next: Option<Moment>,
}

/// Kills that fall into steps.
#[derive(Debug)]
pub(super) struct WithinSteps {
    /// Parts of the protocol.
    pub(super) parts: Vec<String>,
    /// How much longer each step takes.
    pub(super) delay: Duration,
}

/// The moment of the next kill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    /// Once that much input was read.
    Position { bytes: u64 },
    /// Once that much input was read, that long after this phase begins.
    AfterPhase { bytes: u64, phase: Phase, delay: Duration, armed: bool },
    /// That long after a task begins to restore its state.
    Restore { delay: Duration },
    /// Exactly at the beginning of this phase, after so many others of the kind.
    Exactly { phase: Phase, skip: u64 },
    /// That long after this step is about to be taken, after so many others of the kind; at the next step of any kind once
    /// that much input was read.
    Within { step: Step, skip: u64, delay: Duration, bytes: u64, any: bool },
}

/// What the parent does about a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing.
    LetLive,
    /// Let the pipeline pass the gate at which it waits.
    PassGate,
    /// Kill after that time.
    Kill(Duration),
}

impl KillPlan {
    pub(super) fn new(seed: u64, kills: u32, total_bytes: u64, exact: Vec<Phase>, steps: Option<WithinSteps>) -> Self {
        // Not the stream that the input is drawn from.
        let random = Random::new(seed ^ 0x6b69_6c6c);
        let mut plan = Self { random, kills, done: 0, total_bytes, exact, steps, next: None };
        plan.draw();
        plan
    }

    /// The phase at which the pipeline is to wait for an answer.
    pub(super) fn gate(&self) -> Option<Phase> {
        match self.next {
            Some(Moment::Exactly { phase, .. }) => Some(phase),
            _ => None,
        }
    }

    /// A phase begins.
    pub(super) fn on_phase(&mut self, begun: Phase) -> Verdict {
        match &mut self.next {
            Some(Moment::Exactly { phase, skip }) if *phase == begun => match skip.checked_sub(1) {
                Some(left) => {
                    *skip = left;
                    Verdict::PassGate
                }
                None => Verdict::Kill(Duration::ZERO),
            },
            Some(Moment::AfterPhase { phase, delay, armed: true, .. }) if *phase == begun => Verdict::Kill(*delay),
            Some(Moment::Restore { delay }) if begun == Phase::Restoring => Verdict::Kill(*delay),
            _ => Verdict::LetLive,
        }
    }

    /// A step is about to be taken.
    pub(super) fn on_step(&mut self, begun: Step) -> Verdict {
        match &mut self.next {
            Some(Moment::Within { step, skip, delay, any, .. }) if *step == begun || *any => {
                match skip.checked_sub(1) {
                    Some(left) if !*any => {
                        *skip = left;
                        Verdict::LetLive
                    }
                    _ => Verdict::Kill(*delay),
                }
            }
            _ => Verdict::LetLive,
        }
    }

    /// That much input has been read.
    pub(super) fn on_position(&mut self, position_bytes: u64) -> Verdict {
        // A phase that does not come, such as an alignment of one input, must not save the pipeline.
        let patience = self.total_bytes / 8;
        match &mut self.next {
            Some(Moment::Position { bytes }) if position_bytes >= *bytes => Verdict::Kill(Duration::ZERO),
            Some(Moment::AfterPhase { bytes, armed, .. }) if position_bytes >= *bytes => {
                *armed = true;
                if position_bytes >= bytes.saturating_add(patience) {
                    Verdict::Kill(Duration::ZERO)
                } else {
                    Verdict::LetLive
                }
            }
            Some(Moment::Within { bytes, any, .. }) => {
                *any = position_bytes >= *bytes;
                Verdict::LetLive
            }
            _ => Verdict::LetLive,
        }
    }

    /// The pipeline was killed as planned.
    pub(super) fn killed(&mut self) {
        self.done += 1;
        self.draw();
    }

    /// How many kills were done, and how many there were to be.
    pub(super) const fn done_of(&self) -> (u32, u32) {
        (self.done, self.kills)
    }

    fn draw(&mut self) {
        self.next = (self.done < self.kills).then(|| self.moment());
    }

    fn moment(&mut self) -> Moment {
        if !self.exact.is_empty() {
            let phase = self.exact[self.done as usize % self.exact.len()];
            // Often the first ones, which every run has, sometimes one of a later checkpoint.
            let most = [3, 12][self.random.below(2) as usize];
            return Moment::Exactly { phase, skip: self.random.below(most) };
        }
        if let Some(WithinSteps { parts, delay }) = &self.steps {
            let mut part = self.done as usize % parts.len().max(1);
            // The first start finds nothing that a former leader left.
            if self.done == 0 && parts.get(part).is_some_and(|part| part == "collect") {
                part = parts.iter().position(|part| part != "collect").unwrap_or(part);
            }
            let steps = parts.get(part).map(|part| Step::of_part(part)).unwrap_or_default();
            let step = steps[self.random.below(steps.len() as u64) as usize];
            // The call itself, and the time until the signal arrives, come on top.
            let longest = u64::try_from(delay.as_micros()).unwrap_or(u64::MAX);
            let delay = Duration::from_micros(self.random.below(longest.max(2) * 3 / 4));
            let bytes = self.total_bytes * u64::from(self.done + 1) / u64::from(self.kills + 1);
            return Moment::Within { step, skip: self.random.below(3), delay, bytes, any: false };
        }
        // Each kill has its share of the input behind the first fifth, in which there is nothing to go back to yet, and
        // stays off its ends.
        let share = (f64::from(self.done) + 0.15 + 0.7 * self.random.fraction()) / f64::from(self.kills);
        let share = 0.2 + 0.75 * share;
        let bytes = (share * self.total_bytes as f64) as u64;
        match self.random.below(20) {
            0..=7 => Moment::Position { bytes },
            // The first start has nothing to restore.
            8..=10 if self.done > 0 => Moment::Restore { delay: Duration::from_micros(self.random.below(5000)) },
            _ => {
                let phases = phase_name::of_a_checkpoint();
                let index = self.random.below(phases.len() as u64) as usize;
                let phase = phases.into_iter().nth(index).unwrap_or(Phase::Sealing);
                let longest = [0, 100, 1000][self.random.below(3) as usize];
                let delay = Duration::from_micros(self.random.below(longest));
                Moment::AfterPhase { bytes, phase, delay, armed: false }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_moments_and_each_lies_within_the_input() {
        let moments = |seed| {
            let mut plan = KillPlan::new(seed, 5, 1000, Vec::new(), None);
            let moments: Vec<_> = (0..5).map(|_| (plan.next.unwrap(), plan.killed()).0).collect();
            assert_eq!((plan.next, plan.done_of()), (None, (5, 5)));
            moments
        };
        let mut kinds = [false; 3];
        for seed in 0..200 {
            assert_eq!(moments(seed), moments(seed));
            let mut before = 0;
            for moment in moments(seed) {
                match moment {
                    Moment::Position { bytes } | Moment::AfterPhase { bytes, .. } => {
                        assert!(bytes >= before && (200..970).contains(&bytes), "{bytes}");
                        before = bytes;
                        kinds[usize::from(matches!(moment, Moment::Position { .. }))] = true;
                    }
                    _ => kinds[2] = true,
                }
            }
        }
        assert_eq!(kinds, [true; 3]);
    }

    #[test]
    fn an_exact_phase_is_met_after_the_others_were_let_through() {
        let mut plan = KillPlan::new(3, 2, 1000, vec![Phase::Sealing, Phase::Notifying], None);
        for phase in [Phase::Sealing, Phase::Notifying] {
            assert_eq!(plan.gate(), Some(phase));
            assert_eq!(plan.on_phase(Phase::Capturing), Verdict::LetLive);
            let passed =
                std::iter::repeat_with(|| plan.on_phase(phase)).take_while(|verdict| *verdict == Verdict::PassGate);
            assert!(passed.count() < 12);
            plan.killed();
        }
        assert_eq!(plan.gate(), None);
    }

    #[test]
    fn a_phase_that_never_comes_saves_nobody() {
        let mut plan = KillPlan::new(1, 1, 1000, Vec::new(), None);
        let delay = Duration::from_micros(7);
        plan.next = Some(Moment::AfterPhase { bytes: 500, phase: Phase::Aligning, delay, armed: false });
        assert_eq!(plan.on_phase(Phase::Aligning), Verdict::LetLive);
        assert_eq!(plan.on_position(499), Verdict::LetLive);
        assert_eq!(plan.on_position(500), Verdict::LetLive);
        assert_eq!(plan.on_phase(Phase::Aligning), Verdict::Kill(delay));
        assert_eq!(plan.on_position(625), Verdict::Kill(Duration::ZERO));
    }

    #[test]
    fn a_step_is_met_in_every_part_and_one_that_never_comes_saves_nobody() {
        let delay = Duration::from_micros(50);
        let parts = || ["collect", "commit", "subsume"].map(str::to_owned).to_vec();
        for seed in 0..100 {
            let mut plan = KillPlan::new(seed, 4, 1000, Vec::new(), Some(WithinSteps { parts: parts(), delay }));
            for expected in ["commit", "commit", "subsume", "collect"] {
                let Some(Moment::Within { step, skip, delay, .. }) = plan.next else { panic!("{:?}", plan.next) };
                assert!(Step::of_part(expected).contains(&step), "{step:?}");
                let other = if step == Step::HeadLink { Step::HeadSync } else { Step::HeadLink };
                assert_eq!(plan.on_step(other), Verdict::LetLive);
                for _ in 0..skip {
                    assert_eq!(plan.on_step(step), Verdict::LetLive);
                }
                if skip % 2 == 0 {
                    assert_eq!(plan.on_step(step), Verdict::Kill(delay));
                } else {
                    assert_eq!(plan.on_position(1000), Verdict::LetLive);
                    assert_eq!(plan.on_step(other), Verdict::Kill(delay));
                }
                plan.killed();
            }
        }
    }
}
