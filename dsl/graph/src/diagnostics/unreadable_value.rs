use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// A parameter reads its text as a value of some kind, and this text is none.
    ///
    ///     'many' -> COUNT Numbers(flow/generate)
    ///
    /// COUNT reads a whole number, `int`. Write one: `'100' -> COUNT Numbers`. A duration is a
    /// number and a unit: `5s`, `200ms`, `2h`.
    "P0402", "initial packet that cannot be read"
}

/// A text that its parameter cannot read.
pub(crate) fn at(port: &str, text: &str, reads: &str, example: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        CODE,
        span,
        format!("`{port}` cannot read `{text}` as {reads}"),
    )
    .note(format!("not {reads}"))
    .help(format!("write a value such as `'{example}'`"))
}
