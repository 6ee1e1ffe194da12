//! State that no Flink of ours wrote: its metadata is made here.

use ckpt_core::id::OperatorId;
use ckpt_flink::{
    DistributionMode, FileHandle, FlinkMetadata, IncrementalHandle, IncrementalIdentity, JavaText, KeyGroupRange,
    KeyedHandle, LocalPathAndHandle, MetadataVersion, OperatorDescription, OperatorHandle, OperatorState,
    OperatorStateOffsets, OperatorSubtasks, StreamHandle, Subtask, SubtaskState,
};

use super::run::Tree;

fn text(text: &str) -> JavaText {
    JavaText::new(text).unwrap()
}

fn file(path: &str, size: i64) -> StreamHandle {
    StreamHandle::File(FileHandle::new(text(path), size))
}

fn tree(path: &str, fill: impl FnOnce(&mut SubtaskState)) -> Tree {
    let mut state = SubtaskState::default();
    fill(&mut state);
    let mut metadata = FlinkMetadata::new(MetadataVersion::V3, 5);
    let subtasks = OperatorSubtasks::Subtasks(vec![Subtask::with_state(0, state)]);
    metadata.operators.push(OperatorState::new(OperatorDescription::new(OperatorId::new([6; 16]), 1, 1), subtasks));
    let tree = Tree::new();
    tree.put(&format!("{path}/_metadata"), &metadata.encode().unwrap());
    tree
}

/// Java adds without a look at its numbers' end.
#[test]
fn state_is_summed_up_as_flink_does_it() {
    let (groups, identity) = (KeyGroupRange::new(0, 1), IncrementalIdentity::new(-1, text("id")));
    let mut handle = IncrementalHandle::new(5, text("backend"), groups, identity, file("/a/meta", 9));
    let shared = ["1.sst", "2.sst"].map(|name| LocalPathAndHandle::new(text(name), file("/a/sst", i64::MAX)));
    handle.shared = shared.to_vec();
    let handle = KeyedHandle::Incremental(handle.into());
    let tree = tree("chk-5", |state| state.managed_keyed = Some(Box::new(handle)));
    let dump = tree.ckpt("flink dump chk-5").json();
    let summed = i64::MAX.wrapping_add(i64::MAX).wrapping_add(9);
    assert_eq!(dump["operators"][0]["stateSize"], summed);
    let show = tree.ckpt("show --operators --json chk-5").json();
    assert_eq!(show["operators"][0]["size"]["stateBytes"], summed);
}

#[test]
fn a_handle_of_many_states_names_the_first_and_a_dump_all() {
    let name = |number| format!("state-{number:05}");
    let states = (0..10_000)
        .map(|number| OperatorStateOffsets::new(text(&name(number)), DistributionMode::SplitDistribute, Vec::new()));
    let handle = OperatorHandle::new(states.collect(), file("/a/file", 9));
    let tree = tree("chk-5", |state| state.managed_operator = Some(Box::new(handle)));
    // Each takes 13 bytes with what is between.
    let role = (0..20).map(name).collect::<Vec<_>>().join(", ") + " and 9980 more";
    let show = tree.ckpt("show --handles --json chk-5").json();
    assert_eq!(show["operators"][0]["subtasks"][0]["handles"][0]["role"], role);
    assert!(tree.ckpt("show --handles chk-5").stdout.contains(&format!("operator  {role} ")));
    let dump = tree.ckpt("flink dump chk-5").json();
    let states = &dump["operators"][0]["subtasks"]["0"]["managedOperatorState"][0]["states"];
    assert_eq!(states.as_object().unwrap().len(), 10_000);
}

/// Another job's checkpoint of that number lies in a directory of that name too.
#[test]
fn what_lies_in_the_directory_of_another_job_is_shared() {
    let [job, other] = ["f1f1f1f1f1f1f1f100000000168f907b", "a2a2a2a2a2a2a2a200000000168f907b"];
    for (owner, own) in [(job, [9, 0]), (other, [0, 9])] {
        let handle = OperatorHandle::new(Vec::new(), file(&format!("s3://then/{owner}/chk-5/file"), 9));
        let tree = tree(&format!("{job}/chk-5"), |state| state.managed_operator = Some(Box::new(handle)));
        let show = tree.ckpt(&format!("show --json {job}/chk-5")).json();
        let sizes = ["exclusiveBytes", "sharedBytes"].map(|field| show["size"][field].as_i64().unwrap());
        assert_eq!(sizes, own, "{owner}");
    }
}
