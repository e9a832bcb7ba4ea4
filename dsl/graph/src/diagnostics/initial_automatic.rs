use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// An initial packet is sent to `*`, the port that holds a process back until another has
    /// ended.
    ///
    ///     'go' -> * Report(flow/count)
    ///
    /// An initial packet is always there, so it would hold nothing back. Send it to a port by
    /// name, or draw an arrow to `*`.
    "P0314", "initial packet to an automatic port"
}

/// An initial packet to `*`.
pub(crate) fn at(process: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        CODE,
        span,
        format!("initial packet to the automatic port of `{process}`"),
    )
    .note("holds nothing back")
    .help("send it to a port by name, or remove it")
}
