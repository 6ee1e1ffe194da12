//! Runs configurations and says what came of them.

use std::fmt::{Debug, Display};
use std::hash::Hash;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use stateright::{Checker, HasDiscoveries, Model, Path, Property, UniformChooser};

use crate::configuration::{ALL, Configuration, Of, Search};
use crate::ownership::Ownership;
use crate::rules::{Break, Rules};
use crate::scene::Events;
use crate::world::Commit;

/// Checks every order of steps, crashes and requests of leaders that commit checkpoints, over the code that ships.
#[derive(Debug, Parser)]
struct Arguments {
    /// Looks at about that many states of each configuration at most.
    #[arg(long, value_name = "N")]
    states: Option<usize>,
    /// Breaks rules of the protocol, one at a time, and sees that each break is found.
    #[arg(long)]
    mutants: bool,
    /// Only the configuration of that name, or the breaks with that in their names.
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// Where random walks begin.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// How many threads.
    #[arg(long, value_name = "N", default_value_t = 2)]
    threads: usize,
}

/// What came of one configuration.
struct Outcome {
    states: usize,
    unique: usize,
    depth: usize,
    is_cut: bool,
    seconds: f64,
    properties: usize,
    /// The property that does not hold, and how one gets there.
    violated: Option<(&'static str, String)>,
    not_reached: Vec<&'static str>,
}

/// Runs what the command line asks for.
pub(crate) fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let (mut passed, mut failed) = (0, 0);
    let mut count = |ok: bool| if ok { passed += 1 } else { failed += 1 };
    if arguments.mutants {
        let chosen = |name: &str| arguments.only.as_deref().is_none_or(|only| name.contains(only));
        for (broken, configuration, about) in Break::ALL {
            let name = format!("{broken:?}");
            let found = ALL.iter().find(|known| known.name == *configuration);
            if let Some(configuration) = found.filter(|_| chosen(&name)) {
                count(find(*broken, &name, about, configuration, &arguments));
            }
        }
    } else {
        let asked_for = |name: &str| arguments.only.as_deref().is_none_or(|only| only == name);
        for configuration in ALL.iter().filter(|configuration| asked_for(configuration.name)) {
            count(check(configuration, &arguments));
        }
    }
    println!("\n{passed} passed, {failed} failed");
    if failed == 0 && passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Sees that a configuration holds.
fn check(configuration: &Configuration, arguments: &Arguments) -> bool {
    println!("\n{}: {}", configuration.name, configuration.about);
    println!("  {}", configuration.of);
    let outcome = run(configuration, Rules::kept(), arguments);
    let Outcome { states, unique, depth, is_cut, seconds, properties, violated, not_reached } = outcome;
    let (all, how) = match (configuration.search, is_cut) {
        (Search::Random(_), _) => (format!("{states} states of walks"), "random: states may be the same"),
        (_, true) => (format!("{states} states, {unique} unique"), "CUT: not every state was looked at"),
        (_, false) => (format!("{states} states, {unique} unique"), "complete"),
    };
    println!("  {all}, depth {depth}, {how}, {properties} properties, {seconds:.1} s");
    if let Some((property, path)) = &violated {
        println!("  VIOLATED: {property}, after {unique} states\n{path}");
    }
    // What was not reached when the search was cut may lie beyond.
    let is_over = if is_cut { "not reached yet" } else { "NOT REACHED" };
    for property in &not_reached {
        println!("  {is_over}: {property}");
    }
    violated.is_none() && (is_cut || not_reached.is_empty())
}

/// Sees that a break is found.
fn find(broken: Break, name: &str, about: &str, configuration: &Configuration, arguments: &Arguments) -> bool {
    let outcome = run(configuration, Rules::but(broken), arguments);
    let (unique, seconds) = (outcome.unique, outcome.seconds);
    match &outcome.violated {
        Some((property, _)) => {
            println!("found    {name}: {about}\n         by \"{property}\" after {unique} states, {seconds:.1} s");
        }
        None => println!("SURVIVED {name}: {about}\n         {unique} states, {seconds:.1} s"),
    }
    outcome.violated.is_some()
}

fn run(configuration: &Configuration, rules: Rules, arguments: &Arguments) -> Outcome {
    match configuration.of {
        Of::Commit(mut bounds) => {
            bounds.aborts_while_committing = rules.is(Break::AbortedWhileCommitting);
            let model = Commit { bounds, rules, events: Events::default() };
            run_model(model, configuration.search, arguments)
        }
        Of::Ownership(plan) => {
            let model = Ownership { plan, rules, events: Events::default() };
            run_model(model, configuration.search, arguments)
        }
    }
}

fn run_model<M>(model: M, search: Search, arguments: &Arguments) -> Outcome
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + Debug + Display + Hash + PartialEq + Send + Sync + 'static,
    M::Action: Clone + Debug + Display + PartialEq + Send + Sync + 'static,
{
    let all = model.properties();
    let most = match search {
        Search::Exhaustive => arguments.states,
        Search::Random(states) => Some(arguments.states.unwrap_or(states)),
    };
    let mut checker = model.checker().threads(arguments.threads).finish_when(HasDiscoveries::AnyFailures);
    if let Some(states) = most {
        checker = checker.target_state_count(states);
    }
    match search {
        Search::Exhaustive => outcome(checker.spawn_bfs(), &all, most),
        Search::Random(_) => outcome(checker.spawn_simulation(arguments.seed, UniformChooser), &all, most),
    }
}

fn outcome<M>(checker: impl Checker<M>, all: &[Property<M>], most: Option<usize>) -> Outcome
where
    M: Model,
    M::State: Clone + Debug + Display + Hash + PartialEq,
    M::Action: Clone + Debug + Display + PartialEq,
{
    let started = Instant::now();
    let checker = checker.join();
    let found = checker.discoveries();
    let is_failure = |property: &&Property<M>| property.expectation.discovery_is_failure();
    let violated = all.iter().filter(is_failure).find_map(|property| {
        let path = found.get(property.name)?.clone();
        Some((property.name, script(path)))
    });
    let reached = |property: &&Property<M>| found.contains_key(property.name);
    let not_reached = all.iter().filter(|property| !is_failure(property) && !reached(property));
    Outcome {
        states: checker.state_count(),
        unique: checker.unique_state_count(),
        depth: checker.max_depth(),
        is_cut: most.is_some_and(|states| checker.state_count() >= states),
        seconds: started.elapsed().as_secs_f64(),
        properties: all.len(),
        violated,
        not_reached: not_reached.map(|property| property.name).collect(),
    }
}

/// How one gets there, step by step.
fn script<State: Display, Action: Display>(path: Path<State, Action>) -> String {
    let steps = path.into_vec();
    let after = steps.iter().skip(1).map(|(state, _)| state);
    let mut lines = Vec::new();
    for (number, ((_, action), state)) in steps.iter().zip(after).enumerate() {
        if let Some(action) = action {
            lines.push(format!("  {:>3}. {action}\n       {state}", number + 1));
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(states: usize) -> Arguments {
        Arguments { states: Some(states), mutants: false, only: None, seed: 1, threads: 1 }
    }

    #[test]
    fn what_ships_holds_as_far_as_a_test_can_look() {
        for configuration in ALL {
            let outcome = run(configuration, Rules::kept(), &arguments(500));
            assert!(outcome.violated.is_none(), "{}: {:?}", configuration.name, outcome.violated);
        }
    }

    #[test]
    fn a_break_is_found_and_its_script_ends_where_it_shows() {
        let configuration = ALL.iter().find(|known| known.name == "doubt").unwrap();
        let rules = Rules::but(Break::StoreIgnoresTheCondition);
        let (property, script) = run(configuration, rules, &arguments(20_000)).violated.unwrap();
        assert_eq!(property, "versions and epochs ascend");
        assert!(script.starts_with("    1. a process: Start(Present)"), "{script}");
        assert!(script.contains("Put("), "{script}");
    }

    #[test]
    fn breaks_are_looked_for_in_configurations_that_are_there() {
        for (broken, configuration, _) in Break::ALL {
            assert!(ALL.iter().any(|known| known.name == *configuration), "{broken:?}");
        }
    }
}
