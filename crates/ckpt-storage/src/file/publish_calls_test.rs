//! The calls of the system that publishing and committing a checkpoint take, each with its reason, and no others.

use std::sync::Arc;

use ckpt_streams::file_system::FileSystems;
use ckpt_streams::testing::{Disk, FailingCalls, Failure, Fault, Injection};

use crate::test_support::local_context;
use crate::testing::sample::{commit, identity, job, metadata, nonce};
use crate::{CheckpointStorage, FileSystemStorage, StorageContext, claim};

#[test]
fn a_checkpoint_takes_the_calls_that_the_order_demands() {
    // None of them fails.
    let never = Injection::new(Fault::Interrupted, u64::MAX, Failure::Once);
    let calls = Arc::new(FailingCalls::on(&Disk::new(), never));
    let mut file_systems = FileSystems::local();
    let opened = Arc::clone(&calls);
    file_systems
        .register("disk", move |uri: &str| Ok(Arc::new(opened.open(uri.trim_start_matches("disk:"))?)))
        .unwrap();
    let context = StorageContext::new(Arc::new(file_systems), local_context().spawn);
    let storage = FileSystemStorage::new("disk:/jobs");
    let view = storage.coordinator_view(job(1), &context).unwrap();
    let mut claimed = claim(&*view.head(), job(1), nonce(1)).unwrap().head;
    for number in 1..=16 {
        let identity = identity(&claimed, number);
        let metadata = metadata(job(1), identity, &[]);
        calls.take_calls();
        let location = view.initialize_checkpoint(&identity).unwrap();
        // Whether anything is there.
        assert_eq!(calls.take_calls(), ["open"], "{number}");
        let published = location.publish(&metadata).unwrap();
        // A file of another name, in a directory that comes into being with it; both with their modes.
        let made = ["create", "create", "open", "set mode", "create", "set mode"];
        // Its bytes, durable; which file it is, so that a link whose answer is lost is known.
        let written = ["write", "sync", "look", "close"];
        // Its own name, which replaces nothing, instead of the other.
        let named = ["open", "link", "remove"];
        // The names: that of the file, and that of its directory.
        let durable = ["open", "look", "open", "sync", "sync"];
        let expected = [&made[..], &written, &named, &durable].concat();
        assert_eq!(calls.take_calls(), expected, "{number}");
        claimed = commit(&*view, &claimed, published).head;
        // Which versions there are, and which are dead.
        let looked = ["open", "look"];
        // The next version under another name, durable.
        let written = ["create", "set mode", "write", "sync", "look", "close"];
        // Its own name, which replaces nothing: whoever comes second is refused.
        let named = ["open", "link", "remove"];
        // The name durable, which is the commit; then whether it was declared dead meanwhile.
        let committed = ["open", "look", "sync", "open", "look"];
        let mut expected = [&looked[..], &written, &named, &committed].concat();
        if claimed.head().version.get() == 16 {
            // The marker that old versions are dead, durable; then these go, and what their writers left.
            expected.extend(["create", "set mode", "open", "look", "sync", "open", "look", "open", "look"]);
            expected.extend(["open", "remove"].repeat(14));
        }
        assert_eq!(calls.take_calls(), expected, "{number}");
    }
}
