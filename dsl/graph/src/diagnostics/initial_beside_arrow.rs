use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// A port has an initial packet and an arrow, so which comes first would be chance.
    ///
    ///     'menu.txt' -> SOURCE Read(file/lines)
    ///     Names OUT -> SOURCE Read
    ///
    /// Remove one of them. To send one packet ahead of a stream, let `flow/kick` make it and
    /// `flow/concat` put it before the others.
    "P0303", "initial packet beside a connection"
}

/// An in-port element with both.
pub(crate) fn at(port: &str, initial: Span, arrow: Span) -> Diagnostic {
    let message = format!("in-port `{port}` has an initial packet and a connection");
    Diagnostic::error(CODE, initial, message)
        .note("initial packet")
        .label(arrow, "connection")
        .help("remove one of them, or join them with `flow/kick` and `flow/concat`")
}
