//! What is built, written as pairs and parsed is what was built.

use std::time::Duration;

use ckpt_core::config::{
    CheckpointConfig, CheckpointConfigBuilder, CheckpointingMode, ConfigLayers, MemorySize, SpaceAmplification,
    StorageName, TolerableFailures,
};
use ckpt_core::head::ClaimMode;
use ckpt_core::id::CheckpointId;
use ckpt_core::snapshot::RetentionPolicy;

use crate::random::Random;

/// Setters, each with a random value that is rarely out of bounds.
const SETTERS: &[fn(CheckpointConfigBuilder, &mut Random) -> CheckpointConfigBuilder] = &[
    |b, r| b.interval(duration(r)),
    |b, _| b.without_interval(),
    |b, r| b.interval_during_backlog(if r.flip() { Duration::ZERO } else { duration(r) }),
    |b, r| b.timeout(duration(r)),
    |b, r| b.min_pause(duration(r)),
    |b, r| b.max_concurrent(r.below(4) as u32),
    |b, r| b.mode(r.pick(&[CheckpointingMode::ExactlyOnce, CheckpointingMode::AtLeastOnce])),
    |b, r| b.unaligned(r.flip()),
    |b, r| b.unaligned_forced(r.flip()),
    |b, r| b.aligned_timeout(duration(r)),
    |b, r| b.interruptible_timers(r.flip()),
    |b, r| b.max_subtasks_per_channel_state_file(count(r)),
    |b, r| b.checkpoints_after_tasks_finish(r.flip()),
    |b, r| b.tolerable_failures(TolerableFailures::AtMost(count(r))),
    |b, _| b.tolerable_failures(TolerableFailures::Unlimited),
    |b, r| b.fail_on_checkpointing_errors(r.flip()),
    |b, r| {
        use RetentionPolicy::{NeverRetainAfterTermination, RetainOnCancellation, RetainOnFailure};
        b.retention(r.pick(&[NeverRetainAfterTermination, RetainOnCancellation, RetainOnFailure]))
    },
    |b, r| b.num_retained(r.below(600) as usize),
    |b, r| b.parallel_cleaner(r.flip()),
    |b, r| b.history_size(count(r) as usize),
    |b, r| b.storage(r.pick(&[StorageName::Memory, StorageName::FileSystem, StorageName::Custom("org.Mine".into())])),
    |b, r| b.checkpoint_dir(r.pick(&["/a", "file:///a b/c", "s3://bucket/a,b"])),
    |b, r| b.savepoint_dir(r.pick(&["/a/", "hdfs://host:8020/save", "/ä"])),
    |b, r| b.create_subdir(r.flip()),
    |b, r| b.incremental(r.flip()),
    |b, r| b.inline_threshold(MemorySize::from_bytes(r.below(1 << 21))),
    |b, r| b.write_buffer_bytes(count(r)),
    |b, r| b.file_merging(r.flip()),
    |b, r| b.merging_across_checkpoints(r.flip()),
    |b, r| b.max_merged_file_size(MemorySize::from_bytes(r.number() >> 1)),
    |b, r| b.merging_pool_blocks(r.flip()),
    |b, r| b.max_subtasks_per_merged_file(count(r)),
    |b, r| match SpaceAmplification::new(f32::from_bits(r.next() as u32)) {
        Some(most) => b.max_space_amplification(most),
        None => b,
    },
    |b, r| b.local_backup(r.flip()),
    |b, r| b.local_backup_dirs(r.pick(&[vec![], vec!["/a"], vec!["/a", "/b c"]])),
    |b, r| b.recover_from_local(r.flip()),
    |b, r| b.recovery_path(r.pick(&["/a/chk-7", "s3://key:secret@bucket/a?b=c", "chk-7/_metadata"])),
    |b, r| b.claim_mode(r.pick(&[ClaimMode::Claim, ClaimMode::NoClaim])),
    |b, r| b.ignore_unclaimed_state(r.flip()),
    |b, r| b.without_channel_state_of(CheckpointId::new((r.number() >> 1).max(1)).unwrap()),
];

/// Whole milliseconds or not, short or long.
fn duration(random: &mut Random) -> Duration {
    let millis = Duration::from_millis(random.number() >> 30);
    if random.flip() { millis } else { millis + Duration::from_nanos(random.below(1_000_000)) }
}

fn count(random: &mut Random) -> u32 {
    (random.number() >> 33) as u32
}

#[test]
fn what_is_built_written_and_parsed_is_what_was_built() {
    let (mut built, mut each) = (0, vec![0; SETTERS.len()]);
    for seed in 0..5_000 {
        let random = &mut Random::new(seed);
        let mut builder = CheckpointConfig::builder();
        let chosen: Vec<usize> = (0..random.below(8)).map(|_| random.below(SETTERS.len() as u64) as usize).collect();
        for &setter in &chosen {
            builder = SETTERS[setter](builder, random);
        }
        let Ok(resolved) = ConfigLayers::new().with_code(builder.clone()).resolve() else { continue };
        let parsed = CheckpointConfig::parse(resolved.config.to_pairs()).unwrap();
        assert_eq!(parsed.config, resolved.config, "seed {seed}: {builder:?}");
        // Whatever was replaced or outvoted is gone, and nothing new has come.
        assert!(parsed.warnings.len() <= resolved.warnings.len(), "seed {seed}: {:?}", parsed.warnings);
        // Strictly it builds exactly when there is nothing to look at.
        assert_eq!(builder.build().ok(), resolved.warnings.is_empty().then_some(resolved.config), "seed {seed}");
        built += 1;
        chosen.into_iter().for_each(|setter| each[setter] += 1);
    }
    assert!(built > 1_500, "{built}");
    assert!(each.iter().all(|times| *times > 30), "{each:?}");
}
