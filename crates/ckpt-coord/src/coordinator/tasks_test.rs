//! Plans.

use ckpt_core::graph::{Edge, Exchange, Operator};
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

/// The tasks at which a checkpoint begins once those have finished, of a job with these parallelisms.
fn triggered_after(parallelisms: &[u32], edges: Vec<Edge>, finished: &[(u8, Range<u32>)]) -> Vec<TaskId> {
    let vertices = (1..).zip(parallelisms).map(|(number, parallelism)| vertex(number, *parallelism)).collect();
    let mut tasks = Tasks::new(Arc::new(JobGraph::new(vertices, edges).unwrap()));
    run_all(&mut tasks);
    for (number, subtasks) in finished {
        for subtask in subtasks.clone() {
            tasks.set(task(*number, subtask), TaskState::Finished).unwrap();
        }
    }
    triggered(&tasks)
}

fn of(number: u8, subtasks: impl IntoIterator<Item = u32>) -> Vec<TaskId> {
    subtasks.into_iter().map(|subtask| task(number, subtask)).collect()
}

#[test]
fn behind_an_edge_to_all_no_task_is_triggered_while_one_before_it_runs() {
    let edge = Edge::all_to_all(vertex(1, 3).id, vertex(2, 3).id);
    assert_eq!(triggered_after(&[3, 3], vec![edge], &[(1, 0..2)]), of(1, [2]));
}

#[test]
fn behind_a_pointwise_edge_tasks_are_triggered_whose_own_producers_have_finished() {
    let edge = || vec![Edge::pointwise(vertex(1, 4).id, vertex(2, 4).id)];
    let expected = [of(1, 2..4), of(2, 0..2)].concat();
    assert_eq!(triggered_after(&[4, 4], edge(), &[(1, 0..2)]), expected);
    let expected = [of(1, 2..4), of(2, 1..2)].concat();
    assert_eq!(triggered_after(&[4, 4], edge(), &[(1, 0..2), (2, 0..1)]), expected);
}

#[test]
fn a_task_is_triggered_only_when_all_its_inputs_have_finished() {
    // A finished vertex to all, and two pointwise ones that have finished in part.
    let to = vertex(4, 5).id;
    let edges = vec![
        Edge::all_to_all(vertex(1, 3).id, to),
        Edge::pointwise(vertex(2, 5).id, to),
        Edge::pointwise(vertex(3, 5).id, to),
    ];
    let finished = [(1, 0..3), (2, 0..1), (2, 2..4), (3, 2..3), (3, 4..5)];
    let sources = [of(2, [1, 4]), of(3, [0, 1, 3])].concat();
    let expected = [sources.clone(), of(4, [2])].concat();
    assert_eq!(triggered_after(&[3, 5, 5, 5], edges.clone(), &finished), expected);
    let finished = [finished.as_slice(), &[(4, 2..3)]].concat();
    assert_eq!(triggered_after(&[3, 5, 5, 5], edges, &finished), sources, "which has finished itself");
}

#[test]
fn each_level_is_triggered_where_the_one_before_has_finished() {
    let [first, second, third, fourth, fifth] = [1, 2, 3, 4, 5].map(|number| vertex(number, 16).id);
    let edges = vec![
        Edge::pointwise(first, third),
        Edge::pointwise(first, fourth),
        Edge::all_to_all(second, fourth),
        Edge::pointwise(second, fifth),
        Edge::all_to_all(third, fifth),
    ];
    let expected = [of(1, 4..16), of(3, 2..4), of(4, 0..4)].concat();
    assert_eq!(triggered_after(&[16; 5], edges, &[(1, 0..4), (2, 0..16), (3, 0..2)]), expected);
}

#[test]
fn a_checkpoint_does_not_wait_for_what_comes_back() {
    let (first, second) = (vertex(1, 2).id, vertex(2, 2).id);
    let back = Edge::all_to_all(second, first).with_exchange(Exchange::Feedback);
    assert_eq!(triggered_after(&[2, 2], vec![Edge::keyed(first, second), back], &[]), of(1, 0..2));
}

#[test]
fn a_task_that_the_job_does_not_have_is_told_apart() {
    let mut tasks = Tasks::new(Arc::new(JobGraph::new(vec![vertex(1, 1)], vec![]).unwrap()));
    assert_eq!(tasks.set(task(1, 1), TaskState::Finished), None);
    assert_eq!(tasks.set(task(1, 0), TaskState::Finished), Some(TaskState::NotDeployed));
}
