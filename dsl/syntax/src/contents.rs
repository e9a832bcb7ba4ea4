//! The checks upstream makes once a text is read: every process named has a component.

use std::cell::Cell;
use std::collections::HashSet;

use paperflow_graph::similar::suggest;
use paperflow_graph::{Connection, Diagnostic, Graph, Origin};

use crate::diagnostics::{
    no_component, undefined_initial_target, undefined_inport, undefined_outport, undefined_source,
    undefined_target,
};

/// Finds processes without a component, and arrows and exports whose process does not exist.
///
/// The messages hold upstream's words, so that its users and tools find what they know.
#[must_use]
pub fn check_contents(graph: &Graph) -> Vec<Diagnostic> {
    let check = Check::new(graph);
    let mut diagnostics: Vec<Diagnostic> = Vec::new();
    let bare = graph
        .processes
        .iter()
        .filter(|process| process.component.is_none());
    diagnostics.extend(bare.map(|process| no_component(process.span, &process.name)));
    let lost_in = graph
        .inports
        .iter()
        .filter(|export| check.lacks(&export.process));
    diagnostics.extend(lost_in.map(|export| undefined_inport(export, check.near(&export.process))));
    let lost_out = graph
        .outports
        .iter()
        .filter(|export| check.lacks(&export.process));
    diagnostics
        .extend(lost_out.map(|export| undefined_outport(export, check.near(&export.process))));
    diagnostics.extend(
        graph
            .connections
            .iter()
            .flat_map(|connection| check.connection(connection)),
    );
    diagnostics
}

/// How many names a graph is searched for, each search being as long as the graph.
const SUGGESTIONS: usize = 20;

struct Check<'a> {
    graph: &'a Graph,
    names: HashSet<&'a str>,
    suggested: Cell<usize>,
}

impl<'a> Check<'a> {
    fn new(graph: &'a Graph) -> Self {
        let names = graph
            .processes
            .iter()
            .map(|process| process.name.as_str())
            .collect();
        Self {
            graph,
            names,
            suggested: Cell::new(0),
        }
    }

    fn lacks(&self, name: &str) -> bool {
        !self.names.contains(name)
    }

    /// The name that was meant. Only so many are looked for: a file in which nothing is declared
    /// gets its answer as fast as any other.
    fn near(&self, name: &str) -> Option<String> {
        let spent = self.suggested.replace(self.suggested.get() + 1);
        if spent >= SUGGESTIONS {
            return None;
        }
        suggest(
            name,
            self.graph
                .processes
                .iter()
                .map(|process| process.name.as_str()),
        )
    }

    fn connection(&self, connection: &Connection) -> Vec<Diagnostic> {
        let to = &connection.to;
        let near = |name: &str| self.lacks(name).then(|| self.near(name));
        let target = near(&to.process);
        match &connection.from {
            Origin::Initial(initial) => {
                let lost = target.map(|near| undefined_initial_target(&initial.value, to, near));
                lost.into_iter().collect()
            }
            Origin::Port(from) => {
                let source =
                    near(&from.process).map(|near| undefined_source(connection, from, near));
                let target = target.map(|near| undefined_target(connection, from, near));
                source.into_iter().chain(target).collect()
            }
        }
    }
}
