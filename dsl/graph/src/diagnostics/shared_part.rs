use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::wiring::Written;

explained! {
    /// A process is given to two parts of the graph, or twice to one.
    ///
    ///     [part.front]
    ///     processes = ["Order", "Pay"]
    ///     [part.back]
    ///     processes = ["Pay"]
    ///
    /// A process runs in one part. To have several share its work, write `instances=N` on it, or run
    /// the part several times.
    "P0324", "process in two parts"
}

/// A process or subnet that has a part already.
pub(crate) fn at(address: &Written, first: Span) -> Diagnostic {
    let message = format!("`{}` has a part already", address.text);
    Diagnostic::error(CODE, address.span, message)
        .note("the second part")
        .label(first, "the first part")
        .help("leave it out of one of them")
}
