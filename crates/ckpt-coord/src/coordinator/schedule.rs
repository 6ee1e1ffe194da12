//! When the next periodic checkpoint is due.

use std::collections::BTreeSet;
use std::time::Duration;

use ckpt_core::Monotonic;
use ckpt_core::id::OperatorId;

use crate::coordinator::settings::CoordinatorSettings;

/// When the next periodic checkpoint is due: at a fixed rate that does not drift, with one trigger after a stalled clock
/// and never a burst, and never sooner after a completion than the minimum pause. While a source works off a backlog another
/// interval counts, which may be none; what is due already is not put off for it.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    interval: Option<Duration>,
    backlog_interval: Option<Duration>,
    min_pause: Duration,
    random: SplitMix64,
    /// Who works off a backlog.
    backlog: BTreeSet<OperatorId>,
    /// All tasks run.
    armed: bool,
    /// `None` while not all tasks run, or when there are no periodic checkpoints, now or at all.
    next: Option<Monotonic>,
    /// The time has come, but there was no room for another checkpoint yet.
    due: bool,
    last_completion: Option<Monotonic>,
}

impl Schedule {
    pub(super) fn new(settings: &CoordinatorSettings) -> Self {
        Self {
            interval: settings.base_interval(),
            backlog_interval: settings.backlog_interval(),
            min_pause: settings.min_pause(),
            random: SplitMix64(settings.seed()),
            backlog: BTreeSet::new(),
            armed: false,
            next: None,
            due: false,
            last_completion: None,
        }
    }

    /// The interval that counts now.
    fn current_interval(&self) -> Option<Duration> {
        if self.backlog.is_empty() { self.interval } else { self.backlog_interval }
    }

    /// All tasks run: the first checkpoint comes after a delay from the pause to the interval, drawn at random so that
    /// jobs that start together do not write together.
    pub(super) fn arm(&mut self, now: Monotonic) {
        if !std::mem::replace(&mut self.armed, true) {
            let interval = self.current_interval();
            self.next = interval.map(|interval| now.after(self.random.between(self.min_pause, interval)));
        }
    }

    /// Not all tasks run.
    pub(super) fn disarm(&mut self) {
        self.armed = false;
        self.next = None;
        self.due = false;
    }

    /// An operator works off a backlog.
    pub(super) fn backlog_began(&mut self, now: Monotonic, operator: OperatorId) {
        self.backlog.insert(operator);
        self.draw_nearer(now);
    }

    /// An operator works off a backlog no more.
    pub(super) fn backlog_ended(&mut self, now: Monotonic, operator: OperatorId) {
        self.backlog.remove(&operator);
        self.draw_nearer(now);
    }

    /// All operators begin anew: those that then have a backlog say so.
    pub(super) fn forget_backlog(&mut self) {
        self.backlog.clear();
    }

    /// The interval may have changed: the next point is not further away than it.
    fn draw_nearer(&mut self, now: Monotonic) {
        let Some(interval) = self.current_interval().filter(|_| self.armed) else { return };
        let latest = now.after(interval);
        self.next = Some(self.next.map_or(latest, |next| next.min(latest)));
    }

    /// A checkpoint was committed.
    pub(super) fn completed(&mut self, now: Monotonic) {
        self.last_completion = Some(now);
    }

    /// Notes that the time has come, if it has.
    pub(super) fn advance(&mut self, now: Monotonic) {
        let Some(next) = self.next.filter(|next| *next <= now) else { return };
        self.due = true;
        self.next = self.current_interval().map(|interval| {
            // Of the points that were missed only the one after now is kept.
            let into = now.since(next).as_nanos() % interval.as_nanos().max(1);
            now.after(interval.saturating_sub(nanos(into)))
        });
    }

    /// Whether a periodic checkpoint is due, which is then taken or given up. When the minimum pause is not over, the
    /// schedule goes on from its end.
    pub(super) fn take_due(&mut self, now: Monotonic) -> bool {
        if !std::mem::take(&mut self.due) {
            return false;
        }
        match self.last_completion.map(|end| end.after(self.min_pause)).filter(|pause_end| *pause_end > now) {
            Some(pause_end) => {
                self.next = Some(pause_end);
                false
            }
            None => true,
        }
    }

    /// A periodic checkpoint that is due is not taken.
    pub(super) fn give_up(&mut self) {
        self.due = false;
    }

    /// A periodic checkpoint that was taken as due must wait for something else.
    pub(super) fn put_back(&mut self) {
        self.due = true;
    }

    /// When [`advance`](Self::advance) has something to note.
    pub(super) fn poll_timeout(&self) -> Option<Monotonic> {
        self.next.filter(|_| !self.due)
    }
}

/// A generator of Sebastiano Vigna's family: enough for a delay, and the same everywhere.
#[derive(Clone, Debug)]
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From `least` to `most`, both inclusive; `least` when it is not below `most`.
    fn between(&mut self, least: Duration, most: Duration) -> Duration {
        let width = most.saturating_sub(least).as_nanos() + 1;
        least.saturating_add(nanos(u128::from(self.next()) % width))
    }
}

fn nanos(nanos: u128) -> Duration {
    const PER_SECOND: u128 = 1_000_000_000;
    // The remainder is below a thousand million, which fits.
    Duration::new(u64::try_from(nanos / PER_SECOND).unwrap_or(u64::MAX), (nanos % PER_SECOND) as u32)
}

#[cfg(test)]
mod tests {
    use ckpt_core::config::CheckpointConfig;

    use super::*;

    fn at(millis: u64) -> Monotonic {
        Monotonic::since_start(Duration::from_millis(millis))
    }

    fn schedule(interval: u64, pause: u64, seed: u64) -> Schedule {
        let config = CheckpointConfig::builder().interval(Duration::from_millis(interval));
        let config = config.min_pause(Duration::from_millis(pause)).build().unwrap();
        Schedule::new(&CoordinatorSettings::new(config).with_seed(seed))
    }

    fn with_backlog(interval: u64, during_backlog: u64) -> Schedule {
        let config = CheckpointConfig::builder().interval(Duration::from_millis(interval));
        let config = config.interval_during_backlog(Duration::from_millis(during_backlog)).build().unwrap();
        Schedule::new(&CoordinatorSettings::new(config))
    }

    #[test]
    fn first_delay_lies_between_pause_and_interval_and_follows_from_the_seed() {
        let mut delays = Vec::new();
        for seed in 0..200 {
            let mut schedule = schedule(100, 40, seed);
            schedule.arm(at(1000));
            let next = schedule.poll_timeout().unwrap();
            assert!(at(1040) <= next && next <= at(1100), "{next:?}");
            let mut again = self::schedule(100, 40, seed);
            again.arm(at(1000));
            assert_eq!(again.poll_timeout(), Some(next));
            delays.push(next);
        }
        delays.sort();
        delays.dedup();
        assert!(delays.len() > 150, "delays do not differ: {}", delays.len());
    }

    #[test]
    fn rate_does_not_drift_and_a_stall_makes_no_burst() {
        let mut schedule = schedule(100, 0, 1);
        schedule.next = Some(at(100));
        schedule.advance(at(107));
        assert!(schedule.take_due(at(107)));
        assert_eq!(schedule.poll_timeout(), Some(at(200)));
        schedule.advance(at(755));
        assert!(schedule.take_due(at(755)));
        assert!(!schedule.take_due(at(755)));
        assert_eq!(schedule.poll_timeout(), Some(at(800)));
    }

    #[test]
    fn during_a_backlog_the_interval_of_the_backlog_counts() {
        let (one, other) = (OperatorId::new([1; 16]), OperatorId::new([2; 16]));
        let mut schedule = with_backlog(100, 1000);
        schedule.arm(at(0));
        schedule.next = Some(at(80));
        // What is due already is not put off.
        schedule.backlog_began(at(10), one);
        schedule.backlog_began(at(20), other);
        assert_eq!(schedule.poll_timeout(), Some(at(80)));
        schedule.advance(at(80));
        assert!(schedule.take_due(at(80)));
        assert_eq!(schedule.poll_timeout(), Some(at(1080)));
        // The last backlog ends: the next one comes within the usual interval, and one that is nearer stays where it is.
        schedule.backlog_ended(at(500), one);
        assert_eq!(schedule.poll_timeout(), Some(at(1080)));
        schedule.backlog_ended(at(510), other);
        assert_eq!(schedule.poll_timeout(), Some(at(610)));
        schedule.backlog_ended(at(550), other);
        assert_eq!(schedule.poll_timeout(), Some(at(610)));
    }

    #[test]
    fn during_a_backlog_there_may_be_no_periodic_checkpoints() {
        let operator = OperatorId::new([1; 16]);
        let mut schedule = with_backlog(100, 0);
        schedule.backlog_began(at(0), operator);
        assert_eq!(schedule.poll_timeout(), None);
        schedule.arm(at(10));
        schedule.arm(at(20));
        assert_eq!(schedule.poll_timeout(), None);
        schedule.backlog_ended(at(5000), operator);
        assert_eq!(schedule.poll_timeout(), Some(at(5100)));
        schedule.backlog_began(at(5050), operator);
        schedule.advance(at(5100));
        assert!(schedule.take_due(at(5100)));
        assert_eq!(schedule.poll_timeout(), None);
        // Not all tasks run: whoever has a backlog then is of no account.
        schedule.disarm();
        schedule.backlog_ended(at(6000), operator);
        assert_eq!(schedule.poll_timeout(), None);
    }

    #[test]
    fn minimum_pause_moves_the_schedule() {
        let mut schedule = schedule(100, 60, 1);
        schedule.next = Some(at(100));
        schedule.completed(at(90));
        schedule.advance(at(100));
        assert!(!schedule.take_due(at(100)));
        assert_eq!(schedule.poll_timeout(), Some(at(150)));
        schedule.advance(at(150));
        assert!(schedule.take_due(at(150)));
        assert_eq!(schedule.poll_timeout(), Some(at(250)));
    }
}
