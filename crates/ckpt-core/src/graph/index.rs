//! What makes looking things up in a graph fast, and what is checked while it is made.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::error::GraphError;
use crate::graph::{Edge, Operator, Vertex};
use crate::id::{OperatorId, VertexId};

/// Places in the lists of vertices and edges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Index {
    vertices: BTreeMap<VertexId, usize>,
    /// Under both identities: the vertex, and the place in its chain.
    operators: BTreeMap<OperatorId, (usize, usize)>,
    /// By vertex.
    inputs: Vec<Vec<usize>>,
    outputs: Vec<Vec<usize>>,
    /// By vertex, how many tasks all before it have; and, last, how many there are.
    first_tasks: Vec<usize>,
    pub(super) topological: Vec<usize>,
}

impl Index {
    pub(super) fn new(vertices: &[Vertex], edges: &[Edge]) -> Result<Self, GraphError> {
        if vertices.is_empty() {
            return Err(GraphError::Empty);
        }
        let mut index = Self {
            vertices: BTreeMap::new(),
            operators: BTreeMap::new(),
            inputs: vec![Vec::new(); vertices.len()],
            outputs: vec![Vec::new(); vertices.len()],
            first_tasks: vec![0],
            topological: Vec::with_capacity(vertices.len()),
        };
        let mut tasks = 0;
        for (at, vertex) in vertices.iter().enumerate() {
            index.add_vertex(at, vertex)?;
            tasks += vertex.parallelism as usize;
            index.first_tasks.push(tasks);
        }
        for (at, edge) in edges.iter().enumerate() {
            let end = |vertex| index.vertex(vertex).ok_or(GraphError::EdgeToNowhere { vertex });
            let (from, to) = (end(edge.from)?, end(edge.to)?);
            index.outputs[from].push(at);
            index.inputs[to].push(at);
        }
        index.sort(vertices, edges)?;
        Ok(index)
    }

    fn add_vertex(&mut self, at: usize, vertex: &Vertex) -> Result<(), GraphError> {
        check_name("name of vertex", || vertex.id.to_string(), &vertex.name)?;
        if self.vertices.insert(vertex.id, at).is_some() {
            return Err(GraphError::VertexTwice { vertex: vertex.id });
        }
        if vertex.parallelism == 0 || vertex.parallelism > u32::from(vertex.max_parallelism.get()) {
            let (vertex, found, max) = (vertex.name.clone(), vertex.parallelism, vertex.max_parallelism);
            return Err(GraphError::Parallelism { vertex, found, max });
        }
        if vertex.operators.is_empty() {
            return Err(GraphError::NoOperator { vertex: vertex.name.clone() });
        }
        for (place, operator) in vertex.operators.iter().enumerate() {
            check_operator(operator)?;
            for id in operator.ids() {
                if self.operators.insert(id, (at, place)).is_some() {
                    return Err(GraphError::OperatorTwice { operator: id });
                }
            }
        }
        Ok(())
    }

    /// Finds the topological order, in which vertices keep the order they were given in as far as may be.
    fn sort(&mut self, vertices: &[Vertex], edges: &[Edge]) -> Result<(), GraphError> {
        let forward = |edge: &&usize| !edges[**edge].is_feedback();
        let mut missing: Vec<usize> = self.inputs.iter().map(|inputs| inputs.iter().filter(forward).count()).collect();
        let mut ready: VecDeque<usize> = (0..vertices.len()).filter(|&at| missing[at] == 0).collect();
        while let Some(at) = ready.pop_front() {
            self.topological.push(at);
            for edge in self.outputs[at].iter().filter(forward) {
                let Some(to) = self.vertex(edges[*edge].to) else { continue };
                missing[to] -= 1;
                if missing[to] == 0 {
                    ready.push_back(to);
                }
            }
        }
        // What is never ready lies on a circle or behind one. Walking back along missing inputs ends up on it.
        let Some(mut at) = missing.iter().position(|&missing| missing > 0) else { return Ok(()) };
        let mut seen = BTreeSet::new();
        while seen.insert(at) {
            let inputs = self.inputs[at].iter().filter(forward);
            let before = inputs.filter_map(|edge| self.vertex(edges[*edge].from)).find(|&from| missing[from] > 0);
            at = before.unwrap_or(at);
        }
        Err(GraphError::Cycle { vertex: vertices[at].name.clone() })
    }

    pub(super) fn vertex(&self, id: VertexId) -> Option<usize> {
        self.vertices.get(&id).copied()
    }

    pub(super) fn operator(&self, id: OperatorId) -> Option<(usize, usize)> {
        self.operators.get(&id).copied()
    }

    pub(super) fn inputs(&self, vertex: VertexId) -> &[usize] {
        self.vertex(vertex).map_or(&[], |at| &self.inputs[at])
    }

    pub(super) fn outputs(&self, vertex: VertexId) -> &[usize] {
        self.vertex(vertex).map_or(&[], |at| &self.outputs[at])
    }

    pub(super) fn first_task(&self, vertex: usize) -> usize {
        self.first_tasks[vertex]
    }

    pub(super) fn task_count(&self) -> usize {
        self.first_tasks.last().copied().unwrap_or(0)
    }
}

fn check_operator(operator: &Operator) -> Result<(), GraphError> {
    let id = || operator.id.to_string();
    check_name("name of operator", id, &operator.name)?;
    if let Some(uid) = &operator.uid {
        check_name("uid of operator", id, uid)?;
    }
    let mut states = BTreeSet::new();
    for state in &operator.states {
        let name = state.descriptor().name();
        if !states.insert(name) {
            return Err(GraphError::StateTwice { operator: operator.id, state: name.to_owned() });
        }
    }
    Ok(())
}

fn check_name(what: &'static str, of: impl Fn() -> String, name: &str) -> Result<(), GraphError> {
    if name.is_empty() || name.len() > Operator::MAX_NAME_BYTES {
        return Err(GraphError::Name { what, of: of(), found_bytes: name.len() });
    }
    Ok(())
}
