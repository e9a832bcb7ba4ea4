//! What can be told from one drawing alone, without opening its subnets.

use std::cell::Cell;
use std::collections::HashMap;

use crate::diagnostic::Diagnostic;
use crate::diagnostics;
use crate::expand::Side;
use crate::model::{Export, Graph, Process};
use crate::places::Places;
use crate::similar::suggest;

/// What the reference parser checks once a text is read: every process has a component, every
/// arrow and export joins processes that are defined.
#[must_use]
pub fn contents(graph: &Graph) -> Vec<Diagnostic> {
    among(graph, &names(graph))
}

/// Where the processes of a graph are, by name; of equal names the last.
pub(crate) fn names(graph: &Graph) -> Places {
    let processes = &graph.processes;
    Places::of(processes.len(), |at| processes[at].name.as_str())
}

fn among(graph: &Graph, places: &Places) -> Vec<Diagnostic> {
    let names = Names {
        processes: &graph.processes,
        places,
        suggestions_left: Cell::new(SUGGESTIONS),
    };
    let bare = graph.processes.iter().filter(|process| is_bare(process));
    let mut found: Vec<_> = bare.map(diagnostics::missing_component::at).collect();
    let arrows = graph.connections.iter();
    found.extend(arrows.flat_map(|arrow| diagnostics::unknown_process::of(arrow, &names)));
    found.extend(nowhere(&names, &graph.inports, Side::In));
    found.extend(nowhere(&names, &graph.outports, Side::Out));
    found
}

/// The same, and what is defined twice.
#[must_use]
pub(crate) fn check(graph: &Graph, names: &Places) -> Vec<Diagnostic> {
    let mut found = among(graph, names);
    let redefined = graph
        .processes
        .iter()
        .filter(|process| !process.redefined.is_empty());
    found.extend(redefined.map(diagnostics::redefined_process::at));
    found.extend(doubled(&graph.inports, Side::In));
    found.extend(doubled(&graph.outports, Side::Out));
    found
}

/// How many misspelt names are compared with every name of the graph; the rest get plain help, so
/// that a graph of mistakes is checked in linear time.
pub(crate) const SUGGESTIONS: usize = 20;

/// The names of a graph's processes.
pub(crate) struct Names<'a> {
    processes: &'a [Process],
    places: &'a Places,
    suggestions_left: Cell<usize>,
}

impl Names<'_> {
    pub(crate) fn has(&self, name: &str) -> bool {
        let name_of = |at: usize| self.processes[at].name.as_str();
        self.places.find(&name, name_of).is_some()
    }

    /// The name that was meant.
    pub(crate) fn near(&self, name: &str) -> Option<String> {
        let left = self.suggestions_left.get().checked_sub(1)?;
        self.suggestions_left.set(left);
        let processes = self.processes.iter();
        let mut sorted: Vec<&str> = processes.map(|process| process.name.as_str()).collect();
        sorted.sort_unstable();
        suggest(name, sorted)
    }
}

fn is_bare(process: &Process) -> bool {
    process.component.as_deref().unwrap_or_default().is_empty()
}

fn nowhere(names: &Names<'_>, exports: &[Export], side: Side) -> impl Iterator<Item = Diagnostic> {
    let lost = exports.iter().filter(|export| !names.has(&export.process));
    lost.map(move |export| diagnostics::export_nowhere::at(export, side, names))
}

fn doubled(exports: &[Export], side: Side) -> Vec<Diagnostic> {
    let mut earlier: HashMap<String, &Export> = HashMap::new();
    let replaced = exports.iter().filter_map(|export| {
        let first = earlier.insert(export.public.to_ascii_lowercase(), export)?;
        Some(diagnostics::doubled_export::at(first, export, side))
    });
    replaced.collect()
}
