//! What was measured while a task took its part of a checkpoint.

use std::time::Duration;

use super::error::MetricsError;
use crate::error::Result;

/// What one task measured (Flink's `CheckpointMetrics`); `None` is not measured. Made by a [`CheckpointMetricsBuilder`].
///
/// Durations are kept up to 2^64 - 1 nanoseconds, 584 years; a longer one counts as that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckpointMetrics(pub(crate) Measured);

/// The fields, for the builder and the encoding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Measured {
    pub(crate) start_delay: Option<Duration>,
    pub(crate) alignment: Option<MeasuredAlignment>,
    pub(crate) persisted_during_alignment_bytes: Option<u64>,
    pub(crate) sync_duration: Option<Duration>,
    pub(crate) async_duration: Option<Duration>,
    pub(crate) unaligned: bool,
    pub(crate) persisted_bytes: u64,
    pub(crate) total_bytes: u64,
}

/// What is known once the last barrier has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MeasuredAlignment {
    pub(crate) duration: Duration,
    pub(crate) processed_bytes: Option<u64>,
}

/// Gathers what is measured while a task takes its part.
///
/// The alignment of an unaligned checkpoint may end long after its snapshot was taken, so it is waited for:
/// [`build`](Self::build) refuses without it.
#[derive(Clone, Debug, Default)]
pub struct CheckpointMetricsBuilder(Measured);

impl CheckpointMetrics {
    /// From the trigger at the coordinator to the first barrier here.
    pub const fn start_delay(&self) -> Option<Duration> {
        self.0.start_delay
    }

    /// From the first barrier to the last.
    pub fn alignment_duration(&self) -> Option<Duration> {
        self.0.alignment.map(|alignment| alignment.duration)
    }

    /// Bytes of records that were processed in that time.
    pub fn processed_during_alignment_bytes(&self) -> Option<u64> {
        self.0.alignment.and_then(|alignment| alignment.processed_bytes)
    }

    /// Bytes of records in flight that were written, because barriers overtook them.
    pub const fn persisted_during_alignment_bytes(&self) -> Option<u64> {
        self.0.persisted_during_alignment_bytes
    }

    /// While the task captured its state and did nothing else.
    pub const fn sync_duration(&self) -> Option<Duration> {
        self.0.sync_duration
    }

    /// While the state was written and made durable in the background.
    pub const fn async_duration(&self) -> Option<Duration> {
        self.0.async_duration
    }

    /// Whether the task took it unaligned, even if no record was in flight. (Flink says so only when bytes were written.)
    pub const fn is_unaligned(&self) -> bool {
        self.0.unaligned
    }

    /// Payload bytes that this checkpoint wrote.
    pub const fn persisted_bytes(&self) -> u64 {
        self.0.persisted_bytes
    }

    /// Payload bytes of all state it names, written or reused.
    pub const fn total_bytes(&self) -> u64 {
        self.0.total_bytes
    }
}

impl CheckpointMetricsBuilder {
    /// Nothing measured yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The first barrier has come, so long after the trigger.
    pub fn set_start_delay(&mut self, delay: Duration) {
        self.0.start_delay = Some(bounded(delay));
    }

    /// The last barrier has come: so long after the first, and so many bytes of records were processed between the two;
    /// `None` where nobody counts them.
    ///
    /// # Errors
    ///
    /// `Configuration` when it had come before.
    pub fn alignment_ended(&mut self, duration: Duration, processed_bytes: Option<u64>) -> Result<()> {
        let duration = bounded(duration);
        if let Some(before) = self.0.alignment {
            return Err(MetricsError::AlignmentTwice { first: before.duration, second: duration }.into());
        }
        self.0.alignment = Some(MeasuredAlignment { duration, processed_bytes });
        Ok(())
    }

    /// The task took it unaligned.
    pub fn set_unaligned(&mut self) {
        self.0.unaligned = true;
    }

    /// So many bytes of records in flight were written. More than none makes it unaligned.
    pub fn set_persisted_during_alignment_bytes(&mut self, bytes: u64) {
        self.0.persisted_during_alignment_bytes = Some(bytes);
        self.0.unaligned |= bytes > 0;
    }

    /// The state was captured.
    pub fn set_sync_duration(&mut self, duration: Duration) {
        self.0.sync_duration = Some(bounded(duration));
    }

    /// The state was written and is durable.
    pub fn set_async_duration(&mut self, duration: Duration) {
        self.0.async_duration = Some(bounded(duration));
    }

    /// So many payload bytes were written.
    pub fn set_persisted_bytes(&mut self, bytes: u64) {
        self.0.persisted_bytes = bytes;
    }

    /// So many payload bytes does all state have that is named.
    pub fn set_total_bytes(&mut self, bytes: u64) {
        self.0.total_bytes = bytes;
    }

    /// The metrics of a part that was taken.
    ///
    /// # Errors
    ///
    /// `Configuration` when the alignment has not ended.
    pub fn build(self) -> Result<CheckpointMetrics> {
        if self.0.alignment.is_none() {
            return Err(MetricsError::AlignmentOpen.into());
        }
        Ok(self.build_incomplete())
    }

    /// The metrics of a part that was given up.
    pub const fn build_incomplete(self) -> CheckpointMetrics {
        CheckpointMetrics(self.0)
    }
}

/// What can be encoded.
fn bounded(duration: Duration) -> Duration {
    duration.min(Duration::from_nanos(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn alignment_ends_once_and_a_part_that_was_taken_needs_it() {
        let mut builder = CheckpointMetricsBuilder::new();
        let error = builder.clone().build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert_eq!(error.to_string(), "the metrics of a checkpoint need its alignment, which has not ended");
        let incomplete = builder.clone().build_incomplete();
        assert_eq!((incomplete.alignment_duration(), incomplete.processed_during_alignment_bytes()), (None, None));
        assert_eq!(incomplete, CheckpointMetrics::default());

        builder.alignment_ended(Duration::from_millis(3), Some(70)).unwrap();
        let error = builder.alignment_ended(Duration::from_millis(4), None).unwrap_err();
        assert_eq!(error.to_string(), "the alignment ended twice: after 3ms, and again after 4ms");
        let metrics = builder.build().unwrap();
        assert_eq!(metrics.alignment_duration(), Some(Duration::from_millis(3)));
        assert_eq!(metrics.processed_during_alignment_bytes(), Some(70));
    }

    #[test]
    fn everything_set_is_told() {
        let mut builder = CheckpointMetricsBuilder::new();
        builder.set_start_delay(Duration::from_secs(1));
        builder.set_sync_duration(Duration::from_secs(2));
        builder.set_async_duration(Duration::MAX);
        builder.set_persisted_bytes(5);
        builder.set_total_bytes(6);
        let metrics = builder.build_incomplete();
        assert_eq!(metrics.start_delay(), Some(Duration::from_secs(1)));
        assert_eq!(metrics.sync_duration(), Some(Duration::from_secs(2)));
        assert_eq!(metrics.async_duration(), Some(Duration::from_nanos(u64::MAX)));
        assert_eq!((metrics.persisted_bytes(), metrics.total_bytes()), (5, 6));
    }

    #[test]
    fn a_part_taken_unaligned_says_so_though_nothing_was_in_flight() {
        let metrics = |set: fn(&mut CheckpointMetricsBuilder)| {
            let mut builder = CheckpointMetricsBuilder::new();
            set(&mut builder);
            builder.build_incomplete()
        };
        assert!(!metrics(|_| {}).is_unaligned());
        assert!(!metrics(|builder| builder.set_persisted_during_alignment_bytes(0)).is_unaligned());
        assert!(metrics(|builder| builder.set_persisted_during_alignment_bytes(1)).is_unaligned());
        let nothing_in_flight = metrics(|builder| {
            builder.set_unaligned();
            builder.set_persisted_during_alignment_bytes(0);
        });
        assert!(nothing_in_flight.is_unaligned());
        assert_eq!(nothing_in_flight.persisted_during_alignment_bytes(), Some(0));
    }
}
