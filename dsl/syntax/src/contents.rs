//! The checks upstream makes once a text is read: every process named has a component.

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
    let bare = graph.processes.iter().filter(|process| process.component.is_none());
    diagnostics.extend(bare.map(|process| no_component(process.span, &process.name)));
    let lost_in = graph.inports.iter().filter(|export| check.lacks(&export.process));
    diagnostics.extend(lost_in.map(|export| undefined_inport(export, check.near(&export.process))));
    let lost_out = graph.outports.iter().filter(|export| check.lacks(&export.process));
    diagnostics.extend(lost_out.map(|export| undefined_outport(export, check.near(&export.process))));
    diagnostics.extend(graph.connections.iter().flat_map(|connection| check.connection(connection)));
    diagnostics
}

struct Check<'a> {
    graph: &'a Graph,
    names: HashSet<&'a str>,
}

impl<'a> Check<'a> {
    fn new(graph: &'a Graph) -> Self {
        let names = graph.processes.iter().map(|process| process.name.as_str()).collect();
        Self { graph, names }
    }

    fn lacks(&self, name: &str) -> bool {
        !self.names.contains(name)
    }

    fn near(&self, name: &str) -> Option<String> {
        suggest(name, self.graph.processes.iter().map(|process| process.name.as_str()))
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
                let source = near(&from.process).map(|near| undefined_source(connection, from, near));
                let target = target.map(|near| undefined_target(connection, from, near));
                source.into_iter().chain(target).collect()
            }
        }
    }
}
