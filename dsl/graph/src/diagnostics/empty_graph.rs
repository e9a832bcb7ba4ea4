use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// The graph has no process at all, so running it does nothing.
    ///
    ///     # a file with only comments
    ///
    /// An empty graph is legal, and a good start for a drawing. Add a process:
    /// `Hello(flow/kick)`.
    "P0212", "graph without processes"
}

/// A graph in which nothing runs.
pub(crate) fn at(span: Span) -> Diagnostic {
    Diagnostic::warning(CODE, span, "the graph has no processes")
        .note("nothing to run")
        .help("add a process: `NAME(COMPONENT)`")
}
