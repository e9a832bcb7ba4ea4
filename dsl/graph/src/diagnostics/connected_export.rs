use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// An out-port is exported and also connected inside the graph. A packet cannot go both ways.
    ///
    ///     Read OUT -> IN Show(console/write)
    ///     OUTPORT=Read.OUT:LINES
    ///
    /// Remove one of them, or put a `flow/replicate` between and export one of its elements. An
    /// in-port may have both: arrows inside and the export share its link.
    "P0313", "export of a connected out-port"
}

/// An out-port with both.
pub(crate) fn at(port: &str, export: Span, other: Span) -> Diagnostic {
    let message = format!("out-port `{port}` is exported and leads elsewhere too");
    Diagnostic::error(CODE, export, message)
        .note("exported here")
        .label(other, "and used here")
        .help("put a `flow/replicate` between and export one of its elements")
}
