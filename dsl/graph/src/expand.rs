//! From a drawing to a plan: subnets opened, ports spelled as declared, links shared.
//!
//! A subnet leaves no process behind. Its processes get addresses such as `Outer/Inner`, and
//! arrows to its public ports go straight to the inner ports. What cannot be resolved is
//! reported and left out; its other end is kept in [`Expanded::loose`], so that no check
//! complains about it a second time.

mod connectors;
mod diverts;
mod ends;
mod exports;
mod links;
mod terms;
mod tree;
mod wired;

use std::sync::Arc;

use crate::catalogue::Catalogue;
use crate::diagnostic::Diagnostic;
use crate::model::Graph;
use crate::plan::{End, Plan};
use crate::source::{FileId, Span};
use crate::wiring::Wiring;

pub(crate) use ends::AUTOMATIC;
use tree::Tree;

/// A graph that opens to more processes than this is taken for a mistake.
pub(crate) const MOST_PROCESSES: usize = 1_000_000;

/// Which side of a process a port is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Where packets come in.
    In,
    /// Where packets go out.
    Out,
}

impl Side {
    /// The other side.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::In => Self::Out,
            Self::Out => Self::In,
        }
    }

    /// `in-port` or `out-port`.
    #[must_use]
    pub const fn port(self) -> &'static str {
        match self {
            Self::In => "in-port",
            Self::Out => "out-port",
        }
    }
}

/// Finds the graphs that other graphs use as components.
pub trait Resolve {
    /// The graph that `name` stands for in the file `from`, parsed.
    fn subnet(&mut self, name: &str, from: FileId) -> Option<Arc<Graph>>;

    /// Whether the text of `from` itself has a network of this name: that goes before a component of the
    /// catalogue, so that a new component or alias changes no graph that was there before.
    fn is_local(&mut self, _name: &str, _from: FileId) -> bool {
        false
    }

    /// Every subnet name the file `from` could use, for suggestions.
    fn names(&mut self, _from: FileId) -> Vec<String> {
        Vec::new()
    }
}

/// A resolver that knows no subnet.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSubnets;

impl Resolve for NoSubnets {
    fn subnet(&mut self, _name: &str, _from: FileId) -> Option<Arc<Graph>> {
        None
    }
}

/// A flat graph, and what was wrong on the way to it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expanded {
    /// The flat graph, without the arrows that could not be resolved.
    pub plan: Plan,
    /// What is wrong, in no order.
    pub diagnostics: Vec<Diagnostic>,
    /// Ends that an unresolved arrow would have joined.
    pub loose: Vec<(Side, End)>,
    /// Rules written on arrows, by key, that decide which packets pass.
    pub rules: Vec<(String, Span)>,
    /// Arrows whose packets are to be answered.
    pub questions: Vec<Question>,
}

/// An arrow with `pattern=in-out`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// Index of the process that asks.
    pub from: usize,
    /// Index of the process that is to answer.
    pub to: usize,
    /// Where the pattern is written.
    pub span: Span,
}

/// Opens every subnet of a graph and joins arrows into links.
pub fn expand(graph: &Graph, catalogue: &Catalogue, resolver: &mut dyn Resolve) -> Expanded {
    let graph = Arc::new(graph.clone());
    expand_in(Surroundings::default(), graph, catalogue, resolver)
}

/// What is known of a graph that does not stand in it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Surroundings<'a> {
    /// The stem of its file, from which ids and names of connectors are made if it has no `@app-id`.
    pub stem: Option<&'a str>,
    /// What a wiring file says of it; an empty one when stores are to be declared and none is.
    pub wiring: Option<&'a Wiring>,
}

/// As [`expand`], in its surroundings.
pub fn expand_in(
    around: Surroundings<'_>,
    graph: Arc<Graph>,
    catalogue: &Catalogue,
    resolver: &mut dyn Resolve,
) -> Expanded {
    let mut tree = Tree::new(catalogue, resolver, around);
    tree.open_top(graph);
    tree.join();
    tree.finish()
}

#[cfg(test)]
mod tests;
