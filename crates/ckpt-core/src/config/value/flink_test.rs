//! Values against what Flink's own classes read, and against themselves.

use std::time::Duration;

use super::{CheckpointingMode, Kind, LocalDirectories, MemorySize, SpaceAmplification, StorageName, Unreadable};
use crate::head::ClaimMode;
use crate::id::CheckpointId;
use crate::snapshot::RetentionPolicy;
use crate::uri::StoragePath;

/// The lines of a file of facts, cut at the first `|`.
fn facts(text: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    text.lines().filter(|line| !line.starts_with('#')).map(|line| line.split_once('|').unwrap())
}

fn read<K: Kind>(text: &str) -> Result<K, Unreadable> {
    let value = K::read(text)?;
    value.fits().map(|()| value)
}

fn shown<K: Kind>(text: &str) -> String {
    read::<K>(text).map_or_else(|_| "refused".to_owned(), |value| value.write().unwrap())
}

#[test]
fn memory_sizes_are_those_of_flink() {
    let mut count = 0;
    for (text, expected) in facts(include_str!("../../../testdata/flink/memory_sizes.txt")) {
        let found = read::<MemorySize>(text).map_or_else(|_| "refused".to_owned(), |size| size.bytes().to_string());
        assert_eq!(found, expected, "'{text}'");
        count += 1;
    }
    assert!(count > 50, "{count}");
}

#[test]
fn other_values_are_those_of_flink() {
    let mut count = 0;
    for (kind, rest) in facts(include_str!("../../../testdata/flink/values.txt")) {
        let (text, expected) = rest.rsplit_once('|').unwrap();
        let (found, expected) = match kind {
            "boolean" => (shown::<bool>(text), expected),
            "integer" => (shown::<i64>(text), expected),
            "long" => {
                let found = shown::<Option<CheckpointId>>(text);
                // Flink's are any number, these are numbers of checkpoints, which begin with 1.
                (found, if expected == "0" { "refused" } else { expected })
            }
            "float" => {
                let infinite = ["NaN", "Infinity", "-Infinity"].contains(&expected);
                (shown::<SpaceAmplification>(text), if infinite { "refused" } else { expected })
            }
            "mode" => (shown::<CheckpointingMode>(text), expected),
            "retention" => (shown::<RetentionPolicy>(text), expected),
            // Flink reads LEGACY, and refuses it later on.
            "claim-mode" => (shown::<ClaimMode>(text), if expected == "LEGACY" { "refused" } else { expected }),
            other => panic!("no kind '{other}'"),
        };
        assert_eq!(found, expected, "{kind} '{text}'");
        count += 1;
    }
    assert!(count > 75, "{count}");
}

#[test]
fn what_is_written_is_read_again() {
    fn round_trip<K: Kind>(values: impl IntoIterator<Item = K>) {
        for value in values {
            assert_eq!(read::<K>(&value.write().unwrap()), Ok(value));
        }
    }
    let millis = Duration::from_millis;
    let longest = millis(i64::MAX as u64) + Duration::from_nanos(999_999);
    round_trip([Duration::ZERO, millis(1), millis(10) + Duration::from_nanos(1), Duration::from_secs(86_400), longest]);
    let sizes = [0, 1, 1023, 1024, 1025, 20 << 10, 1 << 20, 3 << 30, 5 << 40, 7 << 50, i64::MAX as u64];
    round_trip(sizes.map(MemorySize::from_bytes));
    round_trip([0.0, -1.0, 0.1, 2.5, f32::MAX, f32::MIN_POSITIVE].map(|it| SpaceAmplification::new(it).unwrap()));
    round_trip([true, false]);
    round_trip([0, -1, i64::from(i32::MAX), i64::from(i32::MIN)]);
    round_trip([None, CheckpointId::new(1), CheckpointId::new(i64::MAX as u64)]);
    round_trip([CheckpointingMode::ExactlyOnce, CheckpointingMode::AtLeastOnce]);
    round_trip([ClaimMode::Claim, ClaimMode::NoClaim]);
    round_trip([
        RetentionPolicy::RetainOnFailure,
        RetentionPolicy::RetainOnCancellation,
        RetentionPolicy::NeverRetainAfterTermination,
    ]);
    round_trip([StorageName::Memory, StorageName::FileSystem, StorageName::Custom("org.Factory".to_owned())]);
    round_trip(["/a b", "s3://bucket/ä"].map(StoragePath::from));
    round_trip([LocalDirectories(vec!["/a".to_owned(), "/b c".to_owned()])]);
}

#[test]
fn what_could_not_be_read_again_does_not_fit() {
    assert_eq!(Duration::MAX.fits(), Err(Unreadable::TooLarge));
    assert_eq!(Duration::from_millis(1 << 63).fits(), Err(Unreadable::TooLarge));
    assert_eq!(MemorySize::from_bytes(1 << 63).fits(), Err(Unreadable::TooLarge));
    assert_eq!(MemorySize::from_mebibytes(u64::MAX).fits(), Err(Unreadable::TooLarge));
    assert_eq!((1_i64 << 31).fits(), Err(Unreadable::TooLarge));
    assert_eq!(Some(CheckpointId::new(1 << 63).unwrap()).fits(), Err(Unreadable::TooLarge));
    assert_eq!(SpaceAmplification::new(f32::NAN), None);
    assert_eq!(SpaceAmplification::new(f32::NEG_INFINITY), None);
    for name in ["JobManager", "filesystem"] {
        assert_eq!(StorageName::Custom(name.to_owned()).fits(), Err(Unreadable::Taken));
    }
    assert_eq!(StorageName::Custom(String::new()).fits(), Err(Unreadable::Empty));
    for path in [" /a", "/a\n", "/a\u{0}b", "\u{85}/a"] {
        assert_eq!(StoragePath::from(path).fits(), Err(Unreadable::Unprintable), "{path:?}");
    }
    assert_eq!(StoragePath::from("").fits(), Err(Unreadable::Empty));
    for path in ["/a,/b", "file:///a"] {
        assert_eq!(LocalDirectories(vec![path.to_owned()]).fits(), Err(Unreadable::Separator));
    }
    assert_eq!(LocalDirectories(vec![String::new()]).fits(), Err(Unreadable::Empty));
}

#[test]
fn flink_joins_local_directories_with_commas_or_colons() {
    let both = LocalDirectories(vec!["/a".to_owned(), "/b".to_owned()]);
    for text in ["/a,/b", "/a:/b", "/a, /b"] {
        assert_eq!(read::<LocalDirectories>(text).as_ref(), Ok(&both));
    }
    assert_eq!(read::<LocalDirectories>("/a,,/b"), Err(Unreadable::Empty));
}
