//! What several test files share.

use paperflow_graph::{Graph, Origin, Sources, Span};
use paperflow_syntax::{Options, Parsed, parse};

/// Reads a text from a file of that stem.
pub(crate) fn read(stem: &str, text: &str) -> Parsed {
    let mut sources = Sources::new();
    let file = sources.add(format!("{stem}.fbp"), text);
    parse(&sources, file, Options::default())
}

/// The graph without its places.
pub(crate) fn bare(graph: &Graph) -> Graph {
    let mut graph = graph.clone();
    let none = Span::default();
    graph
        .properties
        .iter_mut()
        .for_each(|property| property.span = none);
    for export in graph.inports.iter_mut().chain(&mut graph.outports) {
        (export.span, export.port.span) = (none, none);
    }
    for process in &mut graph.processes {
        (process.span, process.component_span) = (none, None);
        process.redefined.clear();
    }
    for connection in &mut graph.connections {
        (connection.span, connection.to.span, connection.to.port.span) = (none, none, none);
        connection.metadata_spans.clear();
        connection
            .attributes
            .iter_mut()
            .for_each(|attribute| attribute.span = none);
        match &mut connection.from {
            Origin::Port(end) => (end.span, end.port.span) = (none, none),
            Origin::Initial(initial) => initial.span = none,
        }
    }
    graph
}
