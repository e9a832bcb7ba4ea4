//! What is wrong with a graph, all of it in one go.
//!
//! Each check looks at the plan alone and never stops at the first find. What one mistake causes
//! elsewhere is not reported again: a process with an unknown component has no ports to compare,
//! and an end whose arrow could not be resolved counts as connected.

mod answers;
mod branches;
mod connectors;
pub mod drawing;
mod instances;
mod lists;
mod meanings;
mod names;
mod ports;
mod required;
mod start;
pub(crate) mod stores;
mod strict;
mod values;
mod wiring;

use std::collections::HashSet;

pub use stores::stores;
pub use strict::{STRICT, strict};

use crate::catalogue::{Catalogue, Component, Lookup, Port};
use crate::diagnostic::{Diagnostic, Severity};
use crate::diagnostics;
use crate::expand::{AUTOMATIC, Expanded, Resolve, Side, expand};
use crate::instances::spread;
use crate::model::Graph;
use crate::plan::{End, Plan};
use crate::source::Span;

/// A graph opened and looked over.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checked {
    /// What the engine is to wire; fit to run if no diagnostic is an error.
    pub plan: Plan,
    /// Everything that is wrong, in text order, none twice.
    pub diagnostics: Vec<Diagnostic>,
}

/// Opens a graph and runs every check over it.
pub fn examine(graph: &Graph, catalogue: &Catalogue, resolver: &mut dyn Resolve) -> Checked {
    let mut expanded = expand(graph, catalogue, resolver);
    let found = check(&expanded, catalogue);
    expanded.diagnostics.extend(found);
    if graph.processes.is_empty() {
        expanded
            .diagnostics
            .push(diagnostics::empty_graph::at(start_of(graph)));
    }
    let plan = if expanded.diagnostics.iter().any(is_error) {
        expanded.plan
    } else {
        spread(expanded.plan)
    };
    Checked {
        plan,
        diagnostics: tidy(expanded.diagnostics),
    }
}

/// Every check that needs the flat graph, in text order, none twice.
#[must_use]
pub fn check(expanded: &Expanded, catalogue: &Catalogue) -> Vec<Diagnostic> {
    let view = View::new(expanded, catalogue);
    let mut found = Vec::new();
    names::check(&view, &mut found);
    let balance = catalogue.find(crate::instances::BALANCE).is_some();
    instances::check(&view, balance, &mut found);
    let misnamed = ports::check(&view, &mut found);
    required::check(&view, &misnamed, &mut found);
    wiring::check(&view, &mut found);
    connectors::check(&view, &mut found);
    meanings::check(&view, &mut found);
    values::check(&view, &mut found);
    start::check(&view, &mut found);
    branches::check(&view, &mut found);
    answers::check(&view, &expanded.questions, &mut found);
    tidy(found)
}

/// Diagnostics in text order, without repetitions.
///
/// A subnet used twice shows its mistakes once. Where nothing is known about places, as in a graph
/// that was built by a program, only equal messages are repetitions.
#[must_use]
pub fn tidy(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    diagnostics.sort_by_key(|found| (found.span, found.code));
    let mut seen = HashSet::new();
    diagnostics.retain(|found| {
        let placed = found.span.start < found.span.end;
        let words = if placed { &found.note } else { &found.message };
        seen.insert((found.code, found.span, words.clone()))
    });
    diagnostics
}

fn is_error(found: &Diagnostic) -> bool {
    found.severity == Severity::Error
}

fn start_of(graph: &Graph) -> Span {
    let exports = graph
        .inports
        .iter()
        .chain(&graph.outports)
        .map(|export| export.span);
    let places = exports.chain(graph.properties.iter().map(|property| property.span));
    places
        .min()
        .map_or_else(Span::default, |span| Span::new(span.file, 0, 0))
}

/// What every check looks at.
struct View<'a> {
    plan: &'a Plan,
    loose: &'a [(Side, End)],
    /// The component of each process, where it is known.
    components: Vec<Option<&'a Component>>,
}

/// An end in use: an arrow, initial packet or export is on it.
struct Used<'a> {
    side: Side,
    end: &'a End,
    /// Where the port is written here.
    span: Span,
    /// The port is left out: its place is the arrow's.
    implied: bool,
}

impl<'a> View<'a> {
    fn new(expanded: &'a Expanded, catalogue: &'a Catalogue) -> Self {
        let plan = &expanded.plan;
        let mut known = Lookup::new(catalogue);
        let processes = plan.processes.iter();
        let components = processes
            .map(|process| known.find(&process.component))
            .collect();
        Self {
            plan,
            loose: &expanded.loose,
            components,
        }
    }

    /// Every end in use but the automatic ones, in no order, loose ends included.
    fn used(&self) -> impl Iterator<Item = Used<'a>> {
        let plan = self.plan;
        let arrows = plan
            .links
            .iter()
            .flat_map(|link| link.writers().map(move |at| (link, at)));
        let arrows = arrows.flat_map(|(link, writer)| {
            let reader = (Side::In, &link.to, writer.into, writer.into == writer.span);
            let implied = writer.end.span == writer.span;
            [reader, (Side::Out, &writer.end, writer.end.span, implied)]
        });
        let initials = plan.initials.iter().map(|initial| (Side::In, &initial.to));
        let inports = plan.inports.iter().map(|export| (Side::In, &export.end));
        let outports = plan.outports.iter().map(|export| (Side::Out, &export.end));
        let loose = self.loose.iter().map(|(side, end)| (*side, end));
        let others = initials.chain(inports).chain(outports).chain(loose);
        let others = others.map(|(side, end)| (side, end, end.span, false));
        let all = arrows
            .chain(others)
            .filter(|(_, end, ..)| end.port != AUTOMATIC);
        all.map(|(side, end, span, implied)| Used {
            side,
            end,
            span,
            implied,
        })
    }

    fn address(&self, process: usize) -> &'a str {
        self.plan
            .processes
            .get(process)
            .map_or("", |found| &found.address)
    }

    /// The declaration of a port, if component and port are known.
    fn port(&self, side: Side, end: &End) -> Option<&'a Port> {
        let component = (*self.components.get(end.process)?)?;
        match side {
            Side::In => component.input(&end.port),
            Side::Out => component.output(&end.port),
        }
    }

    /// `Process.PORT[i]`.
    fn name(&self, end: &End) -> String {
        match end.index {
            Some(index) => format!("{}.{}[{index}]", self.address(end.process), end.port),
            None => format!("{}.{}", self.address(end.process), end.port),
        }
    }
}

/// The declared ports of one side.
fn declared(component: &Component, side: Side) -> &[Port] {
    match side {
        Side::In => &component.inputs,
        Side::Out => &component.outputs,
    }
}

#[cfg(test)]
mod tests;
