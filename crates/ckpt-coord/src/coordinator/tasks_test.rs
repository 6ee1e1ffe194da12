//! Plans.

use ckpt_core::graph::{Edge, Operator};
use ckpt_core::id::{AttemptId, OperatorId, VertexId};
use ckpt_core::key_group::MaxParallelism;

use super::*;

fn vertex(number: u8, parallelism: u32) -> Vertex {
    let max = MaxParallelism::new(128).unwrap();
    let mut vertex = Vertex::single(VertexId::new([number; 16]), format!("v{number}"), parallelism, max);
    vertex.operators = vec![Operator::new(OperatorId::new([number; 16]), "operator")];
    vertex
}

fn task(number: u8, subtask: u32) -> TaskId {
    TaskId::new(VertexId::new([number; 16]), subtask)
}

fn run_all(tasks: &mut Tasks) {
    for id in tasks.tasks.iter().map(|task| task.id).collect::<Vec<_>>() {
        tasks.set(id, TaskState::Running(id.attempt(AttemptId::new(1)), WriterId::new(1)));
    }
}

fn triggered(tasks: &Tasks) -> Vec<TaskId> {
    tasks.plan().unwrap().trigger.iter().map(|attempt| attempt.task).collect()
}

#[test]
fn a_checkpoint_begins_at_sources_and_behind_finished_tasks() {
    let edges = vec![Edge::all_to_all(vertex(1, 2).id, vertex(2, 2).id)];
    let graph = Arc::new(JobGraph::new(vec![vertex(1, 2), vertex(2, 2)], edges).unwrap());
    let mut tasks = Tasks::new(graph);
    assert!(tasks.plan().is_none(), "nothing runs yet");
    run_all(&mut tasks);
    assert_eq!(triggered(&tasks), [task(1, 0), task(1, 1)]);
    tasks.set(task(1, 0), TaskState::Finished);
    assert_eq!(triggered(&tasks), [task(1, 1)]);
    tasks.set(task(1, 1), TaskState::Finished);
    assert_eq!(triggered(&tasks), [task(2, 0), task(2, 1)]);
    tasks.set(task(2, 0), TaskState::Lost);
    assert!(tasks.plan().is_none(), "a task is missing");
    tasks.set(task(2, 0), TaskState::Finished);
    tasks.set(task(2, 1), TaskState::Finished);
    assert!(tasks.plan().is_none(), "no task runs");
}

#[test]
fn a_task_that_the_job_does_not_have_is_told_apart() {
    let mut tasks = Tasks::new(Arc::new(JobGraph::new(vec![vertex(1, 1)], vec![]).unwrap()));
    assert_eq!(tasks.set(task(1, 1), TaskState::Finished), None);
    assert_eq!(tasks.set(task(1, 0), TaskState::Finished), Some(TaskState::NotDeployed));
}
