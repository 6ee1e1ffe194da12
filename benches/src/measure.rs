//! Interleaved pairs of measurements.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;

/// Takes the comparisons of one subject and prints each as a line of JSON.
#[derive(Clone, Debug)]
pub struct Bench {
    pairs: usize,
    /// A side repeats its work until it has taken this long, so that the clock's own cost does not count.
    least: Duration,
    filter: Option<String>,
    bar: Option<Bar>,
}

/// What a comparison has to show.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Bar {
    /// Ours is at most so many times the baseline.
    RatioAtMost(f64),
    /// Ours is at least so many times the baseline.
    RatioAtLeast(f64),
    /// Ours is at most so much, in the unit of the comparison.
    AtMost(f64),
    /// Ours is at most so much more than the baseline, in the unit of the comparison.
    BeyondAtMost(f64),
}

/// What one round of the work of a comparison amounts to.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Work {
    /// So many bytes; results are in nanoseconds for each KiB.
    Bytes(usize),
    /// So many operations; results are in nanoseconds for each.
    Operations(usize),
    /// A process; results are in milliseconds.
    Process,
}

/// One comparison, as it is printed.
#[derive(Debug, Serialize)]
struct Comparison<'a> {
    name: &'a str,
    ours: f64,
    baseline_name: &'a str,
    baseline: f64,
    unit: &'static str,
    /// Ours over the baseline, the median over all pairs: below 1 is faster.
    ratio: f64,
    /// From the lower to the upper quartile of the ratios.
    spread: f64,
    /// How many pairs were measured.
    runs: usize,
    /// What it has to show, and whether it does.
    bar: Option<String>,
    holds: Option<bool>,
}

impl Bench {
    /// Reads the arguments that `cargo bench` passes on: `--quick` for fewer and shorter rounds, a part of a name to
    /// take only those comparisons (from the beginning of one of its words).
    pub fn from_arguments() -> Self {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let quick = arguments.iter().any(|argument| argument == "--quick");
        let (pairs, least) = if quick { (7, Duration::from_millis(4)) } else { (31, Duration::from_millis(25)) };
        Self { pairs, least, filter: arguments.into_iter().find(|argument| !argument.starts_with('-')), bar: None }
    }

    /// The same, whose comparisons say whether they meet that bar. On a machine that others load one may miss it once, so
    /// it is said and not enforced.
    #[must_use]
    pub fn bar(&self, bar: Bar) -> Self {
        Self { bar: Some(bar), ..self.clone() }
    }

    /// Measures `ours` against `baseline`. Each call is one round of `work` and gives something that depends on it, so
    /// that the compiler cannot leave it out.
    pub fn compare<A, B>(
        &self,
        name: &str,
        baseline_name: &str,
        work: Work,
        mut ours: impl FnMut() -> A,
        mut baseline: impl FnMut() -> B,
    ) {
        if !self.takes(name) {
            return;
        }
        // The first rounds of each also warm caches and allocator.
        let our_rounds = self.rounds(&mut ours);
        let baseline_rounds = self.rounds(&mut baseline);
        let mut pairs = Vec::with_capacity(self.pairs);
        for number in 0..self.pairs {
            // Who goes first changes, so that neither always finds the other's leavings.
            let pair = if number % 2 == 0 {
                let first = time_of(our_rounds, &mut ours);
                (first, time_of(baseline_rounds, &mut baseline))
            } else {
                let first = time_of(baseline_rounds, &mut baseline);
                (time_of(our_rounds, &mut ours), first)
            };
            pairs.push(pair);
        }
        self.print(name, baseline_name, work.amount_and_unit(), pairs);
    }

    /// Like [`compare`](Self::compare), where a side takes the time of the part that counts itself, with
    /// [`processor_time_of`]: around it, it may prepare what the part uses up.
    pub fn compare_parts(
        &self,
        name: &str,
        baseline_name: &str,
        work: Work,
        mut ours: impl FnMut() -> Duration,
        mut baseline: impl FnMut() -> Duration,
    ) {
        if !self.takes(name) {
            return;
        }
        // What needs preparing takes long; each pair is a large piece of work.
        self.compare_durations(name, baseline_name, work, (0..self.large_pairs()).map(|_| (ours(), baseline())));
    }

    /// Like [`compare_parts`](Self::compare_parts), where either side may fail. Who goes first changes, so that neither
    /// always finds the other's leavings.
    ///
    /// # Errors
    ///
    /// The first of either side: what fails would be fast, so nothing is printed then.
    pub fn compare_timed<E>(
        &self,
        name: &str,
        baseline_name: &str,
        work: Work,
        mut ours: impl FnMut() -> Result<Duration, E>,
        mut baseline: impl FnMut() -> Result<Duration, E>,
    ) -> Result<(), E> {
        if !self.takes(name) {
            return Ok(());
        }
        let mut pairs = Vec::with_capacity(self.large_pairs());
        for number in 0..self.large_pairs() {
            pairs.push(match number % 2 {
                0 => (ours()?, baseline()?),
                _ => {
                    let first = baseline()?;
                    (ours()?, first)
                }
            });
        }
        self.compare_durations(name, baseline_name, work, pairs);
        Ok(())
    }

    /// How many pairs are measured.
    pub const fn pairs(&self) -> usize {
        self.pairs
    }

    /// How many pairs are enough where each side is a large piece of work.
    pub fn large_pairs(&self) -> usize {
        self.pairs.div_ceil(4)
    }

    /// Prints pairs that were measured by the caller, ours first.
    pub fn compare_durations(
        &self,
        name: &str,
        baseline_name: &str,
        work: Work,
        pairs: impl IntoIterator<Item = (Duration, Duration)>,
    ) {
        if self.takes(name) {
            let pairs = pairs.into_iter().map(|(ours, baseline)| (ours.as_nanos() as f64, baseline.as_nanos() as f64));
            self.print(name, baseline_name, work.amount_and_unit(), pairs.collect());
        }
    }

    /// Prints what is counted, which does not change from one time to the next.
    pub fn compare_sizes(&self, name: &str, baseline_name: &str, unit: &'static str, (ours, baseline): (f64, f64)) {
        if self.takes(name) {
            self.print(name, baseline_name, (1.0, unit), vec![(ours, baseline)]);
        }
    }

    /// Whether a comparison of that name, or one whose name begins with it, is asked for.
    pub fn takes(&self, name: &str) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter.starts_with(name) || names(name, filter))
    }

    fn print(&self, name: &str, baseline_name: &str, (amount, unit): (f64, &'static str), pairs: Vec<(f64, f64)>) {
        let mut ratios: Vec<f64> = pairs.iter().map(|(ours, baseline)| ours / baseline).collect();
        let ours = rounded(median(&mut pairs.iter().map(|(ours, _)| ours / amount).collect::<Vec<_>>()));
        let baseline = rounded(median(&mut pairs.iter().map(|(_, baseline)| baseline / amount).collect::<Vec<_>>()));
        let ratio = rounded(median(&mut ratios));
        let comparison = Comparison {
            name,
            ours,
            baseline_name,
            baseline,
            unit,
            ratio,
            spread: rounded(quantile(&ratios, 0.75) - quantile(&ratios, 0.25)),
            runs: pairs.len(),
            bar: self.bar.map(|bar| bar.text(unit)),
            holds: self.bar.map(|bar| bar.holds(ours, baseline, ratio)),
        };
        comparison.print();
    }

    fn rounds<T>(&self, work: &mut impl FnMut() -> T) -> u32 {
        let mut rounds = 1;
        loop {
            let taken = time_of(rounds, work) * f64::from(rounds);
            if taken >= self.least.as_nanos() as f64 || rounds >= 1 << 24 {
                return rounds;
            }
            rounds *= 2;
        }
    }
}

impl Bar {
    fn holds(self, ours: f64, baseline: f64, ratio: f64) -> bool {
        match self {
            Self::RatioAtMost(most) => ratio <= most,
            Self::RatioAtLeast(least) => ratio >= least,
            Self::AtMost(most) => ours <= most,
            Self::BeyondAtMost(most) => ours - baseline <= most,
        }
    }

    fn text(self, unit: &str) -> String {
        match self {
            Self::RatioAtMost(most) => format!("ratio at most {}", rounded(most)),
            Self::RatioAtLeast(least) => format!("ratio at least {}", rounded(least)),
            Self::AtMost(most) => format!("at most {} {unit}", rounded(most)),
            Self::BeyondAtMost(most) => format!("at most {} {unit} more", rounded(most)),
        }
    }
}

impl Comparison<'_> {
    fn print(&self) {
        match serde_json::to_string(self) {
            Ok(line) => println!("{line}"),
            Err(error) => eprintln!("{}: {error}", self.name),
        }
    }
}

impl Work {
    fn amount_and_unit(self) -> (f64, &'static str) {
        match self {
            Self::Bytes(bytes) => (bytes as f64 / 1024.0, "ns/KiB"),
            Self::Operations(operations) => (operations as f64, "ns/op"),
            Self::Process => (1e6, "ms"),
        }
    }
}

/// Whether a part of a name is where a word of it begins.
fn names(name: &str, part: &str) -> bool {
    name.match_indices(part).any(|(at, _)| !name[..at].ends_with(char::is_alphanumeric))
}

/// Nanoseconds of processor time for one round, of all threads of this process.
fn time_of<T>(rounds: u32, work: &mut impl FnMut() -> T) -> f64 {
    let begin = processor_time();
    for _ in 0..rounds {
        std::hint::black_box(work());
    }
    (processor_time() - begin).as_nanos() as f64 / f64::from(rounds)
}

/// Processor time that `work` takes, of all threads of this process.
pub fn processor_time_of<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let begin = processor_time();
    let done = std::hint::black_box(work());
    (processor_time() - begin, done)
}

/// Processor time that `work` takes of the thread that calls this.
pub fn thread_time_of<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let begin = time_by(ClockId::ThreadCPUTime);
    let done = std::hint::black_box(work());
    (time_by(ClockId::ThreadCPUTime) - begin, done)
}

fn processor_time() -> Duration {
    time_by(ClockId::ProcessCPUTime)
}

fn time_by(clock: ClockId) -> Duration {
    let now = clock_gettime(clock);
    // Neither part is ever negative on this clock.
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
}

fn median(numbers: &mut [f64]) -> f64 {
    numbers.sort_by(f64::total_cmp);
    quantile(numbers, 0.5)
}

/// Of sorted numbers.
fn quantile(numbers: &[f64], part: f64) -> f64 {
    let at = (numbers.len().saturating_sub(1) as f64 * part).round() as usize;
    numbers.get(at).copied().unwrap_or(f64::NAN)
}

/// To three decimals, or as many as show what it is.
fn rounded(number: f64) -> f64 {
    let mut parts = 1000.0;
    while number != 0.0 && (number * parts).abs() < 100.0 && parts < 1e12 {
        parts *= 10.0;
    }
    (number * parts).round() / parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_was_measured_is_rounded_to_nothing() {
        for (number, expected) in
            [(0.0, 0.0), (12.34567, 12.346), (0.000_154_68, 0.000_155), (-0.000_154_68, -0.000_155)]
        {
            assert_eq!(rounded(number), expected, "{number}");
        }
        assert!(rounded(f64::NAN).is_nan() && rounded(f64::INFINITY).is_infinite());
    }

    #[test]
    fn a_part_of_a_name_begins_with_a_word() {
        assert!(names("head: commit", "head") && names("streams: read ahead", "read ahead"));
        assert!(!names("streams: read ahead", "head") && names("streams: read-ahead of ahead", "ahead"));
    }

    #[test]
    fn medians_and_quartiles() {
        let mut numbers = [5.0, 1.0, 3.0, 2.0, 4.0];
        assert_eq!(median(&mut numbers), 3.0);
        assert_eq!((quantile(&numbers, 0.25), quantile(&numbers, 0.75)), (2.0, 4.0));
    }

    #[test]
    fn a_bar_is_met_or_not() {
        let met = |bar: Bar| (bar.holds(5.0, 2.5, 2.0), bar.text("B"));
        assert_eq!(met(Bar::RatioAtMost(2.0)), (true, "ratio at most 2".to_owned()));
        assert!(!met(Bar::RatioAtMost(1.9)).0);
        assert_eq!(met(Bar::RatioAtLeast(2.0)), (true, "ratio at least 2".to_owned()));
        assert!(!met(Bar::RatioAtLeast(2.1)).0);
        assert_eq!(met(Bar::AtMost(5.0)), (true, "at most 5 B".to_owned()));
        assert!(!met(Bar::AtMost(4.9)).0 && !met(Bar::AtMost(f64::NAN)).0);
        assert_eq!(met(Bar::BeyondAtMost(2.5)), (true, "at most 2.5 B more".to_owned()));
        assert!(!met(Bar::BeyondAtMost(2.4)).0);
    }

    #[test]
    fn work_takes_processor_time() {
        let sum = |n: u64| move || (0..n).fold(0, |a: u64, b| std::hint::black_box(a ^ b));
        assert!(time_of(3, &mut sum(1_000_000)) > time_of(3, &mut sum(10_000)));
    }
}
