use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// A classic border is joined to another border, or is used from its wrong side, so no
    /// process stands between two ends of the subnet.
    ///
    ///     'A' -> NAME In(SubIn) OUT -> IN Out(SubOut)  'B' -> NAME Out
    ///
    /// Borders leave no process behind, so there is nothing to carry the packets. Put a process
    /// between them, `In OUT -> IN Pass(flow/pass) OUT -> IN Out`, or leave the subnet out.
    "P0214", "border joined to a border"
}

/// A border that no inner process stands behind.
pub(crate) fn at(border: &str, span: Span) -> Diagnostic {
    let message = format!("border `{border}` is not joined to an inner process on this side");
    Diagnostic::error(CODE, span, message)
        .note("a border needs a process behind it")
        .help("put a `flow/pass` between the borders")
}
