use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// A process takes packets, but nothing is connected to it, and it is connected to nothing.
    ///
    ///     Read(file/lines) OUT -> IN Show(console/write)
    ///     Count(flow/count)
    ///
    /// `Count` never gets a packet. Connect it, or remove it.
    "P0309", "process that nothing leads to"
}

/// A process that stands alone.
pub(crate) fn at(address: &str, span: Span) -> Diagnostic {
    Diagnostic::warning(CODE, span, format!("nothing leads to process `{address}`"))
        .note("never gets a packet")
        .help("connect it, or remove it")
}
