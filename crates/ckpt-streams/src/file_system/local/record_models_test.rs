//! Models of records: every order of the calls of several processes, on a simulated disk. Each call is one step.
//!
//! Each names the line that one changes to see it fail; that change is kept as `tests/mutants/loom-record-<name>.patch`.

use bytes::Bytes;
use ckpt_core::state::RelPath;

use crate::file_system::{CasOutcome, Durability, Expect, FileSystem as _, LocalFileSystem, VersionTag, Visible};
use crate::testing::Disk;

/// The next but two is a version after which old ones are removed, this one among them.
const BEGUN_AT: u64 = 13;

/// Explores the interleavings of `body` with at most so many preemptions. `LOOM_MAX_PREEMPTIONS` overrides it.
fn model(preemptions: usize, body: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(preemptions));
    builder.max_branches = 10_000;
    builder.check(body);
}

fn head() -> RelPath {
    RelPath::new("head/HEAD").unwrap()
}

/// A disk on which the record has one version.
fn begun_at(version: u64) -> Disk {
    let disk = Disk::new();
    let path = RelPath::new(format!("head/HEAD-{version:020}")).unwrap();
    let mut file = open(&disk).create_new(&path, Visible::AtOnce).unwrap();
    file.write_all(b"begun").unwrap();
    assert!(matches!(file.finish(Durability::None), CasOutcome::Done(_)));
    disk
}

/// As another process does.
fn open(disk: &Disk) -> LocalFileSystem {
    disk.open("/job").unwrap()
}

/// Whether that process has written the version after `expected`.
fn writes(process: &LocalFileSystem, body: &'static str, expected: u64) -> bool {
    let tag = VersionTag::new(expected.to_string());
    match process.put_record(&head(), Bytes::from(body), Expect::Version(&tag)) {
        CasOutcome::Done(written) => {
            assert_eq!(written, VersionTag::new((expected + 1).to_string()));
            true
        }
        CasOutcome::Lost | CasOutcome::Unknown(_) => false,
        CasOutcome::Failed(error) => panic!("{error:?}"),
    }
}

/// The newest version and its body.
fn read(process: &LocalFileSystem) -> (u64, Bytes) {
    let (body, tag) = process.read_record(&head()).unwrap().unwrap();
    (tag.as_str().parse().unwrap(), body)
}

/// Whoever finds the version there takes it for its own: `two-win`.
#[test]
fn loom_of_two_writers_one_wins() {
    model(3, || {
        let disk = begun_at(BEGUN_AT);
        let other = {
            let disk = disk.clone();
            loom::thread::spawn(move || writes(&open(&disk), "other", BEGUN_AT))
        };
        let won = writes(&open(&disk), "this", BEGUN_AT);
        let other_won = other.join().unwrap();
        assert!(won ^ other_won, "{won} and {other_won}");
        assert_eq!(read(&open(&disk)), (BEGUN_AT + 1, Bytes::from(if won { "this" } else { "other" })));
    });
}

/// Nobody looks for markers after the link: `does-not-look`. Versions are removed before they are declared dead:
/// `removed-before-dead`.
#[test]
fn loom_who_slept_while_its_version_was_removed_does_not_win() {
    model(3, || {
        let disk = begun_at(BEGUN_AT);
        let sleeper = {
            let disk = disk.clone();
            loom::thread::spawn(move || writes(&open(&disk), "sleeper", BEGUN_AT))
        };
        let process = open(&disk);
        let written = (BEGUN_AT..BEGUN_AT + 3).take_while(|expected| writes(&process, "other", *expected)).count();
        let slept_through = !sleeper.join().unwrap();
        assert!(slept_through || written == 0, "both have written version {}", BEGUN_AT + 1);
        if written > 0 {
            assert_eq!(read(&open(&disk)), (BEGUN_AT + written as u64, Bytes::from("other")));
        }
    });
}

/// A version that is gone when it is opened is taken for none: `gone-is-none`.
#[test]
fn loom_who_reads_while_old_versions_go_finds_what_was_written_and_goes_never_back() {
    model(2, || {
        let disk = begun_at(BEGUN_AT);
        let reader = {
            let disk = disk.clone();
            loom::thread::spawn(move || {
                let process = open(&disk);
                (read(&process).0, read(&process).0)
            })
        };
        let process = open(&disk);
        (BEGUN_AT..BEGUN_AT + 3).for_each(|expected| assert!(writes(&process, "written", expected)));
        let (first, second) = reader.join().unwrap();
        assert!(BEGUN_AT <= first && first <= second && second <= BEGUN_AT + 3, "{first}, then {second}");
    });
}
