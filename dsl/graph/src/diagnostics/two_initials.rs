use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// A port has two initial packets; it takes at most one.
    ///
    ///     '10' -> COUNT Numbers(flow/generate)
    ///     '20' -> COUNT Numbers
    ///
    /// Remove one of them. To send several packets, use a component that makes them.
    "P0304", "two initial packets on one port"
}

/// An in-port element with more than one, by their places in text order.
pub(crate) fn at(port: &str, first: Span, second: Span) -> Diagnostic {
    let message = format!("in-port `{port}` has two initial packets");
    Diagnostic::error(CODE, second, message)
        .note("second initial packet")
        .label(first, "first initial packet")
        .help("remove one of them")
}
