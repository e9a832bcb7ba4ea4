use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// An array port has a fixed number of elements, and an index is beyond the last.
    ///
    ///     Halve OUT[2] -> IN Show(console/write)
    ///
    /// If OUT of `Halve` has two elements, they are OUT[0] and OUT[1]: counting starts at 0.
    "P0312", "element beyond a fixed array port"
}

/// An index that is too large.
pub(crate) fn at(port: &str, size: u32, span: Span) -> Diagnostic {
    let message = format!("`{port}` is beyond the last element");
    Diagnostic::error(CODE, span, message)
        .note("no such element")
        .help(format!(
            "its {size} elements count from 0 to {}",
            size.saturating_sub(1)
        ))
}
