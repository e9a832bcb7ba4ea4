use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// Subnets are nested too deep, or open to too many processes, to be meant.
    ///
    ///     # a.fbp uses b twice, b.fbp uses c twice, c.fbp uses d twice, ...
    ///
    /// Each level doubles the number of processes. Subnets may nest 64 levels deep and open to
    /// 100,000 processes and subnets. For many alike workers use `instances=N`, or an array port and a
    /// balancing component.
    "P0213", "graph beyond all measure"
}

/// A subnet that is one too many.
///
/// `size` is the number of processes it opens to, if that is too many.
pub(crate) fn at(name: &str, size: Option<usize>, span: Span) -> Diagnostic {
    let note = match size {
        Some(usize::MAX) => String::from("more processes than can be counted"),
        Some(size) => format!("{size} processes and subnets; a graph opens to 100000 at most"),
        None => String::from("over 64 levels deep"),
    };
    Diagnostic::error(
        CODE,
        span,
        format!("opening subnet `{name}` makes the graph too big"),
    )
    .note(note)
    .help("look for a graph that uses another more often than meant")
}
