//! How a property test is run.

use proptest::test_runner::{Config, RngSeed};

/// The seed of every run, unless another is asked for.
const SEED: u64 = 0x636b_7074;

/// A run of so many cases that is the same each time, so that a change is at fault when a test fails.
///
/// `PROPTEST_RNG_SEED` asks for other cases and `PROPTEST_CASES` for another number of them. What fails is shown, shrunk,
/// and kept in no file: it belongs into a test of its own.
///
/// ```
/// use ckpt_core::id::FileName;
/// use ckpt_core::testing::strategies::{any_file_name, cases};
/// use proptest::test_runner::TestRunner;
///
/// let names_come_back = TestRunner::new(cases(10)).run(&any_file_name(), |name| {
///     assert_eq!(name.to_string().parse::<FileName>().unwrap(), name);
///     Ok(())
/// });
/// assert!(names_come_back.is_ok());
/// ```
///
/// In `proptest!` it stands as `#![proptest_config(cases(10))]`.
pub fn cases(count: u32) -> Config {
    let asked = Config::default();
    let rng_seed = match asked.rng_seed {
        RngSeed::Random => RngSeed::Fixed(SEED),
        fixed => fixed,
    };
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { asked.cases } else { count };
    Config { cases, rng_seed, failure_persistence: None, ..asked }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;

    use super::*;
    use crate::testing::strategies::any_subtask_state;

    #[test]
    fn two_runs_make_up_the_same() {
        let run = || {
            let mut runner = TestRunner::new(cases(3));
            (0..3).map(|_| any_subtask_state().new_tree(&mut runner).unwrap().current()).collect::<Vec<_>>()
        };
        assert_eq!(run(), run());
        assert!(cases(3).failure_persistence.is_none());
    }

    #[test]
    fn what_fails_is_shrunk() {
        let outcome = TestRunner::new(cases(200)).run(&any_subtask_state(), |state| {
            prop_assert!(state.handles().count() < 3);
            Ok(())
        });
        let Err(proptest::test_runner::TestError::Fail(_, smallest)) = outcome else { panic!("{outcome:?}") };
        assert_eq!(smallest.handles().count(), 3);
    }
}
