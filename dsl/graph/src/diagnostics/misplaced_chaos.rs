use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// An arc is to do something wrong that it cannot do.
    ///
    ///     A OUT ->(chaos="drop=20%") IN B
    ///     A OUT ->(stream, chaos="reorder=20%") IN B
    ///
    /// What is lost in memory is lost for good, since nothing keeps it to give it again: a memory arc has
    /// no chaos; make it a queue, a stream or pubsub. A stream keeps its order whatever happens, so
    /// nothing in it is reordered.
    "P0523", "chaos that the arc cannot have"
}

/// Chaos on a memory arc.
pub(crate) fn memory(span: Span) -> Diagnostic {
    Diagnostic::error(CODE, span, "`chaos` on a memory arc")
        .note("nothing would give again what is lost")
        .help("make the arc a queue, a stream or pubsub, or leave it out")
}

/// A stream that is to lose its order.
pub(crate) fn reordered(name: &str, span: Span) -> Diagnostic {
    let message = format!("the stream `{name}` cannot `reorder`");
    Diagnostic::error(CODE, span, message)
        .note("a stream keeps its order")
        .help("leave `reorder` out, or make the arc a queue")
}
