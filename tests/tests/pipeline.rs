//! The pipeline in this process: right counts whatever the input and the parallelism, restarts, fencing, damage.

mod support;

use std::num::NonZeroU64;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ckpt_coord::{CheckpointObserver, CompletedCheckpoint, Phase};
use ckpt_core::ErrorKind;
use ckpt_core::config::CheckpointConfig;
use ckpt_core::head::JobState;
use ckpt_core::id::CheckpointId;
use ckpt_tests::check::{Verdict, WordCount, verify};
use ckpt_tests::job::{JobFile, JobObserver, JobOptions, JobRequest, RunningJob, state_of, storage_context};
use ckpt_tests::text::InputFile;
use support::{Tree, words};
use tempfile::TempDir;

/// A job over files with these contents, in a directory of its own.
struct Job {
    directory: TempDir,
    file: JobFile,
}

/// Remembers the newest completed checkpoint.
#[derive(Debug, Default)]
struct Newest(AtomicU64);

impl CheckpointObserver for Newest {
    fn completed(&self, checkpoint: &CompletedCheckpoint) {
        self.0.store(checkpoint.identity.id.get(), Ordering::SeqCst);
    }
}

impl JobObserver for Newest {}

fn every(interval: Duration) -> CheckpointConfig {
    CheckpointConfig::builder().interval(interval).build().unwrap()
}

impl Job {
    fn new(contents: &[Vec<u8>]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let inputs = contents.iter().enumerate().map(|(number, content)| {
            let path = directory.path().join(format!("input-{number}"));
            std::fs::write(&path, content).unwrap();
            InputFile::inspect(&path).unwrap()
        });
        let request = JobRequest::new(Some(inputs.collect()), None);
        let file = JobFile::open(&directory.path().join("checkpoints"), &request, &storage_context().unwrap()).unwrap();
        Self { directory, file }
    }

    fn start(&self, options: JobOptions) -> ckpt_core::Result<RunningJob> {
        RunningJob::start(&self.file, options, &storage_context()?)
    }

    fn run(&self, parallelism: u32, credits: usize) {
        let options = JobOptions::new(parallelism, every(Duration::from_millis(10))).with_credits_per_input(credits);
        self.start(options).unwrap().wait().unwrap();
        self.assert_right();
        self.assert_clean();
    }

    /// Runs until some checkpoints are complete, then loses everything that is in memory; returns the newest of them.
    fn run_and_lose(&self, parallelism: u32, checkpoints: u64) -> CheckpointId {
        let newest = Arc::new(Newest::default());
        let options = JobOptions::new(parallelism, every(Duration::from_millis(10)))
            .with_observer(Arc::clone(&newest) as Arc<dyn JobObserver>);
        let job = self.start(options).unwrap();
        let (mut seen, mut last) = (0, 0);
        let deadline = Instant::now() + Duration::from_secs(60);
        while seen < checkpoints {
            assert!(Instant::now() < deadline, "no checkpoint completes");
            let now = newest.0.load(Ordering::SeqCst);
            seen += u64::from(now != last);
            last = now;
            std::thread::sleep(Duration::from_millis(1));
        }
        drop(job);
        CheckpointId::new(newest.0.load(Ordering::SeqCst)).unwrap()
    }

    fn assert_right(&self) {
        let expected = WordCount::of_files(&self.file.inputs).unwrap();
        let verdict = verify(&self.file.output, &expected).unwrap();
        assert!(matches!(verdict, Verdict::Right { lines, .. } if lines == expected.total()), "{verdict:?}");
        assert_eq!(state_of(&self.file, &storage_context().unwrap()).unwrap(), Some(JobState::Finished));
    }

    /// Nothing is left behind that is not output.
    fn assert_clean(&self) {
        let hidden = std::fs::read_dir(&self.file.output).unwrap();
        let hidden: Vec<_> = hidden.map(|entry| entry.unwrap().file_name()).collect();
        assert!(hidden.iter().all(|name| name.to_string_lossy().starts_with("part-")), "{hidden:?}");
    }
}

#[test]
fn any_bytes_at_any_parallelism() {
    let inputs = [
        vec![],
        vec![b"".to_vec(), b"   \n\t ".to_vec()],
        vec![b"one".to_vec()],
        vec![
            b"a b\x0bc\x0cd\r\ne".to_vec(),
            b"no newline at the end".to_vec(),
            vec![],
            b"\xff\xfe \0\0 \xc3\x28".to_vec(),
        ],
        vec![[b"begin ".to_vec(), vec![b'x'; 3_000_000], b" end\n".to_vec()].concat()],
        vec![words(1, 200_000), words(2, 30), words(3, 70_000)],
    ];
    for contents in &inputs {
        for parallelism in 1..=4 {
            Job::new(contents).run(parallelism, 1 + parallelism as usize % 2);
        }
    }
}

#[test]
fn many_inputs_and_more_subtasks_than_words() {
    let contents: Vec<_> = (0..40).map(|number| words(number, 5_000)).collect();
    Job::new(&contents).run(3, 1);
    Job::new(&[b"only three words".to_vec()]).run(16, 2);
}

#[test]
fn lost_again_and_again_at_changing_parallelism() {
    let job = Job::new(&[words(1, 6_000_000), words(2, 1_000), words(3, 2_000_000)]);
    let mut expected = None;
    for parallelism in [2, 3, 1, 4] {
        let newest = job.run_and_lose(parallelism, 2);
        assert!(Some(newest) > expected, "numbers ascend over leaders");
        expected = Some(newest);
    }
    let report = job.start(JobOptions::new(2, every(Duration::from_millis(20)))).unwrap().wait().unwrap();
    // A later one may have been committed while the job was being dropped, an older one never comes back.
    assert!(report.restored_from >= expected, "{report:?}");
    assert_eq!(report.epoch.get(), 5);
    job.assert_right();
    job.assert_clean();
}

#[test]
fn who_takes_over_fences_the_former() {
    let job = Job::new(&[words(1, 4_000_000)]);
    let first = job.start(JobOptions::new(2, every(Duration::from_millis(10)))).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    let second = job.start(JobOptions::new(3, every(Duration::from_millis(10)))).unwrap();
    let first = std::thread::spawn(move || first.wait());
    second.wait().unwrap();
    let error = first.join().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Fenced, "{error:?}");
    job.assert_right();
}

#[test]
fn a_finished_job_does_not_run_again() {
    let job = Job::new(&[words(1, 1_000)]);
    job.run(1, 2);
    let before = Tree::of(job.directory.path());
    let error = job.start(JobOptions::new(1, every(Duration::from_millis(10)))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
    assert_eq!(Tree::of(job.directory.path()), before);
}

#[test]
fn another_request_is_refused() {
    let job = Job::new(&[words(1, 1_000)]);
    let context = storage_context().unwrap();
    for request in
        [JobRequest::new(Some(Vec::new()), None), JobRequest::new(None, Some(job.directory.path().join("elsewhere")))]
    {
        let error = JobFile::open(&job.file.checkpoints, &request, &context).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
    }
    assert_eq!(JobFile::open(&job.file.checkpoints, &JobRequest::default(), &context).unwrap(), job.file);
}

#[test]
fn the_output_of_another_job_is_not_mixed_in() {
    let (one, other) = (Job::new(&[words(1, 1_000)]), Job::new(&[words(2, 1_000)]));
    one.run(1, 2);
    let request = JobRequest::new(None, Some(one.file.output.clone()));
    let checkpoints = other.directory.path().join("more");
    let error = JobFile::open(&checkpoints, &request, &storage_context().unwrap()).unwrap_err();
    assert!(error.to_string().contains("of another job"), "{error}");
}

/// Holds every count up when it commits, so that it is told of the end of its inputs after all else.
#[derive(Debug, Default)]
struct SlowCounts {
    declined: AtomicU64,
}

impl CheckpointObserver for SlowCounts {
    fn aborted(&self, _checkpoint: CheckpointId, reason: &str) {
        let overtook = reason.contains("inputs") || reason.contains("not running");
        self.declined.fetch_add(u64::from(overtook), Ordering::SeqCst);
    }
}

impl JobObserver for SlowCounts {
    fn task_phase(&self, task: &str, phase: Phase, _checkpoint: Option<CheckpointId>) {
        if task.starts_with("count/") && phase == Phase::Committing {
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

#[test]
fn a_trigger_that_overtakes_the_end_of_the_inputs_fails_no_job() {
    let slow = Arc::new(SlowCounts::default());
    for seed in 0..20 {
        let job = Job::new(&[words(seed, 1_000)]);
        let options = JobOptions::new(2, every(Duration::from_millis(10)))
            .with_tolerated_aborts(0)
            .with_seed(seed)
            .with_observer(Arc::clone(&slow) as Arc<dyn JobObserver>);
        job.start(options).unwrap().wait().unwrap();
        job.assert_right();
        if slow.declined.load(Ordering::SeqCst) > 0 {
            return;
        }
    }
    panic!("no trigger has overtaken the end of an input");
}

#[test]
fn the_last_checkpoint_begins_after_the_longest_source_has_ended() {
    // One split each, dealt out in turn: the second source ends at once, the first one waits half a second before it
    // reads the last file.
    let job = Job::new(&[words(1, 16_000), b"short".to_vec(), words(2, 16_000)]);
    let limit = NonZeroU64::new(64_000);
    let options = JobOptions::new(2, every(Duration::from_secs(60))).with_read_limit(limit);
    job.start(options).unwrap().wait().unwrap();
    job.assert_right();
}

#[test]
fn a_job_without_credits_is_refused() {
    let job = Job::new(&[words(1, 1_000)]);
    let before = Tree::of(job.directory.path());
    let options = JobOptions::new(1, every(Duration::from_millis(10))).with_credits_per_input(0);
    let error = job.start(options).unwrap_err();
    assert!(error.kind() == ErrorKind::Configuration && error.to_string().contains("credit"), "{error}");
    assert_eq!(Tree::of(job.directory.path()), before);
}

#[test]
fn what_a_former_leader_stages_too_late_is_gone_at_the_end() {
    let job = Job::new(&[words(1, 60_000)]);
    let newest = Arc::new(Newest::default());
    let options = JobOptions::new(1, every(Duration::from_millis(10)))
        .with_read_limit(NonZeroU64::new(100_000))
        .with_observer(Arc::clone(&newest) as Arc<dyn JobObserver>);
    let running = job.start(options).unwrap();
    // Whoever has taken part in a checkpoint has dropped what it found at its beginning.
    while newest.0.load(Ordering::SeqCst) == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    let (ours, other) = (job.file.job, "ff".repeat(16));
    let hidden = |job: &str, stage: &str| job_file_name(job, stage);
    for stage in ["staged", "writing"] {
        std::fs::write(job.file.output.join(hidden(&ours.to_string(), stage)), "lost\t1\n").unwrap();
        std::fs::write(job.file.output.join(hidden(&other, stage)), "theirs\t1\n").unwrap();
    }
    running.wait().unwrap();
    job.assert_right();
    for stage in ["staged", "writing"] {
        std::fs::remove_file(job.file.output.join(hidden(&other, stage))).unwrap();
    }
    job.assert_clean();
}

/// The name of a file of epoch 0, which is before every leader's.
fn job_file_name(job: &str, stage: &str) -> String {
    format!(".{stage}-{job}-00000000-0000000001-00000")
}

/// Lets no sink stage a file, and counts the checkpoints that fail by it.
#[derive(Debug)]
struct NothingStaged {
    output: PathBuf,
    aborted: AtomicU64,
}

impl CheckpointObserver for NothingStaged {
    fn aborted(&self, _checkpoint: CheckpointId, _reason: &str) {
        self.aborted.fetch_add(1, Ordering::SeqCst);
    }
}

impl JobObserver for NothingStaged {
    fn task_phase(&self, task: &str, phase: Phase, _checkpoint: Option<CheckpointId>) {
        if task.starts_with("sink/") && phase == Phase::Capturing {
            for entry in std::fs::read_dir(&self.output).unwrap() {
                std::fs::remove_file(entry.unwrap().path()).unwrap();
            }
        }
    }
}

#[test]
fn each_aborted_checkpoint_counts_once() {
    let job = Job::new(&[words(1, 1_000)]);
    let watch = Arc::new(NothingStaged { output: job.file.output.clone(), aborted: AtomicU64::new(0) });
    // The last checkpoint is the only one, tried again and again.
    let options = JobOptions::new(1, every(Duration::from_secs(60)))
        .with_tolerated_aborts(3)
        .with_observer(Arc::clone(&watch) as Arc<dyn JobObserver>);
    let error = job.start(options).unwrap().wait().unwrap_err();
    assert!(error.to_string().contains("4 checkpoints in a row were aborted"), "{error}");
    assert_eq!(watch.aborted.load(Ordering::SeqCst), 4);
}

#[test]
fn a_lost_head_doubles_no_output() {
    let job = Job::new(&[words(1, 8_000_000)]);
    job.run_and_lose(2, 3);
    for path in Tree::of(job.directory.path()).with("/head/") {
        std::fs::remove_file(path).unwrap();
    }
    let refused = |message: &str| {
        let before = Tree::of(job.directory.path());
        assert!(!before.with("/part-").is_empty());
        let error = job.start(JobOptions::new(2, every(Duration::from_millis(10)))).unwrap_err();
        assert!(error.kind() == ErrorKind::Corrupt && error.to_string().contains(message), "{error}");
        let after = Tree::of(job.directory.path());
        for (path, content) in &before.0 {
            assert_eq!(after.0.get(path), Some(content), "{} was changed", path.display());
        }
    };
    refused("HEAD was lost");
    // Nothing tells it any more but the output.
    for path in Tree::of(job.directory.path()).with("/_metadata") {
        std::fs::remove_file(path).unwrap();
    }
    refused("HEAD has gone back");
}
