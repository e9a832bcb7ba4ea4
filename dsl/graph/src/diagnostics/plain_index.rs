use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// A port is used as an array port, but the component does not declare it as one.
    ///
    ///     Read OUT -> IN[1] Show(console/write)
    ///
    /// IN of `Show` is one port without elements. Leave the index out. To join several streams,
    /// several arrows may end at one in-port; they share its link.
    "P0305", "index on a port without elements"
}

/// An index where there are no elements.
pub(crate) fn at(process: &str, port: &str, span: Span) -> Diagnostic {
    let message = format!("`{port}` of `{process}` is not an array port");
    Diagnostic::error(CODE, span, message)
        .note("has no elements")
        .help(format!("leave the index out: `{port}`"))
}
