//! Streams in a process that has no descriptor left. The limit is the process's, so it is one of its own.
#![cfg(target_os = "linux")]

use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use ckpt_core::ErrorKind;
use ckpt_core::id::{LeaderEpoch, Writer, WriterId};
use ckpt_core::state::{RelPath, Root};
use ckpt_streams::file_system::{Durability, FileSystem, LocalFileSystem};
use ckpt_streams::{
    FileNames, FileStreams, FileStreamsOptions, FileStreamsTarget, Pool, PoolOptions, StateDirectory, StateScope,
    StreamFactory as _,
};

const LIMITED: &str = "CKPT_TEST_IS_LIMITED";

#[test]
fn without_descriptors_nothing_is_left_either() {
    if std::env::var_os(LIMITED).is_some() {
        for durability in [Durability::None, Durability::Full] {
            for cancels in [true, false] {
                leave_nothing(durability, cancels);
            }
        }
        return;
    }
    let output = Command::new("sh")
        .args(["-c", "ulimit -n 60 && exec \"$0\" --exact without_descriptors_nothing_is_left_either"])
        .arg(std::env::current_exe().unwrap())
        .env(LIMITED, "")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

fn leave_nothing(durability: Durability, cancels: bool) {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path().join("job");
    let file_system: Arc<dyn FileSystem> = Arc::new(LocalFileSystem::open(&root).unwrap());
    let of = |root, name| StateDirectory::new(root, Arc::clone(&file_system), Some(RelPath::new(name).unwrap()));
    let names = Arc::new(FileNames::new(Writer::new(LeaderEpoch::new(1), WriterId::new(1))));
    let pool = Arc::new(Pool::new(PoolOptions::new(1, 4)).unwrap());
    let target = FileStreamsTarget::new(of(Root::ThisSnapshot, "chk-1"), of(Root::JobShared, "shared"), names, pool);
    let mut options = FileStreamsOptions::default();
    options.durability = durability;
    let streams = FileStreams::new(target, options);

    let piece = vec![7; 64 << 10];
    let (mut open, mut staged) = (Vec::new(), Vec::new());
    let error = loop {
        let mut stream = streams.create(StateScope::Exclusive).unwrap();
        if let Err(error) = stream.write_all(&piece) {
            break ckpt_streams::into_error(error, ErrorKind::FailJob);
        }
        if open.len() < 30 {
            open.push(stream);
        } else {
            staged.extend(stream.finish().unwrap());
        }
        // Those that need not be durable hold no descriptor.
        if staged.len() > 100 {
            break ckpt_core::Error::new(ErrorKind::AbortCheckpoint, "too many open files");
        }
    };
    let text = format!("{error:#}");
    assert_eq!(error.kind(), ErrorKind::AbortCheckpoint, "{text}");
    let mut rest = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        rest.push(file);
    }
    if cancels {
        streams.cancel().wait().unwrap();
    } else {
        drop((open, staged));
    }
    assert_eq!(streams.counts().left_behind, 0);
    drop(rest);
    assert_eq!(files_below(&root), Vec::<RelPath>::new());
}

fn files_below(root: &Path) -> Vec<RelPath> {
    let listed = LocalFileSystem::open(root).unwrap().list(None, None, usize::MAX).unwrap();
    listed.into_iter().map(|entry| entry.path).collect()
}
