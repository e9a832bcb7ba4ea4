use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// Subnets are nested too deep, or open to too many processes, to be meant.
    ///
    ///     # a.fbp uses b twice, b.fbp uses c twice, c.fbp uses d twice, ...
    ///
    /// Each level doubles the number of processes. A graph may nest 64 levels deep and open to a
    /// million processes. For many alike workers use an array port and a balancing component.
    "P0213", "graph beyond all measure"
}

/// A subnet that is one too many.
pub(crate) fn at(name: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        CODE,
        span,
        format!("opening subnet `{name}` makes the graph too big"),
    )
    .note("over 64 levels or a million processes")
    .help("look for a graph that uses another more often than meant")
}
