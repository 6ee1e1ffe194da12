//! What must hold of the settings and a job together.

use super::checkpoint::CheckpointConfig;
use super::error::{ConfigError, Shown, shown};
use super::setting::AnySetting;
use super::settings::{INTERVAL, UNALIGNED};
use super::warning::ConfigWarning;
use crate::error::Result;
use crate::graph::{Edge, Exchange, InputSelection, JobGraph};

impl CheckpointConfig {
    /// Checks that checkpoints of this job can be taken with these settings, as Flink does when it makes a job's graph.
    /// Returns what should be looked at.
    ///
    /// # Errors
    ///
    /// `Configuration`, naming key, value, what the job has, rule and remedy: for unaligned checkpoints of a job with a
    /// feedback edge or a custom partitioner unless they are forced, and for periodic checkpoints of a job in which an
    /// operator chooses its input.
    pub fn validate(&self, graph: &JobGraph) -> Result<Vec<ConfigWarning>> {
        self.check_unaligned(graph)?;
        self.check_input_selection(graph)?;
        let blocking = graph.edges().iter().find(|edge| edge.exchange == Exchange::Blocking);
        let warning = blocking.filter(|_| self.interval().is_some()).map(|edge| ConfigWarning::NotInThisJob {
            key: INTERVAL.names.key,
            found: format!("the connection {} is blocking", ends(graph, edge)),
            why: "no checkpoint can be taken across it",
        });
        Ok(warning.into_iter().collect())
    }

    fn check_unaligned(&self, graph: &JobGraph) -> Result<(), ConfigError> {
        let forced = self.is_unaligned_forced() || !self.is_unaligned();
        let Some(edge) = graph.edges().iter().find(|edge| !forced && edge.needs_forced_unaligned()) else {
            return Ok(());
        };
        let (what, rule) = if edge.is_feedback() {
            ("leads back", "barriers that overtake records in a loop leave records out of the checkpoint")
        } else {
            ("has a custom partitioner", "records in flight on it cannot be handed to other subtasks")
        };
        Err(ConfigError::Job {
            setting: self.shown(&UNALIGNED),
            found: format!("the connection {} {what}", ends(graph, edge)),
            rule,
            remedy: "turn unaligned checkpoints off, or set execution.checkpointing.unaligned.forced at your own risk",
        })
    }

    fn check_input_selection(&self, graph: &JobGraph) -> Result<(), ConfigError> {
        let mut operators = graph.vertices().iter().flat_map(|vertex| &vertex.operators);
        let choosing = operators.find(|operator| operator.input_selection == InputSelection::Operator);
        match choosing {
            Some(operator) if self.interval().is_some() => Err(ConfigError::Job {
                setting: self.shown(&INTERVAL),
                found: format!("operator '{}' chooses the input that it reads", shown(&operator.name)),
                rule: "it may wait for an input that is held back until the barriers of all have come",
                remedy: "leave the interval away, or let the task choose",
            }),
            _ => Ok(()),
        }
    }

    fn shown(&self, setting: &dyn AnySetting) -> Shown {
        Shown { key: setting.names().key, value: setting.shown(self.values()), layer: None }
    }
}

/// The names of what an edge connects.
fn ends(graph: &JobGraph, edge: &Edge) -> String {
    let name = |id| graph.vertex(id).map_or_else(String::new, |vertex| shown(&vertex.name));
    format!("from '{}' to '{}'", name(edge.from), name(edge.to))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::graph::{Operator, Vertex};
    use crate::id::{OperatorId, VertexId};

    const SOURCE: VertexId = VertexId::new([1; 16]);
    const COUNT: VertexId = VertexId::new([2; 16]);

    fn graph(edges: &[Edge], selection: InputSelection) -> JobGraph {
        let vertex = |id: VertexId, name: &str| {
            let operator = Operator::new(OperatorId::new(id.bytes()), name).with_input_selection(selection);
            Vertex::new(id, name, 2, vec![operator]).unwrap()
        };
        JobGraph::new(vec![vertex(SOURCE, "source"), vertex(COUNT, "count")], edges.to_vec()).unwrap()
    }

    #[test]
    fn unaligned_checkpoints_across_feedback_and_custom_partitioners_are_forced_or_refused() {
        let back = [Edge::all_to_all(SOURCE, COUNT), Edge::all_to_all(COUNT, SOURCE).with_exchange(Exchange::Feedback)];
        let custom = [Edge::custom(SOURCE, COUNT)];
        let plain = [Edge::pointwise(SOURCE, COUNT), Edge::broadcast(SOURCE, COUNT), Edge::keyed(SOURCE, COUNT)];
        let unaligned = CheckpointConfig::builder().unaligned(true);
        let forced = unaligned.clone().unaligned_forced(true).build().unwrap();
        let unaligned = unaligned.build().unwrap();
        for (edges, message) in [
            (
                &back[..],
                "the connection from 'count' to 'source' leads back, and barriers that overtake records in a loop leave \
                 records out of the checkpoint",
            ),
            (
                &custom[..],
                "the connection from 'source' to 'count' has a custom partitioner, and records in flight on it cannot \
                 be handed to other subtasks",
            ),
        ] {
            let graph = graph(edges, InputSelection::Task);
            let expected = format!(
                "execution.checkpointing.unaligned.enabled = 'true' is refused for this job: {message}; turn unaligned \
                 checkpoints off, or set execution.checkpointing.unaligned.forced at your own risk"
            );
            assert_eq!(unaligned.validate(&graph).unwrap_err().to_string(), expected);
            assert_eq!(forced.validate(&graph).unwrap(), []);
            assert_eq!(CheckpointConfig::default().validate(&graph).unwrap(), []);
        }
        assert_eq!(unaligned.validate(&graph(&plain, InputSelection::Task)).unwrap(), []);
    }

    #[test]
    fn an_operator_that_chooses_its_input_is_refused_with_periodic_checkpoints() {
        let edges = [Edge::keyed(SOURCE, COUNT)];
        let config = CheckpointConfig::builder().interval(Duration::from_secs(1)).build().unwrap();
        let error = config.validate(&graph(&edges, InputSelection::Operator)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "execution.checkpointing.interval = '1 s' is refused for this job: operator 'source' chooses the input \
             that it reads, and it may wait for an input that is held back until the barriers of all have come; leave \
             the interval away, or let the task choose"
        );
        assert!(config.validate(&graph(&edges, InputSelection::Task)).is_ok());
        assert!(CheckpointConfig::default().validate(&graph(&edges, InputSelection::Operator)).is_ok());
    }

    #[test]
    fn an_interval_in_a_job_with_a_blocking_connection_has_no_effect() {
        let graph = graph(&[Edge::keyed(SOURCE, COUNT).with_exchange(Exchange::Blocking)], InputSelection::Task);
        let config = CheckpointConfig::builder().interval(Duration::from_secs(1)).build().unwrap();
        let warnings = config.validate(&graph).unwrap();
        assert_eq!(
            warnings.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["execution.checkpointing.interval has no effect in this job: the connection from 'source' to 'count' is \
              blocking, and no checkpoint can be taken across it"]
        );
        assert_eq!(CheckpointConfig::default().validate(&graph).unwrap(), []);
    }
}
